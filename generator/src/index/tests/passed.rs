//! Functions that are passed, by the text of whoever names them.

use relapse_snapshot::Location;

use super::*;

const LIB: &str = r#"pub struct Stream(pub u8);
pub trait Parse { fn parse(from: &Stream) -> u8; }
pub struct Item;
impl Parse for Item { fn parse(from: &Stream) -> u8 { from.0 } }
impl Item { pub fn loud(from: &Stream) -> u8 { from.0 } }
pub trait Parser: Sized {
    fn run(self, text: &str) -> u8;
    fn run_all(self, text: &str) -> u8 {
        self.run(text)
    }
    fn run_other(self, mut other: fn(&Stream) -> u8, text: &str) -> u8 {
        other = own;
        other.run(text)
    }
}
impl<F: Fn(&Stream) -> u8> Parser for F {
    fn run(self, text: &str) -> u8 { (self)(&Stream(text.len() as u8)) }
}
pub fn own(from: &Stream) -> u8 { from.0 }
pub fn parse_str<T: Parse>(text: &str) -> u8 {
    Parser::run_all(T::parse, text)
}
pub fn methods(text: &str) -> u8 {
    own.run(text)
}
pub fn each(f: fn(&Stream) -> u8, text: &str) -> u8 {
    f.run(text)
}
pub fn shadowed(f: fn(&Stream) -> u8, text: &str) -> u8 {
    let f = if text.is_empty() { own } else { f };
    f.run("none")
}
pub fn outer(text: &str) -> u8 {
    each(Item::loud, text)
}
pub mod far {}
pub fn changed(text: &str) -> u8 {
    shadowed(own, text)
}
"#;

/// The function that the first parameter of `callee` is, as the callers' texts have it, each with its generic `T`.
fn passed(callee: &str, calls: &[(&str, &str)]) -> Result<String, String> {
    passed_in("", callee, calls)
}

fn passed_in(module: &str, callee: &str, calls: &[(&str, &str)]) -> Result<String, String> {
    let fixture = Fixture::library(LIB, &[]);
    let index = &fixture.index;
    let at = |text: &str| {
        let line = LIB.lines().position(|line| line.trim() == text).unwrap();
        Location { file: "src/lib.rs".into(), line: 1 + line as u32, column: 0 }
    };
    let places: Vec<(Location, &str)> = calls.iter().map(|(text, of)| (at(text), *of)).collect();
    let callers: Vec<Caller<'_>> =
        places.iter().map(|(at, of)| Caller { at, krate: "demo", generics: vec![("T", *of)] }).collect();
    let callee = fixture.lib().functions.iter().find(|function| function.name == callee).unwrap();
    let names = NamesAt::new(index, fixture.module(module));
    let path = names.passed_function(callee, 0, &callers).map_err(|unnameable| unnameable.0)?;
    Ok(path.to_string().replace(' ', ""))
}

#[test]
fn a_receiver_is_the_function_that_the_caller_names() {
    assert_eq!(passed("run", &[("own.run(text)", "u8")]).unwrap(), "own");
    let item = ("Parser::run_all(T::parse, text)", "demo::Item");
    assert_eq!(passed("run_all", &[item]).unwrap(), "Item::parse");
    // Where the trait is not in scope.
    assert_eq!(passed_in("far", "run_all", &[item]).unwrap(), "<crate::Itemascrate::Parse>::parse");
}

#[test]
fn what_a_caller_hands_on_is_named_by_its_own_caller() {
    let item = ("Parser::run_all(T::parse, text)", "demo::Item");
    assert_eq!(passed("run", &[("self.run(text)", "u8"), item]).unwrap(), "Item::parse");
    let outer = ("each(Item::loud, text)", "u8");
    assert_eq!(passed("run", &[("f.run(text)", "u8"), outer]).unwrap(), "Item::loud");
    let refused = passed("run", &[("self.run(text)", "u8")]).unwrap_err();
    assert!(refused.contains("hands on what its function was given, by nobody"), "{refused}");
}

#[test]
fn a_parameter_that_may_be_another_by_then_names_nothing() {
    let other = passed("run", &[("other.run(text)", "u8")]).unwrap_err();
    assert!(other.contains("passes the variable `other`"), "{other}");
    let changed = ("shadowed(own, text)", "u8");
    let shadowed = passed("run", &[("f.run(\"none\")", "u8"), changed]).unwrap_err();
    assert!(shadowed.contains("passes the variable `f`"), "{shadowed}");
    assert!(passed("run", &[]).unwrap_err().contains("no caller in the workspace"));
}

#[test]
fn a_parameter_that_is_declared_to_be_a_pointer_is_no_generic() {
    let lib = "type Op = fn(u8) -> u8;
struct Held<F>(F);
impl<F: Fn(u8) -> u8> Held<F> {
    fn beside<G>(&self, f: F, g: (G), h: impl Fn(u8), pointer: fn(u8) -> u8, op: Op) {}
}";
    let fixture = Fixture::library(lib, &[]);
    let function = &fixture.lib().functions[0];
    let types = function.signature.inputs.iter().filter_map(|input| match input {
        syn::FnArg::Typed(typed) => Some(&*typed.ty),
        syn::FnArg::Receiver(_) => None,
    });
    let generic: Vec<bool> = types.map(|ty| function.is_generic(ty)).collect();
    assert_eq!(generic, [true, true, true, false, false]);
}
