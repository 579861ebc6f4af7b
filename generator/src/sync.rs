//! Wires every regression file found below the packages' `regressions/` folders again, after a merge, a move or
//! an upgrade: the lists in `mod.rs` and the declarations in the modules. Idempotent; changes no test. In: the
//! packages and their files. Out: edits, and what could not be wired.

mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;

use crate::edit::{EditError, EditSet, Tree};
use crate::place::{
    self, Loaded, PlaceError, Site, declarations, declare, holds_code, listed, module_stem, normalized,
    undeclare, update_list,
};
use crate::render::{Templates, Wiring, module_text};

pub use search::ModuleSite;

/// A package, as far as its regressions are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncPackage {
    /// Its name.
    pub name: String,
    /// Its folder, relative to the workspace root (`..` where it is outside).
    pub folder: PathBuf,
    /// Its edition: 2015, 2018, 2021, 2024.
    pub edition: u16,
    /// The root files of its crates (library, programs, tests, examples), relative to its folder.
    pub roots: Vec<PathBuf>,
}

/// A regression that could not be wired, and so does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwired {
    /// Its file, relative to the workspace root.
    pub file: PathBuf,
    /// Why, in words for the user.
    pub reason: String,
}

/// What is to be done, and what cannot be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Synced {
    /// Everything that changes.
    pub edits: EditSet,
    /// How many regression files were found.
    pub regressions: usize,
    /// Those among them that still do not run: *invalid* in a verdict.
    pub unwired: Vec<Unwired>,
    /// Packages (folders) with a regression that calls `insta::`: they need that dev-dependency.
    pub need_insta: Vec<PathBuf>,
}

/// The workspace's packages, and the path dependencies outside of it that the metadata has.
pub fn packages(metadata: &Metadata) -> Vec<SyncPackage> {
    let root = metadata.workspace_root.as_std_path();
    let package = |package: &&cargo_metadata::Package| {
        let folder = package.manifest_path.parent()?.as_std_path();
        let targets = package.targets.iter().filter(|target| !target.is_custom_build());
        let below = |target: &cargo_metadata::Target| place::relative(folder, target.src_path.as_std_path());
        Some(SyncPackage {
            name: package.name.to_string(),
            folder: place::relative(root, folder),
            edition: package.edition.as_str().parse().unwrap_or(2021),
            roots: targets.map(below).collect(),
        })
    };
    let local: Vec<_> = metadata.packages.iter().filter(|package| package.source.is_none()).collect();
    local.iter().filter_map(package).collect()
}

/// Finds what must change so that every regression file below `root` runs again.
pub fn sync(root: &Path, packages: &[SyncPackage], templates: &Templates) -> Result<Synced, PlaceError> {
    let mut tree = Tree::new(root);
    let mut synced = Synced::default();
    for package in packages {
        sync_package(&mut tree, package, templates, &mut synced)?;
    }
    synced.edits = place::finished(tree)?;
    Ok(synced)
}

fn sync_package(
    tree: &mut Tree,
    package: &SyncPackage,
    templates: &Templates,
    synced: &mut Synced,
) -> Result<(), PlaceError> {
    let folders = folders(tree, package)?;
    let declared = tidy_declarations(tree, package, &|folder| folders.contains_key(folder))?;
    for (folder, wirings) in &folders {
        let tests = test_names(tree, folder)?;
        synced.regressions += tests.len();
        if !synced.need_insta.contains(&package.folder) && uses_insta(tree, folder, &tests)? {
            synced.need_insta.push(package.folder.clone());
        }
        let module = wirings.first().map(|wiring| module_text(&wiring.file, &wiring.inline));
        update_list(tree, folder, &module.unwrap_or_default(), package.edition, templates)?;
        if wirings.iter().any(|wiring| place::outside::is_outside(&wiring.file)) {
            place::outside::announce(tree, &package.folder)?;
        }
        if declared.contains(folder) {
            continue;
        }
        if let Err(reason) = wire(tree, package, folder, wirings)? {
            let files = test_names(tree, folder)?;
            let unwired = files
                .iter()
                .map(|name| Unwired { file: folder.join(format!("{name}.rs")), reason: reason.clone() });
            synced.unwired.extend(unwired);
        }
    }
    // A list whose last test is gone.
    for list in empty_lists(tree, package, &folders)? {
        tree.write(&list, None)?;
    }
    Ok(())
}

