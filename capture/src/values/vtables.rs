//! Trait objects: which type a vtable belongs to. rustc describes each vtable by a variable whose type names it
//! (`DW_AT_containing_type`). In: a vtable's address. Out: the type, or why it cannot be told.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{DebugInfoOffset, Dwarf, Operation, Unit, constants};

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
/// Bytes of a word.
const WORD: u64 = 8;

/// The vtables that one unit describes, by the entries of their types.
#[derive(Default)]
pub(crate) struct Vtables {
    placed: HashMap<u64, Vec<DieRef>>,
    /// Without an address: rustc gives it to one only of those that have the same content.
    unplaced: Vec<DieRef>,
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
    /// One pass over the unit. A unit that is damaged half-way keeps what was found so far.
    fn of(dwarf: &Dwarf<Slice>, units: &mut UnitCache, at: DebugInfoOffset) -> Vtables {
        let mut found = Vtables::default();
        if let Ok(unit) = units.unit(dwarf, at) {
            let _ = found.collect(dwarf, units, at, &unit);
        }
        found
    }

    fn collect(
        &mut self,
        dwarf: &Dwarf<Slice>,
        units: &mut UnitCache,
        at: DebugInfoOffset,
        unit: &Unit<Slice>,
    ) -> gimli::Result<()> {
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
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
                    constants::DW_AT_location => place = address_of(dwarf, unit, &attribute.value()),
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

/// The address that a static has for good.
fn address_of(
    dwarf: &Dwarf<Slice>,
    unit: &Unit<Slice>,
    location: &gimli::AttributeValue<Slice>,
) -> Option<u64> {
    match location.exprloc_value()?.operations(unit.encoding()).next().ok()?? {
        Operation::Address { address } => Some(address),
        Operation::AddressIndex { index } => dwarf.address(unit, index).ok(),
        _ => None,
    }
}

impl Parser<'_> {
    fn vtables(&mut self, unit: DebugInfoOffset) -> Rc<Vtables> {
        if let Some(known) = self.units.entries.vtables.get(&unit) {
            return Rc::clone(known);
        }
        let found = Rc::new(Vtables::of(self.dwarf, self.units, unit));
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
struct Header {
    size: u64,
    align: u64,
    /// Addresses of its functions, in the process.
    functions: Vec<u64>,
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
            for (name, concrete) in self.within(located.info, |r| r.of_unit(located.info, unit, own, &header))
            {
                if found.iter().all(|(known, _)| *known != name) {
                    found.push((name, concrete));
                }
            }
        }
        match (&found[..], missing) {
            ([(_, concrete)], None) => Ok(concrete.clone()),
            ([], None) => Err(Gap::because("the debug info does not tell which type its vtable belongs to")),
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
    ) -> Vec<(String, Concrete)> {
        let mut parser = Parser::new(self.dwarf, self.units);
        let vtables = parser.vtables(unit);
        let placed = vtables.placed.get(&own).into_iter().flatten();
        let placed: Vec<_> = placed.filter_map(|vtable| parser.behind_vtable(*vtable)).collect();
        let Some(&(_, bytes)) = placed.first() else { return Vec::new() };
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
        found
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
