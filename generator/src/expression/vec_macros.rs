//! The printer takes what stands in a macro for tokens and prints them as such (`Order { id : 7 }`, broken anywhere).
//! What `vec![…]` holds are expressions, so each is a call while it is printed.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::quote;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, File, Token};

/// What the call is named meanwhile: nobody writes `vec` so, which is no keyword.
const CALL: &str = "r#vec";

/// `r#vec([Order { id: 7 }])` for `vec![Order { id: 7 }]`. Lists of plain literals stay as they are: those the
/// printer fills line by line, while it gives each element of an array a line of its own.
pub(super) fn to_calls(file: &mut File) {
    Calls.visit_file_mut(file);
}

struct Calls;

impl VisitMut for Calls {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Macro(call) = expr
            && call.mac.path.is_ident("vec")
            && let Ok(items) = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(call.mac.tokens.clone())
            && !items.iter().all(is_plain)
            && let (Ok(name), items) = (CALL.parse::<TokenStream>(), items.iter())
            && let Ok(parsed) = syn::parse2(quote!(#name([#(#items),*])))
        {
            *expr = parsed;
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}

fn is_plain(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) | Expr::Path(_) => true,
        Expr::Unary(unary) => is_plain(&unary.expr),
        Expr::Reference(reference) => is_plain(&reference.expr),
        _ => false,
    }
}

/// The printed text with the macros back.
pub(super) fn from_calls(mut text: String) -> String {
    let Ok(tokens) = text.parse::<TokenStream>() else { return text };
    let mut edits = Vec::new();
    find(tokens, &mut edits);
    // From the end on, so that the places before stay true.
    edits.sort_by_key(|(range, _): &(std::ops::Range<usize>, &str)| std::cmp::Reverse(range.start));
    for (range, with) in edits {
        text.replace_range(range, with);
    }
    text
}

fn find(tokens: TokenStream, edits: &mut Vec<(std::ops::Range<usize>, &'static str)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        let name = index.checked_sub(1).map(|before| &tokens[before]);
        if let Some(TokenTree::Ident(name)) = name
            && *name == CALL
            && group.delimiter() == Delimiter::Parenthesis
            && let Some(TokenTree::Group(list)) = group.stream().into_iter().next()
        {
            edits.push((name.span().byte_range().start..list.span_open().byte_range().end, "vec!["));
            edits.push((list.span_close().byte_range().start..group.span_close().byte_range().end, "]"));
        }
        find(group.stream(), edits);
    }
}

#[cfg(test)]
mod tests {
    use super::super::format;

    fn formatted(body: &str) -> String {
        format(&body.parse().unwrap())
    }

    #[test]
    fn what_a_vec_holds_is_printed_as_rust() {
        let long = formatted(
            r#"let list = vec![Order { name: String::from("a long name for a thing"), id: 7, parts: vec![Part { n: 1 }, Part { n: 2 }] }, Order { name: String::from("b"), id: 8, parts: vec![] }];"#,
        );
        let expected = r#"let list = vec![
    Order {
        name: String::from("a long name for a thing"),
        id: 7,
        parts: vec![Part { n: 1 }, Part { n: 2 }],
    },
    Order {
        name: String::from("b"),
        id: 8,
        parts: vec![],
    },
];
"#;
        assert_eq!(long, expected);
        assert_eq!(formatted("let list = vec![(1, 2), (3, 4)];"), "let list = vec![(1, 2), (3, 4)];\n");
    }

    #[test]
    fn plain_lists_and_repetitions_stay() {
        let numbers = (100..160).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        let text = formatted(&format!("let list = vec![{numbers}];"));
        assert!(text.lines().count() < 8, "{text}");
        assert_eq!(formatted("let list = vec![Part { n: 1 }; 3];").matches("vec![").count(), 1);
    }

    #[test]
    fn a_text_that_looks_like_a_call_stays() {
        let text = formatted(r##"let text = "r#vec([1])"; let list = vec![String::from("r#vec([2])")];"##);
        assert!(
            text.contains(r##""r#vec([1])""##) && text.contains(r##"vec![String::from("r#vec([2])")]"##),
            "{text}"
        );
    }
}
