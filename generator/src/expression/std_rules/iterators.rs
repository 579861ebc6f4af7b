//! Iterators of std, by the methods that make them from what is left of them.

mod closures;

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{Data, Field, StdType, TypeId, TypeKind, TypeShape, Value};

use super::super::Unwritable;
use super::super::lints::Lint;
use super::super::seen_through::{field, number};
use super::super::writer::{Place, Writer};
use super::of::{Of, Rule, Written};
use super::{parts, taken};
use crate::hostile::literal;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::str::iter::Chars" => |w, of| {
            let text = rest_of_text(w, of.field(w, "iter")?)?;
            Ok(quote!(#text.chars()))
        },
        "core::str::iter::Bytes" => bytes,
        "core::str::iter::CharIndices" => char_indices,
        "core::iter::adapters::peekable::Peekable" => peekable,
        "core::iter::adapters::enumerate::Enumerate" => enumerate,
        "core::iter::adapters::rev::Rev" => |w, of| adapted(w, of, "iter", &quote!(rev())),
        "core::iter::adapters::copied::Copied" => |w, of| adapted(w, of, "it", &quote!(copied())),
        "core::iter::adapters::cloned::Cloned" => |w, of| adapted(w, of, "it", &quote!(cloned())),
        "core::iter::adapters::skip::Skip" => |w, of| counted(w, of, "skip"),
        "core::iter::adapters::take::Take" => |w, of| counted(w, of, "take"),
        "core::iter::adapters::fuse::Fuse" => fuse,
        "core::iter::adapters::chain::Chain" => chain,
        "core::iter::adapters::zip::Zip" => zip,
        "core::iter::adapters::step_by::StepBy" => step_by,
        _ => return closures::rule(definition),
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

fn bytes(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let copied = of.field(writer, "0")?;
    let left = field(copied, "it").ok_or_else(|| writer.mismatch(of.shape))?;
    let text = rest_of_text(writer, left)?;
    Ok(quote!(#text.bytes()))
}

/// The text before, of which only the length counts, was read with it.
fn char_indices(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let chars = of.field(writer, "iter")?;
    let left = field(chars, "iter").ok_or_else(|| writer.mismatch(of.shape))?;
    let before = match field(of.value, "before").map(|before| &before.data) {
        None => "",
        Some(Data::Text { text, len }) => {
            writer.whole(text.len(), *len, "bytes")?;
            text
        }
        Some(_) => return Err(writer.mismatch(of.shape)),
    };
    let Data::Bytes { bytes, len } = &left.data else { return Err(writer.mismatch(of.shape)) };
    writer.whole(bytes.len(), *len, "bytes")?;
    let bytes = [before.as_bytes(), bytes].concat();
    let len = bytes.len() as u64;
    let text = rest_of_text(writer, &Value { data: Data::Bytes { bytes, len }, ..left.clone() })?;
    Ok(begun(writer, "letters", &quote!(#text.char_indices()), before.chars().count()))
}

/// An iterator of which some items are taken, so that it has counted them.
pub(super) fn begun(
    writer: &mut Writer<'_>,
    name: &str,
    iterator: &TokenStream,
    taken: usize,
) -> TokenStream {
    if taken == 0 {
        return iterator.clone();
    }
    let variable = writer.scope.variable(name);
    let take = if taken == 1 {
        quote!(next())
    } else {
        let last = literal::integer(taken as u128 - 1, false, "usize", false);
        quote!(nth(#last))
    };
    quote!({ let mut #variable = #iterator; #variable.#take; #variable })
}

/// As many items as were counted stand before those that are left.
fn enumerate(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (inner, count) = (of.field(writer, "iter")?, of.number(writer, "count")?);
    let count = usize::try_from(count).map_err(|_| writer.mismatch(of.shape))?;
    let longer = taken::with_taken(writer.types, inner, count);
    let (inner, count) = match longer {
        Ok(longer) => longer,
        Err(reason) => {
            return Err(writer.refuse(format!("an iterator that has counted to {count}: {reason}")));
        }
    };
    let inner = of.receiver(writer, "iter", &inner)?;
    Ok(begun(writer, "counted", &quote!(#inner.enumerate()), count))
}

fn adapted(writer: &mut Writer<'_>, of: Of<'_>, inner: &str, method: &TokenStream) -> Written {
    let inner = of.operand(writer, inner)?;
    Ok(quote!(#inner.#method))
}

fn counted(writer: &mut Writer<'_>, of: Of<'_>, method: &str) -> Written {
    let n = of.number(writer, "n")?;
    // What of it is left to be skipped is a part of its state.
    writer.lints.allow(Lint::IterSkipZero, n == 0 && method == "skip");
    let n = of.count(writer, n, "usize")?;
    let method = proc_macro2::Ident::new(method, proc_macro2::Span::call_site());
    adapted(writer, of, "iter", &quote!(#method(#n)))
}

/// What an `Option` holds.
fn some(value: &Value) -> Option<&Value> {
    match &value.data {
        Data::Variant { name, fields } if name == "Some" => fields.first().map(|field| &field.value),
        _ => None,
    }
}

/// An item that was peeked is put back in front: whether it was looked at makes no difference.
fn peekable(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let iter = of.field(writer, "iter")?;
    let put_back = match some(of.field(writer, "peeked")?).map(some) {
        Some(Some(item)) if parts::is_of_text(writer.types, iter) => {
            let longer = parts::with_front(iter, item);
            Some(longer.ok_or_else(|| writer.refuse("an item that was peeked, and cannot be put back"))?)
        }
        Some(Some(item)) => match with_front(writer, iter, item, 0) {
            Some(iter) => Some(iter),
            None => return Err(writer.refuse("an item that was peeked, and cannot be put back")),
        },
        // Peeked and found to be at its end, or not peeked at all.
        _ => None,
    };
    let iter = of.receiver(writer, "iter", put_back.as_ref().unwrap_or(iter))?;
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
                shorten_before(fields, index)?;
                change(fields, "iter", &|inner| with_front(writer, inner, item, depth + 1))?;
            }
            _ => return None,
        },
        _ => return None,
    }
    Some(iter)
}

/// The text before a `CharIndices` ends where an item of that place begins.
fn shorten_before(fields: &mut Vec<Field>, index: &Value) -> Option<()> {
    let Some(at) = fields.iter().position(|field| field.name == "before") else { return Some(()) };
    let index = usize::try_from(number(index)?).ok()?;
    if index == 0 {
        fields.remove(at);
        return Some(());
    }
    let Data::Text { text, len } = &mut fields[at].value.data else { return None };
    *text = text.get(..index)?.to_owned();
    *len = index as u64;
    Some(())
}

fn is_over_references(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Std { std: StdType::SliceIter, .. })
}

fn fuse(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let iter = of.field(writer, "iter")?;
    let ended = taken::ended(writer.types, of.shape, 0);
    let Some(inner) = some(iter).or(ended.as_ref()) else {
        return Err(writer.refuse("an iterator that is at its end and gone"));
    };
    let inner = of.receiver(writer, "iter", inner)?;
    Ok(quote!(#inner.fuse()))
}

fn chain(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let ended = [taken::ended(writer.types, of.shape, 0), taken::ended(writer.types, of.shape, 1)];
    let first = some(of.field(writer, "a")?).or(ended[0].as_ref());
    let second = some(of.field(writer, "b")?).or(ended[1].as_ref());
    let (Some(first), Some(second)) = (first, second) else {
        return Err(writer.refuse("a chain of iterators of which one is at its end and gone"));
    };
    let first = of.receiver(writer, "a", first)?;
    let second = writer.part(".b", second, of.place.within_call())?;
    Ok(quote!(#first.chain(#second)))
}

/// Pairs of slices are counted by an index, their iterators stay as they were.
fn zip(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let index = usize::try_from(of.number(writer, "index")?).map_err(|_| writer.mismatch(of.shape))?;
    let (first, second) = (of.operand(writer, "a")?, of.part(writer, "b")?);
    Ok(begun(writer, "pairs", &quote!(#first.zip(#second)), index))
}

/// After its first item it skips before each; of a range of unsigned numbers std keeps how many are left in place of
/// the end.
fn step_by(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let inner = of.field(writer, "iter")?;
    let fresh = matches!(of.field(writer, "first_take")?.data, Data::Bool(true));
    let step = of.number(writer, "step_minus_one").or_else(|_| of.number(writer, "step"))?.saturating_add(1);
    let method = of.count(writer, step, "usize")?;
    if taken::is_counted(writer.types, inner) {
        let range = taken::stepped_range(inner, step).ok_or_else(|| writer.mismatch(of.shape))?;
        let range = of.receiver(writer, "iter", &range)?;
        return Ok(quote!(#range.step_by(#method)));
    }
    if fresh {
        return adapted(writer, of, "iter", &quote!(step_by(#method)));
    }
    let (inner, taken) = taken::with_taken(writer.types, inner, 1)
        .map_err(|reason| writer.refuse(format!("an iterator by steps that has begun: {reason}")))?;
    let inner = of.receiver(writer, "iter", &inner)?;
    Ok(begun(writer, "steps", &quote!(#inner.step_by(#method)), taken))
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
