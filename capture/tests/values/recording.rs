//! Memory that was recorded page by page and can be changed: what a hostile process may hold.

use std::cell::RefCell;
use std::collections::BTreeMap;

use relapse_capture::memory::{Memory, Unreadable};

const PAGE: u64 = 4096;

/// Keeps every page that is read through it.
pub(crate) struct Recorder<'a> {
    inner: &'a dyn Memory,
    pages: RefCell<BTreeMap<u64, Vec<u8>>>,
}

impl<'a> Recorder<'a> {
    pub(crate) fn new(inner: &'a dyn Memory) -> Recorder<'a> {
        Recorder { inner, pages: RefCell::default() }
    }

    pub(crate) fn into_recording(self) -> Recording {
        Recording { pages: self.pages.into_inner() }
    }
}

impl Memory for Recorder<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        self.inner.read(address, buffer)?;
        let (first, last) = (address / PAGE, (address + buffer.len() as u64) / PAGE);
        for page in first..=last {
            if let Ok(bytes) = self.inner.read_vec(page * PAGE, PAGE as usize) {
                self.pages.borrow_mut().entry(page).or_insert(bytes);
            }
        }
        Ok(())
    }
}

/// The pages.
#[derive(Clone)]
pub(crate) struct Recording {
    pub(crate) pages: BTreeMap<u64, Vec<u8>>,
}

impl Recording {
    pub(crate) fn write(&mut self, address: u64, byte: u8) {
        if let Some(page) = self.pages.get_mut(&(address / PAGE)) {
            page[(address % PAGE) as usize] = byte;
        }
    }

    /// The address of the n-th recorded byte.
    pub(crate) fn nth(&self, n: u64) -> u64 {
        let count = self.pages.len() as u64;
        self.pages.keys().nth((n / PAGE % count) as usize).unwrap() * PAGE + n % PAGE
    }
}

impl Memory for Recording {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let unreadable = Unreadable { address, len: buffer.len() };
        let mut at = address;
        let mut rest = buffer;
        while !rest.is_empty() {
            let page = self.pages.get(&(at / PAGE)).ok_or(unreadable)?;
            let from = (at % PAGE) as usize;
            let count = rest.len().min(page.len() - from);
            rest[..count].copy_from_slice(&page[from..from + count]);
            rest = &mut rest[count..];
            at += count as u64;
        }
        Ok(())
    }
}
