//! Crashes that pass another one on: a lock that a panic has poisoned, a thread that is joined. The one that came first gets
//! the test.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "fixture/project.rs"]
mod project;

use project::Project;

const MAIN: &str = r#"
use std::sync::{Arc, Mutex};
use std::thread;

fn withdraw(balances: &Mutex<Vec<u32>>, account: usize, amount: u32) {
    balances.lock().unwrap()[account] -= amount;
}

fn total(balances: &Mutex<Vec<u32>>) -> u32 {
    balances.lock().unwrap().iter().sum()
}

fn main() {
    let balances = Arc::new(Mutex::new(vec![10, 20]));
    let worker = {
        let balances = Arc::clone(&balances);
        thread::spawn(move || withdraw(&balances, 0, 15))
    };
    while !worker.is_finished() {
        thread::yield_now();
    }
    if std::env::args().len() > 1 {
        worker.join().unwrap();
    }
    println!("{}", total(&balances));
}
"#;

/// The project, and the ids of its crashes by what `run` says of each, in order.
fn crashed(arguments: &[&str]) -> (Project, Vec<(String, String)>) {
    let project = Project::package(&[("src/main.rs", MAIN)]);
    let words = [&["run", "--", "cargo", "run", "-q", "--"], arguments].concat();
    let ran = project.command(&words).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let of_line = |line: &str| {
        let id = line.split_once("→ snapshot ")?.1.get(..8)?;
        Some((id.to_owned(), line.to_owned()))
    };
    let crashes: Vec<_> = said.lines().filter_map(of_line).collect();
    assert_eq!(crashes.len(), 2, "{said}");
    (project, crashes)
}

#[test]
fn a_lock_that_a_panic_poisoned_leads_to_that_panic() {
    let (project, crashes) = crashed(&[]);
    let [(first, begun), (second, poisoned)] = crashes.as_slice() else { panic!("{crashes:?}") };
    assert!(begun.ends_with(&format!("next: cargo relapse gen {first}")), "{begun}");
    assert!(poisoned.contains("PoisonError"), "{poisoned}");
    assert!(poisoned.ends_with(&format!("it passes on the crash of {first}")), "{poisoned}");

    let (account, test, said) = project.generate(&[]);
    assert_eq!((&account["status"], &account["function"]), (&"verified".into(), &"demo::withdraw".into()));
    assert!(account["snapshot"].as_str().unwrap().starts_with(first.as_str()), "{account:#}");
    assert!(
        said.contains(&format!("the latest crash, {second}, passes on that of {first}, which is taken")),
        "{said}"
    );
    assert!(test.contains("withdraw("), "{test}");

    let (account, _, said) = project.generate(&["--latest"]);
    assert_eq!(
        (&account["status"], &account["function"]),
        (&"verified".into(), &"demo::total".into()),
        "as asked"
    );
    assert!(said.contains(&format!("`cargo relapse gen {first}` makes a test of that")), "{said}");
}

#[test]
fn a_thread_that_is_joined_needs_no_test_beside_the_one_of_its_panic() {
    let (project, crashes) = crashed(&["join"]);
    assert!(crashes[1].1.contains("panic in main") && crashes[1].1.contains("passes on"), "{crashes:?}");
    let accounts = project.generate_all();
    let [first, second] = accounts.all.as_slice() else { panic!("{:#?}", accounts.all) };
    assert_eq!(first["function"], "demo::withdraw");
    assert_ne!(first["snapshot"], second["snapshot"]);
    let test = |account: &serde_json::Value| (account["status"].clone(), account["test"].clone());
    assert_eq!(test(first), test(second), "the same test is the account of both");
    assert!(!project.path().join("regressions/main/main_unwrap_on_err.rs").exists());
}
