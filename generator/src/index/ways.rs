//! How the public functions of a type build a value of it: what each makes of its parameters, through the constructors of
//! the workspace that it calls. In: a definition. Out: its ways, for whoever has a value and looks for the one that leads
//! to it. Never guesses: what is not plain is unknown.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use syn::{Expr, FnArg, Lit, Pat, Type};

use crate::names::{Defaults, Names, Wrapped, WrittenDefault};
use crate::ways::{Begin, Made, Step, Through, Ways};

use super::ids::{ItemId, ModuleId, plain};
use super::items::{FieldList, ItemKind};
use super::naming::{NamesAt, ident};
use super::plain::{Does, Plain, changes_in_place, member, number};
use super::resolve::{Def, Space};
use super::signature::gives_own;
use super::{FunctionItem, Owner};

/// Calls within calls are followed so far.
const MAX_DEPTH: u32 = 8;
/// Types of std whose `new` puts its argument into a cell, besides the atomics.
const CELLS: [&str; 5] = [
    "std::cell::Cell",
    "std::cell::RefCell",
    "std::cell::UnsafeCell",
    "std::sync::Mutex",
    "std::sync::RwLock",
];
/// Functions of std that give a null pointer.
const NULLS: [&str; 2] = ["std::ptr::null", "std::ptr::null_mut"];
/// Expressions that are looked at for one type.
const MAX_EXPRESSIONS: u32 = 20_000;

/// What the names in a body mean, the last one first.
#[derive(Clone)]
struct Scope<'s> {
    module: ModuleId,
    /// What `Self` is.
    own: Option<ItemId>,
    names: Vec<(String, Known)>,
    budget: &'s Cell<u32>,
    depth: u32,
}

/// What is known of a variable.
#[derive(Clone)]
struct Known {
    made: Made,
    /// As what a parameter takes it.
    takes: Takes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A value of one type.
    Value,
    /// `impl Into<…>`, or a generic parameter.
    Open,
    /// `&str`.
    Text,
    /// `&[T]`.
    Slice,
}

