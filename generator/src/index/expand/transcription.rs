//! What a rule makes of its variables.

use proc_macro2::{Delimiter, Group, Punct, Spacing, TokenStream, TokenTree};

use super::definition::{Fragment, Made, Repeated};
use super::kinds;
use super::matching::{Binding, Bindings};

/// The result; `None` where a variable is unknown or repeats otherwise than the result does, and past the limit.
pub(super) fn transcribe(result: &[Made], bindings: &Bindings, limit: usize) -> Option<TokenStream> {
    let mut room = limit;
    parts(result, bindings, &mut room, false)
}

/// `used`: it is the text of a macro's use, to which what is handed on is one thing.
fn parts(result: &[Made], bindings: &Bindings, room: &mut usize, used: bool) -> Option<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut after_as = false;
    for (at, part) in result.iter().enumerate() {
        *room = room.checked_sub(1)?;
        let operand = std::mem::replace(
            &mut after_as,
            matches!(part, Made::Token(TokenTree::Ident(word)) if word == "as"),
        );
        match part {
            Made::Token(token) => tokens.extend([token.clone()]),
            Made::Group(delimiter, inner, span) => {
                let used = used || is_use(result.get(..at).unwrap_or_default());
                let mut group = Group::new(*delimiter, parts(inner, bindings, room, used)?);
                group.set_span(*span);
                tokens.extend([TokenTree::Group(group)]);
            }
            Made::Variable(name) => match bindings.get(&name.to_string()) {
                // What is no variable stays as it is: one of a macro that is defined there.
                None => {
                    let mut dollar = Punct::new('$', Spacing::Alone);
                    dollar.set_span(name.span());
                    tokens.extend([TokenTree::Punct(dollar), TokenTree::Ident(name.clone())]);
                }
                Some(Binding::One(found, fragment)) => {
                    *room = room.checked_sub(super::size(found))?;
                    if used && is_opaque(*fragment) && !found.is_empty() {
                        tokens.extend([TokenTree::Group(kinds::marked(found, *fragment))]);
                    } else if operand && !is_whole(found) {
                        // In `1 as $ty << 2` the type ends where it does.
                        tokens.extend([TokenTree::Group(Group::new(Delimiter::None, found.clone()))]);
                    } else {
                        tokens.extend(found.clone());
                    }
                }
                Some(Binding::Each(_)) => return None,
            },
            Made::Repeated(repeated) => tokens.extend(turns(repeated, bindings, room, used)?),
        }
    }
    Some(tokens)
}

/// Whether brackets behind this are those of a macro's use.
fn is_use(before: &[Made]) -> bool {
    matches!(
        before,
        [.., Made::Token(TokenTree::Ident(_)) | Made::Variable(_), Made::Token(TokenTree::Punct(punct))]
            if punct.as_char() == '!'
    )
}

/// Whether another macro cannot look into it.
fn is_opaque(fragment: Fragment) -> bool {
    !matches!(fragment, Fragment::Ident | Fragment::Lifetime | Fragment::Tt)
}

/// Whether that is one already, or nothing.
fn is_whole(tokens: &TokenStream) -> bool {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (None, _) => true,
        (Some(TokenTree::Group(group)), None) => group.delimiter() == Delimiter::None,
        _ => false,
    }
}

fn turns(
    repeated: &Repeated<Made>,
    bindings: &Bindings,
    room: &mut usize,
    used: bool,
) -> Option<TokenStream> {
    let mut names = Vec::new();
    variables(&repeated.inner, &mut names);
    let each: Vec<(&str, &Vec<Binding>)> = names
        .iter()
        .filter_map(|name| match bindings.get(name) {
            Some(Binding::Each(each)) => Some((name.as_str(), each)),
            _ => None,
        })
        .collect();
    let times = each.first()?.1.len();
    if each.iter().any(|(_, each)| each.len() != times) {
        return None;
    }
    let mut tokens = TokenStream::new();
    for turn in 0..times {
        if turn > 0 {
            tokens.extend(repeated.separator.iter().cloned());
        }
        let mut own: Bindings = Bindings::new();
        for name in &names {
            let found = match bindings.get(name) {
                Some(Binding::Each(each)) => each.get(turn)?,
                Some(one @ Binding::One(..)) => one,
                None => continue,
            };
            own.insert(name.clone(), found.clone());
        }
        tokens.extend(parts(&repeated.inner, &own, room, used)?);
    }
    Some(tokens)
}

/// The variables of a result.
fn variables(result: &[Made], names: &mut Vec<String>) {
    for part in result {
        match part {
            Made::Token(_) => {}
            Made::Variable(name) if names.iter().any(|known| name == known) => {}
            Made::Variable(name) => names.push(name.to_string()),
            Made::Group(_, inner, _) => variables(inner, names),
            Made::Repeated(repeated) => variables(&repeated.inner, names),
        }
    }
}
