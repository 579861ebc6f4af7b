//! Functions that change, move, swap, drop or consume what they were given before they panic: their tests have what
//! they were called with, in a debug build as in an optimised one.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::collections::BTreeMap;
use std::fs::File;

use serde_json::Value;

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// A function's name, which is the program's word, too; what its test has; and what it must not have: what had become of it.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const PLAIN: [Case; 16] = [
    ("counted", &["let left = 21;", "let by = 7;"], &["= 0;"]),
    ("shadowed", &["let text = \"  x12y \";"], &["\"12y\""]),
    ("swapped", &["let high = 9;", "let low = 2;"], &["high = 2", "low = 9"]),
    ("renamed", &["let name = String::from(\"ada\");"], &["bob"]),
    ("dropped", &["let name = String::from(\"grace\");", "let at = 5;"], &[]),
    ("exchanged", &["let one = String::from(\"abc\");", "let other = String::from(\"defg\");"], &[]),
    ("drained", &["let items = vec![3, 5, 8];"], &["Vec::new()"]),
    ("taken", &["let item = Some(String::from(\"edsger\"));"], &["None"]),
    ("unboxed", &["Box::new(Order", "name: String::from(\"tea\")", "counts: vec![4, 6]"], &["vec![4]"]),
    ("unshared", &["let list = Rc::new(vec![1, 2, 3]);"], &["vec![2]"]),
    ("borrowed", &["let list = Rc::new(RefCell::new(vec![6, 7]));"], &["Vec::new()"]),
    ("unpaired", &["(String::from(\"alan\"), 6);"], &[]),
    ("sorted", &["let marks = [5, -3, 8, 1];"], &["[-3, 1, 5, 8]"]),
    ("stepped", &["State::Open", "path: String::from(\"in.txt\")", "at: 5"], &["Closed"]),
    ("close", &["pages: vec![String::from(\"a\"), String::from(\"bc\")]", "at: 1"], &[]),
    ("grow", &["Square { side: 3 }", "let by = 5;"], &["side: 8"]),
];

const REFERENCES: [Case; 13] = [
    ("turn", &["pages: vec![String::from(\"a\"), String::from(\"bc\")]", "at: 1", "let by = 2;"], &["at: 3"]),
    ("raised", &["let mut level = 4;", "let by = 5;"], &["level = 9"]),
    ("cleared", &["let mut text = String::from(\"rust\");"], &["\"r\""]),
    ("pushed", &["let mut list = vec![1, 2];", "let next = 3;"], &["vec![2, 8]", "next = 8"]),
    ("emptied", &["let mut slot = Some(13);"], &["None"]),
    ("filled", &["let mut bytes = [1, 2, 3];", "let with = 9;"], &["[9, 9, 9]"]),
    ("halved", &["let bytes = b\"split\";"], &["&[]"]),
    ("forgotten", &["HashMap::from([(String::from(\"ada\"), 36)])"], &["HashMap::new()"]),
    ("collected", &["let ages = HashMap::from([(7, 1815)]);"], &[]),
    ("unrooted", &["(1, String::from(\"oak\")), (2, String::from(\"elm\"))"], &["BTreeMap::new()"]),
    ("felled", &["let tree = BTreeSet::from([-4, 11]);"], &[]),
    ("queued", &["let mut queue = VecDeque::from([31, 32, 33]);"], &["32, 31", "[0"]),
    ("skipped", &["let mut input: &[u8] = b\"four\";"], &["b\"ur\""]),
];

const READ: [Case; 13] = [
    ("ranged", &["let mut range = 2..9;"], &["9..9"]),
    ("consumed", &["let items = vec![1, 2, 3].into_iter();"], &[]),
    ("spelled", &["let letters = \"hello\".chars();"], &["\"llo\"", "\"\""]),
    ("worded", &["let words = \"one two\".split_whitespace();"], &[]),
    ("ruled", &["\"a b\\n\\nc\".lines().peekable();"], &[]),
    ("ended", &["\"\".lines();"], &["\"b\""]),
    ("parted", &["\"k,v,\".split(',');", "\"yy--z\".split(\"--\");"], &[]),
    ("chunked", &[".chunks(2);", "4, 5, 6", ".windows(2);", "3, 1, 0"], &[]),
    ("peeked", &["let mut letters = \"42;\".chars().peekable();"], &["\";\""]),
    ("scanned", &["Cursor::new(vec![1, 2, 3]);"], &["set_position"]),
    ("emptied_file", &["one two\\nthree\\n"], &[]),
    ("lined", &["one two\\nthree\\n"], &[]),
    ("weighed", &["let item: u32 = 70;"], &["= 0"]),
];

