//! What functions give that make values within others: read as they return. In: a call as it began, and its thread as it is
//! back. Out: the value, where it lies in memory that the caller has told the place of. One that comes in registers is not
//! read: how they are filled is rustc's own business.

use relapse_snapshot::Argument;

use super::super::events::Tracer;
use super::super::ptrace::Pid;
use super::super::stacks::Target;
use super::{Point, Watching};
use crate::memory::Memory;

/// A call as it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Begin {
    /// The first instruction of its function.
    first: u64,
    /// The first integer register: where what it gives is put, if that goes into memory (System V psABI, 3.2.3).
    slot: u64,
}

impl Begin {
    /// That of a thread at the first instruction.
    pub(super) fn of(registers: &libc::user_regs_struct) -> Begin {
        Begin { first: registers.rip, slot: registers.rdi }
    }
}

impl Tracer<'_> {
    /// Sets a breakpoint where a call returns to. Where another one is, nothing is read of what it gives.
    pub(super) fn await_given(&mut self, target: &Target, index: usize, tid: Pid, cfa: u64) {
        let process = self.process_of(tid);
        // The return address lies just below the CFA (System V psABI, figure 3.3).
        let Ok(back) = target.memory().read_u64(cfa.wrapping_sub(8)) else { return };
        if let Some(process) = self.processes.get_mut(&process) {
            process.watch(tid, back, Point::Given(index), true);
        }
    }

    /// A thread is where calls return to.
    pub(super) fn given(
        &mut self,
        watching: &mut Watching,
        target: &Target,
        tid: Pid,
        registers: &libc::user_regs_struct,
    ) {
        let process = self.process_of(tid);
        let cfa = registers.rsp;
        // A function that puts its result into memory gives the place back, too (3.2.3).
        let begun = watching.made.returning(process, tid, cfa).filter(|begun| begun.slot == registers.rax);
        let Some(Begin { first, slot }) = begun else { return };
        let value = self.stacks.given_value(target, first, slot, &mut watching.types);
        if let Some(value) = value {
            watching.made.gave(process, tid, cfa, Argument { name: String::new(), value });
        }
    }
}
