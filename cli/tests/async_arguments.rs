//! Arguments of async functions that are gone by the crash: a second run reads them as a future is polled for the first
//! time. No runtime.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

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
pub struct Order { pub names: Vec<String>, pub count: usize }
impl Order {
    pub async fn close(self, extra: Vec<u32>) -> String {
        Yield(false).await;
        let Order { mut names, count } = self;
        names.pop();
        drop(extra);
        Yield(false).await;
        names.swap_remove(count)
    }
}
pub async fn upper(text: String, at: usize) -> char {
    Yield(false).await;
    let text = text.to_uppercase();
    Yield(false).await;
    text.chars().nth(at).unwrap()
}
pub async fn given_away(text: String) -> usize {
    let kept = text;
    Yield(false).await;
    let len = kept.len();
    drop(kept);
    Yield(false).await;
    100 / (len - 3)
}
pub async fn drain(mut left: u32, list: &mut Vec<u32>) -> u32 {
    while left > 0 {
        Yield(false).await;
        left -= 1;
        list.pop();
    }
    100 / list.len() as u32
}
pub async fn emptied<T: Clone + Into<u64>>(mut items: Vec<T>, at: usize) -> u64 {
    Yield(false).await;
    items.clear();
    Yield(false).await;
    items[at].clone().into()
}
pub async fn unnamed(_: String, _: u8, ref text: String, n @ _: u32) -> u32 {
    Yield(false).await;
    n / (text.len() as u32 - 3)
}
pub fn boxed<'a>(list: &'a mut Vec<u32>, text: String) -> std::pin::Pin<Box<dyn std::future::Future<Output = u32> + 'a>> {
    Box::pin(async move {
        Yield(false).await;
        list.pop();
        let len = text.len();
        drop(text);
        Yield(false).await;
        list[len]
    })
}
pub fn shadowed(at: usize, list: Vec<u32>) -> impl std::future::Future<Output = u32> {
    let at = at + 2;
    async move {
        Yield(false).await;
        list[at]
    }
}
pub async fn through(list: Vec<u32>) -> u32 { shadowed(list.len(), list).await }
pub async fn again(mut words: Vec<u32>, times: u32) -> u32 {
    Yield(false).await;
    words.push(times);
    if times == 0 {
        let len = words.len();
        drop(words);
        panic!(\"of {len}\");
    }
    Box::pin(again(words, times - 1)).await
}
/// Each call but the last returns, and leaves its place to the next one.
pub async fn rounds(lists: Vec<Vec<u32>>) -> u32 {
    let mut sum = 0;
    for list in lists { sum += first(list).await; }
    sum
}
async fn first(mut list: Vec<u32>) -> u32 {
    Yield(false).await;
    list.reverse();
    let last = list.pop();
    drop(list);
    Yield(false).await;
    last.unwrap()
}
";

const PROG: &str = "\
use std::hint::black_box as given;
use std::future::Future;
use std::task::{Context, Poll, Waker};
fn block_on<F: Future>(future: F) -> F::Output {
    let mut context = Context::from_waker(Waker::noop());
    let mut future = std::pin::pin!(future);
    loop {
        if let Poll::Ready(got) = future.as_mut().poll(&mut context) { return got; }
    }
}
async fn own(mut words: Vec<String>, at: usize) -> String {
    demo::Yield(false).await;
    let word = words.swap_remove(at);
    drop(words);
    demo::Yield(false).await;
    Vec::<String>::new()[word.len()].clone()
}
fn main() {
    let mut list = vec![4, 5, 6];
    match std::env::args().nth(1).unwrap().as_str() {
        \"close\" => drop(block_on(demo::Order { names: vec![\"a\".into(), \"b\".into()], count: 1 }.close(vec![7, 8]))),
        \"upper\" => drop(block_on(demo::upper(given(\"abc\".into()), given(5)))),
        \"threads\" => {
            let mut future = Box::pin(demo::given_away(given(\"abc\".into())));
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
            let _ = std::thread::spawn(move || block_on(future)).join();
        }
        \"drain\" => drop(block_on(demo::drain(given(3), &mut list))),
        \"emptied\" => drop(block_on(demo::emptied(given(vec![1_u8, 2]), given(1)))),
        \"unnamed\" => drop(block_on(demo::unnamed(given(\"z\".into()), 7, \"abc\".into(), given(9)))),
        \"boxed\" => drop(block_on(demo::boxed(&mut list, given(\"ab\".into())))),
        \"shadowed\" => drop(block_on(demo::through(given(vec![1])))),
        \"again\" => drop(block_on(demo::again(given(vec![9]), given(2)))),
        \"rounds\" => drop(block_on(demo::rounds(given(vec![vec![1], vec![2, 3], vec![]])))),
        \"own\" => drop(block_on(own(given(vec![\"x\".into(), \"yy\".into()]), given(1)))),
        _ => {}
    }
}
";

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// For each word of the program: the function that is called in the test, and what the test says of its arguments.
const CASES: [(&str, &str, &[&str]); 11] = [
    ("close", "demo::Order::close", &["names: vec![String::from(\"a\"), String::from(\"b\")]", "vec![7, 8]"]),
    ("upper", "demo::upper", &["let text = String::from(\"abc\");", "let at = 5;"]),
    ("threads", "demo::given_away", &["let text = String::from(\"abc\");"]),
    ("drain", "demo::drain", &["let left = 3;", "vec![4, 5, 6]"]),
    ("emptied", "demo::emptied", &["Vec<u8> = vec![1, 2];", "let at = 1;"]),
    (
        "unnamed",
        "demo::unnamed",
        &["= String::from(\"z\");", "= 7;", "let text = String::from(\"abc\");", "let n = 9;"],
    ),
    ("boxed", "demo::boxed", &["vec![4, 5, 6]", "let text = String::from(\"ab\");"]),
    ("shadowed", "demo::through", &["let list = vec![1];"]),
    ("again", "demo::again", &["let times = "]),
    ("rounds", "demo::rounds", &["vec![vec![1], vec![2, 3], Vec::new()]"]),
    ("own", "prog::own", &["vec![String::from(\"x\"), String::from(\"yy\")]", "let at = 1;"]),
];

/// Makes a test of each case in one project, and names what is wrong.
fn wrong(flags: &[&str]) -> Vec<String> {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", PROG)]);
    let mut wrong = Vec::new();
    for (word, function, parts) in CASES {
        project.crash(&[&["cargo", "run", "-q"], flags, &["--", word]].concat());
        let (account, test, said) = project.generate(&["--latest"]);
        let seen = (account["status"].as_str(), account["function"].as_str(), account["trust"].as_str());
        let parts_there = parts.iter().all(|part| test.contains(part));
        if seen != (Some("verified"), Some(function), Some("entry")) || !parts_there {
            wrong.push(format!("{word}: {account:#}\n{said}\n{test}"));
        }
    }
    wrong
}

#[test]
fn arguments_that_were_moved_or_changed_since_are_those_that_the_future_was_made_with() {
    let wrong = wrong(&[]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_optimised_program_is_run_again_without_optimisation_for_them() {
    let wrong = wrong(&["--release"]);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_call_of_an_async_recursion_has_its_own_arguments() {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", PROG)]);
    project.crash(&["cargo", "run", "-q", "--", "again"]);
    for (frame, words, times) in
        [("0", "vec![9, 2, 1]", "0"), ("1", "vec![9, 2]", "1"), ("2", "vec![9]", "2")]
    {
        let (account, test, said) = project.generate(&["--frame", frame]);
        assert_eq!(
            (account["status"].as_str(), account["trust"].as_str()),
            (Some("verified"), Some("entry")),
            "{said}"
        );
        assert!(test.contains(words) && test.contains(&format!("let times = {times};")), "{test}");
    }
}

#[test]
fn a_call_at_the_place_of_one_that_has_returned_has_its_own_arguments() {
    let project = Project::package(&[("src/lib.rs", LIB), ("src/bin/prog.rs", PROG)]);
    project.crash(&["cargo", "run", "-q", "--", "rounds"]);
    let (account, test, said) = project.generate(&["--frame", "0"]);
    assert_eq!(
        (account["function"].as_str(), account["trust"].as_str()),
        (Some("demo::first"), Some("entry")),
        "{said}"
    );
    assert!(test.contains("vec![]") || test.contains("Vec::new()"), "{test}");
}
