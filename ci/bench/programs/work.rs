//! Work that many short-lived threads or processes share.
//!
//!     work calibrate               prints how many rounds of work take a millisecond here
//!     work threads COUNT ROUNDS    starts COUNT threads of ROUNDS each, then joins them
//!     work processes COUNT ROUNDS  runs itself COUNT times, one after the other, each with ROUNDS of work

use std::hint::black_box;
use std::process::Command;
use std::thread;
use std::time::Instant;

fn work(rounds: u64) -> u64 {
    let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
    for _ in 0..rounds {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    black_box(state)
}

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    match words.get(1).map(String::as_str) {
        Some("calibrate") => {
            const ROUNDS: u64 = 1_000_000;
            let fastest = (0..20).map(|_| {
                let start = Instant::now();
                work(ROUNDS);
                start.elapsed().as_nanos()
            });
            println!("{}", u128::from(ROUNDS) * 1_000_000 / fastest.min().unwrap_or(1).max(1));
        }
        Some("threads") => {
            let rounds = number(3);
            let threads: Vec<_> = (0..number(2)).map(|_| thread::spawn(move || work(rounds))).collect();
            let total = threads.into_iter().map(|thread| thread.join().unwrap_or(0));
            println!("{}", total.fold(0, u64::wrapping_add));
        }
        Some("processes") => {
            let program = std::env::current_exe().expect("this program has a path");
            for _ in 0..number(2) {
                let status = Command::new(&program).args(["once", &words[3]]).status();
                assert!(status.is_ok_and(|status| status.success()));
            }
        }
        Some("once") => {
            work(number(2));
        }
        _ => std::process::exit(64),
    }
}
