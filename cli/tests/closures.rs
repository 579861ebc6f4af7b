//! A crash of a library's function that a program has given closures and functions: from the run to a test in the library.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"
pub mod units {
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub struct Metres(pub u32);

    pub fn halved(length: Metres) -> Metres {
        Metres(length.0 / 2)
    }
}

use units::Metres;

/// The length at a place, as `change` makes it.
pub fn changed(lengths: &[Metres], at: usize, change: impl Fn(Metres) -> Metres) -> Metres {
    change(lengths[at])
}

/// The first length that is `wanted`.
pub fn first<P>(lengths: &[Metres], wanted: P) -> Metres
where
    P: Fn(&Metres) -> bool,
{
    *lengths.iter().find(|length| wanted(length)).unwrap()
}

/// The largest of some numbers.
pub fn largest(numbers: impl Iterator<Item = u32>) -> u32 {
    numbers.max().unwrap()
}
"#;

const MAIN: &str = r#"
use demo::units::{self, Metres as M};

struct Limits {
    least: u32,
    most: M,
}

fn own(length: M) -> M {
    length
}

fn main() {
    let mode = std::env::args().nth(1).unwrap();
    let lengths = [M(3), M(40)];
    let limits = Limits { least: 7, most: M(30) };
    let result = match mode.as_str() {
        "captured" => demo::first(&lengths, |length: &M| length.0 > limits.least && length.0 < limits.most.0),
        "function" => demo::changed(&lengths, 2, units::halved),
        "constructor" => demo::changed(&lengths, 2, |M(length)| units::Metres(length + limits.least)),
        "numbers" => M(demo::largest([0, 2u32].iter().map_while(|n| n.checked_sub(1)))),
        "own" => demo::changed(&lengths, 2, |length| own(length)),
        _ => demo::changed(&lengths, 2, own),
    };
    println!("{result:?}");
}
"#;

/// The account of the crash, and the test.
fn generated(edition: &str, mode: &str) -> (serde_json::Value, String) {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"EDITION\"\n[workspace]\n";
    project.write("Cargo.toml", manifest.replace("EDITION", edition));
    project.crash(&["cargo", "run", "-q", "--", mode]);
    let (account, test, _) = project.generate(&["--no-shrink"]);
    (account, test)
}

#[test]
fn a_programs_closure_is_passed_to_the_library_with_what_it_has_captured() {
    let (account, test) = generated("2021", "captured");
    assert_eq!(
        (&account["status"], &account["function"]),
        (&"verified".into(), &"demo::first".into()),
        "{account:#}"
    );
    // Of the program's own struct only the fields are needed; its name for the library's type means nothing there.
    assert!(test.contains("let least = 7;"), "{test}");
    assert!(test.contains("let most_0 = 30;"), "{test}");
    assert!(
        test.contains("|length: &Metres| {\n        length.0 > least && length.0 < most_0\n    }"),
        "{test}"
    );
}

#[test]
fn a_pattern_and_a_constructor_in_a_closure_are_named_as_the_library_names_them() {
    let (account, test) = generated("2021", "constructor");
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(test.contains("|Metres(length)| units::Metres(length + least)"), "{test}");
}

#[test]
fn numbers_say_their_type_where_a_closure_calls_their_methods() {
    let (account, test) = generated("2021", "numbers");
    assert_eq!(account["function"], "demo::largest", "{account:#}");
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(test.contains("= [0u32, 2];"), "{test}");
    assert!(test.contains(".iter().map_while(|n| n.checked_sub(1));"), "{test}");
}

#[test]
fn a_function_that_is_passed_by_name_is_named() {
    let (account, test) = generated("2021", "function");
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(test.contains("changed(lengths, at, units::halved);"), "{test}");
}

#[test]
fn what_names_things_of_the_program_is_written_in_the_program() {
    for (mode, text) in [("own", "|length| own(length)"), ("item", ", own)")] {
        let (account, test) = generated("2021", mode);
        assert_eq!(account["status"], "verified", "{mode}: {account:#}");
        assert_eq!(account["frame"], 0, "{mode}: {account:#}");
        assert!(account["file"].as_str().unwrap().starts_with("regressions/main/"), "{mode}: {account:#}");
        assert!(test.contains(text), "{mode}: {test}");
    }
}

#[test]
fn a_struct_of_the_program_that_a_closure_has_captured_is_copied_into_the_librarys_test() {
    // A closure of that edition captures the whole struct.
    let (account, test) = generated("2018", "captured");
    assert_eq!(account["status"], "verified", "{account:#}");
    assert!(account["file"].as_str().unwrap().starts_with("regressions/lib/"), "{account:#}");
    assert!(test.contains("length.0 > limits.least && length.0 < limits.most.0"), "{test}");
    assert!(test.contains("struct Limits {"), "{test}");
}
