//! What is known of a type's `Default`.

use super::*;
use crate::names::{Defaults, Names};

#[test]
fn only_a_derived_default_of_a_plain_struct_is_known() {
    let fixture = Fixture::library(
        "#[derive(Default)] pub struct Plain { a: u8 }
        #[derive(Default)] pub struct Borrowing<'a> { a: &'a str }
        #[derive(Default)] pub struct Dropping { a: u8 }
        impl Drop for Dropping { fn drop(&mut self) {} }
        pub struct Written { a: u8 }
        impl Default for Written { fn default() -> Self { Written { a: 1 } } }
        #[derive(Default)] pub struct Generic<T> { a: Option<T> }
        #[derive(Default)] pub struct Shadowed { a: u8 }
        impl Shadowed { pub fn default() -> u8 { 1 } }
        #[derive(Default)] pub enum Mode { #[default] On, Off }
        pub struct Bare { a: u8 }",
        &[],
    );
    let at = NamesAt::new(&fixture.index, fixture.module(""));
    let known = |name: &str| at.defaults(&format!("demo::{name}"));
    assert_eq!(known("Plain"), Defaults::Fields);
    assert_eq!(known("Borrowing"), Defaults::Fields);
    assert_eq!(known("Dropping"), Defaults::Whole);
    for name in ["Written", "Generic", "Shadowed", "Mode", "Bare", "Missing"] {
        assert_eq!(known(name), Defaults::Unknown, "{name}");
    }
}
