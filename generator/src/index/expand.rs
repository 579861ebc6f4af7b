//! `macro_rules!` of the crate itself, expanded: which items a use of one makes. In: a definition's text, and that of a
//! use. Out: the tokens that the first rule which fits makes of it. Everything of the language that is not known here
//! refuses the whole use, so that nothing is guessed; names are not hygienic, which for items they are not either.

mod definition;
pub(super) mod kinds;
mod matching;
mod transcription;

use proc_macro2::{Span, TokenStream};
use syn::parse::Parser;

use definition::Rule;
use matching::Miss;

/// A use with more tokens than this is left alone, and a result.
const MAX_TOKENS: usize = 200_000;
/// Patterns and results nest no deeper than this.
const MAX_DEPTH: usize = 32;

/// A `macro_rules!` of the crate.
#[derive(Debug)]
pub(super) struct Definition {
    rules: Vec<Rule>,
    /// The file that holds it.
    pub(super) file: u32,
    /// Of its text.
    span: Span,
}

impl Definition {
    /// Reads the text between the outer brackets; `None` where it is not all understood.
    pub(super) fn read(text: &TokenStream, file: u32) -> Option<Definition> {
        let span = text.clone().into_iter().next()?.span();
        Some(Definition { rules: definition::rules(text)?, file, span })
    }

    /// What a use with this text becomes; `None` where no rule fits, as far as is known.
    pub(super) fn expand(&self, text: &TokenStream) -> Option<TokenStream> {
        if size(text) > MAX_TOKENS {
            return None;
        }
        for rule in &self.rules {
            let mut missed = Miss::Other;
            let parser = |input: syn::parse::ParseStream<'_>| {
                matching::whole(&rule.pattern, input).map_err(|miss| {
                    missed = miss;
                    input.error("another rule")
                })
            };
            match parser.parse2(text.clone()) {
                Ok(bindings) => {
                    let made = transcription::transcribe(&rule.result, &bindings, MAX_TOKENS)?;
                    return Some(kinds::cleared_outside_uses(made));
                }
                Err(_) if missed == Miss::Stops => return None,
                Err(_) => {}
            }
        }
        None
    }

    /// Whether a token stands in the file that its text stands in.
    pub(super) fn holds(&self, span: Span) -> bool {
        self.span.join(span).is_some()
    }
}

