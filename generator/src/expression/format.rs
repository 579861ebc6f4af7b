//! The body of a test: arguments and call as tokens, and as text that stands in a function.

use proc_macro2::TokenStream;
use quote::quote;

use super::WrittenArgument;
use super::vec_macros;
use crate::hostile::literal::lines_within_literals;

/// The statements of a test: every argument's `let`s, then the call. With `drop_result` its result is
/// dropped by `let _ =`, for a type that must be used.
pub fn body(arguments: &[WrittenArgument], call: &TokenStream, drop_result: bool) -> TokenStream {
    let lets = arguments.iter().flat_map(|argument| &argument.lets);
    let drop = drop_result.then(|| quote!(let _ =));
    quote!(#(#lets)* #drop #call;)
}

/// The statements as text, from the left margin; what it is put into must not indent it line by line, since
/// raw strings may go over several lines ([`crate::render`] knows which lines to indent). Statements that are no Rust are
/// written as tokens are.
pub fn format(body: &TokenStream) -> String {
    let Ok(mut file) = syn::parse2::<syn::File>(quote!(fn body() { #body })) else {
        return body.to_string();
    };
    vec_macros::to_calls(&mut file);
    let text = vec_macros::from_calls(prettyplease::unparse(&file));
    let inner =
        text.split_once('\n').and_then(|(_, rest)| rest.trim_end().strip_suffix('}')).unwrap_or_default();
    let literal_lines = lines_within_literals(&text);
    let mut out = String::new();
    for (index, line) in inner.lines().enumerate() {
        // Line 1 of the text is `fn body() {`.
        let kept = if literal_lines.contains(&(index + 2)) {
            line
        } else {
            line.strip_prefix("    ").unwrap_or(line)
        };
        out.push_str(kept);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_stands_at_the_margin() {
        let call = quote!(fill(s, width));
        let body: TokenStream = r##"let s = r#""a"
    "b"
"c""#; let width = 9; let book = Book { bids: BTreeMap::from([(101, vec![Order { id: 7, qty: 3 }])]), last: None };"##
            .parse()
            .unwrap();
        let text = format(&quote!(#body let _ = #call;));
        assert!(
            text.starts_with(
                "let s = r#\"\"a\"\n    \"b\"\n\"c\"\"#;\nlet width = 9;\nlet book = Book {\n    bids: "
            ),
            "{text}"
        );
        assert!(text.ends_with("};\nlet _ = fill(s, width);\n"), "{text}");
    }
}
