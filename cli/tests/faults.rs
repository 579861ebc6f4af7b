//! What relapse leaves when it is cut off, disturbed, or started twice: nothing half-edited, no scratch, no wrong
//! verdict. The cases that can be told exactly; those of chance are in `ci/drill`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail so, and says what it skips")]

#[path = "fixture/project.rs"]
mod project;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use project::Project;
use serde_json::Value as Json;

const LIB: &str = "//! Badges.\n\n/// The initials of a name.\npub fn initials(name: &str) -> String {\n    \
                   name.split(' ').map(|part| &part[..1]).collect()\n}\n\n/// The third of some prices.\n\
                   pub fn third(prices: &[u32]) -> u32 {\n    prices[2]\n}\n";
const MAIN: &str = "fn main() {\n    match std::env::args().nth(1).as_deref() {\n        \
                    Some(\"third\") => println!(\"{}\", demo::third(&[1, 2])),\n        \
                    name => println!(\"{}\", demo::initials(name.unwrap_or_default())),\n    }\n}\n";

/// A project with a crash in each of its two functions, and the ids of their snapshots.
fn crashed() -> (Project, [String; 2]) {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    for word in ["\u{d6}zil", "third"] {
        let ran = relapse(&project, &["run", "--", "cargo", "run", "-q", "--", word]);
        assert_eq!(ran.status.code(), Some(101), "{}", said(&ran));
    }
    let listed = relapse(&project, &["list", "--json"]);
    let lines: Vec<Json> =
        String::from_utf8(listed.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let id = |function: &str| {
        let found = lines.iter().find(|line| line["function"].as_str().unwrap().contains(function));
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let ids = [id("initials"), id("third")];
    (project, ids)
}

fn relapse(project: &Project, words: &[&str]) -> Output {
    project.command(words).env("CARGO_NET_OFFLINE", "true").output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

/// Every file of the user's.
fn tree(project: &Project) -> BTreeMap<PathBuf, String> {
    let (mut files, mut open) = (BTreeMap::new(), vec![project.path().to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let relative = path.strip_prefix(project.path()).unwrap().to_owned();
            if ["target", ".relapse"].iter().any(|ours| relative == Path::new(ours)) {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(relative, fs::read_to_string(&path).unwrap());
            }
        }
    }
    files
}

#[test]
fn a_cargo_that_was_killed_is_no_verdict_on_the_package() {
    let (project, [id, _]) = crashed();
    let before = tree(&project);
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let script = project.path().join("target/killed-cargo");
    fs::write(&script, format!("#!/bin/sh\n[ \"$1\" = test ] && kill -9 $$\nexec '{cargo}' \"$@\"\n"))
        .unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let generated = project.command(&["gen", &id, "--json"]).env("CARGO", &script).output().unwrap();
    assert_eq!(generated.status.code(), Some(1), "{}", said(&generated));
    let report: Json = serde_json::from_slice(&generated.stdout).unwrap();
    assert_eq!(report["status"], "failed");
    assert!(report["reason"].as_str().unwrap().contains("cargo was ended by SIGKILL"), "{report}");
    assert_eq!(tree(&project), before);
}

#[test]
fn an_edit_of_a_file_that_changes_meanwhile_is_made_anew() {
    let (project, [id, _]) = crashed();
    let bare = fs::read_to_string(project.path().join("src/lib.rs")).unwrap();
    assert_eq!(relapse(&project, &["gen", &id]).status.code(), Some(0));
    let wired = fs::read_to_string(project.path().join("src/lib.rs")).unwrap();
    // Between the look at the files and the change of them: rustfmt is asked in the midst.
    let script = project.path().join("target/rustfmt-and-another");
    let text = "#!/bin/sh\nmkdir target/once 2>/dev/null && echo '// By another.' >> src/lib.rs\nexec rustfmt \"$@\"\n"
        .replace("target/once", project.path().join("target/once").to_str().unwrap())
        .replace("src/lib.rs", project.path().join("src/lib.rs").to_str().unwrap());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let words = ["rm", "--regression", "initials_char_boundary"];
    for (start, words, end) in [(&bare, &["sync"][..], &wired), (&wired, &words, &bare)] {
        project.write("src/lib.rs", start);
        let ran = project.command(words).env("RUSTFMT", &script).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{words:?}: {}", said(&ran));
        let text = fs::read_to_string(project.path().join("src/lib.rs")).unwrap();
        assert!(text.contains("// By another."), "{words:?}: nobody wrote in between");
        assert_eq!(text.replace("// By another.\n", ""), *end, "{words:?}");
        fs::remove_dir(project.path().join("target/once")).unwrap();
    }
}

#[test]
fn a_compiler_that_was_killed_is_no_verdict_on_the_package() {
    let (project, [id, _]) = crashed();
    let before = tree(&project);
    let script = project.path().join("target/killed-rustc");
    // Cargo asks the compiler about itself first: those calls name no crate of the project.
    let text = "#!/bin/sh\ncase \" $* \" in *\" --crate-name demo \"*) kill -9 $$ ;; esac\nexec \"$@\"\n";
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let generated = project.command(&["gen", &id, "--json"]).env("RUSTC_WRAPPER", &script).output().unwrap();
    assert_eq!(generated.status.code(), Some(1), "{}", said(&generated));
    let report: Json = serde_json::from_slice(&generated.stdout).unwrap();
    assert_eq!(report["status"], "failed");
    let reason = report["reason"].as_str().unwrap();
    assert!(reason.contains("a compiler") && reason.contains("was ended by SIGKILL"), "{report}");
    assert_eq!(tree(&project), before);
}

#[test]
fn a_linker_that_was_killed_or_met_a_full_disk_is_no_verdict_on_the_package() {
    let (project, [id, _]) = crashed();
    let before = tree(&project);
    let script = project.path().join("target/linker");
    let full = "echo 'ld: final link failed: No space left on device' >&2; exit 1";
    for (end, status, words) in [("kill -9 $$", 1, "was ended by SIGKILL"), (full, 73, "for want of room")] {
        fs::write(&script, format!("#!/bin/sh\n{end}\n")).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = project.command(&["gen", &id, "--json"]);
        command.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", &script);
        let generated = command.output().unwrap();
        assert_eq!(generated.status.code(), Some(status), "{}", said(&generated));
        let report: Json = serde_json::from_slice(&generated.stdout).unwrap();
        assert_eq!(report["status"], "failed");
        let reason = report["reason"].as_str().unwrap();
        assert!(reason.contains(words) && !reason.contains("own code"), "{reason}");
        assert_eq!(tree(&project), before);
    }
}

#[test]
fn sources_behind_a_link_out_of_the_workspace_are_tested_from_outside() {
    let sources = tempfile::tempdir().unwrap();
    for (name, text) in [("lib.rs", LIB), ("main.rs", MAIN)] {
        fs::write(sources.path().join(name), text).unwrap();
    }
    let project = Project::package(&[]);
    std::os::unix::fs::symlink(sources.path(), project.path().join("src")).unwrap();
    let ran = relapse(&project, &["run", "--", "cargo", "run", "-q", "--", "third"]);
    assert_eq!(ran.status.code(), Some(101), "{}", said(&ran));
    let generated = relapse(&project, &["gen", "--json"]);
    assert_eq!(generated.status.code(), Some(0), "{}", said(&generated));
    let report: Json = serde_json::from_slice(&generated.stdout).unwrap();
    assert_eq!(report["cargo_args"], serde_json::json!(["--test", "regressions"]), "{report:#}");
    assert_eq!(fs::read_to_string(sources.path().join("lib.rs")).unwrap(), LIB);
}

#[test]
fn an_edit_that_a_kill_cut_off_is_taken_back_by_the_next_command_whatever_it_is() {
    for words in [["list"].as_slice(), &["clean"], &["run", "--", "true"]] {
        let project = Project::package(&[("src/lib.rs", LIB)]);
        let before = tree(&project);
        // One file is in its place, the other one is still beside it.
        let new = format!("{LIB}mod regressions;\n");
        project.write("regressions/lib/x.rs", "test");
        project.write("src/.relapse-0123456789abcdef-1", &new);
        let journal = serde_json::json!({
            "version": 1,
            "token": "0123456789abcdef",
            "edits": { "files": [
                { "path": "regressions/lib/x.rs", "before": null, "after": "test" },
                { "path": "src/lib.rs", "before": LIB, "after": new },
            ] },
        });
        project.write(".relapse/edit.journal", journal.to_string());
        let journal = project.path().join(".relapse/edit.journal");
        fs::set_permissions(&journal, fs::Permissions::from_mode(0o600)).unwrap();
        let done = relapse(&project, words);
        assert_eq!(done.status.code(), Some(0), "{words:?}: {}", said(&done));
        assert!(
            said(&done).contains("took back an unfinished edit of regressions/lib/x.rs"),
            "{}",
            said(&done)
        );
        assert_eq!(tree(&project), before, "{words:?}");
        assert!(!project.path().join("regressions").exists() && !journal.exists());
    }
}

/// An edit that a kill cut off between the manifest and the lock file.
fn half_edited_manifest() -> Project {
    let project = Project::package(&[("src/lib.rs", LIB), ("helper/src/lib.rs", "")]);
    project.write("helper/Cargo.toml", "[package]\nname = \"helper\"\nversion = \"0.1.0\"\n");
    let locked = project.command_of("cargo", &["generate-lockfile", "--offline"]).output().unwrap();
    assert!(locked.status.success(), "{}", said(&locked));
    let read = |path: &str| fs::read_to_string(project.path().join(path)).unwrap();
    let (manifest, lock) = (read("Cargo.toml"), read("Cargo.lock"));
    let with_helper = format!("{manifest}[dev-dependencies]\nhelper = {{ path = \"helper\" }}\n");
    let journal = serde_json::json!({
        "version": 1,
        "token": "0123456789abcdef",
        "edits": { "files": [
            { "path": "Cargo.toml", "before": manifest, "after": with_helper },
            { "path": "Cargo.lock", "before": lock, "after": format!("{lock}\n# With helper.\n") },
        ] },
    });
    project.write("Cargo.toml", with_helper);
    project.write(".relapse/edit.journal", journal.to_string());
    let journal = project.path().join(".relapse/edit.journal");
    fs::set_permissions(&journal, fs::Permissions::from_mode(0o600)).unwrap();
    project
}

#[test]
fn half_an_edit_of_a_manifest_is_taken_back_before_cargo_makes_a_lock_file_of_it() {
    for (words, status) in [
        (&["sync"][..], 0),
        (&["review"], 0),
        (&["replay"], 0),
        (&["rm", "--regression", "x"], 65),
        (&["gen"], 65),
    ] {
        let project = half_edited_manifest();
        let (manifest, lock) = (project.path().join("Cargo.toml"), project.path().join("Cargo.lock"));
        let lock_before = fs::read_to_string(&lock).unwrap();
        let done = relapse(&project, words);
        let text = said(&done);
        assert!(text.contains("took back an unfinished edit of Cargo.toml"), "{words:?}: {text}");
        assert_eq!(done.status.code(), Some(status), "{words:?}: {text}");
        assert_eq!(fs::read_to_string(&lock).unwrap(), lock_before, "{words:?}");
        assert!(!fs::read_to_string(&manifest).unwrap().contains("helper"), "{words:?}");
    }
}

#[test]
fn doctor_names_an_edit_that_was_cut_off() {
    let project = half_edited_manifest();
    let text = said(&relapse(&project, &["doctor"]));
    assert!(text.contains("edit.journal") && !text.contains("all is well"), "{text}");
}

#[test]
fn a_missing_or_stale_lock_file_stays_as_it_is() {
    let (project, [id, _]) = crashed();
    let lock = project.path().join("Cargo.lock");
    fs::remove_file(&lock).unwrap();
    let generated = relapse(&project, &["gen", &id]);
    assert_eq!(generated.status.code(), Some(0), "{}", said(&generated));
    for words in [&["sync"][..], &["review"], &["rm", "--regression", "initials_char_boundary"]] {
        let done = relapse(&project, words);
        assert!(done.status.code() < Some(2), "{words:?}: {}", said(&done));
        assert!(!lock.exists(), "{words:?}: {}", said(&done));
    }
    let locked = project.command_of("cargo", &["generate-lockfile", "--offline"]).output().unwrap();
    assert!(locked.status.success(), "{}", said(&locked));
    let stale = fs::read_to_string(&lock).unwrap();
    let manifest = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", manifest.replace("0.1.0", "0.2.0"));
    for words in [&["gen", &id][..], &["sync"], &["review"]] {
        let done = relapse(&project, words);
        let expected = i32::from(words == ["review"]);
        assert_eq!(done.status.code(), Some(expected), "{words:?}: {}", said(&done));
        assert_eq!(fs::read_to_string(&lock).unwrap(), stale, "{words:?}");
    }
}

#[test]
fn one_review_accepts_the_outcomes_of_several_regressions() {
    let (project, ids) = crashed();
    for id in &ids {
        assert_eq!(relapse(&project, &["gen", id]).status.code(), Some(0));
    }
    let fixed = LIB.replace("&part[..1]", "part.chars().next().unwrap_or('?')");
    let fixed = fixed.replace("prices[2]", "prices.last().copied().unwrap_or_default()");
    let wired = fs::read_to_string(project.path().join("src/lib.rs")).unwrap();
    project.write("src/lib.rs", wired.replace(LIB, &fixed));
    let reviewed = relapse(&project, &["review", "--accept", "--json"]);
    if reviewed.status.code() == Some(69) {
        println!("skipped: insta is not to be had offline: {}", said(&reviewed));
        return;
    }
    assert_eq!(reviewed.status.code(), Some(0), "{}", said(&reviewed));
    let text = String::from_utf8(reviewed.stdout).unwrap();
    let accepted: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(accepted.len(), 2, "{text}");
    assert!(accepted.iter().all(|line| line["accepted"] == true), "{text}");
    let tested = project.command_of("cargo", &["test", "--offline", "--lib"]).output().unwrap();
    assert!(said(&tested).contains("2 passed; 0 failed"), "{}", said(&tested));
}

#[test]
fn a_folder_for_temporary_files_that_is_gone_is_no_verdict_on_the_crash() {
    let (project, [id, _]) = crashed();
    let generated =
        project.command(&["gen", &id, "--json"]).env("TMPDIR", "/no/such/folder").output().unwrap();
    assert_eq!(generated.status.code(), Some(73), "{}", said(&generated));
    let report: Json = serde_json::from_slice(&generated.stdout).unwrap();
    assert_eq!(report["status"], "failed");
    assert!(report["reason"].as_str().unwrap().contains("temporary file in /no/such/folder"), "{report}");
}

#[test]
fn clean_removes_what_killed_processes_left() {
    let project = Project::package(&[("src/lib.rs", LIB)]);
    let left = [".relapse/snapshots/.tmp-x1y2", ".relapse/runs/.tmp-x1y2", ".relapse/edit.journal.new"];
    for path in left {
        project.write(path, "half a");
    }
    project.write("target/tmp/relapse-run-x1y2z3/kept", "");
    project.write("target/tmp/relapse-note-x1y2z3", "");
    project.write("target/tmp/mine", "");
    let temporary = project.path().join("target/tmp");
    let cleaned = project.command(&["clean"]).env("TMPDIR", &temporary).output().unwrap();
    assert_eq!(cleaned.status.code(), Some(0), "{}", said(&cleaned));
    for path in left {
        assert!(!project.path().join(path).exists(), "{path}");
    }
    let names: Vec<_> = fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["mine"]);
}

#[test]
fn a_crash_that_cannot_be_kept_is_said_and_the_command_ends_as_it_would() {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    // A file stands where the store has to be.
    project.write(".relapse", "");
    let ran = relapse(&project, &["run", "--", "cargo", "run", "-q", "--", "third"]);
    let text = said(&ran);
    assert_eq!(ran.status.code(), Some(101), "{text}");
    assert!(
        text.contains("a crash could not be kept: failed to create") && text.contains(".relapse"),
        "{text}"
    );
    assert_eq!(fs::read(project.path().join(".relapse")).unwrap(), b"");
}

#[test]
fn a_gen_beside_cleans_has_a_scratch_copy_of_its_own() {
    let (project, [id, _]) = crashed();
    assert_eq!(relapse(&project, &["gen", &id]).status.code(), Some(0));
    let expected = tree(&project);
    // A slot with much in it takes a while to be removed.
    for number in 0..4000 {
        project.write(&format!(".relapse/scratch/0/target/many/{}/{number}", number % 40), "");
    }
    let mut generating = project.command(&["gen", &id]);
    generating.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let cleaning = project.command(&["clean"]).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let slot = project.path().join(".relapse/scratch/0/target/many/0");
    while slot.exists() {
        std::thread::yield_now();
    }
    let generating = generating.spawn().unwrap();
    for child in [cleaning, generating] {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    assert_eq!(tree(&project), expected);
}

#[test]
fn two_gens_at_once_leave_both_tests() {
    let (project, ids) = crashed();
    let started: Vec<_> = ids
        .iter()
        .map(|id| {
            let mut command = project.command(&["gen", id]);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in started {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let together = tree(&project);
    let tests: Vec<_> =
        together.keys().filter(|path| path.starts_with("regressions") && !path.ends_with("mod.rs")).collect();
    assert_eq!(tests.len(), 2, "{tests:?}");
    // The same as one after the other.
    for path in together.keys().filter(|path| path.starts_with("regressions")) {
        fs::remove_file(project.path().join(path)).unwrap();
    }
    project.write("src/lib.rs", LIB);
    for id in &ids {
        assert_eq!(relapse(&project, &["gen", id]).status.code(), Some(0));
    }
    assert_eq!(tree(&project), together);
    let listed = project.command_of("cargo", &["test", "--offline", "--lib"]).output().unwrap();
    assert!(said(&listed).contains("0 passed; 2 failed"), "{}", said(&listed));
    assert_eq!(project.left(), <[PathBuf; 0]>::default());
}
