//! Whether a unit was compiled without optimisation. No entry says so, but where parameters lie does: without
//! optimisation each has a slot in its call's frame for good. In: a unit. Out: whether it is known to be unoptimised.

use gimli::{AttributeValue, DebugInfoOffset, Operation, Unit, constants};

use super::entries::Parser;
use crate::image::{DieRef, Slice};

/// Entries of a unit that are looked at: more than there are before the first functions' parameters.
const MOST_ENTRIES: u32 = 1 << 16;
/// Parameters in slots that are enough: an optimiser keeps few of them there.
const ENOUGH: u32 = 64;

impl Parser<'_> {
    /// Whether the functions of a unit are as they are written. `false` as well where nothing tells.
    pub(super) fn is_unoptimised(&mut self, at: DebugInfoOffset) -> bool {
        if let Some(known) = self.units.entries.unoptimised.get(&at) {
            return *known;
        }
        let unit = self.units.unit(self.dwarf, at);
        let found = unit.and_then(|unit| self.has_slots_only(at, &unit)).unwrap_or(false);
        self.units.entries.unoptimised.insert(at, found);
        found
    }

    /// Whether the unit has parameters that are numbers or pointers, each in a slot of its call's frame. What is larger
    /// may be passed by its address, which is in a register at first in any build.
    fn has_slots_only(&mut self, at: DebugInfoOffset, unit: &Unit<Slice>) -> gimli::Result<bool> {
        let mut entries = unit.entries_raw(None)?;
        let (mut function, mut slots, mut left): (Option<isize>, _, _) = (None, 0_u32, MOST_ENTRIES);
        while !entries.is_empty() && slots < ENOUGH && left > 0 {
            left -= 1;
            let depth = entries.next_depth();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            let tag = abbreviation.tag();
            function = function.filter(|of| *of < depth);
            let is_parameter =
                tag == constants::DW_TAG_formal_parameter && function.is_some_and(|of| of + 1 == depth);
            if tag != constants::DW_TAG_subprogram && !is_parameter {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let (mut has_code, mut ty, mut location) = (false, None, None);
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(*specification)?;
                match attribute.name() {
                    constants::DW_AT_low_pc | constants::DW_AT_ranges => has_code = true,
                    constants::DW_AT_type => ty = Some(attribute.value()),
                    constants::DW_AT_location => location = Some(attribute.value()),
                    _ => {}
                }
            }
            if !is_parameter {
                function = has_code.then_some(depth);
                continue;
            }
            let (Some(ty), Some(location)) = (ty, location) else { continue };
            let Some(ty) = self.units.target(self.dwarf, at, ty) else { continue };
            if !self.is_scalar(ty)? {
                continue;
            }
            if !is_slot(unit, &location) {
                return Ok(false);
            }
            slots += 1;
        }
        Ok(slots > 0)
    }

    fn is_scalar(&mut self, ty: DieRef) -> gimli::Result<bool> {
        let tag = self.units.unit(self.dwarf, ty.unit)?.entry(ty.entry)?.tag();
        Ok(matches!(tag, constants::DW_TAG_base_type | constants::DW_TAG_pointer_type))
    }
}

/// Whether that is a place in the frame, for as long as the call lasts.
fn is_slot(unit: &Unit<Slice>, location: &AttributeValue<Slice>) -> bool {
    let Some(expression) = location.exprloc_value() else { return false };
    matches!(expression.operations(unit.encoding()).next(), Ok(Some(Operation::FrameOffset { .. })))
}
