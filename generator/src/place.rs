//! Where a test stands: files below `PACKAGE/regressions/`, which mirrors the package's source, and one
//! declaration in the module that holds the target. In: regressions and a tree to read. Out: edits. Nothing is
//! written here.

mod constructor;
mod error;
mod format;
mod harness;
mod list;
pub(crate) mod outside;
pub mod source;
mod wire;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::edit::{EditError, EditSet, Entry, FileEdit, Owner, Tree};
use crate::hostile::is_keyword_of;
use crate::regression::{ModulePlace, Regression};
use crate::render::{Templates, Wiring, module_text, render};

pub(crate) use crate::paths::{normalized, relative};
pub(crate) use constructor::uncalled;
pub use error::PlaceError;
use format::formatted;
pub(crate) use format::{finished, kept_clean};
pub use harness::{HarnessTarget, has_harness};
pub(crate) use source::Source;
pub(crate) use wire::{Loaded, Site, declarations, declare, undeclare};

/// Names that a test's file must not have beside a `mod.rs` and insta's folder.
const RESERVED: [&str; 2] = ["mod", "snapshots"];

/// A regression in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its name there: the one it had, or `NAME_2` where that was taken.
    pub name: String,
    /// Its file, relative to the workspace root.
    pub file: PathBuf,
    /// libtest's path: `a::b::regressions::NAME::NAME`.
    pub test: String,
    /// The file's text, formatted.
    pub text: String,
    /// The files of the constructors that it calls, relative to the workspace root.
    pub constructors: Vec<PathBuf>,
}

/// Regressions in their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placement {
    /// Everything that changes.
    pub edits: EditSet,
    /// One for each regression, in their order.
    pub placed: Vec<Placed>,
}

/// Puts regressions in place below the workspace at `root`. A regression that is there already, with the same
/// snapshot and target, is replaced; another one of its name is not. Where the same test is there from another
/// snapshot, it is left as it is, and stands for this one.
pub fn edits(
    regressions: &[Regression],
    root: &Path,
    templates: &Templates,
) -> Result<Placement, PlaceError> {
    let mut tree = Tree::new(root);
    let mut placed: Vec<Placed> = Vec::new();
    for regression in regressions {
        let taken = placed.iter().map(|placed| placed.file.clone()).collect();
        placed.push(place_one(&mut tree, regression, templates, &taken)?);
    }
    let edits = finished(tree)?;
    for placed in &mut placed {
        if let Some(text) = edits.get(&placed.file).and_then(FileEdit::text) {
            placed.text = text.to_owned();
        }
    }
    Ok(Placement { edits, placed })
}

/// libtest's path of a regression of this name, were it placed now: `a::b::regressions::NAME::NAME`.
pub fn test_path(module: &ModulePlace, name: &str, root: &Path) -> Result<String, PlaceError> {
    let mut tree = Tree::new(root);
    let folder = home(&tree, module, None)?;
    let declared = declare(&mut tree, &Site::of(module, None), &folder)?;
    Ok(join_test_path(module, &declared, name))
}

fn place_one(
    tree: &mut Tree,
    regression: &Regression,
    templates: &Templates,
    taken: &BTreeSet<PathBuf>,
) -> Result<Placed, PlaceError> {
    let module = &regression.module;
    let hint = regression.header.target.rsplit("::").next();
    let folder = home(tree, module, hint)?;
    let declared = declare(tree, &Site::of(module, hint), &folder)?;
    let (name, text) = match present(tree, regression, &folder, templates)? {
        Some(there) => there,
        None => write_test(tree, regression, &folder, templates, taken)?,
    };
    update_list(tree, &folder, &module_text(&module.file, &module.inline), module.edition, templates)?;
    let constructors = place_constructors(tree, regression, templates)?;
    let file = folder.join(format!("{name}.rs"));
    Ok(Placed { test: join_test_path(module, &declared, &name), name, file, text, constructors })
}

