//! A target's memory, page by page: unwinding reads a few words of each frame, and each read of a live
//! process is a system call.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::memory::{Memory, Unreadable};

const PAGE: usize = 4096;
/// 4 MiB of a stack.
const MOST_PAGES: usize = 1024;

/// A view of another memory that keeps pages. Only for stopped processes.
pub(super) struct StackMemory<'a> {
    below: &'a dyn Memory,
    pages: RefCell<HashMap<u64, Option<Box<[u8]>>>>,
}

impl<'a> StackMemory<'a> {
    pub(super) fn new(below: &'a dyn Memory) -> StackMemory<'a> {
        StackMemory { below, pages: RefCell::default() }
    }

    pub(super) fn word(&self, address: u64) -> Option<u64> {
        self.read_u64(address).ok()
    }
}

impl Memory for StackMemory<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let inside = (address % PAGE as u64) as usize;
        if inside + buffer.len() > PAGE {
            return self.below.read(address, buffer);
        }
        let start = address - inside as u64;
        let mut pages = self.pages.borrow_mut();
        if pages.len() >= MOST_PAGES {
            pages.clear();
        }
        let page = pages
            .entry(start)
            .or_insert_with(|| self.below.read_vec(start, PAGE).ok().map(Vec::into_boxed_slice));
        match page {
            Some(page) => {
                buffer.copy_from_slice(&page[inside..inside + buffer.len()]);
                Ok(())
            }
            // A core file or a recording may hold a part of a page.
            None => self.below.read(address, buffer),
        }
    }
}
