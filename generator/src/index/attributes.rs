//! What the attributes of an item say, `cfg_attr` included: in syn's attributes, out plain facts.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Token};

use super::cfg::{Cfg, CfgFacts, Holds};
use super::deserialized;

/// The facts of an item's attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The doc comment, one line a line.
    pub docs: String,
    /// The text under its `# Panics` heading.
    pub panics_docs: Option<String>,
    /// `#[track_caller]`.
    pub track_caller: bool,
    /// `#[must_use]`.
    pub must_use: bool,
    /// `#[deprecated]`.
    pub deprecated: bool,
    /// `#[test]` and its kin (`#[tokio::test]`, `#[rstest]`).
    pub test: bool,
    /// `#[tokio::main]` and its kin: a macro makes a plain `fn main` of an async one.
    pub main: bool,
    /// `#[doc(hidden)]`.
    pub hidden: bool,
    /// `#[non_exhaustive]`.
    pub non_exhaustive: bool,
    /// `#[macro_use]`, of a module.
    pub macro_use: bool,
    /// `#[no_std]`, also by a `cfg_attr` that holds or may hold.
    pub no_std: bool,
    /// Names of derived traits, last path segment: `Debug`.
    pub derives: Vec<String>,
    /// Those of them that another path than a bare name or one of std leads to: `better_default::Default`.
    pub foreign_derives: Vec<String>,
    /// Whether serde's `Deserialize` is derived, as far as the path says it.
    pub deserializes: bool,
    /// A `#[serde(…)]` that may change what is read.
    pub serde: bool,
    /// `#[default]`, with or without a value.
    pub default: bool,
    /// All `#[cfg]`s together.
    pub cfg: Cfg,
    /// `#[path = "…"]`, with the condition of the `cfg_attr` around it.
    pub paths: Vec<(Cfg, String)>,
}

impl Attributes {
    /// Reads attributes; a `cfg_attr` that does not hold by `facts` is left out.
    pub fn read(attributes: &[Attribute], facts: &CfgFacts) -> Attributes {
        let mut read = Attributes::default();
        for attribute in attributes {
            read.take(&attribute.meta, &Cfg::Always, facts, 0);
        }
        read.panics_docs = panics_section(&read.docs);
        read
    }

    fn take(&mut self, meta: &Meta, condition: &Cfg, facts: &CfgFacts, depth: u32) {
        let Some(last) = meta.path().segments.last() else { return };
        match (last.ident.to_string().as_str(), meta) {
            ("doc", Meta::NameValue(pair)) => {
                if let Some(text) = string(&pair.value) {
                    self.docs.push_str(text.trim_end());
                    self.docs.push('\n');
                }
            }
            ("doc", Meta::List(list)) => self.hidden |= mentions(&list.tokens, "hidden"),
            ("track_caller", _) => self.track_caller = true,
            ("must_use", _) => self.must_use = true,
            ("deprecated", _) => self.deprecated = true,
            ("non_exhaustive", _) => self.non_exhaustive = true,
            ("macro_use", _) => self.macro_use = true,
            ("no_std", _) => self.no_std = true,
            ("main", _) => self.main = true,
            ("test" | "rstest" | "test_case" | "quickcheck" | "wasm_bindgen_test", _) => self.test = true,
            ("default", _) => self.default = true,
            ("derive", Meta::List(list)) => {
                for path in paths_of(list.tokens.clone()) {
                    let Some(last) = path.segments.last() else { continue };
                    let name = last.ident.to_string();
                    self.deserializes |= deserialized::is_derive_of_serde(&path);
                    let is_std = path.segments.first().is_some_and(|first| is_std(&first.ident.to_string()));
                    if path.segments.len() > 1 && !is_std {
                        self.foreign_derives.push(name.clone());
                    }
                    self.derives.push(name);
                }
            }
            ("serde", Meta::List(list)) => self.serde |= deserialized::changes(&list.tokens),
            ("cfg", Meta::List(list)) => {
                let cfg = std::mem::take(&mut self.cfg);
                let own = Cfg::parse(list.tokens.clone());
                let own = match condition {
                    Cfg::Always => own,
                    condition => Cfg::Any(vec![condition.clone().negated(), own]),
                };
                self.cfg = cfg.and(own);
            }
            ("path", Meta::NameValue(pair)) => {
                if let Some(path) = string(&pair.value) {
                    self.paths.push((condition.clone(), path));
                }
            }
            ("cfg_attr", Meta::List(list)) if depth < 8 => {
                let Some((condition_tokens, rest)) = split_at_comma(list.tokens.clone()) else { return };
                let own = Cfg::parse(condition_tokens);
                if own.holds(facts) == Holds::No {
                    return;
                }
                let condition = condition.clone().and(own);
                let metas = Punctuated::<Meta, Token![,]>::parse_terminated.parse2(rest);
                for meta in metas.into_iter().flatten() {
                    self.take(&meta, &condition, facts, depth + 1);
                }
            }
            _ => {}
        }
    }
}

