//! The functions that tell a value, as their source has them.

use std::collections::BTreeMap;

use proc_macro2::LineColumn;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// The types of the arguments of each function that calls `shown("NAME", …)`, by that name.
pub(crate) fn all(source: &str) -> BTreeMap<String, String> {
    let file = syn::parse_file(source).unwrap();
    let mut found = Functions { source, of: None, around: Vec::new(), names: BTreeMap::new() };
    found.visit_file(&file);
    found.names
}

/// The lines of a generated test before its last statement, the call; all where there is only that, or where the call itself
/// holds a value: a closure.
pub(crate) fn lets(source: &str) -> String {
    let file = syn::parse_file(source).unwrap();
    let is_test = |attribute: &syn::Attribute| attribute.path().is_ident("test");
    let test = file.items.iter().find_map(|item| match item {
        syn::Item::Fn(function) if function.attrs.iter().any(is_test) => Some(function),
        _ => None,
    });
    let statements = &test.unwrap().block.stmts;
    let call = &statements[statements.len() - 1].span();
    let is_told = statements.len() > 1 && !between(source, call.start(), call.end()).contains('|');
    let shown = &statements[..statements.len() - usize::from(is_told)];
    let (from, to) = (shown[0].span().start(), shown[shown.len() - 1].span().end());
    without_lints(between(source, from, to))
}

/// What a statement allows clippy says nothing of its value.
fn without_lints(mut text: String) -> String {
    while let Some(at) = text.find("#[allow(clippy::")
        && let Some(length) = text[at..].find(")] ")
    {
        text.replace_range(at..at + length + 3, "");
    }
    text
}

/// The source between two places, in one line.
fn between(source: &str, from: LineColumn, to: LineColumn) -> String {
    let at = |place: LineColumn| {
        let lines: usize = source.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
        let line = &source[lines..];
        lines + line.char_indices().nth(place.column).map_or(line.len(), |(at, _)| at)
    };
    source[at(from)..at(to)].split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Functions<'a> {
    source: &'a str,
    /// The type that an `impl` is of.
    of: Option<String>,
    /// The arguments of the functions around the place.
    around: Vec<String>,
    names: BTreeMap<String, String>,
}

impl Functions<'_> {
    fn text(&self, of: &impl Spanned) -> String {
        between(self.source, of.span().start(), of.span().end())
    }

    fn arguments(&self, signature: &syn::Signature) -> String {
        let types = signature.inputs.iter().map(|input| match input {
            syn::FnArg::Typed(argument) => self.text(&argument.ty),
            receiver @ syn::FnArg::Receiver(_) => {
                self.text(receiver).replace("self", self.of.as_deref().unwrap_or("self"))
            }
        });
        types.collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Visit<'a> for Functions<'_> {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.around.push(self.arguments(&function.sig));
        visit::visit_item_fn(self, function);
        self.around.pop();
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let before = self.of.replace(self.text(&item.self_ty));
        visit::visit_item_impl(self, item);
        self.of = before;
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.around.push(self.arguments(&function.sig));
        visit::visit_impl_item_fn(self, function);
        self.around.pop();
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        self.around.push(self.arguments(&function.sig));
        visit::visit_trait_item_fn(self, function);
        self.around.pop();
    }

    fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
        if let syn::Expr::Path(path) = &*call.func
            && path.path.is_ident("shown")
            && let Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. })) = call.args.first()
        {
            let arguments = self.around.last().cloned().unwrap_or_default();
            let before = self.names.insert(name.value(), arguments);
            assert!(before.is_none(), "two functions tell {}", name.value());
        }
        visit::visit_expr_call(self, call);
    }
}
