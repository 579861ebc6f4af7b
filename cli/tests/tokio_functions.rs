//! Crashes in async functions of a tokio program: from the run to a `#[tokio::test]`, and that one's whole life. tokio
//! is a dev-dependency of this package, so it is at hand wherever these tests are built from the registry.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail so, and says what it skips")]

use std::fs;
use std::path::Path;

use serde_json::Value;

const MANIFEST: &str = "\
[package]
name = \"demo\"
version = \"0.1.0\"
default-run = \"prog\"
edition = \"2021\"
[workspace]
[dependencies]
tokio = { version = \"1\", features = [\"macros\", \"rt\", \"rt-multi-thread\", \"sync\", \"time\"] }
";

const LIB: &str = r#"
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

pub mod parse {
    pub async fn field(line: String, at: usize) -> u32 {
        tokio::task::yield_now().await;
        let parts: Vec<&str> = line.split(',').collect();
        super::convert::number(parts[at].to_owned()).await
    }
}
pub mod convert {
    pub async fn number(text: String) -> u32 {
        tokio::task::yield_now().await;
        let trimmed = text.into_boxed_str();
        trimmed.trim().parse().unwrap()
    }
}
pub async fn total(lines: &[String], at: usize) -> u32 {
    let mut sum = 0;
    for line in lines { sum += parse::field(line.clone(), at).await; }
    sum
}
async fn pending(ms: u64) -> u32 { sleep(Duration::from_millis(ms)).await; 1 }
pub async fn race(limit: usize, items: Vec<u8>) -> u32 {
    tokio::select! {
        got = pending(60_000) => got,
        got = pick(items, limit) => got,
    }
}
async fn pick(items: Vec<u8>, at: usize) -> u32 {
    sleep(Duration::from_millis(5)).await;
    let items = items.into_iter().rev().collect::<Vec<_>>();
    items[at] as u32
}
pub async fn joined(a: Vec<u8>, b: Vec<u8>) -> u32 {
    let (x, y) = tokio::join!(pick(a, 0), pick(b, 2));
    x + y
}
pub async fn spawned(job: String) -> usize {
    tokio::spawn(async move { work(job).await }).await.unwrap_or(0)
}
async fn work(job: String) -> usize {
    tokio::task::yield_now().await;
    let n = job.len();
    drop(job);
    tokio::task::yield_now().await;
    100 / (n - 3)
}
pub async fn blocking(text: String) -> u64 {
    let start = text.len() - 4;
    tokio::task::spawn_blocking(move || checksum(text, start)).await.unwrap_or(0)
}
fn checksum(text: String, start: usize) -> u64 {
    text.into_bytes()[start..].iter().fold(7, |sum, byte| sum + *byte as u64) / (start as u64 - 1)
}
pub trait Store { fn get(&self, key: String) -> impl Future<Output = u32> + Send; }
pub struct Memory { pub items: Vec<(String, u32)> }
impl Store for Memory {
    async fn get(&self, key: String) -> u32 {
        sleep(Duration::from_millis(2)).await;
        let key = String::from_utf8(key.into_bytes()).unwrap();
        self.items.iter().find(|(name, _)| *name == key).unwrap().1
    }
}
pub trait Load { fn load<'a>(&'a self, key: &'a str, at: usize) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>>; }
impl Load for Memory {
    fn load<'a>(&'a self, key: &'a str, at: usize) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>> {
        Box::pin(async move {
            sleep(Duration::from_millis(1)).await;
            let found = self.items.iter().find(|(name, _)| name == key).map_or("", |(name, _)| name);
            found.as_bytes()[at]
        })
    }
}
pub async fn through(store: &Memory, key: &str, at: usize) -> u8 {
    let store: &dyn Load = store;
    store.load(key, at).await
}
pub async fn channel(count: usize) -> u32 {
    let (sender, mut receiver) = mpsc::channel(4);
    tokio::spawn(async move { for n in 0..count { if sender.send(n as u32).await.is_err() { break; } } });
    let mut all = Vec::new();
    while let Some(n) = receiver.recv().await { all.push(n); }
    mean(all, 3).await
}
pub async fn mean(mut all: Vec<u32>, needs: usize) -> u32 {
    sleep(Duration::from_millis(3)).await;
    let last = all.split_off(needs);
    last.iter().sum::<u32>() / (last.len() as u32 - 1)
}
pub async fn block(values: Vec<u32>, by: u32) -> u32 {
    let scaled = async {
        tokio::task::yield_now().await;
        values.iter().map(|v| v / by).sum::<u32>()
    };
    scaled.await
}
pub async fn closure(values: Vec<u32>, by: u32) -> u32 {
    let scale = async move |n: u32| { tokio::task::yield_now().await; n / by };
    let mut sum = 0;
    for v in values { sum += scale(v).await; }
    sum
}
pub struct Session { pub user: String, pub left: usize }
impl Session {
    pub async fn rename(&mut self, name: String) -> usize {
        sleep(Duration::from_millis(1)).await;
        self.left -= 1;
        self.user = name.trim().to_owned();
        drop(name);
        tokio::task::yield_now().await;
        assert!(!self.user.is_empty(), "no name");
        self.user.len()
    }
    pub async fn close(self, notes: Vec<String>) -> String {
        let Session { user, left } = self;
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(async move { let _ = sender.send(notes); });
        let notes = receiver.await.unwrap();
        drop(user);
        notes[left].clone()
    }
}
"#;

/// Each bug of the library, and what mends it.
const REPAIRS: [(&str, &str); 12] = [
    ("trimmed.trim().parse().unwrap()", "trimmed.trim().parse().unwrap_or(0)"),
    ("items[at] as u32", "items.get(at).copied().unwrap_or(0) as u32"),
    ("100 / (n - 3)", "100 / n"),
    ("/ (start as u64 - 1)", "/ (start as u64 + 1)"),
    (
        ".find(|(name, _)| *name == key).unwrap().1",
        ".find(|(name, _)| *name == key).map_or(0, |found| found.1)",
    ),
    ("found.as_bytes()[at]", "found.as_bytes().get(at).copied().unwrap_or(0)"),
    ("(last.len() as u32 - 1)", "last.len() as u32"),
    ("v / by", "v.checked_div(by).unwrap_or(0)"),
    ("n / by", "n.checked_div(by).unwrap_or(0)"),
    ("assert!(!self.user.is_empty(), \"no name\");", ""),
    ("notes[left].clone()", "notes.get(left).cloned().unwrap_or_default()"),
    ("parts[at].to_owned()", "parts.get(at).copied().unwrap_or_default().to_owned()"),
];

const PROG: &str = r#"
use demo::*;
use std::hint::black_box as given;
fn words(all: &[&str]) -> Vec<String> { all.iter().map(|w| w.to_string()).collect() }
fn memory() -> Memory { Memory { items: vec![("a".into(), 1), ("b".into(), 2)] } }
fn session() -> Session { Session { user: "u".into(), left: 2 } }
#[tokio::main]
async fn main() {
    match std::env::args().nth(1).unwrap().as_str() {
        "total" => println!("{}", total(&words(&["1,2", "3,x"]), given(1)).await),
        "race" => println!("{}", race(given(3), vec![1, 2, 3]).await),
        "join" => println!("{}", joined(vec![1, 2], vec![3]).await),
        "spawn" => println!("{}", spawned(given("abc".into())).await),
        "blocking" => println!("{}", blocking(given("abcde".into())).await),
        "trait" => println!("{}", memory().get(given("c".into())).await),
        "dyn" => println!("{}", through(&memory(), given("a"), 4).await),
        "channel" => println!("{}", channel(given(4)).await),
        "block" => println!("{}", block(vec![1, 2], given(0)).await),
        "closure" => println!("{}", closure(vec![1, 2], given(0)).await),
        "rename" => println!("{}", session().rename(given("  ".into())).await),
        "close" => println!("{}", session().close(words(&["x", "y"])).await),
        _ => {}
    }
}
"#;

const PLAIN: &str = "\
#[tokio::main]
async fn main() {
    let list = vec![1_u8, 2];
    tokio::task::yield_now().await;
    println!(\"{}\", list[std::hint::black_box(4)]);
}
";

/// Functions that panic for another reason where no runtime is around them.
const WITHIN: &str = r#"
use std::time::Duration;

pub fn armed(ms: u64, at: usize) -> u32 {
    let _timer = tokio::time::interval(Duration::from_millis(ms));
    [1, 2][at]
}
pub fn timed(ms: u64, at: usize) -> u32 {
    let _timer = tokio::time::interval(Duration::from_millis(ms));
    [3, 4][at]
}
pub fn moved(parts: usize) -> usize {
    tokio::task::block_in_place(|| 10 / parts)
}
pub fn nearby(at: usize) -> u8 {
    tokio::task::spawn_local(async {});
    [7, 8][at]
}
pub fn asked(count: u32) -> u32 {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => 10 / count,
        Err(_) => 0,
    }
}
pub fn waited(at: usize) -> u8 {
    tokio::runtime::Handle::current().block_on(async { [7, 8][at] })
}
pub fn ended(ms: u64) {
    let _timer = tokio::time::sleep(Duration::from_millis(ms));
    if ms > 5 { std::process::abort(); }
}
"#;

const WITHIN_PROG: &str = r#"
use demo::*;
use std::hint::black_box as given;

#[tokio::main]
async fn main() {
    let set = tokio::task::LocalSet::new();
    match std::env::args().nth(1).unwrap().as_str() {
        "armed" => println!("{}", armed(given(20), given(2))),
        "moved" => println!("{}", moved(given(0))),
        "nearby" => println!("{}", set.run_until(async { nearby(given(3)) }).await),
        "asked" => println!("{}", asked(given(0))),
        "waited" => println!("{:?}", tokio::task::spawn_blocking(|| waited(given(4))).await),
        "local" => println!("{}", set.run_until(async { timed(given(20), given(2)) }).await),
        "ended" => ended(given(9)),
        _ => {}
    }
}
"#;

#[path = "fixture/project.rs"]
mod project;

use project::Project;

/// For each word of the program: the function that is called in the test, whether what it was given is known by a second
/// run, and parts of the test.
type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: [Case; 12] = [
    ("total", "demo::convert::number", "entry", &["String::from(\"x\")", "number(text).await;"]),
    ("race", "demo::race", "entry", &["let limit = 3;", "vec![1, 2, 3]", "race(limit, items).await;"]),
    ("join", "demo::joined", "entry", &["let a = vec![1, 2];", "let b = vec![3];"]),
    ("spawn", "demo::work", "entry", &["let job = String::from(\"abc\");", "work(job).await;"]),
    ("blocking", "demo::checksum", "entry", &["String::from(\"abcde\")", "let start = 1;"]),
    (
        "trait",
        "<demo::Memory as demo::Store>::get",
        "entry",
        &["String::from(\"c\")", "memory.get(key).await;"],
    ),
    (
        "dyn",
        "<demo::Memory as demo::Load>::load",
        "at-crash",
        &["memory.load(key, at).await;", "let at = 4;"],
    ),
    ("channel", "demo::mean", "entry", &["let all = vec![0, 1, 2, 3];", "let needs = 3;"]),
    ("block", "demo::block", "entry", &["let values = vec![1, 2];", "let by = 0;"]),
    ("closure", "demo::closure", "entry", &["let values = vec![1, 2];", "let by = 0;"]),
    ("rename", "demo::Session::rename", "entry", &["left: 2", "String::from(\"  \")"]),
    (
        "close",
        "demo::Session::close",
        "entry",
        &["user: String::from(\"u\")", "left: 2", "String::from(\"y\")"],
    ),
];

/// The program in a folder; `None`, and said, where tokio is not to be had offline.
fn program() -> Option<Project> {
    package(LIB, PROG)
}

fn package(library: &str, program: &str) -> Option<Project> {
    let project = Project::package(&[
        ("src/lib.rs", library),
        ("src/bin/prog.rs", program),
        ("src/bin/plain.rs", PLAIN),
        ("Cargo.toml", MANIFEST),
    ]);
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let _ = fs::copy(lock, project.path().join("Cargo.lock"));
    let mut resolve = project.command_of("cargo", &["metadata", "-q", "--format-version=1", "--offline"]);
    if !resolve.output().unwrap().status.success() {
        println!("skipped: tokio is not to be had offline");
        return None;
    }
    // For all commands, and those that they start.
    project.write(".cargo/config.toml", "[net]\noffline = true\n");
    Some(project)
}

/// Makes the test of one crash; what is wrong with it, in words.
fn wrong(project: &Project, flags: &[&str], (word, function, trust, parts): Case) -> Option<String> {
    project.crash(&[&["cargo", "run", "-q"], flags, &["--", word]].concat());
    let (account, test, said) = project.generate(&["--latest"]);
    let seen = (account["status"].as_str(), account["function"].as_str(), account["trust"].as_str());
    // `checksum` is no async function.
    let runtime = word == "blocking" || test.contains("#[tokio::test]\nasync fn ");
    let right = seen == (Some("verified"), Some(function), Some(trust));
    (!right || !runtime || !parts.iter().all(|part| test.contains(part)))
        .then(|| format!("{word}: {account:#}\n{said}\n{test}"))
}

/// The verdicts of `replay`, as many as there are tests.
fn verdicts(project: &Project) -> Vec<String> {
    let output = project.command(&["replay", "--json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter().filter_map(|line| line["verdict"].as_str().map(str::to_owned)).collect()
}

#[test]
fn crashes_of_a_tokio_program_become_tests_that_live_as_all_others() {
    let Some(project) = program() else { return };
    let wrong: Vec<String> = CASES.iter().filter_map(|case| wrong(&project, &[], *case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Plain cargo fails by the panics that were recorded.
    let plain = project.command_of("cargo", &["test", "-q", "--lib"]).output().unwrap();
    let printed = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(!plain.status.success() && printed.contains("0 passed; 12 failed"), "{printed}");
    for message in ["ParseIntError { kind: InvalidDigit }", "the len is 1 but the index is 4", "no name"] {
        assert!(printed.contains(message), "{message}: {printed}");
    }
    assert_eq!(verdicts(&project), ["open"; 12]);

    let folder = project.path();
    let mut source = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
    for (bug, repair) in REPAIRS {
        assert_eq!(source.matches(bug).count(), 1, "{bug}");
        source = source.replace(bug, repair);
    }
    project.write("src/lib.rs", &source);
    assert_eq!(verdicts(&project), ["fixed"; 12]);
    assert!(project.command_of("cargo", &["test", "-q", "--lib"]).output().unwrap().status.success());

    let reviewed = project.command(&["review", "--accept", "--json"]).output().unwrap();
    if reviewed.status.code() == Some(69) {
        println!("skipped: insta is not to be had offline: {reviewed:?}");
    } else {
        let lines = String::from_utf8(reviewed.stdout.clone()).unwrap();
        assert_eq!(lines.matches("\"accepted\":true").count(), 12, "{reviewed:?}");
        assert!(project.command_of("cargo", &["test", "-q", "--lib"]).output().unwrap().status.success());
        assert_eq!(verdicts(&project), ["fixed"; 12]);
    }

    let synced = project.command(&["sync"]).output().unwrap();
    assert!(synced.status.success(), "{synced:?}");
    assert_eq!(fs::read_to_string(folder.join("src/lib.rs")).unwrap(), source);
}

#[test]
fn crashes_of_an_optimised_tokio_program_become_tests() {
    let Some(project) = program() else { return };
    let chosen = CASES.iter().filter(|(word, ..)| ["total", "spawn", "close"].contains(word));
    let wrong: Vec<String> = chosen.filter_map(|case| wrong(&project, &["--release"], *case)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A macro makes a plain function of it.
    project.crash(&["cargo", "run", "-q", "--release", "--bin", "plain"]);
    let (account, test, said) = project.generate(&["--latest"]);
    assert_eq!(
        (account["status"].as_str(), account["function"].as_str()),
        (Some("verified"), Some("plain::main")),
        "{said}"
    );
    assert!(test.contains("#[test]\nfn ") && test.contains("    main();"), "{test}");
    assert_eq!(verdicts(&project), ["open"; 4]);
}

#[test]
fn what_asks_for_the_runtime_is_called_within_one() {
    let Some(project) = package(WITHIN, WITHIN_PROG) else { return };
    let cases: [(&str, &str, &[&str]); 7] = [
        (
            "armed",
            "demo::armed",
            &["#[tokio::test(flavor = \"multi_thread\")]\nasync fn ", "    armed(ms, at);\n"],
        ),
        // It does without.
        ("moved", "demo::moved", &["#[test]\nfn ", "    moved(parts);\n"]),
        (
            "asked",
            "demo::asked",
            &["async fn ", "// it runs within tokio's runtime, as the crashed program ran it\n"],
        ),
        (
            "waited",
            "demo::waited",
            &["#[test]\nfn ", "    let _context = runtime.enter();\n", "    waited(at);\n"],
        ),
        ("local", "demo::timed", &["async fn ", "    timed(ms, at);\n"]),
        ("nearby", "demo::nearby", &["tokio::task::LocalSet::new()", ".run_until(async { nearby(at) })"]),
        (
            "ended",
            "demo::ended",
            &[
                "new_multi_thread()",
                "let _context = runtime.enter();",
                "runtime.block_on(async { ended(ms) });",
            ],
        ),
    ];
    for (word, function, parts) in cases {
        project.crash(&["cargo", "run", "-q", "--", word]);
        let (account, test, said) = project.generate(&["--latest"]);
        let seen = (account["status"].as_str(), account["function"].as_str());
        assert_eq!(seen, (Some("verified"), Some(function)), "{account:#}\n{said}");
        assert!(parts.iter().all(|part| test.contains(part)), "{word}: {test}");
    }
    assert_eq!(verdicts(&project), ["open"; 7]);
}
