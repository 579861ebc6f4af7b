//! Expressions that were written are compiled by rustc and compared, by type and `Debug`, with what they
//! should be; the file that holds them all must please rustfmt.

#![allow(
    clippy::unwrap_used,
    clippy::approx_constant,
    reason = "a test may fail so; 3.14 is what is to be written"
)]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "expressions_compile/sheet.rs"]
mod sheet;

use std::fmt::Write as _;
use std::process::Command;

use relapse_generator::expression::{Literals, Scope, argument_with, body, format};
use relapse_snapshot::{Data, StdType, Trust, TypeKind, Value};
use sheet::{PublicNames, Sheet};

/// One argument of a call: what was read, the parameter's type, what `{:?}` must show.
struct Case {
    parameter: &'static str,
    value: Value,
    literals: Literals,
    ty: &'static str,
    shown: &'static str,
}

fn all_cases(s: &mut Sheet) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |value: Value, ty: &'static str, shown: &'static str| {
        cases.push(Case { parameter: "input", value, literals: Literals::Inferred, ty, shown });
    };
    // Scalars.
    case(s.uint("u8", 5), "u8", "5");
    case(s.int("i64", i128::from(i64::MIN)), "i64", "-9223372036854775808");
    case(s.uint("u128", u128::MAX), "u128", "340282366920938463463374607431768211455");
    case(s.uint("usize", 6), "usize", "6");
    case(s.f64(0.1), "f64", "0.1");
    case(s.f64(-0.0), "f64", "-0.0");
    case(s.f64(1e300), "f64", "1e300");
    case(s.f64(3.14), "f64", "3.14");
    case(s.f64(f64::NAN), "f64", "NaN");
    case(s.f64(f64::from_bits(0x7ff8_0000_0000_0001)), "f64", "NaN");
    case(s.char('\n'), "char", "'\\n'");
    case(s.bool(true), "bool", "true");
    case(s.unit(), "()", "()");
    let (a, b) = (s.uint("u8", 1), s.str("x"));
    case(s.tuple(vec![a, b]), "(u8, &str)", "(1, \"x\")");
    let a = s.uint("u8", 1);
    case(s.tuple(vec![a]), "(u8,)", "(1,)");
    // Text.
    case(s.str("a\u{301}"), "&str", "\"a\\u{301}\"");
    case(s.str("say \"hi\" \\"), "&str", "\"say \\\"hi\\\" \\\\\"");
    case(
        s.str("first line of three lines\n  second line of three\n\nthird\n"),
        "&str",
        "\"first line of three lines\\n  second line of three\\n\\nthird\\n\"",
    );
    case(
        s.str("{\n  \"first line\": \"of three lines\",\n  \"second line\": 2\n}"),
        "&str",
        "\"{\\n  \\\"first line\\\": \\\"of three lines\\\",\\n  \\\"second line\\\": 2\\n}\"",
    );
    let str_ref = s.str("x");
    case(s.reference(str_ref, false), "&&str", "\"x\"");
    case(s.string("x"), "String", "\"x\"");
    let inner = s.string("x");
    case(s.reference(inner, false), "&String", "\"x\"");
    let inner = s.string("");
    case(s.reference(inner, true), "&mut String", "\"\"");
    case(s.text_of(StdType::PathBuf, "std::path::PathBuf", "/tmp/x"), "std::path::PathBuf", "\"/tmp/x\"");
    let path = s.text_of(StdType::Path, "std::path::Path", "/tmp/x");
    case(s.reference(path, false), "&std::path::Path", "\"/tmp/x\"");
    let os = s.bytes_of(StdType::OsStr, "std::ffi::os_str::OsStr", b"a\xff");
    case(s.reference(os, false), "&std::ffi::OsStr", "\"a\\xFF\"");
    let path = s.bytes_of(StdType::Path, "std::path::Path", b"a\xff");
    case(s.reference(path, false), "&std::path::Path", "\"a\\xFF\"");
    case(
        s.bytes_of(StdType::OsString, "std::ffi::os_str::OsString", b"a\xff"),
        "std::ffi::OsString",
        "\"a\\xFF\"",
    );
    // Sequences.
    case(s.byte_slice(b"\x89PNG\r\n"), "&[u8]", "[137, 80, 78, 71, 13, 10]");
    case(s.byte_slice(&[1, 200]), "&[u8]", "[1, 200]");
    case(s.byte_slice(&[]), "&[u8]", "[]");
    case(s.byte_slice(&[0; 9]), "&[u8]", "[0, 0, 0, 0, 0, 0, 0, 0, 0]");
    let input = s.byte_slice(b"\x89PNG\r\n");
    case(s.reference(input, true), "&mut &[u8]", "[137, 80, 78, 71, 13, 10]");
    let items = (1..3).map(|n| s.uint("u32", n)).collect();
    case(s.slice(items, "u32", false), "&[u32]", "[1, 2]");
    let items = (1..3).map(|n| s.uint("u32", n)).collect();
    case(s.slice(items, "u32", true), "&mut [u32]", "[1, 2]");
    let items = vec![s.string("a"), s.string("b")];
    case(s.slice(items, "alloc::string::String", false), "&[String]", "[\"a\", \"b\"]");
    let items = vec![s.string("a")];
    let slice = s.slice(items, "alloc::string::String", false);
    case(s.some(slice), "Option<&[String]>", "Some([\"a\"])");
    let items = vec![s.uint("u32", 1)];
    let slice = s.slice(items, "u32", false);
    case(s.some(slice), "Option<&[u32]>", "Some([1])");
    let bytes = s.byte_slice(b"abc");
    case(s.some(bytes), "Option<&[u8]>", "Some([97, 98, 99])");
    let inner = s.string("a");
    let inner = s.reference(inner, true);
    case(s.some(inner), "Option<&mut String>", "Some(\"a\")");
    let text = s.str_mut("a");
    case(s.some(text), "Option<&mut str>", "Some(\"a\")");
    let slice = s.byte_slice_mut(b"abc");
    case(s.some(slice), "Option<&mut [u8]>", "Some([97, 98, 99])");
    case(s.str_mut("a"), "&mut str", "\"a\"");
    case(s.byte_array(b"PNG\0"), "[u8; 4]", "[80, 78, 71, 0]");
    let array = s.byte_array(b"PNG\0");
    case(s.reference(array, false), "&[u8; 4]", "[80, 78, 71, 0]");
    let items = vec![s.str("a"), s.str("b")];
    case(s.vec(items, "&str"), "Vec<&str>", "[\"a\", \"b\"]");
    case(s.vec(vec![], "u8"), "Vec<u8>", "[]");
    let items = (0..10).map(|_| s.uint("u16", 7)).collect();
    case(s.vec(items, "u16"), "Vec<u16>", "[7, 7, 7, 7, 7, 7, 7, 7, 7, 7]");
    case(s.byte_vec(b"hello"), "Vec<u8>", "[104, 101, 108, 108, 111]");
    let items = vec![s.string("a"), s.string("b")];
    let items = items.into_iter().map(|item| s.reference(item, false)).collect();
    case(s.vec(items, "&alloc::string::String"), "Vec<&String>", "[\"a\", \"b\"]");
    let items = vec![s.byte_slice(b"ab"), s.byte_slice(&[0, 1])];
    case(s.vec(items, "&[u8]"), "Vec<&[u8]>", "[[97, 98], [0, 1]]");
    let items = (1..3).map(|n| s.uint("u8", n)).collect();
    case(
        s.collection(StdType::VecDeque, "alloc::collections::vec_deque::VecDeque", items, "u8"),
        "std::collections::VecDeque<u8>",
        "[1, 2]",
    );
    let items = (0..10).map(|_| s.uint("u8", 1)).collect();
    case(
        s.collection(StdType::VecDeque, "alloc::collections::vec_deque::VecDeque", items, "u8"),
        "std::collections::VecDeque<u8>",
        "[1, 1, 1, 1, 1, 1, 1, 1, 1, 1]",
    );
    let items = vec![s.string("k")];
    case(
        s.collection(
            StdType::BTreeSet,
            "alloc::collections::btree::set::BTreeSet",
            items,
            "alloc::string::String",
        ),
        "std::collections::BTreeSet<String>",
        "{\"k\"}",
    );
    let items = vec![s.char('k')];
    case(
        s.collection(StdType::HashSet, "std::collections::hash::set::HashSet", items, "char"),
        "std::collections::HashSet<char>",
        "{'k'}",
    );
    case(
        s.collection(StdType::HashSet, "std::collections::hash::set::HashSet", vec![], "char"),
        "std::collections::HashSet<char>",
        "{}",
    );
    let entries = vec![(s.uint("u8", 1), s.str("a"))];
    case(
        s.map(
            StdType::HashMap,
            "std::collections::hash::map::HashMap",
            entries,
            ("u8", "&str"),
            Some("std::hash::random::RandomState"),
        ),
        "std::collections::HashMap<u8, &str>",
        "{1: \"a\"}",
    );
    let entries = vec![(s.uint("u8", 1), s.str("a"))];
    case(
        s.map(
            StdType::HashMap,
            "std::collections::hash::map::HashMap",
            entries,
            ("u8", "&str"),
            Some("subject::Hasher"),
        ),
        "std::collections::HashMap<u8, &str, subject::Hasher>",
        "{1: \"a\"}",
    );
    case(
        s.map(StdType::BTreeMap, "alloc::collections::btree::map::BTreeMap", vec![], ("u8", "&str"), None),
        "std::collections::BTreeMap<u8, &str>",
        "{}",
    );
    // Owners and cells.
    let inner = s.uint("u8", 1);
    case(s.owner(StdType::Box, "alloc::boxed::Box", inner), "Box<u8>", "1");
    let inner = s.unsized_str("x");
    case(s.owner(StdType::Box, "alloc::boxed::Box", inner), "Box<str>", "\"x\"");
    let inner = s.unsized_str("x");
    case(s.owner(StdType::Rc, "alloc::rc::Rc", inner), "std::rc::Rc<str>", "\"x\"");
    let inner = s.unsized_bytes(&[1, 2]);
    case(s.owner(StdType::Box, "alloc::boxed::Box", inner), "Box<[u8]>", "[1, 2]");
    let inner = s.unsized_bytes(&[1, 2]);
    case(s.owner(StdType::Arc, "alloc::sync::Arc", inner), "std::sync::Arc<[u8]>", "[1, 2]");
    let inner = s.text_of(StdType::Path, "std::path::Path", "x");
    case(s.owner(StdType::Box, "alloc::boxed::Box", inner), "Box<std::path::Path>", "\"x\"");
    let inner = s.uint("u8", 1);
    case(s.cell(StdType::Cell, "core::cell::Cell", inner, 0), "std::cell::Cell<u8>", "Cell { value: 1 }");
    let inner = s.uint("u8", 1);
    case(
        s.cell(StdType::RefCell, "core::cell::RefCell", inner, -1),
        "std::cell::RefCell<u8>",
        "RefCell { value: 1 }",
    );
    let inner = s.uint("u8", 1);
    case(
        s.cell(StdType::Mutex, "std::sync::poison::mutex::Mutex", inner, 0),
        "std::sync::Mutex<u8>",
        "Mutex { data: 1, poisoned: false, .. }",
    );
    let (one, two) = (s.uint("u8", 1), s.uint("u8", 1));
    let (one, two) = (s.owner(StdType::Rc, "alloc::rc::Rc", one), s.owner(StdType::Rc, "alloc::rc::Rc", two));
    case(s.vec(vec![one, two], "alloc::rc::Rc<u8>"), "Vec<std::rc::Rc<u8>>", "[1, 1]");
    // Enums of std.
    let inner = s.uint("u8", 3);
    case(s.some(inner), "Option<u8>", "Some(3)");
    case(s.none("u8"), "Option<u8>", "None");
    let inner = s.unit();
    case(s.ok(inner, "alloc::string::String"), "Result<(), String>", "Ok(())");
    case(s.plain_enum("core::cmp::Ordering", "Less"), "std::cmp::Ordering", "Less");
    let text = s.str("x");
    case(s.cow(text), "std::borrow::Cow<str>", "\"x\"");
    // std types by rule.
    case(s.duration(0, 5_000_000), "std::time::Duration", "5ms");
    case(s.duration(90, 0), "std::time::Duration", "90s");
    case(s.duration(u64::MAX, 1), "std::time::Duration", "18446744073709551615.000000001s");
    case(s.non_zero("u32", 5), "std::num::NonZeroU32", "5");
    let range = s.range("core::ops::range::Range", &["start", "end"], &[4, 9]);
    case(s.reference(range, false), "&std::ops::Range<usize>", "4..9");
    case(s.range("core::ops::range::RangeFrom", &["start"], &[4]), "std::ops::RangeFrom<usize>", "4..");
    case(s.range_inclusive(4, 9), "std::ops::RangeInclusive<usize>", "4..=9");
    let range = s.range("core::ops::range::RangeTo", &["end"], &[9]);
    case(s.some(range), "Option<std::ops::RangeTo<usize>>", "Some(..9)");
    case(s.wrapped("core::num::wrapping::Wrapping<u8>", "0", "u8", 7), "std::num::Wrapping<u8>", "7");
    case(s.ipv4([10, 0, 0, 1]), "std::net::Ipv4Addr", "10.0.0.1");
    case(s.ipv6("2001:db8::1"), "std::net::Ipv6Addr", "2001:db8::1");
    case(s.socket([127, 0, 0, 1], 80), "std::net::SocketAddr", "127.0.0.1:80");
    case(s.atomic("core::sync::atomic::AtomicUsize", "usize", 3), "std::sync::atomic::AtomicUsize", "3");
    case(s.atomic("core::sync::atomic::Atomic<bool>", "u8", 1), "std::sync::atomic::AtomicBool", "true");
    case(
        s.system_time(1, 500_000_000),
        "std::time::SystemTime",
        "SystemTime { tv_sec: 1, tv_nsec: 500000000 }",
    );
    case(s.cursor(b"abc", 2), "std::io::Cursor<&[u8]>", "Cursor { inner: [97, 98, 99], pos: 2 }");
    case(s.binary_heap(&[3, 1, 2]), "std::collections::BinaryHeap<u8>", "[3, 1, 2]");
    case(s.c_string(b"abc"), "std::ffi::CString", "\"abc\"");
    case(s.phantom("u8"), "std::marker::PhantomData<u8>", "PhantomData<u8>");
    case(s.once_cell(Some(1)), "std::cell::OnceCell<u8>", "OnceCell(1)");
    case(s.once_cell(None), "std::cell::OnceCell<u8>", "OnceCell(<uninit>)");
    case(s.parse_int_error("PosOverflow"), "std::num::ParseIntError", "ParseIntError { kind: PosOverflow }");
    let book = s.book();
    let pinned = s.reference(book, true);
    case(
        s.pin(pinned),
        "std::pin::Pin<&mut subject::Book>",
        "Book { title: \"t\", pages: [1, 2], owner: Some(\"o\"), side: Ask { depth: 1 } }",
    );
    // The program's own types.
    case(
        s.book(),
        "subject::Book",
        "Book { title: \"t\", pages: [1, 2], owner: Some(\"o\"), side: Ask { depth: 1 } }",
    );
    let book = s.book();
    case(
        s.reference(book, true),
        "&mut subject::Book",
        "Book { title: \"t\", pages: [1, 2], owner: Some(\"o\"), side: Ask { depth: 1 } }",
    );
    let book = s.book();
    let book = s.reference(book, false);
    case(
        s.some(book),
        "Option<&subject::Book>",
        "Some(Book { title: \"t\", pages: [1, 2], owner: Some(\"o\"), side: Ask { depth: 1 } })",
    );
    case(s.tuple_struct(5), "subject::Point", "Point(5)");
    let points = (0..8).map(|_| s.tuple_struct(5)).collect();
    let shown = "[Point(5), Point(5), Point(5), Point(5), Point(5), Point(5), Point(5), Point(5)]";
    case(s.vec(points, "subject::Point"), "Vec<subject::Point>", shown);
    case(s.unit_struct(), "subject::Unit", "Unit");
    case(s.holder(), "subject::Holder", "Holder { bytes: [97, 98], book: Unit, names: [\"a\"], type: 5 }");
    case(s.sealed(7), "subject::Sealed", "Sealed { secret: 7 }");
    case(s.null_pointer(), "*const u8", "0x0");
    // Literals that say their type, for generic parameters.
    let typed: Vec<(Value, &'static str, &'static str)> = vec![
        (s.uint("u8", 5), "u8", "5"),
        (s.f64(0.5), "f64", "0.5"),
        (s.vec(vec![], "u8"), "Vec<u8>", "[]"),
        (s.none("u8"), "Option<u8>", "None"),
        (
            {
                let unit = s.unit();
                s.ok(unit, "alloc::string::String")
            },
            "Result<(), String>",
            "Ok(())",
        ),
        (
            {
                let items = vec![s.none("u8"), s.none("u8")];
                s.vec(items, "core::option::Option<u8>")
            },
            "Vec<Option<u8>>",
            "[None, None]",
        ),
        (
            {
                let items = (1..4).map(|n| s.int("i8", n)).collect();
                s.slice(items, "i8", false)
            },
            "&'static [i8]",
            "[1, 2, 3]",
        ),
        (s.byte_slice(b"abc"), "&'static [u8]", "[97, 98, 99]"),
        (s.byte_slice(&[]), "&'static [u8]", "[]"),
        (s.slice(vec![], "i8", false), "&'static [i8]", "[]"),
        (
            s.map(
                StdType::BTreeMap,
                "alloc::collections::btree::map::BTreeMap",
                vec![],
                ("u8", "&str"),
                None,
            ),
            "std::collections::BTreeMap<u8, &'static str>",
            "{}",
        ),
        (
            {
                let inner = s.unsized_str("x");
                s.owner(StdType::Rc, "alloc::rc::Rc", inner)
            },
            "std::rc::Rc<str>",
            "\"x\"",
        ),
        (s.range("core::ops::range::Range", &["start", "end"], &[4, 9]), "std::ops::Range<usize>", "4..9"),
        (
            s.book(),
            "subject::Book",
            "Book { title: \"t\", pages: [1, 2], owner: Some(\"o\"), side: Ask { depth: 1 } }",
        ),
    ];
    cases.extend(typed.into_iter().map(|(value, ty, shown)| Case {
        parameter: "input",
        value,
        literals: Literals::Suffixed,
        ty,
        shown,
    }));
    cases
}

