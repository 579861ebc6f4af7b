//! What a value that a function gives may hold: `Message` of `io::Result<Option<Message>>`, and what the variants of that
//! hold. In: a function. Out: the structs and enums in its result as the source has them. A variant that was given, and
//! where in it a value was, is for a run to show.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::names::Taken;

use super::function::Owner;
use super::ids::{FunctionId, ItemId, ModuleId};
use super::items::{FieldItem, ItemKind};
use super::naming::NamesAt;
use super::resolve::Def;
use super::{FunctionItem, signature};

/// Types within types that are followed.
const DEEPEST: usize = 4;
/// Types that one function's result may hold.
const MOST_TYPES: usize = 64;
/// Types that are written within one.
const MOST_WRITTEN: usize = 64;

/// What was found so far.
#[derive(Default)]
pub(super) struct Held {
    of_functions: RefCell<HashMap<FunctionId, Rc<BTreeSet<ItemId>>>>,
    of_items: RefCell<HashMap<ItemId, Rc<BTreeSet<ItemId>>>>,
}

impl NamesAt<'_> {
    /// Whether what a function gives may hold a value of the type.
    pub(super) fn may_hold(&self, function: &FunctionItem, id: ItemId) -> bool {
        let known = self.known_makers.held.of_functions.borrow().get(&function.id).map(Rc::clone);
        let held = known.unwrap_or_else(|| {
            let held = Rc::new(self.held_in_result(function));
            self.known_makers.held.of_functions.borrow_mut().insert(function.id, Rc::clone(&held));
            held
        });
        held.contains(&id)
    }

    fn held_in_result(&self, function: &FunctionItem) -> BTreeSet<ItemId> {
        let ReturnType::Type(_, result) = &function.signature.output else { return BTreeSet::new() };
        let mut level = self.written_in(function.module, result, Some(function));
        let mut found = BTreeSet::new();
        for _ in 0..DEEPEST {
            let mut next = BTreeSet::new();
            for id in level {
                if found.len() < MOST_TYPES && found.insert(id) {
                    next.extend(self.parts_of(id).iter().copied());
                }
            }
            level = next;
        }
        found
    }

    /// The structs and enums of which a value of a type is made, as far as a pattern here can see them.
    fn parts_of(&self, id: ItemId) -> Rc<BTreeSet<ItemId>> {
        if let Some(known) = self.known_makers.held.of_items.borrow().get(&id) {
            return Rc::clone(known);
        }
        let item = self.index().item(id);
        let fields: Vec<&FieldItem> = match &item.kind {
            ItemKind::Struct(fields) => fields.fields.iter().filter(|field| self.sees(field, id)).collect(),
            ItemKind::Enum(variants) => variants.iter().flat_map(|variant| &variant.fields.fields).collect(),
            _ => Vec::new(),
        };
        let fields = fields.into_iter().take(MOST_TYPES);
        let found: BTreeSet<ItemId> =
            fields.flat_map(|field| self.written_in(item.module, &field.ty, None)).collect();
        let found = Rc::new(found);
        self.known_makers.held.of_items.borrow_mut().insert(id, Rc::clone(&found));
        found
    }

    fn sees(&self, field: &FieldItem, of: ItemId) -> bool {
        self.reach.resolver.visible(field.visibility, of.krate, Some(self.module))
    }

    /// The structs and enums that a type names which is written in a module, in the head of a function or in an item. What
    /// is lent is nothing that could be taken out, and an error no news: any function of a crate may give it.
    fn written_in(&self, module: ModuleId, ty: &Type, function: Option<&FunctionItem>) -> BTreeSet<ItemId> {
        let (mut open, mut found) = (vec![(module, ty)], BTreeSet::new());
        for _ in 0..MOST_WRITTEN {
            let Some((module, ty)) = open.pop() else { break };
            let path = match ty {
                Type::Tuple(items) => {
                    open.extend(items.elems.iter().map(|item| (module, item)));
                    continue;
                }
                Type::Paren(inner) => {
                    open.push((module, &inner.elem));
                    continue;
                }
                Type::Group(inner) => {
                    open.push((module, &inner.elem));
                    continue;
                }
                Type::Path(path) if path.qself.is_none() => &path.path,
                _ => continue,
            };
            let own = function.and_then(|function| own_type(function, path));
            if let Some((of_impl, own)) = own {
                open.push((of_impl, own));
                continue;
            }
            if let Some(last) = path.segments.last()
                && let PathArguments::AngleBracketed(arguments) = &last.arguments
            {
                let types = arguments.args.iter().filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some((module, ty)),
                    _ => None,
                });
                open.extend(types.take(if signature::is_result(ty) { 1 } else { MOST_WRITTEN }));
            }
            let Some(id) = self.reach.resolver.item_at(module, path) else { continue };
            let item = self.index().item(id);
            match &item.kind {
                ItemKind::Alias(to) => open.push((item.module, &**to)),
                ItemKind::Struct(_) | ItemKind::Enum(_) => {
                    found.insert(id);
                }
                _ => {}
            }
        }
        found
    }

    /// Whether a pattern here can take these steps.
    pub(super) fn can_take(&self, steps: &[Taken]) -> bool {
        steps.iter().all(|step| match step {
            Taken::Field { definition, variant, field, .. } => {
                self.can_match(definition, variant.as_deref(), field)
            }
            Taken::Element { .. } | Taken::Item(_) | Taken::Boxed => true,
        })
    }

    fn can_match(&self, definition: &str, variant: Option<&str>, field: &str) -> bool {
        match self.definition(definition) {
            Ok(Def::Std(_)) => matches!(definition, "core::option::Option" | "core::result::Result"),
            Ok(Def::Item(id)) => {
                let item = self.index().item(id);
                let fields = match (&item.kind, variant) {
                    (ItemKind::Struct(fields), None) => Some(fields),
                    (ItemKind::Enum(variants), Some(name)) => variants
                        .iter()
                        .find(|variant| variant.name == name && !variant.non_exhaustive)
                        .map(|v| &v.fields),
                    _ => None,
                };
                let is_open = !item.attributes.non_exhaustive
                    || id.krate == self.module.krate
                    || matches!(item.kind, ItemKind::Enum(_));
                let field = fields.and_then(|fields| fields.fields.iter().find(|known| known.name == field));
                // Nothing can be moved out of what has a destructor of its own (E0509).
                is_open
                    && field.is_some_and(|field| self.sees(field, id))
                    && !self.implements(definition, "Drop")
            }
            _ => false,
        }
    }
}

/// What `Self` and `Self::Item` are in the head of a function, with the module that it is written in.
fn own_type<'f>(function: &'f FunctionItem, path: &syn::Path) -> Option<(ModuleId, &'f Type)> {
    let mut segments = path.segments.iter();
    if segments.next()?.ident != "Self" {
        return None;
    }
    let is_self = |ty: &Type| matches!(ty, Type::Path(path) if path.path.segments.first().is_some_and(|s| s.ident == "Self"));
    let found = match (segments.next(), &function.owner) {
        (None, _) => function.self_type(),
        (Some(name), Owner::TraitImpl { types, .. }) => {
            types.iter().find(|(known, _)| name.ident == *known).map(|(_, ty)| ty)
        }
        _ => None,
    };
    found.filter(|ty| !is_self(ty)).map(|ty| (function.module, ty))
}
