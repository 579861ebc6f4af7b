//! Types that change behind a shared reference: what holds a cell, a lock or an atomic. In: types as the source has them. Out:
//! whether they do, as far as the crate's own source shows.

use std::collections::BTreeSet;

use syn::Type;
use syn::visit::{self, Visit};

use super::ids::{ItemId, ModuleId, plain};
use super::items::{FieldItem, ItemKind};
use super::naming::NamesAt;
use super::resolve::{Def, Space};

/// Types that change behind a shared reference; those that are set once by their own function are no such.
const CHANGING: [&str; 8] =
    ["Mutex", "RwLock", "Cell", "RefCell", "UnsafeCell", "OnceLock", "OnceCell", "SyncUnsafeCell"];
/// Types of a crate that one is made of and that are looked into.
const MOST_ITEMS: usize = 32;

/// Whether the text of a type names one that changes behind a shared reference.
pub(super) fn changes_when_shared(ty: &Type) -> bool {
    let mut paths = Paths::default();
    paths.visit_type(ty);
    paths.changes
}

/// The paths in a type.
#[derive(Default)]
struct Paths {
    changes: bool,
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        self.changes |=
            names.iter().any(|name| name.starts_with("Atomic") || CHANGING.contains(&name.as_str()));
        self.found.push(names);
        visit::visit_path(self, path);
    }
}

impl NamesAt<'_> {
    /// Whether a value of a type may change behind a shared reference.
    pub(super) fn changes_within(&self, id: ItemId) -> bool {
        let (mut seen, mut open) = (BTreeSet::from([id]), vec![id]);
        while let Some(id) = open.pop() {
            let item = self.index().item(id);
            let fields: Vec<&FieldItem> = match &item.kind {
                ItemKind::Struct(list) => list.fields.iter().collect(),
                ItemKind::Enum(variants) => {
                    variants.iter().flat_map(|variant| &variant.fields.fields).collect()
                }
                _ => Vec::new(),
            };
            for field in fields {
                let mut paths = Paths::default();
                paths.visit_type(&field.ty);
                if paths.changes {
                    return true;
                }
                for names in &paths.found {
                    let own = self.own_item(item.module, names).filter(|own| own.krate == id.krate);
                    open.extend(own.filter(|own| seen.len() < MOST_ITEMS && seen.insert(*own)));
                }
            }
        }
        false
    }

    fn own_item(&self, module: ModuleId, names: &[String]) -> Option<ItemId> {
        let found = self.reach.resolver.path(module, names, false, false, Space::Types);
        found.into_iter().find_map(|def| match def {
            Def::Item(id) => Some(id),
            _ => None,
        })
    }
}
