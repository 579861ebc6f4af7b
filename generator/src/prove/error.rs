//! What can go wrong on the way from a snapshot to a regression, other than that a candidate does not reproduce.

use std::path::PathBuf;

use crate::compile::CompileError;
use crate::place::PlaceError;
use crate::scratch::ScratchError;
use crate::verify::ObserveError;

/// What went wrong on the way, other than that a candidate does not reproduce.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The scratch copy could not be made or changed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// Cargo did not build.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A test could not be run.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The test could not be put in place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The build failed where there is no room for one.
    #[error("failed to build in {}: {left_mib} MiB are free on its disk", folder.display())]
    DiskFull {
        /// The scratch copy's target folder.
        folder: PathBuf,
        /// What is left.
        left_mib: u64,
        /// What the build said.
        source: CompileError,
    },
}

impl ProveError {
    /// Whether something of ours could not be written, which says nothing about the crash.
    pub fn cannot_write(&self) -> bool {
        match self {
            ProveError::Scratch(error) => error.cannot_write(),
            ProveError::DiskFull { .. } => true,
            ProveError::Compile(error) => error.cannot_write(),
            ProveError::Place(PlaceError::Edit(error)) => error.cannot_write(),
            _ => false,
        }
    }
}
