//! x86-64 registers by their DWARF numbers (System V psABI, figure 3.36), each known or not, and its calls.

/// `rbp`.
pub(crate) const FRAME_POINTER: u16 = 6;
/// `rsp`.
pub(crate) const STACK_POINTER: u16 = 7;
/// The return address column; as a register of a frame it holds `rip`.
pub(crate) const RETURN_ADDRESS: u16 = 16;
/// Registers that a callee must preserve: without a rule of its own, a caller's value is the callee's.
pub(crate) const CALLEE_SAVED: [u16; 6] = [3, 6, 12, 13, 14, 15];

/// Bytes of the longest near call, prefixes left out.
pub(crate) const LONGEST_CALL: usize = 7;

/// `rax` to `r15` and `rip` are 0 to 16, `xmm0` to `xmm15` are 17 to 32.
const COUNT: usize = 33;
const FIRST_VECTOR: usize = 17;

/// The registers of one frame, by DWARF number, each known or not. In callers' frames only those are known
/// that the unwind tables recover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    values: [u64; COUNT],
    known: u64,
}

impl Registers {
    /// Registers of which none is known.
    pub fn unknown() -> Registers {
        Registers { values: [0; COUNT], known: 0 }
    }

    /// The register of that DWARF number, where it is known. Of a vector register, the low 64 bits: what a
    /// scalar float needs.
    pub fn get(&self, number: u16) -> Option<u64> {
        let index = usize::from(number);
        (index < COUNT && self.known & 1 << index != 0).then(|| self.values[index])
    }

    /// Sets a register; numbers beyond those kept are ignored.
    pub fn set(&mut self, number: u16, value: u64) {
        let index = usize::from(number);
        if index < COUNT {
            self.values[index] = value;
            self.known |= 1 << index;
        }
    }

    /// Makes a register unknown.
    pub(crate) fn forget(&mut self, number: u16) {
        if usize::from(number) < COUNT {
            self.known &= !(1 << number);
        }
    }

    /// The instruction pointer, 0 where it is not known.
    pub fn ip(&self) -> u64 {
        self.get(RETURN_ADDRESS).unwrap_or(0)
    }

    /// The stack pointer, 0 where it is not known.
    pub fn sp(&self) -> u64 {
        self.get(STACK_POINTER).unwrap_or(0)
    }

    /// Adds the vector registers: where floats are passed.
    #[must_use]
    pub fn with_vectors(mut self, vectors: &libc::user_fpregs_struct) -> Registers {
        for (index, lanes) in vectors.xmm_space.chunks_exact(4).enumerate() {
            self.set((FIRST_VECTOR + index) as u16, u64::from(lanes[1]) << 32 | u64::from(lanes[0]));
        }
        self
    }
}

impl From<libc::user_regs_struct> for Registers {
    fn from(user: libc::user_regs_struct) -> Registers {
        let in_dwarf_order = [
            user.rax, user.rdx, user.rcx, user.rbx, user.rsi, user.rdi, user.rbp, user.rsp, user.r8, user.r9,
            user.r10, user.r11, user.r12, user.r13, user.r14, user.r15, user.rip,
        ];
        let mut registers = Registers::unknown();
        for (number, value) in in_dwarf_order.into_iter().enumerate() {
            registers.set(number as u16, value);
        }
        registers
    }
}

/// Whether code ends with a near call: `e8` and four bytes, or `ff /2` with an operand in any form (Intel's manual,
/// volume 2, sections 2.1 and 3.3).
pub(crate) fn ends_with_call(code: [u8; LONGEST_CALL]) -> bool {
    let is_indirect = |code: &[u8]| {
        let &[0xff, mode, ref rest @ ..] = code else { return false };
        let (form, operand) = (mode >> 6, mode & 7);
        // `rsp` stands for a further byte, in which `rbp` as a base stands for none.
        let scaled = form != 3 && operand == 4;
        let baseless = if scaled { rest.first().is_some_and(|scale| scale & 7 == 5) } else { operand == 5 };
        let displacement = match form {
            0 if baseless => 4,
            1 => 1,
            2 => 4,
            _ => 0,
        };
        mode >> 3 & 7 == 2 && rest.len() == usize::from(scaled) + displacement
    };
    code[LONGEST_CALL - 5] == 0xe8 || (2..=LONGEST_CALL).any(|len| is_indirect(&code[LONGEST_CALL - len..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_from_other_code() {
        // As GNU as assembles them.
        let calls: [&[u8]; 10] = [
            &[0xe8, 1, 2, 3, 4],             // call there
            &[0x67, 0xe8, 1, 2, 3, 4],       // addr32 call there
            &[0xff, 0xd0],                   // call *%rax
            &[0x41, 0xff, 0xd4],             // call *%r12
            &[0xff, 0x10],                   // call *(%rax)
            &[0xff, 0x50, 0x18],             // call *24(%rax)
            &[0xff, 0x15, 1, 2, 3, 4],       // call *there(%rip)
            &[0xff, 0x14, 0xc5, 1, 2, 3, 4], // call *there(,%rax,8)
            &[0xff, 0x54, 0xd3, 0x10],       // call *16(%rbx,%rdx,8)
            &[0xff, 0x94, 0x24, 8, 1, 0, 0], // call *264(%rsp)
        ];
        let others: [&[u8]; 5] = [
            &[0x48, 0x89, 0xe5],       // mov %rsp,%rbp
            &[0xe9, 1, 2, 3, 4],       // jmp there
            &[0xff, 0xe0],             // jmp *%rax
            &[0xff, 0x75, 0x10],       // push 16(%rbp)
            &[0xff, 0xd0, 0x90, 0x90], // call *%rax; nop; nop
        ];
        let ends = |code: &[u8]| {
            let mut padded = [0x90; LONGEST_CALL];
            padded[LONGEST_CALL - code.len().min(LONGEST_CALL)..].copy_from_slice(code);
            ends_with_call(padded)
        };
        assert!(calls.iter().all(|code| ends(code)));
        assert!(others.iter().all(|code| !ends(code)));
    }

    #[test]
    fn an_unset_register_is_unknown() {
        let mut registers = Registers::unknown();
        registers.set(3, 9);
        assert_eq!(registers.get(3), Some(9));
        assert_eq!(registers.get(4), None);
        assert_eq!(registers.get(900), None);
        registers.set(900, 1);
        assert_eq!(registers.ip(), 0);
    }
}
