//! The tracer's loop: each report of the kernel, one at a time, to its meaning. Single-threaded, because ptrace
//! binds tracees to the thread that seized them.

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use relapse_snapshot::Spawner;

use super::breakpoint::{self, Stepped};
use super::deadline::KillSwitch;
use super::entries::{Entry, Files};
use super::guard::Guard;
use super::known::Known;
use super::live::{self, LiveMemory};
use super::policy::Policy;
use super::process::{Begun, Breakpoint, Process, State, Thread};
use super::ptrace::{self, Change, Pid};
use super::stacks::StackReader;
use super::time_limit::TimeLimit;
use super::watching::Watching;
use super::{Crash, Ending, Recorder, Settings};
use crate::memory::Memory;
use crate::panic::{Origin, PanicCall, Payload};
use crate::signal;

/// How long to wait for a thread to stop. One that is blocked in the kernel for good answers no interrupt.
const STOP_LIMIT: Duration = Duration::from_millis(200);
/// A panic inside a panic hook is the last one; more begun panics than this are a damaged process.
const NESTED_LIMIT: usize = 8;
/// What std says when a panic meets a frame that cannot unwind: it belongs to the panic before it.
const CONSEQUENCES: [&str; 2] =
    ["panic in a function that cannot unwind", "panic in a destructor during cleanup"];

/// How the root process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootEnd {
    /// After it had become the command.
    Ended(Ending),
    /// Before.
    NeverStarted(Ending),
    /// Nobody reported its end.
    Lost,
}

