//! Takes a regression and every edit made for it back: its file, data and accepted outcomes, the constructors that
//! only it called, its line in the list, and, with the last one, the list and the declaration. Out: edits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::edit::{EditSet, Tree};
use crate::place::{PlaceError, finished, holds_code, uncalled, update_list};
use crate::render::{Templates, Wiring, module_text};
use crate::sync::{SyncPackage, tidy_declarations};

/// Why a regression cannot be removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// There is none of that name.
    #[error("failed to remove regression {0:?}: no package of the workspace has it")]
    Unknown(String),
    /// There are several.
    #[error("failed to remove regression {name:?}: it is not the only one, say which file: {}", list(files))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their files.
        files: Vec<PathBuf>,
    },
    /// An edit could not be made.
    #[error(transparent)]
    Place(#[from] PlaceError),
}

fn list(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// A regression to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Everything that changes.
    pub edits: EditSet,
    /// Its file, relative to the workspace root.
    pub file: PathBuf,
    /// Its package's folder.
    pub package_folder: PathBuf,
    /// Whether no regression of that package calls insta any more, so that the dev-dependency that was added
    /// for them can go too.
    pub last_with_insta: bool,
}

/// Finds what taking back the regression `name` changes: a test's name, or its file relative to the root.
pub fn remove(
    name: &str,
    root: &Path,
    packages: &[SyncPackage],
    templates: &Templates,
) -> Result<Removal, RemoveError> {
    let mut tree = Tree::new(root);
    let (package, file) = find(name, &tree, packages)?;
    let removal = take_out(&mut tree, package, &file, templates)?;
    Ok(Removal { edits: finished(tree)?, ..removal })
}

fn find<'a>(
    name: &str,
    tree: &Tree,
    packages: &'a [SyncPackage],
) -> Result<(&'a SyncPackage, PathBuf), RemoveError> {
    let mut found = Vec::new();
    for package in packages {
        let files = tree.walk(&package.folder.join("regressions")).map_err(PlaceError::from)?;
        for file in files {
            let stem = file.file_stem().and_then(|stem| stem.to_str());
            let is_test = file.extension().is_some_and(|extension| extension == "rs") && stem != Some("mod");
            if is_test && (stem == Some(name) || file == Path::new(name)) {
                // Data beside a test may be Rust too; only what a list could name is a test.
                let folder = file.parent().unwrap_or(Path::new(""));
                let has_list = tree.read(&folder.join("mod.rs")).map_err(PlaceError::from)?.is_some();
                // A constructor goes with the last test that calls it.
                let text = tree.read_text(&file).map_err(PlaceError::from)?;
                let is_constructor = text.as_deref().and_then(Wiring::read_constructor).is_some();
                if has_list && !is_constructor {
                    found.push((package, file));
                }
            }
        }
    }
    match found.len() {
        0 => Err(RemoveError::Unknown(name.to_owned())),
        1 => Ok(found.remove(0)),
        _ => Err(RemoveError::Ambiguous {
            name: name.to_owned(),
            files: found.into_iter().map(|(_, file)| file).collect(),
        }),
    }
}

fn take_out(
    tree: &mut Tree,
    package: &SyncPackage,
    file: &Path,
    templates: &Templates,
) -> Result<Removal, PlaceError> {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let text = tree.read_text(file)?.unwrap_or_default();
    let had_insta = crate::sync::calls_insta(&text);
    let module =
        Wiring::read(&text).map(|wiring| module_text(&wiring.file, &wiring.inline)).unwrap_or_default();
    let idle = uncalled(tree, &package.folder)?;
    let mut touched = BTreeMap::from([(folder.clone(), module)]);
    tree.write(file, None)?;
    for data in tree.walk(&folder.join(&name))? {
        tree.write(&data, None)?;
    }
    // insta: `CRATE__a__regressions__NAME__FUNCTION.snap`, and the pending `.snap.new`.
    let part = format!("regressions__{name}__");
    for snapshot in tree.walk(&folder.join("snapshots"))? {
        if snapshot.file_name().is_some_and(|file| file.to_string_lossy().contains(&part)) {
            tree.write(&snapshot, None)?;
        }
    }
    // Those that nobody called before are not this test's business.
    for file in uncalled(tree, &package.folder)?.into_iter().filter(|file| !idle.contains(file)) {
        let wiring = tree.read_text(&file)?.as_deref().and_then(Wiring::read_constructor);
        let module = wiring.map(|wiring| module_text(&wiring.file, &wiring.inline)).unwrap_or_default();
        tree.write(&file, None)?;
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        touched.entry(folder).or_insert(module);
    }
    let mut empty = Vec::new();
    for (folder, module) in touched {
        update_list(tree, &folder, &module, package.edition, templates)?;
        if !holds_code(tree, &folder)? {
            empty.push(folder);
        }
    }
    if !empty.is_empty() {
        tidy_declarations(tree, package, &|other| !empty.iter().any(|folder| folder == other))?;
    }
    let last_with_insta = had_insta && !any_insta(tree, package)?;
    Ok(Removal {
        edits: EditSet::default(),
        file: file.to_owned(),
        package_folder: package.folder.clone(),
        last_with_insta,
    })
}

fn any_insta(tree: &Tree, package: &SyncPackage) -> Result<bool, PlaceError> {
    for file in tree.walk(&package.folder.join("regressions"))? {
        if file.extension().is_some_and(|extension| extension == "rs") {
            let text = tree.read_text(&file)?;
            if text.is_some_and(|text| crate::sync::calls_insta(&text)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
