//! Scalars, structs and enums.

use relapse_snapshot::{Data, Field, Value};

use super::Reader;
use super::entries::cut;
use super::layout::{Discriminant, Entry, Form, Kind, Layout, Member, Record, Variant};
use super::source::{Gap, Read, Source};

/// How many types are searched for one that has no values.
const UNINHABITED: u32 = 256;

impl Reader<'_> {
    /// `()`, `bool`, `char`, integers, floats, C-like enums.
    pub(super) fn scalar(&mut self, layout: &Layout, source: Source<'_>) -> Read<Data> {
        let size = layout.size.ok_or_else(|| Gap::because("the debug info has no size for the type"))?;
        let number = match layout.kind {
            Kind::Unit => return Ok(Data::Tuple(Vec::new())),
            Kind::Never => return Err(Gap::because("`!` has no value")),
            _ => source.number(self.memory, size)?,
        };
        match &layout.kind {
            Kind::Bool if number <= 1 => Ok(Data::Bool(number == 1)),
            Kind::Bool => Err(Gap::because(format!("{number} is no bool"))),
            Kind::Char => {
                let char = u32::try_from(number).ok().and_then(char::from_u32);
                char.map(Data::Char).ok_or_else(|| Gap::because(format!("{number:#x} is no char")))
            }
            Kind::Integer { signed: true } => Ok(Data::Int(sign_extended(number, size))),
            Kind::Integer { signed: false } => Ok(Data::Uint(number)),
            Kind::Float => Ok(Data::Float(number as u64)),
            Kind::Names { values } => match values.iter().find(|(value, _)| *value == number) {
                Some((_, name)) => Ok(Data::Variant { name: name.clone(), fields: Vec::new() }),
                None => Err(Gap::because(format!("{} has no variant {number}", layout.name))),
            },
            _ => Err(Gap::because("no scalar")),
        }
    }

    /// The fields of a struct, tuple or closure.
    pub(super) fn record(
        &mut self,
        members: &[Member],
        record: Record,
        source: Source<'_>,
        depth: u32,
    ) -> Data {
        if record == Record::Tuple {
            let item = |member: &Member| self.decode(member.entry, source.at(member.offset), depth + 1);
            return Data::Tuple(members.iter().map(item).collect());
        }
        Data::Struct(self.fields_of(members, source, depth))
    }

    fn fields_of(&mut self, members: &[Member], source: Source<'_>, depth: u32) -> Vec<Field> {
        let field = |member: &Member| Field {
            name: member.name.clone(),
            value: self.decode(member.entry, source.at(member.offset), depth + 1),
        };
        members.iter().map(field).collect()
    }

    /// The variant of an enum that its discriminant tells, with its fields.
    pub(super) fn variant(
        &mut self,
        discriminant: Option<Discriminant>,
        variants: &[Variant],
        source: Source<'_>,
        depth: u32,
    ) -> Read<Data> {
        let variant = self.active_variant(discriminant, variants, source)?;
        Ok(Data::Variant {
            name: variant.name.clone(),
            fields: self.fields_of(&variant.members, source, depth),
        })
    }

    /// Which variant an enum holds. A variant without a discriminant of its own is the one for all others
    /// (a niche's); without any discriminant only one variant can have values.
    pub(super) fn active_variant<'l>(
        &mut self,
        discriminant: Option<Discriminant>,
        variants: &'l [Variant],
        source: Source<'_>,
    ) -> Read<&'l Variant> {
        if let Some(Discriminant { offset, size }) = discriminant {
            let number = source.at(offset).number(self.memory, size)?;
            let has = |range: &(u128, u128)| contains(*range, number, size);
            if let Some(variant) = variants.iter().find(|variant| variant.discriminants.iter().any(has)) {
                return Ok(variant);
            }
            if variants.iter().all(|variant| !variant.discriminants.is_empty()) {
                return Err(Gap::because(format!("{number} is no discriminant of the enum")));
            }
        }
        let mut rest: Vec<&Variant> =
            variants.iter().filter(|v| discriminant.is_none() || v.discriminants.is_empty()).collect();
        if rest.len() > 1 {
            rest.retain(|variant| self.inhabited(&variant.members, &mut { UNINHABITED }));
        }
        match rest[..] {
            [variant] => Ok(variant),
            [] => Err(Gap::because("an enum that has no values")),
            _ => Err(Gap::because("the debug info does not tell the enum's variants apart")),
        }
    }

    /// Whether a struct of these fields can exist, as far as `types` more types tell.
    fn inhabited(&mut self, members: &[Member], types: &mut u32) -> bool {
        members.iter().all(|member| self.inhabited_type(member.entry, types))
    }

    fn inhabited_type(&mut self, entry: Entry, types: &mut u32) -> bool {
        if entry.form != Form::Itself || *types == 0 {
            return true;
        }
        *types -= 1;
        let layout = self.layout(entry.die);
        match &layout.kind {
            Kind::Never => false,
            Kind::Record { members, .. } => self.inhabited(members, types),
            Kind::Enum { variants, .. } => {
                variants.iter().any(|variant| self.inhabited(&variant.members, types))
            }
            Kind::Names { values } => !values.is_empty(),
            Kind::Array { of, len } => *len == 0 || self.inhabited_type(*of, types),
            _ => true,
        }
    }

    /// The last field of an unsized struct gets its length from the pointer.
    pub(super) fn unsized_record(
        &mut self,
        members: &[Member],
        address: u64,
        len: u64,
        depth: u32,
    ) -> Vec<Field> {
        let last = members.iter().enumerate().max_by_key(|(_, member)| member.offset).map(|(index, _)| index);
        let mut fields = Vec::new();
        for (index, member) in members.iter().enumerate() {
            let at = address.wrapping_add(member.offset);
            let value: Value = if Some(index) == last {
                self.unsized_value(member.entry, at, len, depth + 1)
            } else {
                self.decode(member.entry, Source::Memory(at), depth + 1)
            };
            fields.push(Field { name: member.name.clone(), value });
        }
        fields
    }
}

/// Whether a range of discriminants (which may be signed, so that it wraps) contains a number.
fn contains((low, high): (u128, u128), number: u128, size: u64) -> bool {
    let from_low = |value: u128| cut(value.wrapping_sub(low), size);
    from_low(number) <= from_low(high)
}

/// The signed number of `size` bytes.
pub(super) fn sign_extended(number: u128, size: u64) -> i128 {
    let unused = 128_u32.saturating_sub(size.min(16) as u32 * 8);
    if unused == 128 { 0 } else { ((number << unused) as i128) >> unused }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_numbers_keep_their_sign() {
        assert_eq!(sign_extended(0xfd, 1), -3);
        assert_eq!(sign_extended(0x7f, 1), 127);
        assert_eq!(sign_extended(u128::MAX, 16), -1);
    }

    #[test]
    fn discriminant_ranges_may_wrap() {
        assert!(contains((cut(-3_i128 as u128, 1), 2), 0xff, 1));
        assert!(!contains((cut(-3_i128 as u128, 1), 2), 3, 1));
        assert!(contains((7, 7), 7, 8) && !contains((7, 7), 8, 8));
    }
}
