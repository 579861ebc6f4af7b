//! Verdicts of what was seen, made up: what is seen of real tests is in `tests/replay.rs`.

use std::fs;
use std::sync::Mutex;

use relapse_capture::roots::PackageRoot;
use relapse_generator::render::CrashLine;
use relapse_generator::verify::{Limits, ObservedDeath, PanicLocation};
use relapse_snapshot::CauseKind;

use super::*;
use crate::header::Header;

fn header(message: &str) -> Header {
    Header {
        package: "demo".into(),
        cargo_args: Vec::new(),
        variables: Vec::new(),
        test: "regressions::a::a".into(),
        snapshot: "1".into(),
        crash: CrashLine {
            function: "nth".into(),
            dies: false,
            hangs: false,
            message: message.into(),
            cut: false,
            file: "src/lib.rs".into(),
            line: Some(3),
            within: None,
        },
        open: false,
    }
}

fn dying() -> Header {
    let mut dying = header("aborted");
    dying.crash.dies = true;
    dying
}

fn roots() -> Roots {
    let package = PackageRoot { name: "demo".into(), folder: "/w".into() };
    Roots { workspace: Some("/w".into()), packages: vec![package] }
}

fn seen(ending: Ending, panics: &[(&str, &str)]) -> Observation {
    let panic = |(message, file): &(&str, &str)| ObservedPanic {
        message: (*message).to_owned(),
        location: PanicLocation { file: (*file).to_owned(), line: 9, column: 1 },
        tid: 1,
        thread_name: None,
        functions: Vec::new(),
    };
    Observation {
        panics: panics.iter().map(panic).collect(),
        deaths: Vec::new(),
        ending,
        stdout: Vec::new(),
        stderr: Vec::new(),
        accesses: Vec::new(),
    }
}

/// Line 2 is an argument, 3 the call, 4 an assertion; the child is run from line 11 on.
const TEXT: &str =
    "fn a() {\nlet n = 1;\nnth(n);\nassert_eq!(1, 2);\n\n\n\n\n\n}\nfn in_child(\n\nassert!(false);\n}\n";
const OWN: &str = "regressions/lib/a.rs";

fn found() -> Found {
    Found { file: OWN.into(), package: "demo".into(), text: TEXT.to_owned() }
}

fn verdict(header: &Header, seen: &Observation) -> Verdict {
    let (roots, found) = (roots(), found());
    let expected = Expected::new(header, None, &roots);
    Case { expected: &expected, found: &found, roots: &roots }.verdict(seen).0
}

fn judged(header: &Header, ending: Ending, panics: &[(&str, &str)]) -> Verdict {
    verdict(header, &seen(ending, panics))
}

/// A run with a panic at this line of the test itself, with these functions on its stack.
fn in_test(message: &str, line: u32, functions: &[&str]) -> Observation {
    let mut seen = seen(Ending::Exited(101), &[(message, OWN)]);
    seen.panics[0].location.line = line;
    seen.panics[0].functions = functions.iter().map(|&name| name.to_owned()).collect();
    seen
}

fn death(signal: &str) -> ObservedDeath {
    ObservedDeath { kind: CauseKind::Abort, signal: signal.into(), functions: Vec::new() }
}

/// Gives one observation after the other.
struct Given(Mutex<Vec<Observation>>);

impl Observer for Given {
    fn observe(&self, _: &TestRun) -> Result<Observation, ObserveError> {
        Ok(self.0.lock().unwrap().remove(0))
    }

    fn keeps_apart(&self) -> bool {
        false
    }
}

fn judged_in_turn(header: &Header, seen: Vec<Observation>) -> Verdict {
    let run = TestRun {
        executable: "x".into(),
        test: "a".into(),
        folder: "/".into(),
        environment: Vec::new(),
        limits: Limits::default(),
        captured: false,
    };
    let (roots, found) = (roots(), found());
    let expected = Expected::new(header, None, &roots);
    judge(&Given(Mutex::new(seen)), &run, &expected, &found, &roots).unwrap().verdict
}

