//! A closure's text, name by name: what it binds itself stays, what it has captured gets a placeholder, everything else must
//! mean the same at the test's place. In: the expression. Out: the same expression, rewritten, or the first name that has no
//! meaning there.

use std::collections::BTreeSet;

use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Pat, Token};

use crate::index::ids::{ModuleId, plain};
use crate::index::naming::NamesAt;
use crate::index::resolve::Space;

use super::find::Locals;
use super::generics::Concrete;
use super::placeholder;
use super::places::is_assignment;

/// How one captured place is used.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Uses {
    pub(super) times: usize,
    /// Behind a `*`: its variable was a reference.
    pub(super) dereferenced: bool,
    /// Given another value.
    pub(super) assigned: bool,
    /// Lent to be changed, or to a method that may change it.
    pub(super) lent: bool,
    /// Handed on as an argument.
    pub(super) handed_on: bool,
    /// Named within a format string, where it cannot have another name.
    pub(super) in_format: bool,
}

/// Rewrites one closure.
pub(super) struct Body<'a> {
    pub(super) names: &'a NamesAt<'a>,
    /// Where the closure stands.
    pub(super) from: ModuleId,
    pub(super) locals: &'a Locals,
    /// What `Self` and the generic parameters around it are.
    pub(super) concrete: Concrete,
    /// `base`, `self__base`, `t__0`.
    pub(super) places: &'a [&'a str],
    /// How each of them is used.
    pub(super) uses: Vec<Uses>,
    /// Every name that the closure binds.
    pub(super) bound: BTreeSet<String>,
    scopes: Vec<BTreeSet<String>>,
    error: Option<String>,
}

impl<'a> Body<'a> {
    pub(super) fn new(
        names: &'a NamesAt<'a>,
        from: ModuleId,
        locals: &'a Locals,
        places: &'a [&'a str],
    ) -> Body<'a> {
        Body {
            names,
            from,
            locals,
            concrete: Concrete::default(),
            places,
            uses: vec![Uses::default(); places.len()],
            bound: BTreeSet::new(),
            scopes: vec![BTreeSet::new()],
            error: None,
        }
    }

    /// The same, within a function of which it is known what its parameters are.
    pub(super) fn with(self, concrete: Concrete) -> Body<'a> {
        Body { concrete, ..self }
    }

    /// Rewrites the closure, or tells the first name that cannot be had.
    pub(super) fn rewrite(&mut self, closure: &mut syn::ExprClosure) -> Result<(), String> {
        closure.attrs.clear();
        self.visit_expr_closure_mut(closure);
        self.error.take().map_or(Ok(()), Err)
    }

    /// The same for an expression that has captured nothing.
    pub(super) fn rewrite_expression(&mut self, expression: &mut Expr) -> Result<(), String> {
        self.visit_expr_mut(expression);
        self.error.take().map_or(Ok(()), Err)
    }

    pub(super) fn fail(&mut self, reason: impl Into<String>) {
        self.error.get_or_insert_with(|| reason.into());
    }

    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.scopes.iter().any(|scope| scope.contains(name))
    }

    fn bind(&mut self, name: String) {
        self.bound.insert(name.clone());
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name);
        }
    }

    pub(super) fn scoped(&mut self, within: impl FnOnce(&mut Self)) {
        self.scopes.push(BTreeSet::new());
        within(self);
        self.scopes.pop();
    }

    /// A path where a value stands.
    fn value_path(&mut self, path: &mut syn::ExprPath) {
        if let Some(of) = &mut path.qself {
            self.visit_type_mut(&mut of.ty);
            let (count, before) = (of.position, path.path.segments.len());
            self.respell(&mut path.path, Some(count), Space::Types);
            if let Some(of) = path.qself.as_mut().filter(|of| of.position > 0) {
                of.position = (of.position + path.path.segments.len()).saturating_sub(before);
            }
            return;
        }
        if let Some(name) = path.path.get_ident().map(plain) {
            if self.is_bound(&name) {
                return;
            }
            let parts = format!("{name}__");
            if self.places.iter().any(|place| place.starts_with(&parts)) {
                self.fail(format!("uses `{name}` as a whole, of which it has captured parts"));
                return;
            }
            if name == "self" {
                self.fail("uses `self`, which it has not captured");
                return;
            }
        }
        self.respell(&mut path.path, None, Space::Values);
    }

    /// Spells a path, its first `count` segments where that is given, for the test's place.
    fn respell(&mut self, path: &mut syn::Path, count: Option<usize>, space: Space) {
        self.arguments(path);
        if count == Some(0) {
            return;
        }
        if let Err(reason) = super::respell::path(self, path, count, space) {
            self.fail(reason);
        }
    }

    /// Types within a path's own arguments.
    pub(super) fn arguments(&mut self, path: &mut syn::Path) {
        for segment in &mut path.segments {
            self.visit_path_arguments_mut(&mut segment.arguments);
        }
    }
}

