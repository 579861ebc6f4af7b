//! Calls of functions that make values. They are over by the crash, so they are kept by themselves: the last few of each
//! function. In: arguments as a call was given them. Out: the calls as frames, oldest first.

use std::collections::{HashMap, VecDeque};

use relapse_snapshot::{Argument, Frame};

use super::super::ptrace::Pid;
use crate::entries::WatchedFunction;

/// Calls of one function that are kept.
const MOST_CALLS: usize = 8;

/// The calls of all processes.
#[derive(Default)]
pub(in crate::tracer) struct Made {
    calls: HashMap<(Pid, usize), VecDeque<(u64, Frame)>>,
    /// How many there were, kept or not.
    count: u64,
}

impl Made {
    /// A call of the function of that index has begun. The same arguments once more tell nothing new but that they are
    /// the last ones.
    pub(super) fn begun(
        &mut self,
        process: Pid,
        index: usize,
        function: &WatchedFunction,
        arguments: Vec<Argument>,
    ) {
        self.count += 1;
        let calls = self.calls.entry((process, index)).or_default();
        calls.retain(|(_, known)| known.arguments != arguments);
        if calls.len() >= MOST_CALLS {
            calls.pop_front();
        }
        let frame = Frame {
            function: function.function.clone(),
            name: function.function.clone(),
            declared: function.declared.clone(),
            arguments,
            ..Frame::default()
        };
        calls.push_back((self.count, frame));
    }

    /// The calls of a process, oldest first.
    pub(in crate::tracer) fn calls(&self, process: Pid) -> Vec<Frame> {
        let own = self.calls.iter().filter(|((of, _), _)| *of == process);
        let mut calls: Vec<&(u64, Frame)> = own.flat_map(|(_, calls)| calls).collect();
        calls.sort_by_key(|(at, _)| *at);
        calls.into_iter().map(|(_, frame)| frame.clone()).collect()
    }

    pub(super) fn forget_process(&mut self, process: Pid) {
        self.calls.retain(|(of, _), _| *of != process);
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
    }
}
