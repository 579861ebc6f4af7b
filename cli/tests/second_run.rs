//! `cargo relapse gen` runs a crashed command again where the values at the crash are not those that were given.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

const LIB: &str = "\
pub struct Stock { pub items: Vec<u32>, pub taken: usize }
impl Stock {
    pub fn drain(&mut self, price: u32) -> u32 {
        let mut sum = 0;
        while !self.items.is_empty() { sum += self.items.remove(0); self.taken += 1; }
        assert!(self.taken < 3, \"sold out\");
        sum / (price - 1)
    }
    pub fn restock(&mut self, price: u32) -> u32 {
        self.taken += 1;
        let last = self.items.pop();
        price + 100 / last.unwrap_or(7)
    }
    pub fn close(self, names: Vec<String>) -> String {
        let Stock { items, .. } = self;
        let mut left = names;
        left.truncate(items.len());
        drop(items);
        left.swap_remove(2)
    }
}
impl Stock {
    pub fn due(&mut self, late: bool, by: std::time::Duration) -> std::time::Duration {
        let sum = self.items.drain(..).map(u64::from).sum();
        let first = std::time::Duration::from_secs(sum);
        if late { postponed(first, by) } else { first + by }
    }
}
fn postponed(first: std::time::Duration, by: std::time::Duration) -> std::time::Duration { first + by }
pub fn later(of: Vec<u32>) -> u32 { of[of.len() + 5] }
pub struct Prices { pub of: std::collections::HashMap<String, u32> }
impl Prices {
    pub fn each(&self, among: u32) -> u32 { self.of.len() as u32 / among }
}
pub struct Walk<'m> { left: std::collections::hash_map::Iter<'m, u32, Vec<u32>> }
impl<'m> Walk<'m> {
    pub fn over(lists: &'m std::collections::HashMap<u32, Vec<u32>>) -> Self { Walk { left: lists.iter() } }
}
impl Iterator for Walk<'_> {
    type Item = u32;
    fn next(&mut self) -> Option<u32> { self.left.next().map(|(at, list)| at + list[0]) }
}
#[derive(Default)]
pub struct Meter { pub calls: std::sync::atomic::AtomicU32, pub last: std::cell::Cell<u32> }
impl Meter {
    pub fn read(&self, scale: u32) -> u32 {
        self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        100 / scale
    }
    pub fn ratio(&self) -> u32 {
        let last = self.last.replace(7);
        100 / last
    }
}
";

const PROG: &str = "\
use std::io::Read;
fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    let mut stock = demo::Stock { items: vec![4, 5, 6], taken: 0 };
    match word.as_str() {
        \"often\" => { for price in (0..2000).rev() { stock.items.push(price); stock.restock(price); } }
        \"read\" => { demo::Meter::default().read(0); }
        \"later\" => { demo::later(vec![8, 9]); }
        \"ratio\" => { demo::Meter::default().ratio(); }
        \"walk\" => loop {
            let list = |at| (at, if at == 5 { vec![] } else { vec![at] });
            let lists: std::collections::HashMap<u32, Vec<u32>> = (0..12).map(list).collect();
            if lists.values().next().unwrap().is_empty() { println!(\"{}\", demo::Walk::over(&lists).count()); }
        },
        \"prices\" => {
            let price = |name: &str| (name.to_string(), 7);
            println!(\"{}\", demo::Prices { of: [\"a\", \"b\"].map(price).into() }.each(0));
        }
        \"close\" => println!(\"{}\", stock.close(vec![\"a\".into(), \"b\".into(), \"c\".into(), \"d\".into()][..2].to_vec())),
        \"due\" => { stock.due(std::fs::File::create_new(\"seen\").is_err(), std::time::Duration::MAX); }
        \"once\" => { if std::fs::File::create_new(\"seen\").is_ok() { stock.drain(3); } }
        \"input\" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).unwrap();
            stock.items = text.split_whitespace().map(|n| n.parse().unwrap()).collect();
            stock.drain(1);
        }
        _ => { println!(\"{}\", stock.drain(2)); }
    }
}
";

#[path = "fixture/project.rs"]
mod project;

use project::Project;

fn project() -> Project {
    Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", PROG)])
}

#[test]
fn test_of_a_public_method_has_the_values_that_it_was_called_with() {
    let project = project();
    project.crash(&["cargo", "run", "-q"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{said}");
    assert_eq!((account["trust"].as_str(), account["frame"].as_u64()), (Some("entry"), Some(0)), "{said}");
    assert!(test.contains("items: vec![4, 5, 6]") && test.contains("taken: 0"), "{test}");
    assert!(said.contains("running the command again"), "{said}");
}

#[test]
fn what_the_second_run_does_not_change_is_not_proved_once_more() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "later"]);
    let (account, test, said) = project.generate(&[]);
    assert!(said.contains("running the command again"), "{said}");
    assert_eq!(
        (account["status"].as_str(), account["trust"].as_str()),
        (Some("verified"), Some("entry")),
        "{said}"
    );
    assert_eq!((account["builds"].as_u64(), account["runs"].as_u64()), (Some(1), Some(3)), "{account:#}");
    assert!(test.contains("vec![8, 9]") && !test.contains("may have been"), "{test}");
}

#[test]
fn self_by_value_and_moved_arguments_are_those_of_the_call() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "close"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{said}");
    assert!(account["function"].as_str().unwrap().ends_with("close"), "{account}");
    assert!(test.contains("4, 5, 6") && test.contains("\"a\"") && test.contains("\"b\""), "{test}");
}

