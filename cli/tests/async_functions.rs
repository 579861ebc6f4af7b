//! Crashes in async functions of a package that has no runtime: the test runs them by a small executor of its own.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use serde_json::Value;

const LIB: &str = "\
pub struct Yield(pub bool);
impl std::future::Future for Yield {
    type Output = ();
    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if self.0 { return std::task::Poll::Ready(()); }
        self.0 = true;
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}
pub async fn fetch(names: &[&str], at: usize) -> usize {
    Yield(false).await;
    let found = pick(names, at).await;
    Yield(false).await;
    found.len()
}
async fn pick<'a>(names: &[&'a str], at: usize) -> &'a str {
    Yield(false).await;
    names[at]
}
pub trait Store { fn get(&self, at: usize) -> impl std::future::Future<Output = u32>; }
pub struct Memory { pub items: Vec<u32> }
impl Store for Memory {
    async fn get(&self, at: usize) -> u32 {
        Yield(false).await;
        self.items[at]
    }
}
pub async fn quit(code: u32) -> u32 {
    Yield(false).await;
    if code > 2 { std::process::abort() }
    code
}
";

const PROG: &str = "\
use demo::Store;
use std::hint::black_box as given;
fn block_on<F: std::future::Future>(future: F) -> F::Output {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(got) = future.as_mut().poll(&mut context) { return got; }
    }
}
fn main() {
    match std::env::args().nth(1).as_deref() {
        Some(\"get\") => println!(\"{}\", block_on(demo::Memory { items: vec![4, 5] }.get(given(6)))),
        Some(\"quit\") => println!(\"{}\", block_on(demo::quit(given(3)))),
        _ => println!(\"{}\", block_on(demo::fetch(given(&[\"a\", \"b\"]), given(5)))),
    }
}
";

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// The account and the text of the test of a crash of `cargo run WORDS`, which plain cargo then fails by.
fn generated(words: &[&str]) -> (Value, String) {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", PROG)]);
    project.crash(&[&["cargo", "run", "-q"], words].concat());
    let (account, test, said) = project.generate(&[]);
    assert_eq!(account["status"], "verified", "{said}");
    let replayed = project.command(&["replay", "--json"]).output().unwrap();
    assert!(String::from_utf8_lossy(&replayed.stdout).contains("\"open\""), "{replayed:?}");
    (account, test)
}

#[test]
fn async_function_is_called_with_its_arguments_after_several_awaits() {
    let (account, test) = generated(&[]);
    assert_eq!(account["function"], "demo::fetch");
    assert!(test.contains("let at = 5;") && test.contains("block_on(fetch(names, at));"), "{test}");
}

#[test]
fn optimised_async_function_is_called_with_its_arguments() {
    let (account, test) = generated(&["--release"]);
    assert_eq!(account["function"], "demo::fetch");
    assert!(test.contains("let at = 5;") && test.contains("block_on(fetch(names, at));"), "{test}");
}

#[test]
fn async_method_of_a_trait_is_called_on_its_receiver() {
    let (account, test) = generated(&["--", "get"]);
    assert_eq!(account["function"], "<demo::Memory as demo::Store>::get");
    assert!(test.contains("vec![4, 5]") && test.contains("block_on(memory.get(at));"), "{test}");
}

#[test]
fn async_function_that_ends_its_process_is_run_in_a_child() {
    let (account, test) = generated(&["--", "quit"]);
    assert_eq!(account["function"], "demo::quit");
    assert!(test.contains("in_child(") && test.contains("block_on(quit(code));"), "{test}");
}
