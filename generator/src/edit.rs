//! Changes to a tree of files as data: made once, shown as a diff, applied to a scratch copy or to the user's
//! tree, all or nothing.

use std::path::PathBuf;

/// One file's change. Paths are relative to the workspace root; a path dependency outside it has `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEdit {
    /// The file.
    pub path: PathBuf,
    /// Its content before; `None` where it does not exist.
    pub before: Option<Vec<u8>>,
    /// Its content afterwards; `None` removes it.
    pub after: Option<Vec<u8>>,
}

/// Changes that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditSet {
    /// Each file at most once.
    pub files: Vec<FileEdit>,
}
