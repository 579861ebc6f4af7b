//! One traced process: its breakpoints, and the threads that are being followed.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::ops::Range;
use std::rc::Rc;

use relapse_snapshot::Spawner;

use super::breakpoint::INT3;
use super::entries::{Entry, Files, Hidden, PanicEntries, RT_ADD};
use super::live::{self, LiveMemory};
use super::ptrace::Pid;
use super::watching::Point;
use crate::image::{FileId, Mapping};
use crate::memory::Memory;
use crate::panic::{Minor, Origin, PanicCall};

/// Breakpoints in more images than this are not set: a program with that many libraries is none that panics.
const IMAGE_LIMIT: usize = 4096;

/// A breakpoint in a process.
#[derive(Clone)]
pub(crate) struct Breakpoint {
    /// What it is there for.
    pub(crate) entry: Entry,
    /// The first bytes of the code there, as the file has them.
    pub(crate) code: [u8; 16],
    /// The image that it belongs to, and what is added to the image's own addresses.
    pub(crate) image: Rc<PanicEntries>,
    /// What is added to the image's own addresses.
    pub(crate) bias: u64,
}

impl Breakpoint {
    /// The compiler of its image.
    pub(crate) fn minor(&self) -> Option<Minor> {
        self.image.minor
    }

    /// Whether the dynamic linker stops here before it maps anything: it stops once more afterwards.
    pub(crate) fn is_too_early(&self, memory: &dyn Memory) -> bool {
        let state = self.image.linker_state.map(|at| at.wrapping_add(self.bias));
        let mut read = [0; 4];
        state.is_some_and(|at| memory.read(at, &mut read).is_ok()) && u32::from_le_bytes(read) == RT_ADD
    }

    /// Who called it, by the address that it returns to.
    pub(crate) fn origin(&self, return_address: u64) -> Origin {
        self.image.origin(return_address.wrapping_sub(self.bias))
    }
}

/// A traced process. A vfork child shares its parent's memory until it execs: so its table is a copy, and the
/// bytes stay where they are.
#[derive(Clone, Default)]
pub(crate) struct Process {
    /// By address.
    breakpoints: HashMap<u64, Breakpoint>,
    /// Where breakpoints were: a thread may have met one before it was removed, and report it afterwards.
    retired: HashMap<u64, Breakpoint>,
    /// What the breakpoints of watched functions are for, by address; also of those that are not set now.
    watched: HashMap<u64, Point>,
    /// Images that have been looked at: identity and first address.
    seen: HashSet<(FileId, u64)>,
    /// Where exceptions are raised: breakpoints belong there once an image has no panic entries of its own.
    raises: Vec<(u64, Breakpoint)>,
    /// The code of images whose panics show in no other way.
    hidden: Vec<(Range<u64>, Rc<PanicEntries>)>,
    /// Whether panics are of no interest any more.
    disarmed: bool,
    /// How many panics it had.
    pub(crate) panics: u64,
    /// Its memory, opened as it began.
    file: Option<Rc<File>>,
}

impl Process {
    /// A process that has just become another program.
    pub(crate) fn new(pid: Pid) -> Process {
        Process { file: LiveMemory::file_to_keep(pid), ..Process::default() }
    }

    /// What a fork of this process is: the same breakpoints, no panics yet, and memory of its own.
    pub(crate) fn forked(&self, pid: Pid) -> Process {
        Process { panics: 0, file: LiveMemory::file_to_keep(pid), ..self.clone() }
    }

    /// Its memory. `thread`: any living one of it.
    pub(crate) fn memory(&self, thread: Pid) -> LiveMemory {
        LiveMemory::with_file(thread, self.file.clone())
    }

    /// Sets breakpoints in images that were mapped since the last look. Returns what the user should know of
    /// them.
    pub(crate) fn look_for_images(&mut self, thread: Pid, files: &mut Files) -> Vec<String> {
        let memory = self.memory(thread);
        let mut notes = Vec::new();
        let maps = live::maps(thread);
        let mappings: Vec<Mapping<'_>> = Mapping::all(&maps).collect();
        self.forget_unmapped(&memory, &mappings);
        for mapping in mappings.into_iter().take(IMAGE_LIMIT) {
            if !self.seen.insert((mapping.file, mapping.range.start)) {
                continue;
            }
            let image = files.entries(thread, &mapping);
            notes.extend(image.notes.take());
            if image.hidden == Some(Hidden::Raises) {
                self.hidden.push((mapping.range.clone(), Rc::clone(&image)));
            }
            let Some(bias) = image.bias(&mapping) else { continue };
            for point in &image.points {
                let address = point.svma.wrapping_add(bias);
                if !mapping.range.contains(&address) {
                    continue;
                }
                let breakpoint =
                    Breakpoint { entry: point.entry, code: point.code, image: Rc::clone(&image), bias };
                if point.entry == Entry::Raise {
                    self.raises.push((address, breakpoint));
                } else {
                    self.set(&memory, address, breakpoint);
                }
            }
        }
        if !self.hidden.is_empty() {
            for (address, breakpoint) in std::mem::take(&mut self.raises) {
                self.set(&memory, address, breakpoint);
            }
        }
        notes
    }

