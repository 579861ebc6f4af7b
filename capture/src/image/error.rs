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

impl ImageError {
    /// What is wrong, without the path: no folder of a machine belongs in a snapshot.
    pub fn reason(&self) -> String {
        match self {
            ImageError::Read { source, .. } => source.to_string(),
            ImageError::Format { reason, .. } => {
                format!("it is no 64-bit ELF file that can be read: {reason}")
            }
        }
    }
}
