//! How functions are called from a place.

use super::naming::plain;
use super::*;

const LIB: &str = r#"
pub mod a {
    pub struct Book<T> { list: Vec<T> }
    impl<T: Clone> Book<T> {
        pub fn new() -> Self { Book { list: Vec::new() } }
        fn price(&self, depth: usize) {}
        pub fn each<F: Fn(u8), U>(&self, f: F, other: U) {}
    }
    impl<T> std::fmt::Display for Book<T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) }
    }
    impl<T> From<Vec<T>> for Book<T> { fn from(list: Vec<T>) -> Self { Book { list } } }
    pub trait Area { fn area(&self) -> u8 { 1 } fn make() -> u8 { 2 } }
    impl Area for [u8] {}
    impl Area for str { fn area(&self) -> u8 { 3 } }
    impl<'a> Area for &'a Vec<u8> { fn area(&self) -> u8 { 4 } }
    pub fn free<T, U>(t: T, u: U) {}
    fn own() { fn local() {} }
    impl Iterator for Book<u8> { type Item = u8; fn next(&mut self) -> Option<u8> { None } }
}
mod b { use std::fmt::Display as _; }
"#;

fn function<'f>(fixture: &'f Fixture, name: &str, which: usize) -> &'f FunctionItem {
    fixture.lib().functions.iter().filter(|f| f.name == name).nth(which).unwrap()
}

/// (path, full, whether by dot)
fn call(
    fixture: &Fixture,
    module: &str,
    (name, which): (&str, usize),
    generics: &[(&str, &str)],
) -> Result<(String, Option<String>, bool), String> {
    let names = NamesAt::new(&fixture.index, fixture.module(module));
    let call = names.callable(function(fixture, name, which), generics).map_err(|error| error.0)?;
    Ok((plain(&call.path), call.full.as_ref().map(plain), call.method.is_some()))
}

#[test]
fn functions_and_methods_are_called_by_type_or_trait() {
    let fixture = Fixture::library(LIB, &[]);
    let at = |module: &str, function: (&str, usize), generics: &[(&str, &str)]| {
        call(&fixture, module, function, generics).unwrap()
    };
    let text = |text: &str| Some(text.to_owned());
    let u8s = [("T", "u8")];
    assert_eq!(at("a", ("new", 0), &u8s), ("Book::<u8>::new".into(), text("Book::<u8>::new"), false));
    assert_eq!(at("a", ("new", 0), &[]), ("Book::new".into(), None, false));
    assert_eq!(at("a", ("price", 0), &u8s), ("Book::price".into(), text("Book::<u8>::price"), true));
    assert_eq!(at("b", ("new", 0), &[]).0, "crate::a::Book::new");
    assert_eq!(at("a", ("free", 0), &[("T", "u8"), ("U", "&str")]).1, text("free::<u8, &str>"));
    assert_eq!(at("a", ("free", 0), &u8s), ("free".into(), text("free::<u8, _>"), false));
    assert_eq!(at("a", ("free", 0), &[]), ("free".into(), None, false));
    assert_eq!(at("a", ("fmt", 0), &u8s), ("<Book<u8> as std::fmt::Display>::fmt".into(), None, false));
    assert!(at("b", ("fmt", 0), &u8s).2);
    let from = "<Book<u8> as From<Vec<u8>>>::from";
    assert_eq!(at("a", ("from", 0), &u8s), ("Book::<u8>::from".into(), text(from), false));
    let area = "<str as Area>::area";
    assert_eq!(at("a", ("area", 1), &[]), (area.into(), text(area), true));
    assert!(!at("b", ("area", 1), &[]).2);
    assert_eq!(at("b", ("area", 2), &[]).0, "<&Vec<u8> as crate::a::Area>::area");
    assert_eq!(at("a", ("area", 0), &[("Self", "[u8]")]).0, "<[u8] as Area>::area");
    assert_eq!(at("a", ("area", 0), &[]), ("Area::area".into(), text("Area::area"), true));
    let next = "<Book<u8> as Iterator>::next";
    assert_eq!(at("a", ("next", 0), &[]), (next.into(), text(next), true));
}

#[test]
fn the_trait_is_left_out_where_nothing_else_has_that_name() {
    const KINDS: &str = r#"
pub struct Unit(u8);
impl Unit { pub fn from(n: u8) -> Unit { Unit(n) } }
impl From<u16> for Unit { fn from(n: u16) -> Unit { Unit(n as u8) } }
impl Default for Unit { fn default() -> Unit { Unit(7) } }
impl Default for &'static Unit { fn default() -> Self { &Unit(8) } }
impl std::str::FromStr for Unit { type Err = (); fn from_str(text: &str) -> Result<Unit, ()> { Err(()) } }
"#;
    let fixture = Fixture::library(KINDS, &[]);
    let path = |function: (&str, usize)| call(&fixture, "", function, &[]).unwrap().0;
    assert_eq!(path(("from", 0)), "Unit::from");
    assert_eq!(path(("from", 1)), "<Unit as From<u16>>::from", "its own function is nearer");
    assert_eq!(path(("default", 0)), "Unit::default");
    assert_eq!(path(("default", 1)), "<&Unit as Default>::default", "`&Unit::default()` is another");
    assert_eq!(path(("from_str", 0)), "<Unit as std::str::FromStr>::from_str", "it is not in scope");
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    let of_std = names.callable(function(&fixture, "from_str", 0), &[]).unwrap().of_std.unwrap();
    assert_eq!(
        (of_std.trait_path.as_str(), plain(&of_std.self_type.unwrap()).as_str()),
        ("std::str::FromStr", "Unit")
    );
}

