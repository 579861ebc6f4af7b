//! Which folders a scratch copy needs, and where they stand in it: the workspace root and the path
//! dependencies outside it, placed below their common ancestor so that relative paths between them hold. Where the
//! workspace is a part of a repository, what else that has beside it is there, too, as links.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};

use cargo_metadata::Metadata;
use relapse_capture::roots::{PackageRoot, Roots};

use crate::paths::normalized;

/// The plan of a copy.
#[derive(Debug)]
pub(super) struct Layout {
    original_root: PathBuf,
    tree: PathBuf,
    root: PathBuf,
    sources: Vec<Source>,
    never_copied: Vec<PathBuf>,
    /// What the tree stands for.
    ancestor: PathBuf,
    /// The folder of the repository around the workspace.
    repository: Option<PathBuf>,
}

/// What is copied: a whole folder, or (the manifest of another workspace, which a path dependency inherits
/// from) one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// Where it is, absolute.
    pub(super) from: PathBuf,
    /// Where it goes, absolute.
    pub(super) to: PathBuf,
    /// Whether it is one file.
    pub(super) file: bool,
}

impl Layout {
    /// Plans the copy of a workspace into `tree`.
    pub(super) fn plan(metadata: &Metadata, relapse_folder: &Path, tree: &Path) -> Self {
        let original_root = normalized(metadata.workspace_root.as_std_path());
        let mut folders = outside_packages(metadata, &original_root);
        let mut files = BTreeSet::new();
        for folder in folders.clone() {
            match workspace_above(&folder) {
                Some((manifest, true)) => files.extend([manifest]),
                Some((manifest, false)) => folders.extend(manifest.parent().map(Path::to_owned)),
                None => {}
            }
        }
        folders.insert(original_root.clone());
        let repository = repository_around(&original_root);
        let ancestor = common_ancestor(folders.iter().chain(&files).chain(&repository));
        let ancestor = ancestor.unwrap_or_else(|| original_root.clone());
        let place =
            |path: &Path| path.strip_prefix(&ancestor).map_or_else(|_| tree.to_owned(), |p| below(tree, p));
        let within = |path: &Path| folders.iter().any(|f| path != f && path.starts_with(f));
        let source = |path: &PathBuf, file| Source { from: path.clone(), to: place(path), file };
        let sources = folders.iter().filter(|f| !within(f)).map(|f| source(f, false));
        let sources = sources.chain(files.iter().filter(|f| !within(f)).map(|f| source(f, true))).collect();
        let mut never_copied =
            vec![normalized(relapse_folder), normalized(metadata.target_directory.as_std_path())];
        never_copied.extend(metadata.build_directory.as_ref().map(|p| normalized(p.as_std_path())));
        // Cargo reads its configuration from every folder upwards of the one it is started in. The copy lies
        // below the workspace root, so the root's and those above are read anyway; a second copy of
        // them would join each list with itself (`--cap-lints` given twice is an error of rustc).
        never_copied.extend(
            original_root.ancestors().flat_map(|f| [f.join(".cargo/config.toml"), f.join(".cargo/config")]),
        );
        let root = place(&original_root);
        Self { root, original_root, tree: tree.to_owned(), sources, never_copied, ancestor, repository }
    }

    /// The workspace root that is copied.
    pub(super) fn original_root(&self) -> &Path {
        &self.original_root
    }

    /// The copy of the workspace root.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that the copy stands in; it stands for the common ancestor.
    pub(super) fn tree(&self) -> &Path {
        &self.tree
    }

    /// What is copied; none of them lies within another.
    pub(super) fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The user's own folder that a folder between the tree's and the copied ones stands for, where the workspace may
    /// count on what else is in it: files of one repository know where the others are.
    pub(super) fn beside(&self, between: &Path) -> Option<PathBuf> {
        let original = below(&self.ancestor, between.strip_prefix(&self.tree).ok()?);
        self.repository.as_ref().filter(|repository| original.starts_with(repository))?;
        Some(original)
    }

    /// Whether a file or folder of the user's is left out whatever it holds.
    pub(super) fn never_copied(&self, path: &Path) -> bool {
        self.never_copied.iter().any(|p| p == path)
    }

    /// Where an absolute path of the user's stands in the copy; `None` where it is not copied.
    pub(super) fn in_tree(&self, path: &Path) -> Option<PathBuf> {
        let path = normalized(path);
        let source =
            self.sources.iter().find(|s| if s.file { s.from == path } else { path.starts_with(&s.from) })?;
        let rest = path.strip_prefix(&source.from).ok()?;
        Some(below(&source.to, rest))
    }
}

