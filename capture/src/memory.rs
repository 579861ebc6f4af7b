//! The one way to a target's memory, so that a core file or a recording serve as well as a live process.

use crate::open_file::{NoFile, OpenFile};

/// A place could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("memory at {address:#x} ({len} bytes) cannot be read")]
pub struct Unreadable {
    /// First address that was asked for.
    pub address: u64,
    /// Number of bytes that were asked for.
    pub len: usize,
}

/// The memory of a stopped process, or what is kept of one.
pub trait Memory {
    /// Fills `buffer` from `address`, wholly or not at all.
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable>;

    /// What the process has open under a descriptor, at most `limit` bytes of it. A memory without its process
    /// does not know.
    fn open_file(&self, _descriptor: i32, _limit: u64) -> Result<OpenFile, NoFile> {
        Err(NoFile::NotKept)
    }

    /// A little-endian number of 8 bytes: a pointer or a `usize`.
    fn read_u64(&self, address: u64) -> Result<u64, Unreadable> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// `len` bytes; callers bound `len` before they ask.
    fn read_vec(&self, address: u64, len: usize) -> Result<Vec<u8>, Unreadable> {
        let mut bytes = vec![0; len];
        self.read(address, &mut bytes)?;
        Ok(bytes)
    }
}

/// No memory at all: for plans, which read nothing.
pub(crate) struct NoMemory;

impl Memory for NoMemory {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        Err(Unreadable { address, len: buffer.len() })
    }
}
