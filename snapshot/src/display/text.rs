//! Texts, bytes and type names for a terminal.

use std::fmt::Write as _;

/// A text in which no character can move the cursor, colour, hide or reorder others: control and format
/// characters become `\u{…}`. Line ends stay, tabs become blanks.
pub fn terminal_safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            c if is_hostile(c) => {
                let _ = write!(out, "{}", c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

/// A command line as a shell would need it: copied from a screen or a file, it is the same command again.
pub fn shell_words(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%^".contains(c);
    let quoted = words.iter().map(|word| match word {
        word if !word.is_empty() && word.chars().all(plain) => word.clone(),
        word => format!("'{}'", word.replace('\'', r"'\''")),
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Control characters, and those of Unicode that change how others are shown.
pub(super) fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// A string literal, cut to about `width` columns; `len` is its length in the process.
pub(super) fn quoted_text(text: &str, len: u64, width: usize) -> String {
    let parts = text.chars().map(|c| match c {
        '\'' => c.to_string(),
        c if is_hostile(c) && !matches!(c, '\n' | '\r' | '\t' | '\0') => c.escape_unicode().to_string(),
        c => c.escape_debug().to_string(),
    });
    quoted("\"", parts, text.len() as u64, len, width)
}

/// A byte string literal, cut likewise.
pub(super) fn quoted_bytes(bytes: &[u8], len: u64, width: usize) -> String {
    let parts = bytes.iter().map(|b| b.escape_ascii().to_string());
    quoted("b\"", parts, bytes.len() as u64, len, width)
}

fn quoted(open: &str, parts: impl Iterator<Item = String>, read: u64, len: u64, width: usize) -> String {
    let note = format!("…\" ({len} bytes)");
    let budget = width.saturating_sub(open.len() + note.chars().count()).max(8);
    let (mut out, mut columns, mut fits) = (open.to_owned(), 0, open.len());
    let mut whole = true;
    for part in parts {
        columns += part.chars().count();
        // Up to here the text can be cut and still have room for the note.
        if columns <= budget {
            fits = out.len() + part.len();
        }
        if columns + open.len() + 1 > width.max(budget) {
            whole = false;
            break;
        }
        out.push_str(&part);
    }
    if whole && read >= len {
        out.push('"');
    } else {
        out.truncate(fits);
        out.push_str(&note);
    }
    out
}

/// A type's name without module paths and default parameters: `Vec<u8>` for
/// `alloc::vec::Vec<u8, alloc::alloc::Global>`. Safe for a terminal.
pub fn short_type(name: &str) -> String {
    const DEFAULTS: [&str; 4] = [
        ", alloc::alloc::Global",
        ", std::hash::random::RandomState",
        ", std::collections::hash::map::RandomState",
        ", core::hash::BuildHasherDefault<std::hash::random::DefaultHasher>",
    ];
    let mut name = terminal_safe(name).replace('\n', "\\n");
    for default in DEFAULTS {
        name = name.replace(default, "");
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(name.len());
    let mut word = String::new();
    let mut rest = name.as_str();
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("::") && !word.is_empty() {
            // The word was a module (or `{impl#0}` and the like, which stay).
            word.clear();
            rest = &rest[2..];
        } else if is_word(c) {
            word.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.push_str(&word);
            word.clear();
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out.push_str(&word);
    out
}

/// A function's path without modules; a closure keeps the function that holds it: `fill::{{closure}}`.
pub fn short_function(path: &str) -> String {
    let inner = path.find("::{").filter(|at| path.get(..*at).is_some_and(balanced)).unwrap_or(path.len());
    let (function, inner) = path.split_at(inner);
    format!("{}{}", short_type(function), terminal_safe(inner))
}

/// Whether no `<` is open at the end.
fn balanced(text: &str) -> bool {
    text.chars().fold(0, |depth, c| depth + i32::from(c == '<') - i32::from(c == '>')) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_lose_their_modules_and_defaults() {
        for (name, expected) in [
            ("alloc::vec::Vec<u8, alloc::alloc::Global>", "Vec<u8>"),
            (
                "&mut std::collections::hash::map::HashMap<alloc::string::String, (u8, demo::a::B), std::hash::random::RandomState>",
                "&mut HashMap<String, (u8, B)>",
            ),
            ("&[uuid::Uuid]", "&[Uuid]"),
            ("&dyn core::fmt::Debug", "&dyn Debug"),
            ("demo::run::{closure_env#0}", "{closure_env#0}"),
            ("[demo::A; 4]", "[A; 4]"),
            ("", ""),
            ("::", "::"),
            ("a\u{1b}b", "a\\u{1b}b"),
        ] {
            assert_eq!(short_type(name), expected);
        }
    }

    #[test]
    fn a_closure_keeps_its_function() {
        for (path, expected) in [
            ("demo::a::fill", "fill"),
            ("demo::a::fill::{{closure}}", "fill::{{closure}}"),
            ("demo::fill::{{closure}}::{{closure}}", "fill::{{closure}}::{{closure}}"),
            ("<demo::T as demo::Tr>::go::{{closure}}", "<T as Tr>::go::{{closure}}"),
            ("{{closure}}", "{{closure}}"),
            ("", ""),
        ] {
            assert_eq!(short_function(path), expected);
        }
    }

    #[test]
    fn texts_are_cut_with_their_length() {
        assert_eq!(quoted_text("a\"b'é\n", 7, 80), "\"a\\\"b'é\\n\"");
        assert_eq!(quoted_text("abc", 10, 80), "\"abc…\" (10 bytes)");
        let cut = quoted_text(&"x".repeat(100), 100, 40);
        assert_eq!(cut.chars().count(), 40);
        assert!(cut.ends_with("x…\" (100 bytes)"), "{cut}");
        assert_eq!(quoted_bytes(b"\x89PNG\0", 5, 80), "b\"\\x89PNG\\x00\"");
        assert_eq!(quoted_text("", 0, 80), "\"\"");
    }

    #[test]
    fn command_lines_are_quoted_for_a_shell() {
        let words = |words: &[&str]| shell_words(&words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(words(&["cargo", "run", "-p", "a-b", "--", "é=1"]), "cargo run -p a-b -- é=1");
        assert_eq!(
            words(&["a", ">=1.2", "", "two words", "it's", "$HOME"]),
            r"a '>=1.2' '' 'two words' 'it'\''s' '$HOME'"
        );
    }

    #[test]
    fn lines_of_a_message_stay() {
        assert_eq!(terminal_safe("a\n\tb\u{1b}[0m\u{202e}é"), "a\n    b\\u{1b}[0m\\u{202e}é");
    }
}
