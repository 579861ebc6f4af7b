//! What is derived for the structs in the text of a macro that is not understood, as `bitflags` takes them. In: the text.
//! Out: names. Nothing is expanded.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Token;
use syn::parse::Parser;
use syn::punctuated::Punctuated;

use super::ids::plain;

/// Each struct with the traits of `#[derive(…)]` in front of it, those that are named without their path.
pub(super) fn shown_derives(text: &TokenStream) -> Vec<(String, Vec<String>)> {
    let trees: Vec<TokenTree> = text.clone().into_iter().collect();
    let (mut found, mut derives) = (Vec::new(), Vec::new());
    for (at, tree) in trees.iter().enumerate() {
        match (tree, trees.get(at + 1)) {
            (TokenTree::Punct(mark), Some(TokenTree::Group(group)))
                if mark.as_char() == '#' && group.delimiter() == Delimiter::Bracket =>
            {
                derives.extend(derived(group.stream()));
            }
            (TokenTree::Ident(word), Some(TokenTree::Ident(name))) if word == "struct" => {
                found.push((plain(name), std::mem::take(&mut derives)));
            }
            // Where an item ends, its attributes do.
            (TokenTree::Punct(mark), _) if mark.as_char() == ';' => derives.clear(),
            (TokenTree::Group(group), _) if group.delimiter() == Delimiter::Brace => derives.clear(),
            _ => {}
        }
    }
    found
}

/// The names in `derive(…)`.
fn derived(attribute: TokenStream) -> Vec<String> {
    let trees: Vec<TokenTree> = attribute.into_iter().collect();
    let [TokenTree::Ident(word), TokenTree::Group(list)] = trees.as_slice() else { return Vec::new() };
    if word != "derive" {
        return Vec::new();
    }
    let paths = Punctuated::<syn::Path, Token![,]>::parse_terminated.parse2(list.stream());
    paths.unwrap_or_default().iter().filter_map(|path| path.get_ident().map(plain)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_struct_has_the_derives_in_front_of_it() {
        let text = "/// Doc.
            #[derive(Default, Clone)] #[derive(other::Copy)] pub struct A: u8 { #[derive(Hash)] const X = 1; }
            struct B: u8 { const X = 1; }
            #[cfg_attr(all(), derive(Default))] struct C: u8 {}";
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            shown_derives(&text.parse().unwrap()),
            [
                ("A".to_owned(), names(&["Default", "Clone"])),
                ("B".to_owned(), Vec::new()),
                ("C".to_owned(), Vec::new()),
            ]
        );
    }
}
