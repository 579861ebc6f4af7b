//! Where a test stands: in its function's own module, or, where a value has parts of a type that only another module
//! can name, or another crate, in that one, if the function can be called there. In: a function of the stack. Out: the
//! same with its home.

use std::collections::BTreeSet;

use relapse_snapshot::{TypeId, TypeKind, TypeTable, Value};

use super::{Callable, Style};
use crate::index::{ModuleId, NamesAt, SourceIndex};

/// More parts of a value, and more types, are not looked at.
const MAX_PARTS: usize = 20_000;
/// More modules are not tried.
const MAX_HOMES: usize = 4;

impl Callable<'_> {
    /// The function with the home in which all of its arguments can be written; its own where there is none.
    pub(crate) fn where_types_are_known(self, types: &TypeTable, index: &SourceIndex) -> Self {
        let homes = if self.is_outside() { Vec::new() } else { self.other_homes(types, index) };
        let fits = |callable: &Self| {
            callable.call_alone(&self.function.name, Style::default(), types, index).is_ok()
        };
        if homes.is_empty() || fits(&self) {
            return self;
        }
        let elsewhere = homes.into_iter().map(|home| Self { home, ..self.clone() });
        elsewhere.into_iter().find(fits).unwrap_or(self)
    }

    /// Where types that occur in the arguments and cannot be named at home may be named: in their own modules, and in
    /// those of the functions that gave them, maybe of a crate that this one knows nothing of.
    fn other_homes(&self, types: &TypeTable, index: &SourceIndex) -> Vec<ModuleId> {
        let names = NamesAt::new(index, self.home);
        let mut homes: Vec<ModuleId> = Vec::new();
        let mut unknown = false;
        let values = self.frame.arguments.iter().map(|argument| &argument.value);
        for ty in types_within(values.collect(), types) {
            let home = names.home_of_private(types.name(ty));
            unknown |= home.is_some() || names.is_unknown(types.name(ty));
            homes.extend(home.filter(|home| !homes.contains(home)));
            if homes.len() >= MAX_HOMES {
                break;
            }
        }
        for caller in self.callers.iter().filter(|_| unknown) {
            if *caller != self.home && !homes.contains(caller) && homes.len() < 2 * MAX_HOMES {
                homes.push(*caller);
            }
        }
        homes
    }
}

/// The types of all parts of these values, and those that such types have as arguments: an empty list has no parts.
fn types_within(values: Vec<&Value>, types: &TypeTable) -> BTreeSet<TypeId> {
    let mut open = values;
    let (mut found, mut parts) = (BTreeSet::new(), 0);
    while let Some(value) = open.pop().filter(|_| parts < MAX_PARTS) {
        parts += 1;
        found.insert(value.ty);
        open.extend(value.children());
    }
    let mut open: Vec<TypeId> = found.iter().copied().collect();
    while let Some(ty) = open.pop().filter(|_| found.len() < MAX_PARTS) {
        let inner: &[TypeId] = match types.get(ty).map(|shape| &shape.kind) {
            Some(TypeKind::Tuple(items) | TypeKind::Std { params: items, .. }) => items,
            Some(TypeKind::Struct { params, .. } | TypeKind::Enum { params, .. }) => params,
            Some(TypeKind::Array { of, .. } | TypeKind::Slice(of)) => std::slice::from_ref(of),
            Some(TypeKind::Reference { to, .. }) => std::slice::from_ref(to),
            _ => &[],
        };
        open.extend(inner.iter().copied().filter(|ty| found.insert(*ty)));
    }
    found
}
