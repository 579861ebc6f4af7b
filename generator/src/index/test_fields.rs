//! Fields that a struct has in test builds alone (`#[cfg(test)] skip: bool`): the crashed program had none of them, so
//! nothing was read that a test could give them. In: the struct, and the fields that were read. Out: what the type of
//! each field says is nothing (`false`, `0`, `Default::default()`), where it says so.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::hostile::identifier;

use super::cfg::Holds;
use super::ids::ItemId;
use super::items::{FieldItem, ItemKind, Shape, TypeItem};
use super::naming::NamesAt;
use super::{CfgFacts, SourceIndex};

/// Integers of the language.
const INTEGERS: [&str; 12] =
    ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];
/// Types of std that have a `Default` whatever they are made of.
const WITH_DEFAULT: [&str; 13] = [
    "String",
    "Vec",
    "VecDeque",
    "Option",
    "HashMap",
    "HashSet",
    "BTreeMap",
    "BTreeSet",
    "PhantomData",
    "AtomicBool",
    "AtomicUsize",
    "AtomicU32",
    "AtomicU64",
];

/// What the builds of a crate with and without its tests have.
pub(super) struct Builds {
    test: CfgFacts,
    plain: CfgFacts,
}

impl Builds {
    /// Those of the crate of an item.
    pub(super) fn of(index: &SourceIndex, id: ItemId) -> Builds {
        Builds { test: index.facts(id.krate, Some(id.krate)), plain: index.facts(id.krate, None) }
    }

    /// Whether a field is there in test builds alone.
    pub(super) fn only_tests_have(&self, field: &FieldItem) -> bool {
        field.cfg.holds(&self.test) == Holds::Yes && field.cfg.holds(&self.plain) == Holds::No
    }
}

/// The fields that only test builds have and that were not read, with what a literal gives them.
pub(super) fn of_item(builds: &Builds, item: &TypeItem, read: &[&str]) -> Option<Vec<(Ident, TokenStream)>> {
    let ItemKind::Struct(list) = &item.kind else { return Some(Vec::new()) };
    let mut lacking = list
        .fields
        .iter()
        .filter(|field| builds.only_tests_have(field) && !read.contains(&field.name.as_str()));
    if list.shape != Shape::Named {
        // A tuple's literal has no names: it would have to be given at its place among the others.
        return lacking.next().is_none().then(Vec::new);
    }
    lacking.map(|field| Some((identifier(&field.name)?, nothing(&field.ty)?))).collect()
}

impl NamesAt<'_> {
    /// The same for a struct of the crate whose tests are built.
    pub(super) fn test_fields_of(&self, id: ItemId, read: &[&str]) -> Vec<(Ident, TokenStream)> {
        if id.krate != self.module.krate {
            return Vec::new();
        }
        // Where one of them cannot be given, the compiler says what lacks.
        of_item(&Builds::of(self.index(), id), self.index().item(id), read).unwrap_or_default()
    }
}

/// What a value of a type is that nothing was put into.
fn nothing(ty: &syn::Type) -> Option<TokenStream> {
    let syn::Type::Path(path) = ty else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    match name.as_str() {
        "bool" => Some(quote!(false)),
        "f32" | "f64" => Some(quote!(0.0)),
        _ if INTEGERS.contains(&name.as_str()) => Some(quote!(0)),
        _ => WITH_DEFAULT.contains(&name.as_str()).then(|| quote!(Default::default())),
    }
}
