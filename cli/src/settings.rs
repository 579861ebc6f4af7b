//! `relapse.toml`: a project's own settings. In: the file at the project's root, which need not be there. Out:
//! rules of redaction, limits, templates; or what is wrong with the file, and where.

mod document;

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use relapse_capture::limits::Limits;
use relapse_generator::expression::CrateRules;
use relapse_generator::render::{RenderError, Templates};
use relapse_generator::verify::Bounds;
use relapse_snapshot::redact::Rules;

use crate::failure::Failure;
use document::{Document, Wrong, position};

/// The file's name.
pub(crate) const NAME: &str = "relapse.toml";

/// A larger file is not read.
const LARGEST: u64 = 1 << 20;

/// What a project has set, or the defaults.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// What is a secret.
    pub(crate) rules: Rules,
    /// How far values are read.
    pub(crate) limits: Limits,
    /// Whether builds get the debug info that they lack.
    pub(crate) debug_info: bool,
    /// What a test may use while it is proved, and what it may do. Paths are absolute.
    pub(crate) bounds: Bounds,
    /// How values of some types are built; these come before the rules that are built in.
    pub(crate) crate_rules: CrateRules,
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
            // A link that leads nowhere is meant to be one to settings.
            Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => {
                return Settings::of_text("", root);
            }
            Err(error) => return Err(cannot().because(&error)),
        };
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| cannot().because(&error))?;
        if bytes.len() as u64 > LARGEST {
            return Err(cannot().advise(format!("keep it below {} KiB", LARGEST >> 10)));
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => Settings::of_text(text, root),
            Err(error) => {
                let at = error.valid_up_to();
                let wrong = Wrong { at: Some(at..at), reason: "this is not UTF-8".to_owned(), meant: None };
                Err(failure(&String::from_utf8_lossy(&bytes), wrong))
            }
        }
    }

    fn of_text(text: &str, root: &Path) -> Result<Settings, Failure> {
        let document = Document::parse(text).map_err(|wrong| failure(text, wrong))?;
        let template_folder = match document.template_folder {
            Some((folder, at)) => {
                Some(existing(&root.join(folder), at).map_err(|wrong| failure(text, wrong))?)
            }
            None => None,
        };
        let mut bounds = document.bounds;
        // One that is not there, on this machine, needs no permission.
        let writable =
            bounds.permissions.writable.iter().filter_map(|path| root.join(path).canonicalize().ok());
        bounds.permissions.writable = writable.collect();
        Ok(Settings {
            bounds,
            rules: document.rules,
            limits: document.limits,
            debug_info: document.debug_info,
            crate_rules: document.crate_rules,
            template_folder,
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

fn existing(folder: &Path, at: Range<usize>) -> Result<PathBuf, Wrong> {
    if folder.is_dir() {
        return Ok(folder.to_owned());
    }
    let reason = format!("`templates.folder`: there is no folder {}", folder.display());
    Err(Wrong { at: Some(at), reason, meant: None })
}

/// `failed to read relapse.toml:3:1`, why, and what was probably meant.
fn failure(text: &str, wrong: Wrong) -> Failure {
    let place = wrong.at.map(|at| position(text, at.start));
    let place = place.map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
    let mut failure = Failure::bad_input(format!("failed to read {NAME}{place}"));
    failure.causes.push(wrong.reason);
    let meant = wrong.meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
    failure.advise(format!("{meant}docs/relapse-toml.md lists the settings"))
}

#[cfg(test)]
mod tests {
    use super::document::{Kind, SETTINGS, Setting};
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
        assert!(settings.debug_info);
        assert_eq!(read("# nothing\n").unwrap().limits, Limits::default());
    }

    #[test]
    fn every_setting_is_read() {
        let text = "[redaction]\nnames = [\"pin\"]\npatterns = [\"corp_*\"]\n\
             [limits]\ndepth = 8\nelements = 100\nbytes = 0x800\nnodes = 1_000\nframes = 50\n\
             [profile]\ndebug_info = false\n\
             [sandbox]\nallow_write = [\"mine\", \"/not/there\"]\nallow_net = true\nseconds = 5\nmemory = 512\n[templates]\nfolder = \"mine\"\n";
        let settings = read(text).unwrap();
        assert_eq!(settings.rules, Rules::default().with_name("pin").with_pattern("corp_*"));
        let limits = Limits { depth: 8, elements: 100, bytes: 2048, nodes: 1000, frames: 50 };
        assert_eq!(settings.limits, limits);
        assert!(!settings.debug_info);
        let Bounds { limits, permissions } = &settings.bounds;
        assert_eq!((limits.timeout.as_secs(), limits.memory_bytes), (5, Some(512 << 20)));
        assert!(permissions.network && permissions.writable.len() == 1);
        assert!(permissions.writable[0].ends_with("mine"));
        assert!(settings.template_folder.as_ref().is_some_and(|folder| folder.ends_with("mine")));
        assert!(settings.templates().is_ok());
        assert!(!read("[redaction]\nenabled = false\n").unwrap().rules.is_on());
        for Setting { key, .. } in SETTINGS {
            assert!(*key == "enabled" || text.contains(&format!("\n{key} = ")), "{key}");
        }
    }

    fn page() -> String {
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/relapse-toml.md")).unwrap()
    }

    #[test]
    fn the_settings_of_the_documentation_are_the_defaults() {
        let page = page();
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let settings = read(example).unwrap();
        assert_eq!((settings.rules, settings.limits), (Rules::default(), Limits::default()));
        assert!(settings.debug_info && settings.template_folder.is_none());
        assert_eq!(settings.bounds, Bounds::default());
    }

    #[test]
    fn the_documentation_names_every_setting_and_no_other() {
        let page = page();
        let mut sections = page.split("\n## `[").skip(1).map(|section| section.split_once("]`").unwrap());
        // A rule is no setting: `[[rule]]`.
        let mut sections = sections.by_ref().filter(|(table, _)| !table.starts_with('['));
        let documented: Vec<(&str, &str)> = sections
            .by_ref()
            .flat_map(|(table, text)| {
                let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
                rows.map(move |key| (table, key))
            })
            .collect();
        let settings: Vec<_> = SETTINGS.iter().map(|setting| (setting.table, setting.key)).collect();
        assert_eq!(documented, settings);
        for setting in SETTINGS {
            let Kind::Number(allowed, _) = &setting.kind else { continue };
            let (row, range) =
                (format!("| `{}`", setting.key), format!("| {} … {} |", allowed.start(), allowed.end()));
            assert!(
                page.lines().any(|line| line.starts_with(&row) && line.ends_with(&range)),
                "{row} … {range}"
            );
        }
    }

    /// A packaged crate has no fuzz targets beside it.
    #[test]
    fn the_dictionary_of_the_fuzz_target_has_every_setting() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/dictionaries/settings.dict");
        let Ok(words) = std::fs::read_to_string(path) else { return };
        for Setting { table, key, .. } in SETTINGS {
            for word in [format!("\"[{table}]\""), format!("\"{key}\"")] {
                assert!(words.lines().any(|line| line == word), "{word}");
            }
        }
    }

    #[test]
    fn every_setting_refuses_a_wrong_value_with_its_place() {
        for Setting { table, key, kind } in SETTINGS {
            let mut wrong = vec!["[1]", "2026-11-23", "1.5", "{ a = 1 }", "-1"];
            match kind {
                Kind::Switch(_) => wrong.extend(["1", "\"true\""]),
                Kind::Number(..) => {
                    wrong.extend(["0", "true", "\"8\"", "9999999999", "99999999999999999999"]);
                }
                Kind::Texts(..) => wrong.extend(["\"pin\"", "[\"**\", \"__\"]", "[\"a\", 2]", "true"]),
                Kind::Text(_) => wrong.extend(["\"\"", "true", "\"not there\""]),
            }
            for value in wrong {
                let text = format!("# ü\n[{table}]\n  {key} = {value}\n");
                let failure = read(&text).expect_err(&text);
                assert_eq!(failure.code().number(), 65);
                let place = failure.message.strip_prefix("failed to read relapse.toml:3:").expect(&text);
                let column: usize = place.parse().expect(&text);
                assert!(column >= key.len() + 6, "{text}{place}");
                assert!(failure.causes[0].starts_with(&format!("`{table}.{key}`")), "{}", failure.causes[0]);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_what_was_meant() {
        for (text, place, reason, meant) in [
            ("\n[limit]\ndepth = 1\n", "2:2", "no table or setting \"limit\"", "did you mean [limits]?"),
            ("[limits]\ndepth = 8\n ü = 1", "3:2", "", ""),
            ("[limits]\ndepth = 8\nwidth = 1\n", "3:1", "no setting \"width\" in [limits]", "docs/"),
            ("[limits]\n deph = 8\n", "2:2", "no setting \"deph\"", "did you mean `depth`?"),
            ("[redaction]\ndepth = 8\n", "2:1", "in [redaction]", "did you mean `depth` under [limits]?"),
            ("frames = 8\n", "1:1", "no table or setting", "did you mean `frames` under [limits]?"),
            ("limits = 8\n", "1:1", "`limits` is a table", "did you mean [limits]?"),
            ("[[limits]]\ndepth = 1\n", "1:3", "`limits` is a table", "did you mean [limits]?"),
            (
                "[limits]\ndepth = 1000001\n",
                "2:9",
                "is a whole number from 1 to 1000000, not 1000001",
                "docs/",
            ),
            ("[limits]\nbytes = 1\nelements = -1\n", "3:12", "from 1 to 1000000, not -1", ""),
            ("[redaction]\nnames = [\n  \"pin\",\n  \"__\",\n]\n", "4:3", "without a letter", ""),
            ("[redaction]\npatterns = [\"**\"]\n", "2:13", "no more than `*`", ""),
            ("[templates]\nfolder = \"not there\"\n", "2:10", "there is no folder", ""),
            ("[zzz]\n[limits]\ndepth = 0\n", "1:2", "\"zzz\"", "docs/"),
            ("[limits]\ndepth = 0\n[aaa]\n", "2:9", "`limits.depth`", "docs/"),
            ("[limits]\ndepth = 1\ndepth = 2\n", "3:1", "duplicate key", ""),
            ("[templates\n", "1:11", "", ""),
        ] {
            let failure = read(text).unwrap_err();
            assert_eq!(failure.message, format!("failed to read relapse.toml:{place}"), "{text}");
            assert!(failure.causes[0].contains(reason), "{}", failure.causes[0]);
            assert!(failure.advice.as_ref().is_some_and(|advice| advice.starts_with(meant)), "{failure:?}");
            assert_eq!(failure.code().number(), 65);
        }
    }

    #[test]
    fn a_rule_is_read_and_what_is_wrong_with_one_is_told_with_its_place() {
        let page = page();
        let example = page.split("```toml\n").find(|part| part.starts_with("[[rule]]")).unwrap();
        let rules = read(example.split("```").next().unwrap()).unwrap().crate_rules.texts();
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[0].types, ["money::amount::Amount"]);
        assert!(rules[1].build.is_err());
        for (text, place, reason) in [
            ("[[rule]]\ntype = 'a::B'\n", "1:1", "a rule needs a `build`"),
            ("[limits]\ndepth = 1\n[[rule]]\nbuild = 'Self::new()'\n", "3:1", "a rule needs a `type`"),
            ("[[rule]]\ntype = 'a::B'\nbuild = 'Self::new({ 1 + })'\n", "3:9", "`build`"),
            ("[[rule]]\ntype = 'a::B'\nbuild = ''\n whenn = 'a == 1'\n", "4:2", "has no key `whenn`"),
            ("[[rule]]\ntype = 'a::B'\nbuild = 'Self::new()'\nwhen = 'a ? b'\n", "4:8", "`when`"),
            ("[[rule]]\ntype = 1\nbuild = 'Self::new()'\n", "2:8", "`type`"),
            ("[[rule]]\ntype = 'a::B'\nversion = '1'\nbuild = 'Self::new()'\n", "3:11", "`version`"),
            ("[rule]\ntype = 'a::B'\n", "1:2", "[[rule]]"),
        ] {
            let failure = read(text).unwrap_err();
            assert_eq!(failure.message, format!("failed to read relapse.toml:{place}"), "{text}");
            assert!(failure.causes[0].contains(reason), "{}", failure.causes[0]);
        }
    }

    #[test]
    fn what_is_no_text_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(NAME), b"[limits]\n# \xc3\xbc \xff\n").unwrap();
        let failure = Settings::read(folder.path()).unwrap_err();
        assert_eq!(failure.message, "failed to read relapse.toml:2:5");
    }

    #[test]
    fn a_link_to_settings_that_are_gone_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("gone.toml", folder.path().join(NAME)).unwrap();
        assert_eq!(Settings::read(folder.path()).unwrap_err().code().number(), 65);
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
