//! Parts of a value by their names, and what is within its wrappers. Nothing is written here.

use relapse_snapshot::{Data, Field, Value};

/// A field of a struct or variant.
pub(super) fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match &value.data {
        Data::Struct(fields) | Data::Variant { fields, .. } => {
            fields.iter().find(|field| field.name == name).map(|field| &field.value)
        }
        _ => None,
    }
}

/// The one field that holds anything.
pub(super) fn only(fields: &[Field]) -> Option<&Value> {
    let mut filled = fields.iter().filter(|f| !matches!(&f.value.data, Data::Struct(f) if f.is_empty()));
    match (filled.next(), filled.next()) {
        (Some(only), None) => Some(&only.value),
        _ => None,
    }
}

/// The value within wrappers: structs of one field (fields of no size aside) and cells, at most eight deep.
/// std adds and drops such layers from one release to the next.
pub(super) fn core_of(value: &Value) -> &Value {
    let mut value = value;
    for _ in 0..8 {
        value = match &value.data {
            Data::Struct(fields) => match only(fields) {
                Some(only) => only,
                None => return value,
            },
            Data::Cell { inner, .. } => inner,
            _ => return value,
        };
    }
    value
}

/// The number within wrappers.
pub(super) fn number(value: &Value) -> Option<i128> {
    match core_of(value).data {
        Data::Int(number) => Some(number),
        Data::Uint(number) => i128::try_from(number).ok(),
        _ => None,
    }
}
