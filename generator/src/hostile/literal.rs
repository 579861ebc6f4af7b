//! Literals as a person would write them. In: text, bytes, numbers. Out: tokens that are exactly that value:
//! each one is parsed back before it leaves, and what would not come back is written by proc-macro2 itself.

use std::collections::HashSet;

use proc_macro2::{Literal, Span, TokenStream, TokenTree};
use quote::quote;

/// Whether a character may stand in source as it is: it shows, and it does not change its neighbours.
///
/// Combining marks stay only where a letter of a script that needs them stands before; the general ones
/// (U+0301 and its like) make two texts look the same and are always escaped, as are invisible letters.
pub fn shows(c: char, previous: Option<char>) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let general_mark = matches!(c,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}');
    if is_blank(c) || general_mark {
        return false;
    }
    if c.escape_debug().len() == 1 {
        return true;
    }
    // `char::escape_debug` escapes marks too, `str`'s only what never shows.
    let mark = ['a', c].iter().collect::<String>().escape_debug().count() == 2;
    mark && previous.is_some_and(char::is_alphabetic)
}

/// Letters that do not show, and the selectors of a variant, which only their neighbour shows.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c,
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// How text is put between quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// `'…'`
    Char,
    /// `"…"`
    Str,
}

fn escape_into(out: &mut String, c: char, previous: Option<char>, next: Option<char>, quotes: Quotes) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\\' => out.push_str("\\\\"),
        '"' if quotes == Quotes::Str => out.push_str("\\\""),
        '\'' if quotes == Quotes::Char => out.push_str("\\'"),
        // `\01` reads like an octal escape (and clippy says so).
        '\0' if !next.is_some_and(|n| n.is_ascii_digit()) => out.push_str("\\0"),
        c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
        c if shows(c, previous) => out.push(c),
        c => out.push_str(&c.escape_unicode().to_string()),
    }
}