impl NamesAt<'_> {
    /// The ways to a value of a struct of another crate than the test stands in.
    pub(super) fn ways_of(&self, definition: &str) -> Option<Rc<Ways>> {
        let Def::Item(id) = self.definition(definition).ok()? else { return None };
        if let Some(known) = self.ways.borrow().get(&id) {
            return known.clone();
        }
        let found = self.find_ways(definition, id).map(Rc::new);
        self.ways.borrow_mut().insert(id, found.clone());
        found
    }

    fn find_ways(&self, definition: &str, id: ItemId) -> Option<Ways> {
        let ItemKind::Struct(_) = self.index().item(id).kind else { return None };
        if id.krate == self.module.krate {
            return None;
        }
        let path = self.path(definition).ok()?;
        let budget = Cell::new(MAX_EXPRESSIONS);
        let mut begins: Vec<Begin> = Vec::new();
        let mut steps = Vec::new();
        for function in &self.index().source(id.krate).functions {
            let Some(plain) = &function.plain else { continue };
            let is_default = is_default(function) && self.stands_for_self(function, id);
            if !is_default && (!self.is_callable_of(function, id) || function.attributes.hidden) {
                continue;
            }
            let gives_own =
                gives_own(&function.signature.output, &self.index().item(id).name) == Some(Wrapped::No);
            let Ok(name) = ident(&function.name) else { continue };
            let scope = || parameters(function, id, &budget);
            let in_place = changes_in_place(&function.signature);
            // `self`, and what is set.
            let is_step = (gives_own || in_place) && function.signature.inputs.len() == 2;
            let method = name.clone();
            match &plain.does {
                Does::Gives(_) if gives_own => {
                    let makes = scope().map_or(Made::Unknown, |scope| self.outcome_of(plain, scope));
                    let parameters = function.signature.inputs.len();
                    begins.push(Begin { function: name, parameters, makes });
                }
                Does::Sets(field, _) if is_step => {
                    let Some(scope) = scope() else { continue };
                    let makes = self.outcome_of(plain, scope);
                    let field = field.clone();
                    steps.push(Step { method, field, makes, in_place, appends: false, unless_empty: None });
                }
                Does::Appends { field, unless_empty, .. } if is_step => {
                    let Some(parameters) = scope() else { continue };
                    let makes = self.outcome_of(plain, parameters.clone());
                    let scope = self.with_lets(plain, parameters);
                    let unless_empty = match unless_empty {
                        None => None,
                        Some(place) => match part_of_argument(place, &scope) {
                            Some(path) => Some(path),
                            None => continue,
                        },
                    };
                    let field = field.clone();
                    steps.push(Step { method, field, makes, in_place, appends: true, unless_empty });
                }
                _ => {}
            }
        }
        if self.defaults_of(definition) != Defaults::Unknown {
            begins.push(Begin { function: ident("default").ok()?, parameters: 0, makes: Made::Default });
        }
        steps.retain(|step| !matches!(step.makes, Made::Unknown));
        // Those that can be written behind each other come first.
        steps.sort_by_key(|step| step.in_place);
        begins.retain(|begin| !matches!(begin.makes, Made::Unknown));
        begins.sort_by_key(|begin| {
            let name = begin.function.to_string();
            (begin.parameters, name != "new", name != "default", name)
        });
        (!begins.is_empty()).then_some(Ways { path, begins, steps })
    }

    /// What a written `impl Default` of a struct gives; of its own type, whose other functions may be called `default`, too.
    pub(super) fn written_default_of(&self, definition: &str) -> Option<WrittenDefault> {
        let Def::Item(id) = self.definition(definition).ok()? else { return None };
        let is_of_it = |function: &&FunctionItem| {
            is_default(function)
                && self.stands_for_self(function, id)
                && self.reach.resolver.is_built(&function.cfg, id.krate)
        };
        let functions = &self.index().source(id.krate).functions;
        // An own function by that name is what the path means.
        let is_own = |function: &FunctionItem| {
            let inherent = matches!(function.owner, Owner::Inherent { .. });
            inherent && function.name == "default" && self.stands_for_self(function, id)
        };
        let mut found = functions.iter().filter(is_of_it);
        let (Some(function), None, false) = (found.next(), found.next(), functions.iter().any(is_own)) else {
            return None;
        };
        let budget = Cell::new(MAX_EXPRESSIONS);
        let makes = self.outcome_of(function.plain.as_ref()?, parameters(function, id, &budget)?);
        Some(WrittenDefault { makes, takes_others: !self.implements(definition, "Drop") })
    }

    fn stands_for_self(&self, function: &FunctionItem, id: ItemId) -> bool {
        function.self_type().is_some_and(|own| self.stands_for(function, own, id))
    }

    /// What a function gives, or sets, with these parameters.
    fn outcome_of(&self, plain: &Plain, scope: Scope<'_>) -> Made {
        let scope = self.with_lets(plain, scope);
        match &plain.does {
            Does::Gives(expr) | Does::Sets(_, expr) => self.made(expr, &scope),
            Does::Appends { item, .. } => self.made(item, &scope),
        }
    }

    fn with_lets<'s>(&self, plain: &Plain, mut scope: Scope<'s>) -> Scope<'s> {
        for (name, expr) in &plain.lets {
            let made = expr.as_ref().map_or(Made::Unknown, |expr| self.made(expr, &scope));
            scope.names.push((name.clone(), Known { made, takes: Takes::Value }));
        }
        scope
    }

    fn made(&self, expr: &Expr, scope: &Scope<'_>) -> Made {
        let Some(left) = scope.budget.get().checked_sub(1) else { return Made::Unknown };
        scope.budget.set(left);
        if let Some(number) = number(expr) {
            return Made::Number(number);
        }
        match expr {
            Expr::Paren(inner) => self.made(&inner.expr, scope),
            Expr::Group(inner) => self.made(&inner.expr, scope),
            Expr::Lit(literal) => match &literal.lit {
                Lit::Float(float) => float.base10_parse().map_or(Made::Unknown, Made::Float),
                Lit::Str(text) => Made::Text(text.value()),
                Lit::Char(char) => Made::Char(char.value()),
                Lit::Byte(byte) => Made::Number(i128::from(byte.value())),
                _ => Made::Unknown,
            },
            Expr::Path(path) if path.qself.is_none() => self.named(&path.path, scope),
            Expr::MethodCall(call) if call.args.is_empty() => {
                let Some(known) = variable(&call.receiver, scope) else { return Made::Unknown };
                through(known, &call.method.to_string(), scope.budget)
            }
            Expr::Call(call) => self.called(call, scope),
            Expr::Macro(call) if call.mac.path.is_ident("vec") && call.mac.tokens.is_empty() => Made::Blank,
            Expr::Struct(literal) => self.literal_of_struct(literal, scope),
            _ => Made::Unknown,
        }
    }

    /// A variable, a variant or a unit.
    fn named(&self, path: &syn::Path, scope: &Scope<'_>) -> Made {
        if let Some(name) = path.get_ident().map(plain)
            && let Some((_, known)) = scope.names.iter().rev().find(|(own, _)| *own == name)
        {
            return copied(&known.made, scope.budget);
        }
        let defs = self.meanings(path, scope, Space::Values);
        match defs.as_slice() {
            [Def::Std(name)] if name.ends_with("::None") || name.ends_with("::PhantomData") => Made::Blank,
            [Def::Variant(_, name)] => Made::Variant(name.clone()),
            [Def::Item(id)] => match &self.index().item(*id).kind {
                ItemKind::Struct(fields) if fields.fields.is_empty() => Made::Blank,
                _ => Made::Unknown,
            },
            _ => Made::Unknown,
        }
    }

    fn meanings(&self, path: &syn::Path, scope: &Scope<'_>, space: Space) -> Vec<Def> {
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        if names.first().is_some_and(|first| first == "Self") {
            return match names.as_slice() {
                [_] => scope.own.map(Def::Item).into_iter().collect(),
                _ => Vec::new(),
            };
        }
        self.reach.resolver.path(scope.module, &names, path.leading_colon.is_some(), false, space)
    }

    /// `Point(1, 2)`, `point(1, 2)`, `Style::new()`, `Some(1)`, `String::from(name)`.
    fn called(&self, call: &syn::ExprCall, scope: &Scope<'_>) -> Made {
        let Expr::Path(function) = &*call.func else { return Made::Unknown };
        if function.qself.is_some() {
            return Made::Unknown;
        }
        let path = &function.path;
        let arguments: Vec<&Expr> = call.args.iter().collect();
        let Some(last) = path.segments.last().map(|last| plain(&last.ident)) else { return Made::Unknown };
        if path.segments.len() == 1 {
            let defs = self.meanings(path, scope, Space::Values);
            return match (defs.as_slice(), arguments.as_slice()) {
                ([Def::Std(name)], [inner]) if name.ends_with("::Some") => {
                    Made::Some(Box::new(self.made(inner, scope)))
                }
                _ => self.called_item(&defs, &arguments, scope),
            };
        }
        let mut of = path.clone();
        of.segments.pop();
        of.segments.pop_punct();
        let types = self.meanings(&of, scope, Space::Types);
        if let [Def::Item(id)] = types.as_slice() {
            let functions = &self.index().source(id.krate).functions;
            let found = functions.iter().find(|own| {
                let of_type = matches!(own.owner, Owner::Inherent { .. }) || is_default(own);
                own.name == last && of_type && self.stands_for_self(own, *id)
            });
            // How another crate keeps its texts is its own business, and has a rule.
            let text = text_of(&last, &arguments, scope);
            if id.krate != scope.module.krate && text != Made::Unknown {
                return text;
            }
            if let Some(found) = found {
                return self.result_of(found, Some(*id), &arguments, scope);
            }
        }
        if let [Def::Std(of)] = types.as_slice()
            && let Some(cell) = self.cell(of, &last, &arguments, scope)
        {
            return cell;
        }
        if arguments.is_empty() {
            return match last.as_str() {
                "null" | "null_mut" => {
                    self.called_item(&self.meanings(path, scope, Space::Values), &[], scope)
                }
                "default" => Made::Default,
                "new" => Made::Blank,
                "empty" => Made::NoFlags,
                _ => Made::Unknown,
            };
        }
        let text = text_of(&last, &arguments, scope);
        if text != Made::Unknown {
            return text;
        }
        self.called_item(&self.meanings(path, scope, Space::Values), &arguments, scope)
    }

    /// `AtomicUsize::new(0)`, `RefCell::new(name)`, `Cell::default()`.
    fn cell(&self, of: &str, function: &str, arguments: &[&Expr], scope: &Scope<'_>) -> Option<Made> {
        let atomic = of.strip_prefix("std::sync::atomic::Atomic");
        if atomic.is_none() && !CELLS.contains(&of) {
            return None;
        }
        let inner = match (function, arguments) {
            ("new", [inner]) => self.made(inner, scope),
            ("default", []) if atomic == Some("Ptr") => Made::Null,
            ("default", []) => Made::Default,
            _ => return None,
        };
        Some(Made::Cell(Box::new(inner)))
    }

    /// A tuple struct, or a free function.
    fn called_item(&self, defs: &[Def], arguments: &[&Expr], scope: &Scope<'_>) -> Made {
        match defs {
            [Def::Std(name)] if arguments.is_empty() && NULLS.contains(&name.as_str()) => Made::Null,
            [Def::Function(id)] => {
                let functions = &self.index().source(id.krate).functions;
                let Some(function) = functions.get(id.function as usize) else { return Made::Unknown };
                self.result_of(function, None, arguments, scope)
            }
            [Def::Item(id)] => match &self.index().item(*id).kind {
                ItemKind::Struct(FieldList { fields, .. }) if fields.len() == arguments.len() => {
                    let one = |(index, value): (usize, &&Expr)| (index.to_string(), self.made(value, scope));
                    Made::Fields(arguments.iter().enumerate().map(one).collect())
                }
                _ => Made::Unknown,
            },
            _ => Made::Unknown,
        }
    }

    /// What a plain function gives for these arguments.
    fn result_of(
        &self,
        function: &FunctionItem,
        own: Option<ItemId>,
        arguments: &[&Expr],
        scope: &Scope<'_>,
    ) -> Made {
        let (Some(plain), Some(depth)) = (&function.plain, scope.depth.checked_sub(1)) else {
            return Made::Unknown;
        };
        let Some(declared) = declared(function).filter(|own| own.len() == arguments.len()) else {
            return Made::Unknown;
        };
        if !matches!(plain.does, Does::Gives(_)) {
            return Made::Unknown;
        }
        // What a conversion makes of such an argument is not known from here.
        let names = declared.into_iter().zip(arguments).map(|((name, takes), argument)| {
            let made = if takes == Takes::Open { Made::Unknown } else { self.made(argument, scope) };
            (name, Known { made, takes })
        });
        let module = function.module;
        self.outcome_of(plain, Scope { module, own, names: names.collect(), budget: scope.budget, depth })
    }

    fn literal_of_struct(&self, literal: &syn::ExprStruct, scope: &Scope<'_>) -> Made {
        let defs = self.meanings(&literal.path, scope, Space::Types);
        let [Def::Item(id)] = defs.as_slice() else { return Made::Unknown };
        let ItemKind::Struct(list) = &self.index().item(*id).kind else { return Made::Unknown };
        let mut fields: BTreeMap<String, Made> = BTreeMap::new();
        for field in &literal.fields {
            let made = self.made(&field.expr, scope);
            let name = member(&field.member);
            // Of two under opposite conditions one is meant.
            let made = if fields.contains_key(&name) { Made::Unknown } else { made };
            fields.insert(name, made);
        }
        match literal.rest.as_deref().map(|rest| self.made(rest, scope)) {
            None => {}
            Some(Made::Fields(others)) => {
                for (name, made) in others {
                    fields.entry(name).or_insert(made);
                }
            }
            Some(Made::Default) => {
                for field in &list.fields {
                    fields.entry(field.name.clone()).or_insert(Made::Unknown);
                }
            }
            Some(_) => return Made::Unknown,
        }
        Made::Fields(fields)
    }
}

