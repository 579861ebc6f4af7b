//! Moments of the process's own clock: where a test does not show the crash with the moment at which it runs, they are as far
//! apart as they were, and from what the clock said by the crash where a function reads it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "fixture/project.rs"]
mod project;

const LIB: &str = r#"use std::time::{Duration, Instant};
pub struct Bucket { tokens: u8, per_token: Duration, filled: Instant }
impl Bucket {
    pub fn new(tokens: u8, per_token: Duration, filled: Instant) -> Bucket { Bucket { tokens, per_token, filled } }
    pub fn fill(&mut self, at: Instant) -> u8 {
        let fresh = at.duration_since(self.filled).as_millis() / self.per_token.as_millis();
        self.filled = at;
        self.tokens += fresh as u8;
        self.tokens
    }
}
pub struct Session { pub seen: Instant, pub until: Option<Instant> }
pub fn left(session: &Session, idle: Duration) -> Duration { idle - session.seen.elapsed() }
pub fn name<'n>(names: &'n [&'n str], since: &Instant) -> &'n str {
    names[names.len() + usize::from(since.elapsed() > Duration::from_secs(600))]
}
"#;

const MAIN: &str = r#"use demo::*;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::{Duration, Instant};
fn crash<R>(call: impl FnOnce() -> R) { drop(catch_unwind(AssertUnwindSafe(|| drop(call())))) }
fn main() {
    let start = Instant::now();
    let mut bucket = Bucket::new(100, Duration::from_millis(10), start);
    crash(|| bucket.fill(start + Duration::from_millis(1700)));
    let session = Session { seen: start, until: Some(start + Duration::from_secs(3600)) };
    std::thread::sleep(Duration::from_millis(60));
    crash(|| left(&session, Duration::from_millis(50)));
    crash(|| name(&["ann"], &start));
}
"#;

#[test]
fn moments_are_as_far_apart_as_they_were() {
    let project = project::Project::package(&[("src/lib.rs", LIB), ("src/main.rs", MAIN)]);
    project.crash(&["cargo", "run", "-q"]);
    let accounts = project.generate_all();
    let [bucket, session, name] =
        ["demo::Bucket::fill", "demo::left", "demo::name"].map(|function| accounts.test_of(function));
    assert!(bucket.contains("let at = Instant::now();"), "{bucket}");
    assert!(bucket.contains("filled: at - Duration::from_millis(1700)"), "{bucket}");
    assert!(bucket.contains("bucket.fill(at);"), "{bucket}");
    let milliseconds = session.split_once("seen: now - Duration::from_millis(").unwrap().1;
    let milliseconds: u64 = milliseconds.split(')').next().unwrap().parse().unwrap();
    assert!((60..5000).contains(&milliseconds), "{session}");
    // What shows the crash without says nothing of them.
    assert!(name.contains("let since = Instant::now();"), "{name}");
}
