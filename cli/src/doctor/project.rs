//! The project: its workspace, its settings, cargo's configuration with a runner of its own.

use std::path::{Path, PathBuf};

use toml::Table;

use super::cargo_config::{TRIPLE, targets};
use super::{Check, builds};
use crate::settings::{NAME, Settings};
use crate::workspace::Workspace;

const RUNNER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER";

pub(super) fn checks(workspace: &Workspace, configs: &[(PathBuf, Table)]) -> Vec<Check> {
    let (settings, sets_debug_info) = settings(&workspace.root);
    if !workspace.is_cargo {
        let advice = "programs can be captured here; for tests go to the workspace of the program's source";
        let message = format!("{} is in no cargo workspace", workspace.root.display());
        return vec![Check::note("workspace", message, advice), settings];
    }
    let manifest = workspace.root.join("Cargo.toml");
    let mut checks = vec![Check::ok("workspace", workspace.root.display().to_string()), settings];
    checks.extend(builds::checks(&manifest, configs, sets_debug_info));
    checks.push(runner(configs, &workspace.root, std::env::var(RUNNER).ok()));
    checks
}

/// Whether cargo's configuration names a linker for this machine's programs.
pub(super) fn own_linker(configs: &[(PathBuf, Table)], folder: &Path) -> bool {
    !targets(configs, "linker", folder).is_empty()
}

/// `relapse.toml`, and the templates that it names.
fn settings(root: &Path) -> (Check, bool) {
    let file = root.join(NAME);
    let read = Settings::read(root).and_then(|settings| settings.templates().map(|_| settings));
    match read {
        Ok(settings) if file.exists() => {
            (Check::ok("settings", format!("{} is valid", file.display())), settings.debug_info)
        }
        Ok(settings) => (Check::ok("settings", format!("no {NAME}: the defaults hold")), settings.debug_info),
        Err(failure) => {
            let message = failure.in_a_line();
            let advice = failure.advice.unwrap_or_else(|| format!("repair {}", file.display()));
            (Check::missing("settings", message, advice), true)
        }
    }
}

/// A runner of the project's own; relapse starts it in its turn.
fn runner(configs: &[(PathBuf, Table)], folder: &Path, variable: Option<String>) -> Check {
    let mut from_files = targets(configs, "runner", folder);
    // One for the triple itself outweighs those with a condition.
    from_files.sort_by_key(|(_, name, _)| *name != TRIPLE);
    match (variable, from_files.first()) {
        (Some(command), _) => Check::ok("runner", format!("{RUNNER}={command} is kept")),
        (None, Some((path, name, command))) => {
            Check::ok("runner", format!("target.{name}.runner = {command} of {} is kept", path.display()))
        }
        (None, None) => Check::ok("runner", "the project has no runner of its own"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_of_the_project_is_found() {
        let config = |text: &str| vec![(PathBuf::from("c"), text.parse::<Table>().unwrap())];
        let found = |text: &str| runner(&config(text), Path::new("."), None).message;
        assert!(found("[target.x86_64-unknown-linux-gnu]\nrunner = \"valgrind -q\"").contains("valgrind"));
        assert!(found("[target.'cfg(unix)']\nrunner = [\"sudo\", \"-E\"]").contains("sudo"));
        assert!(found("[target.'cfg(windows)']\nrunner = \"wine\"").contains("no runner"));
        assert!(found("[target.wasm32-wasip1]\nrunner = \"wasmtime\"").contains("no runner"));
        assert!(runner(&[], Path::new("."), Some("qemu".to_owned())).message.contains("qemu"));
    }
}
