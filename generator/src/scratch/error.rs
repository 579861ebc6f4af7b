//! What can go wrong with a scratch copy.

use std::io;
use std::path::{Path, PathBuf};

/// An error of a scratch copy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScratchError {
    /// A file or folder could not be read or written.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried: "read", "copy", "create" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// The lock that keeps edits and copies apart cannot be had, or the folder cannot be written.
    #[error(transparent)]
    Edit(#[from] crate::edit::EditError),
    /// An edit names a file that is not in the copy, or lies behind a link that leads out of it.
    #[error(
        "failed to edit {path}: it lies outside of the copied packages, or behind a link that leads there"
    )]
    Outside {
        /// The path, relative to the workspace root.
        path: PathBuf,
    },
    /// Every slot is owned by a living process.
    #[error("failed to find a free slot in {folder}: every one is in use by a living process")]
    Busy {
        /// `.relapse/scratch`.
        folder: PathBuf,
    },
}

impl ScratchError {
    /// Whether something of ours could not be written. Behind a link that leads out of the copy nothing is, on purpose.
    pub fn cannot_write(&self) -> bool {
        !matches!(self, Self::Outside { .. })
    }

    /// For `map_err`: what was tried, and on which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
