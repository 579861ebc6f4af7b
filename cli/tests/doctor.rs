//! `cargo relapse doctor` on projects that lack something.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use std::process::Output;

use project::Project;
use serde_json::Value;

/// What is looked at in a workspace, in this order; each once at least.
const CHECKS: [&str; 18] = [
    "platform",
    "ptrace",
    "container",
    "sandbox",
    "cargo",
    "rustc",
    "linker",
    "rustfmt",
    "nextest",
    "insta",
    "debugger",
    "store",
    "disk",
    "scratch",
    "workspace",
    "settings",
    "debug info",
    "runner",
];

fn checks(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'a>(checks: &'a [Value], name: &str) -> Vec<&'a Value> {
    checks.iter().filter(|check| check["check"] == name).collect()
}

fn doctor(project: &Project) -> (Vec<Value>, i32) {
    let mut command = project.command(&["doctor", "--json"]);
    let output = command.env("RUSTFLAGS", "-C strip=symbols").output().unwrap();
    (checks(&output), output.status.code().unwrap())
}

#[test]
fn doctor_says_what_costs_values() {
    let project = Project::package(&[("src/lib.rs", "")]);
    let manifest = std::fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", manifest + "[profile.release]\nstrip = true\ndebug = 1\n");
    project.write(
        ".cargo/config.toml",
        "[target.x86_64-unknown-linux-gnu]\nrunner = \"valgrind -q\"\nrustflags = [\"-Clink-arg=-s\"]\n",
    );
    project.write(".relapse/.gitignore", "*\n");
    project.write(".relapse/scratch/0/lock", "");
    let (checks, status) = doctor(&project);
    let missing = checks.iter().any(|check| check["status"] == "missing");
    assert_eq!(status, if missing { 69 } else { 0 });
    let costs = of(&checks, "debug info");
    assert_eq!(costs.len(), 4, "{costs:#?}");
    for (cost, advice) in
        costs.iter().zip(["CARGO_PROFILE_RELEASE_", "CARGO_PROFILE_RELEASE_", "flag", "flag"])
    {
        assert!(cost["advice"].as_str().unwrap().contains(advice), "{cost}");
    }
    assert!(of(&checks, "runner")[0]["message"].as_str().unwrap().contains("valgrind"));
    let mut seen: Vec<&str> = checks.iter().map(|check| check["check"].as_str().unwrap()).collect();
    seen.dedup();
    assert_eq!(seen, CHECKS);
    assert!(checks.iter().all(|check| check["status"] == "ok" || check["advice"].is_string()), "{checks:#?}");
    let people = project.command(&["doctor"]).output().unwrap();
    assert_eq!(people.status.code(), Some(status));
    assert!(String::from_utf8(people.stdout).unwrap().contains("-> set"));
    assert!(project.left().is_empty());
}

#[test]
fn wrong_settings_are_named_with_their_place() {
    let project = Project::package(&[("src/lib.rs", "")]);
    let settings = |project: &Project| {
        let (checks, status) = doctor(project);
        let settings = of(&checks, "settings")[0].clone();
        (
            settings["status"].as_str().unwrap().to_owned(),
            settings["message"].as_str().unwrap().to_owned(),
            status,
        )
    };
    assert!(settings(&project).1.contains("the defaults hold"));
    project.write("relapse.toml", "[limits]\ndepth = 8\n");
    assert_eq!(settings(&project).0, "ok");
    project.write("relapse.toml", "[limits]\ndept = 8\n");
    let (status, message, code) = settings(&project);
    assert_eq!((status.as_str(), code), ("missing", 69));
    assert!(message.contains("relapse.toml:2:1") && message.contains("dept"), "{message}");
    project.write("relapse.toml", "[templates]\nfolder = \".\"\n");
    project.write("mod.rs.tera", "{{ module");
    assert_eq!(settings(&project).0, "missing");
}

#[test]
fn a_toolchain_that_is_gone_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_cargo-relapse"))
        .args(["doctor", "--json"])
        .current_dir(folder.path())
        .env("PATH", folder.path())
        .env_remove("CARGO")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(69));
    let checks = checks(&output);
    let ptrace = of(&checks, "ptrace")[0]["message"].as_str().unwrap();
    assert!(!ptrace.contains("No such file"), "that takes no program: {ptrace}");
    for name in ["cargo", "rustc", "linker"] {
        assert_eq!(of(&checks, name)[0]["status"], "missing", "{name}");
    }
    assert_eq!(of(&checks, "rustfmt")[0]["status"], "note");
    // In no workspace, programs can still be captured.
    assert_eq!(of(&checks, "workspace")[0]["status"], "note");
}
