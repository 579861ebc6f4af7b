//! What may be wrong with the values of a test that ran and did not crash. In: the test, the crash. Out: words for the user.

use relapse_snapshot::{Data, Snapshot, TypeKind, TypeTable, Value};

use crate::prove::Draft;
use crate::second_chance;

/// Why the values of a test that shows nothing may not be those that led to the crash. `rerun`: a second run of the command
/// was possible, and was not needed for the best function.
pub(super) fn doubt(draft: &Draft<'_>, snapshot: &Snapshot, rerun: bool) -> Option<String> {
    let seen = draft.verification.as_ref()?;
    if seen.reproduced > 0 || seen.timed_out || seen.over_limit || seen.accesses.iter().any(|a| a.forbidden) {
        return None;
    }
    let types = &snapshot.types;
    let arguments = &draft.callable.frame.arguments;
    if let Some(argument) = arguments.iter().find(|argument| has_raw_pointer(&argument.value, types)) {
        return Some(format!(
            "of what a raw pointer in `{}` leads to, the test has the one value that was read there",
            argument.name
        ));
    }
    (rerun && second_chance::would_help(draft, snapshot)).then(|| {
        let frame = draft.callable.depth;
        format!(
            "the values are those at the crash: `--frame {frame}` runs the command again for those that it was given"
        )
    })
}

/// Whether a value leads to something by a raw pointer, which may be one of many that lie there.
fn has_raw_pointer(value: &Value, types: &TypeTable) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        let is_raw = || {
            let kind = types.get(value.ty).map(|shape| &shape.kind);
            matches!(kind, Some(TypeKind::RawPointer { .. }))
        };
        if let Data::Pointer { to: Some(to), .. } = &value.data
            && is_raw()
            && !matches!(&to.data, Data::Tuple(items) if items.is_empty())
        {
            return true;
        }
        open.extend(value.children());
    }
    false
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Trust, TypeId, TypeShape};

    use super::*;

    #[test]
    fn raw_pointers_are_found_behind_references() {
        let mut types = TypeTable::default();
        let mut ty = |name: &str, kind| types.intern(TypeShape { name: name.to_owned(), size: None, kind });
        let number = ty("u8", TypeKind::Integer { signed: false, bits: 8 });
        let unit = ty("()", TypeKind::Tuple(Vec::new()));
        let raw = ty("*const u8", TypeKind::RawPointer { to: number, mutable: false });
        let opaque = ty("*const ()", TypeKind::RawPointer { to: unit, mutable: false });
        let of_raw = ty("&*const u8", TypeKind::Reference { to: raw, mutable: false });
        let value = |ty: TypeId, data| Value { ty, trust: Trust::Entry, data };
        let pointer = |ty, to: Option<Value>| value(ty, Data::Pointer { address: 8, to: to.map(Box::new) });
        let one = || value(number, Data::Uint(1));
        assert!(has_raw_pointer(&pointer(of_raw, Some(pointer(raw, Some(one())))), &types));
        assert!(!has_raw_pointer(&pointer(of_raw, Some(pointer(raw, None))), &types));
        assert!(!has_raw_pointer(&pointer(opaque, Some(value(unit, Data::Tuple(Vec::new())))), &types));
        assert!(!has_raw_pointer(&one(), &types));
    }
}
