//! Arguments of a type that cannot be named, and need not be: the type has just these as defaults. In: a definition and the
//! arguments that a value's type has. Out: whether they may be left out. What is not known to be the default is none.

use super::dwarf_name::TypeName;
use super::ids::ModuleId;
use super::items::ItemKind;
use super::naming::{NamesAt, is_primitive};
use super::resolve::Def;

/// Aliases of aliases, and arguments of arguments, are followed so far.
const MOST_STEPS: u32 = 8;

impl NamesAt<'_> {
    /// Whether a type's arguments from one place on are those that it has where nobody writes them.
    pub(super) fn are_defaults(&self, definition: &str, arguments: &[TypeName], from: usize) -> bool {
        let Ok(Def::Item(id)) = self.definition(definition) else { return false };
        let item = self.index().item(id);
        // Lifetimes are in no name of debug info.
        let defaults: Vec<Option<&syn::Type>> = item
            .generics
            .params
            .iter()
            .filter_map(|parameter| match parameter {
                syn::GenericParam::Type(parameter) => Some(parameter.default.as_ref().map(|(_, ty)| ty)),
                syn::GenericParam::Const(_) => Some(None),
                syn::GenericParam::Lifetime(_) => None,
            })
            .collect();
        arguments.iter().enumerate().skip(from).all(|(at, argument)| {
            let default = defaults.get(at).copied().flatten();
            default.is_some_and(|default| self.is_the_type(argument, default, item.module, MOST_STEPS))
        })
    }

    /// Whether a type that is written in a module is that one.
    fn is_the_type(&self, known: &TypeName, written: &syn::Type, at: ModuleId, steps: u32) -> bool {
        let (Some(steps), TypeName::Path { path, arguments, bindings }, syn::Type::Path(written)) =
            (steps.checked_sub(1), known, written)
        else {
            return false;
        };
        let Some(last) = written.path.segments.last().filter(|_| written.qself.is_none()) else {
            return false;
        };
        if is_primitive(path) && arguments.is_empty() {
            return written.path.is_ident(path.as_str());
        }
        let found = self.reach.resolver.written(at, &written.path);
        let [found] = found.as_slice() else { return false };
        if let Def::Item(id) = found
            && let item = self.index().item(*id)
            && let ItemKind::Alias(alias) = &item.kind
        {
            return item.generics.params.is_empty() && self.is_the_type(known, alias, item.module, steps);
        }
        let own: Vec<&syn::Type> = match &last.arguments {
            syn::PathArguments::None => Vec::new(),
            syn::PathArguments::AngleBracketed(own) => own
                .args
                .iter()
                .filter_map(|argument| match argument {
                    syn::GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                })
                .collect(),
            syn::PathArguments::Parenthesized(_) => return false,
        };
        self.definition(path).as_ref() == Ok(found)
            && bindings.is_empty()
            && own.len() == arguments.len()
            && own.into_iter().zip(arguments).all(|(own, known)| self.is_the_type(known, own, at, steps))
    }
}
