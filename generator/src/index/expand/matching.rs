//! Whether a use fits the pattern of a rule, and what its variables are then.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseBuffer, ParseStream, discouraged::Speculative as _};
use syn::{Ident, Lifetime, Lit, Pat, Token, Type};

use super::definition::{Fragment, Matcher, Repeated, Times};
use super::kinds;

/// What a variable is.
#[derive(Debug, Clone)]
pub(super) enum Binding {
    /// Tokens, and what they were matched as.
    One(TokenStream, Fragment),
    /// Of a repetition, what it is in each turn.
    Each(Vec<Binding>),
}

pub(super) type Bindings = BTreeMap<String, Binding>;

/// Why a rule does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Miss {
    /// The next one may.
    Other,
    /// The compiler stops here: a fragment has begun that is none. What is not understood here looks so, too.
    Stops,
}

impl From<syn::Error> for Miss {
    fn from(_: syn::Error) -> Miss {
        Miss::Other
    }
}

/// Matches the whole of a text.
pub(super) fn whole(pattern: &[Matcher], input: ParseStream<'_>) -> Result<Bindings, Miss> {
    let mut bindings = Bindings::new();
    sequence(pattern, input, &mut bindings)?;
    if input.is_empty() { Ok(bindings) } else { Err(Miss::Other) }
}

fn sequence(pattern: &[Matcher], input: ParseStream<'_>, bindings: &mut Bindings) -> Result<(), Miss> {
    for matcher in pattern {
        match matcher {
            Matcher::Token(wanted) => token(wanted, input)?,
            Matcher::Group(delimiter, inner) => group(*delimiter, inner, input, bindings)?,
            Matcher::Variable(name, fragment) => {
                let tokens = self::fragment(*fragment, input)?;
                bindings.insert(name.clone(), Binding::One(tokens, *fragment));
            }
            Matcher::Repeated(repeated) => self::repeated(repeated, input, bindings)?,
        }
    }
    Ok(())
}

fn token(wanted: &TokenTree, input: ParseStream<'_>) -> syn::Result<()> {
    let found: TokenTree = input.parse()?;
    let same = match (wanted, &found) {
        (TokenTree::Punct(wanted), TokenTree::Punct(found)) => wanted.as_char() == found.as_char(),
        (TokenTree::Ident(wanted), TokenTree::Ident(found)) => wanted == found,
        (TokenTree::Literal(wanted), TokenTree::Literal(found)) => wanted.to_string() == found.to_string(),
        _ => false,
    };
    if same { Ok(()) } else { Err(syn::Error::new(found.span(), "another token")) }
}

fn group(
    delimiter: Delimiter,
    inner: &[Matcher],
    input: ParseStream<'_>,
    bindings: &mut Bindings,
) -> Result<(), Miss> {
    let content = bracketed(delimiter, input)?;
    sequence(inner, &content, bindings)?;
    if content.is_empty() { Ok(()) } else { Err(Miss::Other) }
}

fn bracketed<'b>(delimiter: Delimiter, input: &ParseBuffer<'b>) -> syn::Result<ParseBuffer<'b>> {
    // syn would look into it.
    if input.peek(syn::token::Group) {
        return Err(input.error("a whole fragment"));
    }
    let content;
    match delimiter {
        Delimiter::Parenthesis => {
            syn::parenthesized!(content in input);
        }
        Delimiter::Brace => {
            syn::braced!(content in input);
        }
        Delimiter::Bracket => {
            syn::bracketed!(content in input);
        }
        Delimiter::None => return Err(input.error("a group without brackets")),
    }
    Ok(content)
}

