//! Arguments as they were given: a second run under the tracer reads them as the functions of a crash are entered.

use std::time::{Duration, Instant};

use relapse_capture::entries::{WatchedFunction, WatchedStack};
use relapse_capture::roots::Roots;
use relapse_capture::tracer::{Depth, Settings, trace};
use relapse_snapshot::{Data, Frame, Snapshot, Trust, Value};

use crate::fixture::{Marked, Told, follow, program};

const SOURCE: &str = r#"
use std::future::Future;
use std::io::Read;
use std::pin::Pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};

pub struct Stock { pub items: Vec<u32>, pub name: String }
impl Stock {
    #[inline(never)]
    pub fn sell(mut self, order: Vec<u32>, price: f64) -> u32 {
        self.name.clear();
        self.items.truncate(order.len() - 1);
        drop(order);
        let Stock { items, .. } = self;
        if price > 2.0 { take(items, 9) } else { 0 }
    }
}
#[inline(never)]
pub fn take(items: Vec<u32>, at: usize) -> u32 { let moved = items; moved[at] }

// More than a page of locals: compilers touch each page of them before the arguments are stored.
#[inline(never)]
pub fn hall(mut seats: Vec<u32>, at: usize) -> u32 {
    let mut plan = [at; 5000];
    seats.clear();
    sit(seats, std::hint::black_box(&mut plan)[4999])
}
#[inline(never)]
pub fn sit(seats: Vec<u32>, at: usize) -> u32 { seats[at] }

#[inline(never)]
pub fn read<I: Iterator<Item = u32>>(mut numbers: I, text: &mut &[u8]) -> u32 {
    let mut whole = String::new();
    text.read_to_string(&mut whole).unwrap();
    let mut sum = 0;
    while let Some(n) = numbers.next() { sum += n; }
    [sum][whole.len()]
}

#[inline(never)]
pub fn down(depth: u32, left: &mut Vec<u32>) -> u32 {
    left.pop();
    if depth == 0 { return left[7]; }
    down(depth - 1, left) + 1
}

#[inline(never)]
pub fn step(count: &mut u64, end: u64) { *count += 1; assert!(*count < end, "the end"); }
#[inline(never)]
pub fn run(mut count: u64, end: u64) { loop { step(&mut count, end); } }

#[inline(never)]
pub fn round(bad: bool, rest: &mut Vec<u64>) {
    for n in 0..4000 { one(n, bad, rest); }
}
#[inline(never)]
pub fn one(n: u64, bad: bool, rest: &mut Vec<u64>) {
    rest.clear();
    if bad && n == 2 { rest[n as usize]; }
    rest.push(n);
}

#[inline(never)]
pub fn deep(mut left: u32, bad: bool) -> u32 {
    if left == 0 { assert!(!bad); return 0; }
    let below = deep(left - 1, bad);
    left += 1000;
    below + left
}

#[inline(never)]
pub fn wait(mut own: String, barrier: &Barrier, fails: bool) {
    barrier.wait();
    own.push('!');
    barrier.wait();
    if fails { own.clear(); panic!("of {}", own.len()); }
}

pub struct Once(bool);
impl Future for Once {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0 { return Poll::Ready(()); }
        self.0 = true;
        Poll::Pending
    }
}
pub async fn pass(mut list: Vec<u64>, _: String, _: u8, end: u64) -> u64 {
    Once(false).await;
    let n = list.pop().unwrap();
    drop(list);
    Once(false).await;
    assert!(n < end, "the end");
    n
}
pub async fn passes(lists: Vec<u64>, end: u64) -> u64 {
    let mut sum = 0;
    for n in lists { sum += pass(vec![n], "x".into(), 3, end).await; }
    sum
}
pub async fn idle(mut list: Vec<u64>, times: u64) -> u64 {
    for _ in 0..times { Once(false).await; }
    let last = list.pop().unwrap();
    close(vec![last])
}
#[inline(never)]
pub fn close(mut list: Vec<u64>) -> u64 {
    list.clear();
    list[0]
}
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(got) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) { return got; }
    }
}

fn main() {
    let n = std::env::args().count() as u32;
    match std::env::args().nth(1).unwrap().as_str() {
        "sell" => { Stock { items: vec![1, 2, 3], name: "pears".into() }.sell(vec![n, 7], 2.5); }
        "hall" => { hall(vec![n, 7], 3); }
        "read" => { read(vec![4, 5, n].into_iter(), &mut &b"abc"[..]); }
        "down" => { down(3, &mut vec![1, 2, 3, 4, 5]); }
        "run" => { run(0, 100_000); }
        "round" => { for bad in [false, false, true] { round(bad, &mut vec![9]); } }
        "deep" => { deep(4000, true); }
        "deep twice" => { for (n, bad) in [(4000, false), (5, true)] { deep(n, bad); } }
        "passes" => { finish(passes((0..6).collect(), 5)); }
        "idle" => { finish(idle(vec![7], 5000)); }
        "hot passes" => { finish(passes((0..900).collect(), 899)); }
        "wait" => {
            let barrier = Arc::new(Barrier::new(2));
            let other = Arc::clone(&barrier);
            let quiet = std::thread::spawn(move || wait("quiet".into(), &other, false));
            let loud = std::thread::spawn(move || wait("loud".into(), &barrier, true));
            let _ = (quiet.join(), loud.join());
        }
        _ => {}
    }
}
"#;

