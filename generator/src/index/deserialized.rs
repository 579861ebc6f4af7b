//! Types whose derived `Deserialize` reads what their fields hold, one by one and by their names: what serde's attributes
//! change is left alone. In: a definition. Out: its form in a self-describing format.

use proc_macro2::{TokenStream, TokenTree};

use crate::names::Deserialized;

use super::attributes::Attributes;
use super::items::{FieldList, ItemKind, Shape};
use super::naming::NamesAt;
use super::resolve::Def;

/// The derive, and the crates that have it.
const NAME: &str = "Deserialize";
const CRATES: [&str; 2] = ["serde", "serde_derive"];

/// What a `#[serde(…)]` says that changes nothing of what is read from a text that has every field.
const HARMLESS: [&str; 8] = [
    "default",
    "deny_unknown_fields",
    "bound",
    "crate",
    "expecting",
    "skip_serializing_if",
    "serialize_with",
    "borrow",
];

/// Whether a `#[serde(…)]` may change how a value is read.
pub(super) fn changes(tokens: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let is_comma = |tree: &TokenTree| matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ',');
    trees.split(is_comma).filter(|part| !part.is_empty()).any(|part| match part.first() {
        Some(TokenTree::Ident(word)) => HARMLESS.iter().all(|harmless| word != harmless),
        _ => true,
    })
}

/// Whether a path in `derive(…)` is that of serde, as far as it says itself.
pub(super) fn is_derive_of_serde(path: &syn::Path) -> bool {
    let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    match names.as_slice() {
        [name] => name == NAME,
        [krate, name] => name == NAME && CRATES.contains(&krate.as_str()),
        _ => false,
    }
}

impl NamesAt<'_> {
    /// How the type at `definition` stands in a self-describing format.
    pub(super) fn deserialized_form(&self, definition: &str) -> Option<Deserialized> {
        let Ok(Def::Item(id)) = self.definition(definition) else { return None };
        let item = self.index().item(id);
        if !is_plain(&item.attributes) || !self.means_serde(item.module) {
            return None;
        }
        match &item.kind {
            ItemKind::Struct(fields) if is_read_as_it_is(fields) => Some(match fields.shape {
                Shape::Named => Deserialized::Fields,
                Shape::Tuple if fields.fields.len() == 1 => Deserialized::Inner,
                Shape::Tuple => Deserialized::List,
                Shape::Unit => Deserialized::Nothing,
            }),
            ItemKind::Enum(variants) => {
                let plain = |fields: &FieldList, serde: bool| !serde && is_read_as_it_is(fields);
                variants.iter().all(|own| plain(&own.fields, own.serde)).then_some(Deserialized::Variants)
            }
            _ => None,
        }
    }

    /// Whether a bare `Deserialize` is that of serde in a module: other crates have derives of that name.
    fn means_serde(&self, module: super::ids::ModuleId) -> bool {
        let imports = &self.index().module(module).imports;
        let mut named = imports.iter().filter(|import| import.name.as_deref() == Some(NAME)).peekable();
        let is_serde = |path: &[String]| path.first().is_some_and(|first| CRATES.contains(&first.as_str()));
        // Imported by `#[macro_use]` or a glob, or written out, it is not named.
        named.all(|import| is_serde(&import.path))
    }
}

fn is_plain(attributes: &Attributes) -> bool {
    attributes.deserializes && !attributes.serde
}

fn is_read_as_it_is(fields: &FieldList) -> bool {
    fields.fields.iter().all(|field| !field.serde)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_the_form_is_told_from_what_does_not() {
        for harmless in
            ["default", "default = \"own\", deny_unknown_fields", "bound(deserialize = \"T: X\"),"]
        {
            assert!(!changes(&harmless.parse().unwrap()), "{harmless}");
        }
        for changing in
            ["rename = \"x\"", "default, rename_all = \"kebab-case\"", "skip", "with = \"a\"", "tag = \"t\""]
        {
            assert!(changes(&changing.parse().unwrap()), "{changing}");
        }
    }

    #[test]
    fn only_the_derive_of_serde_counts() {
        let is = |text: &str| is_derive_of_serde(&syn::parse_str(text).unwrap());
        assert!(is("Deserialize") && is("serde::Deserialize") && is("serde_derive::Deserialize"));
        assert!(!is("rkyv::Deserialize") && !is("Serialize") && !is("a::serde::Deserialize"));
    }
}
