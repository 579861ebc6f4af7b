//! References that lead to one thing. In: the arguments of a call. Out: which of their references share a variable
//! (`transfer(&a, &a)`), which lead to what an `Rc` of the call owns (`let bus = Rc::new(…); bus.emit(…)`), and which to an
//! element of a list (`&nodes[1]`). A cell that is borrowed twice tells the difference, and so does `ptr::eq`: what has cells
//! is always kept one, plain data only where a test asks for it, as literals read better.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeShape, TypeTable, Value};

use super::scope::Scope;
use super::type_name::definition;
use super::writer::Writer;
use crate::hostile::literal;

/// Values that are looked into.
const MOST_VALUES: usize = 100_000;
/// Types that are looked into for a cell.
const MOST_TYPES: usize = 1000;
/// Where the value of an `Rc` or `Arc` lies behind its two counts.
const BEHIND_COUNTS: u64 = 16;

/// Where a value lies, and its type there.
type At = (u64, TypeId);

/// What more than one reference of a call leads to.
#[derive(Debug, Clone, Default)]
pub(super) struct Things {
    places: Rc<HashSet<At>>,
    lists: Rc<[List]>,
    /// The variables that the lists have by now.
    variables: Vec<Option<Ident>>,
}

/// A slice that the call is given, of which it is given elements, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct List {
    at: u64,
    item: TypeId,
    size: u64,
    len: u64,
}

impl List {
    /// Which of its elements lies there.
    fn index(&self, (at, ty): At) -> Option<u64> {
        let from = at.checked_sub(self.at)?;
        let index = from.checked_div(self.size)?;
        (ty == self.item && from % self.size == 0 && index < self.len).then_some(index)
    }
}

impl Things {
    /// How many entries a copy has.
    pub(super) fn entries(&self) -> usize {
        self.variables.len()
    }

    fn of(arguments: &[&Value], types: &TypeTable, all: bool) -> Things {
        let (mut times, mut exclusive) = (HashMap::<At, u32>::new(), HashSet::new());
        for value in all_of(arguments) {
            match referent(value, types) {
                Some((at, false)) => *times.entry(at).or_default() += 1,
                Some((at, true)) => {
                    exclusive.insert(at);
                }
                None => {}
            }
        }
        let lists = if all { lists(arguments, types) } else { Vec::new() };
        let lists: Rc<[List]> =
            lists.into_iter().filter(|list| times.keys().any(|at| list.index(*at).is_some())).collect();
        times.retain(|at, times| *times > 1 && !exclusive.contains(at) && (all || has_cell(at.1, types)));
        let places = Rc::new(times.into_keys().collect());
        Things { places, variables: vec![None; lists.len()], lists }
    }

    fn element(&self, at: At) -> Option<(usize, u64)> {
        self.lists.iter().enumerate().find_map(|(list, of)| Some((list, of.index(at)?)))
    }
}

/// Whether a test would keep more things one where it is asked to.
pub(crate) fn have_one_thing(arguments: &[&Value], types: &TypeTable) -> bool {
    let (all, cells) = (Things::of(arguments, types, true), Things::of(arguments, types, false));
    all.places.len() > cells.places.len()
        || !all.lists.is_empty()
        || owned(arguments, types, true).len() > owned(arguments, types, false).len()
}

