//! The whole story from outside, on the smallest crate that has a bug: a crash becomes a test that fails until
//! the bug is fixed, its outcome is locked, and all of it is taken back again, byte for byte.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail so, and says what it skips")]

#[path = "fixture/project.rs"]
mod project;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value as Json;

const BUG: &str = "&part[..1]";
const FIX: &str = "part.chars().next().unwrap_or('?')";

/// The fields of `list --json` and `gen --json`: a contract.
const LISTED: [&str; 9] =
    ["id", "time", "cause", "location", "function", "package", "fingerprint", "count", "command"];
const GENERATED: [&str; 15] = [
    "snapshot",
    "status",
    "reason",
    "function",
    "frame",
    "package",
    "cargo_args",
    "test",
    "file",
    "trust",
    "builds",
    "runs",
    "shrunk",
    "alternatives",
    "rejected",
];

struct Project(project::Project);

impl Project {
    fn new() -> Project {
        let project = Project(project::Project::package(&[]));
        project.write(
            "Cargo.toml",
            "[package]\nname = \"badges\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n",
        );
        project.write(
            "src/lib.rs",
            &format!(
                "//! Badges.\n\n/// The initials of a name.\npub fn initials(name: &str) -> String {{\n    \
                 name.split(' ').map(|part| {BUG}).collect()\n}}\n"
            ),
        );
        project.write(
            "src/main.rs",
            "fn main() {\n    let name = std::env::args().nth(1).unwrap_or_default();\n    \
             println!(\"{}\", badges::initials(&name));\n}\n",
        );
        assert_eq!(status(&project.cargo(&["generate-lockfile"])), 0);
        project
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, file: &str, text: &str) {
        self.0.write(file, text);
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path().join(file)).unwrap();
        assert!(text.contains(from), "{text}");
        self.write(file, &text.replace(from, to));
    }

    fn start(&self, program: &str, words: &[&str]) -> Output {
        let mut command = self.0.command_of(program, words);
        for name in ["INSTA_UPDATE", "INSTA_FORCE_PASS", "CI"] {
            command.env_remove(name);
        }
        command.env("CARGO_NET_OFFLINE", "true").env("NO_COLOR", "1").output().unwrap()
    }

    fn cargo(&self, words: &[&str]) -> Output {
        self.start("cargo", words)
    }

    fn relapse(&self, words: &[&str]) -> Output {
        self.start(env!("CARGO_BIN_EXE_cargo-relapse"), words)
    }

    /// The only line of JSON that a verb prints.
    fn json(&self, words: &[&str], expected: i32) -> Json {
        let output = self.relapse(words);
        assert_eq!(status(&output), expected, "{words:?}: {}", said(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.lines().count(), 1, "{words:?}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Every file of the user's.
    fn tree(&self) -> BTreeMap<PathBuf, String> {
        let (mut files, mut open) = (BTreeMap::new(), vec![self.path().to_owned()]);
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let own = ["target", ".relapse"].iter().any(|name| path == self.path().join(name));
                if path.is_dir() {
                    open.extend((!own).then_some(path));
                } else {
                    let text = fs::read_to_string(&path).unwrap();
                    files.insert(path.strip_prefix(self.path()).unwrap().to_owned(), text);
                }
            }
        }
        files
    }
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

fn fields(object: &Json) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn sorted<const N: usize>(mut names: [&str; N]) -> Vec<&str> {
    names.sort_unstable();
    names.to_vec()
}

#[test]
fn crash_becomes_a_test_that_the_fix_turns_green_and_that_goes_without_a_trace() {
    let project = Project::new();
    let before = project.tree();

    let ran = project.relapse(&["run", "--", "cargo", "run", "-q", "--", "Anna Österberg"]);
    assert_eq!(status(&ran), 101, "{}", said(&ran));
    let listed = project.json(&["list", "--json"], 0);
    assert_eq!(fields(&listed), sorted(LISTED));
    assert_eq!(listed["cause"]["kind"], "panic");
    assert_eq!(listed["location"]["file"], "src/lib.rs");
    let shown = said(&project.relapse(&["show", "latest"]));
    assert!(shown.contains("char boundary") && shown.contains("Anna Österberg"), "{shown}");

    // For people: the test is proved, put in place, and shown as a diff.
    let generated = project.relapse(&["gen", "latest"]);
    let text = said(&generated);
    assert_eq!(status(&generated), 0, "{text}");
    assert!(text.contains("+    let name = \"Anna Österberg\";") && text.contains("verified"), "{text}");
    let with_test = project.tree();
    assert_ne!(with_test, before);
    let name = with_test.keys().find_map(|file| {
        let stem = file.file_stem()?.to_str()?;
        (file.starts_with("regressions") && stem != "mod").then(|| stem.to_owned())
    });
    let name = name.unwrap();
    let removed = project.relapse(&["rm", "--regression", &name]);
    assert_eq!(status(&removed), 0, "{}", said(&removed));
    assert_eq!(project.tree(), before);

    // For programs: the same, as one object.
    let report = project.json(&["gen", "latest", "--json"], 0);
    assert_eq!(fields(&report), sorted(GENERATED));
    assert_eq!((&report["status"], &report["package"]), (&"verified".into(), &"badges".into()));
    assert_eq!(report["function"], "badges::initials");
    assert_eq!(project.tree(), with_test, "made twice, it is the same");
    let cargo_args: Vec<&str> =
        report["cargo_args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let test = report["test"].as_str().unwrap();
    let words = [&["test", "-p", "badges"], &cargo_args[..], &[test, "--", "--exact"]].concat();
    let failing = project.cargo(&words);
    assert_eq!(status(&failing), 101);
    assert!(said(&failing).contains("0 passed; 1 failed"), "{}", said(&failing));
    assert_eq!(project.json(&["replay", "--json"], 1)["verdict"], "open");

    project.replace("src/lib.rs", BUG, FIX);
    let passing = project.cargo(&words);
    assert!(status(&passing) == 0 && said(&passing).contains("1 passed; 0 failed"), "{}", said(&passing));
    let junit = project.path().join("target/relapse.xml");
    let replayed = project.json(&["replay", "--json", "--junit", junit.to_str().unwrap()], 0);
    assert_eq!(replayed["verdict"], "fixed");
    assert!(fs::read_to_string(junit).unwrap().contains(&name));

    lock_outcome(&project, &words);

    let settled = project.tree();
    let synced = project.relapse(&["sync"]);
    assert_eq!((status(&synced), project.tree()), (0, settled), "{}", said(&synced));
    project.replace("src/lib.rs", FIX, BUG);
    let removed = project.relapse(&["rm", "--regression", &name]);
    assert_eq!(status(&removed), 0, "{}", said(&removed));
    assert_eq!(project.tree(), before);

    let cleaned = project.relapse(&["clean"]);
    assert_eq!(status(&cleaned), 0, "{}", said(&cleaned));
    assert!(!project.path().join(".relapse/scratch").exists());
    assert_eq!(project.json(&["list", "--json"], 0), listed);
}

/// Accepts what the fixed call returns. insta comes from cargo's own cache; without it there is nothing to lock.
fn lock_outcome(project: &Project, words: &[&str]) {
    let reviewed = project.relapse(&["review", "--accept"]);
    if status(&reviewed) == 69 {
        println!("skipped: insta is not to be had offline: {}", said(&reviewed));
        return;
    }
    assert_eq!(status(&reviewed), 0, "{}", said(&reviewed));
    let snapshots = |tree: BTreeMap<PathBuf, String>| -> Vec<String> {
        tree.into_iter()
            .filter(|(file, _)| file.extension().is_some_and(|e| e == "snap"))
            .map(|(_, t)| t)
            .collect()
    };
    let accepted = snapshots(project.tree());
    assert!(accepted.len() == 1 && accepted[0].ends_with("\"AÖ\"\n"), "{accepted:?}");
    let passing = project.cargo(words);
    assert_eq!(status(&passing), 0, "{}", said(&passing));
    let again = project.json(&["review", "--json"], 0);
    assert_eq!(again["status"], "same");
}

#[test]
fn a_library_whose_unit_tests_do_not_build_is_tested_from_outside() {
    let project = Project::new();
    let own_tests = "\n#[cfg(test)]\nmod tests {\n    use lost_helper::Names;\n}\n";
    project.replace("src/lib.rs", "collect()\n}\n", &format!("collect()\n}}\n{own_tests}"));
    let before = project.tree();
    let ran = project.relapse(&["run", "--", "cargo", "run", "-q", "--", "Anna Österberg"]);
    assert_eq!(status(&ran), 101, "{}", said(&ran));

    let report = project.json(&["gen", "latest", "--json"], 0);
    assert_eq!((&report["status"], &report["function"]), (&"verified".into(), &"badges::initials".into()));
    assert_eq!(report["cargo_args"], serde_json::json!(["--test", "regressions"]));
    let file = report["file"].as_str().unwrap();
    assert!(file.starts_with("regressions/tests/regressions/"), "{file}");
    let with_test = project.tree();
    let text = &with_test[Path::new(file)];
    assert!(text.contains("badges::initials(name)") && !text.contains("use super"), "{text}");
    assert!(text.contains("could not be compiled"), "the header says why: {text}");

    let test = report["test"].as_str().unwrap();
    let words = ["test", "-p", "badges", "--test", "regressions", test, "--", "--exact"];
    let failing = project.cargo(&words);
    assert!(status(&failing) == 101 && said(&failing).contains("0 passed; 1 failed"), "{}", said(&failing));
    project.replace("src/lib.rs", BUG, FIX);
    let passing = project.cargo(&words);
    assert!(status(&passing) == 0 && said(&passing).contains("1 passed; 0 failed"), "{}", said(&passing));
    assert!(!said(&passing).contains("warning"), "{}", said(&passing));
    assert_eq!(project.json(&["replay", "--json"], 0)["verdict"], "fixed");

    // A checkout that lost everything but the tests themselves.
    fs::remove_dir_all(project.path().join("tests")).unwrap();
    assert_eq!(status(&project.relapse(&["sync"])), 0);
    project.replace("src/lib.rs", FIX, BUG);
    assert_eq!(project.tree(), with_test);
    let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
    assert_eq!(status(&project.relapse(&["rm", "--regression", name])), 0);
    assert_eq!(project.tree(), before);
}

#[test]
fn what_cannot_be_written_is_no_verdict_on_the_crash() {
    let project = Project::new();
    let ran = project.relapse(&["run", "--", "cargo", "run", "-q", "--", "Anna Österberg"]);
    assert_eq!(status(&ran), 101, "{}", said(&ran));
    let failed = |reason: &str| {
        let report = project.json(&["gen", "latest", "--json"], 73);
        assert_eq!(report["status"], "failed");
        assert!(report["reason"].as_str().unwrap().contains(reason), "{report}");
    };
    // A file stands where a folder has to be: first the copy's, then that of the test.
    project.write(".relapse/scratch", "");
    failed(".relapse/scratch");
    fs::remove_file(project.path().join(".relapse/scratch")).unwrap();
    project.write("regressions", "");
    failed("regressions");
    fs::remove_file(project.path().join("regressions")).unwrap();
    project.json(&["gen", "latest", "--json"], 0);
}
