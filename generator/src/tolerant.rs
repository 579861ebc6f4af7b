//! Source text that the parser knows in part only: rustc takes more than syn does (what older editions allow, what
//! a new release brings). One item that is not understood must not hide the others of its file, so a text that
//! does not parse as a whole is read item by item, and a block of functions function by function. In: a file's text.
//! Out: its items, and where those begin that were left out.

use proc_macro2::{Delimiter, Group, LineColumn, Span, TokenStream, TokenTree};
use syn::parse::{Parse, Parser as _};
use syn::{Attribute, File, Item};

mod older;

/// Blocks within blocks are followed this far.
const MAX_DEPTH: usize = 32;

pub(crate) const BOM: &str = "\u{feff}";

/// Words that may stand before the one that says what an item is.
const BEFORE: [&str; 7] = ["pub", "crate", "unsafe", "async", "default", "auto", "safe"];
/// Items that end at a semicolon, braces or not.
const TO_SEMICOLON: [&str; 4] = ["use", "static", "type", "let"];

/// What could be read of a text.
pub(crate) struct Readable {
    /// The file, without what was not understood.
    pub(crate) file: File,
    /// What the parser said of the text as a whole, and where; `None` where all was understood.
    pub(crate) problem: Option<syn::Error>,
    /// The lines (from 1) on which the items begin that were left out.
    pub(crate) left_out: Vec<usize>,
}

/// After the byte order mark and a `#!` line that is no attribute.
pub(crate) fn start_of_code(text: &str) -> usize {
    let bom = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let code = &text[bom..];
    if !code.starts_with("#!") {
        return bom;
    }
    // rustc takes `#!` for an attribute where the next token, over comments, is `[`; none is so written here
    // but with blanks.
    if code[2..].trim_start().starts_with('[') {
        return bom;
    }
    bom + code.find('\n').unwrap_or(code.len())
}

/// Reads a text; an error where not even its brackets match, or where it ends within an item.
pub(crate) fn parse(text: &str) -> syn::Result<Readable> {
    let problem = match syn::parse_str::<File>(text) {
        Ok(file) => return Ok(Readable { file, problem: None, left_out: Vec::new() }),
        Err(problem) => problem,
    };
    let mut left_out = Vec::new();
    let tokens: Vec<TokenTree> = text.parse::<TokenStream>()?.into_iter().collect();
    let (attrs, rest) = inner_attributes(&tokens);
    if !ends_with_an_item(rest) {
        return Err(problem);
    }
    let items = items(rest, &mut left_out, 0);
    Ok(Readable {
        file: File { shebang: None, frontmatter: None, attrs, items },
        problem: (!left_out.is_empty()).then_some(problem),
        left_out,
    })
}

/// `#![…]` at a text's head, and what comes after them.
fn inner_attributes(tokens: &[TokenTree]) -> (Vec<Attribute>, &[TokenTree]) {
    let mut attributes = Vec::new();
    let mut rest = tokens;
    while let [TokenTree::Punct(hash), TokenTree::Punct(mark), group @ TokenTree::Group(_), after @ ..] = rest
        && hash.as_char() == '#'
        && mark.as_char() == '!'
    {
        let own = [rest[0].clone(), rest[1].clone(), group.clone()];
        attributes.extend(Attribute::parse_inner.parse2(own.into_iter().collect()).unwrap_or_default());
        rest = after;
    }
    (attributes, rest)
}

fn items(tokens: &[TokenTree], left_out: &mut Vec<usize>, depth: usize) -> Vec<Item> {
    let mut items = Vec::new();
    for part in parts(tokens) {
        match understood::<Item>(part) {
            Some(item) => items.push(item),
            None => items.extend(salvaged(part, left_out, depth)),
        }
    }
    items
}

fn understood<T: Parse>(part: &[TokenTree]) -> Option<T> {
    let as_it_is = syn::parse2(part.iter().cloned().collect()).ok();
    as_it_is.or_else(|| syn::parse2(older::respelled(part)?).ok())
}

