//! Where the bytes of a value come from while it is read: memory, or bytes that are at hand already.

use std::borrow::Cow;

use relapse_snapshot::{Trust, TypeId, Value};

use crate::memory::Memory;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gap {
    /// The compiler keeps the bytes nowhere.
    OptimizedOut,
    /// Memory that cannot be read, a layout that is not known, or bytes that are no value of the type.
    Unreadable(String),
}

/// Something read, or why it was not.
pub(super) type Read<T> = Result<T, Gap>;

impl Gap {
    /// A gap with its reason.
    pub(super) fn because(reason: impl Into<String>) -> Gap {
        Gap::Unreadable(reason.into())
    }

    /// The value that stands for it in a tree.
    pub(super) fn into_value(self, ty: TypeId) -> Value {
        match self {
            Gap::OptimizedOut => Value::missing(ty, Trust::OptimizedOut, "optimized out"),
            Gap::Unreadable(reason) => Value::missing(ty, Trust::Unreadable, reason),
        }
    }
}

/// The bytes of a value.
#[derive(Clone, Copy)]
pub(super) enum Source<'v> {
    /// In memory, from this address on.
    Memory(u64),
    /// At hand; `known` (as long as `bytes`) tells which of them are.
    Bytes {
        /// The bytes, 0 where they are not known.
        bytes: &'v [u8],
        /// Which bytes are known; `None`: all.
        known: Option<&'v [bool]>,
        /// Where they were read from, if it was memory.
        from: Option<u64>,
    },
}

impl<'v> Source<'v> {
    /// The bytes of a value without size.
    pub(super) const EMPTY: Source<'static> = Source::Bytes { bytes: &[], known: None, from: None };

    /// The same, from `offset` on.
    pub(super) fn at(self, offset: u64) -> Source<'v> {
        match self {
            Source::Memory(address) => Source::Memory(address.wrapping_add(offset)),
            Source::Bytes { bytes, known, from } => {
                let from = from.map(|address| address.wrapping_add(offset));
                let offset = usize::try_from(offset).unwrap_or(usize::MAX);
                Source::Bytes {
                    bytes: bytes.get(offset..).unwrap_or_default(),
                    known: known.map(|known| known.get(offset..).unwrap_or_default()),
                    from,
                }
            }
        }
    }

    /// Where the value lies, if that is in memory.
    pub(super) fn address(self) -> Option<u64> {
        match self {
            Source::Memory(address) => Some(address),
            Source::Bytes { from, .. } => from,
        }
    }

    /// The first `len` bytes. Bytes at hand end where the place that held them ended: what is beyond was
    /// kept nowhere.
    pub(super) fn fetch(self, memory: &dyn Memory, len: u64) -> Read<Cow<'v, [u8]>> {
        let Ok(len) = usize::try_from(len) else { return Err(Gap::because("implausible size")) };
        match self {
            _ if len == 0 => Ok(Cow::Borrowed(&[])),
            Source::Memory(address) => read_memory(memory, address, len).map(Cow::Owned),
            Source::Bytes { bytes, known, .. } => {
                let whole = known.is_none_or(|known| known.get(..len).is_some_and(|k| k.iter().all(|k| *k)));
                let bytes = bytes.get(..len).filter(|_| whole);
                bytes.map(Cow::Borrowed).ok_or(Gap::OptimizedOut)
            }
        }
    }

    /// An unsigned little-endian number of up to 16 bytes.
    pub(super) fn number(self, memory: &dyn Memory, len: u64) -> Read<u128> {
        if len > 16 {
            return Err(Gap::because(format!("a number of {len} bytes")));
        }
        Ok(little_endian(&self.fetch(memory, len)?))
    }
}

/// Reads memory; `len` is bounded by the caller.
pub(super) fn read_memory(memory: &dyn Memory, address: u64, len: usize) -> Read<Vec<u8>> {
    if address.checked_add(len as u64).is_none() {
        return Err(Gap::because(format!("no memory at {address:#x}")));
    }
    memory.read_vec(address, len).map_err(|error| Gap::because(error.to_string()))
}

/// A little-endian number of at most 16 bytes.
pub(super) fn little_endian(bytes: &[u8]) -> u128 {
    let mut wide = [0; 16];
    let len = bytes.len().min(16);
    wide[..len].copy_from_slice(&bytes[..len]);
    u128::from_le_bytes(wide)
}
