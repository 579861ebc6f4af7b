//! Values that refer to each other: what stands for [`Data::Elsewhere`]. In: a whole argument. Out: the value that a
//! place refers to. Nothing is followed here, so that a cycle is no danger.

use std::collections::HashMap;

use crate::types::TypeId;
use crate::value::{Data, Value};

/// The values of one argument that others refer to, by address and type.
#[derive(Debug, Clone, Default)]
pub struct Targets<'v> {
    by_place: HashMap<(u64, TypeId), &'v Value>,
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
            match &value.data {
                Data::Pointer { address, to: Some(to) } => targets.add(*address, to),
                Data::Graph { parts, .. } => {
                    for part in parts {
                        targets.add(part.address, &part.value);
                    }
                }
                _ => {}
            }
            open.extend(value.children());
        }
        targets
    }

    fn add(&mut self, address: u64, value: &'v Value) {
        if !matches!(value.data, Data::Elsewhere { .. }) {
            let held = self.by_place.entry((address, value.ty)).or_insert(value);
            if matches!(held.data, Data::Missing(_)) {
                *held = value;
            }
        }
    }

    /// The value that was read elsewhere; any other one is itself. `None` where it was not kept.
    pub fn resolve(&self, value: &'v Value) -> Option<&'v Value> {
        match value.data {
            Data::Elsewhere { address } => self.get(address, value.ty),
            _ => Some(value),
        }
    }

    /// The value of that type that is referred to by that address.
    pub fn get(&self, address: u64, ty: TypeId) -> Option<&'v Value> {
        self.by_place.get(&(address, ty)).copied()
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
