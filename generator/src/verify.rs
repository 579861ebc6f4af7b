//! Proves a candidate: runs its test several times, each in a process of its own, and says how often the crash
//! came back. In: a test executable and the crash to expect; out: k of n with the reason of the first miss.
//! "Not reproduced" is a result, not an error.

mod forbidden;
mod hook;
mod limit;
mod process;
mod traced;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

pub use relapse_capture::observe::{Ending, Limits, Observation, ObservedDeath, ObservedPanic};
pub use relapse_capture::panic::PanicLocation;
use relapse_capture::sandbox::Sandbox;
use relapse_capture::sandbox::landlock_version;
pub use relapse_capture::sandbox::{Access, Deed, Permissions, SandboxError};
use relapse_capture::tracer::TraceError;
use relapse_snapshot::CauseKind;

pub(crate) use self::forbidden::{forbidden, harms, in_copy, in_words};
pub use self::hook::HookReader;
pub use self::process::{Ended, Finished, ProcessError, run};
pub use self::traced::Traced;
use crate::same_crash::{Crash, Sameness};

/// How often a regression is run before it counts as verified.
pub const ROUNDS: u32 = 3;

/// What a test may use, and what it may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Time, memory, sizes.
    pub limits: Limits,
    /// What it may change.
    pub permissions: Permissions,
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
    /// Whether libtest keeps what the test prints, as it does in `cargo test`.
    pub captured: bool,
}

/// Tells a test whose call kills its process that it is that process.
const CHILD: &str = "RELAPSE_CHILD";

impl TestRun {
    /// The run of the child that a test starts where its call kills the process. A test that starts none runs as
    /// it is.
    #[must_use]
    pub fn in_child(mut self) -> Self {
        let name = self.test.rsplit("::").next().unwrap_or_default().to_owned();
        self.set(CHILD, &name);
        self
    }

    /// Sets a variable of the environment.
    fn set(&mut self, name: &str, value: &str) {
        self.environment.retain(|(found, _)| found != name);
        self.environment.push((name.into(), value.into()));
    }

    /// The arguments for libtest. Without `--test-threads`: a test has a thread of its own, with its stack size,
    /// as it has under `cargo test`.
    fn arguments(&self) -> Vec<&str> {
        let shown = (!self.captured).then_some("--nocapture");
        [self.test.as_str(), "--exact"].into_iter().chain(shown).chain(["--include-ignored"]).collect()
    }

    /// Whether something else stands before or in the line in which libtest tells that the test failed. It writes that line
    /// in one piece or, where it has one thread, in two, before the test and after it.
    fn is_spoken_over(&self, seen: &Observation) -> bool {
        let text = String::from_utf8_lossy(&seen.stdout);
        let Some((before, verdict)) = text.split_once(&format!("test {} ... ", self.test)) else {
            return false;
        };
        before.trim_start_matches('\n') != "running 1 test\n" || !verdict.starts_with("FAILED\n")
    }
}

/// A test could not be run at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObserveError {
    /// The process could not be started or waited for.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The tracer could not do its work.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// The sandbox could not be made.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// A sandbox for one run, whose variables are set. `None`: the run is not to be confined.
pub(crate) fn sandbox(
    permissions: Option<&Permissions>,
    environment: &mut Vec<(OsString, OsString)>,
) -> Result<Option<Arc<Sandbox>>, SandboxError> {
    let sandbox = permissions.map(Sandbox::new).transpose()?.map(Arc::new);
    if let Some(sandbox) = &sandbox {
        sandbox.set_variables(environment);
    }
    Ok(sandbox)
}

/// Whether runs with these permissions that are made at the same time cannot notice each other: none of them may
/// change what another one sees.
fn keeps_apart(permissions: Option<&Permissions>) -> bool {
    permissions.is_some_and(|allowed| allowed.writable.is_empty() && !allowed.network)
        && landlock_version().is_some()
}

/// Runs a test and says what happened. [`Traced`] watches the process by ptrace; [`HookReader`] reads what
/// the test prints, where that is not permitted.
pub trait Observer: Sync {
    /// Runs it once.
    fn observe(&self, run: &TestRun) -> Result<Observation, ObserveError>;
    /// Whether runs that it makes at the same time cannot notice each other.
    fn keeps_apart(&self) -> bool;
}