/// The first crash of a plain run, and of a second one with entry values; with the notes of the second.
fn twice(word: &str, options: &[&str]) -> (Snapshot, Snapshot, Vec<String>) {
    let (command, mark) = Marked::command(&[word], &program(SOURCE, options));
    let mut told = Told::default();
    follow(&command, &mut told).unwrap();
    let first = told.crashes.remove(0).snapshot;
    let own =
        |frame: &&Frame| frame.location.as_ref().is_some_and(|at| at.file.starts_with('p')) && !frame.inlined;
    let mut functions: Vec<WatchedFunction> = Vec::new();
    for frame in first.frames().iter().filter(own) {
        let (function, declared) = (frame.function.clone(), frame.declared.clone());
        let watched = WatchedFunction {
            function,
            declared,
            is_async: frame.is_async,
            makes: false,
            kept: false,
            gives: false,
        };
        if !functions.contains(&watched) {
            functions.push(watched);
        }
    }
    assert!(functions.len() > 1, "{functions:?}");
    let mut settings = Settings::new(Roots::default(), Depth::FULL);
    settings.watch = Some(WatchedStack { functions, seconds: 60, patient: false });
    let mut told = Told::default();
    std::thread::scope(|scope| scope.spawn(|| trace(&command, &settings, &mut told)).join().unwrap())
        .unwrap();
    assert_eq!(mark.left(), Vec::<String>::new(), "processes were left");
    (first, told.crashes.remove(0).snapshot, told.notes)
}

/// The arguments of the innermost function of that name, in words.
fn given(snapshot: &Snapshot, name: &str) -> Vec<String> {
    let named = |frame: &&Frame| frame.name.split('<').next() == Some(name);
    let frame = snapshot.frames().iter().find(named).unwrap();
    frame.arguments.iter().map(|argument| words(&argument.value)).collect()
}

fn words(value: &Value) -> String {
    let all = |values: Vec<&Value>| values.into_iter().map(words).collect::<Vec<_>>().join(" ");
    match &value.data {
        Data::Missing(reason) => format!("<{reason}>"),
        Data::Bool(b) => b.to_string(),
        Data::Int(n) => n.to_string(),
        Data::Uint(n) => n.to_string(),
        Data::Float(bits) => f64::from_bits(*bits).to_string(),
        Data::Text { text, .. } => format!("{text:?}"),
        Data::Bytes { bytes, .. } => format!("{:?}", String::from_utf8_lossy(bytes)),
        _ => all(value.children()),
    }
}

fn trusts(snapshot: &Snapshot, name: &str) -> Vec<Trust> {
    let named = |frame: &&Frame| frame.name.split('<').next() == Some(name);
    let frame = snapshot.frames().iter().find(named).unwrap();
    frame.arguments.iter().map(|argument| argument.value.worst_trust()).collect()
}

#[test]
fn owned_arguments_are_those_that_were_given_though_they_were_changed_and_moved() {
    for options in [&[][..], &["-O"]] {
        let (_, second, _) = twice("sell", options);
        assert_eq!(given(&second, "sell"), ["1 2 3 \"pears\"", "2 7", "2.5"], "{options:?}");
        assert_eq!(given(&second, "take")[1], "9", "{options:?}");
        assert_eq!(trusts(&second, "sell"), [Trust::Entry; 3], "{options:?}");
    }
    let (first, second, _) = twice("sell", &[]);
    assert_ne!(given(&first, "sell"), given(&second, "sell"));
    assert_eq!(given(&second, "take"), ["1", "9"]);
}

#[test]
fn arguments_are_given_alike_where_debug_info_is_split_off() {
    for split in ["-Csplit-debuginfo=packed", "-Csplit-debuginfo=unpacked"] {
        for options in [&[split, "-Cdwarf-version=4"][..], &[split, "-Cdwarf-version=5", "-O"]] {
            let (_, second, _) = twice("sell", options);
            assert_eq!(given(&second, "sell"), ["1 2 3 \"pears\"", "2 7", "2.5"], "{options:?}");
            assert_eq!(trusts(&second, "sell"), [Trust::Entry; 3], "{options:?}");
        }
    }
}

#[test]
fn arguments_of_a_function_with_a_frame_of_many_pages_are_those_that_were_given() {
    let (_, second, _) = twice("hall", &[]);
    assert_eq!(given(&second, "hall"), ["2 7", "3"]);
    assert_eq!(trusts(&second, "hall"), [Trust::Entry; 2]);
}

