//! Methods that give access to a part of a value: `doc.section_mut("a")`, `map.entry(key)`. What is called on that part then
//! changes the value. In: functions, and the calls that were seen. Out: which call was made on what another one gave. A
//! part has no history of its own: where one was made since, nobody knows which of them a call was made on. What is given as
//! a reference does not move: a call on what lies elsewhere was made on another one.

use std::collections::HashMap;

use syn::{ReturnType, Type};

use crate::names::{ReceivedBy, Wrapped};

use super::ids::ItemId;
use super::items::ItemKind;
use super::makers::{Part, received_by};
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

impl Access {
    pub(super) fn gives(&self) -> Given {
        Given { part: self.part, by_reference: self.by_reference }
    }
}

/// What a call gives access to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Given {
    /// Its type.
    pub(super) part: ItemId,
    /// It is a reference, and no view by value.
    pub(super) by_reference: bool,
}

/// What a call is to the parts of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touches {
    /// It gives access to one.
    Gives(Given),
    /// It is made on one, which it uses up or not, and may give access to a further one.
    On { part: ItemId, uses_up: bool, gives: Option<Given> },
    /// It makes one that belongs to nothing.
    Makes(ItemId),
    /// None of these.
    Nothing,
}

/// Which calls were made on what others gave.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MadeOn {
    /// Of each call the one that gave what it was made on.
    pub(super) on: Vec<Option<usize>>,
    /// Calls that gave a part, of which calls in several places were made thereafter: nobody knows which of these is it.
    doubtful: Vec<usize>,
}

impl MadeOn {
    /// Whether it is unclear what was called on a part that one of these calls gave, or on a part of that.
    pub(super) fn are_doubtful(&self, steps: &[usize]) -> bool {
        self.doubtful.iter().any(|at| {
            let mut at = *at;
            // Each was made on what an earlier one gave.
            while let Some(on) = self.on.get(at).copied().flatten() {
                at = on;
            }
            steps.contains(&at)
        })
    }
}

/// A part that a call gave.
struct Last {
    at: usize,
    by_reference: bool,
    /// Where it lies, as the first call on it tells.
    place: Option<u64>,
}

impl Last {
    fn new(at: usize, given: Given) -> Last {
        Last { at, by_reference: given.by_reference, place: None }
    }

    /// Whether a call on what lies there can be one on this part.
    fn is_at(&mut self, place: Option<u64>) -> bool {
        match place {
            Some(place) if self.by_reference => *self.place.get_or_insert(place) == place,
            _ => true,
        }
    }
}

/// Of each call the one that gave what it was made on. In: what each is, and where its receiver lies.
pub(super) fn made_on(calls: impl Iterator<Item = (Touches, Option<u64>)>) -> MadeOn {
    let mut last: HashMap<ItemId, Last> = HashMap::new();
    let mut found = MadeOn::default();
    for (at, (call, place)) in calls.enumerate() {
        let on = match call {
            Touches::Gives(given) => {
                last.insert(given.part, Last::new(at, given));
                None
            }
            Touches::On { part, uses_up, gives } => {
                let there = last.get_mut(&part).map(|last| (last.at, last.is_at(place)));
                found.doubtful.extend(there.filter(|(_, is_it)| !is_it).map(|(giver, _)| giver));
                let on = there.filter(|(_, is_it)| *is_it).map(|(giver, _)| giver);
                if uses_up {
                    last.remove(&part);
                }
                if let Some(gives) = gives.filter(|_| on.is_some()) {
                    last.insert(gives.part, Last::new(at, gives));
                }
                on
            }
            Touches::Makes(part) => {
                last.remove(&part);
                None
            }
            Touches::Nothing => None,
        };
        found.on.push(on);
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
        let own = function.self_type().and_then(|own| self.part_of(function, Part::Own, own));
        match received_by(receiver) {
            Some(by @ (ReceivedBy::Value | ReceivedBy::Exclusive)) if own == Some(part) => {
                let uses_up = by == ReceivedBy::Value;
                let itself = uses_up.then(|| self.made_by(function, part)).flatten();
                let itself = itself.map(|_| Given { part, by_reference: false });
                let gives = itself.or_else(|| self.access(function, part).map(|access| access.gives()));
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
            gives: gives.map(|item| Given { part: part(item), by_reference: false }),
        };
        let calls = [
            on(1, false, None),
            Touches::Gives(Given { part: part(1), by_reference: false }),
            on(1, false, None),
            on(1, false, Some(2)),
            on(2, true, None),
            on(2, true, None),
            Touches::Makes(part(1)),
            on(1, false, None),
            Touches::Nothing,
        ];
        let found = made_on(calls.into_iter().map(|call| (call, None)));
        assert_eq!(found.on, [None, None, Some(1), Some(1), Some(3), None, None, None, None]);
    }

    #[test]
    fn what_is_given_as_a_reference_lies_where_the_first_call_on_it_says() {
        let part = ItemId { krate: CrateId(0), item: 1 };
        let on = Touches::On { part, uses_up: false, gives: None };
        let told = |by_reference| {
            let gives = (Touches::Gives(Given { part, by_reference }), Some(8));
            made_on(
                [gives, (on, Some(64)), (on, Some(64)), gives, (on, Some(64)), (on, Some(32))].into_iter(),
            )
        };
        let reference = told(true);
        assert_eq!(reference.on, [None, Some(0), Some(0), None, Some(3), None]);
        assert!(reference.are_doubtful(&[0, 3]));
        assert!(!reference.are_doubtful(&[0]));
        // A view may be moved.
        let view = told(false);
        assert_eq!(view.on, [None, Some(0), Some(0), None, Some(3), Some(3)]);
        assert!(!view.are_doubtful(&[0, 3]));
    }

    #[test]
    fn doubt_about_a_part_of_a_part_is_doubt_about_the_whole() {
        let part = |item| ItemId { krate: CrateId(0), item };
        let given = |item| Given { part: part(item), by_reference: true };
        let on = |item, gives| Touches::On { part: part(item), uses_up: false, gives };
        let calls = [
            (Touches::Nothing, None),
            (Touches::Gives(given(1)), Some(8)),
            (on(1, Some(given(2))), Some(16)),
            (on(2, None), Some(24)),
            (on(2, None), Some(32)),
        ];
        let found = made_on(calls.into_iter());
        assert_eq!(found.on, [None, None, Some(1), Some(2), None]);
        assert!(found.are_doubtful(&[1]) && !found.are_doubtful(&[0]));
    }

    #[test]
    fn calls_on_parts_and_on_parts_of_these_count() {
        let on = [None, None, Some(1), Some(1), Some(3), None, Some(0)];
        assert_eq!(calls_with_parts(&[1, 5], &on), 5);
        assert_eq!(calls_with_parts(&[5], &on), 1);
        assert_eq!(calls_with_parts(&[], &on), 0);
    }
}
