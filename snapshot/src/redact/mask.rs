//! Replacements of the same shape: same length in bytes, letters for letters, digits for digits, so that a
//! parser is likely to take the same path.

use std::ops::Range;

/// A letter or digit of the same class and length; other characters as they are.
pub(super) fn mask_char(c: char) -> char {
    match c {
        'a'..='z' => 'x',
        'A'..='Z' => 'X',
        '0'..='9' => '0',
        c if c.is_ascii() || !c.is_alphanumeric() => c,
        c => same_length(c),
    }
}

/// A letter that is as long in UTF-8.
fn same_length(c: char) -> char {
    match c.len_utf8() {
        1 => 'x',
        2 => 'é',
        3 => '中',
        _ => '𠀀',
    }
}

/// How a stretch of secret text is masked.
#[derive(Clone, Copy)]
enum Style {
    /// Letters are `x`.
    Word,
    /// Letters are `a`: all of it is hexadecimal, and should stay so.
    Hex,
    /// There is no letter or digit: everything but blanks is replaced.
    Signs,
}

fn style(chars: impl Iterator<Item = char>) -> Style {
    let (mut any, mut hex, mut digit) = (false, true, false);
    for c in chars.filter(|c| c.is_alphanumeric()) {
        any = true;
        hex &= c.is_ascii_hexdigit();
        digit |= c.is_ascii_digit();
    }
    match (any, hex && digit) {
        (false, _) => Style::Signs,
        (true, true) => Style::Hex,
        (true, false) => Style::Word,
    }
}

fn masked(c: char, style: Style) -> char {
    match (style, mask_char(c)) {
        (Style::Signs, c) if c.is_whitespace() || c.is_control() => c,
        (Style::Signs, c) => same_length(c),
        (Style::Hex, 'x') => 'a',
        (Style::Hex, 'X') => 'A',
        (_, c) => c,
    }
}

/// Masks the characters of one stretch, first to last. What a backslash escapes stays what it is: a parser takes
/// `\n`, but no `\x`.
fn masked_in(style: Style) -> impl FnMut(char) -> char {
    let mut is_escape = false;
    move |c| {
        let stays = is_escape && matches!(c, 'n' | 'r' | 't' | 'b' | 'f');
        is_escape = c == '\\' && !is_escape;
        if stays { c } else { masked(c, style) }
    }
}

/// A text wholly masked.
pub(super) fn mask_all_text(text: &str) -> String {
    let style = style(text.chars());
    text.chars().map(masked_in(style)).collect()
}

/// A text with the characters masked that begin in one of the ranges.
pub(super) fn mask_text(text: &str, ranges: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    for range in ranges {
        while let Some((_, c)) = chars.next_if(|(at, _)| *at < range.start) {
            out.push(c);
        }
        // Only the range is looked at again: there may be as many ranges as words.
        let style = style(chars.clone().take_while(|(at, _)| *at < range.end).map(|(_, c)| c));
        let mut masked = masked_in(style);
        while let Some((_, c)) = chars.next_if(|(at, _)| *at < range.end) {
            out.push(masked(c));
        }
    }
    out.extend(chars.map(|(_, c)| c));
    out
}

/// Bytes wholly masked: as text where they are text, else all zero.
pub(super) fn mask_all_bytes(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => mask_all_text(text).into_bytes(),
        // Cut within the last character by a limit.
        Err(error) if error.error_len().is_none() => {
            let (text, tail) = bytes.split_at(error.valid_up_to());
            let mut out = mask_all_text(&String::from_utf8_lossy(text)).into_bytes();
            out.extend(tail.iter().map(|_| 0));
            out
        }
        Err(_) => vec![0; bytes.len()],
    }
}

/// Bytes with the ranges masked.
pub(super) fn mask_bytes(bytes: &[u8], ranges: &[Range<usize>]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for range in ranges {
        out[range.clone()].copy_from_slice(&mask_all_bytes(&bytes[range.clone()]));
    }
    out
}

/// A masked text made different from others of its form by a number, written into its last letters and digits:
/// keys of one map must stay different. It stays as it is where it has too few of them.
pub(super) fn numbered(masked: &str, mut number: usize) -> String {
    let mut chars: Vec<char> = masked.chars().collect();
    for c in chars.iter_mut().rev() {
        let (first, base) = match c {
            'x' | 'a' => (b'a', 26),
            'X' | 'A' => (b'A', 26),
            '0' => (b'0', 10),
            _ => continue,
        };
        if number == 0 {
            break;
        }
        // From `x` or `a` onwards, so that number 0 is the plain mask.
        let at = (usize::from(*c as u8 - first) + number) % base;
        *c = char::from(first + at as u8);
        number /= base;
    }
    chars.into_iter().collect()
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "lists of ranges")]
mod tests {
    use super::*;

    #[test]
    fn a_mask_has_the_same_shape() {
        for (text, expected) in [
            ("hunter2!", "xxxxxx0!"),
            ("Tr0ub4dor&3", "Xx0xx0xxx&0"),
            ("pässwörd", "xéxxxéxx"),
            ("日本語", "中中中"),
            ("deadBEEF01", "aaaaAAAA00"),
            ("123-45", "000-00"),
            ("!!!?", "xxxx"),
            ("ab\\ncd\\\\nd", "xx\\nxx\\\\xx"),
            ("", ""),
        ] {
            let got = mask_all_text(text);
            assert_eq!(got, expected);
            assert_eq!(got.len(), text.len());
            assert_eq!(mask_all_text(&got), got, "masking twice changes nothing");
        }
    }

    #[test]
    fn only_the_range_is_masked() {
        assert_eq!(mask_text("key é=abc, x", &[7..9, 11..11]), "key é=xxc, x");
        assert_eq!(mask_bytes(b"a\xffsecret\xff", &[2..8]), b"a\xffxxxxxx\xff");
    }

    #[test]
    fn bytes_that_are_no_text_become_zero() {
        assert_eq!(mask_all_bytes(&[1, 0xff, 3]), [0, 0, 0]);
        assert_eq!(mask_all_bytes(b"ab\xc3"), *b"xx\0");
    }

    #[test]
    fn numbered_masks_differ() {
        let all: std::collections::HashSet<String> = (0..600).map(|n| numbered("xx0", n)).collect();
        assert_eq!(all.len(), 600);
        assert_eq!(numbered("xx0", 0), "xx0");
    }
}
