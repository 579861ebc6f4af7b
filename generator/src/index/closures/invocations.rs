//! Macros within a closure: those of std are read as the expressions that they are given, all others are refused.

use syn::visit_mut::VisitMut;
use syn::{Expr, Lit};

use crate::index::ids::plain;
use crate::index::macro_text::{self, Text};

use super::body::Body;

impl Body<'_> {
    pub(super) fn macro_text(&mut self, invocation: &mut syn::Macro) {
        let shown = invocation.path.segments.last().map(|last| plain(&last.ident)).unwrap_or_default();
        let own = self.names.defines_macro(self.from, &shown);
        let text = if own { None } else { macro_text::read(invocation) };
        let Some(mut text) = text else {
            self.fail(format!("calls the macro `{shown}`"));
            return;
        };
        match &mut text {
            Text::List { items, format } => {
                for (index, item) in items.iter_mut().enumerate() {
                    match item {
                        // A named argument of a format string.
                        Expr::Assign(named) if format.is_some_and(|format| index > format) => {
                            self.visit_expr_mut(&mut named.right);
                        }
                        item => self.visit_expr_mut(item),
                    }
                }
                let string = format.and_then(|format| items.get(format));
                if let Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(string), .. })) = string {
                    let is_given = |name: &String| {
                        items.iter().any(|item| match item {
                            Expr::Assign(named) => {
                                matches!(&*named.left, Expr::Path(p) if p.path.is_ident(name))
                            }
                            _ => false,
                        })
                    };
                    let names = macro_text::format_names(&string.value());
                    let open: Vec<String> = names.into_iter().filter(|name| !is_given(name)).collect();
                    for name in &open {
                        self.format_name(name);
                    }
                }
            }
            Text::Repeated(pair) => {
                self.visit_expr_mut(&mut pair.0);
                self.visit_expr_mut(&mut pair.1);
            }
            Text::Matches(pair) => {
                self.visit_expr_mut(&mut pair.0);
                self.scoped(|this| this.visit_pat_mut(&mut pair.1));
            }
        }
        invocation.tokens = text.tokens();
    }

    fn format_name(&mut self, name: &str) {
        if self.is_bound(name) {
            return;
        }
        match self.captured(name) {
            Some(index) => {
                self.uses[index].times += 1;
                self.uses[index].in_format = true;
            }
            None => self.fail(format!("names `{name}` in a format string, which it has not captured")),
        }
    }
}
