//! The type entries of one image, each parsed once. In: DWARF. Out: [`Layout`]s. Never reads a process.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use gimli::{AttributeValue, DebugInfoOffset, DebuggingInformationEntry, Dwarf, Unit, constants};

use super::layout::{Entry, Kind, Layout};
use super::names::{self, PointerClass};
use super::scopes::Scopes;
use super::source::little_endian;
use super::vtables::{Concrete, Vtables};
use crate::image::{self, DieRef, Slice, UnitCache};

type Die = DebuggingInformationEntry<Slice>;

/// How many entries one name or one unsized tail is followed through.
const CHAIN: u32 = 32;

/// What is known of an image's type entries so far. Kept in its [`UnitCache`].
#[derive(Default)]
pub(crate) struct Entries {
    pub(super) layouts: HashMap<DieRef, Rc<Layout>>,
    scopes: HashMap<DebugInfoOffset, Rc<Scopes>>,
    pub(super) vtables: HashMap<DebugInfoOffset, Rc<Vtables>>,
    /// Units that are known to have been compiled without optimisation, or not.
    pub(super) unoptimised: HashMap<DebugInfoOffset, bool>,
    /// Unsized structs with the concrete types of their tails in place, by the entries of both.
    pub(super) made_sized: HashMap<(DieRef, DieRef), Concrete>,
    /// An entry that describes a `String`.
    pub(super) string: OnceCell<Option<DieRef>>,
}

/// Parses the entries of one image.
pub(super) struct Parser<'a> {
    pub(super) dwarf: &'a Dwarf<Slice>,
    pub(super) units: &'a mut UnitCache,
}

impl<'a> Parser<'a> {
    pub(super) fn new(dwarf: &'a Dwarf<Slice>, units: &'a mut UnitCache) -> Parser<'a> {
        Parser { dwarf, units }
    }

    /// The layout of an entry; an entry that cannot be parsed is opaque, with the reason.
    pub(super) fn layout(&mut self, die: DieRef) -> Rc<Layout> {
        self.layout_within(die, CHAIN)
    }

    fn layout_within(&mut self, die: DieRef, chain: u32) -> Rc<Layout> {
        if let Some(layout) = self.units.entries.layouts.get(&die) {
            return Rc::clone(layout);
        }
        let layout = match self.parse(die, chain) {
            Ok(layout) => layout,
            Err(error) => opaque("?", None, format!("the type entry cannot be parsed: {error}")),
        };
        let layout = Rc::new(layout);
        self.units.entries.layouts.insert(die, Rc::clone(&layout));
        layout
    }

    fn parse(&mut self, die: DieRef, chain: u32) -> gimli::Result<Layout> {
        let unit = self.units.unit(self.dwarf, die.unit)?;
        let entry = unit.entry(die.entry)?;
        let size = udata(&entry, constants::DW_AT_byte_size);
        let align = udata(&entry, constants::DW_AT_alignment).filter(|align| align.is_power_of_two());
        let own = self.text(&unit, &entry, constants::DW_AT_name);
        let mut layout = match entry.tag() {
            constants::DW_TAG_base_type => base_type(&entry, &own, size),
            constants::DW_TAG_structure_type => self.structure(die, &unit, &entry, &own, chain)?,
            constants::DW_TAG_enumeration_type => {
                let values = self.enumerators(die, &unit, size)?;
                Layout { kind: Kind::Names { values }, ..opaque(&self.full(die, &unit, &own), size, "") }
            }
            constants::DW_TAG_union_type => {
                Layout { kind: Kind::Union, ..opaque(&self.full(die, &unit, &own), size, "") }
            }
            constants::DW_TAG_pointer_type => self.thin_pointer(die, &unit, &entry, &own, chain)?,
            constants::DW_TAG_array_type => self.array(die, &unit, &entry, chain)?,
            constants::DW_TAG_subroutine_type => {
                Layout { kind: Kind::Function, ..opaque(if own.is_empty() { "fn" } else { &own }, size, "") }
            }
            tag => opaque(&own, size, format!("a type entry of a kind that Rust does not make ({tag})")),
        };
        layout.align = align;
        Ok(layout)
    }

    fn thin_pointer(
        &mut self,
        die: DieRef,
        unit: &Unit<Slice>,
        entry: &Die,
        own: &str,
        chain: u32,
    ) -> gimli::Result<Layout> {
        let size = Some(u64::from(unit.encoding().address_size));
        let target = self.reference(die, entry, constants::DW_AT_type);
        if let Some(target) = target
            && self.units.unit(self.dwarf, target.unit)?.entry(target.entry)?.tag()
                == constants::DW_TAG_subroutine_type
        {
            return Ok(Layout { kind: Kind::Function, ..opaque(own, size, "") });
        }
        let (class, _) = names::pointer(own).unwrap_or((PointerClass::Raw { mutable: false }, ""));
        let target = target.map(Entry::of);
        let kind = Kind::Pointer { class, target, fat: None };
        let name = match target {
            _ if !own.is_empty() => own.to_owned(),
            Some(to) if chain > 0 => format!("*const {}", self.layout_within(to.die, chain - 1).name),
            _ => "*const ?".to_owned(),
        };
        Ok(Layout { kind, ..opaque(&name, size, "") })
    }

    fn array(&mut self, die: DieRef, unit: &Unit<Slice>, entry: &Die, chain: u32) -> gimli::Result<Layout> {
        let mut tree = unit.entries_tree(Some(die.entry))?;
        let mut children = tree.root()?.children();
        let mut len = None;
        while let Some(child) = children.next()? {
            let child = child.entry();
            if child.tag() == constants::DW_TAG_subrange_type && len.is_none() {
                let beyond = |last: u64| last.checked_add(1);
                len = udata(child, constants::DW_AT_count)
                    .or_else(|| udata(child, constants::DW_AT_upper_bound).and_then(beyond));
            }
        }
        let (Some(of), Some(len)) = (self.reference(die, entry, constants::DW_AT_type), len) else {
            return Ok(opaque("[?]", None, "the debug info has no length or no element type for the array"));
        };
        if chain == 0 {
            return Ok(opaque("[?]", None, "the array's type is nested too deeply"));
        }
        let element = self.layout_within(of, chain - 1);
        let size = element.size.and_then(|size| size.checked_mul(len));
        let name = format!("[{}; {len}]", element.name);
        Ok(Layout { kind: Kind::Array { of: Entry::of(of), len }, ..opaque(&name, size, "") })
    }

    fn enumerators(
        &mut self,
        die: DieRef,
        unit: &Unit<Slice>,
        size: Option<u64>,
    ) -> gimli::Result<Vec<(u128, String)>> {
        let mut tree = unit.entries_tree(Some(die.entry))?;
        let mut children = tree.root()?.children();
        let mut values = Vec::new();
        while let Some(child) = children.next()? {
            let child = child.entry();
            if child.tag() != constants::DW_TAG_enumerator {
                continue;
            }
            if let Some(value) = child.attr_value(constants::DW_AT_const_value).and_then(|v| wide(&v)) {
                values.push((cut(value, size.unwrap_or(16)), self.text(unit, child, constants::DW_AT_name)));
            }
        }
        Ok(values)
    }

    /// Follows an attribute that refers to another entry, of this unit or of another one.
    pub(super) fn reference(&mut self, from: DieRef, entry: &Die, attribute: gimli::DwAt) -> Option<DieRef> {
        let value = entry.attr_value(attribute)?;
        self.units.target(self.dwarf, from.unit, value)
    }

    pub(super) fn text(&self, unit: &Unit<Slice>, entry: &Die, attribute: gimli::DwAt) -> String {
        let text = entry.attr_value(attribute).and_then(|value| image::string(self.dwarf, unit, value).ok());
        text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The full path of an entry of that name. Built-in types stand at the top of their unit and get none.
    pub(super) fn full(&mut self, die: DieRef, unit: &Unit<Slice>, own: &str) -> String {
        let scopes = if let Some(scopes) = self.units.entries.scopes.get(&die.unit) {
            Rc::clone(scopes)
        } else {
            let scopes = Rc::new(Scopes::of(self.dwarf, unit));
            self.units.entries.scopes.insert(die.unit, Rc::clone(&scopes));
            scopes
        };
        let path = scopes.path(die.entry);
        if path.is_empty() { own.to_owned() } else { format!("{path}::{own}") }
    }
}