#[test]
fn the_same_panic_in_the_same_file_is_open() {
    let index = header("index out of bounds: the len is 3 but the index is 17");
    let text = "index out of bounds: the len is 0 but the index is 4";
    assert_eq!(judged(&index, Ending::Exited(101), &[(text, "src/lib.rs")]), Verdict::Open);
    assert_eq!(judged(&index, Ending::Exited(101), &[(text, "/w/src/../src/lib.rs")]), Verdict::Open);
    assert_eq!(judged(&index, Ending::Exited(101), &[(text, "src/b.rs")]), Verdict::Changed);
    assert_eq!(judged(&index, Ending::Exited(101), &[("other", "src/lib.rs")]), Verdict::Changed);
    assert_eq!(judged(&index, Ending::Exited(0), &[]), Verdict::Fixed);
    assert_eq!(judged(&index, Ending::TimedOut, &[]), Verdict::Timeout);
    assert_eq!(judged(&index, Ending::Signaled("SIGSEGV".into()), &[]), Verdict::Changed);
    assert_eq!(judged(&index, Ending::Exited(101), &[]), Verdict::Changed);
}

#[test]
fn what_has_the_place_of_its_call_is_the_same_crash() {
    let index = header("index out of bounds: the len is 3 but the index is 17");
    let text = "index out of bounds: the len is 3 but the index is 18";
    let at_call = |functions: &[&str]| verdict(&index, &in_test(text, 3, functions));
    assert_eq!(at_call(&["demo::nth", "demo::regressions::a::a"]), Verdict::Open);
    assert_eq!(at_call(&["demo::first", "demo::regressions::a::a"]), Verdict::Invalid);
    let other = in_test("another", 3, &["demo::nth", "demo::regressions::a::a"]);
    assert_eq!(verdict(&index, &other), Verdict::Changed);
}

#[test]
fn a_call_that_ends_its_process_with_status_0_is_no_fix() {
    let mut left = seen(Ending::Exited(0), &[]);
    let mut open = header("overflow");
    open.open = true;
    for header in [header("overflow"), open] {
        left.stdout = b"\nrunning 1 test\n".into();
        assert_eq!(judged_in_turn(&header, vec![left.clone()]), Verdict::Changed);
        left.stdout = b"\nrunning 1 test\ntest a ... ok\n\ntest result: ok. 1 passed\n".into();
        assert_ne!(judged_in_turn(&header, vec![left.clone()]), Verdict::Changed);
    }
}

#[test]
fn a_place_is_seen_from_the_package_of_its_test() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for file in ["src/lib.rs", "crates/demo/src/lib.rs"] {
        fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        fs::write(root.join(file), "").unwrap();
    }
    let package = |name: &str, at: &str| PackageRoot { name: name.into(), folder: root.join(at) };
    let packages = vec![package("root", ""), package("demo", "crates/demo")];
    let roots = Roots { workspace: Some(root.to_owned()), packages };
    let is_shown_at = |header: &Header, file: &str| {
        let seen = seen(Ending::Exited(101), &[("overflow", file)]);
        Expected::new(header, None, &roots).is_shown_by(&seen.panics[0], &roots)
    };
    let mut member = header("overflow");
    assert!(is_shown_at(&member, "crates/demo/src/lib.rs") && !is_shown_at(&member, "src/lib.rs"));
    // A crash in another package is named from the root on.
    member.crash.file = "src/lib.rs".into();
    member.package = "root".into();
    assert!(is_shown_at(&member, "src/lib.rs") && !is_shown_at(&member, "crates/demo/src/lib.rs"));
    member.package = "demo".into();
    member.crash.file = "crates/demo/src/lib.rs".into();
    assert!(is_shown_at(&member, "crates/demo/src/lib.rs"));
}

#[test]
fn a_message_that_the_header_cut_is_compared_as_far_as_it_goes() {
    let mut cut = header("called `Result::unwrap()` on an `Err` value: ParseIntError { ki");
    cut.crash.cut = true;
    let text = "called `Result::unwrap()` on an `Err` value: ParseIntError { kind: Empty }";
    assert_eq!(judged(&cut, Ending::Exited(101), &[(text, "src/lib.rs")]), Verdict::Open);
    let other = "called `Option::unwrap()` on a `None` value";
    assert_eq!(judged(&cut, Ending::Exited(101), &[(other, "src/lib.rs")]), Verdict::Changed);
}

