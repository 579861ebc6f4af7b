//! What was captured of one crash.
//!
//! Paths are relative to the workspace, the registry or the toolchain (`library/core/src/…`); no machine's
//! folders appear.

use serde::{Deserialize, Serialize};

use crate::types::{TypeId, TypeTable};
use crate::value::{Trust, Value};

/// Version of the format that this crate writes. It reads this one and older ones.
pub const FORMAT: u32 = 1;

/// One crash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Version of the format: [`FORMAT`].
    pub format: u32,
    /// Unique name: lower-case hexadecimal, 16 digits. Empty until the store has kept it.
    pub id: String,
    /// When: RFC 3339, UTC, whole seconds.
    pub time: String,
    /// What the clock of std's `Instant` said then, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u64>,
    /// What ended it.
    pub cause: Cause,
    /// Where: the place that the panic message names, or the innermost frame's.
    pub location: Option<Location>,
    /// Who would catch the panic, innermost first; empty: nobody.
    pub caught_by: Vec<Catcher>,
    /// The crashing thread first.
    pub threads: Vec<Thread>,
    /// Calls of functions that make values, as a second run has seen them begin, oldest first: how a value was made of
    /// which fields alone do not tell it. A first run sees none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<Made>,
    /// The types of all values.
    pub types: TypeTable,
    /// The program that crashed.
    pub program: Program,
    /// Stable identity of the crash.
    pub fingerprint: String,
    /// How often this fingerprint was seen in that run.
    pub count: u64,
    /// What a reader should know: missing debug info and the setting that helps, limits that were met.
    pub notes: Vec<String>,
}

/// A call of a function that makes values, or changes them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// The call; without arguments where it stands for calls that were not seen.
    pub call: Frame,
    /// Which of the other calls it is part of, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<usize>,
}

/// What ended the program or unwound its thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The kind.
    pub kind: CauseKind,
    /// A panic's message as the default hook prints it; a signal's description.
    pub message: String,
    /// The signal's name (`SIGSEGV`), where one ended it.
    pub signal: Option<String>,
}

/// The kinds of causes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words of the contract, used as they are")]
pub enum CauseKind {
    Panic,
    Signal,
    Abort,
    StackOverflow,
    Timeout,
    Trigger,
}

impl CauseKind {
    /// The word of the contract, as it stands in JSON too.
    pub fn name(self) -> &'static str {
        match self {
            CauseKind::Panic => "panic",
            CauseKind::Signal => "signal",
            CauseKind::Abort => "abort",
            CauseKind::StackOverflow => "stack-overflow",
            CauseKind::Timeout => "timeout",
            CauseKind::Trigger => "trigger",
        }
    }
}

/// A place in a source file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// The file: relative to the workspace root (workspace code), `NAME-VERSION/…` (dependencies),
    /// `library/…` (std).
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1; 0 where it is not known.
    pub column: u32,
}

/// Who would catch a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Catcher {
    /// libtest, around a test.
    TestHarness,
    /// A `catch_unwind` of the workspace or a dependency.
    CatchUnwind,
    /// A thread pool (rayon and the like).
    ThreadPool,
    /// An async runtime's task.
    AsyncRuntime,
    /// `std::thread`: the thread ends, `join` gets the payload.
    Thread,
}

/// A thread and its stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// The kernel's thread id.
    pub tid: u32,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// Who spawned it, where that is known: a thread's own stack ends where it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spawned_by: Option<Spawner>,
    /// How large its stack may grow, in bytes; of the crashing thread, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_size: Option<u64>,
    /// Its frames, innermost first, inlined ones included.
    pub frames: Vec<Frame>,
}

/// The thread that spawned another one of its process; it may have ended since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spawner {
    /// The kernel's thread id: where it still runs, that of one of the threads.
    pub tid: u32,
    /// Its name as it first spawned a thread, where it had one.
    pub name: Option<String>,
}

/// One function call on a stack.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    /// The function's path, without hash: `uuid::timestamp::Timestamp::to_unix`,
    /// `<impl core::fmt::Display for demo::Row>::fmt` … as rustc-demangle prints it (`{:#}`).
    pub function: String,
    /// The function's bare name as DWARF's `DW_AT_name` has it: `to_unix`, `parse<u8>`, `{closure#0}`.
    pub name: String,
    /// Whose code it is.
    pub kind: FrameKind,
    /// The cargo package, where it is known.
    pub package: Option<String>,
    /// The line that was being executed.
    pub location: Option<Location>,
    /// Where the function is declared (`DW_AT_decl_file`, `DW_AT_decl_line`; column 0).
    pub declared: Option<Location>,
    /// Whether it was inlined into the next frame.
    pub inlined: bool,
    /// Whether it is the body of an `async fn`, called by whoever polls it.
    #[serde(default, rename = "async", skip_serializing_if = "std::ops::Not::not")]
    pub is_async: bool,
    /// The concrete types of the function's generic parameters (its impl's included), by name.
    pub generics: Vec<Generic>,
    /// The type that the function gives back, where that is made of other types or of constants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<TypeId>,
    /// The arguments, in declaration order.
    pub arguments: Vec<Argument>,
    /// Why there are no arguments although the function may have some.
    pub arguments_missing: Option<String>,
    /// How many of the calls in [`Snapshot::made`] had begun as it was entered, where a second run has seen that: what came
    /// later is not part of how its arguments were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_before: Option<usize>,
    /// What a call of [`Snapshot::made`] gave, where a second run has read that: it may hold values of other types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gave: Option<Box<Argument>>,
}

