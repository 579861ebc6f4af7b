//! Trait objects, function pointers, raw pointers and unions: what is written of them is compiled by rustc, and the
//! function that takes it says what it was given.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[allow(dead_code, reason = "other tests use the rest of it")]
#[path = "expressions_compile/sheet.rs"]
mod sheet;

use std::fmt::Write as _;
use std::process::Command;

use relapse_generator::expression::{Literals, Scope, argument_with, body, format};
use relapse_snapshot::{Data, StdType, Trust, TypeId, TypeKind, Value};
use sheet::{PublicNames, Sheet};

const SUBJECT: &str = r"
#[allow(dead_code)]
mod subject {
    pub trait Shape: std::fmt::Debug {}
    #[derive(Debug)]
    pub struct Point(pub u8);
    #[derive(Debug)]
    pub struct Scaled<T>(pub T);
    impl Shape for Point {}
    impl<T: std::fmt::Debug> Shape for Scaled<T> {}
    #[derive(Debug)]
    pub struct Both {
        pub one: Box<dyn Shape>,
        pub many: Vec<Box<dyn Shape>>,
    }
    pub fn triple(x: u8) -> u8 {
        x * 3
    }
    pub fn same<T>(x: T) -> T {
        x
    }
    pub struct Node {
        pub value: u8,
        pub next: *mut Node,
        pub back: Option<std::ptr::NonNull<Node>>,
    }
    #[derive(Clone, Copy)]
    pub union Bits {
        pub int: u32,
        pub bytes: [u8; 4],
    }
}
";

fn value(ty: TypeId, data: Data) -> Value {
    Value { ty, trust: Trust::AtCrash, data }
}

fn pointer(ty: TypeId, address: u64, to: Value) -> Value {
    value(ty, Data::Pointer { address, to: Some(Box::new(to)) })
}

fn shape(s: &mut Sheet) -> TypeId {
    s.ty("dyn subject::Shape", TypeKind::Dyn)
}

/// A value of some concrete type behind a pointer to `dyn Shape`.
fn owned(s: &mut Sheet, std: StdType, name: &str, to: Value) -> Value {
    let params = vec![shape(s)];
    let ty = s.ty(&format!("{name}<dyn subject::Shape>"), TypeKind::Std { std, params });
    pointer(ty, 0x40 + u64::from(to.ty.0), to)
}

fn boxed(s: &mut Sheet, to: Value) -> Value {
    owned(s, StdType::Box, "alloc::boxed::Box", to)
}

fn borrowed(s: &mut Sheet, to: Value, mutable: bool) -> Value {
    let (dynamic, name) = (shape(s), if mutable { "&mut dyn subject::Shape" } else { "&dyn subject::Shape" });
    let ty = s.ty(name, TypeKind::Reference { to: dynamic, mutable });
    pointer(ty, 0x80, to)
}

fn scaled(s: &mut Sheet) -> Value {
    let number = s.uint("u16", 7);
    s.structure("subject::Scaled<u16>", true, vec![number.ty], vec![("0", number)])
}

fn function(s: &mut Sheet, ty: &str, name: &str) -> Value {
    let item = s.ty(&format!("{{fn {name}}}"), TypeKind::Closure { captures: vec![], written: None });
    let ty = s.ty(ty, TypeKind::FunctionPointer);
    pointer(ty, 0x5000, value(item, Data::Struct(vec![])))
}

fn raw(s: &mut Sheet, mutable: bool, address: u64, to: Value) -> Value {
    let name = format!("*{} {}", if mutable { "mut" } else { "const" }, s.types.name(to.ty));
    let ty = s.ty(&name, TypeKind::RawPointer { to: to.ty, mutable });
    pointer(ty, address, to)
}

fn non_null(s: &mut Sheet, address: u64, to: Value) -> Value {
    let name = format!("core::ptr::non_null::NonNull<{}>", s.types.name(to.ty));
    let ty = s.ty(&name, TypeKind::Std { std: StdType::NonNull, params: vec![to.ty] });
    pointer(ty, address, to)
}

/// A node whose next one points back to it.
fn ring(s: &mut Sheet) -> Value {
    let opaque = s.ty("subject::Node", TypeKind::Opaque);
    let node = |s: &mut Sheet, number: u128, next: Value, back: Value| {
        let number = s.uint("u8", number);
        let fields = vec![("value", number), ("next", next), ("back", back)];
        s.structure("subject::Node", false, vec![], fields)
    };
    let again = Value::missing(opaque, Trust::Truncated, "points back to a value that it is part of");
    let to_first = non_null(s, 0x9000, again);
    let (back, none) = (s.some(to_first.clone()), s.none("core::ptr::non_null::NonNull<subject::Node>"));
    let nowhere = Value {
        data: Data::Pointer { address: 0, to: None },
        ..raw(s, true, 0, Value::missing(opaque, Trust::AtCrash, ""))
    };
    let second = node(s, 2, nowhere, Value { ty: none.ty, ..back });
    let second = raw(s, true, 0xa000, second);
    let first = node(s, 1, second, none);
    let first = raw(s, true, 0x9000, first);
    s.types.fill(opaque, TypeKind::Struct { fields: vec![], tuple: false, params: vec![] });
    first
}

