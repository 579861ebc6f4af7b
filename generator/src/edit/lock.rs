//! One process edits at a time, and no copy is made meanwhile: an advisory lock on a file beside the journal. It
//! ends with its process, so a kill leaves nothing behind.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use relapse_snapshot::lock::{Lock, Mode};

use super::EditError;

/// A stopped process may hold the lock for ever; nobody waits for it longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lock of this folder, shared by those who read the tree; waits until no other process holds it in a way that
/// excludes ours.
pub(crate) fn take(folder: &Path, mode: Mode) -> Result<Lock, EditError> {
    let path = folder.join("edit.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        // Private, as everything in that folder.
        .mode(0o600)
        .open(&path)
        .map_err(EditError::write(&path))?;
    Lock::take(file, mode, PATIENCE)
        .map_err(EditError::write(&path))?
        .ok_or(EditError::Busy { path, seconds: PATIENCE.as_secs() })
}