/// The state of a traced command.
pub(super) struct Tracer<'a> {
    pub(super) root: Pid,
    root_started: bool,
    pub(super) kill_rest: bool,
    pub(super) kill_switch: KillSwitch,
    killing: bool,
    pub(super) settings: &'a Settings,
    pub(super) recorder: &'a mut dyn Recorder,
    pub(super) threads: HashMap<Pid, Thread>,
    pub(super) processes: HashMap<Pid, Process>,
    pub(super) policy: Policy,
    pub(super) stacks: StackReader,
    files: Files,
    pub(super) watching: Option<Watching>,
    /// Over a sandboxed command.
    pub(super) guard: Option<Guard>,
    /// Over the programs that may only run for so long.
    pub(super) time_limit: Option<TimeLimit>,
    /// Reports that came while threads were being stopped for another one's sake.
    pub(super) queue: VecDeque<(Pid, Change)>,
    /// Crashes that were read and are not handed over yet.
    pub(super) captured: Vec<Crash>,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(
        root: Pid,
        settings: &'a Settings,
        recorder: &'a mut dyn Recorder,
        kill_rest: bool,
        kill_switch: KillSwitch,
        guard: Option<Guard>,
    ) -> Tracer<'a> {
        let Known { files, images, .. } = Known::of_thread(&settings.debug_folders);
        Tracer {
            root,
            root_started: false,
            kill_rest,
            kill_switch,
            killing: false,
            settings,
            recorder,
            threads: HashMap::from([(root, Thread::new(root))]),
            processes: HashMap::from([(root, Process::default())]),
            policy: Policy::default(),
            stacks: StackReader::new(&settings.roots, settings.limits.clone(), images),
            files,
            watching: settings.watch.as_ref().map(Watching::new),
            guard,
            time_limit: settings.timeout.map(TimeLimit::new),
            queue: VecDeque::new(),
            captured: Vec::new(),
        }
    }

    /// Keeps what was read of programs and libraries for the next command.
    pub(super) fn keep_known(self) {
        Known::keep(self.settings.debug_folders.clone(), self.files, self.stacks.into_images());
    }

    /// Follows the command to its end.
    pub(super) fn run(&mut self) -> RootEnd {
        let mut end = None;
        while end.is_none() {
            let Some((tid, change)) = self.queue.pop_front().or_else(ptrace::wait_any) else { break };
            if self.kill_switch.is_on() && !self.killing {
                self.killing = true;
                self.kill_all();
            }
            end = self.report(tid, change);
            self.hand_over();
        }
        if self.kill_rest {
            self.kill_rest();
        } else {
            self.let_go();
        }
        for process in self.policy.processes() {
            self.process_ended(process, None);
        }
        for access in self.guard.iter().flat_map(Guard::told) {
            self.recorder.access(access);
        }
        if let Some(watching) = &self.watching {
            let account = watching.account();
            self.recorder.note(account);
        }
        match end {
            Some(ending) if self.root_started => RootEnd::Ended(ending),
            Some(ending) => RootEnd::NeverStarted(ending),
            None => RootEnd::Lost,
        }
    }

    /// Hands over what was captured. Only now that its thread runs on: to redact a snapshot and to write it takes as long as
    /// to read it, and nothing of that needs the program.
    pub(super) fn hand_over(&mut self) {
        for crash in std::mem::take(&mut self.captured) {
            self.recorder.crash(crash);
        }
    }

    /// One report. Returns the root's ending, when it is that.
    fn report(&mut self, tid: Pid, change: Change) -> Option<Ending> {
        match change {
            Change::Exited(status) => self.gone(tid, Ending::Exited(status)),
            Change::Killed(signal) => self.gone(tid, Ending::Signaled(signal)),
            Change::Signal(signal) => {
                self.stopped(tid);
                self.at_signal(tid, signal);
                None
            }
            Change::Event(event, signal) => {
                self.stopped(tid);
                self.at_event(tid, event, signal);
                None
            }
            Change::Result => {
                self.stopped(tid);
                self.at_result(tid);
                None
            }
        }
    }

    /// Notes that a thread is stopped; one that was not known is a new child, whose parent's report may be late.
    pub(super) fn stopped(&mut self, tid: Pid) {
        if !self.threads.contains_key(&tid) {
            let status = live::status(tid).unwrap_or_default();
            let number = |field| live::field_of(&status, field).and_then(|text| text.parse::<Pid>().ok());
            // It was killed meanwhile: then nothing of this matters.
            let process = number("Tgid").unwrap_or(tid);
            if !self.processes.contains_key(&process) {
                let parent = number("PPid").and_then(|parent| self.processes.get(&parent));
                let new = parent.map_or_else(
                    || {
                        let mut new = Process::new(tid);
                        new.look_for_images(tid, &mut self.files);
                        new
                    },
                    |parent| parent.forked(tid),
                );
                self.processes.insert(process, new);
                self.bound_processes();
            }
            self.threads.insert(tid, Thread::new(process));
        }
        self.set_state(tid, State::Stopped);
    }

    /// Notes a child that its parent's report names, so that its own need not be looked up: a thread, or a process, which
    /// a bare clone makes, too. The kernel may hold the child's own report back while its parent has more to tell.
    fn expect_child(&mut self, parent: Pid) {
        let Some(child) = ptrace::event_message(parent).map(|tid| tid as Pid) else { return };
        let process = self.process_of(parent);
        // Its own report may have come first.
        if let Some(known) = self.threads.get(&child) {
            if known.process == process {
                self.spawned(child, parent);
            }
            return;
        }
        if live::is_thread_of(child, process) {
            self.threads.insert(child, Thread::new(process));
            self.spawned(child, parent);
        } else if let Some(known) = self.processes.get(&process)
            && live::is_thread_of(child, child)
        {
            let forked = known.forked(child);
            self.processes.insert(child, forked);
            if let Some(watching) = &mut self.watching {
                watching.made.forked(child);
            }
            self.threads.insert(child, Thread::new(child));
            self.bound_processes();
        }
    }

    /// Notes which thread spawned another one of its process. Nothing of it is read but its name, and that once.
    fn spawned(&mut self, child: Pid, parent: Pid) {
        let Some(thread) = self.threads.get_mut(&parent) else { return };
        let process = thread.process;
        let spawner = thread.as_spawner.get_or_insert_with(|| {
            Rc::new(Spawner { tid: parent as u32, name: live::name_of(process, parent) })
        });
        let spawner = Some(Rc::clone(spawner));
        if let Some(thread) = self.threads.get_mut(&child) {
            thread.spawned_by = spawner;
        }
    }

    pub(super) fn set_state(&mut self, tid: Pid, state: State) {
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.state = state;
        }
    }

    pub(super) fn process_of(&self, tid: Pid) -> Pid {
        self.threads.get(&tid).map_or(tid, |thread| thread.process)
    }

    /// The memory of a stopped thread's process. The main thread may have ended before: only a living one leads there.
    pub(super) fn memory(&self, tid: Pid) -> LiveMemory {
        let process = self.processes.get(&self.process_of(tid));
        process.map_or_else(|| LiveMemory::of(tid), |process| process.memory(tid))
    }

    pub(super) fn resume(&mut self, tid: Pid, signal: i32) {
        self.set_state(tid, State::Running);
        ptrace::resume(tid, signal);
    }

    fn gone(&mut self, tid: Pid, ending: Ending) -> Option<Ending> {
        self.threads.remove(&tid);
        if let Some(watching) = &mut self.watching {
            watching.thread_gone(tid);
        }
        if self.processes.remove(&tid).is_some() {
            if let Some(time_limit) = &mut self.time_limit {
                time_limit.forget(tid);
            }
            self.threads.retain(|_, thread| thread.process != tid);
            self.process_ended(tid, Some(ending));
        }
        (tid == self.root).then_some(ending)
    }

    /// Tells what was kept back until the process ended: tests that may have been meant to panic, and counts.
    pub(super) fn process_ended(&mut self, process: Pid, ending: Option<Ending>) {
        self.hand_over();
        let (pending, counted) = self.policy.ended(process);
        // A test program that ends well had no failed test: all its panics were expected.
        if ending != Some(Ending::Exited(0)) {
            for crash in pending {
                self.recorder.crash(crash);
            }
        }
        for (place, times) in counted {
            self.recorder.repeated(&place, times);
        }
    }

    fn at_event(&mut self, tid: Pid, event: i32, signal: i32) {
        match event {
            libc::PTRACE_EVENT_EXEC => return self.at_exec(tid),
            libc::PTRACE_EVENT_CLONE | libc::PTRACE_EVENT_FORK => self.expect_child(tid),
            libc::PTRACE_EVENT_VFORK => {
                self.expect_child(tid);
                ptrace::resume(tid, 0);
                return self.set_state(tid, State::InVfork);
            }
            libc::PTRACE_EVENT_EXIT => {
                self.tell_begun(tid);
            }
            libc::PTRACE_EVENT_SECCOMP => return self.at_watched_call(tid),
            libc::PTRACE_EVENT_STOP
                if [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal) =>
            {
                // A group-stop: it stays stopped as it would without us, until SIGCONT.
                self.set_state(tid, State::Running);
                return ptrace::listen(tid);
            }
            _ => {}
        }
        self.resume(tid, 0);
    }

    /// The process is another program now. All its other threads are gone, and the one that called exec has
    /// taken over the process's number.
    fn at_exec(&mut self, process: Pid) {
        // What the user asked for, whatever its name is.
        let is_asked_for = process == self.root && !self.root_started;
        self.root_started |= is_asked_for;
        self.threads.retain(|_, thread| thread.process != process);
        let former = ptrace::event_message(process).map_or(process, |tid| tid as Pid);
        self.threads.remove(&former);
        self.queue.retain(|(tid, _)| *tid != former && *tid != process);
        self.process_ended(process, None);
        if !is_asked_for && self.is_untraced(process) {
            self.processes.remove(&process);
            return ptrace::detach(process, 0);
        }
        self.threads.insert(process, Thread::new(process));
        let mut new = Process::new(process);
        for note in new.look_for_images(process, &mut self.files) {
            self.recorder.note(note);
        }
        self.processes.insert(process, new);
        if let Some(watching) = &mut self.watching {
            watching.process_changed(process);
        }
        self.watch_process(process, process);
        self.limit_time(process);
        self.resume(process, 0);
    }

    /// Whether a program is let go. Not in a sandbox: its filter asks the tracer, and without one each watched call fails.
    fn is_untraced(&self, process: Pid) -> bool {
        if self.guard.is_some() {
            return false;
        }
        let name = crate::program::name(process);
        self.settings.untraced.contains(&name)
    }

    fn at_signal(&mut self, tid: Pid, signal: i32) {
        if signal == libc::SIGSTOP && self.at_time_limit(tid) {
            return;
        }
        if signal == libc::SIGTRAP && self.at_trap(tid) {
            return;
        }
        if signal::crash_description(signal).is_some() {
            self.at_crash_signal(tid, signal);
        }
        self.resume(tid, signal);
    }

    /// A SIGTRAP: whether it is one of our breakpoints, and if so, all that follows from it.
    fn at_trap(&mut self, tid: Pid) -> bool {
        const SI_KERNEL: i32 = 0x80;
        const TRAP_BRKPT: i32 = 1;
        if !ptrace::signal_info(tid).is_some_and(|(code, _)| code == SI_KERNEL || code == TRAP_BRKPT) {
            return false;
        }
        let Some(mut registers) = ptrace::registers(tid) else { return false };
        let address = registers.rip.wrapping_sub(1);
        let process_id = self.process_of(tid);
        let Some(process) = self.processes.get_mut(&process_id) else { return false };
        let is_too_early = |b: &Breakpoint| b.is_too_early(&process.memory(tid));
        let found = process.breakpoint(address).map(|b| (b.entry, is_too_early(b)));
        let Some((entry, is_too_early)) = found else {
            let ours = process.is_cleared(tid, address);
            if ours {
                registers.rip = address;
                ptrace::set_registers(tid, &registers);
                self.resume(tid, 0);
            }
            return ours;
        };
        registers.rip = address;
        match entry {
            Entry::LibrariesChanged if is_too_early => {}
            Entry::LibrariesChanged => {
                for note in process.look_for_images(tid, &mut self.files) {
                    self.recorder.note(note);
                }
                self.watch_process(process_id, tid);
            }
            Entry::Watched => self.at_watched(tid, address, &registers),
            Entry::PanicWithHook => self.panic_begins(tid, address, &registers),
            Entry::Raise => self.panic_raised(tid, &registers),
            Entry::RustPanic => {
                let begun = self.threads.get_mut(&tid).and_then(|thread| thread.begun.pop());
                // None: `resume_unwind`, which is no new panic.
                if let Some(begun) = begun {
                    self.tell_panic(tid, &begun);
                }
            }
        }
        self.step_over(tid, address, registers);
        true
    }

    fn panic_begins(&mut self, tid: Pid, address: u64, registers: &libc::user_regs_struct) {
        if self.panics_enough(tid) {
            return;
        }
        let Some(process) = self.processes.get(&self.process_of(tid)) else { return };
        let Some(breakpoint) = process.breakpoint(address) else { return };
        let memory = process.memory(tid);
        let arguments = [registers.rdi, registers.rsi, registers.rdx, registers.rcx, registers.r8];
        let Some(call) = PanicCall::read(breakpoint.minor(), arguments, &memory) else { return };
        let origin = breakpoint.origin(memory.read_u64(registers.rsp).unwrap_or(0));
        let Some(thread) = self.threads.get_mut(&tid) else { return };
        if !call.can_unwind
            && thread.panicked
            && CONSEQUENCES.contains(&Payload::read(&call, &origin, &memory).message())
        {
            return;
        }
        if thread.begun.len() < NESTED_LIMIT {
            if !thread.exit_is_reported {
                thread.exit_is_reported = ptrace::report_exit(tid, self.guard.is_some());
            }
            thread.begun.push(Begun { call, origin, registers: *registers, raised: false });
        }
    }

    /// A panic of an image without symbols, which shows only as it begins to unwind.
    fn panic_raised(&mut self, tid: Pid, registers: &libc::user_regs_struct) {
        let Some(process) = self.processes.get(&self.process_of(tid)) else { return };
        let memory = process.memory(tid);
        // Images with symbols raise through the same function, and their panics were told of by then.
        let caller = memory.read_u64(registers.rsp).unwrap_or(0);
        let Some(image) = process.hidden_at(caller) else { return };
        let Some(call) = PanicCall::raised(image.minor, registers.rdi, registers.rsp, &memory) else {
            return;
        };
        if self.panics_enough(tid) {
            return;
        }
        let begun = Begun { call, origin: Origin::Value(None), registers: *registers, raised: true };
        self.tell_panic(tid, &begun);
    }

    /// Counts a panic of a thread's process; one that has had so many is left alone from then on.
    fn panics_enough(&mut self, tid: Pid) -> bool {
        let process_id = self.process_of(tid);
        let Some(process) = self.processes.get_mut(&process_id) else { return false };
        process.panics += 1;
        if !Policy::is_enough(process.panics) {
            return false;
        }
        let times = process.panics;
        process.disarm(tid);
        for thread in self.threads.values_mut().filter(|thread| thread.process == process_id) {
            thread.begun.clear();
        }
        self.recorder.note(format!(
            "{} has panicked {times} times: it runs on at full speed, further panics are not looked at",
            crate::program::name(tid)
        ));
        true
    }

    /// Runs the instruction under a breakpoint and lets the thread go on. `registers.rip` is at the breakpoint.
    fn step_over(&mut self, tid: Pid, address: u64, mut registers: libc::user_regs_struct) {
        let process_id = self.process_of(tid);
        let code = self.processes.get(&process_id).and_then(|p| p.breakpoint(address)).map(|b| b.code);
        let stepped = match code {
            // It was removed meanwhile: the code is there again.
            None => Stepped::Done,
            Some(code) => breakpoint::emulate(&code, &mut registers, &self.memory(tid)),
        };
        ptrace::set_registers(tid, &registers);
        if stepped == Stepped::NotKnown {
            match self.step_lifted(tid, address) {
                Some(Change::Signal(libc::SIGTRAP)) if is_step(tid) => {}
                // Another signal came first, or its end: an ordinary report. After a signal's handler the
                // breakpoint is met once more, which counts a panic twice at worst.
                Some(change) => return self.queue.push_back((tid, change)),
                None => return,
            }
        }
        self.resume(tid, 0);
    }

    /// Runs the one instruction under a breakpoint, which is lifted meanwhile, while the process's other threads stand
    /// still. `None`: nothing is to be done any more.
    fn step_lifted(&mut self, tid: Pid, address: u64) -> Option<Change> {
        let process_id = self.process_of(tid);
        let held = self.stop_others(tid);
        let lift = |tracer: &Self, lifted| {
            tracer.processes.get(&process_id).is_some_and(|known| known.lift(tid, address, lifted))
        };
        let change = if lift(self, true) {
            let change = if ptrace::step(tid) { ptrace::wait_one(tid) } else { None };
            lift(self, false);
            change
        } else {
            // Behind the breakpoint lies the rest of an instruction: running that would be worse than an end.
            self.recorder.note(format!(
                "{} was ended by SIGTRAP at a breakpoint of ours: its memory could not be written to any more",
                crate::program::name(tid)
            ));
            self.resume(tid, libc::SIGTRAP);
            None
        };
        self.let_others_run(&held);
        change
    }

    /// Stops all other threads of a thread's process, those that can be stopped within [`STOP_LIMIT`]. Returns
    /// those that have to be let run again; reports of another kind that came meanwhile are in the queue.
    fn stop_others(&mut self, tid: Pid) -> Vec<Pid> {
        let process = self.process_of(tid);
        let others: Vec<Pid> = self
            .threads
            .iter()
            .filter(|(other, thread)| thread.process == process && **other != tid)
            .map(|(other, _)| *other)
            .collect();
        self.stop_threads(&others)
    }

    /// Stops these threads, where they run.
    pub(super) fn stop_threads(&mut self, threads: &[Pid]) -> Vec<Pid> {
        let running = |tid: &Pid| self.threads.get(tid).is_some_and(|t| t.state == State::Running);
        let asked: Vec<Pid> =
            threads.iter().copied().filter(running).filter(|other| ptrace::interrupt(*other)).collect();
        let deadline = Instant::now() + STOP_LIMIT;
        let mut held = Vec::new();
        for other in asked {
            loop {
                match ptrace::poll_one(other) {
                    Ok(Some(Change::Event(libc::PTRACE_EVENT_STOP, libc::SIGTRAP))) => {
                        self.set_state(other, State::Stopped);
                        held.push(other);
                        break;
                    }
                    Ok(Some(change)) => {
                        self.set_state(other, State::Stopped);
                        self.queue.push_back((other, change));
                        break;
                    }
                    Ok(None) if Instant::now() < deadline => sleep(Duration::from_micros(50)),
                    Ok(None) | Err(_) => break,
                }
            }
        }
        held
    }

    /// Lets threads run that [`Tracer::stop_others`] stopped.
    pub(super) fn let_others_run(&mut self, held: &[Pid]) {
        for other in held {
            self.resume(*other, 0);
        }
    }

    /// Tells of the panics of a thread whose message nobody will complete any more. Returns whether there were
    /// any.
    pub(super) fn tell_begun(&mut self, tid: Pid) -> bool {
        let begun = self.threads.get_mut(&tid).map(|thread| std::mem::take(&mut thread.begun));
        let begun = begun.unwrap_or_default();
        for begun in &begun {
            self.tell_panic(tid, begun);
        }
        !begun.is_empty()
    }
}

/// Whether a SIGTRAP tells of a single step that is done.
fn is_step(tid: Pid) -> bool {
    const TRAP_TRACE: i32 = 2;
    ptrace::signal_info(tid).is_some_and(|(code, _)| code == TRAP_TRACE)
}
