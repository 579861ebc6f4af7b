//! A test whose values have private fields in several modules: it would add a function to the crate for them, and does
//! without where the calls that made them say the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;

use serde_json::Value;

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"
pub mod source {
    pub struct Lines { starts: Vec<usize>, len: usize }
    impl Lines {
        pub fn of(text: &str) -> Lines {
            let ends = text.match_indices('\n').map(|(at, _)| at + 1);
            Lines { starts: std::iter::once(0).chain(ends).collect(), len: text.len() }
        }
        pub fn start(&self, line: usize) -> Option<usize> { self.starts.get(line).copied().filter(|at| *at < self.len) }
    }
}
pub mod report {
    pub struct Report { line: usize, asked: usize }
    impl Report {
        pub fn after(line: usize) -> Report { Report { line: line + 1, asked: 0 } }
        pub fn start(&mut self, lines: &crate::source::Lines) -> usize {
            self.asked += 1;
            lines.start(self.line).unwrap()
        }
    }
}
"#;

const MAIN: &str = r#"
use demo::{report::Report, source::Lines};
fn main() {
    let lines = Lines::of("a\nb\n");
    // Both lie at one place, so that the first one is what its calls tell of at first.
    for line in [0, 1] {
        println!("{}", Report::after(line).start(&lines));
    }
}
"#;

fn generated(words: &[&str]) -> String {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    let output = project.command(&[&["gen", "--json"], words].concat()).output().unwrap();
    let account: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(account["status"], "verified", "{account:#}");
    fs::read_to_string(project.path().join(account["file"].as_str().unwrap())).unwrap()
}

#[test]
fn what_the_program_called_does_without_functions_added_to_the_crate() {
    let text = generated(&[]);
    assert!(text.contains(r#"Lines::of("a\nb\n")"#) && text.contains("Report::after(1)"), "{text}");
    assert!(!text.contains("relapse_new"), "{text}");
    let text = generated(&["--no-rerun"]);
    assert!(text.contains("relapse_new"), "{text}");
}
