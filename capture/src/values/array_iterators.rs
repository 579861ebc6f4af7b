//! What is left of an array that is taken item by item: its items may be uninitialised but for those.

use relapse_snapshot::{Data, Field, Trust, TypeKind, TypeShape, Value};

use super::Reader;
use super::fields::Part;
use super::layout::{Entry, Form, Kind, Layout};
use super::source::{Gap, Read, Source};

/// Wrappers around the two fields.
const WRAPPERS: u32 = 4;

/// Whether a struct is std's `array::IntoIter`.
pub(super) fn is_array_iterator(layout: &Layout) -> bool {
    layout.name.starts_with("core::array::iter::IntoIter<")
}

impl Reader<'_> {
    /// As a struct: what is `left`, and how many were `taken` at the front and `taken_back` at the end.
    ///
    /// `{ data: [MaybeUninit<T>; N], alive: IndexRange { start, end } }`, within wrappers since 1.91.
    pub(super) fn array_into_iter(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let (mut own, mut at) = (layout.clone(), source);
        for _ in 0..WRAPPERS {
            if own.member("alive").is_some() {
                break;
            }
            let mut filled = own.members().iter();
            let (Some(only), None) = (filled.next().cloned(), filled.next()) else { break };
            at = at.at(only.offset);
            own = (*self.layout(only.entry.die)).clone();
        }
        let (data, alive) = (own.part(at, "data")?, own.part(at, "alive")?);
        let alive_layout = self.layout(alive.entry.die);
        let (start, end) =
            (alive_layout.part(alive.source, "start")?, alive_layout.part(alive.source, "end")?);
        let (start, end) = (self.word(start)?, self.word(end)?);
        let array = self.layout(data.entry.die);
        let Kind::Array { len, .. } = array.kind else {
            return Err(Gap::because(format!("{} is no array", array.name)));
        };
        if start > end || end > len {
            return Err(Gap::because(format!("items {start} to {end} of {len}")));
        }
        let size = self.size_of(of)?;
        let left = Part { entry: of, source: data.source.at(start.wrapping_mul(size)) };
        let ty = self.type_id(Entry { die: of.die, form: Form::Slice });
        let left = match self.elements(of, left.source, end - start, depth) {
            Ok((data, trust)) => Value { ty, trust, data },
            Err(gap) => gap.into_value(ty),
        };
        let kind = TypeKind::Integer { signed: false, bits: 64 };
        let ty = self.types.intern(TypeShape { name: "usize".to_owned(), size: Some(8), kind });
        let count = |count: u64| super::value(ty, Data::Uint(u128::from(count)));
        let fields = [("left", left), ("taken", count(start)), ("taken_back", count(len - end))];
        let fields = fields.map(|(name, value)| Field { name: name.to_owned(), value });
        Ok((Data::Struct(fields.into()), Trust::AtCrash))
    }
}
