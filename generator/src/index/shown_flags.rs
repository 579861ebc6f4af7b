//! The flags in the text of `bitflags!`, with their bits. In: the text. Out: those whose bits it tells. Nothing is expanded.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::{BinOp, Expr, Lit, Member};

use super::ids::plain;

/// Flags of a type that are read.
const MOST_FLAGS: usize = 128;
/// Expressions within expressions.
const MAX_DEPTH: u32 = 16;

/// A type's flags, each with its bits, as they are declared.
pub(super) type Flags = Vec<(String, u128)>;

/// The flags of each struct in the text: `const READ = 1 << 0;`.
pub(super) fn shown_flags(text: &TokenStream) -> Vec<(String, Flags)> {
    let trees: Vec<TokenTree> = text.clone().into_iter().collect();
    let (mut found, mut of): (Vec<(String, Flags)>, Option<String>) = (Vec::new(), None);
    for (at, tree) in trees.iter().enumerate() {
        match (tree, trees.get(at + 1)) {
            (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "struct" => {
                of = Some(plain(name));
            }
            (TokenTree::Group(body), _) if body.delimiter() == Delimiter::Brace => {
                if let Some(of) = of.take() {
                    found.push((of, flags(body.stream())));
                }
            }
            _ => {}
        }
    }
    found
}

fn flags(body: TokenStream) -> Flags {
    let trees: Vec<TokenTree> = body.into_iter().collect();
    let is_end = |tree: &TokenTree| matches!(tree, TokenTree::Punct(mark) if mark.as_char() == ';');
    let mut found = Flags::new();
    for constant in trees.split(is_end).take(MOST_FLAGS) {
        if let Some(flag) = flag(constant, &found) {
            found.push(flag);
        }
    }
    found
}

/// `#[doc = "…"] const READ = 1`. One with other attributes may not be there, or be deprecated.
fn flag(constant: &[TokenTree], known: &Flags) -> Option<(String, u128)> {
    let mut trees = constant;
    while let [TokenTree::Punct(mark), TokenTree::Group(attribute), rest @ ..] = trees {
        let is_doc = attribute.stream().into_iter().next().is_some_and(|word| word.to_string() == "doc");
        if mark.as_char() != '#' || !is_doc {
            return None;
        }
        trees = rest;
    }
    let [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Punct(mark), rest @ ..] = trees else {
        return None;
    };
    if word != "const" || mark.as_char() != '=' {
        return None;
    }
    let expression: Expr =
        Parser::parse2(|input: syn::parse::ParseStream<'_>| input.parse(), rest.iter().cloned().collect())
            .ok()?;
    Some((plain(name), bits(&expression, known, MAX_DEPTH)?))
}

/// `1 << 3`, `0b1000`, `Self::A.bits() | Self::B.bits()`, `Self::A.bits`.
fn bits(expr: &Expr, known: &Flags, depth: u32) -> Option<u128> {
    let depth = depth.checked_sub(1)?;
    let of = |expr: &Expr| bits(expr, known, depth);
    match expr {
        Expr::Paren(inner) => of(&inner.expr),
        Expr::Group(inner) => of(&inner.expr),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        Expr::Binary(binary) => {
            let (left, right) = (of(&binary.left)?, of(&binary.right)?);
            match binary.op {
                BinOp::BitOr(_) => Some(left | right),
                BinOp::Shl(_) => {
                    let by = u32::try_from(right).ok()?;
                    left.checked_shl(by).filter(|shifted| shifted >> by == left)
                }
                _ => None,
            }
        }
        Expr::MethodCall(call) if call.method == "bits" && call.args.is_empty() => {
            flag_of(&call.receiver, known)
        }
        Expr::Field(field) => match &field.member {
            Member::Named(name) if name == "bits" => flag_of(&field.base, known),
            _ => None,
        },
        _ => None,
    }
}

/// The bits of `Self::A`.
fn flag_of(expr: &Expr, known: &Flags) -> Option<u128> {
    let Expr::Path(path) = expr else { return None };
    let name = plain(&path.path.segments.last().filter(|_| path.qself.is_none())?.ident);
    known.iter().find(|(own, _)| *own == name).map(|(_, bits)| *bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_far_as_their_text_tells() {
        let text = "/// Rights of a file.
            #[derive(Clone)] pub struct Rights: u8 {
                /// To read.
                const READ = 1 << 0;
                const WRITE = 0b10;
                const BOTH = Self::READ.bits() | Rights::WRITE.bits;
                #[cfg(windows)] const HIDDEN = 8;
                const MASK = mask();
                const _ = !0;
                const RUN = (4);
            }
            struct None: u8 {}";
        let flags = [("READ", 1), ("WRITE", 2), ("BOTH", 3), ("RUN", 4)];
        let flags = flags.map(|(name, bits)| (name.to_owned(), bits)).to_vec();
        assert_eq!(
            shown_flags(&text.parse().unwrap()),
            [("Rights".to_owned(), flags), ("None".to_owned(), Vec::new())]
        );
    }
}
