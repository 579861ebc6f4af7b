//! Running a candidate's test.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use relapse_capture::roots::Roots;
use relapse_capture::sandbox::landlock_version;
use relapse_generator::compile::compile;
use relapse_generator::same_crash::{Crash, LineMap};
use relapse_generator::scratch::{Scratch, roots_of};
use relapse_generator::verify::{
    Ending, HookReader, Limits, Observer, PanicLocation, Permissions, TestRun, Traced, Verification, verify,
};
use relapse_snapshot::{
    Cause, CauseKind, Frame, FrameKind, Location, Program, Rules, Snapshot, Thread, TypeTable,
};

use crate::fixture::{Fixture, lib, regressions};

struct Built {
    _fixture: Fixture,
    scratch: Scratch,
    runs: BTreeMap<String, TestRun>,
    roots: Roots,
    lines: LineMap,
}

fn build(source: &str, tests: &[(&str, &str)]) -> Built {
    let fixture = Fixture::library(source);
    let scratch = fixture.scratch();
    let edits = regressions(&scratch, "", tests);
    scratch.apply(&edits).unwrap();
    let compiled = compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
    assert_eq!(compiled.errors, []);
    let limits =
        Limits { timeout: Duration::from_secs(20), memory_bytes: Some(1 << 30), ..Limits::default() };
    let run = |name: &str| TestRun {
        executable: compiled.executable.clone().unwrap(),
        test: format!("regressions::{name}::{name}"),
        folder: compiled.package_folder.clone(),
        environment: compiled.environment.clone(),
        limits: limits.clone(),
        captured: false,
    };
    let runs = tests.iter().map(|(name, _)| ((*name).to_owned(), run(name))).collect();
    let original = roots_of(&fixture.metadata());
    Built { roots: scratch.roots(&original), lines: LineMap::new(&edits), _fixture: fixture, scratch, runs }
}

impl Built {
    /// By the tracer and by what the test prints: both must say the same.
    fn verify(&self, test: &str, snapshot: &Snapshot) -> Verification {
        let crash = Crash::new(snapshot, self.roots.clone(), self.lines.clone());
        let printed = verify(&HookReader::default(), &self.runs[test], &crash, 3).unwrap();
        assert_eq!(verify(&self.traced(), &self.runs[test], &crash, 3).unwrap(), printed, "{test}");
        printed
    }

    fn traced(&self) -> Traced {
        Traced { roots: self.roots.clone(), sandbox: None }
    }
}

fn crash(kind: CauseKind, message: &str, place: Option<(&str, u32, u32)>, functions: &[&str]) -> Snapshot {
    let frame = |function: &&str| Frame {
        function: (*function).to_owned(),
        name: String::new(),
        kind: FrameKind::Workspace,
        ..Frame::default()
    };
    let thread = Thread {
        tid: 1,
        name: None,
        spawned_by: None,
        stack_size: None,
        frames: functions.iter().map(frame).collect(),
    };
    Snapshot {
        format: 1,
        id: String::new(),
        time: String::new(),
        clock: None,
        cause: Cause { kind, message: message.to_owned(), signal: None },
        location: place.map(|(file, line, column)| Location { file: file.to_owned(), line, column }),
        caught_by: Vec::new(),
        threads: vec![thread],
        made: Vec::new(),
        types: TypeTable::default(),
        program: Program::default(),
        fingerprint: String::new(),
        count: 1,
        notes: Vec::new(),
    }
}

fn panic(message: &str, line: u32, column: u32) -> Snapshot {
    crash(CauseKind::Panic, message, Some(("src/lib.rs", line, column)), &[])
}

const SOURCE: &str = "\
pub fn nth(list: &[u8], n: usize) -> u8 {
    list[n]
}

pub fn first(text: &str) -> char {
    text.chars().next().unwrap()
}

pub fn parse(text: &str) -> u32 {
    text.parse().unwrap()
}
";

