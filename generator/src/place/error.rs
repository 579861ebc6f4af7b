//! Why a test cannot be put in place.

use std::path::PathBuf;

use crate::edit::EditError;
use crate::render::RenderError;

/// Why a test cannot be put in place, in words for the user.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A file could not be read, or edits contradict each other.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The test's text could not be made.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The module's file is gone, or it is not UTF-8.
    #[error("failed to place a test: there is no source file {}", .0.display())]
    NoFile(PathBuf),
    /// The inline module is not in the file, or a macro makes it.
    #[error("failed to place a test: {} has no module {module} with braces of its own", file.display())]
    NoModule {
        /// The source file.
        file: PathBuf,
        /// The inline module, `a::b`.
        module: String,
    },
    /// The file must be parsed, and cannot be.
    #[error("failed to parse {}: {reason}", file.display())]
    Syntax {
        /// The source file.
        file: PathBuf,
        /// The parser's words.
        reason: String,
    },
    /// Both names that a declaration could have are taken.
    #[error(
        "failed to place a test: {} already has items named `regressions` and `relapse_regressions`; rename one",
        .0.display()
    )]
    NamesTaken(PathBuf),
    /// A name or a path cannot be written in a source file.
    #[error("failed to place a test: {0}")]
    Unusable(String),
}
