//! What a constructor's body does: nothing with its parameters but to put them into the fields. In: a function's
//! signature and body. Out: which parameter is which field. A body that computes a field is left alone: nothing tells
//! which arguments led to the value that was read.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Block, Expr, FnArg, Lit, Member, Pat, Signature, Type};

use super::ids::plain;
use super::signature::gives_own;
use crate::names::{Seen, Wrapped};

/// What a constructor's body makes a field of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The parameter of that index.
    Parameter(usize),
    /// Nothing: `None`, `Vec::new()`, `PhantomData`.
    Blank,
    /// That number; of a `bool` 0 or 1.
    Number(i128),
}

/// What an associated function without a receiver makes of its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builds {
    /// Each field with its origin.
    fields: BTreeMap<String, Origin>,
    /// How many parameters it has; each is a field.
    parameters: usize,
    /// It gives a `Result` or an `Option`.
    pub(super) fallible: bool,
}

/// Reads a function of `impl self_type`; `None` where it is no constructor of that kind.
pub(super) fn builds(self_type: &Type, signature: &Signature, body: &Block) -> Option<Builds> {
    let usable = signature.receiver().is_none()
        && signature.asyncness.is_none()
        && signature.variadic.is_none()
        && !matches!(signature.safety, syn::Safety::Unsafe(_));
    let Type::Path(own) = self_type else { return None };
    let own = own.path.segments.last()?.ident.to_string();
    let fallible = gives_own(&signature.output, &own)? != Wrapped::No;
    let parameters = usable.then(|| parameters(signature)).flatten()?;
    let mut finder = Literals { own: &own, parameters: &parameters, found: None, is_plain: true };
    finder.visit_block(body);
    let fields = finder.found.filter(|_| finder.is_plain)?;
    let each_once = (0..parameters.len())
        .all(|index| fields.values().filter(|origin| **origin == Origin::Parameter(index)).count() == 1);
    each_once.then_some(Builds { fields, parameters: parameters.len(), fallible })
}

/// A parameter's name, and whether `.into()` of it may be of its own type.
struct Parameter {
    name: String,
    open: bool,
}

/// The parameters, where each is a plain name that the body cannot assign to.
fn parameters(signature: &Signature) -> Option<Vec<Parameter>> {
    let generics: Vec<&syn::Ident> = signature.generics.type_params().map(|p| &p.ident).collect();
    let one = |input: &FnArg| {
        let FnArg::Typed(argument) = input else { return None };
        let Pat::Ident(name) = &*argument.pat else { return None };
        let open = match &*argument.ty {
            Type::ImplTrait(_) => true,
            Type::Path(path) => generics.iter().any(|generic| path.path.is_ident(*generic)),
            _ => false,
        };
        let plain = name.mutability.is_none() && name.by_ref.is_none() && name.subpat.is_none();
        plain.then(|| Parameter { name: name.ident.to_string(), open })
    };
    signature.inputs.iter().map(one).collect()
}

/// The literals of a function's own type.
struct Literals<'a> {
    own: &'a str,
    parameters: &'a [Parameter],
    found: Option<BTreeMap<String, Origin>>,
    /// No literal contradicts another, and no name of a parameter means anything else.
    is_plain: bool,
}

impl Literals<'_> {
    fn is_own(&self, path: &syn::Path) -> bool {
        let only = path.segments.first().filter(|_| path.segments.len() == 1);
        only.is_some_and(|only| only.ident == "Self" || only.ident == self.own)
    }

    fn literal(&mut self, fields: Option<BTreeMap<String, Origin>>) {
        match (fields, &self.found) {
            (Some(fields), None) => self.found = Some(fields),
            (Some(fields), Some(found)) if fields == *found => {}
            _ => self.is_plain = false,
        }
    }

    fn origin(&self, value: &Expr) -> Option<Origin> {
        match value {
            Expr::Paren(inner) => self.origin(&inner.expr),
            Expr::Path(path) => match self.parameter(value) {
                Some(index) => Some(Origin::Parameter(index)),
                None => {
                    let last = &path.path.segments.last()?.ident;
                    (last == "None" || last == "PhantomData").then_some(Origin::Blank)
                }
            },
            Expr::MethodCall(call) if call.method == "into" && call.args.is_empty() => {
                let index = self.parameter(&call.receiver)?;
                self.parameters[index].open.then_some(Origin::Parameter(index))
            }
            Expr::Call(call) if call.args.is_empty() => {
                let Expr::Path(path) = &*call.func else { return None };
                let last = path.path.segments.last()?;
                (last.ident == "new" || last.ident == "default").then_some(Origin::Blank)
            }
            Expr::Macro(call) if call.mac.path.is_ident("vec") && call.mac.tokens.is_empty() => {
                Some(Origin::Blank)
            }
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => number.base10_parse().ok().map(Origin::Number),
                Lit::Bool(flag) => Some(Origin::Number(i128::from(flag.value))),
                _ => None,
            },
            _ => None,
        }
    }

    fn parameter(&self, value: &Expr) -> Option<usize> {
        let Expr::Path(path) = value else { return None };
        let name = path.path.get_ident()?;
        self.parameters.iter().position(|parameter| name == &parameter.name)
    }
}

