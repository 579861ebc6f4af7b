//! Iterators that give one item, none, or the same ones again, and those over a deque.

use quote::quote;
use relapse_snapshot::{Data, TypeKind, Value};

use super::super::seen_through::core_of;
use super::super::writer::{Place, Writer};
use super::iterators::begun;
use super::of::{Of, Rule, Written};
use super::taken;
use crate::hostile::literal;

/// More items than this are not put at an array's end to be taken again.
const MOST_TAKEN: usize = 1000;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::iter::sources::once::Once" => once,
        "core::iter::sources::empty::Empty" => |w, of| {
            let (name, params) = (w.name("core::iter::sources::empty::empty")?, params(of));
            let turbofish = w.turbofish(params);
            Ok(quote!(#name #turbofish()))
        },
        "core::iter::sources::repeat::Repeat" => |w, of| {
            let (name, item) = (w.name("core::iter::sources::repeat::repeat")?, of.part(w, "element")?);
            Ok(quote!(#name(#item)))
        },
        "core::iter::adapters::cycle::Cycle" => cycle,
        "core::array::iter::IntoIter" => array_into_iter,
        "core::option::IntoIter" => |w, of| {
            let option = of.receiver(w, "inner", option_in(w, of)?)?;
            Ok(quote!(#option.into_iter()))
        },
        "core::option::Iter" => option_iter,
        "core::result::IntoIter" => result_into_iter,
        "alloc::collections::vec_deque::into_iter::IntoIter" => |w, of| {
            let inner = of.operand(w, "inner")?;
            Ok(quote!(#inner.into_iter()))
        },
        "alloc::collections::vec_deque::iter::Iter" => deque_iter,
        _ => return None,
    })
}

fn params(of: Of<'_>) -> &[relapse_snapshot::TypeId] {
    match &of.shape.kind {
        TypeKind::Struct { params, .. } if of.place.typed => params,
        _ => &[],
    }
}

/// std keeps an `Option` within wrappers in all of these.
fn option_in<'v>(writer: &Writer<'_>, of: Of<'v>) -> Result<&'v Value, super::Unwritable> {
    let option = core_of(of.value);
    if matches!(option.data, Data::Variant { .. }) { Ok(option) } else { Err(writer.mismatch(of.shape)) }
}

fn item(option: &Value) -> Option<&Value> {
    match &option.data {
        Data::Variant { name, fields } if name == "Some" => fields.first().map(|field| &field.value),
        _ => None,
    }
}

fn once(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Some(item) = item(option_in(writer, of)?) else {
        return Err(writer.refuse("an iterator over one item, which it has given"));
    };
    let name = writer.name("core::iter::sources::once::once")?;
    let item = writer.value(item, of.place.within_call())?;
    Ok(quote!(#name(#item)))
}

/// From the place that it has come to.
fn cycle(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let len = |value: &Value| match &value.data {
        Data::Sequence { len, .. } | Data::Bytes { len, .. } => usize::try_from(*len).ok(),
        _ => None,
    };
    let (all, left) = (of.field(writer, "orig")?, of.field(writer, "iter")?);
    let taken = match len(all).zip(len(left)) {
        Some((all, left)) => all.checked_sub(left).ok_or_else(|| writer.mismatch(of.shape))?,
        None if all.data == left.data => 0,
        None => return Err(writer.refuse("items in turn, of which some are taken")),
    };
    let all = of.operand(writer, "orig")?;
    Ok(begun(writer, "round", &quote!(#all.cycle()), taken))
}

/// `Iter { inner: Item { opt: Option<&T> } }`: what is borrowed is an option of the value itself.
fn option_iter(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let option = option_in(writer, of)?;
    let inner = match item(option).map(|item| &item.data) {
        Some(Data::Pointer { to: Some(to), .. }) => Some(&**to),
        Some(_) => return Err(writer.mismatch(of.shape)),
        None => None,
    };
    let owner = writer.hoist_as("option", false, of.place.typed, |w, place| match inner {
        Some(inner) => {
            let inner = w.value(inner, place.within_call())?;
            Ok(quote!(Some(#inner)))
        }
        None => {
            let turbofish = w.turbofish(params(Of { place, ..of }));
            Ok(quote!(None #turbofish))
        }
    })?;
    Ok(quote!(#owner.iter()))
}

fn result_into_iter(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Some(item) = item(option_in(writer, of)?) else {
        return Err(writer.refuse("an iterator over one item, which it has given"));
    };
    let item = writer.value(item, of.place.within_call())?;
    Ok(quote!(Ok::<_, ()>(#item).into_iter()))
}

/// As `capture` reads it: what is `left`, and how many were `taken` from each end. The first and the last that are left
/// stand for those that are gone.
fn array_into_iter(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let left = of.field(writer, "left")?;
    let count = |name: &str| of.number(writer, name).ok().and_then(|count| usize::try_from(count).ok());
    let (Some(front), Some(back)) = (count("taken"), count("taken_back")) else {
        return Err(writer.mismatch(of.shape));
    };
    let len = match &left.data {
        Data::Sequence { len, .. } | Data::Bytes { len, .. } => *len,
        _ => return Err(writer.mismatch(of.shape)),
    };
    if len == 0 && front + back > 0 || back > MOST_TAKEN {
        return Err(writer.refuse("an array's items, of which all or very many are taken"));
    }
    let left = with_last(left, back);
    let all = taken::with_taken(writer.types, &left, front);
    let (all, front) = all.map_err(|reason| writer.refuse(format!("an array's items: {reason}")))?;
    let array = match &all.data {
        Data::Bytes { bytes, len } => writer.bytes(bytes, *len, of.place.typed)?.array(),
        Data::Sequence { items, len } => {
            writer.whole(items.len(), *len, "elements")?;
            writer.list(items, of.place.within_call())?
        }
        _ => return Err(writer.mismatch(of.shape)),
    };
    // By the trait's path: in edition 2018 the method is that of a slice.
    let name = writer.name("core::iter::traits::collect::IntoIterator")?;
    let items = begun(writer, "items", &quote!(#name::into_iter(#array)), front);
    if back == 0 {
        return Ok(items);
    }
    let variable = writer.scope.variable("items");
    let last = literal::integer(back as u128 - 1, false, "usize", false);
    Ok(quote!({ let mut #variable = #items; #variable.nth_back(#last); #variable }))
}

/// Items with so many more of the last one.
fn with_last(left: &Value, more: usize) -> Value {
    let mut longer = left.clone();
    match &mut longer.data {
        Data::Bytes { bytes, len } if bytes.len() as u64 == *len => {
            bytes.extend(bytes.last().copied().into_iter().cycle().take(more));
            *len = bytes.len() as u64;
        }
        Data::Sequence { items, len } if items.len() as u64 == *len => {
            items.extend(items.last().cloned().into_iter().cycle().take(more));
            *len = items.len() as u64;
        }
        _ => {}
    }
    longer
}

/// `Iter { i1, i2 }`, both over slices.
fn deque_iter(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let halves = (of.field(writer, "i1")?, of.field(writer, "i2")?);
    let joined = match (&halves.0.data, &halves.1.data) {
        (Data::Sequence { items, len }, Data::Sequence { items: more, len: rest }) => {
            writer.whole(items.len(), *len, "elements")?;
            Data::Sequence { items: [items.as_slice(), more].concat(), len: len + rest }
        }
        (Data::Bytes { bytes, len }, Data::Bytes { bytes: more, len: rest }) => {
            writer.whole(bytes.len(), *len, "bytes")?;
            Data::Bytes { bytes: [bytes.as_slice(), more].concat(), len: len + rest }
        }
        _ => return Err(writer.mismatch(of.shape)),
    };
    let all = Value { data: joined, ..halves.0.clone() };
    let name = writer.name("alloc::collections::vec_deque::VecDeque")?;
    let shape = writer.shape(all.ty)?;
    let owner = writer.hoist_as("deque", false, of.place.typed, |w, place: Place| {
        let items = w.vector(&all, shape, None, place)?;
        Ok(quote!(#name::from(#items)))
    })?;
    Ok(quote!(#owner.iter()))
}
