//! What is left of a program that was stripped.

use relapse_snapshot::CauseKind;

use super::expected::MESSAGE;
use super::fixture::{Build, Seen, here};

const NOT_SEEN: &[&str] =
    &["orders is stripped of its symbols, so its panics are not seen", "`strip = false`"];

#[test]
fn program_that_is_not_stripped_is_read_whole() {
    Build::with(&["-Cstrip=none"]).see().is_whole();
}

#[test]
fn strip_debuginfo_leaves_the_names_and_says_so() {
    let seen = Build::with(&["-Cstrip=debuginfo"]).see();
    seen.lacks_arguments(&["stripped of its debug info", "`strip = false` and `debug = true`"]);
}

#[test]
fn strip_symbols_leaves_the_message_and_says_so() {
    leaves_the_message(&Build::with(&["-Cstrip=symbols"]).see());
}

#[test]
fn strip_symbols_of_an_optimised_program_leaves_the_message_and_says_so() {
    leaves_the_message(&Build::with(&["-Cstrip=symbols", "-O", "-Clto=fat", "-Ccodegen-units=1"]).see());
}

#[test]
fn strip_by_binutils_leaves_the_message_and_says_so() {
    if here(&[("strip", "binutils")]) {
        let build = Build::with(&[]);
        build.run("strip", &["orders"]);
        leaves_the_message(&build.see());
    }
}

#[test]
fn strip_debug_by_binutils_leaves_the_names_and_says_so() {
    if here(&[("strip", "binutils")]) {
        let build = Build::with(&[]);
        build.run("strip", &["--strip-debug", "orders"]);
        build.see().lacks_arguments(&["stripped of its debug info", "`strip = false` and `debug = true`"]);
    }
}

#[test]
fn stripped_program_that_aborts_says_so() {
    let seen = Build::with(&["-Cstrip=symbols", "-Cpanic=abort"]).see();
    assert_eq!(seen.crashes.len(), 1, "{:?}", seen.notes);
    assert_eq!(seen.crashes[0].snapshot.cause.kind, CauseKind::Abort);
    seen.says(NOT_SEEN);
}

#[test]
fn static_stripped_program_says_that_its_panics_are_not_seen() {
    let seen = Build::with(&["-Cstrip=symbols", "-Ctarget-feature=+crt-static"]).see();
    assert_eq!(seen.crashes, []);
    seen.says(NOT_SEEN);
}

/// The panic is seen as it begins to unwind, with its message and place; its frames have no names.
fn leaves_the_message(seen: &Seen) {
    let crash = seen.crash();
    assert_eq!(crash.snapshot.cause.message, MESSAGE);
    let frames = &crash.snapshot.threads[0].frames;
    assert!(frames.len() > 3);
    assert!(frames.iter().all(|frame| frame.function != "_Unwind_RaiseException"), "{frames:?}");
    seen.says(&["its place found on the stack", "no symbols"]);
    seen.says(&["stripped of its symbols", "`strip = false` and `debug = true`"]);
}
