//! Runs a command under ptrace and tells of its crashes. In: a [`Command`], what is wanted, a [`Recorder`]; out:
//! crashes as they happen, and how the command ended. Everything else passes through unchanged: signals, job
//! control, terminal, exit status. Follows threads, forks, vforks and execs. Writes no files, prints nothing.

mod breakpoint;
mod catchers;
mod crash;
mod deadline;
mod entries;
mod events;
mod guard;
mod known;
mod launch;
mod live;
mod policy;
mod process;
mod ptrace;
mod release;
mod stack_size;
mod stacks;
mod time_limit;
mod timeout;
mod waits;
mod watching;

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use relapse_snapshot::{Cause, Frame, Location, Program, Snapshot};

pub(crate) use deadline::trace_within;
pub use launch::Command;
pub(crate) use launch::Setup;
pub(crate) use watching::LEFT_ALONE;

use crate::entries::WatchedStack;
use crate::image::DebugFolders;
use crate::limits::Limits;
use crate::panic::PanicLocation;
use crate::roots::Roots;
use crate::sandbox::Access;
use deadline::KillSwitch;

/// A crash, as it is handed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Crash {
    /// What was captured. Its `id` and `fingerprint` are empty.
    pub snapshot: Snapshot,
    /// A panic's place as compiled into the program.
    pub place: Option<PanicLocation>,
}

/// Whether a test is meant to panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// `#[should_panic]`; with the text that the message has to hold, where one is asked for.
    Panic(Option<String>),
    /// No such attribute: its panic fails it.
    NoPanic,
    /// The source could not be read: the end of the test program tells.
    Unknown,
}

impl Expectation {
    /// Whether a panic with this message makes the test pass; `None`: not known.
    pub fn meets(&self, message: &str) -> Option<bool> {
        match self {
            Expectation::Panic(None) => Some(true),
            Expectation::Panic(Some(text)) => Some(message.contains(text.as_str())),
            Expectation::NoPanic => Some(false),
            Expectation::Unknown => None,
        }
    }
}

/// Who is told of the crashes.
pub trait Recorder {
    /// Whether more than its functions is to be read of a crash. One of which enough are kept is counted here.
    fn wants(
        &mut self,
        _cause: &Cause,
        _place: Option<&PanicLocation>,
        _location: Option<&Location>,
        _frames: &[Frame],
    ) -> bool {
        true
    }
    /// A crash happened. It has been read; its program runs on meanwhile, or has ended.
    fn crash(&mut self, crash: Crash);
    /// A panic at a place that has been captured often enough happened again.
    fn repeated(&mut self, place: &PanicLocation, times: u64);
    /// Whether the test that this frame belongs to is meant to panic.
    fn expectation(&mut self, test: &Frame) -> Expectation;
    /// Something that the user should know.
    fn note(&mut self, text: String);
    /// Something that a sandboxed command tried; told at its end.
    fn access(&mut self, _access: Access) {}
}

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this exit status.
    Exited(i32),
    /// By this signal.
    Signaled(i32),
}

/// How much is captured of a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Arguments of the crashing thread's frames.
    pub values: bool,
    /// The stacks of the other threads.
    pub other_threads: bool,
    /// Ask [`Recorder::expectation`], and leave out panics that make a test pass.
    pub expected_panics: bool,
}

impl Depth {
    /// Everything.
    pub const FULL: Depth = Depth { values: true, other_threads: true, expected_panics: true };
    /// Messages, places and function names only.
    pub const NAMES: Depth = Depth { values: false, other_threads: false, expected_panics: false };
}

/// What is the same for all crashes of a command.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose code lies where.
    pub roots: Roots,
    /// How much is captured.
    pub depth: Depth,
    /// How far values and stacks are read.
    pub limits: Limits,
    /// The command that the user gave, and how cargo built the program: copied into each snapshot.
    pub program: Program,
    /// Programs to be left alone, with everything that they start, by file name: cargo, rustc and the like.
    pub untraced: Vec<String>,
    /// The folder that relative working folders are relative to where there is no workspace.
    pub folder: Option<PathBuf>,
    /// Functions whose arguments are read at their entry, for the crash that follows.
    pub watch: Option<WatchedStack>,
    /// Where separate debug files may be.
    pub debug_folders: DebugFolders,
    /// How long a program under development may run, from its start. One that runs longer is told of as a crash, and
    /// ended.
    pub timeout: Option<Duration>,
}

impl Settings {
    /// Settings for programs of this workspace.
    pub fn new(roots: Roots, depth: Depth) -> Settings {
        let (limits, program) = (Limits::default(), Program::default());
        let (untraced, debug_folders) = (toolchain_programs(), DebugFolders::default());
        Settings {
            roots,
            depth,
            limits,
            program,
            untraced,
            folder: None,
            watch: None,
            debug_folders,
            timeout: None,
        }
    }
}

