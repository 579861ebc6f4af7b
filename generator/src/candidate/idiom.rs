//! How people write a call of a method of one of std's traits: `a + b`, `-a`, `table[at]`, `drop(guard)`. In: the trait,
//! the function, its arguments as they were written. Out: the expression; none where an ordinary call is what they write.

use proc_macro2::{Punct, Spacing, TokenStream};
use quote::quote;

use crate::expression::WrittenArgument;
use crate::index::OfStd;

/// An expression that calls the function.
pub(super) struct Idiom {
    pub(super) tokens: TokenStream,
    /// The compiler wants its result used.
    pub(super) drops_result: bool,
}

/// The operators of std's traits for two operands: trait, method, operator.
const BINARY: [(&str, &str, &str); 10] = [
    ("Add", "add", "+"),
    ("Sub", "sub", "-"),
    ("Mul", "mul", "*"),
    ("Div", "div", "/"),
    ("Rem", "rem", "%"),
    ("BitAnd", "bitand", "&"),
    ("BitOr", "bitor", "|"),
    ("BitXor", "bitxor", "^"),
    ("Shl", "shl", "<<"),
    ("Shr", "shr", ">>"),
];

/// Those that compare what two references refer to.
const COMPARING: [(&str, &str, &str); 6] = [
    ("PartialEq", "eq", "=="),
    ("PartialEq", "ne", "!="),
    ("PartialOrd", "lt", "<"),
    ("PartialOrd", "le", "<="),
    ("PartialOrd", "gt", ">"),
    ("PartialOrd", "ge", ">="),
];

/// Whether a function is a type's own `Drop::drop`, whose value is given whole.
pub(super) fn is_drop(of_std: &OfStd, method: &str) -> bool {
    of_std.trait_path == "std::ops::Drop" && method == "drop"
}

