//! The locks of the store.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::error::SnapshotError;
use crate::lock::{Lock, Mode};

/// A stopped process may hold a lock for ever; nobody waits for it longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// Takes the lock of a file, which is created where it is not there.
pub(super) fn take(path: &Path, mode: Mode) -> Result<Lock, SnapshotError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| SnapshotError::write("create", path, source))?;
    Lock::take(file, mode, PATIENCE)
        .map_err(|source| SnapshotError::read("lock", path, source))?
        .ok_or_else(|| SnapshotError::Busy { path: path.to_owned(), seconds: PATIENCE.as_secs() })
}
