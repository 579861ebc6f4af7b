//! Values of many parts: the tests made of them build, run within a thread's usual stack, and keep data aside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"use std::collections::{BTreeMap, HashMap, VecDeque};
pub struct Row { pub id: u32, pub cells: [u8; 500], pub name: String }
pub fn by_key(rows: &HashMap<u32, Row>, key: u32) -> &Row { &rows[&key] }
pub fn in_order(rows: &BTreeMap<u32, Row>, key: u32) -> &Row { &rows[&key] }
pub fn of_all(rows: &[Row], at: usize) -> &Row { &rows[at] }
pub struct Order { pub id: u32, pub name: String }
pub fn of_list(orders: &Vec<&Order>, at: usize) -> u32 { orders[at].id }
pub fn of_slice(orders: &[&Order], at: usize) -> u32 { orders[at].id }
pub fn of_queue(bytes: &VecDeque<u8>, at: usize) -> u8 { bytes[at] }
pub fn of_text(text: &std::ffi::CString, at: usize) -> u8 { text.as_bytes()[at] }
"#;

const MAIN: &str = r#"use demo::*;
use std::panic::{catch_unwind, AssertUnwindSafe};
fn crash<R>(call: impl FnOnce() -> R) { drop(catch_unwind(AssertUnwindSafe(|| drop(call())))) }
fn row(id: u32) -> Row { Row { id, cells: [id as u8; 500], name: id.to_string() } }
fn main() {
    let orders: Vec<Order> = (0..1200).map(|id| Order { id, name: id.to_string() }).collect();
    let borrowed: Vec<&Order> = orders.iter().collect();
    let rows: Vec<Row> = (0..900).map(row).collect();
    crash(|| { by_key(&(0..900).map(|id| (id, row(id))).collect(), 5000); });
    crash(|| { in_order(&(0..900).map(|id| (id, row(id))).collect(), 5001); });
    crash(|| { of_all(&rows, 5002); });
    crash(|| of_list(&borrowed, 5003));
    crash(|| of_slice(&borrowed, 5004));
    let bytes = (0..20_000_u32).map(|n| (n * 7) as u8);
    crash(|| of_queue(&bytes.collect(), 50_005));
    crash(|| of_text(&std::ffi::CString::new("a long text, ".repeat(3000)).unwrap(), 50_006));
}
"#;

#[test]
fn values_of_thousands_of_parts_become_tests_that_run() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.write("relapse.toml", "[limits]\nbytes = 65536\n");
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    let accounts = project.generate_all();
    let text_of = |function: &str| accounts.test_of(&format!("demo::{function}"));
    for (function, written) in [
        ("by_key", ".collect::<HashMap<_, _>>()"),
        ("in_order", ".collect::<BTreeMap<_, _>>()"),
        ("of_all", "vec!["),
        ("of_list", "orders_2.iter().collect::<Vec<_>>()"),
        ("of_slice", ".iter().collect::<Vec<_>>()"),
        ("of_queue", "VecDeque::from(include_bytes!(\"of_queue_"),
        ("of_text", "CString::new(include_bytes!(\"of_text_"),
    ] {
        let text = text_of(function);
        let start: String = text.chars().take(2000).collect();
        assert!(text.contains(written), "{function}: no {written} in {start}");
    }
    for function in ["of_queue", "of_text"] {
        assert!(text_of(function).lines().count() < 20, "{function}");
    }
    assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
}
