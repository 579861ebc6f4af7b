//! How stand-ins for readers and sinks are written: by the bytes that were left to read and the place that was reached.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, Value};

use super::Unwritable;
use super::chunks;
use super::pointer::starts_with_reference;
use super::seen_through::field;
use super::stand_in::StandIn;
use super::type_name::definition;
use super::writer::{Place, Writer};
use crate::hostile::literal;

/// Below this many bytes a reader's data is one literal, readable or not.
const SHORT: usize = 64;

/// What a reader had before and after the place that it had reached.
struct Tape {
    bytes: Vec<u8>,
    position: usize,
    /// Whether `bytes` begins where the reader does, so that seeking finds the same.
    whole: bool,
}

impl Tape {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// What is left, with nothing before it.
    fn of_rest(bytes: Vec<u8>) -> Tape {
        Tape { bytes, position: 0, whole: false }
    }
}

impl Writer<'_> {
    /// Writes what stands in for a value.
    pub(super) fn stand_in(
        &mut self,
        value: &Value,
        stand_in: StandIn,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        match stand_in {
            StandIn::Sink => return self.sink(),
            StandIn::Text => return self.text_sink(),
            StandIn::Hasher => return self.hasher(),
            StandIn::Bytes | StandIn::Cursor | StandIn::Slice | StandIn::Buffer | StandIn::Connection => {}
        }
        let tape = match self.tape(value, 0) {
            // Of a file that is only written nothing is read either.
            Err(_) if stand_in == StandIn::Buffer && is_write_only(value) => Tape::of_rest(Vec::new()),
            tape => tape?,
        };
        if stand_in == StandIn::Bytes {
            let bytes = self.reader_bytes(tape.rest())?;
            return Ok(if place.coerces { bytes } else { as_slice(&bytes) });
        }
        // What lies before the position can be left out only where nobody can go back to it.
        let (bytes, position) = if tape.whole { (&tape.bytes[..], tape.position) } else { (tape.rest(), 0) };
        let cursor = self.name("std::io::cursor::Cursor")?;
        let bytes = match (stand_in, bytes.is_empty()) {
            (StandIn::Buffer | StandIn::Connection, true) => self.sink()?,
            (StandIn::Buffer | StandIn::Connection, false) => {
                let bytes = self.reader_bytes(bytes)?;
                quote!(#bytes.to_vec())
            }
            (StandIn::Slice, _) => as_slice(&self.reader_bytes(bytes)?),
            _ => self.reader_bytes(bytes)?,
        };
        if position == 0 {
            return Ok(quote!(#cursor::new(#bytes)));
        }
        let position = literal::integer(position as u128, false, "u64", false)
            .ok_or_else(|| self.refuse("a position beyond all files"))?;
        let variable = self.scope.variable("cursor");
        Ok(quote!({ let mut #variable = #cursor::new(#bytes); #variable.set_position(#position); #variable }))
    }

    /// `Vec::<u8>::new()`: nothing else tells what it holds.
    pub(super) fn sink(&self) -> Result<TokenStream, Unwritable> {
        let vec = self.name("alloc::vec::Vec")?;
        Ok(quote!(#vec::<u8>::new()))
    }

    /// `String::new()`.
    fn text_sink(&self) -> Result<TokenStream, Unwritable> {
        let string = self.name("alloc::string::String")?;
        Ok(quote!(#string::new()))
    }

    /// `DefaultHasher::new()`.
    fn hasher(&self) -> Result<TokenStream, Unwritable> {
        let hasher = self.name("std::hash::random::DefaultHasher")?;
        Ok(quote!(#hasher::new()))
    }

    /// What takes all that is written to a trait object that only writes.
    pub(super) fn dyn_sink(&self, ty: TypeId) -> Option<TokenStream> {
        let shape = self.types.get(ty).filter(|shape| shape.kind == TypeKind::Dyn)?;
        let mut traits = shape.name.trim_matches(['(', ')']).trim_start_matches("dyn ").split(" + ");
        match traits.next()? {
            "std::io::Write" | "core::io::Write" => self.sink().ok(),
            "core::fmt::Write" => self.text_sink().ok(),
            "core::hash::Hasher" => self.hasher().ok(),
            _ => None,
        }
    }

    /// `b"…"`, `&[…]` or `include_bytes!("…")`.
    fn reader_bytes(&mut self, bytes: &[u8]) -> Result<TokenStream, Unwritable> {
        if bytes.len() <= SHORT && !(bytes.len() > 8 && bytes.iter().all(|byte| *byte == bytes[0])) {
            return Ok(literal::byte_string(bytes));
        }
        Ok(self.bytes(bytes, bytes.len() as u64, true)?.reference())
    }

    /// A `BufReader`, by its public constructor: what it had taken from its source is given back.
    pub(super) fn buf_reader(
        &mut self,
        value: &Value,
        name: &TokenStream,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let part =
            |name: &str| field(value, name).ok_or_else(|| self.refuse("a buffered reader without its parts"));
        let (buffer, inner) = (part("buffer")?, part("inner")?);
        let place = place.within_call();
        if let Some(stand_in) = self.stand_ins.of(inner.ty) {
            // The stand-in reads the buffer of the whole before what is left of the source.
            let inner = self.stand_in(value, stand_in, place)?;
            return self.buffered(value, name, &inner);
        }
        if !matches!(&buffer.data, Data::Bytes { len: 0, .. }) {
            let slice = matches!(&inner.data, Data::Pointer { to: Some(to), .. } if matches!(to.data, Data::Bytes { .. }));
            if !slice {
                return Err(self.refuse("a BufReader that has read ahead of what was taken from it"));
            }
            let tape = self.tape(value, 0)?;
            let bytes = self.reader_bytes(tape.rest())?;
            let bytes = as_slice(&bytes);
            return self.buffered(value, name, &bytes);
        }
        let inner = self.part(".inner", inner, place)?;
        self.buffered(value, name, &inner)
    }

    /// `BufReader::new(reader)`, or with its capacity where that shows: it is not the usual one, and less than is left.
    fn buffered(
        &self,
        value: &Value,
        name: &TokenStream,
        inner: &TokenStream,
    ) -> Result<TokenStream, Unwritable> {
        let capacity = chunks::capacity(value);
        let Some(capacity) = capacity.filter(|size| *size != chunks::USUAL && chunks::shows(value)) else {
            return Ok(quote!(#name::new(#inner)));
        };
        let capacity = literal::integer(u128::from(capacity), false, "usize", false)
            .ok_or_else(|| self.refuse("a buffer larger than all memory"))?;
        Ok(quote!(#name::with_capacity(#capacity, #inner)))
    }

    /// What a reader has, as far as it is one of std's.
    fn tape(&self, value: &Value, depth: u32) -> Result<Tape, Unwritable> {
        if depth > 16 {
            return Err(self.refuse("readers within readers within readers"));
        }
        if self.stand_ins.of(value.ty) == Some(StandIn::Connection) {
            return Ok(Tape::of_rest(Vec::new()));
        }
        let shape = self.shape(value.ty)?;
        let path = definition(&shape.name).unwrap_or_default();
        if let Data::Missing(reason) = &value.data {
            return Err(self.refuse(format!("could not be read: {reason}")));
        }
        let part = |name: &str| field(value, name).ok_or_else(|| self.mismatch(shape));
        let number = |name: &str| match part(name)?.data {
            Data::Uint(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
            _ => Err(self.mismatch(shape)),
        };
        match (&shape.kind, &value.data) {
            (TypeKind::Std { std: StdType::File, .. }, Data::Struct(fields)) => {
                if fields.is_empty() {
                    return Err(self.refuse("a file that is open for writing only"));
                }
                let bytes = self.all_bytes(part("content")?)?;
                let (start, position) = (number("start")?, number("position")?);
                let position = position.saturating_sub(start).min(bytes.len());
                Ok(Tape { position, whole: start == 0, bytes })
            }
            (TypeKind::Std { std: StdType::BufReader, .. }, _) => {
                let buffer = self.all_bytes(part("buffer")?)?;
                let inner = self.tape(part("inner")?, depth + 1)?;
                let before = inner.bytes.get(..inner.position).unwrap_or_default();
                if before.ends_with(&buffer) {
                    return Ok(Tape { position: inner.position - buffer.len(), ..inner });
                }
                Ok(Tape::of_rest([buffer.as_slice(), inner.rest()].concat()))
            }
            (_, Data::Bytes { .. }) => Ok(Tape { bytes: self.all_bytes(value)?, position: 0, whole: true }),
            (_, Data::Text { text, len }) => {
                self.whole(text.len(), *len, "bytes")?;
                Ok(Tape { bytes: text.clone().into_bytes(), position: 0, whole: true })
            }
            (_, Data::Pointer { to: Some(to), .. }) => self.tape(to, depth + 1),
            (_, Data::Cell { inner, .. }) => self.tape(inner, depth + 1),
            (_, Data::Struct(_)) => match path.strip_prefix("std::io::").unwrap_or_default() {
                "cursor::Cursor" => {
                    let inner = self.tape(part("inner")?, depth + 1)?;
                    let position = number("pos")?.min(inner.bytes.len());
                    Ok(Tape { position, ..inner })
                }
                "Take" | "util::Take" => {
                    let inner = self.tape(part("inner")?, depth + 1)?;
                    let rest = inner.rest();
                    Ok(Tape::of_rest(rest[..number("limit")?.min(rest.len())].to_vec()))
                }
                "Chain" | "util::Chain" => {
                    let mut bytes = match part("done_first")?.data {
                        Data::Bool(true) => Vec::new(),
                        _ => self.tape(part("first")?, depth + 1)?.rest().to_vec(),
                    };
                    bytes.extend_from_slice(self.tape(part("second")?, depth + 1)?.rest());
                    Ok(Tape::of_rest(bytes))
                }
                "util::Empty" => Ok(Tape::of_rest(Vec::new())),
                // Handles of the one standard input; the lock's guard refers to the mutex.
                "stdio::Stdin" | "stdio::StdinLock" => self.tape(part("inner")?, depth + 1),
                _ if path.starts_with("std::sync::") => self.tape(part("lock")?, depth + 1),
                _ => Err(self.refuse(format!("a reader ({}) that is not known here", shape.name))),
            },
            _ => Err(self.refuse(format!("a reader ({}) that is not known here", shape.name))),
        }
    }

    fn all_bytes(&self, value: &Value) -> Result<Vec<u8>, Unwritable> {
        match &value.data {
            Data::Bytes { bytes, len } => {
                self.whole(bytes.len(), *len, "bytes")?;
                Ok(bytes.clone())
            }
            Data::Missing(reason) => Err(self.refuse(format!("could not be read: {reason}"))),
            _ => Err(self.mismatch(self.shape(value.ty)?)),
        }
    }
}

/// `&b"…"[..]` of `b"…"`.
fn as_slice(bytes: &TokenStream) -> TokenStream {
    if starts_with_reference(bytes) { quote!(#bytes[..]) } else { quote!(&#bytes[..]) }
}

fn is_write_only(value: &Value) -> bool {
    matches!(&value.data, Data::Struct(fields) if fields.is_empty())
}