    /// Forgets images that are not mapped any more: a library that is closed may come again, to the same place.
    fn forget_unmapped(&mut self, memory: &LiveMemory, mappings: &[Mapping<'_>]) {
        let now: HashSet<(FileId, u64)> = mappings.iter().map(|m| (m.file, m.range.start)).collect();
        let before = self.seen.len();
        // No mapping at all: they could not be read.
        if !now.is_empty() {
            self.seen.retain(|seen| now.contains(seen));
        }
        if self.seen.len() == before {
            return;
        }
        let is_mapped = |address: &u64| mappings.iter().any(|m| m.range.contains(address));
        self.retired.retain(|address, _| is_mapped(address));
        for (address, breakpoint) in self.breakpoints.extract_if(|address, _| !is_mapped(address)) {
            // Code may lose the right to be run for a moment, while somebody patches it: then it is not left broken.
            if memory.read_vec(address, 1).is_ok_and(|bytes| bytes == [INT3]) {
                let _ = memory.write(address, &breakpoint.code[..1]);
                self.retired.insert(address, breakpoint);
            }
        }
        self.watched.retain(|address, _| is_mapped(address));
        self.raises.retain(|(address, _)| is_mapped(address));
        self.hidden.retain(|(range, _)| is_mapped(&range.start));
    }

    fn set(&mut self, memory: &LiveMemory, address: u64, breakpoint: Breakpoint) {
        if self.disarmed && breakpoint.entry != Entry::LibrariesChanged {
            return;
        }
        // A process that was forked from a traced one has the byte already: the file tells what was there.
        let found = memory.read_vec(address, 1).unwrap_or_default();
        if found.first().is_none_or(|byte| *byte != breakpoint.code[0] && *byte != INT3) {
            return;
        }
        if memory.write(address, &[INT3]).is_ok() {
            self.breakpoints.insert(address, breakpoint);
        }
    }

    /// The image that has this address, if its panics only show as they are raised.
    pub(crate) fn hidden_at(&self, address: u64) -> Option<&PanicEntries> {
        let found = self.hidden.iter().find(|(range, _)| range.contains(&address));
        found.map(|(_, image)| image.as_ref())
    }

    /// The breakpoint at an address, or the one that was there.
    pub(crate) fn breakpoint(&self, address: u64) -> Option<&Breakpoint> {
        self.breakpoints.get(&address)
    }

    /// Whether there was a breakpoint at an address, which is gone.
    pub(crate) fn is_retired(&self, address: u64) -> bool {
        self.retired.contains_key(&address)
    }

    /// Whether a breakpoint that a thread has met is one that is gone. The code is put back where it still stands: in a
    /// process that was forked just before it was removed from its parent.
    pub(crate) fn is_cleared(&self, thread: Pid, address: u64) -> bool {
        self.retired.get(&address).is_some_and(|breakpoint| {
            let memory = self.memory(thread);
            memory.read_vec(address, 1).is_ok_and(|byte| byte != [INT3])
                || memory.write(address, &breakpoint.code[..1]).is_ok()
        })
    }

    /// Removes the breakpoints that `which` names.
    pub(crate) fn remove(&mut self, thread: Pid, which: impl Fn(Entry) -> bool) {
        let memory = self.memory(thread);
        let gone: Vec<u64> =
            self.breakpoints.iter().filter(|(_, b)| which(b.entry)).map(|(address, _)| *address).collect();
        for address in gone {
            if let Some(breakpoint) = self.breakpoints.remove(&address) {
                // An unmapped library's place may hold something else now.
                if memory.read_vec(address, 1).is_ok_and(|bytes| bytes == [INT3]) {
                    let _ = memory.write(address, &breakpoint.code[..1]);
                }
                self.retired.insert(address, breakpoint);
            }
        }
    }

    /// Puts the code back wherever a breakpoint still stands, of those that are set and of those that were.
    /// `thread`: any living one of this process.
    pub(crate) fn restore(&self, thread: Pid) {
        let memory = self.memory(thread);
        for (address, breakpoint) in self.breakpoints.iter().chain(&self.retired) {
            if memory.read_vec(*address, 1).is_ok_and(|bytes| bytes == [INT3]) {
                let _ = memory.write(*address, &breakpoint.code[..1]);
            }
        }
    }

    /// What a breakpoint of a watched function is for.
    pub(super) fn watched(&self, address: u64) -> Option<Point> {
        self.watched.get(&address).copied()
    }

    /// Notes a place of a watched function and, with `armed`, sets its breakpoint. `false`: it cannot be set; where
    /// there is another one, that one stays.
    pub(super) fn watch(&mut self, thread: Pid, address: u64, point: Point, armed: bool) -> bool {
        if self.watched.contains_key(&address) || self.breakpoints.contains_key(&address) {
            return false;
        }
        self.watched.insert(address, point);
        if armed {
            self.arm(thread, |other| other == point);
        }
        !armed || self.breakpoints.contains_key(&address)
    }

    /// Sets the breakpoints of watched functions that `which` names.
    pub(super) fn arm(&mut self, thread: Pid, which: impl Fn(Point) -> bool) {
        let memory = self.memory(thread);
        let wanted = self.watched.iter().filter(|(address, point)| {
            which(**point) && !self.disarmed && !self.breakpoints.contains_key(address)
        });
        let wanted: Vec<u64> = wanted.map(|(address, _)| *address).collect();
        for address in wanted {
            let mut code = [0xf4; 16];
            // A function at the very end of its mapping has fewer bytes.
            if memory.read(address, &mut code).is_err() && memory.read(address, &mut code[..1]).is_err() {
                continue;
            }
            if code[0] == INT3 || memory.write(address, &[INT3]).is_err() {
                continue;
            }
            let (entry, image) = (Entry::Watched, Rc::default());
            self.breakpoints.insert(address, Breakpoint { entry, code, image, bias: 0 });
        }
    }

    /// Removes the breakpoints of watched functions that `which` names; they may be set again.
    pub(super) fn disarm_watched(&mut self, thread: Pid, which: impl Fn(Point) -> bool) {
        let memory = self.memory(thread);
        for (address, _) in self.watched.iter().filter(|(_, point)| which(**point)) {
            if let Some(breakpoint) = self.breakpoints.remove(address) {
                if memory.read_vec(*address, 1).is_ok_and(|bytes| bytes == [INT3]) {
                    let _ = memory.write(*address, &breakpoint.code[..1]);
                }
                self.retired.insert(*address, breakpoint);
            }
        }
    }

    /// Removes breakpoints of watched functions for good, by address.
    pub(super) fn unwatch(&mut self, thread: Pid, which: impl Fn(u64) -> bool) {
        let gone: Vec<u64> = self.watched.keys().copied().filter(|address| which(*address)).collect();
        for address in gone {
            if let Some(point) = self.watched.get(&address).copied() {
                self.disarm_watched(thread, |other| other == point);
                self.watched.remove(&address);
            }
        }
    }

    /// Stops looking for panics in this process.
    pub(crate) fn disarm(&mut self, thread: Pid) {
        self.disarmed = true;
        self.remove(thread, |entry| entry != Entry::LibrariesChanged);
    }

    /// Lifts one breakpoint for a moment (`true`) or puts it back. Whether that could be done.
    pub(crate) fn lift(&self, thread: Pid, address: u64, lifted: bool) -> bool {
        self.breakpoints.get(&address).is_some_and(|breakpoint| {
            let byte = if lifted { breakpoint.code[0] } else { INT3 };
            self.memory(thread).write(address, &[byte]).is_ok()
        })
    }
}

/// A panic that has begun on a thread and whose message is not read yet.
#[derive(Clone)]
pub(crate) struct Begun {
    /// The call of the panic entry.
    pub(crate) call: PanicCall,
    /// Who made the payload.
    pub(crate) origin: Origin,
    /// The registers at the entry: all frames of the panic lie above them, whatever the hook does.
    pub(crate) registers: libc::user_regs_struct,
    /// Whether it was seen only as it began to unwind, in a program without symbols.
    pub(crate) raised: bool,
}

/// Where a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Running, or stopped without our knowing yet.
    Running,
    /// Stopped, and waiting for us.
    Stopped,
    /// Blocked in the kernel until its vfork child execs or ends: it answers no interrupt.
    InVfork,
}

