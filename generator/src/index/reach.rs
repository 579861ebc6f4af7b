//! Ways to an item: the shortest path by which a module, or code outside the crate, can name a definition,
//! through modules and re-exports.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use super::ids::{CrateId, ItemId, ModuleId, Visibility};
use super::items::{EntryTarget, Import};
use super::resolve::{Def, Resolver, Space, root};
use super::{FunctionItem, Owner, SourceIndex, TargetKind};

/// A search ends after so many modules: larger crates have their public names near the root.
const MAX_MODULES: usize = 4000;

/// A module and the names that lead to it.
#[derive(Debug, Clone)]
pub(super) struct Reachable {
    pub(super) path: Vec<String>,
    pub(super) module: ModuleId,
}

/// Where a search starts, who looks, and of which crate the wanted thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Search {
    pub(super) start: ModuleId,
    pub(super) viewer: Option<ModuleId>,
    pub(super) wanted: CrateId,
    /// Whether `#[doc(hidden)]` names count.
    pub(super) hidden: bool,
}

type Edges = Vec<(String, ModuleId)>;

/// Finds ways. Results are kept.
pub(super) struct Reach<'i> {
    pub(super) resolver: Resolver<'i>,
    known: RefCell<HashMap<Search, Rc<Vec<Reachable>>>>,
}

