//! Raw pointers, `NonNull` and `AtomicPtr`: what was read behind one is put into a `Box` that nobody frees. Pointers to one
//! place share one; pointers back to a value that they are part of are set once it exists. Nothing says whether it was one
//! value or the first of several, nor who frees it: what is written with one is suspect.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, Field, StdType, TypeId, TypeKind, TypeTable, Value};

use super::Unwritable;
use super::type_name::definition;
use super::writer::{OPTION, Place, Writer, variable_of};
use crate::hostile::identifier;

/// An address that is no larger and a power of two is the alignment of a pointer that points nowhere.
const LARGEST_DANGLING: u64 = 4096;

/// The allocations of one argument, by address and type.
#[derive(Clone, Default)]
pub(super) struct Allocations {
    known: HashMap<(u64, TypeId), Allocation>,
    /// Fields to set once what they point to exists.
    pending: Vec<Pending>,
}

/// A value behind raw pointers.
#[derive(Clone)]
enum Allocation {
    /// More than one pointer leads to it.
    Shared,
    /// It is being written.
    Begun,
    /// It has this variable.
    Made(Ident),
}

/// A field that points to a value that it is part of.
#[derive(Clone)]
struct Pending {
    holder: Ident,
    field: Ident,
    value: Value,
    targets: Vec<u64>,
}

impl Allocations {
    /// Those that need a variable: more than one pointer leads to them, or one of their own parts does.
    pub(super) fn of(pointers: &HashMap<(u64, TypeId), u32>) -> Allocations {
        let shared = pointers.iter().filter(|(_, times)| **times > 1);
        Allocations {
            known: shared.map(|(key, _)| (*key, Allocation::Shared)).collect(),
            pending: Vec::new(),
        }
    }

    /// How many entries a copy has.
    pub(super) fn entries(&self) -> usize {
        self.known.len() + self.pending.len()
    }

    /// Whether a value is a raw pointer to what has a variable.
    pub(super) fn is_shared(&self, value: &Value, types: &TypeTable) -> bool {
        match (target(types, value.ty), &value.data) {
            (Some(to), Data::Pointer { address, .. }) => self.known.contains_key(&(*address, to)),
            _ => false,
        }
    }
}

/// How many raw pointers lead to what was read behind them, by address and type.
pub(super) fn pointers(root: &Value, types: &TypeTable) -> HashMap<(u64, TypeId), u32> {
    let mut seen: HashMap<(u64, TypeId), u32> = HashMap::new();
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        if let (Some(to), Data::Pointer { address, to: Some(_) }) = (target(types, value.ty), &value.data) {
            *seen.entry((*address, to)).or_default() += 1;
        }
        open.extend(value.children());
    }
    seen
}

/// What a raw pointer's type says that it points to.
fn target(types: &TypeTable, pointer: TypeId) -> Option<TypeId> {
    match &types.get(pointer)?.kind {
        TypeKind::RawPointer { to, .. } => Some(*to),
        TypeKind::Std { std: StdType::NonNull, params } => params.first().copied(),
        _ => None,
    }
}

