//! From a stopped thread to a crash: cause, place, frames, catchers, the other threads, the program.

use std::time::{Duration, Instant};

use relapse_snapshot::crash::FORMAT;
use relapse_snapshot::{
    Catcher, Cause, CauseKind, Endless, Frame, FrameKind, Location, Snapshot, Thread, TypeTable, bare_name,
};

use super::catchers::{self, caught_by};
use super::entries::generic_argument;
use super::events::Tracer;
use super::live;
use super::policy::Choice;
use super::process::Begun;
use super::ptrace::{self, Pid};
use super::stacks::Target;
use super::{Crash, Expectation, stack_size};
use crate::panic::{Origin, PanicLocation, Payload};
use crate::stack::Want;
use crate::{program, signal};

/// Stacks of other threads: at most so many, and no longer than this, since their threads stand still meanwhile.
pub(super) const OTHER_THREADS_LIMIT: usize = 64;
const OTHER_THREADS_TIME: Duration = Duration::from_millis(500);
/// A fault this far below the stack pointer is still the stack's: a function touches its frame page by page.
const STACK_PROBE: u64 = 1 << 20;
/// Functions of std that end in an abort for a panic's sake.
const PANIC_MACHINERY: [&str; 5] =
    ["panic_with_hook", "rust_panic", "__rust_start_panic", "panic_cannot_unwind", "panic_in_cleanup"];

/// What std calls where it gets no memory, before it aborts.
const OUT_OF_MEMORY: [&str; 3] = ["handle_alloc_error", "rust_oom", "__rust_alloc_error_handler"];

/// What a crash is, before its stacks are read.
pub(super) struct Found<'a> {
    pub(super) tid: Pid,
    pub(super) registers: &'a libc::user_regs_struct,
    pub(super) cause: Cause,
    pub(super) place: Option<PanicLocation>,
    pub(super) notes: Vec<String>,
}

