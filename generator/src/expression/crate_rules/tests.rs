//! What rules make of values, and what they refuse.

use proptest::prelude::*;
use relapse_snapshot::{Field, FieldShape, Trust, TypeId, TypeTable, VariantShape};

use super::*;
use crate::expression::{Literals, Scope, argument_with};
use crate::names::{Names, Unnameable};

/// Every definition has its own path, and no literal may be written; `missing` are functions that are not there.
struct Paths {
    missing: &'static [&'static str],
    unnameable: &'static [&'static str],
    made: bool,
}

impl Names for Paths {
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        if self.unnameable.contains(&definition) {
            return Err(Unnameable(format!("`{definition}` cannot be reached")));
        }
        Ok(definition.parse().unwrap())
    }

    fn literal(&self, definition: &str) -> Result<(), Unnameable> {
        if self.made { Ok(()) } else { Err(Unnameable(format!("field of `{definition}` is private"))) }
    }

    fn has_function(&self, _: &str, function: &str) -> bool {
        !self.missing.contains(&function)
    }

    fn is_made_by(&self, _: &str, macro_name: &str) -> bool {
        self.made && macro_name == "bitflags"
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        full_name.parse().map_err(|_| Unnameable("no tokens".to_owned()))
    }
}

const ALL: Paths = Paths { missing: &[], unnameable: &[], made: false };

#[derive(Default)]
struct Types(TypeTable);

impl Types {
    fn value(&mut self, name: &str, kind: TypeKind, data: Data) -> Value {
        let ty = self.0.intern(TypeShape { name: name.to_owned(), size: None, kind });
        Value { ty, trust: Trust::Entry, data }
    }

    fn int(&mut self, bits: u16, number: i128) -> Value {
        self.value(&format!("i{bits}"), TypeKind::Integer { signed: true, bits }, Data::Int(number))
    }

    fn uint(&mut self, bits: u16, number: u128) -> Value {
        self.value(&format!("u{bits}"), TypeKind::Integer { signed: false, bits }, Data::Uint(number))
    }

    fn text(&mut self, text: &str) -> Value {
        let string = TypeKind::Std { std: relapse_snapshot::StdType::String, params: Vec::new() };
        let data = Data::Text { text: text.to_owned(), len: text.len() as u64 };
        self.value("alloc::string::String", string, data)
    }

    fn list(&mut self, items: Vec<Value>) -> Value {
        let len = items.len() as u64;
        let of = items.first().map_or(TypeId(0), |item| item.ty);
        let name = format!("alloc::vec::Vec<{}>", self.0.name(of));
        let vec = TypeKind::Std { std: relapse_snapshot::StdType::Vec, params: vec![of] };
        self.value(&name, vec, Data::Sequence { items, len })
    }

    fn structure(&mut self, name: &str, fields: Vec<(&str, Value)>) -> Value {
        let shapes = fields.iter().map(|(name, value)| FieldShape { name: (*name).to_owned(), ty: value.ty });
        let tuple = fields.first().is_some_and(|(name, _)| *name == "0");
        let kind = TypeKind::Struct { fields: shapes.collect(), tuple, params: Vec::new() };
        let fields = fields.into_iter().map(|(name, value)| Field { name: name.to_owned(), value });
        let data = Data::Struct(fields.collect());
        self.value(name, kind, data)
    }

