//! The type entries of one image, each parsed once. In: DWARF. Out: [`Layout`]s. Never reads a process.

use std::collections::HashMap;
use std::rc::Rc;

use gimli::{
    AttributeValue, DebugInfoOffset, DebuggingInformationEntry, Dwarf, EntriesTreeNode, Reader as _, Unit,
    UnitOffset, constants,
};
use relapse_snapshot::StdType;

use super::layout::{Discriminant, Entry, Fat, Form, Kind, Layout, Member, Record, Variant, std_type};
use super::names::{self, PointerClass};
use super::scopes::Scopes;
use super::source::little_endian;
use crate::image::{DieRef, Slice, UnitCache};

type Die = DebuggingInformationEntry<Slice>;

/// How many entries one name or one unsized tail is followed through.
const CHAIN: u32 = 32;

/// What is known of an image's type entries so far. Kept in its [`UnitCache`].
#[derive(Default)]
pub(crate) struct Entries {
    layouts: HashMap<DieRef, Rc<Layout>>,
    scopes: HashMap<DebugInfoOffset, Rc<Scopes>>,
    /// Offsets of all units, ascending; filled when the first reference across units is met.
    units: Option<Vec<DebugInfoOffset>>,
}

/// Parses the entries of one image.
pub(super) struct Parser<'a> {
    dwarf: &'a Dwarf<Slice>,
    units: &'a mut UnitCache,
}

/// A struct's children, as they come.
#[derive(Default)]
struct Children {
    members: Vec<Member>,
    params: Vec<DieRef>,
    variants: Option<(Option<Discriminant>, Vec<Variant>)>,
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

    fn structure(
        &mut self,
        die: DieRef,
        unit: &Unit<Slice>,
        entry: &Die,
        own: &str,
        chain: u32,
    ) -> gimli::Result<Layout> {
        let size = udata(entry, constants::DW_AT_byte_size);
        let name = self.full(die, unit, own);
        if entry.has_attr(constants::DW_AT_declaration) {
            return Ok(opaque(&name, size, "the type is only declared in the debug info"));
        }
        let mut children = self.children(die, unit)?;
        let mut layout = opaque(&name, size, "");
        if own.starts_with("dyn ") {
            layout.kind = Kind::Dyn;
            return Ok(layout);
        }
        if let Some(kind) = fat_pointer(&name, &children.members, |part| self.pointer_target(part)) {
            layout.kind = kind;
            if let Some((_, target)) = names::pointer(&name)
                && let Kind::Pointer { class: PointerClass::Box, target: Some(entry), .. } = &layout.kind
                && !target.is_empty()
            {
                layout.params = vec![*entry];
            }
            return Ok(layout);
        }
        layout.params = self.params(own, &children.params);
        self.mark_function_items(&mut children.members, size);
        self.mark_unsized_tail(&mut children.members, size, chain);
        let path = name.split('<').next().unwrap_or_default();
        layout.kind = if let Some((discriminant, variants)) = children.variants {
            Kind::Enum { discriminant, variants }
        } else if let Some((std, params)) = std_type(path) {
            layout.params.truncate(params);
            if std == StdType::NonZero && layout.params.is_empty() {
                layout.params = children.members.iter().take(1).map(|member| member.entry).collect();
            }
            Kind::Std { std, members: named_fields(children.members) }
        } else {
            let record = record(own, &children.members);
            let members = named_fields(children.members);
            Kind::Record { members, record }
        };
        Ok(layout)
    }

    /// The type parameters with what their names add: `str` and slices have their element's entry.
    fn params(&mut self, own: &str, dies: &[DieRef]) -> Vec<Entry> {
        let texts = names::type_arguments(own);
        let paired = texts.len() == dies.len();
        let text = |index: usize| if paired { texts[index] } else { "" };
        dies.iter().enumerate().map(|(index, &die)| self.meant(die, text(index))).collect()
    }

    /// The entry as its name in another type's name says it is meant.
    fn meant(&mut self, die: DieRef, text: &str) -> Entry {
        let form = match text {
            "str" => Form::Str,
            _ if names::is_slice(text) => Form::Slice,
            _ => Form::Itself,
        };
        Entry { die, form }
    }

    /// What the data half of a fat pointer points to.
    fn pointer_target(&mut self, part: &Member) -> Option<DieRef> {
        let unit = self.units.unit(self.dwarf, part.entry.die.unit).ok()?;
        let entry = unit.entry(part.entry.die.entry).ok()?;
        if entry.tag() != constants::DW_TAG_pointer_type {
            return None;
        }
        self.reference(part.entry.die, &entry, constants::DW_AT_type)
    }

