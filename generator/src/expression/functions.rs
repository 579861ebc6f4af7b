//! Functions as values, by their names in symbols: `a::f`, `<T as a::Tr>::f`, `core::num::<impl u32>::f`. In: what the
//! reader found at a function pointer's address. Out: a path.

use std::borrow::Cow;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use relapse_snapshot::{Data, TypeId, TypeKind, Value};

use super::Unwritable;
use super::writer::{Place, Writer};
use crate::hostile::identifier;

impl Writer<'_> {
    /// Whether a value is a pointer to a function that is known.
    pub(super) fn is_known_function(&self, value: &Value) -> bool {
        self.known_function(value).is_some()
    }

    fn known_function<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let kind = &self.types.get(value.ty)?.kind;
        match &value.data {
            Data::Pointer { to: Some(function), .. } if *kind == TypeKind::FunctionPointer => {
                self.function_name(function.ty).map(|_| &**function)
            }
            _ => None,
        }
    }

    /// The name that the reader gave a function's type.
    fn function_name(&self, ty: TypeId) -> Option<&str> {
        self.types.name(ty).strip_prefix("{fn ")?.strip_suffix('}')
    }

    /// A function pointer: the function's path, cast where its place does not say that a pointer is meant.
    pub(super) fn as_function(
        &mut self,
        value: &Value,
        place: Place,
    ) -> Option<Result<TokenStream, Unwritable>> {
        let function = self.known_function(value)?.ty;
        let path = match self.function_path(function)? {
            Ok(path) => path,
            error => return Some(error),
        };
        let cast = if place.coerces && !place.typed { None } else { self.type_tokens(value.ty) };
        Some(Ok(match cast {
            Some(cast) if place.operand => quote!((#path as #cast)),
            Some(cast) => quote!(#path as #cast),
            None => path,
        }))
    }

    /// The path of a function that the reader found; `None` for another type.
    pub(super) fn function_path(&self, ty: TypeId) -> Option<Result<TokenStream, Unwritable>> {
        let name = self.function_name(ty)?;
        if name.contains("{{") || name.contains("{closure") {
            return Some(Err(self.refuse(format!("a closure that became a function pointer ({name})"))));
        }
        Some(self.path_of_function(name))
    }

    fn path_of_function(&self, name: &str) -> Result<TokenStream, Unwritable> {
        let (path, generics) = without_generics(name);
        let (parent, function) = split_last(&path).ok_or_else(|| self.nameless(name))?;
        if let Some((of, of_trait)) = parent.and_then(bracketed) {
            let ident = identifier(function).ok_or_else(|| self.nameless(name))?;
            // Of an impl for all types the symbol says the parameter, and debug info what it is.
            let of = match generics.first() {
                Some(by) if !of.contains("::") && is_type_name(of) => by,
                _ => of,
            };
            let of = self.named_type(of)?;
            return Ok(match of_trait {
                Some(of_trait) => {
                    let of_trait = self.named_type(of_trait)?;
                    quote!(<#of as #of_trait>::#ident)
                }
                None if is_path(&of) => quote!(#of::#ident),
                None => quote!(<#of>::#ident),
            });
        }
        match self.name(&path) {
            Ok(path) if generics.is_empty() => Ok(path),
            Ok(path) => {
                let generics = self.turbofish_of(&generics)?;
                Ok(quote!(#path #generics))
            }
            Err(refused) => {
                // An inherent function, or one that a trait provides: the arguments, of which some are the type's or
                // the trait's, follow from the pointer's type.
                let of = parent.filter(|parent| parent.rsplit("::").next().is_some_and(is_type_name));
                let (Some(of), Some(ident)) = (of, identifier(function)) else { return Err(refused) };
                let of = self.name(of)?;
                Ok(quote!(#of::#ident))
            }
        }
    }

    fn named_type(&self, name: &str) -> Result<TokenStream, Unwritable> {
        self.names.type_tokens(name).map_err(|unnameable| self.refuse(unnameable.0))
    }

    fn turbofish_of(&self, generics: &[&str]) -> Result<TokenStream, Unwritable> {
        let types = generics.iter().map(|name| self.named_type(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(quote!(::<#(#types),*>))
    }

    fn nameless(&self, name: &str) -> Unwritable {
        self.refuse(format!("the function {name}, which no path leads to"))
    }
}

/// The path without generic arguments, and these: `a::f::<u8>`, which is `a::f<u8>` as a generic argument in a symbol. A
/// variant has those of its enum: `a::E<u8>::V` for what may be written `a::E::V::<u8>`.
fn without_generics(name: &str) -> (Cow<'_, str>, Vec<&str>) {
    let Some((Some(parent), last)) = split_last(name) else { return (name.into(), Vec::new()) };
    if let Some((path, generics)) = generics_at_end(name, parent, last) {
        return (path.into(), generics);
    }
    let of_parent = match split_last(parent) {
        Some((Some(before), segment)) if bracketed(parent).is_none() => {
            generics_at_end(parent, before, segment)
        }
        _ => None,
    };
    match of_parent {
        Some((path, generics)) => (format!("{path}::{last}").into(), generics),
        None => (name.into(), Vec::new()),
    }
}

/// What stands before the arguments at a path's end, and these. `parent` and `last` are the path's parts.
fn generics_at_end<'n>(path: &'n str, parent: &'n str, last: &'n str) -> Option<(&'n str, Vec<&'n str>)> {
    let at = last.find('<').filter(|_| last.ends_with('>') && !last.starts_with("<impl "))?;
    let before = if at == 0 { parent } else { path.get(..path.len() - last.len() + at)? };
    Some((before, super::type_name::arguments(last)))
}

/// Whether a type's tokens can stand before `::f` as they are.
fn is_path(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    })
}

/// What stands before the last `::` outside of brackets, and what after it.
fn split_last(path: &str) -> Option<(Option<&str>, &str)> {
    let (mut depth, mut at, mut before) = (0_usize, None, ' ');
    for (index, c) in path.char_indices() {
        match c {
            '<' | '(' | '[' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' => depth = depth.checked_sub(1)?,
            ':' if depth == 0 && before == ':' => at = Some(index),
            _ => {}
        }
        before = c;
    }
    Some(match at {
        Some(at) => (path.get(..at.checked_sub(1)?), path.get(at + 1..)?),
        None => (None, path),
    })
}

/// What an impl is of, and for which trait: `<T as Tr>`, `<T>`, `a::b::<impl T>`, `a::b::<impl Tr for T>`.
fn bracketed(parent: &str) -> Option<(&str, Option<&str>)> {
    let open = if parent.starts_with('<') { 0 } else { parent.find("::<impl ")? + 2 };
    let inside = parent.get(open + 1..)?.strip_suffix('>')?;
    Some(match inside.strip_prefix("impl ") {
        Some(inside) => match inside.split_once(" for ") {
            Some((of_trait, of)) => (of, Some(of_trait)),
            None => (inside, None),
        },
        None => match inside.split_once(" as ") {
            Some((of, of_trait)) => (of, Some(of_trait)),
            None => (inside, None),
        },
    })
}

fn is_type_name(segment: &str) -> bool {
    segment.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions_are_taken_apart() {
        assert_eq!(split_last("a::b::f"), Some((Some("a::b"), "f")));
        assert_eq!(split_last("<a::T as b::C<d::E>>::f"), Some((Some("<a::T as b::C<d::E>>"), "f")));
        assert_eq!(split_last("f"), Some((None, "f")));
        assert_eq!(split_last("a>::f"), None);
        assert_eq!(bracketed("<a::T as b::C<d::E>>"), Some(("a::T", Some("b::C<d::E>"))));
        assert_eq!(bracketed("core::num::<impl u32>"), Some(("u32", None)));
        assert_eq!(bracketed("a::<impl b::C for u8>"), Some(("u8", Some("b::C"))));
        assert_eq!(bracketed("a::b"), None);
        for (name, path, generics) in [
            ("a::f::<u8, b::C<d::E>>", "a::f", vec!["u8", "b::C<d::E>"]),
            ("a::f<u8, b::C<d::E>>", "a::f", vec!["u8", "b::C<d::E>"]),
            ("core::num::<impl u32>::f", "core::num::<impl u32>::f", vec![]),
            ("a::<impl b::C<u8> for d::E<u8>>::f", "a::<impl b::C<u8> for d::E<u8>>::f", vec![]),
            ("<T as a::B>::f::<u8>", "<T as a::B>::f", vec!["u8"]),
            ("<T as a::B>::f<u8>", "<T as a::B>::f", vec!["u8"]),
            ("<a::T<u8>>::f", "<a::T<u8>>::f", vec![]),
            ("core::option::Option<u32>::Some", "core::option::Option::Some", vec!["u32"]),
            ("core::option::Option::<a::T<u8>>::Some", "core::option::Option::Some", vec!["a::T<u8>"]),
            ("f", "f", vec![]),
        ] {
            assert_eq!(without_generics(name), (path.into(), generics), "{name}");
        }
    }
}