impl Tracer<'_> {
    /// Tells of a panic whose message is as complete as it will get.
    pub(super) fn tell_panic(&mut self, tid: Pid, begun: &Begun) {
        let process = self.process_of(tid);
        if let Some(thread) = self.threads.get_mut(&tid) {
            thread.panicked = true;
        }
        let payload = Payload::read(&begun.call, &begun.origin, &self.memory(tid));
        let place = &begun.call.location;
        if self.policy.choose(process, place, payload.message()) == Choice::Count {
            return;
        }
        let Some(target) = self.stacks.target(tid, self.memory(tid)) else {
            if live::is_thread_of(tid, process) {
                self.recorder.note(format!(
                    "a panic of process {process} is not kept: the process lets nobody read its maps"
                ));
            }
            return;
        };
        let memory = target.memory();
        let names = self.stacks.names(&target, &begun.registers);
        let payload = match &begun.origin {
            // The value's type is known by the function that was compiled for it.
            Origin::Core | Origin::Value(Some(_)) => payload,
            Origin::Value(None) | Origin::Unknown => match value_type(&names) {
                Some(ty) => Payload::read(&begun.call, &Origin::Value(Some(ty)), memory),
                None => payload,
            },
        };
        let message = payload.message().to_owned();
        let expectation = self.expectation(&names);
        if expectation.as_ref().and_then(|e| e.meets(&message)) == Some(true) {
            return;
        }
        let mut notes = Vec::new();
        match payload {
            Payload::Unformatted => notes.push(
                "the message was never put together: the panic happened inside the panic hook".to_owned(),
            ),
            Payload::Unreadable => notes.push("the message could not be read".to_owned()),
            Payload::Text(_) | Payload::Other => {}
        }
        let cause = Cause { kind: CauseKind::Panic, message, signal: None };
        // Of a panic in a program without symbols the place may not be found.
        let place = Some(place.clone()).filter(|place| place.line > 0);
        let pending = expectation == Some(Expectation::Unknown);
        let location = self.location(place.as_ref(), &names);
        // Whether more of a kind are wanted goes by those that were kept.
        self.hand_over();
        if !pending && !self.recorder.wants(&cause, place.as_ref(), location.as_ref(), &names) {
            return;
        }
        let found = Found { tid, registers: &begun.registers, cause, place, notes };
        let mut crash = self.capture(&target, found);
        if begun.raised {
            let note = "seen as it began to unwind, its place found on the stack: there are no symbols";
            crash.snapshot.notes.push(note.to_owned());
            // The unwinder's own frame is none of the program's.
            if let Some(thread) = crash.snapshot.threads.first_mut()
                && thread.frames.len() > 1
            {
                thread.frames.remove(0);
            }
        }
        let now = if pending { self.policy.keep_pending(process, crash) } else { Some(crash) };
        if let Some(crash) = now {
            self.captured.push(crash);
        }
    }

    /// What the test that this stack belongs to expects; `None`: the panic does not reach a test harness.
    fn expectation(&mut self, frames: &[Frame]) -> Option<Expectation> {
        if !self.settings.depth.expected_panics {
            return None;
        }
        match caught_by(frames).first() {
            Some(Catcher::TestHarness) => Some(
                catchers::test_function(frames)
                    .map_or(Expectation::Unknown, |test| self.recorder.expectation(test)),
            ),
            Some(_) => None,
            // It ends its program, which for rustdoc is a test of its own.
            None => catchers::doctest_function(frames).map(|test| self.recorder.expectation(test)),
        }
    }

    /// A signal that may end the program: a crash if it will, a fact to remember if the program handles it.
    pub(super) fn at_crash_signal(&mut self, tid: Pid, number: i32) {
        if number == libc::SIGABRT && self.tell_begun(tid) {
            return;
        }
        let Some(registers) = ptrace::registers(tid) else { return };
        let (code, address) = ptrace::signal_info(tid).unwrap_or_default();
        // Codes above 0 are the kernel's: a fault, which no program can ignore.
        if !live::signal_is_deadly(tid, number, code > 0) {
            if let Some(thread) = self.threads.get_mut(&tid) {
                thread.fault = Some((number, registers, address));
            }
            return;
        }
        let Some(target) = self.stacks.target(tid, self.memory(tid)) else { return };
        let thread = self.threads.get_mut(&tid);
        let (panicked, fault) = thread.map_or((false, None), |thread| (thread.panicked, thread.fault.take()));
        if number == libc::SIGABRT && panicked && is_panics_abort(&self.stacks.names(&target, &registers)) {
            return;
        }
        // std's handler turns a fault at the guard page into an abort; the stack still is as the fault left it.
        let overflow = fault.filter(|(signal, at_fault, address)| {
            number == libc::SIGABRT
                && *signal == libc::SIGSEGV
                && at_fault.rsp.wrapping_sub(*address).wrapping_add(STACK_PROBE) < 2 * STACK_PROBE
        });
        let name = signal::name(number);
        let (kind, message, registers) = match &overflow {
            Some((_, at_fault, _)) => (CauseKind::StackOverflow, "stack overflow", *at_fault),
            None if number == libc::SIGABRT => (CauseKind::Abort, "aborted", registers),
            None => (CauseKind::Signal, signal::crash_description(number).unwrap_or_default(), registers),
        };
        let cause = Cause { kind, message: message.to_owned(), signal: Some(name) };
        let found = Found { tid, registers: &registers, cause, place: None, notes: Vec::new() };
        let crash = self.capture(&target, found);
        self.captured.push(crash);
    }

    pub(super) fn capture(&mut self, target: &Target, found: Found<'_>) -> Crash {
        let Found { tid, registers, mut cause, place, mut notes } = found;
        let depth = self.settings.depth;
        let process = self.process_of(tid);
        // The others first, so that they stand still no longer than their own stacks take.
        let others = if depth.other_threads { self.other_stacks(tid, target) } else { Vec::new() };
        let watching = self.watching.as_ref();
        let mut types = watching.map_or_else(TypeTable::default, |watching| watching.types.clone());
        let want = if depth.values { Want::Values } else { Want::NamesOnly };
        let mut placed = self.stacks.placed_frames(target, registers, want, &mut types, &mut notes);
        let made = watching.map(|watching| watching.fill(process, tid, &mut placed)).unwrap_or_default();
        let frames: Vec<Frame> = placed.into_iter().map(|placed| placed.frame).collect();
        let is_failed_allocation = |frame: &Frame| OUT_OF_MEMORY.contains(&bare_name(&frame.function));
        if cause.kind == CauseKind::Abort && frames.iter().any(is_failed_allocation) {
            "memory allocation failed".clone_into(&mut cause.message);
        }
        let location = self.location(place.as_ref(), &frames);
        let caught = if cause.kind == CauseKind::Panic { caught_by(&frames) } else { Vec::new() };
        let stack_size = stack_size::of(process, tid, registers);
        let mut threads = vec![Thread { stack_size, ..self.thread(process, tid, frames) }];
        threads.extend(others);
        let workspace = self.settings.roots.workspace.as_deref().or(self.settings.folder.as_deref());
        let mut snapshot = Snapshot {
            format: FORMAT,
            id: String::new(),
            time: now(),
            clock: clock(),
            cause,
            location,
            caught_by: caught,
            threads,
            made,
            types,
            program: program::of_process(tid, &self.settings.program, workspace),
            fingerprint: String::new(),
            count: 1,
            notes,
        };
        if let Some(endless) = Endless::of(&snapshot) {
            snapshot.notes.insert(0, format!("recursion: {}", endless.words()));
        }
        Crash { snapshot, place }
    }

    /// A thread as a snapshot has it.
    fn thread(&self, process: Pid, tid: Pid, frames: Vec<Frame>) -> Thread {
        let spawned_by = self.threads.get(&tid).and_then(|thread| thread.spawned_by.as_deref().cloned());
        Thread { tid: tid as u32, name: live::name_of(process, tid), spawned_by, stack_size: None, frames }
    }

    /// Where a crash is shown.
    pub(super) fn location(&self, place: Option<&PanicLocation>, frames: &[Frame]) -> Option<Location> {
        match place {
            Some(place) => Some(super::location(&self.settings.roots, place, frames)),
            None => own_place(frames),
        }
    }

    /// The stacks of the other threads, without values. They are stopped for it, and run on afterwards.
    fn other_stacks(&mut self, tid: Pid, target: &Target) -> Vec<Thread> {
        let process = self.process_of(tid);
        let mut others: Vec<Pid> = self
            .threads
            .iter()
            .filter(|(other, thread)| thread.process == process && **other != tid)
            .map(|(other, _)| *other)
            .collect();
        others.sort_unstable();
        others.truncate(OTHER_THREADS_LIMIT);
        let held = self.stop_threads(&others);
        let deadline = Instant::now() + OTHER_THREADS_TIME;
        let mut stacks = Vec::new();
        for other in others {
            let registers = ptrace::registers(other).filter(|_| Instant::now() < deadline);
            let frames = registers.map(|registers| self.stacks.names(target, &registers)).unwrap_or_default();
            stacks.push(self.thread(process, other, frames));
        }
        self.let_others_run(&held);
        stacks
    }
}