pub(super) fn opaque(name: &str, size: Option<u64>, reason: impl Into<String>) -> Layout {
    Layout {
        name: name.to_owned(),
        size,
        align: None,
        params: Vec::new(),
        kind: Kind::Opaque { reason: reason.into() },
    }
}

fn base_type(entry: &Die, own: &str, size: Option<u64>) -> Layout {
    let encoding = match entry.attr_value(constants::DW_AT_encoding) {
        Some(AttributeValue::Encoding(encoding)) => Some(encoding),
        _ => None,
    };
    let whole = matches!(size, Some(1 | 2 | 4 | 8 | 16));
    let kind = match (own, encoding, size) {
        ("()", ..) => Kind::Unit,
        ("!", ..) => Kind::Never,
        (_, Some(constants::DW_ATE_boolean), Some(1)) => Kind::Bool,
        ("char", Some(constants::DW_ATE_UTF), Some(4)) => Kind::Char,
        (_, Some(constants::DW_ATE_unsigned | constants::DW_ATE_unsigned_char), _) if whole => {
            Kind::Integer { signed: false }
        }
        (_, Some(constants::DW_ATE_signed | constants::DW_ATE_signed_char), _) if whole => {
            Kind::Integer { signed: true }
        }
        (_, Some(constants::DW_ATE_float), Some(4 | 8)) => Kind::Float,
        _ => Kind::Opaque { reason: format!("values of `{own}` are not read") },
    };
    Layout { kind, ..opaque(own, size, "") }
}

pub(super) fn udata(entry: &Die, attribute: gimli::DwAt) -> Option<u64> {
    entry.attr_value(attribute)?.udata_value()
}

/// A constant of up to 128 bits, sign-extended where its form is signed.
pub(super) fn wide(value: &AttributeValue<Slice>) -> Option<u128> {
    match value {
        AttributeValue::Sdata(value) => Some(i128::from(*value) as u128),
        AttributeValue::Block(block) if block.len() <= 16 => Some(little_endian(block.slice())),
        AttributeValue::Data16(value) => Some(*value),
        other => other.udata_value().map(u128::from),
    }
}

/// The low `size` bytes of a number.
pub(super) fn cut(value: u128, size: u64) -> u128 {
    if size >= 16 { value } else { value & ((1 << (size * 8)) - 1) }
}
