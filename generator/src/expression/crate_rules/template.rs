//! The `build` text of a rule, taken apart once: Rust whose blocks stand for what was read, whose `Self` and whose
//! `::a::b::C` are named at the test's place. In: our own rules file. Out: pieces. Never: data of a process.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::Expr;

use super::formula::{Formula, Path};

/// A piece of a template.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// As it is written.
    Token(TokenTree),
    /// What stands between brackets.
    Group(Delimiter, Vec<Piece>),
    /// `Self`; whether `::` follows.
    Own { qualifies: bool },
    /// `::chrono::offset::utc::Utc`: the definition's path.
    Item(String),
    /// `<Self as ::a::Trait<_>>`: that trait, of the type only where the expression has to say its type.
    Trait(String),
    /// `{ datetime }`: a field's value; whether a method of it is called.
    Value(Path, bool),
    /// `{ text(sym) }`: a field's text as a literal.
    Text(Path),
    /// `{ source(*inner) }`: a sequence of `proc_macro2`'s token trees as source text.
    Source(Path),
    /// `{ packed(self.0, self.1) }`: a text that is kept in numbers.
    Packed(Vec<Path>),
    /// `{ ascii(head) }`: a text of a few letters that is kept in one number.
    Ascii(Formula),
    /// `{ bytes(digits) }`: a reference to bytes, those of the first number first, each number's least first.
    Bytes(Path),
    /// `{ yof >> 13 }`: what a formula comes to.
    Number(Formula),
    /// `{ each(entries, ({ key }, { value })) }`: the elements of a sequence, each by a template, with commas.
    Each(Path, Vec<Piece>),
}

/// Takes a template apart; the error says what is wrong with it.
pub(super) fn read(tokens: TokenStream) -> Result<Vec<Piece>, String> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut pieces, mut at) = (Vec::new(), 0);
    let mut path_goes_on = false;
    while let Some(tree) = trees.get(at) {
        let next = trees.get(at + 1..).unwrap_or_default();
        at += 1;
        let continues = std::mem::replace(&mut path_goes_on, false);
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let is_receiver = next.first().is_some_and(|next| is_punct(next, '.'));
                pieces.push(block(group.stream(), is_receiver)?);
            }
            TokenTree::Group(group) => {
                pieces.push(Piece::Group(group.delimiter(), read(group.stream())?));
            }
            TokenTree::Ident(word) => {
                path_goes_on = true;
                pieces.push(if word == "Self" {
                    Piece::Own { qualifies: starts_path(next) }
                } else {
                    Piece::Token(tree.clone())
                });
            }
            TokenTree::Punct(mark) if mark.as_char() == '<' && is_as(next) => {
                let (definition, length) = definition(&next[2..]).ok_or("`as` without a trait's path")?;
                let end = next.get(2 + length..6 + length).unwrap_or_default();
                if end.iter().map(ToString::to_string).collect::<String>() != "<_>>" {
                    return Err("a trait without `<_>`".to_owned());
                }
                pieces.push(Piece::Trait(definition));
                at += length + 6;
                path_goes_on = true;
            }
            TokenTree::Punct(_) if !continues && starts_path(&trees[at - 1..]) => {
                let (definition, length) = definition(&trees[at - 1..]).ok_or("`::` without a path")?;
                pieces.push(Piece::Item(definition));
                at += length - 1;
                path_goes_on = true;
            }
            TokenTree::Punct(mark) => {
                // `a::<b>::c`: neither `::` begins a path.
                path_goes_on = mark.as_char() == '>' || continues && mark.as_char() == ':';
                pieces.push(Piece::Token(tree.clone()));
            }
            TokenTree::Literal(_) => pieces.push(Piece::Token(tree.clone())),
        }
    }
    Ok(pieces)
}

fn is_punct(tree: &TokenTree, mark: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == mark)
}

