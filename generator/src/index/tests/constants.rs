//! Constants among generic parameters, as the type of what a function gives back tells them.

use super::*;

const LIB: &str = r#"
pub struct Grid<T, const N: usize> { cells: [T; N] }
impl<T: Copy, const N: usize> Grid<T, N> {
    pub fn filled(value: T) -> Self { Grid { cells: [value; N] } }
    pub fn checked(value: T) -> Result<Option<Self>, String> { Err(String::new()) }
    pub fn row<const M: usize>(&self) -> (&[T; M], u8) { todo!() }
    pub fn count(&self) -> usize { N }
}
pub fn flagged<const FLAG: bool>() -> Flag<FLAG> { Flag }
pub struct Flag<const FLAG: bool>;
pub type Small<const N: usize> = Grid<u8, N>;
pub fn small<const N: usize>() -> Small<N> { todo!() }
"#;

fn constants(function: &str, result: &str) -> Vec<(String, String)> {
    let fixture = Fixture::library(LIB, &[]);
    let function = fixture.lib().functions.iter().find(|f| f.name == function).unwrap();
    function.constants_of(result)
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
fn what_the_result_does_not_tell_is_not_guessed() {
    assert_eq!(constants("count", "usize"), []);
    assert_eq!(constants("small", "demo::Grid<u8, 3>"), [], "an alias may hand its arguments on otherwise");
    assert_eq!(constants("filled", "demo::{closure#0}"), []);
}