/// The parameters of a function, without its receiver, as what they are: themselves.
fn parameters<'s>(function: &FunctionItem, own: ItemId, budget: &'s Cell<u32>) -> Option<Scope<'s>> {
    let declared = declared(function)?;
    let names = declared.into_iter().enumerate();
    let names = names.map(|(index, (name, takes))| {
        let through = if takes == Takes::Open { Through::Open } else { Through::Itself };
        (name, Known { made: Made::Argument(index, through), takes })
    });
    let (module, own) = (function.module, Some(own));
    Some(Scope { module, own, names: names.collect(), budget, depth: MAX_DEPTH })
}

/// The parameters of a function behind its receiver, where each is a plain name, with how it is taken.
fn declared(function: &FunctionItem) -> Option<Vec<(String, Takes)>> {
    // A parameter of the impl is one type, which the value has.
    let generics: Vec<&syn::Ident> =
        function.signature.generics.type_params().map(|own| &own.ident).collect();
    let takes = |ty: &Type| match ty {
        Type::ImplTrait(_) => Takes::Open,
        Type::Path(path) if generics.iter().any(|generic| path.path.is_ident(*generic)) => Takes::Open,
        Type::Reference(reference) if reference.mutability.is_none() => match &*reference.elem {
            Type::Path(path) if path.path.is_ident("str") => Takes::Text,
            Type::Slice(_) => Takes::Slice,
            _ => Takes::Value,
        },
        _ => Takes::Value,
    };
    let typed = function.signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    typed
        .map(|argument| {
            let Pat::Ident(name) = &*argument.pat else { return None };
            let is_plain = name.mutability.is_none() && name.by_ref.is_none() && name.subpat.is_none();
            is_plain.then(|| (plain(&name.ident), takes(&argument.ty)))
        })
        .collect()
}