    fn variant(&mut self, name: &str, variant: &str, fields: Vec<(&str, Value)>) -> Value {
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, value)| Field { name: name.to_owned(), value }).collect();
        let shapes = fields.iter().map(|f| FieldShape { name: f.name.clone(), ty: f.value.ty }).collect();
        let own = VariantShape { name: variant.to_owned(), fields: shapes, tuple: !fields.is_empty() };
        let kind = TypeKind::Enum { variants: vec![own], params: Vec::new() };
        self.value(name, kind, Data::Variant { name: variant.to_owned(), fields })
    }

    fn date(&mut self, yof: i128) -> Value {
        let yof = self.int(32, yof);
        self.structure("chrono::naive::date::NaiveDate", vec![("yof", yof)])
    }

    fn time(&mut self, secs: u128, frac: u128) -> Value {
        let (secs, frac) = (self.uint(32, secs), self.uint(32, frac));
        self.structure("chrono::naive::time::NaiveTime", vec![("secs", secs), ("frac", frac)])
    }

    fn uuid(&mut self, bytes: Vec<u8>) -> Value {
        let of = self.uint(8, 0).ty;
        let len = bytes.len() as u64;
        let bytes = self.value("[u8; 16]", TypeKind::Array { of, len }, Data::Bytes { bytes, len });
        self.structure("uuid::Uuid", vec![("0", bytes)])
    }

    fn written(&self, value: &Value, names: &Paths) -> Result<String, String> {
        self.argument(value, names, Literals::Inferred).map(|(text, _)| text)
    }

    fn argument(&self, value: &Value, names: &Paths, literals: Literals) -> Result<(String, Trust), String> {
        let mut scope = Scope::new("test");
        let written = argument_with("x", value, &self.0, names, &mut scope, literals);
        let written = written.map_err(|error| error.to_string())?;
        let lets: TokenStream = written.lets.into_iter().collect();
        let text = lets.to_string().replace(' ', "");
        Ok((text.strip_prefix("letx=").unwrap_or(&text).trim_end_matches(';').to_owned(), written.trust))
    }
}

/// Day 87 of 2021, with flags that no rule looks at.
const YOF: i128 = 2021 << 13 | 87 << 4 | 0b1011;

#[test]
fn every_rule_of_the_table_can_be_read() {
    let rules = read(include_str!("../crate_rules.toml"));
    assert!(rules.as_ref().is_ok_and(|rules| rules.len() > 20), "{:?}", rules.err());
}

#[test]
fn a_rule_that_means_nothing_is_an_error() {
    let table = |rest: &str| read(&format!("[[rule]]\ntype = \"a::B\"\n{rest}")).map(|_| ());
    assert_eq!(table("build = 'Self::new({ a }, { a << 1 })'"), Ok(()));
    for wrong in [
        "",
        "build = 'Self::new('",
        "build = 'Self::new({ let a = b; })'",
        "build = 'Self::new({ std::process::exit(1) })'",
        "build = 'Self::new({ year(a) })'",
        "build = 'Self::new({ a.0.len() })'",
        "build = 'Self::new({ text(1) })'",
        "build = 'Self::new({ each(a) })'",
        "build = 'Self::new()'\nwhen = 'a ='",
        "build = 'Self::new()'\nwhen = '\"x\"'",
        "build = 'Self::new()'\nif = 'a'",
        "build = 'Self::new()'\nneeds = 'new'",
        "build = 1",
    ] {
        assert!(table(wrong).is_err(), "{wrong}");
    }
    assert!(read("[rule]\nbuild = 'x'").is_err());
    assert!(read("[[other]]").is_err());
}

#[test]
fn dates_and_times_are_written_as_a_person_would() {
    let mut types = Types::default();
    let date = types.date(YOF);
    let name = "chrono::naive::date::NaiveDate";
    assert_eq!(types.written(&date, &ALL), Ok(format!("{name}::from_ymd_opt(2021,3,28).unwrap()")));
    let time = types.time(3723, 0);
    let date = types.date(YOF);
    let both =
        types.structure("chrono::naive::datetime::NaiveDateTime", vec![("date", date), ("time", time)]);
    let written = format!("{name}::from_ymd_opt(2021,3,28).unwrap().and_hms_opt(1,2,3).unwrap()");
    assert_eq!(types.written(&both, &ALL), Ok(written));
    let time = types.time(86_399, 1_500_000_001);
    let written = "chrono::naive::time::NaiveTime::from_hms_nano_opt(23,59,59,1_500_000_001).unwrap()";
    assert_eq!(types.written(&time, &ALL), Ok(written.to_owned()));
}

#[test]
fn a_value_that_its_rule_does_not_know_keeps_the_old_refusal() {
    let mut types = Types::default();
    // No day of any year, a leap second in the middle of a minute, other fields than any rule names.
    let day = types.date(2021 << 13 | 400 << 4);
    let second = types.time(3723, 1_500_000_001);
    let number = types.int(32, 5);
    let fields = types.structure("chrono::offset::fixed::FixedOffset", vec![("seconds", number)]);
    let missing = types.value("i32", TypeKind::Opaque, Data::Missing("optimized out".to_owned()));
    let unread = types.structure("chrono::naive::date::NaiveDate", vec![("yof", missing)]);
    for value in [day, second, fields, unread] {
        let refusal = types.written(&value, &ALL).unwrap_err();
        assert!(refusal.contains("is private"), "{refusal}");
    }
}

