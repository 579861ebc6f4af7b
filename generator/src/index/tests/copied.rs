//! Copies of a program's types in tests of its library.

use super::*;
use crate::names::Names;

const LIB: &str = r#"
use std::io::Read;
pub trait Shape { fn sides(&self) -> usize; }
pub fn checksum<R: Read>(reader: R) {}
pub trait Feed {}
pub struct Reading<R>(R);
impl<R: Read> Feed for Reading<R> {}
pub fn feed<F: Feed>(feed: F) {}
pub fn corner(shape: &dyn Shape) {}
pub fn largest<T: Ord>(items: &[T]) {}
pub trait Fault: std::error::Error {}
pub trait Report: Fault { fn code(&self) -> u8; }
pub fn told(report: &dyn Report) {}
mod texts { pub struct String; }
pub mod lists { struct Own(u8); pub struct List<T> { of: Vec<T>, own: Own } }
mod inner { pub struct Circle; pub fn shown<T: std::fmt::Display>(value: T) {} }
"#;

const PROGRAM: &str = r#"
use std::io::{self, Read};
use demo::Shape;

const STEP: usize = 2;

/// Gives its bytes in small pieces.
struct Source {
    data: Vec<u8>,
    at: usize,
}

impl Source {
    fn new() -> Source { Source { data: Vec::new(), at: 0 } }
    fn left(&self) -> usize { self.data.len() - self.at }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(STEP).min(self.left());
        self.at += count;
        Ok(count)
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("source") }
}

struct Square;
impl demo::Shape for Square { fn sides(&self) -> usize { 4 } }

#[derive(Debug)]
struct Lost;
impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("lost") }
}
impl std::error::Error for Lost {}
impl demo::Fault for Lost {}
impl demo::Report for Lost { fn code(&self) -> u8 { 4 } }
impl Drop for Lost { fn drop(&mut self) {} }
impl PartialEq for Lost { fn eq(&self, _: &Lost) -> bool { true } }

struct Talking;
impl Read for Talking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { tell!(); Ok(0) }
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Row(u8);

const LIMIT: usize = 3;

macro_rules! dbg { ($x:expr) => { LIMIT } }
struct Telling;
impl Read for Telling {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { Ok(dbg!(0)) }
}

struct Limited;
impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { use crate::deep::LIMIT; Ok(LIMIT) }
}

struct Importing;
impl Read for Importing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { use std::cmp::max; Ok(max(0, 0)) }
}

struct Named;
impl Read for Named {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { Ok(format!("{LIMIT}").len()) }
}

struct Shown;
impl Read for Shown {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { Ok(format!("{}", String::new()).len()) }
}

enum Word { String(String) }
struct Texts;
impl Read for Texts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> { let t = String::new(); Word::String(t); Ok(0) }
}

mod deep { pub struct Deep; }

struct Holder { within: deep::Deep }

fn main() {}
"#;

fn fixture() -> Fixture {
    Fixture::library(LIB, &[("src/bin/driver.rs", PROGRAM)])
}

