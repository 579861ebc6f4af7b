//! Functions that are passed by name. A function item has no value that debug info could tell from another one's of the
//! same signature; the call in its caller's text names it, or that in the text of whoever called it, where it merely hands
//! its own parameter on. In: what is called, which argument, the callers. Out: the path as it means the same at the place of
//! a test.

use proc_macro2::TokenStream;
use quote::ToTokens;
use relapse_snapshot::Location;
use syn::visit::{self, Visit};
use syn::{Expr, FnArg, Macro, Pat};

use crate::names::Unnameable;

use super::FunctionItem;
use super::closures::Spelling;
use super::ids::plain;
use super::macro_text;
use super::naming::NamesAt;

/// Who calls a function.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    /// The place of the call.
    pub at: &'a Location,
    /// The crate of the function that it is in.
    pub krate: &'a str,
    /// What that function's generic parameters are, by their full names in DWARF.
    pub generics: Vec<(&'a str, &'a str)>,
}

impl NamesAt<'_> {
    /// The function that a caller passes by its name, or as a closure without captures. `argument` counts the callee's
    /// parameters, a receiver included; `callers`: the nearest first.
    pub fn passed_function(
        &self,
        callee: &FunctionItem,
        argument: usize,
        callers: &[Caller<'_>],
    ) -> Result<TokenStream, Unnameable> {
        let (mut callee, mut argument) = (callee, argument);
        let mut handed_on = None;
        for caller in callers {
            let refused = |reason: &str| refused(caller.at, reason);
            let index = self.index();
            let around = index.enclosing(&caller.at.file, caller.at.line, caller.krate);
            let function = around.iter().find(|function| function.crate_name == caller.krate);
            let Some(&function) = function.or(around.first()) else {
                return Err(refused("stands in no function of the workspace"));
            };
            let Some(parsed) = index.parsed(&caller.at.file) else { return Err(refused("cannot be read")) };
            let mut passed = passed_at(callee, argument, caller.at, &parsed).map_err(refused)?;
            if let Some(own) = own_parameter(&passed, function, &parsed) {
                (callee, argument, handed_on) = (function, own, Some(caller.at));
                continue;
            }
            if !matches!(passed, Expr::Path(_) | Expr::Closure(_)) {
                return Err(refused("does not pass it by a name"));
            }
            let spelling = Spelling::at(self, function, &parsed).with_generics(function, &caller.generics);
            spelling.item(&mut passed).map_err(|reason| refused(&reason))?;
            return Ok(passed.to_token_stream());
        }
        Err(match handed_on {
            Some(at) => refused(at, "hands on what its function was given, by nobody whose text is known"),
            None => Unnameable("a function, and no caller in the workspace that names it".to_owned()),
        })
    }
}

fn refused(at: &Location, reason: &str) -> Unnameable {
    Unnameable(format!("a function, and the call at {}:{} {reason}", at.file, at.line))
}

/// What a call in a file passes as that argument.
fn passed_at(
    callee: &FunctionItem,
    argument: usize,
    at: &Location,
    parsed: &syn::File,
) -> Result<Expr, &'static str> {
    let mut calls = Calls { name: &callee.name, line: at.line, found: Vec::new() };
    calls.visit_file(parsed);
    let column = (at.column as usize).checked_sub(1);
    let exact: Vec<&Call> = calls
        .found
        .iter()
        .filter(|call| column.is_some_and(|column| call.columns.contains(&column)))
        .collect();
    let call = match (exact.as_slice(), calls.found.as_slice()) {
        ([call], _) => call,
        ([], [call]) => call,
        _ => return Err("is not the only one on its line, or not there"),
    };
    call.arguments.get(argument).cloned().ok_or("does not pass it by a name")
}

/// The place among a function's parameters of the one that an expression is, if that is all it is and the body neither
/// gives its name to another variable nor may change it.
fn own_parameter(passed: &Expr, function: &FunctionItem, file: &syn::File) -> Option<usize> {
    let Expr::Path(path) = passed else { return None };
    let name = path.path.get_ident().filter(|_| path.qself.is_none()).map(plain)?;
    let is_it = |input: &FnArg| match input {
        FnArg::Receiver(receiver) => {
            name == "self"
                && matches!(receiver.kind, syn::ReceiverKind::Value)
                && receiver.mutability.is_none()
        }
        FnArg::Typed(typed) => matches!(&*typed.pat, Pat::Ident(own) if plain(&own.ident) == name
            && own.mutability.is_none() && own.by_ref.is_none() && own.subpat.is_none()),
    };
    let at = function.signature.inputs.iter().position(is_it)?;
    let mut bindings = Bindings { name: &name, lines: function.body_lines, times: 0 };
    bindings.visit_file(file);
    // A body that begins on the line of the parameters has theirs among its own.
    let head = function.signature.inputs.iter().map(|input| {
        let mut own = Bindings { times: 0, ..bindings };
        own.visit_fn_arg(input);
        own.times
    });
    (bindings.times == head.sum::<usize>()).then_some(at)
}

/// Counts where a name is bound on these lines.
#[derive(Clone, Copy)]
struct Bindings<'n> {
    name: &'n str,
    lines: (u32, u32),
    times: usize,
}

impl<'ast> Visit<'ast> for Bindings<'_> {
    fn visit_pat_ident(&mut self, bound: &'ast syn::PatIdent) {
        let line = bound.ident.span().start().line as u32;
        let is_within = (self.lines.0..=self.lines.1).contains(&line);
        self.times += usize::from(is_within && plain(&bound.ident) == self.name);
        visit::visit_pat_ident(self, bound);
    }
}

/// One call of a function of that name.
struct Call {
    /// The columns that debug info may have for it: of its beginning, of a method's name.
    columns: Vec<usize>,
    /// A method's receiver is the first one.
    arguments: Vec<Expr>,
}

/// Finds the calls of a name that begin on a line.
struct Calls<'n> {
    name: &'n str,
    line: u32,
    found: Vec<Call>,
}

impl Calls<'_> {
    fn add(&mut self, spans: &[proc_macro2::Span], arguments: Vec<Expr>) {
        let starts = spans.iter().map(proc_macro2::Span::start);
        let columns: Vec<usize> =
            starts.filter(|start| start.line as u32 == self.line).map(|start| start.column).collect();
        if !columns.is_empty() {
            self.found.push(Call { columns, arguments });
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
            self.add(&[start], call.args.iter().cloned().collect());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if plain(&call.method) == self.name {
            let start = syn::spanned::Spanned::span(&call.receiver);
            let arguments = std::iter::once(&*call.receiver).chain(&call.args);
            self.add(&[call.method.span(), start], arguments.cloned().collect());
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
