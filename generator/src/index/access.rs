//! Methods that give access to a part of a value: `doc.section_mut("a")`, `map.entry(key)`. What is called on that part then
//! changes the value. In: functions, and the calls that were seen. Out: which call was made on what another one gave. A
//! part has no history of its own: where one was made since, nobody knows which of them a call was made on.

use std::collections::HashMap;

use syn::{ReturnType, Type};

use crate::names::{ReceivedBy, Wrapped};

use super::ids::ItemId;
use super::items::ItemKind;
use super::makers::received_by;
use super::naming::NamesAt;
use super::{FunctionItem, signature};

/// What a method gives access by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    /// The type of the part, or of the view.
    pub(super) part: ItemId,
    /// What it is given in.
    pub(super) wrapped: Wrapped,
    /// It is a reference, and no view by value.
    pub(super) by_reference: bool,
}

/// What a call is to the parts of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touches {
    /// It gives access to one.
    Gives(ItemId),
    /// It is made on one, which it uses up or not, and may give access to a further one.
    On { part: ItemId, uses_up: bool, gives: Option<ItemId> },
    /// It makes one that belongs to nothing.
    Makes(ItemId),
    /// None of these.
    Nothing,
}

/// Of each call the one that gave what it was made on.
pub(super) fn made_on(calls: impl Iterator<Item = Touches>) -> Vec<Option<usize>> {
    let mut last: HashMap<ItemId, usize> = HashMap::new();
    let mut found = Vec::new();
    for (at, call) in calls.enumerate() {
        found.push(match call {
            Touches::Gives(part) => {
                last.insert(part, at);
                None
            }
            Touches::On { part, uses_up, gives } => {
                let on = last.get(&part).copied();
                if uses_up {
                    last.remove(&part);
                }
                if let Some(gives) = gives.filter(|_| on.is_some()) {
                    last.insert(gives, at);
                }
                on
            }
            Touches::Makes(part) => {
                last.remove(&part);
                None
            }
            Touches::Nothing => None,
        });
    }
    found
}

/// How many calls these are with those that were made on what they gave. `on`: of each call the one that gave what it was made
/// on, which came before it.
pub(super) fn calls_with_parts(steps: &[usize], on: &[Option<usize>]) -> usize {
    let mut counted = vec![false; on.len()];
    for step in steps {
        counted[*step] = true;
    }
    for (at, on) in on.iter().enumerate() {
        counted[at] |= on.is_some_and(|on| counted[on]);
    }
    counted.into_iter().filter(|counted| *counted).count()
}

impl<'i> NamesAt<'i> {
    /// What a method of a type gives access by, where it does.
    pub(super) fn access(&self, function: &FunctionItem, of: ItemId) -> Option<Access> {
        let by = received_by(function.signature.receiver()?)?;
        let ReturnType::Type(_, result) = &function.signature.output else { return None };
        let (inner, wrapped) = signature::wrapped(result).unwrap_or((result, Wrapped::No));
        let (inner, by_reference) = match inner {
            Type::Reference(to) if to.mutability.is_some() => (&*to.elem, true),
            inner => (inner, false),
        };
        let part = self.item_of(function, inner)?;
        let item = self.index().item(part);
        // A value without a lifetime is nothing that another one holds.
        let is_view = by_reference || item.generics.lifetimes().next().is_some();
        let is_type = matches!(item.kind, ItemKind::Struct(_) | ItemKind::Enum(_));
        let is_part = part != of && is_view && is_type && by != ReceivedBy::Shared;
        is_part.then_some(Access { part, wrapped, by_reference })
    }

    /// The functions of a part's type that may change what it is a part of, and those that make one that is none.
    pub(super) fn functions_on(&self, part: ItemId) -> Vec<&'i FunctionItem> {
        let functions = self.index().source(part.krate).functions.iter();
        functions.filter(|function| self.touches_part(function, part) != Touches::Nothing).collect()
    }

    /// What a function is to the parts of a type.
    pub(super) fn touches_part(&self, function: &FunctionItem, part: ItemId) -> Touches {
        if !self.can_be_called(function) {
            return Touches::Nothing;
        }
        let Some(receiver) = function.signature.receiver() else {
            let made = self.made_by(function, part).is_some();
            return if made { Touches::Makes(part) } else { Touches::Nothing };
        };
        let own = function.self_type().and_then(|own| self.item_of(function, own));
        match received_by(receiver) {
            Some(by @ (ReceivedBy::Value | ReceivedBy::Exclusive)) if own == Some(part) => {
                let uses_up = by == ReceivedBy::Value;
                let itself = uses_up.then(|| self.made_by(function, part)).flatten().map(|_| part);
                let gives = itself.or_else(|| self.access(function, part).map(|access| access.part));
                Touches::On { part, uses_up, gives }
            }
            _ => Touches::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::CrateId;

    #[test]
    fn a_call_is_made_on_what_was_given_last() {
        let part = |item| ItemId { krate: CrateId(0), item };
        let on = |item, uses_up, gives: Option<u32>| Touches::On {
            part: part(item),
            uses_up,
            gives: gives.map(part),
        };
        let calls = [
            on(1, false, None),
            Touches::Gives(part(1)),
            on(1, false, None),
            on(1, false, Some(2)),
            on(2, true, None),
            on(2, true, None),
            Touches::Makes(part(1)),
            on(1, false, None),
            Touches::Nothing,
        ];
        let found = made_on(calls.into_iter());
        assert_eq!(found, [None, None, Some(1), Some(1), Some(3), None, None, None, None]);
    }

    #[test]
    fn calls_on_parts_and_on_parts_of_these_count() {
        let on = [None, None, Some(1), Some(1), Some(3), None, Some(0)];
        assert_eq!(calls_with_parts(&[1, 5], &on), 5);
        assert_eq!(calls_with_parts(&[5], &on), 1);
        assert_eq!(calls_with_parts(&[], &on), 0);
    }
}
