//! The source index of a workspace: packages from cargo's metadata, functions, types and modules by syn. Each
//! crate is read when it is first asked for. In: metadata and source files. Out: plain facts. Never writes.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cargo_metadata::Metadata;

use crate::expression::CrateRules;
use crate::paths::{normalized, relative};
use crate::regression::ModulePlace;

mod access;
mod asks;
mod at_home;
mod attributes;
mod builds;
mod callable;
mod cfg;
mod closures;
mod constants;
mod construct;
mod copied;
mod derived_default;
mod deserialized;
mod dots;
mod dwarf_name;
mod expand;
mod forwards;
mod function;
mod given_out;
mod held;
mod ids;
mod inherent;
mod interior;
mod items;
mod left_out;
mod lives;
mod locate;
mod macro_text;
mod macros;
mod makers;
mod naming;
mod never_returns;
mod own_constructor;
mod packages;
mod parsed;
mod passed;
mod plain;
mod reach;
mod resolve;
mod shown_derives;
mod shown_flags;
mod signature;
mod standard;
mod surroundings;
mod test_fields;
mod walk;
mod ways;
mod written;

pub use attributes::Attributes;
pub use callable::{CallPath, OfStd};
pub use cfg::{Cfg, CfgFacts, Holds};
pub(crate) use construct::{FUNCTION as CONSTRUCTOR, FUNCTION_STEM as CONSTRUCTOR_STEM};
pub use copied::Copied;
pub use dwarf_name::TypeName;
pub(crate) use function::binds_mut;
pub use function::{Assert, FunctionItem, Owner};
pub use ids::{CrateId, FunctionId, ItemId, ModuleId, Visibility};
pub use items::{
    CrateSource, FieldItem, FieldList, ImplItem, ItemKind, Module, OpaqueMacro, Problem, Reached, Shape,
    TypeItem, VariantItem,
};
pub(crate) use makers::{LAST_RANK, Recorded};
pub use naming::NamesAt;
pub use never_returns::Returns;
pub(crate) use packages::{OUTSIDE_FILE, OUTSIDE_NAME};
pub use packages::{Package, Target, TargetKind};
pub use passed::Caller;
pub use reach::PublicApi;
pub use resolve::{Def, Space};
pub(crate) use standard::settled;
pub use surroundings::Reads;

/// The index of a workspace and all its dependencies.
pub struct SourceIndex {
    workspace_root: PathBuf,
    packages: Vec<Package>,
    targets: Vec<Target>,
    sources: Vec<OnceCell<Rc<CrateSource>>>,
    rules: CrateRules,
    parsed: parsed::Parsed,
}

impl SourceIndex {
    /// The index of what cargo's metadata names. No source file is read yet. Features are those of the metadata:
    /// call `cargo metadata` with the features of the crashed build.
    pub fn load(metadata: &Metadata) -> SourceIndex {
        let (packages, targets) = packages::read(metadata);
        let sources = targets.iter().map(|_| OnceCell::new()).collect();
        SourceIndex {
            workspace_root: normalized(metadata.workspace_root.as_std_path()),
            packages,
            targets,
            sources,
            rules: CrateRules::default(),
            parsed: parsed::Parsed::default(),
        }
    }

    /// The same with a project's own rules for how values are built.
    #[must_use]
    pub fn with_rules(self, rules: CrateRules) -> SourceIndex {
        SourceIndex { rules, ..self }
    }

    /// The same with what an earlier index has read of dependencies, which do not change. The workspace's own crates,
    /// which get new tests, are read anew.
    #[must_use]
    pub fn keeping(self, earlier: &SourceIndex) -> SourceIndex {
        for (index, (own, read)) in self.sources.iter().zip(&earlier.sources).enumerate() {
            let id = CrateId(index as u32);
            let (package, before) = (self.package(id), earlier.package(id));
            let is_same = !package.local
                && self.workspace_root == earlier.workspace_root
                && self.target(id).root == earlier.target(id).root
                && (package.features_known, &package.features) == (before.features_known, &before.features);
            if let Some(source) = read.get().filter(|_| is_same) {
                let _ = own.set(Rc::clone(source));
            }
        }
        self
    }

    /// The project's own rules.
    pub fn rules(&self) -> &CrateRules {
        &self.rules
    }

    /// The workspace's folder.
    pub fn workspace_root(&self) -> &Path {
        &self.workspace_root
    }

    /// All packages, in cargo's order.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The targets of all packages with their ids.
    pub fn targets(&self) -> impl Iterator<Item = (CrateId, &Target)> {
        self.targets.iter().enumerate().map(|(index, target)| (CrateId(index as u32), target))
    }

    /// A target. Ids come from this index, so it is there.
    pub fn target(&self, id: CrateId) -> &Target {
        &self.targets[id.0 as usize]
    }

    /// The package of a target.
    pub fn package(&self, id: CrateId) -> &Package {
        &self.packages[self.target(id).package]
    }

