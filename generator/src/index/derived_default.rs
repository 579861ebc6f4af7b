//! What `Default` gives where it is derived: each field its own default, and nothing else. In: a definition. Out:
//! how much of a value a test may leave to it. Other crates have derives of that name that give what they like.

use crate::names::Defaults;

use super::items::{FieldList, ItemKind, TypeItem};
use super::naming::NamesAt;
use super::resolve::{Def, Space};
use super::{attributes, standard};

const NAME: &str = "Default";

impl NamesAt<'_> {
    /// A written `impl Default` may give anything, and is not asked.
    pub(super) fn defaults_of(&self, definition: &str) -> Defaults {
        let id = match self.definition(definition) {
            Ok(Def::Item(id)) => id,
            // No version of the macro derives it by itself: the type has one that its source asks for, or a written one.
            Ok(Def::Made(..)) if self.is_derived_in(definition, "bitflags", NAME) => return Defaults::Whole,
            _ => return Defaults::Unknown,
        };
        let item = self.index().item(id);
        let derived = item.attributes.derives.iter().any(|derived| derived == NAME);
        let own = || {
            let functions = &self.index().source(id.krate).functions;
            functions.iter().any(|own| own.name == "default" && self.is_callable_of(own, id))
        };
        // A generic argument may have no default, and nothing might say which one is meant.
        let generic =
            item.generics.type_params().next().is_some() || item.generics.const_params().next().is_some();
        let ItemKind::Struct(fields) = &item.kind else { return Defaults::Unknown };
        if !derived || generic || own() || !self.is_derive_of_std(item, fields) {
            Defaults::Unknown
        } else if self.implements(definition, "Drop") {
            // E0509: nothing can be moved out of it.
            Defaults::Whole
        } else {
            Defaults::Fields
        }
    }

    /// Whether the derived `Default` of a struct is that of std, as far as its source tells.
    fn is_derive_of_std(&self, item: &TypeItem, fields: &FieldList) -> bool {
        let attributes = &item.attributes;
        let is_marked = attributes.default || fields.fields.iter().any(|field| field.default);
        if is_marked || attributes.foreign_derives.iter().any(|derived| derived == NAME) {
            return false;
        }
        // The crate of such an import may be unknown, so that it leads to no definition.
        let mut imports = self.index().module(item.module).imports.iter();
        let is_imported = imports.any(|import| {
            let is_std = import.path.first().is_some_and(|first| attributes::is_std(first));
            import.name.as_deref() == Some(NAME) && !is_std
        });
        let meanings = self.reach.resolver.bindings(item.module, NAME, Space::Types);
        let std = standard::prelude(NAME).map(Def::Std);
        !is_imported && meanings.into_iter().all(|binding| Some(&binding.def) == std.as_ref())
    }
}
