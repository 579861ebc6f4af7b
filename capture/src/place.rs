//! Where a value lies: what a DWARF location comes to in one frame.

/// A resolved location (DWARF 5, section 2.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In memory at this address.
    Memory(u64),
    /// The bytes themselves (registers, `DW_OP_stack_value`, implicit values, pieces put together);
    /// `None` bytes are those that no piece describes (optimised out).
    Bytes(Vec<Option<u8>>),
    /// Nowhere: the compiler kept no copy.
    OptimizedOut,
}
