//! Texts and collections of well-known crates whose elements no field leads to: they lie behind a pointer that says
//! nothing of their number, or in memory that counts as uninitialised. In: a struct of such a type. Out: its text,
//! bytes or elements in place of its fields. A type that has other fields than are known here is read as any struct.

use relapse_snapshot::{Data, Trust};

use super::Reader;
use super::fields::Part;
use super::layout::{Form, Kind, Layout};
use super::sequences::{Encoding, text_from};
use super::source::{Gap, Read, Source, read_memory};

/// Where a type keeps what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// Bytes, where `ptr` points; `len` of them.
    BytesBehind,
    /// Elements of the first type parameter, where `ptr` points; `len` of them.
    ElementsBehind,
    /// Elements of the first type parameter, the first `len` of those in `xs` or `buffer`.
    ElementsWithin,
    /// Text, the first `len` bytes of `xs`.
    TextWithin,
    /// An array of the first type parameter in place, or elements behind a pointer (`smallvec`).
    Small,
    /// Buckets of a hash table.
    Buckets,
    /// Text behind a pointer, where the last byte says so (`compact_str`).
    Compact,
    /// Entries in nodes that each lead to the next one, and the last back to the first (`hashlink`).
    Linked,
    /// Text behind a pointer that is shifted by a bit, its length before it (`semver`).
    Counted,
}

fn keeps(path: &str) -> Option<Keeps> {
    Some(match path {
        "bytes::bytes::Bytes" | "bytes::bytes_mut::BytesMut" => Keeps::BytesBehind,
        "ndarray::data_repr::OwnedRepr" => Keeps::ElementsBehind,
        "arrayvec::arrayvec::ArrayVec" | "heapless::vec::Vec" => Keeps::ElementsWithin,
        "arrayvec::array_string::ArrayString" => Keeps::TextWithin,
        "smallvec::SmallVec" => Keeps::Small,
        "hashbrown::raw::RawTable" | "hashbrown::raw::inner::RawTable" => Keeps::Buckets,
        "compact_str::repr::Repr" => Keeps::Compact,
        "hashlink::linked_hash_map::LinkedHashMap" => Keeps::Linked,
        "semver::identifier::Identifier" => Keeps::Counted,
        _ => return None,
    })
}

/// Whether a struct of that name is one of these that frees something by itself; those that keep their elements within
/// own what the elements own.
pub(crate) fn frees(name: &str) -> bool {
    let keeps = keeps(name.split('<').next().unwrap_or_default());
    keeps.is_some_and(|keeps| !matches!(keeps, Keeps::ElementsWithin | Keeps::TextWithin))
}

/// The longest number that says a length, in bytes: 64 bits in groups of seven.
const LENGTH_BYTES: usize = 10;

