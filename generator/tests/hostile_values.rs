//! Whatever a crashed process says, what we write of it is that value and nothing else: literals parse back to
//! it, comments end where they should, names are plain identifiers. `RELAPSE_PROPERTY_CASES` sets how often.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use proc_macro2::TokenStream;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use quote::quote;
use relapse_generator::expression::{Literals, Scope, argument_with};
use relapse_generator::hostile::{self, literal};
use relapse_generator::names::{Names, Unnameable};
use relapse_snapshot::{Data, Trust, TypeKind, TypeShape, TypeTable, Value};

/// Cases of each property.
const CASES: u32 = 100_000;

fn check<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let cases = std::env::var("RELAPSE_PROPERTY_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(strategy, test).unwrap();
}

/// Text of the pieces that break things, and of any characters.
fn nasty_text() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\"",
        "\\",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\t",
        "#",
        "\"#",
        "*/",
        "/*",
        "//",
        "{",
        "}",
        "{{",
        "%}",
        "'",
        "r#\"",
        "\u{202e}",
        "\u{2066}",
        "\u{2028}",
        "\u{85}",
        "\u{feff}",
        "\u{301}",
        "\u{200d}",
        "\u{115f}",
        "\u{3164}",
        "\u{fe0f}",
        "\u{a0}",
        "\u{7f}",
        "\u{1b}[0m",
        " ",
        "    ",
        "a",
        "é",
        "日本",
        "😀",
        "0",
        "7",
        "x41",
        "u{41}",
        "self",
        "type",
        "_",
        "CON",
        ";",
        "!",
        "\u{10ffff}",
    ];
    let piece = (0..PIECES.len() * 2, any::<char>())
        .prop_map(|(index, c)| PIECES.get(index).map_or_else(|| c.to_string(), |piece| (*piece).to_owned()));
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The text that an expression of ours stands for: a literal, or literals in `concat!`.
fn text_of(tokens: &TokenStream) -> Option<String> {
    // By way of text, since that is what is written to the file.
    match syn::parse_str(&tokens.to_string()).ok()? {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        syn::Expr::Macro(call) if call.mac.path.is_ident("concat") => {
            let list = syn::punctuated::Punctuated::<syn::LitStr, syn::Token![,]>::parse_terminated;
            Some(call.mac.parse_body_with(list).ok()?.iter().map(syn::LitStr::value).collect())
        }
        _ => None,
    }
}

#[test]
fn text_comes_back() {
    check(&nasty_text(), |text| {
        prop_assert_eq!(text_of(&literal::string(&text)), Some(text.clone()));
        prop_assert_eq!(text_of(&literal::text(&text)), Some(text.clone()));
        let long = format!("{text}{}\n{text}", "-".repeat(61));
        prop_assert_eq!(text_of(&literal::text(&long)), Some(long));
        for c in text.chars() {
            let back: syn::LitChar = syn::parse_str(&literal::char(c).to_string()).unwrap();
            prop_assert_eq!(back.value(), c);
        }
        Ok(())
    });
}

#[test]
fn bytes_come_back() {
    let some_text = prop_oneof![any::<u8>(), 0x20_u8..0x7f, Just(0), Just(b'\\'), Just(b'"')];
    check(&prop::collection::vec(some_text, 0..40), |bytes| {
        let back: syn::LitByteStr = syn::parse_str(&literal::byte_string(&bytes).to_string()).unwrap();
        prop_assert_eq!(back.value(), bytes);
        Ok(())
    });
}

/// Splits `-5` into its sign and the rest.
fn signed(tokens: &TokenStream) -> (bool, syn::Expr) {
    match syn::parse2(tokens.clone()).unwrap() {
        syn::Expr::Unary(syn::ExprUnary { op: syn::UnOp::Neg(_), expr, .. }) => (true, *expr),
        expr => (false, expr),
    }
}

#[test]
fn integers_come_back() {
    const TYPES: [&str; 12] =
        ["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize"];
    let any_width = (any::<u128>(), 0_u32..128, any::<bool>(), 0..TYPES.len());
    check(&any_width, |(number, shift, negative, ty)| {
        let (magnitude, ty) = (number >> shift, TYPES[ty]);
        let (is_signed, bits) = literal::primitive(ty).unwrap();
        let top = 1_u128 << (bits - 1);
        let fits = match (is_signed, negative) {
            (true, true) => magnitude <= top,
            (true, false) => magnitude < top,
            (false, true) => magnitude == 0,
            (false, false) => magnitude <= top - 1 + top,
        };
        let written = literal::integer(magnitude, negative, ty, shift.is_multiple_of(2));
        prop_assert_eq!(written.is_some(), fits);
        let Some(tokens) = written else { return Ok(()) };
        let (minus, expr) = signed(&tokens);
        match expr {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(int), .. }) => {
                prop_assert_eq!((int.base10_parse::<u128>().unwrap(), minus), (magnitude, negative));
                prop_assert!(int.suffix().is_empty() || int.suffix() == ty);
            }
            _ => {
                let max = if is_signed { top - 1 } else { top - 1 + top };
                let expected = if negative { (top, "MIN") } else { (max, "MAX") };
                prop_assert_eq!(
                    (magnitude, tokens.to_string()),
                    (expected.0, format!("{ty} :: {}", expected.1))
                );
            }
        }
        Ok(())
    });
}

