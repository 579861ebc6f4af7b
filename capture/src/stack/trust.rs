//! What may have changed between a call and the crash, as far as types tell.
//!
//! A parameter that is passed by value and owns memory may have been moved out of, or dropped, and its memory
//! used again; what a `&mut` refers to may have been written, and what a cell holds through any reference. All of
//! these are marked suspect. Everything else is taken as it stands: debug info does not tell `mut` parameters, which the
//! generator knows by their source.

use std::collections::HashSet;

use relapse_snapshot::{Data, StdType, Trust, TypeId, TypeKind, TypeTable, Value};

use crate::values::frees;

/// Levels of a type that are looked into for what it owns.
const DEEPEST: u32 = 32;

/// Marks the root of a by-value argument that owns memory, what mutable references in it refer to, and what its
/// cells hold (an atomic is one inside).
pub(super) fn mark(argument: &mut Value, types: &TypeTable) {
    if is_owner(types, argument.ty) {
        suspect(argument);
    }
    let mut open = vec![argument];
    while let Some(value) = open.pop() {
        if matches!(value.data, Data::Graph { .. }) {
            open.extend(value.children_mut());
            continue;
        }
        match types.get(value.ty).map(|shape| &shape.kind) {
            Some(TypeKind::Reference { mutable: true, .. }) => {
                for referent in value.children_mut() {
                    suspect(referent);
                }
            }
            Some(TypeKind::Std { std, .. }) if is_cell(*std) => {
                for held in value.children_mut() {
                    suspect(held);
                }
            }
            _ => open.extend(value.children_mut()),
        }
    }
}

/// Marks a value that was read as its function was entered: what was read is what was given.
pub(super) fn given(argument: &mut Value) {
    let mut open = vec![argument];
    while let Some(value) = open.pop() {
        if value.trust == Trust::AtCrash {
            value.trust = Trust::Entry;
        }
        open.extend(value.children_mut());
    }
}

/// Whether dropping a value of the type frees something.
pub(super) fn is_owner(types: &TypeTable, ty: TypeId) -> bool {
    owns(types, ty, DEEPEST, &mut HashSet::new())
}

fn suspect(value: &mut Value) {
    value.trust = value.trust.max(Trust::Suspect);
}

fn is_cell(std: StdType) -> bool {
    matches!(std, StdType::Cell | StdType::RefCell | StdType::UnsafeCell | StdType::Mutex | StdType::RwLock)
}

/// Whether dropping a value of the type frees something. Own containers show by the pointers that they keep:
/// `NonNull` or `*mut` (an iterator over a slice has them too, and is used up by being passed), or are known by their
/// names. What a union keeps is not told: it counts as an owner.
fn owns(types: &TypeTable, id: TypeId, depth: u32, seen: &mut HashSet<TypeId>) -> bool {
    if depth == 0 || !seen.insert(id) {
        return false;
    }
    let shape = types.get(id);
    let name = shape.map(|shape| shape.name.as_str()).unwrap_or_default();
    let mut inside = |ids: Vec<TypeId>| ids.into_iter().any(|id| owns(types, id, depth - 1, seen));
    match shape.map(|shape| &shape.kind) {
        Some(TypeKind::Struct { .. }) if frees(name) => true,
        Some(TypeKind::Union) => maybe_uninit(types, name).is_none_or(|held| inside(vec![held])),
        Some(TypeKind::Std { std, params }) => match std {
            std if is_cell(*std) => inside(params.clone()),
            StdType::Path | StdType::OsStr | StdType::Duration | StdType::NonZero => false,
            _ => true,
        },
        Some(TypeKind::RawPointer { mutable, .. }) => *mutable,
        Some(TypeKind::Tuple(items)) => inside(items.clone()),
        Some(TypeKind::Array { of, .. }) => inside(vec![*of]),
        Some(TypeKind::Struct { fields, .. } | TypeKind::Closure { captures: fields, .. }) => {
            inside(fields.iter().map(|field| field.ty).collect())
        }
        Some(TypeKind::Enum { variants, .. }) => {
            inside(variants.iter().flat_map(|variant| &variant.fields).map(|field| field.ty).collect())
        }
        _ => false,
    }
}