#[test]
fn operands_of_an_assertion_are_data() {
    let lines = header("assertion `left == right` failed: sizes left: 1 right: [\"a\"]");
    let text = "assertion `left == right` failed: sizes\n  left: Some(B { c: 3 })\n right: None";
    assert_eq!(judged(&lines, Ending::Exited(101), &[(text, "src/lib.rs")]), Verdict::Open);
    let other = "assertion `left != right` failed: sizes\n  left: 1\n right: 1";
    assert_eq!(judged(&lines, Ending::Exited(101), &[(other, "src/lib.rs")]), Verdict::Changed);
}

#[test]
fn a_panic_that_std_raises_is_told_by_its_caller() {
    let mut sum = header("attempt to add with overflow");
    sum.crash.within = Some("a closure of Ledger::total".into());
    let with = |function: &str| {
        let std = "/rustc/abc/library/core/src/iter/traits/accum.rs";
        let mut seen = seen(Ending::Exited(101), &[("attempt to add with overflow", std)]);
        seen.panics[0].functions = vec!["core::panicking::panic".into(), function.into()];
        verdict(&sum, &seen)
    };
    assert_eq!(with("demo::Ledger<T>::total::{{closure}}"), Verdict::Open);
    assert_eq!(with("demo::Ledger<T>::totals"), Verdict::Changed);
}

#[test]
fn an_assertion_of_the_test_is_about_its_outcome() {
    let any = header("x");
    for file in ["src/../regressions/lib/a.rs", "/c/registry/src/index-1/insta-1.44.3/src/runtime.rs"] {
        let verdict = judged(&any, Ending::Exited(101), &[("snapshot assertion failed", file)]);
        assert_eq!(verdict, Verdict::OutcomeChanged, "{file}");
    }
    // A person's own, with a message.
    assert_eq!(verdict(&any, &in_test("not enough", 4, &["demo::a"])), Verdict::OutcomeChanged);
}

#[test]
fn arguments_that_panic_are_no_outcome() {
    let any = header("x");
    let text = "called `Option::unwrap()` on a `None` value";
    assert_eq!(
        verdict(&any, &in_test(text, 2, &["core::option::unwrap_failed", "demo::a"])),
        Verdict::Invalid
    );
    // The call itself, of a function that blames its caller.
    assert_eq!(verdict(&any, &in_test(text, 3, &["demo::nth", "demo::a"])), Verdict::Changed);
}

#[test]
fn a_child_that_fails_otherwise_is_another_crash() {
    let any = header("x");
    let mut child = in_test("exit status: 101\n", 13, &["demo::in_child"]);
    assert_eq!(verdict(&any, &child), Verdict::Changed);
    child.deaths = vec![death("SIGABRT")];
    assert_eq!(verdict(&any, &child), Verdict::Changed);
    child.deaths = Vec::new();
    let other = seen(Ending::Exited(101), &[("else", "src/b.rs")]).panics;
    child.panics.splice(0..0, other);
    assert_eq!(verdict(&any, &child), Verdict::Changed);
    child.panics[0] = in_test("snapshot assertion failed", 4, &[]).panics.remove(0);
    assert_eq!(verdict(&any, &child), Verdict::OutcomeChanged);
}

#[test]
fn a_bug_that_is_marked_open_is_known_until_it_is_fixed() {
    let mut open = header("overflow");
    open.open = true;
    assert_eq!(judged(&open, Ending::Exited(0), &[("overflow", "src/lib.rs")]), Verdict::Known);
    assert_eq!(judged(&open, Ending::Exited(0), &[("else", "src/lib.rs")]), Verdict::Changed);
    assert_eq!(judged(&open, Ending::Exited(101), &[("else", "src/lib.rs")]), Verdict::Changed);
    let mut returned = seen(Ending::Exited(101), &[]);
    assert_eq!(verdict(&open, &returned), Verdict::Changed);
    returned.stdout = b"---- a stdout ----\nnote: test did not panic as expected at src/lib.rs:1:2\n".into();
    assert_eq!(verdict(&open, &returned), Verdict::Fixed);
    returned.ending = Ending::Exited(3);
    assert_eq!(verdict(&open, &returned), Verdict::Changed);
}

