//! Trait objects: which type a vtable belongs to. rustc describes each vtable by a variable whose type names it
//! (`DW_AT_containing_type`). In: a vtable's address. Out: the type, or why it cannot be told.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{DebugAddrIndex, DebugInfoOffset, Dwarf, Encoding, Operation, Unit, constants};

use super::Reader;
use super::entries::{Parser, udata};
use super::layout::{Entry, Form, Kind};
use super::source::{Gap, Read, Source};
use crate::image::{self, DebugInfo, DieRef, Slice, UnitCache};

/// No type is aligned to more (rustc's own limit).
const LARGEST_ALIGN: u64 = 1 << 29;
/// The words before the methods: drop function, size, alignment.
const HEADER: u64 = 3;
/// Methods of a vtable that are looked at.
const METHODS: u64 = 16;
/// Entries of one unit that are looked at: the program stands still meanwhile. With link-time optimisation a unit may be a
/// whole program.
const MOST_ENTRIES: u64 = 4 << 20;
/// Bytes of a word.
const WORD: u64 = 8;

/// The vtables that one unit describes, by the entries of their types.
#[derive(Default)]
pub(crate) struct Vtables {
    placed: HashMap<u64, Vec<DieRef>>,
    /// Without an address: rustc gives it to one only of those that have the same content.
    unplaced: Vec<DieRef>,
    /// Whether the unit has more entries than were looked at.
    is_cut: bool,
}

/// A type that stands behind a trait object.
#[derive(Clone)]
pub(super) struct Concrete {
    /// What describes it.
    pub(super) info: DebugInfo,
    pub(super) entry: Entry,
    /// As the vtable has them, which is as the type has them.
    pub(super) size: u64,
    pub(super) align: u64,
}

impl Vtables {
    /// One pass over the unit's first entries. A unit that is damaged half-way keeps what was found so far.
    fn of(dwarf: &Dwarf<Slice>, units: &mut UnitCache, at: DebugInfoOffset, most: u64) -> Vtables {
        let mut found = Vtables::default();
        if let Ok(unit) = units.unit(dwarf, at) {
            let _ = found.collect(dwarf, units, at, &unit, most);
        }
        found
    }

    fn collect(
        &mut self,
        dwarf: &Dwarf<Slice>,
        units: &mut UnitCache,
        at: DebugInfoOffset,
        unit: &Unit<Slice>,
        mut most: u64,
    ) -> gimli::Result<()> {
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            if most == 0 {
                self.is_cut = true;
                break;
            }
            most -= 1;
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if abbreviation.tag() != constants::DW_TAG_variable {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let (mut is_vtable, mut ty, mut place) = (false, None, None);
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(*specification)?;
                match attribute.name() {
                    constants::DW_AT_name => {
                        let name = image::string(dwarf, unit, attribute.value())?;
                        is_vtable = name.slice().ends_with(b"{vtable}");
                    }
                    constants::DW_AT_type => ty = Some(attribute.value()),
                    constants::DW_AT_location => {
                        let indexed = |index| dwarf.address(unit, index).ok();
                        place = address_of(&attribute.value(), unit.encoding(), indexed);
                    }
                    _ => {}
                }
            }
            let Some(ty) = ty.filter(|_| is_vtable).and_then(|ty| units.target(dwarf, at, ty)) else {
                continue;
            };
            match place {
                Some(address) => self.placed.entry(address).or_default().push(ty),
                None => self.unplaced.push(ty),
            }
        }
        Ok(())
    }
}

/// The address that a static has for good; `indexed` finds those that are kept in a table.
fn address_of(
    location: &gimli::AttributeValue<Slice>,
    encoding: Encoding,
    indexed: impl Fn(DebugAddrIndex) -> Option<u64>,
) -> Option<u64> {
    let mut operations = location.exprloc_value()?.operations(encoding);
    let first = operations.next().ok()??;
    match (first, operations.next().ok()?) {
        (Operation::Address { address }, None) => Some(address),
        (Operation::AddressIndex { index }, None) => indexed(index),
        // What follows makes another address of it.
        _ => None,
    }
}

