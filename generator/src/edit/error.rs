//! What can go wrong when edits are applied. Whatever it is, the tree is as it was before, unless
//! [`EditError::Undo`] says which journal holds the old content.

use std::io;
use std::path::PathBuf;

/// Why edits could not be applied or taken back.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// Two edits of one file do not follow each other.
    #[error("failed to join the edits of {}: the second one does not start where the first one ends", .0.display())]
    Conflict(PathBuf),
    /// The file is not what the edit was made from.
    #[error("failed to edit {}: it was changed meanwhile", .0.display())]
    Changed(PathBuf),
    /// The file must not be written.
    #[error("failed to edit {}: it is read-only", .0.display())]
    ReadOnly(PathBuf),
    /// A symbolic link to nothing, a folder, a device.
    #[error("failed to edit {}: it is not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// A file or folder cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("failed to write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The edits failed, and so did taking back those that were made.
    #[error("{cause}; failed to take back {}, the next start tries again: {source}", path.display())]
    Undo {
        /// The first file that could not be restored.
        path: PathBuf,
        /// Why it could not.
        source: io::Error,
        /// Why the edits failed.
        cause: Box<EditError>,
    },
    /// Another process holds the lock for too long.
    #[error("failed to lock {} for {seconds} s: another relapse process edits or copies here; try again when it has ended, or end it", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The journal of an earlier, interrupted edit cannot be used.
    #[error("failed to use the journal {}: {reason}", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl EditError {
    /// Whether something could not be written, rather than read or joined.
    pub fn cannot_write(&self) -> bool {
        match self {
            Self::ReadOnly(_)
            | Self::NotAFile(_)
            | Self::Write { .. }
            | Self::Undo { .. }
            | Self::Busy { .. } => true,
            Self::Conflict(_) | Self::Changed(_) | Self::Read { .. } | Self::Journal { .. } => false,
        }
    }

    pub(super) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }

    pub(super) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }
}
