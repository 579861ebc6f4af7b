//! A type's own constructor: a `pub fn new(p: f64, n: u64) -> Result<Binomial, E>`, or a `From`, that stores its
//! arguments. In: a definition and the fields that were read. Out: the function that a test calls for them, where there
//! is one.

use quote::quote;

use crate::names::{Constructed, Names, Seen};

use super::builds::Builds;
use super::items::ItemKind;
use super::naming::{NamesAt, ident};
use super::resolve::Def;
use super::{FunctionItem, Owner};

impl NamesAt<'_> {
    /// The own constructor of a type by which a value with these fields can be built here. Within the crate only
    /// one that cannot refuse the value: there is another way.
    pub(super) fn own_constructor_of(&self, definition: &str, fields: &[Seen<'_>]) -> Option<Constructed> {
        let Def::Item(id) = self.definition(definition).ok()? else { return None };
        if !matches!(self.index().item(id).kind, ItemKind::Struct(_)) {
            return None;
        }
        let foreign = id.krate != self.module.krate;
        let functions = self.index().source(id.krate).functions.iter();
        let mut fitting: Vec<(&FunctionItem, &Builds)> = functions
            .filter_map(|function| Some((function, function.builds.as_deref()?)))
            .filter(|(function, builds)| foreign || !builds.fallible && function.asserts.is_empty())
            .filter(|(_, builds)| builds.fits(fields))
            .filter(|(function, _)| {
                let open = self.is_callable_of(function, id) || self.is_conversion_of(function, id);
                open && !function.attributes.hidden
            })
            .collect();
        // The one that a person would take: `new`, then the one that cannot fail.
        fitting.sort_by_key(|(function, builds)| {
            (is_conversion(function), function.name != "new", builds.fallible, function.name.clone())
        });
        let (function, builds) = fitting.first()?;
        let (path, name) = (self.path(definition).ok()?, ident(&function.name).ok()?);
        Some(Constructed {
            call: quote!(#path::#name),
            arguments: builds.arguments(fields)?,
            unwrapped: builds.fallible,
            typed: is_conversion(function),
        })
    }
}

/// A type may have several conversions, of which the argument's type is to choose one.
fn is_conversion(function: &FunctionItem) -> bool {
    matches!(function.owner, Owner::TraitImpl { .. })
}
