//! What async functions were given, by where their states lie: a future is pinned, so each later poll of it finds the
//! same state, on whatever thread. In: arguments read at first polls; out: those of one state. A state's place may serve
//! another one later, whose own first poll takes the record's place: so records go wherever polls are not seen.

use std::collections::HashMap;

use relapse_snapshot::Argument;

use crate::tracer::ptrace::Pid;

/// Records that are kept at most.
const MOST_RECORDS: usize = 1024;

/// A state: its process, its function's number, its address.
type Key = (Pid, usize, u64);

/// What a future's function was given.
pub(super) struct Given {
    pub(super) arguments: Vec<Argument>,
    /// How many calls that make values had begun by then.
    pub(super) made_before: u64,
}

/// The futures that have been polled.
#[derive(Default)]
pub(super) struct Polls {
    records: HashMap<Key, (u64, Given)>,
    /// How many there have been.
    count: u64,
}

impl Polls {
    /// Keeps what a function was given whose state lies at an address.
    pub(super) fn insert(&mut self, process: Pid, function: usize, state: u64, given: Given) {
        let key = (process, function, state);
        if self.records.len() >= MOST_RECORDS && !self.records.contains_key(&key) {
            // A function that is called often gives way to none but itself.
            let age = |(key, (number, _)): (&Key, &(u64, _))| (key.1 != function, *number, *key);
            if let Some((_, _, oldest)) = self.records.iter().map(age).min() {
                self.records.remove(&oldest);
            }
        }
        self.count += 1;
        self.records.insert(key, (self.count, given));
    }

    /// What was kept of a state.
    pub(super) fn get(&self, process: Pid, function: usize, state: u64) -> Option<&Given> {
        self.records.get(&(process, function, state)).map(|(_, given)| given)
    }

    /// Forgets those of a function, but for one state.
    pub(super) fn forget(&mut self, function: usize, but: Option<(Pid, u64)>) {
        let is_kept = |key: &Key| key.1 != function || Some((key.0, key.2)) == but;
        self.records.retain(|key, _| is_kept(key));
    }

    /// Forgets those of a process.
    pub(super) fn forget_process(&mut self, process: Pid) {
        self.records.retain(|key, _| key.0 != process);
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.records.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> Given {
        Given { arguments: Vec::new(), made_before: 0 }
    }

    #[test]
    fn a_function_that_is_called_often_takes_no_place_of_others() {
        let mut polls = Polls::default();
        polls.insert(1, 7, 0, given());
        for state in 0..2 * MOST_RECORDS as u64 {
            polls.insert(1, 8, state, given());
        }
        assert!(polls.get(1, 7, 0).is_some() && polls.get(1, 8, 0).is_none());
        assert!(polls.get(1, 8, 2 * MOST_RECORDS as u64 - 1).is_some());
        assert_eq!(polls.records.len(), MOST_RECORDS);
    }

    #[test]
    fn states_of_other_functions_and_processes_are_kept_apart() {
        let mut polls = Polls::default();
        for (process, function) in [(1, 7), (1, 8), (2, 7)] {
            polls.insert(process, function, 64, given());
        }
        polls.forget(7, Some((2, 64)));
        assert!(polls.get(1, 7, 64).is_none() && polls.get(2, 7, 64).is_some());
        polls.forget_process(1);
        assert!(polls.get(1, 8, 64).is_none() && polls.get(2, 7, 64).is_some());
    }
}
