//! The locks of the store.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;

use crate::error::SnapshotError;
use crate::lock::{Lock, Mode};

/// A stopped process may hold a lock for ever; nobody waits for it longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// As [`take`], but `None` on a file system that has no locks. What is written has a name of its own and is put in place
/// whole: at worst a count is too small, or a sweep at that very moment takes a temporary file away.
pub(super) fn take_if_there_are_any(path: &Path, mode: Mode) -> Result<Option<Lock>, SnapshotError> {
    match take(path, mode) {
        Err(SnapshotError::Io { source, .. }) if says_there_are_none(&source) => Ok(None),
        taken => taken.map(Some),
    }
}

/// Network file systems without a lock service (`ENOLCK`), and those that never heard of locks.
fn says_there_are_none(error: &io::Error) -> bool {
    let known = [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP];
    Errno::from_io_error(error).is_some_and(|errno| known.contains(&errno))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_without_locks_is_told_from_one_that_forbids() {
        for (errno, none) in [(Errno::NOLCK, true), (Errno::NOSYS, true), (Errno::ACCESS, false)] {
            assert_eq!(says_there_are_none(&errno.into()), none, "{errno}");
        }
    }
}
