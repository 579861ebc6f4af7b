//! How much a `BufReader` takes at a time. A parser that is given its input in pieces has a state between them, and a
//! crash at such a place does not come back where all of the input is one piece: there the test keeps the `BufReader`.
//! In: the values of a call. Out: the buffered readers whose pieces show.

use std::collections::BTreeSet;

use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeTable, Value};

use super::seen_through::field;

/// What `BufReader::new` takes at a time.
pub(super) const USUAL: u64 = 8 * 1024;
/// Values that are looked into.
const MOST_VALUES: usize = 100_000;

/// The types of buffered readers among these values that do not have all that is left in one piece.
pub fn in_chunks<'v>(values: impl Iterator<Item = &'v Value>, types: &TypeTable) -> BTreeSet<TypeId> {
    let mut open: Vec<&Value> = values.collect();
    let (mut found, mut seen) = (BTreeSet::new(), 0);
    while let Some(value) = open.pop() {
        seen += 1;
        if seen > MOST_VALUES {
            break;
        }
        let kind = types.get(value.ty).map(|shape| &shape.kind);
        if matches!(kind, Some(TypeKind::Std { std: StdType::BufReader, .. })) && shows(value) {
            found.insert(value.ty);
        }
        open.extend(value.children());
    }
    found
}

/// The capacity of a buffered reader.
pub(super) fn capacity(reader: &Value) -> Option<u64> {
    number(reader, "capacity")
}

/// Whether a buffered reader has more left than it takes at a time.
pub(super) fn shows(reader: &Value) -> bool {
    capacity(reader).is_some_and(|capacity| capacity > 0 && left(reader) > capacity)
}

/// The bytes that are left, as far as they are std's to count.
fn left(reader: &Value) -> u64 {
    let buffer = field(reader, "buffer").map_or(0, bytes);
    let Some(inner) = field(reader, "inner") else { return buffer };
    let inner = match field(inner, "content") {
        Some(content) => {
            let read = number(inner, "position").zip(number(inner, "start"));
            bytes(content).saturating_sub(read.map_or(0, |(position, start)| position.saturating_sub(start)))
        }
        None => bytes(inner),
    };
    buffer.saturating_add(inner)
}

/// The length of what a reader over memory reads.
fn bytes(value: &Value) -> u64 {
    let mut at = value;
    for _ in 0..8 {
        match &at.data {
            Data::Bytes { len, .. } | Data::Text { len, .. } => return *len,
            Data::Pointer { to: Some(to), .. } => at = to,
            Data::Struct(_) => match field(at, "inner") {
                Some(inner) => at = inner,
                None => return 0,
            },
            _ => return 0,
        }
    }
    0
}

fn number(value: &Value, name: &str) -> Option<u64> {
    match field(value, name)?.data {
        Data::Uint(number) => u64::try_from(number).ok(),
        _ => None,
    }
}