/// A comma that stands between what there may be nothing of and the next.
pub(super) fn is_comma(piece: &Piece) -> bool {
    matches!(piece, Piece::Token(tree) if is_punct(tree, ','))
}

/// Whether what follows a `<` is `Self as`.
fn is_as(trees: &[TokenTree]) -> bool {
    matches!(trees, [TokenTree::Ident(own), TokenTree::Ident(word), ..] if own == "Self" && word == "as")
}

fn starts_path(trees: &[TokenTree]) -> bool {
    matches!(trees, [first, second, ..] if is_punct(first, ':') && is_punct(second, ':'))
}

/// The definition at the beginning of `::a::b::C::d`, which ends with the first name of a type (or, where there is
/// none, with the path), and how many tokens it is.
fn definition(trees: &[TokenTree]) -> Option<(String, usize)> {
    let (mut names, mut at): (Vec<String>, usize) = (Vec::new(), 0);
    while starts_path(trees.get(at..)?)
        && let Some(TokenTree::Ident(name)) = trees.get(at + 2)
    {
        names.push(name.to_string());
        at += 3;
        if is_type(name) {
            break;
        }
    }
    (!names.is_empty()).then(|| (names.join("::"), at))
}

fn is_type(name: &Ident) -> bool {
    name.to_string().starts_with(|c: char| c.is_ascii_uppercase())
}

/// What a block stands for.
fn block(tokens: TokenStream, is_receiver: bool) -> Result<Piece, String> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    if let [TokenTree::Ident(word), TokenTree::Group(arguments)] = trees.as_slice()
        && arguments.delimiter() == Delimiter::Parenthesis
    {
        let inner = arguments.stream();
        match word.to_string().as_str() {
            "text" => return Ok(Piece::Text(path(inner)?)),
            "source" => return Ok(Piece::Source(path(inner)?)),
            "ascii" => {
                let expression: Expr = syn::parse2(inner).map_err(|error| error.to_string())?;
                let number = Formula::read(&expression).map_err(|part| format!("no formula: `{part}`"))?;
                return Ok(Piece::Ascii(number));
            }
            "packed" => {
                let parts = inner.into_iter().collect::<Vec<TokenTree>>();
                let parts = parts.split(|tree| is_punct(tree, ','));
                let parts = parts.map(|part| path(part.iter().cloned().collect()));
                return Ok(Piece::Packed(parts.collect::<Result<_, _>>()?));
            }
            "bytes" => return Ok(Piece::Bytes(path(inner)?)),
            "each" => {
                let inner: Vec<TokenTree> = inner.into_iter().collect();
                let comma = inner.iter().position(|tree| is_punct(tree, ','));
                let (items, template) = inner.split_at(comma.ok_or("`each` without a template")?);
                let template = template.iter().skip(1).cloned().collect();
                return Ok(Piece::Each(path(items.iter().cloned().collect())?, read(template)?));
            }
            _ => {}
        }
    }
    let expression: Expr = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(match Path::read(&expression) {
        Some(path) => Piece::Value(path, is_receiver),
        None => Piece::Number(Formula::read(&expression).map_err(|part| format!("no formula: `{part}`"))?),
    })
}

fn path(tokens: TokenStream) -> Result<Path, String> {
    let shown = tokens.to_string();
    let expression: Expr = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Path::read(&expression).ok_or_else(|| format!("no path to a field: `{shown}`"))
}

/// The functions that a template calls of its own type: `Self::new`.
pub(super) fn own_functions(pieces: &[Piece]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Own { qualifies: true } => {
                // A constant is no function: `Self::EMPTY`.
                if let Some(Piece::Token(TokenTree::Ident(name))) = pieces.get(index + 3)
                    && !name.to_string().starts_with(|c: char| c.is_ascii_uppercase())
                {
                    found.push(name.to_string());
                }
            }
            Piece::Group(_, inner) | Piece::Each(_, inner) => found.extend(own_functions(inner)),
            _ => {}
        }
    }
    found
}