impl Parser<'_> {
    fn vtables(&mut self, unit: DebugInfoOffset) -> Rc<Vtables> {
        if let Some(known) = self.units.entries.vtables.get(&unit) {
            return Rc::clone(known);
        }
        let found = Rc::new(Vtables::of(self.dwarf, self.units, unit, MOST_ENTRIES));
        self.units.entries.vtables.insert(unit, Rc::clone(&found));
        found
    }

    /// The type that a vtable's type belongs to, and the size of the vtable.
    fn behind_vtable(&mut self, vtable: DieRef) -> Option<(DieRef, Option<u64>)> {
        let entry = self.units.unit(self.dwarf, vtable.unit).ok()?.entry(vtable.entry).ok()?;
        let of = self.reference(vtable, &entry, constants::DW_AT_containing_type)?;
        Some((of, udata(&entry, constants::DW_AT_byte_size)))
    }
}

/// What a vtable itself says.
pub(super) struct Header {
    pub(super) size: u64,
    pub(super) align: u64,
    /// Addresses of its functions, in the process.
    pub(super) functions: Vec<u64>,
    /// Its own size, as far as it was looked at: functions that could not be read are none.
    words: u64,
}

impl Reader<'_> {
    /// The type that a vtable belongs to.
    pub(super) fn concrete(&mut self, vtable: u64) -> Read<Concrete> {
        if let Some(known) = self.vtables.get(&vtable) {
            return known.clone();
        }
        let found = self.look_up_vtable(vtable);
        self.vtables.insert(vtable, found.clone());
        found
    }

    fn look_up_vtable(&mut self, vtable: u64) -> Read<Concrete> {
        let (image, bias) = self.image_at(vtable)?;
        let own = vtable.wrapping_sub(bias);
        let header = self.vtable_header(vtable)?;
        let near: Vec<u64> = header.functions.iter().map(|code| code.wrapping_sub(bias)).collect();
        let (mut found, mut missing): (Vec<(String, Concrete)>, _) = (Vec::new(), None);
        for unit in image.units_of_data(own, &near) {
            let located = match unit {
                Ok(located) => located,
                Err(reason) => {
                    missing = Some(reason);
                    continue;
                }
            };
            let Some(unit) = located.unit else { continue };
            let of_unit = self.within(located.info, |r| r.of_unit(located.info, unit, own, &header));
            let of_unit = of_unit.unwrap_or_else(|reason| {
                missing = Some(reason);
                Vec::new()
            });
            for (name, concrete) in of_unit {
                if found.iter().all(|(known, _)| *known != name) {
                    found.push((name, concrete));
                }
            }
        }
        match (&found[..], missing) {
            ([(_, concrete)], None) => Ok(concrete.clone()),
            ([], None) => self
                .text_error(image, bias, &header)
                .ok_or_else(|| Gap::because("the debug info does not tell which type its vtable belongs to")),
            (_, Some(reason)) => Err(Gap::because(format!("which type its vtable belongs to: {reason}"))),
            (several, None) => {
                let names: Vec<&str> = several.iter().take(4).map(|(name, _)| name.as_str()).collect();
                Err(Gap::because(format!("several types share its vtable: {}", names.join(", "))))
            }
        }
    }

    fn vtable_header(&self, vtable: u64) -> Read<Header> {
        let word = |index: u64| {
            Source::Memory(vtable).at(index * WORD).number(self.memory, WORD).map(|word| word as u64)
        };
        let (drop, size, align) = (word(0)?, word(1)?, word(2)?);
        if !vtable.is_multiple_of(WORD) || !align.is_power_of_two() || align > LARGEST_ALIGN {
            return Err(Gap::because(format!("there is no vtable at {vtable:#x}")));
        }
        let mut header = Header { size, align, functions: vec![drop], words: HEADER };
        for index in HEADER..HEADER + METHODS {
            let Ok(function) = word(index) else { break };
            header.functions.push(function);
            header.words += 1;
        }
        Ok(header)
    }

    /// The types of one unit that the vtable can belong to, by name.
    fn of_unit(
        &mut self,
        info: DebugInfo,
        unit: DebugInfoOffset,
        own: u64,
        header: &Header,
    ) -> Result<Vec<(String, Concrete)>, String> {
        let mut parser = Parser::new(self.dwarf, self.units);
        let vtables = parser.vtables(unit);
        if vtables.is_cut {
            // A type that shares the vtable may be described further on.
            return Err(format!("its unit has more than {MOST_ENTRIES} entries"));
        }
        let placed = vtables.placed.get(&own).into_iter().flatten();
        let placed: Vec<_> = placed.filter_map(|vtable| parser.behind_vtable(*vtable)).collect();
        let Some(&(_, bytes)) = placed.first() else { return Ok(Vec::new()) };
        let words = bytes.unwrap_or(0) / WORD;
        // What has a function of its own differs from all others.
        let methods = words.saturating_sub(HEADER).min(METHODS) as usize;
        let is_bare = words <= header.words && header.functions.iter().take(1 + methods).all(|f| *f == 0);
        let twins: Vec<_> = if is_bare {
            let others = vtables.unplaced.iter().filter_map(|vtable| parser.behind_vtable(*vtable));
            others.filter(|(_, other)| *other == bytes).collect()
        } else {
            Vec::new()
        };
        let mut found = Vec::new();
        for (die, _) in placed {
            found.extend(self.fitting(info, die, header));
        }
        if !found.is_empty() {
            for (die, _) in twins {
                found.extend(self.fitting(info, die, header));
            }
        }
        Ok(found)
    }

    /// The type, where it has the size and the alignment that the vtable says.
    fn fitting(&mut self, info: DebugInfo, die: DieRef, header: &Header) -> Option<(String, Concrete)> {
        let layout = self.layout(die);
        let mut entry = Entry::of(die);
        if layout.kind_is_function() && header.size == 0 {
            entry.form = Form::FunctionItem;
        } else if layout.size != Some(header.size) || layout.align.is_some_and(|align| align != header.align)
        {
            return None;
        }
        let concrete = Concrete { info, entry, size: header.size, align: header.align };
        Some((layout.name.clone(), concrete))
    }
}

