//! The `build` text of a rule, taken apart once: Rust whose blocks stand for what was read, whose `Self` and whose
//! `::a::b::C` are named at the test's place. In: our own rules file. Out: pieces. Never: data of a process.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
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
    /// `<Self as ::a::Trait<_>>`: that trait, of the type only where the expression has to say its type; whether it has a
    /// parameter, `<_>`.
    Trait(String, bool),
    /// `{ datetime }`: a field's value; whether a method of it is called or an index follows.
    Value(Path, bool),
    /// `{ text(sym) }`: a field's text as a literal; of several the whole: `{ text("http://", authority, path) }`.
    Text(Vec<TextPart>),
    /// `{ kebab(name) }`: a variant's name as a text, in small letters with hyphens.
    Kebab(Path),
    /// `{ bits(words, count) }`: numbers as single bits, `true, false`.
    Bits(Path, Formula),
    /// `{ only(years != 0, .years({ years })) }`: that template where the formula is true.
    Only(Formula, Vec<Piece>),
    /// `{ at() }`: the place of the element that `each` is at.
    At,
    /// `{ source(*inner) }`: a sequence of `proc_macro2`'s token trees as source text.
    Source(Path),
    /// `{ packed(self.0, self.1) }`: a text that is kept in numbers.
    Packed(Vec<Path>),
    /// `{ ascii(head) }`: a text of a few letters that is kept in one number.
    Ascii(Formula),
    /// `{ bytes(digits) }`: a reference to bytes, those of the first number first, each number's least first; whether a method or an
    /// index follows.
    Bytes(Path, bool),
    /// `{ array(words) }`: the same bytes as an array.
    Array(Path),
    /// `{ yof >> 13 }`: what a formula comes to.
    Number(Formula),
    /// `{ each(entries, ({ key }, { value })) }`: the elements of a sequence, each by a template, with commas;
    /// `{ calls(entries, .add({ self })) }`: without.
    Each(Listing),
}

/// What `each` goes through.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) items: Path,
    /// Of which elements this is true.
    pub(super) only: Option<Formula>,
    /// In an order of their own: that of a hash table changes from run to run.
    pub(super) sorted: bool,
    /// Without commas between them: calls in a chain, statements.
    pub(super) joined: bool,
    /// Where it is nothing but another `each`, all of its elements make one list.
    pub(super) template: Vec<Piece>,
}

