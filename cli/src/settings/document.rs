//! The text of `relapse.toml`: which settings there are, and what a text gives them. In: text. Out: the settings,
//! or the first thing that is wrong, with its place and the setting that was probably meant. Reads no file.

use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::time::Duration;

use relapse_capture::limits::Limits;
use relapse_generator::expression::CrateRules;
use relapse_generator::verify::Bounds;
use relapse_snapshot::redact::Rules;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a text gives, or the defaults.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    /// What is a secret.
    pub(crate) rules: Rules,
    /// How far values are read.
    pub(crate) limits: Limits,
    /// Whether builds get the debug info that they lack.
    pub(crate) debug_info: bool,
    /// What a test may use while it is proved, and what it may do.
    pub(crate) bounds: Bounds,
    /// How values of some types are built.
    pub(crate) crate_rules: CrateRules,
    /// The folder of templates that take the place of the embedded ones, and its place in the text.
    pub(crate) template_folder: Option<(String, Range<usize>)>,
}

/// Something that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// Its bytes in the text, where they are known.
    pub(crate) at: Option<Range<usize>>,
    /// What is wrong.
    pub(crate) reason: String,
    /// What was probably meant: `depth`, `[limits]`.
    pub(crate) meant: Option<String>,
}

/// A setting that exists: `key` in `[table]`.
pub(crate) struct Setting {
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
    pub(crate) kind: Kind,
}

