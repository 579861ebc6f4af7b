//! What a trait asks of what stands in for a reader.

use super::*;
use crate::expression::{Asks, Implementors, Over};

const LIB: &str = "
use std::io::{self, BufRead, BufReader, Cursor, Read, Seek, Write};
pub trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}
pub trait Both: ReadSeek + Write + Send {}
impl<T> Both for T where T: ReadSeek + Write + Send {}
pub mod inner {
    pub trait Source: super::Read {}
}
impl inner::Source for std::fs::File {}
impl inner::Source for Cursor<Vec<u8>> {}
pub trait Slices: BufRead {}
impl<'a> Slices for Cursor<&'a [u8]> {}
impl Slices for &[u8] {}
pub trait Any {}
impl<T: AsRef<[u8]>> Any for io::Cursor<T> {}
impl<R: Read> Any for BufReader<R> {}
pub mod other {
    pub trait Any {}
    impl Any for &[u8] {}
}
";

#[test]
fn a_trait_asks_for_what_it_builds_on_and_is_implemented_for() {
    let fixture = Fixture::library(LIB, &[]);
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    let asks = |bounds: &[&str], implementors: Option<Implementors>| Asks {
        bounds: bounds.iter().map(|bound| (*bound).to_owned()).collect(),
        implementors,
    };
    let cursor = |over| Implementors { cursor: Some(over), ..Implementors::default() };
    for (path, expected) in [
        ("demo::ReadSeek", asks(&["Read", "Seek"], None)),
        ("demo::Both", asks(&["Read", "Seek", "Send", "Write"], None)),
        ("demo::inner::Source", asks(&["Read", "Source"], Some(cursor(Over::Vec)))),
        (
            "demo::Slices",
            asks(&["BufRead", "Slices"], Some(Implementors { bytes: true, ..cursor(Over::Slice) })),
        ),
        ("demo::Any", asks(&["Any"], Some(Implementors { buffered: true, ..cursor(Over::Any) }))),
        ("demo::other::Any", asks(&["Any"], Some(Implementors { bytes: true, ..Implementors::default() }))),
        ("std::io::Read", asks(&["Read"], None)),
    ] {
        assert_eq!(names.asks_of_trait(path), expected, "{path}");
    }
    let bounds = [syn::parse_quote!(inner::Source), syn::parse_quote!(std::marker::Send)];
    let expected = asks(&["Read", "Send", "Source"], Some(cursor(Over::Vec)));
    assert_eq!(names.asks_of_bounds(fixture.module(""), &bounds), expected);
}