/// What is given, the parameter's type, an expression over it, and what that shows.
fn cases(s: &mut Sheet) -> Vec<(Value, Literals, &'static str, &'static str, &'static str)> {
    let mut cases = Vec::new();
    let mut case = |value, ty, shows, shown| cases.push((value, Literals::Inferred, ty, shows, shown));
    let point = s.tuple_struct(5);
    case(borrowed(s, point, false), "&dyn subject::Shape", "input", "Point(5)");
    let inner = scaled(s);
    case(borrowed(s, inner, true), "&mut dyn subject::Shape", "input", "Scaled(7)");
    let inner = scaled(s);
    case(boxed(s, inner), "Box<dyn subject::Shape>", "input", "Scaled(7)");
    let point = s.tuple_struct(5);
    case(
        owned(s, StdType::Rc, "alloc::rc::Rc", point),
        "std::rc::Rc<dyn subject::Shape>",
        "input",
        "Point(5)",
    );
    let point = s.tuple_struct(5);
    let one = boxed(s, point);
    case(s.some(one), "Option<Box<dyn subject::Shape>>", "input", "Some(Point(5))");
    let (point, other) = (s.tuple_struct(5), scaled(s));
    let items = vec![boxed(s, point), boxed(s, other)];
    let many = s.vec(items, "alloc::boxed::Box<dyn subject::Shape>");
    case(many.clone(), "Vec<Box<dyn subject::Shape>>", "input", "[Point(5), Scaled(7)]");
    let point = s.tuple_struct(1);
    let one = boxed(s, point);
    let both = s.structure("subject::Both", false, vec![], vec![("one", one), ("many", many)]);
    case(both, "subject::Both", "input", "Both { one: Point(1), many: [Point(5), Scaled(7)] }");
    let (point, other) = (s.tuple_struct(5), scaled(s));
    let items = vec![borrowed(s, point, false), borrowed(s, other, false)];
    case(
        s.slice(items, "&dyn subject::Shape", false),
        "&[&dyn subject::Shape]",
        "input",
        "[Point(5), Scaled(7)]",
    );
    // One owner of two.
    let point = s.tuple_struct(5);
    let shared = owned(s, StdType::Rc, "alloc::rc::Rc", point);
    case(
        s.tuple(vec![shared.clone(), shared]),
        "(std::rc::Rc<dyn subject::Shape>, std::rc::Rc<dyn subject::Shape>)",
        "(&input.0, std::rc::Rc::strong_count(&input.0))",
        "(Point(5), 2)",
    );
    let cell_of = s.ty(
        "core::cell::RefCell<dyn subject::Shape>",
        TypeKind::Std { std: StdType::RefCell, params: vec![] },
    );
    let rc = s.ty(
        "alloc::rc::Rc<core::cell::RefCell<dyn subject::Shape>>",
        TypeKind::Std { std: StdType::Rc, params: vec![cell_of] },
    );
    let point = s.tuple_struct(5);
    let cell = s.cell(StdType::RefCell, "core::cell::RefCell", point, 0);
    case(
        pointer(rc, 0x6000, cell),
        "std::rc::Rc<std::cell::RefCell<dyn subject::Shape>>",
        "input",
        "RefCell { value: Point(5) }",
    );
    // Functions.
    case(function(s, "fn(u8) -> u8", "subject::triple"), "fn(u8) -> u8", "input(2)", "6");
    case(function(s, "fn(u8) -> u8", "subject::same::<u8>"), "fn(u8) -> u8", "input(2)", "2");
    case(function(s, "fn(u8) -> u8", "core::num::<impl u8>::swap_bytes"), "fn(u8) -> u8", "input(2)", "2");
    case(
        function(s, "fn(&u8) -> u8", "<u8 as core::clone::Clone>::clone"),
        "fn(&u8) -> u8",
        "input(&2)",
        "2",
    );
    let triple = function(s, "fn(u8) -> u8", "subject::triple");
    case(s.some(triple), "Option<fn(u8) -> u8>", "input.map(|f| f(3))", "Some(9)");
    let items = vec![
        function(s, "fn(u8) -> u8", "subject::triple"),
        function(s, "fn(u8) -> u8", "subject::same::<u8>"),
    ];
    case(
        s.vec(items, "fn(u8) -> u8"),
        "Vec<fn(u8) -> u8>",
        "input.iter().map(|f| f(3)).collect::<Vec<_>>()",
        "[9, 3]",
    );
    // Raw pointers.
    let point = s.tuple_struct(5);
    case(raw(s, false, 0x7000, point), "*const subject::Point", "unsafe { &*input }", "Point(5)");
    let number = s.uint("u32", 5);
    case(raw(s, true, 0x7000, number), "*mut u32", "unsafe { &*input }", "5");
    let number = s.uint("u32", 5);
    case(non_null(s, 0x7000, number), "std::ptr::NonNull<u32>", "unsafe { input.as_ref() }", "5");
    let number = s.uint("u32", 5);
    let dangling = Value { data: Data::Pointer { address: 4, to: None }, ..non_null(s, 4, number) };
    case(dangling, "std::ptr::NonNull<u32>", "input == std::ptr::NonNull::dangling()", "true");
    let number = s.uint("u32", 5);
    let twice = raw(s, true, 0x7000, number);
    case(s.tuple(vec![twice.clone(), twice]), "(*mut u32, *mut u32)", "input.0 == input.1", "true");
    case(
        ring(s),
        "*mut subject::Node",
        "unsafe { ((*input).value, (*(*input).next).value, (*(*input).next).back.unwrap().as_ptr() == input) }",
        "(1, 2, true)",
    );
    // Unions.
    let int = s.uint("u32", 258);
    let field = relapse_snapshot::Field { name: "int".to_owned(), value: int };
    let bits = s.ty("subject::Bits", TypeKind::Union);
    case(value(bits, Data::Struct(vec![field])), "subject::Bits", "unsafe { input.bytes }", "[2, 1, 0, 0]");
    cases
}