    /// The root module of the test target in which tests stand outside of a crate's library: see
    /// [`crate::place::outside`]. `None` for what is no library.
    pub fn outside(&self, krate: CrateId) -> Option<ModuleId> {
        if !self.target(krate).kind.is_library() {
            return None;
        }
        let of_package = self.package(krate).crates.iter();
        let mut found = of_package.filter(|&&id| {
            let target = self.target(id);
            target.kind == TargetKind::Test && target.name == OUTSIDE_NAME
        });
        found.next().map(|&krate| ModuleId { krate, module: 0 })
    }

    /// Whether a macro by that name may be one that the crate defines, or imports from another crate than std.
    pub(crate) fn defines_macro(&self, id: CrateId, name: &str) -> bool {
        let source = self.source(id);
        let of_std = |import: &items::Import| {
            import.path.first().is_some_and(|first| ["std", "core", "alloc"].contains(&first.as_str()))
        };
        source.opaque_macros.iter().any(|known| known.definition && known.name == name)
            || source
                .modules
                .iter()
                .flat_map(|module| &module.imports)
                .any(|import| import.name.as_deref() == Some(name) && !of_std(import))
    }

    /// What one crate's source holds; it is read now if it was not before.
    pub fn source(&self, id: CrateId) -> &CrateSource {
        self.sources[id.0 as usize].get_or_init(|| {
            let (target, package) = (self.target(id), self.package(id));
            Rc::new(walk::read(&walk::Root {
                id,
                package: &package.name,
                crate_name: &target.crate_name,
                file: &target.root,
                workspace_root: &self.workspace_root,
                package_folder: &package.folder,
                facts: package.facts(package.local),
            }))
        })
    }

    /// A module.
    pub fn module(&self, id: ModuleId) -> &Module {
        &self.source(id.krate).modules[id.module as usize]
    }

    /// A type, trait, constant or static.
    pub fn item(&self, id: ItemId) -> &TypeItem {
        &self.source(id.krate).items[id.item as usize]
    }

    /// A function.
    pub fn function(&self, id: FunctionId) -> &FunctionItem {
        &self.source(id.krate).functions[id.function as usize]
    }