/// Where a death is shown: in the code of the project if any of it is on the stack (std's abort says nothing),
/// else in the innermost code that has lines.
fn own_place(frames: &[Frame]) -> Option<Location> {
    let of = |kind: FrameKind| frames.iter().filter(move |f| f.kind == kind).find_map(|f| f.location.clone());
    of(FrameKind::Workspace)
        .or_else(|| of(FrameKind::Dependency))
        .or_else(|| frames.iter().find_map(|frame| frame.location.clone()))
}

/// The type of the value that `panic_any` or `begin_panic` was called with, as the frames tell it.
fn value_type(frames: &[Frame]) -> Option<String> {
    frames.iter().take(12).find_map(|frame| {
        let is = |name: &str| {
            frame.name.starts_with(&format!("{name}<")).then(|| generic_argument(&frame.name)).flatten()
        };
        is("begin_panic").or_else(|| is("panic_any"))
    })
}

fn is_panics_abort(frames: &[Frame]) -> bool {
    frames.iter().any(|frame| {
        PANIC_MACHINERY.contains(&bare_name(&frame.function)) || frame.function.contains("rust_panic")
    })
}

fn now() -> String {
    let now = jiff::Timestamp::now();
    now.round(jiff::Unit::Second).unwrap_or(now).to_string()
}

/// What the clock of std's `Instant` says: it is the same for all processes.
fn clock() -> Option<u64> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec`, which it may.
    let told = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let (secs, nanos) = (u64::try_from(now.tv_sec).ok()?, u64::try_from(now.tv_nsec).ok()?);
    secs.checked_mul(1_000_000_000)?.checked_add(nanos).filter(|_| told == 0)
}
