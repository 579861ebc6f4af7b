//! Texts and sequences: `str`, slices, arrays, `String`, `Vec`, `VecDeque`, and the owners of OS strings.

use relapse_snapshot::{Data, Trust};

use super::layout::{Entry, Form, Kind, Layout};
use super::source::{Gap, Read, Source, read_memory};
use super::{AT_ONCE, Reader, fields::Part, read};

/// What text must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8; anything else is no value of the type.
    Utf8,
    /// Any bytes, mostly UTF-8.
    Os,
}

/// The memory that a `Vec` or `VecDeque` owns.
struct Buffer {
    address: u64,
    /// Elements that it has room for; `None` where the compiler did not keep it.
    capacity: Option<u64>,
}

impl Reader<'_> {
    /// Text of `len` bytes.
    pub(super) fn text(&mut self, address: u64, len: u64, encoding: Encoding) -> Read<(Data, Trust)> {
        let (bytes, trust) = self.bytes(Source::Memory(address), len)?;
        Ok(text_from(bytes, len, trust, encoding))
    }

    /// Up to the limit of bytes.
    pub(super) fn bytes(&mut self, source: Source<'_>, len: u64) -> Read<(Vec<u8>, Trust)> {
        plausible(len, 1)?;
        let wanted = len.min(self.limits.bytes).min(self.bytes_left);
        let bytes = source.fetch(self.memory, wanted)?.into_owned();
        self.bytes_left -= wanted;
        Ok((bytes, if wanted < len { Trust::Truncated } else { Trust::AtCrash }))
    }

    /// `len` elements, one after the other.
    pub(super) fn elements(
        &mut self,
        of: Entry,
        source: Source<'_>,
        len: u64,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let size = self.size_of(of)?;
        plausible(len, size)?;
        if self.is_byte(of) {
            let (bytes, trust) = self.bytes(source, len)?;
            return Ok((Data::Bytes { bytes, len }, trust));
        }
        let mut items = Vec::new();
        self.append(&mut items, of, size, source, len, depth)?;
        Ok(sequence(items, len))
    }

    /// Reads up to `len` elements, block by block, until a limit is met.
    fn append(
        &mut self,
        items: &mut Vec<relapse_snapshot::Value>,
        of: Entry,
        size: u64,
        source: Source<'_>,
        len: u64,
        depth: u32,
    ) -> Read<()> {
        let wanted = len.min(self.limits.elements.saturating_sub(items.len() as u64));
        let block = AT_ONCE.checked_div(size).unwrap_or(wanted).max(1);
        let mut done = 0;
        while done < wanted && depth + 1 < self.deepest() {
            let count = block.min(wanted - done);
            let start = source.at(done.wrapping_mul(size));
            let mut buffer = Vec::new();
            let start = match start {
                Source::Memory(address) if (1..=AT_ONCE).contains(&(count * size)) => {
                    buffer = read_memory(self.memory, address, (count * size) as usize)?;
                    Source::Bytes { bytes: &buffer, known: None, from: Some(address) }
                }
                _ => start,
            };
            for index in 0..count {
                if self.nodes_left == 0 {
                    return Ok(());
                }
                items.push(self.decode(of, start.at(index * size), depth + 1));
            }
            done += count;
            drop(buffer);
        }
        Ok(())
    }

    fn is_byte(&mut self, of: Entry) -> bool {
        let layout = self.layout(of.die);
        of.form == Form::Itself
            && layout.size == Some(1)
            && matches!(layout.kind, Kind::Integer { signed: false })
    }

    /// `String`: a `Vec<u8>` of UTF-8.
    pub(super) fn string(&mut self, layout: &Layout, source: Source<'_>) -> Read<(Data, Trust)> {
        let vec = layout.part(source, "vec")?;
        self.text_of(vec, Encoding::Utf8)
    }

    /// `PathBuf` and `OsString`: a `Vec<u8>` within wrappers that are all named `inner`.
    pub(super) fn os_string(&mut self, layout: &Layout, source: Source<'_>) -> Read<(Data, Trust)> {
        let mut part = layout.part(source, "inner")?;
        for _ in 0..4 {
            let layout = self.layout(part.entry.die);
            if layout.member("buf").is_some() {
                break;
            }
            part = layout.part(part.source, "inner")?;
        }
        self.text_of(part, Encoding::Os)
    }

    /// The text in a `Vec<u8>`.
    fn text_of(&mut self, vec: Part<'_>, encoding: Encoding) -> Read<(Data, Trust)> {
        let layout = self.layout(vec.entry.die);
        let len = self.len_of(&layout, vec.source)?;
        let buffer = self.buffer(&layout, vec.source)?;
        within(len, &buffer)?;
        self.text(buffer.address, len, encoding)
    }

    /// `Vec<T>`.
    pub(super) fn vec(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let len = self.len_of(layout, source)?;
        let buffer = self.buffer(layout, source)?;
        if self.size_of(of)? > 0 {
            within(len, &buffer)?;
        }
        self.elements(of, Source::Memory(buffer.address), len, depth)
    }

    /// `RawVec` as it is today (`inner: RawVecInner { ptr, cap }`) and as it was until 1.82 (`{ ptr, cap }`).
    fn buffer(&mut self, layout: &Layout, source: Source<'_>) -> Read<Buffer> {
        let mut raw = layout.part(source, "buf")?;
        let mut layout = self.layout(raw.entry.die);
        if layout.member("inner").is_some() {
            raw = layout.part(raw.source, "inner")?;
            layout = self.layout(raw.entry.die);
        }
        let pointer = layout.part(raw.source, "ptr")?;
        let address = self.address(pointer)?;
        if address == 0 {
            return Err(Gap::because("a buffer at address 0"));
        }
        let capacity = layout.part(raw.source, "cap")?;
        let capacity = match self.word(capacity) {
            Ok(capacity) => Some(capacity),
            Err(Gap::OptimizedOut) => None,
            Err(gap) => return Err(gap),
        };
        Ok(Buffer { address, capacity })
    }

    /// `VecDeque<T>`: a ring of `cap` elements, `len` of which are in use from `head` on.
    pub(super) fn deque(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let size = self.size_of(of)?;
        let head = layout.part(source, "head")?;
        let head = self.word(head)?;
        let len = self.len_of(layout, source)?;
        let buffer = self.buffer(layout, source)?;
        if size == 0 {
            return self.elements(of, Source::Memory(buffer.address), len, depth);
        }
        within(len, &buffer)?;
        let Some(capacity) = buffer.capacity else { return Err(Gap::OptimizedOut) };
        plausible(capacity, size)?;
        if head > 0 && head >= capacity {
            return Err(Gap::because(format!("a ring of {capacity} elements that starts at element {head}")));
        }
        let first = len.min(capacity - head);
        let start = Source::Memory(buffer.address.wrapping_add(head * size));
        let rest = Source::Memory(buffer.address);
        if self.is_byte(of) {
            let (mut bytes, mut trust) = self.bytes(start, first)?;
            if trust == Trust::AtCrash && first < len {
                let left = self.limits.bytes - bytes.len() as u64;
                let (more, _) = self.bytes(rest, (len - first).min(left))?;
                bytes.extend(more);
                trust = if (bytes.len() as u64) < len { Trust::Truncated } else { trust };
            }
            return Ok((Data::Bytes { bytes, len }, trust));
        }
        let mut items = Vec::new();
        self.append(&mut items, of, size, start, first, depth)?;
        if items.len() as u64 == first {
            self.append(&mut items, of, size, rest, len - first, depth)?;
        }
        Ok(sequence(items, len))
    }
}

