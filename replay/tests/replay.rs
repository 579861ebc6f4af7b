//! A replay of a small workspace, from its files to the report.

#![allow(clippy::unwrap_used, reason = "a fixture that cannot be written fails its test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cargo_metadata::MetadataCommand;
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_generator::verify::{HookReader, Limits, Traced};
use relapse_replay::{Replay, Replayed, Step, Verdict, exit_code, junit};

const LIBRARY: &str = "\
pub fn nth(list: &[u8], n: usize) -> u8 {
    list[n]
}

pub fn pick(value: Option<u8>) -> u8 {
    value.unwrap()
}

#[cfg(test)]
#[path = \"../regressions/lib/mod.rs\"]
mod regressions;
";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn header(name: &str, first: &str, arguments: &str) -> String {
    format!(
        "// `nth` {first}\n// captured 2026-11-23 from `cargo run`, rustc 1.95.0 debug\n\
         // run it: cargo test -p demo {arguments} regressions::{name}::{name} -- --exact\n\
         // relapse 1: snapshot 12345678, target crate::nth, module src/lib.rs\n\nuse super::super::*;\n\n"
    )
}

const INDEX: &str = "panics: index out of bounds: the len is 1 but the index is 3 (src/lib.rs:2)";

/// A workspace `demo` with a file for each of `tests` (name, header's first line, body) and a list of them.
fn workspace(tests: &[(&str, &str, &str)], listed: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    write(&at("Cargo.toml"), "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    write(&at("src/lib.rs"), LIBRARY);
    for (name, first, body) in tests {
        let text = format!("{}#[test]\n{body}\n", header(name, first, "--lib"));
        write(&at(&format!("regressions/lib/{name}.rs")), &text);
    }
    let list: Vec<String> = listed.iter().map(|name| format!("mod {name};\n")).collect();
    write(&at("regressions/lib/mod.rs"), &list.concat());
    folder
}

fn replay(root: &Path) -> Vec<Replayed> {
    replay_with(root, false)
}

fn replay_with(root: &Path, is_traced: bool) -> Vec<Replayed> {
    let metadata = MetadataCommand::new().no_deps().current_dir(root).exec().unwrap();
    let package = PackageRoot { name: "demo".to_owned(), folder: root.to_owned() };
    let roots = Roots { workspace: Some(root.to_owned()), packages: vec![package] };
    let traced = Traced { roots: roots.clone(), sandbox: None };
    let hook = HookReader::default();
    let replay = Replay {
        metadata: &metadata,
        roots: &roots,
        observer: if is_traced { &traced } else { &hook },
        limits: Limits { timeout: Duration::from_secs(3), ..Limits::default() },
        snapshot: &|_| None,
    };
    let mut judged = 0;
    let replayed = replay.run(&mut |step| judged += usize::from(matches!(step, Step::Judged(_)))).unwrap();
    assert_eq!(judged, replayed.len());
    replayed
}

fn verdicts(replayed: &[Replayed]) -> BTreeMap<String, Verdict> {
    let name = |one: &Replayed| one.file.file_stem().unwrap().to_str().unwrap().to_owned();
    replayed.iter().map(|one| (name(one), one.verdict)).collect()
}

#[test]
fn each_regression_gets_its_verdict() {
    let tests = [
        ("changed", INDEX, "fn changed() {\n    pick(None);\n}"),
        ("dead", "dies: SIGABRT (src/lib.rs:2)", DEAD),
        ("endless", INDEX, "fn endless() {\n    loop {\n        std::thread::yield_now();\n    }\n}"),
        ("fixed", INDEX, "fn fixed() {\n    nth(&[1], 0);\n}"),
        (
            "known",
            INDEX,
            "#[should_panic(expected = \"index out of bounds\")]\nfn known() {\n    nth(&[1], 3);\n}",
        ),
        ("open", INDEX, "fn open() {\n    nth(&[1, 2], 7);\n}"),
        ("outcome", INDEX, "fn outcome() {\n    assert_eq!(nth(&[1], 0), 2);\n}"),
        ("unlisted", INDEX, "fn unlisted() {}"),
    ];
    let listed: Vec<&str> = tests.iter().map(|test| test.0).filter(|name| *name != "unlisted").collect();
    let folder = workspace(&tests, &listed);
    write(&folder.path().join("regressions/lib/notes.rs"), "// a file of the user's own\n");
    let replayed = replay(folder.path());
    let expected = [
        ("changed", Verdict::Changed),
        ("dead", Verdict::Open),
        ("endless", Verdict::Timeout),
        ("fixed", Verdict::Fixed),
        ("known", Verdict::Known),
        ("open", Verdict::Open),
        ("outcome", Verdict::OutcomeChanged),
        ("unlisted", Verdict::Invalid),
    ];
    let expected: BTreeMap<_, _> = expected.map(|(name, verdict)| (name.to_owned(), verdict)).into();
    assert_eq!(verdicts(&replayed), expected);
    assert_eq!(exit_code(&replayed), 2);
    let open =
        replayed.iter().find(|one| one.verdict == Verdict::Open && one.test.ends_with("::open")).unwrap();
    assert_eq!(open.file, PathBuf::from("regressions/lib/open.rs"));
    let reason = "index out of bounds: the len is 2 but the index is 7 (src/lib.rs:2)";
    assert_eq!(open.reason.as_deref(), Some(reason));
    let mut xml = Vec::new();
    junit::write(&replayed, &mut xml).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert!(
        xml.contains("tests=\"8\"") && xml.contains("failures=\"4\"") && xml.contains("errors=\"2\""),
        "{xml}"
    );
    assert!(xml.contains(&format!("<failure message=\"{reason}\" type=\"open\"")), "{xml}");
}

/// As `gen` writes a test whose call kills its process.
const DEAD: &str = "\
fn dead() {
    in_child(\"dead\", || {
        std::process::abort();
    });
}

