//! Struct entries: plain structs and tuples, std types, enums (variant parts), fat pointers, closures.

use gimli::{AttributeValue, DebuggingInformationEntry, EntriesTreeNode, Reader as _, Unit, constants};
use relapse_snapshot::StdType;

use super::entries::{Parser, cut, opaque, udata, wide};
use super::layout::{Discriminant, Entry, Fat, Form, Kind, Layout, Member, Record, Variant, std_type};
use super::names;
use crate::image::{DieRef, Slice};

type Die = DebuggingInformationEntry<Slice>;

/// Size of a thin pointer.
const POINTER: u64 = 8;

/// A struct's children, as they come.
#[derive(Default)]
struct Children {
    members: Vec<Member>,
    params: Vec<DieRef>,
    variants: Option<(Option<Discriminant>, Vec<Variant>)>,
}

impl Parser<'_> {
    pub(super) fn structure(
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
        if names::is_dyn(own) {
            layout.kind = Kind::Dyn;
            return Ok(layout);
        }
        if let Some(kind) = fat_pointer(&name, &children.members, |part| self.pointer_target(part)) {
            layout.kind = kind;
            return Ok(layout);
        }
        layout.params = Self::params(own, &children.params);
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
    fn params(own: &str, dies: &[DieRef]) -> Vec<Entry> {
        let texts = names::type_arguments(own);
        let paired = texts.len() == dies.len();
        let text = |index: usize| if paired { texts[index] } else { "" };
        dies.iter().enumerate().map(|(index, &die)| names::meant(die, text(index))).collect()
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

    /// Fields whose type is a function item are described as pointers, but take no room: the next field with a
    /// size begins before a pointer would end.
    fn mark_function_items(&mut self, members: &mut [Member], size: Option<u64>) {
        let Some(size) = size else { return };
        for index in 0..members.len() {
            if !self.is_function(members[index].entry.die) {
                continue;
            }
            let (from, mut end) = (members[index].offset, size);
            for other in members.iter().filter(|other| other.offset >= from) {
                let die = other.entry.die;
                let sized = self.size_in_entry(die) != Some(0);
                if sized && (other.offset > from || !self.is_function(die)) {
                    end = end.min(other.offset);
                }
            }
            if end.saturating_sub(from) < POINTER {
                members[index].entry.form = Form::FunctionItem;
            }
        }
    }

    /// Whether an entry describes a function pointer.
    fn is_function(&mut self, die: DieRef) -> bool {
        self.tag_of_target(die) == Some(constants::DW_TAG_subroutine_type)
    }

    /// The size that an entry has by itself.
    fn size_in_entry(&mut self, die: DieRef) -> Option<u64> {
        let unit = self.units.unit(self.dwarf, die.unit).ok()?;
        let entry = unit.entry(die.entry).ok()?;
        let pointer = (entry.tag() == constants::DW_TAG_pointer_type).then_some(POINTER);
        udata(&entry, constants::DW_AT_byte_size).or(pointer)
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
        let own_size = self.size_in_entry(last.entry.die)?;
        let unit = self.units.unit(self.dwarf, last.entry.die.unit).ok()?;
        let entry = unit.entry(last.entry.die.entry).ok()?;
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

    /// The fields of an entry, as they are named there.
    pub(super) fn plain_members(&mut self, die: DieRef, unit: &Unit<Slice>) -> gimli::Result<Vec<Member>> {
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
}

/// What an unsized struct ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    Slice,
    Struct,
}

/// A struct that stands for a fat pointer: `data_ptr` and `length`, or `pointer` and `vtable`.
fn fat_pointer(
    name: &str,
    members: &[Member],
    mut target_of: impl FnMut(&Member) -> Option<DieRef>,
) -> Option<Kind> {
    let (class, target_name) = names::pointer(name)?;
    let member = |name: &str| members.iter().find(|member| member.name == name);
    let (data, length, vtable) = match (member("data_ptr"), member("pointer"), member("vtable")) {
        (Some(data), ..) => (data, Some(member("length")?.offset), None),
        (None, Some(data), Some(vtable)) => (data, None, Some(vtable.offset)),
        _ => return None,
    };
    let target = names::meant(target_of(data)?, target_name);
    let fat = Some(Fat { address: data.offset, length, vtable });
    Some(Kind::Pointer { class, target: Some(target), fat })
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
