//! Fingerprints: the same for two runs of one bug, different for two bugs.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "support/snapshots.rs"]
mod support;

use relapse_snapshot::*;
use support::frame;

fn cause(message: &str) -> Cause {
    Cause { kind: CauseKind::Panic, message: message.into(), signal: None }
}

fn of(message: &str, functions: &[(&str, FrameKind)]) -> String {
    let frames: Vec<Frame> = functions.iter().map(|(name, kind)| frame(name, *kind, vec![])).collect();
    fingerprint(&cause(message), None, &frames)
}

use FrameKind::{Dependency, Std, Workspace};

#[test]
fn runs_and_builds_of_one_bug_have_the_same_fingerprint() {
    let stack: &[(&str, FrameKind)] = &[
        ("core::panicking::panic_fmt", Std),
        ("demo::parse::{closure#0}", Workspace),
        ("itertools::map", Dependency),
        ("demo::walk", Workspace),
        ("demo::walk", Workspace),
        ("demo::main", Workspace),
    ];
    let expected = of("the len is 3 but the index is 7", stack);
    assert_eq!(expected.len(), 16);
    assert!(expected.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    assert_eq!(of("the len is 300 but the index is 1000", stack), expected);
    let rebuilt: &[(&str, FrameKind)] = &[
        ("core[0a1b2c]::panicking::panic", Std),
        ("demo[77aa]::parse::{closure#4}", Workspace),
        ("demo::walk::h0123456789abcdef", Workspace),
        ("demo::walk::h0123456789abcdef", Workspace),
        ("demo::walk::h0123456789abcdef", Workspace),
        ("demo::main", Workspace),
        ("demo::more", Workspace),
    ];
    assert_eq!(of("the len is 1 but the index is 2", rebuilt), expected);
}

#[test]
fn lines_and_folders_take_no_part() {
    let mut frames = vec![frame("demo::parse", Workspace, vec![])];
    let place = |file: &str, line| Location { file: file.into(), line, column: 1 };
    let before = fingerprint(&cause("boom"), Some(&place("src/lib.rs", 3)), &frames);
    frames[0].location = Some(place("crates/demo/src/lib.rs", 99));
    assert_eq!(fingerprint(&cause("boom"), Some(&place("crates/demo/src/lib.rs", 99)), &frames), before);
}

#[test]
fn different_bugs_have_different_fingerprints() {
    let parse = [("demo::parse", Workspace)];
    let all = [
        of("attempt to add with overflow", &parse),
        of("attempt to subtract with overflow", &parse),
        of("attempt to add with overflow", &[("demo::print", Workspace)]),
        of("attempt to add with overflow", &[("demo::parse", Dependency)]),
        of("attempt to add with overflow", &[]),
        of("", &parse),
        fingerprint(&Cause { kind: CauseKind::Abort, message: String::new(), signal: None }, None, &[]),
        fingerprint(
            &Cause { kind: CauseKind::Signal, message: String::new(), signal: Some("SIGSEGV".into()) },
            None,
            &[],
        ),
        fingerprint(
            &Cause { kind: CauseKind::Signal, message: String::new(), signal: Some("SIGBUS".into()) },
            None,
            &[],
        ),
    ];
    let distinct: std::collections::HashSet<&String> = all.iter().collect();
    // Whose frames they are does not matter, only their names.
    assert_eq!(distinct.len(), all.len() - 1);
}

#[test]
fn the_hash_is_the_same_in_every_release() {
    assert_eq!(of("attempt to add with overflow", &[("demo::parse", Workspace)]), "ca18cf24afc90130");
}

proptest::proptest! {
    #[test]
    fn any_message_and_name_is_taken(message in "[-`'\"/.~:0-9a-fx \n\\\\é{\\[\\]}]{0,60}", any: String) {
        for text in [&message, &any] {
            proptest::prop_assert!(normalise_message(text).len() <= 2048);
            of(text, &[(text, Workspace)]);
        }
    }
}
