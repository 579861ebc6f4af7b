//! A type's own constructor, found from another crate and from another module.

use super::*;
use crate::names::{Names, Seen};

const SPAN: &str = "
pub mod time;
mod user;
";
const TIME: &str = "
pub struct Span { from: u8, to: u8 }
impl Span {
    pub fn checked(from: u8, to: u8) -> Result<Self, ()> {
        if from > to { Err(()) } else { Ok(Self { from, to }) }
    }
    #[deprecated]
    pub fn old(to: u8, from: u8) -> Self { Self { from, to } }
    fn private(from: u8, to: u8) -> Self { Self { from, to } }
}
pub struct Row { cells: Vec<u8>, title: String, open: bool }
impl Row {
    pub fn new(title: String) -> Self { Row { title, cells: Vec::new(), open: true } }
}
pub struct Level(u8);
impl From<u8> for Level {
    fn from(level: u8) -> Self { Self(level) }
}
impl From<char> for Level {
    fn from(sign: char) -> Self { Self(sign as u8 - b'0') }
}
pub struct Other { from: u8, to: u8 }
mod far {
    pub struct Other { from: u8, to: u8 }
    impl Other {
        pub fn new(from: u8, to: u8) -> Self { Other { from, to } }
    }
}
";

fn fixture() -> Fixture {
    Fixture::with_user(&[("demo/src/lib.rs", SPAN), ("demo/src/time.rs", TIME), ("demo/src/user.rs", "")])
}

fn number(name: &str, number: i128) -> Seen<'_> {
    Seen { name, blank: false, number: Some(number) }
}

fn data(name: &str, blank: bool) -> Seen<'_> {
    Seen { name, blank, number: None }
}

/// `demo::time::Span::checked(0, 1)!`: the call, the fields that are its arguments, `!` where it is unwrapped.
fn found(names: &NamesAt<'_>, definition: &str, fields: &[Seen<'_>]) -> Option<String> {
    let own = names.own_constructor(definition, fields)?;
    let call = own.call.to_string().replace(' ', "");
    Some(format!("{call}{:?}{}", own.arguments, if own.unwrapped { "!" } else { "" }))
}

#[test]
fn another_crate_takes_the_constructor_that_is_open_to_it() {
    let fixture = fixture();
    let krate = fixture.krate("user", TargetKind::Library);
    let names = NamesAt::new(&fixture.index, ModuleId { krate, module: 0 });
    let span = [number("from", 1), number("to", 2)];
    assert_eq!(found(&names, "demo::time::Span", &span).as_deref(), Some("demo::time::Span::checked[0, 1]!"));
    let row = |blank, open| [data("cells", blank), data("title", false), number("open", open)];
    assert_eq!(found(&names, "demo::time::Row", &row(true, 1)).as_deref(), Some("demo::time::Row::new[1]"));
    assert_eq!(found(&names, "demo::time::Row", &row(false, 1)), None, "it has cells");
    assert_eq!(found(&names, "demo::time::Row", &row(true, 0)), None, "it is not open");
    let level = names.own_constructor("demo::time::Level", &[number("0", 3)]).unwrap();
    assert_eq!((level.call.to_string(), level.typed), ("demo :: time :: Level :: from".to_owned(), true));
    assert_eq!(found(&names, "demo::time::Other", &span), None, "another type of its name has one");
}

#[test]
fn within_the_crate_only_one_that_cannot_refuse_is_taken() {
    let fixture = fixture();
    let names = NamesAt::new(&fixture.index, fixture.module("user"));
    assert_eq!(found(&names, "demo::time::Span", &[number("from", 1), number("to", 2)]), None);
    let row = [data("cells", true), data("title", false), number("open", 1)];
    assert_eq!(found(&names, "demo::time::Row", &row).as_deref(), Some("crate::time::Row::new[1]"));
}
