//! Which functions are known to make or change values, and what is called on parts of these.

use super::histories::{call_in, made};
use super::naming::plain;
use super::*;
use crate::index::makers::Recorded;
use crate::names::{Asked, Names};

const LIB: &str = "
pub struct Doc { of: u8 }
pub struct Section { lines: u8 }
pub struct Slot<'d> { doc: &'d mut Doc }
impl Doc {
    pub fn of() -> Doc { Doc { of: 1 } }
    pub fn section_mut(&mut self) -> &mut Section { todo!() }
    pub fn slot(&mut self) -> Slot<'_> { Slot { doc: self } }
}
impl Section {
    pub fn push(&mut self, line: u8) { self.lines += line; }
}
impl<'d> Slot<'d> {
    pub fn deeper(self) -> Slot<'d> { self }
}
";

/// The changes of the only document, or why they cannot be told.
fn told(calls: &[relapse_snapshot::Frame]) -> Option<Result<usize, String>> {
    let fixture = Fixture::library(LIB, &[]);
    let calls = made(calls);
    let recorded = Recorded { calls: &calls, turn: 0, first: false };
    let names = NamesAt::new(&fixture.index, fixture.module("")).with_made(recorded);
    let history = names.made("demo::Doc", &Asked::default())?;
    let parts = |step: &crate::names::MadeCall<'_>| step.further.as_ref().map_or(0, |part| part.calls.len());
    Some(history.map(|history| history.steps.iter().map(parts).sum()).map_err(|reason| reason.0))
}

fn makers(lib: &str, definition: &str) -> Vec<String> {
    let fixture = Fixture::library(lib, &[]);
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    names.makers(definition).iter().map(|maker| maker.name.clone()).collect()
}

#[test]
fn what_lies_elsewhere_is_another_part() {
    let of = || call_in(LIB, "fn of", None, 0);
    let section = || call_in(LIB, "fn section_mut", Some(8), 0);
    let push = |place| call_in(LIB, "fn push", Some(place), 1);
    assert_eq!(told(&[of(), section(), push(64), push(64)]), Some(Ok(2)));
    assert_eq!(told(&[of(), section(), push(64), section(), push(32)]), Some(Ok(2)));
    // Which of them it was is not known.
    assert_eq!(told(&[of(), section(), push(64), push(32)]), None);
}

#[test]
fn calls_on_parts_are_made_again_or_the_value_is_not() {
    let steps = |count| {
        let mut calls = vec![call_in(LIB, "fn of", None, 0), call_in(LIB, "fn slot", Some(8), 0)];
        calls.extend((0..count).map(|_| call_in(LIB, "fn deeper", None, 1)));
        told(&calls)
    };
    assert_eq!(steps(3), Some(Ok(1)));
    assert!(steps(20).unwrap().unwrap_err().contains("calls were made one on what the other gave"));
}

#[test]
fn a_builder_of_many_methods_is_one() {
    let lib = "pub struct Fault(u8);
        pub struct Env(u8);
        impl Env {
            pub fn of() -> Env { Env(1) }
            pub fn a(&self) -> Fault { Fault(1) }
            pub fn b(&self) -> Fault { Fault(1) }
            pub fn c(&self) -> Fault { Fault(1) }
            pub fn d(&self) -> Fault { Fault(1) }
        }
        pub struct Page(u8);
        impl Page {
            pub fn opened() -> Page { Page(1) }
            pub fn show(&self) -> Fault { Fault(1) }
        }";
    assert_eq!(makers(lib, "demo::Fault"), ["a", "b", "c", "d", "show", "of", "opened"]);
}

#[test]
fn what_writes_into_its_argument_may_change_nothing_else() {
    let lib = "pub struct Key { shown: std::cell::Cell<u8> }
        impl Key {
            pub fn of() -> Key { todo!() }
            pub fn note(&self, by: &u8) { self.shown.set(*by) }
        }
        impl std::fmt::Display for Key {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> Result<(), std::fmt::Error> { Ok(()) }
        }
        impl std::hash::Hash for Key {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {}
        }";
    assert_eq!(makers(lib, "demo::Key"), ["of", "note"]);
}

#[test]
fn cells_are_seen_behind_aliases_of_the_crate() {
    let lib = "use std::{cell::RefCell, rc::Rc};
        type Shared<T> = Rc<RefCell<T>>;
        type Lines = Shared<Vec<u8>>;
        pub struct Log { lines: Lines }
        impl Log { pub fn add(&self, line: u8) {} }
        mod other { pub struct Cells(std::cell::RefCell<u8>); }
        pub struct Plain { of: ::other::Cells }
        impl Plain { pub fn tell(&self) {} }
        pub struct Own { of: other::Cells }
        impl Own { pub fn set(&self) {} }";
    assert_eq!(makers(lib, "demo::Log"), ["add"]);
    assert_eq!(makers(lib, "demo::Own"), ["set"]);
    assert!(makers(lib, "demo::Plain").is_empty(), "that is another crate");
}

#[test]
fn a_derived_default_makes_values_too() {
    let lib = "
        /// A table.
        #[derive(Debug)]
        #[derive(Clone, Default)]
        pub struct Table { lines: Vec<Line> }
        #[derive(Default)]
        pub enum Line { #[default] Plain, Thick(u8) }
        #[derive(Default)]
        pub struct Of<T>(T);
        #[derive(other::Default)]
        pub struct Foreign(u8);";
    assert_eq!(makers(lib, "demo::Table"), ["default"]);
    assert_eq!(makers(lib, "demo::Line"), ["default"]);
    assert!(makers(lib, "demo::Of").is_empty() && makers(lib, "demo::Foreign").is_empty());
    let fixture = Fixture::library(lib, &[]);
    let calls = made(&[call_in(lib, "#[derive(Clone, Default)]", None, 0)]);
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    let names = names.with_made(Recorded { calls: &calls, turn: 0, first: false });
    let history = names.made("demo::Table", &Asked::default()).unwrap().unwrap();
    assert_eq!(plain(&history.made.path), "Table::default");
}
