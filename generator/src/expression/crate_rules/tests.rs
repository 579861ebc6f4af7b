mod arrays;
mod exact;
mod forms;
mod lints;

use std::collections::HashSet;

use proc_macro2::TokenStream;
use proptest::prelude::*;
use relapse_snapshot::{Field, Trust, TypeId, TypeTable, Value, VariantShape};
use syn::Expr;

use super::*;
use crate::expression::{Literals, Scope, argument_with};
use crate::names::{Names, Unnameable};

/// A place that sees no field of anything; some functions are gone and some definitions hidden there.
#[derive(Default)]
struct Outside {
    gone: HashSet<&'static str>,
    hidden: HashSet<&'static str>,
    open: bool,
    /// Only of the crate `a`.
    open_parts: bool,
    rules: CrateRules,
    version: &'static str,
}

impl Names for Outside {
    fn rules(&self) -> Option<&CrateRules> {
        Some(&self.rules)
    }

    fn version(&self, _: &str) -> Option<String> {
        Some(self.version.to_owned()).filter(|version| !version.is_empty())
    }

    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        let last = definition.rsplit("::").next().unwrap_or_default();
        if self.hidden.contains(definition) {
            return Err(Unnameable(format!("`{definition}` is private")));
        }
        last.parse().map_err(|_| Unnameable(definition.to_owned()))
    }

    fn literal(&self, definition: &str) -> Result<(), Unnameable> {
        let private = || Unnameable(format!("a field of `{definition}` is private"));
        let is_part = self.open_parts && definition.starts_with("a::");
        if self.open || is_part || definition == "chrono::offset::utc::Utc" { Ok(()) } else { Err(private()) }
    }

    fn has_function(&self, definition: &str, function: &str) -> bool {
        !self.gone.contains(format!("{definition}::{function}").as_str())
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        full_name.parse().map_err(|_| Unnameable(full_name.to_owned()))
    }
}

/// Values as the reader of a process gives them.
#[derive(Default)]
struct Sheet(TypeTable);

impl Sheet {
    fn ty(&mut self, name: &str, kind: TypeKind) -> TypeId {
        self.0.intern(TypeShape { name: name.to_owned(), size: None, kind })
    }

    fn value(&mut self, name: &str, kind: TypeKind, data: Data) -> Value {
        Value { ty: self.ty(name, kind), trust: Trust::Entry, data }
    }

    fn uint(&mut self, bits: u16, number: u128) -> Value {
        self.value(&format!("u{bits}"), TypeKind::Integer { signed: false, bits }, Data::Uint(number))
    }

    fn int(&mut self, bits: u16, number: i128) -> Value {
        self.value(&format!("i{bits}"), TypeKind::Integer { signed: true, bits }, Data::Int(number))
    }

    fn text(&mut self, text: &str) -> Value {
        let kind = TypeKind::Std { std: relapse_snapshot::StdType::String, params: vec![] };
        let data = Data::Text { text: text.to_owned(), len: text.len() as u64 };
        self.value("alloc::string::String", kind, data)
    }

    fn list(&mut self, items: Vec<Value>, len: u64) -> Value {
        let kind = TypeKind::Std { std: relapse_snapshot::StdType::Vec, params: vec![] };
        self.value("alloc::vec::Vec<T, alloc::alloc::Global>", kind, Data::Sequence { items, len })
    }

    fn structure(&mut self, name: &str, fields: Vec<(&str, Value)>) -> Value {
        let kind = TypeKind::Struct { fields: vec![], tuple: false, params: vec![] };
        let field = |(name, value): (&str, Value)| Field { name: name.to_owned(), value };
        self.value(name, kind, Data::Struct(fields.into_iter().map(field).collect()))
    }

