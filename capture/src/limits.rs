//! How much of a process is read at most. Every limit that is met shows in the value or as a note.

use serde::{Deserialize, Serialize};

/// The limits of one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Levels of a value tree.
    pub depth: u32,
    /// Elements of one sequence or map.
    pub elements: u64,
    /// Bytes of one string or byte sequence.
    pub bytes: u64,
    /// Nodes of one argument's tree.
    pub nodes: u64,
    /// Frames of one stack, inlined ones included.
    pub frames: u32,
}

/// What may still be read of one stack: a recursion over a large tree or buffer must not have it a hundred times
/// over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowance {
    /// Nodes of values.
    pub(crate) nodes: u64,
    /// Bytes of strings and byte sequences.
    pub(crate) bytes: u64,
}

impl Allowance {
    /// All arguments of a stack. On disk a byte takes two, one of a text up to six, of the 256 MiB that a snapshot may
    /// hold.
    pub(crate) fn of_stack(limits: &Limits) -> Allowance {
        const TREES: u64 = 4;
        const BYTES: u64 = 32 << 20;
        Allowance { nodes: limits.nodes.saturating_mul(TREES), bytes: limits.bytes.max(BYTES) }
    }

    /// The arguments of one call.
    pub(crate) fn of_call(limits: &Limits) -> Allowance {
        Allowance { nodes: limits.nodes, bytes: u64::MAX }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 100_000, elements: 4096, bytes: 1 << 20, nodes: 100_000, frames: 512 }
    }
}
