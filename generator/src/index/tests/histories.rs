//! How a value came into its state, as the calls of a run tell it.

use relapse_snapshot::{Argument, Data, Frame, Location, Trust, TypeId, TypeTable, Value};

use super::*;
use crate::index::makers::Recorded;
use crate::names::{Asked, History, MadeCall, Names};

const LIB: &str = "
pub struct Pile { items: Vec<u8> }
pub type Heap = Pile;
pub struct PileBuilder(u8);
pub struct View<'p>(&'p mut Pile);
impl<'p> View<'p> {
    pub fn onward(self) -> Self { self }
    pub fn lay(&mut self, item: u8) { self.0.items.push(item); }
}
impl Pile {
    pub fn new() -> Self { Pile { items: Vec::new() } }
    pub fn parse(text: &str) -> std::io::Result<Heap> { todo!() }
    pub fn put(&mut self, item: u8) -> &mut Self { self.items.push(item); self }
    pub fn with(mut self, item: u8) -> Self { self.items.push(item); self }
    pub fn len(&self) -> usize { self.items.len() }
    pub fn view(&mut self) -> View<'_> { View(self) }
    pub unsafe fn trusted(item: u8) -> Self { Pile { items: vec![item] } }
    pub async fn later(item: u8) -> Self { Pile { items: vec![item] } }
    #[doc(hidden)]
    pub fn inner(item: u8) -> Self { Pile { items: vec![item] } }
}
impl PileBuilder {
    pub fn new(item: u8) -> Self { PileBuilder(item) }
    pub fn set(&mut self, item: u8) -> &mut Self { self.0 = item; self }
    pub fn build(&self) -> Option<Pile> { None }
}
pub fn piled(item: u8) -> Pile { Pile { items: vec![item] } }
impl Default for Pile {
    fn default() -> Self { Pile::new() }
}
pub struct Fault(u8);
type CheckResult<T> = Result<T, Fault>;
impl Fault {
    fn of(item: u8) -> Self { Fault(item) }
}
impl PileBuilder {
    pub fn check(&self) -> Result<u8, Fault> { Err(Fault::of(1)) }
    fn examine(&self) -> Result<u8, Fault> { self.check() }
}
pub fn checked(item: u8) -> CheckResult<u8> { Err(Fault::of(item)) }
impl std::ops::DerefMut for Pile {
    fn deref_mut(&mut self) -> &mut Vec<u8> { &mut self.items }
}
";

fn fixture() -> Fixture {
    Fixture::library(LIB, &[])
}

fn line_of(lib: &str, text: &str) -> u32 {
    lib.lines().position(|line| line.contains(text)).unwrap() as u32 + 1
}

/// A call of the function whose head is that text, on what lies at an address, or on nothing.
fn call(head: &str, receiver: Option<u64>, arguments: usize) -> Frame {
    call_in(LIB, head, receiver, arguments)
}

pub(super) fn call_in(lib: &str, head: &str, receiver: Option<u64>, arguments: usize) -> Frame {
    let mut types = TypeTable::default();
    let ty: TypeId = types.intern(relapse_snapshot::TypeShape {
        name: "u8".to_owned(),
        size: Some(1),
        kind: relapse_snapshot::TypeKind::Integer { signed: false, bits: 8 },
    });
    let argument =
        |data| Argument { name: "item".to_owned(), value: Value { ty, trust: Trust::Entry, data } };
    let receiver = receiver.map(|address| argument(Data::Pointer { address, to: None }));
    let arguments = receiver.into_iter().chain((0..arguments).map(|_| argument(Data::Uint(1)))).collect();
    let declared = Some(Location { file: "src/lib.rs".to_owned(), line: line_of(lib, head), column: 0 });
    Frame { declared, arguments, ..Frame::default() }
}

fn lost(head: &str) -> Frame {
    Frame { arguments_missing: Some("not seen".to_owned()), ..call(head, None, 0) }
}

/// `Pile::new .put .put`.
fn told(history: &History<'_>) -> String {
    let one = |made: &MadeCall<'_>| match &made.method {
        Some(method) => format!(".{method}"),
        None => made.path.to_string().replace(' ', ""),
    };
    let of = history.of.as_ref().map(|of| format!("({})", told(of))).unwrap_or_default();
    let steps: Vec<String> = history.steps.iter().map(one).collect();
    format!("{of}{}{}", one(&history.made), steps.concat())
}

/// None of them within another one.
pub(super) fn made(calls: &[Frame]) -> Vec<relapse_snapshot::Made> {
    calls.iter().map(|call| relapse_snapshot::Made { call: call.clone(), within: None }).collect()
}