    fn variant(&mut self, name: &str, variant: &str, fields: Vec<(&str, Value)>) -> Value {
        let shape = VariantShape { name: variant.to_owned(), fields: vec![], tuple: true };
        let kind = TypeKind::Enum { variants: vec![shape], params: vec![] };
        let fields = fields.into_iter().map(|(name, value)| Field { name: name.to_owned(), value }).collect();
        self.value(name, kind, Data::Variant { name: variant.to_owned(), fields })
    }

    fn date(&mut self, year: i128, day_of_year: i128) -> Value {
        let yof = self.int(32, year << 13 | day_of_year << 4 | 7);
        self.structure("chrono::naive::date::NaiveDate", vec![("yof", yof)])
    }

    fn time(&mut self, secs: u128, frac: u128) -> Value {
        let fields = vec![("secs", self.uint(32, secs)), ("frac", self.uint(32, frac))];
        self.structure("chrono::naive::time::NaiveTime", fields)
    }

    fn datetime(&mut self, frac: u128) -> Value {
        let fields = vec![("date", self.date(2021, 87)), ("time", self.time(3723, frac))];
        self.structure("chrono::naive::datetime::NaiveDateTime", fields)
    }

    fn in_zone(&mut self, zone: &str) -> Value {
        let fields = vec![("datetime", self.datetime(0)), ("offset", self.structure(zone, vec![]))];
        self.structure(&format!("chrono::datetime::DateTime<{zone}>"), fields)
    }

    /// An identifier of proc-macro2 outside of a macro's process.
    fn ident(&mut self, text: &str, hi: u128) -> Value {
        let raw = self.value("bool", TypeKind::Bool, Data::Bool(false));
        let hi = self.uint(32, hi);
        let span = self.structure("proc_macro2::fallback::Span", vec![("hi", hi)]);
        let fields = vec![("sym", self.text(text)), ("span", span), ("raw", raw)];
        let fallback = self.structure("proc_macro2::fallback::Ident", fields);
        let inner = self.variant("proc_macro2::imp::Ident", "Fallback", vec![("0", fallback)]);
        self.structure("proc_macro2::Ident", vec![("inner", inner)])
    }

    fn write(&self, value: &Value, names: &Outside) -> Result<(String, Trust), String> {
        let mut scope = Scope::new("test");
        let written = argument_with("value", value, &self.0, names, &mut scope, Literals::Inferred);
        let written = written.map_err(|unwritable| unwritable.to_string())?;
        let text = written.lets.iter().map(ToString::to_string).collect::<String>().replace(' ', "");
        Ok((text, written.trust))
    }

    fn written(&self, value: &Value) -> String {
        let (text, _) = self.write(value, &Outside::default()).unwrap();
        text.strip_prefix("letvalue=").unwrap_or(&text).trim_end_matches(';').to_owned()
    }

    fn refused(&self, value: &Value) -> String {
        self.write(value, &Outside::default()).unwrap_err()
    }
}

fn rules_of(text: &str) -> Result<CrateRules, RuleError> {
    CrateRules::among(text)
}

/// The number that a formula comes to for a struct with the fields `a` and `b`.
fn computed(formula: &str, a: i128, b: i128) -> Option<String> {
    let mut sheet = Sheet::default();
    let fields = vec![("a", sheet.int(128, a)), ("b", sheet.int(128, b))];
    let value = sheet.structure("x::Y", fields);
    let formula = Formula::read(&syn::parse_str(formula).unwrap()).unwrap();
    let number = formula.compute(&value, &sheet.0)?;
    rendered(&number).map(|tokens| tokens.to_string().replace(' ', ""))
}

#[test]
fn the_rules_can_be_read() {
    let rules = rules_of(include_str!("../crate_rules.toml"));
    assert!(rules.as_ref().is_ok_and(|rules| rules.texts().len() > 150), "{:?}", rules.err());
    assert_eq!(built_in(), rules.unwrap().texts());
}

