//! Whether a test is meant to panic: `#[should_panic]` on the function at a line of a file, or `should_panic` at the
//! head of a documentation test. Pure; reads no file.

use syn::spanned::Spanned;
use syn::visit::Visit;

/// What a function's attributes say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShouldPanic {
    /// `#[should_panic]`, with the text of `expected` where it is given.
    Yes(Option<String>),
    /// No such attribute.
    No,
}

/// Reads the attributes of the function that stands at `line` (from 1), which may be the line of its name, its
/// `fn`, its attributes or, for code that a macro made of it, any line within. `None`: the text is no Rust, or no
/// function stands there.
pub fn should_panic(text: &str, line: u32) -> Option<ShouldPanic> {
    let file = syn::parse_file(text).ok()?;
    let mut search = Search { line: line as usize, found: None };
    search.visit_file(&file);
    search.found.map(|(_, answer)| answer)
}

/// Reads the head of the documentation test that begins at `line` (from 1): ```` /// ```should_panic ````. `None`: no
/// code begins there.
pub fn doctest_should_panic(text: &str, line: u32) -> Option<ShouldPanic> {
    let line = text.lines().nth((line as usize).checked_sub(1)?)?.trim();
    let comment = ["///", "//!", "/**", "/*!", "*"].iter().find_map(|mark| line.strip_prefix(mark));
    let head = comment.unwrap_or(line).trim_start();
    let fence = head.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let words = head.trim_start_matches(fence);
    if head.len() - words.len() < 3 {
        return None;
    }
    let mut words = words.split([',', ' ', '\t', '{', '}']);
    Some(if words.any(|word| word == "should_panic") { ShouldPanic::Yes(None) } else { ShouldPanic::No })
}

struct Search {
    line: usize,
    /// The smallest function around the line: its number of lines, and the answer.
    found: Option<(usize, ShouldPanic)>,
}

impl Search {
    fn look(&mut self, attributes: &[syn::Attribute], item: &impl Spanned) {
        let span = item.span();
        let first = attributes.first().map_or(span, Spanned::span).start().line.min(span.start().line);
        let last = span.end().line;
        let len = last.saturating_sub(first);
        if (first..=last).contains(&self.line) && self.found.as_ref().is_none_or(|(known, _)| len <= *known) {
            self.found = Some((len, answer(attributes)));
        }
    }
}

impl<'ast> Visit<'ast> for Search {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.look(&item.attrs, item);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.look(&item.attrs, item);
        syn::visit::visit_impl_item_fn(self, item);
    }
}

fn answer(attributes: &[syn::Attribute]) -> ShouldPanic {
    attributes.iter().find_map(|attribute| of_meta(&attribute.meta)).unwrap_or(ShouldPanic::No)
}

/// `should_panic`, `should_panic = "…"`, `should_panic(expected = "…")`, also within `cfg_attr`, whose condition
/// holds in the only case that asks: a test that ran.
fn of_meta(meta: &syn::Meta) -> Option<ShouldPanic> {
    let text_of = |value: &syn::Expr| match value {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    };
    if meta.path().is_ident("cfg_attr") {
        let list = meta.require_list().ok()?;
        let parser = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
        let parts = list.parse_args_with(parser).ok()?;
        return parts.iter().skip(1).find_map(of_meta);
    }
    if !meta.path().is_ident("should_panic") {
        return None;
    }
    Some(ShouldPanic::Yes(match meta {
        syn::Meta::Path(_) => None,
        syn::Meta::NameValue(pair) => text_of(&pair.value),
        syn::Meta::List(list) => list
            .parse_args::<syn::MetaNameValue>()
            .ok()
            .filter(|pair| pair.path.is_ident("expected"))
            .and_then(|pair| text_of(&pair.value)),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
mod tests {
    #[test]
    #[should_panic]
    fn any() {}

    #[test]
    #[should_panic(expected = "a \"b\"")]
    fn some() {
        fn inner() {
            body();
        }
    }

    #[should_panic = "old"]
    #[test]
    fn old() {}

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "x"))]
    async fn conditional() {
        let s = 1;
    }

    #[test]
    fn plain() {}
}
"#;

    #[test]
    fn attribute_of_the_function_at_a_line_is_read() {
        let yes = |text: &str| Some(ShouldPanic::Yes(Some(text.to_owned())));
        assert_eq!(should_panic(TEXT, 5), Some(ShouldPanic::Yes(None)));
        assert_eq!(should_panic(TEXT, 3), Some(ShouldPanic::Yes(None)));
        assert_eq!(should_panic(TEXT, 9), yes("a \"b\""));
        assert_eq!(should_panic(TEXT, 11), Some(ShouldPanic::No));
        assert_eq!(should_panic(TEXT, 17), yes("old"));
        assert_eq!(should_panic(TEXT, 22), yes("x"));
        assert_eq!(should_panic(TEXT, 26), Some(ShouldPanic::No));
    }

    #[test]
    fn head_of_a_documentation_test_is_read() {
        let text = "//! ```should_panic\n    /// ~~~~ rust, should_panic\n/// ```\n * ```{should_panic}\n\
                    /// `should_panic`\n/// ```should_panicky\n```ignore,should_panic\n";
        let yes = Some(ShouldPanic::Yes(None));
        let answers: Vec<_> = (0..=8).map(|line| doctest_should_panic(text, line)).collect();
        let no = Some(ShouldPanic::No);
        assert_eq!(answers, [None, yes.clone(), yes.clone(), no.clone(), yes.clone(), None, no, yes, None]);
    }

    #[test]
    fn line_without_a_function_has_no_answer() {
        assert_eq!(should_panic(TEXT, 1), None);
        assert_eq!(should_panic(TEXT, 400), None);
        assert_eq!(should_panic("fn {", 1), None);
    }
}
