//! The demo from outside: it runs whole, says what it verified, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the demo with a folder of its own for temporary files, in an environment that would disturb a user.
fn demo(temporary: &Path, words: &[&str], more: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-relapse"));
    command.arg("demo").args(words).env("TMPDIR", temporary).stdin(Stdio::null());
    command.env("CI", "1").env("INSTA_UPDATE", "no").env("RUST_BACKTRACE", "1");
    command.env("RUSTFLAGS", "-D warnings").env("CARGO_TARGET_DIR", temporary.join("not-here"));
    command.envs(more.iter().copied()).output().unwrap()
}

/// Programs that run from a folder: none may be left.
fn processes_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let places = entries.filter_map(|entry| fs::read_link(entry.path().join("cwd")).ok());
    places.filter(|place| place.starts_with(folder)).map(|place| place.display().to_string()).collect()
}

#[test]
fn demo_runs_whole_and_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path(), &[], &[]);
    let (text, problems) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{text}{problems}");
    for part in [
        "$ cargo relapse run -- cargo run -- orders.txt\n",
        "$ cargo relapse gen latest\n",
        "+fn statement_char_boundary() {\n",
        "test regressions::statement_char_boundary::statement_char_boundary ... FAILED\n",
        "-    &text[..width]\n",
        "test regressions::statement_char_boundary::statement_char_boundary ... ok\n",
        "$ cargo relapse review --accept\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    let summary = text.lines().last().unwrap();
    assert!(summary.starts_with("demo: ") && summary.contains(" of 7 steps verified"), "{summary}");
    assert!(
        summary.contains("its outcome is locked") || summary.contains("the outcome was skipped"),
        "{summary}"
    );
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    assert_eq!(processes_in(temporary.path()), Vec::<String>::new());
}

#[test]
fn without_a_registry_the_outcome_is_skipped() {
    let temporary = tempfile::tempdir().unwrap();
    let home = tempfile::tempdir().unwrap();
    let offline = Path::new("true");
    let more = [("CARGO_HOME", home.path()), ("CARGO_NET_OFFLINE", offline)];
    let output = demo(temporary.path(), &["--json", "--keep"], &more);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(text.lines().count(), 1, "{text}");
    let account: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(account["verified"], true);
    let steps = account["steps"].as_array().unwrap();
    let status: Vec<_> = steps.iter().map(|step| step["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["done", "done", "done", "done", "done", "done", "skipped"]);
    let folder = Path::new(account["folder"].as_str().unwrap());
    assert!(folder.join("regressions/lib/statement_char_boundary.rs").is_file());
}

#[test]
fn step_that_fails_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let no_compiler = Path::new("/nonexistent/rustc");
    let output = demo(temporary.path(), &["--json"], &[("RUSTC", no_compiler)]);
    assert_eq!(output.status.code(), Some(69), "{}", String::from_utf8_lossy(&output.stderr));
    let account: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(account["verified"], false);
    assert_eq!(account["steps"][0]["status"], "failed");
    assert!(account["summary"].as_str().unwrap().contains("its step `crash`"), "{account}");
}
