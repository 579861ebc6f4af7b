//! A process's memory as an input holds it: pieces, each with its address. And the pieces that a reader of a real
//! process asked for, so that inputs can be made of real ones.

use std::cell::RefCell;
use std::collections::BTreeMap;

use relapse_capture::memory::{Memory, Unreadable};

/// Takes an input apart, from its beginning.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next bytes; fewer where fewer are left.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        head
    }

    /// The next number; 0 bytes where none are left.
    pub fn number<const BYTES: usize>(&mut self) -> u64 {
        let mut bytes = [0; 8];
        let found = self.take(BYTES.min(8));
        bytes[..found.len()].copy_from_slice(found);
        u64::from_le_bytes(bytes)
    }
}

/// Pieces of memory: address (8 bytes), length (2), bytes; to the end of the input. A later one hides what it
/// overlaps.
pub struct Pieces<'a>(BTreeMap<u64, &'a [u8]>);

impl<'a> Pieces<'a> {
    /// What is left of an input.
    pub fn read(mut input: Input<'a>) -> Pieces<'a> {
        let mut pieces = BTreeMap::new();
        while !input.0.is_empty() {
            let (address, len) = (input.number::<8>(), input.number::<2>());
            pieces.insert(address, input.take(len as usize));
        }
        Pieces(pieces)
    }
}

impl Memory for Pieces<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let unreadable = Unreadable { address, len: buffer.len() };
        let (mut at, mut filled) = (address, 0);
        while filled < buffer.len() {
            let (start, piece) = self.0.range(..=at).next_back().ok_or(unreadable)?;
            let within =
                usize::try_from(at - start).ok().and_then(|skip| piece.get(skip..)).unwrap_or_default();
            let count = within.len().min(buffer.len() - filled);
            if count == 0 {
                return Err(unreadable);
            }
            buffer[filled..filled + count].copy_from_slice(&within[..count]);
            filled += count;
            at = at.checked_add(count as u64).ok_or(unreadable)?;
        }
        Ok(())
    }
}

/// Notes what is read through it.
pub struct Recorder<'a> {
    inner: &'a dyn Memory,
    read: RefCell<BTreeMap<u64, Vec<u8>>>,
}

impl<'a> Recorder<'a> {
    /// Nothing was read yet.
    pub fn new(inner: &'a dyn Memory) -> Recorder<'a> {
        Recorder { inner, read: RefCell::default() }
    }

    /// What was read, as [`Pieces`] has it: each byte once, neighbours together.
    pub fn into_pieces(self) -> Vec<u8> {
        let bytes = self.read.into_inner().into_iter().flat_map(|(address, bytes)| (address..).zip(bytes));
        let bytes: BTreeMap<u64, u8> = bytes.collect();
        let mut pieces: Vec<(u64, Vec<u8>)> = Vec::new();
        for (address, byte) in bytes {
            match pieces.last_mut() {
                Some((start, piece))
                    if *start + piece.len() as u64 == address && piece.len() < usize::from(u16::MAX) =>
                {
                    piece.push(byte);
                }
                _ => pieces.push((address, vec![byte])),
            }
        }
        let encoded = pieces.into_iter().flat_map(|(address, piece)| {
            [&address.to_le_bytes()[..], &(piece.len() as u16).to_le_bytes(), &piece].concat()
        });
        encoded.collect()
    }
}

impl Memory for Recorder<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        self.inner.read(address, buffer)?;
        let mut read = self.read.borrow_mut();
        let known = read.entry(address).or_default();
        if known.len() < buffer.len() {
            *known = buffer.to_vec();
        }
        Ok(())
    }
}
