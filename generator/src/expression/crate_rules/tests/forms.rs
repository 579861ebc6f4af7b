//! Forms that a rule may have, one by one.

use super::*;

impl Sheet {
    fn uuid(&mut self, bytes: Vec<u8>) -> Value {
        let of = self.uint(8, 0).ty;
        let len = bytes.len() as u64;
        let bytes = self.value("[u8; 16]", TypeKind::Array { of, len }, Data::Bytes { bytes, len });
        self.structure("uuid::Uuid", vec![("0", bytes)])
    }
}

#[test]
fn numbers_wider_than_arithmetic_are_still_written() {
    let mut s = Sheet::default();
    let uuid = s.uuid(vec![0xff; 16]);
    assert_eq!(s.written(&uuid), "Uuid::from_u128(0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff)");
    let uuid = s.uuid((0..16).collect());
    assert_eq!(s.written(&uuid), "Uuid::from_u128(0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0f)");
    let nil = s.uuid(vec![0; 16]);
    assert_eq!(s.written(&nil), "Uuid::nil()");
}

#[test]
fn a_generic_place_is_told_the_whole_type() {
    let mut s = Sheet::default();
    let number = s.uint(32, 5);
    let ranged = s.structure("deranged::RangedU32<0, 99>", vec![("0", number)]);
    let entries = s.list(vec![], 0);
    let core = s.structure("indexmap::map::core::Core<u8, u8>", vec![("entries", entries)]);
    let map = s.structure("indexmap::map::IndexMap<u8, u8, S>", vec![("core", core)]);
    for (value, typed, inferred) in [
        (ranged, "<deranged::RangedU32<0,99>>::new(5).unwrap()", "RangedU32::new(5).unwrap()"),
        (map, "<indexmap::map::IndexMap<u8,u8,S>>::default()", "IndexMap::default()"),
    ] {
        let mut scope = Scope::new("test");
        let written =
            argument_with("x", &value, &s.0, &Outside::default(), &mut scope, Literals::Suffixed).unwrap();
        assert_eq!(written.lets[0].to_string().replace(' ', ""), format!("letx={typed};"));
        assert_eq!(s.written(&value), inferred);
    }
}

/// A place where every type is made by bitflags' macro, and its fields are open.
struct MadeByBitflags;

impl Names for MadeByBitflags {
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        Outside::default().path(definition)
    }

    fn literal(&self, _: &str) -> Result<(), Unnameable> {
        Ok(())
    }

    fn is_made_by(&self, _: &str, macro_name: &str) -> bool {
        macro_name == "bitflags"
    }

    fn flags(&self, _: &str) -> Vec<(String, u128)> {
        [("READ", 1), ("WRITE", 2), ("BOTH", 3)].map(|(name, bits)| (name.to_owned(), bits)).to_vec()
    }

    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable> {
        Outside::default().type_tokens(full_name)
    }
}

#[test]
fn flags_are_written_by_their_names_where_all_are_known() {
    for (bits, expected) in
        [(1, "Flags::READ"), (3, "Flags::BOTH"), (5, "Flags::from_bits(0x5).unwrap()"), (0, "Flags::empty()")]
    {
        let mut s = Sheet::default();
        let bits = s.uint(32, bits);
        let flags = s.structure("a::Flags", vec![("bits", bits)]);
        let mut scope = Scope::new("test");
        let written =
            argument_with("x", &flags, &s.0, &MadeByBitflags, &mut scope, Literals::Inferred).unwrap();
        assert_eq!(written.lets[0].to_string().replace(' ', ""), format!("letx={expected};"));
    }
}

#[test]
fn flags_of_the_first_version_are_told_by_the_macro_that_made_them() {
    let mut s = Sheet::default();
    let bits = s.uint(32, 5);
    let flags = s.structure("a::Flags", vec![("bits", bits)]);
    let mut scope = Scope::new("test");
    let written = argument_with("x", &flags, &s.0, &MadeByBitflags, &mut scope, Literals::Inferred).unwrap();
    assert_eq!(written.lets[0].to_string().replace(' ', ""), "letx=Flags::from_bits(0x5).unwrap();");
    assert!(s.refused(&flags).contains("private"), "nothing says that it is a set of flags");
}

