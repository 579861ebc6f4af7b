//! What older editions allow and the parser does not know any more: trait objects without `dyn` (`Box<FnMut()>`), parameters
//! of a trait's functions without names (`fn seek(&mut self, u64);`), names that have become keywords (`async`). In: an
//! item's tokens. Out: the same as they are written today, each token where it stood.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, TokenStream, TokenTree};

/// Brackets within brackets are followed this far.
const MAX_DEPTH: usize = 64;
/// Tokens of `for<'a, 'b>` at most.
const MOST_OF_A_BINDER: usize = 64;
/// The traits whose arguments stand in parentheses.
const TRAITS: [&str; 4] = ["Fn", "FnMut", "FnOnce", "FnBox"];

/// The tokens in today's spelling; `None` where that is the spelling they have.
pub(super) fn respelled(tokens: &[TokenTree]) -> Option<TokenStream> {
    let mut changed = false;
    let respelled = all(tokens, 0, &mut changed);
    changed.then(|| respelled.into_iter().collect())
}

fn all(tokens: &[TokenTree], depth: usize, changed: &mut bool) -> Vec<TokenTree> {
    let mut written: Vec<TokenTree> = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        if begins_bare_object(tokens, at) {
            *changed = true;
            written.push(TokenTree::Ident(Ident::new("dyn", token.span())));
        }
        written.push(match token {
            TokenTree::Group(group) if depth < MAX_DEPTH => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut inner = all(&inner, depth + 1, changed);
                if group.delimiter() == Delimiter::Parenthesis && follows_a_functions_name(&tokens[..at]) {
                    inner = named(&inner, changed);
                }
                let mut again = Group::new(group.delimiter(), inner.into_iter().collect());
                again.set_span(group.span());
                TokenTree::Group(again)
            }
            TokenTree::Ident(word) if is_name_of_old(word, tokens.get(at + 1)) => {
                *changed = true;
                TokenTree::Ident(Ident::new_raw("async", word.span()))
            }
            other => other.clone(),
        });
    }
    written
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
}

fn is_word(token: Option<&TokenTree>, wanted: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(word)) if word == wanted)
}

/// Whether a `>` is that of `->`, which closes no bracket.
fn ends_an_arrow(tokens: &[TokenTree], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| is_punct(tokens.get(before), '-'))
}

/// Whether a trait object without `dyn` begins at a token that stands where a type does: `Fn(u8)`, `::std::ops::Fn(u8)`,
/// `for<'a> Fn(&'a u8)`. Without parentheses the parser takes a trait's path for that of a type, which does as well.
fn begins_bare_object(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let is_type = match before {
        None => true,
        Some(TokenTree::Punct(mark)) => match mark.as_char() {
            '<' | ',' | '&' | '=' => true,
            // `-> Fn()`, not `a > Fn()`.
            '>' => ends_an_arrow(tokens, at - 1),
            _ => false,
        },
        // `&'a Fn()`, `&mut Fn()`; the lifetime's mark is a token of its own.
        Some(TokenTree::Ident(word)) => {
            let (mark, reference) = (at.checked_sub(2), at.checked_sub(3));
            let at = |place: Option<usize>| place.and_then(|place| tokens.get(place));
            let is_lifetime = is_punct(at(mark), '\'');
            word == "mut" || word == "const" || is_lifetime && is_punct(at(reference), '&')
        }
        Some(_) => false,
    };
    is_type && starts_with_called_trait(&tokens[at..])
}

