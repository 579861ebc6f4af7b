//! The project: the store's folder, the profiles' debug info, a runner of its own.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Check;
use crate::workspace::Workspace;

const TRIPLE: &str = "x86_64-unknown-linux-gnu";
const RUNNER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER";

pub(super) fn checks(workspace: &Workspace) -> Vec<Check> {
    let mut checks = vec![store(workspace)];
    if !workspace.is_cargo {
        checks.push(Check::note(
            "workspace",
            format!("{} is in no cargo workspace", workspace.root.display()),
            "programs can be captured here; for tests go to the workspace of the program's source",
        ));
        return checks;
    }
    checks.push(Check::ok("workspace", workspace.root.display().to_string()));
    let manifest = workspace.root.join("Cargo.toml");
    let configs = configs(&workspace.root);
    checks.extend(debug_info(&manifest, &configs));
    checks.push(runner(&configs, std::env::var(RUNNER).ok()));
    checks
}

/// The folder of snapshots, and that git does not see it.
fn store(workspace: &Workspace) -> Check {
    let folder = workspace.relapse_folder();
    if !folder.exists() {
        return Check::ok("store", format!("{} will be made by the first snapshot", folder.display()));
    }
    let ignore = std::fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
    if !ignore.lines().any(|line| line.trim() == "*") {
        return Check::note(
            "store",
            format!("{} is not ignored by git, and snapshots may hold private data", folder.display()),
            format!("write a line `*` into {}", folder.join(".gitignore").display()),
        );
    }
    match workspace.store().list() {
        Ok(listing) if listing.damaged.is_empty() => {
            Check::ok("store", format!("{} snapshots in {}", listing.snapshots.len(), folder.display()))
        }
        Ok(listing) => Check::note(
            "store",
            format!("{} files in {} cannot be read", listing.damaged.len(), folder.display()),
            "`cargo relapse list` names them; `cargo relapse rm ID` removes them",
        ),
        Err(error) => Check::missing("store", error.to_string(), "make the folder readable and writable"),
    }
}

/// The settings that take a frame's arguments away, of the manifest, of cargo's configuration, of the
/// environment.
fn debug_info(manifest: &Path, configs: &[(PathBuf, Table)]) -> Vec<Check> {
    let own = read(manifest).map(|table| (manifest.to_owned(), table));
    let mut checks = Vec::new();
    for (path, table) in own.iter().chain(configs) {
        let Some(profiles) = table.get("profile").and_then(Value::as_table) else { continue };
        for (name, profile) in profiles {
            for (setting, value, fix) in profile.as_table().into_iter().flat_map(weak_settings) {
                checks.push(Check::note(
                    "debug info",
                    format!("{}: profile.{name} has {setting} = {value}: {}", path.display(), loss(setting)),
                    format!(
                        "set {setting} = {fix}, or {}={} for a run",
                        variable(name, setting),
                        fix.trim_matches('"')
                    ),
                ));
            }
        }
    }
    for (name, value) in std::env::vars_os() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        let settings = [("_DEBUG", "debug"), ("_STRIP", "strip"), ("_SPLIT_DEBUGINFO", "split-debuginfo")];
        let setting = settings.iter().find(|(ending, _)| name.ends_with(ending));
        let Some((_, setting)) = setting.filter(|_| name.starts_with("CARGO_PROFILE_")) else { continue };
        let table = Table::from_iter([((*setting).to_owned(), number_or_text(value))]);
        for (setting, ..) in weak_settings(&table) {
            let message = format!("{name}={value} is set: {}", loss(setting));
            checks.push(Check::note("debug info", message, format!("unset {name}")));
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok("debug info", "no profile takes debug info away"));
    }
    checks
}

