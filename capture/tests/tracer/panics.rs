//! Every way that a panic passes through std: its message and place are those that the program prints.

use relapse_capture::observe::{Ending, Limits, Observation};
use relapse_capture::tracer::{Ending as TraceEnding, Expectation};
use relapse_snapshot::{Catcher, CauseKind};

use crate::fixture::{Marked, Told, follow, program, run, run_with};

/// The panics that the default hook printed: place and message.
fn printed(observation: &Observation) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(&observation.stderr).into_owned();
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some((_, place)) = line.split_once(" panicked at ") {
            let message = lines.next().unwrap_or_default();
            found.push((place.trim_end_matches(':').to_owned(), message.to_owned()));
        }
    }
    found
}

fn seen(observation: &Observation) -> Vec<(String, String)> {
    let place = |l: &relapse_capture::panic::PanicLocation| format!("{}:{}:{}", l.file, l.line, l.column);
    observation.panics.iter().map(|p| (place(&p.location), p.message.clone())).collect()
}

fn assert_as_printed(source: &str, options: &[&str]) -> Observation {
    let observation = run(source, options);
    let printed = printed(&observation);
    assert!(!printed.is_empty(), "{}", String::from_utf8_lossy(&observation.stderr));
    // Of a message of several lines, the printed one is the first.
    let seen: Vec<_> = seen(&observation)
        .into_iter()
        .map(|(p, m)| (p, m.lines().next().unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(seen, printed);
    observation
}

#[test]
fn formatted_message_is_that_of_the_default_hook() {
    let observation = assert_as_printed(
        "fn f(v: &[u8], i: usize) -> u8 { v[i] } fn main() { f(&[1, 2], std::env::args().count() + 6); }",
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(101));
    assert!(observation.panics[0].functions.iter().any(|name| name.ends_with("::f")));
    assert_eq!(observation.panics[0].thread_name.as_deref(), Some("main"));
}

#[test]
fn literal_and_folded_messages_are_read() {
    assert_as_printed("fn main() { panic!(\"plain\") }", &[]);
    assert_as_printed("fn main() { panic!(\"plain\") }", &["--edition", "2018"]);
    assert_as_printed("fn main() { None::<u8>.expect(\"a value\"); }", &[]);
    assert_as_printed("fn main() { Err::<u8, _>(\"bad\".to_owned()).unwrap(); }", &[]);
    assert_as_printed("fn main() { unreachable!(\"n = {}\", 5) }", &[]);
    assert_as_printed("fn main() { assert_eq!(1 + 1, std::env::args().count() as u8 + 4, \"sums\"); }", &[]);
}

#[test]
fn optimised_stripped_of_debug_info_and_lto_programs_are_read() {
    let source = "fn main() { let n = std::env::args().count(); panic!(\"n is {n}\"); }";
    assert_as_printed(source, &["-O"]);
    assert_as_printed(source, &["-O", "-C", "strip=debuginfo", "-C", "debuginfo=0"]);
    assert_as_printed(source, &["-O", "-C", "lto=fat", "-C", "codegen-units=1"]);
    assert_as_printed(source, &["-C", "opt-level=z", "-C", "panic=abort", "-C", "lto=fat"]);
}

#[test]
fn values_as_payloads_are_told_apart() {
    let any = |value: &str| {
        let observation = run(&format!("fn main() {{ std::panic::panic_any({value}); }}"), &[]);
        let printed = printed(&observation);
        (seen(&observation), printed)
    };
    for value in ["String::from(\"owned\")", "\"borrowed\"", "5_u8", "(1_u64, 2_u64)", "[0_u64; 3]", "()"] {
        let (seen, printed) = any(value);
        assert_eq!(seen, printed, "{value}");
    }
}

#[test]
fn message_of_a_custom_an_empty_and_an_exiting_hook_is_read() {
    let hook = |body: &str| {
        format!(
            "fn main() {{ std::panic::set_hook(Box::new(|_info| {{ {body} }})); let n = std::env::args().count(); \
             panic!(\"n = {{}}\", n); }}"
        )
    };
    for (body, ending) in [("", 101), ("eprintln!(\"{_info}\")", 101), ("std::process::exit(7)", 7)] {
        let observation = run(&hook(body), &[]);
        assert_eq!(observation.ending, Ending::Exited(ending));
        assert_eq!(observation.panics.len(), 1, "{body}");
        assert_eq!(observation.panics[0].message, "n = 1");
        assert!(observation.panics[0].functions.iter().any(|name| name.ends_with("::main")));
    }
}

#[test]
fn panic_in_the_hook_tells_both() {
    let observation = run(
        "fn main() { std::panic::set_hook(Box::new(|_| panic!(\"in the hook\"))); let n = 3 + std::env::args().count(); \
         panic!(\"first {n}\"); }",
        &[],
    );
    let messages: Vec<&str> = observation.panics.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(messages, ["first 4", "in the hook"]);
    assert!(observation.deaths.is_empty());
    assert_eq!(observation.ending, Ending::Signaled("SIGABRT".to_owned()));
}

#[test]
fn aborting_panic_is_one_crash() {
    let source = "fn main() { let n = std::env::args().count(); panic!(\"n = {n}\"); }";
    let observation = assert_as_printed(source, &["-C", "panic=abort"]);
    assert_eq!(observation.ending, Ending::Signaled("SIGABRT".to_owned()));
    assert!(observation.deaths.is_empty());
}

#[test]
fn panic_in_drop_while_unwinding_is_two_and_its_consequence_none() {
    let observation = run(
        "struct D; impl Drop for D { fn drop(&mut self) { panic!(\"second\") } } \
         fn main() { let _d = D; panic!(\"first\") }",
        &[],
    );
    let messages: Vec<&str> = observation.panics.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(messages, ["first", "second"]);
    assert!(observation.deaths.is_empty());
    assert_eq!(observation.ending, Ending::Signaled("SIGABRT".to_owned()));
}

#[test]
fn panic_out_of_extern_c_is_one() {
    let observation = run("extern \"C\" fn f() { panic!(\"in C\") } fn main() { f() }", &[]);
    assert_eq!(observation.panics.len(), 1);
    assert_eq!(observation.panics[0].message, "in C");
    assert!(observation.deaths.is_empty());
}

#[test]
fn violated_precondition_is_a_panic_with_the_users_place() {
    let observation = assert_as_printed(
        "fn main() { let v = [1_u8]; let i = std::env::args().count() + 4; let x = unsafe { *v.get_unchecked(i) }; \
         std::process::exit(x as i32 & 1) }",
        &["-C", "debug-assertions=on"],
    );
    assert!(observation.panics[0].message.starts_with("unsafe precondition(s) violated"));
    assert!(observation.deaths.is_empty());
}

#[test]
fn place_of_a_tracked_caller_is_the_callers() {
    assert_as_printed("#[track_caller] fn f() { panic!(\"x\") }\nfn main() {\n    f()\n}", &[]);
}

#[test]
fn resumed_unwinding_is_no_new_panic() {
    let observation = run(
        "fn main() { let e = std::panic::catch_unwind(|| panic!(\"once\")).unwrap_err(); std::panic::resume_unwind(e) }",
        &[],
    );
    assert_eq!(observation.panics.len(), 1);
    assert_eq!(observation.ending, Ending::Exited(101));
}

#[test]
fn panics_of_many_threads_are_all_seen() {
    let observation = run_with(
        "fn main() { let all: Vec<_> = (0..200).map(|i| std::thread::Builder::new().name(format!(\"w{i}\")).spawn(move || \
         panic!(\"thread {i}\")).unwrap()).collect(); let n = all.into_iter().map(|t| t.join().is_err()).filter(|b| *b)\
         .count(); std::process::exit(if n == 200 { 0 } else { 1 }) }",
        &[],
        &[],
        &Limits { panics: 1000, ..Limits::default() },
    );
    assert_eq!(observation.ending, Ending::Exited(0));
    // One place is captured 32 times, the rest is counted.
    assert_eq!(observation.panics.len(), 32);
    for panic in observation.panics {
        let number = panic.message.strip_prefix("thread ").unwrap();
        assert_eq!(panic.thread_name, Some(format!("w{number}")));
    }
}

#[test]
fn million_panics_run_at_full_speed_in_the_end() {
    let source = "fn main() { std::panic::set_hook(Box::new(|_| {})); for i in 0..1_000_000 { let _ = \
                  std::panic::catch_unwind(|| { if i >= 0 { panic!(\"again\") } }); } }";
    let (command, mark) = Marked::command(&[], &program(source, &["-O"]));
    let mut told = Told::default();
    assert_eq!(follow(&command, &mut told).unwrap(), TraceEnding::Exited(0));
    assert_eq!(mark.left(), Vec::<String>::new());
    assert_eq!(told.crashes.len(), 8);
    assert_eq!(told.repeated.len(), 1);
    assert!(told.repeated[0].1 > 3_000);
    assert!(told.notes.iter().any(|note| note.contains("full speed")), "{:?}", told.notes);
}

#[test]
fn catchers_are_those_of_the_stack() {
    let caught = |source: &str, options: &[&str]| {
        let (command, mark) = Marked::command(&[], &program(source, options));
        let mut told = Told { expected: Some(Expectation::NoPanic), ..Told::default() };
        follow(&command, &mut told).unwrap();
        assert_eq!(mark.left(), Vec::<String>::new());
        assert_eq!(told.crashes.len(), 1);
        told.crashes.remove(0).snapshot.caught_by
    };
    assert_eq!(caught("fn main() { panic!() }", &[]), []);
    assert_eq!(
        caught("fn main() { let _ = std::panic::catch_unwind(|| panic!()); }", &[]),
        [Catcher::CatchUnwind]
    );
    assert_eq!(
        caught("fn main() { let _ = std::thread::spawn(|| panic!()).join(); }", &[]),
        [Catcher::Thread]
    );
    assert_eq!(caught("#[test] fn t() { panic!() }", &["--test"]), [Catcher::TestHarness, Catcher::Thread]);
}

#[test]
fn expected_panic_of_a_test_leaves_nothing() {
    let tests = "#[test] #[should_panic(expected = \"good\")] fn t() { panic!(\"a good one\") }";
    let run = |expected: Expectation, source: &str| {
        let (command, mark) = Marked::command(&[], &program(source, &["--test"]));
        let mut told = Told { expected: Some(expected), ..Told::default() };
        let ending = follow(&command, &mut told).unwrap();
        assert_eq!(mark.left(), Vec::<String>::new());
        (ending, told.crashes.len())
    };
    let expected = Expectation::Panic(Some("good".to_owned()));
    assert_eq!(run(expected.clone(), tests), (TraceEnding::Exited(0), 0));
    // Where nobody knows, the end of the program tells.
    assert_eq!(run(Expectation::Unknown, tests), (TraceEnding::Exited(0), 0));
    let failing = "#[test] #[should_panic(expected = \"good\")] fn t() { panic!(\"a bad one\") }";
    assert_eq!(run(expected, failing), (TraceEnding::Exited(101), 1));
    assert_eq!(run(Expectation::Unknown, failing), (TraceEnding::Exited(101), 1));
}

#[test]
fn fatal_signals_and_stack_overflow_are_deaths() {
    let death = |source: &str| {
        let observation = run(source, &[]);
        assert!(observation.panics.is_empty());
        assert_eq!(observation.deaths.len(), 1);
        (observation.deaths[0].kind, observation.deaths[0].signal.clone())
    };
    assert_eq!(
        death("fn main() { unsafe { *(std::hint::black_box(8) as *mut u8) = 1 } }"),
        (CauseKind::Signal, "SIGSEGV".to_owned())
    );
    assert_eq!(death("fn main() { std::process::abort() }"), (CauseKind::Abort, "SIGABRT".to_owned()));
    assert_eq!(
        death(
            "#[allow(unconditional_recursion)] fn f(n: u64) -> u64 { let a = std::hint::black_box([n; 20]); \
             f(a[3].wrapping_add(1)).wrapping_add(1) } fn main() { std::process::exit(f(1) as i32) }"
        ),
        (CauseKind::StackOverflow, "SIGABRT".to_owned())
    );
}

#[test]
fn other_threads_and_the_program_are_in_the_snapshot() {
    let source = "fn waiting() { std::thread::sleep(std::time::Duration::from_secs(3)) } fn main() { \
                  std::thread::Builder::new().name(\"idle\".into()).spawn(waiting).unwrap(); \
                  std::thread::sleep(std::time::Duration::from_millis(50)); panic!(\"now\") }";
    let (command, mark) = Marked::command(&["--level", "3"], &program(source, &[]));
    let mut told = Told::default();
    assert_eq!(follow(&command, &mut told).unwrap(), TraceEnding::Exited(101));
    assert_eq!(mark.left(), Vec::<String>::new());
    let snapshot = &told.crashes[0].snapshot;
    assert_eq!(snapshot.threads.len(), 2);
    assert_eq!(snapshot.threads[1].name.as_deref(), Some("idle"));
    assert!(!snapshot.threads[1].frames.is_empty());
    assert_eq!(snapshot.program.arguments, ["--level", "3"]);
    assert!(snapshot.program.rustc.as_deref().unwrap().starts_with("rustc version 1."));
    assert!(snapshot.time.ends_with('Z'));
}
