//! Captured values as Rust expressions: one argument becomes the `let` statements before the call and what is
//! passed. In: a value tree, its types, the names at the place of the test. Out: tokens and side files, or
//! the reason why there are none. Never: text of the crashed process other than through `hostile`.

mod at_home;
mod by_kind;
mod callback;
mod chain;
mod chunks;
mod closure;
mod collection;
mod constructed;
mod crate_rules;
mod cycle;
mod defaults;
mod deserialized;
mod dynamic;
mod format;
mod functions;
mod further;
mod graph;
mod identities;
mod lent;
mod lints;
mod made;
mod moments;
mod parts;
mod pointer;
mod raw_pointer;
mod record;
mod repeated;
mod scope;
mod seen_through;
mod sequence;
mod stand_in;
mod std_rules;
mod taken;
mod tape;
mod texts;
mod type_name;
mod uses;
mod vec_macros;
mod ways;
mod writer;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, Trust, TypeId, TypeKind, TypeTable, Value};

use crate::names::Names;
use crate::regression::SideFile;

pub use chunks::in_chunks;
pub use crate_rules::{CrateRules, RuleError, RuleText, built_in as built_in_rules};
pub(crate) use dynamic::{declared_target, principal};
pub use format::{body, format};
pub(crate) use identities::{as_owners, have_one_thing};
pub use moments::Moments;
pub(crate) use moments::{INSTANT, have_moments_apart};
pub(crate) use parts::{PartOf, holds, part_of};
pub use scope::Scope;
pub(crate) use scope::mentions;
pub use stand_in::{Asks, Extent, Implementors, Open, Over, StandIn, StandIns};
pub(crate) use std_rules::{go_over_tables, have_chance_order};
pub(crate) use texts::have_parts;
pub use type_name::{definition, snake_case};
pub use uses::import_repeated;

use writer::{Place, Writer, is_just, variable_of};

/// How one argument of the call is written.
#[derive(Debug, Clone)]
pub struct WrittenArgument {
    /// The variable that holds it: the receiver of a method call. `None` for `()`, which needs none.
    pub variable: Option<Ident>,
    /// Statements before the call: `let s = "…";`, `let mut book = Book { … };`.
    pub lets: Vec<TokenStream>,
    /// What stands in the call's brackets: `s`, `&uuid`, `&mut book`.
    pub pass: TokenStream,
    /// Data too long for a literal.
    pub side_files: Vec<SideFile>,
    /// Nodes of the value tree.
    pub nodes: u64,
    /// How far what is written can be trusted: the worst of the tree; `Suspect` also where a `RefCell` was
    /// borrowed or a lock held at the crash (they are written free, as they must have been before).
    pub trust: Trust,
}

impl WrittenArgument {
    /// One that stands in the call itself, as its caller has it.
    pub fn inline(pass: TokenStream, value: &Value) -> WrittenArgument {
        let (lets, side_files) = (Vec::new(), Vec::new());
        WrittenArgument { variable: None, lets, pass, side_files, nodes: value.nodes(), trust: Trust::Entry }
    }
}

/// Why a value cannot be written, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {reason}")]
pub struct Unwritable {
    /// Which part of the argument: `self.inner.ptr`.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// How much of its type a literal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Literals {
    /// `5`, `Vec::new()`: the call supplies the types.
    #[default]
    Inferred,
    /// `let width: u8 = 5`: the variable says it, where its type can be named; else as `Suffixed`.
    Annotated,
    /// `5u8`, `Vec::<u8>::new()`: for generic parameters, from which the call infers.
    Suffixed,
}

/// Writes one argument. Names are taken from the scope only on success.
pub fn argument_with(
    name: &str,
    value: &Value,
    types: &TypeTable,
    names: &dyn Names,
    scope: &mut Scope,
    literals: Literals,
) -> Result<WrittenArgument, Unwritable> {
    argument_of_any_type(name, value, types, names, scope, literals, &StandIns::default())
}

/// Writes one argument of a call that takes other types in place of some.
pub fn argument_of_any_type(
    name: &str,
    value: &Value,
    types: &TypeTable,
    names: &dyn Names,
    scope: &mut Scope,
    literals: Literals,
    stand_ins: &StandIns,
) -> Result<WrittenArgument, Unwritable> {
    let mut draft = scope.clone();
    let receiver = name == "self";
    let variable = draft.argument(&if receiver { variable_of(types, value.ty) } else { name.to_owned() });
    // A method is looked up by its receiver's type, so `5.trailing()` would not do.
    let how = if receiver && literals == Literals::Inferred { Literals::Suffixed } else { literals };
    let shown = if name.is_empty() || name == "_" { variable.to_string() } else { name.to_owned() };
    let mut writer = Writer::new(types, names, stand_ins, &mut draft, value, shown);
    let (binding, pass) = writer.with_parts(|writer| {
        writer.own = (how != Literals::Annotated).then(|| variable.clone());
        writer.binding(&variable, value.root(), how)
    })?;
    let mut lets = std::mem::take(&mut writer.lets);
    lets.extend(binding);
    let trust = if writer.suspect { Trust::Suspect } else { Trust::Entry };
    let written = WrittenArgument {
        variable: (!pass.is_inline).then_some(variable),
        lets,
        pass: pass.tokens,
        side_files: std::mem::take(&mut writer.side_files),
        nodes: value.nodes(),
        trust: stand_ins.trust(value).max(trust),
    };
    *scope = draft;
    Ok(written)
}

