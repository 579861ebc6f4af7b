//! The call in a test's text: found by syntax, then made to show its outcome or to compare it with the accepted
//! one. Only that statement changes; the rest of the file stays to the letter.

use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::{Attribute, Block, Expr, Item, Pat, Stmt};

/// The variable that names the file in which a probe leaves the outcome.
pub(super) const OUTCOME_VARIABLE: &str = "RELAPSE_OUTCOME";

/// Why a test's call cannot be found or edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The file is no Rust.
    #[error("it is no valid Rust: {0}")]
    Syntax(String),
    /// There is no such test in it.
    #[error("it has no test function {0}")]
    NoTest(String),
    /// The test's last statement is no call.
    #[error("its last statement is not a call whose outcome could be locked")]
    NoCall,
}

/// The call of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Call {
    /// `#[should_panic]`.
    pub(super) should_panic: bool,
    /// Whether it is an `insta::assert_debug_snapshot!` already.
    pub(super) asserts: bool,
    /// The statement's bytes.
    statement: Range<usize>,
    /// The bytes of the expression whose outcome counts.
    expression: Range<usize>,
}

/// Finds the call that the test `name` ends with.
pub(super) fn find(text: &str, name: &str) -> Result<Call, CallError> {
    let file = syn::parse_file(text).map_err(|error| CallError::Syntax(error.to_string()))?;
    let test = file.items.iter().find_map(|item| match item {
        Item::Fn(function) if function.sig.ident == name && is_test(&function.attrs) => Some(function),
        _ => None,
    });
    let test = test.ok_or_else(|| CallError::NoTest(name.to_owned()))?;
    let should_panic = has(&test.attrs, "should_panic");
    let last = last_statement(&test.block).ok_or(CallError::NoCall)?;
    let statement = last.span().byte_range();
    let (expression, asserts) = match last {
        Stmt::Macro(call) if is_debug_snapshot(&call.mac) => (argument(&call.mac)?, true),
        Stmt::Expr(Expr::Macro(call), _) if is_debug_snapshot(&call.mac) => (argument(&call.mac)?, true),
        Stmt::Expr(expression, _) if returns(expression) => (expression.span().byte_range(), false),
        Stmt::Local(local) if matches!(local.pat, Pat::Wild(_)) => {
            let init = local.init.as_ref().filter(|init| init.diverge.is_none()).ok_or(CallError::NoCall)?;
            (init.expr.span().byte_range(), false)
        }
        _ => return Err(CallError::NoCall),
    };
    Ok(Call { should_panic, asserts, statement, expression })
}

/// The text with a call that leaves its outcome in the file that [`OUTCOME_VARIABLE`] names.
pub(super) fn probing(text: &str, name: &str) -> Result<String, CallError> {
    let call = find(text, name)?;
    // `extern crate` so that it works in a `no_std` crate and in edition 2015 as well.
    let probe = format!(
        "{{\n    extern crate std as relapse_std;\n    let outcome = relapse_std::format!(\"{{:#?}}\", {});\n    \
         let file = relapse_std::env::var_os(\"{OUTCOME_VARIABLE}\").unwrap();\n    \
         relapse_std::fs::write(file, outcome).unwrap();\n}}",
        &text[call.expression],
    );
    Ok(replaced(text, &call.statement, &probe))
}

/// The text with a call whose outcome is compared with the accepted one.
pub(super) fn asserting(text: &str, name: &str, edition: u16) -> Result<String, CallError> {
    let call = find(text, name)?;
    if call.asserts {
        return Ok(text.to_owned());
    }
    let line = text[..call.statement.start].rfind('\n').map_or(0, |at| at + 1);
    let indent: String = text[line..].chars().take_while(|char| matches!(char, ' ' | '\t')).collect();
    let expression = &text[call.expression.clone()];
    let lines = format!("let outcome = {expression};\n{indent}insta::assert_debug_snapshot!(outcome);");
    let text = replaced(text, &call.statement, &lines);
    Ok(if edition == 2015 { with_extern_crate(&text) } else { text })
}

/// Edition 2015 finds only crates that are named; later ones may forbid to name them.
fn with_extern_crate(text: &str) -> String {
    if text.lines().any(|line| line == "extern crate insta;") {
        return text.to_owned();
    }
    // After the comment at the top.
    let head: usize = text
        .split_inclusive('\n')
        .take_while(|line| line.starts_with("//") || line.trim().is_empty())
        .map(str::len)
        .sum();
    let newline = if text[head..].starts_with("extern crate ") { "" } else { "\n" };
    format!("{}extern crate insta;\n{newline}{}", &text[..head], &text[head..])
}

fn replaced(text: &str, range: &Range<usize>, by: &str) -> String {
    format!("{}{by}{}", &text[..range.start], &text[range.end..])
}

fn has(attributes: &[Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| attribute.path().is_ident(name))
}

/// `#[test]`, `#[tokio::test]`.
fn is_test(attributes: &[Attribute]) -> bool {
    let last = |attribute: &Attribute| attribute.path().segments.last().map(|last| last.ident.to_string());
    attributes.iter().any(|attribute| last(attribute).as_deref() == Some("test"))
}

