//! Calls of a history that have to say their generic arguments.

use relapse_snapshot::{Frame, Generic, TypeKind, TypeShape, TypeTable};

use super::histories::{call_in, made};
use super::*;
use crate::index::makers::Recorded;
use crate::names::{Asked, Names};

const LIB: &str = "
pub struct Clock;
pub struct Shelf { log: Vec<u8> }
impl Shelf {
    pub fn new() -> Shelf { Shelf { log: Vec::new() } }
    pub fn get_mut<T>(&mut self) -> Option<&mut T> { None }
    pub fn put<T>(&mut self, item: T) -> &mut Self { self }
    pub fn grow<const N: usize>(&mut self) { self.log.resize(N, 0); }
    pub fn both<T, U>(&mut self, item: T) -> Option<U> { None }
    pub fn visit<T, F: FnMut(T)>(&mut self, by: F) -> &mut Self { self }
}
";

/// What is said by the step whose head is that text, of types with these names.
fn said(head: &str, arguments: usize, generics: &[(&str, &str)]) -> Result<Option<String>, String> {
    let mut types = TypeTable::default();
    let mut shape =
        |name: &str| types.intern(TypeShape { name: name.to_owned(), size: Some(1), kind: TypeKind::Opaque });
    shape("u8");
    let generics = generics.iter().map(|(name, ty)| Generic { name: (*name).to_owned(), ty: shape(ty) });
    let step = Frame { generics: generics.collect(), ..call_in(LIB, head, Some(8), arguments) };
    let fixture = Fixture::library(LIB, &[]);
    let calls = made(&[call_in(LIB, "fn new", None, 0), step]);
    let recorded = Recorded { calls: &calls, types: Some(&types), ..Recorded::default() };
    let names = NamesAt::new(&fixture.index, fixture.module("")).with_made(recorded);
    let history = names.made("demo::Shelf", &Asked::default()).unwrap().map_err(|reason| reason.0)?;
    let turbofish = history.steps[0].turbofish.as_ref();
    Ok(turbofish.map(|tokens| tokens.to_string().replace(' ', "")))
}

#[test]
fn a_step_says_the_types_that_nothing_else_tells() {
    assert_eq!(said("fn get_mut", 0, &[("T", "demo::Clock")]), Ok(Some("::<Clock>".to_owned())));
    let both = [("T", "u8"), ("U", "demo::Clock")];
    assert_eq!(said("fn both", 1, &both), Ok(Some("::<_,Clock>".to_owned())));
    assert_eq!(said("fn put", 1, &[("T", "u8")]), Ok(None), "what it takes tells it");
    assert_eq!(said("fn visit", 1, &[("T", "u8")]), Ok(None), "what it takes may tell it");
}

#[test]
fn a_step_of_types_that_are_not_known_is_refused() {
    let refused = said("fn get_mut", 0, &[]).unwrap_err();
    let expected =
        "`get_mut`, a call of the history, has to say its `T`: debug info does not tell it".to_owned();
    assert_eq!(refused, expected);
    let refused = said("fn grow", 0, &[]).unwrap_err();
    assert!(refused.starts_with("`grow`, a call of the history, has to say its `N`"), "{refused}");
    let refused = said("fn get_mut", 0, &[("T", "driver::Own")]).unwrap_err();
    assert!(refused.starts_with("`get_mut`, a call of the history, has to say its `T`"), "{refused}");
}
