//! What a call that is made again has to say of its function's generic parameters: those that nothing which it takes tells,
//! such as `Clock` of `resources.get_mut::<Clock>()`. In: the function, and the call that the run has shown. Out: the
//! turbofish.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::Frame;
use syn::visit::{self, Visit};
use syn::{FnArg, GenericParam, ReceiverKind, Signature, Type, WherePredicate};

use super::FunctionItem;
use super::naming::NamesAt;
use crate::names::{Names, Unnameable};

impl NamesAt<'_> {
    /// `::<Clock>`; nothing where inference can find all of them. `by_result`: what it gives is the value that is wanted, of
    /// which the type is known.
    pub(super) fn turbofish_again(
        &self,
        function: &FunctionItem,
        call: &Frame,
        by_result: bool,
    ) -> Result<Option<TokenStream>, Unnameable> {
        let signature = &function.signature;
        let is_open = |name: &Ident| !may_be_inferred(name, signature, by_result);
        let parameters = signature.generics.params.iter().filter_map(|parameter| match parameter {
            GenericParam::Type(parameter) => Some((&parameter.ident, false)),
            GenericParam::Const(parameter) => Some((&parameter.ident, true)),
            GenericParam::Lifetime(_) => None,
        });
        let parameters: Vec<(&Ident, bool)> = parameters.collect();
        if !parameters.iter().any(|(name, _)| is_open(name)) {
            return Ok(None);
        }
        let types = self.made.types;
        let name_of = |ty| types.map(|types| types.name(ty));
        let taken = call.arguments.iter().map(|argument| name_of(argument.value.ty));
        let taken: Vec<&str> = taken.collect::<Option<_>>().unwrap_or_default();
        let constants = function.constants_of(call.result.and_then(name_of), &taken);
        let known = |wanted: &Ident| {
            let of_type = call.generics.iter().find(|generic| *wanted == generic.name);
            let constant =
                constants.iter().find(|(name, _)| *wanted == name).map(|(_, value)| value.as_str());
            of_type.and_then(|generic| name_of(generic.ty)).or(constant)
        };
        let mut arguments = Vec::with_capacity(parameters.len());
        for (name, is_constant) in parameters {
            // An unknown constant can be left to inference since rustc 1.89 only.
            if !is_constant && !is_open(name) {
                arguments.push(quote!(_));
                continue;
            }
            let said = match known(name) {
                Some(known) => self.type_tokens(known).map_err(|unnameable| unnameable.0),
                None => Err("debug info does not tell it".to_owned()),
            };
            arguments.push(said.map_err(|reason| {
                let function = &function.name;
                Unnameable(format!("`{function}`, a call of the history, has to say its `{name}`: {reason}"))
            })?);
        }
        Ok(Some(quote!(::<#(#arguments),*>)))
    }
}

/// Whether the arguments of a call, or what is made of its result, may tell a parameter.
fn may_be_inferred(name: &Ident, signature: &Signature, by_result: bool) -> bool {
    let by_input = signature.inputs.iter().any(|input| match input {
        FnArg::Typed(typed) => mentions(name, |found| found.visit_type(&typed.ty)),
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Typed(_, ty) => mentions(name, |found| found.visit_type(ty)),
            _ => false,
        },
    });
    // `F: Fn(T)`, `I: Iterator<Item = T>`.
    let by_bound = signature.generics.type_params().any(|other| {
        other.ident != *name
            && other.bounds.iter().any(|bound| mentions(name, |found| found.visit_type_param_bound(bound)))
    });
    let clauses = signature.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let by_clause = clauses.into_iter().any(|clause| match clause {
        WherePredicate::Type(clause) => {
            !matches!(&clause.bounded_ty, Type::Path(path) if path.path.is_ident(name))
                && clause
                    .bounds
                    .iter()
                    .any(|bound| mentions(name, |found| found.visit_type_param_bound(bound)))
        }
        _ => false,
    });
    let by_result = by_result && mentions(name, |found| found.visit_return_type(&signature.output));
    by_input || by_bound || by_clause || by_result
}

/// Whether a part of a signature speaks of a parameter.
pub(super) fn mentions<'n>(name: &'n Ident, look: impl FnOnce(&mut Mentions<'n>)) -> bool {
    let mut mentions = Mentions { name, found: false };
    look(&mut mentions);
    mentions.found
}

pub(super) struct Mentions<'n> {
    name: &'n Ident,
    found: bool,
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_ident(&mut self, ident: &'ast Ident) {
        self.found |= ident == self.name;
        visit::visit_ident(self, ident);
    }
}
