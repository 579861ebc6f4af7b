//! What a piece of source speaks of: names at the beginning of paths, methods that it calls, macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, Token};

use crate::index::ids::plain;

/// Macros of std whose arguments are expressions or formats.
const MACROS: [&str; 20] = [
    "vec",
    "format",
    "print",
    "println",
    "eprint",
    "eprintln",
    "write",
    "writeln",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "panic",
    "unreachable",
    "todo",
    "unimplemented",
    "matches",
    "dbg",
];

/// What was found.
#[derive(Default)]
pub(super) struct Mentions {
    /// Names at the beginning of paths, each with whether it is a path by itself, all times.
    pub(super) first_names: BTreeMap<String, bool>,
    /// Generic parameters.
    pub(super) generics: BTreeSet<String>,
    /// Methods, and what paths of several names end with.
    pub(super) called: BTreeSet<String>,
    /// A macro that may be anything.
    pub(super) unknown_macro: Option<String>,
}

impl Mentions {
    /// All identifiers of some code.
    pub(super) fn idents(code: &TokenStream) -> BTreeSet<String> {
        let (mut found, mut open) = (BTreeSet::new(), vec![code.clone()]);
        while let Some(tokens) = open.pop() {
            for token in tokens {
                match token {
                    TokenTree::Ident(ident) => {
                        found.insert(plain(&ident));
                    }
                    TokenTree::Group(group) => open.push(group.stream()),
                    _ => {}
                }
            }
        }
        found
    }

    /// Parameters that are declared around the piece.
    pub(super) fn generics_of(&mut self, generics: &syn::Generics) {
        self.visit_generics(generics);
    }
}

impl<'ast> Visit<'ast> for Mentions {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let Some(first) = path.segments.first() {
            let name = plain(&first.ident);
            let alone = path.segments.len() == 1;
            if name != "Self" {
                *self.first_names.entry(name).or_insert(true) &= alone;
            }
            if !alone {
                self.called.extend(path.segments.last().map(|last| plain(&last.ident)));
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_type_param(&mut self, parameter: &'ast syn::TypeParam) {
        self.generics.insert(plain(&parameter.ident));
        visit::visit_type_param(self, parameter);
    }

    fn visit_const_param(&mut self, parameter: &'ast syn::ConstParam) {
        self.generics.insert(plain(&parameter.ident));
        visit::visit_const_param(self, parameter);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.called.insert(plain(&call.method));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, invocation: &'ast syn::Macro) {
        let known = invocation.path.get_ident().map(plain).filter(|name| MACROS.contains(&name.as_str()));
        if known.is_none() {
            let name = invocation.path.segments.last().map(|last| plain(&last.ident));
            self.unknown_macro = self.unknown_macro.take().or(name);
        }
        match invocation.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            Ok(arguments) => arguments.iter().for_each(|argument| {
                // The arguments outlive only this function, and so does what is kept of them.
                let mut inner = Mentions::default();
                Visit::visit_expr(&mut inner, argument);
                self.absorb(inner);
            }),
            Err(_) => {
                for name in Mentions::idents(&invocation.tokens) {
                    self.called.insert(name.clone());
                    self.first_names.entry(name).or_insert(true);
                }
            }
        }
    }
}

impl Mentions {
    fn absorb(&mut self, inner: Mentions) {
        for (name, alone) in inner.first_names {
            *self.first_names.entry(name).or_insert(true) &= alone;
        }
        self.generics.extend(inner.generics);
        self.called.extend(inner.called);
        self.unknown_macro = self.unknown_macro.take().or(inner.unknown_macro);
    }
}
