//! Text of unknown origin as the text of a `//` comment or of a terminal line: one line, nothing invisible.

use std::fmt::Write as _;

use super::literal::is_blank;

/// Replaces each control, bidirectional and invisible character by its escape (`\u{1b}`).
pub fn escape_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => out.push(char),
            _ if char.is_control() || is_invisible(char) || is_blank(char) => {
                let _ = write!(out, "\\u{{{:x}}}", char as u32);
            }
            _ => out.push(char),
        }
    }
    out
}

/// The text on one line: line breaks and runs of blanks become one space, the rest is escaped.
pub fn one_line(text: &str) -> String {
    escape_invisible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// At most `width` characters; where something was cut, with `…` and the quotes and brackets that were open there:
/// what follows must not read as a part of it.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    for room in (0..width).rev() {
        let start: String = text.chars().take(room).collect();
        let start = start.trim_end_matches(|c: char| c.is_whitespace() || c == '\\');
        let closing = closing(start);
        if start.chars().count() + 1 + closing.chars().count() <= width {
            return format!("{start}…{closing}");
        }
    }
    String::new()
}

/// What a text that [`cut`] has cut still says: what stands before the `…`, without a quotation that is not whole.
/// `None`: nothing was cut.
pub(crate) fn uncut(text: &str) -> Option<&str> {
    let (start, end) = text.rsplit_once('…')?;
    let whole = open(start).iter().find(|(_, end)| is_quote(*end)).map_or(start.len(), |(at, _)| *at);
    end.chars().all(|char| is_quote(char) || ")]}".contains(char)).then_some(&start[..whole])
}

/// What closes the quotes and brackets that are open at the end of a text.
fn closing(text: &str) -> String {
    open(text).iter().rev().map(|(_, end)| end).collect()
}

fn is_quote(char: char) -> bool {
    matches!(char, '"' | '`' | '\'')
}

/// The quotes and brackets that are open at the end of a text: the place of each, and what closes it. Within quotes a
/// bracket is a character.
fn open(text: &str) -> Vec<(usize, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut chars = text.char_indices();
    let mut previous = ' ';
    while let Some((at, char)) = chars.next() {
        let end = open.last().map(|(_, end)| *end);
        let quoted = end.is_some_and(is_quote);
        match char {
            '\\' if quoted => drop(chars.next()),
            _ if end == Some(char) => drop(open.pop()),
            _ if quoted => {}
            '"' | '`' => open.push((at, char)),
            // Neither an apostrophe nor a lifetime.
            '\'' if !previous.is_alphanumeric() && !matches!(previous, '&' | '<') => open.push((at, char)),
            '(' => open.push((at, ')')),
            '[' => open.push((at, ']')),
            '{' => open.push((at, '}')),
            _ => {}
        }
        previous = char;
    }
    open
}

/// Format characters (Unicode's Cf) and the two separators that some editors break a line at. rustc denies the
/// bidirectional ones in comments and literals.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cut_leaves_open_is_closed() {
        let message =
            "byte index 7 is not a char boundary; it is inside 'é' (bytes 6..8) of `{\"a\": [1, 2]}`";
        assert_eq!(cut(message, 200), message);
        assert_eq!(cut(message, 60), "byte index 7 is not a char boundary; it is inside 'é' (byt…)");
        assert_eq!(
            cut(message, 78),
            "byte index 7 is not a char boundary; it is inside 'é' (bytes 6..8) of `{\"a\":…`"
        );
        assert_eq!(cut(message, 54), "byte index 7 is not a char boundary; it is inside 'é'…");
        assert_eq!(cut("unwrap: Parse { at: [(1, \"a \\\"b", 29), "unwrap: Parse { at: [(1,…)]}");
        assert_eq!(
            cut("can't read the user's 'a b' of &'a str, no more", 44),
            "can't read the user's 'a b' of &'a str, no…"
        );
    }

    #[test]
    fn what_was_cut_goes_back_to_the_quotation_that_is_not_whole() {
        let message =
            "byte index 7 is not a char boundary; it is inside 'é' (bytes 6..8) of `{\"a b\": [1, 2]}`";
        assert_eq!(uncut(message), None);
        let start = &message[..message.find("`{").unwrap()];
        assert_eq!(uncut(&cut(message, 80)), Some(start));
        let within = cut(message, 60);
        assert_eq!(uncut(&within), Some(&within[..within.len() - "…)".len()]));
        assert_eq!(uncut("waiting… for input"), None);
    }

    #[test]
    fn a_cut_is_never_wider_than_it_may_be() {
        let texts = ["((((((((((((((((((((", "\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"", "`'\"({[`'\"({[`'\"({["];
        for (text, width) in texts.into_iter().flat_map(|text| (0..20).map(move |width| (text, width))) {
            assert!(cut(text, width).chars().count() <= width, "{text} {width}");
        }
    }
}
