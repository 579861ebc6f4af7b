//! `cargo relapse run` from outside: what the command sees, how it ends, what is kept.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

const LIB: &str = "pub fn pick(v: &[u8], i: usize) -> u8 { v[i] }\n\
    #[cfg(test)] mod tests { use super::*;\n\
    #[test]\n fn fails() { pick(&[1, 2], 5); }\n\
    #[test]\n #[should_panic(expected = \"index out\")]\n fn meant() { pick(&[], 3); }\n\
    #[test]\n #[should_panic(expected = \"nothing\")]\n fn meant_otherwise() { pick(&[1], 4); } }\n";

const BIN: &str = "fn main() { let w = std::env::args().nth(1).unwrap_or_default();\n\
    for (k, v) in std::env::vars() { println!(\"{k}={v}\"); }\n\
    match w.as_str() { \"abort\" => std::process::abort(), \"seven\" => std::process::exit(7),\n\
    \"wait\" => loop { std::thread::sleep(std::time::Duration::from_millis(20)) },\n\
    w => { demo::pick(w.as_bytes(), 9); } } }\n";

#[path = "fixture/project.rs"]
mod project;

use project::Project;

fn project() -> Project {
    Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", BIN)])
}

fn run(project: &Project, words: &[&str]) -> Output {
    project.command(&[&["run", "--"], words].concat()).output().unwrap()
}