#[test]
fn a_rule_is_for_versions_that_have_its_functions() {
    let mut types = Types::default();
    let (date, time) = (types.date(YOF), types.time(0, 0));
    let datetime =
        types.structure("chrono::naive::datetime::NaiveDateTime", vec![("date", date), ("time", time)]);
    let offset = types.structure("chrono::offset::utc::Utc", Vec::new());
    let utc = types.structure(
        "chrono::datetime::DateTime<chrono::offset::utc::Utc>",
        vec![("datetime", datetime), ("offset", offset)],
    );
    let new = types.written(&utc, &ALL).unwrap();
    assert!(new.ends_with(".and_utc()"), "{new}");
    let old = Paths { missing: &["and_utc", "from_naive_utc_and_offset"], ..ALL };
    // Here `Utc` too is said to have private fields.
    assert!(types.written(&utc, &old).unwrap_err().contains("x.offset"));
    let none = Paths { missing: &["and_utc", "from_naive_utc_and_offset", "from_utc"], ..ALL };
    assert!(types.written(&utc, &none).unwrap_err().contains("`chrono::datetime::DateTime` is private"));
}

#[test]
fn what_cannot_be_named_is_refused_with_the_reason() {
    let mut types = Types::default();
    let text = types.text("name");
    let raw = types.value("bool", TypeKind::Bool, Data::Bool(false));
    let inner = types.structure("proc_macro2::fallback::Ident", vec![("sym", text), ("raw", raw)]);
    let inner = types.variant("proc_macro2::imp::Ident", "Fallback", vec![("0", inner)]);
    let ident = types.structure("proc_macro2::Ident", vec![("inner", inner)]);
    let written = "proc_macro2::Ident::new(\"name\",proc_macro2::Span::call_site())";
    assert_eq!(types.written(&ident, &ALL), Ok(written.to_owned()));
    let names = Paths { unnameable: &["proc_macro2::Span"], ..ALL };
    assert_eq!(types.written(&ident, &names), Err("`x`: `proc_macro2::Span` cannot be reached".to_owned()));
}

#[test]
fn what_is_lost_makes_the_value_suspect() {
    let mut types = Types::default();
    let mut span = |hi| {
        let hi = types.uint(32, hi);
        let inner = types.structure("proc_macro2::fallback::Span", vec![("hi", hi)]);
        let inner = types.variant("proc_macro2::imp::Span", "Fallback", vec![("0", inner)]);
        let span = types.structure("proc_macro2::Span", vec![("inner", inner)]);
        types.argument(&span, &ALL, Literals::Inferred).unwrap().1
    };
    assert_eq!(span(0), Trust::Entry);
    assert_eq!(span(7), Trust::Suspect);
}

#[test]
fn numbers_wider_than_arithmetic_are_still_written() {
    let mut types = Types::default();
    let uuid = types.uuid(vec![0xff; 16]);
    let written = "uuid::Uuid::from_u128(0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff)";
    assert_eq!(types.written(&uuid, &ALL), Ok(written.to_owned()));
    let nil = types.uuid(vec![0; 16]);
    assert_eq!(types.written(&nil, &ALL), Ok("uuid::Uuid::nil()".to_owned()));
    let digits = [u128::from(u64::MAX), 1].map(|digit| types.uint(64, digit));
    let digits = types.list(digits.to_vec());
    let big = types.structure("num_bigint::biguint::BigUint", vec![("data", digits)]);
    let written = types.written(&big, &ALL).unwrap();
    assert!(written.starts_with("num_bigint::biguint::BigUint::from_bytes_le(&"), "{written}");
    let digit = types.uint(64, 7);
    let digits = types.list(vec![digit]);
    let small = types.structure("num_bigint::biguint::BigUint", vec![("data", digits)]);
    assert_eq!(types.written(&small, &ALL), Ok("num_bigint::biguint::BigUint::from(7u64)".to_owned()));
}

