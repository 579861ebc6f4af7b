//! Crashes that pass another one on: the lock that a panic has poisoned, the thread whose panic `join` gives back. In: the
//! crashes of one run, first to last. Out: the one that another goes back to. Pure.

use crate::crash::{Cause, CauseKind};

/// What a message says of a panic that it passes on: the payload's `Debug`, std's poisoned locks, tokio's `JoinError`, the
/// end of a `thread::scope`.
const PASSES_ON: [&str; 4] = ["Any { .. }", POISONED, "JoinError", "a scoped thread panicked"];
const POISONED: &str = "PoisonError";

/// Whether a panic of this message passes another one on.
pub fn passes_on(message: &str) -> bool {
    PASSES_ON.iter().any(|words| message.contains(words))
}

/// What tells of a crash whether it passes another one on.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// What ended it.
    pub cause: &'a Cause,
    /// The program's file name.
    pub program: &'a str,
    /// The kernel's id of its thread.
    pub tid: u32,
    /// That of the thread which spawned this one, where it is known.
    pub spawned_by: Option<u32>,
}

impl Link<'_> {
    fn passes_on(&self) -> bool {
        self.cause.kind == CauseKind::Panic && passes_on(&self.cause.message)
    }
}

/// Which of the earlier crashes of a run the one at `at` goes back to; none where it stands for itself, or nothing else was
/// seen. Of several this is a guess, and the best one: what came last before the lock was first found poisoned; else the one
/// whose words are passed on, that of a thread which was spawned here, one that was caught here, the last one.
pub fn origin(crashes: &[Link<'_>], at: usize) -> Option<usize> {
    let crash = crashes.get(at).filter(|crash| crash.passes_on())?;
    let of_program = |index: &usize| crashes[*index].program == crash.program;
    let is_origin = |index: &usize| of_program(index) && !crashes[*index].passes_on();
    let is_poisoned = |crash: &Link<'_>| crash.cause.message.contains(POISONED);
    if is_poisoned(crash) {
        let first = (0..at).filter(of_program).find(|index| is_poisoned(&crashes[*index])).unwrap_or(at);
        return (0..first).rev().find(is_origin).or_else(|| (0..at).rev().find(is_origin));
    }
    let message = &crash.cause.message;
    let says = |other: &Link<'_>| !other.cause.message.is_empty() && message.contains(&other.cause.message);
    let mut earlier = (0..at).filter(is_origin);
    earlier
        .clone()
        .find(|index| says(&crashes[*index]))
        .or_else(|| earlier.clone().find(|index| crashes[*index].spawned_by == Some(crash.tid)))
        .or_else(|| earlier.clone().rfind(|index| crashes[*index].tid == crash.tid))
        .or_else(|| earlier.next_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: &str = "called `Result::unwrap()` on an `Err` value: Any { .. }";
    const POISON: &str = "called `Result::unwrap()` on an `Err` value: PoisonError { .. }";

    /// Message, thread, who spawned that.
    fn origin_of(crashes: &[(&str, u32, Option<u32>)], at: usize) -> Option<usize> {
        let cause =
            |message: &str| Cause { kind: CauseKind::Panic, message: message.to_owned(), signal: None };
        let causes: Vec<Cause> = crashes.iter().map(|(message, ..)| cause(message)).collect();
        let links: Vec<Link<'_>> = crashes
            .iter()
            .zip(&causes)
            .map(|((_, tid, spawned_by), cause)| Link {
                cause,
                program: "demo",
                tid: *tid,
                spawned_by: *spawned_by,
            })
            .collect();
        origin(&links, at)
    }

    #[test]
    fn a_poisoned_lock_goes_back_to_the_panic_before_it_was_first_found_so() {
        let crashes = [
            ("index out of bounds", 3, Some(1)),
            ("overflow", 2, Some(1)),
            (POISON, 4, Some(1)),
            ("divide by zero", 5, Some(1)),
            (POISON, 1, None),
        ];
        assert_eq!([2, 4].map(|at| origin_of(&crashes, at)), [Some(1), Some(1)]);
        assert_eq!([0, 1, 3].map(|at| origin_of(&crashes, at)), [None; 3], "these stand for themselves");
        assert_eq!(origin_of(&[(POISON, 1, None), ("overflow", 2, None)], 0), None, "nothing came before");
    }

    #[test]
    fn what_join_gives_goes_back_to_a_thread_that_was_spawned_there() {
        let crashes = [
            ("overflow", 7, Some(2)),
            ("index out of bounds", 8, Some(1)),
            ("divide by zero", 9, Some(3)),
            (ANY, 1, None),
            (ANY, 4, None),
        ];
        assert_eq!(origin_of(&crashes, 3), Some(1));
        assert_eq!(origin_of(&crashes, 4), Some(2), "whoever spawned it, it was the last");
        let caught = [("overflow", 1, None), ("divide by zero", 2, None), (ANY, 1, None)];
        assert_eq!(origin_of(&caught, 2), Some(0), "it was caught in the same thread");
    }

    #[test]
    fn what_tokio_joins_goes_back_to_the_words_that_it_says() {
        let joined =
            r#"called `Result::unwrap()` on an `Err` value: JoinError::Panic(Id(8), "no row 7", ...)"#;
        assert_eq!(origin_of(&[("no row 7", 2, None), ("no row 8", 3, None), (joined, 1, None)], 2), Some(0));
    }

    #[test]
    fn crashes_of_another_program_are_none_of_it() {
        let cause =
            |message: &str| Cause { kind: CauseKind::Panic, message: message.to_owned(), signal: None };
        let (first, second) = (cause("overflow"), cause(POISON));
        let link = |cause, program| Link { cause, program, tid: 1, spawned_by: None };
        assert_eq!(origin(&[link(&first, "unit"), link(&second, "integration")], 1), None);
    }
}
