//! Iterators over text that count what they have given: the text before is read, too.

use relapse_snapshot::{Data, Field, Trust, TypeKind, TypeShape, Value};

use super::Reader;
use super::layout::{Layout, Member, Record};
use super::sequences::Encoding;
use super::source::{Read, Source};

/// Whether a struct is std's `CharIndices`.
pub(super) fn is_char_indices(layout: &Layout) -> bool {
    layout.name == "core::str::iter::CharIndices"
}

impl Reader<'_> {
    /// `CharIndices { front_offset, iter: Chars { iter: slice::Iter { ptr, .. } } }`, and one field more where some
    /// are taken: `before`, the text of as many bytes before those that are left.
    pub(super) fn char_indices(
        &mut self,
        layout: &Layout,
        members: &[Member],
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let (offset, start) = (["front_offset"], ["iter", "iter", "ptr"]);
        let offset = self.parts(layout, source, &offset)?;
        let offset = self.word(offset)?;
        let start = self.parts(layout, source, &start)?;
        let start = self.address(start)?;
        let mut data = self.record(members, Record::Named, source, depth);
        if let Data::Struct(fields) = &mut data
            && offset > 0
        {
            let kind = TypeKind::Str;
            let ty = self.types.intern(TypeShape { name: "str".to_owned(), size: None, kind });
            let value = match self.text(start.wrapping_sub(offset), offset, Encoding::Utf8) {
                Ok((data, trust)) => Value { ty, trust, data },
                Err(gap) => gap.into_value(ty),
            };
            fields.push(Field { name: "before".to_owned(), value });
        }
        Ok((data, Trust::AtCrash))
    }
}
