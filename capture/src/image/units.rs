//! Parsed unit headers of one image, each parsed once, by offset.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{DebugInfoOffset, Dwarf, Section, Unit};

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

    /// The unit whose header is at `offset` in `.debug_info`; those of a supplementary file come after the
    /// section's own.
    pub fn unit(
        &mut self,
        dwarf: &Dwarf<Slice>,
        offset: DebugInfoOffset,
    ) -> Result<Rc<Unit<Slice>>, gimli::Error> {
        if let Some(unit) = self.units.get(&offset) {
            return Ok(Rc::clone(unit));
        }
        let mut unit = match (offset.0.checked_sub(own_len(dwarf)), dwarf.sup()) {
            (Some(within), Some(sup)) => sup.unit(sup.unit_header(DebugInfoOffset(within))?)?,
            _ => dwarf.unit(dwarf.unit_header(offset)?)?,
        };
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
        let start = *starts.get(after.checked_sub(1)?)?;
        let unit = self.unit(dwarf, start).ok()?;
        let entry = gimli::UnitOffset(offset.0.checked_sub(start.0)?);
        // Its first entry at least is after its header.
        (entry.0 >= unit.header.root_offset().0 && entry.0 < unit.header.length_including_self())
            .then_some(DieRef { unit: start, entry })
    }

    /// What a reference (`DW_AT_type`, `DW_AT_abstract_origin` …) that was read in `from` refers to.
    pub fn target(
        &mut self,
        dwarf: &Dwarf<Slice>,
        from: DebugInfoOffset,
        reference: gimli::AttributeValue<Slice>,
    ) -> Option<DieRef> {
        let own_len = own_len(dwarf);
        match reference {
            gimli::AttributeValue::UnitRef(entry) => Some(DieRef { unit: from, entry }),
            // Of the file that it is read in.
            gimli::AttributeValue::DebugInfoRef(offset) if from.0 < own_len => self.entry_at(dwarf, offset),
            gimli::AttributeValue::DebugInfoRef(offset) | gimli::AttributeValue::DebugInfoRefSup(offset) => {
                self.entry_at(dwarf, DebugInfoOffset(offset.0.checked_add(own_len)?))
            }
            _ => None,
        }
    }
}

/// The caches of several [`DebugInfo`]s, of which a reader borrows those that it needs.
pub trait UnitCaches {
    /// Takes out what is cached for this debug info, or an empty cache for it.
    fn take(&mut self, info: DebugInfo) -> UnitCache;

    /// Gives it back.
    fn put(&mut self, info: DebugInfo, units: UnitCache);
}

impl UnitCaches for HashMap<usize, UnitCache> {
    fn take(&mut self, info: DebugInfo) -> UnitCache {
        self.remove(&info.number).unwrap_or_else(|| UnitCache::of(info))
    }

    fn put(&mut self, info: DebugInfo, units: UnitCache) {
        self.insert(info.number, units);
    }
}

/// A string of a unit's entry. Those of a supplementary file's units are in that file.
pub(crate) fn string(
    dwarf: &Dwarf<Slice>,
    unit: &Unit<Slice>,
    value: gimli::AttributeValue<Slice>,
) -> gimli::Result<Slice> {
    let home = dwarf.sup().filter(|sup| {
        let all = sup.debug_info.reader().slice().as_ptr_range();
        unit.header
            .range_from(unit.header.root_offset()..)
            .is_ok_and(|own| all.contains(&own.slice().as_ptr()))
    });
    home.unwrap_or(dwarf).attr_string(unit, value)
}

/// Bytes of the file's own `.debug_info`.
fn own_len(dwarf: &Dwarf<Slice>) -> usize {
    dwarf.debug_info.reader().len()
}

fn starts(dwarf: &Dwarf<Slice>) -> Vec<DebugInfoOffset> {
    let mut starts = Vec::new();
    let mut add = |dwarf: &Dwarf<Slice>, base: usize| {
        let mut units = dwarf.units();
        while let Ok(Some(header)) = units.next() {
            starts.extend(header.debug_info_offset().map(|offset| DebugInfoOffset(offset.0 + base)));
        }
    };
    add(dwarf, 0);
    if let Some(sup) = dwarf.sup() {
        add(sup, own_len(dwarf));
    }
    starts
}