/// The arguments, by index, that are references to what an `Rc` or `Arc` of the call owns, as such owners; with the types
/// where these are new.
pub(crate) fn as_owners(
    arguments: &[&Value],
    types: &TypeTable,
    all: bool,
) -> (HashMap<usize, Value>, Option<TypeTable>) {
    let (mut owners, mut more) = (HashMap::new(), None::<TypeTable>);
    for (index, pointer) in owned(arguments, types, all) {
        let (Some(reference), Some(shape)) = (arguments.get(index), types.get(pointer.ty)) else { continue };
        let (Data::Pointer { to: Some(to), .. }, Data::Pointer { address, .. }) =
            (&reference.data, &pointer.data)
        else {
            continue;
        };
        let (std, path) = match definition(&shape.name).as_deref() {
            Some("alloc::rc::Rc" | "alloc::rc::Weak") => (StdType::Rc, "alloc::rc::Rc"),
            Some("alloc::sync::Arc" | "alloc::sync::Weak") => (StdType::Arc, "alloc::sync::Arc"),
            _ => continue,
        };
        let is_that = |shape: &TypeShape| match &shape.kind {
            TypeKind::Std { std: of, params } => *of == std && params.first() == Some(&to.ty),
            _ => false,
        };
        let known = types.iter().find(|(_, shape)| is_that(shape)).map(|(ty, _)| ty);
        let ty = known.unwrap_or_else(|| {
            let name = format!("{path}<{}>", types.name(to.ty));
            let kind = TypeKind::Std { std, params: vec![to.ty] };
            more.get_or_insert_with(|| types.clone()).intern(TypeShape { name, size: shape.size, kind })
        });
        let data = Data::Pointer { address: *address, to: Some(to.clone()) };
        owners.insert(index, Value { ty, trust: reference.trust, data });
    }
    (owners, more)
}

/// The arguments that are references to what another pointer of the call owns or refers to weakly, with that pointer.
fn owned<'v>(arguments: &[&'v Value], types: &TypeTable, all: bool) -> Vec<(usize, &'v Value)> {
    let references: HashMap<At, Vec<usize>> =
        arguments.iter().enumerate().fold(HashMap::new(), |mut found, (index, value)| {
            if let Some((at, false)) = referent(value, types)
                && (all || has_cell(at.1, types))
            {
                found.entry(at).or_insert_with(Vec::new).push(index);
            }
            found
        });
    if references.is_empty() {
        return Vec::new();
    }
    let mut found: HashMap<usize, &Value> = HashMap::new();
    for value in all_of(arguments) {
        let Data::Pointer { address, to: Some(to) } = &value.data else { continue };
        let is_owner = matches!(
            types.get(value.ty).map(|shape| &shape.kind),
            Some(TypeKind::Std { std: StdType::Rc | StdType::Arc | StdType::Weak, .. })
        );
        let at = (address.wrapping_add(BEHIND_COUNTS), to.ty);
        for index in references.get(&at).filter(|_| is_owner).into_iter().flatten() {
            found.entry(*index).or_insert(value);
        }
    }
    found.into_iter().collect()
}

/// What the arguments are made of; nothing where that is too much.
fn all_of<'v>(arguments: &[&'v Value]) -> Vec<&'v Value> {
    let (mut found, mut open) = (Vec::new(), arguments.to_vec());
    while let Some(value) = open.pop() {
        if found.len() >= MOST_VALUES {
            return Vec::new();
        }
        found.push(value);
        open.extend(value.children());
    }
    found
}

/// What a reference leads to that has a place of its own, and whether it is exclusive.
fn referent(value: &Value, types: &TypeTable) -> Option<(At, bool)> {
    let TypeKind::Reference { to, mutable } = types.get(value.ty)?.kind else { return None };
    let Data::Pointer { address, to: Some(inner) } = &value.data else { return None };
    // Behind a trait object lies a value of another type.
    let is_sized = types.get(to)?.size.is_some_and(|size| size > 0) && inner.ty == to;
    let unsized_kind = matches!(types.get(to)?.kind, TypeKind::Str | TypeKind::Slice(_) | TypeKind::Dyn);
    (is_sized && !unsized_kind && *address != 0).then_some(((*address, to), mutable))
}

