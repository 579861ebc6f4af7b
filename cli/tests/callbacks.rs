//! Callbacks of the program that no test can hold: where nothing better reproduces the crash, one that does nothing stands
//! in, and the test says so.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use project::Project;

const LIB: &str = r#"
/// Tells handlers.
pub struct Bus<'h> {
    handlers: Vec<Box<dyn FnMut(&str) -> bool + 'h>>,
    seen: Vec<usize>,
}

impl<'h> Bus<'h> {
    pub fn new() -> Self {
        Bus { handlers: Vec::new(), seen: Vec::new() }
    }

    pub fn on(&mut self, handler: impl FnMut(&str) -> bool + 'h) {
        self.handlers.push(Box::new(handler));
    }

    pub fn tell(&mut self, event: &str) -> usize {
        self.handlers.iter_mut().for_each(|handler| drop(handler(event)));
        self.seen.push(event.len());
        event[event.len() - 3..].len()
    }
}

pub fn walk<F: FnMut(usize, &str)>(text: &str, width: usize, mut visit: F) {
    for (at, line) in text.lines().enumerate() {
        visit(at, &line[..width]);
    }
}
"#;

const MAIN: &str = r#"
use std::sync::Mutex;

struct Report {
    lines: Vec<String>,
}

impl Report {
    fn add(&mut self, at: usize, line: &str) {
        self.lines.push(format!("{at} {line}"));
        TOLD.lock().unwrap().push(at);
    }
}

static TOLD: Mutex<Vec<usize>> = Mutex::new(Vec::new());

fn main() {
    let mut report = Report { lines: Vec::new() };
    match std::env::args().nth(1).as_deref() {
        Some("walk") => {
            let text = std::env::args().nth(2).unwrap();
            demo::walk(&text, 3, |at, line| report.add(at, line));
        }
        Some("bus") => {
            let mut bus = demo::Bus::new();
            bus.on(|event| {
                report.add(1, event);
                TOLD.lock().unwrap().len() < 5
            });
            for word in std::env::args().skip(2) {
                bus.tell(&word);
            }
        }
        _ => demo::walk("abcd\nab", 3, |_, line| assert!(line.len() < 9)),
    }
    println!("{}", report.lines.len());
}
"#;

fn generated(words: &[&str]) -> String {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&[&["cargo", "run", "-q", "--"], words].concat());
    let (account, test, said) = project.generate(&["--no-shrink"]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    test
}

const SAID: &str = "// a callback of the program cannot be written here: the one in its place does nothing\n";

#[test]
fn a_callback_that_names_the_programs_own_does_nothing() {
    let test = generated(&["walk", "abcd\nab"]);
    assert!(test.contains("    walk(text, width, |_, _| {});\n"), "{test}");
    assert!(test.contains(SAID), "{test}");
}

#[test]
fn a_boxed_callback_gives_what_is_nothing_of_its_type() {
    let test = generated(&["bus", "hello", "no"]);
    assert!(test.contains("|_: &str| false"), "{test}");
    assert!(test.contains(SAID), "{test}");
}

#[test]
fn a_callback_that_can_be_written_stays() {
    let test = generated(&["plain"]);
    assert!(test.contains("|_, line| assert!(line.len() < 9)"), "{test}");
    assert!(!test.contains(SAID), "{test}");
}