/// Takes turns as long as they fit. The compiler wants it to be clear at each token whether another turn begins, so
/// that the longest run is the only one.
fn repeated(
    repeated: &Repeated<Matcher>,
    input: ParseStream<'_>,
    bindings: &mut Bindings,
) -> Result<(), Miss> {
    let mut names = Vec::new();
    variables(&repeated.inner, &mut names);
    let mut turns: Vec<Bindings> = Vec::new();
    loop {
        let ahead = input.fork();
        let before = ahead.cursor();
        let parted = turns.is_empty()
            || repeated.separator.iter().try_for_each(|separator| token(separator, &ahead)).is_ok();
        let mut turn = Bindings::new();
        if !parted {
            break;
        }
        match sequence(&repeated.inner, &ahead, &mut turn) {
            // A turn that takes nothing would never end.
            Ok(()) if ahead.cursor() != before => {}
            Ok(()) | Err(Miss::Other) => break,
            Err(Miss::Stops) => return Err(Miss::Stops),
        }
        input.advance_to(&ahead);
        turns.push(turn);
        if repeated.times == Times::AtMostOnce {
            break;
        }
    }
    if turns.is_empty() && repeated.times == Times::AtLeastOnce {
        return Err(Miss::Other);
    }
    for name in names {
        let each = turns.iter_mut().filter_map(|turn| turn.remove(&name)).collect();
        bindings.insert(name, Binding::Each(each));
    }
    Ok(())
}

/// The variables of a pattern.
fn variables(pattern: &[Matcher], names: &mut Vec<String>) {
    for matcher in pattern {
        match matcher {
            Matcher::Token(_) => {}
            Matcher::Variable(name, _) => names.push(name.clone()),
            Matcher::Group(_, inner) => variables(inner, names),
            Matcher::Repeated(repeated) => variables(&repeated.inner, names),
        }
    }
}

fn fragment(fragment: Fragment, input: ParseStream<'_>) -> Result<TokenStream, Miss> {
    if input.peek(syn::token::Group) && fragment != Fragment::Tt {
        let ahead = input.fork();
        let kind = if let TokenTree::Group(group) = ahead.parse()? { kinds::kind(&group) } else { None };
        if kind.is_some() || fragment != Fragment::Expr {
            return forwarded(fragment, kind, input);
        }
    }
    // Only this may be nothing.
    if input.is_empty() && fragment != Fragment::Vis {
        return Err(Miss::Other);
    }
    match fragment {
        Fragment::Ident | Fragment::Lifetime | Fragment::Literal | Fragment::Vis | Fragment::Tt => {
            Ok(parsed(fragment, input)?)
        }
        _ if !may_begin(fragment, input) => Err(Miss::Other),
        // For newer editions they are expressions.
        Fragment::Expr if input.peek(Token![_]) || input.peek(Token![const]) => Err(Miss::Stops),
        _ => parsed(fragment, input).map_err(|_| Miss::Stops),
    }
}

/// A fragment that another macro was given, and hands on: it fits as a whole, as what it was `kind` there.
fn forwarded(
    fragment: Fragment,
    kind: Option<Fragment>,
    input: ParseStream<'_>,
) -> Result<TokenStream, Miss> {
    let ahead = input.fork();
    let TokenTree::Group(group) = ahead.parse::<TokenTree>()? else { return Err(Miss::Other) };
    let whole = |input: ParseStream<'_>| parsed(fragment, input);
    match kind.map(|kind| takes(fragment, kind)) {
        None | Some(Takes::Always) => {}
        Some(Takes::Never) if fragment == Fragment::Vis => return Ok(TokenStream::new()),
        Some(Takes::Never) => return Err(Miss::Other),
        Some(Takes::Unread) => {
            input.advance_to(&ahead);
            let found = syn::parse::Parser::parse2(whole, group.stream());
            return Ok(found.unwrap_or_else(|_| kinds::marked(&group.stream(), fragment).into_token_stream()));
        }
        Some(Takes::IfItReads) => {
            let found = syn::parse::Parser::parse2(whole, group.stream()).map_err(|_| Miss::Other)?;
            input.advance_to(&ahead);
            return Ok(found);
        }
    }
    let found = syn::parse::Parser::parse2(whole, group.stream());
    match (fragment, found) {
        (Fragment::Ident | Fragment::Lifetime, _) | (Fragment::Literal, Err(_)) => Err(Miss::Other),
        (Fragment::Vis, Err(_)) => Ok(TokenStream::new()),
        (_, Ok(found)) => {
            input.advance_to(&ahead);
            Ok(found)
        }
        (_, Err(_)) => Err(Miss::Stops),
    }
}

