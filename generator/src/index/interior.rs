//! Types that change behind a shared reference: what holds a cell, a lock or an atomic. In: types as the source has them. Out:
//! whether they do, as far as the crate's own source shows.

use std::collections::BTreeSet;

use syn::Type;
use syn::visit::{self, Visit};

use super::ids::{ItemId, plain};
use super::items::ItemKind;
use super::naming::NamesAt;

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
struct Paths<'t> {
    changes: bool,
    found: Vec<&'t syn::Path>,
}

impl<'ast> Visit<'ast> for Paths<'ast> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut names = path.segments.iter().map(|segment| plain(&segment.ident));
        self.changes |= names.any(|name| name.starts_with("Atomic") || CHANGING.contains(&name.as_str()));
        self.found.push(path);
        visit::visit_path(self, path);
    }
}

impl NamesAt<'_> {
    /// Whether a value of a type may change behind a shared reference.
    pub(super) fn changes_within(&self, id: ItemId) -> bool {
        let (mut seen, mut open) = (BTreeSet::from([id]), vec![id]);
        while let Some(id) = open.pop() {
            let item = self.index().item(id);
            let types: Vec<&Type> = match &item.kind {
                ItemKind::Struct(list) => list.fields.iter().map(|field| &field.ty).collect(),
                ItemKind::Enum(variants) => {
                    let fields = variants.iter().flat_map(|variant| &variant.fields.fields);
                    fields.map(|field| &field.ty).collect()
                }
                ItemKind::Alias(to) => vec![to],
                _ => Vec::new(),
            };
            for ty in types {
                let mut paths = Paths::default();
                paths.visit_type(ty);
                if paths.changes {
                    return true;
                }
                for path in &paths.found {
                    let own = self.reach.resolver.item_at(item.module, path);
                    let own = own.filter(|own| own.krate == id.krate);
                    open.extend(own.filter(|own| seen.len() < MOST_ITEMS && seen.insert(*own)));
                }
            }
        }
        false
    }
}
