//! Outcomes seen and accepted in a real package, with the real insta.

use std::fs;
use std::process::Command;

use cargo_metadata::MetadataCommand;

use super::*;
use crate::edit::{EditSet, FileEdit};
use crate::place;
use crate::regression::Regression;
use crate::remove::remove;
use crate::render::Templates;
use crate::render::tests::example;
use crate::scratch::Scratch;
use crate::sync::packages;
use crate::verify::Bounds;

const LIB: &str = "//! P.\n#![deny(warnings, missing_docs)]\n\
use std::collections::HashMap;\n\n\
/// A type without `Debug`.\npub struct Bare;\n\n\
/// Words.\npub fn words(text: &str) -> Vec<&str> {\n    text.split(' ').collect()\n}\n\n\
/// Crashes still.\npub fn crash(n: usize) -> u8 {\n    [1u8][n]\n}\n\n\
/// In the hash map's own order.\npub fn map() -> HashMap<u8, u8> {\n    HashMap::from([(1, 1), (2, 2), (3, 3), (4, 4)])\n}\n\n\
/// An address.\npub fn address(text: &str) -> *const u8 {\n    Box::leak(text.to_owned().into_boxed_str()).as_ptr()\n}\n\n\
/// Nothing.\npub fn nothing() {}\n\n\
/// Whether it could write.\npub fn log(file: &str) -> bool {\n    std::fs::write(file, \"x\").is_ok()\n}\n\n\
/// Uses a folder of its own.\npub fn private() -> bool {\n    use std::os::unix::fs::PermissionsExt;\n    \
let file = std::env::temp_dir().join(\"x\");\n    std::fs::write(&file, \"x\").is_ok()\n        \
&& std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).is_ok()\n}\n\n\
/// Cannot be shown.\npub fn bare() -> Bare {\n    Bare\n}\n";

struct Fixture {
    root: tempfile::TempDir,
    packages: Vec<SyncPackage>,
    scratch: Scratch,
}

fn regression(name: &str, body: &str) -> Regression {
    let mut regression = example();
    regression.name = name.into();
    regression.module.package = "p".into();
    regression.header.run_it = format!("cargo test -p p --lib regressions::{name}::{name} -- --exact");
    regression.body = body.into();
    regression
}

fn fixture(regressions: &[Regression]) -> Fixture {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("src")).unwrap();
    let manifest = "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    fs::write(root.path().join("Cargo.toml"), manifest).unwrap();
    fs::write(root.path().join("src/lib.rs"), LIB).unwrap();
    let status = Command::new("cargo")
        .args(["generate-lockfile", "--offline"])
        .current_dir(root.path())
        .status()
        .unwrap();
    assert!(status.success());
    let placement = place::edits(regressions, root.path(), &Templates::embedded()).unwrap();
    placement.edits.apply(root.path(), &root.path().join(".relapse")).unwrap();
    let metadata = MetadataCommand::new()
        .current_dir(root.path())
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    let scratch = Scratch::create(&metadata, &root.path().join(".relapse")).unwrap();
    Fixture { packages: packages(&metadata), root, scratch }
}

fn metadata(root: &Path) -> cargo_metadata::Metadata {
    MetadataCommand::new().current_dir(root).other_options(["--offline".to_owned()]).exec().unwrap()
}

impl Fixture {
    fn survey(&self) -> Vec<Reviewable> {
        survey(self.root.path(), &self.packages).unwrap()
    }

    fn observe(&self, regressions: &[&Reviewable]) -> Vec<Outcome> {
        let bounds = Bounds::default();
        observe(&self.scratch, self.root.path(), regressions, &bounds, &mut |_| {}).unwrap()
    }

    fn accept(&self, regression: &Reviewable, outcome: &str) -> Result<Acceptance, OutcomeError> {
        let bounds = Bounds::default();
        accept(&self.scratch, self.root.path(), regression, outcome, &bounds, &mut |_| {})
    }

