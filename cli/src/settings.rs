//! `relapse.toml`: a project's own settings. In: the file at the project's root, which need not be there. Out:
//! rules of redaction, limits, templates; or what is wrong with the file, and in which line.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use relapse_capture::limits::Limits;
use relapse_generator::render::{RenderError, Templates};
use relapse_snapshot::redact::Rules;
use serde::Deserialize;
use toml::Spanned;

use crate::failure::Failure;

/// The file's name.
const NAME: &str = "relapse.toml";

/// A larger file is not read.
const LARGEST: u64 = 1 << 20;

/// Reading values recurses, and never goes deeper than this.
const DEPTHS: RangeInclusive<u64> = 1..=96;
const ELEMENTS: RangeInclusive<u64> = 1..=1_000_000;
/// A whole snapshot has 256 MiB at most.
const BYTES: RangeInclusive<u64> = 1..=64 << 20;

/// What a project has set, or the defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// What is a secret.
    pub(crate) rules: Rules,
    /// How far values are read.
    pub(crate) limits: Limits,
    /// The folder of templates that take the place of the embedded ones.
    template_folder: Option<PathBuf>,
}

impl Settings {
    /// The settings of the project at `root`.
    pub(crate) fn read(root: &Path) -> Result<Settings, Failure> {
        let path = root.join(NAME);
        let cannot = || Failure::bad_input(format!("failed to read {}", path.display()));
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
            Err(error) => return Err(cannot().because(&error)),
        };
        let mut text = String::new();
        file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| cannot().because(&error))?;
        if text.len() as u64 > LARGEST {
            return Err(cannot().advise(format!("keep it below {} KiB", LARGEST >> 10)));
        }
        parse(&text, root).map_err(|wrong| {
            let line = wrong.at.map(|at| line_of(&text, at.start)).map(|n| format!(", line {n}"));
            let mut failure =
                Failure::bad_input(format!("failed to read {NAME}{}", line.unwrap_or_default()));
            failure.causes.push(wrong.reason);
            failure.advise("docs/relapse-toml.md lists the settings")
        })
    }

    /// The templates that tests are written from.
    pub(crate) fn templates(&self) -> Result<Templates, Failure> {
        let Some(folder) = &self.template_folder else { return Ok(Templates::embedded()) };
        Templates::with_overrides(folder).map_err(|error| match &error {
            RenderError::Template { source, path } => {
                Failure::bad_input(format!("failed to read {}", path.display())).because(source)
            }
            _ => Failure::bad_input(format!("failed to use the templates in {}", folder.display()))
                .because(&error),
        })
    }
}

/// A setting that cannot be.
#[derive(Debug)]
struct Wrong {
    at: Option<Range<usize>>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    redaction: Option<Redaction>,
    limits: Option<ValueLimits>,
    templates: Option<TemplateFolder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redaction {
    enabled: Option<bool>,
    #[serde(default)]
    names: Vec<Spanned<String>>,
    #[serde(default)]
    patterns: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueLimits {
    depth: Option<Spanned<i64>>,
    elements: Option<Spanned<i64>>,
    bytes: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateFolder {
    folder: Spanned<PathBuf>,
}

fn parse(text: &str, root: &Path) -> Result<Settings, Wrong> {
    let document: Document = toml::from_str(text)
        .map_err(|error| Wrong { at: error.span(), reason: error.message().to_owned() })?;
    let mut settings = Settings::default();
    if let Some(redaction) = document.redaction {
        settings.rules = rules(redaction)?;
    }
    if let Some(given) = document.limits {
        let limits = &mut settings.limits;
        set(given.depth, DEPTHS, |depth| limits.depth = depth as u32)?;
        set(given.elements, ELEMENTS, |elements| limits.elements = elements)?;
        set(given.bytes, BYTES, |bytes| limits.bytes = bytes)?;
    }
    if let Some(templates) = document.templates {
        let folder = root.join(templates.folder.get_ref());
        if !folder.is_dir() {
            return Err(wrong(&templates.folder, format!("there is no folder {}", folder.display())));
        }
        settings.template_folder = Some(folder);
    }
    Ok(settings)
}

fn rules(redaction: Redaction) -> Result<Rules, Wrong> {
    let mut rules = if redaction.enabled == Some(false) { Rules::off() } else { Rules::default() };
    for name in redaction.names {
        // A name without a letter or digit has no part that anything could be compared with.
        if !name.get_ref().contains(char::is_alphanumeric) {
            return Err(wrong(&name, "a name needs a letter or a digit".to_owned()));
        }
        rules = rules.with_name(name.get_ref());
    }
    for pattern in redaction.patterns {
        if pattern.get_ref().chars().all(|c| c == '*') {
            return Err(wrong(&pattern, "a pattern needs more than `*`: it would be every word".to_owned()));
        }
        rules = rules.with_pattern(pattern.get_ref());
    }
    Ok(rules)
}

fn set(
    given: Option<Spanned<i64>>,
    allowed: RangeInclusive<u64>,
    put: impl FnOnce(u64),
) -> Result<(), Wrong> {
    let Some(given) = given else { return Ok(()) };
    match u64::try_from(*given.get_ref()) {
        Ok(number) if allowed.contains(&number) => put(number),
        _ => {
            let (least, most) = allowed.into_inner();
            return Err(wrong(&given, format!("{} is not from {least} to {most}", given.get_ref())));
        }
    }
    Ok(())
}

fn wrong<T>(at: &Spanned<T>, reason: String) -> Wrong {
    Wrong { at: Some(at.span()), reason }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, Failure> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("mine")).unwrap();
        std::fs::write(folder.path().join(NAME), text).unwrap();
        Settings::read(folder.path())
    }

    #[test]
    fn without_the_file_all_is_as_by_default() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::read(folder.path()).unwrap();
        assert_eq!((settings.rules, settings.limits), (Rules::default(), Limits::default()));
        assert_eq!(read("# nothing\n").unwrap().limits, Limits::default());
    }

