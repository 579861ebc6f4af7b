//! The declaration that joins a folder of regressions to its module: which form it takes, what one that is
//! there loads, and the edits that put it in and take it out.

use std::path::{Path, PathBuf};

use proc_macro2::Literal;

use super::source::{Declared, Loads, Module, Source, SourceError, append, newline_of};
use super::{PlaceError, outside};
use crate::edit::{Owner, Tree};
use crate::paths::{normalized, relative};
use crate::regression::ModulePlace;

/// A module, as far as its declaration is concerned.
pub(crate) struct Site<'a> {
    /// The package's folder, relative to the root.
    pub(crate) package_folder: &'a Path,
    /// The source file, relative to the package's folder.
    pub(crate) file: &'a Path,
    /// Inline modules, outermost first.
    pub(crate) inline: &'a [String],
    /// The crate's edition.
    pub(crate) edition: u16,
    /// A function that the module holds, where several have its name.
    pub(crate) hint: Option<&'a str>,
}

impl<'a> Site<'a> {
    pub(crate) fn of(module: &'a ModulePlace, hint: Option<&'a str>) -> Self {
        Self {
            package_folder: &module.package_folder,
            file: &module.file,
            inline: &module.inline,
            edition: module.edition,
            hint,
        }
    }

    /// The source file, relative to the root.
    fn path(&self) -> PathBuf {
        normalized(&self.package_folder.join(self.file))
    }

    fn read(&self, tree: &Tree) -> Result<String, PlaceError> {
        match tree.read_text(&self.path())? {
            Some(text) => Ok(text),
            None if outside::is_outside(self.file) => Ok(outside::HEAD.to_owned()),
            None => Err(PlaceError::NoFile(self.path())),
        }
    }

    fn error(&self, error: SourceError) -> PlaceError {
        match error {
            SourceError::Syntax(reason) => PlaceError::Syntax { file: self.path(), reason },
            SourceError::NoModule => {
                PlaceError::NoModule { file: self.path(), module: self.inline.join("::") }
            }
        }
    }

    /// The folder, without links, in which rustc looks for what the file's `#[path]` names.
    fn real_folder(&self, tree: &Tree) -> Result<PathBuf, PlaceError> {
        let path = self.path();
        let folder = path.parent().unwrap_or(Path::new(""));
        if outside::is_outside(self.file) && !tree.root().join(folder).exists() {
            // Made together with the file.
            return Ok(tree.real_folder(self.package_folder)?.join(outside::FOLDER));
        }
        Ok(tree.real_folder(folder)?)
    }
}

/// The folder, relative to the root, that the module declares already.
pub(super) fn declared_folder(tree: &Tree, site: &Site<'_>) -> Result<Option<PathBuf>, PlaceError> {
    let text = site.read(tree)?;
    match Source::parse(&text) {
        Ok(source) => {
            let module = source.module(site.inline, site.hint).map_err(|error| site.error(error))?;
            for declared in module.all_declared() {
                let loaded = loaded(tree, site, &declared.loads)?;
                // One that leads elsewhere and to nothing was broken by a move; `sync` takes it out.
                let ours = |folder: &PathBuf| {
                    loaded.exists || folder.starts_with(site.package_folder.join("regressions"))
                };
                if let Some(folder) = loaded.folder.clone().filter(ours) {
                    return Ok(Some(folder));
                }
            }
            Ok(None)
        }
        Err(_) if site.inline.is_empty() => match textual(&text) {
            Some(loads) => Ok(loaded(tree, site, &loads)?.folder),
            None => Ok(None),
        },
        Err(error) => Err(site.error(error)),
    }
}

/// What a declaration leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// The folder of the `mod.rs`, relative to the root; `None` where it lies outside.
    pub(crate) folder: Option<PathBuf>,
    /// Whether the `mod.rs` is there.
    pub(crate) exists: bool,
}

/// What the declarations of a source file lead to.
pub(crate) fn declarations(tree: &Tree, site: &Site<'_>) -> Result<Vec<Loaded>, PlaceError> {
    let text = site.read(tree)?;
    let Ok(source) = Source::parse(&text) else {
        return textual(&text).iter().map(|loads| loaded(tree, site, loads)).collect();
    };
    let mut found = Vec::new();
    for inline in source.inline_modules() {
        let Ok(module) = source.module(&inline, None) else { continue };
        for declared in module.all_declared() {
            found.push(loaded(tree, site, &declared.loads)?);
        }
    }
    Ok(found)
}

/// Makes sure that the module declares the folder (relative to the root). Returns the declared module's name.
pub(crate) fn declare(tree: &mut Tree, site: &Site<'_>, folder: &Path) -> Result<String, PlaceError> {
    let text = site.read(tree)?;
    let source = match Source::parse(&text) {
        Ok(source) => source,
        // Syntax that is newer than the parser: the file's own module ends where the file ends.
        Err(SourceError::Syntax(_)) if site.inline.is_empty() => {
            let name = "regressions".to_owned();
            if textual(&text).is_none() {
                let lines = declaration(tree, site, folder, &name)?;
                save(tree, site, append(&text, &lines, newline_of(&text)))?;
            }
            return Ok(name);
        }
        Err(error) => return Err(site.error(error)),
    };
    let module = source.module(site.inline, site.hint).map_err(|error| site.error(error))?;
    for declared in module.all_declared() {
        if loaded(tree, site, &declared.loads)?.folder.as_deref() == Some(folder) {
            return Ok(declared.name);
        }
    }
    let name = module.free_name().ok_or_else(|| PlaceError::NamesTaken(site.path()))?;
    let after = module.insert(&declaration(tree, site, folder, name)?);
    save(tree, site, after)?;
    Ok(name.to_owned())
}