/// Whether what was one kind of fragment fits as another one.
enum Takes {
    Always,
    /// Also where it does not read as one: `a + 1` as a pattern, `Vec<u8>` as an expression.
    Unread,
    /// Where it reads as one.
    IfItReads,
    Never,
}

/// What the compiler takes of what was matched before; the program compiles, so that where one version of it would stop the
/// next rule is the one that is meant.
fn takes(fragment: Fragment, kind: Fragment) -> Takes {
    use Fragment::{Block, Expr, Item, Literal, Meta, Pat, PatParam, Path, Stmt, Ty, Vis};
    match (fragment, kind) {
        (Pat | PatParam, Expr | Path) | (Expr | Stmt, Path) => Takes::Unread,
        (Ty, Ty | Path) | (Path, Path) | (Expr, Expr | Literal | Block) => Takes::Always,
        (Pat | PatParam, Pat | PatParam | Literal) | (Literal, Literal) => Takes::Always,
        (Stmt, Stmt | Expr | Literal | Block | Item) => Takes::Always,
        (Meta, Meta | Path | Ty) | (Block, Block) | (Item, Item) | (Vis, Vis) => Takes::Always,
        (Path, Ty) | (Literal, Expr) => Takes::IfItReads,
        _ => Takes::Never,
    }
}

/// Words that begin neither an expression nor a type.
const NEITHER: [&str; 14] = [
    "as", "else", "enum", "in", "let", "mod", "mut", "pub", "ref", "struct", "trait", "type", "use", "where",
];

/// Words that begin an expression, and no type.
const NO_TYPE: [&str; 14] = [
    "async", "await", "break", "const", "continue", "false", "if", "loop", "match", "move", "return",
    "static", "true", "while",
];

/// Whether the compiler would read such a fragment here. If it does, and finds another thing, it looks at no other rule.
fn may_begin(fragment: Fragment, input: ParseStream<'_>) -> bool {
    let Some((first, _)) = input.cursor().token_tree() else { return false };
    let is_path = input.peek(Token![::]);
    let word = if let TokenTree::Ident(word) = &first { Some(word.to_string()) } else { None };
    let is_one_of = |words: &[&str]| word.as_deref().is_some_and(|word| words.contains(&word));
    let punct = if let TokenTree::Punct(punct) = &first { Some(punct.as_char()) } else { None };
    let begins = |characters: &str| punct.is_some_and(|punct| characters.contains(punct));
    let group = if let TokenTree::Group(group) = &first { Some(group.delimiter()) } else { None };
    let is_literal = matches!(first, TokenTree::Literal(_));
    match fragment {
        Fragment::Expr => {
            let word = word.is_some() && !is_one_of(&NEITHER) && !is_one_of(&["extern", "fn", "impl"]);
            word || is_path || is_literal || group.is_some() || begins("!-*|&<'#") || input.peek(Token![..])
        }
        Fragment::Ty => {
            let word = word.is_some() && !is_one_of(&NEITHER) && !is_one_of(&NO_TYPE);
            let bracketed = matches!(group, Some(Delimiter::Parenthesis | Delimiter::Bracket));
            word || is_path || bracketed || begins("!*&?'<")
        }
        Fragment::Path | Fragment::Meta => word.is_some() || is_path,
        Fragment::Block => group == Some(Delimiter::Brace),
        Fragment::Pat | Fragment::PatParam => {
            let bracketed = matches!(group, Some(Delimiter::Parenthesis | Delimiter::Bracket));
            let either = fragment == Fragment::Pat && begins("|");
            let is_range = input.peek(Token![..]);
            word.is_some() || is_path || is_literal || bracketed || either || is_range || begins("&-<")
        }
        _ => true,
    }
}

