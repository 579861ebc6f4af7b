//! Macros seen as text: which of them hold items that a reader would take for items, and what they say of
//! their condition. Nothing is expanded.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Item;
use syn::parse::Parser;

use super::cfg::Cfg;

/// A macro's text.
pub(super) enum MacroText {
    /// Reads as items, each list under its condition.
    Items(Vec<(Cfg, Vec<Item>)>),
    /// Does not.
    Opaque,
}

/// Reads the text of an item macro.
pub(super) fn read(name: &str, tokens: &TokenStream) -> MacroText {
    if name == "cfg_if" || name == "cfg_select" {
        return chain(tokens).map_or(MacroText::Opaque, MacroText::Items);
    }
    if let Ok(file) = syn::parse2::<syn::File>(tokens.clone())
        && !file.items.is_empty()
        && file.items.iter().all(is_plain)
    {
        return MacroText::Items(vec![(inner_condition(&file.attrs), file.items)]);
    }
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    if let Some(items) = marked(&trees) {
        return MacroText::Items(vec![(Cfg::Always, items)]);
    }
    // `doc_comment! { "text", pub fn f() {} }`: items behind other arguments.
    let commas = trees.iter().enumerate().filter(|(_, token)| is_punct(token, ','));
    for (index, _) in commas.take(4) {
        let rest: TokenStream = trees.get(index + 1..).unwrap_or_default().iter().cloned().collect();
        if let Ok(items) = parse_items.parse2(rest)
            && !items.is_empty()
            && items.iter().all(|item| is_plain(item) && !matches!(item, Item::Macro(_)))
        {
            return MacroText::Items(vec![(Cfg::Always, items)]);
        }
    }
    MacroText::Opaque
}

/// `ast_struct! { pub struct ExprTry #full { … } }`: an item with words for the macro in it, which no attribute is.
fn marked(trees: &[TokenTree]) -> Option<Vec<Item>> {
    let is_mark =
        |at: usize| is_punct(&trees[at], '#') && matches!(trees.get(at + 1), Some(TokenTree::Ident(_)));
    let marks: Vec<usize> = (0..trees.len()).filter(|at| is_mark(*at)).collect();
    if marks.is_empty() {
        return None;
    }
    let others = (0..trees.len()).filter(|at| !(marks.contains(at) || *at > 0 && marks.contains(&(at - 1))));
    let items = parse_items.parse2(others.map(|at| trees[at].clone()).collect()).ok()?;
    let is_type = |item: &Item| matches!(item, Item::Struct(_) | Item::Enum(_));
    (!items.is_empty() && items.iter().all(is_type)).then_some(items)
}

/// Items that mean what they say; `Verbatim` is syn's word for what it did not understand.
fn is_plain(item: &Item) -> bool {
    !matches!(item, Item::Verbatim(_))
}

pub(super) fn parse_items(input: syn::parse::ParseStream<'_>) -> syn::Result<Vec<Item>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        items.push(input.parse()?);
    }
    Ok(items)
}

/// `#![cfg(…)]` or tokio's `#![feature-condition]` at the head of a macro's text.
fn inner_condition(attributes: &[syn::Attribute]) -> Cfg {
    attributes.iter().fold(Cfg::Always, |cfg, attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => cfg.and(Cfg::parse(list.tokens.clone())),
        syn::Meta::List(list) if ["all", "any", "not"].iter().any(|name| list.path.is_ident(name)) => {
            cfg.and(Cfg::parse(quote::ToTokens::to_token_stream(list)))
        }
        _ => cfg,
    })
}

/// `if #[cfg(a)] { … } else if #[cfg(b)] { … } else { … }`, and the arms of `cfg_select!`.
fn chain(tokens: &TokenStream) -> Option<Vec<(Cfg, Vec<Item>)>> {
    let mut parts = Vec::new();
    let (mut own, mut otherwise) = (None, Cfg::Always);
    let mut words: Vec<TokenTree> = Vec::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                own = cfg_of(group.stream());
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                // `cfg_select! { unix => { … } _ => { … } }` has its predicate in plain words.
                let condition = own.take().or_else(|| arm(&words));
                let cfg = otherwise.clone().and(condition.clone().unwrap_or_default());
                let items = parse_items.parse2(group.stream()).ok()?;
                parts.push((cfg, items));
                otherwise = otherwise.and(condition.map_or(Cfg::Unknown, Cfg::negated));
                words.clear();
            }
            other => words.push(other),
        }
    }
    (!parts.is_empty()).then_some(parts)
}

