//! Stacks: the test of an overflow begins the recursion as the program did, and says which functions it is made of; a test
//! has as much stack as the crashed thread had.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"/// Never comes to an end where it steps over it.
pub fn depth(name: &str, from: u32, to: u32) -> u32 {
    if from == to { name.len() as u32 } else { 1 + depth(name, from.wrapping_add(2), to) }
}
pub fn even(n: i64) -> bool { if n == 0 { true } else { odd(n - 2) } }
pub fn odd(n: i64) -> bool { if n == 0 { false } else { !even(n - 2) } }
pub fn sum(n: u32) -> u64 { let part = [u64::from(n); 128]; if n == 0 { 0 } else { sum(n - 1) + std::hint::black_box(part)[7] } }
pub fn wide(at: usize) -> u8 {
    let buffer = [7; 6 << 20];
    std::hint::black_box(&buffer)[at]
}
pub fn nested(open: u64) -> u64 { level(open, 0) }
pub struct Links { to: Vec<usize>, asked: Vec<usize> }
impl Links {
    pub fn of(to: &[usize]) -> Links { Links { to: to.to_vec(), asked: Vec::new() } }
    pub fn value(&mut self, at: usize) -> u64 {
        self.asked.push(at);
        match self.to.get(at) { None => 1, Some(&to) => 1 + self.follow(to) }
    }
    fn follow(&mut self, to: usize) -> u64 { if to == 0 { self.value(to) } else { self.value(to) + 1 } }
}
fn level(open: u64, at: u64) -> u64 { if at == open { 0 } else { 1 + level(open, at + 1) } }
"#;

const MAIN: &str = r#"fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("direct") => println!("{}", demo::depth("four", 0, 9)),
        Some("mutual") => println!("{}", demo::even(7)),
        Some("changed") => println!("{}", demo::Links::of(&[1, 2, 0]).value(1)),
        Some("small") => {
            let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(|| demo::sum(400)).unwrap();
            println!("{:?}", thread.join());
        }
        Some("large") => {
            let thread = std::thread::Builder::new().stack_size(16 << 20).spawn(|| demo::wide(7 << 20)).unwrap();
            println!("{:?}", thread.join());
        }
        _ => println!("{}", demo::nested(1 << 40)),
    }
}
"#;

struct Made {
    account: Value,
    test: String,
    shown: String,
    said: String,
}

fn made(case: &str) -> Made {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q", "--", case]);
    let (account, test, said) = project.generate(&["latest"]);
    assert_eq!(account["status"], "verified", "{said}");
    let shown = project.command(&["show", "latest"]).output().unwrap().stdout;
    Made { account, test, shown: String::from_utf8(shown).unwrap(), said }
}

#[test]
fn outermost_call_of_a_function_that_calls_itself_is_tested() {
    let Made { account, test, shown, .. } = made("direct");
    assert_eq!(account["function"], "demo::depth");
    assert!(account["frame"].as_u64().unwrap() > 100, "{account:#}");
    assert!(test.contains("let from = 0;") && test.contains("let to = 9;"), "{test}");
    assert!(test.starts_with("// `depth` dies: stack overflow (src/lib.rs:"), "{test}");
    assert!(test.contains("// recursion: `depth` calls itself\n"), "{test}");
    assert!(shown.contains("recursion: `depth` calls itself"), "{shown}");
    assert!(shown.contains("frames of the same again") && shown.contains("demo::main"), "{shown}");
    assert!(shown.lines().count() < 60, "{shown}");
    // Two calls of `depth` and none of its other thousands, three runs each; `main` is not tried.
    assert!(account["runs"].as_u64().unwrap() <= 6, "{account:#}");
    assert_eq!(account["rejected"].as_array().unwrap().len(), 2, "{account:#}");
}

#[test]
fn outermost_call_of_functions_that_call_each_other_is_tested() {
    let Made { account, test, shown, .. } = made("mutual");
    assert_eq!(account["function"], "demo::even");
    assert!(test.contains("let n = 7;") && test.contains("even(n);"), "{test}");
    assert!(test.contains("// recursion: `even` → `odd` → `even`\n"), "{test}");
    assert!(shown.contains("recursion: `even` → `odd` → `even`"), "{shown}");
}

#[test]
fn public_caller_of_a_private_recursion_is_tested() {
    let Made { account, test, .. } = made("private");
    assert_eq!(account["function"], "demo::nested");
    assert!(test.contains("// recursion: `level` calls itself\n"), "{test}");
}

#[test]
fn a_second_run_that_met_the_end_of_the_stack_elsewhere_is_the_same() {
    let Made { account, test, said, .. } = made("changed");
    assert_eq!(account["function"], "demo::Links::value");
    assert!(said.contains("second run:") && !said.contains("in another way"), "{said}");
    assert!(test.contains("asked: Vec::new()") || test.contains("Links::of("), "{test}");
}

#[test]
fn test_has_as_much_stack_as_the_thread_that_overflowed_it() {
    // A test's own stack is eight times as large, and is enough for it.
    let Made { account, test, .. } = made("small");
    assert_eq!(account["function"], "demo::sum");
    assert!(test.contains("let n = 400;") && test.contains(".env(\"RUST_MIN_STACK\", \"262144\")"), "{test}");
}

#[test]
fn panic_of_a_function_that_needs_much_stack_is_reproduced_on_as_much() {
    // A test's own stack would overflow before.
    let Made { account, test, .. } = made("large");
    assert_eq!(account["function"], "demo::wide");
    assert!(test.starts_with("// `wide` panics: index out of bounds"), "{test}");
    assert!(
        test.contains("let at = 7_340_032;") && test.contains(".env(\"RUST_MIN_STACK\", \"16777216\")"),
        "{test}"
    );
}
