//! The folder of a sandbox: a temporary one, with a place for temporary files and a home. Gone with the sandbox.

use std::fs;
use std::path::{Path, PathBuf};

use super::SandboxError;
use crate::temporary::{self, make_removable};

/// What a confined command may write to.
#[derive(Debug)]
pub(super) struct Folder {
    /// Without links, as the kernel will name what is in it.
    path: PathBuf,
    /// Held, not read.
    _folder: temporary::Folder,
}

impl Folder {
    pub(super) fn create() -> Result<Folder, SandboxError> {
        let failed = |source| SandboxError::Folder { folder: std::env::temp_dir(), source };
        let folder = temporary::Folder::create("sandbox").map_err(failed)?;
        let path = folder.path().canonicalize().map_err(failed)?;
        let folder = Folder { path, _folder: folder };
        for part in [folder.temporary(), folder.home()] {
            fs::create_dir(part).map_err(failed)?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.path.join("tmp")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.path.join("home")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        make_removable(&self.path);
    }
}