/// A followed thread.
pub(crate) struct Thread {
    /// Its process.
    pub(crate) process: Pid,
    /// Where it is.
    pub(crate) state: State,
    /// Panics that have begun, outermost first; more than one: a panic inside a panic hook.
    pub(crate) begun: Vec<Begun>,
    /// Whether its exit is reported: it is once a panic has begun, whose hook may end the program.
    pub(crate) exit_is_reported: bool,
    /// Whether a panic of this thread was told of: a panic that says it cannot unwind belongs to that one.
    pub(crate) panicked: bool,
    /// Registers and address of the last fault that the program handles itself.
    pub(crate) fault: Option<(i32, libc::user_regs_struct, u64)>,
    /// The thread of the same process that spawned it.
    pub(crate) spawned_by: Option<Rc<Spawner>>,
    /// What its own children are told of it, once it has some: its name is looked up once, whatever their number.
    pub(crate) as_spawner: Option<Rc<Spawner>>,
}

impl Thread {
    /// A thread of this process, which is running.
    pub(crate) fn new(process: Pid) -> Thread {
        Thread {
            process,
            state: State::Running,
            begun: Vec::new(),
            exit_is_reported: false,
            panicked: false,
            fault: None,
            spawned_by: None,
            as_spawner: None,
        }
    }
}
