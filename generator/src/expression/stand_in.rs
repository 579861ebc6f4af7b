//! Equal stand-ins: what a test gives a function for a reader or sink of std that nobody can build again. Only
//! where the function takes any type there (`R: Read`), so that bytes do as well as an open file. In: the types
//! that stand for generic parameters, with their bounds. Out: which of them are replaced, and by what.

use std::collections::{BTreeSet, HashMap};

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, StdType, Trust, TypeId, TypeKind, TypeTable, Value};

use super::Unwritable;
use super::pointer::starts_with_reference;
use super::type_name::definition;
use super::writer::{Place, Writer};
use crate::hostile::literal;

/// Types and layers that are looked into for what they are made of.
const MOST_TYPES: usize = 256;

/// Below this many bytes a reader's data is one literal, readable or not.
const SHORT: usize = 64;

/// A type that stands for a generic parameter of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The type.
    pub ty: TypeId,
    /// The last names of the traits that the parameter is bounded by, as far as they are known.
    pub bounds: BTreeSet<String>,
}

/// What stands in for a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandIn {
    /// `&[u8]`: what was left to read.
    Bytes,
    /// `Cursor<&[u8]>`: all of it, at the position that was reached.
    Cursor,
    /// `Cursor<Vec<u8>>`: the same, and it can be written.
    Buffer,
    /// `Vec<u8>`: takes what is written.
    Sink,
}

/// How far the replacing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Never `&[u8]`, for bounds that the source does not show.
    pub seekable: bool,
    /// Every type that is only written to is replaced, the program's own too.
    pub all_sinks: bool,
}

/// Bounds that all stand-ins meet.
const MARKERS: &[&str] = &["Sized", "Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];

/// The types that are replaced in one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandIns(HashMap<TypeId, StandIn>);

impl StandIns {
    /// Chooses what stands in for which of the open types.
    pub fn new(open: &[Open], extent: Extent, types: &TypeTable) -> StandIns {
        let mut chosen = HashMap::new();
        let mut queue: Vec<(TypeId, BTreeSet<String>)> =
            open.iter().map(|open| (open.ty, open.bounds.clone())).collect();
        let mut seen = BTreeSet::new();
        while let Some((ty, bounds)) = queue.pop() {
            if !seen.insert(ty) || seen.len() > MOST_TYPES {
                continue;
            }
            if let Some(stand_in) = stand_in(ty, &bounds, extent, types) {
                chosen.insert(ty, stand_in);
                continue;
            }
            match types.get(ty).map(|shape| &shape.kind) {
                // A mutable reference reads and writes as its target does.
                Some(TypeKind::Reference { to, mutable: true }) => queue.push((*to, bounds)),
                Some(TypeKind::Std { std: StdType::Box, params }) => {
                    queue.extend(params.iter().map(|param| (*param, bounds.clone())));
                }
                Some(
                    TypeKind::Std { params, .. }
                    | TypeKind::Struct { params, .. }
                    | TypeKind::Enum { params, .. },
                ) => queue.extend(params.iter().map(|param| (*param, BTreeSet::new()))),
                _ => {}
            }
        }
        StandIns(chosen)
    }

    /// What stands in for a type.
    pub fn of(&self, ty: TypeId) -> Option<StandIn> {
        self.0.get(&ty).copied()
    }

    /// Whether any type is replaced by `&[u8]`, which cannot seek.
    pub fn has_bytes(&self) -> bool {
        self.0.values().any(|stand_in| *stand_in == StandIn::Bytes)
    }

    /// Whether a type is replaced, or made of one that is.
    pub fn change(&self, ty: TypeId, types: &TypeTable) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (mut open, mut seen) = (vec![ty], BTreeSet::new());
        while let Some(id) = open.pop() {
            if self.0.contains_key(&id) {
                return true;
            }
            if seen.insert(id) && seen.len() <= MOST_TYPES {
                open.extend(parts(id, types));
            }
        }
        false
    }

    /// How far what is written of a value can be trusted: what a sink held does not matter, and what was not read
    /// is no part of it, or it could not be written.
    pub fn trust(&self, value: &Value) -> Trust {
        let (mut worst, mut open) = (Trust::Entry, vec![value]);
        while let Some(value) = open.pop() {
            if self.of(value.ty) == Some(StandIn::Sink) {
                continue;
            }
            if !matches!(value.data, Data::Missing(_)) {
                worst = worst.max(value.trust);
            }
            open.extend(value.children());
        }
        worst
    }
}

fn parts(ty: TypeId, types: &TypeTable) -> Vec<TypeId> {
    match types.get(ty).map(|shape| &shape.kind) {
        Some(TypeKind::Tuple(items)) => items.clone(),
        Some(
            TypeKind::Std { params, .. } | TypeKind::Struct { params, .. } | TypeKind::Enum { params, .. },
        ) => params.clone(),
        Some(TypeKind::Array { of: to, .. } | TypeKind::Slice(to)) => vec![*to],
        Some(TypeKind::Reference { to, .. } | TypeKind::RawPointer { to, .. }) => vec![*to],
        _ => Vec::new(),
    }
}

