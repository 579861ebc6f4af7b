//! Where a value lies within another one. In: what a call gave, and the value that is wanted. Out: the steps from the one to
//! the other that a pattern can take. Never a guess: of several that could be it, it is the one that holds the same.

use relapse_snapshot::{Data, Field, StdType, Trust, TypeId, TypeKind, TypeTable, Value};

use super::type_name::definition;
use crate::names::{Taken, Wanted};

/// Steps from a value to a part of it.
const DEEPEST: usize = 8;
/// Parts that are looked at.
const MOST_PARTS: usize = 4096;

/// The part of what a call gave that a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartOf {
    /// The way to it.
    pub(crate) steps: Vec<Taken>,
    /// It holds what the value holds; else it is the only one of that type.
    pub(crate) alike: bool,
}

/// Which part of a value another one is, if any.
pub(crate) fn part_of(given: &Value, wanted: &Wanted<'_>) -> Option<PartOf> {
    let mut found: Vec<(Vec<Taken>, &Value)> = Vec::new();
    let (mut open, mut seen) = (vec![(Vec::new(), given.root())], 0_usize);
    while let Some((steps, value)) = open.pop() {
        seen += 1;
        if seen > MOST_PARTS {
            return None;
        }
        if value.ty == wanted.value.ty {
            found.push((steps, value));
            continue;
        }
        if steps.len() >= DEEPEST {
            continue;
        }
        for (step, part) in parts(value, wanted.types) {
            let mut steps = steps.clone();
            steps.push(step);
            open.push((steps, part));
        }
    }
    // The first one lies at the top of the stack last.
    found.reverse();
    let bare = without_trust(wanted.value);
    let alike = found.iter().position(|(_, value)| without_trust(value) == bare);
    let at = alike.or((found.len() == 1).then_some(0))?;
    Some(PartOf { steps: found.swap_remove(at).0, alike: alike.is_some() })
}

/// Whether a value of a type is part of another value, behind whatever pointers.
pub(crate) fn holds(value: &Value, ty: TypeId) -> bool {
    let (mut open, mut seen) = (vec![value], 0_usize);
    while let Some(value) = open.pop().filter(|_| seen < MOST_PARTS) {
        if value.ty == ty {
            return true;
        }
        seen += 1;
        open.extend(value.children());
    }
    false
}

/// The parts that a value can be taken apart into.
fn parts<'v>(value: &'v Value, types: &TypeTable) -> Vec<(Taken, &'v Value)> {
    let Some(shape) = types.get(value.ty) else { return Vec::new() };
    let of_fields = |variant: Option<&str>, refutable: bool, tuple: bool, fields: &'v [Field]| {
        let Some(definition) = definition(&shape.name) else { return Vec::new() };
        let step = |field: &'v Field| {
            let step = Taken::Field {
                definition: definition.clone(),
                variant: variant.map(str::to_owned),
                refutable,
                field: field.name.clone(),
                tuple: tuple.then_some(fields.len()),
            };
            (step, &field.value)
        };
        fields.iter().map(step).collect()
    };
    match (&shape.kind, &value.data) {
        (TypeKind::Struct { tuple, .. }, Data::Struct(fields)) => of_fields(None, false, *tuple, fields),
        (TypeKind::Enum { variants, .. }, Data::Variant { name, fields }) => {
            let Some(variant) = variants.iter().find(|variant| variant.name == *name) else {
                return Vec::new();
            };
            of_fields(Some(name), variants.len() > 1, variant.tuple, fields)
        }
        (TypeKind::Tuple(_), Data::Tuple(items)) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (Taken::Element { at, of: items.len() }, item))
            .collect(),
        (TypeKind::Std { std: StdType::Vec | StdType::VecDeque, .. }, Data::Sequence { items, .. }) => {
            items.iter().enumerate().map(|(at, item)| (Taken::Item(at), item)).collect()
        }
        (TypeKind::Std { std: StdType::Box, .. }, Data::Pointer { to: Some(to), .. }) => {
            vec![(Taken::Boxed, &**to)]
        }
        _ => Vec::new(),
    }
}

/// What a value holds, however far that can be trusted.
fn without_trust(value: &Value) -> Value {
    let mut bare = value.clone();
    let mut open = vec![&mut bare];
    while let Some(value) = open.pop() {
        value.trust = Trust::Entry;
        open.extend(value.children_mut());
    }
    bare
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{FieldShape, TypeShape, VariantShape};

    use super::*;

    struct Types {
        table: TypeTable,
        body: TypeId,
        message: TypeId,
        pair: TypeId,
        list: TypeId,
    }

    fn types() -> Types {
        let mut table = TypeTable::default();
        let mut add =
            |name: &str, kind| table.intern(TypeShape { name: name.to_owned(), size: Some(8), kind });
        let byte = add("u8", TypeKind::Integer { signed: false, bits: 8 });
        let fields = vec![FieldShape { name: "len".to_owned(), ty: byte }];
        let body = add("demo::Body", TypeKind::Struct { fields, tuple: false, params: Vec::new() });
        let variant = |name: &str, tuple| VariantShape {
            name: name.to_owned(),
            fields: vec![FieldShape { name: "0".to_owned(), ty: body }],
            tuple,
        };
        let variants = vec![variant("Row", true), variant("End", true)];
        let message = add("demo::Message", TypeKind::Enum { variants, params: Vec::new() });
        let pair = add("(demo::Message, u8)", TypeKind::Tuple(vec![message, byte]));
        let list =
            add("alloc::vec::Vec<demo::Body>", TypeKind::Std { std: StdType::Vec, params: vec![body] });
        Types { table, body, message, pair, list }
    }

    fn body(types: &Types, len: u128, trust: Trust) -> Value {
        let len = Value { ty: TypeId(0), trust, data: Data::Uint(len) };
        let fields = vec![Field { name: "len".to_owned(), value: len }];
        Value { ty: types.body, trust, data: Data::Struct(fields) }
    }

    #[test]
    fn a_part_is_found_by_the_variant_that_was_given() {
        let types = types();
        let fields = vec![Field { name: "0".to_owned(), value: body(&types, 3, Trust::Entry) }];
        let message = Data::Variant { name: "End".to_owned(), fields };
        let message = Value { ty: types.message, trust: Trust::Entry, data: message };
        let pair = Value { ty: types.pair, trust: Trust::Entry, data: Data::Tuple(vec![message]) };
        let value = body(&types, 3, Trust::AtCrash);
        let found = part_of(&pair, &Wanted { value: &value, types: &types.table }).unwrap();
        let variant = Taken::Field {
            definition: "demo::Message".to_owned(),
            variant: Some("End".to_owned()),
            refutable: true,
            field: "0".to_owned(),
            tuple: Some(1),
        };
        assert_eq!(found, PartOf { steps: vec![Taken::Element { at: 0, of: 1 }, variant], alike: true });
    }

    #[test]
    fn of_several_it_is_the_one_that_holds_the_same_or_none() {
        let types = types();
        let items = vec![body(&types, 1, Trust::Entry), body(&types, 2, Trust::Entry)];
        let data = Data::Sequence { items, len: 2 };
        let list = Value { ty: types.list, trust: Trust::Entry, data };
        let told = |len| {
            let value = body(&types, len, Trust::AtCrash);
            part_of(&list, &Wanted { value: &value, types: &types.table })
        };
        assert_eq!(told(2), Some(PartOf { steps: vec![Taken::Item(1)], alike: true }));
        assert_eq!(told(9), None);
    }
}