/// Messages of the snapshots, oldest first.
fn kept(project: &Project) -> Vec<String> {
    let output = project.command(&["list", "--json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let objects = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    objects.map(|object| object["cause"]["message"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn failing_tests_are_kept_and_expected_panics_are_not() {
    let project = project();
    let output = run(&project, &["cargo", "test", "--lib"]);
    assert_eq!(output.status.code(), Some(101));
    let mut kept = kept(&project);
    kept.sort();
    assert_eq!(
        kept,
        [
            "index out of bounds: the len is 1 but the index is 4",
            "index out of bounds: the len is 2 but the index is 5"
        ]
    );
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(told.lines().filter(|line| line.starts_with("relapse: ")).count(), 2, "{told}");
}

#[test]
fn builds_get_the_debug_info_that_they_lack_unless_settings_forbid_it() {
    let project = project();
    let manifest = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", manifest + "[profile.dev]\ndebug = 0\n");
    let arguments = |setting: &str| {
        project.write("relapse.toml", setting);
        assert_eq!(run(&project, &["cargo", "run", "-q", "--", "no"]).status.code(), Some(101));
        let output = project.command(&["show", "latest", "--json"]).output().unwrap();
        let snapshot: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let frames = snapshot["threads"][0]["frames"].as_array().unwrap();
        let pick = frames.iter().find(|frame| frame["function"] == "demo::pick").unwrap();
        pick["arguments"].as_array().unwrap().len()
    };
    assert_eq!(arguments("[profile]\ndebug_info = false\n"), 0);
    assert_eq!(arguments(""), 2);
}

#[test]
fn program_sees_the_environment_that_it_would_have_without_relapse() {
    let project = project();
    project.built();
    let seen = |output: Output| {
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for words in [&["cargo", "run", "-q", "--", "seven"][..], &["./target/debug/prog", "seven"]] {
        let plain = project.command_of(Path::new(words[0]), &words[1..]).output().unwrap();
        let traced = run(&project, words);
        assert_eq!(traced.status.code(), Some(7));
        assert_eq!(seen(traced), seen(plain), "{words:?}");
    }
}

#[test]
fn death_by_signal_is_our_own() {
    let project = project();
    project.built();
    for words in [&["cargo", "run", "-q", "--", "abort"][..], &["./target/debug/prog", "abort"]] {
        let output = run(&project, words);
        // cargo ends with 134 or by the signal, as its version has it; a program by the signal.
        let plain = project.command_of(Path::new(words[0]), &words[1..]).output().unwrap();
        assert_eq!(
            (output.status.code(), output.status.signal()),
            (plain.status.code(), plain.status.signal())
        );
    }
    assert_eq!(kept(&project), ["aborted", "aborted"]);
}

#[test]
fn projects_own_runner_is_chained() {
    let project = project();
    let runner = project.path().join("tools/wrap.sh");
    fs::create_dir_all(runner.parent().unwrap()).unwrap();
    fs::write(&runner, "#!/bin/sh\necho wrapped \"$1\"\nshift\nexec \"$@\"\n").unwrap();
    fs::set_permissions(&runner, fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir_all(project.path().join(".cargo")).unwrap();
    let config = "[target.'cfg(unix)']\nrunner = 'tools/wrap.sh mark'\n";
    fs::write(project.path().join(".cargo/config.toml"), config).unwrap();
    let output = run(&project, &["cargo", "run", "-q", "--", "ab"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("wrapped mark"));
    assert_eq!(kept(&project), ["index out of bounds: the len is 2 but the index is 9"]);
}

#[test]
fn program_in_a_folder_with_blanks_and_a_nested_run_work() {
    let project = project();
    let folder = project.path().join("with blank");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("cargo-relapse");
    fs::copy(env!("CARGO_BIN_EXE_cargo-relapse"), &program).unwrap();
    let nested = format!("exec '{}' run -- cargo run -q -- abc", program.display());
    let output = project.command_of(&program, &["run", "--", "sh", "-c", &nested]).output().unwrap();
    assert_eq!(output.status.code(), Some(101), "{}", String::from_utf8_lossy(&output.stderr));
    let output =
        project.command_of(&program, &["run", "--", "cargo", "run", "-q", "--", "abcd"]).output().unwrap();
    assert_eq!(output.status.code(), Some(101));
    assert!(kept(&project).contains(&"index out of bounds: the len is 4 but the index is 9".to_owned()));
}

#[test]
fn script_that_starts_cargo_is_covered() {
    let project = project();
    let output = run(&project, &["sh", "-c", "cargo run -q -- abc; exit 5"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(kept(&project), ["index out of bounds: the len is 3 but the index is 9"]);
}

#[test]
fn command_line_of_any_length_is_passed_on() {
    let project = project();
    // One word may have 128 KiB.
    let long = "a".repeat(100 << 10);
    let output = run(&project, &["sh", "-c", "cargo run -q -- $0; exit 5", "abc", &long, &long]);
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(kept(&project), ["index out of bounds: the len is 3 but the index is 9"]);
}

#[test]
fn release_build_gets_its_debug_info() {
    let project = project();
    run(&project, &["cargo", "run", "-q", "--release", "--", "abc"]);
    let output = project.command(&["show", "latest"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("src/bin/prog.rs") && !text.contains("no debug info"), "{text}");
}

#[test]
fn signal_sent_to_us_ends_the_command() {
    let project = project();
    let program = project.built().canonicalize().unwrap();
    let mut child =
        project.command(&["run", "--", "./target/debug/prog", "wait"]).stdout(Stdio::null()).spawn().unwrap();
    assert!(come_to(1, &program));
    // SAFETY: kill touches no memory; the child is not reaped yet.
    assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGTERM) }, 0);
    assert_eq!(child.wait().unwrap().signal(), Some(15));
    assert_eq!(processes_of(&program), Vec::<PathBuf>::new());
}

#[test]
fn killed_run_leaves_no_program_that_a_breakpoint_would_end() {
    let project = project();
    let program = project.built().canonicalize().unwrap();
    let mut child =
        project.command(&["run", "--", "./target/debug/prog", "wait"]).stdout(Stdio::null()).spawn().unwrap();
    assert!(come_to(1, &program));
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let gone = come_to(0, &program);
    for process in processes_of(&program) {
        let pid = process.file_name().unwrap().to_str().unwrap().parse().unwrap();
        // SAFETY: kill touches no memory; the program is this test's own.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
    assert!(gone);
}

/// Waits until as many processes as that run a program.
fn come_to(count: usize, program: &Path) -> bool {
    for _ in 0..3000 {
        if processes_of(program).len() == count {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// The living processes that run a program.
fn processes_of(program: &Path) -> Vec<PathBuf> {
    let processes = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    processes.filter(|process| fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program)).collect()
}

#[test]
fn settings_of_relapse_toml_hold_with_and_without_cargo() {
    let project = project();
    project.built();
    let settings = project.path().join("relapse.toml");
    fs::write(&settings, "[redaction]\npatterns = [\"corp_*\"]\n[limits]\nbytes = 4\n").unwrap();
    let word = "corp_0123";
    for words in [&["cargo", "run", "-q", "--", word][..], &["./target/debug/prog", word]] {
        run(&project, words);
        let output = project.command(&["show", "latest", "--json"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("index out of bounds") && !text.contains(word), "{text}");
        assert!(text.contains("\"truncated\""), "{text}");
    }
    fs::write(&settings, "[limits]\nbyte = 16\n").unwrap();
    let output = run(&project, &["./target/debug/prog", "seven"]);
    assert_eq!((output.status.code(), output.stdout), (Some(65), Vec::new()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("relapse.toml:2:1"));
}

#[test]
fn missing_command_is_said() {
    let project = project();
    let output = run(&project, &["./nothing-here"]);
    assert_eq!(output.status.code(), Some(69));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing-here"));
}
