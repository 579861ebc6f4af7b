//! Values that refer to each other. Parts of a deep value are written bottom-up, each with a variable of its own, from
//! a list and not by recursion; an `Rc` that occurs more than once has a variable, too, of which the others are clones.
//! In: what [`Data::Elsewhere`] refers to. Never follows a reference in circles ([`super::cycle`]).

use std::collections::{HashMap, HashSet};

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, StdType, Targets, TypeId, TypeKind, TypeTable, Value};

use super::cycle::{Back, Later};
use super::writer::{MAX_LETS, Place, Writer, owners, variable_of};
use super::{Scope, Unwritable};

/// A part of so few nodes stands where it belongs.
const SMALL: usize = 8;

/// By what a value is referred to.
pub(super) use relapse_snapshot::graph::Place as Key;

/// What the argument being written refers to.
pub(super) struct Graph<'v> {
    pub(super) targets: Targets<'v>,
    /// Values that have been written under other names: the steps of a list in the loop that builds it.
    pub(super) instead: HashMap<*const Value, TokenStream>,
    /// Values that begin a list which no loop can build.
    pub(super) no_lists: HashSet<*const Value>,
    /// Shared values that hold a `Weak` to themselves which nothing can set: only `new_cyclic` builds them.
    pub(super) cyclic: HashSet<u64>,
    /// Whether anything leads back to itself.
    pub(super) has_cycles: bool,
    pub(super) state: State<'v>,
}

/// The part of it that an attempt changes.
#[derive(Clone, Default)]
pub(super) struct State<'v> {
    /// Parts that have been written, and not been used.
    parts: HashMap<Key, Ident>,
    /// Parts that were met, but not written yet.
    needed: Vec<Key>,
    /// The shared values that are being written, the innermost last.
    pub(super) building: Vec<(u64, &'v Value)>,
    /// What can be set only later.
    pub(super) later: Vec<Later<'v>>,
    /// The `Weak` of a value that `new_cyclic` is building.
    pub(super) own_weak: HashMap<u64, Ident>,
    /// Shared values whose variable ended with the closure that they stand in.
    pub(super) lost: HashSet<u64>,
    /// Why the attempt failed, where a value led back to one that is being written.
    pub(super) back: Option<Back>,
}

impl<'v> Graph<'v> {
    /// The graph of an argument; enters what it shares into the scope.
    pub(super) fn of(argument: &'v Value, types: &TypeTable, scope: &mut Scope) -> Graph<'v> {
        let on_cycles = on_cycles(argument, types);
        let has_cycles = !on_cycles.is_empty();
        for address in shared_owners([argument], types).into_iter().chain(on_cycles) {
            scope.shared.entry(address).or_insert(None);
        }
        scope.meet_channels([argument], types);
        let targets = Targets::of(argument);
        let (instead, no_lists, cyclic) = (HashMap::new(), HashSet::new(), HashSet::new());
        Graph { targets, instead, no_lists, cyclic, has_cycles, state: State::default() }
    }

    pub(super) fn state(&self) -> State<'v> {
        self.state.clone()
    }

    /// How many entries a copy of the state has.
    pub(super) fn entries(&self) -> usize {
        let State { parts, needed, building, later, own_weak, lost, back: _ } = &self.state;
        parts.len() + needed.len() + building.len() + later.len() + own_weak.len() + lost.len()
    }

    pub(super) fn restore(&mut self, state: State<'v>) {
        self.state = state;
    }
}

impl Scope {
    /// Tells which values the arguments of a call share, so that they are written once.
    pub(crate) fn share<'v>(&mut self, arguments: impl IntoIterator<Item = &'v Value>, types: &TypeTable) {
        let arguments: Vec<&Value> = arguments.into_iter().collect();
        for argument in &arguments {
            for (address, times) in owners(argument, types) {
                *self.owners.entry(address).or_default() += times;
            }
        }
        self.meet_channels(arguments.iter().copied(), types);
        for address in shared_owners(arguments, types) {
            self.shared.entry(address).or_insert(None);
        }
        self.owners.retain(|address, _| self.shared.contains_key(address));
    }
}

impl<'a> Writer<'a> {
    /// Writes a value with all parts that it needs before it.
    pub(super) fn with_parts<T>(
        &mut self,
        mut write: impl FnMut(&mut Self) -> Result<T, Unwritable>,
    ) -> Result<T, Unwritable> {
        // Parts that are still to be written; `true`: what it needs stands above it.
        let mut open: Vec<(Key, bool)> = Vec::new();
        loop {
            if let Some(&(key, false)) = open.last()
                && self.graph.state.parts.contains_key(&key)
            {
                open.pop();
                continue;
            }
            let saved = self.save();
            let done = match open.last() {
                None => write(self).map(Some),
                Some(&(key, _)) => self.write_part(key).map(|()| None),
            };
            let done = done?;
            let needed = std::mem::take(&mut self.graph.state.needed);
            if needed.is_empty() {
                match done {
                    Some(done) if self.graph.state.later.is_empty() => return Ok(done),
                    Some(_) => return Err(self.refuse("leads back to itself by a way that cannot be set")),
                    None => open.pop(),
                };
                continue;
            }
            self.restore_all(saved);
            self.graph.state.needed.clear();
            if let Some(top) = open.last_mut() {
                top.1 = true;
            }
            // Each of them would need a variable in the end.
            if open.len() + needed.len() > MAX_LETS {
                return Err(self.refuse(format!("more than {MAX_LETS} parts need a variable of their own")));
            }
            for key in needed {
                if open.contains(&(key, true)) {
                    return Err(self.refuse("a cycle that is too long to be written"));
                }
                open.push((key, false));
            }
        }
    }

