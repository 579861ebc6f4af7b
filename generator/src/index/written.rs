//! Paths as they are written in source, where types and traits stand. In: a path and its module. Out: what it leads to.

use super::ids::{ItemId, ModuleId, plain};
use super::resolve::{Def, Resolver, Space};

impl Resolver<'_> {
    /// What the path of a type or trait leads to.
    pub(super) fn written(&self, module: ModuleId, path: &syn::Path) -> Vec<Def> {
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        self.path(module, &names, path.leading_colon.is_some(), false, Space::Types)
    }

    /// The item that it leads to, an alias being one.
    pub(super) fn item_at(&self, module: ModuleId, path: &syn::Path) -> Option<ItemId> {
        self.written(module, path).into_iter().find_map(|def| match def {
            Def::Item(id) => Some(id),
            _ => None,
        })
    }
}
