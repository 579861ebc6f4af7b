//! Functions that take guards of cells and locks are given one of a cell or lock that holds the same.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"use std::cell::{Ref, RefMut};
use std::sync::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};
#[derive(Debug, Default)]
pub struct Pool { pub free: Vec<u16>, pub used: usize }
pub fn grab(mut pool: RefMut<'_, Pool>) -> u16 { pool.free.pop().unwrap() }
pub fn peek(pool: Ref<'_, Pool>, at: usize) -> u16 { pool.free[at] }
pub fn part(free: Ref<'_, [u16]>, at: usize) -> u16 { free[at] }
pub fn settle(pool: MutexGuard<'_, Pool>) -> usize { pool.free.len() / pool.used }
pub fn share(pool: &RwLockReadGuard<'_, Pool>) -> usize { pool.free.len() / pool.used }
pub fn give(pool: &mut RwLockWriteGuard<'_, Pool>) { pool.used -= 1; }
"#;

const MAIN: &str = r#"use demo::*;
use std::cell::{Ref, RefCell};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::{Mutex, RwLock};
fn crash<R>(call: impl FnOnce() -> R) { drop(catch_unwind(AssertUnwindSafe(|| drop(call())))) }
fn main() {
    let cell = RefCell::new(Pool::default());
    crash(|| grab(cell.borrow_mut()));
    cell.borrow_mut().free.push(7);
    crash(|| peek(cell.borrow(), 1));
    crash(|| part(Ref::map(cell.borrow(), |pool| &pool.free[..]), 2));
    crash(|| settle(Mutex::new(Pool { free: vec![3], used: 0 }).lock().unwrap()));
    let lock = RwLock::new(Pool { free: vec![3, 4], used: 0 });
    crash(|| share(&lock.read().unwrap()));
    crash(|| give(&mut lock.write().unwrap()));
}
"#;

#[test]
fn guards_are_of_what_they_lend() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    let accounts = project.generate_all();
    for (function, guard) in [
        ("grab", "let pool = cell.borrow_mut();"),
        ("peek", "let pool = cell.borrow();"),
        ("settle", "let pool = lock.lock().unwrap();"),
        ("share", "let pool = lock.read().unwrap();"),
        ("give", "let mut pool = lock.write().unwrap();"),
    ] {
        let text = accounts.test_of(&format!("demo::{function}"));
        assert!(text.contains(guard) && text.contains("::new(Pool {"), "{text}");
    }
    // What a guard of a part lends is no whole cell.
    let rejected = |account: &serde_json::Value| account["rejected"].as_array().unwrap().clone();
    let part = accounts.all.iter().flat_map(rejected).find(|rejected| rejected["function"] == "demo::part");
    let reason =
        part.unwrap_or_else(|| panic!("`part` is called: {:#?}", accounts.all))["reason"].to_string();
    assert!(reason.contains("`free`: a guard of a part of what its cell or lock holds"), "{reason}");
}
