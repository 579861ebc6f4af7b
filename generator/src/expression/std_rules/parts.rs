//! Iterators over parts of a text or a slice, by the methods that make them from what they have not come to yet.

use quote::quote;
use relapse_snapshot::{Data, Value};

use super::super::seen_through::{field, number};
use super::super::writer::Writer;
use super::of::{Of, Rule, Written};

/// Structs within structs that std wraps such an iterator in, at most.
const DEEPEST: u32 = 8;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::str::iter::Lines" => |w, of| {
            let (rest, _) = rest(w, of)?;
            Ok(quote!(#rest.lines()))
        },
        "core::str::iter::SplitWhitespace" => |w, of| {
            let (rest, _) = rest(w, of)?;
            Ok(quote!(#rest.split_whitespace()))
        },
        "core::str::iter::Split" => split,
        "core::slice::iter::Chunks" => |w, of| {
            let size = of.count(w, of.number(w, "chunk_size")?, "usize")?;
            let items = items(w, of)?;
            Ok(quote!(#items.chunks(#size)))
        },
        "core::slice::iter::Windows" => |w, of| {
            let size = of.count(w, of.number(w, "size")?, "usize")?;
            let items = items(w, of)?;
            Ok(quote!(#items.windows(#size)))
        },
        _ => return None,
    })
}

/// The array that such an iterator borrows what is left of.
fn items(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let Data::Pointer { to: Some(left), .. } = &of.field(writer, "v")?.data else {
        return Err(writer.mismatch(of.shape));
    };
    let owner = writer.hoist(false, left.ty, of.place.typed, |w, place| w.owner_of_unsized(left, place))?;
    Ok(quote!(#owner))
}

/// By one character, or by a text. At its end nothing is left, which is no part of an empty text.
fn split(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let (rest, internal) = rest(writer, of)?;
    if is_finished(internal) {
        return Err(writer.refuse("parts of a text that have come to their end"));
    }
    // A predicate may have captured something of that name: the pattern's own stands beside the text that it is sought in.
    let searcher = field(internal, "matcher").and_then(|matcher| holder(matcher, "haystack", DEEPEST));
    let needle = searcher.and_then(|searcher| field(searcher, "needle"));
    match needle.map(|needle| &needle.data) {
        Some(Data::Char(_) | Data::Text { .. } | Data::Pointer { .. }) => {
            let needle = writer.part(".needle", needle.unwrap_or(of.value), of.place.within_call())?;
            Ok(quote!(#rest.split(#needle)))
        }
        _ => Err(writer.refuse("a text that is split by what has no literal")),
    }
}

/// Whether std's `SplitInternal` has given its last part.
fn is_finished(internal: &Value) -> bool {
    !matches!(field(internal, "finished").map(|value| &value.data), Some(Data::Bool(false)))
}

/// The text that such an iterator has left, and std's `SplitInternal { start, end, matcher, finished, .. }` within it.
fn rest<'v>(
    writer: &mut Writer<'_>,
    of: Of<'v>,
) -> Result<(proc_macro2::TokenStream, &'v Value), super::Unwritable> {
    let mismatch = |writer: &Writer<'_>| writer.mismatch(of.shape);
    let internal = holder(of.value, "matcher", DEEPEST).ok_or_else(|| mismatch(writer))?;
    let matcher = field(internal, "matcher").ok_or_else(|| mismatch(writer))?;
    let whole = found(matcher, "haystack", DEEPEST).and_then(text).ok_or_else(|| mismatch(writer))?;
    let Data::Text { text, len } = &whole.data else { return Err(mismatch(writer)) };
    writer.whole(text.len(), *len, "bytes")?;
    let at = |name: &str| field(internal, name).and_then(number).and_then(|at| usize::try_from(at).ok());
    let left = at("start").zip(at("end")).and_then(|(start, end)| text.get(start..end));
    let mut left = left.ok_or_else(|| mismatch(writer))?.to_owned();
    // The last part is given without a step forward.
    if is_finished(internal) {
        left.clear();
    }
    let len = left.len() as u64;
    let tokens = writer.text(&Value { data: Data::Text { text: left, len }, ..whole.clone() })?;
    Ok((tokens, internal))
}

/// The outermost struct that has such a field.
fn holder<'v>(value: &'v Value, name: &str, depth: u32) -> Option<&'v Value> {
    let Data::Struct(fields) = &value.data else { return None };
    if fields.iter().any(|field| field.name == name) {
        return Some(value);
    }
    let depth = depth.checked_sub(1)?;
    fields.iter().find_map(|field| holder(&field.value, name, depth))
}

fn found<'v>(value: &'v Value, name: &str, depth: u32) -> Option<&'v Value> {
    holder(value, name, depth).and_then(|holder| field(holder, name))
}

/// The text that a `&str` refers to.
fn text(value: &Value) -> Option<&Value> {
    match &value.data {
        Data::Text { .. } => Some(value),
        Data::Pointer { to: Some(to), .. } => text(to),
        _ => None,
    }
}