#[test]
fn cell_that_was_written_is_said_and_read_again_only_where_no_test_reproduces_with_it() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "read"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!((account["status"].as_str(), account["trust"].as_str()), (Some("verified"), Some("suspect")));
    assert!(test.contains("may differ from what the call was given"), "{test}");
    assert!(!said.contains("running the command again"), "{said}");

    project.crash(&["cargo", "run", "-q", "--", "ratio"]);
    let (account, test, said) = project.generate(&["--latest"]);
    assert_eq!((account["status"].as_str(), account["trust"].as_str()), (Some("verified"), Some("entry")));
    assert!(said.contains("running the command again") && test.contains("Cell::new(0)"), "{said} {test}");
}

#[test]
fn of_a_hash_table_whose_order_is_chance_the_entry_that_came_next_is_there() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "walk"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{account:#}\n{said}");
    assert!(account["function"].as_str().unwrap().ends_with("next"), "{account:#}");
    assert!(test.contains("HashMap::from([(5, Vec::new())])"), "{test}");
}

#[test]
fn what_is_given_a_hash_table_is_run_ten_times_for_its_order_is_another_each_time() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "prices"]);
    let (account, _, said) = project.generate(&[]);
    assert_eq!(
        (account["status"].as_str(), account["runs"].as_u64()),
        (Some("verified"), Some(10)),
        "{said}"
    );
}

#[test]
fn function_that_is_called_often_is_read_each_time_where_no_other_test_helps() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "often"]);
    let (account, test, said) = project.generate(&[]);
    assert_eq!(
        (account["status"].as_str(), account["trust"].as_str()),
        (Some("verified"), Some("entry")),
        "{said}"
    );
    assert!(said.contains("entered too often") && said.contains("read each call"), "{said}");
    // What it was given by the last of two thousand calls: what was pushed was popped by each.
    assert!(test.contains("items: vec![4, 5, 6, 0]") && test.contains("taken: 1999"), "{test}");
}

#[test]
fn second_run_is_forbidden_or_allowed_by_options() {
    let project = project();
    let program = project.built();
    project.crash(&[program.to_str().unwrap()]);
    let (_, _, said) = project.generate(&[]);
    assert!(said.contains("--rerun allows it"), "{said}");
    let (_, _, said) = project.generate(&["--no-rerun"]);
    assert!(said.contains("--no-rerun forbids it"), "{said}");
    let (account, test, said) = project.generate(&["--rerun"]);
    assert_eq!(account["trust"], "entry", "{said}");
    assert!(test.contains("4, 5, 6"), "{test}");
}

#[test]
fn standard_input_of_a_file_is_read_again() {
    let project = project();
    let path = project.path().join("numbers.txt");
    fs::write(&path, "7 8").unwrap();
    let mut run = project.command(&["run", "--", "cargo", "run", "-q", "--", "input"]);
    run.stdin(File::open(&path).unwrap()).output().unwrap();
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["trust"], "entry", "{said}");
    assert!(test.contains("7, 8"), "{test}");
}

#[test]
fn standard_input_of_a_pipe_is_given_again() {
    let project = project();
    let program = project.built();
    for words in [&["cargo", "run", "-q", "--", "input"][..], &[program.to_str().unwrap(), "input"]] {
        let mut run = project.command(&[&["run", "--"], words].concat());
        let mut child = run.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        for text in [&b"7 "[..], b"8\n"] {
            pipe.write_all(text).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(30));
        }
        drop(pipe);
        assert_eq!(child.wait().unwrap().code(), Some(101));
        let (account, test, said) = project.generate(&["--latest", "--rerun"]);
        assert_eq!(account["trust"], "entry", "{said}");
        assert!(test.contains("7, 8"), "{test}");
        assert!(project.command(&["rm", "latest"]).status().unwrap().success());
        let kept = fs::read_dir(project.path().join(".relapse/runs")).unwrap().flatten();
        let kept: Vec<_> = kept.map(|file| file.file_name()).collect();
        assert!(kept.iter().all(|name| !name.to_string_lossy().ends_with(".input")), "{kept:?}");
    }
}

#[test]
fn second_run_that_ends_in_another_way_is_said_and_costs_nothing() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "once"]);
    let (account, test, said) = project.generate(&[]);
    assert!(said.contains("the second run did not crash"), "{said}");
    assert_eq!(
        (account["status"].as_str(), account["trust"].as_str()),
        (Some("verified"), Some("suspect")),
        "{said}"
    );
    assert!(test.contains("taken: 3"), "{test}");
}

#[test]
fn second_run_that_goes_another_way_between_the_same_functions_is_the_same_crash() {
    let project = project();
    project.crash(&["cargo", "run", "-q", "--", "due"]);
    let (account, test, said) = project.generate(&[]);
    assert!(said.contains("running the command again") && !said.contains("in another way"), "{said}");
    assert_eq!(
        (account["status"].as_str(), account["trust"].as_str(), account["function"].as_str()),
        (Some("verified"), Some("entry"), Some("demo::Stock::due")),
        "{said}"
    );
    assert!(test.contains("items: vec![4, 5, 6]") && test.contains("let late = true;"), "{test}");
}

#[test]
fn a_command_is_not_run_again_where_no_test_can_be_built() {
    let program = "#[cfg(test)]\nconst BROKEN: u8 = \"\";\n\n\
                   fn nth(list: Vec<u32>, n: usize) -> u32 {\n    list[n]\n}\n\n\
                   fn main() {\n    println!(\"{}\", nth(vec![1], std::env::args().count() + 3));\n}\n";
    let project = Project::package(&[("src/main.rs", program)]);
    project.crash(&["cargo", "run", "-q"]);
    let (line, _, said) = project.generate(&[]);
    assert_eq!(line["status"], "failed", "{line:#}");
    assert!(said.contains("mismatched types") && !said.contains("running the command again"), "{said}");
}
