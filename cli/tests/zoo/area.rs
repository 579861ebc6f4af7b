//! One area of the zoo. In: its functions. Out: what the crash and the test said of each, or what went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::{env, fs};

use serde_json::Value;

use crate::project::Project;
use crate::signature;

const WATCH: &str = include_str!("../fixture/zoo/watch.rs");

/// What stands between the name of a function and the text of its value.
const MARK: &str = " => ";

/// Functions of a file, and the package that they crash in.
pub(crate) struct Area {
    pub(crate) name: &'static str,
    edition: &'static str,
    dependencies: &'static str,
    /// A `Cargo.lock` of its own; else relapse's.
    lock: Option<&'static str>,
    pub(crate) source: &'static str,
    /// The way from the crash to the tests is gone once, for the check and for the page.
    told: OnceLock<Option<Told>>,
}

/// What came of an area.
pub(crate) struct Told {
    /// By the name that the function tells.
    pub(crate) animals: BTreeMap<String, Animal>,
    /// What `gen` says of snapshots of which no test tells anything.
    others: Vec<Value>,
    said: String,
}

/// A function of the zoo.
#[derive(Default)]
pub(crate) struct Animal {
    /// The `Debug` text at the crash, and in the test.
    pub(crate) crash: Option<String>,
    pub(crate) test: Option<String>,
    /// What `gen` says of it.
    account: Value,
    /// The generated file.
    pub(crate) file: String,
}

impl Animal {
    /// What a cell holds may be marked as suspect: that it is right is what the two texts tell.
    pub(crate) fn is_right(&self) -> bool {
        self.account["status"] == "verified" && self.crash.is_some() && self.crash == self.test
    }
}

impl Area {
    pub(crate) const fn new(
        name: &'static str,
        edition: &'static str,
        dependencies: &'static str,
        source: &'static str,
    ) -> Area {
        Area { name, edition, dependencies, lock: None, source, told: OnceLock::new() }
    }

    /// The same with crates that relapse itself does not use.
    pub(crate) const fn locked(mut self, lock: &'static str) -> Area {
        self.lock = Some(lock);
        self
    }

    /// Every function of the file has crashed, and has a test that says what the crash said.
    pub(crate) fn check(&self) {
        let Some(told) = self.told() else {
            println!("skipped: its crates are not to be had offline");
            return;
        };
        let expected: BTreeSet<String> =
            signature::all(self.source).into_keys().chain(told.animals.keys().cloned()).collect();
        let nothing = Animal::default();
        let mut wrong = Vec::new();
        for name in &expected {
            let animal = told.animals.get(name).unwrap_or(&nothing);
            if !animal.is_right() {
                let Animal { crash, test, account, file } = animal;
                wrong.push(format!("{name}:\n  crash: {crash:?}\n  test:  {test:?}\n{account:#}\n{file}"));
            }
        }
        let others: Vec<String> = told.others.iter().map(|account| format!("{account:#}")).collect();
        assert!(
            wrong.is_empty() && others.is_empty(),
            "{} of {} functions are wrong\n{}\n{}\n{}",
            wrong.len(),
            expected.len(),
            wrong.join("\n"),
            others.join("\n"),
            told.said,
        );
    }

