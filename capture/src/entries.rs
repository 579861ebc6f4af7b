//! The second chance: the same command once more, with its arguments read as the functions of one stack are
//! entered. In: a snapshot, and how to run its command. Out: the same crash with the values as they were given,
//! or why there is none.

mod rerun;
mod unoptimised;

use relapse_snapshot::{Frame, FrameKind, Location, Snapshot};
use serde::{Deserialize, Serialize};

pub(crate) use rerun::end_with_parent;
pub use rerun::{Rerun, RerunOptions, rerun};

/// Functions of one stack that are watched at most: a recursion has few different ones.
const MOST_FUNCTIONS: usize = 256;

/// The functions of one stack whose arguments are to be read at entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedStack {
    /// Each function once, the innermost first.
    pub functions: Vec<WatchedFunction>,
    /// The run is ended after so many seconds.
    pub seconds: u64,
}

/// A function to be watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedFunction {
    /// Its path, as [`relapse_snapshot::Frame::function`] has it.
    pub function: String,
    /// Where it is declared.
    pub declared: Option<Location>,
}

impl WatchedStack {
    /// The project's own functions on the stack of a crash that were called as functions: an inlined one has no
    /// entry, an async one is entered anew at every await, and a closure's arguments serve no test.
    pub fn of(snapshot: &Snapshot) -> WatchedStack {
        Self::where_frames(snapshot, |frame| !frame.inlined)
    }

    /// The same for a build without optimisation: what was inlined is a function there.
    fn with_inlined(snapshot: &Snapshot) -> WatchedStack {
        Self::where_frames(snapshot, |_| true)
    }

    /// The functions of another stack of the same crash, where it shows some that take arguments and are not among these.
    fn with_those_of(&self, snapshot: &Snapshot) -> Option<WatchedStack> {
        let whole = Self::with_inlined(snapshot);
        let takes_arguments = |function: &WatchedFunction| {
            let mut calls = snapshot.frames().iter().filter(|frame| frame.function == function.function);
            calls.any(|frame| !frame.arguments.is_empty())
        };
        let is_new = |function: &WatchedFunction| {
            self.functions.iter().all(|known| known.function != function.function)
        };
        let has_new = whole.functions.iter().any(|function| is_new(function) && takes_arguments(function));
        has_new.then_some(whole)
    }

    fn where_frames(snapshot: &Snapshot, is_called: impl Fn(&Frame) -> bool) -> WatchedStack {
        let mut functions: Vec<WatchedFunction> = Vec::new();
        for frame in snapshot.frames() {
            let watched = frame.kind == FrameKind::Workspace
                && is_called(frame)
                && !frame.is_async
                && !frame.name.starts_with('{');
            if watched
                && functions.len() < MOST_FUNCTIONS
                && functions.iter().all(|known| known.function != frame.function)
            {
                let (function, declared) = (frame.function.clone(), frame.declared.clone());
                functions.push(WatchedFunction { function, declared });
            }
        }
        WatchedStack { functions, seconds: 0 }
    }
}
