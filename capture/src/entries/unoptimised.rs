//! The command of an optimised build, changed so that cargo builds the project's own packages without optimisation, in a
//! target folder of ours. In: the command and whose packages they are; out: words, variables and a file of cargo's
//! configuration. Runs nothing.
//!
//! What an optimiser has inlined has no entry, and what it kept in no place cannot be read there either. The profile stays
//! as it is in all that code can notice (`overflow-checks`, `debug-assertions`, `cfg`, features, panics); only
//! `opt-level` is another one, and of dependencies not even that.

use std::ffi::OsString;
use std::path::Path;

use toml::{Table, Value};

use crate::cargo_runner::CargoCommand;
use crate::roots::Roots;

/// Subcommands that run what they build.
const RUNNING: [&str; 4] = ["run", "test", "bench", "nextest"];

/// Whether such a command can be made of this one: it runs a program, and does not say itself where it is built.
pub(super) fn is_possible(cargo: &CargoCommand, words: &[OsString]) -> bool {
    let own = words.iter().take_while(|word| *word != "--");
    let names_folder = |word: &OsString| {
        let text = word.to_string_lossy();
        text == "--target-dir" || text.starts_with("--target-dir=")
    };
    RUNNING.contains(&cargo.subcommand.as_str()) && !own.into_iter().any(names_folder)
}

/// The words of the command with the configuration in `file`. cargo takes the option in front of a subcommand of its own,
/// and nextest, which hands it on to cargo, only behind its own.
pub(super) fn words(cargo: &CargoCommand, words: &[OsString], file: &Path) -> Vec<OsString> {
    let is_option = |word: &OsString| word.to_string_lossy().starts_with(['-', '+']);
    let after = |from: usize| {
        let next = words.iter().skip(from).position(|word| !is_option(word));
        next.map_or(words.len(), |at| from + at + 1)
    };
    let at = if cargo.subcommand == "nextest" {
        let nextest = words.iter().position(|word| word == "nextest").map_or(1, |at| at + 1);
        after(nextest)
    } else {
        1 + usize::from(cargo.toolchain.is_some())
    };
    let mut changed = words.to_vec();
    let at = at.min(changed.len());
    changed.splice(at..at, ["--config".into(), file.as_os_str().to_owned()]);
    changed
}

/// The configuration: the project's own packages without optimisation and with full debug info, all others as the copy
/// that tests are proved in has them, so that what is built for one serves the other.
pub(super) fn configuration(cargo: &CargoCommand, roots: &Roots) -> String {
    let own = Table::from_iter([
        ("opt-level".to_owned(), Value::Integer(0)),
        ("debug".to_owned(), Value::Integer(2)),
    ]);
    let packages: Table =
        roots.packages.iter().map(|package| (package.name.clone(), Value::Table(own.clone()))).collect();
    let profile = Table::from_iter([
        ("debug".to_owned(), Value::String("line-tables-only".to_owned())),
        ("strip".to_owned(), Value::String("none".to_owned())),
        ("package".to_owned(), Value::Table(packages)),
    ]);
    let profiles = Table::from_iter([(cargo.profile.clone(), Value::Table(profile))]);
    Table::from_iter([("profile".to_owned(), Value::Table(profiles))]).to_string()
}

/// What cargo alone is told: where to build. From cargo 1.91 the intermediate files have a setting of their own.
pub(super) fn variables(target_folder: &Path) -> Vec<(String, OsString)> {
    let names = ["CARGO_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"];
    names.map(|name| (name.to_owned(), target_folder.as_os_str().to_owned())).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roots::PackageRoot;

    fn changed(line: &str) -> String {
        let line: Vec<OsString> = line.split(' ').map(Into::into).collect();
        let cargo = CargoCommand::parse(&line).unwrap();
        let words = words(&cargo, &line, Path::new("F"));
        words.join(" ".as_ref()).into_string().unwrap()
    }

    #[test]
    fn configuration_stands_where_cargo_and_nextest_take_it() {
        assert_eq!(changed("cargo run --release -- -x"), "cargo --config F run --release -- -x");
        assert_eq!(changed("cargo +1.80 -q t -r"), "cargo +1.80 --config F -q t -r");
        let nextest = "cargo nextest run --cargo-profile fast";
        assert_eq!(changed(nextest), "cargo nextest run --config F --cargo-profile fast");
        assert_eq!(changed("cargo-nextest nextest r -r"), "cargo-nextest nextest r --config F -r");
    }

    #[test]
    fn command_that_names_its_target_folder_is_left_alone() {
        let possible = |line: &str| {
            let line: Vec<OsString> = line.split(' ').map(Into::into).collect();
            is_possible(&CargoCommand::parse(&line).unwrap(), &line)
        };
        assert!(possible("cargo run -r -- --target-dir x"));
        assert!(!possible("cargo run -r --target-dir x"));
        assert!(!possible("cargo run -r --target-dir=x"));
        assert!(!possible("cargo build -r"));
    }

    #[test]
    fn only_own_packages_lose_their_optimisation() {
        let package = |name: &str| PackageRoot { name: name.into(), folder: "/p".into() };
        let roots = Roots { workspace: None, packages: vec![package("a-b"), package("c")] };
        let line: Vec<OsString> = ["cargo", "run", "--profile", "fast"].map(Into::into).to_vec();
        let text = configuration(&CargoCommand::parse(&line).unwrap(), &roots);
        let read: Table = text.parse().unwrap();
        let fast = &read["profile"]["fast"];
        assert_eq!(fast.get("opt-level"), None);
        assert_eq!(fast["package"]["a-b"]["opt-level"], Value::Integer(0));
        assert_eq!(fast["package"]["c"]["debug"], Value::Integer(2));
    }
}
