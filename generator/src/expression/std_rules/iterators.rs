//! Iterators of std, by the methods that make them from what is left of them.

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, Field, StdType, TypeId, TypeKind, TypeShape, Value};

use super::super::Unwritable;
use super::super::stand_in;
use super::super::writer::{Place, Writer};
use super::{Rule, field, number};
use crate::hostile::literal;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::str::iter::Chars" => |w, value, shape, _| {
            let text = rest_of_text(w, field(w, value, "iter", shape)?)?;
            Ok(quote!(#text.chars()))
        },
        "core::str::iter::Bytes" => bytes,
        "core::str::iter::CharIndices" => char_indices,
        "core::iter::adapters::peekable::Peekable" => peekable,
        "core::iter::adapters::enumerate::Enumerate" => |w, value, shape, place| {
            none_used(w, value, "count", shape)?;
            adapted(w, value, "iter", shape, place, &quote!(enumerate()))
        },
        "core::iter::adapters::rev::Rev" => {
            |w, value, shape, place| adapted(w, value, "iter", shape, place, &quote!(rev()))
        }
        "core::iter::adapters::copied::Copied" => {
            |w, value, shape, place| adapted(w, value, "it", shape, place, &quote!(copied()))
        }
        "core::iter::adapters::cloned::Cloned" => {
            |w, value, shape, place| adapted(w, value, "it", shape, place, &quote!(cloned()))
        }
        "core::iter::adapters::skip::Skip" => {
            |w, value, shape, place| counted(w, value, shape, place, "skip")
        }
        "core::iter::adapters::take::Take" => {
            |w, value, shape, place| counted(w, value, shape, place, "take")
        }
        "core::iter::adapters::fuse::Fuse" => fuse,
        "core::iter::adapters::chain::Chain" => chain,
        "core::iter::adapters::zip::Zip" => zip,
        "core::iter::adapters::step_by::StepBy" => step_by,
        _ => return None,
    })
}

/// The text that a `slice::Iter<u8>` within an iterator over text has left.
fn rest_of_text(writer: &mut Writer<'_>, bytes: &Value) -> Result<TokenStream, Unwritable> {
    let Data::Bytes { bytes: left, len } = &bytes.data else {
        return Err(writer.refuse("text that was not read"));
    };
    writer.whole(left.len(), *len, "bytes")?;
    match String::from_utf8(left.clone()) {
        Ok(text) => writer.text(&Value { data: Data::Text { text, len: *len }, ..bytes.clone() }),
        Err(_) => Err(writer.refuse("bytes of a text that begin or end within a character")),
    }
}