fn parsed(fragment: Fragment, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    Ok(match fragment {
        Fragment::Ident => {
            let name = input.call(Ident::parse_any)?;
            if name == "_" {
                return Err(syn::Error::new(name.span(), "no name"));
            }
            name.into_token_stream()
        }
        Fragment::Lifetime => input.parse::<Lifetime>()?.into_token_stream(),
        Fragment::Literal => {
            let minus: Option<Token![-]> = input.parse()?;
            let literal: Lit = input.parse()?;
            quote!(#minus #literal)
        }
        Fragment::Tt => tree(input)?,
        Fragment::Ty => {
            let ty = ungrouped(input.parse()?);
            // `&$ty` of `dyn A + B` means the whole.
            let bounds = match &ty {
                Type::TraitObject(object) => object.bounds.len(),
                Type::ImplTrait(opaque) => opaque.bounds.len(),
                _ => 0,
            };
            if bounds > 1 { quote!((#ty)) } else { ty.into_token_stream() }
        }
        Fragment::Path => match ungrouped(input.parse()?) {
            Type::Path(path) => path.into_token_stream(),
            other => return Err(syn::Error::new_spanned(other, "no path")),
        },
        Fragment::Expr => {
            let mut expr: syn::Expr = input.parse()?;
            while let syn::Expr::Group(group) = expr {
                expr = *group.expr;
            }
            // An expression stays one, whatever stands beside it.
            let mut group = proc_macro2::Group::new(Delimiter::None, expr.to_token_stream());
            group.set_span(syn::spanned::Spanned::span(&expr));
            let alone = matches!(expr, syn::Expr::Lit(_) | syn::Expr::Path(_));
            if alone { expr.into_token_stream() } else { TokenTree::Group(group).into() }
        }
        Fragment::Pat => Pat::parse_multi_with_leading_vert(input)?.into_token_stream(),
        Fragment::PatParam => Pat::parse_single(input)?.into_token_stream(),
        Fragment::Block => input.parse::<syn::Block>()?.into_token_stream(),
        Fragment::Item => input.parse::<syn::Item>()?.into_token_stream(),
        Fragment::Meta => input.parse::<syn::Meta>()?.into_token_stream(),
        Fragment::Stmt => statement(input)?,
        Fragment::Vis => input.parse::<syn::Visibility>()?.into_token_stream(),
    })
}

/// A type without what says that it is a whole fragment.
fn ungrouped(mut ty: Type) -> Type {
    while let Type::Group(group) = ty {
        ty = *group.elem;
    }
    ty
}

/// A statement without its semicolon: one of an item, or all until there.
fn statement(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let ahead = input.fork();
    if let Ok(item) = ahead.parse::<syn::Item>()
        && !matches!(item, syn::Item::Verbatim(_) | syn::Item::Macro(_))
    {
        input.advance_to(&ahead);
        return Ok(item.into_token_stream());
    }
    let mut tokens = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![;]) {
        tokens.extend([input.parse::<TokenTree>()?]);
    }
    let one = |input: ParseStream<'_>| {
        let statements = syn::Block::parse_within(input)?;
        if statements.len() == 1 { Ok(()) } else { Err(input.error("not one statement")) }
    };
    syn::parse::Parser::parse2(one, quote!(#tokens;))?;
    Ok(tokens)
}

/// Punctuation that is one token of the language.
const LONG: [&str; 25] = [
    "<<=", ">>=", "...", "..=", "=>", "==", "!=", "<=", ">=", "&&", "||", "->", "<-", "::", "..", "<<", ">>",
    "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|=",
];

/// One token tree, as the compiler counts them.
fn tree(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if input.peek(Lifetime) {
        return Ok(input.parse::<Lifetime>()?.into_token_stream());
    }
    let first: TokenTree = input.parse()?;
    let TokenTree::Punct(punct) = &first else { return Ok(first.into()) };
    let (mut text, mut joint) = (punct.as_char().to_string(), punct.spacing() == Spacing::Joint);
    let mut tokens = TokenStream::from(first.clone());
    while joint {
        let ahead = input.fork();
        let Ok(TokenTree::Punct(next)) = ahead.parse::<TokenTree>() else { break };
        let longer = format!("{text}{}", next.as_char());
        if !LONG.iter().any(|known| known.starts_with(&longer)) {
            break;
        }
        input.advance_to(&ahead);
        joint = next.spacing() == Spacing::Joint;
        text = longer;
        tokens.extend([TokenTree::Punct(next)]);
    }
    Ok(tokens)
}
