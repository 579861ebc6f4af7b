//! A crash with values of crates of the registry, whose fields nobody may write: from the run to a test that builds
//! them by their own functions. The crates are those that relapse itself is built with.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail so, and says what it skips")]

#[path = "fixture/project.rs"]
mod project;

use std::fs;
use std::path::Path;
use std::process::Output;

use project::Project;

const MANIFEST: &str = r#"[package]
name = "booking"
version = "0.1.0"
edition = "2018"
[workspace]
[dependencies]
bitflags = "2"
chrono = { version = "0.4", default-features = false }
indexmap = "2"
words = { package = "proc-macro2", version = "1", default-features = false }
serde_json = "1"
uuid = { version = "1", default-features = false }
"#;

const LIB: &str = r#"
#![deny(warnings)]
#![allow(dead_code)]
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use indexmap::{IndexMap, IndexSet};

bitflags::bitflags! {
    #[derive(Debug)]
    struct Options: u32 { const WINDOW = 1; const QUIET = 2; }
}

#[derive(Debug)]
pub struct Booking {
    id: uuid::Uuid,
    day: NaiveDate,
    opens: Option<NaiveTime>,
    made: DateTime<Utc>,
    lasts: TimeDelta,
    seats: IndexMap<String, u8>,
    rows: IndexSet<u8>,
    options: Options,
    words: Vec<words::Ident>,
    body: words::TokenStream,
    extra: serde_json::Value,
}

/// Takes the seats in order.
pub fn take(booking: &Booking) -> usize {
    if booking.day > booking.made.date_naive() && !booking.words.is_empty() {
        panic!("cannot be taken: {:?}", booking);
    }
    booking.seats.len()
}

pub fn book(text: &str) -> usize {
    let day = NaiveDate::from_ymd_opt(2021, 3, 28).unwrap();
    let booking = Booking {
        id: uuid::Uuid::from_u128(0x0102 << 112 | 7),
        day,
        opens: NaiveTime::from_hms_milli_opt(9, 30, 0, 250),
        made: day.and_hms_opt(23, 59, 58).unwrap().and_utc() - TimeDelta::days(2),
        lasts: TimeDelta::milliseconds(-1500),
        seats: text.split(' ').map(|word| (word.to_owned(), word.len() as u8)).collect(),
        rows: text.bytes().take(3).collect(),
        options: Options::WINDOW | Options::QUIET,
        words: vec![words::Ident::new(text.split(' ').next().unwrap(), words::Span::call_site())],
        body: "f(1)".parse().unwrap(),
        extra: serde_json::json!({ "a": [1, -2, 2.5, null] }),
    };
    take(&booking)
}
"#;

fn run(project: &Project, program: &str, words: &[&str]) -> Output {
    project.command_of(program, words).env("CARGO_NET_OFFLINE", "true").output().unwrap()
}

#[test]
fn values_of_other_crates_are_built_by_their_own_functions() {
    let main = "fn main() { booking::book(\"ab cde\"); }";
    let project = Project::package(&[("src/lib.rs", LIB), ("src/main.rs", main)]);
    project.write("Cargo.toml", MANIFEST);
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    let _ = fs::copy(lock, project.path().join("Cargo.lock"));
    // The crates are at hand wherever this was built from the registry; vendored sources do not serve others.
    if !run(&project, "cargo", &["metadata", "-q", "--format-version=1"]).status.success() {
        println!("skipped: the crates are not to be had offline");
        return;
    }
    let relapse = env!("CARGO_BIN_EXE_cargo-relapse");
    let ran = run(&project, relapse, &["run", "--", "cargo", "run", "-q"]);
    let crashed = String::from_utf8_lossy(&ran.stderr).into_owned();
    let output = run(&project, relapse, &["gen", "--json", "--frame", "0"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap_or("null")).unwrap();
    assert_eq!(
        (&line["status"], &line["function"]),
        (&"verified".into(), &"booking::take".into()),
        "{crashed}{line:#}"
    );
    let test = fs::read_to_string(project.path().join(line["file"].as_str().unwrap())).unwrap();
    let plain = test.split_whitespace().collect::<String>().replace(",)", ")").replace(",]", "]");
    for part in [
        "id:uuid::Uuid::from_u128(0x0102_0000_0000_0000_0000_0000_0000_0007)",
        "day:NaiveDate::from_ymd_opt(2021,3,28).unwrap()",
        "opens:Some(NaiveTime::from_hms_milli_opt(9,30,0,250).unwrap())",
        "made:NaiveDate::from_ymd_opt(2021,3,26).unwrap().and_hms_opt(23,59,58).unwrap().and_utc()",
        "lasts:TimeDelta::milliseconds(-1500)",
        "seats:IndexMap::from([(String::from(\"ab\"),2),(String::from(\"cde\"),3)])",
        "rows:IndexSet::from([97,98,32])",
        "options:Options::WINDOW|Options::QUIET",
        "words:vec![words::Ident::new(\"ab\",words::Span::call_site())]",
        "body:\"f(1)\".parse::<words::TokenStream>().unwrap()",
        "(String::from(\"a\"),serde_json::Value::Array(vec![",
        "serde_json::Number::from(-2i64)",
        "serde_json::Number::from_f64(2.5).unwrap()",
    ] {
        assert!(plain.contains(part), "{part}\n{test}");
    }
    // The values are those of the crash: the test prints the same.
    let words: Vec<&str> =
        line["cargo_args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let name = line["test"].as_str().unwrap();
    let words = [&["test", "-q"], &words[..], &[name, "--", "--exact"]].concat();
    let output = run(&project, "cargo", &words);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let message = |text: &str| {
        let from = text.find("cannot be taken: ").unwrap_or_else(|| panic!("{text}"));
        text[from..].lines().next().unwrap().to_owned()
    };
    assert_eq!(message(&printed), message(&crashed));
}
