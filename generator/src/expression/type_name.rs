//! Names of types as DWARF has them, taken apart. In: `alloc::vec::Vec<u8, alloc::alloc::Global>`.
//! Out: the definition's path, the type arguments, a variable's name. Never: tokens.

use crate::index::settled;

/// The path of a type's definition, its generics left out wherever they stand: `a::B<T>::C` is `a::B::C`. What std has moved
/// between its crates is where it was.
/// `None` for what has no path (`&T`, `(A, B)`, `[T]`, `fn(…)`).
pub fn definition(name: &str) -> Option<String> {
    let mut path = String::new();
    let mut depth = 0_usize;
    let mut previous = ' ';
    for c in name.chars() {
        match c {
            '<' => depth += 1,
            '>' if previous == '-' => {}
            '>' => depth = depth.checked_sub(1)?,
            c if depth == 0 => path.push(c),
            _ => {}
        }
        previous = c;
    }
    let plain = depth == 0
        && path.split("::").all(|segment| {
            !segment.is_empty()
                && (segment.starts_with('{')
                    || segment.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '#'))
        });
    plain.then(|| settled(&path))
}

/// The generic arguments at the end of a type's name, at their outermost level.
pub(super) fn arguments(name: &str) -> Vec<&str> {
    let Some(start) = name.find('<') else { return Vec::new() };
    let Some(inner) = name.get(start + 1..).and_then(|rest| rest.strip_suffix('>')) else {
        return Vec::new();
    };
    let (mut depth, mut from, mut found, mut previous) = (0_i32, 0, Vec::new(), ' ');
    for (at, c) in inner.char_indices() {
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            '>' if previous == '-' => {}
            '>' | ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(inner[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
        previous = c;
    }
    found.push(inner[from..].trim());
    found
}

/// `HtmlParser` as `html_parser`, `HTMLParser` too.
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, &c) in chars.iter().enumerate() {
        let after_lower = at > 0 && (chars[at - 1].is_lowercase() || chars[at - 1].is_numeric());
        let ends_acronym = at > 0
            && chars[at - 1].is_uppercase()
            && chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (after_lower || ends_acronym) && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_have_no_generics() {
        for (name, path) in [
            ("alloc::vec::Vec<u8, alloc::alloc::Global>", Some("alloc::vec::Vec")),
            ("core::io::cursor::Cursor<&[u8]>", Some("std::io::cursor::Cursor")),
            ("a::B<T>::C", Some("a::B::C")),
            ("a::G<fn(u8) -> u8>", Some("a::G")),
            ("a::{impl#0}::g::C", Some("a::{impl#0}::g::C")),
            ("&str", None),
            ("(u8, u8)", None),
            ("fn(u8) -> u8", None),
            ("a::B<", None),
            ("a::B>", None),
        ] {
            assert_eq!(definition(name).as_deref(), path, "{name}");
        }
    }

    #[test]
    fn arguments_are_split_at_the_outermost_level() {
        assert_eq!(
            arguments("a::M<(u8, i8), b::V<u8, c::D>, fn(u8) -> u8>"),
            ["(u8, i8)", "b::V<u8, c::D>", "fn(u8) -> u8"]
        );
        assert!(arguments("u8").is_empty());
    }

    #[test]
    fn types_name_variables() {
        for (name, snake) in [("Book", "book"), ("HTMLParser", "html_parser"), ("Ipv4Addr", "ipv4_addr")] {
            assert_eq!(snake_case(name), snake);
        }
    }
}