fn arm(words: &[TokenTree]) -> Option<Cfg> {
    let [predicate @ .., equals, greater] = words else { return None };
    let is_arm = is_punct(equals, '=') && is_punct(greater, '>');
    let wildcard = matches!(predicate, [TokenTree::Ident(ident)] if ident == "_");
    (is_arm && !wildcard).then(|| Cfg::parse(predicate.iter().cloned().collect()))
}

/// The predicate of `cfg(…)` as the whole of a bracket group.
fn cfg_of(tokens: TokenStream) -> Option<Cfg> {
    let mut tokens = tokens.into_iter();
    match (tokens.next()?, tokens.next()?) {
        (TokenTree::Ident(name), TokenTree::Group(group)) if name == "cfg" => {
            Some(Cfg::parse(group.stream()))
        }
        _ => None,
    }
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == character)
}

/// Whether a `macro_rules!` passes items through (`$($item:item)*`), and under which `#[cfg]`: the form of
/// tokio's `cfg_rt! { … }`.
pub(super) fn wrapper(rules: &TokenStream) -> Option<Cfg> {
    let rules: Vec<TokenTree> = rules.clone().into_iter().collect();
    let groups: Vec<&proc_macro2::Group> = rules
        .iter()
        .filter_map(|token| match token {
            TokenTree::Group(group) => Some(group),
            _ => None,
        })
        .collect();
    let [pattern, result] = groups[..] else { return None };
    let names_items = pattern.stream().to_string().replace(' ', "");
    if !names_items.contains(":item)") && !names_items.contains(":tt)") {
        return None;
    }
    let mut cfg = Cfg::Always;
    let mut others = 0;
    first_cfg(&result.stream(), &mut cfg, &mut others, 0);
    // Anything that it adds by itself makes it more than a wrapper.
    (others == 0).then_some(cfg)
}

fn first_cfg(tokens: &TokenStream, cfg: &mut Cfg, others: &mut u32, depth: u32) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                if let Some(found) = cfg_of(group.stream()) {
                    *cfg = std::mem::take(cfg).and(found);
                }
            }
            TokenTree::Group(group) if depth < 8 => first_cfg(&group.stream(), cfg, others, depth + 1),
            TokenTree::Ident(ident)
                if ["fn", "struct", "enum", "mod", "impl", "use", "trait", "const", "static"]
                    .iter()
                    .any(|word| ident == word) =>
            {
                *others += 1;
            }
            _ => {}
        }
    }
}

/// The path in `include!("literal")` or `include!(concat!(env!("CARGO_MANIFEST_DIR"), "/literal"))`.
pub(super) fn included_path(tokens: &TokenStream, package_folder: &Path) -> Option<PathBuf> {
    if let Ok(literal) = syn::parse2::<syn::LitStr>(tokens.clone()) {
        return Some(PathBuf::from(literal.value()));
    }
    let outer: syn::Macro = syn::parse2(tokens.clone()).ok()?;
    let parts = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated
        .parse2(outer.path.is_ident("concat").then_some(outer.tokens)?)
        .ok()?;
    let mut path = String::new();
    for part in parts {
        match part {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => path.push_str(&text.value()),
            syn::Expr::Macro(inner) if inner.mac.path.is_ident("env") => {
                let name: syn::LitStr = syn::parse2(inner.mac.tokens).ok()?;
                (name.value() == "CARGO_MANIFEST_DIR").then_some(())?;
                path.push_str(&package_folder.to_string_lossy());
            }
            _ => return None,
        }
    }
    Some(PathBuf::from(path))
}

/// Whether a text declares a function: `fn` with a name behind it, or with a macro's variable for one.
pub(super) fn declares_function(tokens: &TokenStream) -> bool {
    let mut open = vec![tokens.clone()];
    while let Some(tokens) = open.pop() {
        let mut after_fn = false;
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    open.push(group.stream());
                    after_fn = false;
                }
                TokenTree::Ident(_) if after_fn => return true,
                TokenTree::Ident(ident) => after_fn = ident == "fn",
                TokenTree::Punct(punct) if after_fn && punct.as_char() == '$' => return true,
                _ => after_fn = false,
            }
        }
    }
    false
}
