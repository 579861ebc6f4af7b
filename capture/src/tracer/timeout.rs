//! A program that has overrun its time: stopped, told of as a crash, and ended with everything that it started.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::time::Duration;

use relapse_snapshot::{Cause, Frame, FrameKind};

use super::crash::{Found, OTHER_THREADS_LIMIT};
use super::events::Tracer;
use super::live;
use super::ptrace::{self, Pid};
use super::waits::{self, Wait};

/// A thread of the program, as it stood.
struct Stopped {
    tid: Pid,
    registers: libc::user_regs_struct,
    frames: Vec<Frame>,
    wait: Option<Wait>,
}

impl Stopped {
    fn is_own(&self) -> bool {
        self.frames.iter().any(|frame| frame.kind == FrameKind::Workspace)
    }

    /// Whether it was not in the kernel.
    fn runs(&self) -> bool {
        (self.registers.orig_rax as i64) < 0
    }
}

impl Tracer<'_> {
    /// Begins the time of a program under development. Shells and other tools around it have no limit of their own:
    /// what they do, a build, is none of what is watched.
    pub(super) fn limit_time(&mut self, process: Pid) {
        let root = self.settings.roots.workspace.as_ref();
        let Some(time_limit) = &mut self.time_limit else { return };
        time_limit.forget(process);
        let program = format!("/proc/{process}/exe");
        let is_inside = || {
            let root = fs::canonicalize(root?).ok()?;
            Some(fs::read_link(&program).ok()?.starts_with(root))
        };
        let has_debug_info = || File::open(&program).is_ok_and(crate::run::has_debug_info);
        // A command of our own is started for what is asked of it.
        let is_ours = self.kill_rest && process == self.root;
        if (is_ours || is_inside() == Some(true) || has_debug_info())
            && let Err(error) = time_limit.begin(process)
        {
            let name = crate::program::name(process);
            self.recorder.note(format!("the time of {name} is not limited: {error}"));
        }
    }

    /// A SIGSTOP: whether it is the end of a program's time, and if so, all that follows from it.
    pub(super) fn at_time_limit(&mut self, tid: Pid) -> bool {
        let process = self.process_of(tid);
        let Some(limit) = self.time_limit.as_mut().and_then(|time| time.overrun(process)) else {
            return false;
        };
        self.tell_timeout(tid, limit);
        self.end_family(process);
        true
    }

    fn tell_timeout(&mut self, tid: Pid, limit: Duration) {
        let process = self.process_of(tid);
        let ours = self.threads.iter().filter(|(_, thread)| thread.process == process);
        let mut threads: Vec<Pid> = ours.map(|(tid, _)| *tid).collect();
        // The main thread first: its number is the process's.
        threads.sort_unstable_by_key(|tid| (*tid != process, *tid));
        threads.truncate(OTHER_THREADS_LIMIT);
        self.stop_threads(&threads);
        let Some(target) = self.stacks.target(tid, self.memory(tid)) else {
            let name = crate::program::name(tid);
            return self.recorder.note(format!(
                "{name} was ended after {} s; its threads could not be read",
                limit.as_secs_f64()
            ));
        };
        let mut stopped = Vec::new();
        for tid in threads {
            let Some(registers) = ptrace::registers(tid) else { continue };
            let frames = self.stacks.names(&target, &registers);
            let wait = waits::of(&frames, &registers);
            stopped.push(Stopped { tid, registers, frames, wait });
        }
        let Some(chosen) = cause(&stopped) else { return };
        let cause = Cause::timeout(limit);
        let location = self.location(None, &chosen.frames);
        if !self.recorder.wants(&cause, None, location.as_ref(), &chosen.frames) {
            return;
        }
        let notes = notes(&stopped, |tid| live::name_of(process, tid));
        let found = Found { tid: chosen.tid, registers: &chosen.registers, cause, place: None, notes };
        let mut crash = self.capture(&target, found);
        // A thread that is stopped anywhere may be at an instruction that belongs to no line.
        let frame = crash.snapshot.innermost_workspace_frame().filter(|frame| frame.location.is_none());
        if let Some(declared) = frame.and_then(|frame| frame.declared.clone()) {
            crash.snapshot.location = Some(declared);
        }
        self.captured.push(crash);
    }

    /// Kills a program and all that it started; behind the command itself nothing is left at all.
    fn end_family(&mut self, process: Pid) {
        let descendants = descendants(process);
        if process == self.root {
            self.kill_rest = true;
            self.kill_all();
        }
        for process in std::iter::once(process).chain(descendants) {
            // SAFETY: a system call on numbers: an unreaped tracee's, and those of processes that it had a moment ago.
            unsafe { libc::kill(process, libc::SIGKILL) };
        }
    }
}

/// The thread that a hang is known by: one of the project's code that runs; else one that waits for a lock; else the main
/// thread or, where that waits for another one's end, that one.
fn cause(threads: &[Stopped]) -> Option<&Stopped> {
    let own = || threads.iter().filter(|thread| thread.is_own());
    let waits_for_lock = |thread: &&Stopped| thread.wait.as_ref().is_some_and(|wait| wait.lock.is_some());
    own()
        .find(|thread| thread.runs())
        .or_else(|| own().find(waits_for_lock))
        .or_else(|| {
            let mut thread = own().next()?;
            // A thread may wait for the end of each other one at most.
            for _ in threads {
                let joined = thread.wait.as_ref().and_then(|wait| wait.joined);
                let Some(next) = own().find(|other| Some(other.tid) == joined) else { break };
                thread = next;
            }
            Some(thread)
        })
        .or_else(|| threads.first())
}

/// Who waits for what.
fn notes(threads: &[Stopped], name: impl Fn(Pid) -> Option<String>) -> Vec<String> {
    let shown: Vec<String> =
        threads.iter().map(|thread| waits::shown(name(thread.tid), thread.tid)).collect();
    let mut locks: Vec<u64> = Vec::new();
    let mut notes = Vec::new();
    for (thread, who) in threads.iter().zip(&shown) {
        let Some(wait) = &thread.wait else { continue };
        let number = wait.lock.map(|lock| {
            let known = locks.iter().position(|known| *known == lock);
            1 + known.unwrap_or_else(|| {
                locks.push(lock);
                locks.len() - 1
            })
        });
        let joined = threads.iter().zip(&shown).find(|(other, _)| Some(other.tid) == wait.joined);
        let what = wait.words(number, joined.map(|(_, who)| who.as_str()));
        notes.push(format!("{who} waits for {what}{}", waits::place(&thread.frames)));
    }
    notes
}

/// All processes below one.
fn descendants(process: Pid) -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<Pid>().ok());
    let parent = |process: Pid| live::status_field(process, "PPid")?.parse::<Pid>().ok();
    let mut children: HashMap<Pid, Vec<Pid>> = HashMap::new();
    for process in processes {
        if let Some(parent) = parent(process) {
            children.entry(parent).or_default().push(process);
        }
    }
    let (mut found, mut seen) = (Vec::new(), HashSet::from([process]));
    let mut next = vec![process];
    while let Some(process) = next.pop() {
        for child in children.get(&process).into_iter().flatten().filter(|child| seen.insert(**child)) {
            found.push(*child);
            next.push(*child);
        }
    }
    found
}
