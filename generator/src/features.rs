//! The features that a package had in the crashed build, as the shortest list of cargo arguments. A test is
//! built with `-p PACKAGE`, which does not switch on what another member asks for, so they are named.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{Metadata, Package};

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
