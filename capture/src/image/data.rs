//! Which units describe an image's constants and statics, found by address. `.debug_aranges` lists the data of a
//! unit beside its code. In: an address. Out: units. Never looks through the units themselves.

use gimli::DebugInfoOffset;

use super::Image;
use super::file::Sections;
use super::split::Located;

/// Units whose data covers one address: a linker that folds equal constants makes them share it.
const SHARERS: usize = 8;

/// The data of all units, by address.
#[derive(Default)]
pub(super) struct DataRanges {
    /// Start, end and unit, sorted.
    ranges: Vec<(u64, u64, DebugInfoOffset)>,
}

impl DataRanges {
    /// Reads the table; what is damaged in it is left out.
    fn of(image: &Image) -> DataRanges {
        let is_code = |address: u64| {
            image.segments.iter().any(|s| s.executable && address.wrapping_sub(s.address) < s.len)
        };
        let mut ranges = Vec::new();
        // Damage in it costs nothing else: the other readers do without it.
        let sections = Sections::of(image.debug.as_ref().unwrap_or(&image.object));
        let table = gimli::DebugAranges::from(sections.reader(Some(".debug_aranges")));
        let mut headers = table.headers();
        while let Ok(Some(header)) = headers.next() {
            let unit = header.debug_info_offset();
            let mut entries = header.entries();
            while let Some(entry) = entries.next().transpose() {
                let Ok(entry) = entry else { continue };
                let range = entry.range();
                if range.begin < range.end && !is_code(range.begin) {
                    ranges.push((range.begin, range.end, unit));
                }
            }
        }
        ranges.sort_unstable_by_key(|(start, end, unit)| (*start, *end, unit.0));
        DataRanges { ranges }
    }

    /// The units with data at an address.
    fn units_at(&self, address: u64) -> Vec<DebugInfoOffset> {
        let after = self.ranges.partition_point(|(start, ..)| *start <= address);
        let near = self.ranges[..after].iter().rev().take(SHARERS);
        let mut units: Vec<DebugInfoOffset> =
            near.filter(|(_, end, _)| address < *end).map(|(.., unit)| *unit).collect();
        units.dedup();
        units
    }
}

impl Image {
    /// The units that describe what lies at an address of the image that is no code; `Err`: why a split unit is not
    /// there. Where the image has no table of its data, those of the code at `near`.
    pub(crate) fn units_of_data(&'static self, address: u64, near: &[u64]) -> Vec<Result<Located, String>> {
        let table = self.data_ranges.get_or_init(|| DataRanges::of(self));
        let units = table.units_at(address);
        if !units.is_empty() {
            return units.into_iter().map(|unit| self.locate_unit(unit)).collect();
        }
        let Some(context) = self.context() else { return Vec::new() };
        let unit_of_code = |code: &u64| {
            let unit = self.resolve(context.find_dwarf_and_unit(*code))?;
            Some(self.locate(&unit))
        };
        near.iter().take(SHARERS).filter_map(unit_of_code).collect()
    }
}