#[test]
fn a_broken_rule_is_told() {
    for broken in [
        "[[rule]]\nbuild = 'Self::new()'",
        "[[rule]]\ntype = 'a::B'",
        "[[rule]]\ntype = 5\nbuild = 'Self::new()'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new('",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ a + })'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ a ^ 1 })'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ month(a) })'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ format!(\"{}\", a) })'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ text(a + 1) })'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ each(a) })'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new()'\nwhen = '\"a\"'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new()'\nneeds = 'new'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new()'\nwhere = 'a'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new()'\nrefuse = 'no'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new()'\nversion = '1.2'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ only(a == 1) })'",
        "[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ bits(a) })'",
        "[rule]\ntype = 'a::B'\nbuild = 'Self::new()'",
    ] {
        assert!(rules_of(broken).is_err(), "{broken}");
    }
    assert!(rules_of("[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ a }, { b >> 1 })'").is_ok());
}

#[test]
fn formulas_are_computed_as_rust_does() {
    let number = |formula| computed(formula, 16_571_264, 3).unwrap();
    assert_eq!(number("a >> 13"), "2022");
    assert_eq!(number("a >> 4 & 0x1ff"), "440");
    assert_eq!(number("(a + b) * 2 - 1"), "33_142_533");
    assert_eq!(number("-a / b % 7"), "-5");
    assert_eq!(number("b << 32 | 1"), "12_884_901_889");
    assert_eq!(number("b == 3 && !(a < b)"), "true");
    assert_eq!(number("b as u64"), "3u64");
    assert_eq!(number("hex(a, 8)"), "0x00fc_db80");
    assert_eq!(computed("a >> 13", -4 << 13, 0).as_deref(), Some("-4"));
}

#[test]
fn formulas_that_do_not_fit_come_to_nothing() {
    for formula in [
        "a * a",
        "a + a",
        "a - b",
        "-b",
        "a / 0",
        "a % 0",
        "b / (0 - 1)",
        "1 << 127",
        "a << 1",
        "1 << a",
        "1 >> 128",
        "1 >> b",
        "c",
        "a.x",
        "a[0]",
        "*a",
        "a.Some.0",
        "month(a, 1)",
        "month(2021, b)",
        "day(2021, 366)",
        "a as u8",
        "b as u64",
        "a as str",
        "hex(b, 1)",
        "be(a)",
        "len(a)",
        "a == (b == b)",
        "a && b",
    ] {
        let come = computed(formula, i128::MAX, i128::MIN);
        // A year may be of any size; both sides of `&&` may be no flags, which is not true.
        let expected = match formula {
            "month(a, 1)" => Some("1".to_owned()),
            "a && b" => Some("false".to_owned()),
            _ => None,
        };
        assert_eq!(come, expected, "{formula}");
    }
}

#[test]
fn dates_read_as_a_person_writes_them() {
    let mut s = Sheet::default();
    let date = s.date(2021, 87);
    assert_eq!(s.written(&date), "NaiveDate::from_ymd_opt(2021,3,28).unwrap()");
    let date = s.date(-4, 366);
    assert_eq!(s.written(&date), "NaiveDate::from_ymd_opt(-4,12,31).unwrap()");
    let time = s.time(3723, 0);
    assert_eq!(s.written(&time), "NaiveTime::from_hms_opt(1,2,3).unwrap()");
    let time = s.time(3723, 5_000_000);
    assert_eq!(s.written(&time), "NaiveTime::from_hms_milli_opt(1,2,3,5).unwrap()");
    let moment = s.datetime(0);
    assert_eq!(s.written(&moment), "NaiveDate::from_ymd_opt(2021,3,28).unwrap().and_hms_opt(1,2,3).unwrap()");
    let moment = s.datetime(1);
    assert_eq!(
        s.written(&moment),
        "NaiveDateTime::new(NaiveDate::from_ymd_opt(2021,3,28).unwrap(),\
         NaiveTime::from_hms_nano_opt(1,2,3,1).unwrap())"
    );
    let utc = s.in_zone("chrono::offset::utc::Utc");
    assert!(s.written(&utc).ends_with(".and_hms_opt(1,2,3).unwrap().and_utc()"), "{}", s.written(&utc));
}

