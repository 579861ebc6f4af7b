//! Constants among generic parameters, as the types of what a function gives back and takes tell them.

use super::*;

const LIB: &str = r#"
pub struct Grid<T, const N: usize> { cells: [T; N] }
impl<T: Copy, const N: usize> Grid<T, N> {
    pub fn filled(value: T) -> Self { Grid { cells: [value; N] } }
    pub fn checked(value: T) -> Result<Option<Self>, String> { Err(String::new()) }
    pub fn row<const M: usize>(&self) -> (&[T; M], u8) { todo!() }
    pub fn count(&self) -> usize { N }
}
impl<const SHIFT: u32> Fixed<SHIFT> {
    pub fn fits(&self, n: i32) -> i32 { n / self.raw }
    pub fn floor(self) -> i32 { self.raw }
    pub fn boxed(self: Box<Self>) -> i32 { self.raw }
}
pub struct Fixed<const SHIFT: u32> { raw: i32 }
pub fn share<const S: u32>(part: Fixed<S>, of: &mut [Fixed<S>]) -> i32 { part.raw }
pub fn flagged<const FLAG: bool>() -> Flag<FLAG> { Flag }
pub struct Flag<const FLAG: bool>;
pub type Small<const N: usize> = Grid<u8, N>;
pub fn small<const N: usize>() -> Small<N> { todo!() }
"#;

fn constants(function: &str, result: &str) -> Vec<(String, String)> {
    told(function, Some(result), &[])
}

fn told(function: &str, result: Option<&str>, arguments: &[&str]) -> Vec<(String, String)> {
    let fixture = Fixture::library(LIB, &[]);
    let function = fixture.lib().functions.iter().find(|f| f.name == function).unwrap();
    function.constants_of(result, arguments)
}

#[test]
fn constants_are_told_by_the_type_of_the_result() {
    let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    assert_eq!(constants("filled", "demo::Grid<u16, 4>"), one("N", "4"));
    let result = "core::result::Result<core::option::Option<demo::Grid<u8, 3>>, alloc::string::String>";
    assert_eq!(constants("checked", result), one("N", "3"));
    assert_eq!(constants("row", "(&[u8; 5], u8)"), one("M", "5"));
    assert_eq!(constants("flagged", "demo::Flag<true>"), one("FLAG", "true"));
}

#[test]
fn constants_are_told_by_what_a_function_takes() {
    let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let shift = one("SHIFT", "8");
    assert_eq!(told("fits", None, &["&demo::Fixed<8>", "i32"]), shift);
    assert_eq!(told("floor", None, &["demo::Fixed<8>"]), shift);
    let boxed = "alloc::boxed::Box<demo::Fixed<8>, alloc::alloc::Global>";
    assert_eq!(told("boxed", None, &[boxed]), shift);
    let taken = ["demo::Fixed<4>", "&mut [demo::Fixed<4>]"];
    assert_eq!(told("share", Some("i32"), &taken), one("S", "4"));
    assert_eq!(told("share", None, &taken[1..]), [], "one of them was not read");
    assert_eq!(told("share", None, &["i32", "i32"]), []);
}

#[test]
fn what_the_result_does_not_tell_is_not_guessed() {
    assert_eq!(constants("count", "usize"), []);
    assert_eq!(constants("small", "demo::Grid<u8, 3>"), [], "an alias may hand its arguments on otherwise");
    assert_eq!(constants("filled", "demo::{closure#0}"), []);
}
