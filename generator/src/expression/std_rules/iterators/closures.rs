//! Iterators of std that hold a closure: by the methods that take it, where it may leave out its parameters' types.

use proc_macro2::{Ident, Span};
use quote::quote;
use relapse_snapshot::{Data, Value};

use super::super::super::seen_through::field;
use super::super::super::writer::{Place, Writer};
use super::super::of::{Of, Rule, Written};
use super::some;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::iter::adapters::map::Map" => |w, of| called(w, of, "map", "f"),
        "core::iter::adapters::filter::Filter" => |w, of| called(w, of, "filter", "predicate"),
        "core::iter::adapters::filter_map::FilterMap" => |w, of| called(w, of, "filter_map", "f"),
        "core::iter::adapters::map_while::MapWhile" => |w, of| called(w, of, "map_while", "predicate"),
        "core::iter::adapters::inspect::Inspect" => |w, of| called(w, of, "inspect", "f"),
        "core::iter::adapters::take_while::TakeWhile" => |w, of| unless_begun(w, of, "take_while"),
        "core::iter::adapters::skip_while::SkipWhile" => |w, of| unless_begun(w, of, "skip_while"),
        "core::iter::adapters::scan::Scan" => scan,
        "core::iter::adapters::flatten::FlatMap" => flat_map,
        "core::iter::sources::from_fn::FromFn" => {
            |w, of| made(w, of, "core::iter::sources::from_fn::from_fn", "0")
        }
        "core::iter::sources::repeat_with::RepeatWith" => {
            |w, of| made(w, of, "core::iter::sources::repeat_with::repeat_with", "repeater")
        }
        "core::iter::sources::successors::Successors" => successors,
        _ => return None,
    })
}

/// What such an iterator calls. A function item has no address, so only the closures are told apart.
fn given(writer: &mut Writer<'_>, of: Of<'_>, name: &str) -> Written {
    let value = of.field(writer, name)?;
    given_value(writer, of, name, value)
}

fn given_value(writer: &mut Writer<'_>, of: Of<'_>, name: &str, value: &Value) -> Written {
    let place = of.place.within_call();
    if writer.is_closure(value.ty) {
        return writer.named(name, |writer| writer.closure(value, place, false));
    }
    writer.part(&format!(".{name}"), value, place)
}

/// `iter.map(|x| …)`
fn called(writer: &mut Writer<'_>, of: Of<'_>, method: &str, function: &str) -> Written {
    let (iter, method) = (of.operand(writer, "iter")?, Ident::new(method, Span::call_site()));
    let function = given(writer, of, function)?;
    Ok(quote!(#iter.#method(#function)))
}

/// One that has come to its turning point goes on in another way, which no method begins with.
fn unless_begun(writer: &mut Writer<'_>, of: Of<'_>, method: &str) -> Written {
    if !matches!(of.field(writer, "flag")?.data, Data::Bool(false)) {
        return Err(writer.refuse(format!("an iterator whose `{method}` has met its end")));
    }
    called(writer, of, method, "predicate")
}

fn scan(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (iter, state) = (of.operand(writer, "iter")?, of.part(writer, "state")?);
    let function = given(writer, of, "f")?;
    Ok(quote!(#iter.scan(#state, #function)))
}

/// `FlatMap { inner: FlattenCompat { iter: Fuse { iter: Some(Map { iter, f }) }, frontiter, backiter } }`, as long as it is
/// within none of its parts.
fn flat_map(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let inner = of.field(writer, "inner")?;
    let part = |name: &str| field(inner, name);
    let is_none = |value: Option<&Value>| matches!(value.map(|v| &v.data), Some(Data::Variant { name, .. }) if name == "None");
    if !is_none(part("frontiter")) || !is_none(part("backiter")) {
        return Err(writer.refuse("an iterator that has begun one of its parts"));
    }
    let map = part("iter").and_then(|fuse| field(fuse, "iter")).and_then(some);
    let (iter, function) = map
        .and_then(|map| field(map, "iter").zip(field(map, "f")))
        .ok_or_else(|| writer.refuse("an iterator that is at its end and gone"))?;
    let (iter, function) = (of.receiver(writer, "iter", iter)?, given_value(writer, of, "f", function)?);
    Ok(quote!(#iter.flat_map(#function)))
}

/// `iter::from_fn(|| …)`
fn made(writer: &mut Writer<'_>, of: Of<'_>, path: &str, function: &str) -> Written {
    let (name, function) = (writer.name(path)?, given(writer, of, function)?);
    Ok(quote!(#name(#function)))
}

fn successors(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name("core::iter::sources::successors::successors")?;
    // The closure is given a reference to it, whose methods can only be found by its type.
    let first = Of { place: Place { typed: true, ..of.place }, ..of }.part(writer, "next")?;
    let function = given(writer, of, "succ")?;
    Ok(quote!(#name(#first, #function)))
}
