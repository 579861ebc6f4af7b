//! Rules as they are written: `[[rule]]` tables of TOML. In: our own table, or a project's `relapse.toml`. Out: rules,
//! or what is wrong with the first that cannot be, and where it stands. Never: values of a process.

use std::ops::Range;
use std::rc::Rc;

use proc_macro2::TokenStream;
use toml_edit::{Document, Item, Table};

use super::Rule;
use super::formula::Formula;
use super::template;
use super::version::Versions;

/// Rules of a project for types of other crates, or of its own.
#[derive(Debug, Clone, Default)]
pub struct CrateRules {
    pub(super) rules: Rc<[Rule]>,
}

/// Something that no rule can be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct RuleError {
    /// Its bytes in the text, where they are known.
    pub at: Option<Range<usize>>,
    /// What is wrong.
    pub reason: String,
}

/// What a rule says of itself, for documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// The definitions of its types.
    pub types: Vec<String>,
    /// The versions of their crate that it knows, where it does not know all.
    pub version: Option<String>,
    /// For which values it is.
    pub when: Option<String>,
    /// The expression, or why there is none.
    pub build: Result<String, String>,
}

/// The name of a rule's table.
const NAME: &str = "rule";

const KEYS: [&str; 7] = ["type", "version", "when", "loses", "needs", "build", "refuse"];

impl CrateRules {
    /// The `[[rule]]` tables of a text, among whatever else it holds.
    pub fn among(text: &str) -> Result<CrateRules, RuleError> {
        let document = Document::parse(text)
            .map_err(|error| RuleError { at: error.span(), reason: error.message().to_owned() })?;
        let Some(item) = document.get(NAME) else { return Ok(CrateRules::default()) };
        let Some(tables) = item.as_array_of_tables() else {
            let at = document.as_table().key(NAME).and_then(toml_edit::Key::span);
            return Err(RuleError { at, reason: format!("`{NAME}` is a list of tables: [[{NAME}]]") });
        };
        let rules = tables.iter().map(rule).collect::<Result<Vec<_>, _>>()?;
        Ok(CrateRules { rules: rules.into() })
    }

    /// What each says of itself.
    pub fn texts(&self) -> Vec<RuleText> {
        self.rules.iter().map(|rule| rule.text.clone()).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Two are the same where they say the same.
impl PartialEq for CrateRules {
    fn eq(&self, other: &CrateRules) -> bool {
        self.texts() == other.texts()
    }
}

fn rule(table: &Table) -> Result<Rule, RuleError> {
    let span_of = |key: &str| table.get(key).and_then(Item::span).or_else(|| table.span());
    let wrong =
        |key: &str, reason: String| RuleError { at: span_of(key), reason: format!("`{key}`: {reason}") };
    if let Some((other, _)) = table.iter().find(|(key, _)| !KEYS.contains(key)) {
        let at = table.key(other).and_then(toml_edit::Key::span).or_else(|| table.span());
        return Err(RuleError {
            at,
            reason: format!("a rule has no key `{other}`, only {}", KEYS.join(", ")),
        });
    }
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(item) => item.as_str().map(Some).ok_or_else(|| wrong(key, "is a text".to_owned())),
    };
    let formula = |key: &str| {
        let Some(text) = text(key)? else { return Ok(None) };
        let expression = syn::parse_str(text).map_err(|error| wrong(key, error.to_string()))?;
        Formula::read(&expression).map(Some).map_err(|part| wrong(key, format!("no formula: `{part}`")))
    };
    let types = texts(table.get("type")).map_err(|reason| wrong("type", reason))?;
    if types.is_empty() {
        return Err(RuleError { at: table.span(), reason: "a rule needs a `type`".to_owned() });
    }
    let version = text("version")?;
    let versions = version.map(Versions::read).transpose().map_err(|reason| wrong("version", reason))?;
    let split = |path: &String| {
        let (definition, function) =
            path.rsplit_once("::").ok_or_else(|| wrong("needs", "has paths: `a::B::new`".to_owned()))?;
        Ok((definition.to_owned(), function.to_owned()))
    };
    let needs = texts(table.get("needs")).map_err(|reason| wrong("needs", reason))?;
    let needs = needs.iter().map(split).collect::<Result<_, RuleError>>()?;
    let (build, refuse) = (text("build")?, text("refuse")?);
    let (build, shown) = match (build, refuse) {
        (Some(build), None) => {
            let tokens: TokenStream =
                build.parse().map_err(|_| wrong("build", "these are no tokens of Rust".to_owned()))?;
            let pieces = template::read(tokens).map_err(|reason| wrong("build", reason))?;
            (Ok(pieces), Ok(build.to_owned()))
        }
        (None, Some(reason)) => (Err(reason.to_owned()), Err(reason.to_owned())),
        _ => {
            let reason = "a rule needs a `build`, or `refuse` in place of it".to_owned();
            return Err(RuleError { at: table.span(), reason });
        }
    };
    let when = formula("when")?;
    let text = RuleText {
        types: types.clone(),
        version: version.map(str::to_owned),
        when: text("when")?.map(str::to_owned),
        build: shown,
    };
    Ok(Rule { types, versions, when, loses: formula("loses")?, needs, build, text })
}

/// One text or a list of them.
fn texts(item: Option<&Item>) -> Result<Vec<String>, String> {
    let Some(item) = item else { return Ok(Vec::new()) };
    if let Some(one) = item.as_str() {
        return Ok(vec![one.to_owned()]);
    }
    let list = item.as_array().ok_or("is a text or a list of texts")?;
    list.iter()
        .map(|text| text.as_str().map(str::to_owned).ok_or_else(|| "has texts in it".to_owned()))
        .collect()
}
