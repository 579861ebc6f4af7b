//! A tree of files with edits laid over it: what is read is what would be there after the edits so far. The
//! same code works on the user's tree and on a scratch copy; nothing is written.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::files::read_file;
use super::{EditError, EditSet, FileEdit};

/// What a name in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// Whose a source file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// Ours: formatted, whatever was there.
    Us,
    /// The user's: formatted where it was before, too.
    User,
}

/// Files below a root, with pending edits. All paths are relative to the root.
#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    edits: EditSet,
    /// Source files that were written and are to be formatted, with the edition.
    sources: BTreeMap<PathBuf, (Owner, u16)>,
}

impl Tree {
    /// The tree below `root`, unchanged.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), edits: EditSet::default(), sources: BTreeMap::new() }
    }

    /// A tree with these edits on it.
    pub(crate) fn edited(root: impl Into<PathBuf>, edits: EditSet) -> Self {
        Self { edits, ..Self::new(root) }
    }

    /// The root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The edits so far.
    pub fn edits(&self) -> &EditSet {
        &self.edits
    }

    /// The edits, to show and to apply.
    pub fn into_edits(self) -> EditSet {
        self.edits
    }

    /// A file's content; `None` where there is no such file.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, EditError> {
        match self.edits.get(path) {
            Some(edit) => Ok(edit.after.clone()),
            None => read_file(&self.root.join(path)),
        }
    }

    /// A file as text; `None` where there is no such file or it is not UTF-8.
    pub fn read_text(&self, path: &Path) -> Result<Option<String>, EditError> {
        Ok(self.read(path)?.and_then(|bytes| String::from_utf8(bytes).ok()))
    }

    /// Changes a file; `None` removes it.
    pub fn write(&mut self, path: &Path, after: Option<Vec<u8>>) -> Result<(), EditError> {
        let before = self.read(path)?;
        self.edits.add(FileEdit { path: path.to_owned(), before, after })
    }

    /// Changes a source file, which is formatted once all is written: `place::finished`.
    pub(crate) fn write_source(
        &mut self,
        path: &Path,
        after: String,
        owner: Owner,
        edition: u16,
    ) -> Result<(), EditError> {
        self.sources.insert(path.to_owned(), (owner, edition));
        self.write(path, Some(after.into_bytes()))
    }

    /// The source files that were written.
    pub(crate) fn sources(&self) -> &BTreeMap<PathBuf, (Owner, u16)> {
        &self.sources
    }

    /// The names in a folder, sorted; none where there is no such folder.
    pub fn list(&self, folder: &Path) -> Result<Vec<(String, Entry)>, EditError> {
        let mut names = BTreeMap::new();
        let entries = match fs::read_dir(self.root.join(folder)) {
            Ok(entries) => Some(entries),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => None,
            // What cannot be read is not empty: a declaration of what is in it must stay.
            Err(error) => return Err(EditError::read(folder)(error)),
        };
        if let Some(entries) = entries {
            for entry in entries {
                let entry = entry.map_err(EditError::read(folder))?;
                // A name that is not UTF-8 can be no module.
                let Ok(name) = entry.file_name().into_string() else { continue };
                // Links to folders are not followed: they could lead in a circle.
                let kind = entry.file_type().map_err(EditError::read(folder))?;
                names.insert(name, if kind.is_dir() { Entry::Folder } else { Entry::File });
            }
        }
        for edit in &self.edits.files {
            let Ok(below) = edit.path.strip_prefix(folder) else { continue };
            let mut parts = below.components();
            let Some(first) = parts.next().and_then(|part| part.as_os_str().to_str()) else { continue };
            match (parts.next(), &edit.after) {
                (None, None) => drop(names.remove(first)),
                (None, Some(_)) => drop(names.insert(first.to_owned(), Entry::File)),
                (Some(_), Some(_)) => drop(names.insert(first.to_owned(), Entry::Folder)),
                (Some(_), None) => {}
            }
        }
        Ok(names.into_iter().collect())
    }

    /// Whether a file or folder of that name is there.
    pub fn exists(&self, path: &Path) -> Result<bool, EditError> {
        let parent = path.parent().unwrap_or(Path::new(""));
        let name = path.file_name().and_then(|name| name.to_str());
        Ok(self.list(parent)?.iter().any(|(other, _)| Some(other.as_str()) == name))
    }

    /// Every file below a folder, however deep.
    pub fn walk(&self, folder: &Path) -> Result<Vec<PathBuf>, EditError> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for (name, entry) in self.list(&folder)? {
                match entry {
                    Entry::File => files.push(folder.join(name)),
                    Entry::Folder => folders.push(folder.join(name)),
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// A folder without symbolic links, absolute: `..` in a `#[path]` goes through the real one.
    pub fn real_folder(&self, folder: &Path) -> Result<PathBuf, EditError> {
        let path = self.root.join(folder);
        fs::canonicalize(&path).map_err(EditError::read(path))
    }
}