/// What can be had of an item that is not understood as a whole: of a block what is within it, of a function its
/// head.
fn salvaged(part: &[TokenTree], left_out: &mut Vec<usize>, depth: usize) -> Option<Item> {
    let item = match part.split_last() {
        Some((TokenTree::Group(body), head)) if body.delimiter() == Delimiter::Brace && depth < MAX_DEPTH => {
            within(head, body, left_out, depth)
        }
        _ => None,
    };
    if item.is_none() {
        left_out.extend(line(part));
    }
    item
}

fn within(head: &[TokenTree], body: &Group, left_out: &mut Vec<usize>, depth: usize) -> Option<Item> {
    let mut item = understood::<Item>(&emptied(head, body))?;
    let inner: Vec<TokenTree> = body.stream().into_iter().collect();
    let (attributes, rest) = inner_attributes(&inner);
    match &mut item {
        Item::Mod(module) if ends_with_an_item(rest) => {
            module.attrs.extend(attributes);
            module.content.as_mut()?.1 = items(rest, left_out, depth + 1);
        }
        Item::Impl(block) => block.items = members(rest, left_out),
        Item::Trait(block) => block.items = members(rest, left_out),
        Item::Fn(_) => left_out.extend(line(head)),
        _ => return None,
    }
    Some(item)
}

/// The functions, types and constants of an `impl` or a trait.
fn members<T: Parse>(tokens: &[TokenTree], left_out: &mut Vec<usize>) -> Vec<T> {
    let mut members = Vec::new();
    for part in parts(tokens) {
        let member = understood::<T>(part).or_else(|| match part.split_last() {
            Some((TokenTree::Group(body), head)) if body.delimiter() == Delimiter::Brace => {
                left_out.extend(line(head));
                understood::<T>(&emptied(head, body))
            }
            _ => {
                left_out.extend(line(part));
                None
            }
        });
        members.extend(member);
    }
    members
}

/// The item with nothing between its braces, which stay where they are.
fn emptied(head: &[TokenTree], body: &Group) -> Vec<TokenTree> {
    let mut empty = Group::new(Delimiter::Brace, TokenStream::new());
    empty.set_span(body.span());
    head.iter().cloned().chain([TokenTree::Group(empty)]).collect()
}

fn line(part: &[TokenTree]) -> Option<usize> {
    let LineColumn { line, .. } = part.first().map(TokenTree::span).as_ref().map(Span::start)?;
    Some(line)
}

/// The tokens of one item after the other: each ends at a semicolon or with its braces.
fn parts(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut parts = Vec::new();
    let mut rest = tokens;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(length(rest));
        // A semicolon after a macro's or an item's braces.
        if !matches!(part, [TokenTree::Punct(only)] if only.as_char() == ';') {
            parts.push(part);
        }
        rest = after;
    }
    parts
}

fn length(tokens: &[TokenTree]) -> usize {
    let to_semicolon = ends_at_semicolon(tokens);
    let end = tokens.iter().position(|token| match token {
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !to_semicolon,
        _ => false,
    });
    end.map_or(tokens.len(), |end| end + 1)
}

/// Whether what is put behind these tokens would be an item of its own, and not a part of their last one.
fn ends_with_an_item(tokens: &[TokenTree]) -> bool {
    let Some(last) = parts(tokens).pop() else { return true };
    match last.last() {
        Some(TokenTree::Punct(mark)) => mark.as_char() == ';',
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace && !ends_at_semicolon(last),
        _ => false,
    }
}