/// What a value has to be, and where it goes.
pub(crate) enum Kind {
    /// `true` or `false`.
    Switch(fn(&mut Given, bool)),
    /// A whole number.
    Number(RangeInclusive<u64>, fn(&mut Given, u64)),
    /// A list of texts of which each must please; else the reason.
    Texts(fn(&str) -> Result<(), &'static str>, fn(&mut Given, Vec<String>)),
    /// A text that is not empty, and its place.
    Text(fn(&mut Given, String, Range<usize>)),
}

/// What the text has set.
#[derive(Default)]
pub(crate) struct Given {
    redaction_off: bool,
    names: Vec<String>,
    patterns: Vec<String>,
    limits: Limits,
    debug_info_off: bool,
    bounds: Bounds,
    crate_rules: CrateRules,
    template_folder: Option<(String, Range<usize>)>,
}

/// The one table that is a list of tables, each of which is a rule for values of some types.
pub(crate) const RULE: &str = "rule";

const DEPTHS: RangeInclusive<u64> = 1..=1_000_000;
const ELEMENTS: RangeInclusive<u64> = 1..=1_000_000;
/// A whole snapshot has 256 MiB at most.
const BYTES: RangeInclusive<u64> = 1..=64 << 20;
const NODES: RangeInclusive<u64> = 1..=1_000_000;
const FRAMES: RangeInclusive<u64> = 1..=4096;
const SECONDS: RangeInclusive<u64> = 1..=3600;
const MEBIBYTES: RangeInclusive<u64> = 64..=1 << 20;

/// Every setting. A new one is an entry here, a field of [`Given`] and a line in docs/relapse-toml.md.
pub(crate) const SETTINGS: &[Setting] = &[
    setting("redaction", "enabled", Kind::Switch(|given, on| given.redaction_off = !on)),
    setting("redaction", "names", Kind::Texts(name, |given, names| given.names = names)),
    setting("redaction", "patterns", Kind::Texts(pattern, |given, patterns| given.patterns = patterns)),
    setting("limits", "depth", Kind::Number(DEPTHS, |given, n| given.limits.depth = n as u32)),
    setting("limits", "elements", Kind::Number(ELEMENTS, |given, n| given.limits.elements = n)),
    setting("limits", "bytes", Kind::Number(BYTES, |given, n| given.limits.bytes = n)),
    setting("limits", "nodes", Kind::Number(NODES, |given, n| given.limits.nodes = n)),
    setting("limits", "frames", Kind::Number(FRAMES, |given, n| given.limits.frames = n as u32)),
    setting("profile", "debug_info", Kind::Switch(|given, on| given.debug_info_off = !on)),
    setting(
        "sandbox",
        "allow_write",
        Kind::Texts(path, |given, paths| {
            given.bounds.permissions.writable = paths.into_iter().map(PathBuf::from).collect();
        }),
    ),
    setting("sandbox", "allow_net", Kind::Switch(|given, on| given.bounds.permissions.network = on)),
    setting(
        "sandbox",
        "seconds",
        Kind::Number(SECONDS, |given, n| given.bounds.limits.timeout = Duration::from_secs(n)),
    ),
    setting(
        "sandbox",
        "memory",
        Kind::Number(MEBIBYTES, |given, n| given.bounds.limits.memory_bytes = Some(n << 20)),
    ),
    setting("templates", "folder", Kind::Text(|given, text, at| given.template_folder = Some((text, at)))),
];

const fn setting(table: &'static str, key: &'static str, kind: Kind) -> Setting {
    Setting { table, key, kind }
}

impl Default for Document {
    fn default() -> Document {
        Given::default().into()
    }
}

impl Document {
    /// The settings that a text gives; of several things that are wrong the first is told.
    pub(crate) fn parse(text: &str) -> Result<Document, Wrong> {
        let root = DeTable::parse(text).map_err(|error| Wrong {
            at: error.span(),
            reason: error.message().to_owned(),
            meant: None,
        })?;
        let (mut given, mut wrong) = (Given::default(), Vec::new());
        for (table, entries) in root.get_ref() {
            let name: &str = table.get_ref();
            if name == RULE {
                match CrateRules::among(text) {
                    Ok(rules) => given.crate_rules = rules,
                    Err(error) => {
                        let at = error.at.or_else(|| Some(table.span()));
                        wrong.push(Wrong { at, reason: error.reason, meant: None });
                    }
                }
                continue;
            }
            if !SETTINGS.iter().any(|setting| setting.table == name) {
                wrong.push(unknown_table(name, table.span()));
                continue;
            }
            let Some(entries) = entries.get_ref().as_table() else {
                wrong.push(Wrong {
                    at: Some(table.span()),
                    reason: format!("`{name}` is a table"),
                    meant: Some(format!("[{name}]")),
                });
                continue;
            };
            for (key, value) in entries {
                match SETTINGS.iter().find(|setting| setting.table == name && setting.key == key.get_ref()) {
                    Some(setting) => {
                        let Err((at, reason)) = setting.kind.put(value, &mut given) else { continue };
                        let reason = format!("`{name}.{}` {reason}", setting.key);
                        wrong.push(Wrong { at: Some(at), reason, meant: None });
                    }
                    None => wrong.push(unknown_key(name, key.get_ref(), key.span())),
                }
            }
        }
        match wrong.into_iter().min_by_key(|wrong| wrong.at.as_ref().map(|at| at.start)) {
            Some(wrong) => Err(wrong),
            None => Ok(given.into()),
        }
    }
}

impl From<Given> for Document {
    fn from(given: Given) -> Document {
        let mut rules = if given.redaction_off { Rules::off() } else { Rules::default() };
        for name in &given.names {
            rules = rules.with_name(name);
        }
        for pattern in &given.patterns {
            rules = rules.with_pattern(pattern);
        }
        Document {
            rules,
            limits: given.limits,
            debug_info: !given.debug_info_off,
            bounds: given.bounds,
            crate_rules: given.crate_rules,
            template_folder: given.template_folder,
        }
    }
}

impl Kind {
    /// Takes a value over; else where it is wrong, and why.
    fn put(&self, value: &Spanned<DeValue<'_>>, given: &mut Given) -> Result<(), (Range<usize>, String)> {
        let (at, value) = (value.span(), value.get_ref());
        let wrong = || (at.clone(), format!("is {self}, not {}", found(value)));
        match self {
            Kind::Switch(put) => put(given, value.as_bool().ok_or_else(wrong)?),
            Kind::Number(allowed, put) => {
                let integer = value.as_integer().ok_or_else(wrong)?;
                let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
                put(given, number.filter(|number| allowed.contains(number)).ok_or_else(wrong)?);
            }
            Kind::Text(put) => {
                let text = value.as_str().filter(|text| !text.is_empty()).ok_or_else(wrong)?;
                put(given, text.to_owned(), at.clone());
            }
            Kind::Texts(pleases, put) => {
                let text = |item: &Spanned<DeValue<'_>>| {
                    let wrong = |reason: String| (item.span(), reason);
                    let value = item.get_ref();
                    let text = value.as_str();
                    let text = text.ok_or_else(|| wrong(format!("has texts in it, not {}", found(value))))?;
                    pleases(text).map_err(|reason| wrong(reason.to_owned())).map(|()| text.to_owned())
                };
                let texts = value.as_array().ok_or_else(wrong)?.iter().map(text);
                put(given, texts.collect::<Result<_, _>>()?);
            }
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Switch(_) => f.write_str("`true` or `false`"),
            Kind::Number(allowed, _) => {
                write!(f, "a whole number from {} to {}", allowed.start(), allowed.end())
            }
            Kind::Texts(..) => f.write_str("a list of texts"),
            Kind::Text(_) => f.write_str("a text"),
        }
    }
}