/// The slices among the arguments themselves.
fn lists(arguments: &[&Value], types: &TypeTable) -> Vec<List> {
    let list = |value: &&Value| {
        let TypeKind::Reference { to, mutable: false } = types.get(value.ty)?.kind else { return None };
        let TypeKind::Slice(item) = types.get(to)?.kind else { return None };
        let Data::Pointer { address, to: Some(inner) } = &value.data else { return None };
        let Data::Sequence { items, len } = &inner.data else { return None };
        let size = types.get(item)?.size.filter(|size| *size > 0)?;
        (items.len() as u64 == *len).then_some(List { at: *address, item, size, len: *len })
    };
    arguments.iter().filter_map(list).collect()
}

/// Whether a value of the type can be changed through a shared reference, without going by another one.
fn has_cell(ty: TypeId, types: &TypeTable) -> bool {
    let (mut seen, mut open) = (HashSet::new(), vec![ty]);
    while let Some(ty) = open.pop() {
        if seen.len() >= MOST_TYPES || !seen.insert(ty) {
            continue;
        }
        match types.get(ty).map(|shape| &shape.kind) {
            Some(TypeKind::Std { std, params }) => match std {
                StdType::Cell | StdType::RefCell | StdType::UnsafeCell | StdType::Mutex | StdType::RwLock => {
                    return true;
                }
                StdType::Rc | StdType::Arc | StdType::Weak | StdType::NonNull => {}
                _ => open.extend(params),
            },
            Some(TypeKind::Struct { fields, .. }) => open.extend(fields.iter().map(|field| field.ty)),
            Some(TypeKind::Enum { variants, .. }) => {
                open.extend(variants.iter().flat_map(|variant| &variant.fields).map(|field| field.ty));
            }
            Some(TypeKind::Tuple(items)) => open.extend(items),
            _ => {}
        }
    }
    false
}

impl Scope {
    /// From here on references of these arguments that lead to one thing share its variable: `all`, or those to cells.
    pub(crate) fn keep_one(&mut self, arguments: &[&Value], types: &TypeTable, all: bool) {
        self.things = Things::of(arguments, types, all);
    }
}

impl Writer<'_> {
    /// Where a shared reference leads, if others lead there too. What a call was given long before may have been where another
    /// value is now.
    fn place_of_thing(&self, reference: &Value) -> Option<At> {
        let (at, _) = referent(reference, self.types).filter(|(_, exclusive)| !exclusive)?;
        self.made_before.is_none().then_some(at)
    }

    /// Whether other references lead to the same.
    pub(super) fn is_one_thing(&self, reference: &Value) -> bool {
        let things = &self.scope.things;
        self.place_of_thing(reference)
            .is_some_and(|at| things.places.contains(&at) || things.element(at).is_some())
    }

    /// The reference by the variable that has what it leads to.
    pub(super) fn known_thing(&self, reference: &Value) -> Option<TokenStream> {
        let at = self.place_of_thing(reference)?;
        let things = &self.scope.things;
        if things.places.contains(&at)
            && let Some(variable) = self.scope.borrowed.get(&(at.0, at.1, false))
        {
            return Some(quote!(&#variable));
        }
        let (list, index) = things.element(at)?;
        let variable = things.variables.get(list)?.as_ref()?;
        let index = literal::integer(u128::from(index), false, "usize", false)?;
        Some(quote!(&#variable[#index]))
    }

    /// What a reference leads to has a variable.
    pub(super) fn remember_thing(&mut self, reference: &Value, variable: &Ident) {
        if let Some(at) = self.place_of_thing(reference)
            && self.scope.things.places.contains(&at)
        {
            self.scope.borrowed.insert((at.0, at.1, false), variable.clone());
        }
    }

    /// A slice that the call is given has a variable.
    pub(super) fn remember_list(&mut self, reference: &Value, variable: &Ident) {
        let Data::Pointer { address, .. } = reference.data else { return };
        let things = &mut self.scope.things;
        if let Some(list) = things.lists.iter().position(|list| list.at == address)
            && let Some(known) = things.variables.get_mut(list)
        {
            known.get_or_insert_with(|| variable.clone());
        }
    }
}