impl super::layout::Layout {
    fn kind_is_function(&self) -> bool {
        matches!(self.kind, Kind::Function)
    }
}

#[cfg(test)]
mod tests {
    use gimli::{AttributeValue, EndianSlice, Expression, Format, LittleEndian};

    use super::*;

    #[test]
    fn an_address_that_is_computed_further_is_none() {
        let encoding = Encoding { format: Format::Dwarf32, version: 4, address_size: 8 };
        let of = |bytes: &'static [u8]| {
            let location = AttributeValue::Exprloc(Expression(EndianSlice::new(bytes, LittleEndian)));
            address_of(&location, encoding, |_| Some(7))
        };
        // DW_OP_addr 0x10; DW_OP_addrx 0; each again with DW_OP_plus_uconst 40.
        assert_eq!(of(&[3, 16, 0, 0, 0, 0, 0, 0, 0]), Some(16));
        assert_eq!(of(&[0xa1, 0]), Some(7));
        assert_eq!(of(&[3, 16, 0, 0, 0, 0, 0, 0, 0, 0x23, 40]), None);
        assert_eq!(of(&[0xa1, 0, 0x23, 40]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn of_a_unit_the_first_entries_are_looked_at() {
        // A unit, a struct, and a variable with a name, a type and an address.
        let abbreviations: &[u8] =
            &[1, 0x11, 1, 0, 0, 2, 0x13, 0, 0, 0, 3, 0x34, 0, 3, 8, 0x49, 0x13, 2, 0x18, 0, 0, 0];
        let mut info = vec![4, 0, 0, 0, 0, 0, 8, 1, 2, 3];
        info.extend(b"a::{vtable}\0");
        info.extend([12, 0, 0, 0, 9, 3, 16, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mut unit = (info.len() as u32).to_le_bytes().to_vec();
        unit.append(&mut info);
        let unit: &'static [u8] = unit.leak();
        let section = |id| match id {
            gimli::SectionId::DebugInfo => unit,
            gimli::SectionId::DebugAbbrev => abbreviations,
            _ => &[],
        };
        let load = |id| Ok::<_, gimli::Error>(EndianSlice::new(section(id), LittleEndian));
        let dwarf = Dwarf::load(load).unwrap();
        let of = |most| Vtables::of(&dwarf, &mut UnitCache::new(), DebugInfoOffset(0), most);
        let (all, some) = (of(4), of(2));
        assert_eq!((all.placed.len(), all.is_cut), (1, false));
        assert_eq!((some.placed.len(), some.is_cut), (0, true));
    }
}
