//! The other images of a process, and split units: what a vtable leads to may be described in another debug info
//! than the pointer. In: an address or a debug info. Out: the reader, turned to that debug info for a while.

use std::mem;

use super::Reader;
use super::source::{Gap, Read};
use crate::image::{AddressSpace, DebugInfo, Image, UnitCaches};

/// Where a reader finds what its own debug info does not describe.
pub(super) struct Elsewhere<'a> {
    pub(super) space: &'a AddressSpace,
    pub(super) caches: &'a mut dyn UnitCaches,
    /// What the reader reads now.
    pub(super) here: DebugInfo,
}

impl<'a> Reader<'a> {
    /// The same reader, for a process with these images, of which `here` is the debug info that it was made for.
    /// Without them no vtable and no function is found.
    pub fn among(
        mut self,
        space: &'a AddressSpace,
        here: DebugInfo,
        caches: &'a mut dyn UnitCaches,
    ) -> Reader<'a> {
        self.elsewhere = Some(Elsewhere { space, caches, here });
        self
    }

    /// The number of the debug info that is read now.
    pub(super) fn here(&self) -> usize {
        self.elsewhere.as_ref().map_or(0, |elsewhere| elsewhere.here.number)
    }

    /// The image at an address of the process, with its load bias.
    pub(super) fn image_at(&self, address: u64) -> Read<(&'static Image, u64)> {
        let Some(elsewhere) = &self.elsewhere else {
            return Err(Gap::because("the images of the process are not at hand"));
        };
        let found = elsewhere.space.image_at(address);
        found.ok_or_else(|| Gap::because(format!("there is no image at {address:#x}")))
    }

    /// Reads by another debug info.
    pub(super) fn within<T>(&mut self, info: DebugInfo, read: impl FnOnce(&mut Self) -> T) -> T {
        let Some(elsewhere) = self.elsewhere.as_mut().filter(|e| e.here.number != info.number) else {
            return read(self);
        };
        let outer = mem::replace(&mut elsewhere.here, info);
        let units = elsewhere.caches.take(info);
        elsewhere.caches.put(outer, mem::replace(self.units, units));
        let dwarf = mem::replace(&mut self.dwarf, info.dwarf);
        let ids = mem::take(&mut self.ids);
        let result = read(self);
        (self.dwarf, self.ids) = (dwarf, ids);
        if let Some(elsewhere) = &mut self.elsewhere {
            elsewhere.here = outer;
            let units = elsewhere.caches.take(outer);
            elsewhere.caches.put(info, mem::replace(self.units, units));
        }
        result
    }
}
