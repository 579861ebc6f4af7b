//! The one dev-dependency that an accepted outcome needs, in a package's Cargo.toml and in the lock file: put in
//! without moving any locked version, marked, and taken out again. Works on text; cargo itself resolves.

use std::collections::BTreeMap;

use toml_edit::{InlineTable, Item, Table, TableLike, Value};

/// Marks the line that was added, so that taking it out touches no one else's.
const MARK: &str = " # added by relapse for accepted outcomes";

/// What insta is asked for, tried in this order. From 1.45 it needs crates (libc, rustix, tempfile) that may
/// move a locked version; 1.44 without default features needs next to nothing.
pub(super) const REQUIREMENTS: [&str; 3] = ["1.45", ">=1.40, <1.45", ">=1.34, <1.40"];

/// Why insta could not be added to a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DependencyError {
    /// The manifest is no TOML, or its dev-dependencies are no table.
    #[error("failed to edit {file}: {reason}")]
    Manifest {
        /// The manifest.
        file: String,
        /// Why.
        reason: String,
    },
    /// Every version of insta that was tried moves a locked one, or none is to be had.
    #[error("failed to add the dev-dependency insta, nothing was changed: {0}")]
    NotAdded(String),
    /// Without insta, cargo would choose other versions.
    #[error("the dev-dependency insta stays in: {0}")]
    NotTakenOut(String),
}

/// How insta stands in a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Present {
    /// It is a dependency.
    Yes,
    /// It is not.
    No,
}

/// Whether a manifest has insta among its dependencies of either kind.
pub(super) fn present(manifest: &str) -> Result<Present, String> {
    let document = crate::project::toml(manifest)?;
    let has = |table: &str| {
        let table = document.get(table).and_then(Item::as_table_like);
        table.is_some_and(|table| table.contains_key("insta"))
    };
    Ok(if has("dev-dependencies") || has("dependencies") { Present::Yes } else { Present::No })
}

/// Whether the workspace's root manifest names a version for its members.
pub(super) fn in_workspace(root_manifest: &str) -> bool {
    crate::project::toml(root_manifest).is_ok_and(|document| {
        let dependencies = document.get("workspace").and_then(|workspace| workspace.get("dependencies"));
        dependencies.and_then(Item::as_table_like).is_some_and(|table| table.contains_key("insta"))
    })
}

/// The manifest with insta. `None` for the requirement: the workspace's own.
pub(super) fn with_insta(manifest: &str, requirement: Option<&str>) -> Result<String, String> {
    let mut document = crate::project::toml(manifest)?;
    let mut value = InlineTable::new();
    match requirement {
        Some(requirement) => {
            value.insert("version", requirement.into());
            value.insert("default-features", false.into());
        }
        None => {
            value.insert("workspace", true.into());
        }
    }
    let mut value = Value::InlineTable(value);
    value.decor_mut().set_suffix(MARK);
    let table = document.entry("dev-dependencies").or_insert_with(|| {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        Item::Table(table)
    });
    let table = table.as_table_like_mut().ok_or("its dev-dependencies are no table")?;
    let sorted = is_sorted(table);
    table.insert("insta", Item::Value(value));
    if sorted {
        table.sort_values();
    }
    Ok(document.to_string())
}

/// The manifest without the insta that [`with_insta`] put in; `None` where there is none of ours.
pub(super) fn without_insta(manifest: &str) -> Result<Option<String>, String> {
    let mut document = crate::project::toml(manifest)?;
    let Some(table) = document.get_mut("dev-dependencies").and_then(Item::as_table_like_mut) else {
        return Ok(None);
    };
    let ours = table.get("insta").and_then(Item::as_value).is_some_and(|value| {
        value
            .decor()
            .suffix()
            .and_then(|suffix| suffix.as_str())
            .is_some_and(|suffix| suffix.contains(MARK.trim()))
    });
    if !ours {
        return Ok(None);
    }
    table.remove("insta");
    if table.is_empty() {
        document.remove("dev-dependencies");
    } else if let Some(Item::Table(table)) = document.get_mut("dev-dependencies")
        && table.iter().all(|(_, item)| item.is_table())
    {
        // Only `[dev-dependencies.x]` is left, which needs no `[dev-dependencies]`.
        table.set_implicit(true);
    }
    Ok(Some(document.to_string()))
}

fn is_sorted(table: &dyn TableLike) -> bool {
    let keys: Vec<&str> = table.iter().map(|(key, _)| key).collect();
    keys.is_sorted()
}

/// How a lock file changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct LockChange {
    /// `insta 1.44.3`: packages that are new.
    pub(super) added: Vec<String>,
    /// `libc 0.2.60`: packages that are gone, or are another version now.
    pub(super) lost: Vec<String>,
}