const SUBJECT: &str = r#"
#[allow(dead_code)]
mod subject {
    #[derive(Debug)]
    pub struct Book {
        pub title: String,
        pub pages: Vec<u16>,
        pub owner: Option<String>,
        pub side: Side,
    }
    #[derive(Debug)]
    pub enum Side {
        Bid,
        Ask { depth: u8 },
    }
    #[derive(Debug, Clone, Copy)]
    pub struct Point(pub u8);
    #[derive(Debug)]
    pub struct Unit;
    #[derive(Debug)]
    pub struct Holder<'a> {
        pub bytes: &'a [u8],
        pub book: &'a Unit,
        pub names: &'a [String],
        pub r#type: &'a mut u8,
    }
    #[derive(Debug)]
    pub struct Sealed {
        secret: u8,
    }
    impl Sealed {
        pub fn relapse_new(secret: u8) -> Sealed {
            Sealed { secret }
        }
    }
    pub type Hasher = std::hash::BuildHasherDefault<std::collections::hash_map::DefaultHasher>;
}

fn same_type<T>(_: T) -> &'static str {
    std::any::type_name::<T>()
}
"#;

/// What rustfmt makes of it by its own defaults.
fn tidy(source: &str, edition: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tidy.rs");
    std::fs::write(&file, source).unwrap();
    let done = Command::new("rustfmt").args(["--edition", edition]).arg(&file).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read_to_string(&file).unwrap()
}

