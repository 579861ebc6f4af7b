//! Items that an iterator has given already, where what is left of it counts them. Nothing is written here.

use relapse_snapshot::{Data, StdType, Trust, TypeKind, TypeShape, TypeTable, Value};

use super::super::seen_through::{field, number};
use super::super::type_name::definition;

/// Most items that are put in front of those that are left.
const MOST: usize = 64;

/// Adapters within adapters that are looked through.
const DEEPEST: u32 = 8;

/// An iterator with so many items more in front, to be taken again, and how many these are: the first that is left stands
/// for those that are gone. One that has none left needs none.
pub(super) fn with_taken(
    types: &TypeTable,
    iterator: &Value,
    count: usize,
) -> Result<(Value, usize), String> {
    if count == 0 || is_ended(iterator, DEEPEST) {
        return Ok((iterator.clone(), 0));
    }
    if count > MOST {
        return Err(format!("more than {MOST} items"));
    }
    let mut longer = iterator.clone();
    lengthen(types, &mut longer, count, false, DEEPEST).ok_or("what it has given is not at hand")?;
    Ok((longer, count))
}

fn is_ended(iterator: &Value, depth: u32) -> bool {
    match &iterator.data {
        Data::Sequence { len, .. } | Data::Bytes { len, .. } => *len == 0,
        Data::Struct(fields) => match (fields.first(), depth.checked_sub(1)) {
            (Some(first), Some(depth)) if fields.len() == 1 => is_ended(&first.value, depth),
            _ => false,
        },
        _ => false,
    }
}

/// `characters`: the bytes within are those of a text whose items are characters, not bytes.
fn lengthen(
    types: &TypeTable,
    iterator: &mut Value,
    count: usize,
    characters: bool,
    depth: u32,
) -> Option<()> {
    let path = types.get(iterator.ty).and_then(|shape| definition(&shape.name)).unwrap_or_default();
    match &mut iterator.data {
        Data::Sequence { items, len } => {
            let first = items.first()?.clone();
            items.splice(..0, std::iter::repeat_n(first, count));
            *len += count as u64;
        }
        Data::Bytes { bytes, len } => {
            let width =
                if characters { std::str::from_utf8(bytes).ok()?.chars().next()?.len_utf8() } else { 1 };
            let first = bytes.get(..width)?.repeat(count);
            *len += first.len() as u64;
            bytes.splice(..0, first);
        }
        Data::Struct(fields) => match path.as_str() {
            "core::ops::range::Range"
            | "core::ops::range::RangeInclusive"
            | "core::ops::range::RangeFrom" => {
                let start = fields.iter_mut().find(|field| field.name == "start")?;
                match &mut start.value.data {
                    Data::Uint(number) => *number = number.checked_sub(count as u128)?,
                    Data::Int(number) => *number = number.checked_sub(count as i128)?,
                    _ => return None,
                }
            }
            path => {
                let inner = match path {
                    "core::str::iter::Chars" | "core::iter::adapters::rev::Rev" => "iter",
                    "core::str::iter::Bytes" => "0",
                    "core::iter::adapters::copied::Copied" | "core::iter::adapters::cloned::Cloned" => "it",
                    "core::str::iter::Lines" => return lengthen_lines(iterator, count),
                    _ => return None,
                };
                if path.ends_with("Rev") {
                    return None;
                }
                let characters = path == "core::str::iter::Chars";
                let inner = fields.iter_mut().find(|field| field.name == inner)?;
                return lengthen(types, &mut inner.value, count, characters, depth.checked_sub(1)?);
            }
        },
        _ => return None,
    }
    Some(())
}

/// Empty lines.
fn lengthen_lines(iterator: &mut Value, count: usize) -> Option<()> {
    let line =
        Value { ty: iterator.ty, trust: Trust::AtCrash, data: Data::Text { text: "\n".to_owned(), len: 1 } };
    for _ in 0..count {
        *iterator = super::parts::with_front(iterator, &line)?;
    }
    Some(())
}

/// An iterator of that generic argument's type which has nothing left: for those that std drops at their end.
pub(super) fn ended(types: &TypeTable, shape: &TypeShape, param: usize) -> Option<Value> {
    let TypeKind::Struct { params, .. } = &shape.kind else { return None };
    let ty = *params.get(param)?;
    match types.get(ty)?.kind {
        TypeKind::Std { std: StdType::SliceIter | StdType::VecIntoIter, .. } => {
            Some(Value { ty, trust: Trust::AtCrash, data: Data::Sequence { items: Vec::new(), len: 0 } })
        }
        _ => None,
    }
}

/// Whether std's iterator by steps keeps the number of items that are left in place of a range's end: of ranges of
/// unsigned numbers of up to 64 bits.
pub(super) fn is_counted(types: &TypeTable, range: &Value) -> bool {
    let of =
        types.name(range.ty).strip_prefix("core::ops::range::Range<").and_then(|of| of.strip_suffix('>'));
    of.is_some_and(|of| ["u8", "u16", "u32", "u64", "usize"].contains(&of))
}

/// The range that such an iterator was made of, from the item that comes next.
pub(super) fn stepped_range(range: &Value, step: i128) -> Option<Value> {
    let read = |name: &str| field(range, name).and_then(number);
    let (start, left) = (read("start")?, read("end")?);
    let end =
        if left == 0 { start } else { start.checked_add((left - 1).checked_mul(step)?)?.checked_add(1)? };
    let mut range = range.clone();
    let Data::Struct(fields) = &mut range.data else { return None };
    let own = fields.iter_mut().find(|field| field.name == "end")?;
    own.value.data = Data::Uint(u128::try_from(end).ok()?);
    Some(range)
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Field, TypeId};

    use super::*;

    fn within(types: &mut TypeTable, name: &str, field: &str, inner: Value) -> Value {
        let kind = TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() };
        let ty = types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        let fields = vec![Field { name: field.to_owned(), value: inner }];
        Value { ty, trust: Trust::AtCrash, data: Data::Struct(fields) }
    }

    fn bytes(text: &str) -> Value {
        let data = Data::Bytes { bytes: text.as_bytes().to_vec(), len: text.len() as u64 };
        Value { ty: TypeId(u32::MAX), trust: Trust::AtCrash, data }
    }

    fn lengthened(types: &TypeTable, iterator: &Value) -> Vec<u8> {
        let mut inner = with_taken(types, iterator, 2).unwrap().0;
        while let Data::Struct(mut fields) = inner.data {
            inner = fields.remove(0).value;
        }
        let Data::Bytes { bytes, len } = inner.data else { panic!("other data") };
        assert_eq!(bytes.len() as u64, len);
        bytes
    }

    #[test]
    fn a_taken_item_is_a_byte_unless_it_is_of_characters() {
        let mut types = TypeTable::default();
        let chars = within(&mut types, "core::str::iter::Chars", "iter", bytes("éa"));
        assert_eq!(lengthened(&types, &chars), "éééa".as_bytes());
        let copied = "core::iter::adapters::copied::Copied<core::slice::iter::Iter<u8>>";
        let copied = within(&mut types, copied, "it", bytes("éa"));
        assert_eq!(lengthened(&types, &copied), b"\xc3\xc3\xc3\xa9a");
        let of_text = within(&mut types, "core::str::iter::Bytes", "0", copied);
        assert_eq!(lengthened(&types, &of_text), b"\xc3\xc3\xc3\xa9a");
        assert_eq!(lengthened(&types, &bytes("éa")), b"\xc3\xc3\xc3\xa9a");
    }
}