#[test]
fn what_cannot_be_called_says_why() {
    let fixture = Fixture::library(LIB, &[]);
    let why = |module: &str, name: &str| call(&fixture, module, (name, 0), &[]).unwrap_err();
    assert_eq!(why("b", "price"), "`Book<T>::price` is private to `crate::a`");
    assert_eq!(why("a", "local"), "`local` is declared within `own`");
    assert_eq!(why("b", "own"), "`a::own` is private to `crate::a`");
    assert_eq!(why("a", "make"), "`Self` of `Area::make` is not known");
}

#[test]
fn a_local_variable_does_not_shadow_the_function() {
    let fixture = Fixture::library(LIB, &[]);
    let names = NamesAt::new(&fixture.index, fixture.module("a"));
    let call = names.callable(function(&fixture, "free", 0), &[]).unwrap();
    assert_eq!(plain(&call.beside(&call.path, |name| ["t", "free"].contains(&name))), "self::free");
    assert_eq!(plain(&call.beside(&call.path, |name| name == "t")), "free");
    assert!(names.implements("demo::a::Book", "Display") && !names.implements("demo::a::Book", "Debug"));
}

#[test]
fn a_static_that_a_program_can_change_is_state() {
    const STATICS: &str = r#"
use std::sync::{LazyLock, Mutex};
use std::sync::atomic::AtomicUsize;
static COUNT: AtomicUsize = AtomicUsize::new(0);
static NAMES: LazyLock<Mutex<Vec<String>>> = LazyLock::new(|| Mutex::new(Vec::new()));
static mut LAST: u8 = 0;
static TABLE: [u8; 2] = [1, 2];
const LIMIT: usize = 3;
thread_local! { static DEPTH: std::cell::Cell<u8> = const { std::cell::Cell::new(1) }; }
fn f() -> usize {
    let n = NAMES.lock().unwrap().len() + COUNT.load(Relaxed) + usize::from(TABLE[LIMIT]);
    DEPTH.with(|depth| depth.get()) as usize + n + usize::from(unsafe { LAST })
}
"#;
    let fixture = Fixture::library(STATICS, &[]);
    let function = function(&fixture, "f", 0);
    let state =
        fixture.index.reads(function).into_iter().filter(|reads| fixture.index.is_state(function, reads));
    let mut shown: Vec<String> = state.map(ToString::to_string).collect();
    shown.sort();
    let said = |name: &str| format!("reads the static {name}, which a test does not set");
    assert_eq!(shown, ["COUNT", "DEPTH", "LAST", "NAMES"].map(said));
    // A table of numbers is the same in a test as in the program.
    let reads = fixture.index.reads(function);
    assert!(!reads.iter().any(|reads| reads.to_string().contains("TABLE")), "{reads:?}");
}

#[test]
fn what_a_dot_would_not_call_is_called_by_its_path() {
    let lib = "
        pub struct Scanner { at: usize }
        impl Scanner {
            pub fn skip(&mut self, count: usize) {}
            pub fn peek(&self) -> usize { self.at }
            pub fn take(self) -> usize { self.at }
        }
        impl Iterator for Scanner { type Item = u8; fn next(&mut self) -> Option<u8> { None } }
        #[derive(PartialEq, Eq, PartialOrd, Ord)]
        pub struct Bounds(u8, u8);
        impl Bounds { pub fn max(&self) -> u8 { self.1 } }
        pub struct Span(u8, u8);
        impl Span { pub fn max(&self) -> u8 { self.1 } pub fn skip(&mut self) {} }";
    let fixture = Fixture::library(lib, &[]);
    let told = |name: &str, which: usize| {
        let (path, _, by_dot) = call(&fixture, "", (name, which), &[]).unwrap();
        if by_dot { ".".to_owned() } else { path }
    };
    assert_eq!(told("skip", 0), "Scanner::skip");
    assert_eq!(told("max", 0), "Bounds::max");
    for (name, which) in [("peek", 0), ("take", 0), ("max", 1), ("skip", 1)] {
        assert_eq!(told(name, which), ".", "{name} {which}");
    }
}

#[test]
fn a_module_with_the_name_of_a_function_that_is_exported_is_no_way_for_others() {
    let lib = "pub mod block {
        pub(crate) mod decompress { pub fn decompress() {} pub fn unpack() {} }
        pub use self::decompress::*;
    }
    pub use block::decompress;";
    let fixture = Fixture::with_user(&[("demo/src/lib.rs", lib)]);
    let krate = fixture.krate("user", TargetKind::Library);
    let names = NamesAt::new(&fixture.index, ModuleId { krate, module: 0 });
    let demo = fixture.krate("demo", TargetKind::Library);
    let functions = fixture.index.source(demo).functions.iter();
    let paths = functions.map(|function| plain(&names.callable(function, &[]).unwrap().path));
    assert_eq!(paths.collect::<Vec<_>>(), ["demo::decompress", "demo::block::unpack"]);
}