    #[test]
    fn every_setting_is_read() {
        let settings = read(
            "[redaction]\nnames = [\"pin\"]\npatterns = [\"corp_*\"]\n\
             [limits]\ndepth = 8\nelements = 100\nbytes = 2048\n[templates]\nfolder = \"mine\"\n",
        )
        .unwrap();
        assert_eq!(settings.rules, Rules::default().with_name("pin").with_pattern("corp_*"));
        assert_eq!(settings.limits, Limits { depth: 8, elements: 100, bytes: 2048, ..Limits::default() });
        assert!(settings.template_folder.as_ref().is_some_and(|folder| folder.ends_with("mine")));
        assert!(settings.templates().is_ok());
        assert!(!read("[redaction]\nenabled = false\n").unwrap().rules.is_on());
    }

    #[test]
    fn the_settings_of_the_documentation_are_the_defaults() {
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/relapse-toml.md")).unwrap();
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let settings = read(example).unwrap();
        assert_eq!((settings.rules, settings.limits), (Rules::default(), Limits::default()));
    }

    #[test]
    fn a_wrong_setting_is_named_with_its_line() {
        for (text, line, reason) in [
            ("\n[limit]\ndepth = 1\n", 2, "unknown field `limit`"),
            ("[limits]\ndepth = 8\nwidth = 1\n", 3, "unknown field `width`"),
            ("[limits]\n\ndepth = \"8\"\n", 3, "invalid type: string"),
            ("[limits]\ndepth = 97\n", 2, "97 is not from 1 to 96"),
            ("[limits]\nbytes = 1\nelements = -1\n", 3, "-1 is not from 1 to 1000000"),
            ("[redaction]\nnames = [\n  \"pin\",\n  \"__\",\n]\n", 4, "a name needs a letter"),
            ("[redaction]\npatterns = [\"**\"]\n", 2, "a pattern needs more"),
            ("[templates]\nfolder = \"not there\"\n", 2, "there is no folder"),
            ("[templates\n", 1, ""),
        ] {
            let failure = read(text).unwrap_err();
            assert_eq!(failure.message, format!("failed to read relapse.toml, line {line}"), "{text}");
            assert!(failure.causes[0].contains(reason), "{}", failure.causes[0]);
            assert_eq!(failure.code().number(), 65);
        }
    }

    #[test]
    fn a_template_that_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), "[templates]\nfolder = \".\"\n").unwrap();
        std::fs::write(folder.path().join("mod.rs.tera"), "{{ module").unwrap();
        let failure = Settings::read(folder.path()).unwrap().templates().unwrap_err();
        assert!(failure.causes[0].contains("mod.rs.tera"), "{:?}", failure.causes);
    }
}
