//! Text, bytes and lists, short ones as literals, long ones in files beside the test; and the std types that only
//! wrap a value.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeShape, Value};

use super::Unwritable;
use super::type_name::definition;
use super::writer::{OPTION, Place, Writer, variable_of};
use crate::hostile::literal;
use crate::regression::SideFile;

/// Longest text or byte string that stands in the test itself.
pub(super) const MAX_LITERAL_BYTES: usize = 1024;

/// Most lines of text that stand in the test itself.
const MAX_LITERAL_LINES: usize = 20;

/// Shortest run of equal elements that is written `[0; 64]`.
pub(super) const MIN_RUN: usize = 8;

/// More bytes than this are not made on the stack: a test's thread has 2 MiB of it, and a debug build copies what it moves.
pub(super) const MAX_STACK_BYTES: u64 = 64 << 10;
/// The size of a type that says none, in bytes.
const USUAL_SIZE: u64 = 64;

/// Shortest list of references whose targets have one variable together.
const MIN_TARGETS: usize = 9;

/// Bytes as they are written.
pub(super) enum Bytes {
    /// `b"…"` or `include_bytes!("…")`: a reference to an array.
    Reference(TokenStream),
    /// `[1, 2]`.
    Array(TokenStream),
    /// The elements of an array: `0; 64`.
    Run(TokenStream),
}

