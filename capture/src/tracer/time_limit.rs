//! How long programs may run. In: processes as they begin and end; out, once one's time is over, a SIGSTOP to it, which
//! the tracer sees before the program does: the tracer waits for its tracees alone, and so is woken by one of them.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::ptrace::Pid;

/// What the thread that looks at the clock is told.
enum Told {
    /// A process, and when its time is over.
    Began(Pid, OwnedFd, Instant),
    Ended(Pid),
}

/// The limit, and since when each process runs.
pub(super) struct TimeLimit {
    limit: Duration,
    began: HashMap<Pid, Instant>,
    clock: mpsc::Sender<Told>,
}

impl TimeLimit {
    pub(super) fn new(limit: Duration) -> TimeLimit {
        let (clock, told) = mpsc::channel();
        // It ends when the sender is dropped.
        thread::spawn(move || watch(&told));
        TimeLimit { limit, began: HashMap::new(), clock }
    }

    /// Begins a process's time, anew where it has become another program.
    pub(super) fn begin(&mut self, process: Pid) -> io::Result<()> {
        let now = Instant::now();
        let descriptor = super::process_descriptor(process)?;
        // A time that no clock can tell is never over.
        let Some(end) = now.checked_add(self.limit) else { return Ok(()) };
        self.began.insert(process, now);
        self.clock.send(Told::Began(process, descriptor, end)).map_err(io::Error::other)
    }

    /// The process has ended, or is another program that has no limit.
    pub(super) fn forget(&mut self, process: Pid) {
        if self.began.remove(&process).is_some() {
            // Without that thread there is nothing to be told.
            let _ = self.clock.send(Told::Ended(process));
        }
    }

    /// The limit, where a process has overrun it; once for each process.
    pub(super) fn overrun(&mut self, process: Pid) -> Option<Duration> {
        let began = self.began.get(&process)?;
        if began.elapsed() < self.limit {
            return None;
        }
        self.forget(process);
        Some(self.limit)
    }
}

fn watch(told: &mpsc::Receiver<Told>) {
    let mut running: HashMap<Pid, (OwnedFd, Instant)> = HashMap::new();
    loop {
        let next = running.values().map(|(_, end)| *end).min();
        let new = match next {
            Some(end) => told.recv_timeout(end.saturating_duration_since(Instant::now())),
            None => told.recv().map_err(mpsc::RecvTimeoutError::from),
        };
        match new {
            Ok(Told::Began(process, descriptor, end)) => drop(running.insert(process, (descriptor, end))),
            Ok(Told::Ended(process)) => drop(running.remove(&process)),
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let now = Instant::now();
                for (_, (descriptor, _)) in running.extract_if(|_, (_, end)| *end <= now) {
                    // SAFETY: a system call on plain numbers; the descriptor is open. A process that has just ended
                    // needs no signal.
                    unsafe {
                        let process = descriptor.as_raw_fd();
                        libc::syscall(libc::SYS_pidfd_send_signal, process, libc::SIGSTOP, 0_usize, 0)
                    };
                }
            }
        }
    }
}
