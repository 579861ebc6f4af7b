//! Functions that are passed by name. A function item has no value that debug info could tell from another one's of the
//! same signature; the call in its caller's text names it. In: where the caller stands, what it calls, which argument. Out: the
//! path as it means the same at the place of a test.

use proc_macro2::TokenStream;
use quote::ToTokens;
use relapse_snapshot::Location;
use syn::visit::{self, Visit};
use syn::{Expr, Macro};

use crate::names::Unnameable;

use super::FunctionItem;
use super::closures::Spelling;
use super::ids::plain;
use super::macro_text;
use super::naming::NamesAt;

impl NamesAt<'_> {
    /// The function that a caller passes by its name, or as a closure without captures. `at` is the place of the call, in a function of `krate`; `argument` counts
    /// the callee's parameters, a receiver included.
    pub fn passed_function(
        &self,
        callee: &FunctionItem,
        argument: usize,
        at: &Location,
        krate: &str,
    ) -> Result<TokenStream, Unnameable> {
        let refused = |reason: &str| {
            Unnameable(format!("a function, and the call at {}:{} {reason}", at.file, at.line))
        };
        let index = self.index();
        let around = index.enclosing(&at.file, at.line, krate);
        let function = around.iter().find(|function| function.crate_name == krate).or(around.first());
        let Some(&function) = function else { return Err(refused("stands in no function of the workspace")) };
        let Some(parsed) = index.parsed(&at.file) else { return Err(refused("cannot be read")) };
        let mut calls = Calls { name: &callee.name, line: at.line, found: Vec::new() };
        calls.visit_file(&parsed);
        let column = (at.column as usize).checked_sub(1);
        let exact: Vec<&Call> = calls
            .found
            .iter()
            .filter(|call| column.is_some_and(|column| call.columns.contains(&column)))
            .collect();
        let call = match (exact.as_slice(), calls.found.as_slice()) {
            ([call], _) => call,
            ([], [call]) => call,
            _ => return Err(refused("is not the only one on its line, or not there")),
        };
        let receivers = usize::from(call.is_method);
        let passed = argument.checked_sub(receivers).and_then(|at| call.arguments.get(at));
        // A closure that has captured nothing may have become a pointer there.
        let Some(mut passed @ (Expr::Path(_) | Expr::Closure(_))) = passed.cloned() else {
            return Err(refused("does not pass it by a name"));
        };
        let spelling = Spelling::at(self, function, &parsed);
        spelling.item(&mut passed).map_err(|reason| refused(&reason))?;
        Ok(passed.to_token_stream())
    }
}

/// One call of a function of that name.
struct Call {
    /// The columns that debug info may have for it: of its beginning, of a method's name.
    columns: Vec<usize>,
    is_method: bool,
    arguments: Vec<Expr>,
}

/// Finds the calls of a name that begin on a line.
struct Calls<'n> {
    name: &'n str,
    line: u32,
    found: Vec<Call>,
}

impl Calls<'_> {
    fn add(&mut self, spans: &[proc_macro2::Span], is_method: bool, arguments: Vec<Expr>) {
        let starts = spans.iter().map(proc_macro2::Span::start);
        let columns: Vec<usize> =
            starts.filter(|start| start.line as u32 == self.line).map(|start| start.column).collect();
        if !columns.is_empty() {
            self.found.push(Call { columns, is_method, arguments });
        }
    }
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let (Some(first), Some(last)) = (path.path.segments.first(), path.path.segments.last())
            && plain(&last.ident) == self.name
        {
            let start = path.path.leading_colon.map_or(first.ident.span(), |colon| colon.spans[0]);
            let start = path.qself.as_ref().map_or(start, |of| of.lt_token.span);
            self.add(&[start], false, call.args.iter().cloned().collect());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if plain(&call.method) == self.name {
            let start = syn::spanned::Spanned::span(&call.receiver);
            self.add(&[call.method.span(), start], true, call.args.iter().cloned().collect());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        for expression in macro_text::expressions(invocation).into_iter().flatten() {
            let mut inner = Calls { name: self.name, line: self.line, found: Vec::new() };
            inner.visit_expr(&expression);
            self.found.extend(inner.found);
        }
    }
}
