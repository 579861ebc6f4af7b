//! `io::Error`, which is one word on 64-bit platforms: its two lowest bits tell what the others are.

use relapse_snapshot::{Data, Field, Trust};

use super::fields::Part;
use super::layout::{Entry, Kind, Layout};
use super::source::{Gap, Read, Source};
use super::{Reader, read};

/// Whether a struct is std's `io::Error`.
pub(super) fn is_io_error(layout: &Layout) -> bool {
    matches!(layout.kind, Kind::Record { .. }) && layout.name == "std::io::error::Error"
}

impl Reader<'_> {
    /// As a struct: the code of the system as `os`; or the `kind`, and with it the `message` of std's own errors, or
    /// the `error` that a custom one holds.
    ///
    /// `Error { repr: Repr(NonNull<()>, PhantomData<ErrorData<Box<Custom>>>) }`: the types of what the word may be are
    /// those of the variants of `ErrorData`.
    pub(super) fn io_error(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let word = self.parts(layout, source, &["repr", "0"])?;
        let word = self.address(word)?;
        let (high, address) = (word >> 32, word & !0b11);
        let fields = match word & 0b11 {
            0b00 => {
                let pointer = self.held("SimpleMessage", layout, source)?;
                let message = self.target_of(pointer)?;
                let message = self.layout(message.die);
                vec![
                    self.named(&message, address, "kind", depth)?,
                    self.named(&message, address, "message", depth)?,
                ]
            }
            0b01 => {
                let pointer = self.held("Custom", layout, source)?;
                let custom = self.target_of(pointer)?;
                let custom = self.layout(custom.die);
                vec![
                    self.named(&custom, address, "kind", depth)?,
                    self.named(&custom, address, "error", depth)?,
                ]
            }
            tag => {
                let (variant, name, size) = if tag == 0b10 { ("Os", "os", 4) } else { ("Simple", "kind", 1) };
                let entry = self.held(variant, layout, source)?;
                if self.size_of(entry)? != size {
                    return Err(Gap::because(format!("the layout of {} is not known", layout.name)));
                }
                let bytes = (high as u32).to_le_bytes();
                let place = Source::Bytes { bytes: &bytes[..size as usize], known: None, from: None };
                vec![Field { name: name.to_owned(), value: self.decode(entry, place, depth + 1) }]
            }
        };
        Ok(read(Data::Struct(fields)))
    }

    /// The type that a variant of `ErrorData` holds.
    fn held(&mut self, variant: &str, layout: &Layout, source: Source<'_>) -> Read<Entry> {
        let unknown = || Gap::because(format!("the layout of {} is not known: no `{variant}`", layout.name));
        let phantom = self.parts(layout, source, &["repr", "1"])?;
        let data = self.layout(phantom.entry.die).param(0)?;
        let data = self.layout(data.die);
        let Kind::Enum { variants, .. } = &data.kind else { return Err(unknown()) };
        let variant = variants.iter().find(|known| known.name == variant).ok_or_else(unknown)?;
        variant.members.first().map(|member| member.entry).ok_or_else(unknown)
    }

    fn named(&mut self, layout: &Layout, address: u64, name: &str, depth: u32) -> Read<Field> {
        let Part { entry, source } = layout.part(Source::Memory(address), name)?;
        Ok(Field { name: name.to_owned(), value: self.decode(entry, source, depth + 1) })
    }
}
