//! What a crashed process said, made harmless: text for comments, names for files, tests and variables. In: any text at all. Out: tokens, or text of a closed alphabet. Never: source code by concatenation.

pub mod comment;
pub mod literal;
pub mod test_name;

use proc_macro2::{Ident, Span};

pub use test_name::test_name;

/// Longest file or test name, in characters.
pub const MAX_NAME: usize = 60;

/// A name for a file, a module or a test, made of the words of any text: `[a-z][a-z0-9_]*`, at most
/// [`MAX_NAME`] long, no keyword of any edition, no device of Windows, no crate that every program has.
pub fn file_name(text: &str) -> String {
    let mut name = String::new();
    let mut after_lower = false;
    for c in text.chars() {
        if name.len() >= MAX_NAME {
            break;
        }
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && after_lower {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert_str(0, "case_");
    }
    name.truncate(MAX_NAME);
    name.truncate(name.trim_end_matches('_').len());
    if name.is_empty() {
        return "crash".to_owned();
    }
    if is_keyword(&name) || is_windows_device(&name) || ["std", "core", "alloc", "test"].contains(&&*name) {
        name.push_str("_case");
    }
    name
}

/// An identifier of exactly that name, raw where it is a keyword; `None` where there can be none.
pub fn identifier(name: &str) -> Option<Ident> {
    let bare = name.strip_prefix("r#").unwrap_or(name);
    if matches!(bare, "self" | "Self" | "super" | "crate" | "_" | "") {
        return None;
    }
    if is_keyword(bare) {
        return Some(Ident::new_raw(bare, Span::call_site()));
    }
    syn::parse_str::<Ident>(bare).ok().filter(|ident| ident == bare)
}

/// Whether the word is a keyword in this edition (The Rust Reference, "Keywords").
pub fn is_keyword_of(word: &str, edition: u16) -> bool {
    let since = match word {
        "async" | "await" | "dyn" | "try" => 2018,
        "gen" => 2024,
        _ => 2015,
    };
    edition >= since && is_keyword(word)
}

/// Whether the word is a keyword in any edition, strict or reserved.
pub fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do",
        "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
        "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
        "Self", "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized",
        "use", "virtual", "where", "while", "yield",
    ];
    KEYWORDS.contains(&word)
}

fn is_windows_device(name: &str) -> bool {
    matches!(name, "con" | "prn" | "aux" | "nul" | "conin" | "conout")
        || (name.len() == 4
            && (name.starts_with("com") || name.starts_with("lpt"))
            && name.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_plain_identifiers() {
        for (text, name) in [
            ("fill char boundary", "fill_char_boundary"),
            ("HtmlParser::parse", "html_parser_parse"),
            ("../../etc/passwd", "etc_passwd"),
            ("", "crash"),
            ("日本", "crash"),
            ("type", "type_case"),
            ("CON", "con_case"),
            ("com1", "com1_case"),
            ("9lives", "case_9lives"),
            ("std", "std_case"),
        ] {
            assert_eq!(file_name(text), name);
        }
        assert_eq!(file_name(&"x".repeat(500)).len(), MAX_NAME);
    }

    #[test]
    fn identifiers_are_raw_where_they_must_be() {
        assert_eq!(identifier("type").map(|i| i.to_string()).as_deref(), Some("r#type"));
        assert_eq!(identifier("r#fn").map(|i| i.to_string()).as_deref(), Some("r#fn"));
        assert_eq!(identifier("größe").map(|i| i.to_string()).as_deref(), Some("größe"));
        for bad in ["self", "_", "", "a b", "a;b", "1a", "{closure#0}", "a\n"] {
            assert_eq!(identifier(bad), None, "{bad}");
        }
    }

    #[test]
    fn keywords_are_found() {
        for word in ["as", "yield", "Self", "self", "gen", "box", "mod"] {
            assert!(is_keyword(word), "{word}");
        }
        assert!(!is_keyword("book") && !is_keyword("Mod"));
    }
}
