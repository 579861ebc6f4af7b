//! A crash with a value of another crate that nobody can build but by reading it: its fields are private, its constructor
//! computes them, and it derives serde's `Deserialize`. From the run to a test that reads it from a text.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail so, and says what it skips")]

#[path = "fixture/project.rs"]
mod project;

use std::fs;
use std::path::Path;
use std::process::Output;

use project::Project;

const KEYS: &str = r#"
use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Key {
    id: Id,
    kind: Kind,
    tags: Vec<String>,
    weight: Option<f64>,
    more: BTreeMap<String, (u8, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    none: Option<char>,
}

#[derive(Debug, Deserialize)]
pub struct Id(u32);

#[derive(Debug, Deserialize)]
pub enum Kind {
    Plain,
    Sized { bits: u8 },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Renamed {
    #[serde(rename = "n")]
    number: u32,
}

impl Key {
    pub fn of(text: &str) -> Key {
        let tags: Vec<String> = text.split(' ').map(str::to_uppercase).collect();
        let kind = if tags.len() > 1 { Kind::Sized { bits: tags.len() as u8 } } else { Kind::Plain };
        let more = tags.iter().map(|tag| (tag.clone(), (tag.len() as u8, true))).collect();
        Key { id: Id(tags.len() as u32 * 7), kind, tags, weight: Some(0.5), more, none: None }
    }

    pub fn place(&self) -> usize {
        self.id.0 as usize
    }
}

impl Renamed {
    pub fn of(text: &str) -> Renamed {
        Renamed { number: text.len() as u32 * 3 }
    }

    pub fn place(&self) -> usize {
        self.number as usize
    }
}
"#;

const APP: &str = "
pub fn look(key: &keys::Key) -> u8 {
    [0][key.place()]
}

pub fn seek(renamed: keys::Renamed) -> u8 {
    [1][renamed.place()]
}
";

const MAIN: &str = r#"
fn main() {
    match std::env::args().count() {
        1 => app::look(&keys::Key::of("say \"a\"")),
        _ => app::seek(keys::Renamed::of("abc")),
    };
}
"#;

fn offline(project: &Project, program: &str, words: &[&str]) -> Output {
    project.command_of(program, words).env("CARGO_NET_OFFLINE", "true").output().unwrap()
}

#[test]
fn a_value_of_another_crate_is_read_by_its_derived_deserialize() {
    let project = Project::package(&[
        ("src/lib.rs", APP),
        ("src/main.rs", MAIN),
        ("keys/src/lib.rs", KEYS),
        (
            "keys/Cargo.toml",
            "[package]\nname = \"keys\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
             [dependencies]\nserde = { version = \"1\", features = [\"derive\"] }\n",
        ),
    ]);
    project.write(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n\
         [dependencies]\nkeys = { path = \"keys\" }\n[dev-dependencies]\nserde_json = \"1\"\n",
    );
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let _ = fs::copy(lock, project.path().join("Cargo.lock"));
    if !offline(&project, "cargo", &["metadata", "-q", "--format-version=1"]).status.success() {
        println!("skipped: serde is not to be had offline");
        return;
    }
    for word in [None, Some("renamed")] {
        let words = ["run", "--", "cargo", "run", "-q"].into_iter().chain(word.map(|_| "--")).chain(word);
        let run =
            project.command(&words.collect::<Vec<_>>()).env("CARGO_NET_OFFLINE", "true").output().unwrap();
        assert_eq!(run.status.code(), Some(101), "{}", String::from_utf8_lossy(&run.stderr));
        let made = project
            .command(&["gen", "latest", "--no-rerun"])
            .env("CARGO_NET_OFFLINE", "true")
            .output()
            .unwrap();
        let said =
            String::from_utf8_lossy(&made.stderr).into_owned() + &String::from_utf8_lossy(&made.stdout);
        if word.is_none() {
            assert!(made.status.success(), "{said}");
            let test = fs::read_to_string(project.path().join("regressions/lib/look_index_out_of_bounds.rs"));
            let test = test.unwrap_or_else(|error| panic!("{error}: {said}"));
            assert!(test.contains("serde_json::from_str("), "{test}");
            assert!(test.contains(r#""id":14,"kind":{"Sized":{"bits":2}}"#), "{test}");
        } else {
            // Its own form is another one.
            assert!(said.contains("field `number` of `keys::Renamed` is private"), "{said}");
        }
    }
    assert!(project.left().is_empty());
}