impl<'ast> Visit<'ast> for Literals<'_> {
    fn visit_item(&mut self, _: &'ast syn::Item) {}

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        if self.is_own(&literal.path) {
            let one = |field: &syn::FieldValue| {
                let name = match &field.member {
                    Member::Named(name) => plain(name),
                    Member::Unnamed(index) => index.index.to_string(),
                };
                Some((name, self.origin(&field.expr)?))
            };
            let whole = literal.rest.is_none() && literal.fields.iter().all(|field| field.attrs.is_empty());
            let fields = whole.then(|| literal.fields.iter().map(one).collect()).flatten();
            self.literal(fields);
        }
        visit::visit_expr_struct(self, literal);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if matches!(&*call.func, Expr::Path(path) if self.is_own(&path.path)) {
            let one = |(index, value): (usize, &Expr)| Some((index.to_string(), self.origin(value)?));
            let fields = call.args.iter().enumerate().map(one).collect();
            self.literal(fields);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.is_plain &= !self.parameters.iter().any(|parameter| pattern.ident == parameter.name);
        visit::visit_pat_ident(self, pattern);
    }
}

impl Builds {
    /// Whether the function makes exactly these fields.
    pub(super) fn fits(&self, fields: &[Seen<'_>]) -> bool {
        self.fields.len() == fields.len()
            && fields.iter().all(|field| match self.fields.get(field.name) {
                Some(Origin::Parameter(_)) => true,
                Some(Origin::Blank) => field.blank,
                Some(Origin::Number(number)) => field.number == Some(*number),
                None => false,
            })
    }

    /// Which field is each parameter.
    pub(super) fn arguments(&self, fields: &[Seen<'_>]) -> Option<Vec<usize>> {
        let of = |parameter: usize| {
            fields.iter().position(|field| self.fields.get(field.name) == Some(&Origin::Parameter(parameter)))
        };
        (0..self.parameters).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(function: &str) -> Option<Vec<(String, Origin)>> {
        let function: syn::ItemFn = syn::parse_str(function).unwrap();
        let builds = builds(&syn::parse_quote!(Span<T>), &function.sig, &function.block)?;
        Some(builds.fields.into_iter().collect())
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is compared with what was read")]
    fn fields(fields: &[(&str, Origin)]) -> Option<Vec<(String, Origin)>> {
        Some(fields.iter().map(|(name, origin)| ((*name).to_owned(), *origin)).collect())
    }

    #[test]
    fn a_function_that_stores_its_parameters_is_a_constructor() {
        use Origin::{Blank, Number, Parameter};
        let plain = fields(&[("from", Parameter(0)), ("to", Parameter(1))]);
        for text in [
            "fn new(from: u8, to: u8) -> Self { Self { from, to } }",
            "fn new(from: u8, to: u8) -> Span<T> { Span { to: to, from } }",
            "fn new(from: u8, to: u8) -> Result<Self, Error> { if from > to { return Err(Error); } Ok(Self { from, to }) }",
            "fn new(from: u8, to: u8) -> Option<Span<T>> { (from < to).then(|| Span { from, to }) }",
            "fn new(from: impl Into<u8>, to: u8) -> Self { Self { from: from.into(), to } }",
        ] {
            assert_eq!(read(text), plain, "{text}");
        }
        let tuple = fields(&[("0", Parameter(0)), ("1", Blank), ("2", Number(3))]);
        assert_eq!(read("fn at(from: u8) -> Self { Self(from, None, 3) }"), tuple);
        let blank = fields(&[("from", Parameter(0)), ("marks", Blank), ("of", Blank), ("open", Number(1))]);
        assert_eq!(
            read(
                "fn at(from: u8) -> Self { Self { from, marks: Vec::new(), of: std::marker::PhantomData, open: true } }"
            ),
            blank
        );
    }

    #[test]
    fn a_function_that_makes_anything_of_its_parameters_is_none() {
        for text in [
            "fn new(from: u8, to: u8) -> Self { Self { from, to: from + to } }",
            "fn new(from: u8, to: u8) -> Self { let to = to.max(from); Self { from, to } }",
            "fn new(from: u8, mut to: u8) -> Self { to += 1; Self { from, to } }",
            "fn new(from: u8, to: u8) -> Self { if from > to { Self { from: to, to: from } } else { Self { from, to } } }",
            "fn new(from: u8) -> Self { Self { from, ..Self::default() } }",
            "fn new(from: u8, way: Way) -> Self { Self { from } }",
            "fn new(from: &str) -> Self { Self { from: from.into() } }",
            "fn two(from: u8) -> (Self, Self) { (Self { from }, Self { from }) }",
            "fn with(self, from: u8) -> Self { Self { from } }",
            "unsafe fn new(from: u8) -> Self { Self { from } }",
            "fn new((from, to): (u8, u8)) -> Self { Self { from, to } }",
            "fn new(from: u8) -> Self { Self::at(from) }",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
