//! Cargo's configuration files and manifests as tables, as far as the checks look at them. What cannot be read or
//! parsed is cargo's to complain about.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use relapse_capture::cargo_runner::cfg::{Cfg, matches, printed};
use toml::{Table, Value};

/// The target that programs of this machine are built for.
pub(super) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// A setting of cargo's configuration for this machine's programs: file, `TRIPLE` or `cfg(…)`, its value.
pub(super) type TargetSetting<'a> = (&'a Path, &'a str, &'a Value);

/// What cargo's configuration sets for this machine's programs, by `TRIPLE` or by a condition that holds for them.
pub(super) fn targets<'a>(
    configs: &'a [(PathBuf, Table)],
    key: &str,
    folder: &Path,
) -> Vec<TargetSetting<'a>> {
    let all = configs
        .iter()
        .filter_map(|(path, table)| Some((path.as_path(), table.get("target")?.as_table()?)))
        .flat_map(|(path, targets)| targets.iter().map(move |(name, target)| (path, name.as_str(), target)))
        .filter_map(|(path, name, target)| Some((path, name, target.get(key)?)));
    // The compiler is asked only where there is a condition.
    let mut cfgs = None;
    all.filter(|(_, name, _)| match name.strip_prefix("cfg(").and_then(|rest| rest.strip_suffix(')')) {
        Some(condition) => matches(condition, cfgs.get_or_insert_with(|| cfgs_in(folder))),
        None => *name == TRIPLE,
    })
    .collect()
}

/// What holds for this machine's programs, as the compiler of a folder says.
fn cfgs_in(folder: &Path) -> Vec<Cfg> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = Command::new(rustc);
    command.args(["--print", "cfg", "--target", TRIPLE]).current_dir(folder).stdin(Stdio::null());
    let output = command.output();
    output.map(|output| printed(&String::from_utf8_lossy(&output.stdout))).unwrap_or_default()
}

/// Cargo's configuration files, nearest first, as cargo looks for them.
pub(super) fn configs(root: &Path) -> Vec<(PathBuf, Table)> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let mut folders: Vec<PathBuf> = root.ancestors().map(|folder| folder.join(".cargo")).collect();
    folders.extend(home.filter(|home| !folders.contains(home)));
    // Where both names are there cargo takes the one without ending.
    let files = folders.iter().filter_map(|folder| {
        [folder.join("config"), folder.join("config.toml")].into_iter().find(|file| file.is_file())
    });
    files.filter_map(|file| Some((file.clone(), read(&file)?))).collect()
}

pub(super) fn read(path: &Path) -> Option<Table> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}
