//! Changes to a tree of files as data: made once, shown as a diff, applied to a scratch copy or to the user's
//! tree, all or nothing. Reads only the files that it is about to write.

mod apply;
mod diff;
mod error;
mod files;
mod journal;
pub(crate) mod lock;
mod staged;
mod tree;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use error::EditError;
pub(crate) use files::{hide_from_git, read_file};
pub use journal::{Recovered, journal, recover, sweep};
pub use lock::between_edits;
pub(crate) use tree::Owner;
pub use tree::{Entry, Tree};

/// One file's change. Paths are relative to the workspace root; a path dependency outside it has `..`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEdit {
    /// The file.
    pub path: PathBuf,
    /// Its content before; `None` where it does not exist.
    #[serde(with = "journal::content")]
    pub before: Option<Vec<u8>>,
    /// Its content afterwards; `None` removes it.
    #[serde(with = "journal::content")]
    pub after: Option<Vec<u8>>,
}

impl FileEdit {
    /// Its content afterwards, where that is text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.after.as_deref()?).ok()
    }
}

/// Changes that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EditSet {
    /// Each file at most once.
    pub files: Vec<FileEdit>,
}

impl EditSet {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Adds one change. A second change of the same file must start where the first one ended; what comes to
    /// nothing in the end is dropped.
    pub fn add(&mut self, edit: FileEdit) -> Result<(), EditError> {
        if let Some(at) = self.files.iter().position(|file| file.path == edit.path) {
            if self.files[at].after != edit.before {
                return Err(EditError::Conflict(edit.path));
            }
            self.files[at].after = edit.after;
            if self.files[at].before == self.files[at].after {
                self.files.remove(at);
            }
        } else if edit.before != edit.after {
            self.files.push(edit);
        }
        Ok(())
    }

    /// Adds the changes of `later`, which were made on top of these. On an error nothing is added.
    pub fn merge(&mut self, later: Self) -> Result<(), EditError> {
        let mut merged = self.clone();
        for edit in later.files {
            merged.add(edit)?;
        }
        *self = merged;
        Ok(())
    }

    /// The change of one file.
    pub fn get(&self, path: &Path) -> Option<&FileEdit> {
        self.files.iter().find(|file| file.path == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(path: &str, before: Option<&str>, after: Option<&str>) -> FileEdit {
        FileEdit {
            path: path.into(),
            before: before.map(|text| text.as_bytes().to_vec()),
            after: after.map(|text| text.as_bytes().to_vec()),
        }
    }

    #[test]
    fn a_second_change_of_a_file_continues_the_first() {
        let mut set = EditSet::default();
        set.add(edit("a", Some("1"), Some("2"))).unwrap();
        set.add(edit("a", Some("2"), Some("3"))).unwrap();
        assert_eq!(set.files, [edit("a", Some("1"), Some("3"))]);
        set.add(edit("a", Some("3"), Some("1"))).unwrap();
        assert!(set.is_empty());
    }

    #[test]
    fn contradicting_changes_are_a_conflict_and_add_nothing() {
        let mut set = EditSet::default();
        set.add(edit("a", Some("1"), Some("2"))).unwrap();
        let later = EditSet { files: vec![edit("b", None, Some("x")), edit("a", Some("1"), Some("4"))] };
        assert!(matches!(set.merge(later), Err(EditError::Conflict(_))));
        assert_eq!(set.files.len(), 1);
    }
}
