//! Proves a candidate: runs its test several times, each in a process of its own, and says how often the crash
//! came back. In: a test executable and the crash to expect; out: k of n with the reason of the first miss.
//! "Not reproduced" is a result, not an error.

mod hook;
mod process;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use self::hook::HookReader;
pub use self::process::{Ended, Finished, ProcessError, run};
use crate::same_crash::{Crash, Sameness};

/// How often a regression is run before it counts as verified.
pub const ROUNDS: u32 = 3;

/// What a run may use. A test that needs more is ended, and so is whatever it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time.
    pub time: Duration,
    /// Private writable memory, in bytes, of each process (`RLIMIT_DATA`).
    pub memory_bytes: u64,
    /// How much of each output stream is kept, in bytes.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { time: Duration::from_secs(60), memory_bytes: 4 << 30, output_bytes: 1 << 20 }
    }
}

/// One test, ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRun {
    /// The test executable.
    pub executable: PathBuf,
    /// libtest's full path of the test.
    pub test: String,
    /// The working folder: the package's, in the scratch copy.
    pub folder: PathBuf,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// What it may use.
    pub limits: Limits,
}

/// What was seen of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The panics of all its threads, in order.
    pub panics: Vec<ObservedPanic>,
    /// How the test's process ended.
    pub ending: Ending,
    /// The start of its standard output.
    pub stdout: Vec<u8>,
    /// The start of its standard error.
    pub stderr: Vec<u8>,
}

/// A panic, as the default hook would print it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPanic {
    /// The message.
    pub message: String,
    /// The file as the program names it, the line and the column.
    pub location: Option<(String, u32, u32)>,
    /// The functions on the stack, innermost first, as rustc-demangle prints them; empty where nobody looked.
    pub functions: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal (`SIGSEGV`).
    Signal(String),
    /// It was ended at its time limit.
    TimedOut,
}

/// Runs a test and says what happened. One implementation watches the process by ptrace; [`HookReader`] reads
/// what the test prints, where tracing is not permitted.
pub trait Observer {
    /// Runs it once.
    fn observe(&self, run: &TestRun) -> Result<Observation, ProcessError>;
}

/// How often a crash came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Runs with the same crash.
    pub reproduced: u32,
    /// Runs.
    pub of: u32,
    /// Why a run did not count; of the first that did not.
    pub reason: Option<String>,
}

impl Verification {
    /// Whether every run had the same crash.
    pub fn is_verified(&self) -> bool {
        self.of > 0 && self.reproduced == self.of
    }
}

/// Runs a test `rounds` times and compares each run with the crash.
pub fn verify(
    observer: &dyn Observer,
    run: &TestRun,
    crash: &Crash,
    rounds: u32,
) -> Result<Verification, ProcessError> {
    let mut verification = Verification { reproduced: 0, of: 0, reason: None };
    for _ in 0..rounds {
        let seen = observer.observe(run)?;
        verification.of += 1;
        match crash.compare(&seen) {
            Sameness::Same => verification.reproduced += 1,
            Sameness::Different(reason) => {
                verification.reason.get_or_insert(reason);
            }
        }
        // A test that overruns its time once would take as long again.
        if seen.ending == Ending::TimedOut {
            break;
        }
    }
    Ok(verification)
}
