//! `std::mem::Discriminant`: a number that the enum's own entry has a name for.

use relapse_snapshot::{Data, Field, Trust, Value};

use super::entries::cut;
use super::layout::{Kind, Layout, Variant};
use super::source::{Gap, Read, Source};
use super::{Reader, read};

/// Whether a struct is std's `Discriminant`.
pub(super) fn is_discriminant(layout: &Layout) -> bool {
    layout.name.starts_with("core::mem::Discriminant<") && matches!(layout.kind, Kind::Record { .. })
}

impl Reader<'_> {
    /// As a struct: the variant that it is of, without fields, as `of`.
    pub(super) fn discriminant(&mut self, layout: &Layout, source: Source<'_>) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let number = layout.part(source, "0")?;
        let size = self.size_of(number.entry)?;
        let number = number.source.number(self.memory, size)?;
        let enumeration = self.layout(of.die);
        let name = match &enumeration.kind {
            Kind::Names { values } => {
                let own = enumeration.size.unwrap_or(size).min(size);
                values.iter().find(|(value, _)| cut(*value, own) == cut(number, own)).map(|(_, name)| name)
            }
            Kind::Enum { discriminant, variants } => {
                let own = discriminant.map_or(size, |discriminant| discriminant.size.min(size));
                let tagged =
                    |variant: &Variant| matches!(variant.discriminants[..], [(low, high)] if low == high);
                let has = |variant: &&Variant| {
                    variant.discriminants.iter().any(|(low, _)| cut(*low, own) == cut(number, own))
                };
                // One that is told by values which another variant does not have is numbered by its place.
                let found = if discriminant.is_some() && variants.iter().all(tagged) {
                    variants.iter().find(has)
                } else {
                    usize::try_from(number).ok().and_then(|index| variants.get(index))
                };
                found.map(|variant| &variant.name)
            }
            _ => None,
        };
        let name =
            name.ok_or_else(|| Gap::because(format!("{number} is no variant of {}", enumeration.name)))?;
        let data = Data::Variant { name: name.clone(), fields: Vec::new() };
        let value = Value { ty: self.type_id(of), trust: Trust::AtCrash, data };
        Ok(read(Data::Struct(vec![Field { name: "of".to_owned(), value }])))
    }
}
