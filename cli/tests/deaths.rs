//! Crashes that end their process: by a signal, by an abort, by a panic that cannot unwind. Their tests run the call in a
//! child, so that the other tests of the crate run on.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::collections::BTreeMap;

use serde_json::Value;

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// A death: the function's name (which is the program's word, too), the cause's kind and signal, how the test gives its
/// arguments, and what is seen of the child when the test fails.
struct Death {
    function: &'static str,
    cause: (&'static str, Option<&'static str>),
    given: &'static [&'static str],
    ends: &'static [&'static str],
}

const WILD: Death = Death {
    function: "wild",
    cause: ("signal", Some("SIGSEGV")),
    given: &["let address = 16;", "let name = \"ada\";"],
    ends: &["signal: 11 (SIGSEGV)"],
};
const SHORT_MAP: Death = Death {
    function: "short_map",
    cause: ("signal", Some("SIGBUS")),
    given: &["let path = \"empty.dat\";", "let at = 100;"],
    ends: &["signal: 7 (SIGBUS)"],
};
const ILLEGAL: Death = Death {
    function: "illegal",
    cause: ("signal", Some("SIGILL")),
    given: &["let code = 7;"],
    ends: &["signal: 4 (SIGILL)"],
};
const DIVIDED: Death = Death {
    function: "divided",
    cause: ("signal", Some("SIGFPE")),
    given: &["let a = 41;", "let b = 0;"],
    ends: &["signal: 8 (SIGFPE)"],
};
const ABORTED: Death = Death {
    function: "aborted",
    cause: ("abort", Some("SIGABRT")),
    given: &["let code = \"xyz\";"],
    ends: &["signal: 6 (SIGABRT)"],
};
/// Each of its two panics is a crash of its own.
const TWICE: Death = Death {
    function: "twice",
    cause: ("panic", None),
    given: &["let items = &[1, 2];", "let at = 5;"],
    ends: &["signal: 6 (SIGABRT)", "the index is 5", "a guard that fails"],
};
const FOREIGN: Death = Death {
    function: "foreign",
    cause: ("panic", None),
    given: &["let share = 0;"],
    ends: &["signal: 6 (SIGABRT)", "attempt to divide by zero", "a function that cannot unwind"],
};
const RESERVED: Death = Death {
    function: "reserved",
    cause: ("abort", Some("SIGABRT")),
    given: &["let room = 0x4000_0000_0000;"],
    ends: &["signal: 6 (SIGABRT)", "memory allocation of 70368744177664 bytes failed"],
};
const UNCHECKED: Death = Death {
    function: "unchecked",
    cause: ("panic", None),
    given: &["let items = &[1, 2];", "let at = 7;"],
    ends: &["signal: 6 (SIGABRT)", "unsafe precondition(s) violated"],
};
/// A panic that unwinds, beside the others.
const NTH: Death = Death {
    function: "nth",
    cause: ("panic", None),
    given: &["let items = &[1, 2];", "let at = 9;"],
    ends: &["the index is 9"],
};

/// The project whose program dies so; `manifest` is added to its own.
fn project(manifest: &str) -> Project {
    let lib = include_str!("fixture/deaths/lib.rs");
    let prog = include_str!("fixture/deaths/prog.rs");
    let project = Project::package(&[("src/lib.rs", lib), ("src/bin/prog.rs", prog), ("empty.dat", "")]);
    let own = std::fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", format!("{own}{manifest}"));
    project
}