/// The settings of a profile that cost arguments, each with what it is and what it should be.
fn weak_settings(profile: &Table) -> Vec<(&'static str, String, &'static str)> {
    let mut weak = Vec::new();
    if let Some(debug) = profile.get("debug")
        && !matches!(debug, Value::Boolean(true) | Value::Integer(2))
        && debug.as_str().is_none_or(|debug| !matches!(debug, "full" | "true" | "2"))
    {
        weak.push(("debug", debug.to_string(), "2"));
    }
    if let Some(strip) = profile.get("strip")
        && !matches!(strip, Value::Boolean(false))
        && strip.as_str().is_none_or(|strip| !matches!(strip, "none" | "false"))
    {
        weak.push(("strip", strip.to_string(), "\"none\""));
    }
    if let Some(split) = profile.get("split-debuginfo").and_then(Value::as_str)
        && split != "off"
    {
        weak.push(("split-debuginfo", format!("\"{split}\""), "\"off\""));
    }
    weak
}

fn loss(setting: &str) -> &'static str {
    match setting {
        "debug" => "frames have no argument values",
        "strip" => "a stripped program shows neither frames nor values",
        _ => "the values of a program that was moved away from its debug info are lost",
    }
}

fn variable(profile: &str, setting: &str) -> String {
    format!("CARGO_PROFILE_{profile}_{setting}").replace('-', "_").to_uppercase()
}

fn number_or_text(value: &str) -> Value {
    value.parse().map_or_else(|_| Value::String(value.to_owned()), Value::Integer)
}

/// A runner of the project's own; relapse starts it in its turn.
fn runner(configs: &[(PathBuf, Table)], variable: Option<String>) -> Check {
    let from_file = configs.iter().find_map(|(path, table)| {
        let targets = table.get("target")?.as_table()?;
        let applies = |name: &str| name == TRIPLE || name.starts_with("cfg(");
        let mut runners = targets.iter().filter(|(name, _)| applies(name));
        runners.find_map(|(name, target)| Some((path, name, target.as_table()?.get("runner")?)))
    });
    match (variable, from_file) {
        (Some(command), _) => Check::ok("runner", format!("{RUNNER}={command} is kept")),
        (None, Some((path, name, command))) => {
            Check::ok("runner", format!("target.{name}.runner = {command} of {} is kept", path.display()))
        }
        (None, None) => Check::ok("runner", "the project has no runner of its own"),
    }
}

/// Cargo's configuration files, nearest first, as cargo looks for them.
fn configs(root: &Path) -> Vec<(PathBuf, Table)> {
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

fn read(path: &Path) -> Option<Table> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cost_arguments_are_found() {
        let weak = |text: &str| -> Vec<&'static str> {
            weak_settings(&text.parse::<Table>().unwrap()).into_iter().map(|(setting, ..)| setting).collect()
        };
        for text in [
            "",
            "debug = true",
            "debug = 2",
            "debug = \"full\"",
            "strip = \"none\"",
            "strip = false",
            "split-debuginfo = \"off\"",
        ] {
            assert!(weak(text).is_empty(), "{text}");
        }
        for text in ["debug = 0", "debug = false", "debug = 1", "debug = \"line-tables-only\""] {
            assert_eq!(weak(text), ["debug"], "{text}");
        }
        assert_eq!(weak("strip = true\nsplit-debuginfo = \"packed\""), ["strip", "split-debuginfo"]);
        assert_eq!(variable("my-dev", "split-debuginfo"), "CARGO_PROFILE_MY_DEV_SPLIT_DEBUGINFO");
    }

    #[test]
    fn a_runner_of_the_project_is_found() {
        let config = |text: &str| vec![(PathBuf::from("c"), text.parse::<Table>().unwrap())];
        let found = |text: &str| runner(&config(text), None).message;
        assert!(found("[target.x86_64-unknown-linux-gnu]\nrunner = \"valgrind -q\"").contains("valgrind"));
        assert!(found("[target.'cfg(unix)']\nrunner = [\"sudo\", \"-E\"]").contains("sudo"));
        assert!(found("[target.wasm32-wasip1]\nrunner = \"wasmtime\"").contains("no runner"));
        assert!(runner(&[], Some("qemu".to_owned())).message.contains("qemu"));
    }
}
