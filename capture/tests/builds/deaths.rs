//! Crashes that are no panic, and panics in inlined calls.

use relapse_snapshot::{CauseKind, Frame};

use super::expected::{Is, is_right, line_in};
use super::fixture::{Build, Seen};

const NAME: (&str, Is) = ("name", Is::Text("ada"));
const COUNT: (&str, Is) = ("count", Is::Number(7));

/// `tests/programs/deaths.rs` at this level of optimisation, run with this word.
fn died(level: u8, word: &str) -> Seen {
    let build = Build::new();
    build.rustc("deaths", &[&format!("-Copt-level={level}")]);
    build.see_command(&[build.folder().join("deaths"), word.into()], &[])
}

/// The calls of a function in the one crash, innermost first, and their kind.
fn calls<'s>(seen: &'s Seen, function: &str) -> (CauseKind, Vec<&'s Frame>) {
    assert_eq!(seen.crashes.len(), 1, "{:?}", seen.notes);
    let snapshot = &seen.crashes[0].snapshot;
    let path = format!("deaths::{function}");
    (snapshot.cause.kind, snapshot.threads[0].frames.iter().filter(|frame| frame.function == path).collect())
}

/// Whether all these arguments of a call are there; those that are not say so, the others are right.
fn is_whole(call: &Frame, expected: &[(&str, Is)]) -> bool {
    let names: Vec<&str> = call.arguments.iter().map(|argument| argument.name.as_str()).collect();
    assert!(
        expected.iter().map(|(name, _)| *name).eq(names.iter().copied().take(expected.len())),
        "{names:?}"
    );
    let right = |(argument, (name, is)): (&relapse_snapshot::Argument, &(&str, Is))| {
        is_right(&argument.value, is).unwrap_or_else(|wrong| panic!("{name} is wrong: {wrong}"))
    };
    call.arguments.iter().zip(expected).map(right).fold(true, |whole, right| whole & right)
}

fn stands_at(call: &Frame, function: &str) -> bool {
    let line = line_in("deaths", function);
    call.location.as_ref().is_some_and(|at| (at.file.as_str(), at.line) == ("src/deaths.rs", line))
}

#[test]
fn fault_is_read_whole() {
    let seen = died(0, "fault");
    let (kind, calls) = calls(&seen, "weigh");
    assert_eq!((kind, calls.len()), (CauseKind::Signal, 1));
    assert!(stands_at(calls[0], "weigh") && is_whole(calls[0], &[NAME, COUNT]), "{calls:?}");
}

#[test]
fn fault_of_an_optimised_program_is_right_or_missing() {
    let seen = died(3, "fault");
    let (kind, calls) = calls(&seen, "weigh");
    assert_eq!((kind, calls.len()), (CauseKind::Signal, 1));
    assert!(stands_at(calls[0], "weigh"), "{calls:?}");
    is_whole(calls[0], &[NAME, COUNT]);
}

#[test]
fn stack_overflow_is_read_whole_but_for_its_last_call() {
    let seen = died(0, "overflow");
    let (kind, calls) = calls(&seen, "pile");
    assert_eq!(kind, CauseKind::StackOverflow);
    assert!(calls.len() > 400, "{}", calls.len());
    is_whole(calls[0], &[NAME, COUNT]);
    for call in &calls[1..] {
        assert!(stands_at(call, "pile") && is_whole(call, &[NAME, COUNT]), "{call:?}");
    }
}

#[test]
fn stack_overflow_of_an_optimised_program_is_right_or_missing() {
    let seen = died(3, "overflow");
    let (kind, calls) = calls(&seen, "pile");
    assert_eq!(kind, CauseKind::StackOverflow);
    assert!(calls.len() > 400, "{}", calls.len());
    for call in calls {
        is_whole(call, &[NAME, COUNT]);
    }
}

#[test]
fn inlined_call_is_read_whole() {
    let seen = died(0, "inlined");
    let (kind, share) = calls(&seen, "share");
    let (_, split) = calls(&seen, "split");
    assert_eq!((kind, share.len(), split.len()), (CauseKind::Panic, 1, 1));
    assert!(share[0].inlined && stands_at(share[0], "share") && stands_at(split[0], "split"), "{share:?}");
    assert!(is_whole(share[0], &[NAME, COUNT, ("among", Is::Number(0))]), "{share:?}");
    assert!(is_whole(split[0], &[NAME, COUNT]), "{split:?}");
}

#[test]
fn inlined_call_of_an_optimised_program_is_right_or_missing() {
    let seen = died(3, "inlined");
    let (kind, share) = calls(&seen, "share");
    let (_, split) = calls(&seen, "split");
    assert_eq!((kind, share.len(), split.len()), (CauseKind::Panic, 1, 1));
    assert!(share[0].inlined && stands_at(share[0], "share") && stands_at(split[0], "split"), "{share:?}");
    is_whole(share[0], &[NAME, COUNT, ("among", Is::Number(0))]);
    is_whole(split[0], &[NAME, COUNT]);
}
