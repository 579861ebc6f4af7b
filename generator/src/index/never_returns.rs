//! Functions that panic whatever they are given: a test of one passes only where it is itself rewritten.

use syn::visit::Visit;
use syn::{Block, Expr, Macro, ReturnType, Signature, Stmt, Type};

/// Whether a call of a function can come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Returns {
    /// It may.
    #[default]
    Maybe,
    /// Its body ends in `panic!`, and has no other way out: its caller is to blame, or it is itself what is wrong.
    /// `todo!` and `unimplemented!` do not count: they say that it is itself.
    Panics,
    /// Its result is `!`, or it says of itself that it is never called: its body ends in `unreachable!`.
    Never,
}

/// Whether a call of a function can come back, as far as its head and the last statement of its body tell.
pub(super) fn returns(signature: &Signature, body: &Block) -> Returns {
    let never = matches!(&signature.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)));
    let end = match body.stmts.last() {
        // One with a `cfg` may be no part of the build.
        Some(Stmt::Macro(statement)) if statement.attrs.is_empty() => Some(&statement.mac),
        Some(Stmt::Expr(Expr::Macro(expression), _)) if expression.attrs.is_empty() => Some(&expression.mac),
        _ => None,
    };
    let ends_in = |name: &str| {
        let last = end.and_then(|invocation| invocation.path.segments.last());
        last.is_some_and(|last| last.ident == name) && !has_other_way_out(body)
    };
    if never || ends_in("unreachable") {
        Returns::Never
    } else if ends_in("panic") {
        Returns::Panics
    } else {
        Returns::Maybe
    }
}

/// Whether a body may return before its end. What stands within a macro is no syntax yet: its tokens are searched for the
/// word, and a macro that is not known may hide it.
fn has_other_way_out(body: &Block) -> bool {
    struct WayOut(bool);
    impl<'ast> Visit<'ast> for WayOut {
        fn visit_item(&mut self, _: &'ast syn::Item) {}
        fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
        fn visit_expr_return(&mut self, _: &'ast syn::ExprReturn) {
            self.0 = true;
        }
        fn visit_expr_try(&mut self, _: &'ast syn::ExprTry) {
            self.0 = true;
        }
        fn visit_macro(&mut self, invocation: &'ast Macro) {
            self.0 |= invocation.tokens.to_string().contains("return") || !is_std(invocation);
        }
    }
    let mut found = WayOut(false);
    found.visit_block(body);
    found.0
}

/// Whether a macro is one of std's that do not return from the function around them.
fn is_std(invocation: &Macro) -> bool {
    const KNOWN: [&str; 12] = [
        "panic",
        "unreachable",
        "assert",
        "assert_eq",
        "assert_ne",
        "debug_assert",
        "format",
        "println",
        "eprintln",
        "print",
        "eprint",
        "vec",
    ];
    invocation.path.segments.last().is_some_and(|name| KNOWN.iter().any(|known| name.ident == known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(function: &str) -> Returns {
        let function: syn::ItemFn = syn::parse_str(function).unwrap();
        returns(&function.sig, &function.block)
    }

    #[test]
    fn a_body_that_can_only_panic_is_told_from_one_that_is_never_called() {
        assert_eq!(of("fn f(x: u8) -> ! { fail(x) }"), Returns::Never);
        assert_eq!(of("fn f(&self, _: &[u8]) -> u64 { std::unreachable!(\"no {}\", 1); }"), Returns::Never);
        assert_eq!(of("fn f(_: &[u8]) { panic!() }"), Returns::Panics);
        let closure =
            "fn f(x: u8) { let g = |y: u8| { return y; }; eprintln!(\"{x}\"); g(x); panic!(\"{x}\") }";
        assert_eq!(of(closure), Returns::Panics);
    }

    #[test]
    fn a_body_that_may_return_or_is_to_be_written_may_return() {
        for function in [
            "fn f(x: u8) -> u8 { if x > 1 { return x; } panic!() }",
            "fn f(x: Option<u8>) -> Option<u8> { x?; unreachable!() }",
            "fn f(x: u8) -> u8 { ensure!(x); panic!() }",
            "fn f(x: u8) -> u8 { todo!() }",
            "fn f(x: u8) -> u8 { #[cfg(a)] { g(x) } #[cfg(not(a))] unreachable!() }",
            "fn f(x: u8) { g(x); #[cfg(a)] panic!(); }",
            "fn f(x: u8) -> u8 { unimplemented!() }",
            "fn f(x: u8) -> u8 { assert!(x > 1); x }",
            "fn f(x: u8) -> u8 { match x { 0 => panic!(), x => x } }",
        ] {
            assert_eq!(of(function), Returns::Maybe, "{function}");
        }
    }
}