    /// What could not be read so far.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.sources.iter().filter_map(OnceCell::get).flat_map(|source| &source.problems)
    }

    /// The functions that a frame may be: of that name, in that file (relative to the workspace root), around
    /// that line of declaration; the best first. A file may belong to several crates: the first segment of the
    /// frame's function path tells which (empty: any). Generics after the name are ignored.
    pub fn function_at(
        &self,
        file: &str,
        declared_line: u32,
        name: &str,
        crate_name: &str,
    ) -> Vec<&FunctionItem> {
        let name = name.split('<').next().unwrap_or(name);
        let mut found: Vec<(u32, &FunctionItem)> = self
            .functions_of_file(file, crate_name)
            .filter(|function| function.name == name)
            .map(|function| (join_rank(function, declared_line), function))
            .collect();
        found.sort_by_key(|(rank, function)| (*rank, function.body_lines.0.abs_diff(declared_line)));
        let best = found.first().map(|(rank, _)| *rank);
        // A function of that name elsewhere in the file is only meant when none is at the line.
        found
            .into_iter()
            .filter(|(rank, _)| *rank < 3 || best == Some(3))
            .map(|(_, function)| function)
            .collect()
    }

    /// The innermost functions, one for each crate, whose lines include that one: how a closure's frame is
    /// joined to the function around it.
    pub fn enclosing(&self, file: &str, line: u32, crate_name: &str) -> Vec<&FunctionItem> {
        let mut innermost: Vec<&FunctionItem> = Vec::new();
        for function in self.functions_of_file(file, crate_name).filter(|function| function.contains(line)) {
            let length = |f: &FunctionItem| f.last_line() - f.first_line;
            match innermost.iter_mut().find(|known| known.id.krate == function.id.krate) {
                Some(known) if length(known) >= length(function) => *known = function,
                Some(_) => {}
                None => innermost.push(function),
            }
        }
        innermost
    }

    /// What a function reads beside its arguments: statics are told from constants by their crate's items.
    pub fn reads<'f>(&self, function: &'f FunctionItem) -> Vec<&'f Reads> {
        let is_static = |name: &String| {
            let items = &self.source(function.id.krate).items;
            items.iter().any(|item| item.name == *name && matches!(item.kind, ItemKind::Static { .. }))
        };
        let reads = function.reads.iter();
        reads.filter(|reads| if let Reads::Upper(name) = reads { is_static(name) } else { true }).collect()
    }

    /// Whether what a function reads is a static whose value a program can change: a test finds its first one.
    pub fn is_state(&self, function: &FunctionItem, reads: &Reads) -> bool {
        let items = &self.source(function.id.krate).items;
        match reads {
            Reads::Upper(name) => items
                .iter()
                .any(|item| item.name == *name && matches!(item.kind, ItemKind::Static { state: true })),
            // What `thread_local!` declares may be no item; a constant may have a method of that name, too.
            Reads::ThreadLocal(name) => {
                let other = |item: &TypeItem| !matches!(item.kind, ItemKind::Static { .. });
                !items.iter().any(|item| item.name == *name && other(item))
            }
            _ => false,
        }
    }

    /// The functions of its crate that a function calls, as far as their names tell: those that one alone has.
    pub fn called(&self, function: &FunctionItem) -> Vec<&FunctionItem> {
        let functions = &self.source(function.id.krate).functions;
        let named = |name: &String| {
            let mut found = functions.iter().filter(|other| other.name == *name && !other.attributes.test);
            found.next().filter(|_| found.next().is_none()).filter(|other| other.id != function.id)
        };
        function.calls.iter().filter_map(named).collect()
    }

    /// The macro that was not understood and whose text, a use or its definition, includes that line: why no
    /// function is found there.
    pub fn macro_at(&self, file: &str, line: u32, crate_name: &str) -> Option<&OpaqueMacro> {
        self.local_crates(file, crate_name).into_iter().find_map(|id| {
            let source = self.source(id);
            let index = file_index(source, file)?;
            source.opaque_macros.iter().find(|m| m.file == index && (m.lines.0..=m.lines.1).contains(&line))
        })
    }

    fn functions_of_file<'s>(
        &'s self,
        file: &str,
        crate_name: &str,
    ) -> impl Iterator<Item = &'s FunctionItem> + use<'s> {
        let file = normalized(Path::new(file)).to_string_lossy().into_owned();
        let crates = self.local_crates(&file, crate_name);
        crates.into_iter().flat_map(move |id| {
            let file = file.clone();
            self.source(id).functions.iter().filter(move |function| function.file == file)
        })
    }

    /// The crates of the workspace that may hold a file: those of that name, in whose package it lies, first
    /// the libraries; any of that name where none does (a file shared by `#[path]`).
    fn local_crates(&self, file: &str, crate_name: &str) -> Vec<CrateId> {
        let file = normalized(Path::new(file));
        let named: Vec<CrateId> = self
            .targets()
            .filter(|(id, target)| {
                self.package(*id).local && (crate_name.is_empty() || target.crate_name == crate_name)
            })
            .map(|(id, _)| id)
            .collect();
        let mut inside: Vec<CrateId> =
            named.iter().copied().filter(|id| file.starts_with(&self.package(*id).relative_folder)).collect();
        if !inside.iter().any(|&id| file_index(self.source(id), &file.to_string_lossy()).is_some()) {
            inside = named;
        }
        inside.sort_by_key(|id| {
            let depth = self.package(*id).relative_folder.components().count();
            (!self.target(*id).kind.is_library(), std::cmp::Reverse(depth), id.0)
        });
        inside
    }

    /// What is known of the build of a crate when `under_test` is compiled with its tests.
    pub fn facts(&self, id: CrateId, under_test: Option<CrateId>) -> CfgFacts {
        self.package(id).facts(under_test == Some(id))
    }

    /// Whether a module is part of the build: its own condition and those of the modules around it.
    pub fn module_holds(&self, id: ModuleId, test: bool) -> Holds {
        let facts = self.package(id.krate).facts(test);
        let modules = &self.source(id.krate).modules;
        let (mut holds, mut at) = (Holds::Yes, Some(id.module));
        while let Some(module) = at.and_then(|index| modules.get(index as usize)) {
            holds = holds.min(module.cfg.holds(&facts));
            at = module.parent;
        }
        holds
    }

    /// Whether a function is part of the build of its crate's tests.
    pub fn function_holds(&self, function: &FunctionItem) -> Holds {
        let facts = self.package(function.id.krate).facts(true);
        function.cfg.holds(&facts).min(self.module_holds(function.module, true))
    }

    /// The module itself or, where it stands within a macro and so has no braces of its own that a declaration could be
    /// put into, the nearest one around it that does not.
    pub fn outside_of_macros(&self, id: ModuleId) -> ModuleId {
        let mut id = id;
        while let Some(parent) = self.module(id).parent.filter(|_| self.module(id).in_macro) {
            id = ModuleId { module: parent, ..id };
        }
        id
    }

    /// How a test is placed in a module.
    pub fn place(&self, id: ModuleId) -> ModulePlace {
        let (target, package) = (self.target(id.krate), self.package(id.krate));
        let (source, module) = (self.source(id.krate), self.module(id));
        let file = source.files.get(module.file as usize).cloned().unwrap_or_default();
        ModulePlace {
            package: package.name.clone(),
            package_folder: package.relative_folder.clone(),
            file: relative(&package.relative_folder, &file),
            inline: module.inline.clone(),
            module_path: module.path.clone(),
            edition: target.edition,
            no_std: source.no_std,
        }
    }
}

fn file_index(source: &CrateSource, file: &str) -> Option<u32> {
    let file = normalized(Path::new(file));
    source.files.iter().position(|known| *known == file).map(|index| index as u32)
}

/// How well a line of declaration fits: 0 the head's own line, 1 between attributes and name, 2 within, 3 not.
fn join_rank(function: &FunctionItem, line: u32) -> u32 {
    match line {
        line if line == function.head_line || line == function.name_line => 0,
        line if (function.first_line..=function.name_line).contains(&line) => 1,
        line if function.contains(line) => 2,
        _ => 3,
    }
}

#[cfg(test)]
pub(crate) mod tests;