    fn apply(&self, edits: &EditSet) {
        edits.apply(self.root.path(), &self.root.path().join(".relapse")).unwrap();
    }

    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let files = Tree::new(self.root.path()).walk(Path::new("")).unwrap();
        files
            .into_iter()
            .filter(|file| !file.starts_with(".relapse"))
            .map(|file| (file.clone(), fs::read(self.root.path().join(&file)).unwrap()))
            .collect()
    }

    /// The library changed, and the scratch copy brought up to date.
    fn changed(self, from: &str, to: &str) -> Self {
        let Self { root, packages, scratch } = self;
        drop(scratch);
        let lib = root.path().join("src/lib.rs");
        let text = fs::read_to_string(&lib).unwrap().replace(from, to);
        fs::write(lib, text).unwrap();
        let scratch = Scratch::create(&metadata(root.path()), &root.path().join(".relapse")).unwrap();
        Self { root, packages, scratch }
    }

    fn cargo_test(&self) -> (bool, String) {
        let output = Command::new("cargo")
            .args(["test", "--lib", "--locked", "--offline"])
            .env("CARGO_TARGET_DIR", self.scratch.target_folder())
            .env("INSTA_UPDATE", "no")
            .current_dir(self.root.path())
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }
}

#[test]
fn a_command_that_is_none_of_ours_is_not_run_but_named() {
    let mut evil = regression("evil", "words(\"a\");");
    evil.header.run_it =
        evil.header.run_it.replace("--lib", "--lib --bin '--config=build.rustc-wrapper=\"x\"'");
    let fixture = fixture(&[evil]);
    let State::ByHand(reason) = &fixture.survey()[0].state else { panic!("by hand") };
    assert!(reason.contains("--config=build.rustc-wrapper"), "{reason}");
}

#[test]
fn what_a_call_returns_is_seen_and_judged() {
    let fixture = fixture(&[
        regression("a_words", "words(\"a b\");"),
        regression("b_crash", "crash(3);"),
        regression("c_map", "map();"),
        regression("d_address", "let _ = address(\"x\");"),
        regression("e_nothing", "nothing();"),
        regression("f_bare", "bare();"),
    ]);
    let before = fixture.files();
    let survey = fixture.survey();
    let outcomes = fixture.observe(&survey.iter().collect::<Vec<_>>());
    assert_eq!(outcomes[0], Outcome::Returned("[\n    \"a\",\n    \"b\",\n]".into()));
    assert!(
        matches!(&outcomes[1], Outcome::Crashed(text) if text.contains("the index is 3")),
        "{:?}",
        outcomes[1]
    );
    assert!(matches!(&outcomes[2], Outcome::Differs { .. }), "{:?}", outcomes[2]);
    assert!(matches!(&outcomes[3], Outcome::Differs { .. } | Outcome::Address(_)), "{:?}", outcomes[3]);
    assert_eq!(outcomes[4], Outcome::Nothing);
    assert!(matches!(&outcomes[5], Outcome::NotDebug(text) if text.contains("Bare")), "{:?}", outcomes[5]);
    assert_eq!(fixture.files(), before);
}

#[test]
fn what_a_call_returns_with_the_sandbox_in_its_way_is_no_outcome() {
    let fixture =
        fixture(&[regression("a_log", "log(\"src/written\");"), regression("b_private", "private();")]);
    let survey = fixture.survey();
    let chosen: Vec<&Reviewable> = survey.iter().collect();
    let before = fixture.files();
    let outcomes = fixture.observe(&chosen);
    let file = fixture.root.path().join("src/written");
    let wanted = format!("the call wanted to write to {}, which the sandbox forbids", file.display());
    assert!(
        matches!(&outcomes[0], Outcome::Invalid(text) if text.starts_with(&wanted) && text.contains("--allow-write")),
        "{:?}",
        outcomes[0]
    );
    assert_eq!(outcomes[1], Outcome::Returned("true".into()));
    // The user's folder stands for its copy.
    let mut bounds = Bounds::default();
    bounds.permissions.writable.push(fixture.root.path().join("src"));
    let allowed = observe(&fixture.scratch, fixture.root.path(), &chosen, &bounds, &mut |_| {}).unwrap();
    assert_eq!(allowed[0], Outcome::Returned("true".into()));
    assert_eq!(fixture.files(), before);
}

