//! Values that lead back to themselves: built without the way back, which is set once both ends exist
//! (`*child.parent.borrow_mut() = Rc::downgrade(&parent);`), or by `Rc::new_cyclic` where nothing can be set. Only a cell can
//! be set, and only what has an empty value (`None`, `Weak::new()`, an empty list) can be left out at first.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeShape, Value};

use super::type_name::definition;
use super::writer::{OPTION, Place, Writer, variable_of};
use super::{Unwritable, graph};
use crate::hostile::identifier;

/// A value that leads back to one that is being written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Back {
    address: u64,
    is_weak: bool,
}

/// A value that is set later.
#[derive(Clone)]
pub(super) struct Later<'v> {
    /// The shared value that it lies in.
    owner: u64,
    /// The way there, behind the owner's variable.
    way: Way,
    value: &'v Value,
    /// What it leads back to: until that is built, no try can succeed.
    waits_for: u64,
}

/// How a place within a shared value is set.
#[derive(Clone)]
enum Way {
    /// `*owner.next.borrow_mut() = …`, or without the star.
    Assign { path: TokenStream, dereferenced: bool },
    /// `owner.next.set(…)`.
    Set { path: TokenStream },
}

impl<'a> Writer<'a> {
    pub(super) fn is_building(&self, address: u64) -> bool {
        self.graph.state.building.iter().any(|(building, _)| *building == address)
    }

    /// The refusal of a value that leads back; who can do without it for now takes it up.
    pub(super) fn lead_back(&mut self, address: u64, is_weak: bool) -> Unwritable {
        self.graph.state.back = Some(Back { address, is_weak });
        self.refuse("leads back to itself by a way that cannot be set")
    }

    /// Writes a value; where that leads back and the value can be set later, its empty form.
    pub(super) fn by_kind_or_later(
        &mut self,
        value: &Value,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let Some(empty) = self.empty(value) else { return self.by_kind(value, place) };
        let saved = self.save();
        let refused = match self.by_kind(value, place) {
            Err(refused) => refused,
            written => return written,
        };
        let Some(Back { address: waits_for, .. }) = self.graph.state.back else { return Err(refused) };
        let Some(&(owner, content)) = self.graph.state.building.last() else { return Err(refused) };
        let Some((way, value)) = self.way_to(content, value) else { return Err(refused) };
        self.restore(saved);
        self.graph.state.later.push(Later { owner, way, value, waits_for });
        self.by_kind(&empty, place)
    }

    /// The empty value of a type that has one.
    fn empty(&self, value: &Value) -> Option<Value> {
        let shape = self.types.get(value.ty)?;
        let data = match (&shape.kind, &value.data) {
            (TypeKind::Std { std: StdType::Weak, .. }, Data::Pointer { to: Some(_), .. }) => {
                Data::Pointer { address: u64::MAX, to: None }
            }
            (TypeKind::Std { std, .. }, Data::Sequence { items, .. })
                if !items.is_empty()
                    && matches!(
                        std,
                        StdType::Vec
                            | StdType::VecDeque
                            | StdType::LinkedList
                            | StdType::BTreeSet
                            | StdType::HashSet
                    ) =>
            {
                Data::Sequence { items: Vec::new(), len: 0 }
            }
            (TypeKind::Std { .. }, Data::Map { entries, .. }) if !entries.is_empty() => {
                Data::Map { entries: Vec::new(), len: 0 }
            }
            (TypeKind::Enum { .. }, Data::Variant { name, .. })
                if name == "Some" && definition(&shape.name).as_deref() == Some(OPTION) =>
            {
                Data::Variant { name: "None".to_owned(), fields: Vec::new() }
            }
            _ => return None,
        };
        Some(Value { ty: value.ty, trust: value.trust, data })
    }

