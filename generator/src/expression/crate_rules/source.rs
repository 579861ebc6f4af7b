//! A stream of tokens as the source that a person would write: `"fn f(x: u8)"`. In: a value of `proc_macro2`. Out: text
//! that is known to parse into the very tokens that were read; `None` where there is no such text.

use std::fmt::Write as _;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use relapse_snapshot::{Data, Value};

use super::text_of;
use crate::expression::seen_through::field;

/// Groups within groups deeper than this are not written as text: a reader of Rust would recurse as deep.
const MAX_DEPTH: usize = 60;

/// Longest source.
const MAX_LENGTH: usize = 1024;

/// The source of a sequence of token trees.
pub(super) fn source(items: &Value) -> Option<String> {
    let mut text = String::new();
    write(items, &mut text, 0)?;
    let text = text.trim().to_owned();
    let parsed: TokenStream = text.parse().ok()?;
    let pretty = shortened(&text, &parsed);
    same(parsed, items).then_some(pretty)
}

/// The usual spacing where it makes the same tokens.
fn shortened(text: &str, parsed: &TokenStream) -> String {
    let mut pretty = text.to_owned();
    for (long, short) in
        [(" ;", ";"), (" ,", ","), (" (", "("), ("( ", "("), (" )", ")"), (" :", ":"), ("& ", "&")]
    {
        let tried = pretty.replace(long, short);
        let is_same = |tokens: TokenStream| tokens.to_string() == parsed.to_string();
        if tried.parse().is_ok_and(is_same) {
            pretty = tried;
        }
    }
    pretty
}

fn items_of(value: &Value) -> Option<&[Value]> {
    match &value.data {
        Data::Sequence { items, len } if items.len() as u64 == *len => Some(items),
        _ => None,
    }
}

fn variant(value: &Value) -> Option<&str> {
    match &value.data {
        Data::Variant { name, .. } => Some(name),
        _ => None,
    }
}

/// `inner` of a type that has another inside a macro's process; no enum where it was built without that.
fn inside(value: &Value) -> Option<&Value> {
    let inner = field(value, "inner")?;
    match variant(inner) {
        Some("Fallback") => field(inner, "0"),
        Some(_) => None,
        None => Some(inner),
    }
}

/// A token as it was read.
enum Read<'v> {
    /// Its text, `r#` included.
    Ident(String),
    Punct(char, Spacing),
    Literal(&'v str),
    Group(Delimiter, &'v Value),
}

fn read(tree: &Value) -> Option<Read<'_>> {
    let token = field(tree, "0")?;
    let text = |value| match &text_of(value)?.data {
        Data::Text { text, len } if text.len() as u64 == *len => Some(text.as_str()),
        _ => None,
    };
    Some(match variant(tree)? {
        "Ident" => {
            let ident = inside(token)?;
            let raw = matches!(field(ident, "raw")?.data, Data::Bool(true));
            let name = text(field(ident, "sym")?)?;
            Read::Ident(if raw { format!("r#{name}") } else { name.to_owned() })
        }
        "Punct" => {
            let Data::Char(mark) = field(token, "ch")?.data else { return None };
            let joint = variant(field(token, "spacing")?)? == "Joint";
            Read::Punct(mark, if joint { Spacing::Joint } else { Spacing::Alone })
        }
        "Literal" => Read::Literal(text(field(inside(token)?, "repr")?)?),
        "Group" => {
            let group = inside(token)?;
            let delimiter = match variant(field(group, "delimiter")?)? {
                "Parenthesis" => Delimiter::Parenthesis,
                "Brace" => Delimiter::Brace,
                "Bracket" => Delimiter::Bracket,
                _ => return None,
            };
            let inner = field(field(field(group, "stream")?, "inner")?, "inner")?;
            let Data::Pointer { to: Some(items), .. } = &inner.data else { return None };
            Read::Group(delimiter, items)
        }
        _ => return None,
    })
}

fn write(items: &Value, out: &mut String, depth: usize) -> Option<()> {
    for tree in items_of(items)? {
        match read(tree)? {
            Read::Ident(name) => write!(out, "{name} ").ok()?,
            Read::Punct(mark, Spacing::Joint) => out.push(mark),
            Read::Punct(mark, Spacing::Alone) => write!(out, "{mark} ").ok()?,
            Read::Literal(repr) => write!(out, "{repr} ").ok()?,
            Read::Group(delimiter, inner) if depth < MAX_DEPTH => {
                let (open, close) = match delimiter {
                    Delimiter::Parenthesis => ("( ", ") "),
                    Delimiter::Bracket => ("[", "] "),
                    _ => ("{ ", "} "),
                };
                out.push_str(open);
                write(inner, out, depth + 1)?;
                out.push_str(close);
            }
            Read::Group(..) => return None,
        }
        (out.len() <= MAX_LENGTH).then_some(())?;
    }
    Some(())
}

/// Whether parsed tokens are those that were read; the depth is that of `write`.
fn same(tokens: TokenStream, items: &Value) -> bool {
    let Some(items) = items_of(items) else { return false };
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.len() == items.len()
        && tokens.into_iter().zip(items).all(|(token, item)| match (token, read(item)) {
            (TokenTree::Ident(token), Some(Read::Ident(name))) => token == name.as_str(),
            (TokenTree::Punct(token), Some(Read::Punct(mark, spacing))) => {
                (token.as_char(), token.spacing()) == (mark, spacing)
            }
            (TokenTree::Literal(token), Some(Read::Literal(repr))) => token.to_string() == repr,
            (TokenTree::Group(token), Some(Read::Group(delimiter, inner))) => {
                token.delimiter() == delimiter && same(token.stream(), inner)
            }
            _ => false,
        })
}