    fn write_part(&mut self, key: Key) -> Result<(), Unwritable> {
        let target = self.target(key)?;
        self.own = None;
        let wanted = variable_of(self.types, target.ty);
        let variable = self.hoist_as(&wanted, false, false, |writer, place| writer.value(target, place))?;
        self.graph.state.parts.insert(key, variable);
        Ok(())
    }

    fn target(&self, key: Key) -> Result<&'a Value, Unwritable> {
        let kept = self.graph.targets.get(key);
        kept.ok_or_else(|| self.refuse("refers to a value that was not kept"))
    }

    /// A value that stands elsewhere: by the variable of the part that it is.
    pub(super) fn elsewhere(&mut self, key: Key, place: Place) -> Result<TokenStream, Unwritable> {
        if let Some(variable) = self.graph.state.parts.remove(&key) {
            return Ok(quote!(#variable));
        }
        let target = self.target(key)?;
        if is_small(target) {
            return self.value(target, place);
        }
        self.graph.state.needed.push(key);
        Ok(quote!(()))
    }

    /// Writes a value by what it is in the graph, else by its kind.
    pub(super) fn woven(&mut self, value: &Value, place: Place) -> Result<TokenStream, Unwritable> {
        if let Some(instead) = self.graph.instead.get(&std::ptr::from_ref(value)) {
            return Ok(instead.clone());
        }
        if let Some(list) = self.chain(value, place)? {
            return Ok(list);
        }
        if self.graph.instead.is_empty() && self.is_deep(value) {
            let wanted = variable_of(self.types, value.ty);
            let variable = self.hoist_as(&wanted, false, place.typed, |w, place| w.by_kind(value, place))?;
            return Ok(quote!(#variable));
        }
        if self.graph.has_cycles {
            return self.by_kind_or_later(value, place);
        }
        self.by_kind(value, place)
    }

    /// An `Rc` or `Arc` that occurs more than once.
    pub(super) fn shared_owner(
        &mut self,
        std: StdType,
        to: Option<TypeId>,
        value: &Value,
        owner: &TokenStream,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let Data::Pointer { address, .. } = value.data else {
            return Err(self.mismatch(self.shape(value.ty)?));
        };
        if let Some(Some(variable)) = self.scope.shared.get(&address) {
            return Ok(quote!(#owner::clone(&#variable)));
        }
        if self.is_building(address) {
            return Err(self.lead_back(address, false));
        }
        let own = if self.is_own() { self.own.take() } else { None };
        let variable = self.hoist_shared(std, to, value, owner, own.as_ref(), place)?;
        Ok(if own.is_some() { quote!(#variable) } else { quote!(#owner::clone(&#variable)) })
    }
}

/// Whether a value is so small that it needs no variable: it leads nowhere else.
fn is_small(value: &Value) -> bool {
    let (mut nodes, mut open) = (0, vec![value]);
    while let Some(value) = open.pop() {
        nodes += 1;
        if nodes > SMALL || matches!(value.data, Data::Elsewhere { .. }) {
            return false;
        }
        open.extend(value.children());
    }
    true
}

/// The address of an `Rc`, `Arc` or `Weak` that points to something.
pub(super) fn counted(value: &Value, types: &TypeTable) -> Option<(u64, bool)> {
    let Data::Pointer { address, to: Some(_) } = &value.data else { return None };
    match types.get(value.ty).map(|shape| &shape.kind) {
        Some(TypeKind::Std { std: StdType::Rc | StdType::Arc, .. }) => Some((*address, false)),
        Some(TypeKind::Std { std: StdType::Weak, .. }) => Some((*address, true)),
        _ => None,
    }
}

/// Addresses of what more than one `Rc` or `Arc`, or any `Weak`, points to.
fn shared_owners<'v>(values: impl IntoIterator<Item = &'v Value>, types: &TypeTable) -> Vec<u64> {
    let mut seen: HashMap<u64, u32> = HashMap::new();
    let mut open: Vec<&Value> = values.into_iter().collect();
    while let Some(value) = open.pop() {
        if let Some((address, is_weak)) = counted(value, types) {
            *seen.entry(address).or_default() += if is_weak { 2 } else { 1 };
        }
        open.extend(value.children());
    }
    seen.into_iter().filter(|(_, times)| *times > 1).map(|(address, _)| address).collect()
}

/// Addresses of the shared values that lie on a way that leads back to itself.
fn on_cycles(root: &Value, types: &TypeTable) -> HashSet<u64> {
    // The shared values met, each with the one that it lies in.
    let mut owners: Vec<(u64, Option<usize>)> = Vec::new();
    let (mut found, mut open) = (HashSet::new(), vec![(root, None)]);
    while let Some((value, owner)) = open.pop() {
        let mut inner = owner;
        if let Some((address, _)) = counted(value, types) {
            let mut way = Vec::new();
            let mut up: Option<usize> = owner;
            while let Some((above, next)) = up.and_then(|at| owners.get(at).copied()) {
                way.push(above);
                if above == address {
                    found.extend(way);
                    break;
                }
                up = next;
            }
            owners.push((address, owner));
            inner = Some(owners.len() - 1);
        }
        open.extend(value.children().into_iter().map(|child| (child, inner)));
    }
    found
}