impl Bytes {
    /// As `&[u8; N]`.
    pub(super) fn reference(self) -> TokenStream {
        match self {
            Bytes::Reference(tokens) => tokens,
            Bytes::Array(items) | Bytes::Run(items) => quote!(&[#items]),
        }
    }

    /// As `[u8; N]`.
    pub(super) fn array(self) -> TokenStream {
        match self {
            Bytes::Reference(tokens) => quote!(*#tokens),
            Bytes::Array(items) | Bytes::Run(items) => quote!([#items]),
        }
    }

    /// As `Vec<u8>`.
    pub(super) fn vector(self) -> TokenStream {
        match self {
            Bytes::Reference(tokens) => quote!(#tokens.to_vec()),
            Bytes::Array(items) | Bytes::Run(items) => quote!(vec![#items]),
        }
    }
}

impl Writer<'_> {
    /// The path of a std type, as its own name gives it.
    pub(super) fn name_of(&self, shape: &TypeShape) -> Result<TokenStream, Unwritable> {
        let path = definition(&shape.name).ok_or_else(|| self.mismatch(shape))?;
        self.name(&path)
    }

    /// A `&'static str`.
    pub(super) fn text(&mut self, value: &Value) -> Result<TokenStream, Unwritable> {
        let (text, len) = match &value.data {
            Data::Text { text, len } => (text, *len),
            Data::Bytes { .. } => return Err(self.refuse("text that is not UTF-8, which no literal can be")),
            Data::Missing(reason) => return Err(self.refuse(format!("could not be read: {reason}"))),
            _ => return Err(self.mismatch(self.shape(value.ty)?)),
        };
        self.whole(text.len(), len, "bytes")?;
        Ok(self.literal_or_file(text))
    }

    /// A `&'static str`: a long one stands in a file beside the test.
    pub(super) fn literal_or_file(&mut self, text: &str) -> TokenStream {
        if text.len() <= MAX_LITERAL_BYTES && text.lines().count() <= MAX_LITERAL_LINES {
            return literal::text(text);
        }
        let path = self.side_file("txt", text.as_bytes());
        quote!(include_str!(#path))
    }

    fn side_file(&mut self, extension: &str, bytes: &[u8]) -> TokenStream {
        let (name, path) = {
            let stem = self.stem().to_owned();
            self.scope.side_file(&stem, extension)
        };
        self.side_files.push(SideFile { name, bytes: bytes.to_vec() });
        literal::string(&path)
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], len: u64, typed: bool) -> Result<Bytes, Unwritable> {
        self.whole(bytes.len(), len, "bytes")?;
        let first = bytes.first().copied().unwrap_or_default();
        if bytes.len() >= MIN_RUN && bytes.iter().all(|b| *b == first) {
            let byte = literal::byte_number(first, literal::is_hexadecimal(&[first]), typed.then_some("u8"));
            let length = literal::integer(bytes.len() as u128, false, "usize", false);
            return Ok(Bytes::Run(quote!(#byte; #length)));
        }
        if bytes.len() > MAX_LITERAL_BYTES {
            let path = self.side_file("bin", bytes);
            return Ok(Bytes::Reference(quote!(include_bytes!(#path))));
        }
        if literal::is_text_like(bytes) || (bytes.is_empty() && typed) {
            return Ok(Bytes::Reference(literal::byte_string(bytes)));
        }
        let hexadecimal = literal::is_hexadecimal(bytes);
        let numbers = bytes.iter().enumerate().map(|(index, byte)| {
            literal::byte_number(*byte, hexadecimal, (typed && index == 0).then_some("u8"))
        });
        Ok(Bytes::Array(quote!(#(#numbers),*)))
    }

    /// `[1, 2]`, `[0; 64]` of elements that are not bytes.
    pub(super) fn list(&mut self, items: &[Value], place: Place) -> Result<TokenStream, Unwritable> {
        if let Some(written) = self.list_of_uninit(items, place) {
            return written;
        }
        let items = self.list_items(items, place)?;
        Ok(quote!([#items]))
    }

    fn list_items(&mut self, items: &[Value], place: Place) -> Result<TokenStream, Unwritable> {
        if let [first, rest @ ..] = items
            && items.len() >= MIN_RUN
            && rest.iter().all(|item| item.data == first.data)
            && (is_scalar(first) || self.is_copy(first.ty))
        {
            let item = self.part("[0]", first, place)?;
            let length = literal::integer(items.len() as u128, false, "usize", false);
            return Ok(quote!(#item; #length));
        }
        let items = self.items(items, '[', place, false)?;
        Ok(quote!(#(#items),*))
    }

    /// Whether values of a type can be repeated by `[x; 64]`.
    pub(super) fn is_copy(&self, ty: TypeId) -> bool {
        let (mut open, mut seen) = (vec![ty], HashSet::from([ty]));
        while let Some(ty) = open.pop() {
            let Some(shape) = self.types.get(ty) else { return false };
            let parts: &[TypeId] = match &shape.kind {
                TypeKind::Bool | TypeKind::Char | TypeKind::Integer { .. } | TypeKind::Float { .. } => &[],
                TypeKind::Reference { mutable: false, .. } => &[],
                TypeKind::Tuple(items) => items,
                TypeKind::Array { of, .. } => std::slice::from_ref(of),
                TypeKind::Struct { params, .. } | TypeKind::Enum { params, .. } => {
                    let path = definition(&shape.name);
                    let is_option = path.as_deref() == Some(OPTION);
                    if !path.is_some_and(|path| is_option || self.names.is_copy(&path)) {
                        return false;
                    }
                    params
                }
                _ => return false,
            };
            open.extend(parts.iter().filter(|part| seen.insert(**part)));
        }
        true
    }

    /// Whether so many values of these types are too large to be made on the stack.
    pub(super) fn is_large(&self, count: usize, types: &[TypeId]) -> bool {
        let size = |ty: &TypeId| self.types.get(*ty).and_then(|shape| shape.size).unwrap_or(USUAL_SIZE);
        let each = types.iter().map(size).fold(0, u64::saturating_add);
        each.saturating_mul(count as u64) > MAX_STACK_BYTES
    }

    /// A `Vec` of references, to values that have one variable together: `orders.iter().collect::<Vec<_>>()`. `None`: they
    /// are few, or no such references.
    pub(super) fn references(
        &mut self,
        items: &[Value],
        place: Place,
    ) -> Result<Option<TokenStream>, Unwritable> {
        let Some(TypeKind::Reference { to, mutable: false }) =
            items.first().and_then(|item| self.types.get(item.ty)).map(|shape| &shape.kind)
        else {
            return Ok(None);
        };
        let to = *to;
        if items.len() < MIN_TARGETS || !self.is_sized(to) {
            return Ok(None);
        }
        let targets: Option<Vec<Value>> = items
            .iter()
            .map(|item| match &item.data {
                Data::Pointer { to: Some(target), .. } if target.ty == to => Some((**target).clone()),
                _ => None,
            })
            .collect();
        let Some(targets) = targets.filter(|targets| !targets.iter().all(|t| self.is_constant(t, 0))) else {
            return Ok(None);
        };
        let all = format!("{}s", variable_of(self.types, to));
        let owner = self.hoist_as(&all, false, place.typed, |writer, place| {
            let items = writer.list_items(&targets, place.within_call())?;
            Ok(quote!(vec![#items]))
        })?;
        let vec = self.name("alloc::vec::Vec")?;
        Ok(Some(quote!(#owner.iter().collect::<#vec<_>>())))
    }

    /// `[T; N]`.
    pub(super) fn array(
        &mut self,
        shape: &TypeShape,
        data: &Data,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        match data {
            Data::Bytes { bytes, len } => Ok(self.bytes(bytes, *len, place.typed)?.array()),
            Data::Sequence { items, len } => {
                self.whole(items.len(), *len, "elements")?;
                self.list(items, place.element())
            }
            _ => Err(self.mismatch(shape)),
        }
    }

    /// `vec![1, 2]`, `b"…".to_vec()`; `Vec::new()` by its own path where there is one.
    pub(super) fn vector(
        &mut self,
        value: &Value,
        shape: &TypeShape,
        path: Option<TokenStream>,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let place = place.within_call();
        match &value.data {
            Data::Bytes { bytes, len } if !bytes.is_empty() || *len > 0 => {
                Ok(self.bytes(bytes, *len, place.typed)?.vector())
            }
            Data::Sequence { items, len } if !items.is_empty() || *len > 0 => {
                self.whole(items.len(), *len, "elements")?;
                if let Some(references) = self.references(items, place)? {
                    return Ok(references);
                }
                if self.are_clones(items) && !self.is_copy(items[0].ty) {
                    let item = self.part("[0]", &items[0], place)?;
                    let length = literal::integer(items.len() as u128, false, "usize", false);
                    return Ok(quote!(vec![#item; #length]));
                }
                let items = self.list_items(items, place)?;
                Ok(quote!(vec![#items]))
            }
            Data::Bytes { .. } | Data::Sequence { .. } => {
                let vec = match path {
                    Some(path) => path,
                    None => self.name("alloc::vec::Vec")?,
                };
                let element = match &shape.kind {
                    TypeKind::Std { params, .. } => params.first().copied(),
                    TypeKind::Slice(of) => Some(*of),
                    _ => None,
                };
                let turbofish = element.filter(|_| place.typed).and_then(|of| self.turbofish(&[of]));
                Ok(quote!(#vec #turbofish::new()))
            }
            _ => Err(self.mismatch(shape)),
        }
    }

    /// A std type with a reading of its own.
    pub(super) fn std(
        &mut self,
        std: StdType,
        params: &[TypeId],
        value: &Value,
        shape: &TypeShape,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        match std {
            StdType::String => {
                let string = self.name_of(shape)?;
                if matches!(&value.data, Data::Text { text, len: 0 } if text.is_empty()) {
                    return Ok(quote!(#string::new()));
                }
                let text = self.text(value)?;
                Ok(quote!(#string::from(#text)))
            }
            StdType::Vec => {
                let path = self.name_of(shape)?;
                self.vector(value, shape, Some(path), place)
            }
            StdType::VecDeque
            | StdType::LinkedList
            | StdType::BTreeSet
            | StdType::HashSet
            | StdType::HashMap
            | StdType::BTreeMap => self.collection(std, params, value, shape, place),
            StdType::Box | StdType::Rc | StdType::Arc => {
                self.owner(std, params.first().copied(), value, shape, place)
            }
            StdType::Weak => self.weak(params, value, shape, place),
            StdType::Path | StdType::OsStr => {
                Err(self.refuse(format!("{} without a pointer to it", shape.name)))
            }
            StdType::PathBuf | StdType::OsString => {
                let name = self.name_of(shape)?;
                let text = match &value.data {
                    Data::Text { .. } => self.text(value)?,
                    _ => self.os_text(value, shape)?,
                };
                Ok(quote!(#name::from(#text)))
            }
            StdType::Cell | StdType::RefCell | StdType::UnsafeCell | StdType::Mutex | StdType::RwLock => {
                self.cell(std, value, shape, place)
            }
            StdType::Duration => self.duration(value, shape),
            StdType::NonZero => self.non_zero(params, value, shape),
            StdType::SliceIter => self.slice_iterator(value, shape, params, place),
            StdType::VecIntoIter => {
                let items = self.vector(value, shape, None, place)?;
                Ok(quote!(#items.into_iter()))
            }
            StdType::File => Err(self.refuse(
                "an open file, where the function takes nothing else (of a generic reader its bytes would do)",
            )),
            StdType::BufReader => {
                let name = self.name_of(shape)?;
                self.buf_reader(value, &name, place)
            }
            StdType::NonNull => match params.first() {
                Some(to) => self.non_null(value, *to, place),
                None => Err(self.mismatch(shape)),
            },
        }
    }

    fn cell(
        &mut self,
        std: StdType,
        value: &Value,
        shape: &TypeShape,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let Data::Cell { inner, state, poisoned } = &value.data else { return Err(self.mismatch(shape)) };
        // A test holds no lock, poisoned or not.
        if *state != 0 && matches!(std, StdType::RefCell | StdType::Mutex | StdType::RwLock) {
            self.suspect = true;
        }
        if *poisoned {
            return self.poisoned(std, inner, shape, place);
        }
        let name = self.name_of(shape)?;
        let inner = self.value(inner, place.within_call())?;
        Ok(quote!(#name::new(#inner)))
    }

    fn duration(&mut self, value: &Value, shape: &TypeShape) -> Result<TokenStream, Unwritable> {
        let Data::Duration { secs, nanos } = value.data else { return Err(self.mismatch(shape)) };
        let name = self.name_of(shape)?;
        self.duration_of(&name, secs, nanos)
    }

    /// In the largest unit that is exact.
    pub(super) fn duration_of(
        &self,
        name: &TokenStream,
        secs: u64,
        nanos: u32,
    ) -> Result<TokenStream, Unwritable> {
        let total = u128::from(secs) * 1_000_000_000 + u128::from(nanos);
        if nanos >= 1_000_000_000 {
            return Err(self.refuse("a Duration of more than a second of nanoseconds"));
        }
        if (secs, nanos) == (0, 0) {
            return Ok(quote!(#name::ZERO));
        }
        if (secs, nanos) == (u64::MAX, 999_999_999) {
            return Ok(quote!(#name::MAX));
        }
        let units: [(u128, TokenStream); 4] = [
            (1_000_000_000, quote!(from_secs)),
            (1_000_000, quote!(from_millis)),
            (1_000, quote!(from_micros)),
            (1, quote!(from_nanos)),
        ];
        for (unit, constructor) in units {
            if total.is_multiple_of(unit) && total / unit <= u128::from(u64::MAX) {
                let count = literal::integer(total / unit, false, "u64", false);
                return Ok(quote!(#name::#constructor(#count)));
            }
        }
        let (secs, nanos) = (
            literal::integer(u128::from(secs), false, "u64", false),
            literal::integer(u128::from(nanos), false, "u32", false),
        );
        Ok(quote!(#name::new(#secs, #nanos)))
    }

    fn non_zero(
        &mut self,
        params: &[TypeId],
        value: &Value,
        shape: &TypeShape,
    ) -> Result<TokenStream, Unwritable> {
        let (magnitude, negative) = match &value.data {
            Data::Int(number) => (number.unsigned_abs(), *number < 0),
            Data::Uint(number) => (*number, false),
            _ => return Err(self.mismatch(shape)),
        };
        // `NonZero<u32>` from 1.79, `NonZeroU32` before; the old names are there in both.
        let primitive = match params.first() {
            Some(ty) => self.types.name(*ty).to_owned(),
            None => shape.name.rsplit("NonZero").next().unwrap_or_default().to_lowercase(),
        };
        if literal::primitive(&primitive).is_none() || magnitude == 0 {
            return Err(self.mismatch(shape));
        }
        let (kind, width) = primitive.split_at(1);
        let alias = match width {
            "size" => format!("NonZero{}size", kind.to_uppercase()),
            _ => format!("NonZero{}{width}", kind.to_uppercase()),
        };
        let name = self.name(&format!("core::num::nonzero::{alias}"))?;
        let number =
            literal::integer(magnitude, negative, &primitive, false).ok_or_else(|| self.mismatch(shape))?;
        Ok(quote!(#name::new(#number).unwrap()))
    }

    /// `Path::new("x")`, `OsStr::new("x")`.
    pub(super) fn path_like(&mut self, value: &Value, shape: &TypeShape) -> Result<TokenStream, Unwritable> {
        let name = self.name_of(shape)?;
        if matches!(value.data, Data::Text { .. }) {
            let text = self.text(value)?;
            return Ok(quote!(#name::new(#text)));
        }
        let text = self.os_text(value, shape)?;
        let is_os_str = matches!(&shape.kind, TypeKind::Std { std: StdType::OsStr, .. });
        Ok(if is_os_str { text } else { quote!(#name::new(#text)) })
    }

    /// An `&OsStr` that is not UTF-8.
    fn os_text(&mut self, value: &Value, shape: &TypeShape) -> Result<TokenStream, Unwritable> {
        let Data::Bytes { bytes, len } = &value.data else { return Err(self.mismatch(shape)) };
        self.whole(bytes.len(), *len, "bytes")?;
        let os_str = self.name("std::ffi::os_str::OsStr")?;
        let bytes = if bytes.len() > MAX_LITERAL_BYTES {
            let path = self.side_file("bin", bytes);
            quote!(include_bytes!(#path))
        } else {
            literal::byte_string(bytes)
        };
        let extension = self.name("std::os::unix::ffi::os_str::OsStrExt")?;
        Ok(quote!(<#os_str as #extension>::from_bytes(#bytes)))
    }
}

pub(super) fn is_scalar(value: &Value) -> bool {
    matches!(value.data, Data::Bool(_) | Data::Char(_) | Data::Int(_) | Data::Uint(_) | Data::Float(_))
}