/// Takes out each declaration of the file for which `keep` does not hold, and any second one of the same folder
/// in the same module (both sides of a merge brought it).
pub(crate) fn undeclare(
    tree: &mut Tree,
    site: &Site<'_>,
    keep: &dyn Fn(&Loaded) -> bool,
) -> Result<(), PlaceError> {
    // One at a time: each edit moves what follows it.
    loop {
        let text = site.read(tree)?;
        let Ok(source) = Source::parse(&text) else { return Ok(()) };
        let Some((module, declared)) = first_stale(tree, site, &source, keep)? else { return Ok(()) };
        let after = module.remove(&declared);
        if after == text {
            return Ok(());
        }
        if outside::is_outside(site.file) && outside::take_back(tree, site.package_folder, &after)? {
            return Ok(());
        }
        save(tree, site, after)?;
    }
}

fn first_stale<'a>(
    tree: &Tree,
    site: &Site<'_>,
    source: &'a Source<'a>,
    keep: &dyn Fn(&Loaded) -> bool,
) -> Result<Option<(Module<'a>, Declared)>, PlaceError> {
    for inline in source.inline_modules() {
        let Ok(module) = source.module(&inline, None) else { continue };
        let mut kept = Vec::new();
        for declared in module.all_declared() {
            let loaded = loaded(tree, site, &declared.loads)?;
            if !keep(&loaded) || kept.contains(&loaded) {
                return Ok(Some((module, declared)));
            }
            kept.push(loaded);
        }
    }
    Ok(None)
}

fn save(tree: &mut Tree, site: &Site<'_>, after: String) -> Result<(), PlaceError> {
    tree.write_source(&site.path(), after, Owner::User, site.edition)?;
    if outside::is_outside(site.file) { outside::announce(tree, site.package_folder) } else { Ok(()) }
}

fn loaded(tree: &Tree, site: &Site<'_>, loads: &Loads) -> Result<Loaded, PlaceError> {
    let path = match loads {
        Loads::Package(path) => normalized(&site.package_folder.join(path)),
        Loads::Path(path) => {
            let absolute = normalized(&site.real_folder(tree)?.join(path));
            match strip_root(tree, site, &absolute)? {
                Some(path) => path,
                None => return Ok(Loaded { folder: None, exists: absolute.exists() }),
            }
        }
    };
    Ok(Loaded { folder: path.parent().map(Path::to_owned), exists: tree.read(&path)?.is_some() })
}

/// An absolute path relative to the root, also where the package lies outside of it.
fn strip_root(tree: &Tree, site: &Site<'_>, path: &Path) -> Result<Option<PathBuf>, PlaceError> {
    let package = tree.real_folder(site.package_folder)?;
    if let Ok(below) = path.strip_prefix(package) {
        return Ok(Some(site.package_folder.join(below)));
    }
    let root = tree.real_folder(Path::new(""))?;
    Ok(path.strip_prefix(root).ok().map(Path::to_owned))
}

/// The declaration's lines. `#[path]` where it reaches the folder by a plain way; `include!` from an inline
/// module (which `#[path]` cannot leave) and from a folder behind a symbolic link (whose `..` is another one).
fn declaration(tree: &Tree, site: &Site<'_>, folder: &Path, name: &str) -> Result<Vec<String>, PlaceError> {
    let package = tree.real_folder(site.package_folder)?;
    let source_folder = site.real_folder(tree)?;
    let plain = normalized(&package.join(site.file));
    let below = folder.strip_prefix(site.package_folder).unwrap_or(folder).join("mod.rs");
    if site.inline.is_empty() && plain.parent() == Some(source_folder.as_path()) {
        let path = relative(&source_folder, &package.join(&below));
        let path = slashed(&path)?;
        return Ok(vec![
            "#[cfg(test)]".to_owned(),
            format!("#[path = {}]", Literal::string(&path)),
            format!("mod {name};"),
        ]);
    }
    let path = Literal::string(&format!("/{}", slashed(&below)?));
    Ok(vec![
        "#[cfg(test)]".to_owned(),
        format!("mod {name} {{"),
        format!("    include!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path}));"),
        "}".to_owned(),
    ])
}

fn slashed(path: &Path) -> Result<String, PlaceError> {
    let parts: Option<Vec<&str>> = path.components().map(|part| part.as_os_str().to_str()).collect();
    parts
        .map(|parts| parts.join("/"))
        .ok_or_else(|| PlaceError::Unusable(format!("{} cannot be written in a source file", path.display())))
}

/// The declaration of a file that cannot be parsed: our three lines, as they were written.
fn textual(text: &str) -> Option<Loads> {
    let lines: Vec<&str> = text.lines().collect();
    lines.windows(2).find_map(|pair| {
        let path = pair[0].strip_prefix("#[path = \"")?.strip_suffix("\"]")?;
        (pair[1] == "mod regressions;" && path.contains("regressions/") && !path.contains('\\'))
            .then(|| Loads::Path(path.to_owned()))
    })
}