/// What stands there, for a message.
fn found(value: &DeValue<'_>) -> String {
    const SHOWN: usize = 40;
    match value {
        DeValue::Integer(number) if number.as_str().len() <= SHOWN => number.to_string(),
        DeValue::Boolean(on) => on.to_string(),
        DeValue::String(text) if text.is_empty() => "an empty text".to_owned(),
        DeValue::String(_) => "a text".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Float(_) | DeValue::Integer(_) => "such a number".to_owned(),
    }
}

fn name(text: &str) -> Result<(), &'static str> {
    // A name without a letter or digit has no part that anything could be compared with.
    if text.contains(char::is_alphanumeric) { Ok(()) } else { Err("has a name without a letter or digit") }
}

fn pattern(text: &str) -> Result<(), &'static str> {
    let nothing = text.chars().all(|c| c == '*');
    if nothing { Err("has a pattern that is no more than `*`: it would be every word") } else { Ok(()) }
}

fn path(text: &str) -> Result<(), &'static str> {
    match text {
        "" => Err("has a path that is empty"),
        text if text.contains('*') => Err("has a path with `*`: a folder stands for all below it"),
        _ => Ok(()),
    }
}

fn unknown_table(name: &str, at: Range<usize>) -> Wrong {
    // A setting that stands outside of its table is the commonest of mistakes.
    let setting = SETTINGS.iter().find(|setting| setting.key == name);
    let tables = SETTINGS.iter().map(|setting| setting.table);
    let meant = match setting {
        Some(setting) => Some(format!("`{name}` under [{}]", setting.table)),
        None => nearest(name, tables).map(|table| format!("[{table}]")),
    };
    Wrong { at: Some(at), reason: format!("there is no table or setting {name:?}"), meant }
}

fn unknown_key(table: &str, key: &str, at: Range<usize>) -> Wrong {
    let here = SETTINGS.iter().filter(|setting| setting.table == table).map(|setting| setting.key);
    let meant = nearest(key, here).map(|key| format!("`{key}`")).or_else(|| {
        let setting = SETTINGS.iter().find(|setting| setting.key == key)?;
        Some(format!("`{key}` under [{}]", setting.table))
    });
    Wrong { at: Some(at), reason: format!("there is no setting {key:?} in [{table}]"), meant }
}

/// The word that is most like what was written, where any is.
fn nearest(written: &str, words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    /// Below this two words have little in common; clap's own hints begin here, too.
    const ALIKE: f64 = 0.7;
    // Comparing takes time by the square; no setting's name is nearly as long.
    if written.len() > 100 {
        return None;
    }
    let alike = words.map(|word| (strsim::jaro(written, word), word));
    alike.filter(|(likeness, _)| *likeness > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word)
}

/// Line and column (from 1, in characters) of a byte of a text.
pub(crate) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}