#[test]
fn what_no_constructor_gives_is_refused_as_before() {
    let mut s = Sheet::default();
    for date in [s.date(2021, 0), s.date(2021, 366), s.date(2021, 511)] {
        assert!(s.refused(&date).contains("`chrono::naive::date::NaiveDate`"), "{}", s.refused(&date));
    }
    // A leap second that is none.
    let time = s.time(3723, 1_500_000_000);
    assert!(s.refused(&time).contains("private"), "{}", s.refused(&time));
    let local = s.in_zone("chrono::offset::local::Local");
    assert!(s.refused(&local).contains("private"), "{}", s.refused(&local));
    let other = s.structure("chrono::naive::date::NaiveDate", vec![]);
    assert!(s.refused(&other).contains("private"), "{}", s.refused(&other));
}

#[test]
fn an_open_type_is_written_by_its_fields() {
    let mut s = Sheet::default();
    let date = s.date(2021, 87);
    let (text, _) = s.write(&date, &Outside { open: true, ..Outside::default() }).unwrap();
    assert!(text.contains("NaiveDate{yof:"), "{text}");
}

#[test]
fn a_version_without_a_function_gets_another_rule() {
    let mut s = Sheet::default();
    let utc = s.in_zone("chrono::offset::utc::Utc");
    let mut names = Outside::default();
    names.gone.insert("chrono::naive::datetime::NaiveDateTime::and_utc");
    let (text, _) = s.write(&utc, &names).unwrap();
    assert!(text.starts_with("letvalue=DateTime::from_naive_utc_and_offset("), "{text}");
    names.gone.insert("chrono::datetime::DateTime::from_naive_utc_and_offset");
    let (text, _) = s.write(&utc, &names).unwrap();
    assert!(text.starts_with("letvalue=DateTime::from_utc("), "{text}");
    names.gone.insert("chrono::datetime::DateTime::from_utc");
    assert!(s.write(&utc, &names).unwrap_err().contains("private"));
}

#[test]
fn what_cannot_be_named_is_refused_with_the_reason() {
    let mut s = Sheet::default();
    let (date, ident) = (s.date(2021, 87), s.ident("x", 0));
    let mut names = Outside::default();
    names.hidden.insert("chrono::naive::date::NaiveDate");
    names.hidden.insert("proc_macro2::Span");
    let refused = s.write(&date, &names).unwrap_err();
    assert!(refused.ends_with("`chrono::naive::date::NaiveDate` is private"), "{refused}");
    let refused = s.write(&ident, &names).unwrap_err();
    assert!(refused.ends_with("`proc_macro2::Span` is private"), "{refused}");
}

#[test]
fn text_of_a_process_becomes_a_literal_only() {
    let mut s = Sheet::default();
    for text in ["a", "\"); std::process::abort(); (\"", "{ self }", "\0\u{202e}*/", "Self::new()"] {
        let ident = s.ident(text, 0);
        let (written, trust) = s.write(&ident, &Outside::default()).unwrap();
        let statement: syn::Stmt = syn::parse_str(&written.replacen("let", "let ", 1)).unwrap();
        let syn::Stmt::Local(local) = statement else { panic!("{written}") };
        let Expr::Call(call) = &*local.init.unwrap().expr else { panic!("{written}") };
        let Some(Expr::Lit(literal)) = call.args.first() else { panic!("{written}") };
        let syn::Lit::Str(literal) = &literal.lit else { panic!("{written}") };
        assert_eq!(literal.value().replace(' ', ""), text.replace(' ', ""));
        assert_eq!((call.args.len(), trust), (2, Trust::Entry));
    }
}

