//! Short bodies without branches: what they give is told by their text. In: a function's signature and body. Out: the
//! expressions that count, for whoever knows what the names in them mean.

use proc_macro2::TokenTree;
use quote::ToTokens;
use syn::{BinOp, Block, Expr, FnArg, Member, Pat, ReceiverKind, ReturnType, Signature, Stmt, UnOp};

use super::ids::plain as name_of;

/// Bodies with more statements are not looked into.
const MAX_STATEMENTS: usize = 12;
/// Nor are those of more lines.
const MAX_LINES: usize = 60;

/// A plain body.
#[derive(Debug, Clone)]
pub struct Plain {
    /// `let name = expression;`, in order; without an expression where nothing is known of it.
    pub(super) lets: Vec<(String, Option<Expr>)>,
    /// What it comes to.
    pub(super) does: Does,
}

/// What a plain body comes to.
#[derive(Debug, Clone)]
pub(super) enum Does {
    /// Gives what the expression is.
    Gives(Expr),
    /// `self.width = width; self`.
    Sets(String, Expr),
    /// `self.items.push(item); self`, under the condition that a place (`item.parts`) holds something.
    Appends { field: String, item: Expr, unless_empty: Option<Box<Expr>> },
}

/// How a function takes the value that it is called on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    /// `&mut self`.
    Place,
}

/// Reads a body; `None` where it does more than that.
pub(super) fn plain(signature: &Signature, body: &Block) -> Option<Plain> {
    let braces = body.brace_token.span;
    let lines = braces.close().end().line.saturating_sub(braces.open().start().line);
    let usable = body.stmts.len() <= MAX_STATEMENTS
        && lines <= MAX_LINES
        && signature.asyncness.is_none()
        && signature.variadic.is_none()
        && !matches!(signature.safety, syn::Safety::Unsafe(_));
    let takes = takes(signature).filter(|_| usable)?;
    let mut lets = Vec::new();
    let mut statements = body.stmts.as_slice();
    while let [first, rest @ ..] = statements {
        match first {
            // It may change the value in passing: `let old = self.items.take();`.
            Stmt::Local(local) if takes != Takes::Nothing && mentions_self(local) => return None,
            Stmt::Local(local) => lets.push(binding(local)?),
            // It has held for the value that was there.
            Stmt::Macro(call) if is_assertion(&call.mac.path) => {}
            _ => break,
        }
        statements = rest;
    }
    let gives_nothing = matches!(signature.output, ReturnType::Default);
    let does = match (takes, statements) {
        (Takes::Nothing, [Stmt::Expr(tail, None)]) if !gives_nothing => Does::Gives(tail.clone()),
        (Takes::Value, [Stmt::Expr(tail, None)]) => update(tail)?,
        (Takes::Value, [only, Stmt::Expr(tail, None)]) if is_self(tail) => change(only)?,
        (Takes::Place, [only, Stmt::Expr(tail, None)]) if is_self(tail) => change(only)?,
        (Takes::Place, [only]) if gives_nothing => change(only)?,
        _ => return None,
    };
    Some(Plain { lets, does })
}

fn takes(signature: &Signature) -> Option<Takes> {
    match signature.inputs.first() {
        Some(FnArg::Receiver(receiver)) => match &receiver.kind {
            ReceiverKind::Value => Some(Takes::Value),
            ReceiverKind::Reference(_, _, Some(_)) => Some(Takes::Place),
            _ => None,
        },
        _ => Some(Takes::Nothing),
    }
}

/// Whether a function is called on a place that it changes: `&mut self`.
pub(super) fn changes_in_place(signature: &Signature) -> bool {
    takes(signature) == Some(Takes::Place)
}

