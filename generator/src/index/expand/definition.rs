//! The rules of a `macro_rules!`, taken apart into what is matched and what is made of it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};

use super::MAX_DEPTH;

/// `(pattern) => { result }`.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Vec<Matcher>,
    pub(super) result: Vec<Made>,
}

/// How often a repetition is: `?`, `*`, `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    AtMostOnce,
    Any,
    AtLeastOnce,
}

/// `$( … ) , *`.
#[derive(Debug)]
pub(super) struct Repeated<T> {
    pub(super) inner: Vec<T>,
    /// Whole tokens: of `=>` two.
    pub(super) separator: Vec<TokenTree>,
    pub(super) times: Times,
}

/// What `$x:…` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fragment {
    Block,
    Expr,
    Ident,
    Item,
    Lifetime,
    Literal,
    Meta,
    Pat,
    PatParam,
    Path,
    Stmt,
    Tt,
    Ty,
    Vis,
}

/// A part of a pattern.
#[derive(Debug)]
pub(super) enum Matcher {
    Token(TokenTree),
    Group(Delimiter, Vec<Matcher>),
    Variable(String, Fragment),
    Repeated(Repeated<Matcher>),
}

/// A part of a result.
#[derive(Debug)]
pub(super) enum Made {
    Token(TokenTree),
    Group(Delimiter, Vec<Made>, Span),
    Variable(Ident),
    Repeated(Repeated<Made>),
}

/// All rules, or none where one is not understood.
pub(super) fn rules(text: &TokenStream) -> Option<Vec<Rule>> {
    let trees: Vec<TokenTree> = text.clone().into_iter().collect();
    let (mut rules, mut rest) = (Vec::new(), trees.as_slice());
    while let [TokenTree::Group(pattern), equals, greater, TokenTree::Group(result), after @ ..] = rest {
        if !is(equals, '=') || !is(greater, '>') {
            return None;
        }
        let pattern = matchers(pattern.stream(), 0)?;
        rules.push(Rule { pattern, result: made(result.stream(), 0)? });
        rest = match after {
            [semicolon, after @ ..] if is(semicolon, ';') => after,
            after => after,
        };
    }
    (rest.is_empty() && !rules.is_empty()).then_some(rules)
}

/// What follows a `$`.
enum Dollar {
    /// `$x`, with the tokens that are taken.
    Name(Ident, usize),
    /// `$( … ) sep times`.
    Repeated(Group, Vec<TokenTree>, Times, usize),
}

/// Reads what follows a `$`.
fn dollar(after: &[TokenTree]) -> Option<Dollar> {
    match after.first()? {
        TokenTree::Ident(name) => Some(Dollar::Name(name.clone(), 1)),
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
            let mut separator = Vec::new();
            // A separator is one token: `=>` are two of them here. `?`, `*` and `+` end it, but `++` is one and an end.
            for (at, token) in after.iter().enumerate().skip(1).take(4) {
                let times = match token {
                    TokenTree::Punct(punct) => match punct.as_char() {
                        '?' => Some(Times::AtMostOnce),
                        '*' => Some(Times::Any),
                        '+' => Some(Times::AtLeastOnce),
                        _ => None,
                    },
                    _ => None,
                };
                // `$(a)+*`: the plus parts them.
                let next_ends = separator.is_empty()
                    && times.is_some()
                    && after.get(at + 1).is_some_and(|next| is(next, '*') || is(next, '+'))
                    && is_joint(token);
                match times {
                    Some(times) if !next_ends => {
                        return Some(Dollar::Repeated(group.clone(), separator, times, at + 1));
                    }
                    _ => separator.push(token.clone()),
                }
            }
            None
        }
        _ => None,
    }
}

fn matchers(text: TokenStream, depth: usize) -> Option<Vec<Matcher>> {
    let trees: Vec<TokenTree> = text.into_iter().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    if depth > MAX_DEPTH {
        return None;
    }
    while let Some(token) = trees.get(at) {
        at += 1;
        found.push(match token {
            TokenTree::Group(group) => {
                Matcher::Group(group.delimiter(), matchers(group.stream(), depth + 1)?)
            }
            token if is(token, '$') => match dollar(trees.get(at..)?)? {
                Dollar::Name(name, taken) => {
                    let (colon, fragment) = (trees.get(at + taken)?, trees.get(at + taken + 1)?);
                    let TokenTree::Ident(fragment) = fragment else { return None };
                    at += taken + 2;
                    let fragment = is(colon, ':').then(|| self::fragment(&fragment.to_string())).flatten()?;
                    Matcher::Variable(name.to_string(), fragment)
                }
                Dollar::Repeated(group, separator, times, taken) => {
                    at += taken;
                    let inner = matchers(group.stream(), depth + 1)?;
                    Matcher::Repeated(Repeated { inner, separator, times })
                }
            },
            token => Matcher::Token(token.clone()),
        });
    }
    Some(found)
}

fn made(text: TokenStream, depth: usize) -> Option<Vec<Made>> {
    let trees: Vec<TokenTree> = text.into_iter().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    if depth > MAX_DEPTH {
        return None;
    }
    while let Some(token) = trees.get(at) {
        at += 1;
        found.push(match token {
            TokenTree::Group(group) => {
                Made::Group(group.delimiter(), made(group.stream(), depth + 1)?, group.span())
            }
            token if is(token, '$') => match dollar(trees.get(at..)?)? {
                // `$crate::a` is this crate's.
                Dollar::Name(name, taken) if name == "crate" => {
                    at += taken;
                    Made::Token(TokenTree::Ident(name))
                }
                Dollar::Name(name, taken) => {
                    at += taken;
                    Made::Variable(name)
                }
                Dollar::Repeated(group, separator, times, taken) => {
                    at += taken;
                    Made::Repeated(Repeated { inner: made(group.stream(), depth + 1)?, separator, times })
                }
            },
            token => Made::Token(token.clone()),
        });
    }
    Some(found)
}

fn fragment(name: &str) -> Option<Fragment> {
    Some(match name {
        "block" => Fragment::Block,
        "expr" | "expr_2021" => Fragment::Expr,
        "ident" => Fragment::Ident,
        "item" => Fragment::Item,
        "lifetime" => Fragment::Lifetime,
        "literal" => Fragment::Literal,
        "meta" => Fragment::Meta,
        "pat" => Fragment::Pat,
        "pat_param" => Fragment::PatParam,
        "path" => Fragment::Path,
        "stmt" => Fragment::Stmt,
        "tt" => Fragment::Tt,
        "ty" => Fragment::Ty,
        "vis" => Fragment::Vis,
        _ => return None,
    })
}

fn is(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn is_joint(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.spacing() == proc_macro2::Spacing::Joint)
}