/// The JSON lines that a command of the project prints.
fn lines(project: &Project, words: &[&str]) -> Vec<Value> {
    let output = project.command(words).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The whole way of these deaths: the crash, its test, the failing test, the replay. `crashes`: how many they are.
fn go(project: &Project, profile: &[&str], deaths: &[&Death], crashes: usize) {
    for death in deaths {
        project.crash(&[&["cargo", "run", "-q"], profile, &["--", death.function]].concat());
    }
    let causes: BTreeMap<String, Value> = lines(project, &["list", "--json"])
        .into_iter()
        .map(|row| (row["id"].as_str().unwrap().to_owned(), row["cause"].clone()))
        .collect();
    let accounts = lines(project, &["gen", "--all", "--json"]);
    assert_eq!((accounts.len(), causes.len()), (crashes, crashes), "{accounts:#?}");
    let mut tests = Vec::new();
    for account in &accounts {
        assert_eq!(account["status"], "verified", "{account:#}");
        let name = account["function"].as_str().unwrap().strip_prefix("demo::").unwrap();
        let death = deaths.iter().find(|death| death.function == name).unwrap();
        let cause = &causes[account["snapshot"].as_str().unwrap()];
        if name == "reserved" {
            assert_eq!(cause["message"], "memory allocation failed");
        }
        assert_eq!((cause["kind"].as_str().unwrap(), cause["signal"].as_str()), death.cause, "{name}");
        let text = std::fs::read_to_string(project.path().join(account["file"].as_str().unwrap())).unwrap();
        for given in death.given {
            assert!(text.contains(given), "{given} is not in {text}");
        }
        assert_eq!(text.contains("in_child(\""), name != "nth", "{text}");
        tests.push((account["test"].as_str().unwrap(), death));
    }

    let words = [&["test", "-q", "--offline", "--lib"], profile].concat();
    let output = project.command_of("cargo", &words).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains(&format!("1 passed; {crashes} failed")),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (test, death) in &tests {
        let (_, own) = text.split_once(&format!("---- {test} stdout ----\n")).unwrap();
        let own = own.split("\n---- ").next().unwrap();
        for end in death.ends {
            assert!(own.contains(end), "{end} is not in {own}");
        }
    }

    let verdicts = lines(project, &["replay", "--json"]);
    assert_eq!(verdicts.len(), crashes, "{verdicts:#?}");
    assert!(verdicts.iter().all(|verdict| verdict["verdict"] == "open"), "{verdicts:#?}");
    assert!(project.left().is_empty());
}

#[test]
fn signals_and_aborts_end_a_child_of_their_test() {
    let deaths = [&WILD, &SHORT_MAP, &ILLEGAL, &DIVIDED, &ABORTED, &RESERVED];
    go(&project(""), &[], &deaths, 6);
}

#[test]
fn panics_that_cannot_unwind_end_a_child_of_their_test() {
    go(&project(""), &[], &[&TWICE, &FOREIGN, &UNCHECKED, &NTH], 5);
}

#[test]
fn deaths_of_an_optimised_program_end_a_child_of_their_test() {
    go(&project(""), &["--release"], &[&WILD, &DIVIDED, &ABORTED, &TWICE], 5);
}

#[test]
fn panic_of_a_program_that_aborts_unwinds_in_its_test() {
    // Tests are built to unwind whatever the profile says.
    go(&project("[profile.dev]\npanic = \"abort\"\n"), &[], &[&NTH, &FOREIGN, &ABORTED], 3);
}

#[test]
fn open_panic_that_cannot_unwind_passes_until_it_is_fixed() {
    let project = project("");
    project.crash(&["cargo", "run", "-q", "--", "foreign"]);
    let (account, test, said) = project.generate(&["--open"]);
    assert_eq!(account["status"], "verified", "{said}");
    assert!(test.contains("should_panic(expected = ") && test.contains("in_child(\""), "{test}");
    let passes = || {
        let output = project.command_of("cargo", &["test", "-q", "--offline", "--lib"]).output().unwrap();
        output.status.success()
    };
    assert!(passes());
    let wired = std::fs::read_to_string(project.path().join("src/lib.rs")).unwrap();
    project.write("src/lib.rs", wired.replace("100 / share", "100 / share.max(1)"));
    assert!(!passes());
}

#[test]
fn signal_that_a_program_survives_is_no_crash() {
    let project = project("");
    let output = project.command(&["run", "--", "cargo", "run", "-q", "--", "survived"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"0\n");
    let listed = project.command(&["list", "--json"]).output().unwrap();
    assert!(listed.stdout.is_empty(), "{listed:?}");
}
