//! Well-known macros of std whose text reads as expressions. In: an invocation. Out: its expressions, or its text with
//! them put back. Nothing is expanded.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Pat, Token};

/// How the text of a macro is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Expressions, of which the one at that place may be a format string.
    List { format: Option<usize> },
    /// `vec![…]`.
    Vec,
    /// `matches!(…)`.
    Matches,
}

/// A macro's text, read.
pub(super) enum Text {
    /// `a, b, name = c`
    List {
        /// The expressions.
        items: Vec<Expr>,
        /// Which of them may be a format string.
        format: Option<usize>,
    },
    /// `a; n`
    Repeated(Box<(Expr, Expr)>),
    /// `e, pattern`
    Matches(Box<(Expr, Pat)>),
}

fn form(name: &str) -> Option<Form> {
    let format = match name {
        "format" | "print" | "println" | "eprint" | "eprintln" | "panic" | "todo" | "unimplemented"
        | "unreachable" | "format_args" => Some(0),
        "write" | "writeln" | "assert" | "debug_assert" => Some(1),
        "assert_eq" | "assert_ne" | "debug_assert_eq" | "debug_assert_ne" => Some(2),
        "dbg" => None,
        "vec" => return Some(Form::Vec),
        "matches" => return Some(Form::Matches),
        _ => return None,
    };
    Some(Form::List { format })
}

/// The name of a macro that is std's, as far as its path tells.
pub(super) fn name(invocation: &syn::Macro) -> Option<String> {
    let segments: Vec<String> = invocation.path.segments.iter().map(|s| s.ident.to_string()).collect();
    match segments.as_slice() {
        [name] => Some(name.clone()),
        [root, name] if root == "std" || root == "core" || root == "alloc" => Some(name.clone()),
        _ => None,
    }
}

/// The name of a macro whose text can be read.
pub(super) fn well_known(invocation: &syn::Macro) -> Option<String> {
    name(invocation).filter(|name| form(name).is_some())
}

/// Reads the text of a well-known macro; `None` of any other.
pub(super) fn read(invocation: &syn::Macro) -> Option<Text> {
    let tokens = invocation.tokens.clone();
    let list = |tokens| {
        let items = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(tokens).ok()?;
        Some(items.into_iter().collect())
    };
    match form(&name(invocation)?)? {
        Form::List { format } => Some(Text::List { items: list(tokens)?, format }),
        Form::Vec => {
            let repeated = |input: ParseStream<'_>| {
                let item = input.parse()?;
                input.parse::<Token![;]>()?;
                Ok((item, input.parse()?))
            };
            match repeated.parse2(tokens.clone()) {
                Ok(pair) => Some(Text::Repeated(Box::new(pair))),
                Err(_) => Some(Text::List { items: list(tokens)?, format: None }),
            }
        }
        Form::Matches => {
            let matches = |input: ParseStream<'_>| {
                let value = input.parse()?;
                input.parse::<Token![,]>()?;
                let mut pattern = Pat::parse_multi_with_leading_vert(input)?;
                if input.peek(Token![if]) {
                    let if_token = input.parse()?;
                    let guard = Box::new(input.parse()?);
                    pattern = Pat::Guard(syn::PatGuard {
                        attrs: Vec::new(),
                        pat: Box::new(pattern),
                        if_token,
                        guard,
                    });
                }
                input.parse::<Option<Token![,]>>()?;
                Ok((value, pattern))
            };
            Some(Text::Matches(Box::new(matches.parse2(tokens).ok()?)))
        }
    }
}

impl Text {
    /// The text anew.
    pub(super) fn tokens(&self) -> TokenStream {
        match self {
            Text::List { items, .. } => quote!(#(#items),*),
            Text::Repeated(pair) => {
                let (item, count) = &**pair;
                quote!(#item; #count)
            }
            Text::Matches(pair) => {
                let (value, pattern) = &**pair;
                let pattern = pattern.to_token_stream();
                quote!(#value, #pattern)
            }
        }
    }
}

/// The expressions in a well-known macro's text, in order; `None` of any other.
pub(super) fn expressions(invocation: &syn::Macro) -> Option<Vec<Expr>> {
    Some(match read(invocation)? {
        Text::List { items, .. } => items,
        Text::Repeated(pair) => vec![pair.0, pair.1],
        Text::Matches(pair) => match pair.1 {
            Pat::Guard(guard) => vec![pair.0, *guard.guard],
            _ => vec![pair.0],
        },
    })
}

/// The variables that a format string names: `x` and `width` in `"{x:>width$} {}"`.
pub(super) fn format_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if let Some(escaped) = rest.strip_prefix('{') {
            rest = escaped;
            continue;
        }
        let Some(end) = rest.find('}') else { break };
        let (argument, spec) = rest[..end].split_once(':').unwrap_or((&rest[..end], ""));
        let counts = spec.split(['.', '<', '>', '^', '+', '#']).filter_map(|part| {
            let (name, _) = part.split_once('$')?;
            Some(name.trim_start_matches('0'))
        });
        for name in [argument.trim()].into_iter().chain(counts) {
            if crate::hostile::identifier(name).is_some() {
                names.push(name.to_owned());
            }
        }
        rest = &rest[end + 1..];
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let invocation: syn::Macro = syn::parse_str(text).unwrap();
        read(&invocation).map(|text| text.tokens().to_string())
    }

    #[test]
    fn well_known_macros_read_as_expressions() {
        assert_eq!(shown("vec![1; n]").as_deref(), Some("1 ; n"));
        assert_eq!(shown("vec![a, b]").as_deref(), Some("a , b"));
        assert_eq!(shown("std::format!(\"{}\", x)").as_deref(), Some("\"{}\" , x"));
        assert_eq!(shown("matches!(x, Some(y) if y > 1)").as_deref(), Some("x , Some (y) if y > 1"));
        assert_eq!(shown("select!(a => b)"), None);
        assert_eq!(shown("own::format!(a)"), None);
    }

    #[test]
    fn a_format_string_names_variables() {
        assert_eq!(format_names("{x:>width$.prec$} {} {0} {{y}} {z:?}"), ["x", "width", "prec", "z"]);
    }
}