fn parsed<T: syn::parse::Parse + quote::ToTokens>(
    source: &str,
    is: impl Fn(&T) -> bool,
) -> Option<TokenStream> {
    let literal = syn::parse_str::<T>(source).ok().filter(is)?;
    Some(quote!(#literal))
}

/// A `char` literal.
pub fn char(c: char) -> TokenStream {
    let mut source = String::from("'");
    escape_into(&mut source, c, None, None, Quotes::Char);
    source.push('\'');
    parsed(&source, |l: &syn::LitChar| l.value() == c && l.suffix().is_empty()).unwrap_or_else(|| {
        let literal = Literal::character(c);
        quote!(#literal)
    })
}

/// A string literal on one line, raw where that spares escapes.
pub fn string(text: &str) -> TokenStream {
    raw_string(text).or_else(|| escaped_string(text)).unwrap_or_else(|| {
        let literal = Literal::string(text);
        quote!(#literal)
    })
}

fn escaped_string(text: &str) -> Option<TokenStream> {
    let mut source = String::with_capacity(text.len() + 2);
    source.push('"');
    let mut previous = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        escape_into(&mut source, c, previous, chars.peek().copied(), Quotes::Str);
        previous = Some(c);
    }
    source.push('"');
    parsed(&source, |l: &syn::LitStr| l.value() == text && l.suffix().is_empty())
}

/// `r#"…"#` where at least two quotes or backslashes would need an escape and nothing else does. Line ends
/// may stand in it, unless white space stands before them (editors and rustfmt would strip it).
fn raw_string(text: &str) -> Option<TokenStream> {
    let ugly = text.chars().filter(|c| matches!(c, '"' | '\\')).count();
    if ugly < 2 || text.ends_with([' ', '\t']) && text.contains('\n') {
        return None;
    }
    let mut previous = None;
    for c in text.chars() {
        let fits = if c == '\n' { !previous.is_some_and(char::is_whitespace) } else { shows(c, previous) };
        if !fits {
            return None;
        }
        previous = Some(c);
    }
    let longest = text
        .split('"')
        .skip(1)
        .map(|rest| rest.bytes().take_while(|b| *b == b'#').count() + 1)
        .max()
        .unwrap_or(0);
    // Rust allows 255; nobody wants to count more than a few.
    if longest > 4 {
        return None;
    }
    let hashes = "#".repeat(longest);
    parsed(&format!("r{hashes}\"{text}\"{hashes}"), |l: &syn::LitStr| {
        l.value() == text && l.suffix().is_empty()
    })
}

/// Longest text that is written on one line although it has line ends within.
const MAX_ONE_LINE: usize = 60;

/// A string literal of several lines: raw, or the lines one below the other in `concat!`, or on one line
/// where it is short. All forms are a `&'static str`, and none depends on how the code around is indented.
pub fn text(text: &str) -> TokenStream {
    let inner = text.strip_suffix('\n').unwrap_or(text);
    if !inner.contains('\n') || text.len() <= MAX_ONE_LINE {
        return if text.contains('\n') {
            escaped_string(text).unwrap_or_else(|| string(text))
        } else {
            string(text)
        };
    }
    if let Some(raw) = raw_string(text) {
        return raw;
    }
    let lines = text.split_inclusive('\n').map(|line| {
        escaped_string(line).unwrap_or_else(|| {
            let literal = Literal::string(line);
            quote!(#literal)
        })
    });
    quote!(concat!(#(#lines),*))
}

/// A byte-string literal: `b"\x89PNG\r\n"`.
pub fn byte_string(bytes: &[u8]) -> TokenStream {
    let mut source = String::with_capacity(bytes.len() + 3);
    source.push_str("b\"");
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' => source.push_str("\\n"),
            b'\r' => source.push_str("\\r"),
            b'\t' => source.push_str("\\t"),
            b'\\' => source.push_str("\\\\"),
            b'"' => source.push_str("\\\""),
            0 if !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => source.push_str("\\0"),
            0x20..=0x7e => source.push(char::from(byte)),
            _ => source.push_str(&format!("\\x{byte:02x}")),
        }
    }
    source.push('"');
    parsed(&source, |l: &syn::LitByteStr| l.value() == bytes && l.suffix().is_empty()).unwrap_or_else(|| {
        let literal = Literal::byte_string(bytes);
        quote!(#literal)
    })
}

/// Whether bytes read better as `b"…"` than as numbers: at least three of five are printable.
pub fn is_text_like(bytes: &[u8]) -> bool {
    let readable = bytes.iter().filter(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e)).count();
    bytes.len() > 1 && readable * 5 >= bytes.len() * 3
}

/// Whether bytes that are no text read better in hexadecimal: those that a protocol or a format might hold, not a
/// short list of small numbers.
pub fn is_hexadecimal(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| *byte > 99) || bytes.len() > 3 && bytes.iter().any(|byte| *byte > 9)
}

/// A byte as a number: `7`, or `0x89` where it is more than 99.
pub fn byte_number(byte: u8, hexadecimal: bool, suffix: Option<&str>) -> TokenStream {
    let digits = if hexadecimal { format!("{byte:#04x}") } else { byte.to_string() };
    number(&digits, false, suffix)
}

/// An unsigned integer's digits as a token, with a minus sign before.
fn number(digits: &str, negative: bool, suffix: Option<&str>) -> TokenStream {
    let source = format!("{digits}{}", suffix.unwrap_or_default());
    let literal = syn::Lit::new(source.parse().unwrap_or_else(|_| Literal::u8_unsuffixed(0)));
    if negative { quote!(-#literal) } else { quote!(#literal) }
}

/// An integer of a primitive type (`u64`, `isize` …): `i64::MIN` and `u64::MAX` by name, long ones with
/// `_`, those that are patterns of bits in hexadecimal. `None` where the type does not hold the number.
pub fn integer(magnitude: u128, negative: bool, ty: &str, typed: bool) -> Option<TokenStream> {
    let (signed, bits) = primitive(ty)?;
    let top = 1_u128 << (bits - 1);
    let max = if signed { top - 1 } else { top - 1 + top };
    if magnitude
        > (if negative && signed {
            top
        } else if negative {
            0
        } else {
            max
        })
    {
        return None;
    }
    let ty_ident = proc_macro2::Ident::new(ty, Span::call_site());
    if bits > 8 && magnitude == max && !negative {
        return Some(quote!(#ty_ident::MAX));
    }
    if bits > 8 && negative && magnitude == top {
        return Some(quote!(#ty_ident::MIN));
    }
    let digits = if !negative && is_pattern(magnitude) {
        format!("0x{}", grouped(&format!("{magnitude:x}"), 4))
    } else {
        let plain = magnitude.to_string();
        if plain.len() > 5 { grouped(&plain, 3) } else { plain }
    };
    Some(number(&digits, negative, typed.then_some(ty)))
}

/// A number in hexadecimal of at least so many digits, without a type: `0x3`, `0x036d_a01f`.
pub fn hexadecimal(value: u128, digits: usize) -> TokenStream {
    number(&format!("0x{}", grouped(&format!("{value:0digits$x}"), 4)), false, None)
}

/// Signedness and width of a primitive integer type, by name (64-bit targets).
pub fn primitive(ty: &str) -> Option<(bool, u32)> {
    let (kind, width) = ty.split_at_checked(1)?;
    let bits = match width {
        "8" => 8,
        "16" => 16,
        "32" => 32,
        "64" | "size" => 64,
        "128" => 128,
        _ => return None,
    };
    match kind {
        "i" => Some((true, bits)),
        "u" => Some((false, bits)),
        _ => None,
    }
}

/// From 2^32 on: at most two runs of ones, one of them long, or round in binary but not in decimal.
fn is_pattern(value: u128) -> bool {
    if value < 1 << 32 || value.is_multiple_of(1_000) {
        return false;
    }
    let runs = (value & !(value << 1)).count_ones();
    (runs <= 2 && (value.count_ones() >= 16 || runs == value.count_ones())) || value.trailing_zeros() >= 24
}

fn grouped(digits: &str, size: usize) -> String {
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(size) {
            out.push('_');
        }
        out.push(c);
    }
    out
}

/// A written float.
pub struct Float {
    /// Its tokens.
    pub tokens: TokenStream,
    /// Whether clippy would take it for π, e or the like written by hand (`approx_constant`).
    pub looks_like_constant: bool,
}

/// An `f64` by its bits: `0.1`, `1e300`, `-0.0`, `f64::NAN`; `f64::from_bits(0x…)` for other NaNs.
pub fn float64(bits: u64, typed: bool) -> Float {
    let value = f64::from_bits(bits);
    let named = match value {
        _ if bits == f64::NAN.to_bits() => Some(quote!(f64::NAN)),
        f64::INFINITY => Some(quote!(f64::INFINITY)),
        f64::NEG_INFINITY => Some(quote!(f64::NEG_INFINITY)),
        f64::MAX => Some(quote!(f64::MAX)),
        f64::MIN => Some(quote!(f64::MIN)),
        f64::MIN_POSITIVE => Some(quote!(f64::MIN_POSITIVE)),
        f64::EPSILON => Some(quote!(f64::EPSILON)),
        _ => None,
    };
    let digits = format!("{:?}", value.abs());
    let exact = !value.is_nan() && digits.parse::<f64>().is_ok_and(|v| v.to_bits() == value.abs().to_bits());
    let hexadecimal = number(&format!("0x{}", grouped(&format!("{bits:016x}"), 4)), false, None);
    float(
        named,
        exact.then_some(&digits),
        value.is_sign_negative(),
        typed.then_some("f64"),
        || quote!(f64::from_bits(#hexadecimal)),
    )
}

/// An `f32` by its bits.
pub fn float32(bits: u32, typed: bool) -> Float {
    let value = f32::from_bits(bits);
    let named = match value {
        _ if bits == f32::NAN.to_bits() => Some(quote!(f32::NAN)),
        f32::INFINITY => Some(quote!(f32::INFINITY)),
        f32::NEG_INFINITY => Some(quote!(f32::NEG_INFINITY)),
        f32::MAX => Some(quote!(f32::MAX)),
        f32::MIN => Some(quote!(f32::MIN)),
        f32::MIN_POSITIVE => Some(quote!(f32::MIN_POSITIVE)),
        f32::EPSILON => Some(quote!(f32::EPSILON)),
        _ => None,
    };
    let digits = format!("{:?}", value.abs());
    let exact = !value.is_nan() && digits.parse::<f32>().is_ok_and(|v| v.to_bits() == value.abs().to_bits());
    let hexadecimal = number(&format!("0x{}", grouped(&format!("{bits:08x}"), 4)), false, None);
    float(
        named,
        exact.then_some(&digits),
        value.is_sign_negative(),
        typed.then_some("f32"),
        || quote!(f32::from_bits(#hexadecimal)),
    )
}

fn float(
    named: Option<TokenStream>,
    digits: Option<&str>,
    negative: bool,
    suffix: Option<&str>,
    by_bits: impl Fn() -> TokenStream,
) -> Float {
    if let Some(tokens) = named {
        return Float { tokens, looks_like_constant: false };
    }
    let Some(digits) = digits else {
        return Float { tokens: by_bits(), looks_like_constant: false };
    };
    let source = format!("{digits}{}", suffix.unwrap_or_default());
    let tokens = match parsed(&source, |l: &syn::LitFloat| l.base10_digits() == digits) {
        Some(literal) if negative => quote!(-#literal),
        Some(literal) => literal,
        None => by_bits(),
    };
    Float { tokens, looks_like_constant: looks_like_constant(digits) }
}

/// clippy's `approx_constant` is an error by default, and `3.14` in a test is what was captured.
fn looks_like_constant(digits: &str) -> bool {
    use std::f64::consts as c;
    const CONSTANTS: [f64; 19] = [
        c::E,
        c::FRAC_1_PI,
        c::FRAC_1_SQRT_2,
        c::FRAC_2_PI,
        c::FRAC_2_SQRT_PI,
        c::FRAC_PI_2,
        c::FRAC_PI_3,
        c::FRAC_PI_4,
        c::FRAC_PI_6,
        c::FRAC_PI_8,
        c::LN_2,
        c::LN_10,
        c::LOG10_2,
        c::LOG2_10,
        c::LOG10_E,
        c::LOG2_E,
        c::PI,
        c::SQRT_2,
        c::TAU,
    ];
    digits.len() >= 4
        && CONSTANTS.iter().any(|constant| {
            constant.to_string().starts_with(digits) || format!("{constant:.*}", digits.len() - 2) == digits
        })
}

/// The numbers (from 1) of the lines of a source that begin within a literal: none may be indented or left out.
pub(crate) fn lines_within_literals(source: &str) -> HashSet<usize> {
    let mut found = HashSet::new();
    let mut open: Vec<TokenStream> = source.parse().into_iter().collect();
    while let Some(tokens) = open.pop() {
        for token in tokens {
            match token {
                TokenTree::Group(group) => open.push(group.stream()),
                TokenTree::Literal(literal) => {
                    let span = literal.span();
                    found.extend(span.start().line + 1..=span.end().line);
                }
                _ => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_as_a_person_would_write_them() {
        for (value, source) in [
            ("osts: – https://…", r#""osts: – https://…""#),
            ("a\u{301}", r#""a\u{301}""#),
            ("\u{301}", r#""\u{301}""#),
            ("नमस्ते", "\"नमस्ते\""),
            ("a\u{202e}b\u{200b}\u{feff}\u{a0}", r#""a\u{202e}b\u{200b}\u{feff}\u{a0}""#),
            ("\u{2028}\x07\x1b[0m", r#""\u{2028}\x07\x1b[0m""#),
            ("say \"hi\"", r##"r#"say "hi""#"##),
            (r"C:\a\b", r#"r"C:\a\b""#),
            ("one \"", r#""one \"""#),
            ("\"#\"##", r####"r###""#"##"###"####),
            ("\"\"\r", r#""\"\"\r""#),
            ("\0\u{0}1", r#""\0\x001""#),
        ] {
            assert_eq!(string(value).to_string(), source);
        }
    }

    #[test]
    fn lines_stand_below_each_other() {
        let value = format!("{}\n{}\n", "first".repeat(8), "second".repeat(8));
        assert!(text(&value).to_string().starts_with("concat ! (\"first"), "{}", text(&value));
        assert_eq!(text("a\nb\n").to_string(), r#""a\nb\n""#);
    }

    #[test]
    fn integers_are_named_grouped_or_hexadecimal() {
        for (magnitude, negative, ty, source) in [
            (5, false, "u8", "5"),
            (255, false, "u8", "255"),
            (1 << 63, true, "i64", "i64 :: MIN"),
            (u128::from(u64::MAX), false, "usize", "usize :: MAX"),
            (u128::MAX, false, "u128", "u128 :: MAX"),
            (1_234_567, true, "i32", "- 1_234_567"),
            (65536, false, "u32", "65536"),
            (0xffff_0000_0000_0000, false, "u64", "0xffff_0000_0000_0000"),
            (1_700_000_000_000, false, "u64", "1_700_000_000_000"),
        ] {
            assert_eq!(integer(magnitude, negative, ty, false).unwrap().to_string(), source);
        }
        assert_eq!(integer(5, false, "i16", true).unwrap().to_string(), "5i16");
        assert!(integer(256, false, "u8", false).is_none() && integer(1, true, "u8", false).is_none());
    }

    #[test]
    fn floats_come_back_by_bits() {
        for (value, source) in [
            (0.1, "0.1"),
            (-0.0, "- 0.0"),
            (1e300, "1e300"),
            (3.0, "3.0"),
            (f64::NAN, "f64 :: NAN"),
            (f64::NEG_INFINITY, "f64 :: NEG_INFINITY"),
            (f64::from_bits(0x7ff8_0000_0000_0001), "f64 :: from_bits (0x7ff8_0000_0000_0001)"),
        ] {
            assert_eq!(float64(f64::to_bits(value), false).tokens.to_string(), source);
        }
        assert_eq!(float32(0.1_f32.to_bits(), true).tokens.to_string(), "0.1f32");
        assert!(float64((314.0_f64 / 100.0).to_bits(), false).looks_like_constant);
        assert!(float64(std::f64::consts::PI.to_bits(), false).looks_like_constant);
        assert!(!float64(3.25_f64.to_bits(), false).looks_like_constant);
    }

    #[test]
    fn bytes_read_as_text_where_they_are_text() {
        assert_eq!(byte_string(b"\x89PNG\r\n\x1a\n\0\x001").to_string(), r#"b"\x89PNG\r\n\x1a\n\0\x001""#);
        assert!(is_text_like(b"\x89PNG\r\n\x1a\n") && !is_text_like(&[0, 1, 2, 65]) && !is_text_like(b""));
    }
    #[test]
    fn bytes_that_are_no_text_read_as_hexadecimal_where_they_are_no_small_numbers() {
        assert!(is_hexadecimal(b"PK\x03\x04") && is_hexadecimal(&[1, 200]) && is_hexadecimal(&[16, 0, 0, 0]));
        assert!(!is_hexadecimal(&[1, 2, 3, 4, 5]) && !is_hexadecimal(&[10, 20]) && !is_hexadecimal(&[]));
        assert_eq!(byte_number(b'P', true, Some("u8")).to_string(), "0x50u8");
    }
}