#[test]
fn iterator_and_reader_are_as_they_were_before_anything_was_taken() {
    let (first, second, _) = twice("read", &[]);
    assert_eq!(given(&second, "read")[1], "\"abc\"");
    assert_eq!(given(&first, "read")[1], "\"\"");
    assert_ne!(given(&first, "read")[0], given(&second, "read")[0]);
    assert!(!given(&second, "read")[0].contains('<'), "{:?}", given(&second, "read"));
}

#[test]
fn each_call_of_a_recursion_has_its_own_arguments() {
    let (_, second, _) = twice("down", &[]);
    let calls: Vec<Vec<String>> = second
        .frames()
        .iter()
        .filter(|frame| frame.name == "down")
        .map(|frame| frame.arguments.iter().map(|argument| words(&argument.value)).collect())
        .collect();
    assert_eq!(calls, [["0", "1 2"], ["1", "1 2 3"], ["2", "1 2 3 4"], ["3", "1 2 3 4 5"]]);
}

#[test]
fn hot_function_is_left_alone_and_its_old_arguments_are_not_taken_for_new_ones() {
    let start = Instant::now();
    let (_, second, notes) = twice("run", &[]);
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(given(&second, "run"), ["0", "100000"]);
    // Read at the crash: nobody was there when it was entered for the last time.
    assert_eq!(given(&second, "step"), ["100000", "100000"]);
    assert!(!trusts(&second, "step").contains(&Trust::Entry));
    assert!(notes.iter().any(|note| note.contains("too often") && note.contains("step")), "{notes:?}");
}

#[test]
fn hot_function_is_read_again_once_its_caller_is_entered_anew() {
    let (first, second, notes) = twice("round", &[]);
    assert_eq!(given(&first, "one"), ["2", "true", ""]);
    assert_eq!(given(&second, "one"), ["2", "true", "1"]);
    assert_eq!(given(&second, "round"), ["true", "9"]);
    assert!(notes.iter().any(|note| note.contains("too often")), "{notes:?}");
}

#[test]
fn outermost_calls_of_a_deep_recursion_keep_their_arguments() {
    let (_, second, _) = twice("deep", &[]);
    let calls: Vec<&Frame> = second.frames().iter().filter(|frame| frame.name == "deep").collect();
    let outermost = calls.last().unwrap();
    assert_eq!(words(&outermost.arguments[0].value), "4000");
    assert_eq!(outermost.trust(), Trust::Entry);
    assert_eq!(calls[0].trust(), Trust::AtCrash);
}

#[test]
fn arguments_of_calls_that_have_returned_are_not_given_to_later_ones() {
    let (_, second, _) = twice("deep twice", &[]);
    let calls: Vec<&Frame> = second.frames().iter().filter(|frame| frame.name == "deep").collect();
    let left: Vec<String> = calls.iter().map(|frame| words(&frame.arguments[0].value)).collect();
    assert_eq!(left, ["0", "1", "2", "3", "4", "5"]);
}

#[test]
fn threads_in_one_function_keep_their_arguments_apart() {
    for _ in 0..3 {
        let (_, second, _) = twice("wait", &[]);
        let given = given(&second, "wait");
        assert_eq!((given[0].as_str(), given[2].as_str()), ("\"loud\"", "true"));
        assert_eq!(second.cause.message, "of 0");
    }
}

#[test]
fn arguments_of_an_async_function_are_those_of_its_first_poll() {
    for options in [&[][..], &["-Csymbol-mangling-version=v0"], &["-Cforce-frame-pointers=yes"]] {
        let (first, second, _) = twice("passes", options);
        assert_ne!(given(&first, "pass"), given(&second, "pass"));
        assert_eq!(given(&second, "pass"), ["5", "\"x\"", "3", "5"], "{options:?}");
        assert_eq!(given(&second, "passes"), ["0 1 2 3 4 5", "5"], "{options:?}");
        assert_eq!(trusts(&second, "pass"), [Trust::Entry; 4], "{options:?}");
    }
}

#[test]
fn hot_async_function_is_left_alone_and_its_old_arguments_are_not_taken_for_new_ones() {
    let (_, second, notes) = twice("hot passes", &[]);
    assert_eq!(given(&second, "pass")[3], "899");
    assert!(!trusts(&second, "pass").contains(&Trust::Entry));
    assert_eq!(trusts(&second, "passes"), [Trust::Entry; 2]);
    assert!(notes.iter().any(|note| note.contains("too often") && note.contains("pass")), "{notes:?}");
}

#[test]
fn future_that_is_polled_for_long_takes_no_stop_from_other_functions() {
    let (_, second, notes) = twice("idle", &[]);
    assert!(!trusts(&second, "idle").contains(&Trust::Entry));
    assert_eq!(
        (given(&second, "close"), trusts(&second, "close")),
        (vec!["7".to_owned()], vec![Trust::Entry])
    );
    assert!(notes.iter().any(|note| note.contains("too often") && note.contains("idle")), "{notes:?}");
}
