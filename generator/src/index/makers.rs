//! Functions that make values of a type. Where a type's fields do not tell how to build it, a call of one of them does: a
//! second run sees what they were given. In: a type. Out: the functions, and what each is to it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use relapse_snapshot::{Location, Made, TypeTable};
use syn::{FnArg, Receiver, ReceiverKind, ReturnType, Safety, Type};

use crate::names::{Callbacks, ReceivedBy, Wrapped};

use super::access::Touches;
use super::held::Held;
use super::ids::{FunctionId, ItemId, ModuleId, Visibility};
use super::items::ItemKind;
use super::naming::NamesAt;
use super::resolve::Def;
use super::{FunctionItem, Package, SourceIndex, signature};

mod history;

/// The calls of one run that made values, oldest first.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Recorded<'a> {
    /// What was seen.
    pub(crate) calls: &'a [Made],
    /// The types of what they were given.
    pub(crate) types: Option<&'a TypeTable>,
    /// Which of the ways to make a value is taken.
    pub(crate) turn: usize,
    /// Whether an argument is made so although it can be written: what was read of it does not show the crash.
    pub(crate) first: bool,
    /// Which closures have a stand-in.
    pub(crate) callbacks: Callbacks,
}

impl Recorded<'_> {
    /// Whether nothing was seen.
    pub(crate) fn is_empty(self) -> bool {
        self.calls.is_empty()
    }

    /// How many of the calls that may have made a value are passed over, the last one first.
    fn earlier(self) -> usize {
        self.turn / 2
    }

    /// Whether what is known of the fields is put into what the call made.
    pub(crate) fn with_fields(self) -> bool {
        self.turn % 2 == 1
    }
}

/// Methods that give access to what a value holds: what is done with that shows in no call.
const GIVES_ACCESS: [&str; 6] = ["deref_mut", "index_mut", "borrow_mut", "as_mut", "drop", "by_ref"];
/// Builders of builders that are followed, and builders of one type.
const MOST_BUILDERS: usize = 4;
/// Aliases of aliases are followed this far.
const MOST_ALIASES: usize = 8;
/// Types of parts of values that are followed, and parts of parts.
const MOST_PARTS: usize = 4;
/// The rank of what tells the least of a value: see [`NamesAt::ranked_makers`].
pub(crate) const LAST_RANK: u8 = 4;

/// What a function does for a value of a type. `wrapped`: what it gives it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Makes one of arguments alone.
    Maker { wrapped: Wrapped },
    /// Makes one of a value of another type: a builder.
    Built { of: ItemId, wrapped: Wrapped },
    /// Takes one and gives one.
    Chained { wrapped: Wrapped },
    /// May change one.
    Method,
    /// Is made on a part of one, or makes what could be one.
    OnPart(ItemId),
}

/// A function, and what it does for the values of a type.
type WithRole<'i> = (Option<Role>, &'i FunctionItem);

/// A function that makes or changes values of a type.
pub(super) struct Known {
    role: Option<Role>,
    function: FunctionId,
    declared: Location,
}

/// What was found of the types of one place: a crate may have tens of thousands of functions, of which hundreds make a value
/// of the same few types.
#[derive(Default)]
pub(super) struct KnownMakers {
    /// Those of each type, with where they are declared.
    declared: RefCell<HashMap<ItemId, Rc<Vec<Known>>>>,
    /// Those of each type, with what they are to it, and its parts.
    roles: RefCell<HashMap<ItemId, Rc<Roles>>>,
    /// What functions give that may hold others.
    pub(super) held: Held,
    /// What types in the signatures of functions are.
    parts: RefCell<HashMap<(FunctionId, Part), Option<ItemId>>>,
}

/// Functions, each with what it is to a type (none: only to what makes one), and the type's parts.
type Roles = (Vec<(Option<Role>, FunctionId)>, Vec<ItemId>);

/// A type in a function's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// What it gives.
    Result,
    /// What is wrapped in that.
    Within,
    /// What it gives where it fails.
    Error,
    /// What it belongs to.
    Own,
}

