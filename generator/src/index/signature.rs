//! What a function gives, by how its signature is written. In: a type as it stands there. Out: the type in it, and what that
//! is wrapped in.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::names::Wrapped;

/// What a `Result` or an `Option` holds, by whatever path: `io::Result<T>`, `ParseResult<T>`.
pub(super) fn wrapped(ty: &Type) -> Option<(&Type, Wrapped)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let Some(GenericArgument::Type(inner)) = arguments.args.first() else { return None };
    if last.ident == "Option" {
        return Some((inner, Wrapped::Option));
    }
    is_result(ty).then_some((inner, Wrapped::Result))
}

/// What a `Result` holds where something went wrong, if it is written there.
pub(super) fn error(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    match arguments.args.iter().nth(1)? {
        GenericArgument::Type(error) if is_result(ty) => Some(error),
        _ => None,
    }
}

/// Whether a type is some `Result`, by its name.
pub(super) fn is_result(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result"))
}

/// Whether a function gives nothing, but for an error.
pub(super) fn gives_nothing(output: &ReturnType) -> bool {
    let is_unit = |ty: &Type| matches!(ty, Type::Tuple(items) if items.elems.is_empty());
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => is_unit(ty) || wrapped(ty).is_some_and(|(inner, _)| is_unit(inner)),
    }
}

/// Whether a function of a type by that name gives one of its own, and in what.
pub(super) fn gives_own(output: &ReturnType, own: &str) -> Option<Wrapped> {
    let ReturnType::Type(_, ty) = output else { return None };
    if is_own(ty, own) {
        return Some(Wrapped::No);
    }
    wrapped(ty).filter(|(inner, _)| is_own(inner, own)).map(|(_, wrapped)| wrapped)
}

fn is_own(ty: &Type, own: &str) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Self" || last.ident == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_gives_is_told_with_what_it_is_in() {
        let told = |result: &str| {
            let function: syn::Signature = syn::parse_str(&format!("fn f() {result}")).unwrap();
            gives_own(&function.output, "Pile")
        };
        for (result, expected) in [
            ("-> Self", Some(Wrapped::No)),
            ("-> heap::Pile<T>", Some(Wrapped::No)),
            ("-> Option<Self>", Some(Wrapped::Option)),
            ("-> io::Result<Pile>", Some(Wrapped::Result)),
            ("-> ParseResult<Self>", Some(Wrapped::Result)),
            ("-> Vec<Self>", None),
            ("-> Result<u8, Self>", None),
            ("-> (Self, Self)", None),
            ("", None),
        ] {
            assert_eq!(told(result), expected, "{result}");
        }
    }

    #[test]
    fn what_goes_wrong_is_the_second_type_of_a_result() {
        let told = |ty: &str| {
            let ty: Type = syn::parse_str(ty).unwrap();
            error(&ty).map(|error| quote::quote!(#error).to_string())
        };
        assert_eq!(told("std::result::Result<u8, Fault>").as_deref(), Some("Fault"));
        assert_eq!(told("io::Result<u8>"), None);
        assert_eq!(told("HashMap<u8, Fault>"), None);
    }
}