    /// Writes an `Rc` or `Arc` into a variable, and sets what waited for it.
    pub(super) fn hoist_shared(
        &mut self,
        std: StdType,
        to: Option<TypeId>,
        value: &Value,
        owner: &TokenStream,
        own: Option<&Ident>,
        place: Place,
    ) -> Result<Ident, Unwritable> {
        let Data::Pointer { address, to: Some(inner) } = &value.data else {
            return Err(self.refuse("what it points to was not read"));
        };
        let address = *address;
        if self.graph.state.lost.contains(&address) {
            return Err(self.refuse("shared with a value that can be built in a closure only"));
        }
        let len = relapse_snapshot::graph::place(inner).and_then(|(_, _, len)| len);
        let content = self.graph.targets.get((address, inner.ty, len));
        let saved = self.save();
        self.graph.state.building.extend(content.map(|content| (address, content)));
        // Within others of its kind it is written once for each try of theirs: a second try at every level would double
        // what there is to write.
        let plain = if self.graph.cyclic.contains(&address) {
            None
        } else {
            let plain = self.named_owner(value.ty, own, place, |writer, place| {
                writer.new_owner(std, to, value, owner, place)
            });
            let holds_itself = plain.is_err()
                && matches!(self.graph.state.back, Some(Back { address: back, is_weak: true }) if back == address);
            (!holds_itself).then_some(plain)
        };
        let variable = match plain {
            Some(written) => {
                let variable = written?;
                self.graph.state.building.retain(|(building, _)| *building != address);
                variable
            }
            None => {
                self.restore(saved);
                self.graph.cyclic.insert(address);
                self.graph.state.back = None;
                self.named_owner(value.ty, own, place, |writer, place| {
                    writer.new_cyclic(address, inner, owner, place)
                })?
            }
        };
        self.scope.shared.insert(address, Some(variable.clone()));
        self.set_what_waited()?;
        Ok(variable)
    }

    fn named_owner(
        &mut self,
        ty: TypeId,
        own: Option<&Ident>,
        place: Place,
        write: impl FnOnce(&mut Self, Place) -> Result<TokenStream, Unwritable>,
    ) -> Result<Ident, Unwritable> {
        let Some(own) = own else {
            // The name of a list is none of its elements.
            let wanted = if self.is_element() { variable_of(self.types, ty) } else { self.part_variable(ty) };
            return self.hoist_as(&wanted, false, place.typed, write);
        };
        let tokens = write(self, Place::binding(place.typed))?;
        let statement = self.let_statement(own, false, None, &tokens);
        self.lets.push(statement);
        Ok(own.clone())
    }