/// What the call is given.
struct Pass {
    tokens: TokenStream,
    /// `()`, or what else stands in the call itself: it has no variable.
    is_inline: bool,
}

impl Writer<'_> {
    /// The variable of an argument and how it is passed: references to sized values are made in the call, so
    /// that the variable is the value itself.
    fn binding(
        &mut self,
        variable: &Ident,
        value: &Value,
        how: Literals,
    ) -> Result<(Option<TokenStream>, Pass), Unwritable> {
        let pass = |tokens| Pass { tokens, is_inline: false };
        let named = |tokens: &TokenStream| is_just(tokens, variable);
        let typed = how == Literals::Suffixed;
        let place = Place::binding(typed);
        if self.stand_ins.of(value.ty).is_some() {
            let (annotation, place) = self.slice_annotation(value.ty, place);
            let tokens = self.value(value, place)?;
            return Ok((
                Some(self.let_statement(variable, false, annotation, &tokens)),
                pass(quote!(#variable)),
            ));
        }
        if let Some(closure) = self.closure_argument(value, how != Literals::Inferred)? {
            return Ok((None, Pass { tokens: closure, is_inline: true }));
        }
        let shape = self.shape(value.ty)?;
        match (&shape.kind, &value.data) {
            (_, Data::Tuple(items)) if items.is_empty() => {
                Ok((None, Pass { tokens: quote!(()), is_inline: true }))
            }
            (TypeKind::Reference { to, mutable }, _) if self.is_passed_by_value(value, *to, typed) => {
                if let Some(known) = self.known_thing(value) {
                    return Ok((None, Pass { tokens: known, is_inline: true }));
                }
                let pointee = self.pointee(value, *to)?;
                let to = &pointee.ty;
                let place = Place { typed: place.typed || self.is_dynamic(value), ..place };
                let (annotation, place) = match self.slice_annotation(*to, place) {
                    (None, place) => self.annotation(*to, how, place),
                    needed => needed,
                };
                let tokens = self.value(&pointee, place)?;
                let statement =
                    (!named(&tokens)).then(|| self.let_statement(variable, *mutable, annotation, &tokens));
                self.remember_thing(value, variable);
                Ok((statement, pass(if *mutable { quote!(&mut #variable) } else { quote!(&#variable) })))
            }
            (TypeKind::Reference { to, mutable: true }, _)
                if !self.is_dynamic(value) || self.dyn_sink(*to).is_some() =>
            {
                let tokens = match self.dyn_sink(*to) {
                    Some(sink) => sink,
                    None => {
                        let pointee = self.pointee(value, *to)?;
                        // The owner's type is another one than the argument's: its parts have to say it.
                        let typed = how != Literals::Inferred;
                        self.owner_of_unsized(&pointee, Place { typed, ..place })?
                    }
                };
                let statement = self.let_statement(variable, true, None, &tokens);
                Ok((Some(statement), pass(quote!(&mut #variable))))
            }
            (TypeKind::Reference { .. }, _) => {
                let (annotation, place) = self.annotation(value.ty, how, place);
                let tokens = self.value(value, Place { coerces: !place.typed, ..place })?;
                self.remember_list(value, variable);
                Ok((Some(self.let_statement(variable, false, annotation, &tokens)), pass(quote!(#variable))))
            }
            _ => {
                let (annotation, place) = self.annotation(value.ty, how, place);
                let tokens = self.value(value, self.argument_place(value, place))?;
                let statement =
                    (!named(&tokens)).then(|| self.let_statement(variable, false, annotation, &tokens));
                Ok((statement, pass(quote!(#variable))))
            }
        }
    }

    /// Whether the variable of a reference can be what it points to. A trait object's is of the concrete type, of which
    /// the call makes a trait object, unless the call takes any type.
    fn is_passed_by_value(&self, value: &Value, to: TypeId, typed: bool) -> bool {
        self.is_sized(to) || self.is_dynamic(value) && !typed && self.dyn_sink(to).is_none()
    }

    /// The type that the variable says where it was asked for.
    fn annotation(&self, held: TypeId, how: Literals, place: Place) -> (Option<TokenStream>, Place) {
        match how {
            Literals::Annotated => match self.type_tokens(held) {
                Some(tokens) => (Some(tokens), place),
                None => (None, Place { typed: true, ..place }),
            },
            _ => (None, place),
        }
    }

    /// `let mut input: &[u8] = b"…"`: what a reference to a slice needs when it is itself behind a reference.
    fn slice_annotation(&self, to: TypeId, place: Place) -> (Option<TokenStream>, Place) {
        if self.stand_ins.of(to) == Some(StandIn::Bytes) {
            return (Some(quote!(&[u8])), Place { coerces: true, ..place });
        }
        let Some(TypeKind::Reference { to: slice, mutable: false }) = self.types.get(to).map(|s| &s.kind)
        else {
            return (None, place);
        };
        if !matches!(self.types.get(*slice).map(|s| &s.kind), Some(TypeKind::Slice(_))) {
            return (None, place);
        }
        match self.type_tokens(to) {
            Some(tokens) => (Some(tokens), Place { coerces: true, ..place }),
            None => (None, place),
        }
    }
}
