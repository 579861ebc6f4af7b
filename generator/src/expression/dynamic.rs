//! Trait objects: a value of the concrete type behind a pointer that says `dyn Tr` only. The pointer is made of the
//! concrete value, and cast where the place does not say which trait is meant.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeTable, Value};

use super::Unwritable;
use super::type_name::definition;
use super::writer::{Place, Writer};

/// What `Box<dyn Error>` holds that was made of a text.
const STRING_ERROR: &str = "::StringError";

impl Writer<'_> {
    /// Whether a value is a pointer to a trait object whose concrete type is known.
    pub(super) fn is_dynamic(&self, value: &Value) -> bool {
        self.dynamic(value).is_some()
    }

    /// Whether the place of a value makes of it what its type says.
    fn is_coerced(&self, value: &Value) -> bool {
        self.is_dynamic(value) || self.is_known_function(value)
    }

    /// The pointer, which may be pinned, and the concrete value behind it.
    fn dynamic<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let pointer = self.pinned(value);
        let Data::Pointer { to: Some(inner), .. } = &pointer.data else { return None };
        let declared = self.declared_target(pointer.ty)?;
        let known = !matches!(inner.data, Data::Missing(_)) && declared != inner.ty;
        (known && self.types.name(declared).contains("dyn ")).then_some(inner)
    }

    /// What is pinned, or the value itself.
    fn pinned<'v>(&self, value: &'v Value) -> &'v Value {
        match &value.data {
            Data::Struct(fields) if fields.len() == 1 => {
                let is_pin = definition(self.types.name(value.ty)).as_deref() == Some("core::pin::Pin");
                if is_pin { &fields[0].value } else { value }
            }
            _ => value,
        }
    }

    /// What a pointer's type says that it points to.
    fn declared_target(&self, pointer: TypeId) -> Option<TypeId> {
        match &self.types.get(pointer)?.kind {
            TypeKind::Reference { to, .. } => Some(*to),
            TypeKind::Std { std: StdType::Box | StdType::Rc | StdType::Arc, params } => {
                params.first().copied()
            }
            _ => None,
        }
    }

    /// The place of an argument itself: the call makes a trait object or a function pointer of it.
    pub(super) fn argument_place(&self, value: &Value, place: Place) -> Place {
        if self.is_coerced(value) { Place { coerces: !place.typed, ..place } } else { place }
    }

    /// The place of an element behind the first one: that one has said what all are.
    pub(super) fn later_element(&self, value: &Value, place: Place) -> Place {
        if self.is_coerced(value) { Place { coerces: true, typed: false, ..place } } else { place }
    }

    /// A pointer to a trait object, with a cast where its place does not make one of it; `None` for anything else.
    pub(super) fn as_dynamic(
        &mut self,
        value: &Value,
        place: Place,
    ) -> Option<Result<TokenStream, Unwritable>> {
        let inner = self.dynamic(value)?;
        if let Some(error) = self.error_of_text(value, inner) {
            return Some(error);
        }
        // `Rc::clone(&circle)` takes its type from the place, so that it has to be said.
        let address = match &value.data {
            Data::Pointer { address, .. } => *address,
            _ => 0,
        };
        let is_said = place.coerces && !place.typed && !self.scope.shared.contains_key(&address);
        let cast = if is_said { None } else { self.type_tokens(value.ty) };
        // The place says nothing of the concrete type: its literals do.
        let operand = place.operand && cast.is_none();
        let within = Place { typed: true, operand, ..place };
        let tokens = match self.by_rule(value, within) {
            Ok(tokens) => tokens,
            error => return Some(error),
        };
        Some(Ok(match cast {
            Some(cast) if place.operand => quote!((#tokens as #cast)),
            Some(cast) => quote!(#tokens as #cast),
            None => tokens,
        }))
    }

    /// `<Box<dyn Error>>::from("…")`: the type that std makes of a text has no name outside of it.
    fn error_of_text(&mut self, value: &Value, inner: &Value) -> Option<Result<TokenStream, Unwritable>> {
        let text = text_of_error(self.types, inner)?;
        let owner = self.type_tokens(value.ty)?;
        Some(self.text(text).map(|text| quote!(<#owner>::from(#text))))
    }
}

/// The text of an error that std made of nothing else.
pub(super) fn text_of_error<'v>(types: &TypeTable, error: &'v Value) -> Option<&'v Value> {
    let name = types.name(error.ty);
    let is_text = name.starts_with("alloc::boxed::") && name.ends_with(STRING_ERROR);
    match &error.data {
        Data::Struct(fields) if is_text && fields.len() == 1 => fields.first().map(|only| &only.value),
        _ => None,
    }
}

/// `dyn a::Shape + Send` without what is not its own name: `a::Shape`.
pub(super) fn principal(name: &str) -> Option<&str> {
    let bare = name.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(name);
    bare.strip_prefix("dyn ")?.split(" + ").next()
}
