//! What a module brings in: the leaves of a `use` tree, and `extern crate`.

use syn::UseTree;

use super::{MAX_DEPTH, Spot, Walk};
use crate::index::ids::plain;
use crate::index::items::Import;

impl Walk<'_> {
    pub(super) fn import(&mut self, import: &syn::ItemUse, spot: &Spot) {
        let attributes = self.attributes(&import.attrs);
        let start = Import {
            path: Vec::new(),
            absolute: import.leading_colon.is_some(),
            extern_crate: false,
            types_only: false,
            name: None,
            visibility: self.visibility(&import.vis, spot),
            cfg: spot.cfg.clone().and(attributes.cfg),
            hidden: attributes.hidden,
        };
        if spot.nested_in.is_none() {
            let mut leaves = Vec::new();
            flatten(&import.tree, start, &mut leaves, 0);
            if let Some(module) = self.module_mut(spot) {
                module.imports.extend(leaves);
            }
        }
    }

    pub(super) fn extern_crate(&mut self, import: &syn::ItemExternCrate, spot: &Spot) {
        let attributes = self.attributes(&import.attrs);
        let name = import.rename.as_ref().map_or(&import.ident, |(_, rename)| rename).to_string();
        let visibility = self.visibility(&import.vis, spot);
        let cfg = spot.cfg.clone().and(attributes.cfg);
        if let Some(module) = self.module_mut(spot) {
            module.imports.push(Import {
                path: vec![plain(&import.ident)],
                absolute: true,
                extern_crate: true,
                types_only: true,
                name: Some(name),
                visibility,
                cfg,
                hidden: attributes.hidden,
            });
        }
    }
}

/// The leaves of a `use` tree.
fn flatten(tree: &UseTree, mut so_far: Import, leaves: &mut Vec<Import>, depth: usize) {
    if depth > MAX_DEPTH {
        return;
    }
    match tree {
        UseTree::Path(path) => {
            so_far.path.push(plain(&path.ident));
            flatten(&path.tree, so_far, leaves, depth + 1);
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, so_far.clone(), leaves, depth + 1);
            }
        }
        UseTree::Glob(_) => leaves.push(so_far),
        UseTree::Name(name) => leaf(so_far, &name.ident, None, leaves),
        UseTree::Rename(rename) => leaf(so_far, &rename.ident, Some(&rename.rename), leaves),
    }
}

fn leaf(mut import: Import, ident: &syn::Ident, rename: Option<&syn::Ident>, leaves: &mut Vec<Import>) {
    let name = plain(ident);
    if name == "self" && !import.path.is_empty() {
        import.types_only = true;
    } else {
        import.path.push(name);
    }
    let own = rename.map_or_else(|| import.path.last().cloned(), |rename| Some(plain(rename)));
    import.name = own;
    leaves.push(import);
}
