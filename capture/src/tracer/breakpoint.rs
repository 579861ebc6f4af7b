//! Stepping over a breakpoint without lifting it: its first instruction is carried out on the registers.
//!
//! Lifting the int3 to single-step lets other threads run past it; stopping them all for each panic costs them
//! interrupted system calls. The entries that we break on begin with a few instructions only, which are carried
//! out here; for any other one the tracer stops the others and steps ([`Stepped::NotKnown`]).

use libc::user_regs_struct as Registers;

use crate::memory::Memory;
use crate::tracer::live::LiveMemory;

/// The breakpoint instruction.
pub(crate) const INT3: u8 = 0xcc;

/// What became of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stepped {
    /// The registers are those after it.
    Done,
    /// It is not one of those known here; nothing was changed.
    NotKnown,
}

/// Carries out the instruction that begins `code`, with `rip` at its own address. Flags are left as they are:
/// the ABI lets no function rely on them at its entry.
pub(crate) fn emulate(code: &[u8; 16], registers: &mut Registers, memory: &LiveMemory) -> Stepped {
    let (prefix, rest): (u8, &[u8]) = match code[0] {
        0x41 | 0x48 => (code[0], &code[1..]),
        _ => (0, &code[..]),
    };
    let len = match (prefix, rest[0], rest[1], rest[2]) {
        // push r64
        (0 | 0x41, opcode @ 0x50..=0x57, ..) => {
            let pushed = general(registers, (opcode - 0x50) + if prefix == 0x41 { 8 } else { 0 });
            let at = registers.rsp.wrapping_sub(8);
            if memory.write_data(at, &pushed.to_le_bytes()).is_err() {
                return Stepped::NotKnown;
            }
            registers.rsp = at;
            if prefix == 0 { 1 } else { 2 }
        }
        // sub rsp, imm8
        (0x48, 0x83, 0xec, immediate) => {
            registers.rsp = registers.rsp.wrapping_sub(i64::from(immediate.cast_signed()) as u64);
            4
        }
        // sub rsp, imm32
        (0x48, 0x81, 0xec, _) => {
            let immediate = i32::from_le_bytes([code[3], code[4], code[5], code[6]]);
            registers.rsp = registers.rsp.wrapping_sub(i64::from(immediate) as u64);
            7
        }
        // mov rbp, rsp, in both encodings
        (0x48, 0x89, 0xe5, _) | (0x48, 0x8b, 0xec, _) => {
            registers.rbp = registers.rsp;
            3
        }
        // endbr64
        (0, 0xf3, 0x0f, 0x1e) if code[3] == 0xfa => 4,
        // nop
        (0, 0x90, ..) => 1,
        // ret
        (0, 0xc3, ..) => {
            let Ok(to) = memory.read_u64(registers.rsp) else { return Stepped::NotKnown };
            registers.rsp = registers.rsp.wrapping_add(8);
            registers.rip = to;
            return Stepped::Done;
        }
        _ => return Stepped::NotKnown,
    };
    registers.rip = registers.rip.wrapping_add(len);
    Stepped::Done
}

fn general(registers: &Registers, number: u8) -> u64 {
    let r = registers;
    [
        r.rax, r.rcx, r.rdx, r.rbx, r.rsp, r.rbp, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13,
        r.r14, r.r15,
    ][usize::from(number & 15)]
}