/// Programs of the toolchain: they are Rust programs, but not the user's.
pub fn toolchain_programs() -> Vec<String> {
    [
        "cargo",
        "rustc",
        "rustup",
        "rustdoc",
        "clippy-driver",
        "rustfmt",
        "sccache",
        "cargo-nextest",
        "rust-lld",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// What the tracer could not do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The program could not be started: not found, not executable.
    #[error("failed to start {program}")]
    Start {
        /// The command's first word.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Tracing is forbidden: a container's seccomp filter, Yama, or a tracer above us.
    #[error("failed to trace {program}: ptrace is not permitted here")]
    Trace {
        /// The command's first word.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The tracer's own thread ended before its time.
    #[error("failed to keep the tracer running")]
    Lost,
}

/// Gets a descriptor of the root process before that becomes the command.
type Started = Box<dyn FnOnce(OwnedFd) + Send>;

/// What differs between following a user's command and running one for ourselves.
#[derive(Default)]
struct Control {
    /// How the child is set up.
    setup: Setup,
    /// Nothing that the command started may outlive it, nor us.
    kill_rest: bool,
    /// Asks for an early end.
    kill_switch: KillSwitch,
    started: Option<Started>,
}

/// Runs a command under the tracer, with our own descriptors and terminal, to its end. Processes that outlive
/// the command are let go.
///
/// To be called on a thread that has no other child processes: they would be reaped here.
pub fn trace(
    command: &Command,
    settings: &Settings,
    recorder: &mut dyn Recorder,
) -> Result<Ending, TraceError> {
    follow(command, settings, recorder, Control::default())
}

/// The same, with a child that is set up otherwise, and whose root process is told of.
pub(crate) fn trace_with(
    command: &Command,
    settings: &Settings,
    recorder: &mut dyn Recorder,
    setup: Setup,
    started: Started,
) -> Result<Ending, TraceError> {
    follow(command, settings, recorder, Control { setup, started: Some(started), ..Control::default() })
}

fn follow(
    command: &Command,
    settings: &Settings,
    recorder: &mut dyn Recorder,
    control: Control,
) -> Result<Ending, TraceError> {
    let program = command.words.first().map_or_else(String::new, |w| w.to_string_lossy().into_owned());
    let start = |source| TraceError::Start { program: program.clone(), source };
    let launched = launch::launch(command, &control.setup).map_err(start)?;
    let (pid, started) = (launched.pid, control.started);
    if let Err(source) = started.map_or(Ok(()), |started| process_descriptor(pid).map(started)) {
        return Err(start(give_up(launched, source)));
    }
    // A tracer that is killed takes the program with it, as gdb and rr do: left alone, it would die at its next
    // panic, of a breakpoint that nobody serves.
    if let Err(source) = ptrace::seize(launched.pid, control.setup.sandbox.is_some()) {
        return Err(TraceError::Trace { program, source: give_up(launched, source) });
    }
    let guard = control.setup.sandbox.as_deref().map(guard::Guard::new);
    let mut tracer =
        events::Tracer::new(launched.pid, settings, recorder, control.kill_rest, control.kill_switch, guard);
    launched.release().map_err(start)?;
    // The child keeps the descriptors that it needs; ours would hold pipes open.
    drop(control.setup);
    let end = tracer.run();
    tracer.keep_known();
    match end {
        events::RootEnd::Ended(ending) => Ok(ending),
        events::RootEnd::NeverStarted(ending) => launched.failure().map_or(Ok(ending), |e| Err(start(e))),
        events::RootEnd::Lost => Err(TraceError::Lost),
    }
}

/// Starts a command that is not traced, as the program sees it in every other way the same.
pub(crate) fn start_untraced(
    command: &Command,
    setup: &Setup,
    started: Started,
) -> Result<ptrace::Pid, TraceError> {
    let program = command.words.first().map_or_else(String::new, |w| w.to_string_lossy().into_owned());
    let start = |source| TraceError::Start { program: program.clone(), source };
    let launched = launch::launch(command, setup).map_err(start)?;
    if let Err(source) = process_descriptor(launched.pid).map(started) {
        return Err(start(give_up(launched, source)));
    }
    launched.release().map_err(start)?;
    // Without a tracer the pipe tells at once: it is closed by a successful exec.
    match launched.failure() {
        Some(error) => {
            // SAFETY: our own child, which has ended.
            unsafe { libc::waitpid(launched.pid, std::ptr::null_mut(), 0) };
            Err(start(error))
        }
        None => Ok(launched.pid),
    }
}

/// Ends a child that has not become the program yet, for this reason.
fn give_up(launched: launch::Launched, reason: io::Error) -> io::Error {
    let pid = launched.pid;
    drop(launched);
    // SAFETY: our own child, which ends because its gate is closed.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    reason
}

/// A descriptor that stands for this one process, whatever becomes of its number. Without one no signal could be passed
/// on, and no limit on time held.
fn process_descriptor(pid: ptrace::Pid) -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: a system call on plain numbers; the descriptor is ours alone.
    unsafe {
        let descriptor = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        if descriptor >= 0 {
            return Ok(OwnedFd::from_raw_fd(descriptor as i32));
        }
    }
    let error = io::Error::last_os_error();
    Err(io::Error::new(error.kind(), format!("its process cannot be referred to (pidfd_open): {error}")))
}

/// Whether this process is traced already: then nothing below it can be traced by us.
pub fn is_traced() -> bool {
    live::status_field(std::process::id() as ptrace::Pid, "TracerPid").is_some_and(|pid| pid != "0")
}

/// A panic's place as a snapshot has it. Where a frame stands at that very line, its file is taken: a relative
/// path in a panic's place does not say what it is relative to, debug info does.
fn location(roots: &Roots, place: &PanicLocation, frames: &[Frame]) -> Location {
    let same = |location: &&Location| {
        location.line == place.line
            && (Path::new(&place.file).ends_with(&location.file)
                || Path::new(&location.file).ends_with(&place.file))
    };
    let there = frames.iter().filter_map(|frame| frame.location.as_ref()).find(same);
    let file = there.map_or_else(|| roots.normalise(&place.file, None).0, |location| location.file.clone());
    Location { file, line: place.line, column: place.column }
}