    /// Nothing where the crates that it needs are not at hand.
    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.get_or_init(|| self.tell()).as_ref()
    }

    fn tell(&self) -> Option<Told> {
        let name = self.name;
        let lib = format!("mod watch;\npub mod {name};\npub use watch::{{crash, shown}};\n");
        let main = format!("fn main() {{ std::panic::set_hook(Box::new(|_| ())); zoo::{name}::all(); }}\n");
        let file = format!("src/{name}.rs");
        let project = Project::package(&[
            ("src/lib.rs", &lib),
            ("src/main.rs", &main),
            ("src/watch.rs", WATCH),
            (&file, self.source),
        ]);
        project.write(
            "Cargo.toml",
            format!(
                "[package]\nname = \"zoo\"\nversion = \"0.1.0\"\nedition = \"{}\"\n[workspace]\n[dependencies]\n{}",
                self.edition, self.dependencies
            ),
        );
        if !self.dependencies.is_empty() {
            match self.lock {
                Some(lock) => {
                    project.write("Cargo.lock", lock);
                    // Without a network the crates may still be at hand.
                    let _ = project.command_of("cargo", &["fetch", "-q", "--locked"]).output();
                }
                None => {
                    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
                    let _ = fs::copy(lock, project.path().join("Cargo.lock"));
                }
            }
            // Crates are at hand wherever this was built from the registry; vendored sources do not serve others.
            let found = project.command_of("cargo", &["metadata", "-q", "--format-version=1"]);
            if !offline(found).status.success() {
                return None;
            }
        }
        let mut crashes = BTreeMap::new();
        for part in 0.. {
            let ran = offline(project.command(&["run", "--", "cargo", "run", "-q", "--", &part.to_string()]));
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            let told = lines(&said);
            assert!(part > 0 || !told.is_empty(), "{said}");
            if told.is_empty() {
                break;
            }
            crashes.extend(told.into_iter().map(|(_, name, text)| (name, text)));
        }
        let made = offline(project.command(&["gen", "--all", "--no-shrink", "--json"]));
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        // One stream: so what a function tells stands behind its test's name.
        let words = "cargo test -q --no-run && cargo test --lib -- --nocapture --test-threads=1 2>&1";
        let tests = offline(project.command_of("sh", &["-c", words]));
        let tests = lines(&String::from_utf8_lossy(&tests.stdout));
        let mut animals: BTreeMap<String, Animal> = BTreeMap::new();
        for (name, text) in crashes {
            animals.insert(name, Animal { crash: Some(text), ..Animal::default() });
        }
        let mut others = Vec::new();
        for line in String::from_utf8_lossy(&made.stdout).lines() {
            let account: Value = serde_json::from_str(line).unwrap();
            let told = tests.iter().find(|(test, ..)| account["test"] == test.as_str());
            // Where there is no test, the function's own name is as good a guess as any.
            let function = account["function"].as_str().and_then(|path| path.rsplit("::").next());
            let file = account["file"].as_str().map(|file| project.path().join(file));
            match (told, function.and_then(|function| animals.get_mut(function))) {
                (Some((_, name, text)), _) => {
                    let animal = animals.entry(name.clone()).or_default();
                    animal.test = Some(text.clone());
                    animal.file = file.map(|file| fs::read_to_string(file).unwrap()).unwrap_or_default();
                    animal.account = account;
                }
                (None, Some(animal)) => animal.account = account,
                (None, None) => others.push(account),
            }
        }
        assert!(project.left().is_empty());
        Some(Told { animals, others, said })
    }
}

/// The toolchain of rustup's that the zoo is built with, where it is not to be this one.
pub(crate) const TOOLCHAIN: &str = "RELAPSE_ZOO_TOOLCHAIN";

fn offline(mut command: Command) -> Output {
    if let Some(toolchain) = env::var_os(TOOLCHAIN) {
        // cargo names itself and its compiler to what it starts: to these tests, too.
        for name in ["CARGO", "RUSTC", "RUSTDOC"] {
            command.env_remove(name);
        }
        command.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    // The page has a time of day that is the zone's.
    command.env("CARGO_NET_OFFLINE", "true").env("TZ", "UTC").output().unwrap()
}

/// What functions tell: the test that is at it, the function's name, the value's text.
fn lines(output: &str) -> Vec<(String, String, String)> {
    let mut test = "";
    let mut found = Vec::new();
    for line in output.lines() {
        let line = match line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ")) {
            Some((name, rest)) => {
                test = name.trim_end_matches(" - should panic");
                rest
            }
            None => line,
        };
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if let Some((name, text)) = line.split_once(MARK).filter(|(name, _)| is_name(name)) {
            found.push((test.to_owned(), name.to_owned(), text.to_owned()));
        }
    }
    found
}