fn history(calls: &[Frame], within: Option<std::ops::Range<u64>>, turn: usize) -> Option<String> {
    history_of(&made(calls), within, turn)
}

fn history_of(
    calls: &[relapse_snapshot::Made],
    within: Option<std::ops::Range<u64>>,
    turn: usize,
) -> Option<String> {
    let fixture = fixture();
    let names = NamesAt::new(&fixture.index, fixture.module("")).with_made(Recorded {
        calls,
        turn,
        ..Recorded::default()
    });
    names.made("demo::Pile", &Asked { within, ..Asked::default() }).map(|history| told(&history.unwrap()))
}

#[test]
fn what_could_make_or_change_a_value_is_watched() {
    let fixture = fixture();
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    let makers: Vec<&str> = names.makers("demo::Pile").iter().map(|maker| maker.name.as_str()).collect();
    assert_eq!(makers, ["new", "parse", "with", "build", "piled", "default", "new", "put", "view", "set"]);
}

#[test]
fn a_value_is_made_by_the_last_call_and_by_an_earlier_one_in_a_later_turn() {
    let calls = [call("fn piled", None, 1), call("fn parse", None, 1)];
    assert_eq!(history(&calls, None, 0).unwrap(), "Pile::parse");
    assert_eq!(history(&calls, None, 1).unwrap(), "Pile::parse");
    assert_eq!(history(&calls, None, 2).unwrap(), "piled");
    assert_eq!(history(&calls, None, 4), None);
}

#[test]
fn only_an_argument_that_may_be_of_any_type_has_to_say_its_own() {
    const OPEN: &str = "
pub struct Pile { items: Vec<u8> }
pub fn read<R: Copy>(from: R, most: usize, last: Option<&[R]>, by: &impl Copy) -> Pile { todo!() }
";
    let fixture = Fixture::library(OPEN, &[]);
    let calls = made(&[call_in(OPEN, "fn read", None, 4)]);
    let names = NamesAt::new(&fixture.index, fixture.module("")).with_made(Recorded {
        calls: &calls,
        turn: 0,
        ..Recorded::default()
    });
    let history = names.made("demo::Pile", &Asked::default()).unwrap().unwrap();
    assert_eq!(history.made.typed, [true, false, true, true]);
}

#[test]
fn what_lies_elsewhere_was_changed_by_other_calls() {
    let calls = [
        call("pub fn new() -> Self", None, 0),
        call("fn put", Some(8), 1),
        call("fn piled", None, 1),
        call("fn put", Some(64), 1),
        call("fn put", Some(8), 1),
    ];
    assert_eq!(history(&calls, Some(8..9), 0).unwrap(), "Pile::new.put.put");
    assert_eq!(history(&calls, Some(64..65), 0).unwrap(), "piled.put");
    assert_eq!(history(&calls, None, 0).unwrap(), "Pile::new.put.put");
    assert_eq!(history(&calls, Some(128..129), 0).unwrap(), "Pile::new.put.put", "it was moved there");
}

#[test]
fn what_takes_a_value_and_gives_one_comes_after_what_made_it() {
    let calls = [call("fn default", None, 0), call("fn with", Some(1), 1), call("fn put", Some(8), 1)];
    assert_eq!(history(&calls, None, 0).unwrap(), "Pile::default.with.put");
}

#[test]
fn a_place_that_had_several_values_has_the_last_one() {
    let again = || [call("pub fn new() -> Self", None, 0), call("fn put", Some(8), 1)];
    let calls = [again(), again(), again()].concat();
    assert_eq!(history(&calls, Some(8..9), 0).unwrap(), "Pile::new.put");
}

#[test]
fn what_was_given_away_after_a_change_is_followed_where_there_is_but_one() {
    let calls = [call("fn default", None, 0), call("fn put", Some(8), 1), call("fn with", Some(1), 1)];
    assert_eq!(history(&calls, None, 0).unwrap(), "Pile::default.put.with");
    let another = [call("fn default", None, 0), call("fn put", Some(64), 1)];
    assert_eq!(history(&[&another[..], &calls].concat(), None, 0), None);
}

#[test]
fn one_call_makes_one_value_and_nothing_that_it_was_given() {
    let fixture = fixture();
    let calls = made(&[call("fn piled", None, 1), call("fn parse", None, 1)]);
    let made = Recorded { calls: &calls, turn: 0, ..Recorded::default() };
    let names = NamesAt::new(&fixture.index, fixture.module("")).with_made(made);
    let asked = |before, used| {
        names.made("demo::Pile", &Asked { before, used, ..Asked::default() }).map(Result::unwrap)
    };
    assert_eq!(told(&asked(Some(1), &[]).unwrap()), "piled");
    assert!(asked(Some(0), &[]).is_none());
    assert!(asked(None, &[1]).is_none());
}

