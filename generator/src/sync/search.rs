//! Where a regression's module is now: by its file, by the other name that file may have, by its path from the
//! crates' roots.

use std::path::{Path, PathBuf};

use syn::{Expr, Item, Lit, Meta};

use super::SyncPackage;
use crate::edit::{EditError, Entry, Tree};
use crate::place::{Source, module_stem, normalized, outside};
use crate::render::Wiring;

/// Folders of a package that hold no source of it.
const SKIPPED: [&str; 3] = ["target", "regressions", "node_modules"];
/// Modules nest no deeper than this in a path that is followed.
const MAX_DEPTH: usize = 64;

/// A module: a file of the package, and inline modules within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleSite {
    /// Relative to the package's folder.
    pub file: PathBuf,
    /// Outermost first.
    pub inline: Vec<String>,
}

/// The package's Rust files, relative to its folder; not those of packages within it.
pub(super) fn sources(tree: &Tree, package: &SyncPackage) -> Result<Vec<PathBuf>, EditError> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let at = package.folder.join(&folder);
        let entries = tree.list(&at)?;
        let inner = entries.iter().any(|(name, _)| name == "Cargo.toml") && !folder.as_os_str().is_empty();
        if inner {
            continue;
        }
        for (name, entry) in entries {
            match entry {
                Entry::Folder if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) => {
                    folders.push(folder.join(name));
                }
                Entry::File if Path::new(&name).extension().is_some_and(|extension| extension == "rs") => {
                    files.push(folder.join(name));
                }
                _ => {}
            }
        }
    }
    // Files outside the package's folder or behind a link are seen where a root leads to them.
    for root in &package.roots {
        if !files.contains(root) && tree.read(&normalized(&package.folder.join(root)))?.is_some() {
            files.push(root.clone());
        }
    }
    files.sort();
    let mut declaring = Vec::new();
    for file in files {
        let text = tree.read_text(&normalized(&package.folder.join(&file)))?;
        if text.is_some_and(|text| text.contains("regressions/")) {
            declaring.push(file);
        }
    }
    Ok(declaring)
}

/// Where the module of a regression may be, best first; each of them exists.
pub(super) fn candidates(
    tree: &Tree,
    package: &SyncPackage,
    wiring: &Wiring,
) -> Result<Vec<ModuleSite>, EditError> {
    let mut found = Vec::new();
    let stem = module_stem(&wiring.file);
    for file in [wiring.file.clone(), stem.with_extension("rs"), stem.join("mod.rs")] {
        let site = ModuleSite { file, inline: wiring.inline.clone() };
        if !found.contains(&site) && holds(tree, package, &site)? {
            found.push(site);
        }
    }
    // The path that the file's name stands for, then what is left of the target without its last names (a
    // function, its type).
    let mut paths = vec![path_of(&stem, &wiring.inline)];
    let target: Vec<&str> = wiring.target.split("::").collect();
    if let Some((&"crate", path)) = target.split_first() {
        for length in (0..path.len()).rev().take(2) {
            paths.push(path[..length].iter().map(|&name| name.to_owned()).collect());
        }
    }
    let roots = same_kind_first(&package.roots, &wiring.file);
    for path in paths {
        // The crate's root holds everything; it says something only where the module was a root itself.
        if path.is_empty() && !roots.contains(&wiring.file) && !is_root_name(&wiring.file) {
            continue;
        }
        for root in &roots {
            let site = follow(tree, package, root, &path)?;
            found.extend(site.filter(|site| !found.contains(site)));
        }
    }
    Ok(found)
}

/// Whether the file is there and has these inline modules.
fn holds(tree: &Tree, package: &SyncPackage, site: &ModuleSite) -> Result<bool, EditError> {
    let Some(text) = tree.read_text(&normalized(&package.folder.join(&site.file)))? else {
        // That one is ours to make.
        return Ok(outside::is_outside(&site.file));
    };
    Ok(site.inline.is_empty()
        || Source::parse(&text).is_ok_and(|source| source.module(&site.inline, None).is_ok()))
}

fn is_root_name(file: &Path) -> bool {
    matches!(file.to_str(), Some("src/lib.rs" | "src/main.rs"))
}

/// `["a", "b"]` for `src/a/b`, `[]` for `src/lib`.
fn path_of(stem: &Path, inline: &[String]) -> Vec<String> {
    let mut path: Vec<String> = stem.iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect();
    if path.len() == 1 && (path[0] == "lib" || path[0] == "main") {
        path.clear();
    }
    path.extend(inline.iter().cloned());
    path
}

/// Roots below the same first folder come first: `src/lib.rs` for what was in `src/`.
fn same_kind_first(roots: &[PathBuf], file: &Path) -> Vec<PathBuf> {
    let first = file.iter().next();
    let (mut same, other): (Vec<PathBuf>, Vec<PathBuf>) =
        roots.iter().cloned().partition(|root| root.iter().next() == first);
    if same.is_empty() {
        same = other;
    }
    same
}

/// The module at `path` from a crate's root, by its `mod` items.
fn follow(
    tree: &Tree,
    package: &SyncPackage,
    root: &Path,
    path: &[String],
) -> Result<Option<ModuleSite>, EditError> {
    if path.len() > MAX_DEPTH {
        return Ok(None);
    }
    let mut site = ModuleSite { file: root.to_owned(), inline: Vec::new() };
    // The folder in which `mod x;` of the current file is looked up.
    let mut folder = root.parent().unwrap_or(Path::new("")).to_owned();
    for name in path {
        let Some(text) = tree.read_text(&normalized(&package.folder.join(&site.file)))? else {
            return Ok(None);
        };
        let Ok(source) = Source::parse(&text) else { return Ok(None) };
        let Ok(module) = source.module(&site.inline, None) else { return Ok(None) };
        let item = module.items().iter().find_map(|item| match item {
            Item::Mod(item) if item.ident == name.as_str() => Some(item),
            _ => None,
        });
        let Some(item) = item else { return Ok(None) };
        if item.content.is_some() {
            site.inline.push(name.clone());
            continue;
        }
        let within: PathBuf = site.inline.iter().collect();
        let named = path_attribute(&item.attrs).map(|path| {
            let from = site.file.parent().unwrap_or(Path::new(""));
            // Within an inline module `#[path]` goes through the folder of its name.
            if site.inline.is_empty() { from.join(path) } else { folder.join(&within).join(path) }
        });
        let folder_of = folder.join(&within).join(name);
        let mut file = named.as_deref().map(normalized);
        for there in [folder_of.with_extension("rs"), folder_of.join("mod.rs")] {
            if file.is_none() && tree.read(&normalized(&package.folder.join(&there)))?.is_some() {
                file = Some(there);
            }
        }
        let Some(file) = file else { return Ok(None) };
        // A file that `#[path]` names is as a mod.rs: its modules lie beside it.
        folder = match &named {
            Some(_) => file.parent().unwrap_or(Path::new("")).to_owned(),
            None => folder_of,
        };
        site = ModuleSite { file, inline: Vec::new() };
    }
    let there = tree.read(&normalized(&package.folder.join(&site.file)))?.is_some();
    Ok(there.then_some(site))
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}
