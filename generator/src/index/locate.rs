//! From a definition path as DWARF has it (`uuid::timestamp::Timestamp`) to the definition in the index.

use std::collections::HashSet;

use crate::names::Unnameable;

use super::ids::{CrateId, ModuleId};
use super::resolve::{Def, Resolver, entry_def, root};

/// What a crate has at a path.
enum Found {
    /// Its source shows it.
    Seen(Def),
    /// Its source does not show it; a macro of that module may have made it.
    Made(ModuleId, String),
}

impl Resolver<'_> {
    /// The definition at a path, as code of `from` would mean it: of crates with one name, `from` itself, its
    /// library and its nearest dependencies come first.
    pub(super) fn locate(&self, definition: &str, from: CrateId) -> Result<Def, Unnameable> {
        let segments: Vec<&str> = definition.split("::").collect();
        if let Some(bad) = segments.iter().find(|s| s.contains(['{', '<', '(', '&', ' '])) {
            let what =
                if bad.starts_with("{closure") { "a closure" } else { "declared within a function or impl" };
            return Err(Unnameable(format!("`{definition}` is {what} and has no name")));
        }
        let Some((krate, path)) = segments.split_first() else {
            return Err(Unnameable("a type without a name".to_owned()));
        };
        let (mut reason, mut made) = (None, None);
        for candidate in self.crates_named(krate, from) {
            match self.locate_in(candidate, path, definition) {
                Ok(Found::Seen(def)) => return Ok(def),
                Ok(Found::Made(module, name)) => made = made.or(Some((module, name))),
                Err(error) => reason = reason.or(Some(error)),
            }
        }
        // A program and its library have one name by default: what the source of the one does not show may stand in the other.
        if let Some((module, name)) = made {
            self.assume_made(module, &name);
            return Ok(Def::Made(module, name));
        }
        Err(reason.unwrap_or_else(|| self.out_of_reach(definition, krate, from)))
    }

    /// Why nothing of a crate can be named: it is a program that uses the test's crate, or its source is not here.
    fn out_of_reach(&self, definition: &str, krate: &str, from: CrateId) -> Unnameable {
        let mut crates = self.index.packages().iter().flat_map(|package| &package.crates);
        Unnameable(match crates.find(|id| self.index.target(**id).crate_name == krate) {
            Some(_) => {
                let user = &self.index.target(from).crate_name;
                format!("`{definition}` belongs to the program `{krate}`, which `{user}` cannot use")
            }
            None => format!("the source of crate `{krate}` is not known"),
        })
    }

    fn crates_named(&self, name: &str, from: CrateId) -> Vec<CrateId> {
        let matches = |id: &CrateId| self.index.target(*id).crate_name == name;
        let mut found: Vec<CrateId> = Vec::new();
        let mut add = |id: CrateId| {
            if matches(&id) && !found.contains(&id) {
                found.push(id);
            }
        };
        add(from);
        let (mut at, mut seen) = (0, HashSet::new());
        let mut order = vec![self.index.target(from).package];
        seen.extend(order.iter().copied());
        while let Some(package) = order.get(at).and_then(|&index| self.index.packages().get(index)) {
            package.library.into_iter().for_each(&mut add);
            order
                .extend(package.dependencies.iter().map(|(_, next)| *next).filter(|next| seen.insert(*next)));
            at += 1;
        }
        // A program of the workspace that crashed, while the test stands in another crate.
        self.index.packages().iter().filter_map(|package| package.library).for_each(&mut add);
        found
    }

    fn locate_in(&self, krate: CrateId, path: &[&str], definition: &str) -> Result<Found, Unnameable> {
        let Some((name, modules)) = path.split_last() else {
            return Ok(Found::Seen(Def::Module(root(krate))));
        };
        let mut at: Vec<ModuleId> = vec![root(krate)];
        for segment in modules {
            let next: Vec<ModuleId> = at.iter().flat_map(|&module| self.children(module, segment)).collect();
            if next.is_empty() {
                return Err(self.no_module(&at, segment, definition));
            }
            at = next;
        }
        let mut switched_off = false;
        for &module in &at {
            let entries = self.index.module(module).entries.get(*name).into_iter().flatten();
            let mut built: Vec<_> = entries
                .inspect(|_| switched_off = true)
                .filter(|entry| self.is_built(&entry.cfg, krate))
                .collect();
            // A type is asked for more often than the function of the same name.
            built.sort_by_key(|e| matches!(e.target, super::items::EntryTarget::Function(_)));
            if let Some(entry) = built.first() {
                return Ok(Found::Seen(entry_def(entry.target, krate)));
            }
        }
        if switched_off {
            return Err(Unnameable(format!("`{definition}` is not part of the build for tests")));
        }
        // DWARF has it, so it exists; what the source does not show, a macro made.
        let made_in = at.iter().copied().find(|&module| self.index.module(module).opaque);
        let module = made_in.or(at.first().copied()).unwrap_or(root(krate));
        Ok(Found::Made(module, (*name).to_owned()))
    }

    fn children(&self, module: ModuleId, name: &str) -> Vec<ModuleId> {
        let source = self.index.source(module.krate);
        let children = self.index.module(module).children.iter().copied();
        let mut found: Vec<ModuleId> = children
            .filter_map(|child| source.modules.get(child as usize))
            .filter(|child| child.name == name && self.is_built(&child.cfg, module.krate))
            .map(|child| child.id)
            .collect();
        found.sort();
        found
    }

    fn no_module(&self, at: &[ModuleId], segment: &str, definition: &str) -> Unnameable {
        let is_function = at.iter().any(|module| {
            let functions = &self.index.source(module.krate).functions;
            functions.iter().any(|f| f.module == *module && f.name == segment)
        });
        if is_function || segment == "_" {
            return Unnameable(format!("`{definition}` is declared within the function `{segment}`"));
        }
        Unnameable(format!("`{definition}` was not found in the source: there is no module `{segment}`"))
    }
}
