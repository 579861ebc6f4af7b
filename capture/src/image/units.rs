//! Parsed unit headers of one image, each parsed once, by offset.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{DebugInfoOffset, Dwarf, Unit};

use super::Slice;
use crate::values::Entries;

/// The units of one image that were needed so far. One cache serves one image only: offsets of different
/// images collide.
#[derive(Default)]
pub struct UnitCache {
    units: HashMap<DebugInfoOffset, Rc<Unit<Slice>>>,
    /// The type entries that were read from these units.
    pub(crate) entries: Entries,
}

impl UnitCache {
    /// An empty cache.
    pub fn new() -> UnitCache {
        UnitCache::default()
    }

    /// The unit whose header is at `offset` in `.debug_info`.
    pub fn unit(
        &mut self,
        dwarf: &Dwarf<Slice>,
        offset: DebugInfoOffset,
    ) -> Result<Rc<Unit<Slice>>, gimli::Error> {
        if let Some(unit) = self.units.get(&offset) {
            return Ok(Rc::clone(unit));
        }
        let header = dwarf.debug_info.header_from_offset(offset)?;
        let unit = Rc::new(dwarf.unit(header)?);
        self.units.insert(offset, Rc::clone(&unit));
        Ok(unit)
    }
}