impl<'i> NamesAt<'i> {
    /// The names for a test whose values may be made as these calls made them.
    pub(crate) fn with_made(mut self, made: Recorded<'i>) -> NamesAt<'i> {
        self.made = made;
        self
    }

    /// The functions by which a test here could make a value of the struct or enum at `definition`, and those by which it
    /// could bring it into its state.
    pub(crate) fn makers(&self, definition: &str) -> Vec<&'i FunctionItem> {
        match self.definition(definition) {
            Ok(Def::Item(id)) => self.makers_of(id),
            _ => Vec::new(),
        }
    }

    /// The same, the better ones with smaller numbers: what makes one, what changes one, what gives one only where it fails
    /// or within another one. Any function of a crate may give its error, and the few that did are most often no news.
    pub(crate) fn ranked_makers(&self, definition: &str) -> Vec<(u8, &'i FunctionItem)> {
        let Ok(Def::Item(id)) = self.definition(definition) else { return Vec::new() };
        let ranked = |(role, function): WithRole<'i>| {
            let rank = match role.map(Role::wrapped) {
                Some(Wrapped::Within) => LAST_RANK,
                Some(Wrapped::Error) => 2,
                _ => u8::from(function.signature.receiver().is_some()),
            };
            (rank, function)
        };
        self.own_roles(id).0.into_iter().map(ranked).collect()
    }

    /// Those of the functions that make such a value which give it within another one: a run has to show what they gave.
    pub(crate) fn givers(&self, definition: &str) -> Vec<&'i FunctionItem> {
        let Ok(Def::Item(id)) = self.definition(definition) else { return Vec::new() };
        let gives = |role: Option<Role>| role.is_some_and(|role| role.wrapped() == Wrapped::Within);
        self.own_roles(id).0.into_iter().filter(|(role, _)| gives(*role)).map(|(_, giver)| giver).collect()
    }

    /// The functions that make and change what gives such a value within another one: a reader, an iterator.
    pub(crate) fn makers_of_givers(&self, definition: &str) -> Vec<&'i FunctionItem> {
        let Ok(Def::Item(id)) = self.definition(definition) else { return Vec::new() };
        let mut of_givers = Vec::new();
        for (role, _) in self.own_roles(id).0 {
            if let Some(Role::Built { of, wrapped: Wrapped::Within }) = role
                && !of_givers.contains(&of)
                && of_givers.len() < MOST_BUILDERS
            {
                of_givers.push(of);
            }
        }
        of_givers.into_iter().flat_map(|giver| self.makers_of(giver)).collect()
    }

    fn makers_of(&self, id: ItemId) -> Vec<&'i FunctionItem> {
        self.own_roles(id).0.into_iter().map(|(_, function)| function).collect()
    }

    /// The functions that could change such a value through a part of it, and those that make what could be one.
    pub(crate) fn functions_on_parts(&self, definition: &str) -> Vec<&'i FunctionItem> {
        let Ok(Def::Item(id)) = self.definition(definition) else { return Vec::new() };
        let (own, parts) = self.own_roles(id);
        self.roles_on_parts(&own, parts).into_iter().map(|(_, function)| function).collect()
    }

    /// The same, with what they are to the type, and its parts; the methods of builders and the like are nothing to it.
    fn own_roles(&self, id: ItemId) -> (Vec<WithRole<'i>>, Vec<ItemId>) {
        let known = self.known_makers.roles.borrow().get(&id).map(Rc::clone);
        let known = known.unwrap_or_else(|| {
            let (own, parts) = self.find_own_roles(id);
            let found = Rc::new((own.into_iter().map(|(role, own)| (role, own.id)).collect(), parts));
            self.known_makers.roles.borrow_mut().insert(id, Rc::clone(&found));
            found
        });
        let (own, parts) = &*known;
        (own.iter().map(|(role, own)| (*role, self.index().function(*own))).collect(), parts.clone())
    }

    fn find_own_roles(&self, id: ItemId) -> (Vec<WithRole<'i>>, Vec<ItemId>) {
        let functions = self.index().source(id.krate).functions.iter();
        let mut found: Vec<(Role, &FunctionItem)> =
            functions.filter_map(|function| Some((self.role(function, id)?, function))).collect();
        if self.module.krate != id.krate {
            // A program's own function may give what holds another crate's value.
            let own = self.index().source(self.module.krate).functions.iter();
            let with_role = own.filter_map(|function| Some((self.role(function, id)?, function)));
            found.extend(with_role.filter(|(role, _)| role.wrapped() == Wrapped::Within));
        }
        found.sort_by_key(|(role, _)| (*role == Role::Method, role.wrapped() == Wrapped::Within));
        let (mut built, mut parts): (Vec<ItemId>, Vec<ItemId>) = (Vec::new(), Vec::new());
        for (role, function) in &found {
            match role {
                Role::Built { of, wrapped } if *wrapped != Wrapped::Within && !built.contains(of) => {
                    built.push(*of);
                }
                Role::Method => parts.extend(self.access(function, id).map(|access| access.part)),
                _ => {}
            }
        }
        let mut of_builders = Vec::new();
        for builder in built.into_iter().take(MOST_BUILDERS) {
            let functions = self.index().source(builder.krate).functions.iter();
            let own = functions.filter_map(|function| Some((self.role(function, builder)?, function)));
            of_builders.extend(own.filter(|(role, _)| !matches!(role, Role::Built { .. })));
        }
        of_builders.sort_by_key(|(role, _)| *role == Role::Method);
        let methods = found.iter().position(|(role, _)| *role == Role::Method).unwrap_or(found.len());
        let mut all: Vec<WithRole<'i>> =
            found[..methods].iter().map(|(role, function)| (Some(*role), *function)).collect();
        let (makers, changers): (Vec<_>, Vec<_>) =
            of_builders.into_iter().partition(|(role, _)| *role != Role::Method);
        all.extend(makers.into_iter().map(|(_, function)| (None, function)));
        all.extend(found[methods..].iter().map(|(role, function)| (Some(*role), *function)));
        all.extend(changers.into_iter().map(|(_, function)| (None, function)));
        (all, parts)
    }

    /// The functions that are called on parts of values, and on parts of these. `own`: those of the type itself.
    fn roles_on_parts(&self, own: &[WithRole<'i>], mut parts: Vec<ItemId>) -> Vec<WithRole<'i>> {
        let (mut found, mut at): (Vec<WithRole<'i>>, usize) = (Vec::new(), 0);
        while let Some(part) = parts.get(at).copied().filter(|_| at < MOST_PARTS) {
            if parts[..at].contains(&part) {
                parts.remove(at);
                continue;
            }
            at += 1;
            for function in self.functions_on(part) {
                if let Touches::On { gives: Some(further), .. } = self.touches_part(function, part) {
                    parts.push(further.part);
                }
                if own.iter().chain(&found).all(|(_, known)| known.id != function.id) {
                    found.push((Some(Role::OnPart(part)), function));
                }
            }
        }
        found
    }

    /// The functions that could make what a function takes.
    pub(crate) fn makers_of_arguments(&self, function: &FunctionItem) -> Vec<&'i FunctionItem> {
        let mut found = Vec::new();
        for input in &function.signature.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let ty = match &*typed.ty {
                Type::Reference(to) => &to.elem,
                ty => ty,
            };
            if let Some(id) = self.item_of(function, ty) {
                found.extend(self.makers_of(id));
            }
        }
        found
    }

    /// What a function that could be called here does for a value of the type.
    fn role(&self, function: &FunctionItem, id: ItemId) -> Option<Role> {
        let signature = &function.signature;
        if !self.can_be_called(function)
            || !matches!(self.index().item(id).kind, ItemKind::Struct(_) | ItemKind::Enum(_))
        {
            return None;
        }
        let made = self.made_by(function, id).or_else(|| self.fails_with(function, id));
        let made = made.or_else(|| self.may_hold(function, id).then_some(Wrapped::Within));
        let Some(receiver) = signature.receiver() else {
            return made.map(|wrapped| Role::Maker { wrapped });
        };
        let of = self.part_of(function, Part::Own, function.self_type()?)?;
        match (received_by(receiver)?, made) {
            (ReceivedBy::Value, Some(wrapped)) if of == id && wrapped != Wrapped::Within => {
                Some(Role::Chained { wrapped })
            }
            (_, Some(wrapped)) if of != id => Some(Role::Built { of, wrapped }),
            (ReceivedBy::Exclusive, _) if of == id => Some(Role::Method),
            // Why else would anybody call it?
            (ReceivedBy::Shared, _)
                if of == id
                    && signature::gives_nothing(&signature.output)
                    && !signature.inputs.iter().any(may_be_written_into)
                    && self.changes_within(id) =>
            {
                Some(Role::Method)
            }
            _ => None,
        }
    }

    /// Whether a test here could call a function for what it does to values.
    pub(super) fn can_be_called(&self, function: &FunctionItem) -> bool {
        let signature = &function.signature;
        let resolver = &self.reach.resolver;
        signature.asyncness.is_none()
            && signature.variadic.is_none()
            && !matches!(signature.safety, Safety::Unsafe(_))
            && function.nested_in.is_none()
            && !function.attributes.hidden
            && !GIVES_ACCESS.contains(&function.name.as_str())
            && resolver.visible(function.visibility, function.id.krate, Some(self.module))
            && resolver.is_built(&function.cfg, function.id.krate)
    }

    /// Whether a function gives a value of the type; then what that is wrapped in.
    pub(super) fn made_by(&self, function: &FunctionItem, id: ItemId) -> Option<Wrapped> {
        let ReturnType::Type(_, result) = &function.signature.output else { return None };
        if self.part_of(function, Part::Result, result) == Some(id) {
            return Some(Wrapped::No);
        }
        let (inner, wrapped) = signature::wrapped(result)?;
        (self.part_of(function, Part::Within, inner) == Some(id)).then_some(wrapped)
    }

    /// The struct or enum that one of the types of a function's signature is, looked up once.
    pub(super) fn part_of(&self, function: &FunctionItem, part: Part, ty: &Type) -> Option<ItemId> {
        let key = (function.id, part);
        if let Some(known) = self.known_makers.parts.borrow().get(&key) {
            return *known;
        }
        let found = match part {
            Part::Error => self.error_of(function, ty),
            _ => self.item_of(function, ty),
        };
        self.known_makers.parts.borrow_mut().insert(key, found);
        found
    }

    /// Whether a function gives a value of the type where it fails. Of the calls that hand an error on, the program's own
    /// tells how it comes to be: one that anybody can name.
    fn fails_with(&self, function: &FunctionItem, id: ItemId) -> Option<Wrapped> {
        let ReturnType::Type(_, result) = &function.signature.output else { return None };
        let is_error = function.visibility == Visibility::Public
            && self.part_of(function, Part::Error, result) == Some(id)
            && self.callable(function, &[]).is_ok();
        is_error.then_some(Wrapped::Error)
    }

    /// The struct or enum that a `Result` of a function has for what went wrong: written there, or in an alias.
    fn error_of(&self, function: &FunctionItem, result: &Type) -> Option<ItemId> {
        if let Some(error) = signature::error(result) {
            return self.item_of(function, error);
        }
        let Type::Path(path) = result else { return None };
        if path.qself.is_some() || !signature::is_result(result) {
            return None;
        }
        let alias = self.index().item(self.reach.resolver.item_at(function.module, &path.path)?);
        let ItemKind::Alias(to) = &alias.kind else { return None };
        self.item_from(alias.module, function, signature::error(to)?)
    }

    /// The struct or enum that a type in a function's signature is.
    pub(super) fn item_of(&self, function: &FunctionItem, ty: &Type) -> Option<ItemId> {
        self.item_from(function.module, function, ty)
    }

    /// The struct or enum that a type is that is written in that module.
    fn item_from(&self, module: ModuleId, function: &FunctionItem, ty: &Type) -> Option<ItemId> {
        let (mut ty, mut module) = (ty, module);
        for _ in 0..MOST_ALIASES {
            let Type::Path(path) = ty else { return None };
            if path.qself.is_some() {
                return None;
            }
            if path.path.is_ident("Self") {
                (ty, module) = (function.self_type().filter(|own| !is_self(own))?, function.module);
                continue;
            }
            let id = self.reach.resolver.item_at(module, &path.path)?;
            let item = self.index().item(id);
            match &item.kind {
                ItemKind::Alias(to) => (ty, module) = (to, item.module),
                _ => return Some(id),
            }
        }
        None
    }

    /// The functions by which a value of the type is made and changed, each with where it is declared.
    fn known_makers(&self, id: ItemId) -> Rc<Vec<Known>> {
        if let Some(known) = self.known_makers.declared.borrow().get(&id) {
            return Rc::clone(known);
        }
        let of = |(role, function): WithRole<'i>| Known {
            role,
            function: function.id,
            declared: self.index().declared(function),
        };
        let (own, parts) = self.own_roles(id);
        let on_parts = self.roles_on_parts(&own, parts);
        let known: Rc<Vec<Known>> = Rc::new(own.into_iter().chain(on_parts).map(of).collect());
        self.known_makers.declared.borrow_mut().insert(id, Rc::clone(&known));
        known
    }
}

