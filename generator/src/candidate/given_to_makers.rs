//! Readers and the like that were given to what made a value: a constructor takes any reader, and keeps what it has read. In:
//! the calls that a second run saw. Out: the types of std that stand for a generic parameter of such a call, with what it
//! asks for.

use std::collections::BTreeSet;

use relapse_snapshot::{Made, TypeId, TypeKind, TypeTable};
use syn::{FnArg, Type};

use crate::expression::Open;
use crate::index::NamesAt;

/// References to references that are looked through.
const MOST_REFERENCES: usize = 8;

/// The types that stand for generic parameters of these calls.
pub(super) fn given_to_makers(calls: &[Made], types: &TypeTable, names: &NamesAt<'_>) -> Vec<Open> {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for call in calls.iter().map(|made| &made.call) {
        let given: Vec<TypeId> = call.arguments.iter().map(|argument| argument.value.ty).collect();
        let is_of_std = |ty: &TypeId| types.name(referent(*ty, types)).starts_with("std::");
        let Some(place) = call.declared.as_ref().filter(|_| given.iter().any(is_of_std)) else { continue };
        if !seen.insert((place.file.as_str(), place.line, given.clone())) {
            continue;
        }
        let Some(function) = names.function_at(place) else { continue };
        // Else it is not known which of them is which.
        if given.len() != function.signature.inputs.len() {
            continue;
        }
        for (ty, input) in given.iter().zip(&function.signature.inputs).filter(|(ty, _)| is_of_std(ty)) {
            let FnArg::Typed(input) = input else { continue };
            let (mut ty, mut of) = (*ty, &*input.ty);
            for _ in 0..MOST_REFERENCES {
                let (Type::Reference(inner), Some(to)) = (of, target(ty, types)) else { break };
                (ty, of) = (to, &inner.elem);
            }
            if let Some(bounds) = function.bounds_of_type(of) {
                found.push(Open { ty, asks: names.asks_of_bounds(function.module, &bounds) });
            }
        }
    }
    found
}

fn target(ty: TypeId, types: &TypeTable) -> Option<TypeId> {
    match types.get(ty).map(|shape| &shape.kind) {
        Some(TypeKind::Reference { to, .. }) => Some(*to),
        _ => None,
    }
}

/// What a reference leads to, through further ones.
fn referent(mut ty: TypeId, types: &TypeTable) -> TypeId {
    for _ in 0..MOST_REFERENCES {
        match target(ty, types) {
            Some(to) => ty = to,
            None => break,
        }
    }
    ty
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Argument, Data, Frame, Location, Trust, TypeShape, Value};

    use super::*;
    use crate::index::tests::Fixture;

    #[test]
    fn what_was_given_is_known_where_all_of_it_was_seen() {
        let lib = "pub fn copy<R: std::io::Read, W: std::io::Write>(from: R, to: W) {}\n";
        let fixture = Fixture::library(lib, &[]);
        let names = NamesAt::new(&fixture.index, fixture.module(""));
        let mut types = TypeTable::default();
        let ty = types.intern(TypeShape {
            name: "std::io::util::Sink".to_owned(),
            size: Some(0),
            kind: TypeKind::Struct { fields: Vec::new(), tuple: false, params: Vec::new() },
        });
        let given = |count: usize| {
            let value = Value { ty, trust: Trust::Entry, data: Data::Struct(Vec::new()) };
            let arguments = vec![Argument { name: "of".to_owned(), value }; count];
            let declared = Some(Location { file: "src/lib.rs".to_owned(), line: 1, column: 0 });
            let call = Frame { declared, arguments, ..Frame::default() };
            given_to_makers(&[Made { call, within: None }], &types, &names).len()
        };
        assert_eq!(given(2), 2);
        assert_eq!(given(1), 0, "the sink is no reader");
    }
}