/// The text of these bytes, of `len`; the bytes themselves where they are none.
pub(super) fn text_from(bytes: Vec<u8>, len: u64, trust: Trust, encoding: Encoding) -> (Data, Trust) {
    let error = match String::from_utf8(bytes) {
        Ok(text) => return (Data::Text { text, len }, trust),
        Err(error) => error,
    };
    let (fault, whole) = (error.utf8_error(), error.as_bytes().len());
    let cut_off = trust == Trust::Truncated && fault.error_len().is_none();
    let mut bytes = error.into_bytes();
    if cut_off && whole > 0 {
        // The limit fell into a character: the text ends before it.
        bytes.truncate(fault.valid_up_to());
        let text = String::from_utf8(bytes).unwrap_or_default();
        return (Data::Text { text, len }, trust);
    }
    let suspect = encoding == Encoding::Utf8 && trust == Trust::AtCrash;
    (Data::Bytes { bytes, len }, if suspect { Trust::Suspect } else { trust })
}

/// A sequence, marked where it is cut off.
pub(super) fn sequence(items: Vec<relapse_snapshot::Value>, len: u64) -> (Data, Trust) {
    let whole = items.len() as u64 == len;
    let (data, trust) = read(Data::Sequence { items, len });
    (data, if whole { trust } else { Trust::Truncated })
}

/// No allocation of Rust's is larger than `isize::MAX` bytes.
pub(super) fn plausible(len: u64, size: u64) -> Read<()> {
    match len.checked_mul(size) {
        Some(bytes) if i64::try_from(bytes).is_ok() => Ok(()),
        _ => Err(Gap::because(format!("an implausible length: {len} elements of {size} bytes"))),
    }
}

fn within(len: u64, buffer: &Buffer) -> Read<()> {
    match buffer.capacity {
        Some(capacity) if len > capacity => {
            Err(Gap::because(format!("a length of {len} with a capacity of {capacity}")))
        }
        _ => Ok(()),
    }
}
