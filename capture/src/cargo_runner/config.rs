//! cargo's configuration files, as far as a runner and profiles go: `.cargo/config.toml` upwards from the working
//! folder, then the one of CARGO_HOME. A file that cannot be read or parsed is left to cargo's own complaint.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::cfg::{Cfg, matches};

/// A configuration file.
struct ConfigFile {
    /// The folder that relative paths in it are relative to.
    base: PathBuf,
    table: Table,
}

/// All configuration files of a working folder, the strongest first.
pub struct Config(Vec<ConfigFile>);

impl Config {
    /// Reads the files that cargo would read.
    pub fn read(folder: &Path, cargo_home: Option<&Path>) -> Config {
        let mut folders: Vec<PathBuf> = folder.ancestors().map(|folder| folder.join(".cargo")).collect();
        if let Some(home) = cargo_home
            && !folders.iter().any(|known| known == home)
        {
            folders.push(home.to_owned());
        }
        Config(folders.iter().filter_map(|folder| config_file(folder)).collect())
    }

    /// The configuration of one file, whose relative paths are relative to `base`; none where the text is no TOML.
    pub fn of_text(text: &str, base: &Path) -> Config {
        Config(ConfigFile::of_text(text, base).into_iter().collect())
    }

    /// A value by its keys, of the strongest file that has it, with that file's base folder.
    fn value(&self, keys: &[&str]) -> Option<(&Path, &Value)> {
        self.0.iter().find_map(|file| Some((file.base.as_path(), lookup(&file.table, keys)?)))
    }

    /// A profile's setting.
    pub fn profile(&self, profile: &str, key: &str) -> Option<&Value> {
        self.value(&["profile", profile, key]).map(|(_, value)| value)
    }

    /// The targets that are built by default.
    pub fn build_targets(&self) -> Vec<String> {
        match self.value(&["build", "target"]) {
            Some((_, Value::String(target))) => vec![target.clone()],
            Some((_, Value::Array(targets))) => {
                targets.iter().filter_map(|target| target.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The runner of a target: `target.TRIPLE.runner`, else that of the first `target.'cfg(…)'` that holds.
    pub fn runner(&self, triple: &str, cfgs: impl FnOnce() -> Vec<Cfg>) -> Option<Vec<String>> {
        if let Some((base, value)) = self.value(&["target", triple, "runner"]) {
            return words(base, value);
        }
        let conditional: Vec<(&Path, &str, &Value)> = self
            .0
            .iter()
            .filter_map(|file| Some((file, file.table.get("target")?.as_table()?)))
            .flat_map(|(file, targets)| targets.iter().map(move |(name, table)| (file, name, table)))
            .filter_map(|(file, name, table)| {
                let condition = name.strip_prefix("cfg(")?.strip_suffix(')')?;
                Some((file.base.as_path(), condition, table.get("runner")?))
            })
            .collect();
        if conditional.is_empty() {
            return None;
        }
        let cfgs = cfgs();
        let (base, _, value) = conditional.into_iter().find(|(_, condition, _)| matches(condition, &cfgs))?;
        words(base, value)
    }
}

fn config_file(folder: &Path) -> Option<ConfigFile> {
    // The name without an ending is the older one, and wins where both are there.
    let text =
        ["config", "config.toml"].iter().find_map(|name| fs::read_to_string(folder.join(name)).ok())?;
    ConfigFile::of_text(&text, folder.parent().unwrap_or(folder))
}

impl ConfigFile {
    fn of_text(text: &str, base: &Path) -> Option<ConfigFile> {
        Some(ConfigFile { base: base.to_owned(), table: text.parse().ok()? })
    }
}

fn lookup<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (last, path) = keys.split_last()?;
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())?.get(*last)
}

/// The words of a runner: a text is split at blanks, a list is taken as it is; a program with a slash is relative
/// to the folder of its `.cargo`, one of the environment to the working folder.
fn words(base: &Path, value: &Value) -> Option<Vec<String>> {
    let mut words: Vec<String> = match value {
        Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
        Value::Array(list) => list.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect(),
        _ => return None,
    };
    let program = words.first_mut()?;
    if program.contains('/') {
        *program = base.join(&*program).to_string_lossy().into_owned();
    }
    Some(words)
}

/// The runner that the environment sets, for a cargo that works in `folder`.
pub fn runner_of_text(text: &OsStr, folder: &Path) -> Option<Vec<String>> {
    words(folder, &Value::String(text.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cargo_runner::cfg::printed;

    #[test]
    fn runner_of_the_nearest_file_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        fs::create_dir_all(inner.join(".cargo")).unwrap();
        fs::create_dir_all(folder.path().join(".cargo")).unwrap();
        let outer_file = folder.path().join(".cargo/config.toml");
        fs::write(&outer_file, "[target.t]\nrunner = ['tools/wrap', '-x y']\n[build]\ntarget = 't'\n")
            .unwrap();
        let none = Vec::new;
        let config = Config::read(&inner, None);
        let wrap = folder.path().join("tools/wrap").to_string_lossy().into_owned();
        assert_eq!(config.runner("t", none), Some(vec![wrap, "-x y".to_owned()]));
        assert_eq!(config.build_targets(), ["t"]);
        fs::write(inner.join(".cargo/config.toml"), "[target.t]\nrunner = 'wrap -v'\n").unwrap();
        let config = Config::read(&inner, None);
        assert_eq!(config.runner("t", none), Some(vec!["wrap".to_owned(), "-v".to_owned()]));
        assert_eq!(config.runner("u", none), None);
    }

    #[test]
    fn runner_of_the_environment_is_relative_to_the_working_folder() {
        let runner = |text: &str| runner_of_text(OsStr::new(text), Path::new("/w"));
        assert_eq!(
            runner("./tools/wrap -x a/b"),
            Some(["/w/./tools/wrap", "-x", "a/b"].map(str::to_owned).into())
        );
        assert_eq!(runner("/bin/env"), Some(vec!["/bin/env".to_owned()]));
        assert_eq!(runner("env"), Some(vec!["env".to_owned()]));
        assert_eq!(runner(" "), None);
    }

    #[test]
    fn conditional_runner_is_taken_where_its_condition_holds() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".cargo")).unwrap();
        let text = "[target.'cfg(windows)']\nrunner = 'no'\n[target.'cfg(all(unix, target_os = \"linux\"))']\nrunner = 'yes'\n";
        fs::write(folder.path().join(".cargo/config.toml"), text).unwrap();
        let cfgs = || printed("unix\ntarget_os=\"linux\"");
        assert_eq!(Config::read(folder.path(), None).runner("t", cfgs), Some(vec!["yes".to_owned()]));
    }
}
