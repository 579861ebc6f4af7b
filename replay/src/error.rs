//! What can go wrong with a replay as a whole; what goes wrong with one regression is a verdict.

use std::path::PathBuf;

/// An error of a replay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// A folder or a file of regressions could not be read.
    #[error("failed to read {path}")]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// The system's own reason.
        source: std::io::Error,
    },
}