/// Compares lock files by their packages: name, version, source and checksum.
pub(super) fn compare(before: &str, after: &str) -> Result<LockChange, String> {
    let (before, after) = (packages(before)?, packages(after)?);
    let missing = |from: &BTreeMap<Vec<String>, String>, other: &BTreeMap<Vec<String>, String>| {
        from.iter().filter(|(key, _)| !other.contains_key(*key)).map(|(_, name)| name.clone()).collect()
    };
    Ok(LockChange { added: missing(&after, &before), lost: missing(&before, &after) })
}

fn packages(lock: &str) -> Result<BTreeMap<Vec<String>, String>, String> {
    let document = crate::project::toml(lock)?;
    let Some(tables) = document.get("package").and_then(Item::as_array_of_tables) else {
        return Ok(BTreeMap::new());
    };
    let entry = |table: &Table| {
        let field = |name: &str| table.get(name).and_then(Item::as_str).unwrap_or_default().to_owned();
        let key = ["name", "version", "source", "checksum"].map(field).to_vec();
        let name = format!("{} {}", key[0], key[1]);
        (key, name)
    };
    Ok(tables.iter().map(entry).collect())
}

/// The new lock file in the old one's format version: a newer cargo may write another number although no entry
/// needs it (the versions 3 and 4 differ in the spelling of git branches only).
pub(super) fn in_format_of(before: &str, after: &str) -> String {
    let line = |text: &str| text.lines().find(|line| line.starts_with("version = ")).map(str::to_owned);
    match (line(before), line(after)) {
        (Some(old), Some(new)) if old != new && !after.contains("git+") => after.replacen(&new, &old, 1),
        _ => after.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insta_comes_and_goes_without_a_trace() {
        for manifest in [
            "[package]\nname = \"p\"\n",
            "[package]\nname = \"p\"\n\n[dependencies]\nserde = \"1\" # why\n",
            "[package]\nname = \"p\"\n\n[dev-dependencies]\nalpha = \"1\"\nzeta = \"1\"\n\n[lints]\nworkspace = true\n",
            "[package]\nname = \"p\"\n\n[dev-dependencies]\nzeta = \"1\"\n# about alpha\nalpha = \"1\"\n",
            "[package]\nname = \"p\"\n\n[dev-dependencies.serde]\nversion = \"1\"\n",
        ] {
            assert_eq!(present(manifest).unwrap(), Present::No);
            let with = with_insta(manifest, Some("1.45")).unwrap();
            assert!(
                with.contains(
                    "insta = { version = \"1.45\", default-features = false } # added by relapse for accepted outcomes\n"
                ),
                "{with}"
            );
            assert_eq!(present(&with).unwrap(), Present::Yes);
            assert_eq!(without_insta(&with).unwrap().as_deref(), Some(manifest), "{with}");
        }
    }

    #[test]
    fn a_sorted_table_stays_sorted() {
        let with = with_insta("[dev-dependencies]\nalpha = \"1\"\nzeta = \"1\"\n", None).unwrap();
        assert!(
            with.starts_with("[dev-dependencies]\nalpha = \"1\"\ninsta = { workspace = true } #"),
            "{with}"
        );
    }

    #[test]
    fn an_insta_of_the_users_own_stays() {
        let manifest = "[dev-dependencies]\ninsta = \"1\"\n";
        assert_eq!(present(manifest).unwrap(), Present::Yes);
        assert_eq!(without_insta(manifest).unwrap(), None);
        assert!(in_workspace("[workspace.dependencies]\ninsta = \"1\"\n"));
        assert!(!in_workspace("[workspace]\n"));
        assert!(
            with_insta("dev-dependencies = 1", Some("1")).is_err() && with_insta("[", Some("1")).is_err()
        );
    }

    #[test]
    fn a_version_that_moved_is_seen() {
        let lock = |libc: &str, more: &str| {
            format!(
                "version = 3\n\n[[package]]\nname = \"libc\"\nversion = \"{libc}\"\nsource = \"r\"\n{more}"
            )
        };
        let insta = "\n[[package]]\nname = \"insta\"\nversion = \"1.44.3\"\n";
        let change = compare(&lock("0.2.60", ""), &lock("0.2.60", insta)).unwrap();
        assert_eq!(change, LockChange { added: vec!["insta 1.44.3".into()], lost: vec![] });
        let change = compare(&lock("0.2.60", ""), &lock("0.2.191", insta)).unwrap();
        assert_eq!(change.lost, ["libc 0.2.60"]);
    }

    #[test]
    fn the_lock_files_format_stays() {
        assert_eq!(in_format_of("# x\nversion = 3\n", "# x\nversion = 4\na"), "# x\nversion = 3\na");
        assert_eq!(in_format_of("version = 3\n", "version = 4\ngit+x"), "version = 4\ngit+x");
    }
}