/// The idiom for a method of one of std's traits with these arguments. `drop`: what std's function of that name is called
/// there.
pub(super) fn idiom(
    of_std: &OfStd,
    method: &str,
    arguments: &[WrittenArgument],
    drop: &TokenStream,
) -> Option<Idiom> {
    let (module, name) = of_std.trait_path.rsplit_once("::")?;
    let value = |tokens| Some(Idiom { tokens, drops_result: true });
    let unit = |tokens| Some(Idiom { tokens, drops_result: false });
    match (module, arguments) {
        ("std::ops", [receiver]) => match (name, method) {
            ("Neg", "neg") => value(prefixed('-', &receiver.pass)),
            ("Not", "not") => value(prefixed('!', &receiver.pass)),
            ("Deref", "deref") => value(borrowed(false, &dereferenced(receiver))),
            ("DerefMut", "deref_mut") => value(borrowed(true, &dereferenced(receiver))),
            ("Drop", "drop") => unit(dropped(receiver, drop)?),
            _ => None,
        },
        ("std::ops", [receiver, other]) => {
            let key = &other.pass;
            match (name, method) {
                ("Index", "index") => {
                    let indexed = indexed(receiver);
                    value(quote!(&#indexed[#key]))
                }
                ("IndexMut", "index_mut") => {
                    let indexed = indexed(receiver);
                    value(quote!(&mut #indexed[#key]))
                }
                _ if name.ends_with("Assign") => {
                    let short = name.strip_suffix("Assign").unwrap_or_default();
                    let operator = operator(&BINARY, short, method.strip_suffix("_assign")?)?;
                    let place = place(receiver);
                    let operator = punctuation(operator, Spacing::Joint);
                    unit(quote!(#place #operator = #key))
                }
                _ => {
                    let operator = punctuation(operator(&BINARY, name, method)?, Spacing::Alone);
                    let receiver = &receiver.pass;
                    value(quote!(#receiver #operator #key))
                }
            }
        }
        ("std::cmp", [receiver, other]) => {
            let operator = punctuation(operator(&COMPARING, name, method)?, Spacing::Alone);
            let (receiver, other) = (place(receiver), place(other));
            value(quote!(#receiver #operator #other))
        }
        // By a dot a reference would be looked up as what it refers to.
        ("std::iter", [receiver]) if (name, method) == ("IntoIterator", "into_iter") => {
            let pass = receiver.pass.clone();
            is_borrowed(receiver).then(|| Idiom { tokens: quote!((#pass).into_iter()), drops_result: true })
        }
        ("std::str", [text]) if (name, method) == ("FromStr", "from_str") => {
            let (text, ty) = (text.variable.as_ref()?, of_std.self_type.as_ref()?);
            value(quote!(#text.parse::<#ty>()))
        }
        _ => None,
    }
}

fn operator(known: &[(&str, &str, &'static str)], name: &str, method: &str) -> Option<&'static str> {
    known.iter().find(|known| (known.0, known.1) == (name, method)).map(|known| known.2)
}

/// An operator's characters as tokens; what follows them is joined to the last one as `last` says.
fn punctuation(operator: &str, last: Spacing) -> TokenStream {
    let count = operator.len();
    let spacing = |at: usize| if at + 1 < count { Spacing::Joint } else { last };
    let characters = operator.chars().enumerate();
    characters.map(|(at, c)| proc_macro2::TokenTree::Punct(Punct::new(c, spacing(at)))).collect()
}

fn prefixed(operator: char, operand: &TokenStream) -> TokenStream {
    let operator = Punct::new(operator, Spacing::Alone);
    quote!(#operator #operand)
}

fn borrowed(mutable: bool, place: &TokenStream) -> TokenStream {
    if mutable { quote!(&mut #place) } else { quote!(&#place) }
}

/// Whether an argument is passed as a reference to its variable.
fn is_borrowed(argument: &WrittenArgument) -> bool {
    argument.variable.as_ref().is_some_and(|variable| {
        let pass = argument.pass.to_string();
        [quote!(&#variable), quote!(&mut #variable)].iter().any(|own| own.to_string() == pass)
    })
}

/// What the reference that is passed refers to: the variable, or what is behind it.
fn place(argument: &WrittenArgument) -> TokenStream {
    match &argument.variable {
        Some(variable) if is_borrowed(argument) => quote!(#variable),
        _ => {
            let pass = &argument.pass;
            quote!(*#pass)
        }
    }
}

/// The same before a bracket.
fn indexed(argument: &WrittenArgument) -> TokenStream {
    let place = place(argument);
    if is_borrowed(argument) { place } else { quote!((#place)) }
}

fn dereferenced(argument: &WrittenArgument) -> TokenStream {
    let place = place(argument);
    quote!(*#place)
}

/// A value is dropped by `drop`, which takes it whole; nobody calls its `Drop::drop`.
fn dropped(argument: &WrittenArgument, drop: &TokenStream) -> Option<TokenStream> {
    let variable = argument.variable.as_ref().filter(|_| !is_borrowed(argument))?;
    Some(quote!(#drop(#variable)))
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::Trust;

    use super::*;

    fn argument(variable: &str, pass: &str) -> WrittenArgument {
        WrittenArgument {
            variable: Some(syn::parse_str(variable).unwrap()),
            lets: Vec::new(),
            pass: pass.parse().unwrap(),
            side_files: Vec::new(),
            nodes: 1,
            trust: Trust::Entry,
        }
    }

    fn of(trait_path: &str, method: &str, passes: &[(&str, &str)]) -> Option<String> {
        let of_std = OfStd { trait_path: trait_path.to_owned(), self_type: Some(quote!(Pair)) };
        let arguments: Vec<WrittenArgument> = passes.iter().map(|(v, pass)| argument(v, pass)).collect();
        let tokens = idiom(&of_std, method, &arguments, &quote!(drop))?.tokens;
        // As prettyplease writes it, and so by what it reads as.
        let file: syn::File = syn::parse2(quote!(fn body() { #tokens; })).unwrap();
        let text = prettyplease::unparse(&file);
        Some(text.lines().nth(1).unwrap().trim().trim_end_matches(';').to_owned())
    }

    #[test]
    fn operators_are_written_between_their_operands() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of("std::ops::Add", "add", &[("a", "a"), ("b", "b")]), text("a + b"));
        assert_eq!(of("std::ops::Mul", "mul", &[("a", "&a"), ("b", "&b")]), text("&a * &b"));
        assert_eq!(of("std::ops::Shl", "shl", &[("a", "a"), ("n", "n")]), text("a << n"));
        assert_eq!(of("std::ops::ShrAssign", "shr_assign", &[("a", "&mut a"), ("n", "n")]), text("a >>= n"));
        assert_eq!(of("std::ops::AddAssign", "add_assign", &[("a", "a"), ("n", "n")]), text("*a += n"));
        assert_eq!(of("std::ops::Neg", "neg", &[("a", "a")]), text("-a"));
        assert_eq!(of("std::ops::Not", "not", &[("a", "&a")]), text("!&a"));
        assert_eq!(of("std::cmp::PartialEq", "eq", &[("a", "&a"), ("b", "b")]), text("a == *b"));
        assert_eq!(of("std::cmp::PartialOrd", "le", &[("a", "&a"), ("b", "&b")]), text("a <= b"));
    }

    #[test]
    fn places_are_borrowed_behind_an_index_and_a_star() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(of("std::ops::Index", "index", &[("t", "&t"), ("at", "at")]), text("&t[at]"));
        assert_eq!(of("std::ops::Index", "index", &[("t", "t"), ("at", "at")]), text("&(*t)[at]"));
        assert_eq!(
            of("std::ops::IndexMut", "index_mut", &[("t", "&mut t"), ("at", "at")]),
            text("&mut t[at]")
        );
        assert_eq!(of("std::ops::Deref", "deref", &[("l", "&l")]), text("&*l"));
        assert_eq!(of("std::ops::DerefMut", "deref_mut", &[("l", "&mut l")]), text("&mut *l"));
    }

    #[test]
    fn a_value_is_dropped_whole_and_a_text_parsed() {
        assert_eq!(of("std::ops::Drop", "drop", &[("guard", "guard")]).as_deref(), Some("drop(guard)"));
        assert_eq!(of("std::ops::Drop", "drop", &[("guard", "&mut guard")]), None);
        let parsed = of("std::str::FromStr", "from_str", &[("text", "text")]);
        assert_eq!(parsed.as_deref(), Some("text.parse::<Pair>()"));
    }

    #[test]
    fn a_reference_is_gone_through_as_one() {
        let iterator = "std::iter::IntoIterator";
        let by_reference = of(iterator, "into_iter", &[("t", "&mut t")]);
        assert_eq!(by_reference.as_deref(), Some("(&mut t).into_iter()"));
        assert_eq!(of(iterator, "into_iter", &[("t", "t")]), None);
    }

    #[test]
    fn methods_of_other_traits_are_ordinary_calls() {
        assert_eq!(of("std::cmp::Ord", "cmp", &[("a", "&a"), ("b", "&b")]), None);
        assert_eq!(of("std::iter::Iterator", "next", &[("a", "&mut a")]), None);
        assert_eq!(of("std::ops::Add", "other", &[("a", "a"), ("b", "b")]), None);
    }
}