/// Writes a test's file and its data; gives its name and its text.
fn write_test(
    tree: &mut Tree,
    regression: &Regression,
    folder: &Path,
    templates: &Templates,
    taken: &BTreeSet<PathBuf>,
) -> Result<(String, String), PlaceError> {
    let name = free_name(tree, regression, folder, taken)?;
    let text = render(&renamed(regression, &name), templates)?;
    tree.write_source(
        &folder.join(format!("{name}.rs")),
        text.clone(),
        Owner::Us,
        regression.module.edition,
    )?;
    let data = folder.join(&name);
    for stale in tree.walk(&data)? {
        tree.write(&stale, None)?;
    }
    let mut names = BTreeSet::new();
    for side in &regression.side_files {
        if !is_file_name(&side.name) {
            return Err(PlaceError::Unusable(format!("{:?} is no file name", side.name)));
        }
        if !names.insert(&side.name) {
            return Err(PlaceError::Unusable(format!("two files of one test have the name {:?}", side.name)));
        }
        tree.write(&data.join(&side.name), Some(side.bytes.clone()))?;
    }
    Ok((name, text))
}

/// Puts the constructors that a test calls in place.
fn place_constructors(
    tree: &mut Tree,
    regression: &Regression,
    templates: &Templates,
) -> Result<Vec<PathBuf>, PlaceError> {
    let constructors = regression.constructors.iter();
    constructors.map(|constructor| constructor::place_constructor(tree, constructor, templates)).collect()
}

/// The same test made of an earlier snapshot, with its text: the crash was met on another way, or again.
fn present(
    tree: &Tree,
    regression: &Regression,
    folder: &Path,
    templates: &Templates,
) -> Result<Option<(String, String)>, PlaceError> {
    let at = tree.root().join(folder);
    for name in module_names(tree, folder)? {
        let Some(text) = tree.read_text(&folder.join(format!("{name}.rs")))? else { continue };
        let numbered = name.strip_prefix(&regression.name).is_some_and(|end| {
            end.is_empty() || end.strip_prefix('_').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        });
        let same_target = Wiring::read(&text).is_some_and(|w| w.target == regression.header.target);
        if !numbered || !same_target {
            continue;
        }
        let own = render(&renamed(regression, &name), templates)?;
        let own = formatted(&own, &at, regression.module.edition).unwrap_or(own);
        let data = folder.join(&name);
        let mut same = below_header(&own) == below_header(&text);
        same &= tree.walk(&data)?.len() == regression.side_files.len();
        for side in &regression.side_files {
            same = same && tree.read(&data.join(&side.name))?.as_deref() == Some(&side.bytes);
        }
        if same {
            return Ok(Some((name, text)));
        }
    }
    Ok(None)
}