/// The bits of a float's expression, as rustc would compute it.
fn float_bits(tokens: &TokenStream) -> Option<u64> {
    let text = tokens.to_string();
    let named = match text.as_str() {
        "f64 :: NAN" => Some(f64::NAN),
        "f64 :: INFINITY" => Some(f64::INFINITY),
        "f64 :: NEG_INFINITY" => Some(f64::NEG_INFINITY),
        "f64 :: MAX" => Some(f64::MAX),
        "f64 :: MIN" => Some(f64::MIN),
        "f64 :: MIN_POSITIVE" => Some(f64::MIN_POSITIVE),
        "f64 :: EPSILON" => Some(f64::EPSILON),
        _ => None,
    };
    if let Some(named) = named {
        return Some(named.to_bits());
    }
    match signed(tokens) {
        (minus, syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Float(float), .. })) => {
            let value: f64 = float.base10_parse().ok()?;
            Some(if minus { -value } else { value }.to_bits())
        }
        (false, syn::Expr::Call(call)) => {
            let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(bits), .. }) = &call.args[0] else {
                return None;
            };
            text.starts_with("f64 :: from_bits").then(|| bits.base10_parse().ok())?
        }
        _ => None,
    }
}

#[test]
fn floats_come_back() {
    let short =
        (any::<i32>(), -9..9).prop_map(|(digits, exponent)| f64::from(digits) * 10_f64.powi(exponent));
    let bits = prop_oneof![any::<u64>(), short.prop_map(f64::to_bits), any::<f64>().prop_map(f64::to_bits)];
    check(&(bits, any::<bool>()), |(bits, typed)| {
        prop_assert_eq!(float_bits(&literal::float64(bits, typed).tokens), Some(bits));
        let narrow = bits as u32;
        let text = literal::float32(narrow, typed).tokens.to_string().replace(' ', "");
        if let Ok(value) = text.trim_end_matches("f32").parse::<f32>() {
            prop_assert_eq!(value.to_bits(), narrow);
        } else {
            prop_assert!(text.starts_with("f32::"), "{}", text);
        }
        Ok(())
    });
}

#[test]
fn comments_end_where_they_should() {
    check(&nasty_text(), |text| {
        let comment = hostile::comment::one_line(&text);
        let hidden = |c: char| {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
                || matches!(c, '\u{115f}' | '\u{3164}' | '\u{fe0f}')
        };
        prop_assert!(!comment.contains(hidden), "{}", comment);
        let source = format!("// {comment}\nlet marker = 1;");
        let tokens: TokenStream = source.parse().unwrap();
        prop_assert_eq!(tokens.to_string(), "let marker = 1 ;");
        Ok(())
    });
}

#[test]
fn names_are_plain_identifiers() {
    check(&(nasty_text(), nasty_text()), |(first, second)| {
        for name in [hostile::file_name(&first), hostile::test_name(&first, &second)] {
            prop_assert!(
                name.len() <= hostile::MAX_NAME && name.starts_with(|c: char| c.is_ascii_lowercase())
            );
            prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
            prop_assert!(
                syn::parse_str::<syn::Ident>(&name).is_ok() && !hostile::is_keyword(&name),
                "{}",
                name
            );
        }
        Ok(())
    });
}

/// A place from which every definition is named by its last segment.
struct LastSegment;

impl Names for LastSegment {
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        let last = definition.rsplit("::").next().unwrap_or_default();
        let ident = hostile::identifier(last).ok_or_else(|| Unnameable(format!("{last} is no name")))?;
        Ok(quote!(#ident))
    }

    fn literal(&self, _: &str) -> Result<(), Unnameable> {
        Ok(())
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        Err(Unnameable(full_name.to_owned()))
    }
}

#[test]
fn an_argument_is_one_statement_whatever_it_is_called() {
    check(&(nasty_text(), nasty_text(), nasty_text()), |(name, field, text)| {
        let mut types = TypeTable::default();
        let str_type = types.intern(TypeShape { name: "str".into(), size: None, kind: TypeKind::Str });
        let kind = TypeKind::Reference { to: str_type, mutable: false };
        let reference = types.intern(TypeShape { name: "&str".into(), size: None, kind });
        let kind = TypeKind::Struct { fields: vec![], tuple: false, params: vec![] };
        let structure = types.intern(TypeShape { name: format!("a::{name}"), size: None, kind });
        let len = text.len() as u64;
        let text = Value { ty: str_type, trust: Trust::Entry, data: Data::Text { text, len } };
        let data = Data::Pointer { address: 1, to: Some(Box::new(text)) };
        let pointer = Value { ty: reference, trust: Trust::Entry, data };
        let fields = vec![relapse_snapshot::Field { name: field, value: pointer.clone() }];
        let object = Value { ty: structure, trust: Trust::Entry, data: Data::Struct(fields) };
        for value in [&pointer, &object] {
            let mut scope = Scope::new(&name);
            let made = argument_with(&name, value, &types, &LastSegment, &mut scope, Literals::Inferred);
            let Ok(written) = made else {
                continue;
            };
            let statements: syn::Block = {
                let lets = &written.lets;
                syn::parse2(quote!({ #(#lets)* })).unwrap()
            };
            prop_assert_eq!(statements.stmts.len(), 1);
            prop_assert!(matches!(statements.stmts[0], syn::Stmt::Local(_)));
            prop_assert!(syn::parse2::<syn::Ident>(written.pass).is_ok());
        }
        Ok(())
    });
}