/// How many tokens there are.
fn size(tokens: &TokenStream) -> usize {
    let (mut open, mut count) = (vec![tokens.clone()], 0);
    while let Some(tokens) = open.pop().filter(|_| count <= MAX_TOKENS) {
        for token in tokens {
            count += 1;
            if let proc_macro2::TokenTree::Group(group) = token {
                open.push(group.stream());
            }
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(rules: &str, text: &str) -> Option<String> {
        let made = Definition::read(&rules.parse().unwrap(), 0)?.expand(&text.parse().unwrap())?;
        Some(made.to_string())
    }

    /// The compiler's word: the constant that a macro makes is the text that we make of it.
    macro_rules! proves {
        ($($name:ident: ($($rules:tt)*) ($($text:tt)*);)*) => {
            $(#[test]
            fn $name() {
                macro_rules! probe { $($rules)* }
                let ours = expanded(stringify!($($rules)*), stringify!($($text)*)).unwrap();
                let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
                assert_eq!(plain(&ours), plain(&format!("stringify!({})", probe!($($text)*))), "{ours}");
            })*
        };
    }

    proves! {
        plain_tokens_are_matched_as_they_are:
            ((a => $x:ident :: + $(,)?) => { stringify!($x) }; (b $x:tt) => { stringify!($x $x) })
            (b =>);
        repetitions_nest:
            (($($name:ident { $($field:ident : $ty:ty = $value:expr),* $(,)? })+) => {
                stringify!($(struct $name { $($field: $ty),* } impl $name { fn new() { $name { $($field: $value),* } } })+)
            })
            (A { x: u8 = 1, y: Vec<u16> = Vec::new(), } B {});
        optional_parts_may_lack:
            (($(#[$meta:meta])* $vis:vis fn $name:ident $(<$($life:lifetime),+>)? ($($arg:tt)*) $(-> $result:ty)?) => {
                stringify!($(#[$meta])* $vis fn $name $(<$($life),+>)? ($($arg)*) $(-> $result)? {})
            })
            (#[inline] #[doc = "a"] pub(crate) fn f<'a, 'b>(x: &'a u8, y: u8) -> &'a u8);
        the_first_rule_that_fits_is_taken:
            (($x:literal) => { stringify!(literal $x) }; ($x:ident) => { stringify!(ident $x) };
             ($($x:tt)*) => { stringify!(tokens $($x)*) })
            (a + -1);
        literals_have_signs:
            (($($x:literal)*) => { stringify!($($x)*) })
            (-1 "a" 'c' true 1.5);
        blocks_and_paths:
            (($path:path, $block:block, $pat:pat) => { stringify!($path $block $pat) })
            (a::b::<u8>, { 1 + 1 }, Some(_) | None);
        statements_end_before_their_semicolon:
            (($($x:stmt);*) => { stringify!($(($x))*) })
            (let x: u8 = 1; f(x, 2); x + 1);
        punctuation_of_many_characters_is_one_tree:
            (($($x:tt);*) => { stringify!($($x),*) })
            (=>; ::; ..=; 'a; ->);
    }

    /// Expands what one macro makes by another.
    fn expanded_twice(outer: &str, inner: &str, text: &str) -> Option<String> {
        let made = Definition::read(&outer.parse().unwrap(), 0)?.expand(&text.parse().unwrap())?;
        let used: syn::Macro = syn::parse2(made).ok()?;
        let made = Definition::read(&inner.parse().unwrap(), 0)?.expand(&used.tokens)?;
        Some(made.to_string())
    }

    #[test]
    fn a_fragment_that_is_handed_on_is_a_whole() {
        let inner = "(u8) => { byte }; ((a)) => { group }; ($x:ident) => { name }; ($x:tt) => { tree }";
        for (kind, text, expected) in [
            ("ident", "u8", "byte"),
            ("tt", "(a)", "group"),
            ("ty", "u8", "tree"),
            ("path", "u8", "tree"),
            ("expr", "u8", "tree"),
            ("expr", "(a)", "tree"),
            ("pat", "u8", "tree"),
            ("literal", "1", "tree"),
        ] {
            let outer = format!("($x:{kind}) => {{ inner!($x) }}");
            assert_eq!(expanded_twice(&outer, inner, text).as_deref(), Some(expected), "{kind}");
        }
        for (kind, text) in [
            ("ty", "Vec<u8>"),
            ("ty", "&'static [u8]"),
            ("path", "a::b::<u8>"),
            ("expr", "a + 1"),
            ("pat", "Some(_) | None"),
            ("literal", "-1"),
            ("meta", "derive(Clone)"),
            ("block", "{ a }"),
            ("item", "struct A;"),
            ("vis", "pub(crate)"),
            ("vis", ""),
        ] {
            let outer = format!("($x:{kind}) => {{ inner!(($x), 1) }}");
            let inner = format!("(($x:{kind}), $y:expr) => {{ $x }}");
            let found = expanded_twice(&outer, &inner, text).unwrap_or_else(|| panic!("{kind}: {text}"));
            let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(plain(&found), plain(text), "{kind}");
        }
    }

    /// The compiler's word: whether what one macro has matched as a kind of fragment fits as another one in the next.
    macro_rules! handed_on {
        ($($kind:ident $text:tt => $($wanted:ident)*;)*) => {
            $(handed_on! { each $kind $text $($wanted)* })*
        };
        (each $kind:ident $text:tt $($wanted:ident)*) => {
            $({
                macro_rules! both { ($d:tt) => {
                    macro_rules! inner { ($d x:$wanted) => { "fits" }; ($d($d x:tt)*) => { "other" } }
                    macro_rules! outer { ($d x:$kind) => { inner!($d x) } }
                } }
                both!($);
                let theirs: &str = outer! $text;
                let (text, wanted) = (stringify!($text), stringify!($wanted));
                let text = text[1..text.len() - 1].trim();
                let outer = concat!("($x:", stringify!($kind), ") => { inner!($x) }");
                let inner = format!("($x:{wanted}) => {{ fits }}; ($($x:tt)*) => {{ other }}");
                let ours = expanded_twice(outer, &inner, text);
                assert_eq!(ours.as_deref(), Some(theirs), "{outer}: {text} as {wanted}");
            })*
        };
    }

    /// Where the compiler stops, nothing is listed.
    #[test]
    fn a_fragment_that_is_handed_on_keeps_its_kind() {
        handed_on! {
            pat_param (x) => pat_param ty expr pat literal block vis ident lifetime;
            ty (a::B) => ty path expr literal meta block vis ident lifetime;
            ty (Vec<u8>) => ty path expr literal block vis ident lifetime;
            ty (&u8) => ty expr literal block vis ident lifetime;
            ty (A) => ty path expr literal meta block vis ident lifetime;
            path (a::B) => pat_param ty path expr pat literal meta block stmt vis ident lifetime;
            path (Vec<u8>) => pat_param ty path expr pat literal block stmt vis ident lifetime;
            path (A) => pat_param ty path expr pat literal meta block stmt vis ident lifetime;
            expr (x) => pat_param ty expr pat literal stmt vis ident lifetime;
            expr (a::b) => pat_param ty expr pat literal stmt vis ident lifetime;
            expr (1) => pat_param ty expr pat literal stmt vis ident lifetime;
            expr (x + 1) => pat_param ty expr pat literal stmt vis ident lifetime;
            expr (-1) => pat_param ty expr pat literal stmt vis ident lifetime;
            expr ({ 1 }) => pat_param ty expr pat literal stmt vis ident lifetime;
            pat (x) => pat_param ty expr pat literal block vis ident lifetime;
            pat (1) => pat_param ty expr pat literal block vis ident lifetime;
            pat (A(_)) => pat_param ty expr pat literal block vis ident lifetime;
            pat (a::B) => pat_param ty expr pat literal block vis ident lifetime;
            literal (1) => pat_param ty expr pat literal stmt vis ident lifetime;
            literal (-1) => pat_param ty expr pat literal stmt vis ident lifetime;
            literal ("a") => pat_param ty expr pat literal stmt vis ident lifetime;
            meta (a) => ty expr literal meta block vis ident lifetime;
            meta (a(b)) => ty expr literal meta block vis ident lifetime;
            meta (a::b) => ty expr literal meta block vis ident lifetime;
            block ({ 1 }) => pat_param ty path expr pat literal meta block stmt vis ident lifetime;
            stmt (let x = 1) => pat_param ty expr pat literal stmt vis ident lifetime;
            stmt (x) => pat_param ty expr pat literal stmt vis ident lifetime;
            stmt (a::b) => pat_param ty expr pat literal stmt vis ident lifetime;
            item (fn f() {}) => pat_param ty path expr pat literal meta block stmt item vis ident lifetime;
            vis (pub) => pat_param ty path expr pat literal meta block vis ident lifetime;
        }
    }

    #[test]
    fn kinds_are_kept_through_three_macros_and_stand_in_no_result() {
        let tell = "($x:expr) => { struct Expr; }; ($x:ty) => { struct Type($x); }";
        let hand_on = "($($x:tt)*) => { last!($($x)*); fn f() -> u8 { g!($($x)*) } }";
        let made = expanded_twice("($x:ty) => { next!($x) }", hand_on, "u8").unwrap();
        assert_eq!(made, "last ! (u8) ; fn f () -> u8 { g ! (u8) }");
        let made = Definition::read(&"($x:ty) => { next!($x) }".parse().unwrap(), 0).unwrap();
        let made: syn::Macro = syn::parse2(made.expand(&"u8".parse().unwrap()).unwrap()).unwrap();
        let made = Definition::read(&hand_on.parse().unwrap(), 0).unwrap().expand(&made.tokens).unwrap();
        let mut file: syn::File = syn::parse2(made).unwrap();
        let syn::Item::Macro(last) = file.items.remove(0) else { panic!("no use") };
        let made = Definition::read(&tell.parse().unwrap(), 0).unwrap().expand(&last.mac.tokens).unwrap();
        let file: syn::File = syn::parse2(made.clone()).unwrap();
        assert!(matches!(&file.items[..], [syn::Item::Struct(made)] if made.ident == "Type"));
        let group = |tree: &proc_macro2::TokenTree| match tree {
            proc_macro2::TokenTree::Group(group) => kinds::kind(group),
            _ => None,
        };
        assert!(made.into_iter().all(|tree| group(&tree).is_none()));
    }

    #[test]
    fn a_fragment_that_begins_and_is_none_ends_the_search() {
        for (rules, text) in [
            // The compiler says that it expected an expression.
            ("($x:expr) => { first }; ($($x:tt)*) => { second }", "a +"),
            ("($x:ty) => { first }; ($($x:tt)*) => { second }", "Vec<"),
            ("($x:item) => { first }; ($($x:tt)*) => { second }", "other"),
            ("($($x:expr),*) => { first }; ($($x:tt)*) => { second }", "1, 2 +"),
            // By the edition.
            ("($x:expr) => { first }; ($($x:tt)*) => { second }", "_"),
        ] {
            assert_eq!(expanded(rules, text), None, "{rules}");
        }
        for (rules, text) in [
            ("($x:expr) => { first }; ($($x:tt)*) => { second }", "=> 1"),
            ("($x:expr) => { first }; ($($x:tt)*) => { second }", "struct A;"),
            ("($x:ty) => { first }; ($($x:tt)*) => { second }", "1"),
            ("($x:block) => { first }; ($($x:tt)*) => { second }", "a"),
            ("($($x:expr),*) => { first }; ($($x:tt)*) => { second }", "1, 2 => 3"),
        ] {
            assert_eq!(expanded(rules, text).as_deref(), Some("second"), "{rules}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (rules, text) in [
            // No rule fits.
            ("($x:ident) => { $x }", "1"),
            ("($x:ident) => { $x }", "a b"),
            // Forms that are not known.
            ("($x:other) => { $x }", "let x = 1"),
            ("($x:stmt) => { $x }", "1 2"),
            ("($($x:ident)*) => { ${count($x)} }", "a b"),
            // Repetitions of different lengths, or of nothing that repeats.
            ("($($x:ident)*; $($y:ident)*) => { $($x $y)* }", "a; b c"),
            ("($x:ident) => { $(a)* }", "a"),
            ("no rules", "a"),
        ] {
            assert_eq!(expanded(rules, text), None, "{rules}");
        }
    }

    #[test]
    fn a_macro_that_is_defined_in_a_result_has_variables_of_its_own() {
        let outer = "($x:ident) => { macro_rules! inner { ($y:ident) => { struct $x($y); } } }";
        let made = expanded(outer, "A").unwrap();
        let plain: String = made.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(plain, "macro_rules!inner{($y:ident)=>{structA($y);}}");
        let made: syn::ItemMacro = syn::parse_str(&made).unwrap();
        let inner = Definition::read(&made.mac.tokens, 0).unwrap();
        let made = inner.expand(&"u8".parse().unwrap()).unwrap().to_string();
        assert_eq!(made.replace(' ', ""), "structA(u8);");
    }

    #[test]
    fn sizes_are_bounded() {
        // Each level doubles.
        let mut rules = "($($x:tt)*) => {".to_owned();
        rules += &"$($x)* ".repeat(1000);
        rules += "}";
        assert_eq!(expanded(&rules, &"a ".repeat(1000)), None);
        let deep = format!("($x:ident) => {{ {} $x {} }}", "(".repeat(100), ")".repeat(100));
        assert_eq!(expanded(&deep, "a"), None);
    }
}
