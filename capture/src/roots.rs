//! Which folders hold whose code, so that a path of this machine becomes a path of a snapshot.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The folders of one workspace. Serialised into the environment of the runner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roots {
    /// The workspace root, absolute; `None` outside any workspace.
    pub workspace: Option<PathBuf>,
    /// Workspace members and path dependencies (inside the root or not).
    pub packages: Vec<PackageRoot>,
}

/// A package whose code counts as workspace code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRoot {
    /// The package's name.
    pub name: String,
    /// The folder of its manifest, absolute.
    pub folder: PathBuf,
}