/// `let name = expression;`. What stands under a condition is not known.
fn binding(local: &syn::Local) -> Option<(String, Option<Expr>)> {
    let pattern = match &local.pat {
        Pat::Type(typed) => &typed.pat,
        pattern => pattern,
    };
    let Pat::Ident(name) = pattern else { return None };
    if name.by_ref.is_some() || name.mutability.is_some() || name.subpat.is_some() {
        return None;
    }
    let init = local.init.as_ref()?;
    let is_known = local.attrs.is_empty() && init.diverge.is_none();
    Some((name_of(&name.ident), is_known.then(|| (*init.expr).clone())))
}

/// Whether a statement's text says `self`, in closures, blocks and macros, too.
fn mentions_self(local: &syn::Local) -> bool {
    let mut open: Vec<TokenTree> = local.to_token_stream().into_iter().collect();
    while let Some(tree) = open.pop() {
        match tree {
            TokenTree::Ident(name) if name == "self" => return true,
            TokenTree::Group(group) => open.extend(group.stream()),
            _ => {}
        }
    }
    false
}

fn is_assertion(path: &syn::Path) -> bool {
    let names = ["assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne"];
    names.iter().any(|name| path.is_ident(name))
}

fn is_self(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("self"))
}

/// The field in `self.field`.
fn own_field(expr: &Expr) -> Option<String> {
    let Expr::Field(field) = expr else { return None };
    is_self(&field.base).then(|| member(&field.member))
}