impl Role {
    fn wrapped(self) -> Wrapped {
        match self {
            Role::Maker { wrapped } | Role::Chained { wrapped } | Role::Built { wrapped, .. } => wrapped,
            Role::Method | Role::OnPart(_) => Wrapped::No,
        }
    }
}

/// How a receiver is taken; `None` for a pointer like `Box<Self>`.
pub(super) fn received_by(receiver: &Receiver) -> Option<ReceivedBy> {
    match &receiver.kind {
        ReceiverKind::Value => Some(ReceivedBy::Value),
        ReceiverKind::Reference(_, _, Some(_)) => Some(ReceivedBy::Exclusive),
        ReceiverKind::Reference(_, _, None) => Some(ReceivedBy::Shared),
        _ => None,
    }
}

fn is_self(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.is_ident("Self"))
}

/// Whether a parameter lets what is called write into it: `f` of `fmt`, `state` of `hash`.
fn may_be_written_into(input: &FnArg) -> bool {
    matches!(input, FnArg::Typed(typed) if matches!(&*typed.ty, Type::Reference(to) if to.mutability.is_some()))
}

impl<'i> NamesAt<'i> {
    /// The function that stands at a place, as snapshots have it.
    pub(crate) fn function_at(&self, place: &Location) -> Option<&'i FunctionItem> {
        let index = self.index();
        let may_hold = |package: &&Package| {
            package.local || place.file.starts_with(&format!("{}-{}/", package.name, package.version))
        };
        let crates = index.packages().iter().filter(may_hold).flat_map(|package| &package.crates);
        let mut functions = crates.flat_map(|krate| &index.source(*krate).functions);
        functions
            .find(|function| function.head_line == place.line && index.declared(function).file == place.file)
    }
}

impl SourceIndex {
    /// Where a function is declared, as snapshots have it.
    pub(crate) fn declared(&self, function: &FunctionItem) -> Location {
        let package = self.package(function.id.krate);
        let file = if package.local {
            function.file.clone()
        } else {
            let within = self.workspace_root().join(&function.file);
            let within = crate::paths::normalized(&within);
            let within = within.strip_prefix(&package.folder).unwrap_or(&within).display().to_string();
            format!("{}-{}/{within}", package.name, package.version)
        };
        Location { file, line: function.head_line, column: 0 }
    }
}