proptest! {
    /// Whatever a crashed process holds, text stays one literal and numbers stay numbers.
    #[test]
    fn nothing_of_the_process_becomes_code(text in ".{0,40}", yof: i128, secs: u128, frac: u128) {
        let mut s = Sheet::default();
        let (number, time, pattern) = (s.int(128, yof), s.time(secs, frac), s.text(&text));
        let date = s.structure("chrono::naive::date::NaiveDate", vec![("yof", number)]);
        let pattern = s.structure("regex::regex::string::Regex", vec![("pattern", pattern)]);
        let names = Outside::default();
        let _ = (s.write(&date, &names), s.write(&time, &names));
        let mut scope = Scope::new("test");
        let written = argument_with("x", &pattern, &s.0, &names, &mut scope, Literals::Inferred).unwrap();
        let statement: syn::Stmt = syn::parse2(written.lets.into_iter().collect()).unwrap();
        prop_assert_eq!(LiteralsOf::default().all(&statement), [text]);
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

#[test]
fn letters_in_place_of_a_pointer_are_text() {
    let mut s = Sheet::default();
    for (address, expected) in [
        (u64::MAX, Some("Prerelease::EMPTY")),
        (u64::from_le_bytes(*b"alpha.1\0"), Some("Prerelease::new(\"alpha.1\").unwrap()")),
        (u64::from_le_bytes(*b"12345678"), Some("Prerelease::new(\"12345678\").unwrap()")),
        (u64::from_le_bytes(*b"a\0b\0\0\0\0\0"), None),
        (u64::from_le_bytes(*b"a\"\n\0\0\0\0\0"), None),
        (0, None),
        (1 << 63 | 0x5555, None),
    ] {
        let kind = TypeKind::Std { std: relapse_snapshot::StdType::NonNull, params: vec![] };
        let head = s.value("core::ptr::NonNull<u8>", kind, Data::Pointer { address, to: None });
        let identifier = s.structure("semver::identifier::Identifier", vec![("head", head)]);
        let value = s.structure("semver::Prerelease", vec![("identifier", identifier)]);
        match expected {
            Some(expected) => assert_eq!(s.written(&value), expected),
            None => assert!(s.refused(&value).contains("private")),
        }
    }
}

#[test]
fn a_decimal_that_its_constructor_would_change_is_refused() {
    let mut s = Sheet::default();
    for (flags, mid, lo, expected) in [
        (2 << 16, 0, 314, Some("Decimal::new(314,2)")),
        (1 << 31 | 2 << 16, 0, 314, Some("Decimal::new(-314,2)")),
        (1 << 31, 0x8000_0000, 1, Some("Decimal::from_parts(1,2_147_483_648,0,true,0)")),
        (0, 0, 0, Some("Decimal::new(0,0)")),
        (1 << 31, 0, 0, None),
    ] {
        let fields = [("flags", flags), ("hi", 0), ("lo", lo), ("mid", mid)];
        let fields = fields.map(|(name, number)| (name, s.uint(32, number))).to_vec();
        let value = s.structure("rust_decimal::decimal::Decimal", fields);
        match expected {
            Some(expected) => assert_eq!(s.written(&value), expected),
            None => assert!(s.refused(&value).contains("private")),
        }
    }
}

fn outside_with(rules: &str) -> Outside {
    Outside { rules: rules_of(rules).unwrap(), ..Outside::default() }
}

#[test]
fn rules_of_a_project_come_first() {
    let mut sheet = Sheet::default();
    let date = sheet.date(2021, 87);
    let rule = "[[rule]]\ntype = 'chrono::naive::date::NaiveDate'\nbuild = 'Self::of({ yof >> 13 })'";
    let (text, _) = sheet.write(&date, &outside_with(rule)).unwrap();
    assert_eq!(text, "letvalue=NaiveDate::of(2021);");
    // Also where a literal could be written.
    let own = Outside { open: true, ..outside_with(rule) };
    assert_eq!(sheet.write(&date, &own).unwrap().0, text);
    let refusal = "[[rule]]\ntype = 'chrono::naive::date::NaiveDate'\nrefuse = 'not today'";
    assert!(sheet.write(&date, &outside_with(refusal)).unwrap_err().contains("not today"));
}

#[test]
fn the_version_of_the_crate_tells_which_bit_a_year_begins_at() {
    let mut sheet = Sheet::default();
    let value = sheet.int(32, 2024 << 10 | 1 << 9 | 0x3c);
    let date = sheet.structure("time::date::Date", vec![("value", value)]);
    for (version, year) in [("0.3.38", 2024), ("0.3.37", 4049)] {
        let names = Outside { version, ..Outside::default() };
        let (text, _) = sheet.write(&date, &names).unwrap();
        assert_eq!(text, format!("letvalue=Date::from_ordinal_date({year},60).unwrap();"));
    }
    sheet.write(&date, &Outside::default()).unwrap_err();
}

#[test]
fn what_a_reader_took_from_memory_is_written_by_a_rule() {
    let mut sheet = Sheet::default();
    let kind = || TypeKind::Struct { fields: vec![], tuple: false, params: vec![] };
    let bytes = Data::Bytes { bytes: b"ab".to_vec(), len: 2 };
    let shared = sheet.value("bytes::bytes::Bytes", kind(), bytes);
    assert_eq!(sheet.written(&shared), "Bytes::from_static(b\"ab\")");
    let cut = sheet.value("bytes::bytes::Bytes", kind(), Data::Bytes { bytes: b"ab".to_vec(), len: 5 });
    sheet.refused(&cut);
    let pairs = [(2, "b"), (1, "a")].map(|(key, value)| {
        let pair = vec![sheet.uint(8, key), sheet.text(value)];
        sheet.value("(u8, alloc::string::String)", TypeKind::Tuple(vec![]), Data::Tuple(pair))
    });
    let table =
        sheet.value("hashbrown::raw::RawTable<T>", kind(), Data::Sequence { items: pairs.to_vec(), len: 2 });
    let map =
        sheet.structure("hashbrown::map::HashMap<u8, alloc::string::String, S>", vec![("table", table)]);
    assert!(sheet.written(&map).contains("from_iter([(1,String::from(\"a\")),(2,String::from(\"b\"))])"));
}

#[test]
fn parts_of_a_template_depend_on_the_value() {
    let mut sheet = Sheet::default();
    let rule = "[[rule]]\ntype = 'a::B'\nbuild = \"Self::new(){ only(x != 0, .x({ x })) }{ only(y != 0, .y({ y })) }\"
        [[rule]]\ntype = 'a::C'\nbuild = 'Self { { x: { x } } }([{ bits(words, 3) }], [{ each_of(items, is(self.Full), ({ at() }, { self.Full.0 })) }], { text(\"<\", name, \">\") }, { kebab(kind) })'";
    let rule = rule.replace("Self { { x: { x } } }", "Self {{ x: { x } }}");
    let names = outside_with(&rule);
    let fields = vec![("x", sheet.uint(8, 0)), ("y", sheet.uint(8, 7))];
    let value = sheet.structure("a::B", fields);
    assert_eq!(sheet.write(&value, &names).unwrap().0, "letvalue=B::new().y(7);");
    let words = vec![sheet.uint(32, 0b101)];
    let full = sheet.uint(8, 9);
    let items =
        vec![sheet.variant("a::E", "Empty", vec![]), sheet.variant("a::E", "Full", vec![("0", full)])];
    let fields = vec![
        ("x", sheet.uint(8, 1)),
        ("words", sheet.list(words, 1)),
        ("items", sheet.list(items, 2)),
        ("name", sheet.text("n")),
        ("kind", sheet.variant("a::K", "ContentType", vec![])),
    ];
    let value = sheet.structure("a::C", fields);
    let expected = "letvalue=C{x:1}([true,false,true],[(1,9)],\"<n>\",\"content-type\");";
    assert_eq!(sheet.write(&value, &names).unwrap().0, expected);
}

#[test]
fn a_reference_to_what_has_no_size_is_built_as_a_whole() {
    let mut sheet = Sheet::default();
    let bytes = Data::Bytes { bytes: b"ab".to_vec(), len: 2 };
    let byte = sheet.ty("u8", TypeKind::Integer { signed: false, bits: 8 });
    let slice = sheet.value("[u8]", TypeKind::Slice(byte), bytes);
    let shape = relapse_snapshot::FieldShape { name: "bytes".to_owned(), ty: slice.ty };
    let kind = TypeKind::Struct { fields: vec![shape], tuple: false, params: vec![] };
    let field = Field { name: "bytes".to_owned(), value: slice };
    let inner = sheet.value("bstr::bstr::BStr", kind, Data::Struct(vec![field]));
    let kind = TypeKind::Reference { to: inner.ty, mutable: false };
    let data = Data::Pointer { address: 16, to: Some(Box::new(inner)) };
    let value = sheet.value("&bstr::bstr::BStr", kind, data);
    assert_eq!(sheet.written(&value), "BStr::new(b\"ab\")");
}

#[test]
fn a_finder_that_owns_its_needle_is_made_of_it() {
    let mut s = Sheet::default();
    let slice = TypeKind::Slice(TypeId(0));
    let bytes = s.value("[u8]", slice, Data::Bytes { bytes: b"ab".to_vec(), len: 2 });
    let kind = TypeKind::Std { std: relapse_snapshot::StdType::Box, params: vec![] };
    let data = Data::Pointer { address: 16, to: Some(Box::new(bytes)) };
    let owned = s.value("alloc::boxed::Box<[u8], alloc::alloc::Global>", kind, data);
    let needle = s.variant("memchr::cow::Imp", "Owned", vec![("0", owned)]);
    let needle = s.structure("memchr::cow::CowBytes", vec![("0", needle)]);
    let finder = s.structure("memchr::memmem::Finder", vec![("needle", needle)]);
    assert_eq!(s.written(&finder), "Finder::new(b\"ab\").into_owned()");
}

#[test]
fn calls_have_no_commas_and_all_knows_the_place_of_an_element() {
    let rules = CrateRules::among(
        "[[rule]]\ntype = \"a::Names\"\nwhen = \"all(items, self >= at())\"\n\
         build = \"Self::new(){ calls(items, .add({ number(self) })) }{ calls_of(items, self > 1, .mark()) }.build()\"\n\
         [[rule]]\ntype = \"a::Names\"\nbuild = \"Self::other()\"",
    )
    .unwrap();
    let written = |numbers: &[u128]| {
        let mut s = Sheet::default();
        let items = numbers.iter().map(|number| s.uint(8, *number)).collect();
        let list = s.list(items, numbers.len() as u64);
        let names = s.structure("a::Names", vec![("items", list)]);
        let outside = Outside { rules: rules.clone(), ..Outside::default() };
        let mut scope = Scope::new("test");
        let written = argument_with("x", &names, &s.0, &outside, &mut scope, Literals::Suffixed).unwrap();
        written.lets[0].to_string().replace(' ', "")
    };
    assert_eq!(written(&[0, 1, 5]), "letx=Names::new().add(0).add(1).add(5).mark().build();");
    assert_eq!(written(&[]), "letx=Names::new().build();");
    assert_eq!(written(&[0, 0]), "letx=Names::other();");
}

#[test]
fn a_receiver_says_its_whole_type_where_nothing_else_tells_it() {
    let mut s = Sheet::default();
    let raw = s.int(32, 0);
    let fixed = s.structure("a::Fixed<8>", vec![("raw", raw)]);
    let outside = Outside { open: true, ..Outside::default() };
    for (literals, expected) in [
        (Literals::Inferred, "letfixed=Fixed{raw:0};"),
        (Literals::Annotated, "letfixed:a::Fixed<8>=Fixed{raw:0};"),
    ] {
        let mut scope = Scope::new("test");
        let written = argument_with("self", &fixed, &s.0, &outside, &mut scope, literals).unwrap();
        assert_eq!(written.lets[0].to_string().replace(' ', ""), expected);
    }
}

#[test]
fn what_follows_bytes_is_of_all_of_them() {
    let mut sheet = Sheet::default();
    let mut written = |bytes: &[u8]| {
        let data = Data::Bytes { bytes: bytes.to_vec(), len: bytes.len() as u64 };
        let kind = TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() };
        let value = sheet.value("bytes::bytes_mut::BytesMut", kind, data);
        sheet.written(&value)
    };
    assert_eq!(written(b"ab"), "BytesMut::from(&b\"ab\"[..])");
    assert_eq!(written(&[0, 255]), "BytesMut::from(&(&[0x00,0xff])[..])");
}
