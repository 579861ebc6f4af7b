//! What a trait of a crate asks of what stands in for a reader or a sink: the traits of std that it builds on, and what else
//! it is implemented for. In: a trait by its path. Out: bounds, by their last names. An `impl` for a type of std stands in
//! the trait's own crate, so nowhere else is looked.

use std::collections::BTreeSet;

use syn::{GenericArgument, Path, PathArguments, Type, TypeParamBound};

use crate::expression::{Asks, Implementors, Over};

use super::ids::{CrateId, ItemId, ModuleId};
use super::items::{ImplItem, ItemKind};
use super::naming::NamesAt;
use super::resolve::Def;

/// Traits that are looked at for one bound.
const MOST_TRAITS: usize = 64;

impl NamesAt<'_> {
    /// What a trait asks for, by its path in debug info (`demo::io::Source`).
    pub(crate) fn asks_of_trait(&self, definition: &str) -> Asks {
        let mut asks = Asks::default();
        match self.definition(definition) {
            Ok(Def::Item(id)) => self.ask(id, &mut asks),
            _ => asks.bounds.extend(definition.rsplit("::").next().map(str::to_owned)),
        }
        asks
    }

    /// What bounds that are written in a module ask for.
    pub(crate) fn asks_of_bounds(&self, module: ModuleId, bounds: &[Path]) -> Asks {
        let mut asks = Asks::default();
        for bound in bounds {
            match self.trait_at(module, bound) {
                Some(id) => self.ask(id, &mut asks),
                None => asks.bounds.extend(bound.segments.last().map(|last| last.ident.to_string())),
            }
        }
        asks
    }

    /// Adds what a trait of a crate asks for, and what those that it builds on do.
    fn ask(&self, id: ItemId, asks: &mut Asks) {
        let (mut seen, mut open) = (BTreeSet::new(), vec![id]);
        while let Some(id) = open.pop() {
            if !seen.insert(id) || seen.len() > MOST_TRAITS {
                continue;
            }
            let item = self.index().item(id);
            let ItemKind::Trait(supertraits) = &item.kind else { continue };
            let implementors = self.implementors(id);
            if !implementors.all {
                asks.bounds.insert(item.name.clone());
                asks.implementors = Some(match asks.implementors {
                    Some(known) => known.and(implementors),
                    None => implementors,
                });
            }
            for path in supertraits {
                match self.trait_at(item.module, path) {
                    Some(id) => open.push(id),
                    None => {
                        asks.bounds.extend(path.segments.last().map(|last| last.ident.to_string()));
                    }
                }
            }
        }
    }

    /// What the traits build on that these paths, written in a module, mean: as far as they are a crate's own.
    pub(super) fn supertraits(&self, module: ModuleId, paths: &[Path]) -> Vec<Path> {
        let mut open: Vec<ItemId> = paths.iter().filter_map(|path| self.trait_at(module, path)).collect();
        let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
        while let Some(id) = open.pop() {
            if !seen.insert(id) || seen.len() > MOST_TRAITS {
                continue;
            }
            let item = self.index().item(id);
            let ItemKind::Trait(supertraits) = &item.kind else { continue };
            open.extend(supertraits.iter().filter_map(|path| self.trait_at(item.module, path)));
            found.extend(supertraits.iter().cloned());
        }
        found
    }

    /// The trait of a crate that a path means, aliases aside.
    fn trait_at(&self, module: ModuleId, path: &Path) -> Option<ItemId> {
        let found = self.reach.resolver.written(module, path);
        found.into_iter().find_map(|def| match def {
            Def::Item(id) => matches!(self.index().item(id).kind, ItemKind::Trait(_)).then_some(id),
            _ => None,
        })
    }

    /// What a trait is implemented for, as far as stand-ins go.
    fn implementors(&self, id: ItemId) -> Implementors {
        let mut found = Implementors::default();
        let name = &self.index().item(id).name;
        let of_name = |block: &&ImplItem| {
            let last = block.trait_path.as_ref().and_then(|path| path.segments.last());
            last.is_some_and(|last| last.ident == name.as_str()) && !block.negative
        };
        for block in self.index().source(id.krate).impls.iter().filter(of_name) {
            let path = block.trait_path.as_ref();
            let is_it = path.is_some_and(|path| self.trait_at(block.module, path) == Some(id));
            if is_it && self.is_built_in(block, id.krate) {
                note(block, &mut found);
            }
        }
        found
    }

    fn is_built_in(&self, block: &ImplItem, krate: CrateId) -> bool {
        self.reach.resolver.is_built(&block.cfg, krate)
    }
}

/// The traits that a list of bounds names.
pub(super) fn traits_of<'b>(bounds: impl IntoIterator<Item = &'b TypeParamBound>) -> Vec<Path> {
    let path = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => Some(bound.path.clone()),
        _ => None,
    };
    bounds.into_iter().filter_map(path).collect()
}

/// Adds the type of an `impl` block.
fn note(block: &ImplItem, found: &mut Implementors) {
    let is_any = |ty: &Type| match ty {
        Type::Path(path) => {
            block.generics.type_params().any(|parameter| path.path.is_ident(&parameter.ident))
        }
        _ => false,
    };
    match &block.self_type {
        ty if is_any(ty) => found.all = true,
        Type::Reference(to) if is_bytes(&to.elem) => found.bytes |= to.mutability.is_none(),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return };
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return };
            let Some(GenericArgument::Type(inner)) = arguments.args.last() else { return };
            match last.ident.to_string().as_str() {
                "Cursor" if is_any(inner) => found.cursor = Some(Over::Any),
                "Cursor" => {
                    let over = match inner {
                        Type::Reference(to) if is_bytes(&to.elem) => Some(Over::Slice),
                        Type::Path(path) => {
                            let last = path.path.segments.last();
                            last.filter(|last| last.ident == "Vec").map(|_| Over::Vec)
                        }
                        _ => None,
                    };
                    found.cursor = found.cursor.or(over);
                }
                "BufReader" if is_any(inner) => found.buffered = true,
                _ => {}
            }
        }
        _ => {}
    }
}

/// Whether it is `[u8]`.
fn is_bytes(ty: &Type) -> bool {
    matches!(ty, Type::Slice(slice) if matches!(&*slice.elem, Type::Path(path) if path.path.is_ident("u8")))
}
