//! Advisory locks between processes (`flock`). A lock goes with its file descriptor, so it ends with its holder,
//! however that ends.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::SnapshotError;

/// A stopped process may hold a lock for ever; nobody waits for it longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a lock is shared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Any number at once.
    Shared,
    /// One only, and no shared one beside.
    Alone,
}

/// A lock that is held until it is dropped.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
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
        let operation = if mode == Mode::Shared { libc::LOCK_SH } else { libc::LOCK_EX };
        let start = Instant::now();
        loop {
            // SAFETY: the descriptor is open as long as `file` lives.
            let result = unsafe { libc::flock(file.as_raw_fd(), operation | libc::LOCK_NB) };
            if result == 0 {
                return Ok(Lock { _file: file });
            }
            let error = io::Error::last_os_error();
            match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock if start.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_millis(3));
                }
                io::ErrorKind::WouldBlock => {
                    return Err(SnapshotError::Busy { path: path.to_owned(), seconds: PATIENCE.as_secs() });
                }
                _ => return Err(SnapshotError::read("lock", path, error)),
            }
        }
    }
}