impl Writer<'_> {
    /// `*const T` or `*mut T`.
    pub(super) fn raw_pointer(
        &mut self,
        value: &Value,
        to: TypeId,
        mutable: bool,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        if let Data::Pointer { address: 0, .. } = &value.data {
            let name = if mutable { "core::ptr::null_mut" } else { "core::ptr::null" };
            let function = self.name(name)?;
            let turbofish = if place.typed { self.turbofish(&[to]) } else { None };
            return Ok(quote!(#function #turbofish()));
        }
        let pointer = self.allocated(value, to)?;
        Ok(if mutable || place.coerces { pointer } else { quote!(#pointer.cast_const()) })
    }

    /// `NonNull<T>`.
    pub(super) fn non_null(
        &mut self,
        value: &Value,
        to: TypeId,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let name = self.name("core::ptr::non_null::NonNull")?;
        if let Data::Pointer { address, to: None } = &value.data
            && address.is_power_of_two()
            && *address <= LARGEST_DANGLING
        {
            let turbofish = if place.typed { self.turbofish(&[to]) } else { None };
            return Ok(quote!(#name #turbofish::dangling()));
        }
        let pointer = self.allocated(value, to)?;
        Ok(quote!(#name::new(#pointer).unwrap()))
    }

    /// A `*mut T` to a value of its own, or to the one that other pointers lead to as well.
    fn allocated(&mut self, value: &Value, to: TypeId) -> Result<TokenStream, Unwritable> {
        let Data::Pointer { address, to: inner } = &value.data else {
            return Err(self.mismatch(self.shape(value.ty)?));
        };
        self.suspect = true;
        let key = (*address, to);
        if let Some(Allocation::Made(variable)) = self.allocations.known.get(&key) {
            return Ok(quote!(#variable));
        }
        if let Some(reason) = self.of_unknown_extent(to) {
            return Err(self.refuse(reason));
        }
        let Some(inner) = inner.as_deref() else {
            return Err(self.refuse(format!("what it points to ({}) was not read", self.types.name(to))));
        };
        let is_shared = self.allocations.known.contains_key(&key);
        if is_shared {
            self.allocations.known.insert(key, Allocation::Begun);
        }
        let (inner, back) = self.without_way_back(inner);
        if !is_shared && back.is_empty() {
            return self.boxed(&inner);
        }
        let wanted = variable_of(self.types, to);
        let variable = self.hoist_as(&wanted, false, true, |writer, _| writer.boxed(&inner))?;
        self.allocations.known.insert(key, Allocation::Made(variable.clone()));
        for (field, value, targets) in back {
            let field = identifier(&field).ok_or_else(|| self.refuse("a field without a name"))?;
            self.allocations.pending.push(Pending { holder: variable.clone(), field, value, targets });
        }
        self.set_fields()?;
        Ok(quote!(#variable))
    }

    /// `Box::into_raw(Box::new(…))`.
    fn boxed(&mut self, inner: &Value) -> Result<TokenStream, Unwritable> {
        let owner = self.name("alloc::boxed::Box")?;
        let place = Place { extended: false, coerces: false, typed: true, operand: false };
        let inner = self.value(inner, place)?;
        Ok(quote!(#owner::into_raw(#owner::new(#inner))))
    }

    /// A value without the fields that point to what is being written, and these.
    fn without_way_back(&self, inner: &Value) -> (Value, Vec<(String, Value, Vec<u64>)>) {
        let (mut without, mut back) = (inner.clone(), Vec::new());
        let Data::Struct(fields) = &mut without.data else { return (without, back) };
        for Field { name, value } in fields {
            let targets = self.ways_back(value);
            if targets.is_empty() {
                continue;
            }
            let Some(nowhere) = self.nowhere(value) else { continue };
            back.push((name.clone(), std::mem::replace(value, nowhere), targets));
        }
        (without, back)
    }

    /// The addresses that a pointer, or an `Option` of one, leads back to.
    fn ways_back(&self, value: &Value) -> Vec<u64> {
        let pointer = self.option_of(value).unwrap_or(value);
        match (target(self.types, pointer.ty), &pointer.data) {
            (Some(to), Data::Pointer { address, to: Some(inner) })
                if matches!(inner.data, Data::Missing(_) | Data::Elsewhere { .. }) =>
            {
                match self.allocations.known.get(&(*address, to)) {
                    Some(Allocation::Begun | Allocation::Made(_)) => vec![*address],
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    fn option_of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match &value.data {
            Data::Variant { name, fields } if name == "Some" => {
                let is_option = definition(self.types.name(value.ty)).as_deref() == Some(OPTION);
                fields.first().filter(|_| is_option).map(|field| &field.value)
            }
            _ => None,
        }
    }

    /// What stands in such a field until what it points to exists.
    fn nowhere(&self, value: &Value) -> Option<Value> {
        let data = match &self.types.get(value.ty)?.kind {
            TypeKind::Enum { .. } => Data::Variant { name: "None".to_owned(), fields: Vec::new() },
            TypeKind::RawPointer { .. } => Data::Pointer { address: 0, to: None },
            TypeKind::Std { std: StdType::NonNull, .. } => Data::Pointer { address: 1, to: None },
            _ => return None,
        };
        Some(Value { data, ..value.clone() })
    }

    /// Sets the fields whose targets all have a variable by now.
    fn set_fields(&mut self) -> Result<(), Unwritable> {
        let made: Vec<u64> = self
            .allocations
            .known
            .iter()
            .filter(|(_, allocation)| matches!(allocation, Allocation::Made(_)))
            .map(|((address, _), _)| *address)
            .collect();
        let pending = std::mem::take(&mut self.allocations.pending);
        let (ready, waiting): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|pending| pending.targets.iter().all(|t| made.contains(t)));
        self.allocations.pending = waiting;
        for Pending { holder, field, value, .. } in ready {
            let place = Place { extended: false, coerces: true, typed: false, operand: false };
            let value = self.value(&value, place)?;
            self.lets.push(quote!(unsafe { (*#holder).#field = #value; }));
        }
        Ok(())
    }

    /// Why a pointer to that type says nothing of how much lies behind it.
    fn of_unknown_extent(&self, to: TypeId) -> Option<String> {
        let shape = self.types.get(to)?;
        let is_unknown = match &shape.kind {
            TypeKind::Integer { bits: 8, .. } | TypeKind::Opaque | TypeKind::Never | TypeKind::Union => true,
            TypeKind::Str | TypeKind::Slice(_) | TypeKind::Dyn | TypeKind::FunctionPointer => true,
            TypeKind::Tuple(items) => items.is_empty(),
            TypeKind::Enum { .. } => shape.name == "core::ffi::c_void",
            TypeKind::Std { std: StdType::Path | StdType::OsStr, .. } => true,
            _ => false,
        };
        is_unknown.then(|| format!("a raw pointer to {}: nothing says how much lies behind it", shape.name))
    }

    /// The pointer in an `AtomicPtr`, within the layers of its type.
    pub(super) fn atomic_pointer(
        &mut self,
        value: &Value,
        place: Place,
    ) -> Option<Result<TokenStream, Unwritable>> {
        let mut at = value;
        loop {
            at = match &at.data {
                Data::Struct(fields) if fields.len() == 1 => &fields[0].value,
                Data::Cell { inner, .. } => inner,
                _ => break,
            };
        }
        let TypeKind::RawPointer { to, .. } = self.types.get(at.ty)?.kind else { return None };
        let pointer = self.raw_pointer(at, to, true, place.within_call());
        let name = self.name("core::sync::atomic::AtomicPtr");
        Some(pointer.and_then(|pointer| name.map(|name| quote!(#name::new(#pointer)))))
    }
}
