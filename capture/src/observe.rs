//! Runs one command under the tracer, with limits, and tells what happened: its panics, its output, its end.
//! Nothing that it started outlives the call.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use relapse_snapshot::{CauseKind, Frame};

use crate::panic::PanicLocation;
use crate::roots::Roots;
use crate::sandbox::{Access, Sandbox};
use crate::signal;
use crate::tracer::{
    Command, Control, Crash, Depth, Ending as TraceEnding, Expectation, KillSwitch, Recorder, Settings,
    Setup, TraceError, trace_with,
};

/// What one command may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Time by the clock.
    pub timeout: Duration,
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

/// A death by signal, abort or stack overflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedDeath {
    /// Which of these.
    pub kind: CauseKind,
    /// The signal's name.
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
    let kill_switch = KillSwitch::default();
    let (done, over) = mpsc::channel::<()>();
    let (started, root) = mpsc::channel::<OwnedFd>();
    let control = Control {
        setup,
        kill_rest: true,
        kill_switch: kill_switch.clone(),
        started: Some(Box::new(move |descriptor| drop(started.send(descriptor)))),
    };
    let mut observer =
        Observer { limit: limits.panics, panics: Vec::new(), deaths: Vec::new(), accesses: Vec::new() };
    let settings = Settings::new(roots.clone(), Depth::NAMES);
    let (ending, timed_out, stdout, stderr) = thread::scope(|scope| {
        // A thread of its own: the tracer waits for all children of its thread.
        let tracer = scope.spawn(|| trace_with(command, &settings, &mut observer, control));
        let stdout = keep_output(stdout_reader, limits.output_bytes);
        let stderr = keep_output(stderr_reader, limits.output_bytes);
        let watch = scope.spawn(move || watch(&root, &over, limits.timeout, &kill_switch));
        let ending = tracer.join().unwrap_or(Err(TraceError::Lost));
        drop(done);
        let timed_out = watch.join().unwrap_or(false);
        (ending, timed_out, finish(stdout), finish(stderr))
    });
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

/// Kills the root process when its time is over; the tracer, woken by that, kills the rest.
pub(crate) fn watch(
    root: &mpsc::Receiver<OwnedFd>,
    over: &mpsc::Receiver<()>,
    timeout: Duration,
    kill_switch: &KillSwitch,
) -> bool {
    let Ok(root) = root.recv() else { return false };
    match over.recv_timeout(timeout) {
        Err(mpsc::RecvTimeoutError::Timeout) => {
            kill_switch.switch();
            // SAFETY: a system call on plain numbers; the descriptor is open.
            let killed = unsafe {
                libc::syscall(libc::SYS_pidfd_send_signal, root.as_raw_fd(), libc::SIGKILL, 0_usize, 0)
            };
            // It ended in this very moment: then it was in time.
            killed == 0
        }
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => false,
    }
}

/// Reads a pipe to its end and keeps its beginning.
fn keep_output(mut pipe: std::io::PipeReader, limit: usize) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let (mut kept, mut buffer) = (Vec::new(), vec![0; 16 << 10]);
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            let room = limit.saturating_sub(kept.len());
            kept.extend_from_slice(&buffer[..count.min(room)]);
        }
        kept
    })
}

fn finish(output: JoinHandle<Vec<u8>>) -> Vec<u8> {
    output.join().unwrap_or_default()
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
