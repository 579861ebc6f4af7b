//! Cargo's configuration files and manifests as tables, as far as the checks look at them. What cannot be read or
//! parsed is cargo's to complain about.

use std::path::{Path, PathBuf};

use toml::Table;

/// The target that programs of this machine are built for.
pub(super) const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// The tables of cargo's configuration for this machine's programs: file, `TRIPLE` or `cfg(…)`, settings.
pub(super) fn targets(configs: &[(PathBuf, Table)]) -> impl Iterator<Item = (&Path, &str, &Table)> {
    let applies = |name: &str| name == TRIPLE || name.starts_with("cfg(");
    configs
        .iter()
        .filter_map(|(path, table)| Some((path, table.get("target")?.as_table()?)))
        .flat_map(|(path, targets)| targets.iter().map(move |(name, target)| (path, name, target)))
        .filter(move |(_, name, _)| applies(name))
        .filter_map(|(path, name, target)| Some((path.as_path(), name.as_str(), target.as_table()?)))
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