fn stand_in(ty: TypeId, bounds: &BTreeSet<String>, extent: Extent, types: &TypeTable) -> Option<StandIn> {
    let shape = types.get(ty)?;
    let has = |name: &str| bounds.contains(name);
    let reads = has("Read") || has("BufRead");
    if let TypeKind::Reference { to, mutable: false } = &shape.kind {
        // `&File` reads, `&&[u8]` does not: the reference itself is replaced.
        let is_file = matches!(types.get(*to)?.kind, TypeKind::Std { std: StdType::File, .. });
        return if is_file { stand_in(*to, bounds, extent, types) } else { None };
    }
    if extent.all_sinks && has("Write") && only(bounds, &["Write"]) {
        return Some(StandIn::Sink);
    }
    let path = definition(&shape.name)?;
    let sink = match &*path {
        "std::io::stdio::Stdout"
        | "std::io::stdio::StdoutLock"
        | "std::io::stdio::Stderr"
        | "std::io::stdio::StderrLock"
        | "std::io::buffered::bufwriter::BufWriter"
        | "std::io::buffered::linewriter::LineWriter" => true,
        "std::fs::File" => has("Write") && !reads,
        _ => false,
    };
    let reader = matches!(
        &*path,
        "std::fs::File"
            | "std::io::buffered::bufreader::BufReader"
            | "std::io::stdio::Stdin"
            | "std::io::stdio::StdinLock"
    );
    let wrapped =
        matches!(&*path, "std::io::Take" | "std::io::Chain" | "std::io::util::Take" | "std::io::util::Chain")
            && parts(ty, types)
                .iter()
                .any(|part| stand_in(*part, &BTreeSet::new(), Extent::default(), types).is_some());
    if sink {
        return Some(if has("Seek") { StandIn::Buffer } else { StandIn::Sink });
    }
    if !(reader || wrapped) {
        return None;
    }
    Some(if has("Write") {
        StandIn::Buffer
    } else if !extent.seekable && reads && only(bounds, &["Read", "BufRead"]) {
        StandIn::Bytes
    } else {
        StandIn::Cursor
    })
}

/// Whether these are the only bounds, markers aside.
fn only(bounds: &BTreeSet<String>, known: &[&str]) -> bool {
    bounds.iter().map(String::as_str).all(|bound| known.contains(&bound) || MARKERS.contains(&bound))
}

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
        if stand_in == StandIn::Sink {
            return self.sink();
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
            (StandIn::Buffer, true) => self.sink()?,
            (StandIn::Buffer, false) => {
                let bytes = self.reader_bytes(bytes)?;
                quote!(#bytes.to_vec())
            }
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

    /// What takes all that is written to a trait object that only writes.
    pub(super) fn dyn_sink(&self, ty: TypeId) -> Option<TokenStream> {
        let shape = self.types.get(ty).filter(|shape| shape.kind == TypeKind::Dyn)?;
        let mut traits = shape.name.trim_matches(['(', ')']).trim_start_matches("dyn ").split(" + ");
        match traits.next()? {
            "std::io::Write" | "core::io::Write" => self.sink().ok(),
            "core::fmt::Write" => {
                self.name("alloc::string::String").ok().map(|string| quote!(#string::new()))
            }
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
            let inner =
                if stand_in == StandIn::Sink { self.sink()? } else { self.stand_in(value, stand_in, place)? };
            return Ok(quote!(#name::new(#inner)));
        }
        if !matches!(&buffer.data, Data::Bytes { len: 0, .. }) {
            let slice = matches!(&inner.data, Data::Pointer { to: Some(to), .. } if matches!(to.data, Data::Bytes { .. }));
            if !slice {
                return Err(self.refuse("a BufReader that has read ahead of what was taken from it"));
            }
            let tape = self.tape(value, 0)?;
            let bytes = self.reader_bytes(tape.rest())?;
            let bytes = as_slice(&bytes);
            return Ok(quote!(#name::new(#bytes)));
        }
        let inner = self.part(".inner", inner, place)?;
        Ok(quote!(#name::new(#inner)))
    }

    /// What a reader has, as far as it is one of std's.
    fn tape(&self, value: &Value, depth: u32) -> Result<Tape, Unwritable> {
        if depth > 16 {
            return Err(self.refuse("readers within readers within readers"));
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

/// A struct's field.
pub(super) fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match &value.data {
        Data::Struct(fields) => fields.iter().find(|field| field.name == name).map(|field| &field.value),
        _ => None,
    }
}
