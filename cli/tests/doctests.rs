//! `cargo relapse run -- cargo test --doc`: a documentation test that is meant to panic, and does, leaves no snapshot.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use project::Project;
use serde_json::Value;

const PANICS: &str = r#"//! ```should_panic
//! demo::half(3);
//! ```

/// ```
/// assert_eq!(demo::half(4), 2);
/// assert!(std::panic::catch_unwind(|| demo::caught()).is_err());
/// ```
///
/// ```rust,should_panic
/// fn own(y: u32) -> u32 { demo::half(y) }
/// own(5);
/// ```
///
/// ```should_panic
/// # fn main() {
/// demo::half(7);
/// # }
/// ```
pub fn half(x: u32) -> u32 {
    assert!(x % 2 == 0, "{x} is odd");
    x / 2
}
pub fn caught() { panic!("caught") }
"#;

const FAILS: &str = r#"
/// ```
/// demo::third(10);
/// ```
pub fn third(x: u32) -> u32 {
    assert!(x % 3 == 0, "{x} is no multiple");
    x / 3
}
"#;

/// What `run` prints, and the messages of what it has kept.
fn kept(edition: &str, source: &str) -> (String, Vec<String>) {
    let project = Project::package(&[("member/src/lib.rs", source)]);
    project.write("Cargo.toml", "[workspace]\nmembers = [\"member\"]\nresolver = \"2\"\n");
    let manifest = format!("[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n");
    project.write("member/Cargo.toml", manifest);
    let output = relapse(&project, &["run", "--", "cargo", "test", "--doc"]);
    let list = relapse(&project, &["list", "--json"]).0;
    let message = |line: &str| {
        let object: Value = serde_json::from_str(line).unwrap();
        object["cause"]["message"].as_str().unwrap().to_owned()
    };
    (output.1, list.lines().map(message).collect())
}

fn relapse(project: &Project, words: &[&str]) -> (String, String) {
    let output = project.command(words).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn doctests_that_are_meant_to_panic_leave_no_snapshot() {
    for edition in ["2021", "2024"] {
        let (said, kept) = kept(edition, PANICS);
        assert_eq!(kept, ["caught"], "{edition}: {said}");
    }
}

#[test]
fn beside_one_that_fails_the_head_of_a_doctest_says_that_it_is_meant_to_panic() {
    let source = PANICS.replace("/// # fn main() {\n", "").replace("/// # }\n", "");
    let (said, kept) = kept("2021", &(source + FAILS));
    assert!(said.contains("10 is no multiple"), "{said}");
    let mut kept = kept;
    kept.sort();
    assert_eq!(kept, ["10 is no multiple", "caught"], "{said}");
}