/// Whether braces do not end an item: `use a::{b, c};`, `const N: usize = { 5 };`.
fn ends_at_semicolon(tokens: &[TokenTree]) -> bool {
    let words = tokens.iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word.to_string()),
        _ => None,
    });
    let mut words = words.skip_while(|word| BEFORE.contains(&word.as_str()));
    match words.next().as_deref() {
        Some("const") => {
            !matches!(words.next().as_deref(), Some("fn" | "unsafe" | "extern" | "async" | "trait" | "impl"))
        }
        Some(word) => TO_SEMICOLON.contains(&word),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use syn::spanned::Spanned;

    use super::*;

    /// What syn does not read: a type that is a part of another one.
    const NEW: &str = "type Guarded = u8 is 1..;";

    fn names(items: &[Item]) -> Vec<String> {
        let name = |item: &Item| match item {
            Item::Fn(item) => item.sig.ident.to_string(),
            Item::Struct(item) => item.ident.to_string(),
            Item::Mod(item) => {
                let inner = item.content.as_ref().map(|(_, items)| names(items)).unwrap_or_default();
                format!("{}({})", item.ident, inner.join(" "))
            }
            Item::Impl(item) => format!("impl({})", item.items.len()),
            Item::Trait(item) => format!("{}({})", item.ident, item.items.len()),
            Item::Use(_) => "use".to_owned(),
            Item::Const(item) => item.ident.to_string(),
            Item::Macro(_) => "macro".to_owned(),
            _ => "?".to_owned(),
        };
        items.iter().map(name).collect()
    }

    #[test]
    fn one_item_does_not_hide_the_others() {
        let text = format!(
            "#![allow(unused)]\nuse a::{{b, c}};\npub(crate) const N: usize = {{ 5 }};\n{NEW}\nstruct S(u8);\n\
             struct T {{ a: u8 }}\nlog! {{ x }};\npub const fn f() -> [u8; {{ 2 }}] {{ [0; 2] }}\n\
             #[cfg(test)]\nmod tests {{ {NEW} fn inner() {{}} }}"
        );
        let read = parse(&text).unwrap();
        assert!(read.problem.is_some());
        assert_eq!(read.file.attrs.len(), 1);
        assert_eq!(names(&read.file.items), ["use", "N", "S", "T", "macro", "f", "tests(inner)"]);
        assert_eq!(read.left_out, [4, 10]);
    }

    #[test]
    fn a_member_does_not_hide_the_others_and_a_body_not_its_head() {
        let text = format!(
            "impl S {{ fn a() {{}}\nfn b() {{ {NEW} }}\nfn c(f: u8 is 1..) {{}}\nconst D: u8 = 1; }}\n\
             trait W {{ fn e(); }}\nfn g(a: u8) -> u8 {{ {NEW} a }}"
        );
        let read = parse(&text).unwrap();
        assert_eq!(names(&read.file.items), ["impl(3)", "W(1)", "g"]);
        assert_eq!(read.left_out, [2, 3, 6]);
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = format!("{NEW}\n\nmod m {{\n    fn f() {{}}\n{NEW}\n}}\n");
        let read = parse(&text).unwrap();
        let Item::Mod(module) = &read.file.items[0] else { panic!("{:?}", names(&read.file.items)) };
        let brace = module.content.as_ref().unwrap().0.span.close().byte_range();
        assert_eq!(brace.start, text.rfind('}').unwrap());
        let Item::Fn(function) = &module.content.as_ref().unwrap().1[0] else { panic!() };
        assert_eq!(function.sig.ident.span().start().line, 4);
    }

    #[test]
    fn what_older_editions_allow_is_read() {
        let text =
            "struct A { a: Box<Fn() + Send> }\ntrait B { fn b(u8); }\nimpl A { fn c(f: &mut FnMut()) {} }";
        let read = parse(text).unwrap();
        assert_eq!(names(&read.file.items), ["A", "B(1)", "impl(1)"]);
        assert_eq!(read.left_out, [] as [usize; 0]);
        let Item::Impl(block) = &read.file.items[2] else { panic!() };
        let syn::ImplItem::Fn(function) = &block.items[0] else { panic!() };
        let at = function.sig.inputs[0].span().byte_range();
        assert_eq!(&text[at], "f: &mut FnMut()");
    }

    #[test]
    fn a_text_whose_brackets_do_not_match_is_refused() {
        assert!(parse("fn f( {").is_err());
        assert!(parse("fn f() { \"").is_err());
        assert!(parse("fn f() {}\nfn").is_err());
        // What came next would be the constant's.
        assert!(parse("fn f() {}\nconst X: &str = \"\" mod a {} () nner {}").is_err());
        assert!(parse("fn f() {}").unwrap().problem.is_none());
    }
}