fn bytes(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    _: Place,
) -> Result<TokenStream, Unwritable> {
    let copied = field(writer, value, "0", shape)?;
    let left = stand_in::field(copied, "it").ok_or_else(|| writer.mismatch(shape))?;
    let text = rest_of_text(writer, left)?;
    Ok(quote!(#text.bytes()))
}

/// Nothing but the text before tells the indices of what is left.
fn char_indices(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    _: Place,
) -> Result<TokenStream, Unwritable> {
    none_used(writer, value, "front_offset", shape)?;
    let chars = field(writer, value, "iter", shape)?;
    let left = stand_in::field(chars, "iter").ok_or_else(|| writer.mismatch(shape))?;
    let text = rest_of_text(writer, left)?;
    Ok(quote!(#text.char_indices()))
}

/// Refuses an iterator that counts, once it has begun to.
fn none_used(writer: &Writer<'_>, value: &Value, count: &str, shape: &TypeShape) -> Result<(), Unwritable> {
    match number(field(writer, value, count, shape)?) {
        Some(0) => Ok(()),
        Some(used) => Err(writer.refuse(format!("an iterator that has counted to {used} already"))),
        None => Err(writer.mismatch(shape)),
    }
}

fn adapted(
    writer: &mut Writer<'_>,
    value: &Value,
    inner: &str,
    shape: &TypeShape,
    place: Place,
    method: &TokenStream,
) -> Result<TokenStream, Unwritable> {
    let part = field(writer, value, inner, shape)?;
    let inner = receiver(writer, inner, part, place)?;
    Ok(quote!(#inner.#method))
}

/// What stands before the dot.
fn receiver(
    writer: &mut Writer<'_>,
    step: &str,
    value: &Value,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let place = Place { operand: true, ..place.within_call() };
    writer.part(&format!(".{step}"), value, place)
}

fn counted(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
    method: &str,
) -> Result<TokenStream, Unwritable> {
    let n = number(field(writer, value, "n", shape)?).and_then(|n| u128::try_from(n).ok());
    let n = n.and_then(|n| literal::integer(n, false, "usize", false));
    let n = n.ok_or_else(|| writer.mismatch(shape))?;
    let method = proc_macro2::Ident::new(method, proc_macro2::Span::call_site());
    adapted(writer, value, "iter", shape, place, &quote!(#method(#n)))
}

/// What an `Option` holds.
fn some(value: &Value) -> Option<&Value> {
    match &value.data {
        Data::Variant { name, fields } if name == "Some" => fields.first().map(|field| &field.value),
        _ => None,
    }
}

/// An item that was peeked is put back in front: whether it was looked at makes no difference.
fn peekable(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let iter = field(writer, value, "iter", shape)?;
    let put_back = match some(field(writer, value, "peeked", shape)?).map(some) {
        Some(Some(item)) => match with_front(writer, iter, item, 0) {
            Some(iter) => Some(iter),
            None => return Err(writer.refuse("an item that was peeked, and cannot be put back")),
        },
        // Peeked and found to be at its end, or not peeked at all.
        _ => None,
    };
    let iter = receiver(writer, "iter", put_back.as_ref().unwrap_or(iter), place)?;
    Ok(quote!(#iter.peekable()))
}

/// An iterator with an item before those that are left.
fn with_front(writer: &Writer<'_>, iter: &Value, item: &Value, depth: u32) -> Option<Value> {
    if depth > 8 {
        return None;
    }
    let mut iter = iter.clone();
    let shape = writer.types.get(iter.ty)?;
    let item = match &item.data {
        Data::Pointer { to: Some(to), .. } if is_over_references(&shape.kind) => to,
        _ => item,
    };
    let change = |fields: &mut Vec<Field>, name: &str, new: &dyn Fn(&Value) -> Option<Value>| {
        let field = fields.iter_mut().find(|field| field.name == name)?;
        field.value = new(&field.value)?;
        Some(())
    };
    match &mut iter.data {
        Data::Sequence { items, len } => {
            items.insert(0, item.clone());
            *len += 1;
        }
        Data::Bytes { bytes, len } => {
            let front: Vec<u8> = match item.data {
                Data::Char(c) => c.to_string().into_bytes(),
                Data::Uint(byte) => vec![u8::try_from(byte).ok()?],
                _ => return None,
            };
            *len += front.len() as u64;
            bytes.splice(..0, front);
        }
        Data::Struct(fields) => match super::super::definition(&shape.name)?.as_str() {
            "core::str::iter::Chars" => {
                change(fields, "iter", &|inner| with_front(writer, inner, item, depth + 1))?;
            }
            "core::str::iter::Bytes" => {
                change(fields, "0", &|inner| with_front(writer, inner, item, depth + 1))?;
            }
            "core::iter::adapters::copied::Copied" | "core::iter::adapters::cloned::Cloned" => {
                change(fields, "it", &|inner| with_front(writer, inner, item, depth + 1))?;
            }
            name @ ("core::str::iter::CharIndices" | "core::iter::adapters::enumerate::Enumerate") => {
                let Data::Tuple(pair) = &item.data else { return None };
                let [index, item] = pair.as_slice() else { return None };
                let count = if name.ends_with("Enumerate") { "count" } else { "front_offset" };
                change(fields, count, &|_| Some(index.clone()))?;
                change(fields, "iter", &|inner| with_front(writer, inner, item, depth + 1))?;
            }
            _ => return None,
        },
        _ => return None,
    }
    Some(iter)
}

fn is_over_references(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Std { std: StdType::SliceIter, .. })
}

fn fuse(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let Some(inner) = some(field(writer, value, "iter", shape)?) else {
        return Err(writer.refuse("an iterator that is at its end and gone"));
    };
    let inner = receiver(writer, "iter", inner, place)?;
    Ok(quote!(#inner.fuse()))
}

fn chain(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let halves = (some(field(writer, value, "a", shape)?), some(field(writer, value, "b", shape)?));
    let (Some(first), Some(second)) = halves else {
        return Err(writer.refuse("a chain of iterators of which one is at its end and gone"));
    };
    let first = receiver(writer, "a", first, place)?;
    let second = writer.part(".b", second, place.within_call())?;
    Ok(quote!(#first.chain(#second)))
}

/// Pairs of slices are counted by an index, their iterators stay as they were.
fn zip(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    none_used(writer, value, "index", shape)?;
    let (first, second) = (field(writer, value, "a", shape)?, field(writer, value, "b", shape)?);
    let first = receiver(writer, "a", first, place)?;
    let second = writer.part(".b", second, place.within_call())?;
    Ok(quote!(#first.zip(#second)))
}

/// Before its first item; of a range std keeps the number of steps in place of the end.
fn step_by(
    writer: &mut Writer<'_>,
    value: &Value,
    shape: &TypeShape,
    place: Place,
) -> Result<TokenStream, Unwritable> {
    let inner = field(writer, value, "iter", shape)?;
    let is_range = writer.types.name(inner.ty).starts_with("core::ops::range::");
    let fresh = matches!(field(writer, value, "first_take", shape)?.data, Data::Bool(true));
    if is_range || !fresh {
        return Err(writer.refuse("an iterator by steps that has begun, or that steps through a range"));
    }
    let step = match stand_in::field(value, "step_minus_one").or_else(|| stand_in::field(value, "step")) {
        Some(step) => number(step).and_then(|step| u128::try_from(step).ok()),
        None => None,
    };
    let step = step.and_then(|step| literal::integer(step.saturating_add(1), false, "usize", false));
    let step = step.ok_or_else(|| writer.mismatch(shape))?;
    adapted(writer, value, "iter", shape, place, &quote!(step_by(#step)))
}

impl Writer<'_> {
    /// `[1, 2].iter()`; what is no constant gets a `let` of its own to borrow from.
    pub(in super::super) fn slice_iterator(
        &mut self,
        value: &Value,
        shape: &TypeShape,
        params: &[TypeId],
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let mutable = shape.name.starts_with("core::slice::iter::IterMut");
        let of = params.first().copied();
        let empty = matches!(&value.data, Data::Bytes { len: 0, .. } | Data::Sequence { len: 0, .. });
        let owner = self.hoist(mutable, value.ty, place.typed, |w, place| match &value.data {
            Data::Bytes { bytes, len } => Ok(w.bytes(bytes, *len, true)?.array()),
            Data::Sequence { .. } if empty => {
                w.vector(value, shape, None, Place { typed: of.is_some(), ..place })
            }
            Data::Sequence { items, len } => {
                w.whole(items.len(), *len, "elements")?;
                w.list(items, place.element())
            }
            _ => Err(w.mismatch(shape)),
        })?;
        Ok(if mutable { quote!(#owner.iter_mut()) } else { quote!(#owner.iter()) })
    }
}