/// A part of a text.
#[derive(Debug, Clone)]
pub(super) enum TextPart {
    /// As it is written in the rule.
    Plain(String),
    /// A field's.
    Of(Path),
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
            TokenTree::Group(group) if doubled(group).is_some() => {
                let inner = doubled(group).unwrap_or_default();
                pieces.push(Piece::Group(Delimiter::Brace, read(inner)?));
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let is_operand = next.first().is_some_and(|next| is_punct(next, '.') || is_index(next));
                pieces.push(block(group.stream(), is_operand)?);
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
                let rest = next.get(2 + length..).unwrap_or_default();
                let has_end = |end: &str| {
                    let own = rest.iter().take(end.len()).map(ToString::to_string);
                    own.collect::<String>() == end
                };
                let Some(end) = ["<_>>", ">"].into_iter().find(|end| has_end(end)) else {
                    return Err("a trait with other arguments than `<_>`".to_owned());
                };
                pieces.push(Piece::Trait(definition, end.len() > 1));
                at += length + 2 + end.len();
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

/// `{{ a: 1 }}`, which is `{ a: 1 }` in the expression.
fn doubled(group: &Group) -> Option<TokenStream> {
    let mut inner = group.stream().into_iter();
    match (inner.next(), inner.next()) {
        (Some(TokenTree::Group(only)), None)
            if [group.delimiter(), only.delimiter()] == [Delimiter::Brace; 2] =>
        {
            Some(only.stream())
        }
        _ => None,
    }
}

/// `[..]` behind a value.
fn is_index(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket)
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
fn block(tokens: TokenStream, is_operand: bool) -> Result<Piece, String> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    if let [TokenTree::Ident(word), TokenTree::Group(arguments)] = trees.as_slice()
        && arguments.delimiter() == Delimiter::Parenthesis
    {
        let inner = arguments.stream();
        match word.to_string().as_str() {
            "text" => {
                let parts = split(inner).into_iter().map(text_part);
                return Ok(Piece::Text(parts.collect::<Result<_, _>>()?));
            }
            "kebab" => return Ok(Piece::Kebab(path(inner)?)),
            "at" if inner.is_empty() => return Ok(Piece::At),
            "bits" => match split(inner).as_slice() {
                [words, count] => return Ok(Piece::Bits(path(words.clone())?, formula(count.clone())?)),
                _ => return Err("`bits` has words and their number".to_owned()),
            },
            "only" => {
                let (condition, template) = first(inner).ok_or("`only` without a template")?;
                return Ok(Piece::Only(formula(condition)?, read(template)?));
            }
            "source" => return Ok(Piece::Source(path(inner)?)),
            "ascii" => return Ok(Piece::Ascii(formula(inner)?)),
            "packed" => {
                let parts = split(inner).into_iter().map(path);
                return Ok(Piece::Packed(parts.collect::<Result<_, _>>()?));
            }
            "array" => return Ok(Piece::Array(path(inner)?)),
            "bytes" => return Ok(Piece::Bytes(path(inner)?, is_operand)),
            name @ ("each" | "each_sorted" | "each_of" | "calls" | "calls_of") => {
                let (items, mut template) = first(inner).ok_or("`each` without a template")?;
                let mut only = None;
                if name.ends_with("_of") {
                    let (condition, rest) = first(template).ok_or("`each_of` without a template")?;
                    (only, template) = (Some(formula(condition)?), rest);
                }
                let (sorted, joined) = (name == "each_sorted", name.starts_with("calls"));
                let (items, template) = (path(items)?, read(template)?);
                return Ok(Piece::Each(Listing { items, only, sorted, joined, template }));
            }
            _ => {}
        }
    }
    let expression: Expr = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Ok(match Path::read(&expression) {
        Some(path) => Piece::Value(path, is_operand),
        None => Piece::Number(Formula::read(&expression).map_err(|part| format!("no formula: `{part}`"))?),
    })
}

/// What stands between the commas.
fn split(tokens: TokenStream) -> Vec<TokenStream> {
    let trees = tokens.into_iter().collect::<Vec<TokenTree>>();
    trees.split(|tree| is_punct(tree, ',')).map(|part| part.iter().cloned().collect()).collect()
}

/// What stands before the first comma, and what behind it.
fn first(tokens: TokenStream) -> Option<(TokenStream, TokenStream)> {
    let trees = tokens.into_iter().collect::<Vec<TokenTree>>();
    let comma = trees.iter().position(|tree| is_punct(tree, ','))?;
    let (first, rest) = trees.split_at(comma);
    Some((first.iter().cloned().collect(), rest.iter().skip(1).cloned().collect()))
}

fn text_part(tokens: TokenStream) -> Result<TextPart, String> {
    match syn::parse2::<syn::LitStr>(tokens.clone()) {
        Ok(text) => Ok(TextPart::Plain(text.value())),
        Err(_) => path(tokens).map(TextPart::Of),
    }
}

fn formula(tokens: TokenStream) -> Result<Formula, String> {
    let expression: Expr = syn::parse2(tokens).map_err(|error| error.to_string())?;
    Formula::read(&expression).map_err(|part| format!("no formula: `{part}`"))
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
            Piece::Group(_, inner) | Piece::Only(_, inner) => found.extend(own_functions(inner)),
            Piece::Each(listing) => found.extend(own_functions(&listing.template)),
            _ => {}
        }
    }
    found
}