#[test]
fn written_expressions_are_the_values() {
    let mut sheet = Sheet::default();
    let cases = all_cases(&mut sheet);
    let mut source = SUBJECT.to_owned();
    let mut calls = String::new();
    for (index, case) in cases.iter().enumerate() {
        let mut scope = Scope::new("case");
        let written =
            argument_with(case.parameter, &case.value, &sheet.types, &PublicNames, &mut scope, case.literals)
                .unwrap_or_else(|error| panic!("case {index}, {}: {error}", case.ty));
        assert!(written.side_files.is_empty());
        let callee = quote::format_ident!("takes_{index}");
        let pass = &written.pass;
        let generic = case.literals == Literals::Suffixed;
        let call = if generic {
            let (ty, shown): (syn::Type, &str) = (syn::parse_str(case.ty).unwrap(), case.shown);
            quote::quote!(assert_eq!(#callee(#pass), (#shown.to_string(), std::any::type_name::<#ty>())))
        } else {
            let shown = case.shown;
            quote::quote!(assert_eq!(#callee(#pass), #shown))
        };
        let text = format(&body(&[written], &call, false));
        if std::env::var_os("SHOW_EXPRESSIONS").is_some() {
            println!("// {}\n{text}", case.ty);
        }
        let signature = if generic {
            "<T: std::fmt::Debug>(input: T) -> (String, &'static str) {\n    let text = format!(\"{input:?}\");\n    (text, same_type(input))\n}".to_owned()
        } else {
            format!("(input: {}) -> String {{\n    format!(\"{{input:?}}\")\n}}", case.ty)
        };
        write!(source, "\nfn takes_{index}{signature}\n\nfn case_{index}() {{\n{text}}}\n").unwrap();
        writeln!(calls, "    case_{index}();").unwrap();
    }
    write!(source, "\nfn main() {{\n{calls}}}\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for edition in ["2018", "2021", "2024"] {
        let tidied = tidy(&source, edition);
        let file = folder.path().join("cases.rs");
        std::fs::write(&file, &tidied).unwrap();
        if std::env::var_os("SHOW_EXPRESSIONS").is_some() {
            std::fs::write(std::env::temp_dir().join("relapse-cases.rs"), &tidied).unwrap();
        }
        let program = folder.path().join("cases");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let built = Command::new(rustc)
            .args(["--edition", edition, "-D", "warnings", "-A", "mismatched_lifetime_syntaxes", "-o"])
            .args([&program, &file])
            .output()
            .unwrap();
        assert!(built.status.success(), "{edition}: {}", String::from_utf8_lossy(&built.stderr));
        let ran = Command::new(&program).output().unwrap();
        assert!(ran.status.success(), "{edition}: {}", String::from_utf8_lossy(&ran.stderr));
        match Command::new("rustfmt").args(["--check", "--edition", edition]).arg(&file).output() {
            Ok(check) => assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout)),
            Err(error) => println!("not checked by rustfmt: {error}"),
        }
    }
}

#[test]
fn equal_values_of_a_copy_type_are_written_once() {
    let mut s = Sheet::default();
    let points = (0..8).map(|_| s.tuple_struct(5)).collect();
    let points = s.vec(points, "subject::Point");
    let units = (0..8).map(|_| s.unit_struct()).collect();
    let units = s.vec(units, "subject::Unit");
    let text = |value| {
        let mut scope = Scope::new("case");
        let written =
            argument_with("input", value, &s.types, &PublicNames, &mut scope, Literals::Inferred).unwrap();
        written.lets[0].to_string()
    };
    assert!(text(&points).contains("vec ! [subject :: Point (5) ; 8]"));
    assert!(!text(&units).contains("; 8"), "no `Copy` is known of it");
}

#[test]
fn refusals_name_the_part_and_the_reason() {
    let mut s = Sheet::default();
    let refusal = |value: Value, s: &Sheet| {
        argument_with("input", &value, &s.types, &PublicNames, &mut Scope::new("x"), Literals::Inferred)
            .map(|written| written.pass.to_string())
            .unwrap_err()
            .to_string()
    };
    let pointer = s.raw_pointer(0x1000);
    let tuple = s.tuple(vec![pointer]);
    assert_eq!(refusal(tuple, &s), "`input.0`: a raw pointer to u8: nothing says how much lies behind it");
    let mut long = s.byte_vec(b"abc");
    if let Data::Bytes { len, .. } = &mut long.data {
        *len = 20_000;
    }
    let pair = s.some(long);
    assert_eq!(
        refusal(pair, &s),
        "`input.0`: longer than what was read: 3 of 20000 bytes (raise the limits in relapse.toml)"
    );
    let ty = s.ty("u8", TypeKind::Integer { signed: false, bits: 8 });
    let gone = Value::missing(ty, Trust::OptimizedOut, "the compiler keeps it nowhere");
    assert_eq!(refusal(gone, &s), "`input`: could not be read: the compiler keeps it nowhere");
    let inner = s.dyn_object();
    let boxed = s.owner(StdType::Box, "alloc::boxed::Box", inner);
    assert_eq!(refusal(boxed, &s), "`input`: could not be read: a trait object");
    let inner = s.uint("u8", 1);
    let mut lock = s.cell(StdType::Mutex, "std::sync::poison::mutex::Mutex", inner, 0);
    if let Data::Cell { poisoned, .. } = &mut lock.data {
        *poisoned = true;
    }
    assert!(refusal(lock, &s).contains("poisoned"));
    let wide = Value { ty, trust: Trust::Entry, data: Data::Uint(300) };
    assert!(refusal(wide, &s).contains("does not fit"));
    let mut deep = s.uint("u8", 1);
    for _ in 0..150 {
        deep = s.tuple(vec![deep]);
    }
    assert!(refusal(deep, &s).contains("nested deeper"));
}

#[test]
fn long_data_stands_in_side_files() {
    let mut s = Sheet::default();
    let mut scope = Scope::new("fill_char_boundary");
    let mut write = |name: &str, value: &Value, s: &Sheet| {
        argument_with(name, value, &s.types, &PublicNames, &mut scope, Literals::Inferred).unwrap()
    };
    let page = s.str(&"line\n".repeat(21));
    let written = write("page", &page, &s);
    assert_eq!(written.lets[0].to_string(), r#"let page = include_str ! ("fill_char_boundary/page.txt") ;"#);
    assert_eq!(written.side_files[0].bytes.len(), 105);
    let bytes: Vec<u8> = (0..2000).map(|n| n as u8).collect();
    let image = s.byte_vec(&bytes);
    let written = write("page", &image, &s);
    assert_eq!(
        written.lets[0].to_string(),
        r#"let page_2 = include_bytes ! ("fill_char_boundary/page.bin") . to_vec () ;"#
    );
    let inner = s.uint("u8", 1);
    let held = s.cell(StdType::RefCell, "core::cell::RefCell", inner, 1);
    assert_eq!(write("cell", &held, &s).trust, Trust::Suspect);
    let book = s.book();
    let receiver = s.reference(book, true);
    let written = write("self", &receiver, &s);
    assert_eq!(
        (written.pass.to_string(), written.variable.unwrap().to_string()),
        ("& mut book".into(), "book".into())
    );
}
