//! Runs one command under the tracer, with limits, and tells what happened: its panics, its output, its end.
//! Nothing that it started outlives the call.

mod worker;

use std::fs::File;
use std::io::Read;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use relapse_snapshot::{CauseKind, Frame};

use crate::panic::PanicLocation;
use crate::roots::Roots;
use crate::sandbox::{Access, Sandbox};
use crate::signal;
use crate::tracer::{
    Command, Crash, Depth, Ending as TraceEnding, Expectation, Recorder, Settings, Setup, TraceError,
    trace_within,
};

/// How long the output of a command that has ended is waited for: a process may have got the pipe from it that is none of
/// its own.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// What one command may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time by the clock.
    pub timeout: Duration,
    /// Time by the clock after which a program that still runs is told of as a death, with its stack.
    pub hang: Option<Duration>,
    /// Memory that it can write to, in bytes, of each process.
    pub memory_bytes: Option<u64>,
    /// Processor time in seconds, of each process.
    pub cpu_seconds: Option<u64>,
    /// Size of a file that it writes, in bytes.
    pub file_bytes: Option<u64>,
    /// Bytes kept of each of stdout and stderr; the rest is read and dropped.
    pub output_bytes: usize,
    /// Panics kept.
    pub panics: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            timeout: Duration::from_secs(60),
            hang: None,
            memory_bytes: Some(4 << 30),
            cpu_seconds: None,
            file_bytes: Some(1 << 30),
            output_bytes: 1 << 20,
            panics: 64,
        }
    }
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Its panics, in order.
    pub panics: Vec<ObservedPanic>,
    /// Its deaths by a signal of its own making, in order.
    pub deaths: Vec<ObservedDeath>,
    /// How it ended.
    pub ending: Ending,
    /// Its standard output, up to the limit.
    pub stdout: Vec<u8>,
    /// Its standard error, up to the limit.
    pub stderr: Vec<u8>,
    /// What a sandboxed command tried, each once.
    pub accesses: Vec<Access>,
}

/// A panic of an observed command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedPanic {
    /// Its message, as the default hook prints it.
    pub message: String,
    /// Its place, as compiled into the program.
    pub location: PanicLocation,
    /// The thread.
    pub tid: u32,
    /// The thread's name.
    pub thread_name: Option<String>,
    /// The functions on the stack, innermost first.
    pub functions: Vec<String>,
}

/// A death by signal, abort or stack overflow, or the end of a program that hangs ([`Limits::hang`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedDeath {
    /// Which of these.
    pub kind: CauseKind,
    /// The signal's name; empty for a program that hangs.
    pub signal: String,
    /// The functions on the stack, innermost first.
    pub functions: Vec<String>,
}

/// How an observed command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With this exit status.
    Exited(i32),
    /// By the signal of this name.
    Signaled(String),
    /// It was killed because its time was over.
    TimedOut,
}

/// Runs a command, confined where a sandbox is given. Standard input is empty, and it has a session of its own,
/// away from the terminal.
pub fn observe(
    command: &Command,
    roots: &Roots,
    limits: &Limits,
    sandbox: Option<Arc<Sandbox>>,
) -> Result<Observation, TraceError> {
    let failed = |source| TraceError::Start { program: "the observed command".to_owned(), source };
    let input = File::open("/dev/null").map_err(failed)?;
    let (stdout_reader, stdout) = std::io::pipe().map_err(failed)?;
    let (stderr_reader, stderr) = std::io::pipe().map_err(failed)?;
    let setup = Setup {
        descriptors: [Some(input.into()), Some(stdout.into()), Some(stderr.into())],
        limits: resource_limits(limits),
        own_session: true,
        // The tracer drops its own when the command has begun; the folder must stay until the end.
        sandbox: sandbox.clone(),
        mask: None,
    };
    // Also what is let go elsewhere (cargo, rustc) is followed: nothing that the tracer does not know could be ended.
    let settings =
        Settings { untraced: Vec::new(), timeout: limits.hang, ..Settings::new(roots.clone(), Depth::NAMES) };
    let stdout = keep_output(stdout_reader, limits.output_bytes);
    let stderr = keep_output(stderr_reader, limits.output_bytes);
    let (command, timeout, limit) = (command.clone(), limits.timeout, limits.panics);
    let traced = move || {
        let mut observer = Observer { limit, panics: Vec::new(), deaths: Vec::new(), accesses: Vec::new() };
        let (ending, timed_out) = trace_within(&command, &settings, &mut observer, setup, timeout);
        (ending, timed_out, observer)
    };
    let seen = worker::done_by_one(traced);
    let (stdout, stderr) = (finish(&stdout), finish(&stderr));
    let (ending, timed_out, observer) = seen.ok_or(TraceError::Lost)?;
    let ending = match ending? {
        _ if timed_out => Ending::TimedOut,
        TraceEnding::Exited(status) => Ending::Exited(status),
        TraceEnding::Signaled(number) => Ending::Signaled(signal::name(number)),
    };
    drop(sandbox);
    let Observer { panics, deaths, accesses, .. } = observer;
    Ok(Observation { panics, deaths, ending, stdout, stderr, accesses })
}

fn resource_limits(limits: &Limits) -> Vec<(libc::__rlimit_resource_t, u64)> {
    let mut all = vec![(libc::RLIMIT_CORE, 0)];
    // Not the address space: a program may reserve far more of that than it uses.
    all.extend(limits.memory_bytes.map(|bytes| (libc::RLIMIT_DATA, bytes)));
    all.extend(limits.cpu_seconds.map(|seconds| (libc::RLIMIT_CPU, seconds)));
    all.extend(limits.file_bytes.map(|bytes| (libc::RLIMIT_FSIZE, bytes)));
    all
}

/// Reads a pipe to its end and keeps its beginning. Left alone where somebody unknown keeps the pipe open.
fn keep_output(mut pipe: std::io::PipeReader, limit: usize) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let (mut room, mut buffer) = (limit, vec![0; 16 << 10]);
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let kept = count.min(room);
            room -= kept;
            if kept > 0 && sender.send(buffer[..kept].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}

fn finish(parts: &mpsc::Receiver<Vec<u8>>) -> Vec<u8> {
    let deadline = Instant::now() + LAST_OUTPUT;
    let mut output = Vec::new();
    while let Ok(part) = parts.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        output.extend(part);
    }
    output
}

struct Observer {
    limit: usize,
    panics: Vec<ObservedPanic>,
    deaths: Vec<ObservedDeath>,
    accesses: Vec<Access>,
}

impl Recorder for Observer {
    fn crash(&mut self, crash: Crash) {
        let Some(thread) = crash.snapshot.threads.into_iter().next() else { return };
        let functions = thread.frames.into_iter().map(|frame| frame.function).collect();
        match (crash.place, crash.snapshot.cause) {
            (Some(location), cause) if self.panics.len() < self.limit => self.panics.push(ObservedPanic {
                message: cause.message,
                location,
                tid: thread.tid,
                thread_name: thread.name,
                functions,
            }),
            (None, cause) if self.deaths.len() < self.limit => self.deaths.push(ObservedDeath {
                kind: cause.kind,
                signal: cause.signal.unwrap_or_default(),
                functions,
            }),
            _ => {}
        }
    }

    fn repeated(&mut self, _place: &PanicLocation, _times: u64) {}

    fn expectation(&mut self, _test: &Frame) -> Expectation {
        Expectation::NoPanic
    }

    fn note(&mut self, _text: String) {}

    fn access(&mut self, access: Access) {
        self.accesses.push(access);
    }
}
