//! What can go wrong with snapshots on disk.

use std::path::PathBuf;

/// An error of the store or of a snapshot file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// A file or folder could not be read or written.
    #[error("failed to {action} {path}")]
    Io {
        /// What was tried: "read", "write", "create" …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's own reason.
        source: std::io::Error,
    },
}
