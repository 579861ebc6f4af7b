//! A project's own rules, as the documentation shows them: a value of a type that nothing else builds gets a test.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::fs;

#[path = "fixture/project.rs"]
mod project;

use project::Project;

const MANIFEST: &str = r#"[package]
name = "shop"
version = "0.1.0"
edition = "2021"
[dependencies]
money = { path = "money" }
[workspace]
"#;

/// Its function makes something of what it is given, so that nothing but a rule tells what to give it.
const MONEY: &str = r#"
#[derive(Debug, Clone)]
struct Currency { code: String }

#[derive(Debug, Clone)]
pub struct Amount { cents: i64, currency: Currency }

impl Amount {
    pub fn from_cents(cents: i64, code: &str) -> Amount {
        Amount { cents, currency: Currency { code: code.trim().to_uppercase() } }
    }
    pub fn cents(&self) -> i64 { self.cents }
}

#[derive(Debug)]
pub struct Ledger { entries: Vec<Amount> }

impl Ledger {
    pub fn of(text: &str) -> Ledger { Ledger { entries: vec![Amount::from_cents(text.len() as i64, text)] } }
    pub fn first(&self) -> i64 { self.entries[0].cents() }
}
"#;

const LIB: &str = r#"
use money::amount::{Amount, Ledger};

pub fn share(amount: &Amount, among: i64) -> i64 { amount.cents() / among }

pub fn close(ledger: &Ledger, among: i64) -> i64 { ledger.first() / among }
"#;

const MAIN: &str = r#"
use money::amount::{Amount, Ledger};

fn main() {
    let zero = std::env::args().count() as i64 - 2;
    match std::env::args().nth(1).as_deref() {
        Some("share") => println!("{}", shop::share(&Amount::from_cents(250, "eur"), zero)),
        _ => println!("{}", shop::close(&Ledger::of("usd"), zero)),
    }
}
"#;

#[test]
fn rules_of_the_documentation_build_what_nothing_else_does() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/relapse-toml.md"))
        .unwrap_or_default();
    let Some(example) = page.split("```toml\n").find(|part| part.starts_with("[[rule]]")) else {
        assert!(page.is_empty(), "{page}");
        return;
    };
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.write("Cargo.toml", MANIFEST);
    project
        .write("money/Cargo.toml", "[package]\nname = \"money\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    project.write("money/src/lib.rs", "pub mod amount;\n");
    project.write("money/src/amount.rs", MONEY);
    project.write("relapse.toml", example.split("```").next().unwrap());
    let account = |word: &str| {
        let ran = project.command(&["run", "--", "cargo", "run", "-q", "--", word]).output().unwrap();
        let made = project.command(&["gen", "--json", "--frame", "0"]).output().unwrap();
        let line: serde_json::Value =
            serde_json::from_slice(&made.stdout).unwrap_or_else(|_| panic!("{ran:?}{made:?}"));
        line
    };
    let shared = account("share");
    assert_eq!(shared["status"], "verified", "{shared:#}");
    let test = fs::read_to_string(project.path().join(shared["file"].as_str().unwrap())).unwrap();
    assert!(test.contains("Amount::from_cents(250, \"EUR\")"), "{test}");
    let closed = account("close");
    assert!(closed.to_string().contains("its entries belong to a database"), "{closed:#}");
    assert!(project.left().is_empty());
}
