//! Where a workspace is built: what a scratch copy and a user's own tree have in common for cargo.

use std::path::PathBuf;

/// Where cargo builds, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlace {
    /// The workspace root: cargo's working folder.
    pub root: PathBuf,
    /// The folder that holds the root and every package that counts as workspace code; the root itself where
    /// nothing lies outside of it.
    pub tree: PathBuf,
    /// A target folder of its own; `None`: the one that the user's cargo would take.
    pub target_folder: Option<PathBuf>,
    /// `--locked`.
    pub locked: bool,
    /// Line tables only, and nothing stripped: builds faster, and panics keep their places. Debug info does not
    /// change what a program does; optimisation, overflow checks and debug assertions stay the profile's.
    pub lean_debug_info: bool,
}