#[test]
fn a_span_that_is_lost_makes_the_value_suspect() {
    let mut s = Sheet::default();
    let ident = s.ident("x", 7);
    let (written, trust) = s.write(&ident, &Outside::default()).unwrap();
    assert_eq!((written.as_str(), trust), ("letvalue=Ident::new(\"x\",Span::call_site());", Trust::Suspect));
}

#[test]
fn what_was_not_read_and_is_not_written_is_no_reason_for_doubt() {
    let mut s = Sheet::default();
    let storage = Value {
        trust: Trust::Unreadable,
        ..s.value("U", TypeKind::Union, Data::Missing("union".to_owned()))
    };
    let capacity = s.uint(64, 0);
    let empty = s.structure("smallvec::SmallVec", vec![("capacity", capacity), ("data", storage)]);
    let (text, trust) = s.write(&empty, &Outside::default()).unwrap();
    assert_eq!((text.as_str(), trust), ("letvalue=SmallVec::new();", Trust::Entry));
}

#[test]
fn a_collection_of_a_fixed_size_is_made_of_its_elements() {
    let mut s = Sheet::default();
    let (key, held) = (s.uint(8, 1), s.uint(8, 2));
    let kind = TypeKind::Tuple(vec![key.ty, held.ty]);
    let pair = s.value("(u8, u8)", kind, Data::Tuple(vec![key, held]));
    for (items, of_vec, of_map) in [
        (vec![], "Vec::new()", "LinearMap::new()"),
        (vec![pair], "FromIterator::from_iter([(1,2)])", "FromIterator::from_iter([(1,2)])"),
    ] {
        let kind = TypeKind::Struct { fields: vec![], tuple: false, params: vec![] };
        let len = items.len() as u64;
        let vec = s.value("heapless::vec::Vec<(u8, u8), 4>", kind, Data::Sequence { items, len });
        assert_eq!(s.written(&vec), of_vec);
        let map = s.structure("heapless::linear_map::LinearMap<u8, u8, 4>", vec![("buffer", vec)]);
        assert_eq!(s.written(&map), of_map);
    }
}

#[test]
fn a_lock_that_was_held_is_built_free_and_suspect() {
    let mut s = Sheet::default();
    for (state, expected) in [(0, Trust::Entry), (1, Trust::Suspect)] {
        let state = s.uint(8, state);
        let inner = Box::new(s.uint(8, 5));
        let cell = TypeKind::Std { std: relapse_snapshot::StdType::UnsafeCell, params: vec![] };
        let data =
            s.value("core::cell::UnsafeCell<u8>", cell, Data::Cell { inner, state: 0, poisoned: false });
        let raw = s.structure("parking_lot::raw_mutex::RawMutex", vec![("state", state)]);
        let lock = s.structure("lock_api::mutex::Mutex<R, u8>", vec![("raw", raw), ("data", data)]);
        let (written, trust) = s.write(&lock, &Outside::default()).unwrap();
        assert_eq!((written.as_str(), trust), ("letvalue=Mutex::new(5);", expected));
    }
}

#[test]
fn a_sequence_that_was_cut_off_is_refused() {
    let mut s = Sheet::default();
    let mut map = |len| {
        let (key, value) = (s.uint(8, 1), s.uint(8, 2));
        let bucket = s.structure("indexmap::Bucket<u8, u8>", vec![("key", key), ("value", value)]);
        let entries = s.list(vec![bucket], len);
        let core = s.structure("indexmap::map::core::IndexMapCore<u8, u8>", vec![("entries", entries)]);
        let map = s.structure("indexmap::map::IndexMap<u8, u8, S>", vec![("core", core)]);
        s.write(&map, &Outside::default())
    };
    assert!(map(1).unwrap().0.contains("[(1,2)]"));
    assert!(map(900).unwrap_err().contains("longer than what was read"));
}

