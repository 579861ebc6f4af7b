//! What stands in the way of an outcome.

use std::path::PathBuf;

use super::{CallError, DependencyError};
use crate::compile::CompileError;
use crate::edit::EditError;
use crate::scratch::ScratchError;
use crate::verify::{ObserveError, ProcessError};

/// Why outcomes could not be seen or accepted.
#[derive(Debug, thiserror::Error)]
pub enum OutcomeError {
    /// The test cannot be edited.
    #[error("failed to edit {}: {source}", file.display())]
    Call {
        /// The test.
        file: PathBuf,
        /// Why.
        source: CallError,
    },
    /// A file could not be read, or edits contradict each other.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The scratch copy could not be changed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// The scratch copy could not be built.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// The tests of an executable could not be listed.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A test could not be run.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The dev-dependency could not be added.
    #[error(transparent)]
    Dependency(#[from] DependencyError),
    /// It failed where there is no room for it.
    #[error("failed to look at outcomes in {}: {left_mib} MiB are free on its disk", folder.display())]
    DiskFull {
        /// Where something was to be written.
        folder: PathBuf,
        /// What is left.
        left_mib: u64,
    },
    /// insta wrote no snapshot, or another one than what was seen.
    #[error("failed to accept the outcome of {name}: {reason}")]
    NotLocked {
        /// The regression.
        name: String,
        /// Why.
        reason: String,
    },
}