/// Calls within calls: each value is that of its own call, and the last call counts.
const CALLS: [Case; 5] = [
    ("scaled", &["let from = 4;", "let by = 2;"], &["from = 5"]),
    ("nested", &["let items = vec![1, 2];", "let at = 1;"], &["77", "at = 3"]),
    ("gathered", &["let list = &[];", "let sums = vec![50, 51, 53, 56];"], &[]),
    ("looped", &["let turn = 700;", "let label = String::from(\"turn 700\");"], &["turn = 300"]),
    ("threaded", &["String::from(\"mary\"), String::from(\"ann\")", "let at = 1;"], &["at = 4"]),
];

/// Runs the program with each word, makes all tests at once and looks at what they call their functions with.
fn go(profile: &[&str], cases: &[Case]) {
    let lib = include_str!("fixture/value_zoo/lib.rs");
    let prog = include_str!("fixture/value_zoo/prog.rs");
    let files = [("src/lib.rs", lib), ("src/bin/prog.rs", prog), ("words.txt", "one two\nthree\n")];
    let project = Project::package(&files);
    let manifest = std::fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    // For the builds' time: the programs are the same ones.
    project.write("Cargo.toml", format!("{manifest}[profile.release]\nincremental = true\n"));
    for (word, ..) in cases {
        let words = [&["run", "--", "cargo", "run", "-q"], profile, &["--", word]].concat();
        let input = File::open(project.path().join("words.txt")).unwrap();
        let output = project.command(&words).stdin(input).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("snapshot"), "{word}: {output:?}");
    }
    let output = project.command(&["gen", "--all", "--json"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let lines = String::from_utf8_lossy(&output.stdout);
    let accounts = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let accounts: BTreeMap<String, Value> = accounts
        .map(|account| {
            let path = account["function"].as_str().unwrap_or_default();
            (path.rsplit("::").next().unwrap().to_owned(), account)
        })
        .collect();
    let mut wrong = Vec::new();
    for (word, has, lacks) in cases {
        let Some(account) = accounts.get(*word) else {
            wrong.push(format!("{word} has no test"));
            continue;
        };
        let file = account["file"].as_str().map(|file| project.path().join(file));
        let test = file.map(|file| std::fs::read_to_string(file).unwrap()).unwrap_or_default();
        let body = test.split("#[test]").nth(1).unwrap_or_default();
        let right = account["status"] == "verified"
            && account["trust"] != "suspect"
            && has.iter().all(|part| body.contains(part))
            && !lacks.iter().any(|part| body.contains(part));
        if !right {
            wrong.push(format!("{account:#}\n{test}"));
        }
    }
    assert!(wrong.is_empty() && accounts.len() == cases.len(), "{}\n{said}", wrong.join("\n"));
    assert!(project.left().is_empty());
}

#[test]
fn plain_values_are_those_of_the_call() {
    go(&[], &PLAIN);
}

#[test]
fn referents_and_collections_are_those_of_the_call() {
    go(&[], &REFERENCES);
}

#[test]
fn what_is_read_and_who_calls_are_those_of_the_call() {
    go(&[], &[&READ[..], &CALLS].concat());
}

#[test]
fn optimised_plain_values_are_those_of_the_call() {
    go(&["--release"], &PLAIN);
}

#[test]
fn optimised_referents_and_collections_are_those_of_the_call() {
    go(&["--release"], &REFERENCES);
}

#[test]
fn optimised_what_is_read_and_who_calls_are_those_of_the_call() {
    go(&["--release"], &[&READ[..], &CALLS].concat());
}