fn string(value: &Expr) -> Option<String> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

fn mentions(tokens: &TokenStream, word: &str) -> bool {
    tokens.clone().into_iter().any(|t| matches!(t, proc_macro2::TokenTree::Ident(i) if i == word))
}

/// Whether a path that begins so is one of std.
pub(super) fn is_std(first: &str) -> bool {
    matches!(first, "std" | "core")
}

fn paths_of(tokens: TokenStream) -> Vec<syn::Path> {
    Punctuated::<syn::Path, Token![,]>::parse_terminated.parse2(tokens).into_iter().flatten().collect()
}

fn split_at_comma(tokens: TokenStream) -> Option<(TokenStream, TokenStream)> {
    let mut tokens = tokens.into_iter();
    let mut first = Vec::new();
    for token in tokens.by_ref() {
        if matches!(&token, proc_macro2::TokenTree::Punct(p) if p.as_char() == ',') {
            return Some((first.into_iter().collect(), tokens.collect()));
        }
        first.push(token);
    }
    None
}

/// The text from a `# Panics` heading (of any level, any case) to the next heading.
fn panics_section(docs: &str) -> Option<String> {
    let mut lines = docs.lines().map(str::trim).skip_while(|line| {
        let heading = line.trim_start_matches('#');
        heading.len() == line.len() || !heading.trim().trim_end_matches(':').eq_ignore_ascii_case("panics")
    });
    lines.next()?;
    let mut fenced = false;
    let text: Vec<&str> = lines
        .take_while(|line| {
            fenced ^= line.starts_with("```");
            fenced || !line.starts_with("# ") && !line.starts_with("##")
        })
        .collect();
    Some(text.join("\n").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Attributes {
        let item: syn::ItemStruct = syn::parse_str(&format!("{text} struct S;")).unwrap();
        let facts = CfgFacts { test: true, features_known: true, ..CfgFacts::default() };
        Attributes::read(&item.attrs, &facts)
    }

    #[test]
    fn panics_section_ends_at_the_next_heading() {
        let read =
            read("/// Takes.\n///\n/// # Panics\n///\n/// If it is empty.\n/// # Examples\n/// none\n");
        assert_eq!(read.panics_docs.as_deref(), Some("If it is empty."));
        assert!(read.docs.starts_with(" Takes."));
    }

    #[test]
    fn cfg_attr_is_followed_where_it_may_hold() {
        let read = read(
            "#[cfg_attr(windows, derive(Clone))] #[cfg_attr(unix, derive(fmt::Debug), path = \"a.rs\")]",
        );
        assert_eq!(read.derives, ["Debug"]);
        assert_eq!(read.foreign_derives, ["Debug"]);
        assert_eq!(read.paths, [(Cfg::Name("unix".into()), "a.rs".to_owned())]);
    }

    #[test]
    fn cfgs_add_up() {
        let read = read("#[cfg(unix)] #[cfg(feature = \"x\")]");
        assert_eq!(read.cfg.holds(&CfgFacts::default()), Holds::Maybe);
        assert!(matches!(read.cfg, Cfg::All(list) if list.len() == 2));
    }
}
