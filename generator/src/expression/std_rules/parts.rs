//! Iterators over parts of a text or a slice, by the methods that make them from what they have not come to yet.

use quote::quote;
use relapse_snapshot::{Data, TypeTable, Value};

use super::super::lints::Lint;
use super::super::seen_through::{field, number};
use super::super::writer::Writer;
use super::iterators::begun;
use super::of::{Of, Rule, Written};

/// Structs within structs that std wraps such an iterator in, at most.
const DEEPEST: u32 = 8;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        "core::str::iter::Lines" => |w, of| {
            only_from_start(w, of)?;
            let (rest, _) = rest(w, of)?;
            Ok(quote!(#rest.lines()))
        },
        "core::str::iter::SplitWhitespace" => |w, of| {
            let (rest, _) = rest(w, of)?;
            Ok(quote!(#rest.split_whitespace()))
        },
        "core::str::iter::Split" => |w, of| split(w, of, "split"),
        "core::str::iter::RSplit" => |w, of| split(w, of, "rsplit"),
        "core::str::iter::SplitInclusive" => |w, of| {
            only_from_start(w, of)?;
            split(w, of, "split_inclusive")
        },
        "core::str::iter::SplitTerminator" => |w, of| terminator(w, of, "split_terminator", "next_back"),
        "core::str::iter::RSplitTerminator" => |w, of| terminator(w, of, "rsplit_terminator", "next"),
        "core::str::iter::SplitN" => |w, of| split_limited(w, of, "splitn"),
        "core::str::iter::RSplitN" => |w, of| split_limited(w, of, "rsplitn"),
        "core::str::iter::SplitAsciiWhitespace" => split_ascii_whitespace,
        "core::str::iter::Matches" => |w, of| matches(w, of, "matches"),
        "core::str::iter::MatchIndices" => |w, of| matches(w, of, "match_indices"),
        "core::slice::iter::ChunksExact" => |w, of| {
            let size = of.count(w, of.number(w, "chunk_size")?, "usize")?;
            let items = items(w, of)?;
            Ok(quote!(#items.chunks_exact(#size)))
        },
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

/// By one character, or by a text. At its end nothing is left, which is no part of an empty text: there it has given
/// the one that an empty text has.
fn split(writer: &mut Writer<'_>, of: Of<'_>, method: &str) -> Written {
    let (rest, internal) = rest(writer, of)?;
    let (needle, method) = (needle(writer, of, internal)?, ident(method));
    let taken = usize::from(is_finished(internal));
    Ok(begun(writer, "parts", &quote!(#rest.#method(#needle)), taken))
}

/// Refuses an iterator that has given its last part: std gives an empty one after that which no fresh one gives.
fn only_from_start(writer: &Writer<'_>, of: Of<'_>) -> Result<(), super::Unwritable> {
    let internal = holder(of.value, "matcher", DEEPEST).ok_or_else(|| writer.mismatch(of.shape))?;
    if gives_empty(internal) {
        return Err(writer.refuse("parts of a text of which the last was taken"));
    }
    Ok(())
}

/// By a mark behind each part. `last`: the method that takes the last part.
fn terminator(writer: &mut Writer<'_>, of: Of<'_>, method: &str, last: &str) -> Written {
    let (left, whole, internal) = left(writer, of)?;
    let again = terminated(internal, &left).map_err(|reason| writer.refuse(reason))?;
    let Some(text) = again else { return split(writer, of, method) };
    let needle = needle(writer, of, internal)?;
    let len = text.len() as u64;
    let text = writer.text(&Value { data: Data::Text { text, len }, ..whole.clone() })?;
    let (variable, method, last) = (writer.scope.variable("parts"), ident(method), ident(last));
    Ok(quote!({ let mut #variable = #text.#method(#needle); #variable.#last(); #variable }))
}

/// Whether the next part may be an empty one at the end. An iterator that drops such a part looks for it only once, when
/// its last part is asked for.
fn gives_empty(internal: &Value) -> bool {
    let allowed = field(internal, "allow_trailing_empty").map(|allowed| &allowed.data);
    !is_finished(internal) && matches!(allowed, Some(Data::Bool(true)))
}

/// Where the last part was taken, a text that has the same parts left once its last part is taken: an empty one between
/// two marks. `None`: none was taken from the end.
fn terminated(internal: &Value, left: &str) -> Result<Option<String>, &'static str> {
    if !gives_empty(internal) {
        return Ok(None);
    }
    let searcher = field(internal, "matcher").and_then(|matcher| holder(matcher, "haystack", DEEPEST));
    let mark = searcher.and_then(mark).filter(|mark| !mark.is_empty());
    let mark = mark.ok_or("parts of a text of which the last was taken, by what is no one text")?;
    Ok(Some(format!("{left}{mark}{mark}")))
}

/// The text that stands between parts, where it is always the same.
fn mark(searcher: &Value) -> Option<String> {
    match &field(searcher, "needle")?.data {
        Data::Char(c) => Some(c.to_string()),
        Data::Pointer { to: Some(to), .. } => match &to.data {
            Data::Text { text, len } if text.len() as u64 == *len => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Of at most so many parts more.
fn split_limited(writer: &mut Writer<'_>, of: Of<'_>, method: &str) -> Written {
    let count =
        holder(of.value, "count", DEEPEST).and_then(|limited| field(limited, "count")).and_then(number);
    let count = count.ok_or_else(|| writer.mismatch(of.shape))?;
    writer.lints.allow(Lint::SuspiciousSplitn, count < 2);
    let count = of.count(writer, count, "usize")?;
    let (rest, internal) = rest(writer, of)?;
    let (needle, method) = (needle(writer, of, internal)?, ident(method));
    let taken = usize::from(is_finished(internal));
    Ok(begun(writer, "parts", &quote!(#rest.#method(#count, #needle)), taken))
}

fn ident(name: &str) -> proc_macro2::Ident {
    proc_macro2::Ident::new(name, proc_macro2::Span::call_site())
}

/// A predicate may have captured something of that name: the pattern's own stands beside the text that it is sought in,
/// or is what several characters are compared with.
fn needle(writer: &mut Writer<'_>, of: Of<'_>, within: &Value) -> Written {
    let within = field(within, "matcher").unwrap_or(within);
    let searcher = holder(within, "haystack", DEEPEST);
    let needle =
        searcher.and_then(|searcher| field(searcher, "needle").or_else(|| field(searcher, "char_eq")));
    match needle {
        Some(needle) => writer.part(".needle", needle, of.place.within_call()),
        None => Err(writer.refuse("a text that is split by what has no literal")),
    }
}

/// `Matches(MatchesInternal(searcher))`: of a character from one place to another, of a text from one on.
fn matches(writer: &mut Writer<'_>, of: Of<'_>, method: &str) -> Written {
    let mismatch = |writer: &Writer<'_>| writer.mismatch(of.shape);
    let searcher = holder(of.value, "haystack", DEEPEST).ok_or_else(|| mismatch(writer))?;
    let whole = field(searcher, "haystack").and_then(text).ok_or_else(|| mismatch(writer))?;
    let Data::Text { text, len } = &whole.data else { return Err(mismatch(writer)) };
    writer.whole(text.len(), *len, "bytes")?;
    // A text's searcher is one of two, by whether it is empty.
    let inner = match field(searcher, "searcher").map(|inner| &inner.data) {
        Some(Data::Variant { fields, .. }) => fields.first().map(|field| &field.value),
        _ => None,
    };
    let inner = inner.unwrap_or(searcher);
    let at = |name: &str| {
        let place = found(inner, name, DEEPEST).and_then(number);
        place.and_then(|at| usize::try_from(at).ok())
    };
    let start = at("finger")
        .or_else(|| at("position"))
        .ok_or_else(|| writer.refuse("matches of what has no literal"))?;
    let end = at("finger_back").or_else(|| at("end")).unwrap_or(text.len());
    if method == "match_indices" && start > 0 {
        return Err(writer.refuse("matches with their places, of which some are taken"));
    }
    let left = text.get(start..end).ok_or_else(|| mismatch(writer))?.to_owned();
    let needle = needle(writer, of, searcher)?;
    let (len, method) = (left.len() as u64, ident(method));
    let left = writer.text(&Value { data: Data::Text { text: left, len }, ..whole.clone() })?;
    Ok(quote!(#left.#method(#needle)))
}

/// `Map<Filter<slice::Split<u8, _>, _>, _>`, whose slice is what is left.
fn split_ascii_whitespace(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let split = holder(of.value, "finished", DEEPEST).ok_or_else(|| writer.mismatch(of.shape))?;
    let Some(Data::Pointer { to: Some(left), .. }) = field(split, "v").map(|left| &left.data) else {
        return Err(writer.mismatch(of.shape));
    };
    let Data::Bytes { bytes, len } = &left.data else { return Err(writer.mismatch(of.shape)) };
    writer.whole(bytes.len(), *len, "bytes")?;
    let finished = !matches!(field(split, "finished").map(|value| &value.data), Some(Data::Bool(false)));
    let bytes = if finished { Vec::new() } else { bytes.clone() };
    let text = String::from_utf8(bytes).map_err(|_| writer.mismatch(of.shape))?;
    let len = text.len() as u64;
    let text = writer.text(&Value { data: Data::Text { text, len }, ..(**left).clone() })?;
    Ok(quote!(#text.split_ascii_whitespace()))
}

/// Whether an iterator is one over lines or parts of a text.
pub(super) fn is_of_text(types: &TypeTable, iterator: &Value) -> bool {
    let name = types.name(iterator.ty);
    ["Lines", "Split<", "SplitWhitespace"]
        .iter()
        .any(|own| name.strip_prefix("core::str::iter::").is_some_and(|name| name.starts_with(own)))
}

/// An iterator over parts of a text that has one more before those that are left.
pub(super) fn with_front(iterator: &Value, part: &Value) -> Option<Value> {
    let Data::Text { text: part, .. } = &text(part)?.data else { return None };
    let internal = holder(iterator, "matcher", DEEPEST)?;
    let searcher = holder(field(internal, "matcher")?, "haystack", DEEPEST)?;
    let Data::Text { text: whole, .. } = &text(field(searcher, "haystack")?)?.data else { return None };
    let at = |name: &str| field(internal, name).and_then(number).and_then(|at| usize::try_from(at).ok());
    let left = if is_finished(internal) { None } else { Some(whole.get(at("start")?..at("end")?)?) };
    let between = match field(searcher, "needle").map(|needle| &needle.data) {
        Some(Data::Char(c)) => c.to_string(),
        Some(Data::Pointer { to: Some(to), .. }) => match &to.data {
            Data::Text { text, .. } => text.clone(),
            _ => return None,
        },
        // Lines end with their own mark; words have blanks between them.
        _ => " ".to_owned(),
    };
    let longer = match left {
        // The mark of a line belongs to it, whether it was given with it or not.
        Some(left) if part.ends_with(&between) => format!("{part}{left}"),
        Some(left) => format!("{part}{between}{left}"),
        None => part.clone(),
    };
    let mut iterator = iterator.clone();
    let end = longer.len() as u128;
    set(&mut iterator, "haystack", &mut |value| {
        let data = Data::Text { len: longer.len() as u64, text: longer.clone() };
        match &mut value.data {
            Data::Pointer { to: Some(to), .. } => to.data = data,
            own => *own = data,
        }
    });
    for (name, data) in [("start", Data::Uint(0)), ("end", Data::Uint(end)), ("finished", Data::Bool(false))]
    {
        set(&mut iterator, name, &mut |value| value.data = data.clone());
    }
    Some(iterator)
}

/// Changes the first field of a name, outermost first.
fn set(value: &mut Value, name: &str, change: &mut dyn FnMut(&mut Value)) {
    let mut open = std::collections::VecDeque::from([value]);
    while let Some(value) = open.pop_front() {
        let Data::Struct(fields) = &mut value.data else { continue };
        if let Some(at) = fields.iter().position(|field| field.name == name) {
            change(&mut fields[at].value);
            return;
        }
        open.extend(fields.iter_mut().map(|field| &mut field.value));
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
    let (text, whole, internal) = left(writer, of)?;
    let len = text.len() as u64;
    let tokens = writer.text(&Value { data: Data::Text { text, len }, ..whole.clone() })?;
    Ok((tokens, internal))
}

/// The same text as it is, the whole that it is part of, and the `SplitInternal`.
fn left<'v>(writer: &Writer<'_>, of: Of<'v>) -> Result<(String, &'v Value, &'v Value), super::Unwritable> {
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
    Ok((left, whole, internal))
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

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Field, Trust, TypeId};

    use super::*;

    fn value(data: Data) -> Value {
        Value { ty: TypeId(u32::MAX), trust: Trust::AtCrash, data }
    }

    fn fields<const N: usize>(fields: [(&str, Data); N]) -> Data {
        let field = |(name, data): (&str, Data)| Field { name: name.to_owned(), value: value(data) };
        Data::Struct(fields.into_iter().map(field).collect())
    }

    fn internal(needle: Data, allowed: bool) -> Value {
        let matcher = fields([("haystack", Data::Bool(true)), ("needle", needle)]);
        let flags = [("matcher", matcher), ("allow_trailing_empty", Data::Bool(allowed))];
        let [matcher, allowed] = flags;
        value(fields([matcher, allowed, ("finished", Data::Bool(false))]))
    }

    #[test]
    fn parts_whose_last_was_taken_have_the_empty_ones_before_it() {
        let mut begun = "x;;;".rsplit_terminator(';');
        assert_eq!(begun.next(), Some(""));
        // What is left of it then.
        let text = terminated(&internal(Data::Char(';'), true), "x;").unwrap().unwrap();
        let mut again = text.rsplit_terminator(';');
        again.next();
        assert_eq!(again.collect::<Vec<_>>(), begun.collect::<Vec<_>>());

        let mut begun = "x;;;".split_terminator(';');
        begun.next_back();
        let mut again = text.split_terminator(';');
        again.next_back();
        assert_eq!(again.collect::<Vec<_>>(), begun.collect::<Vec<_>>());

        assert_eq!(terminated(&internal(Data::Char(';'), false), "x;"), Ok(None));
        assert!(terminated(&internal(Data::Struct(Vec::new()), true), "x;").is_err());
    }
}