/// The last statement; of `in_child(…, || { … })`, the closure's.
fn last_statement(block: &Block) -> Option<&Stmt> {
    let last = block.stmts.last()?;
    if let Stmt::Expr(Expr::Call(call), _) = last
        && let Expr::Path(path) = call.func.as_ref()
        && path.path.is_ident("in_child")
        && let Some(Expr::Closure(closure)) = call.args.last()
        && let Expr::Block(body) = closure.body.as_ref()
    {
        return body.block.stmts.last();
    }
    Some(last)
}

/// Whether an expression can have an outcome: a call, alone or with something done to it.
fn returns(expression: &Expr) -> bool {
    match expression {
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Index(_) | Expr::Binary(_) | Expr::Unary(_) => true,
        Expr::Await(inner) => returns(&inner.base),
        Expr::Try(inner) => returns(&inner.expr),
        Expr::Paren(inner) => returns(&inner.expr),
        Expr::Unsafe(inner) => matches!(inner.block.stmts.last(), Some(Stmt::Expr(_, None))),
        Expr::Macro(call) => !call.mac.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            name.starts_with("assert") || name.starts_with("debug_assert")
        }),
        _ => false,
    }
}

fn is_debug_snapshot(call: &syn::Macro) -> bool {
    let names: Vec<String> = call.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    names == ["insta", "assert_debug_snapshot"]
}

/// The bytes of a macro's only argument.
fn argument(call: &syn::Macro) -> Result<Range<usize>, CallError> {
    let expression: Expr = call.parse_body().map_err(|_| CallError::NoCall)?;
    Ok(expression.span().byte_range())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(body: &str) -> String {
        format!("// a header with `é`\n\nuse super::super::*;\n\n#[test]\nfn t() {{\n{body}\n}}\n")
    }

    #[test]
    fn the_last_call_becomes_the_outcome() {
        let text = test("    let s = \"ü\";\n    fill(s, 9);");
        assert_eq!(
            asserting(&text, "t", 2021).unwrap(),
            test(
                "    let s = \"ü\";\n    let outcome = fill(s, 9);\n    insta::assert_debug_snapshot!(outcome);"
            )
        );
        let again = asserting(&text, "t", 2021).unwrap();
        assert_eq!(asserting(&again, "t", 2021).unwrap(), again);
        assert!(find(&again, "t").unwrap().asserts);
    }

    #[test]
    fn a_dropped_result_is_not_dropped_any_more() {
        let text = asserting(&test("    let _ = book\n        .price(1);"), "t", 2021).unwrap();
        assert!(text.contains("    let outcome = book\n        .price(1);\n    insta::assert"), "{text}");
    }

    #[test]
    fn a_call_in_a_child_is_found() {
        let text = test("    in_child(\"t\", || {\n        let n = 1;\n        depth(n);\n    });");
        let text = asserting(&text, "t", 2021).unwrap();
        let lines =
            "        let outcome = depth(n);\n        insta::assert_debug_snapshot!(outcome);\n    });";
        assert!(text.contains(lines), "{text}");
    }

    #[test]
    fn an_awaited_call_has_its_outcome() {
        let text = test("    fetch(1).await;").replace("#[test]\nfn", "#[tokio::test]\nasync fn");
        let asserting = asserting(&text, "t", 2021).unwrap();
        assert!(asserting.contains("    let outcome = fetch(1).await;\n    insta::"), "{asserting}");
        let probe = probing(&text, "t").unwrap();
        assert!(probe.contains("(\"{:#?}\", fetch(1).await);"), "{probe}");
        syn::parse_file(&probe).unwrap();
    }

    #[test]
    fn a_probe_leaves_the_outcome_of_either_form() {
        let text = test("    fill(1);");
        let probe = probing(&text, "t").unwrap();
        assert!(probe.contains("(\"{:#?}\", fill(1));"), "{probe}");
        let probe = probing(&asserting(&text, "t", 2021).unwrap(), "t").unwrap();
        assert!(probe.contains("let outcome = fill(1);\n    {\n"), "{probe}");
        assert!(probe.contains("(\"{:#?}\", outcome);") && !probe.contains("insta"), "{probe}");
        syn::parse_file(&probe).unwrap();
    }

    #[test]
    fn edition_2015_names_the_crate() {
        let text = asserting(&test("    fill(1);"), "t", 2015).unwrap();
        assert!(text.contains("`é`\n\nextern crate insta;\n\nuse super::super::*;\n"), "{text}");
    }

    #[test]
    fn a_test_that_ends_otherwise_is_a_persons_own() {
        for body in ["    assert_eq!(fill(1), 2);", "    let x = fill(1);", "", "    for _ in 0..3 {}"] {
            assert_eq!(find(&test(body), "t"), Err(CallError::NoCall), "{body}");
        }
        assert_eq!(find(&test(""), "u"), Err(CallError::NoTest("u".into())));
        let open = test("    f();").replace("#[test]", "#[test]\n#[should_panic(expected = \"x\")]");
        assert!(find(&open, "t").unwrap().should_panic);
    }
}
