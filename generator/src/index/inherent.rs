//! What a type's own impl blocks and the macro that made it say. In: a definition. Out: whether a function of it may
//! be called from the place of the test.

use syn::Type;

use super::OpaqueMacro;
use super::ids::{ItemId, ModuleId, plain};
use super::naming::NamesAt;
use super::resolve::{Def, Space};
use super::{FunctionItem, Owner};

impl NamesAt<'_> {
    /// Whether a function is one of that type, can be called here, and is not deprecated.
    pub(super) fn is_callable_of(&self, function: &FunctionItem, id: ItemId) -> bool {
        let Owner::Inherent { self_type, .. } = &function.owner else { return false };
        self.stands_for(function, self_type, id)
            && self.reach.resolver.visible(function.visibility, id.krate, Some(self.module))
    }

    /// Whether it is the type's `From::from`, which whoever sees the type may call.
    pub(super) fn is_conversion_of(&self, function: &FunctionItem, id: ItemId) -> bool {
        let Owner::TraitImpl { self_type, .. } = &function.owner else { return false };
        function.name == "from" && self.stands_for(function, self_type, id)
    }

    /// Whether a function that is built, and not deprecated, stands in an impl block of that type.
    pub(super) fn stands_for(&self, function: &FunctionItem, self_type: &Type, id: ItemId) -> bool {
        let Type::Path(path) = self_type else { return false };
        let resolver = &self.reach.resolver;
        let names: Vec<String> = path.path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        let absolute = path.path.leading_colon.is_some();
        !function.attributes.deprecated
            && resolver.is_built(&function.cfg, id.krate)
            && resolver.path(function.module, &names, absolute, false, Space::Types).contains(&Def::Item(id))
    }

    /// Whether a type has such a function. What a macro made is not in the source: of that it is believed.
    pub(super) fn has_function_of(&self, definition: &str, function: &str) -> bool {
        match self.definition(definition) {
            Ok(Def::Item(id)) => {
                let functions = &self.index().source(id.krate).functions;
                functions.iter().any(|own| own.name == function && self.is_callable_of(own, id))
            }
            Ok(Def::Made(..)) => true,
            _ => false,
        }
    }

    /// Whether a type that the source does not show is in a file where a macro of that name is used.
    pub(super) fn is_of_macro(&self, definition: &str, macro_name: &str) -> bool {
        let Ok(Def::Made(module, _)) = self.definition(definition) else { return false };
        self.uses_of_macro(module, macro_name).next().is_some()
    }

    /// Whether such a macro's text shows that this trait is derived for the type.
    pub(super) fn is_derived_in(&self, definition: &str, macro_name: &str, derived: &str) -> bool {
        let Ok(Def::Made(module, name)) = self.definition(definition) else { return false };
        // Where two of one name are meant for opposite conditions, both have to.
        let uses = self.uses_of_macro(module, macro_name).flat_map(|own| &own.derives);
        let mut own = uses.filter(|(own, _)| *own == name).peekable();
        own.peek().is_some() && own.all(|(_, derives)| derives.iter().any(|own| own == derived))
    }

    /// The flags of a type that `bitflags` made, each with its bits, as far as the macro's text tells them.
    pub(super) fn flags_in(&self, definition: &str) -> Vec<(String, u128)> {
        let Ok(Def::Made(module, name)) = self.definition(definition) else { return Vec::new() };
        let uses = self.uses_of_macro(module, "bitflags").flat_map(|own| &own.flags);
        let mut own = uses.filter(|(own, _)| *own == name);
        match (own.next(), own.next()) {
            (Some((_, flags)), None) => flags.clone(),
            // Under opposite conditions they may differ.
            _ => Vec::new(),
        }
    }

    fn uses_of_macro(&self, module: ModuleId, macro_name: &str) -> impl Iterator<Item = &OpaqueMacro> {
        let file = self.index().module(module).file;
        let macros = &self.index().source(module.krate).opaque_macros;
        macros.iter().filter(move |own| own.name == macro_name && !own.definition && own.file == file)
    }
}