/// A test's text without the comment lines at its start, which name the snapshot.
fn below_header(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// A module whose name is a keyword is called `r#type` there, too: rustc's test harness writes identifiers as they have to
/// be written.
fn join_test_path(module: &ModulePlace, declared: &str, name: &str) -> String {
    let written = |part: &String| {
        if is_keyword_of(part, module.edition) { format!("r#{part}") } else { part.clone() }
    };
    let mut parts: Vec<String> = module.module_path.iter().map(written).collect();
    parts.extend([declared, name, name].map(str::to_owned));
    parts.join("::")
}

/// Makes a folder's `mod.rs` list what belongs there; removes it where that is nothing and nobody wrote into it.
pub(crate) fn update_list(
    tree: &mut Tree,
    folder: &Path,
    module: &str,
    edition: u16,
    templates: &Templates,
) -> Result<(), PlaceError> {
    let path = folder.join("mod.rs");
    let present = tree.read_text(&path)?;
    let wanted = listed(tree, folder)?;
    let (text, owner) = match present.as_deref() {
        None if wanted.is_empty() => return Ok(()),
        Some(text) if wanted.is_empty() && list::is_bare(text) => return Ok(tree.write(&path, None)?),
        present => match present.and_then(|text| Some((text, list::with_names(text, &wanted)?))) {
            Some((before, after)) if after.lines().eq(before.lines()) => return Ok(()),
            Some((_, after)) => (after, Owner::User),
            None => {
                let head = format!("{}\n", templates.mod_head(module)?);
                (list::with_names(&head, &wanted).unwrap_or(head), Owner::Us)
            }
        },
    };
    Ok(tree.write_source(&path, text, owner, edition)?)
}

/// What a folder's `mod.rs` is to list: in a folder of ours each file that can be a module, in somebody else's what
/// is listed there and is there. A folder of modules stays listed in both.
pub(crate) fn listed(tree: &Tree, folder: &Path) -> Result<BTreeSet<String>, EditError> {
    let list = tree.read_text(&folder.join("mod.rs"))?;
    let before = list.as_deref().map(list::names).unwrap_or_default();
    let mut names = module_names(tree, folder)?;
    if !is_ours(tree, folder, list.as_deref(), &names)? {
        names.retain(|name| before.contains(name));
    }
    for name in before {
        if tree.exists(&folder.join(&name).join("mod.rs"))? {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Whether a folder holds regressions or constructors, or held some: its list has our head.
fn is_ours(
    tree: &Tree,
    folder: &Path,
    list: Option<&str>,
    names: &BTreeSet<String>,
) -> Result<bool, EditError> {
    if list.is_some_and(|text| text.contains(list::OURS)) {
        return Ok(true);
    }
    for name in names {
        let text = tree.read_text(&folder.join(format!("{name}.rs")))?;
        if text.as_deref().and_then(Wiring::read_any).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a folder has something to be compiled: a list that names something, or in which somebody wrote code.
pub(crate) fn holds_code(tree: &Tree, folder: &Path) -> Result<bool, EditError> {
    let list = tree.read_text(&folder.join("mod.rs"))?;
    Ok(!listed(tree, folder)?.is_empty() || list.is_some_and(|text| !list::is_bare(&text)))
}

/// The names of a folder's files that can be modules.
pub(crate) fn module_names(tree: &Tree, folder: &Path) -> Result<BTreeSet<String>, EditError> {
    let entries = tree.list(folder)?;
    let names = entries.into_iter().filter(|(_, entry)| *entry == Entry::File);
    Ok(names
        .filter_map(|(name, _)| name.strip_suffix(".rs").map(str::to_owned))
        .filter(|name| name != "mod" && syn::parse_str::<syn::Ident>(name).is_ok())
        .collect())
}

/// The folder of a module's regressions, relative to the root: the one it declares, else the one that mirrors
/// its file, with a number behind where another module has that.
fn home(tree: &Tree, module: &ModulePlace, hint: Option<&str>) -> Result<PathBuf, PlaceError> {
    if let Some(folder) = wire::declared_folder(tree, &Site::of(module, hint))? {
        return Ok(folder);
    }
    let regressions = module.package_folder.join("regressions");
    let mirror = regressions.join(mirrored(&module.file, &module.inline)?);
    let last = mirror.file_name().and_then(|name| name.to_str()).unwrap_or("module").to_owned();
    let mut folder = mirror.clone();
    let mut number = 1;
    while !may_hold(tree, &folder, &regressions, module)? {
        number += 1;
        folder = mirror.with_file_name(format!("{last}_{number}"));
    }
    Ok(folder)
}

/// Whether a folder is free for this module, or its own.
fn may_hold(
    tree: &Tree,
    folder: &Path,
    regressions: &Path,
    module: &ModulePlace,
) -> Result<bool, PlaceError> {
    // A test of the folder above has this name: its `mod NAME;` would find two files, and its data lies here.
    let above = folder.with_extension("rs");
    if folder.parent() != Some(regressions) && tree.exists(&above)? {
        return Ok(false);
    }
    for name in module_names(tree, folder)? {
        let text = tree.read_text(&folder.join(format!("{name}.rs")))?;
        let Some(wiring) = text.as_deref().and_then(Wiring::read_any) else { continue };
        if !same_module(&wiring, &module.file, &module.inline) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a test was written for this module: `src/a.rs` and `src/a/mod.rs` are the same one.
pub(crate) fn same_module(wiring: &Wiring, file: &Path, inline: &[String]) -> bool {
    wiring.inline == inline && module_stem(&wiring.file) == module_stem(file)
}

/// `src/a` for `src/a.rs` and `src/a/mod.rs`.
pub(crate) fn module_stem(file: &Path) -> PathBuf {
    match (file.file_name().and_then(|name| name.to_str()), file.parent()) {
        (Some("mod.rs"), Some(parent)) if parent.file_name().is_some() => parent.to_owned(),
        _ => file.with_extension(""),
    }
}

/// `src/a/b.rs` → `a/b`, `src/a/mod.rs` → `a`, `src/lib.rs` → `lib`, `tests/t.rs` → `tests/t`; the names of
/// inline modules follow.
fn mirrored(file: &Path, inline: &[String]) -> Result<PathBuf, PlaceError> {
    let unusable = || PlaceError::Unusable(format!("{} is no path of a source file", file.display()));
    let stem = module_stem(&normalized(file));
    let mut parts = Vec::new();
    for part in stem.components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str().ok_or_else(unusable)?.to_owned()),
            Component::ParentDir => parts.push("outside".to_owned()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(unusable()),
        }
    }
    if parts.len() > 1 && parts[0] == "src" {
        parts.remove(0);
    }
    for name in inline {
        let name = name.strip_prefix("r#").unwrap_or(name);
        let plain = !name.is_empty() && name.chars().all(|char| char == '_' || char.is_alphanumeric());
        if !plain {
            return Err(PlaceError::Unusable(format!("{name:?} is no name of a module")));
        }
        parts.push(name.to_owned());
    }
    if parts.is_empty() { Err(unusable()) } else { Ok(parts.iter().collect()) }
}

/// The regression's name, with a number behind where another test, its data or a module's folder has it.
fn free_name(
    tree: &Tree,
    regression: &Regression,
    folder: &Path,
    taken: &BTreeSet<PathBuf>,
) -> Result<String, PlaceError> {
    let wanted = &regression.name;
    if syn::parse_str::<syn::Ident>(wanted).is_err() {
        return Err(PlaceError::Unusable(format!("{wanted:?} is no name of a test")));
    }
    let snapshot: String = regression.header.snapshot.chars().take(8).collect();
    let entries = tree.list(folder)?;
    let mut name = wanted.clone();
    let mut number = 1;
    loop {
        let file = folder.join(format!("{name}.rs"));
        let there = |name: &str, kind| entries.iter().any(|(other, entry)| other == name && *entry == kind);
        let free = if RESERVED.contains(&name.as_str()) || taken.contains(&file) {
            false
        } else if there(&format!("{name}.rs"), Entry::File) {
            let text = tree.read_text(&file)?;
            text.as_deref().and_then(Wiring::read).is_some_and(|wiring| {
                wiring.snapshot == snapshot && wiring.target == regression.header.target
            })
        } else {
            !there(&name, Entry::Folder)
        };
        if free {
            return Ok(name);
        }
        number += 1;
        name = format!("{wanted}_{number}");
    }
}

/// The regression under another name: also in the command of its header.
pub(crate) fn renamed(regression: &Regression, name: &str) -> Regression {
    let mut renamed = regression.clone();
    if name != regression.name {
        let old = format!("::{0}::{0}", regression.name);
        renamed.header.run_it = regression.header.run_it.replace(&old, &format!("::{name}::{name}"));
        for side in &regression.side_files {
            let (old, new) = (format!("{}/{}", regression.name, side.name), format!("{name}/{}", side.name));
            renamed.body = renamed.body.replace(&old, &new);
        }
        name.clone_into(&mut renamed.name);
    }
    renamed
}

fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    plain && !name.contains(['/', '\\', '\0', '\n'])
}

#[cfg(test)]
mod tests;
