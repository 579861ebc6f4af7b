//! A stopped thread's frames: the tracer's door to the unwinder and the reader of values. Keeps what was read of
//! images between crashes.

use relapse_snapshot::{Frame, TypeTable};

use super::live::LiveMemory;
use super::ptrace::Pid;
use crate::arch::Registers;
use crate::image::{AddressSpace, ImageCache};
use crate::limits::Limits;
use crate::roots::Roots;
use crate::stack::{Stacks, Want};

/// The frames of threads, read one stack at a time.
pub(crate) struct StackReader {
    stacks: Stacks,
    images: ImageCache,
}

/// Where a stack is read: a process, and what it has mapped at this moment.
pub(crate) struct Target {
    memory: LiveMemory,
    space: AddressSpace,
}

impl Target {
    /// Its memory.
    pub(crate) fn memory(&self) -> &LiveMemory {
        &self.memory
    }
}

impl StackReader {
    pub(crate) fn new(roots: &Roots, limits: Limits) -> StackReader {
        StackReader { stacks: Stacks::new(roots.clone(), limits), images: ImageCache::new() }
    }

    /// A process as it is now; `None`: it has just ended.
    pub(crate) fn target(&mut self, process: Pid) -> Option<Target> {
        let memory = LiveMemory::open(process).ok()?;
        let space = AddressSpace::of_process(process, &mut self.images).ok()?;
        Some(Target { memory, space })
    }

    /// The functions from these registers outwards, without arguments.
    pub(crate) fn names(&mut self, target: &Target, registers: &libc::user_regs_struct) -> Vec<Frame> {
        let (mut types, mut notes) = (TypeTable::default(), Vec::new());
        self.frames(target, registers, Want::NamesOnly, &mut types, &mut notes)
    }

    /// The frames from these registers outwards.
    pub(crate) fn frames(
        &mut self,
        target: &Target,
        registers: &libc::user_regs_struct,
        want: Want,
        types: &mut TypeTable,
        notes: &mut Vec<String>,
    ) -> Vec<Frame> {
        notes.extend_from_slice(target.space.notes());
        let registers = Registers::from(*registers);
        self.stacks.frames(&target.space, &registers, &target.memory, want, types, notes)
    }
}