/// The folders below `regressions/` that hold tests, constructors or somebody's own code, with the wiring of each file
/// that has one.
fn folders(tree: &Tree, package: &SyncPackage) -> Result<BTreeMap<PathBuf, Vec<Wiring>>, EditError> {
    let mut folders: BTreeMap<PathBuf, Vec<Wiring>> = BTreeMap::new();
    for file in tree.walk(&package.folder.join("regressions"))? {
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let folder = file.parent().unwrap_or(Path::new("")).to_owned();
        // A file without the line may be a person's own, which a list names, or the data of a test.
        if file.ends_with("mod.rs") {
            if holds_code(tree, &folder)? {
                folders.entry(folder).or_default();
            }
        } else if let Some(wiring) = tree.read_text(&file)?.as_deref().and_then(Wiring::read_any) {
            folders.entry(folder).or_default().push(wiring);
        }
    }
    Ok(folders)
}

/// Takes out the declarations that lead nowhere (their file was moved, say) or to a folder without tests.
/// Returns the folders that are declared.
pub(crate) fn tidy_declarations(
    tree: &mut Tree,
    package: &SyncPackage,
    holds_tests: &dyn Fn(&Path) -> bool,
) -> Result<BTreeSet<PathBuf>, PlaceError> {
    let mine = package.folder.join("regressions");
    // What leads into another package's regressions is that package's business, and so is what lies outside.
    let keep = |loaded: &Loaded| match &loaded.folder {
        Some(folder) if folder.starts_with(&mine) => holds_tests(folder),
        _ => loaded.exists,
    };
    let mut declared = BTreeSet::new();
    for file in search::sources(tree, package)? {
        let site = Site {
            package_folder: &package.folder,
            file: &file,
            inline: &[],
            edition: package.edition,
            hint: None,
        };
        undeclare(tree, &site, &keep)?;
        declared.extend(declarations(tree, &site)?.into_iter().filter_map(|loaded| loaded.folder));
    }
    Ok(declared)
}

/// Declares a folder in the module that its tests were written for. `Ok(Err(reason))`: it cannot be.
fn wire(
    tree: &mut Tree,
    package: &SyncPackage,
    folder: &Path,
    wirings: &[Wiring],
) -> Result<Result<(), String>, PlaceError> {
    let mut reason = "its header names no module".to_owned();
    let mut tried: Vec<(PathBuf, &[String])> = Vec::new();
    for wiring in wirings {
        let key = (module_stem(&wiring.file), wiring.inline.as_slice());
        if tried.contains(&key) {
            continue;
        }
        tried.push(key);
        let hint = wiring.target.rsplit("::").next();
        for ModuleSite { file, inline } in search::candidates(tree, package, wiring)? {
            let site = Site {
                package_folder: &package.folder,
                file: &file,
                inline: &inline,
                edition: package.edition,
                hint,
            };
            match declare(tree, &site, folder) {
                Ok(_) => return Ok(Ok(())),
                Err(PlaceError::Edit(error)) => return Err(error.into()),
                Err(error) => reason = error.to_string(),
            }
        }
        if tried.len() == 1 && reason.starts_with("its header") {
            let module = module_text(&wiring.file, &wiring.inline);
            reason = format!("its module {module} is gone, and {} leads to no other", wiring.target);
        }
    }
    Ok(Err(reason))
}

/// The regressions of a folder: its modules without the constructors.
fn test_names(tree: &Tree, folder: &Path) -> Result<BTreeSet<String>, EditError> {
    let mut names = listed(tree, folder)?;
    for name in names.clone() {
        let text = tree.read_text(&folder.join(format!("{name}.rs")))?;
        if text.as_deref().is_none_or(|text| Wiring::read_constructor(text).is_some()) {
            names.remove(&name);
        }
    }
    Ok(names)
}

fn uses_insta(tree: &Tree, folder: &Path, tests: &BTreeSet<String>) -> Result<bool, EditError> {
    for name in tests {
        let text = tree.read_text(&folder.join(format!("{name}.rs")))?;
        if text.is_some_and(|text| calls_insta(&text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a test's code names insta.
pub(crate) fn calls_insta(text: &str) -> bool {
    text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains("insta::"))
}

/// The `mod.rs` files below `regressions/` that list nothing that is there, and hold nothing else.
fn empty_lists(
    tree: &Tree,
    package: &SyncPackage,
    folders: &BTreeMap<PathBuf, Vec<Wiring>>,
) -> Result<Vec<PathBuf>, EditError> {
    let mut lists = Vec::new();
    for file in tree.walk(&package.folder.join("regressions"))? {
        let folder = file.parent().unwrap_or(Path::new(""));
        if file.ends_with("mod.rs") && !folders.contains_key(folder) {
            lists.push(normalized(&file));
        }
    }
    Ok(lists)
}

#[cfg(test)]
mod tests;