#[test]
fn the_same_panic_with_other_numbers_is_verified() {
    let tests = [
        ("same", "nth(&[1, 2], 7);"),
        ("other_place", "first(\"\");"),
        ("fixed", "nth(&[1, 2], 1);"),
        ("caught", "let _ = std::panic::catch_unwind(|| nth(&[1], 7));"),
    ];
    let built = build(SOURCE, &tests);
    let index = panic("index out of bounds: the len is 3 but the index is 99", 2, 5);
    let verified = built.verify("same", &index);
    assert_eq!(verified, Verification { reproduced: 3, of: 3, ..Verification::default() });
    assert!(verified.is_verified());
    let reason = |test: &str, crash: &Snapshot| {
        let verification = built.verify(test, crash);
        assert_eq!((verification.reproduced, verification.of), (0, 3), "{test}");
        verification.reason.unwrap()
    };
    assert!(reason("other_place", &index).starts_with("another panic: called `Option::unwrap()`"));
    assert_eq!(reason("fixed", &index), "the test passed");
    assert!(reason("caught", &index).starts_with("the test passed in spite of a panic: index out of bounds"));
    let moved = panic("index out of bounds: the len is 3 but the index is 99", 3, 5);
    assert_eq!(reason("same", &moved), "the same panic at another place: src/lib.rs:2");
    let signal = crash(CauseKind::Signal, "", None, &[]);
    assert_eq!(reason("same", &signal), "the test failed with status 101, not by SIGSEGV");
}

#[test]
fn prose_that_redaction_took_for_a_secret_is_the_same_message() {
    let source = "pub fn check() {\n    panic!(\"password: required\");\n}\n";
    let built = build(source, &[("checked", "check();")]);
    let kept = |message: &str| panic(&Rules::default().redact_text(message), 2, 5);
    assert_eq!(kept("password: required").cause.message, "password: xxxxxxxx");
    assert!(built.verify("checked", &kept("password: required")).is_verified());
    assert!(!built.verify("checked", &kept("passphrase: required")).is_verified());
}

#[test]
fn a_test_that_is_not_there_is_not_taken_for_one_that_passes() {
    let built = build(SOURCE, &[("fixed", "nth(&[1, 2], 1);")]);
    let run = TestRun { test: "regressions::nowhere".to_owned(), ..built.runs["fixed"].clone() };
    let crash = Crash::new(&panic("index", 2, 5), built.roots.clone(), built.lines.clone());
    let seen = verify(&built.traced(), &run, &crash, 1).unwrap();
    assert_eq!(seen.reason.as_deref(), Some("the test was not run: its executable has none of that name"));
}

#[test]
fn a_place_in_std_needs_the_same_caller() {
    let source = "pub fn a(n: u8) { std::iter::repeat(n).take(3).for_each(|n| drop(String::from_utf8(vec![n]))); }\n\
        #[inline(never)]\npub fn sorted(v: &mut Vec<u8>) { v.reserve(usize::MAX) }\n";
    let built = build(source, &[("reserve", "sorted(&mut vec![1]);")]);
    let seen = HookReader::default().observe(&built.runs["reserve"]).unwrap();
    let PanicLocation { file, line, column } = seen.panics[0].location.clone();
    let file = built.roots.normalise(&file, None).0;
    let at = |functions: &[&str]| {
        crash(CauseKind::Panic, "capacity overflow", Some((&file, line, column)), functions)
    };
    if file.starts_with("library/") {
        assert!(built.verify("reserve", &at(&["demo::sorted"])).is_verified());
        let other = built.verify("reserve", &at(&["demo::a"]));
        assert!(other.reason.unwrap().ends_with("but not within demo::a"));
    } else {
        assert_eq!(file, "src/lib.rs");
    }
}

