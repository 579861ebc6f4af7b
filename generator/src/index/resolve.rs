//! What a name means in a module: declared items, `use` trees with renames and globs, `crate`/`self`/`super`,
//! the extern prelude, editions 2015 to 2024, across crates. In: the index. Out: definitions. Macros are not
//! expanded: an item that one makes is known only when somebody who saw it (DWARF) says so.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};

use super::ids::{CrateId, FunctionId, ItemId, ModuleId, Visibility};
use super::items::{Entry, EntryTarget, Import, ItemKind, Shape};
use super::{Holds, Owner, SourceIndex, TargetKind, standard};

/// Look-ups within look-ups past this depth end without a result.
const MAX_DEPTH: usize = 48;
/// More look-ups than this for one name end without a result: globs of globs of globs can lead each to all others.
const MAX_STEPS: u32 = 20_000;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Def {
    /// A module; a crate is its root module.
    Module(ModuleId),
    /// A type, trait, constant or static.
    Item(ItemId),
    /// A free function.
    Function(FunctionId),
    /// A variant of an enum.
    Variant(ItemId, String),
    /// Something of std, by its public path: `std::collections::HashMap`; `core` and `alloc` count as `std`.
    Std(String),
    /// An item that a macro made in a module.
    Made(ModuleId, String),
}

/// Rust's namespaces, macros left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Space {
    /// Types, traits, modules.
    Types,
    /// Functions, constants, constructors.
    Values,
}

/// One meaning of a name in a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binding {
    pub(super) def: Def,
    /// From where in the module's crate the name can be seen.
    pub(super) visibility: Visibility,
    /// `#[doc(hidden)]`.
    pub(super) hidden: bool,
}

type Key = (ModuleId, String, Space);

/// Looks names up. Results are kept, so one resolver should serve many questions.
pub(super) struct Resolver<'i> {
    pub(super) index: &'i SourceIndex,
    /// The crate that is compiled with its tests.
    under_test: Option<CrateId>,
    known: RefCell<HashMap<Key, Vec<Binding>>>,
    busy: RefCell<HashSet<Key>>,
    /// First segments of imports that are being looked up.
    begun: RefCell<HashSet<(ModuleId, String)>>,
    /// Whether a look-up met itself, so that results within it may be incomplete.
    cycle: Cell<bool>,
    made: RefCell<HashSet<(ModuleId, String)>>,
    /// Look-ups since the outermost one began.
    steps: Cell<u32>,
}

