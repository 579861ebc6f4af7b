//! `CStr`, which no variable can hold: what refers to one.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, TypeShape, Value};

use super::super::Unwritable;
use super::super::seen_through::number;
use super::super::writer::Writer;
use crate::hostile::literal;

/// Its path.
pub(in super::super) const DEFINITION: &str = "core::ffi::c_str::CStr";

impl Writer<'_> {
    /// `CStr::from_bytes_with_nul(b"text\0").unwrap()`: a literal `c"text"` needs edition 2021.
    pub(in super::super) fn c_text(
        &mut self,
        value: &Value,
        shape: &TypeShape,
    ) -> Result<TokenStream, Unwritable> {
        let inner = match &value.data {
            Data::Struct(fields) => fields.first().map(|field| &field.value.data),
            data => Some(data),
        };
        let bytes = match inner {
            Some(Data::Bytes { bytes, len }) => {
                self.whole(bytes.len(), *len, "bytes")?;
                Some(bytes.clone())
            }
            // `c_char` is signed here.
            Some(Data::Sequence { items, len }) => {
                self.whole(items.len(), *len, "bytes")?;
                let byte =
                    |item: &Value| number(item).and_then(|n| i8::try_from(n).ok()).map(i8::cast_unsigned);
                items.iter().map(byte).collect()
            }
            _ => None,
        };
        let bytes = bytes.filter(|bytes| bytes.iter().position(|b| *b == 0) == bytes.len().checked_sub(1));
        let bytes = bytes.ok_or_else(|| self.mismatch(shape))?;
        let (name, text) = (self.name(DEFINITION)?, literal::byte_string(&bytes));
        Ok(quote!(#name::from_bytes_with_nul(#text).unwrap()))
    }
}
