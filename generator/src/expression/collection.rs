//! Maps, sets, queues and lists of std: `HashMap::from([…])`, large ones by way of the heap, bytes in a file beside the
//! test.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeShape, Value};

use super::Unwritable;
use super::sequence::{Bytes, MAX_STACK_BYTES, MIN_RUN, is_scalar};
use super::type_name::arguments;
use super::writer::{Place, Writer};
use crate::hostile::literal;

impl Writer<'_> {
    pub(super) fn collection(
        &mut self,
        std: StdType,
        params: &[TypeId],
        value: &Value,
        shape: &TypeShape,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let name = self.name_of(shape)?;
        let hashed = matches!(std, StdType::HashMap | StdType::HashSet);
        // `from` and `new` know only std's own hasher.
        let hasher = arguments(&shape.name).get(if std == StdType::HashMap { 2 } else { 1 }).copied();
        let own_hasher = hashed && hasher.is_some_and(|hasher| !hasher.starts_with("std::"));
        let place = place.within_call();
        let mut entries = match &value.data {
            Data::Bytes { bytes, len } if !bytes.is_empty() => {
                let mut bytes = bytes.clone();
                if hashed {
                    bytes.sort_unstable();
                }
                return self.collection_of_bytes(std, &name, (&bytes, *len), own_hasher, place);
            }
            Data::Bytes { len, .. } => {
                self.whole(0, *len, "elements")?;
                Vec::new()
            }
            Data::Sequence { items, len } => {
                self.whole(items.len(), *len, "elements")?;
                let mut order: Vec<&Value> = items.iter().collect();
                if hashed {
                    order.sort_by_cached_key(|item| sort_key(item));
                }
                let mut written = Vec::with_capacity(order.len());
                for (index, item) in order.into_iter().enumerate() {
                    let typed = place.typed && index == 0;
                    written.push(self.part(&format!("[{index}]"), item, Place { typed, ..place })?);
                }
                written
            }
            Data::Map { entries, len } => {
                self.whole(entries.len(), *len, "entries")?;
                let mut order: Vec<&(Value, Value)> = entries.iter().collect();
                if hashed {
                    order.sort_by_cached_key(|(key, _)| sort_key(key));
                }
                let mut written = Vec::with_capacity(order.len());
                for (index, (key, value)) in order.into_iter().enumerate() {
                    let place = Place { typed: place.typed && index == 0, ..place };
                    let key = self.part(&format!("[key {index}]"), key, place)?;
                    let value = self.part(&format!("[{index}]"), value, place)?;
                    written.push(quote!((#key, #value)));
                }
                written
            }
            _ => return Err(self.mismatch(shape)),
        };
        if std == StdType::VecDeque && entries.len() >= MIN_RUN && is_run(value) {
            let (item, length) = (entries.swap_remove(0), entries.len() + 1);
            let length = literal::integer(length as u128, false, "usize", false);
            return Ok(quote!(#name::from([#item; #length])));
        }
        let turbofish = if place.typed { self.turbofish(params) } else { None };
        if entries.is_empty() {
            return Ok(if own_hasher { quote!(#name::default()) } else { quote!(#name #turbofish::new()) });
        }
        let items = quote!([#(#entries),*]);
        if !self.is_large(entries.len(), params) {
            return Ok(if own_hasher {
                quote!(IntoIterator::into_iter(#items).collect())
            } else {
                quote!(#name::from(#items))
            });
        }
        Ok(match std {
            _ if own_hasher => quote!(vec! #items.into_iter().collect()),
            StdType::VecDeque => quote!(#name::from(vec! #items)),
            StdType::HashMap | StdType::BTreeMap => {
                let of = turbofish.unwrap_or_else(|| quote!(<_, _>));
                quote!(vec! #items.into_iter().collect::<#name #of>())
            }
            _ => {
                let of = turbofish.unwrap_or_else(|| quote!(<_>));
                quote!(vec! #items.into_iter().collect::<#name #of>())
            }
        })
    }

    /// A collection of bytes, of which there is at least one.
    fn collection_of_bytes(
        &mut self,
        std: StdType,
        name: &TokenStream,
        (bytes, len): (&[u8], u64),
        own_hasher: bool,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let written = self.bytes(bytes, len, place.typed)?;
        let large = bytes.len() as u64 > MAX_STACK_BYTES;
        Ok(match (std, written) {
            (_, written) if own_hasher => {
                let vector = written.vector();
                quote!(#vector.into_iter().collect())
            }
            (_, Bytes::Array(items) | Bytes::Run(items)) if !large => quote!(#name::from([#items])),
            (StdType::VecDeque, written) => {
                let vector = written.vector();
                quote!(#name::from(#vector))
            }
            (_, written) => {
                let vector = written.vector();
                quote!(#vector.into_iter().collect::<#name<_>>())
            }
        })
    }
}

fn is_run(value: &Value) -> bool {
    match &value.data {
        Data::Bytes { bytes, .. } => bytes.windows(2).all(|pair| pair[0] == pair[1]),
        Data::Sequence { items, .. } => {
            items.first().is_some_and(is_scalar) && items.windows(2).all(|pair| pair[0].data == pair[1].data)
        }
        _ => false,
    }
}

/// An order for the entries of hashed collections, whose own order changes from run to run.
pub(super) fn sort_key(value: &Value) -> (i128, u128, String) {
    match &value.data {
        Data::Int(number) => (*number, 0, String::new()),
        Data::Uint(number) => (0, *number, String::new()),
        Data::Char(c) => (0, u128::from(u32::from(*c)), String::new()),
        Data::Text { text, .. } => (0, 0, text.clone()),
        Data::Pointer { to: Some(inner), .. } if !matches!(inner.data, Data::Pointer { .. }) => {
            sort_key(inner)
        }
        _ => (0, 0, content(value)),
    }
}

/// What a value holds, as text: without addresses, which change from run to run, too.
fn content(value: &Value) -> String {
    let mut text = String::new();
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match &value.data {
            Data::Pointer { to, .. } => open.extend(to.as_deref()),
            Data::Tuple(items) | Data::Sequence { items, .. } => open.extend(items.iter().rev()),
            Data::Struct(fields) => open.extend(fields.iter().rev().map(|field| &field.value)),
            Data::Variant { name, fields } => {
                text.push_str(name);
                open.extend(fields.iter().rev().map(|field| &field.value));
            }
            Data::Map { entries, .. } => open.extend(entries.iter().rev().flat_map(|(key, of)| [of, key])),
            Data::Cell { inner, .. } => open.push(inner),
            other => text.push_str(&format!("{other:?}")),
        }
        text.push(' ');
    }
    text
}
