//! Functions that a body hands its own parameters on to, as its text tells: what these assert on is then the business of its
//! callers. For where the values do not tell, since an optimiser left too little of them.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprCall, ExprMethodCall, FnArg, Pat, PatIdent, Signature};

/// The names of the functions and methods that a body calls with nothing but its own parameters, as they were given, each
/// time that it calls them.
pub(super) fn forwards(signature: &Signature, body: &Block) -> BTreeSet<String> {
    let mut parameters = BTreeSet::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(_) => parameters.insert("self".to_owned()),
            FnArg::Typed(argument) => match &*argument.pat {
                Pat::Ident(name) if name.mutability.is_none() => parameters.insert(name.ident.to_string()),
                _ => false,
            },
        };
    }
    let mut bound = Bound(BTreeSet::new());
    bound.visit_block(body);
    parameters.retain(|parameter| !bound.0.contains(parameter));
    let mut calls = Calls { parameters, only_forwards: BTreeMap::new() };
    calls.visit_block(body);
    calls.only_forwards.into_iter().filter(|(_, only)| *only).map(|(name, _)| name).collect()
}

/// Names that a body binds anew.
struct Bound(BTreeSet<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_item(&mut self, _: &'ast syn::Item) {}
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.0.insert(pattern.ident.to_string());
        visit::visit_pat_ident(self, pattern);
    }
}

struct Calls {
    parameters: BTreeSet<String>,
    /// Of each function that is called whether all its calls so far were given parameters alone.
    only_forwards: BTreeMap<String, bool>,
}

impl Calls {
    fn add<'e>(&mut self, name: String, arguments: impl IntoIterator<Item = &'e Expr>) {
        let only = arguments.into_iter().all(|argument| self.is_parameter(argument));
        *self.only_forwards.entry(name).or_insert(true) &= only;
    }

    /// Whether an expression is a parameter: itself, borrowed, or behind it.
    fn is_parameter(&self, expression: &Expr) -> bool {
        match expression {
            Expr::Path(path) => {
                path.path.get_ident().is_some_and(|name| self.parameters.contains(&name.to_string()))
            }
            Expr::Reference(inner) => self.is_parameter(&inner.expr),
            Expr::Paren(inner) => self.is_parameter(&inner.expr),
            Expr::Group(inner) => self.is_parameter(&inner.expr),
            Expr::Unary(syn::ExprUnary { op: syn::UnOp::Deref(_), expr, .. }) => self.is_parameter(expr),
            _ => false,
        }
    }
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(path) = &*call.func
            && let Some(last) = path.path.segments.last()
        {
            self.add(last.ident.to_string(), &call.args);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.add(call.method.to_string(), [&*call.receiver].into_iter().chain(&call.args));
        visit::visit_expr_method_call(self, call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: &str) -> Vec<String> {
        let function: syn::ItemFn = syn::parse_str(function).unwrap();
        forwards(&function.sig, &function.block).into_iter().collect()
    }

    #[test]
    fn parameters_that_are_handed_on_are_told_from_other_values() {
        assert_eq!(of("fn f(&self, other: &B) -> B { let (q, _) = self.div_rem(other); q }"), ["div_rem"]);
        assert_eq!(of("fn f(&self, other: &B) -> B { algorithms::div_rem(&*self, (other)) }"), ["div_rem"]);
        assert_eq!(of("fn f(&self, other: &B) -> B { self.div(other.gcd(self)) }"), ["gcd"]);
        assert!(of("fn f(n: u8) -> u8 { g(n + 1) }").is_empty());
        assert!(of("fn f(n: u8) -> u8 { g(n); g(3) }").is_empty());
    }

    #[test]
    fn a_parameter_that_is_changed_or_bound_anew_is_none_as_it_was_given() {
        assert!(of("fn f(mut n: u8) -> u8 { n += 1; g(n) }").is_empty());
        assert!(of("fn f(n: u8) -> u8 { let n = n + 1; g(n) }").is_empty());
        assert!(of("fn f((a, b): (u8, u8)) -> u8 { g(a) }").is_empty());
    }
}