#[test]
fn written_pointers_lead_to_what_was_read() {
    let mut s = Sheet::default();
    let (mut source, mut calls) = (SUBJECT.to_owned(), String::new());
    for (index, (value, literals, ty, shows, shown)) in cases(&mut s).into_iter().enumerate() {
        let mut scope = Scope::new("case");
        let written = argument_with("input", &value, &s.types, &PublicNames, &mut scope, literals)
            .unwrap_or_else(|error| panic!("case {index}, {ty}: {error}"));
        let is_raw = ty.contains("*mut") || ty.contains("*const") || shows.contains("unsafe { input.as_ref");
        assert_eq!(written.trust == Trust::Suspect, is_raw, "{ty}");
        let (callee, pass) = (quote::format_ident!("takes_{index}"), &written.pass);
        let call = quote::quote!(assert_eq!(#callee(#pass), #shown));
        let text = format(&body(&[written], &call, false));
        let shows = format!("let shown = {shows};\n    format!(\"{{shown:?}}\")");
        write!(source, "\nfn takes_{index}(input: {ty}) -> String {{\n    {shows}\n}}\n\nfn case_{index}() {{\n{text}}}\n")
            .unwrap();
        writeln!(calls, "    case_{index}();").unwrap();
    }
    write!(source, "\nfn main() {{\n{calls}}}\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (file, program) = (folder.path().join("cases.rs"), folder.path().join("cases"));
    std::fs::write(&file, &source).unwrap();
    for edition in ["2018", "2024"] {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let args = ["--edition", edition, "-D", "warnings", "-o"];
        let built = Command::new(rustc).args(args).args([&program, &file]).output().unwrap();
        assert!(built.status.success(), "{edition}: {}\n{source}", String::from_utf8_lossy(&built.stderr));
        let ran = Command::new(&program).output().unwrap();
        assert!(ran.status.success(), "{edition}: {}\n{source}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn pointers_to_what_has_no_known_extent_are_refused() {
    let mut s = Sheet::default();
    let refusal = |value: &Value, s: &Sheet| {
        argument_with("input", value, &s.types, &PublicNames, &mut Scope::new("x"), Literals::Inferred)
            .map(|written| written.pass.to_string())
            .unwrap_err()
            .to_string()
    };
    let byte = s.uint("u8", 5);
    let bytes = raw(&mut s, false, 0x7000, byte);
    assert_eq!(refusal(&bytes, &s), "`input`: a raw pointer to u8: nothing says how much lies behind it");
    let unread = Value { data: Data::Pointer { address: 0x7000, to: None }, ..bytes };
    assert_eq!(refusal(&unread, &s), "`input`: a raw pointer to u8: nothing says how much lies behind it");
    let closure = function(&mut s, "fn(u8) -> u8", "subject::f::{{closure}}");
    let reason = "`input`: a closure that became a function pointer (subject::f::{{closure}})";
    assert_eq!(refusal(&closure, &s), reason);
    let dynamic = shape(&mut s);
    let missing = Value::missing(dynamic, Trust::Unreadable, "several types share its vtable: a::A, a::B");
    let boxed = boxed(&mut s, missing);
    assert_eq!(refusal(&boxed, &s), "`input`: could not be read: several types share its vtable: a::A, a::B");
}
