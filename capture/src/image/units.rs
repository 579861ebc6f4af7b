//! Parsed unit headers of one image, each parsed once, by offset.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{DebugInfoOffset, Dwarf, Unit};

use super::{DebugInfo, DieRef, Slice};
use crate::values::Entries;

/// The units of one [`DebugInfo`] that were needed so far. One cache serves one only: offsets of different
/// files collide.
#[derive(Default)]
pub struct UnitCache {
    /// What a split unit takes addresses, lines and folder from.
    skeleton: Option<&'static Unit<Slice>>,
    units: HashMap<DebugInfoOffset, Rc<Unit<Slice>>>,
    /// Where all units begin, sorted; read on the first reference from one unit into another.
    starts: Option<Vec<DebugInfoOffset>>,
    /// The type entries that were read from these units.
    pub(crate) entries: Entries,
}

impl UnitCache {
    /// An empty cache.
    pub fn new() -> UnitCache {
        UnitCache::default()
    }

    /// An empty cache for this debug info.
    pub(crate) fn of(info: DebugInfo) -> UnitCache {
        UnitCache { skeleton: info.skeleton, ..UnitCache::default() }
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
        let mut unit = dwarf.unit(header)?;
        if let Some(skeleton) = self.skeleton {
            unit.copy_relocated_attributes(skeleton);
            unit.comp_dir = unit.comp_dir.or(skeleton.comp_dir);
            if unit.line_program.is_none() {
                unit.line_program.clone_from(&skeleton.line_program);
            }
        }
        let unit = Rc::new(unit);
        self.units.insert(offset, Rc::clone(&unit));
        Ok(unit)
    }

    /// The entry at an offset in `.debug_info`: what `DW_FORM_ref_addr` refers to (link-time optimisation
    /// makes entries refer to those of other units).
    pub fn entry_at(&mut self, dwarf: &Dwarf<Slice>, offset: DebugInfoOffset) -> Option<DieRef> {
        let starts = self.starts.get_or_insert_with(|| starts(dwarf));
        let after = starts.partition_point(|start| *start <= offset);
        let unit = *starts.get(after.checked_sub(1)?)?;
        let header = dwarf.debug_info.header_from_offset(unit).ok()?;
        Some(DieRef { unit, entry: offset.to_unit_offset(&header)? })
    }

    /// What a reference (`DW_AT_type`, `DW_AT_abstract_origin` …) that was read in `from` refers to.
    pub fn target(
        &mut self,
        dwarf: &Dwarf<Slice>,
        from: DebugInfoOffset,
        reference: gimli::AttributeValue<Slice>,
    ) -> Option<DieRef> {
        match reference {
            gimli::AttributeValue::UnitRef(entry) => Some(DieRef { unit: from, entry }),
            gimli::AttributeValue::DebugInfoRef(offset) => self.entry_at(dwarf, offset),
            _ => None,
        }
    }
}

fn starts(dwarf: &Dwarf<Slice>) -> Vec<DebugInfoOffset> {
    let (mut starts, mut units) = (Vec::new(), dwarf.units());
    while let Ok(Some(header)) = units.next() {
        starts.extend(header.debug_info_offset());
    }
    starts
}
