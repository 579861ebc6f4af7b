//! One process with limits: its own process group, bounded time, memory and output, and nothing of it left when
//! this returns. Reads and ends processes; knows nothing of tests.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use relapse_capture::sandbox::Sandbox;

use super::Limits;

/// Marks every process of a run, also one that left its process group.
const MARK: &str = "RELAPSE_RUN";

/// How long the output of a finished run is waited for.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// A process could not be started or waited for.
#[derive(Debug, thiserror::Error)]
#[error("failed to run {program}")]
pub struct ProcessError {
    /// The program.
    pub program: PathBuf,
    /// The system's own reason.
    pub source: io::Error,
}

/// How a process came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself or by a signal.
    ByItself(ExitStatus),
    /// At its time limit.
    TimedOut,
}

/// A process that is no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How.
    pub ended: Ended,
    /// The start of its standard output.
    pub stdout: Vec<u8>,
    /// The start of its standard error.
    pub stderr: Vec<u8>,
    /// How long it ran.
    pub duration: Duration,
}

/// Runs a program to its end or its limit, confined where a sandbox is given. Every process that it started, directly or not, is ended too.
pub fn run(
    executable: &Path,
    arguments: &[&str],
    folder: &Path,
    environment: &[(OsString, OsString)],
    limits: &Limits,
    sandbox: Option<&Arc<Sandbox>>,
) -> Result<Finished, ProcessError> {
    let failed = |source| ProcessError { program: executable.to_owned(), source };
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mark = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut command = Command::new(executable);
    command.args(arguments).current_dir(folder).env_clear().envs(environment.iter().map(|(n, v)| (n, v)));
    command
        .env(MARK, &mark)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let resources = [
        (libc::RLIMIT_CORE, Some(0)),
        (libc::RLIMIT_DATA, limits.memory_bytes),
        (libc::RLIMIT_CPU, limits.cpu_seconds),
        (libc::RLIMIT_FSIZE, limits.file_bytes),
    ];
    let sandbox = sandbox.map(Arc::clone);
    // SAFETY: between fork and exec only system calls are made, which allocate nothing.
    unsafe {
        command.pre_exec(move || {
            limit_process(&resources)?;
            // It goes with us, however we end. Only this thread waits for it, so it is no other thread's end.
            if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                return Err(io::Error::last_os_error());
            }
            sandbox.as_ref().map_or(Ok(()), |sandbox| sandbox.enter(false))
        });
    }
    let started = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let stdout = child.stdout.take().map(|stream| keep_start(stream, limits.output_bytes));
    let stderr = child.stderr.take().map(|stream| keep_start(stream, limits.output_bytes));
    let in_time = wait(&child, started + limits.timeout).map_err(failed);
    let duration = started.elapsed();
    // Before the leader is reaped, so that its id cannot belong to anybody else by then.
    end_group(&child);
    let status = child.wait().map_err(failed)?;
    end_marked(&mark);
    Ok(Finished {
        ended: if in_time? { Ended::ByItself(status) } else { Ended::TimedOut },
        stdout: stdout.as_ref().map(collect).unwrap_or_default(),
        stderr: stderr.as_ref().map(collect).unwrap_or_default(),
        duration,
    })
}

/// A limit and its value.
type Resource = (libc::__rlimit_resource_t, Option<u64>);

/// Bounds what a process can use, and leaves no core file behind. Memory is what it can write to: a program may
/// reserve far more address space than that.
fn limit_process(resources: &[Resource; 4]) -> io::Result<()> {
    for (resource, value) in resources {
        let Some(value) = *value else { continue };
        let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
        // SAFETY: setrlimit reads the struct that it is given.
        if unsafe { libc::setrlimit(*resource, &raw const limit) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Whether the process ended before the deadline; it is not reaped.
fn wait(child: &Child, deadline: Instant) -> io::Result<bool> {
    let mut pause = Duration::from_micros(500);
    loop {
        // SAFETY: all zeroes is a valid siginfo_t, and waitid fills it.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the pointer is to a siginfo_t of ours.
        if unsafe { libc::waitid(libc::P_PID, child.id(), &raw mut info, options) } != 0 {
            let error = io::Error::last_os_error();
            if error.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        // SAFETY: waitid filled the structure with a child's state, or left the zeroes.
        if unsafe { info.si_pid() } != 0 {
            return Ok(true);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn end_group(child: &Child) {
    if let Ok(id) = i32::try_from(child.id()) {
        // SAFETY: kill touches no memory; the group is the child's own (`process_group(0)`), not reaped yet.
        unsafe { libc::kill(-id, libc::SIGKILL) };
    }
}

/// Ends the processes that left the group (`setsid`, daemons): they still have the mark in their environment.
fn end_marked(mark: &str) {
    let entry = format!("{MARK}={mark}");
    // One that forks while it is looked for is found the next time.
    for _ in 0..10 {
        let marked: Vec<i32> = processes().filter(|id| has_entry(*id, entry.as_bytes())).collect();
        if marked.is_empty() {
            break;
        }
        for id in marked {
            // SAFETY: kill touches no memory.
            unsafe { libc::kill(id, libc::SIGKILL) };
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn has_entry(process: i32, entry: &[u8]) -> bool {
    let environment = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|found| found == entry)
}

/// Reads a stream to its end and keeps its start. The reader is left alone where somebody unknown keeps the
/// stream open.
fn keep_start(mut stream: impl Read + Send + 'static, limit: usize) -> Receiver<Vec<u8>> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut buffer = vec![0; 16 << 10];
        let mut room = limit;
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => {
                    let kept = len.min(room);
                    room -= kept;
                    if kept > 0 && sender.send(buffer[..kept].to_vec()).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    receiver
}

fn collect(parts: &Receiver<Vec<u8>>) -> Vec<u8> {
    let deadline = Instant::now() + LAST_OUTPUT;
    let mut output = Vec::new();
    while let Ok(part) = parts.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        output.extend(part);
    }
    output
}