/// `folder/rest`, without the trailing slash that `join` makes of an empty rest.
fn below(folder: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() { folder.to_owned() } else { folder.join(rest) }
}

/// A path below `tree` relative to `root` (a folder in `tree`), with `..` where it is not below the root. Links
/// are followed: rustc prints `src/../regressions/a.rs`, and where `src` is a link, `..` goes through the real
/// folder.
pub(crate) fn relative_within(tree: &Path, root: &Path, path: &Path) -> Option<PathBuf> {
    let real = |p: &Path| p.canonicalize().unwrap_or_else(|_| normalized(p));
    let (path, tree, root) = (real(path), real(tree), real(root));
    let below = path.strip_prefix(&tree).ok()?;
    let root = root.strip_prefix(&tree).ok()?;
    let shared = below.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(shared).map(|_| Component::ParentDir);
    Some(up.chain(below.components().skip(shared)).collect())
}

/// The folders of a workspace: of its members and of the path dependencies, in the root or not. Metadata made
/// with `--no-deps` has those that the members name.
pub fn roots_of(metadata: &Metadata) -> Roots {
    let packages = local_packages(metadata).into_iter().map(|(folder, name)| PackageRoot { name, folder });
    Roots { workspace: Some(normalized(metadata.workspace_root.as_std_path())), packages: packages.collect() }
}

/// Folder and name of each package that is on this machine only.
fn local_packages(metadata: &Metadata) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| package.source.is_none()) {
        for named in &package.dependencies {
            // Unless it is a package of its own here, this is the only name that is known.
            if let Some(path) = &named.path {
                found.entry(normalized(path.as_std_path())).or_insert_with(|| named.name.clone());
            }
        }
    }
    for package in metadata.packages.iter().filter(|package| package.source.is_none()) {
        if let Some(folder) = package.manifest_path.parent() {
            found.insert(normalized(folder.as_std_path()), package.name.to_string());
        }
    }
    found
}

/// The folders of path dependencies that do not lie below the root.
fn outside_packages(metadata: &Metadata, root: &Path) -> BTreeSet<PathBuf> {
    let folders = local_packages(metadata).into_keys();
    folders.filter(|folder| !folder.starts_with(root) && folder.join("Cargo.toml").is_file()).collect()
}

/// The manifest of the workspace that a package outside ours may inherit from, and whether that is a virtual
/// one, so that the manifest alone is enough.
fn workspace_above(package: &Path) -> Option<(PathBuf, bool)> {
    let read = |path: &Path| fs::read_to_string(path).ok()?.parse::<toml_edit::DocumentMut>().ok();
    let own = read(&package.join("Cargo.toml"))?;
    if own.contains_key("workspace") {
        return None;
    }
    let named = own.get("package").and_then(|p| p.get("workspace")).and_then(|w| w.as_str());
    let candidates: Vec<PathBuf> = match named {
        Some(named) => vec![normalized(&package.join(named))],
        None => package.ancestors().skip(1).map(Path::to_owned).collect(),
    };
    candidates.iter().map(|folder| folder.join("Cargo.toml")).find_map(|path| {
        let manifest = read(&path)?;
        manifest.contains_key("workspace").then(|| (path, !manifest.contains_key("package")))
    })
}

/// The folder of the repository that a folder is in.
fn repository_around(folder: &Path) -> Option<PathBuf> {
    let is_one = |folder: &&Path| [".git", ".hg", ".jj"].iter().any(|name| folder.join(name).exists());
    folder.ancestors().find(is_one).map(Path::to_owned)
}

/// The innermost folder that holds all of the paths.
fn common_ancestor<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Option<PathBuf> {
    paths.fold(None, |common, path| match common {
        None => Some(path.clone()),
        Some(common) => Some(
            common.components().zip(path.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect(),
        ),
    })
}

/// The names that may stand in the folders between the tree's own and the copied ones.
pub(super) fn names_between(layout: &Layout) -> HashMap<PathBuf, BTreeSet<std::ffi::OsString>> {
    let mut names: BTreeMap<PathBuf, BTreeSet<_>> = BTreeMap::new();
    for source in layout.sources() {
        let mut path = source.to.as_path();
        while let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            if path == layout.tree() {
                break;
            }
            names.entry(parent.to_owned()).or_default().insert(name.to_owned());
            path = parent;
        }
    }
    names.into_iter().collect()
}
