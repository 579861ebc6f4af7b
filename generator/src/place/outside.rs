//! The test target of a package for tests that stand outside of its library: `tests/regressions.rs`, which holds
//! nothing but the declaration. For libraries whose own unit tests cannot be built (their data or their
//! dev-dependencies are not there, or they have no harness), so that nothing under `cfg(test)` runs within them.

use std::path::{Path, PathBuf};

use toml_edit::{ArrayOfTables, Item, Table, value};

use super::PlaceError;
use crate::edit::Tree;
use crate::index::{OUTSIDE_FILE, OUTSIDE_NAME};
use crate::paths::normalized;
use crate::project;

/// The folder of a package's integration tests.
pub(super) const FOLDER: &str = "tests";
/// What stands in the file before the declaration. Members of a workspace may have to document their crates.
pub(super) const HEAD: &str = "//! Regression tests from outside of the library.\n";
/// Marks the entry that was added to a manifest, so that taking it out touches no one else's.
const MARK: &str = "# Added by relapse: the package does not discover its tests.";

/// Whether a source file is the target's, relative to its package's folder.
pub(crate) fn is_outside(file: &Path) -> bool {
    file == Path::new(OUTSIDE_FILE)
}

/// Makes cargo know the target where the package does not discover the files in `tests/`.
pub(crate) fn announce(tree: &mut Tree, package_folder: &Path) -> Result<(), PlaceError> {
    let path = manifest_path(package_folder);
    let Some(text) = tree.read_text(&path)? else { return Ok(()) };
    let after = announced(&text).map_err(|reason| PlaceError::Syntax { file: path.clone(), reason })?;
    match after {
        Some(after) => Ok(tree.write(&path, Some(after.into_bytes()))?),
        None => Ok(()),
    }
}

/// Removes the target's file where nothing but its head is left, and the entry in the manifest with it.
pub(super) fn take_back(tree: &mut Tree, package_folder: &Path, text: &str) -> Result<bool, PlaceError> {
    if text.trim() != HEAD.trim() {
        return Ok(false);
    }
    tree.write(&normalized(&package_folder.join(OUTSIDE_FILE)), None)?;
    let path = manifest_path(package_folder);
    if let Some(before) = tree.read_text(&path)?
        && let Some(after) = withdrawn(&before)
    {
        tree.write(&path, Some(after.into_bytes()))?;
    }
    Ok(true)
}

fn manifest_path(package_folder: &Path) -> PathBuf {
    normalized(&package_folder.join("Cargo.toml"))
}

/// The manifest with the target; `None` where cargo finds it as it is: by discovery, or by an entry.
///
/// Cargo's reference, "Target auto-discovery": `autotests = false` turns it off, and so does any `[[test]]` of a
/// package of edition 2015 that does not ask for it.
fn announced(manifest: &str) -> Result<Option<String>, String> {
    let mut document = project::toml(manifest)?;
    let package = document.get("package");
    let told = package.and_then(|package| package.get("autotests")).and_then(Item::as_bool);
    let edition = package.and_then(|package| package.get("edition")).and_then(Item::as_str);
    let inherits = package.and_then(|package| package.get("edition")).is_some_and(|e| e.as_str().is_none());
    let is_2015 = !inherits && matches!(edition, None | Some("2015"));
    let entries = document.get("test").and_then(Item::as_array_of_tables);
    let discovers = told.unwrap_or(!(is_2015 && entries.is_some_and(|tests| !tests.is_empty())));
    let known = entries.is_some_and(|tests| tests.iter().any(is_entry));
    if discovers || known {
        return Ok(None);
    }
    let mut entry = Table::new();
    entry.insert("name", value(OUTSIDE_NAME));
    entry.insert("path", value(OUTSIDE_FILE));
    entry.decor_mut().set_prefix(format!("\n{MARK}\n"));
    let tests = document.entry("test").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let tests = tests.as_array_of_tables_mut().ok_or("its `test` is no array of tables")?;
    tests.push(entry);
    Ok(Some(document.to_string()))
}

/// The manifest without the entry that [`announced`] put in; `None` where there is none of ours.
fn withdrawn(manifest: &str) -> Option<String> {
    let mut document = project::toml(manifest).ok()?;
    let tests = document.get_mut("test")?.as_array_of_tables_mut()?;
    let ours = |table: &Table| {
        let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str());
        is_entry(table) && prefix.is_some_and(|prefix| prefix.contains(MARK))
    };
    let at = tests.iter().position(ours)?;
    tests.remove(at);
    if tests.is_empty() {
        document.remove("test");
    }
    Some(document.to_string())
}

fn is_entry(table: &Table) -> bool {
    table.get("name").and_then(Item::as_str) == Some(OUTSIDE_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_discovers_its_tests_needs_no_entry() {
        for manifest in [
            "[package]\nname = \"a\"\nedition = \"2021\"\n",
            "[package]\nname = \"a\"\nedition = \"2021\"\n\n[[test]]\nname = \"b\"\n",
            "[package]\nname = \"a\"\n",
            "[package]\nname = \"a\"\nautotests = true\n\n[[test]]\nname = \"b\"\n",
            "[package]\nname = \"a\"\nedition.workspace = true\n\n[[test]]\nname = \"b\"\n",
        ] {
            assert_eq!(announced(manifest), Ok(None), "{manifest}");
        }
    }

    #[test]
    fn an_entry_is_added_where_nothing_is_discovered_and_taken_out_again() {
        for manifest in [
            "[package]\nname = \"a\"\nedition = \"2021\"\nautotests = false\n",
            "[package]\nname = \"a\"\n\n[[test]]\nname = \"b\"\n",
            "[package]\nname = \"a\"\nautotests = false\n\n[[test]] # theirs\nname = \"b\"\n\n[lib]\npath = \"x.rs\"\n",
        ] {
            let with = announced(manifest).unwrap().unwrap();
            assert!(
                with.contains("[[test]]\nname = \"regressions\"\npath = \"tests/regressions.rs\"\n"),
                "{with}"
            );
            assert_eq!(announced(&with), Ok(None), "a second time changes nothing");
            assert_eq!(withdrawn(&with).as_deref(), Some(manifest));
        }
    }

    #[test]
    fn an_entry_of_the_user_stays() {
        let own = "[package]\nname = \"a\"\nautotests = false\n\n[[test]]\nname = \"regressions\"\n";
        assert_eq!(announced(own), Ok(None));
        assert_eq!(withdrawn(own), None);
    }
}