/// What a `MaybeUninit` holds.
fn maybe_uninit(types: &TypeTable, name: &str) -> Option<TypeId> {
    let held = name.strip_prefix("core::mem::maybe_uninit::MaybeUninit<")?.strip_suffix('>')?;
    types.find(held)
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Field, FieldShape, TypeShape};

    use super::*;

    fn intern(types: &mut TypeTable, name: &str, kind: TypeKind) -> TypeId {
        types.intern(TypeShape { name: name.into(), size: None, kind })
    }

    fn text(ty: TypeId) -> Value {
        Value { ty, trust: Trust::AtCrash, data: Data::Text { text: "a".into(), len: 1 } }
    }

    fn pointer(ty: TypeId, to: Value) -> Value {
        Value { ty, trust: Trust::AtCrash, data: Data::Pointer { address: 8, to: Some(Box::new(to)) } }
    }

    #[test]
    fn an_owning_argument_by_value_is_suspect_and_a_shared_one_is_not() {
        let mut types = TypeTable::default();
        let string = intern(&mut types, "String", TypeKind::Std { std: StdType::String, params: Vec::new() });
        let shared = intern(&mut types, "&String", TypeKind::Reference { to: string, mutable: false });
        let fields = vec![FieldShape { name: "s".into(), ty: string }];
        let kind = TypeKind::Struct { fields, tuple: false, params: Vec::new() };
        let holder = intern(&mut types, "Holder", kind);

        let mut owned = text(string);
        mark(&mut owned, &types);
        assert_eq!(owned.trust, Trust::Suspect);

        let mut held = Value {
            ty: holder,
            trust: Trust::AtCrash,
            data: Data::Struct(vec![Field { name: "s".into(), value: text(string) }]),
        };
        mark(&mut held, &types);
        assert_eq!(held.trust, Trust::Suspect);

        let mut borrowed = pointer(shared, text(string));
        mark(&mut borrowed, &types);
        assert_eq!(borrowed.worst_trust(), Trust::AtCrash);
    }

    /// `arrayvec`, `core::array::IntoIter`: what may not be there owns what it would own if it were.
    #[test]
    fn elements_that_may_be_uninitialised_own_what_they_own_otherwise() {
        let mut types = TypeTable::default();
        intern(&mut types, "String", TypeKind::Std { std: StdType::String, params: Vec::new() });
        intern(&mut types, "u8", TypeKind::Integer { signed: false, bits: 8 });
        let mut holder = |held: &str| {
            let name = format!("core::mem::maybe_uninit::MaybeUninit<{held}>");
            let of = intern(&mut types, &name, TypeKind::Union);
            let array = intern(&mut types, &format!("[{name}; 4]"), TypeKind::Array { of, len: 4 });
            let fields = vec![FieldShape { name: "xs".into(), ty: array }];
            let name = format!("arrayvec::arrayvec::ArrayVec<{held}, 4>");
            intern(&mut types, &name, TypeKind::Struct { fields, tuple: false, params: Vec::new() })
        };
        let (texts, bytes, unknown) = (holder("String"), holder("u8"), holder("Unknown"));
        let other = intern(&mut types, "smallvec::SmallVecData<[u8; 4]>", TypeKind::Union);
        let owners = [texts, bytes, unknown, other].map(|ty| is_owner(&types, ty));
        assert_eq!(owners, [true, false, true, true]);
    }

    /// `Repr(*const (), usize, ..)` frees what it points to, which no type says.
    #[test]
    fn containers_of_crates_are_owners_by_their_names() {
        let mut types = TypeTable::default();
        let unit = intern(&mut types, "()", TypeKind::Tuple(Vec::new()));
        let pointer = intern(&mut types, "*const ()", TypeKind::RawPointer { to: unit, mutable: false });
        let mut holder = |name: &str| {
            let fields = vec![FieldShape { name: "0".into(), ty: pointer }];
            intern(&mut types, name, TypeKind::Struct { fields, tuple: true, params: Vec::new() })
        };
        let (compact, bytes) = (holder("compact_str::repr::Repr"), holder("bytes::bytes::Bytes"));
        let (text, own) = (holder("arrayvec::array_string::ArrayString<4>"), holder("subject::Repr"));
        let owners = [compact, bytes, text, own].map(|ty| is_owner(&types, ty));
        assert_eq!(owners, [true, true, false, false]);
    }

    #[test]
    fn what_a_mutable_reference_refers_to_is_suspect_also_inside_of_a_value() {
        let mut types = TypeTable::default();
        let number = intern(&mut types, "u8", TypeKind::Integer { signed: false, bits: 8 });
        let mutable = intern(&mut types, "&mut u8", TypeKind::Reference { to: number, mutable: true });
        let pair = intern(&mut types, "(&mut u8, u8)", TypeKind::Tuple(vec![mutable, number]));
        let one = Value { ty: number, trust: Trust::AtCrash, data: Data::Uint(1) };
        let items = vec![pointer(mutable, one.clone()), one];
        let mut value = Value { ty: pair, trust: Trust::AtCrash, data: Data::Tuple(items) };
        mark(&mut value, &types);
        assert_eq!(value.trust, Trust::AtCrash);
        let trusts: Vec<Trust> = value.children().iter().map(|child| child.worst_trust()).collect();
        assert_eq!(trusts, [Trust::Suspect, Trust::AtCrash]);
    }

    #[test]
    fn what_a_cell_holds_is_suspect_also_behind_a_shared_reference() {
        let mut types = TypeTable::default();
        let number = intern(&mut types, "u8", TypeKind::Integer { signed: false, bits: 8 });
        for std in [StdType::Cell, StdType::RefCell, StdType::UnsafeCell, StdType::Mutex, StdType::RwLock] {
            let cell = intern(&mut types, &format!("{std:?}"), TypeKind::Std { std, params: vec![number] });
            let fields = vec![FieldShape { name: "c".into(), ty: cell }];
            let kind = TypeKind::Struct { fields, tuple: false, params: Vec::new() };
            let holder = intern(&mut types, &format!("Holder<{std:?}>"), kind);
            let kind = TypeKind::Reference { to: holder, mutable: false };
            let shared = intern(&mut types, &format!("&Holder<{std:?}>"), kind);
            let inner = Box::new(Value { ty: number, trust: Trust::AtCrash, data: Data::Uint(1) });
            let data = Data::Cell { inner, state: 0, poisoned: false };
            let field = Field { name: "c".into(), value: Value { ty: cell, trust: Trust::AtCrash, data } };
            let held = Value { ty: holder, trust: Trust::AtCrash, data: Data::Struct(vec![field]) };
            let mut value = pointer(shared, held);
            mark(&mut value, &types);
            let Data::Pointer { to: Some(held), .. } = &value.data else { unreachable!() };
            let cell = held.children()[0];
            assert_eq!([value.trust, held.trust, cell.trust], [Trust::AtCrash; 3]);
            assert_eq!(cell.children()[0].trust, Trust::Suspect);
        }
    }

    #[test]
    fn a_recursive_type_is_looked_into_once() {
        let mut types = TypeTable::default();
        let id = intern(&mut types, "R", TypeKind::Opaque);
        let fields = vec![FieldShape { name: "r".into(), ty: id }];
        types.fill(id, TypeKind::Struct { fields, tuple: false, params: Vec::new() });
        let mut value = Value { ty: id, trust: Trust::AtCrash, data: Data::Struct(Vec::new()) };
        mark(&mut value, &types);
        assert_eq!(value.trust, Trust::AtCrash);
    }
}
