//! What becomes of the processes that outlive their command. They are let go: their code as it was, each thread
//! detached; every tracee dies with its tracer (`PTRACE_O_EXITKILL`), so none may be left behind here, however long it
//! takes. Or they are killed, and waited for.

use std::collections::HashSet;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::events::Tracer;
use super::live;
use super::ptrace::{self, Change, Pid};

/// How long to wait between two looks, at first and at most. A thread that is blocked in the kernel stops once it
/// comes out of there.
const WAITS: [Duration; 2] = [Duration::from_micros(50), Duration::from_millis(20)];

impl Tracer<'_> {
    pub(super) fn kill_all(&mut self) {
        for process in self.processes.keys() {
            // SAFETY: a system call on numbers; these are unreaped tracees, so their numbers are theirs.
            unsafe { libc::kill(*process, libc::SIGKILL) };
        }
    }

    /// Kills what the command left behind, and waits until nothing of it is there. Children of this thread that are no
    /// tracees (it may have had some when it became this program) go their own way.
    pub(super) fn kill_rest(&mut self) {
        self.kill_all();
        let mut wait = WAITS[0];
        loop {
            match self.queue.pop_front().or_else(ptrace::poll_any) {
                Some((tid, Change::Exited(_) | Change::Killed(_))) => {
                    self.threads.remove(&tid);
                    if self.processes.remove(&tid).is_some() {
                        self.process_ended(tid, None);
                    }
                }
                Some((tid, Change::Signal(_) | Change::Event(..) | Change::Result)) => {
                    // Also those that were born meanwhile.
                    let process = live::status_field(tid, "Tgid").and_then(|t| t.parse().ok()).unwrap_or(tid);
                    // SAFETY: a system call on numbers; a stopped tracee's number is its own.
                    unsafe { libc::kill(process, libc::SIGKILL) };
                    ptrace::resume(tid, 0);
                }
                None if !ptrace::has_children() || !has_tracees() => return,
                None => {
                    sleep(wait);
                    wait = WAITS[1].min(wait * 2);
                    continue;
                }
            }
            wait = WAITS[0];
        }
    }

    /// Takes the breakpoints out of the processes that outlive the command, and lets them run on untraced.
    pub(super) fn let_go(&mut self) {
        for (pid, process) in &mut self.processes {
            process.remove(*pid, |_| true);
        }
        let mut left: HashSet<Pid> = self.threads.keys().copied().collect();
        let queued: HashSet<Pid> = self.queue.iter().map(|(tid, _)| *tid).collect();
        for tid in left.difference(&queued) {
            ptrace::interrupt(*tid);
        }
        let mut wait = WAITS[0];
        loop {
            if let Some((tid, change)) = self.queue.pop_front().or_else(ptrace::poll_any) {
                left.remove(&tid);
                left.extend(self.detach(tid, change));
                wait = WAITS[0];
                continue;
            }
            left.retain(|tid| is_followed(*tid));
            if left.is_empty() {
                return;
            }
            sleep(wait);
            wait = WAITS[1].min(wait * 2);
        }
    }

    /// Lets a thread go that has reported. Returns the thread that it has started, whose own report is to come.
    fn detach(&mut self, tid: Pid, change: Change) -> Option<Pid> {
        if matches!(change, Change::Exited(_) | Change::Killed(_)) {
            self.threads.remove(&tid);
            return None;
        }
        if matches!(change, Change::Event(libc::PTRACE_EVENT_EXEC, _)) {
            // Another program, which has no breakpoints yet.
            self.processes.remove(&tid);
        }
        self.stopped(tid);
        // A child that was forked before its parent's breakpoints were removed has them still, and so has a process
        // whose main thread has ended: its memory is only to be had through another thread.
        if let Some(known) = self.processes.get(&self.process_of(tid)) {
            known.restore(tid);
        }
        let mut started = None;
        let signal = match change {
            Change::Signal(libc::SIGTRAP) if self.rewind(tid) => 0,
            Change::Signal(signal) => signal,
            Change::Event(
                libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK | libc::PTRACE_EVENT_CLONE,
                _,
            ) => {
                started = ptrace::event_message(tid).map(|child| child as Pid);
                0
            }
            _ => 0,
        };
        ptrace::detach(tid, signal);
        started
    }

    /// Sets a thread that has met a breakpoint, which is gone, back to the code that stood under it.
    fn rewind(&self, tid: Pid) -> bool {
        let Some(mut registers) = ptrace::registers(tid) else { return false };
        let address = registers.rip.wrapping_sub(1);
        if !self.processes.get(&self.process_of(tid)).is_some_and(|p| p.is_retired(address)) {
            return false;
        }
        registers.rip = address;
        ptrace::set_registers(tid, &registers)
    }
}

/// Whether any process is traced by this thread, also one that has ended and is not waited for yet.
fn has_tracees() -> bool {
    // SAFETY: it only returns a number. The kernel names the tracer by its thread.
    let tracer = unsafe { libc::gettid() }.to_string();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.any(|process| live::status_field(process, "TracerPid").is_some_and(|id| id == tracer))
}

/// Whether a thread is there and traced by this one. A main thread that has ended before the others of its process is
/// not waited for: nothing of it can be stopped, nor killed.
fn is_followed(tid: Pid) -> bool {
    // SAFETY: it only returns a number. The kernel names the tracer by its thread.
    let tracer = unsafe { libc::gettid() }.to_string();
    let lives = !live::status_field(tid, "State").is_none_or(|state| state.starts_with(['Z', 'X']));
    lives && live::status_field(tid, "TracerPid").is_some_and(|id| id == tracer)
}