/// The variable that an expression is.
fn variable<'s>(expr: &Expr, scope: &'s Scope<'_>) -> Option<&'s Known> {
    let Expr::Path(path) = expr else { return None };
    let name = plain(path.path.get_ident()?);
    scope.names.iter().rev().find(|(own, _)| *own == name).map(|(_, known)| known)
}

/// What a conversion makes of a variable.
fn through(known: &Known, method: &str, budget: &Cell<u32>) -> Made {
    match (method, known.takes, &known.made) {
        ("into", Takes::Open, made) => copied(made, budget),
        ("into" | "to_owned" | "to_string", Takes::Text, Made::Argument(index, Through::Itself)) => {
            Made::Argument(*index, Through::Text)
        }
        ("into" | "to_owned" | "to_string", Takes::Text, Made::Text(text)) => Made::Text(text.clone()),
        ("to_vec" | "into" | "to_owned", Takes::Slice, Made::Argument(index, Through::Itself)) => {
            Made::Argument(*index, Through::Slice)
        }
        _ => Made::Unknown,
    }
}

/// `String::from(name)`, `CompactString::const_new(name)`: a text that owns, as far as the value turns out to be one.
fn text_of(function: &str, arguments: &[&Expr], scope: &Scope<'_>) -> Made {
    match arguments {
        [only] if matches!(function, "from" | "new" | "const_new") => {
            variable(only, scope).map_or(Made::Unknown, |known| through(known, "to_owned", scope.budget))
        }
        _ => Made::Unknown,
    }
}

/// The fields of the argument that lead to a place.
fn part_of_argument(place: &Expr, scope: &Scope<'_>) -> Option<Vec<String>> {
    match place {
        Expr::Field(field) => {
            let mut path = part_of_argument(&field.base, scope)?;
            path.push(member(&field.member));
            Some(path)
        }
        _ => {
            let known = variable(place, scope)?;
            matches!(known.made, Made::Argument(0, Through::Itself | Through::Open)).then(Vec::new)
        }
    }
}

/// A copy of what a variable is, as far as the budget goes: with each `let b = P(a, a);` it doubles.
fn copied(made: &Made, budget: &Cell<u32>) -> Made {
    let mut open = vec![made];
    while let Some(part) = open.pop() {
        let Some(left) = budget.get().checked_sub(1) else { return Made::Unknown };
        budget.set(left);
        match part {
            Made::Some(inner) | Made::Cell(inner) => open.push(inner),
            Made::Fields(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
    made.clone()
}

/// `impl Default for …`.
fn is_default(function: &FunctionItem) -> bool {
    let Owner::TraitImpl { trait_path, .. } = &function.owner else { return false };
    let of_default = trait_path.segments.last().is_some_and(|last| last.ident == "Default");
    of_default && function.name == "default"
}
