//! The features that a package had in the crashed build, as the shortest list of cargo arguments. A test is
//! built with `-p PACKAGE`, which does not switch on what another member asks for, so they are named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};

use cargo_metadata::{FeatureName, Metadata, Package};
use relapse_snapshot::{Build, Program};

/// What the crashed command asked for, as `cargo tree` tells of the packages that it built: `cargo metadata` takes all
/// members together, whose dependencies other members may ask more of. `None` where the command does not say what
/// it built, or cargo does not know.
pub(crate) fn asked_for(program: &Program, root: &Path) -> Option<String> {
    let build = program.build.as_ref()?;
    Selection::of(&program.command, build)?.tree(root, build)
}

/// Corrects what `metadata` says is switched on by what [`asked_for`] has found.
pub(crate) fn as_crashed(metadata: &mut Metadata, tree: &str) {
    let on = features_in(tree);
    let ids: BTreeMap<_, _> = metadata
        .packages
        .iter()
        .filter_map(|package| {
            let features = on.get(format!("{} v{}", package.name, package.version).as_str())?;
            Some((package.id.clone(), features.clone()))
        })
        .collect();
    for node in metadata.resolve.iter_mut().flat_map(|resolve| &mut resolve.nodes) {
        if let Some(features) = ids.get(&node.id) {
            node.features = features.iter().map(|name| FeatureName::new((*name).to_owned())).collect();
        }
    }
}

/// The packages that a command built together.
#[derive(Debug, PartialEq, Eq)]
struct Selection<'a> {
    packages: Vec<&'a str>,
    /// With their dev-dependencies.
    dev: bool,
}

impl<'a> Selection<'a> {
    fn of(command: &'a [String], build: &'a Build) -> Option<Selection<'a>> {
        let (program, words) = command.split_first()?;
        if Path::new(program).file_stem()? != "cargo" {
            return None;
        }
        let own: Vec<&str> = words.iter().map(String::as_str).take_while(|word| *word != "--").collect();
        let verb = own.iter().find(|word| !word.starts_with(['-', '+']))?;
        // It runs one program, and builds nothing beside it.
        if ["run", "r"].contains(verb) {
            return Some(Selection { packages: vec![build.package.as_deref()?], dev: false });
        }
        let mut packages = Vec::new();
        let mut words = own.iter();
        while let Some(word) = words.next() {
            let value = ["--package=", "-p="].iter().find_map(|option| word.strip_prefix(option));
            let short = word.strip_prefix("-p").filter(|rest| !rest.is_empty());
            match *word {
                "--workspace" | "--all" | "--exclude" => return None,
                "-p" | "--package" => packages.extend(words.next()),
                _ => packages.extend(value.or(short)),
            }
        }
        (!packages.is_empty()).then_some(Selection { packages, dev: true })
    }

    /// What `cargo tree` prints of it, a package a line: `textwrap v0.16.1 (/home/me/textwrap)|default,smawk`.
    fn tree(&self, root: &Path, build: &Build) -> Option<String> {
        let mut command = Command::new(crate::project::cargo());
        command.args(["tree", "--prefix", "none", "--format", "{p}|{f}", "--offline", "--locked"]);
        command.args(["--edges", if self.dev { "normal,dev" } else { "normal" }]);
        for package in &self.packages {
            command.args(["-p", package]);
        }
        command.args(build.all_features.then_some("--all-features"));
        command.args(build.no_default_features.then_some("--no-default-features"));
        if !build.features.is_empty() {
            command.args(["--features", &build.features.join(",")]);
        }
        if let Some(target) = &build.target {
            command.args(["--target", target]);
        }
        let output = command.current_dir(root).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// The features of each `NAME vVERSION`. A package that is built for programs and for build scripts stands there
/// twice; the first is the program's.
fn features_in(tree: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found = BTreeMap::new();
    for line in tree.lines() {
        let Some((package, features)) = line.trim_end_matches(" (*)").rsplit_once('|') else { continue };
        let version_end = package.match_indices(' ').nth(1).map_or(package.len(), |(at, _)| at);
        let features: Vec<&str> =
            features.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        found.entry(&package[..version_end]).or_insert(features);
    }
    found
}

/// The arguments (`--no-default-features`, `--features a,b`) that switch on what `metadata`'s resolution has
/// switched on for a package.
pub fn arguments(metadata: &Metadata, package: &Package) -> Vec<String> {
    let on: BTreeSet<&str> = metadata
        .resolve
        .iter()
        .flat_map(|resolve| &resolve.nodes)
        .filter(|node| node.id == package.id)
        .flat_map(|node| node.features.iter().map(|f| f.as_str()))
        .filter(|name| package.features.contains_key(*name))
        .collect();
    minimal(&package.features.iter().map(|(k, v)| (k.as_str(), v.as_slice())).collect(), &on)
}

/// `table`: what each feature switches on. `on`: the features that are on.
fn minimal(table: &BTreeMap<&str, &[String]>, on: &BTreeSet<&str>) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut implied = BTreeSet::new();
    if on.contains("default") {
        close(table, "default", &mut implied);
    } else if table.contains_key("default") {
        arguments.push("--no-default-features".to_owned());
    }
    let mut named: Vec<&str> = on.iter().copied().filter(|name| !implied.contains(name)).collect();
    // A feature that another named one switches on need not be named itself.
    let by_others = |name: &str, named: &[&str]| {
        named.iter().any(|other| {
            let mut reached = BTreeSet::new();
            close(table, other, &mut reached);
            *other != name && reached.contains(name)
        })
    };
    let mut index = 0;
    while index < named.len() {
        if by_others(named[index], &named) {
            named.remove(index);
        } else {
            index += 1;
        }
    }
    if !named.is_empty() {
        arguments.extend(["--features".to_owned(), named.join(",")]);
    }
    arguments
}