impl<'i> Resolver<'i> {
    pub(super) fn new(index: &'i SourceIndex, under_test: Option<CrateId>) -> Resolver<'i> {
        Resolver {
            index,
            under_test,
            known: RefCell::default(),
            busy: RefCell::default(),
            begun: RefCell::default(),
            cycle: Cell::new(false),
            made: RefCell::default(),
            steps: Cell::new(0),
        }
    }

    /// Takes it as given that a macro makes an item of that name there.
    pub(super) fn assume_made(&self, module: ModuleId, name: &str) {
        if self.made.borrow_mut().insert((module, name.to_owned())) {
            self.known.borrow_mut().retain(|(_, known, _), _| known != name);
        }
    }

    /// Whether something of `of`'s crate can be seen from `viewer` (`None`: from another crate).
    pub(super) fn visible(&self, visibility: Visibility, of: CrateId, viewer: Option<ModuleId>) -> bool {
        match (visibility, viewer) {
            (Visibility::Public, _) => true,
            (Visibility::Within(module), Some(viewer)) if viewer.krate == of => {
                self.index.source(of).is_within(viewer.module, module)
            }
            _ => false,
        }
    }

    fn holds(&self, cfg: &super::Cfg, krate: CrateId) -> Holds {
        match cfg {
            super::Cfg::Always => Holds::Yes,
            cfg => cfg.holds(&self.index.facts(krate, self.under_test)),
        }
    }

    /// Whether a declared name or import is part of the build.
    pub(super) fn is_built(&self, cfg: &super::Cfg, krate: CrateId) -> bool {
        self.holds(cfg, krate) != Holds::No
    }

    /// All meanings of a name in a module, whoever can see them. Declared names and named imports shadow globs.
    pub(super) fn bindings(&self, module: ModuleId, name: &str, space: Space) -> Vec<Binding> {
        let key = (module, name.to_owned(), space);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        let depth = self.busy.borrow().len();
        self.steps.set(if depth == 0 { 0 } else { self.steps.get() + 1 });
        let too_much = depth >= MAX_DEPTH || self.steps.get() > MAX_STEPS;
        if too_much || !self.busy.borrow_mut().insert(key.clone()) {
            self.cycle.set(true);
            return Vec::new();
        }
        let mut found = self.explicit(module, name, space);
        if found.is_empty() {
            found = self.by_globs(module, name, space, &mut HashSet::from([module]));
        }
        self.busy.borrow_mut().remove(&key);
        let outermost = self.busy.borrow().is_empty();
        if outermost || !self.cycle.get() {
            self.known.borrow_mut().insert(key, found.clone());
        }
        if outermost {
            self.cycle.set(false);
        }
        found
    }

    /// What a module declares by that name.
    fn declared(&self, module: ModuleId, name: &str, space: Space) -> Vec<(Holds, Binding)> {
        let mut found: Vec<(Holds, Binding)> = Vec::new();
        for entry in self.index.module(module).entries.get(name).into_iter().flatten() {
            let holds = self.holds(&entry.cfg, module.krate);
            if holds != Holds::No && self.is_in(entry, module.krate, space) {
                let def = entry_def(entry.target, module.krate);
                let visibility = match space {
                    Space::Types => entry.visibility,
                    Space::Values => self.as_a_value(entry, module.krate),
                };
                found.push((holds, Binding { def, visibility, hidden: entry.hidden }));
            }
        }
        found
    }

    /// What an import's first segment is declared or imported as. In `use quote::quote;` it is not what the import
    /// itself brings.
    fn explicit_first(&self, module: ModuleId, name: &str) -> Vec<Binding> {
        let key = (module, name.to_owned());
        let is_new = self.begun.borrow().len() < MAX_DEPTH && self.begun.borrow_mut().insert(key.clone());
        if !is_new {
            return surest(self.declared(module, name, Space::Types));
        }
        let found = self.explicit(module, name, Space::Types);
        self.begun.borrow_mut().remove(&key);
        found
    }

    fn explicit(&self, module: ModuleId, name: &str, space: Space) -> Vec<Binding> {
        let data = self.index.module(module);
        let mut found = self.declared(module, name, space);
        for import in data.imports.iter().filter(|import| import.name.as_deref() == Some(name)) {
            let holds = self.holds(&import.cfg, module.krate);
            if name == "_" || holds == Holds::No || (import.types_only && space == Space::Values) {
                continue;
            }
            for def in self.import(module, import, space) {
                let (visibility, hidden) = (import.visibility, import.hidden);
                found.push((holds, Binding { def, visibility, hidden }));
            }
        }
        if found.is_empty()
            && space == Space::Types
            && self.made.borrow().contains(&(module, name.to_owned()))
        {
            let def = Def::Made(module, name.to_owned());
            found.push((Holds::Yes, Binding { def, visibility: Visibility::Public, hidden: false }));
        }
        surest(found)
    }

    fn is_in(&self, entry: &Entry, krate: CrateId, space: Space) -> bool {
        match entry.target {
            EntryTarget::Module(_) => space == Space::Types,
            EntryTarget::Function(_) => space == Space::Values,
            EntryTarget::Item(item) => match &self.index.item(ItemId { krate, item }).kind {
                ItemKind::Struct(fields) => space == Space::Types || fields.shape != Shape::Named,
                ItemKind::Const | ItemKind::Static { .. } => space == Space::Values,
                _ => space == Space::Types,
            },
        }
    }

    /// From where an entry can be seen as a value. A tuple struct's constructor is seen only where all of the fields
    /// are: an import that stands elsewhere brings the type alone.
    fn as_a_value(&self, entry: &Entry, krate: CrateId) -> Visibility {
        let EntryTarget::Item(item) = entry.target else { return entry.visibility };
        let ItemKind::Struct(fields) = &self.index.item(ItemId { krate, item }).kind else {
            return entry.visibility;
        };
        let built = fields.fields.iter().filter(|field| self.is_built(&field.cfg, krate));
        let source = self.index.source(krate);
        built.fold(entry.visibility, |narrowest, field| source.narrower(narrowest, field.visibility))
    }

    fn by_globs(
        &self,
        module: ModuleId,
        name: &str,
        space: Space,
        visited: &mut HashSet<ModuleId>,
    ) -> Vec<Binding> {
        let mut found: Vec<Binding> = Vec::new();
        if visited.len() > 512 {
            return found;
        }
        for import in self.index.module(module).imports.iter().filter(|import| import.name.is_none()) {
            if !self.is_built(&import.cfg, module.krate) {
                continue;
            }
            for target in self.import(module, import, Space::Types) {
                for mut binding in self.through_glob(target, module, name, space, visited) {
                    binding.visibility =
                        self.index.source(module.krate).narrower(binding.visibility, import.visibility);
                    binding.hidden |= import.hidden;
                    if !found.contains(&binding) {
                        found.push(binding);
                    }
                }
            }
        }
        found
    }

    /// What a glob of `target`, standing in `module`, brings of that name.
    fn through_glob(
        &self,
        target: Def,
        module: ModuleId,
        name: &str,
        space: Space,
        visited: &mut HashSet<ModuleId>,
    ) -> Vec<Binding> {
        let public = |def| vec![Binding { def, visibility: Visibility::Public, hidden: false }];
        match target {
            Def::Module(from) if visited.insert(from) => {
                let mut inner = self.explicit(from, name, space);
                if inner.is_empty() {
                    inner = self.by_globs(from, name, space, visited);
                }
                inner.retain(|binding| self.visible(binding.visibility, from.krate, Some(module)));
                inner
            }
            Def::Item(id) if self.has_variant(id, name) => public(Def::Variant(id, name.to_owned())),
            Def::Std(path) => {
                let full = format!("{path}::{name}");
                if standard::is_public(&full) {
                    public(Def::Std(standard::canonical(&full)))
                } else {
                    Vec::new()
                }
            }
            _ => Vec::new(),
        }
    }

    fn has_variant(&self, id: ItemId, name: &str) -> bool {
        matches!(&self.index.item(id).kind, ItemKind::Enum(variants) if variants.iter().any(|v| v.name == name))
    }

    /// What an import in `module` leads to.
    pub(super) fn import(&self, module: ModuleId, import: &Import, space: Space) -> Vec<Def> {
        if import.extern_crate {
            return match import.path.first().map(String::as_str) {
                Some("self") => vec![Def::Module(root(module.krate))],
                Some(name) => self.extern_crate(module.krate, name).into_iter().collect(),
                None => Vec::new(),
            };
        }
        self.path(module, &import.path, import.absolute, true, space)
    }

    /// What a path written in `module` leads to.
    pub(super) fn path(
        &self,
        module: ModuleId,
        path: &[String],
        absolute: bool,
        in_use: bool,
        space: Space,
    ) -> Vec<Def> {
        let Some((first, mut rest)) = path.split_first() else {
            // `use {…}` and `use *` start at the crate (2015) or nowhere.
            return vec![Def::Module(root(module.krate))];
        };
        let mut defs = match first.as_str() {
            "crate" | "$crate" => vec![Def::Module(root(module.krate))],
            "self" => vec![Def::Module(module)],
            "super" => {
                let mut at = self.parent(module);
                while rest.first().is_some_and(|segment| segment == "super") {
                    at = self.parent(at);
                    rest = &rest[1..];
                }
                vec![Def::Module(at)]
            }
            first => {
                let own = if rest.is_empty() { space } else { Space::Types };
                self.first_segment(module, first, absolute, in_use, own)
            }
        };
        for (index, segment) in rest.iter().enumerate() {
            let own = if index + 1 == rest.len() { space } else { Space::Types };
            let mut next: Vec<Def> = Vec::new();
            for def in defs.iter().take(8).flat_map(|def| self.member(def, segment, own, module)) {
                if !next.contains(&def) {
                    next.push(def);
                }
            }
            defs = next;
        }
        defs
    }

    fn parent(&self, module: ModuleId) -> ModuleId {
        ModuleId { krate: module.krate, module: self.index.module(module).parent.unwrap_or(0) }
    }

    fn first_segment(
        &self,
        module: ModuleId,
        name: &str,
        absolute: bool,
        in_use: bool,
        space: Space,
    ) -> Vec<Def> {
        let old = self.index.target(module.krate).edition < 2018;
        let scope = match (old, absolute) {
            (false, true) => None,
            (true, _) if absolute || in_use => Some(root(module.krate)),
            _ => Some(module),
        };
        let types = space == Space::Types;
        let mut found: Vec<Def> = Vec::new();
        // Of an import, crates come before what globs bring: the other way round, each glob of a module would be
        // looked up by way of all others. Where both have the name, the compiler calls it ambiguous (E0659).
        if in_use && types {
            found.extend(scope.into_iter().flat_map(|at| self.explicit_first(at, name)).map(|b| b.def));
            if found.is_empty() {
                found.extend(self.extern_crate(module.krate, name));
            }
        }
        if found.is_empty() {
            found.extend(scope.into_iter().flat_map(|at| self.bindings(at, name, space)).map(|b| b.def));
        }
        if found.is_empty() && types {
            found.extend(self.extern_crate(module.krate, name));
        }
        if found.is_empty() && !absolute {
            found.extend(standard::prelude(name).map(Def::Std));
        }
        found
    }

    fn member(&self, of: &Def, name: &str, space: Space, viewer: ModuleId) -> Vec<Def> {
        match of {
            Def::Module(module) => {
                let bindings = self.bindings(*module, name, space).into_iter();
                bindings
                    .filter(|b| self.visible(b.visibility, module.krate, Some(viewer)))
                    .map(|binding| binding.def)
                    .collect()
            }
            Def::Item(id) if self.has_variant(*id, name) => vec![Def::Variant(*id, name.to_owned())],
            Def::Std(path) => {
                let path = standard::canonical(&format!("{path}::{name}"));
                let is_module = space == Space::Values && standard::is_module(&path);
                if is_module { Vec::new() } else { vec![Def::Std(path)] }
            }
            _ => Vec::new(),
        }
    }

    /// A crate by the name that code of `krate` has for it.
    pub(super) fn extern_crate(&self, krate: CrateId, name: &str) -> Option<Def> {
        if let Some(std) = standard::crate_root(name) {
            return Some(Def::Std(std.to_owned()));
        }
        let package = self.index.package(krate);
        let library = package
            .library
            .filter(|&library| library != krate && self.index.target(library).crate_name == name);
        let dependency = || {
            let (_, package) = package.dependencies.iter().find(|(own, _)| own == name)?;
            self.index.packages().get(*package)?.library
        };
        if let Some(found) = library.or_else(dependency) {
            return Some(Def::Module(root(found)));
        }
        // `extern crate a as b;` in the root adds `b` to the prelude of the crate.
        let imports = &self.index.module(root(krate)).imports;
        let renamed = imports.iter().find(|i| i.extern_crate && i.name.as_deref() == Some(name))?;
        match renamed.path.first()?.as_str() {
            "self" => Some(Def::Module(root(krate))),
            original if original != name => self.extern_crate(krate, original),
            _ => None,
        }
    }

    /// Whether two definitions are one as far as names go: of several items that a module declares by one name, each under
    /// a condition that nothing here can tell (a build script's `cfg`), no build has more than one.
    pub(super) fn are_one(&self, one: &Def, other: &Def) -> bool {
        if one == other {
            return true;
        }
        match (one, other) {
            (Def::Item(a), Def::Item(b)) => {
                let (a, b) = (self.index.item(*a), self.index.item(*b));
                (a.module, &a.name) == (b.module, &b.name)
            }
            (Def::Function(a), Def::Function(b)) => {
                let (a, b) = (self.index.function(*a), self.index.function(*b));
                (a.module, &a.name) == (b.module, &b.name)
                    && [a, b].iter().all(|function| matches!(function.owner, Owner::Module))
            }
            _ => false,
        }
    }

    /// Whether code of one crate can lead to items of another at all.
    pub(super) fn depends_on(&self, from: CrateId, to: CrateId) -> bool {
        let (from_package, to_package) = (self.index.target(from).package, self.index.target(to).package);
        if from == to || from_package == to_package && self.index.target(to).kind == TargetKind::Library {
            return true;
        }
        let (mut open, mut seen) = (vec![from_package], HashSet::from([from_package]));
        while let Some(package) = open.pop() {
            if package == to_package {
                return true;
            }
            for (_, next) in self.index.packages().get(package).into_iter().flat_map(|p| &p.dependencies) {
                if seen.insert(*next) {
                    open.push(*next);
                }
            }
        }
        false
    }
}

/// Of a name declared under several conditions, those count that are surest to hold.
fn surest(found: Vec<(Holds, Binding)>) -> Vec<Binding> {
    let best = found.iter().map(|(holds, _)| *holds).max();
    let mut bindings: Vec<Binding> = Vec::new();
    for (_, binding) in found.into_iter().filter(|(holds, _)| Some(*holds) == best) {
        if !bindings.contains(&binding) {
            bindings.push(binding);
        }
    }
    bindings
}

/// A crate's root module.
pub(super) fn root(krate: CrateId) -> ModuleId {
    ModuleId { krate, module: 0 }
}

pub(super) fn entry_def(target: EntryTarget, krate: CrateId) -> Def {
    match target {
        EntryTarget::Module(module) => Def::Module(ModuleId { krate, module }),
        EntryTarget::Item(item) => Def::Item(ItemId { krate, item }),
        EntryTarget::Function(function) => Def::Function(FunctionId { krate, function }),
    }
}
