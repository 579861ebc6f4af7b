//! Whether a use fits the pattern of a rule, and what its variables are then.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, discouraged::Speculative as _};
use syn::{Ident, Lifetime, Lit, Pat, Token, Type};

use super::definition::{Fragment, Matcher, Repeated, Times};

/// What a variable is.
#[derive(Debug, Clone)]
pub(super) enum Binding {
    /// Tokens.
    One(TokenStream),
    /// Of a repetition, what it is in each turn.
    Each(Vec<Binding>),
}

pub(super) type Bindings = BTreeMap<String, Binding>;

/// Matches the whole of a text.
pub(super) fn whole(pattern: &[Matcher], input: ParseStream<'_>) -> syn::Result<Bindings> {
    let mut bindings = Bindings::new();
    sequence(pattern, input, &mut bindings)?;
    if input.is_empty() { Ok(bindings) } else { Err(input.error("more than the pattern")) }
}

fn sequence(pattern: &[Matcher], input: ParseStream<'_>, bindings: &mut Bindings) -> syn::Result<()> {
    for matcher in pattern {
        match matcher {
            Matcher::Token(wanted) => token(wanted, input)?,
            Matcher::Group(delimiter, inner) => group(*delimiter, inner, input, bindings)?,
            Matcher::Variable(name, fragment) => {
                let tokens = self::fragment(*fragment, input)?;
                bindings.insert(name.clone(), Binding::One(tokens));
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
) -> syn::Result<()> {
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
    sequence(inner, &content, bindings)?;
    if content.is_empty() { Ok(()) } else { Err(content.error("more than the pattern")) }
}

/// Takes turns as long as they fit. The compiler wants it to be clear at each token whether another turn begins, so
/// that the longest run is the only one.
fn repeated(
    repeated: &Repeated<Matcher>,
    input: ParseStream<'_>,
    bindings: &mut Bindings,
) -> syn::Result<()> {
    let mut names = Vec::new();
    variables(&repeated.inner, &mut names);
    let mut turns: Vec<Bindings> = Vec::new();
    loop {
        let ahead = input.fork();
        let before = ahead.cursor();
        let parted = turns.is_empty()
            || repeated.separator.iter().try_for_each(|separator| token(separator, &ahead)).is_ok();
        let mut turn = Bindings::new();
        // A turn that takes nothing would never end.
        if !parted || sequence(&repeated.inner, &ahead, &mut turn).is_err() || ahead.cursor() == before {
            break;
        }
        input.advance_to(&ahead);
        turns.push(turn);
        if repeated.times == Times::AtMostOnce {
            break;
        }
    }
    if turns.is_empty() && repeated.times == Times::AtLeastOnce {
        return Err(input.error("at least one is wanted"));
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

fn fragment(fragment: Fragment, input: ParseStream<'_>) -> syn::Result<TokenStream> {
    // Only this may be nothing.
    if fragment == Fragment::Vis {
        return Ok(input.parse::<syn::Visibility>()?.into_token_stream());
    }
    if input.is_empty() {
        return Err(input.error("nothing is left"));
    }
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
            let ty: Type = input.parse()?;
            // `&$ty` of `dyn A + B` means the whole.
            let bounds = match &ty {
                Type::TraitObject(object) => object.bounds.len(),
                Type::ImplTrait(opaque) => opaque.bounds.len(),
                _ => 0,
            };
            if bounds > 1 { quote!((#ty)) } else { ty.into_token_stream() }
        }
        Fragment::Path => match input.parse::<Type>()? {
            Type::Path(path) => path.into_token_stream(),
            other => return Err(syn::Error::new_spanned(other, "no path")),
        },
        Fragment::Expr => {
            let expr: syn::Expr = input.parse()?;
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
        Fragment::Vis => TokenStream::new(),
    })
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
