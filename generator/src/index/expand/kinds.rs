//! What a fragment was matched as, kept with it where it is handed on to another macro: the compiler does not forget it, and
//! an expression is no type to the next one, whatever it looks like. In: a fragment in invisible brackets. Out: the same
//! with its kind, which stands in its span; or without it, as source is read.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};

use super::definition::Fragment;

/// The kinds that another macro cannot look into.
const KINDS: [Fragment; 11] = [
    Fragment::Block,
    Fragment::Expr,
    Fragment::Item,
    Fragment::Literal,
    Fragment::Meta,
    Fragment::Pat,
    Fragment::PatParam,
    Fragment::Path,
    Fragment::Stmt,
    Fragment::Ty,
    Fragment::Vis,
];

thread_local! {
    /// The spans of a text of its own, one for each kind: spans live as long as their thread.
    static SPANS: Vec<Span> = {
        let text: TokenStream = "0 ".repeat(KINDS.len()).parse().unwrap_or_default();
        text.into_iter().map(|token| token.span()).collect()
    };
}

/// A whole fragment of that kind.
pub(super) fn marked(found: &TokenStream, fragment: Fragment) -> Group {
    let mut trees = found.clone().into_iter();
    let inner = match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => group.stream(),
        _ => found.clone(),
    };
    let mut group = Group::new(Delimiter::None, inner);
    let at = KINDS.iter().position(|kind| *kind == fragment);
    if let Some(span) = at.and_then(|at| SPANS.with(|spans| spans.get(at).copied())) {
        group.set_span(span);
    }
    group
}

/// What a whole fragment was matched as, where it was handed on by a macro.
pub(super) fn kind(group: &Group) -> Option<Fragment> {
    let (span, first) = (group.span(), SPANS.with(|spans| spans.first().copied())?);
    // Two spans are joined where they are of one text.
    first.join(span)?;
    KINDS.get(span.start().column / 2).copied()
}

/// Takes the kinds away but in the texts of uses, which may be expanded in turn.
pub(super) fn cleared_outside_uses(tokens: TokenStream) -> TokenStream {
    cleared_within(tokens, true)
}

/// Takes all kinds away.
pub(in crate::index) fn cleared(tokens: TokenStream) -> TokenStream {
    cleared_within(tokens, false)
}

/// Texts nest no deeper than the patterns and results that they were made by; what a reader of source takes is bounded too.
fn cleared_within(tokens: TokenStream, but_uses: bool) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let is_used = |at: usize| {
        let before = &trees[..at];
        matches!(before, [.., TokenTree::Ident(_), TokenTree::Punct(punct)] if punct.as_char() == '!')
    };
    let one = |(at, tree): (usize, &TokenTree)| match tree {
        TokenTree::Group(group) if !(but_uses && is_used(at)) => {
            let mut cleared = Group::new(group.delimiter(), cleared_within(group.stream(), but_uses));
            cleared.set_span(if kind(group).is_some() { of_content(group) } else { group.span() });
            TokenTree::Group(cleared)
        }
        other => other.clone(),
    };
    trees.iter().enumerate().map(one).collect()
}

fn of_content(group: &Group) -> Span {
    let mut spans = group.stream().into_iter().map(|token| token.span());
    let Some(first) = spans.next() else { return Span::call_site() };
    spans.last().and_then(|last| first.join(last)).unwrap_or(first)
}