    /// `Rc::new_cyclic(|weak| Node { parent: weak.clone(), … })`.
    fn new_cyclic(
        &mut self,
        address: u64,
        inner: &Value,
        owner: &TokenStream,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let weak = self.scope.variable("weak");
        self.graph.state.own_weak.insert(address, weak.clone());
        let (before, waiting) = (self.scope.shared.clone(), self.graph.state.later.len());
        let outer = std::mem::take(&mut self.lets);
        let content = self.value(inner, place.within_call());
        let lets = std::mem::replace(&mut self.lets, outer);
        let content = content?;
        self.graph.state.own_weak.remove(&address);
        if self.graph.state.later.len() > waiting {
            return Err(self.refuse("leads back to itself from within a value that is built in a closure"));
        }
        for (inside, variable) in &mut self.scope.shared {
            if variable.is_some() && before.get(inside).is_none_or(Option::is_none) {
                *variable = None;
                self.graph.state.lost.insert(*inside);
            }
        }
        Ok(if lets.is_empty() {
            quote!(#owner::new_cyclic(|#weak| #content))
        } else {
            quote!(#owner::new_cyclic(|#weak| { #(#lets)* #content }))
        })
    }

    /// Sets what can be set by now.
    fn set_what_waited(&mut self) -> Result<(), Unwritable> {
        // Each try copies what it may change, so of many that wait for one value only those are tried that can succeed.
        for mut later in std::mem::take(&mut self.graph.state.later) {
            if self.is_building(later.waits_for) {
                self.graph.state.later.push(later);
                continue;
            }
            let Some(Some(owner)) = self.scope.shared.get(&later.owner).cloned() else {
                self.graph.state.later.push(later);
                continue;
            };
            let saved = self.save();
            let place = Place { extended: false, coerces: false, typed: false, operand: false };
            match self.by_kind(later.value, place) {
                Ok(written) => {
                    let statement = match later.way {
                        Way::Assign { path, dereferenced: true } => quote!(*#owner #path = #written;),
                        Way::Assign { path, dereferenced: false } => quote!(#owner #path = #written;),
                        Way::Set { path } => quote!(#owner #path.set(#written);),
                    };
                    self.lets.push(statement);
                }
                Err(refused) => {
                    let Some(Back { address, .. }) = self.graph.state.back else { return Err(refused) };
                    self.restore_all(saved);
                    later.waits_for = address;
                    self.graph.state.later.push(later);
                }
            }
        }
        Ok(())
    }

    /// `Rc::downgrade(&node)`, or `Weak::new()` where it cannot be upgraded.
    pub(super) fn weak(
        &mut self,
        params: &[TypeId],
        value: &Value,
        shape: &TypeShape,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let Data::Pointer { address, to } = &value.data else { return Err(self.mismatch(shape)) };
        if to.is_none() {
            let name = self.name_of(shape)?;
            let turbofish = if place.typed { self.turbofish(params) } else { None };
            return Ok(quote!(#name #turbofish::new()));
        }
        if let Some(weak) = self.graph.state.own_weak.get(address) {
            return Ok(quote!(#weak.clone()));
        }
        let is_sync = definition(&shape.name).is_some_and(|path| path.starts_with("alloc::sync::"));
        let (std, owner) =
            if is_sync { (StdType::Arc, "alloc::sync::Arc") } else { (StdType::Rc, "alloc::rc::Rc") };
        let owner = self.name(owner)?;
        if let Some(Some(variable)) = self.scope.shared.get(address) {
            return Ok(quote!(#owner::downgrade(&#variable)));
        }
        if self.is_building(*address) {
            return Err(self.lead_back(*address, true));
        }
        let variable = self.hoist_shared(std, params.first().copied(), value, &owner, None, place)?;
        Ok(quote!(#owner::downgrade(&#variable)))
    }

    /// The way from a shared value's content to a value in it, through fields and cells. It has to end in a cell.
    fn way_to(&self, content: &'a Value, wanted: &Value) -> Option<(Way, &'a Value)> {
        // Fields lead on from what was reached; a cell makes what is in it settable.
        let start = Step { path: TokenStream::new(), settable: None };
        let mut open = vec![(content, start)];
        while let Some((value, step)) = open.pop() {
            if std::ptr::eq(value, wanted) {
                return Some((step.way()?, value));
            }
            let shape = self.types.get(value.ty)?;
            let path = &step.path;
            match (&shape.kind, &value.data) {
                (TypeKind::Struct { .. }, Data::Struct(fields)) => {
                    let literal =
                        definition(&shape.name).is_some_and(|path| self.names.literal(&path).is_ok());
                    for field in fields.iter().filter(|_| literal) {
                        let name = member(&field.name)?;
                        open.push((&field.value, step.field(quote!(#path.#name))));
                    }
                }
                (TypeKind::Tuple(_), Data::Tuple(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        let name = member(&index.to_string())?;
                        open.push((item, step.field(quote!(#path.#name))));
                    }
                }
                (TypeKind::Std { std, .. }, Data::Cell { inner, .. }) => {
                    let (path, settable) = match std {
                        StdType::RefCell => (quote!(#path.borrow_mut()), Settable::Guard),
                        StdType::Mutex => (quote!(#path.lock().unwrap()), Settable::Guard),
                        StdType::RwLock => (quote!(#path.write().unwrap()), Settable::Guard),
                        StdType::Cell => (path.clone(), Settable::Cell),
                        _ => continue,
                    };
                    open.push((inner, Step { path, settable: Some(settable) }));
                }
                (TypeKind::Std { std: StdType::Box, .. }, Data::Pointer { to: Some(to), .. }) => {
                    let settable = step.settable.and(Some(Settable::Behind));
                    open.push((to, Step { path: path.clone(), settable }));
                }
                (
                    TypeKind::Std { std: StdType::Rc | StdType::Arc, .. },
                    Data::Pointer { to: Some(to), .. },
                ) if graph::counted(value, self.types)
                    .is_some_and(|(address, _)| !self.scope.shared.contains_key(&address)) =>
                {
                    open.push((to, Step { path: path.clone(), settable: None }));
                }
                _ => {}
            }
        }
        None
    }
}

/// What a cell lets one do with what it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settable {
    /// A guard stands here.
    Guard,
    /// A field behind a guard.
    Place,
    /// What a box in such a place holds: only its fields.
    Behind,
    /// Only as a whole.
    Cell,
}

/// A place on the way.
#[derive(Clone)]
struct Step {
    path: TokenStream,
    settable: Option<Settable>,
}

impl Step {
    fn field(&self, path: TokenStream) -> Step {
        let settable = match self.settable {
            Some(Settable::Guard | Settable::Place | Settable::Behind) => Some(Settable::Place),
            Some(Settable::Cell) | None => None,
        };
        Step { path, settable }
    }

    fn way(&self) -> Option<Way> {
        let path = self.path.clone();
        Some(match self.settable? {
            Settable::Guard => Way::Assign { path, dereferenced: true },
            Settable::Place => Way::Assign { path, dereferenced: false },
            Settable::Cell => Way::Set { path },
            Settable::Behind => return None,
        })
    }
}

/// A field as it stands behind a dot.
fn member(name: &str) -> Option<TokenStream> {
    match name.parse::<u32>() {
        Ok(index) => {
            let index = proc_macro2::Literal::u32_unsuffixed(index);
            Some(quote!(#index))
        }
        Err(_) => identifier(name).map(|name| quote!(#name)),
    }
}
