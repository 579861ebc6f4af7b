//! What can go wrong with snapshots on disk. Each message names the file and what to do about it.

use std::path::PathBuf;

/// An error of the store or of a snapshot file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A file or folder could not be read.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried: "read", "list", "lock" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own reason.
        source: std::io::Error,
    },
    /// A file or folder could not be created, written, renamed or removed.
    #[error("failed to {action} {path}; check the folder's permissions and the space on its disk")]
    Write {
        /// What was tried: "create", "write", "remove" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own reason.
        source: std::io::Error,
    },
    /// A file of the store does not hold what it should.
    #[error("failed to read {path}: it is damaged ({reason}); remove the file, or capture the crash again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A snapshot was written by a newer version of this program.
    #[error(
        "failed to read {path}: it has format {format}, this version reads up to {known}; update cargo-relapse"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format that it says it has.
        format: u32,
        /// The newest format that this version knows.
        known: u32,
    },
    /// A snapshot is larger than may be read back.
    #[error("failed to use {path}: it holds more than {limit_mib} MiB; lower `[limits]` in relapse.toml")]
    TooLarge {
        /// The file, or the folder that it was to be written to.
        path: PathBuf,
        /// The limit, in MiB of uncompressed data.
        limit_mib: u64,
    },
    /// No snapshot has that name.
    #[error(
        "failed to find a snapshot `{name}` in {folder}; `cargo relapse list` shows those that there are"
    )]
    NotFound {
        /// The name, as it was asked for.
        name: String,
        /// The store's folder.
        folder: PathBuf,
    },
    /// Several snapshots have names that begin so.
    #[error("failed to choose a snapshot: `{prefix}` is the beginning of {}; give more digits", candidates.join(", "))]
    Ambiguous {
        /// The prefix, as it was asked for.
        prefix: String,
        /// The names that begin with it (the first few).
        candidates: Vec<String>,
    },
    /// There is no snapshot at all.
    #[error(
        "failed to find a snapshot: {folder} has none; `cargo relapse run -- CMD` makes one when CMD crashes"
    )]
    Empty {
        /// The store's folder.
        folder: PathBuf,
    },
    /// Another process has held the store's lock for too long.
    #[error(
        "failed to lock {path} for {seconds} s: another relapse process holds it; end that process and try again"
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A run's name is not one that a file may have.
    #[error("failed to use `{name}` as a run's name: it must be 1 to 64 letters, digits, `-` or `_`")]
    BadRun {
        /// The name.
        name: String,
    },
}

impl SnapshotError {
    pub(crate) fn read(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        SnapshotError::Io { action, path: path.into(), source }
    }

    pub(crate) fn write(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        SnapshotError::Write { action, path: path.into(), source }
    }

    pub(crate) fn damaged(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        SnapshotError::Damaged { path: path.into(), reason: reason.into() }
    }
}