#[test]
fn a_death_is_open_as_long_as_the_process_dies() {
    let dies = dying();
    assert_eq!(judged(&dies, Ending::Signaled("SIGSEGV".into()), &[]), Verdict::Open);
    assert_eq!(judged(&dies, Ending::Exited(101), &[("other", "src/lib.rs")]), Verdict::Changed);
    assert_eq!(judged(&dies, Ending::Exited(0), &[]), Verdict::Fixed);
}

#[test]
fn a_hang_is_open_as_long_as_its_test_ends_the_call() {
    let mut hangs = header("still running after 30 s");
    hangs.crash.hangs = true;
    let told = || vec![in_test("still running after 30 s", 13, &[])];
    assert_eq!(judged_in_turn(&hangs, told()), Verdict::Open);
    // Said by anybody else it is a panic like any other, and so it is of a test that waits for nothing.
    let own = in_test("still running after 30 s", 2, &[]);
    assert_ne!(judged_in_turn(&hangs, vec![own]), Verdict::Open);
    assert_ne!(judged_in_turn(&header("still"), told()), Verdict::Open);
    assert_eq!(judged_in_turn(&hangs, vec![in_test("exit status: 101", 13, &[])]), Verdict::Changed);
    assert_eq!(judged(&hangs, Ending::Exited(0), &[]), Verdict::Fixed);
    hangs.open = true;
    let passed = Observation { ending: Ending::Exited(0), ..in_test("still running after 30 s", 13, &[]) };
    assert_eq!(verdict(&hangs, &passed), Verdict::Known);
}

#[test]
fn a_death_is_judged_by_the_run_that_its_test_made() {
    let mut failed = in_test("signal: 6 (SIGABRT)\n", 13, &[]);
    let passed = || seen(Ending::Exited(0), &[]);
    // Without ptrace: alone the child lacks what its test gives it, or the death comes and goes.
    assert_eq!(judged_in_turn(&dying(), vec![failed.clone(), passed()]), Verdict::Changed);
    let mut returned = seen(Ending::Exited(101), &[]);
    returned.stdout = DID_NOT_PANIC.into();
    let open = Header { open: true, ..dying() };
    assert_eq!(judged_in_turn(&open, vec![failed.clone(), returned]), Verdict::Changed);
    let died = seen(Ending::Signaled("SIGABRT".into()), &[]);
    assert_eq!(judged_in_turn(&dying(), vec![failed.clone(), died]), Verdict::Open);
    failed.deaths = vec![death("SIGABRT")];
    assert_eq!(judged_in_turn(&dying(), vec![failed]), Verdict::Open);
}

#[test]
fn a_death_that_is_marked_open_is_known() {
    let mut open = dying();
    open.open = true;
    let mut passed = in_test("signal: 6 (SIGABRT)\n", 13, &[]);
    passed.ending = Ending::Exited(0);
    assert_eq!(verdict(&open, &passed), Verdict::Known);
    passed.deaths = vec![death("SIGABRT")];
    assert_eq!(verdict(&open, &passed), Verdict::Known);
}

#[test]
fn a_child_that_returns_is_fixed_though_its_test_is_marked_open() {
    let mut open = dying();
    open.open = true;
    for dies in [true, false] {
        open.crash.dies = dies;
        let returned = in_test("exit status: 101\n", 13, &[]);
        assert_eq!(judged_in_turn(&open, vec![returned]), Verdict::Fixed);
        let exited = in_test("exit status: 3\n", 13, &[]);
        assert_eq!(judged_in_turn(&open, vec![exited, seen(Ending::Exited(101), &[])]), Verdict::Changed);
    }
}