fn copied(
    fixture: &Fixture,
    module: &str,
    definition: &str,
    function: &str,
) -> Result<Option<Copied>, String> {
    let names = NamesAt::new(&fixture.index, fixture.module(module));
    let path = names.path(definition).map_err(|error| error.0)?;
    names.literal(definition).map_err(|error| error.0)?;
    let called = fixture.lib().functions.iter().find(|f| f.name == function).unwrap();
    names.copied(&quote::quote!(let value = #path;), called).map_err(|error| error.0)
}

#[test]
fn a_copy_holds_the_type_and_what_the_call_needs_of_it() {
    let fixture = fixture();
    let copy = copied(&fixture, "", "driver::Source", "checksum").unwrap().unwrap();
    assert_eq!(
        (copy.names.as_slice(), copy.file.to_str()),
        (&["Source".to_owned()][..], Some("src/bin/driver.rs"))
    );
    for part in [
        "const STEP: usize = 2;",
        "/// Gives its",
        "struct Source {",
        "impl Read for Source {",
        "fn left(&self)",
    ] {
        assert!(copy.text.contains(part), "{part}: {}", copy.text);
    }
    // Neither what nobody calls, nor a trait that the function does not ask for.
    assert!(!copy.text.contains("fn new()") && !copy.text.contains("Debug"), "{}", copy.text);
    // `Read` is in scope where the test stands.
    assert_eq!(copy.uses, ["use std::io;"]);
    assert!(copy.allowing.contains("#[allow(dead_code)]\n/// Gives its"), "{}", copy.allowing);
    syn::parse_file(&copy.text).unwrap();
}

#[test]
fn a_copy_holds_what_the_librarys_own_implementations_ask_for() {
    let fixture = fixture();
    let copy = copied(&fixture, "", "driver::Source", "feed").unwrap().unwrap();
    assert!(copy.text.contains("impl Read for Source {") && !copy.text.contains("Debug"), "{}", copy.text);
    // What cannot be copied may not be needed.
    let copy = copied(&fixture, "", "driver::Talking", "feed").unwrap().unwrap();
    assert!(!copy.text.contains("impl Read"), "{}", copy.text);
}

#[test]
fn the_library_is_named_as_the_program_names_it() {
    let fixture = fixture();
    let copy = copied(&fixture, "", "driver::Square", "corner").unwrap().unwrap();
    assert!(copy.text.contains("impl demo::Shape for Square"), "{}", copy.text);
    assert_eq!(copy.uses, ["use crate as demo;"]);
}

#[test]
fn a_copy_has_what_the_traits_that_are_asked_for_build_on() {
    let fixture = fixture();
    let copy = copied(&fixture, "", "driver::Lost", "told").unwrap().unwrap();
    for of in ["std::fmt::Display", "std::error::Error", "demo::Fault", "demo::Report", "Drop"] {
        assert!(copy.text.contains(&format!("impl {of} for Lost")), "{of}: {}", copy.text);
    }
    assert!(!copy.text.contains("PartialEq"), "{}", copy.text);
}

#[test]
fn a_type_that_is_not_self_contained_says_why() {
    let fixture = fixture();
    let why = |definition: &str, function: &str| copied(&fixture, "", definition, function).unwrap_err();
    let start =
        |name: &str| format!("`{name}` belongs to the program `driver`, and a copy of it will not do: ");
    assert_eq!(why("driver::Talking", "checksum"), start("Talking") + "it uses the macro `tell`");
    assert_eq!(why("driver::Row", "largest"), start("Row") + "it derives `Serialize`");
    assert_eq!(why("driver::Holder", "largest"), start("Holder") + "it needs `deep` of the program");
    let of_use = "it has a `use` of `crate` within a body";
    assert_eq!(why("driver::Limited", "checksum"), start("Limited") + of_use);
    assert_eq!(why("driver::Telling", "checksum"), start("Telling") + "it uses the macro `dbg`");
    assert!(copied(&fixture, "", "driver::Texts", "checksum").is_ok());
    assert!(copied(&fixture, "", "driver::Importing", "checksum").is_ok());
    let named = copied(&fixture, "", "driver::Named", "checksum").unwrap().unwrap();
    assert!(named.text.contains("const LIMIT"), "{}", named.text);
    assert!(why("driver::Nobody", "largest").contains("belongs to the program `driver`"));
}

#[test]
fn a_name_of_the_prelude_that_the_library_has_given_to_another_type_is_spelled_out() {
    let fixture = fixture();
    let copy = copied(&fixture, "texts", "driver::Texts", "checksum").unwrap().unwrap();
    assert!(copy.text.contains("let t = std::string::String::new(); Word::String(t)"), "{}", copy.text);
    // What only looks like it is left.
    assert!(copy.text.contains("enum Word { String(std::string::String) }"), "{}", copy.text);
    assert!(copy.allowing.contains("std::string::String::new()"), "{}", copy.allowing);
    let copy = copied(&fixture, "", "driver::Texts", "checksum").unwrap().unwrap();
    assert!(copy.text.contains("let t = String::new();"), "{}", copy.text);
    let within = copied(&fixture, "texts", "driver::Shown", "checksum").unwrap_err();
    assert!(within.ends_with("`String` within a macro means something else in the library"), "{within}");
}

#[test]
fn what_is_not_spoken_of_is_not_copied() {
    let fixture = fixture();
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    names.path("driver::Source").unwrap();
    let called = fixture.lib().functions.iter().find(|f| f.name == "checksum").unwrap();
    assert_eq!(names.copied(&quote::quote!(checksum(reader)), called).unwrap(), None);
}

#[test]
fn a_function_elsewhere_takes_a_copied_type_as_a_parameter() {
    let fixture = fixture();
    let names = NamesAt::new(&fixture.index, fixture.module("inner"));
    let full = "demo::lists::List<driver::Square>";
    let mut empty = |_: &dyn Names| Ok(quote::quote!(List { of: Vec::new(), own: Own(3) }));
    let call = names.given_at_home(full, &mut empty).unwrap().unwrap();
    let files = names.constructors(&quote::quote!(let list = #call;));
    assert!(files[0].body.starts_with("impl<Square> List<Square> {"), "{}", files[0].body);
    // A value of it is made where the copy is.
    let mut holding = |names: &dyn Names| {
        let square = names.path("driver::Square")?;
        Ok(quote::quote!(List { of: vec![#square], own: Own(3) }))
    };
    let refused = names.given_at_home(full, &mut holding).unwrap().unwrap_err();
    assert!(refused.0.contains("the module that can write this value has no copy of it"), "{}", refused.0);
}