#[test]
fn an_outcome_is_locked_locked_anew_and_taken_off_again() {
    let fixture = fixture(&[regression("words_lost", "words(\"a b\");"), regression("other", "nothing();")]);
    let before = fixture.files();
    let survey = fixture.survey();
    let words = survey.iter().find(|regression| regression.name == "words_lost").unwrap();
    let outcome = "[\n    \"a\",\n    \"b\",\n]";
    let acceptance = fixture.accept(words, outcome).unwrap();
    assert!(acceptance.locked.iter().any(|package| package.starts_with("insta ")), "{:?}", acceptance.locked);
    assert_eq!(fixture.files(), before);
    fixture.apply(&acceptance.edits);

    let read = |path: &str| fs::read_to_string(fixture.root.path().join(path)).unwrap();
    let lines = "    let outcome = words(\"a b\");\n    insta::assert_debug_snapshot!(outcome);\n}\n";
    assert!(read("regressions/lib/words_lost.rs").ends_with(lines));
    let snapshot = read("regressions/lib/snapshots/p__regressions__words_lost__words_lost.snap");
    assert!(
        snapshot.starts_with("---\nsource: ") && snapshot.ends_with(&format!("---\n{outcome}\n")),
        "{snapshot}"
    );
    assert!(!snapshot.contains(".relapse"), "{snapshot}");
    let (passed, output) = fixture.cargo_test();
    assert!(passed, "{output}");

    // Accepted now, and nothing to decide; once it returns something else there is.
    let survey = fixture.survey();
    let words = survey.iter().find(|regression| regression.name == "words_lost").unwrap();
    assert_eq!(words.state, State::Accepted(Some(outcome.into())));
    assert!(!words.is_new(outcome) && words.is_new("[]"));

    let fixture = fixture.changed("text.split(' ').collect()", "text.split(' ').rev().collect()");
    assert!(!fixture.cargo_test().0);
    let survey = fixture.survey();
    let words = survey.iter().find(|regression| regression.name == "words_lost").unwrap();
    let Outcome::Returned(reversed) = &fixture.observe(&[words])[0] else { panic!("returned") };
    assert!(words.is_new(reversed), "{reversed}");
    // What was not seen is not accepted.
    let error = fixture.accept(words, "[]").unwrap_err();
    assert!(error.to_string().contains("something else"), "{error}");
    let anew = fixture.accept(words, reversed).unwrap();
    assert_eq!(anew.edits.files.len(), 1, "{}", anew.edits.diff());
    fixture.apply(&anew.edits);
    let (passed, output) = fixture.cargo_test();
    assert!(passed, "{output}");

    let fixture = fixture.changed("text.split(' ').rev().collect()", "text.split(' ').collect()");
    let read = |path: &str| fs::read_to_string(fixture.root.path().join(path)).unwrap();
    let removal =
        remove("words_lost", fixture.root.path(), &fixture.packages, &Templates::embedded()).unwrap();
    assert!(removal.last_with_insta);
    let without = |edits| drop_insta(&fixture.scratch, fixture.root.path(), Path::new(""), edits).unwrap();
    // A removal that edits the manifest, too.
    let manifest = read("Cargo.toml");
    let (old, new) = (manifest.clone().into_bytes(), format!("{manifest}# more\n").into_bytes());
    let path = PathBuf::from("Cargo.toml");
    let both = without(EditSet { files: vec![FileEdit { path, before: Some(old), after: Some(new) }] });
    let both = both.get(Path::new("Cargo.toml")).and_then(FileEdit::text).unwrap();
    assert!(both.ends_with("# more\n") && !both.contains("insta"), "{both}");

    let edits = without(removal.edits);
    fixture.apply(&edits);
    let other = remove("other", fixture.root.path(), &fixture.packages, &Templates::embedded()).unwrap();
    fixture.apply(&other.edits);
    assert_eq!(read("src/lib.rs"), LIB);
    let names: Vec<PathBuf> = fixture.files().into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, ["Cargo.lock", "Cargo.toml", "src/lib.rs"].map(PathBuf::from));
    let lock = before.iter().find(|(path, _)| path.ends_with("Cargo.lock")).unwrap();
    assert_eq!(read("Cargo.lock").as_bytes(), lock.1);
}