#[test]
fn digits_become_a_number_or_bytes() {
    let mut s = Sheet::default();
    let digits = vec![s.uint(64, 1), s.uint(64, 2)];
    for (digits, len, expected) in [
        (digits[..1].to_vec(), 1, Some("BigUint::from(1u64)")),
        (digits.clone(), 2, Some("BigUint::from_bytes_le(&[1,0,0,0,0,0,0,0,2,0,0,0,0,0,0,0])")),
        (vec![], 0, Some("BigUint::from(0u64)")),
        (digits, 3, None),
    ] {
        let data = s.list(digits, len);
        let number = s.structure("num_bigint::biguint::BigUint", vec![("data", data)]);
        match expected {
            Some(expected) => assert_eq!(s.written(&number), expected),
            None => assert!(s.refused(&number).contains("private")),
        }
    }
}

#[test]
fn nesting_is_bounded() {
    let mut s = Sheet::default();
    let mut value = s.uint(8, 1);
    for _ in 0..500 {
        let lock = s.structure("parking_lot::raw_mutex::RawMutex", vec![]);
        let inner = Box::new(value);
        let cell = TypeKind::Std { std: relapse_snapshot::StdType::UnsafeCell, params: vec![] };
        let data =
            s.value("core::cell::UnsafeCell<T>", cell, Data::Cell { inner, state: 0, poisoned: false });
        value = s.structure("lock_api::mutex::Mutex<R, T>", vec![("raw", lock), ("data", data)]);
    }
    assert!(s.refused(&value).contains("nested deeper"), "{}", s.refused(&value));
}

#[test]
fn sets_of_flags_are_told_by_their_shape() {
    let mut s = Sheet::default();
    for (bits, expected) in [(3, "Flags::from_bits_retain(0x3)"), (0, "Flags::empty()")] {
        let bits = s.uint(32, bits);
        let inner = s.structure("app::_::InternalBitFlags", vec![("0", bits)]);
        let flags = s.structure("app::Flags", vec![("0", inner)]);
        assert_eq!(s.written(&flags), expected);
    }
}

#[test]
fn an_empty_part_of_a_list_leaves_no_comma() {
    let mut s = Sheet::default();
    let (inner, word) = (s.list(vec![], 0), s.ident("x", 0));
    let kind = TypeKind::Std { std: relapse_snapshot::StdType::Box, params: vec![] };
    let word = s.value("alloc::boxed::Box<T>", kind, Data::Pointer { address: 8, to: Some(Box::new(word)) });
    let last = s.variant("core::option::Option<T>", "Some", vec![("0", word)]);
    let list = s.structure("syn::punctuated::Punctuated<T, P>", vec![("inner", inner), ("last", last)]);
    assert_eq!(s.written(&list), "FromIterator::from_iter([Pair::End(Ident::new(\"x\",Span::call_site()))])");
}

#[test]
fn what_was_not_read_is_told_instead_of_private_fields() {
    let mut s = Sheet::default();
    let kind = TypeKind::Opaque;
    let inner = s.value("proc_macro2::imp::Ident", kind, Data::Missing("deeper than 24 levels".to_owned()));
    let ident = s.structure("proc_macro2::Ident", vec![("inner", inner)]);
    assert_eq!(s.refused(&ident), "`value`: could not be read: deeper than 24 levels");
}

#[test]
fn a_variant_is_left_out_where_there_is_no_enum() {
    let mut s = Sheet::default();
    let raw = s.value("bool", TypeKind::Bool, Data::Bool(true));
    let fields = vec![("sym", s.text("fn")), ("raw", raw)];
    let inner = s.structure("proc_macro2::fallback::Ident", fields);
    let ident = s.structure("proc_macro2::Ident", vec![("inner", inner.clone())]);
    assert_eq!(s.written(&ident), "Ident::new_raw(\"fn\",Span::call_site())");
    let inner = s.variant("proc_macro2::imp::Ident", "Compiler", vec![("0", inner)]);
    let ident = s.structure("proc_macro2::Ident", vec![("inner", inner)]);
    assert!(s.refused(&ident).contains("private"));
}
