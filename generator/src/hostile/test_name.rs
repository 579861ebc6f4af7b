//! The name of a test: the function and, in a few words, what went wrong in it.
//! In: a frame's function and the panic's message (or a class). Out: a plain identifier.

use relapse_snapshot::path_segments;

use super::file_name;

/// `fill_char_boundary` of `textwrap::fill` and `byte index 97 is not a char boundary; …`; a class
/// (`str/char-boundary`) will do in the place of a message.
pub fn test_name(function: &str, message: &str) -> String {
    let function = bare_function(function);
    let trouble = trouble(message);
    file_name(&format!("{function} {trouble}"))
}

/// The function's own name: without path, generics and closures.
fn bare_function(function: &str) -> &str {
    let segments = path_segments(function);
    let mut names = segments.iter().rev().filter_map(|segment| segment.split('<').next().map(str::trim));
    names.find(|name| !name.is_empty() && !name.starts_with('{')).unwrap_or_default()
}

/// How the messages of std are called for short: parts that must all occur, in order.
const KNOWN: &[(&[&str], &str)] = &[
    (&["index out of bounds"], "index out of bounds"),
    (&["not a char boundary"], "char boundary"),
    (&["byte index", "out of bounds"], "byte index out of bounds"),
    (&["range end index", "out of range"], "range end out of range"),
    (&["range start index", "out of range"], "range start out of range"),
    (&["slice index starts at", "but ends at"], "slice start after end"),
    (&["begin <= end"], "slice start after end"),
    (&["called `Option::unwrap()`"], "unwrap on none"),
    (&["called `Result::unwrap()`"], "unwrap on err"),
    (&["called `Result::unwrap_err()`"], "unwrap err on ok"),
    (&["divisor of zero"], "remainder by zero"),
    (&["attempt to divide by zero"], "divide by zero"),
    (&["attempt to shift left with overflow"], "shift left with overflow"),
    (&["attempt to shift right with overflow"], "shift right with overflow"),
    (&["attempt to calculate the remainder with overflow"], "remainder with overflow"),
    (&["assertion", "failed"], "assertion failed"),
    (&["already mutably borrowed"], "already mutably borrowed"),
    (&["already borrowed"], "already borrowed"),
    (&["entered unreachable code"], "unreachable code"),
    (&["not yet implemented"], "not yet implemented"),
    (&["not implemented"], "not implemented"),
    (&["stack", "overflow"], "stack overflow"),
    (&["unsafe precondition", "violated"], "unsafe precondition"),
    (&["still running after"], "hangs"),
    (&["source slice length", "does not match"], "copy from slice length"),
    (&["is not a valid UTF-8"], "invalid utf8"),
];

/// Words that carry nothing.
const EMPTY_WORDS: &[&str] = &[
    "a", "an", "the", "is", "was", "are", "be", "to", "attempt", "on", "that", "this", "value", "panicked",
    "at",
];

/// Most words taken from a message that is not known.
const MAX_WORDS: usize = 4;

fn trouble(message: &str) -> String {
    for (parts, name) in KNOWN {
        let mut rest = message;
        let in_order = parts.iter().all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        });
        if in_order {
            return (*name).to_owned();
        }
    }
    let class = message.split_once('/').filter(|(family, leaf)| is_class_word(family) && is_class_word(leaf));
    if let Some((_, leaf)) = class {
        return leaf.to_owned();
    }
    let words: Vec<String> = message
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '\'')
        .map(|word| word.replace('\'', ""))
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.len() < 24)
        .filter(|word| !EMPTY_WORDS.contains(&word.to_lowercase().as_str()))
        .take(MAX_WORDS)
        .collect();
    if words.is_empty() { "panics".to_owned() } else { words.join(" ") }
}

fn is_class_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_function_and_trouble() {
        for (function, message, name) in [
            (
                "textwrap::fill",
                "start byte index 97 is not a char boundary; it is inside '–'",
                "fill_char_boundary",
            ),
            (
                "book::Book::price",
                "index out of bounds: the len is 1 but the index is 1",
                "price_index_out_of_bounds",
            ),
            (
                "uuid::timestamp::Timestamp::rfc4122_to_unix",
                "attempt to subtract with overflow",
                "rfc4122_to_unix_subtract_with_overflow",
            ),
            ("<impl core::fmt::Display for a::Row>::fmt", "explicit panic", "fmt_explicit_panic"),
            ("a::parse::<u8>", "called `Option::unwrap()` on a `None` value", "parse_unwrap_on_none"),
            ("a::run::{closure#0}", "str/char-boundary", "run_char_boundary"),
            ("a::spin", "still running after 0.5 s", "spin_hangs"),
            ("a::run<fn(u8) -> u8>", "can't find 'x' in 17 rows", "run_cant_find_x_in"),
            ("", "", "panics"),
        ] {
            assert_eq!(test_name(function, message), name);
        }
    }
}