impl Reader<'_> {
    /// What a struct of such a type holds; `None` where it is to be read by its fields.
    pub(super) fn foreign(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Option<Read<(Data, Trust)>> {
        let keeps = keeps(layout.name.split('<').next().unwrap_or_default())?;
        let has = |fields: &[&str]| fields.iter().all(|field| layout.member(field).is_some()).then_some(());
        match keeps {
            Keeps::BytesBehind | Keeps::ElementsBehind => {
                has(&["ptr", "len"])?;
                Some(self.behind(layout, source, keeps, depth))
            }
            Keeps::ElementsWithin | Keeps::TextWithin => {
                has(&["len"])?;
                let items = ["xs", "buffer"].into_iter().find(|field| layout.member(field).is_some())?;
                Some(self.within_array(layout, source, (keeps, items), depth))
            }
            Keeps::Small => {
                has(&["capacity", "data"])?;
                self.small(layout, source, depth).transpose()
            }
            Keeps::Buckets => {
                has(&["table"])?;
                self.raw_table(layout, source, depth).transpose()
            }
            Keeps::Compact => {
                has(&["0", "1", "5"])?;
                self.compact(layout, source).transpose()
            }
            Keeps::Linked => {
                has(&["map", "values"])?;
                Some(self.linked_map(layout, source, depth))
            }
            Keeps::Counted => {
                has(&["head"])?;
                self.counted_text(layout, source).transpose()
            }
        }
    }

    fn behind(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        keeps: Keeps,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let pointer = layout.part(source, "ptr")?;
        let address = self.address(pointer)?;
        let len = self.len_of(layout, source)?;
        if keeps == Keeps::ElementsBehind {
            return self.elements(layout.param(0)?, Source::Memory(address), len, depth);
        }
        let (bytes, trust) = self.bytes(Source::Memory(address), len)?;
        Ok((Data::Bytes { bytes, len }, trust))
    }

    fn within_array(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        (keeps, items): (Keeps, &str),
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let len = self.len_of(layout, source)?;
        let items = layout.part(source, items)?;
        let room = self.layout(items.entry.die);
        match room.kind {
            Kind::Array { len: room, .. } if len <= room => {}
            _ => return Err(Gap::because(format!("{len} elements in {}", room.name))),
        }
        if keeps == Keeps::ElementsWithin {
            return self.elements(layout.param(0)?, items.source, len, depth);
        }
        let (bytes, trust) = self.bytes(items.source, len)?;
        in_utf8(bytes, len, trust)
    }

    /// `SmallVec<[T; N]> { capacity, data: Inline(MaybeUninit<[T; N]>) | Heap { ptr, len } }`; in place it is the
    /// length that stands as the capacity.
    fn small(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<Option<(Data, Trust)>> {
        let array = layout.param(0)?;
        let array = self.layout(array.die);
        let Kind::Array { of, len: room } = array.kind else { return Ok(None) };
        if self.size_of(of)? == 0 {
            return Ok(None);
        }
        let capacity = layout.part(source, "capacity")?;
        let capacity = self.word(capacity)?;
        let data = layout.part(source, "data")?;
        let of_data = self.layout(data.entry.die);
        let (in_place, heap) = match &of_data.kind {
            Kind::Enum { discriminant, variants } => {
                let variant = self.active_variant(*discriminant, variants, data.source)?;
                let field = |name: &str| variant.members.iter().find(|member| member.name == name);
                match (variant.name.as_str(), field("0"), field("ptr"), field("len")) {
                    ("Inline", Some(array), ..) => (Some(data.source.at(array.offset)), None),
                    ("Heap", _, Some(ptr), Some(len)) => {
                        let part = |member: &super::layout::Member| Part {
                            entry: member.entry,
                            source: data.source.at(member.offset),
                        };
                        (None, Some((part(ptr), part(len))))
                    }
                    _ => return Ok(None),
                }
            }
            // With the feature `union` the array lies at its beginning; what is on the heap is not told.
            Kind::Union if capacity <= room => (Some(data.source), None),
            _ => return Ok(None),
        };
        if let Some((pointer, len)) = heap {
            let (address, len) = (self.address(pointer)?, self.word(len)?);
            return self.elements(of, Source::Memory(address), len, depth).map(Some);
        }
        let Some(items) = in_place.filter(|_| capacity <= room) else {
            return Err(Gap::because(format!("{capacity} elements in {}", array.name)));
        };
        self.elements(of, items, capacity, depth).map(Some)
    }

    /// `RawTable<T> { table: RawTableInner, .. }`. A table of mere positions belongs to a map that has its entries
    /// elsewhere, in order.
    fn raw_table(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<Option<(Data, Trust)>> {
        let of = layout.param(0)?;
        let inner = layout.member("table").map(|table| self.layout(table.entry.die));
        let is_known = inner.is_some_and(|inner| {
            ["bucket_mask", "ctrl", "items"].iter().all(|field| inner.member(field).is_some())
        });
        if !is_known || of.form == Form::Itself && self.layout(of.die).name == "usize" {
            return Ok(None);
        }
        self.table_of(layout, source).and_then(|table| self.bucket_list(&table, depth)).map(Some)
    }

    /// `Repr(*const (), usize, u32, u16, u8, LastByte)`.
    fn compact(&mut self, layout: &Layout, source: Source<'_>) -> Read<Option<(Data, Trust)>> {
        let last = layout.part(source, "5")?;
        let of_last = self.layout(last.entry.die);
        let (Kind::Names { values }, Some(size)) = (&of_last.kind, of_last.size) else { return Ok(None) };
        let number = last.source.number(self.memory, size)?;
        let name = values.iter().find(|(value, _)| *value == number).map(|(_, name)| name.as_str());
        if !matches!(name, Some("Heap" | "Static")) {
            return Ok(None);
        }
        let pointer = layout.part(source, "0")?;
        let address = pointer.source.number(self.memory, 8)? as u64;
        let len = layout.part(source, "1")?;
        let len = self.word(len)?;
        let (bytes, trust) = self.bytes(Source::Memory(address), len)?;
        in_utf8(bytes, len, trust).map(Some)
    }

    /// `Identifier { head, tail }`: with the highest bit of `head` set and another one clear, the rest are an address
    /// without its lowest bit; there the length stands first, seven bits a byte, the least first.
    fn counted_text(&mut self, layout: &Layout, source: Source<'_>) -> Read<Option<(Data, Trust)>> {
        let head = layout.part(source, "head")?;
        let head = head.source.number(self.memory, 8)? as u64;
        if head == u64::MAX || head >> 63 == 0 {
            return Ok(None);
        }
        let mut address = head << 1;
        let mut len = 0_u64;
        for at in 0..LENGTH_BYTES {
            let byte = read_memory(self.memory, address, 1)?.first().copied().unwrap_or_default();
            // The text, which is ASCII, ends the number: each byte of that has its highest bit set.
            if byte & 0x80 == 0 {
                break;
            }
            address = address.wrapping_add(1);
            len |= u64::from(byte & 0x7f).checked_shl(7 * at as u32).unwrap_or_default();
        }
        let (bytes, trust) = self.bytes(Source::Memory(address), len)?;
        in_utf8(bytes, len, trust).map(Some)
    }
}

/// Text of `len` bytes of which these were read; a type of these holds nothing else.
fn in_utf8(bytes: Vec<u8>, len: u64, trust: Trust) -> Read<(Data, Trust)> {
    match text_from(bytes, len, trust, Encoding::Utf8) {
        (Data::Bytes { .. }, _) => Err(Gap::because("text that is not UTF-8")),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_cut_off_in_a_character_ends_before_it() {
        let cut = in_utf8(b"na\xc3".to_vec(), 9, Trust::Truncated).ok();
        assert_eq!(cut, Some((Data::Text { text: "na".into(), len: 9 }, Trust::Truncated)));
        let whole = in_utf8("naïf".into(), 5, Trust::AtCrash).ok();
        assert_eq!(whole, Some((Data::Text { text: "naïf".into(), len: 5 }, Trust::AtCrash)));
        for (bytes, trust) in [(b"na\xc3", Trust::AtCrash), (b"n\xffa", Trust::Truncated)] {
            assert!(in_utf8(bytes.to_vec(), 9, trust).is_err());
        }
    }
}