fn in_child(test: &str, call: fn()) {
    if std::env::var(\"RELAPSE_CHILD\").as_deref() == Ok(test) {
        return call();
    }
    let (_, module) = module_path!().split_once(\"::\").unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([format!(\"{module}::{test}\").as_str(), \"--exact\", \"--nocapture\", \"--include-ignored\"])
        .env(\"RELAPSE_CHILD\", test)
        .output()
        .unwrap();
    assert!(output.status.success(), \"{}\", output.status);
}";

#[test]
fn a_death_that_its_test_has_to_bring_about_is_not_fixed() {
    let needs = DEAD.replace("dead", "needs");
    let needs = needs
        .replace("std::process::abort()", "if std::env::var(\"MODE\").is_ok() { std::process::abort() }");
    let needs =
        needs.replace(".env(\"RELAPSE_CHILD\"", ".env(\"MODE\", \"x\")\n        .env(\"RELAPSE_CHILD\"");
    let open = DEAD.replace("fn dead()", "#[should_panic(expected = \"signal\")]\nfn marked()");
    let open = open.replace("\"dead\"", "\"marked\"");
    let exits = "#[should_panic(expected = \"out of\")]\nfn exits() {\n    std::process::exit(3);\n}";
    let mends = "#[should_panic(expected = \"out of\")]\nfn mends() {\n    nth(&[1], 0);\n}";
    let dies = "dies: aborted (src/lib.rs:2)";
    let tests = [
        ("exits", INDEX, exits),
        ("marked", dies, &*open),
        ("mends", INDEX, mends),
        ("needs", dies, &*needs),
    ];
    let folder = workspace(&tests, &["exits", "marked", "mends", "needs"]);
    for traced in [false, true] {
        let replayed = replay_with(folder.path(), traced);
        let mut verdicts = verdicts(&replayed);
        // Where ptrace is not permitted, only the test's word for it is left.
        let needs = verdicts.remove("needs").unwrap();
        assert!(needs == Verdict::Open || needs == Verdict::Changed, "{replayed:?}");
        let expected = [("exits", Verdict::Changed), ("marked", Verdict::Known), ("mends", Verdict::Fixed)];
        let expected: BTreeMap<_, _> = expected.map(|(name, verdict)| (name.to_owned(), verdict)).into();
        assert_eq!(verdicts, expected, "{replayed:?}");
    }
}

#[test]
fn a_regression_that_does_not_build_is_named() {
    let tests = [("broken", INDEX, "fn broken() {\n    gone();\n}"), ("good", INDEX, "fn good() {}")];
    let folder = workspace(&tests, &["broken", "good"]);
    write(&folder.path().join("regressions/lib/newer.rs"), "// relapse 7: whatever\n");
    let replayed = replay(folder.path());
    let reasons: Vec<&str> = replayed.iter().filter_map(|one| one.reason.as_deref()).collect();
    assert_eq!(reasons.len(), 3);
    assert!(
        reasons[0].starts_with("it does not build: error[E0425]: cannot find function `gone`"),
        "{}",
        reasons[0]
    );
    assert!(reasons[1].starts_with("its crate does not build: cannot find"), "{}", reasons[1]);
    assert!(reasons[1].ends_with("(regressions/lib/broken.rs:10)"), "{}", reasons[1]);
    assert_eq!(reasons[2], "its header has version 7, which this tool does not read");
    assert_eq!(exit_code(&replayed), 2);
}

#[test]
fn what_is_fixed_or_known_is_no_news() {
    let tests = [("fixed", INDEX, "fn fixed() {\n    nth(&[1], 0);\n}")];
    let folder = workspace(&tests, &["fixed"]);
    let replayed = replay(folder.path());
    assert_eq!(exit_code(&replayed), 0);
    assert_eq!(replayed[0].package, "demo");
    let json = serde_json::to_value(&replayed[0]).unwrap();
    assert_eq!((json["verdict"].as_str(), json["snapshot"].as_str()), (Some("fixed"), Some("12345678")));
    fs::remove_dir_all(folder.path().join("regressions")).unwrap();
    assert_eq!(replay(folder.path()), []);
}
