//! `cargo relapse run` in a pipeline: what comes through the pipe reaches the program as it would without us, and
//! what the program leaves is there for whoever reads next.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Runs a shell script in which `$RUN` stands for `cargo relapse run --`.
fn script(text: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let run = format!("{} run --", env!("CARGO_BIN_EXE_cargo-relapse"));
    let mut shell = Command::new("bash");
    shell.args(["-c", text]).env("RUN", run).env("PIPED_INPUT_TEST", folder.path());
    let output = shell.current_dir(folder.path()).stdin(Stdio::null()).output().unwrap();
    let mark = format!("PIPED_INPUT_TEST={}", folder.path().display());
    let left = std::fs::read_dir("/proc").unwrap().flatten().filter(|process| {
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|line| line == mark.as_bytes())
    });
    assert_eq!(left.map(|process| process.path()).collect::<Vec<_>>(), Vec::<std::path::PathBuf>::new());
    output
}

/// What a script with us in it prints must be what it prints without us.
fn same_as_without_us(text: &str) {
    let (with, without) = (script(text), script(&format!("RUN=; {text}")));
    assert_eq!(
        String::from_utf8_lossy(&with.stdout),
        String::from_utf8_lossy(&without.stdout),
        "{text}: {}",
        String::from_utf8_lossy(&with.stderr)
    );
    assert_eq!(with.status, without.status, "{text}");
}

#[test]
fn what_a_program_does_not_read_is_left_for_the_next_one() {
    same_as_without_us("printf 'a\\nb\\nc\\n' | { $RUN sh -c 'read x; echo got $x'; echo rest; cat; }");
    same_as_without_us("printf 'a\\nb\\nc\\n' | while read line; do $RUN true; echo $line; done");
    same_as_without_us("seq 100000 | { sleep 0.1; $RUN sh -c 'read x; read y; echo $x $y'; sha1sum; }");
}

#[test]
fn whole_input_reaches_the_program_however_long() {
    for megabytes in [1, 20] {
        same_as_without_us(&format!("head -c {megabytes}M /dev/urandom > data; cat data | $RUN cmp - data"));
    }
    same_as_without_us("(echo a; sleep 0.05; echo b; sleep 0.05; printf c) | $RUN cat");
    same_as_without_us("true | $RUN cat");
}

#[test]
fn one_read_gets_what_one_write_gave() {
    let once = "dd bs=60000 count=1 status=none";
    same_as_without_us(&format!("({once} if=/dev/zero; sleep 0.2) | {{ sleep 0.1; $RUN {once} | wc -c; }}"));
}

#[test]
fn program_that_ends_or_closes_its_input_holds_nobody_up() {
    let start = Instant::now();
    same_as_without_us("yes | $RUN head -n 1; echo ${PIPESTATUS[0]}");
    same_as_without_us("sleep 0.2 | $RUN true");
    same_as_without_us("yes | $RUN sh -c 'exec <&-; echo closed'");
    assert!(start.elapsed() < Duration::from_secs(20));
}