/// `Fn(…)` by whatever path, after `for<…>`.
fn starts_with_called_trait(tokens: &[TokenTree]) -> bool {
    let mut rest = tokens;
    if is_word(rest.first(), "for") && is_punct(rest.get(1), '<') {
        let mut bound = rest.iter().take(MOST_OF_A_BINDER);
        let Some(end) = bound.position(|token| is_punct(Some(token), '>')) else { return false };
        rest = &rest[end + 1..];
    }
    let mut last: Option<&Ident> = None;
    loop {
        match rest {
            [TokenTree::Punct(one), TokenTree::Punct(other), after @ ..]
                if one.as_char() == ':' && other.as_char() == ':' =>
            {
                rest = after;
            }
            [TokenTree::Ident(word), after @ ..] => {
                last = Some(word);
                rest = after;
                // Only a path goes on.
                if !is_punct(rest.first(), ':') {
                    break;
                }
            }
            _ => break,
        }
    }
    let is_trait = last.is_some_and(|word| TRAITS.iter().any(|name| word == name));
    is_trait
        && matches!(rest.first(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// `fn name` or `fn name<…>`.
fn follows_a_functions_name(before: &[TokenTree]) -> bool {
    let mut before = before;
    if is_punct(before.last(), '>') {
        let mut depth = 0_usize;
        let opens = (0..before.len()).rev().find(|at| {
            let token = before.get(*at);
            let closes = is_punct(token, '>') && !ends_an_arrow(before, *at);
            depth = depth.saturating_add(usize::from(closes));
            depth = depth.saturating_sub(usize::from(is_punct(token, '<')));
            depth == 0
        });
        let Some(opens) = opens else { return false };
        before = &before[..opens];
    }
    matches!(before, [.., TokenTree::Ident(word), TokenTree::Ident(_)] if word == "fn")
}

/// A function's parameters, those without a name as `_`.
fn named(tokens: &[TokenTree], changed: &mut bool) -> Vec<TokenTree> {
    let mut written = Vec::with_capacity(tokens.len());
    for parameter in parameters(tokens) {
        let first =
            parameter.iter().find(|token| !matches!(token, TokenTree::Punct(mark) if mark.as_char() == ','));
        if let Some(first) = first.filter(|_| is_nameless(parameter)) {
            *changed = true;
            written.push(TokenTree::Ident(Ident::new("_", first.span())));
            let mut colon = Punct::new(':', Spacing::Alone);
            colon.set_span(first.span());
            written.push(TokenTree::Punct(colon));
        }
        written.extend(parameter.iter().cloned());
    }
    written
}

/// The parts between commas, each with its comma.
fn parameters(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        let TokenTree::Punct(mark) = token else { continue };
        match mark.as_char() {
            '<' => depth += 1,
            '>' if !ends_an_arrow(tokens, at) => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&tokens[start..=at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts
}

/// Whether a parameter is a type alone: no `name:`, no receiver, nothing variable (`...`), no attribute.
fn is_nameless(parameter: &[TokenTree]) -> bool {
    let mut marks = parameter.iter().enumerate();
    let has_name = marks.any(|(at, token)| {
        let single = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':' && p.spacing() == Spacing::Alone);
        single(token) && !at.checked_sub(1).is_some_and(|at| is_joint_colon(&parameter[at]))
    });
    let is_other = parameter.iter().any(|token| {
        matches!(token, TokenTree::Ident(word) if word == "self")
            || matches!(token, TokenTree::Punct(mark) if matches!(mark.as_char(), '.' | '#'))
    });
    !has_name && !is_other
}

fn is_joint_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == ':' && mark.spacing() == Spacing::Joint)
}

/// Whether `async` is a name, as it could be in edition 2015.
fn is_name_of_old(word: &Ident, next: Option<&TokenTree>) -> bool {
    let begins = match next {
        Some(TokenTree::Ident(next)) => ["fn", "move", "unsafe", "extern"].iter().any(|known| next == known),
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(TokenTree::Punct(mark)) => mark.as_char() == '|',
        _ => false,
    };
    word == "async" && !begins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<syn::Item> {
        let tokens: Vec<TokenTree> = text.parse::<TokenStream>().unwrap().into_iter().collect();
        assert!(syn::parse_str::<syn::Item>(text).is_err(), "{text}");
        syn::parse2(respelled(&tokens)?).ok()
    }

    #[test]
    fn trait_objects_are_read_without_dyn() {
        for text in [
            "struct Job { job: Option<Box<FnMut() + Sync + Send>> }",
            "struct Job<'a> { job: Box<Fn(u8) -> u8 + 'a>, other: &'a (Fn() + Send) }",
            "type Guarded<'a> = Rc<Fn(&[f64]) -> Result<f64, ()> + 'a>;",
            "type Call = Box<for<'a> Fn(&'a str) -> &'a str>;",
            "type Call = Box<::std::ops::FnOnce(u8)>;",
            "fn each(f: &mut FnMut(u8), g: &Fn()) -> Box<Fn()> { Box::new(g) }",
            "fn each<F: Fn(u8)>(f: F, g: &'static Fn(u8)) where F: Fn(u8) + Send {}",
        ] {
            assert!(read(text).is_some(), "{text}");
        }
    }

    #[test]
    fn parameters_without_names_and_old_names_are_read() {
        let Some(syn::Item::Trait(read_trait)) = read(
            "trait Seek { fn seek<T: Into<u8>>(&mut self, u64, ::std::io::Result<(u8, T)>) -> u8; fn at(at: u8); }",
        ) else {
            panic!()
        };
        let syn::TraitItem::Fn(seek) = &read_trait.items[0] else { panic!() };
        assert_eq!(seek.sig.inputs.len(), 3);
        assert!(read("trait Each { fn each<F: Fn(u8) -> u8>(&self, F) -> u8; }").is_some());
        assert!(read("trait Each { fn each<F: Fn(u8) -> Option<u8>, G>(&self, F, G); }").is_some());
        assert!(read("struct Options { async: bool }").is_some());
        assert!(read("fn f() { let async = 1; g(async) }").is_some());
    }

    #[test]
    fn bounds_calls_and_what_is_of_today_stay_as_they_are() {
        for text in [
            "fn f<F: Fn(u8) + Send>(f: F, g: Box<dyn Fn(u8)>) where F: FnMut() {}",
            "fn f(g: impl Fn(u8), _: u8, (a, b): (u8, u8), [c]: [u8; 1]) {}",
            "impl S { fn a(&self) {} fn b(&'a mut self, at: u8) {} async fn c(self: Box<Self>) { async move { 1 } } }",
            "extern \"C\" { fn printf(format: *const u8, ...); }",
        ] {
            let tokens: Vec<TokenTree> = text.parse::<TokenStream>().unwrap().into_iter().collect();
            assert!(respelled(&tokens).is_none(), "{text}");
        }
    }
}
