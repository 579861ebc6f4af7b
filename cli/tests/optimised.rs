//! Crashes of optimised builds: the test has the values that the functions were given, though the optimiser has left
//! neither the functions nor the values. Nothing of the user's own build is touched for it.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::fs;
use std::os::unix::fs::MetadataExt;

const LIB: &str = "\
pub fn ratio(n: u32, among: u32) -> u32 { n / among }
pub fn last<I: Iterator<Item = u32>>(mut items: I) -> u32 {
    let mut sum = 0;
    while let Some(item) = items.next() { sum += item; }
    items.next().unwrap() + sum
}
pub struct Book { pub pages: Vec<String>, pub at: usize }
impl Book {
    pub fn close(self) -> String {
        let Book { mut pages, at } = self;
        pages.truncate(1);
        pages.swap_remove(at)
    }
}
pub fn swap(mut one: String, mut other: String) -> usize {
    std::mem::swap(&mut one, &mut other);
    drop(one);
    other.find('q').unwrap()
}
#[inline(never)]
fn one(n: u64) -> u64 { n.wrapping_mul(40503) ^ 12345 }
#[inline(never)]
fn other(n: u64) -> u64 { n.wrapping_mul(40503) ^ 12345 }
pub fn merged(names: &[&str]) -> usize {
    // An optimiser makes one function of two that do the same.
    let functions: [fn(u64) -> u64; 2] = std::hint::black_box([one, other]);
    names[usize::from(functions[0] as usize == functions[1] as usize) * 7].len()
}
pub fn wraps(n: u8) -> u32 {
    let next = n + 1;
    100 / u32::from(next)
}
";

const PROG: &str = "\
use std::hint::black_box as given;
fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(\"ratio\") => println!(\"{}\", demo::ratio(given(7), given(0))),
        Some(\"last\") => println!(\"{}\", demo::last(given(vec![1u32, 2, 3]).into_iter())),
        Some(\"close\") => {
            let pages = vec![\"a\".to_string(), \"bc\".to_string()];
            println!(\"{}\", demo::Book { pages, at: given(1) }.close());
        }
        Some(\"swap\") => println!(\"{}\", demo::swap(given(\"abc\".into()), given(\"defg\".into()))),
        Some(\"wraps\") => println!(\"{}\", demo::wraps(given(255))),
        _ => println!(\"{}\", demo::merged(given(&[\"a\"]))),
    }
}
";

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// A project whose program was run optimised, and crashed.
fn crashed(word: &str) -> Project {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", PROG)]);
    project.crash(&["cargo", "run", "-q", "--release", "--", word]);
    project
}

/// The test of a crash that was reproduced with values of this trust.
fn written(word: &str, trust: &str) -> String {
    let project = crashed(word);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(
        (account["status"].as_str(), account["trust"].as_str()),
        (Some("verified"), Some(trust)),
        "{said}"
    );
    assert_eq!(account["cargo_args"], serde_json::json!(["--lib", "--release"]), "{account}");
    assert!(said.contains("without optimisation"), "{said}");
    test
}

#[test]
fn inlined_function_that_is_not_on_the_stack_is_found() {
    // Its call is none on the stack of the optimised program; a run without optimisation shows it, and one more reads it.
    let test = written("ratio", "entry");
    assert!(
        test.contains("ratio(7, 0)") || test.contains("let n = 7;") && test.contains("let among = 0;"),
        "{test}"
    );
    assert!(!test.contains("only in"), "{test}");
}

#[test]
fn function_that_is_not_on_the_stack_has_a_number_by_which_it_can_be_asked_for() {
    let project = crashed("ratio");
    let (account, ..) = project.generate(&[]);
    let others = account["alternatives"].as_array().unwrap().iter().chain([&account]);
    let ratio = others.clone().find(|other| other["function"] == "demo::ratio");
    let frame = ratio.unwrap_or_else(|| panic!("{account:#}"))["frame"].to_string();
    let (asked, _, said) = project.generate(&["--frame", &frame]);
    assert_eq!(asked["status"], "verified", "{said}");
    assert!(said.contains(&format!("frame {frame} is not on the stack")), "{said}");
    assert_eq!((&asked["function"], asked["frame"].to_string()), (&"demo::ratio".into(), frame));
}

#[test]
fn iterator_is_written_as_it_was_before_it_was_consumed() {
    assert!(written("last", "entry").contains("[1, 2, 3]"));
}

#[test]
fn self_by_value_is_written_as_it_was_before_it_was_taken_apart() {
    let test = written("close", "entry");
    assert!(test.contains("\"a\"") && test.contains("\"bc\"") && test.contains("at: 1"), "{test}");
}

#[test]
fn swapped_and_dropped_arguments_are_those_of_the_call() {
    let test = written("swap", "entry");
    let (one, other) = (test.find("abc").unwrap(), test.find("defg").unwrap());
    assert!(one < other, "{test}");
}

#[test]
fn overflow_that_wraps_in_a_release_build_wraps_in_the_second_run_too() {
    // In a debug build it would panic in another line.
    // Its call is none on the stack of the optimised program; a run without optimisation shows it, and one more reads it.
    let test = written("wraps", "entry");
    assert!(test.contains("255"), "{test}");
    let said = "// only in release builds; in a dev build of the same code another panic: attempt to add with overflow";
    assert!(test.contains(said), "{test}");
}

#[test]
fn user_s_own_build_is_left_as_it_was() {
    let project = crashed("ratio");
    let program = project.path().join("target/release/prog");
    let state = || {
        let file = fs::metadata(&program).unwrap();
        (file.ino(), file.mtime(), file.mtime_nsec(), fs::read(&program).unwrap())
    };
    let before = state();
    let (account, ..) = project.generate(&[]);
    assert_eq!(account["status"], "verified");
    assert!(state() == before, "the user's program was built anew");
}

#[test]
fn crash_that_optimised_code_alone_has_is_looked_for_there() {
    let project = crashed("merged");
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{said}");
    assert!(
        test.contains("// only in release builds; in a dev build of the same code the test passed"),
        "{test}"
    );
}

#[test]
fn dev_profile_that_optimises_is_known_to() {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", PROG)]);
    let manifest = fs::read_to_string(project.path().join("Cargo.toml")).unwrap();
    project.write("Cargo.toml", manifest + "[profile.dev]\nopt-level = 3\n");
    project.crash(&["cargo", "run", "-q", "--", "close"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!((account["status"].as_str(), account["trust"].as_str()), (Some("verified"), Some("entry")));
    assert!(said.contains("without optimisation"), "{said}");
    assert_eq!(account["cargo_args"], serde_json::json!(["--lib"]), "{account}");
    assert!(test.contains("\"bc\""), "{test}");
}
