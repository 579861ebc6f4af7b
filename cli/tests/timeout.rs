//! `cargo relapse run --timeout`: a program that hangs is kept as a crash and ended, with all that it has started; one that
//! ends in its time notices nothing.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

const LIB: &str = "use std::sync::{Barrier, Mutex, RwLock};
use std::time::Duration;

pub fn spin(mut from: u64, step: u64) -> u64 {
    while from != 1 { from = from.wrapping_add(step) | 2; }
    from
}

pub fn both(first: &Mutex<u32>, second: &Mutex<u32>, start: &Barrier) -> u32 {
    let held = first.lock().unwrap();
    start.wait();
    *held + *second.lock().unwrap()
}

pub fn crossed(left: u32, right: u32) -> u32 {
    let (a, b, start) = (Mutex::new(left), Mutex::new(right), Barrier::new(2));
    std::thread::scope(|scope| {
        std::thread::Builder::new().name(\"worker\".into()).spawn_scoped(scope, || both(&b, &a, &start)).unwrap();
        both(&a, &b, &start)
    })
}

pub fn reader(lock: &RwLock<u32>) -> u32 { *lock.read().unwrap() }
pub fn writer(lock: &RwLock<u32>) { *lock.write().unwrap() += 1; }

pub fn stuck() {
    let lock = RwLock::new(1);
    let _held = lock.write().unwrap();
    std::thread::scope(|scope| {
        std::thread::Builder::new().name(\"reader\".into()).spawn_scoped(scope, || reader(&lock)).unwrap();
        std::thread::Builder::new().name(\"writer\".into()).spawn_scoped(scope, || writer(&lock)).unwrap();
    });
}

pub fn waiting(limit: Duration) { std::thread::sleep(limit) }

#[cfg(test)] mod tests { #[test] fn turns() { super::spin(4, 6); } }
";

const BIN: &str = "use std::time::Duration;
fn main() {
    match std::env::args().nth(1).unwrap().as_str() {
        \"spin\" => { demo::spin(4, 6); }
        \"crossed\" => { demo::crossed(3, 4); }
        \"stuck\" => demo::stuck(),
        \"joined\" => std::thread::spawn(|| demo::waiting(Duration::from_secs(600))).join().unwrap(),
        \"parent\" => {
            let mut child = std::process::Command::new(\"sleep\").arg(\"600\").spawn().unwrap();
            child.wait().unwrap();
        }
        _ => { demo::waiting(Duration::from_millis(200)); std::process::exit(7) }
    }
}
";

#[path = "fixture/project.rs"]
mod project;

use project::Project;

fn project() -> Project {
    Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", BIN)])
}

/// Runs a command with this limit; it must have been ended soon after that, and leave nothing.
fn run(project: &Project, limit: &str, words: &[&str]) -> Output {
    let start = Instant::now();
    let output = project.command(&[&["run", "--timeout", limit, "--"], words].concat()).output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(60));
    output
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The latest snapshot.
fn latest(project: &Project) -> Value {
    let output = project.command(&["show", "latest", "--json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

fn shown(project: &Project) -> String {
    text(&project.command(&["show", "latest"]).output().unwrap().stdout)
}

/// The frame of a function on the stack of the thread that the crash is known by.
fn frame<'s>(snapshot: &'s Value, function: &str) -> &'s Value {
    let frames = snapshot["threads"][0]["frames"].as_array().unwrap();
    frames.iter().find(|frame| frame["function"] == function).unwrap()
}

#[test]
fn a_loop_without_an_end_is_kept_with_its_values_and_ended() {
    let project = project();
    project.built();
    for words in [&["./target/debug/prog", "spin"][..], &["cargo", "run", "-q", "--", "spin"]] {
        let output = run(&project, "1s", words);
        let plain = words[0] != "cargo";
        assert!(output.status.signal() == Some(libc::SIGKILL) || !plain && output.status.code() == Some(137));
        let told = text(&output.stderr);
        // The loop's line; the function's, at an instruction without one.
        let place = |line| {
            format!("relapse: timeout in spin (src/lib.rs:{line}): still running after 1 s \u{2192} snapshot")
        };
        assert!(told.contains(&place(4)) || told.contains(&place(5)), "{told}");
        let snapshot = latest(&project);
        assert_eq!(snapshot["cause"]["kind"], "timeout");
        assert_eq!(snapshot["cause"]["message"], "still running after 1 s");
        assert_eq!(frame(&snapshot, "demo::spin")["arguments"].as_array().unwrap().len(), 2);
        assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
    }
    // Whatever the limit: it is the same hang.
    run(&project, "500ms", &["./target/debug/prog", "spin"]);
    let listed = text(&project.command(&["list", "--json"]).output().unwrap().stdout);
    let fingerprints: std::collections::HashSet<String> = listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["fingerprint"].to_string())
        .collect();
    assert_eq!(fingerprints.len(), 1, "{listed}");
}

#[test]
fn who_waits_for_which_lock_is_told() {
    let project = project();
    project.built();
    for words in [&["./target/debug/prog", "crossed"][..], &["cargo", "run", "-q", "--", "crossed"]] {
        run(&project, "1", words);
        let snapshot = latest(&project);
        assert_eq!(snapshot["threads"][0]["name"], "main");
        assert_eq!(snapshot["threads"].as_array().unwrap().len(), 2);
        assert_eq!(frame(&snapshot, "demo::both")["arguments"].as_array().unwrap().len(), 3);
        let shown = shown(&project);
        assert!(
            shown.contains("thread \"main\" waits for lock 1 (Mutex) in demo::both (src/lib.rs:12)"),
            "{shown}"
        );
        assert!(shown.contains(" waits for lock 2 (Mutex) in demo::both (src/lib.rs:12)"), "{shown}");
        assert!(shown.contains("thread \"worker\" ("), "{shown}");
        assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn readers_and_writers_of_one_lock_wait_for_the_same() {
    let project = project();
    project.built();
    run(&project, "1s", &["./target/debug/prog", "stuck"]);
    let shown = shown(&project);
    for function in ["reader", "writer"] {
        let waits = format!(" waits for lock 1 (RwLock) in demo::{function} (src/lib.rs:");
        assert!(shown.contains(&waits), "{shown}");
    }
    assert!(shown.contains("thread \"main\" waits for the threads of a scope in demo::stuck"), "{shown}");
}

#[test]
fn a_thread_that_others_wait_for_is_the_cause() {
    let project = project();
    project.built();
    run(&project, "1s", &["./target/debug/prog", "joined"]);
    let snapshot = latest(&project);
    frame(&snapshot, "demo::waiting");
    let tid = snapshot["threads"][0]["tid"].as_u64().unwrap();
    let shown = shown(&project);
    assert!(shown.contains("thread \"main\" waits for the end of thread "), "{shown}");
    assert!(shown.contains(&format!("({tid}) in prog::main")), "{shown}");
}

#[test]
fn a_test_that_hangs_is_kept_by_the_function_that_does() {
    let project = project();
    run(&project, "2s", &["cargo", "test", "-q", "--lib"]);
    frame(&latest(&project), "demo::spin");
}

#[test]
fn what_a_program_has_started_ends_with_it_and_a_shell_around_it_goes_on() {
    let project = project();
    project.built();
    let output =
        run(&project, "1s", &["sh", "-c", "./target/debug/prog parent; echo then $?; sleep 2; exit 5"]);
    assert_eq!((text(&output.stdout).as_str(), output.status.code()), ("then 137\n", Some(5)));
    assert_eq!(latest(&project)["cause"]["kind"], "timeout");
    assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_program_that_ends_in_its_time_notices_nothing() {
    let project = project();
    project.built();
    for words in [&["./target/debug/prog", "ends"][..], &["cargo", "run", "-q", "--", "ends"]] {
        let output = run(&project, "30s", words);
        assert_eq!(output.status.code(), Some(7));
        assert!(!text(&output.stderr).contains("relapse"), "{}", text(&output.stderr));
    }
    assert!(!Path::new(&project.path().join(".relapse/snapshots")).exists());
}

#[test]
fn a_test_of_a_hang_fails_until_the_bug_is_fixed() {
    let project = project();
    project.built();
    for case in ["spin", "crossed"] {
        run(&project, "1s", &["./target/debug/prog", case]);
    }
    let output = project.command(&["gen", "--all", "--json"]).output().unwrap();
    let made = text(&output.stdout);
    let made: Vec<Value> = made.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(made.len() == 2 && made.iter().all(|one| one["status"] == "verified"), "{made:?}");
    // `both` alone waits at its barrier, not for a lock.
    let test = |name: &str| {
        let path = format!("regressions/lib/{name}.rs");
        std::fs::read_to_string(project.path().join(path)).unwrap()
    };
    assert!(test("crossed_hangs").contains("crossed(left, right);"));
    assert!(test("spin_hangs").contains("from_secs(5)"));
    let replayed = || text(&project.command(&["replay"]).output().unwrap().stdout);
    assert_eq!(replayed().matches("still running after 5 s").count(), 2);
    let fixed = LIB.replace("from.wrapping_add(step) | 2", "1 + 0 * step");
    let lib = std::fs::read_to_string(project.path().join("src/lib.rs")).unwrap();
    let wired = lib.strip_prefix(LIB).unwrap();
    project.write("src/lib.rs", fixed + wired);
    let verdicts = replayed();
    assert!(verdicts.contains("open   regressions/lib/crossed_hangs.rs"), "{verdicts}");
    assert!(verdicts.contains("fixed  regressions/lib/spin_hangs.rs"), "{verdicts}");
    assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_duration_that_is_none_is_wrong_usage() {
    let project = project();
    for limit in ["0", "3d", "soon"] {
        let output = run(&project, limit, &["true"]);
        assert_eq!(output.status.code(), Some(64), "{limit}");
        assert!(text(&output.stderr).contains("such as `30s`"), "{}", text(&output.stderr));
    }
}
