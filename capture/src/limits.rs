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

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 64, elements: 4096, bytes: 1 << 20, nodes: 100_000, frames: 512 }
    }
}