impl<'i> Reach<'i> {
    pub(super) fn new(index: &'i SourceIndex, under_test: Option<CrateId>) -> Reach<'i> {
        Reach { resolver: Resolver::new(index, under_test), known: RefCell::default() }
    }

    /// The modules that can be named from `start`, the nearest first.
    fn modules(&self, search: Search) -> Rc<Vec<Reachable>> {
        if let Some(known) = self.known.borrow().get(&search) {
            return Rc::clone(known);
        }
        let (mut found, mut seen) = (Vec::new(), HashSet::from([search.start]));
        let mut open = VecDeque::from([Reachable { path: Vec::new(), module: search.start }]);
        while let Some(next) = open.pop_front() {
            if found.len() < MAX_MODULES && next.path.len() < 24 {
                let mut edges = self.edges(next.module, search, &mut HashSet::new());
                edges.sort();
                for (name, module) in edges {
                    if seen.insert(module) {
                        let path = next.path.iter().cloned().chain([name]).collect();
                        open.push_back(Reachable { path, module });
                    }
                }
            }
            found.push(next);
        }
        let found = Rc::new(found);
        self.known.borrow_mut().insert(search, Rc::clone(&found));
        found
    }

    /// The modules that have a name in `module` which the search's viewer can see.
    fn edges(&self, module: ModuleId, search: Search, visited: &mut HashSet<ModuleId>) -> Edges {
        let mut edges = Edges::new();
        if !visited.insert(module) || visited.len() > 256 {
            return edges;
        }
        let data = self.resolver.index.module(module);
        let seen = |visibility: Visibility, hidden: bool| {
            (search.hidden || !hidden) && self.resolver.visible(visibility, module.krate, search.viewer)
        };
        for (name, entries) in &data.entries {
            for entry in entries {
                if let EntryTarget::Module(child) = entry.target
                    && seen(entry.visibility, entry.hidden)
                    && self.resolver.is_built(&entry.cfg, module.krate)
                {
                    edges.push((name.clone(), ModuleId { krate: module.krate, module: child }));
                }
            }
        }
        for import in data.imports.iter().filter(|import| seen(import.visibility, import.hidden)) {
            let is_module_like = |name: &str| !name.starts_with(char::is_uppercase) && name != "_";
            if !self.resolver.is_built(&import.cfg, module.krate)
                || !import.name.as_deref().is_none_or(is_module_like)
                || !self.may_lead(module, &import.path, search.wanted)
            {
                continue;
            }
            for def in self.resolver.import(module, import, Space::Types) {
                let Def::Module(target) = def else { continue };
                match &import.name {
                    Some(name)
                        if self.resolver.depends_on(target.krate, search.wanted)
                            && self.may_name(module, import, target, search.viewer) =>
                    {
                        edges.push((name.clone(), target));
                    }
                    Some(_) => {}
                    None => edges.extend(self.edges(target, search, visited)),
                }
            }
        }
        edges
    }

    /// Whether an import brings others the name of a module: one that is kept to the crate has it where a function of that
    /// name is exported, as `decompress` of lz4_flex, but for the crate alone.
    fn may_name(
        &self,
        module: ModuleId,
        import: &Import,
        target: ModuleId,
        viewer: Option<ModuleId>,
    ) -> bool {
        let Some((last, path @ [_, ..])) = import.path.split_last() else { return true };
        let parents = self.resolver.path(module, path, import.absolute, true, Space::Types).into_iter();
        let parents =
            parents.filter_map(|def| if let Def::Module(parent) = def { Some(parent) } else { None });
        let bindings = parents.flat_map(|parent| {
            let bindings = self.resolver.bindings(parent, last, Space::Types);
            bindings.into_iter().map(move |binding| (parent, binding))
        });
        let mut bindings = bindings.filter(|(_, binding)| binding.def == Def::Module(target)).peekable();
        bindings.peek().is_none()
            || bindings
                .any(|(parent, binding)| self.resolver.visible(binding.visibility, parent.krate, viewer))
    }

    /// Whether an import is worth resolving, so that no crate is read in vain.
    fn may_lead(&self, module: ModuleId, path: &[String], wanted: CrateId) -> bool {
        let Some(first) = path.first() else { return true };
        match self.resolver.extern_crate(module.krate, first) {
            Some(Def::Module(root)) => self.resolver.depends_on(root.krate, wanted),
            Some(_) => false,
            None => true,
        }
    }

    /// The shortest names from `search.start` to a definition. Of equally long ones, that through the module
    /// which declares it.
    pub(super) fn find(
        &self,
        def: &Def,
        names: &[String],
        space: Space,
        search: Search,
    ) -> Option<Vec<String>> {
        let home = self.home(def);
        let mut best: Option<Vec<String>> = None;
        for reachable in self.modules(search).iter() {
            if best.as_ref().is_some_and(|best| best.len() <= reachable.path.len()) {
                break;
            }
            for name in names {
                let bindings = self.resolver.bindings(reachable.module, name, space);
                let means_it = bindings.iter().any(|binding| {
                    self.resolver.are_one(&binding.def, def)
                        && (search.hidden || !binding.hidden)
                        && self.resolver.visible(binding.visibility, reachable.module.krate, search.viewer)
                });
                // Two globs that bring different things make the name an error.
                if means_it && bindings.iter().all(|binding| self.resolver.are_one(&binding.def, def)) {
                    let path: Vec<String> = reachable.path.iter().chain([name]).cloned().collect();
                    if home == Some(reachable.module) {
                        return Some(path);
                    }
                    best.get_or_insert(path);
                    break;
                }
            }
        }
        best
    }

    /// The module that declares a definition.
    pub(super) fn home(&self, def: &Def) -> Option<ModuleId> {
        let index = self.resolver.index;
        match def {
            Def::Module(id) => {
                let parent = index.module(*id).parent?;
                Some(ModuleId { krate: id.krate, module: parent })
            }
            Def::Item(id) | Def::Variant(id, _) => Some(index.item(*id).module),
            Def::Function(id) => Some(index.function(*id).module),
            Def::Made(module, _) => Some(*module),
            Def::Std(_) => None,
        }
    }

    /// The name at the definition, and those that `use … as …` gives it in `crates`, the own one first.
    pub(super) fn names_of(&self, def: &Def, crates: &[CrateId]) -> Vec<String> {
        let index = self.resolver.index;
        let own = match def {
            Def::Module(id) => index.module(*id).name.clone(),
            Def::Item(id) => index.item(*id).name.clone(),
            Def::Function(id) => index.function(*id).name.clone(),
            Def::Variant(_, name) | Def::Made(_, name) => name.clone(),
            Def::Std(path) => path.rsplit("::").next().unwrap_or_default().to_owned(),
        };
        let mut names = vec![own];
        for &krate in crates {
            for import in index.source(krate).modules.iter().flat_map(|module| &module.imports) {
                let from = import.path.last();
                if let (Some(name), Some(from)) = (&import.name, from)
                    && name != from
                    && name != "_"
                    && names.contains(from)
                    && !names.contains(name)
                    && names.len() < 16
                {
                    names.push(name.clone());
                }
            }
        }
        names
    }
}

/// What code outside a crate can reach: its public API as built without its tests, `#[doc(hidden)]` left out.
pub struct PublicApi<'i> {
    pub(super) reach: Reach<'i>,
    /// Of each crate the types that no name leads to and of which values are given out.
    pub(super) given_out: RefCell<HashMap<CrateId, HashSet<ItemId>>>,
}

