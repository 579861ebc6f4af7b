//! What the names of type entries tell that the entries do not: generic arguments, and what fat pointers
//! point to (rustc describes `str` and `[T]` by the entry of their element). Text in, text out.

use super::layout::{Entry, Form};
use crate::image::DieRef;

/// The arguments between the outermost angle brackets: `Rc<str, Global>` gives `str` and `Global`.
pub(super) fn generic_arguments(name: &str) -> Vec<&str> {
    let Some(open) = name.find('<') else { return Vec::new() };
    let Some(inside) = name[open + 1..].strip_suffix('>') else { return Vec::new() };
    split_top_level(inside)
}

/// Splits at the commas that stand within no bracket. The `>` of `->` closes nothing.
fn split_top_level(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut before) = (Vec::new(), 0, 0_usize, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
        before = c;
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// A generic type's name with some of its arguments replaced.
pub(super) fn with_arguments<'a>(name: &str, replaced: impl Fn(&str) -> Option<&'a str>) -> String {
    let arguments = generic_arguments(name);
    let Some(open) = name.find('<').filter(|_| !arguments.is_empty()) else { return name.to_owned() };
    let arguments: Vec<&str> =
        arguments.into_iter().map(|argument| replaced(argument).unwrap_or(argument)).collect();
    format!("{}<{}>", &name[..open], arguments.join(", "))
}

/// `dyn A + B` without the parentheses that it has behind pointers and in arguments.
pub(super) fn without_parentheses(name: &str) -> &str {
    name.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).filter(|bare| is_dyn(bare)).unwrap_or(name)
}

/// Whether this is the name of a trait object.
pub(super) fn is_dyn(name: &str) -> bool {
    name.starts_with("dyn ") || name.starts_with("(dyn ")
}

/// The type arguments only: const arguments (`3`, `-1`, `true`, `{CONST#…}`) have no type entry.
pub(super) fn type_arguments(name: &str) -> Vec<&str> {
    let is_const = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            || matches!(text, "true" | "false")
            || text.starts_with("{CONST#")
            || text.starts_with('\'')
    };
    generic_arguments(name).into_iter().filter(|text| !is_const(text)).collect()
}

/// Whether this is the name of `[T]`, not of `[T; N]`.
pub(super) fn is_slice(name: &str) -> bool {
    let Some(inside) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) else { return false };
    let (mut depth, mut before) = (0_usize, ' ');
    for c in inside.chars() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if before == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' if depth == 0 => return false,
            _ => {}
        }
        before = c;
    }
    true
}

/// The entry as its name in another item's name says it is meant.
pub(super) fn meant(die: DieRef, text: &str) -> Entry {
    let form = match text {
        "str" => Form::Str,
        _ if is_slice(text) => Form::Slice,
        _ => Form::Itself,
    };
    Entry { die, form }
}

/// The kinds of pointers that have a type name of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PointerClass {
    /// `&T`, `&mut T`.
    Reference {
        /// `&mut`.
        mutable: bool,
    },
    /// `*const T`, `*mut T`.
    Raw {
        /// `*mut`.
        mutable: bool,
    },
    /// `alloc::boxed::Box<T, A>`.
    Box,
}

/// Takes a pointer type's name apart: its class and the name of what it points to.
pub(super) fn pointer(name: &str) -> Option<(PointerClass, &str)> {
    let prefixes = [
        ("&mut ", PointerClass::Reference { mutable: true }),
        ("&", PointerClass::Reference { mutable: false }),
        ("*const ", PointerClass::Raw { mutable: false }),
        ("*mut ", PointerClass::Raw { mutable: true }),
    ];
    for (prefix, class) in prefixes {
        if let Some(target) = name.strip_prefix(prefix) {
            return Some((class, target));
        }
    }
    if name.starts_with("alloc::boxed::Box<") {
        return Some((PointerClass::Box, generic_arguments(name).first()?));
    }
    None
}

/// A field's name as Rust has it: `__0` of tuples becomes `0`.
pub(super) fn field(name: &str) -> &str {
    match name.strip_prefix("__") {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_split_at_top_level_commas_only() {
        assert_eq!(generic_arguments("Rc<str, alloc::alloc::Global>"), ["str", "alloc::alloc::Global"]);
        assert_eq!(
            generic_arguments("M<(u8, [u8; 3]), fn(u8, u8) -> u8, B<C<D>>>"),
            ["(u8, [u8; 3])", "fn(u8, u8) -> u8", "B<C<D>>"]
        );
        assert!(generic_arguments("Plain").is_empty());
    }

    #[test]
    fn const_arguments_are_no_types() {
        assert_eq!(type_arguments("S<u16, 3, -1, true, {CONST#7a006269b647a5d0}>"), ["u16"]);
    }

    #[test]
    fn arguments_are_replaced_one_by_one() {
        let by = |text: &str| (without_parentheses(text) == "dyn a::B + c::D").then_some("a::C<u8>");
        assert_eq!(with_arguments("k::R<(dyn a::B + c::D), g::A>", by), "k::R<a::C<u8>, g::A>");
        assert_eq!(with_arguments("k::R", by), "k::R");
    }

    #[test]
    fn arrays_are_no_slices() {
        assert!(is_slice("[u8]") && is_slice("[[u8; 2]]"));
        assert!(!is_slice("[u8; 2]") && !is_slice("[[u8]; 2]") && !is_slice("u8"));
    }

    #[test]
    fn pointer_names_tell_class_and_target() {
        assert_eq!(pointer("&mut [u8]"), Some((PointerClass::Reference { mutable: true }, "[u8]")));
        assert_eq!(pointer("alloc::boxed::Box<str, alloc::alloc::Global>"), Some((PointerClass::Box, "str")));
        assert_eq!(pointer("core::option::Option<&str>"), None);
    }

    #[test]
    fn only_numbers_lose_their_underscores() {
        assert_eq!(
            (field("__0"), field("__awaitee"), field("__"), field("a")),
            ("0", "__awaitee", "__", "a")
        );
    }
}
