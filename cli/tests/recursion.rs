//! A stack overflow: its test begins the recursion as the program did, and says which functions it is made of.

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
pub fn nested(open: u64) -> u64 { level(open, 0) }
fn level(open: u64, at: u64) -> u64 { if at == open { 0 } else { 1 + level(open, at + 1) } }
"#;

const MAIN: &str = r#"fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("direct") => println!("{}", demo::depth("four", 0, 9)),
        Some("mutual") => println!("{}", demo::even(7)),
        _ => println!("{}", demo::nested(1 << 40)),
    }
}
"#;

struct Made {
    account: Value,
    test: String,
    shown: String,
}

fn made(case: &str) -> Made {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q", "--", case]);
    let (account, test, said) = project.generate(&["latest"]);
    assert_eq!(account["status"], "verified", "{said}");
    let shown = project.command(&["show", "latest"]).output().unwrap().stdout;
    Made { account, test, shown: String::from_utf8(shown).unwrap() }
}

#[test]
fn outermost_call_of_a_function_that_calls_itself_is_tested() {
    let Made { account, test, shown } = made("direct");
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
    let Made { account, test, shown } = made("mutual");
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