#[test]
fn a_place_below_our_declaration_in_an_inline_module_is_followed() {
    let fixture = Fixture::library("mod a {\n    pub fn f() {}\n}\npub fn g() {\n    panic!(\"here\")\n}\n");
    let scratch = fixture.scratch();
    let before = fs::read(scratch.root().join("src/lib.rs")).unwrap();
    let text = String::from_utf8(before.clone()).unwrap();
    let test = "    #[cfg(test)]\n    mod regressions {\n        #[test]\n        fn r() {\n            crate::g();\n        }\n    }\n";
    let after = text.replacen("{}\n}", &format!("{{}}\n{test}}}"), 1);
    let edit = relapse_generator::edit::FileEdit {
        path: "src/lib.rs".into(),
        before: Some(before),
        after: Some(after.into_bytes()),
    };
    let edits = relapse_generator::edit::EditSet { files: vec![edit] };
    scratch.apply(&edits).unwrap();
    let compiled = compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
    let run = TestRun {
        executable: compiled.executable.unwrap(),
        test: "a::regressions::r".to_owned(),
        folder: compiled.package_folder,
        environment: compiled.environment,
        limits: Limits::default(),
        captured: false,
    };
    let roots = Roots { workspace: Some(scratch.root().to_owned()), packages: Vec::new() };
    let crash = Crash::new(&panic("here", 5, 5), roots, LineMap::new(&edits));
    let verification = verify(&HookReader::default(), &run, &crash, 1).unwrap();
    assert_eq!(verification, Verification { reproduced: 1, of: 1, ..Verification::default() });
}

/// libtest keeps what `println!` prints, and nothing that goes to standard output by a handle.
#[test]
fn what_a_call_writes_over_the_verdict_of_the_harness_is_noticed() {
    let source = "pub fn says(text: &str) {\n    println!(\"{text}\");\n    panic!(\"here\")\n}\n\
        pub fn writes(text: &str) {\n    use std::io::Write;\n    \
        std::io::stdout().write_all(text.as_bytes()).unwrap();\n    panic!(\"here\")\n}\n";
    let built = build(source, &[("said", "says(\"one\");"), ("written", "writes(\"one\");")]);
    assert!(!built.verify("said", &panic("here", 3, 5)).speaks_over);
    assert!(built.verify("written", &panic("here", 8, 5)).speaks_over);
}

#[test]
fn a_panic_behind_a_silent_hook_and_a_death_in_its_function_are_seen_by_the_tracer() {
    let source = "pub fn quiet() {\n    std::panic::set_hook(Box::new(|_| {}));\n    panic!(\"unheard\")\n}\n\
        pub fn wild(at: usize) -> u8 {\n    unsafe { std::ptr::read_volatile(at as *const u8) }\n}\n";
    let built = build(source, &[("hushed", "quiet();"), ("killed", "wild(8);")]);
    let traced = |test: &str, snapshot: &Snapshot| {
        let crash = Crash::new(snapshot, built.roots.clone(), built.lines.clone());
        verify(&built.traced(), &built.runs[test], &crash, 3).unwrap()
    };
    assert!(traced("hushed", &panic("unheard", 3, 5)).is_verified());
    let mut death = crash(CauseKind::Signal, "", None, &["demo::wild"]);
    death.cause.signal = Some("SIGSEGV".to_owned());
    let killed = Verification { reproduced: 3, of: 3, killed: true, ..Verification::default() };
    assert_eq!(traced("killed", &death), killed);
    death.threads[0].frames[0].function = "demo::other".to_owned();
    let reason = traced("killed", &death).reason;
    assert_eq!(reason.as_deref(), Some("the same signal, but not within demo::other"));
}