    /// Fields whose type is a function item are described as pointers, but take no room.
    fn mark_function_items(&mut self, members: &mut [Member], size: Option<u64>) {
        let Some(size) = size else { return };
        for index in 0..members.len() {
            let member = &members[index];
            let room = members
                .iter()
                .enumerate()
                .filter(|(other, m)| *other != index && m.offset >= member.offset)
                .map(|(_, m)| m.offset)
                .fold(size, u64::min)
                .saturating_sub(member.offset);
            if room < 8
                && matches!(self.tag_of_target(member.entry.die), Some(constants::DW_TAG_subroutine_type))
            {
                members[index].entry.form = Form::FunctionItem;
            }
        }
    }

    /// The tag of what a pointer entry points to.
    fn tag_of_target(&mut self, die: DieRef) -> Option<gimli::DwTag> {
        let unit = self.units.unit(self.dwarf, die.unit).ok()?;
        let entry = unit.entry(die.entry).ok()?;
        if entry.tag() != constants::DW_TAG_pointer_type {
            return None;
        }
        let target = self.reference(die, &entry, constants::DW_AT_type)?;
        Some(self.units.unit(self.dwarf, target.unit).ok()?.entry(target.entry).ok()?.tag())
    }

    /// The last field of an unsized struct is described by its element. Such a field reaches beyond the
    /// struct's size, which ends where an unsized field begins.
    fn mark_unsized_tail(&mut self, members: &mut [Member], size: Option<u64>, chain: u32) {
        let Some(size) = size else { return };
        let Some(last) = members.iter_mut().max_by_key(|member| member.offset) else { return };
        if last.entry.form == Form::Itself && self.reaches_beyond(last, size, chain) == Some(Tail::Slice) {
            last.entry.form = Form::Slice;
        }
    }

    fn reaches_beyond(&mut self, last: &Member, size: u64, chain: u32) -> Option<Tail> {
        let unit = self.units.unit(self.dwarf, last.entry.die.unit).ok()?;
        let entry = unit.entry(last.entry.die.entry).ok()?;
        let own_size = udata(&entry, constants::DW_AT_byte_size)
            .or_else(|| (entry.tag() == constants::DW_TAG_pointer_type).then_some(8))?;
        if entry.tag() == constants::DW_TAG_structure_type
            && chain > 0
            && self.is_unsized(last.entry.die, &unit, own_size, chain - 1)
        {
            return Some(Tail::Struct);
        }
        (last.offset.saturating_add(own_size) > size).then_some(Tail::Slice)
    }

