//! What `Default` gives where it is derived: each field its own default, and nothing else. In: a definition. Out:
//! how much of a value a test may leave to it.

use crate::names::Defaults;

use super::items::ItemKind;
use super::naming::NamesAt;
use super::resolve::Def;

impl NamesAt<'_> {
    /// A written `impl Default` may give anything, and is not asked.
    pub(super) fn defaults_of(&self, definition: &str) -> Defaults {
        let Ok(Def::Item(id)) = self.definition(definition) else { return Defaults::Unknown };
        let item = self.index().item(id);
        let derived = item.attributes.derives.iter().any(|derived| derived == "Default");
        let own = || {
            let functions = &self.index().source(id.krate).functions;
            functions.iter().any(|own| own.name == "default" && self.is_callable_of(own, id))
        };
        // A generic argument may have no default, and nothing might say which one is meant.
        let generic =
            item.generics.type_params().next().is_some() || item.generics.const_params().next().is_some();
        if !derived || generic || !matches!(item.kind, ItemKind::Struct(_)) || own() {
            Defaults::Unknown
        } else if self.implements(definition, "Drop") {
            // E0509: nothing can be moved out of it.
            Defaults::Whole
        } else {
            Defaults::Fields
        }
    }
}