#[test]
fn a_generic_place_is_told_the_whole_type() {
    let mut types = Types::default();
    let number = types.uint(32, 5);
    let ranged = types.structure("deranged::RangedU32<0, 99>", vec![("0", number)]);
    let written = types.argument(&ranged, &ALL, Literals::Suffixed).unwrap().0;
    assert_eq!(written, "<deranged::RangedU32<0,99>>::new(5).unwrap()");
    assert_eq!(types.written(&ranged, &ALL), Ok("deranged::RangedU32::new(5).unwrap()".to_owned()));
}

#[test]
fn sequences_are_written_by_their_template() {
    let mut types = Types::default();
    let entries = [(1, 2), (3, 4)].map(|(key, value)| {
        let (hash, key, value) = (types.uint(64, 99), types.uint(8, key), types.uint(8, value));
        types.structure("indexmap::Bucket<u8, u8>", vec![("hash", hash), ("key", key), ("value", value)])
    });
    let mut entries = types.list(entries.to_vec());
    let map = |types: &mut Types, entries: Value| {
        let core = types.structure("indexmap::map::core::IndexMapCore<u8, u8>", vec![("entries", entries)]);
        types.structure("indexmap::map::IndexMap<u8, u8>", vec![("core", core)])
    };
    let whole = map(&mut types, entries.clone());
    let written = "core::iter::traits::collect::FromIterator::from_iter([(1,2),(3,4)])";
    assert_eq!(types.written(&whole, &ALL), Ok(written.to_owned()));
    if let Data::Sequence { len, .. } = &mut entries.data {
        *len = 900;
    }
    let cut = map(&mut types, entries);
    assert!(types.written(&cut, &ALL).unwrap_err().contains("2 of 900 elements"));
}

#[test]
fn flags_are_told_by_their_shape() {
    let mut types = Types::default();
    let mut flags = |names: &Paths, bits: u128| {
        let bits = types.uint(16, bits);
        let inner = types.structure("a::style::_::InternalBitFlags", vec![("0", bits)]);
        let flags = types.structure("a::style::Modifier", vec![("0", inner)]);
        types.written(&flags, names)
    };
    let made = Paths { made: true, ..ALL };
    assert_eq!(flags(&ALL, 3), Ok("a::style::Modifier::from_bits_retain(0x3)".to_owned()));
    assert_eq!(flags(&made, 0), Ok("a::style::Modifier::empty()".to_owned()));
    let mut types = Types::default();
    let bits = types.uint(32, 5);
    let old = types.structure("a::Flags", vec![("bits", bits)]);
    assert_eq!(types.written(&old, &made), Ok("a::Flags::from_bits(0x5).unwrap()".to_owned()));
    assert!(types.written(&old, &ALL).is_err(), "nothing says that it is a set of flags");
}

proptest! {
    /// Whatever a crashed process holds, text stays one literal and numbers stay numbers.
    #[test]
    fn nothing_of_the_process_becomes_code(text in ".{0,40}", yof: i128, secs: u128, frac: u128) {
        let mut types = Types::default();
        let (date, time, pattern) = (types.date(yof), types.time(secs, frac), types.text(&text));
        let pattern = types.structure("regex::regex::string::Regex", vec![("pattern", pattern)]);
        let _ = (types.written(&date, &ALL), types.written(&time, &ALL));
        let mut scope = Scope::new("test");
        let written = argument_with("x", &pattern, &types.0, &ALL, &mut scope, Literals::Inferred).unwrap();
        let tokens: TokenStream = written.lets.into_iter().collect();
        let statement: syn::Stmt = syn::parse2(tokens).unwrap();
        let literals = LiteralsOf::default().all(&statement);
        prop_assert_eq!(literals, [text]);
    }
}

/// The string literals of a statement.
#[derive(Default)]
struct LiteralsOf(Vec<String>);

impl LiteralsOf {
    fn all(mut self, statement: &syn::Stmt) -> Vec<String> {
        syn::visit::Visit::visit_stmt(&mut self, statement);
        self.0
    }
}

impl syn::visit::Visit<'_> for LiteralsOf {
    fn visit_lit_str(&mut self, literal: &syn::LitStr) {
        self.0.push(literal.value());
    }
}
