//! `HashMap` and `HashSet`: hashbrown's raw table, by field names.
//!
//! Control byte `i` belongs to bucket `i`; its top bit is clear where the bucket is in use. Buckets lie below
//! the control bytes, downwards: bucket `i` starts at `ctrl - (i + 1) * size` (hashbrown, `raw/mod.rs`).

use relapse_snapshot::{Data, Trust, Value};

use super::layout::{Entry, Layout};
use super::sequences::plausible;
use super::source::{Gap, Read, Source, read_memory};
use super::{AT_ONCE, Reader};

/// Control bytes looked at, at most: a table may be almost empty and still huge.
const CONTROL_BYTES: u64 = 16 << 20;

/// A raw table.
pub(super) struct Table {
    control: u64,
    buckets: u64,
    items: u64,
    /// The type of the buckets: `(K, V)`.
    of: Entry,
    size: u64,
}

impl Reader<'_> {
    /// `HashMap<K, V, S> { base: hashbrown::HashMap { table, .. } }`.
    pub(super) fn hash_map(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let table = self.table(layout, source, &["base", "table"])?;
        let (keys, values) = self.halves(&table)?;
        let mut entries = Vec::new();
        let whole = self.buckets(&table, depth, |reader, bucket| {
            let key = reader.decode(keys.0, bucket.at(keys.1), depth + 1);
            let value = reader.decode(values.0, bucket.at(values.1), depth + 1);
            entries.push((key, value));
        })?;
        let trust = trust(whole, entries.len(), table.items);
        Ok((Data::Map { entries, len: table.items }, trust))
    }

    /// `HashSet<T, S> { base: hashbrown::HashSet { map: HashMap<T, ()> } }`.
    pub(super) fn hash_set(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let table = self.table(layout, source, &["base", "map", "table"])?;
        let (keys, _) = self.halves(&table)?;
        let mut items: Vec<Value> = Vec::new();
        let whole = self.buckets(&table, depth, |reader, bucket| {
            items.push(reader.decode(keys.0, bucket.at(keys.1), depth + 1));
        })?;
        let trust = trust(whole, items.len(), table.items);
        Ok((Data::Sequence { items, len: table.items }, trust))
    }

    fn table(&mut self, layout: &Layout, source: Source<'_>, path: &[&str]) -> Read<Table> {
        let outer = self.parts(layout, source, path)?;
        let outer_layout = self.layout(outer.entry.die);
        self.table_of(&outer_layout, outer.source)
    }

    /// `RawTable<T> { table: RawTableInner { bucket_mask, ctrl, items, .. }, .. }`.
    pub(super) fn table_of(&mut self, outer: &Layout, source: Source<'_>) -> Read<Table> {
        let of = outer.param(0)?;
        let size = self.size_of(of)?;
        let table = outer.part(source, "table")?;
        let inner = self.layout(table.entry.die);
        let mask = inner.part(table.source, "bucket_mask")?;
        let mask = self.word(mask)?;
        let control = inner.part(table.source, "ctrl")?;
        let control = self.address(control)?;
        let items = inner.part(table.source, "items")?;
        let items = self.word(items)?;
        let buckets = mask.wrapping_add(1);
        if !buckets.is_power_of_two() || items > buckets || control == 0 {
            return Err(Gap::because(format!("no table: bucket mask {mask:#x}, {items} items")));
        }
        plausible(buckets, size.max(1))?;
        Ok(Table { control, buckets, items, of, size })
    }

    /// The buckets in use as they are.
    pub(super) fn bucket_list(&mut self, table: &Table, depth: u32) -> Read<(Data, Trust)> {
        let mut items: Vec<Value> = Vec::new();
        let whole = self.buckets(table, depth, |reader, bucket| {
            items.push(reader.decode(table.of, bucket, depth + 1));
        })?;
        let trust = trust(whole, items.len(), table.items);
        Ok((Data::Sequence { items, len: table.items }, trust))
    }

    /// Type and offset of the key and of the value in a bucket.
    fn halves(&mut self, table: &Table) -> Read<((Entry, u64), (Entry, u64))> {
        let pair = self.layout(table.of.die);
        match (pair.member("0"), pair.member("1")) {
            (Some(key), Some(value)) => Ok(((key.entry, key.offset), (value.entry, value.offset))),
            _ => Err(Gap::because(format!("{} is no pair", pair.name))),
        }
    }

    /// Visits the buckets in use, in iteration order, until a limit is met (`false`).
    fn buckets(
        &mut self,
        table: &Table,
        depth: u32,
        mut visit: impl FnMut(&mut Self, Source<'_>),
    ) -> Read<bool> {
        if table.items == 0 {
            return Ok(true);
        }
        let block = (AT_ONCE / table.size.max(1)).clamp(1, AT_ONCE);
        let (mut start, mut seen) = (0, 0);
        while start < table.buckets && seen < table.items {
            if start >= CONTROL_BYTES {
                return Ok(false);
            }
            let count = block.min(table.buckets - start);
            let control = read_memory(self.memory, table.control.wrapping_add(start), count as usize)?;
            let lowest = table.control.wrapping_sub((start + count).wrapping_mul(table.size));
            let bytes = (count * table.size) as usize;
            let mut buffer = Vec::new();
            for (index, _) in control.iter().enumerate().filter(|(_, control)| **control & 0x80 == 0) {
                if seen >= self.limits.elements || self.nodes_left == 0 || depth + 1 >= self.deepest() {
                    return Ok(false);
                }
                if buffer.is_empty() && bytes > 0 && table.size <= AT_ONCE {
                    buffer = read_memory(self.memory, lowest, bytes)?;
                }
                let at = (count - 1 - index as u64) * table.size;
                let block = if buffer.is_empty() {
                    Source::Memory(lowest)
                } else {
                    Source::Bytes { bytes: &buffer, known: None, from: Some(lowest) }
                };
                visit(self, block.at(at));
                seen += 1;
            }
            start += count;
        }
        Ok(true)
    }
}

/// A table that holds another number of entries than it says is being changed, or is no table.
fn trust(whole: bool, read: usize, items: u64) -> Trust {
    match (whole, read as u64 == items) {
        (true, true) => Trust::AtCrash,
        (true, false) => Trust::Suspect,
        (false, _) => Trust::Truncated,
    }
}
