//! What is left to read of a `File` and of a `BufReader`: memory holds a descriptor, the process the rest.

use relapse_snapshot::{Data, Field, Trust, TypeKind, TypeShape, Value};

use super::fields::Part;
use super::layout::{Kind, Layout};
use super::source::{Gap, Read, Source};
use super::{Reader, read, value};
use crate::open_file::NoFile;

/// Standard input's descriptor, which its own type does not hold.
const STDIN: i32 = 0;

impl Reader<'_> {
    /// `File`: a descriptor within wrappers. `StdinRaw` has none and needs none.
    pub(super) fn file(&mut self, layout: &Layout, source: Source<'_>) -> Read<(Data, Trust)> {
        let descriptor = if layout.size == Some(0) {
            STDIN
        } else {
            let inner = layout.part(source, "inner")?;
            self.number(inner)? as i32
        };
        let limit = self.limits.bytes.min(self.bytes_left);
        let file = match self.memory.open_file(descriptor, limit) {
            Err(NoFile::WriteOnly(_)) => return Ok(read(Data::Struct(Vec::new()))),
            file => file.map_err(|error| Gap::because(error.to_string()))?,
        };
        let count = file.bytes.len() as u64;
        self.bytes_left = self.bytes_left.saturating_sub(count);
        // A file that shrank while it was read is as long as it is now.
        let len = if count < limit { count } else { file.len.saturating_sub(file.start) };
        let content = self.byte_slice(file.bytes, len);
        let trust = content.trust;
        let (start, position) = (self.offset(file.start), self.offset(file.position));
        let fields = [("content", content), ("start", start), ("position", position)];
        Ok((Data::Struct(fields.map(named).into()), trust))
    }

    /// `BufReader<R> { buf: Buffer { buf: Box<[MaybeUninit<u8>]>, pos, filled, .. }, inner: R }`.
    pub(super) fn buf_reader(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let (from, to) = (["buf", "pos"], ["buf", "filled"]);
        let (from, to) = (self.parts(layout, source, &from)?, self.parts(layout, source, &to)?);
        let (from, to) = (self.word(from)?, self.word(to)?);
        let memory = self.parts(layout, source, &["buf", "buf"])?;
        let (address, size) = self.fat_pointer(memory)?;
        if from > to || to > size {
            return Err(Gap::because(format!("a buffer of {size} bytes, filled to {to}, read to {from}")));
        }
        let (bytes, trust) = self.bytes(Source::Memory(address.wrapping_add(from)), to - from)?;
        let buffer = self.byte_slice(bytes, to - from);
        let inner = layout.part(source, "inner")?;
        let inner = self.decode(inner.entry, inner.source, depth + 1);
        let capacity = self.offset(size);
        let fields = [("buffer", buffer), ("inner", inner), ("capacity", capacity)];
        Ok((Data::Struct(fields.map(named).into()), trust))
    }

    /// Address and length of what a pointer to a slice points to.
    fn fat_pointer(&mut self, part: Part<'_>) -> Read<(u64, u64)> {
        let layout = self.layout(part.entry.die);
        let Kind::Pointer { fat: Some(fat), .. } = &layout.kind else {
            return Err(Gap::because(format!("{} is no pointer to a slice", layout.name)));
        };
        let length = fat.length.ok_or_else(|| Gap::because(format!("{} has no length", layout.name)))?;
        let address = part.source.at(fat.address).number(self.memory, 8)? as u64;
        Ok((address, part.source.at(length).number(self.memory, 8)? as u64))
    }

    fn byte_slice(&mut self, bytes: Vec<u8>, len: u64) -> Value {
        let byte = self.known("u8", TypeKind::Integer { signed: false, bits: 8 });
        let slice = self.known("[u8]", TypeKind::Slice(byte));
        let whole = bytes.len() as u64 == len;
        let trust = if whole { Trust::AtCrash } else { Trust::Truncated };
        Value { ty: slice, trust, data: Data::Bytes { bytes, len } }
    }

    fn offset(&mut self, offset: u64) -> Value {
        let ty = self.known("u64", TypeKind::Integer { signed: false, bits: 64 });
        let (data, _) = read(Data::Uint(u128::from(offset)));
        value(ty, data)
    }

    /// A type that the program's debug info may or may not have.
    fn known(&mut self, name: &str, kind: TypeKind) -> relapse_snapshot::TypeId {
        self.types.intern(TypeShape { name: name.to_owned(), size: None, kind })
    }
}

fn named((name, value): (&str, Value)) -> Field {
    Field { name: name.to_owned(), value }
}