#[test]
fn a_run_without_a_tracer_is_confined_too() {
    if landlock_version().is_none() {
        eprintln!("skipped: this kernel has no Landlock");
        return;
    }
    let victim = tempfile::tempdir().unwrap();
    let file = victim.path().join("precious");
    fs::write(&file, "precious").unwrap();
    let tests = [
        ("removes", format!("std::fs::remove_file({file:?}).unwrap();")),
        (
            "opens_rights",
            format!(
                "std::fs::set_permissions({file:?}, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();"
            ),
        ),
        ("connects", "std::net::UdpSocket::bind(\"127.0.0.1:0\").unwrap();".to_owned()),
        ("writes_its_own", "std::fs::write(std::env::temp_dir().join(\"x\"), \"x\").unwrap();".to_owned()),
    ];
    let tests: Vec<(&str, &str)> = tests.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let built = build(SOURCE, &tests);
    let before = fs::metadata(&file).unwrap().permissions();
    for (test, ends) in [
        ("removes", "PermissionDenied"),
        ("opens_rights", "PermissionDenied"),
        ("connects", "PermissionDenied"),
        ("writes_its_own", ""),
    ] {
        let observer = HookReader { sandbox: Some(Permissions::default()) };
        let seen = observer.observe(&built.runs[test]).unwrap();
        match seen.panics.first() {
            Some(panic) => {
                assert!(!ends.is_empty() && panic.message.contains(ends), "{test}: {}", panic.message);
            }
            None => assert_eq!((ends, seen.ending), ("", Ending::Exited(0)), "{test}"),
        }
    }
    assert_eq!(fs::metadata(&file).unwrap().permissions(), before);
}

#[test]
fn a_flaky_crash_is_counted() {
    let test = "let runs = std::fs::read(\"runs\").map_or(0, |r| r.len());\n    \
        std::fs::write(\"runs\", vec![0; runs + 1]).unwrap();\n    if runs % 3 != 1 { nth(&[], 0); }";
    let built = build(SOURCE, &[("flaky", test)]);
    let verification =
        built.verify("flaky", &panic("index out of bounds: the len is 0 but the index is 0", 2, 5));
    assert_eq!((verification.reproduced, verification.of), (2, 3));
    assert_eq!(verification.reason.as_deref(), Some("the test passed"));
    assert!(!verification.is_verified());
    assert!(built.scratch.root().join("runs").is_file());
}

#[test]
fn deaths_are_told_by_their_signal() {
    let tests = [
        ("abort", "std::process::abort();"),
        (
            "overflow",
            "fn f(n: u64) -> u64 { if n == 0 { 0 } else { std::hint::black_box(f(n - 1)) + 1 } }\n    f(u64::MAX);",
        ),
    ];
    let built = build("", &tests);
    assert!(built.verify("abort", &crash(CauseKind::Abort, "", None, &[])).is_verified());
    assert!(built.verify("overflow", &crash(CauseKind::StackOverflow, "", None, &[])).is_verified());
    let as_panic = built.verify("abort", &panic("x", 1, 1));
    assert_eq!(as_panic.reason.as_deref(), Some("the test was ended by SIGABRT without a panic"));
}

#[test]
fn a_limit_that_ends_a_run_is_named() {
    let tests = [
        ("memory", "std::hint::black_box(vec![1_u8; 2 << 30]);"),
        (
            "file",
            "let file = std::fs::File::create(std::env::temp_dir().join(\"large\")).unwrap();\n    \
             std::fs::remove_file(std::env::temp_dir().join(\"large\")).unwrap();\n    \
             std::os::unix::fs::FileExt::write_all_at(&file, b\"12\", (64 << 20) - 1).unwrap();\n    \
             std::os::unix::fs::FileExt::write_all_at(&file, b\"12\", 64 << 20).unwrap();",
        ),
        ("abort", "std::process::abort();"),
    ];
    let mut built = build("", &tests);
    for run in built.runs.values_mut() {
        run.limits.file_bytes = Some(64 << 20);
    }
    let expected = panic("x", 1, 1);
    for (test, reason, over_limit) in [
        ("memory", "the test wanted more than 1024 MiB of memory (`memory` of `[sandbox]`)", true),
        ("file", "the test wanted to write more than 64 MiB to one file", true),
        ("abort", "the test was ended by SIGABRT without a panic", false),
    ] {
        let seen = built.verify(test, &expected);
        assert_eq!((seen.reason.as_deref(), seen.over_limit), (Some(reason), over_limit), "{test}");
    }
}

