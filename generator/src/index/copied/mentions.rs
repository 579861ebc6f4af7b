//! What a piece of source speaks of: names at the beginning of paths, methods that it calls, macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::index::ids::plain;
use crate::index::macro_text;

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
    /// Macros that are std's, where the module has none of that name.
    pub(super) macros: BTreeSet<String>,
    /// The beginning of a `use` within a body that brings something of another crate than std.
    pub(super) foreign_use: Option<String>,
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

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut open = vec![&item.tree];
        while let Some(tree) = open.pop() {
            let first = match tree {
                syn::UseTree::Path(step) => plain(&step.ident),
                syn::UseTree::Name(name) => plain(&name.ident),
                syn::UseTree::Rename(rename) => plain(&rename.ident),
                syn::UseTree::Glob(_) => "*".to_owned(),
                syn::UseTree::Group(group) => {
                    open.extend(&group.items);
                    continue;
                }
            };
            if !["std", "core", "alloc"].contains(&first.as_str()) {
                self.foreign_use = self.foreign_use.take().or(Some(first));
            }
        }
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
        let Some(name) = macro_text::well_known(invocation) else {
            let name = invocation.path.segments.last().map(|last| plain(&last.ident));
            self.unknown_macro = self.unknown_macro.take().or(name);
            return;
        };
        // A pattern may name anything.
        let has_pattern = name == "matches";
        self.macros.insert(name);
        match macro_text::expressions(invocation) {
            Some(arguments) if !has_pattern => {
                for argument in &arguments {
                    // Of a format string, constants that it names.
                    if let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = argument {
                        for name in macro_text::format_names(&text.value()) {
                            self.first_names.entry(name).or_insert(true);
                        }
                    }
                    Visit::visit_expr(self, argument);
                }
            }
            _ => {
                for name in Mentions::idents(&invocation.tokens) {
                    self.called.insert(name.clone());
                    self.first_names.entry(name).or_insert(true);
                }
            }
        }
    }
}