/// How often a crash came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Runs with the same crash.
    pub reproduced: u32,
    /// Runs.
    pub of: u32,
    /// Why a run did not count; of the first that did not.
    pub reason: Option<String>,
    /// Whether a run overran its time.
    pub timed_out: bool,
    /// Whether another run than wanted ended for want of stack.
    pub overflowed: bool,
    /// Whether a limit ended a run: its time, or another one.
    pub over_limit: bool,
    /// Whether a signal ended a run with the crash: the test's process, and with it those of all tests of its harness.
    pub killed: bool,
    /// Whether what the call writes to standard output stands in the line in which libtest says that the test failed:
    /// libtest keeps what `println!` prints, not what goes there by a handle.
    pub speaks_over: bool,
    /// What the first run tried, and what the others were kept from, where they were watched.
    pub accesses: Vec<Access>,
}

impl Verification {
    /// Those of this one and of the runs after it.
    #[must_use]
    pub(crate) fn and(mut self, more: Verification) -> Verification {
        self.note(more.accesses);
        Verification {
            reproduced: self.reproduced + more.reproduced,
            of: self.of + more.of,
            reason: self.reason.or(more.reason),
            timed_out: self.timed_out || more.timed_out,
            overflowed: self.overflowed || more.overflowed,
            over_limit: self.over_limit || more.over_limit,
            killed: self.killed || more.killed,
            speaks_over: self.speaks_over || more.speaks_over,
            accesses: self.accesses,
        }
    }

    /// Notes what a run tried. What each run reads is alike, but one of them may do what the others do not.
    fn note(&mut self, tried: Vec<Access>) {
        if self.of == 0 {
            self.accesses = tried;
            return;
        }
        let new = tried.into_iter().filter(|access| access.forbidden);
        let new: Vec<Access> = new.filter(|access| !self.accesses.contains(access)).collect();
        self.accesses.extend(new);
    }

    /// Whether every run had the same crash.
    pub fn is_verified(&self) -> bool {
        self.of > 0 && self.reproduced == self.of
    }

    /// Whether a run wanted to change something of the user's, which a test of it would do where nobody forbids it.
    pub fn would_harm(&self) -> bool {
        self.accesses.iter().any(harms)
    }
}

/// What a call did that ended its process as if all were well.
pub const LEFT_EARLY: &str = "its call ended the process with status 0";

/// Whether a run ended with status 0 before libtest could tell what came of the test: that is no pass.
pub fn left_early(seen: &Observation, limits: &Limits) -> bool {
    const VERDICT: &[u8] = b"test result: ";
    // What comes after the limit is not kept.
    let whole = seen.stdout.len() < limits.output_bytes;
    seen.ending == Ending::Exited(0)
        && whole
        && !seen.stdout.windows(VERDICT.len()).any(|part| part == VERDICT)
}

/// Whether a run ended for want of stack.
fn overflowed(seen: &Observation) -> bool {
    /// What std's handler of SIGSEGV says of a thread.
    const SAID: &[u8] = b"has overflowed its stack";
    let told = || seen.stderr.windows(SAID.len()).any(|part| part == SAID);
    seen.deaths.iter().any(|death| death.kind == CauseKind::StackOverflow) || told()
}

/// Runs a test `rounds` times and compares each run with the crash.
pub fn verify(
    observer: &dyn Observer,
    run: &TestRun,
    crash: &Crash,
    rounds: u32,
) -> Result<Verification, ObserveError> {
    let run = if crash.is_death() || crash.is_hang() { &run.clone().in_child() } else { run };
    let mut verification = Verification::default();
    for _ in 0..rounds {
        let mut seen = observer.observe(run)?;
        verification.note(std::mem::take(&mut seen.accesses));
        verification.of += 1;
        match crash.compare(&seen) {
            Sameness::Same => {
                verification.reproduced += 1;
                verification.killed |= matches!(seen.ending, Ending::Signaled(_));
                // All that is printed is shown here: whether libtest would keep it, another run tells.
                if verification.reproduced == 1
                    && matches!(seen.ending, Ending::Exited(_))
                    && run.is_spoken_over(&seen)
                {
                    let kept = TestRun { captured: true, ..run.clone() };
                    let seen = observer.observe(&kept)?;
                    verification.speaks_over = kept.is_spoken_over(&seen);
                }
            }
            Sameness::Different(reason) => {
                let limit = limit::met(&seen, &run.limits);
                verification.over_limit |= limit.is_some();
                verification.overflowed |= overflowed(&seen);
                let left = || left_early(&seen, &run.limits).then(|| LEFT_EARLY.to_owned());
                verification.reason.get_or_insert(limit.or_else(left).unwrap_or(reason));
            }
        }
        // A test that overruns its time once would take as long again.
        if seen.ending == Ending::TimedOut {
            verification.timed_out = true;
            break;
        }
    }
    Ok(verification)
}