#[test]
fn a_builder_has_a_history_of_its_own() {
    let calls = [
        call("pub fn new(item: u8)", None, 1),
        call("fn set", Some(8), 1),
        call("pub fn new(item: u8)", None, 1),
        call("fn set", Some(32), 1),
        call("fn build", Some(8), 0),
    ];
    assert_eq!(history(&calls, None, 0).unwrap(), "(PileBuilder::new.set).build");
}

#[test]
fn calls_that_were_not_seen_may_have_changed_it() {
    let calls = [call("fn piled", None, 1), lost("fn put"), call("fn put", Some(8), 1)];
    assert_eq!(history(&calls, None, 0), None);
    let calls = [lost("fn put"), call("fn piled", None, 1), call("fn put", Some(8), 1)];
    assert_eq!(history(&calls, None, 0).unwrap(), "piled.put");
}

#[test]
fn what_a_call_does_by_itself_is_not_done_once_more() {
    let frames = [call("fn piled", None, 1), call("fn put", Some(8), 1), call("fn put", Some(8), 1)];
    let mut calls = made(&frames);
    calls[2].within = Some(1);
    assert_eq!(history_of(&calls, None, 0).unwrap(), "piled.put");
    // That of another type is no part of this history.
    calls[1] = relapse_snapshot::Made { call: call("fn set", Some(8), 1), within: None };
    assert_eq!(history_of(&calls, None, 0).unwrap(), "piled.put");
}

#[test]
fn an_error_is_what_a_public_function_gives_that_failed() {
    let fixture = fixture();
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    let makers: Vec<&str> = names.makers("demo::Fault").iter().map(|maker| maker.name.as_str()).collect();
    assert_eq!(makers, ["of", "check", "checked", "new", "set"]);
    let ranks: Vec<u8> = names.ranked_makers("demo::Fault").iter().map(|(rank, _)| *rank).collect();
    assert_eq!(ranks, [0, 2, 2, 0, 1]);
    let mut calls = made(&[
        call("pub fn new(item: u8)", None, 1),
        call("fn set", Some(8), 1),
        call("fn checked", None, 1),
        call("fn check(", Some(8), 0),
        call("fn of", None, 1),
    ]);
    calls[4].within = Some(3);
    let names = names.with_made(Recorded { calls: &calls, turn: 0, ..Recorded::default() });
    let history = names.made("demo::Fault", &Asked::default()).unwrap().unwrap();
    assert_eq!(told(&history), "(PileBuilder::new.set).check");
    assert_eq!(history.made.wrapped, crate::names::Wrapped::Error);
}

/// What a pile is made by of which a view was taken, and that many calls made on what the one before gave, or all on the view.
fn viewed(calls: usize, head: &str) -> Option<Result<usize, String>> {
    let fixture = fixture();
    let mut all = vec![call("fn piled", None, 1), call("fn view", Some(8), 0)];
    let on_view = if head.contains("onward") { call(head, Some(8), 0) } else { call(head, Some(8), 1) };
    all.extend((0..calls).map(|_| on_view.clone()));
    let calls = made(&all);
    let names = NamesAt::new(&fixture.index, fixture.module(""));
    let names = names.with_made(Recorded { calls: &calls, turn: 0, ..Recorded::default() });
    let history = names.made("demo::Pile", &Asked::default())?;
    let counted = |made: &MadeCall<'_>| {
        let (mut count, mut open) = (0, vec![made.clone()]);
        while let Some(further) = open.pop().map(|made| made.further) {
            open.extend(further.into_iter().flat_map(|further| further.calls));
            count += 1;
        }
        count
    };
    let history = history.map(|history| history.steps.iter().map(counted).sum());
    Some(history.map_err(|unnameable| unnameable.0))
}

#[test]
fn calls_on_parts_are_as_many_as_may_be_made_again_or_none() {
    assert_eq!(viewed(199, "fn lay"), Some(Ok(200)));
    assert_eq!(viewed(200, "fn lay"), None);
    assert_eq!(viewed(16, "fn onward"), Some(Ok(17)));
    let refused = viewed(17, "fn onward").unwrap().unwrap_err();
    assert!(refused.starts_with("more than 16 calls were made one on what the other gave"), "{refused}");
}
