//! One process edits at a time, and no copy is made meanwhile: an advisory lock on a file beside the journal. It
//! ends with its process, so a kill leaves nothing behind.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::EditError;

/// A stopped process may hold the lock for ever; nobody waits for it longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// How the lock is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// By those who read the tree: any number at once.
    Shared,
    /// By the one who edits it.
    Alone,
}

/// Held while it lives.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no other process holds the lock of this folder in a way that excludes ours.
    pub(crate) fn take(folder: &Path, mode: Mode) -> Result<Self, EditError> {
        let path = folder.join("edit.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            // Private, as everything in that folder.
            .mode(0o600)
            .open(&path)
            .map_err(EditError::write(&path))?;
        let operation = if mode == Mode::Shared { libc::LOCK_SH } else { libc::LOCK_EX };
        let start = Instant::now();
        loop {
            // SAFETY: flock takes a descriptor and a flag; the descriptor is open for as long as `file` lives.
            if unsafe { libc::flock(file.as_raw_fd(), operation | libc::LOCK_NB) } == 0 {
                return Ok(Self { _file: file });
            }
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock if start.elapsed() < PATIENCE => sleep(Duration::from_millis(3)),
                io::ErrorKind::WouldBlock => {
                    return Err(EditError::Busy { path, seconds: PATIENCE.as_secs() });
                }
                _ => return Err(EditError::write(&path)(error)),
            }
        }
    }
}
