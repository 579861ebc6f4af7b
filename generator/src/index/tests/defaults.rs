//! What is known of a type's `Default`.

use super::*;
use crate::names::{Defaults, Names};
use crate::ways::Made;

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

#[test]
fn a_written_default_is_known_where_its_source_is_plain() {
    let fixture = Fixture::library(
        "pub struct Plain { a: u8, b: bool }
        impl Default for Plain { fn default() -> Self { Self { a: 20, b: true } } }
        pub struct Signs { corner: char, end: u8 }
        impl Default for Signs { fn default() -> Signs { Signs { corner: '┌', end: b'|' } } }
        pub struct Dropping { a: u8 }
        impl Default for Dropping { fn default() -> Dropping { Dropping { a: 1 } } }
        impl Drop for Dropping { fn drop(&mut self) {} }
        pub struct Counted { a: u8 }
        impl Default for Counted { fn default() -> Self { Self { a: next() } } }
        fn next() -> u8 { static A: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0); \
          A.fetch_add(1, std::sync::atomic::Ordering::Relaxed) }
        pub struct Shadowed { a: u8 }
        impl Shadowed { pub fn default() -> u8 { 1 } }
        impl Default for Shadowed { fn default() -> Self { Shadowed { a: 1 } } }
        #[derive(Default)] pub struct Derived { a: u8 }
        pub struct Gated { a: u8 }
        #[cfg(windows)] impl Default for Gated { fn default() -> Self { Gated { a: 1 } } }",
        &[],
    );
    let at = NamesAt::new(&fixture.index, fixture.module(""));
    let known = |name: &str| at.written_default(&format!("demo::{name}"));
    let fields = |made: &[(&str, i128)]| {
        Made::Fields(made.iter().map(|(name, n)| ((*name).to_owned(), Made::Number(*n))).collect())
    };
    let plain = known("Plain").unwrap();
    assert_eq!((plain.makes, plain.takes_others), (fields(&[("a", 20), ("b", 1)]), true));
    let signs = [("corner".to_owned(), Made::Char('┌')), ("end".to_owned(), Made::Number(124))];
    assert_eq!(known("Signs").unwrap().makes, Made::Fields(signs.into()));
    assert!(!known("Dropping").unwrap().takes_others);
    let counted = Made::Fields([("a".to_owned(), Made::Unknown)].into());
    assert_eq!(known("Counted").map(|known| known.makes), Some(counted), "each call gives another one");
    for name in ["Shadowed", "Derived", "Gated", "Missing"] {
        assert_eq!(known(name), None, "{name}");
    }
}

#[test]
fn a_default_that_another_crate_derives_is_not_known() {
    let fixture = Fixture::library(
        "#[derive(better_default::Default)] pub struct Qualified { a: u8 }
        #[derive(std::default::Default)] pub struct OfStd { a: u8 }
        #[derive(Default)] pub struct Marked { #[default(5)] a: u8 }
        #[derive(Default)] pub struct MarkedWhole { #[cfg_attr(all(), default = 5)] a: u8 }
        pub mod imported { use better_default::Default; #[derive(Default)] pub struct P { a: u8 } }
        pub mod renamed { use better_default::Better as Default; #[derive(Default)] pub struct P { a: u8 } }
        pub mod usual { use std::default::Default; #[derive(Default)] pub struct P { a: u8 } }
        pub mod other { use better_default::Default as Better; #[derive(Default)] pub struct P { a: u8 } }",
        &[],
    );
    let at = NamesAt::new(&fixture.index, fixture.module(""));
    let known = |name: &str| at.defaults(&format!("demo::{name}"));
    for name in ["Qualified", "Marked", "MarkedWhole", "imported::P", "renamed::P"] {
        assert_eq!(known(name), Defaults::Unknown, "{name}");
    }
    for name in ["OfStd", "usual::P", "other::P"] {
        assert_eq!(known(name), Defaults::Fields, "{name}");
    }
}

#[test]
fn flags_have_the_default_that_their_macro_is_asked_for() {
    let fixture = Fixture::library(
        "bitflags! {
            #[derive(Default, Clone)] pub struct Asked: u8 { const A = 1; }
            pub struct Bare: u8 { const A = 1; }
            pub struct Written: u8 { const A = 1; }
        }
        impl Default for Written { fn default() -> Self { Self::A } }",
        &[],
    );
    let at = NamesAt::new(&fixture.index, fixture.module(""));
    let known = |name: &str| at.defaults(&format!("demo::{name}"));
    assert_eq!(known("Asked"), Defaults::Whole);
    assert_eq!(known("Bare"), Defaults::Unknown);
    assert_eq!(known("Written"), Defaults::Unknown);
    assert!(at.derives_clone("demo::Asked") && !at.derives_clone("demo::Bare"));
}