/// Everything within the package that a feature switches on, itself included.
fn close<'a>(table: &BTreeMap<&'a str, &'a [String]>, name: &'a str, reached: &mut BTreeSet<&'a str>) {
    if !reached.insert(name) {
        return;
    }
    for other in table.get(name).into_iter().flat_map(|list| list.iter()) {
        // `dep:x` switches on no feature; `x/y` switches on the optional dependency x, whose implicit feature
        // is in the table where there is one; `x?/y` does not.
        let other = match other.split_once('/') {
            Some((dependency, _)) if !dependency.ends_with('?') => dependency,
            Some(_) => continue,
            None => other.as_str(),
        };
        if let Some((&key, _)) = table.get_key_value(other) {
            close(table, key, reached);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(command: &str) -> Option<(Vec<String>, bool)> {
        let command: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let build = Build { package: Some("app".to_owned()), ..Build::default() };
        let selection = Selection::of(&command, &build)?;
        Some((selection.packages.iter().map(ToString::to_string).collect(), selection.dev))
    }

    #[test]
    fn a_command_tells_what_it_built() {
        let one = |name: &str, dev| Some((vec![name.to_owned()], dev));
        assert_eq!(selection("cargo run -q -- -p x"), one("app", false));
        assert_eq!(selection("/usr/bin/cargo +stable r --bin tool"), one("app", false));
        assert_eq!(selection("cargo test -p lib -- --workspace"), one("lib", true));
        assert_eq!(selection("cargo nextest run --package=lib"), one("lib", true));
        assert_eq!(selection("cargo test -plib"), one("lib", true));
        assert_eq!(selection("cargo test"), None, "depends on the folder that it ran in");
        assert_eq!(selection("cargo test -p lib --workspace"), None);
        assert_eq!(selection("target/debug/app -p lib"), None);
    }

    #[test]
    fn the_features_of_a_tree_are_read_by_package() {
        let tree = "app v0.1.0 (/a b|c/app)|\nlib v1.2.3-x|default,std\nlib v1.2.3-x|default,std (*)\n\n\
                    derive v2.0.0 (proc-macro)|full\nlib v1.2.3-x|\n";
        let features = features_in(tree);
        assert_eq!(features["app v0.1.0"], Vec::<&str>::new());
        assert_eq!(features["lib v1.2.3-x"], ["default", "std"], "the first is the program's");
        assert_eq!(features["derive v2.0.0"], ["full"]);
    }

    fn minimal_of(table: &[(&str, &[&str])], on: &[&str]) -> Vec<String> {
        let owned: Vec<(&str, Vec<String>)> =
            table.iter().map(|(k, v)| (*k, v.iter().map(ToString::to_string).collect())).collect();
        let table = owned.iter().map(|(k, v)| (*k, v.as_slice())).collect();
        minimal(&table, &on.iter().copied().collect())
    }

    #[test]
    fn defaults_are_not_named() {
        let table: &[(&str, &[&str])] =
            &[("default", &["std"]), ("std", &[]), ("v1", &["atomic"]), ("atomic", &["dep:atomic"])];
        assert_eq!(minimal_of(table, &["default", "std"]), Vec::<String>::new());
        assert_eq!(minimal_of(table, &["default", "std", "v1", "atomic"]), ["--features", "v1"]);
    }

    #[test]
    fn a_build_without_defaults_says_so() {
        let table: &[(&str, &[&str])] = &[("default", &["std"]), ("std", &[]), ("alloc", &[])];
        assert_eq!(minimal_of(table, &["alloc"]), ["--no-default-features", "--features", "alloc"]);
        assert_eq!(minimal_of(&[("alloc", &[])], &[]), Vec::<String>::new());
    }

    #[test]
    fn features_that_name_each_other_stay_named_once() {
        let table: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["a"])];
        assert_eq!(minimal_of(table, &["a", "b"]), ["--features", "b"]);
    }
}