    fn is_unsized(&mut self, die: DieRef, unit: &Unit<Slice>, size: u64, chain: u32) -> bool {
        let Ok(children) = self.children(die, unit) else { return false };
        let last = children.members.iter().max_by_key(|member| member.offset);
        children.variants.is_none()
            && last.is_some_and(|last| self.reaches_beyond(last, size, chain).is_some())
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
        let params = target.filter(|_| class == PointerClass::Box).into_iter().collect();
        Ok(Layout { kind, params, ..opaque(&name, size, "") })
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

    fn children(&mut self, die: DieRef, unit: &Unit<Slice>) -> gimli::Result<Children> {
        let mut tree = unit.entries_tree(Some(die.entry))?;
        let mut nodes = tree.root()?.children();
        let mut children = Children::default();
        while let Some(node) = nodes.next()? {
            match node.entry().tag() {
                constants::DW_TAG_member => children.members.extend(self.member(die, unit, node.entry())),
                constants::DW_TAG_template_type_parameter => {
                    children.params.extend(self.reference(die, node.entry(), constants::DW_AT_type));
                }
                constants::DW_TAG_variant_part => {
                    children.variants = Some(self.variant_part(die, unit, node)?);
                }
                _ => {}
            }
        }
        if let Some((discriminant, variants)) = &mut children.variants {
            // rustc gives an enum's type parameters to its variants, not to the enum.
            let first = variants.first().and_then(|variant| variant.members.first());
            if let Some(of) = first.map(|member| member.entry.die).filter(|_| children.params.is_empty()) {
                children.params = self.template_params(of)?;
            }
            self.fill_variants(die, *discriminant, variants)?;
        }
        Ok(children)
    }

    /// The variants of a variant part, each with one member for now: its struct.
    fn variant_part(
        &mut self,
        die: DieRef,
        unit: &Unit<Slice>,
        node: EntriesTreeNode<'_, '_, Slice>,
    ) -> gimli::Result<(Option<Discriminant>, Vec<Variant>)> {
        let discriminant_at = match node.entry().attr_value(constants::DW_AT_discr) {
            Some(AttributeValue::UnitRef(offset)) => Some(offset),
            _ => None,
        };
        let (mut discriminant, mut variants) = (None, Vec::new());
        let mut nodes = node.children();
        while let Some(node) = nodes.next()? {
            let entry = node.entry();
            if entry.tag() == constants::DW_TAG_member && Some(entry.offset()) == discriminant_at {
                let offset = udata(entry, constants::DW_AT_data_member_location).unwrap_or(0);
                let size = match self.reference(die, entry, constants::DW_AT_type) {
                    Some(ty) => udata(
                        &self.units.unit(self.dwarf, ty.unit)?.entry(ty.entry)?,
                        constants::DW_AT_byte_size,
                    ),
                    None => None,
                };
                discriminant = size.map(|size| Discriminant { offset, size });
            } else if entry.tag() == constants::DW_TAG_variant {
                let discriminants = discriminants(entry);
                let mut members = node.children();
                while let Some(member) = members.next()? {
                    let Some(member) = self.member(die, unit, member.entry()) else { continue };
                    let (name, discriminants) = (member.name.clone(), discriminants.clone());
                    variants.push(Variant { name, discriminants, members: vec![member] });
                }
            }
        }
        Ok((discriminant, variants))
    }

    /// Replaces each variant's one member (its struct) by that struct's fields.
    fn fill_variants(
        &mut self,
        die: DieRef,
        discriminant: Option<Discriminant>,
        variants: &mut [Variant],
    ) -> gimli::Result<()> {
        let size = discriminant.map_or(16, |discriminant| discriminant.size);
        for variant in variants {
            for range in &mut variant.discriminants {
                *range = (cut(range.0, size), cut(range.1, size));
            }
            let Some(structure) = variant.members.pop() else { continue };
            let of = structure.entry.die;
            if of == die {
                continue;
            }
            let unit = self.units.unit(self.dwarf, of.unit)?;
            let entry = unit.entry(of.entry)?;
            // A coroutine's variants are numbered; their structs tell the state: `Unresumed`, `Suspend0`.
            if variant.name.bytes().all(|b| b.is_ascii_digit()) {
                variant.name = self.text(&unit, &entry, constants::DW_AT_name);
            }
            let mut members = self.plain_members(of, &unit)?;
            for member in &mut members {
                member.offset = member.offset.saturating_add(structure.offset);
            }
            // A coroutine lists a captured variable twice: as saved local and as capture.
            let mut unique: Vec<Member> = Vec::new();
            for member in members {
                if !unique.contains(&member) {
                    unique.push(member);
                }
            }
            self.mark_function_items(&mut unique, udata(&entry, constants::DW_AT_byte_size));
            variant.members = named_fields(unique);
        }
        Ok(())
    }

    fn plain_members(&mut self, die: DieRef, unit: &Unit<Slice>) -> gimli::Result<Vec<Member>> {
        let mut tree = unit.entries_tree(Some(die.entry))?;
        let mut nodes = tree.root()?.children();
        let mut members = Vec::new();
        while let Some(node) = nodes.next()? {
            if node.entry().tag() == constants::DW_TAG_member {
                members.extend(self.member(die, unit, node.entry()));
            }
        }
        Ok(members)
    }

    fn template_params(&mut self, die: DieRef) -> gimli::Result<Vec<DieRef>> {
        let unit = self.units.unit(self.dwarf, die.unit)?;
        let mut tree = unit.entries_tree(Some(die.entry))?;
        let mut nodes = tree.root()?.children();
        let mut params = Vec::new();
        while let Some(node) = nodes.next()? {
            if node.entry().tag() == constants::DW_TAG_template_type_parameter {
                params.extend(self.reference(die, node.entry(), constants::DW_AT_type));
            }
        }
        Ok(params)
    }

    fn member(&mut self, die: DieRef, unit: &Unit<Slice>, entry: &Die) -> Option<Member> {
        if entry.has_attr(constants::DW_AT_external) {
            return None;
        }
        let of = self.reference(die, entry, constants::DW_AT_type)?;
        let offset = udata(entry, constants::DW_AT_data_member_location).unwrap_or(0);
        Some(Member { name: self.text(unit, entry, constants::DW_AT_name), entry: Entry::of(of), offset })
    }

    /// Follows an attribute that refers to another entry, of this unit or of another one.
    fn reference(&mut self, from: DieRef, entry: &Die, attribute: gimli::DwAt) -> Option<DieRef> {
        match entry.attr_value(attribute)? {
            AttributeValue::UnitRef(offset) => Some(DieRef { unit: from.unit, entry: offset }),
            AttributeValue::DebugInfoRef(offset) => self.across_units(offset),
            _ => None,
        }
    }

    fn across_units(&mut self, offset: DebugInfoOffset) -> Option<DieRef> {
        if self.units.entries.units.is_none() {
            let (mut offsets, mut headers) = (Vec::new(), self.dwarf.units());
            while let Ok(Some(header)) = headers.next() {
                offsets.extend(header.debug_info_offset());
            }
            self.units.entries.units = Some(offsets);
        }
        let offsets = self.units.entries.units.as_ref()?;
        let unit = *offsets.get(offsets.partition_point(|unit| unit.0 <= offset.0).checked_sub(1)?)?;
        let entry = UnitOffset(offset.0.checked_sub(unit.0)?);
        let parsed = self.units.unit(self.dwarf, unit).ok()?;
        entry.is_in_bounds(&parsed.header).then_some(DieRef { unit, entry })
    }

    fn text(&self, unit: &Unit<Slice>, entry: &Die, attribute: gimli::DwAt) -> String {
        let text = entry.attr_value(attribute).and_then(|value| self.dwarf.attr_string(unit, value).ok());
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

/// What an unsized struct ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Slice,
    Struct,
}

fn opaque(name: &str, size: Option<u64>, reason: impl Into<String>) -> Layout {
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

/// A struct that stands for a fat pointer: `data_ptr` and `length`, or `pointer` and `vtable`.
fn fat_pointer(
    name: &str,
    members: &[Member],
    mut target_of: impl FnMut(&Member) -> Option<DieRef>,
) -> Option<Kind> {
    let (class, target_name) = names::pointer(name)?;
    let member = |name: &str| members.iter().find(|member| member.name == name);
    let (data, length) = match (member("data_ptr"), member("pointer"), member("vtable")) {
        (Some(data), ..) => (data, Some(member("length")?.offset)),
        (None, Some(data), Some(_)) => (data, None),
        _ => return None,
    };
    let die = target_of(data)?;
    let form = match target_name {
        "str" => Form::Str,
        _ if names::is_slice(target_name) => Form::Slice,
        _ => Form::Itself,
    };
    let fat = Some(Fat { address: data.offset, length });
    Some(Kind::Pointer { class, target: Some(Entry { die, form }), fat })
}

fn record(own: &str, members: &[Member]) -> Record {
    if own.starts_with('(') {
        Record::Tuple
    } else if own.starts_with("{closure_env#") {
        Record::Closure
    } else if !members.is_empty() && members.iter().all(|member| names::field(&member.name) != member.name) {
        Record::TupleStruct
    } else {
        Record::Named
    }
}

fn named_fields(mut members: Vec<Member>) -> Vec<Member> {
    for member in &mut members {
        member.name = names::field(&member.name).to_owned();
    }
    members
}

/// The discriminants of a variant: one value, or a list of values and ranges (DWARF 5, section 5.7.10).
fn discriminants(entry: &Die) -> Vec<(u128, u128)> {
    if let Some(value) = entry.attr_value(constants::DW_AT_discr_value).and_then(|value| wide(&value)) {
        return vec![(value, value)];
    }
    let Some(AttributeValue::Block(mut list)) = entry.attr_value(constants::DW_AT_discr_list) else {
        return Vec::new();
    };
    let mut ranges = Vec::new();
    while let Ok(descriptor) = list.read_u8() {
        let Ok(low) = list.read_sleb128() else { break };
        let high = if descriptor == constants::DW_DSC_range.0 { list.read_sleb128() } else { Ok(low) };
        let Ok(high) = high else { break };
        ranges.push((i128::from(low) as u128, i128::from(high) as u128));
    }
    ranges
}

fn udata(entry: &Die, attribute: gimli::DwAt) -> Option<u64> {
    entry.attr_value(attribute)?.udata_value()
}

/// A constant of up to 128 bits, sign-extended where its form is signed.
fn wide(value: &AttributeValue<Slice>) -> Option<u128> {
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
