//! Places that a closure has captured: variables, and fields of them. In: an expression. Out: which of the places it is, by the
//! names that rustc gives them, and how it is used.

use syn::punctuated::Punctuated;
use syn::{Expr, Member, Token};

use crate::index::ids::plain;

use super::body::{Body, Uses};

impl Body<'_> {
    pub(super) fn captured(&self, name: &str) -> Option<usize> {
        self.places.iter().position(|place| *place == name)
    }

    /// Which captured place an expression is: `base`, `self.base`, `(*p).x`.
    pub(super) fn captured_place(&self, expression: &Expr) -> Option<usize> {
        let (root, fields) = place(expression)?;
        if self.is_bound(&root) {
            return None;
        }
        let name = fields.iter().fold(root, |name, field| format!("{name}__{field}"));
        self.captured(&name)
    }

    /// Notes something of the captured place that an expression is part of.
    pub(super) fn mark(&mut self, expression: &Expr, note: impl FnOnce(&mut Uses)) {
        let mut at = expression;
        loop {
            if let Some(index) = self.captured_place(at) {
                note(&mut self.uses[index]);
                return;
            }
            at = match at {
                Expr::Field(access) => &access.base,
                Expr::Index(access) => &access.expr,
                Expr::Paren(inner) => &inner.expr,
                _ => return,
            };
        }
    }

    /// Notes the captured places that are arguments by themselves.
    pub(super) fn hand_on(&mut self, arguments: &Punctuated<Expr, Token![,]>) {
        for argument in arguments {
            if let Some(index) = self.captured_place(argument) {
                self.uses[index].handed_on = true;
            }
        }
    }
}

/// Whether an operator gives what stands before it another value.
pub(super) fn is_assignment(operator: &syn::BinOp) -> bool {
    use syn::BinOp;
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// The variable and the fields of a place; what is dereferenced on the way does not count, as in the names that rustc
/// gives captured places.
fn place(expression: &Expr) -> Option<(String, Vec<String>)> {
    match expression {
        Expr::Path(path) if path.qself.is_none() => Some((plain(path.path.get_ident()?), Vec::new())),
        Expr::Field(access) => {
            let (root, mut fields) = reached(&access.base)?;
            fields.push(match &access.member {
                Member::Named(name) => plain(name),
                Member::Unnamed(index) => index.index.to_string(),
            });
            Some((root, fields))
        }
        _ => None,
    }
}

fn reached(expression: &Expr) -> Option<(String, Vec<String>)> {
    match expression {
        Expr::Paren(inner) => reached(&inner.expr),
        Expr::Unary(syn::ExprUnary { op: syn::UnOp::Deref(_), expr, .. }) => reached(expr),
        other => place(other),
    }
}