pub(super) fn member(member: &Member) -> String {
    match member {
        Member::Named(name) => name_of(name),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// `Self { width, ..self }`.
fn update(tail: &Expr) -> Option<Does> {
    let Expr::Struct(literal) = tail else { return None };
    let rest = literal.rest.as_deref()?;
    let mut fields = literal.fields.iter();
    match (fields.next(), fields.next()) {
        (Some(only), None) if is_self(rest) && only.attrs.is_empty() && literal.path.is_ident("Self") => {
            Some(Does::Sets(member(&only.member), only.expr.clone()))
        }
        _ => None,
    }
}

/// The one statement that changes the value.
fn change(statement: &Stmt) -> Option<Does> {
    let Stmt::Expr(expr, _) = statement else { return None };
    match expr {
        Expr::Assign(set) if set.attrs.is_empty() => {
            Some(Does::Sets(own_field(&set.left)?, (*set.right).clone()))
        }
        Expr::MethodCall(_) => appends(expr, None),
        Expr::If(branch) if branch.else_branch.is_none() && branch.attrs.is_empty() => {
            let [Stmt::Expr(inner, _)] = branch.then_branch.stmts.as_slice() else { return None };
            appends(inner, Some(Box::new(holds_something(&branch.cond)?)))
        }
        _ => None,
    }
}

/// `self.items.push(item)`.
fn appends(expr: &Expr, unless_empty: Option<Box<Expr>>) -> Option<Does> {
    let Expr::MethodCall(call) = expr else { return None };
    let field = own_field(&call.receiver)?;
    let mut arguments = call.args.iter();
    match (arguments.next(), arguments.next()) {
        (Some(item), None) if call.method == "push" && call.attrs.is_empty() => {
            Some(Does::Appends { field, item: item.clone(), unless_empty })
        }
        _ => None,
    }
}

/// The place in `!place.is_empty()`.
fn holds_something(condition: &Expr) -> Option<Expr> {
    let Expr::Unary(not) = condition else { return None };
    let Expr::MethodCall(call) = &*not.expr else { return None };
    let is_question = matches!(not.op, UnOp::Not(_)) && call.method == "is_empty" && call.args.is_empty();
    is_question.then(|| (*call.receiver).clone())
}

/// The number in `-1`, `7` or `true`.
pub(super) fn number(expr: &Expr) -> Option<i128> {
    match expr {
        Expr::Paren(inner) => number(&inner.expr),
        Expr::Unary(minus) if matches!(minus.op, UnOp::Neg(_)) => number(&minus.expr)?.checked_neg(),
        Expr::Binary(shift) if matches!(shift.op, BinOp::Shl(_)) => {
            let (one, by) = (number(&shift.left)?, u32::try_from(number(&shift.right)?).ok()?);
            one.checked_mul(2_i128.checked_pow(by)?)
        }
        Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(number) => number.base10_parse().ok(),
            syn::Lit::Bool(flag) => Some(i128::from(flag.value)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(function: &str) -> Option<String> {
        let function: syn::ImplItemFn = syn::parse_str(function).unwrap();
        let text = |expr: &Expr| quote::quote!(#expr).to_string();
        plain(&function.sig, &function.block).map(|plain| match plain.does {
            Does::Gives(expr) => format!("gives {}", text(&expr)),
            Does::Sets(field, expr) => format!("{field} = {}", text(&expr)),
            Does::Appends { field, item, unless_empty } => {
                let condition = unless_empty.map(|place| format!(" if {}", text(&place))).unwrap_or_default();
                format!("{field} + {}{condition}", text(&item))
            }
        })
    }

    #[test]
    fn a_body_without_branches_is_read() {
        for (text, does) in [
            ("fn new() -> Self { Self::EMPTY }", "gives Self :: EMPTY"),
            ("fn new(a: u8) -> Self { let b = a; assert!(b > 0); b }", "gives b"),
            ("fn width(mut self, width: u16) -> Self { self.width = width; self }", "width = width"),
            ("fn set(&mut self, a: u8) -> &mut Self { self.a = a; self }", "a = a"),
            ("fn set(&mut self, a: u8) { self.a = a; }", "a = a"),
            ("fn add(&mut self, item: Item) { self.items.push(item) }", "items + item"),
            ("fn width(self, width: u16) -> Self { Self { width, ..self } }", "width = width"),
            ("fn item(mut self, item: Item) -> Self { self.items.push(item); self }", "items + item"),
            (
                "fn item(mut self, item: impl Into<Item>) -> Self { let item = item.into(); if !item.parts.is_empty() { self.items.push(item); } self }",
                "items + item if item . parts",
            ),
        ] {
            assert_eq!(read(text).as_deref(), Some(does), "{text}");
        }
    }

    #[test]
    fn a_body_that_does_more_is_none() {
        for text in [
            "fn new(a: u8) -> Self { log(a); Self { a } }",
            "fn new(a: u8) { Self { a }; }",
            "fn set(&mut self, a: u8) -> u8 { self.a = a; 3 }",
            "fn set(&mut self, a: u8) { self.a = a; self.count += 1; }",
            "fn set(&self, a: u8) { self.a = a; }",
            "fn set(mut self, a: u8) -> Self { self.a = a; self.b = a; self }",
            "fn set(mut self, a: u8) -> Self { self.a.b = a; self }",
            "fn set(mut self, a: u8) -> Self { if a > 0 { self.a = a; } self }",
            "fn item(mut self, a: Item) -> Self { if a.is_big() { self.items.push(a); } self }",
            "unsafe fn new() -> Self { Self }",
            "fn set(&mut self, a: u8) { let _old = self.cache.take(); self.a = a; }",
            "fn set(&mut self, a: u8) { let _old = { mem::replace(&mut self.b, 0) }; self.a = a; }",
            "fn set(mut self, a: u8) -> Self { let n = format!(\"{}\", self.bump()); self.a = n; self }",
            "fn set(mut self, a: u8) -> Self { #[cfg(unix)] let _old = self.cache.take(); self.a = a; self }",
            "fn item(&mut self, a: Item) { #[cfg(unix)] if !a.parts.is_empty() { self.items.push(a); } }",
            "fn new() -> Self { let mut a = 1; a += 1; Self { a } }",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_stands_under_a_condition_is_not_known() {
        let text = "fn new() -> Self { #[cfg(debug_assertions)] let log = true; Self { log } }";
        let function: syn::ImplItemFn = syn::parse_str(text).unwrap();
        let plain = plain(&function.sig, &function.block).unwrap();
        assert!(matches!(plain.lets.as_slice(), [(name, None)] if name == "log"));
    }
}
