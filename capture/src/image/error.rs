//! What can go wrong with the files of a process.

use std::path::PathBuf;

/// An error while an image or a list of mappings is read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be opened or mapped.
    #[error("failed to read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's own reason.
        source: std::io::Error,
    },
    /// The file is not an ELF file for x86-64, or a damaged one.
    #[error("failed to parse {path} as a 64-bit ELF file: {reason}")]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
