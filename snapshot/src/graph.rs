//! Values that refer to each other: what stands for [`Data::Elsewhere`]. In: a whole argument. Out: the value that a
//! place refers to. Nothing is followed here, so that a cycle is no danger.

use std::collections::HashMap;

use crate::types::TypeId;
use crate::value::{Data, Value};

/// By what a value is referred to: an address, the type there, and its length where [`Data::Elsewhere`] has one.
pub type Place = (u64, TypeId, Option<u64>);

/// The values of one argument that others refer to.
#[derive(Debug, Clone, Default)]
pub struct Targets<'v> {
    by_place: HashMap<Place, &'v Value>,
}

impl<'v> Targets<'v> {
    /// All of an argument that can be referred to: its parts, and what its pointers point to.
    pub fn of(argument: &'v Value) -> Targets<'v> {
        let mut targets = Targets::default();
        // Without one of these nothing is referred to, and most arguments have none.
        if !refers(argument) {
            return targets;
        }
        let mut open = vec![argument];
        while let Some(value) = open.pop() {
            for (address, target) in referable(value) {
                targets.add(address, target);
            }
            open.extend(value.children());
        }
        targets
    }

    fn add(&mut self, address: u64, value: &'v Value) {
        if matches!(value.data, Data::Elsewhere { .. }) {
            return;
        }
        // Whether the type has a length of its own is not known here: it is found with one and without.
        self.add_at((address, value.ty, None), value);
        if let Some(len) = length(value) {
            self.add_at((address, value.ty, Some(len)), value);
        }
    }

    fn add_at(&mut self, place: Place, value: &'v Value) {
        let held = self.by_place.entry(place).or_insert(value);
        if matches!(held.data, Data::Missing(_)) {
            *held = value;
        }
    }

    /// The value that was read elsewhere; any other one is itself. `None` where it was not kept.
    pub fn resolve(&self, value: &'v Value) -> Option<&'v Value> {
        match place(value) {
            Some(place) => self.get(place),
            None => Some(value),
        }
    }

    /// The value that is referred to by that place.
    pub fn get(&self, place: Place) -> Option<&'v Value> {
        let (address, ty, _) = place;
        // What could not be read has no length: its reason stands for all of them.
        let unread =
            || self.by_place.get(&(address, ty, None)).filter(|v| matches!(v.data, Data::Missing(_)));
        self.by_place.get(&place).or_else(unread).copied()
    }
}

/// The place that a value refers to, where it was read elsewhere.
pub fn place(value: &Value) -> Option<Place> {
    match value.data {
        Data::Elsewhere { address, len } => Some((address, value.ty, len)),
        _ => None,
    }
}

/// What can be referred to by a value's address or its parts', with that address.
pub(crate) fn referable(value: &Value) -> Vec<(u64, &Value)> {
    match &value.data {
        Data::Pointer { address, to: Some(to) } => vec![(*address, to)],
        Data::Graph { parts, .. } => parts.iter().map(|part| (part.address, &part.value)).collect(),
        _ => Vec::new(),
    }
}

/// The length of a `str` or slice, and of anything else of that form.
fn length(value: &Value) -> Option<u64> {
    match value.data {
        Data::Text { len, .. } | Data::Bytes { len, .. } | Data::Sequence { len, .. } => Some(len),
        _ => None,
    }
}

/// Whether anything in a value is read elsewhere.
fn refers(value: &Value) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        if matches!(value.data, Data::Elsewhere { .. }) {
            return true;
        }
        open.extend(value.children());
    }
    false
}
