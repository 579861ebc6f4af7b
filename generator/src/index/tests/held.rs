//! Functions that give a value within another one, and what a run has shown of it.

use relapse_snapshot::{
    Argument, Data, Field, FieldShape, Frame, Trust, TypeId, TypeKind, TypeShape, TypeTable, Value,
    VariantShape,
};

use super::histories::{call_in, made};
use super::*;
use crate::index::makers::Recorded;
use crate::names::{Asked, Names, Wanted};

const LIB: &str = "
pub struct Body { len: u8 }
pub enum Message { Row(Body), End(Body) }
pub struct Sealed { body: Body }
pub struct Fault { pub body: Body }
pub struct Reader { at: u8 }
impl Message {
    pub fn parse(text: &str) -> std::io::Result<Option<Message>> { todo!() }
    pub fn lent(&self) -> &Message { self }
    pub fn checked(text: &str) -> Result<u8, Fault> { todo!() }
}
impl Reader {
    pub fn of(at: u8) -> Reader { Reader { at } }
}
impl Iterator for Reader {
    type Item = (Message, u8);
    fn next(&mut self) -> Option<Self::Item> { todo!() }
}
pub fn all(text: &str) -> Vec<Box<Message>> { todo!() }
pub mod other { pub fn sealed() -> Option<(u8, super::Sealed)> { todo!() } }
impl Body {
    pub fn made(len: u8) -> Body { Body { len } }
}
";

fn names<'i>(fixture: &'i Fixture, module: &str) -> NamesAt<'i> {
    NamesAt::new(&fixture.index, fixture.module(module))
}

#[test]
fn what_may_give_a_value_within_another_one_is_told_by_its_result() {
    let fixture = Fixture::library(LIB, &[]);
    let names = names(&fixture, "");
    let givers: Vec<&str> = names.givers("demo::Body").iter().map(|giver| giver.name.as_str()).collect();
    assert_eq!(givers, ["parse", "next", "all", "sealed"], "not what is lent, nor an error");
    let makers: Vec<&str> = names.makers("demo::Body").iter().map(|maker| maker.name.as_str()).collect();
    assert_eq!(makers[0], "made", "what gives one by itself comes first");
    let of_givers = names.makers_of_givers("demo::Body");
    let of_givers: Vec<&str> = of_givers.iter().map(|maker| maker.name.as_str()).collect();
    assert_eq!(of_givers, ["of", "next"], "the reader has to be made, too");
}

struct Seen {
    types: TypeTable,
    body: TypeId,
    message: TypeId,
}

fn seen() -> Seen {
    let mut types = TypeTable::default();
    let mut add = |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: Some(24), kind });
    let byte = add("u8", TypeKind::Integer { signed: false, bits: 8 });
    let fields = vec![FieldShape { name: "len".to_owned(), ty: byte }];
    let body = add("demo::Body", TypeKind::Struct { fields, tuple: false, params: Vec::new() });
    let variant = |name: &str| VariantShape {
        name: name.to_owned(),
        fields: vec![FieldShape { name: "0".to_owned(), ty: body }],
        tuple: true,
    };
    let variants = vec![variant("Row"), variant("End")];
    let message = add("demo::Message", TypeKind::Enum { variants, params: Vec::new() });
    Seen { types, body, message }
}

impl Seen {
    fn body(&self, len: u128) -> Value {
        let len = Value { ty: TypeId(0), trust: Trust::Entry, data: Data::Uint(len) };
        let fields = vec![Field { name: "len".to_owned(), value: len }];
        Value { ty: self.body, trust: Trust::AtCrash, data: Data::Struct(fields) }
    }

    fn message(&self, variant: &str, len: u128) -> Value {
        let fields = vec![Field { name: "0".to_owned(), value: self.body(len) }];
        let data = Data::Variant { name: variant.to_owned(), fields };
        Value { ty: self.message, trust: Trust::Entry, data }
    }
}

fn giving(head: &str, arguments: usize, value: Value) -> Frame {
    let gave = Some(Box::new(Argument { name: String::new(), value }));
    Frame { gave, ..call_in(LIB, head, None, arguments) }
}

/// Which call made the body of that length, and its way out of what that gave.
fn told(seen: &Seen, calls: &[relapse_snapshot::Made], len: u128) -> Option<(usize, usize)> {
    let fixture = Fixture::library(LIB, &[]);
    let names = names(&fixture, "").with_made(Recorded { calls, turn: 0, ..Recorded::default() });
    let value = seen.body(len);
    let asked = Asked { wanted: Some(Wanted { value: &value, types: &seen.types }), ..Asked::default() };
    let history = names.made("demo::Body", &asked)?.unwrap();
    Some((history.made.at, history.made.taken.len()))
}

#[test]
fn the_call_that_gave_what_holds_the_value_made_it() {
    let seen = seen();
    let parse = |variant, len| giving("fn parse", 1, seen.message(variant, len));
    let calls = made(&[parse("Row", 3), parse("End", 4), parse("Row", 5)]);
    assert_eq!(told(&seen, &calls, 4), Some((1, 1)));
    // It may have been changed since: the last one is the likeliest.
    assert_eq!(told(&seen, &calls, 9), Some((2, 1)));
    let unseen = made(&[call_in(LIB, "fn parse", None, 1)]);
    assert_eq!(told(&seen, &unseen, 4), None, "what it gave was not read");
}

#[test]
fn a_function_that_gives_the_value_itself_goes_first_where_it_made_it() {
    let seen = seen();
    let parse = giving("fn parse", 1, seen.message("Row", 3));
    let calls = made(&[call_in(LIB, "pub fn made", None, 1), parse.clone()]);
    assert_eq!(told(&seen, &calls, 3), Some((1, 1)), "that is known to have held the same");
    assert_eq!(told(&seen, &calls, 9), Some((0, 0)));
    let mut calls = made(&[parse, call_in(LIB, "pub fn made", None, 1)]);
    calls[1].within = Some(0);
    assert_eq!(told(&seen, &calls, 3), Some((1, 0)), "it is what the other one called");
}