/// Whose code a frame is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FrameKind {
    /// A workspace member or a path dependency.
    Workspace,
    /// A crate from a registry or git.
    Dependency,
    /// `core`, `alloc`, `std`, `test`, the C library's start code.
    Std,
    /// Nothing is known of it.
    #[default]
    Unknown,
}

/// A generic parameter and its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generic {
    /// `T`.
    pub name: String,
    /// The concrete type.
    pub ty: TypeId,
}

/// An argument of a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// The parameter's name; `self` for receivers, `_` or empty where a pattern has none.
    pub name: String,
    /// What was read of it.
    pub value: Value,
}

/// The program that crashed, and how it was built and started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// File name of the executable.
    pub name: String,
    /// GNU build id of the executable, lower-case hexadecimal.
    pub build_id: Option<String>,
    /// `rustc version 1.95.0 (59807616e 2026-04-14)`, from `DW_AT_producer`.
    pub rustc: Option<String>,
    /// The command that the user gave to `cargo relapse run`, redacted.
    pub command: Vec<String>,
    /// The arguments of the crashed process, redacted.
    pub arguments: Vec<String>,
    /// The working folder, relative to the workspace root where it is in there.
    pub working_folder: Option<String>,
    /// How cargo built it, where it did.
    pub build: Option<Build>,
    /// Variables of its environment at its start that it may ask for, because it holds their names; without those
    /// that belong to the machine (`PATH`, `HOME` …) and without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<Variable>,
}

/// A variable of an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// How cargo built the program: what a test needs to be built alike.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// `dev`, `release`, `test` … as given by `--release` or `--profile`.
    pub profile: String,
    /// Whether that profile has code optimised; none where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimised: Option<bool>,
    /// `--target`, where one was given.
    pub target: Option<String>,
    /// Features as given on the command line (`--features`).
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `RUSTFLAGS`, where it was set.
    pub rustflags: Option<String>,
    /// The package of the program (`CARGO_PKG_NAME` in the runner).
    pub package: Option<String>,
}

impl Snapshot {
    /// The crashing thread's frames, innermost first.
    pub fn frames(&self) -> &[Frame] {
        self.threads.first().map_or(&[], |thread| &thread.frames)
    }

    /// All arguments of all frames, those of [`Snapshot::made`] and what these gave among them.
    pub fn arguments_mut(&mut self) -> impl Iterator<Item = &mut Argument> {
        self.frames_mut().flat_map(|frame| frame.arguments.iter_mut().chain(frame.gave.as_deref_mut()))
    }

    /// The frames of all threads and the calls that made values.
    pub fn frames_mut(&mut self) -> impl Iterator<Item = &mut Frame> {
        self.threads
            .iter_mut()
            .flat_map(|thread| &mut thread.frames)
            .chain(self.made.iter_mut().map(|made| &mut made.call))
    }

    /// Where the workspace called into std, where std itself names the place of the crash: what people look for.
    pub fn called_at(&self) -> Option<&Location> {
        let frames = self.frames().iter().map(|frame| (frame.kind, frame.location.as_ref()));
        called_at(self.location.as_ref()?, frames)
    }

    /// The innermost workspace frame of the crashing thread.
    pub fn innermost_workspace_frame(&self) -> Option<&Frame> {
        self.frames().iter().find(|frame| frame.kind == FrameKind::Workspace)
    }
}

impl Frame {
    /// The worst trust of its arguments; `entry` where it has none.
    pub fn trust(&self) -> Trust {
        self.arguments.iter().map(|a| a.value.worst_trust()).max().unwrap_or(Trust::Entry)
    }
}

/// The innermost workspace frame's place, where `place` lies in std; frames are given innermost first.
pub(crate) fn called_at<'f>(
    place: &Location,
    frames: impl Iterator<Item = (FrameKind, Option<&'f Location>)>,
) -> Option<&'f Location> {
    let mut called_at = None;
    for (kind, location) in frames {
        let Some(location) = location.filter(|_| kind == FrameKind::Workspace) else { continue };
        // A workspace may have a folder of that name.
        if !place.file.starts_with("library/") || location.file == place.file {
            return None;
        }
        called_at = called_at.or(Some(location));
    }
    called_at
}
