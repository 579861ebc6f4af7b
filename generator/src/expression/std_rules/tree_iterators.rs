//! Iterators over trees, and over parts of them: of a tree of the entries that are left.

use proc_macro2::Ident;
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeShape, Value};

use super::super::Unwritable;
use super::super::seen_through::field;
use super::super::writer::{Place, Writer};
use super::of::{Of, Rule, Written};

const MAP: &str = "alloc::collections::btree::map::BTreeMap";
const SET: &str = "alloc::collections::btree::set::BTreeSet";

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    let own = definition.strip_prefix("alloc::collections::btree::")?;
    Some(match own {
        "map::Iter" => |w, of| borrowed(w, of, of.value, false, "iter"),
        "map::IterMut" => |w, of| borrowed(w, of, of.value, true, "iter_mut"),
        "map::Keys" => |w, of| borrowed(w, of, of.field(w, "inner")?, false, "keys"),
        "map::Values" => |w, of| borrowed(w, of, of.field(w, "inner")?, false, "values"),
        "map::ValuesMut" => |w, of| borrowed(w, of, of.field(w, "inner")?, true, "values_mut"),
        "map::IntoIter" => |w, of| {
            let entries = entries(w, of, of.value, of.place)?;
            Ok(quote!(#entries.into_iter()))
        },
        "map::Range" => |w, of| range(w, of, false, "range"),
        "map::RangeMut" => |w, of| range(w, of, true, "range_mut"),
        "set::Range" => |w, of| {
            let of_map = of.field(w, "iter")?;
            range(w, Of { value: of_map, ..of }, false, "range")
        },
        "map::IntoKeys" => |w, of| {
            let entries = entries(w, of, of.field(w, "inner")?, of.place)?;
            Ok(quote!(#entries.into_keys()))
        },
        "map::IntoValues" => |w, of| {
            let entries = entries(w, of, of.field(w, "inner")?, of.place)?;
            Ok(quote!(#entries.into_values()))
        },
        "set::Iter" => |w, of| {
            let keys = field(of.field(w, "iter")?, "inner").ok_or_else(|| w.mismatch(of.shape))?;
            borrowed(w, of, keys, false, "iter")
        },
        "set::IntoIter" => |w, of| {
            let entries = entries(w, of, of.field(w, "iter")?, of.place)?;
            Ok(quote!(#entries.into_iter()))
        },
        _ => return None,
    })
}

fn borrowed(writer: &mut Writer<'_>, of: Of<'_>, iterator: &Value, mutable: bool, method: &str) -> Written {
    let owner =
        writer.hoist_as("tree", mutable, of.place.typed, |w, place| entries(w, of, iterator, place))?;
    let method = Ident::new(method, proc_macro2::Span::call_site());
    Ok(quote!(#owner.#method()))
}

/// A part of a tree is a tree by itself.
fn range(writer: &mut Writer<'_>, of: Of<'_>, mutable: bool, method: &str) -> Written {
    let owner =
        writer.hoist_as("tree", mutable, of.place.typed, |w, place| entries(w, of, of.value, place))?;
    let method = Ident::new(method, proc_macro2::Span::call_site());
    Ok(quote!(#owner.#method(..)))
}

/// The map, or the set, of an iterator's entries.
fn entries(writer: &mut Writer<'_>, of: Of<'_>, iterator: &Value, place: Place) -> Written {
    let Data::Map { entries, len } = &iterator.data else { return Err(unread(writer, of, iterator)) };
    let params: Vec<TypeId> = match &writer.shape(iterator.ty)?.kind {
        TypeKind::Struct { params, .. } => params.iter().take(2).copied().collect(),
        _ => return Err(writer.mismatch(of.shape)),
    };
    let is_set = of.shape.name.starts_with("alloc::collections::btree::set::");
    let (std, name, data, params) = if is_set {
        let items = entries.iter().map(|(key, _)| key.clone()).collect();
        (StdType::BTreeSet, SET, Data::Sequence { items, len: *len }, params.into_iter().take(1).collect())
    } else {
        (StdType::BTreeMap, MAP, iterator.data.clone(), params)
    };
    let params: Vec<TypeId> = params;
    let arguments: Vec<&str> = params.iter().map(|param| writer.types.name(*param)).collect();
    let name = format!("{name}<{}>", arguments.join(", "));
    let shape = TypeShape { name, size: None, kind: TypeKind::Std { std, params: params.clone() } };
    let collection = Value { data, ..iterator.clone() };
    writer.collection(std, &params, &collection, &shape, place)
}

fn unread(writer: &Writer<'_>, of: Of<'_>, iterator: &Value) -> Unwritable {
    match &iterator.data {
        Data::Missing(reason) => writer.refuse(format!("could not be read: {reason}")),
        _ => writer.mismatch(of.shape),
    }
}
