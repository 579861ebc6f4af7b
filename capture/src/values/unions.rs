//! Unions. Nothing in memory says which field was written last, and bytes that no field has written are not to be read:
//! so a union is read only where every field takes all of its bytes and is right with any of them. A `MaybeUninit` is one
//! whose other field takes none: it is read where any bytes would do.

use relapse_snapshot::{Data, Field};

use super::Reader;
use super::entries::Parser;
use super::fields::Part;
use super::layout::{Entry, Form, Kind, Layout};
use super::source::{Gap, Read, Source};
use crate::image::DieRef;

/// Arrays within arrays that are looked through.
const NESTED: u32 = 8;

impl Reader<'_> {
    /// The first field of a union whose fields are numbers, or arrays of numbers, of its own size: any of them is right.
    pub(super) fn union(
        &mut self,
        die: DieRef,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<Data> {
        if layout.name.starts_with("core::mem::maybe_uninit::MaybeUninit<") {
            return self.maybe_uninit(die, layout, source, depth);
        }
        let mut parser = Parser::new(self.dwarf, self.units);
        let unit = parser.units.unit(parser.dwarf, die.unit);
        let members = unit.and_then(|unit| parser.plain_members(die, &unit)).unwrap_or_default();
        let unknown = || Gap::because("a union: nothing says which field is in use");
        let first = members.first().ok_or_else(unknown)?;
        for member in &members {
            let size = self.layout(member.entry.die).size;
            if size.is_none() || size != layout.size || !self.takes_any_bytes(member.entry, NESTED) {
                return Err(unknown());
            }
        }
        let value = self.decode(first.entry, source.at(first.offset), depth + 1);
        Ok(Data::Struct(vec![Field { name: first.name.clone(), value }]))
    }

    /// `MaybeUninit { uninit: (), value: ManuallyDrop<T> }` of a number, or of an array of them. Where it holds none, whatever
    /// lies there is as good: nobody may have read it.
    fn maybe_uninit(&mut self, die: DieRef, layout: &Layout, source: Source<'_>, depth: u32) -> Read<Data> {
        let unknown = || Gap::because("a MaybeUninit: nothing says whether it holds a value");
        let held = self.initialised(Part { entry: Entry::of(die), source }).map_err(|_| unknown())?;
        let size = self.layout(held.entry.die).size;
        if size.is_none() || size != layout.size || !self.takes_any_bytes(held.entry, NESTED) {
            return Err(unknown());
        }
        let value = self.decode(held.entry, held.source, depth + 1);
        Ok(Data::Struct(vec![Field { name: "value".to_owned(), value }]))
    }

    fn takes_any_bytes(&mut self, entry: Entry, nested: u32) -> bool {
        match &self.layout(entry.die).kind {
            Kind::Integer { .. } | Kind::Float => entry.form == Form::Itself,
            Kind::Array { of, .. } => nested > 0 && self.takes_any_bytes(*of, nested - 1),
            _ => false,
        }
    }
}
