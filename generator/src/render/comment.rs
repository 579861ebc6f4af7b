//! Text of unknown origin as the text of a `//` comment or of a terminal line: one line, nothing invisible.

use std::fmt::Write as _;

/// Replaces each control, bidirectional and invisible character by its escape (`\u{1b}`).
pub fn escape_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\t' => out.push(char),
            _ if char.is_control() || is_invisible(char) => {
                let _ = write!(out, "\\u{{{:x}}}", char as u32);
            }
            _ => out.push(char),
        }
    }
    out
}

/// The text on one line: line breaks and runs of blanks become one space, the rest is escaped.
pub(super) fn one_line(text: &str) -> String {
    escape_invisible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// At most `width` characters, the last of which is `…` where something was cut.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// Format characters (Unicode's Cf) and the two separators that some editors break a line at. rustc denies the
/// bidirectional ones in comments and literals.
fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}