impl VisitMut for Body<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        if self.error.is_some() {
            return;
        }
        if let Some(index) = self.captured_place(expression) {
            self.uses[index].times += 1;
            let variable = placeholder(index);
            *expression = syn::parse_quote!(#variable);
            return;
        }
        match expression {
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => {
                let mut inner = &*unary.expr;
                while let Expr::Paren(paren) = inner {
                    inner = &*paren.expr;
                }
                if let Some(index) = self.captured_place(inner) {
                    self.uses[index].dereferenced = true;
                }
                self.visit_expr_mut(&mut unary.expr);
            }
            Expr::Path(path) => match self.concrete_value(path) {
                Some(concrete) => *expression = concrete,
                None => {
                    self.name_self(&mut path.path);
                    self.value_path(path);
                }
            },
            Expr::Assign(assignment) => {
                self.mark(&assignment.left, |uses| uses.assigned = true);
                visit_mut::visit_expr_assign_mut(self, assignment);
            }
            Expr::Binary(operation) => {
                if is_assignment(&operation.op) {
                    self.mark(&operation.left, |uses| uses.assigned = true);
                }
                visit_mut::visit_expr_binary_mut(self, operation);
            }
            Expr::Reference(reference) => {
                if reference.mutability.is_some() {
                    self.mark(&reference.expr, |uses| uses.assigned = true);
                }
                visit_mut::visit_expr_reference_mut(self, reference);
            }
            Expr::Call(call) => {
                self.hand_on(&call.args);
                visit_mut::visit_expr_call_mut(self, call);
            }
            Expr::MethodCall(call) => {
                self.mark(&call.receiver, |uses| uses.lent = true);
                self.hand_on(&call.args);
                visit_mut::visit_expr_method_call_mut(self, call);
            }
            Expr::Struct(literal) => {
                self.name_self(&mut literal.path);
                self.respell(&mut literal.path, None, Space::Types);
                for field in &mut literal.fields {
                    let before = field.expr.clone();
                    self.visit_expr_mut(&mut field.expr);
                    if field.colon_token.is_none() && field.expr != before {
                        field.colon_token = Some(<Token![:]>::default());
                    }
                }
                if let Some(rest) = &mut literal.rest {
                    self.visit_expr_mut(rest);
                }
            }
            Expr::If(branch) => {
                self.scoped(|this| {
                    this.visit_expr_mut(&mut branch.cond);
                    this.visit_block_mut(&mut branch.then_branch);
                });
                if let Some((_, otherwise)) = &mut branch.else_branch {
                    self.visit_expr_mut(otherwise);
                }
            }
            Expr::While(repeated) => self.scoped(|this| {
                this.visit_expr_mut(&mut repeated.cond);
                this.visit_block_mut(&mut repeated.body);
            }),
            Expr::Let(condition) => {
                self.visit_expr_mut(&mut condition.expr);
                self.visit_pat_mut(&mut condition.pat);
            }
            Expr::ForLoop(repeated) => {
                self.visit_expr_mut(&mut repeated.expr);
                self.scoped(|this| {
                    this.visit_pat_mut(&mut repeated.pat);
                    this.visit_block_mut(&mut repeated.body);
                });
            }
            Expr::Macro(invocation) => self.macro_text(&mut invocation.mac),
            Expr::Verbatim(_) => self.fail("holds an expression that is not understood"),
            other => visit_mut::visit_expr_mut(self, other),
        }
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut syn::ExprClosure) {
        self.scoped(|this| {
            closure.inputs.iter_mut().for_each(|input| this.visit_pat_mut(input));
            this.visit_return_type_mut(&mut closure.output);
            this.visit_expr_mut(&mut closure.body);
        });
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        self.scoped(|this| {
            this.visit_pat_mut(&mut arm.pat);
            this.visit_expr_mut(&mut arm.body);
        });
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        self.scoped(|this| block.stmts.iter_mut().for_each(|statement| this.visit_stmt_mut(statement)));
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        if let Some(init) = &mut local.init {
            self.visit_expr_mut(&mut init.expr);
            if let Some((_, diverge)) = &mut init.diverge {
                self.visit_expr_mut(diverge);
            }
        }
        self.visit_pat_mut(&mut local.pat);
    }

    fn visit_stmt_macro_mut(&mut self, statement: &mut syn::StmtMacro) {
        self.macro_text(&mut statement.mac);
    }

    fn visit_item_mut(&mut self, _: &mut syn::Item) {
        self.fail("declares an item of its own");
    }

    fn visit_pat_mut(&mut self, pattern: &mut Pat) {
        match pattern {
            Pat::Ident(binding) => {
                let name = plain(&binding.ident);
                let is_plain =
                    binding.by_ref.is_none() && binding.mutability.is_none() && binding.subpat.is_none();
                if is_plain && name.starts_with(char::is_uppercase) {
                    // A constant, a unit struct or a variant: a pattern of one name cannot have a path in its place
                    // without becoming another kind of pattern.
                    let mut path = syn::Path::from(binding.ident.clone());
                    self.respell(&mut path, None, Space::Values);
                    if !path.is_ident(&binding.ident) {
                        *pattern = Pat::Path(syn::ExprPath { attrs: Vec::new(), qself: None, path });
                    }
                    return;
                }
                self.bind(name);
                if let Some((_, inner)) = &mut binding.subpat {
                    self.visit_pat_mut(inner);
                }
            }
            Pat::Path(path) => {
                self.name_self(&mut path.path);
                self.value_path(path);
            }
            Pat::TupleStruct(parts) => {
                self.name_self(&mut parts.path);
                self.respell(&mut parts.path, None, Space::Values);
                parts.elems.iter_mut().for_each(|part| self.visit_pat_mut(part));
            }
            Pat::Struct(parts) => {
                self.name_self(&mut parts.path);
                self.respell(&mut parts.path, None, Space::Types);
                parts.fields.iter_mut().for_each(|field| self.visit_pat_mut(&mut field.pat));
            }
            Pat::Macro(_) => self.fail("has a macro for a pattern"),
            Pat::Verbatim(_) => self.fail("holds a pattern that is not understood"),
            other => visit_mut::visit_pat_mut(self, other),
        }
    }

    fn visit_type_mut(&mut self, ty: &mut syn::Type) {
        if let syn::Type::Path(path) = ty
            && let Some(concrete) = self.concrete_type(path)
        {
            *ty = concrete;
            return;
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_type_path_mut(&mut self, path: &mut syn::TypePath) {
        let count = match &mut path.qself {
            Some(of) => {
                self.visit_type_mut(&mut of.ty);
                Some(of.position)
            }
            None => None,
        };
        let before = path.path.segments.len();
        self.respell(&mut path.path, count, Space::Types);
        if let Some(of) = path.qself.as_mut().filter(|of| of.position > 0) {
            of.position = (of.position + path.path.segments.len()).saturating_sub(before);
        }
    }

    fn visit_path_mut(&mut self, path: &mut syn::Path) {
        // A bound's.
        self.respell(path, None, Space::Types);
    }

    fn visit_type_macro_mut(&mut self, _: &mut syn::TypeMacro) {
        self.fail("has a macro for a type");
    }

    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}
}

/// The segments of a path that another one replaces: the last keeps its arguments.
pub(super) fn replace(path: &mut syn::Path, count: usize, absolute: bool, spelled: &[proc_macro2::Ident]) {
    let old: Vec<syn::PathSegment> = path.segments.iter().cloned().collect();
    let mut segments: Punctuated<syn::PathSegment, Token![::]> =
        spelled.iter().cloned().map(syn::PathSegment::from).collect();
    if let (Some(last), Some(replaced)) =
        (segments.last_mut(), count.checked_sub(1).and_then(|at| old.get(at)))
    {
        last.arguments = replaced.arguments.clone();
    }
    segments.extend(old.into_iter().skip(count));
    path.leading_colon = absolute.then(<Token![::]>::default);
    path.segments = segments;
}
