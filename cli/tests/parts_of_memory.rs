//! Values that say less by themselves than where they lie, or how much of them is in use: a text that is a part of another
//! one, and a buffer that is not filled yet.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"use std::mem::MaybeUninit;
pub struct Place<'a> { pub what: &'static str, pub at: &'a str }
/// The width of the columns before a place in a text.
pub fn column(text: &str, place: &Place<'_>) -> u32 {
    let widths = [1, 1, 2, 2];
    let at = (place.at.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
    assert!(at <= text.len(), "{} is elsewhere", place.what);
    widths[at]
}
pub struct Buffer { bytes: [MaybeUninit<u8>; 12], used: usize }
impl Buffer {
    pub fn new() -> Buffer { Buffer { bytes: [MaybeUninit::uninit(); 12], used: 0 } }
    pub fn push(&mut self, byte: u8) { self.bytes[self.used] = MaybeUninit::new(byte); self.used += 1; }
    pub fn before(&self, back: usize) -> u8 { let at = self.used - back; unsafe { self.bytes[at].assume_init() } }
}
"#;

const MAIN: &str = r#"use demo::*;
use std::panic::{catch_unwind, AssertUnwindSafe};
fn crash<R>(call: impl FnOnce() -> R) { drop(catch_unwind(AssertUnwindSafe(|| drop(call())))) }
fn main() {
    let text = String::from("size=10");
    crash(|| column(&text, &Place { what: "value", at: &text[5..] }));
    let mut buffer = Buffer::new();
    for byte in *b"size" { buffer.push(byte); }
    crash(|| buffer.before(5));
}
"#;

#[test]
fn parts_of_texts_and_of_buffers_are_kept() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.command(&["run", "--", "cargo", "run", "-q"]).output().unwrap();
    let accounts = project.generate_all();
    let column = accounts.test_of("demo::column");
    assert!(column.contains(r#"let text = "size=10";"#), "{column}");
    assert!(column.contains(r#"at: &text[5..]"#), "{column}");
    assert!(column.contains(r#"what: "value""#), "{column}");
    let before = accounts.test_of("demo::Buffer::before");
    assert!(before.contains("MaybeUninit::new") && before.contains("used: 4"), "{before}");
    assert_eq!(project.left(), Vec::<std::path::PathBuf>::new());
}
