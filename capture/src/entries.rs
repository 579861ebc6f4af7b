//! The second chance: the same command once more, with its arguments read as the functions of one stack are
//! entered. In: a snapshot, and how to run its command. Out: the same crash with the values as they were given,
//! or why there is none.

mod rerun;
mod unoptimised;

use relapse_snapshot::{Frame, FrameKind, Location, Snapshot};
use serde::{Deserialize, Serialize};

use crate::stack::around_body;

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
    /// Whether each entry is read, up to 300,000 of them, where a function that is entered often is left alone else.
    #[serde(default)]
    pub patient: bool,
}

/// A function that makes values, or changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// Its path.
    pub function: String,
    /// Where it is declared.
    pub declared: Location,
    /// Whether what it gives is to be read.
    pub gives: bool,
}

/// A function to be watched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchedFunction {
    /// Its path, as [`relapse_snapshot::Frame::function`] has it.
    pub function: String,
    /// Where it is declared.
    pub declared: Option<Location>,
    /// Whether it is an async one, whose arguments are read as its body is polled for the first time.
    #[serde(default)]
    pub is_async: bool,
    /// Whether it is known by its name and by where it is declared alone, generic arguments aside, and is on no stack: one
    /// that makes values.
    #[serde(default)]
    pub makes: bool,
    /// Whether its calls are kept although they are over by the crash: it makes values, or changes them.
    #[serde(default)]
    pub kept: bool,
    /// Whether what its calls give is read: it may hold the value that is wanted.
    #[serde(default)]
    pub gives: bool,
}

impl WatchedStack {
    /// The project's own functions on the stack of a crash that were called as functions: an inlined one has no
    /// entry, and a closure's arguments serve no test.
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

    /// The same with functions that make values. One of the stack's own keeps its place.
    fn making(mut self, makers: &[Maker]) -> WatchedStack {
        for Maker { function: name, declared, gives } in makers.iter().take(MOST_FUNCTIONS) {
            let is_same = |own: &&mut WatchedFunction| {
                let place = own.declared.as_ref();
                place.is_some_and(|at| (&at.file, at.line) == (&declared.file, declared.line))
            };
            let mut known = false;
            for own in self.functions.iter_mut().filter(is_same) {
                (own.kept, own.gives, known) = (true, *gives, true);
            }
            if !known {
                self.functions.push(WatchedFunction {
                    function: name.clone(),
                    declared: Some(declared.clone()),
                    is_async: false,
                    makes: true,
                    kept: true,
                    gives: *gives,
                });
            }
        }
        self
    }

    fn where_frames(snapshot: &Snapshot, is_called: impl Fn(&Frame) -> bool) -> WatchedStack {
        let mut functions: Vec<WatchedFunction> = Vec::new();
        for frame in snapshot.frames() {
            // A block may be the whole work of a function, which shows where that was not inlined.
            let block = around_body(&frame.function).filter(|_| frame.name.starts_with("{async_block"));
            let function = block.unwrap_or(&frame.function).to_owned();
            let watched = frame.kind == FrameKind::Workspace
                && is_called(frame)
                && (!frame.name.starts_with('{') || block.is_some());
            let is_async = frame.is_async || block.is_some();
            let is_new = |known: &WatchedFunction| known.function != function || known.is_async != is_async;
            if watched && functions.len() < MOST_FUNCTIONS && functions.iter().all(is_new) {
                functions.push(WatchedFunction {
                    function,
                    declared: frame.declared.clone(),
                    is_async,
                    makes: false,
                    kept: false,
                    gives: false,
                });
            }
        }
        WatchedStack { functions, ..WatchedStack::default() }
    }
}