#[test]
fn a_call_that_ends_its_process_with_status_0_has_not_passed() {
    let built = build("", &[("leaves", "std::process::exit(0);"), ("passes", "")]);
    let reason = |test: &str| built.verify(test, &panic("x", 1, 1)).reason.unwrap();
    assert_eq!(reason("leaves"), "its call ended the process with status 0");
    assert_eq!(reason("passes"), "the test passed");
}

#[test]
fn a_test_without_end_is_ended_with_everything_it_started() {
    let mark = format!("relapse-leftover-{}", std::process::id());
    let spawn = format!(
        "std::process::Command::new(\"sh\").args([\"-c\", \"sleep 300; exit\", \"{mark}\"]).spawn().unwrap();\n    \
        std::process::Command::new(\"setsid\").args([\"sh\", \"-c\", \"sleep 300; exit\", \"{mark}\"]).spawn().unwrap();\n    "
    );
    let tests = [
        ("endless", format!("{spawn}loop {{ std::thread::sleep(std::time::Duration::from_secs(1)); }}")),
        (
            "leaving",
            format!("{spawn}std::thread::sleep(std::time::Duration::from_millis(300));\n    nth(&[], 0);"),
        ),
    ];
    let tests: Vec<(&str, &str)> = tests.iter().map(|(name, body)| (*name, body.as_str())).collect();
    let mut built = build(SOURCE, &tests);
    for run in built.runs.values_mut() {
        run.limits.timeout = Duration::from_secs(3);
    }
    let index = panic("index out of bounds: the len is 0 but the index is 0", 2, 5);
    let started = Instant::now();
    let endless = built.verify("endless", &index);
    assert_eq!((endless.reproduced, endless.of), (0, 1));
    assert_eq!(endless.reason.as_deref(), Some("the test did not end within 3 s (`seconds` of `[sandbox]`)"));
    assert!(built.verify("leaving", &index).is_verified());
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    assert_eq!(processes_with(&mark), Vec::<PathBuf>::new());
}

fn processes_with(mark: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok).map(|entry| entry.path());
    let own = std::process::id().to_string();
    entries
        .filter(|path| !path.ends_with(&own))
        .filter(|path| {
            let line = fs::read(path.join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).split('\0').any(|argument| argument == mark)
        })
        .collect()
}

#[test]
fn memory_without_end_is_bounded() {
    let test = "let mut all = Vec::new();\n    loop { all.push(vec![1u8; 1 << 20]); }";
    let mut built = build("", &[("hungry", test)]);
    built.runs.get_mut("hungry").unwrap().limits.memory_bytes = Some(256 << 20);
    for observer in [&HookReader::default() as &dyn Observer, &built.traced()] {
        let seen = observer.observe(&built.runs["hungry"]).unwrap();
        assert_eq!(seen.ending, Ending::Signaled("SIGABRT".to_owned()));
        assert!(String::from_utf8_lossy(&seen.stderr).contains("memory allocation of"));
    }
}

#[test]
fn output_without_end_is_cut() {
    let test = "for _ in 0..200_000 { println!(\"{}\", \"x\".repeat(99)); }\n    nth(&[], 0);";
    let mut built = build(SOURCE, &[("loud", test)]);
    built.runs.get_mut("loud").unwrap().limits.output_bytes = 10_000;
    for observer in [&HookReader::default() as &dyn Observer, &built.traced()] {
        let seen = observer.observe(&built.runs["loud"]).unwrap();
        assert_eq!(seen.stdout.len(), 10_000);
        assert_eq!(seen.panics.len(), 1);
    }
}
