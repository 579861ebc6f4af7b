//! What is left of an iterator over a hash table: a group of control bytes of which some bits are taken, the groups after
//! it, and how many buckets are left.

use relapse_snapshot::{Data, Trust, Value};

use super::Reader;
use super::layout::{Kind, Layout};
use super::sequences::plausible;
use super::source::{Gap, Read, Source, read_memory};

/// Control bytes of a group, as SSE2 compares them: a bit for each.
const GROUP: u64 = 16;

/// So many groups without anything in them cost as much as a value: a table may be almost empty and still huge, and there
/// may be many iterators over it.
const GROUPS_OF_A_NODE: u64 = 64;

/// Whether a struct is hashbrown's iterator over the buckets of a table.
pub(super) fn is_bucket_iterator(layout: &Layout) -> bool {
    let path = layout.name.split('<').next().unwrap_or_default();
    matches!(layout.kind, Kind::Record { .. })
        && matches!(path, "hashbrown::raw::RawIter" | "hashbrown::raw::inner::RawIter")
}

impl Reader<'_> {
    /// `RawIter<T> { iter: RawIterRange { current_group, data, next_ctrl, .. }, items }`: the buckets that are left, in
    /// the order in which they come. They lie downwards from `data`, as in the table itself.
    pub(super) fn bucket_iterator(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let size = self.size_of(of)?;
        let left = layout.part(source, "items")?;
        let left = self.word(left)?;
        plausible(left, size.max(1))?;
        let range = layout.part(source, "iter")?;
        let of_range = self.layout(range.entry.die);
        let group = of_range.part(range.source, "current_group")?;
        let inner = self.innermost(group);
        if self.layout(inner.entry.die).size != Some(GROUP / 8) {
            return Err(Gap::because("groups of a hash table of another size than is known"));
        }
        let mut bits = self.word(group)?;
        let data = of_range.part(range.source, "data")?;
        let mut data = self.address(data)?;
        let control = of_range.part(range.source, "next_ctrl")?;
        let mut control = self.address(control)?;
        let (mut items, mut groups): (Vec<Value>, u64) = (Vec::new(), 0);
        while (items.len() as u64) < left {
            if items.len() as u64 >= self.limits.elements
                || self.nodes_left == 0
                || depth + 1 >= self.deepest()
            {
                return Ok((Data::Sequence { items, len: left }, Trust::Truncated));
            }
            if bits == 0 {
                let bytes = read_memory(self.memory, control, GROUP as usize)?;
                let used = bytes.iter().enumerate().filter(|(_, byte)| **byte & 0x80 == 0);
                bits = used.fold(0, |bits, (at, _)| bits | 1 << at);
                data = data.wrapping_sub(size.wrapping_mul(GROUP));
                control = control.wrapping_add(GROUP);
                groups += 1;
                if groups % GROUPS_OF_A_NODE == 0 {
                    self.nodes_left = self.nodes_left.saturating_sub(1);
                }
                continue;
            }
            let index = u64::from(bits.trailing_zeros());
            let bucket = data.wrapping_sub(size.wrapping_mul(index + 1));
            items.push(self.decode(of, Source::Memory(bucket), depth + 1));
            bits &= bits - 1;
        }
        Ok((Data::Sequence { items, len: left }, Trust::AtCrash))
    }
}