impl<'i> PublicApi<'i> {
    /// The public APIs of an index's crates.
    pub fn new(index: &'i SourceIndex) -> PublicApi<'i> {
        PublicApi { reach: Reach::new(index, None), given_out: RefCell::default() }
    }

    pub(super) fn index(&self) -> &SourceIndex {
        self.reach.resolver.index
    }

    /// Whether code outside the crate can name a definition.
    pub(super) fn is_reachable(&self, def: &Def) -> bool {
        let Some(krate) = self.reach.home(def).map(|home| home.krate) else { return false };
        if !self.reach.resolver.index.target(krate).kind.is_library() {
            return false;
        }
        let names = self.reach.names_of(def, &[krate]);
        let space = if matches!(def, Def::Function(_)) { Space::Values } else { Space::Types };
        let search = Search { start: root(krate), viewer: None, wanted: krate, hidden: false };
        self.reach.find(def, &names, space, search).is_some()
    }

    /// Whether code outside the crate can call a function: a free function that can be reached, a `pub` method
    /// of a type that can or that is [given out](Self::is_given_out), a trait's method where trait and type can (or are
    /// foreign). Programs, examples and tests have no public API.
    pub fn is_public_api(&self, function: &FunctionItem) -> bool {
        let kind = self.reach.resolver.index.target(function.id.krate).kind;
        if kind != TargetKind::Library || function.nested_in.is_some() && !function.is_method() {
            return false;
        }
        if function.attributes.hidden || !self.is_built(function) {
            return false;
        }
        let module = function.module;
        match &function.owner {
            Owner::Module => self.is_reachable(&Def::Function(function.id)),
            Owner::Inherent { self_type, .. } => {
                function.visibility == Visibility::Public && self.is_type_public(self_type, module, false)
            }
            Owner::TraitImpl { self_type, trait_path, .. } => {
                let traits = self.reach.resolver.written(module, trait_path);
                traits.iter().all(|def| self.is_def_public(def, module))
                    && self.is_type_public(self_type, module, true)
            }
            Owner::Trait { name, .. } => {
                let traits = self.reach.resolver.bindings(module, name, Space::Types);
                traits.iter().any(|binding| self.is_def_public(&binding.def, module))
            }
        }
    }

    fn is_built(&self, function: &FunctionItem) -> bool {
        let index = self.reach.resolver.index;
        self.reach.resolver.is_built(&function.cfg, function.id.krate)
            && index.module_holds(function.module, false) != super::Holds::No
    }

    /// Items of other crates count as public: they could not be used here otherwise.
    fn is_def_public(&self, def: &Def, at: ModuleId) -> bool {
        match self.reach.home(def) {
            Some(home) if home.krate == at.krate => self.is_reachable(def),
            _ => true,
        }
    }

    fn is_type_public(&self, ty: &syn::Type, at: ModuleId, unknown: bool) -> bool {
        match ty {
            syn::Type::Path(path) => {
                let defs = self.reach.resolver.written(at, &path.path);
                // Primitives and type parameters have no definition.
                let is_public = |def: &Def| {
                    self.is_def_public(def, at) || matches!(def, Def::Item(id) if self.is_given_out(*id))
                };
                if defs.is_empty() { unknown } else { defs.iter().any(is_public) }
            }
            syn::Type::Reference(inner) => self.is_type_public(&inner.elem, at, unknown),
            syn::Type::Paren(inner) => self.is_type_public(&inner.elem, at, unknown),
            syn::Type::Group(inner) => self.is_type_public(&inner.elem, at, unknown),
            syn::Type::Slice(inner) => self.is_type_public(&inner.elem, at, unknown),
            syn::Type::Array(inner) => self.is_type_public(&inner.elem, at, unknown),
            syn::Type::Ptr(inner) => self.is_type_public(&inner.elem, at, unknown),
            syn::Type::Tuple(inner) => inner.elems.iter().all(|ty| self.is_type_public(ty, at, true)),
            _ => unknown,
        }
    }
}
