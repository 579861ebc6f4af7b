//! One process edits at a time: an advisory lock on a file beside the journal. It ends with its process, so a
//! kill leaves nothing behind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::EditError;

/// Held while it lives.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process holds the lock of this folder.
    pub(super) fn acquire(folder: &Path) -> Result<Self, EditError> {
        let path = folder.join("edit.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            // Private, as everything in that folder.
            .mode(0o600)
            .open(&path)
            .map_err(EditError::write(&path))?;
        loop {
            // SAFETY: flock takes a descriptor and a flag; the descriptor is open for as long as `file` lives.
            if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) } == 0 {
                return Ok(Self { _file: file });
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(EditError::write(&path)(error));
            }
        }
    }
}
