//! Conditional compilation: a `cfg` predicate as data, and whether it holds for a build. Only what a build of
//! x86-64 Linux with known features tells is decided; anything else is a maybe, never a guess.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Nesting past this depth is not read: predicates of people stay below ten.
const MAX_DEPTH: u32 = 32;

/// A predicate of `#[cfg(…)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Cfg {
    /// There is no condition.
    #[default]
    Always,
    /// `unix`, `test`, `debug_assertions`.
    Name(String),
    /// `feature = "std"`.
    Pair(String, String),
    /// `all(…)`.
    All(Vec<Cfg>),
    /// `any(…)`.
    Any(Vec<Cfg>),
    /// `not(…)`.
    Not(Box<Cfg>),
    /// Something that is not understood.
    Unknown,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holds {
    /// It does not.
    No,
    /// Nothing here can tell.
    Maybe,
    /// It does.
    Yes,
}

/// What is known of one crate's build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CfgFacts {
    /// Features that are on.
    pub features: BTreeSet<String>,
    /// Whether a feature that is not in `features` is certainly off.
    pub features_known: bool,
    /// `cfg(test)`.
    pub test: bool,
}

impl Cfg {
    /// Reads the tokens between the parentheses of `cfg(…)`.
    pub fn parse(tokens: TokenStream) -> Cfg {
        parse_one(&tokens.into_iter().collect::<Vec<_>>(), 0)
    }

    /// Both conditions.
    #[must_use]
    pub fn and(self, other: Cfg) -> Cfg {
        match (self, other) {
            (Cfg::Always, one) | (one, Cfg::Always) => one,
            (Cfg::All(mut list), one) => {
                list.push(one);
                Cfg::All(list)
            }
            (one, other) => Cfg::All(vec![one, other]),
        }
    }

    /// The opposite condition.
    #[must_use]
    pub fn negated(self) -> Cfg {
        Cfg::Not(Box::new(self))
    }

    /// Whether it holds in a build.
    pub fn holds(&self, facts: &CfgFacts) -> Holds {
        match self {
            Cfg::Always => Holds::Yes,
            Cfg::Name(name) => name_holds(name, facts),
            Cfg::Pair(key, value) => pair_holds(key, value, facts),
            Cfg::All(list) => list.iter().map(|c| c.holds(facts)).min().unwrap_or(Holds::Yes),
            Cfg::Any(list) => list.iter().map(|c| c.holds(facts)).max().unwrap_or(Holds::No),
            Cfg::Not(inner) => match inner.holds(facts) {
                Holds::No => Holds::Yes,
                Holds::Maybe => Holds::Maybe,
                Holds::Yes => Holds::No,
            },
            Cfg::Unknown => Holds::Maybe,
        }
    }
}

fn name_holds(name: &str, facts: &CfgFacts) -> Holds {
    match name {
        "test" if facts.test => Holds::Yes,
        "unix" | "true" => Holds::Yes,
        "test" | "windows" | "false" | "doc" | "doctest" | "docsrs" | "miri" | "proc_macro" | "rustdoc" => {
            Holds::No
        }
        _ => Holds::Maybe,
    }
}

fn pair_holds(key: &str, value: &str, facts: &CfgFacts) -> Holds {
    let known = |real: &[&str]| if real.contains(&value) { Holds::Yes } else { Holds::No };
    match key {
        "feature" if facts.features.contains(value) => Holds::Yes,
        "feature" if facts.features_known => Holds::No,
        "target_os" => known(&["linux"]),
        "target_family" => known(&["unix"]),
        "target_arch" => known(&["x86_64"]),
        "target_pointer_width" => known(&["64"]),
        "target_endian" => known(&["little"]),
        "target_has_atomic" => known(&["8", "16", "32", "64", "ptr"]),
        "target_vendor" => known(&["unknown"]),
        "target_feature" if matches!(value, "sse" | "sse2" | "fxsr") => Holds::Yes,
        _ => Holds::Maybe,
    }
}

fn parse_one(tokens: &[TokenTree], depth: u32) -> Cfg {
    if depth > MAX_DEPTH {
        return Cfg::Unknown;
    }
    match tokens {
        [TokenTree::Ident(name)] => Cfg::Name(name.to_string()),
        [TokenTree::Ident(key), TokenTree::Punct(eq), TokenTree::Literal(value)] if eq.as_char() == '=' => {
            match syn::Lit::new(value.clone()) {
                syn::Lit::Str(text) => Cfg::Pair(key.to_string(), text.value()),
                _ => Cfg::Unknown,
            }
        }
        [TokenTree::Ident(operator), TokenTree::Group(group)]
            if group.delimiter() == Delimiter::Parenthesis =>
        {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            let mut parts: Vec<Cfg> = inner
                .split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ','))
                .filter(|part| !part.is_empty())
                .map(|part| parse_one(part, depth + 1))
                .collect();
            match operator.to_string().as_str() {
                "all" => Cfg::All(parts),
                "any" => Cfg::Any(parts),
                "not" if parts.len() == 1 => parts.pop().map_or(Cfg::Unknown, Cfg::negated),
                _ => Cfg::Unknown,
            }
        }
        _ => Cfg::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str, facts: &CfgFacts) -> Holds {
        Cfg::parse(text.parse().unwrap()).holds(facts)
    }

    #[test]
    fn features_and_platform_decide_and_custom_names_are_maybes() {
        let facts = CfgFacts { features: ["std".to_owned()].into(), features_known: true, test: true };
        assert_eq!(holds("feature = \"std\"", &facts), Holds::Yes);
        assert_eq!(holds("feature = \"alloc\"", &facts), Holds::No);
        assert_eq!(holds("all(unix, not(feature = \"std\"))", &facts), Holds::No);
        assert_eq!(holds("any(windows, target_os = \"linux\",)", &facts), Holds::Yes);
        assert_eq!(holds("loom", &facts), Holds::Maybe);
        assert_eq!(holds("all(loom, windows)", &facts), Holds::No);
        assert_eq!(holds("test", &facts), Holds::Yes);
        assert_eq!(holds("version(\"1.2\")", &facts), Holds::Maybe);
    }
}
