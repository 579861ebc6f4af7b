//! How often is enough: what is captured, what is only counted, and when to stop looking.

use std::collections::HashMap;

use super::Crash;
use super::ptrace::Pid;
use crate::panic::PanicLocation;

/// The same message at the same place is captured this often in a process: different callers of one place are
/// different crashes, which only whole stacks tell apart.
const SAME_LIMIT: u64 = 8;
/// A place is captured this often in a process, whatever the messages say.
const PLACE_LIMIT: u64 = 32;
/// After so many panics a process is left alone: two stops each, of about 90 µs.
const PANIC_LIMIT: u64 = 4_000;
/// Panics of tests that may be expected are kept until their process ends, at most so many.
const PENDING_LIMIT: usize = 256;

/// What to do with a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Capture it.
    Capture,
    /// Count it.
    Count,
}

#[derive(Default)]
struct Counts {
    captured: u64,
    same: HashMap<String, u64>,
    counted: u64,
}

/// The counts of one command.
#[derive(Default)]
pub(crate) struct Policy {
    places: HashMap<(Pid, PanicLocation), Counts>,
    pending: HashMap<Pid, Vec<Crash>>,
}

impl Policy {
    /// Whether a process has panicked so often that it is to be left alone.
    pub(crate) fn is_enough(panics: u64) -> bool {
        panics >= PANIC_LIMIT
    }

    /// What to do with a panic.
    pub(crate) fn choose(&mut self, process: Pid, place: &PanicLocation, message: &str) -> Choice {
        let counts = self.places.entry((process, place.clone())).or_default();
        let head: String = message.chars().take(200).collect();
        let same = counts.same.entry(head).or_default();
        if *same >= SAME_LIMIT || counts.captured >= PLACE_LIMIT {
            counts.counted += 1;
            return Choice::Count;
        }
        *same += 1;
        counts.captured += 1;
        Choice::Capture
    }

    /// Keeps a crash until its process ends; gives it back where there are too many.
    pub(crate) fn keep_pending(&mut self, process: Pid, crash: Crash) -> Option<Crash> {
        let pending = self.pending.entry(process).or_default();
        if pending.len() >= PENDING_LIMIT {
            return Some(crash);
        }
        pending.push(crash);
        None
    }

    /// The process has ended, or is another program now: what was pending and what was only counted.
    pub(crate) fn ended(&mut self, process: Pid) -> (Vec<Crash>, Vec<(PanicLocation, u64)>) {
        let mut counted = Vec::new();
        self.places.retain(|(pid, place), counts| {
            if *pid == process && counts.counted > 0 {
                counted.push((place.clone(), counts.counted));
            }
            *pid != process
        });
        (self.pending.remove(&process).unwrap_or_default(), counted)
    }

    /// The processes that have something to be told of at the end.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let mut all: Vec<Pid> =
            self.places.keys().map(|(pid, _)| *pid).chain(self.pending.keys().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}
