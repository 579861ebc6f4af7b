//! Advisory locks between processes (`flock(2)`), each on a file of its own.
//!
//! A lock ends with its holder, however that ends. It also ends where [`Lock`] is dropped, which closing the file
//! alone does not do: the lock belongs to the open file, and a child that another thread forked at that moment
//! has the same open file until it becomes its program.

use std::fs::File;
use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

/// How a lock is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Any number at once.
    Shared,
    /// One only, and no shared one beside.
    Alone,
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// The lock of an open file, `None` where another process holds it in a way that excludes ours.
    ///
    /// # Errors
    /// What the kernel says, as on a file system that has no locks.
    pub fn try_take(file: File, mode: Mode) -> io::Result<Option<Lock>> {
        Ok(acquired(&file, mode)?.then_some(Lock { file }))
    }

    /// As [`Lock::try_take`], but waits for at most `patience`: a stopped process may hold a lock for ever.
    ///
    /// # Errors
    /// As [`Lock::try_take`].
    pub fn take(file: File, mode: Mode, patience: Duration) -> io::Result<Option<Lock>> {
        let start = Instant::now();
        while !acquired(&file, mode)? {
            if start.elapsed() >= patience {
                return Ok(None);
            }
            sleep(Duration::from_millis(3));
        }
        Ok(Some(Lock { file }))
    }

    /// What is locked.
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Where that fails, the lock goes with the last process that has the file open.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

fn acquired(file: &File, mode: Mode) -> io::Result<bool> {
    let operation = match mode {
        Mode::Shared => FlockOperation::NonBlockingLockShared,
        Mode::Alone => FlockOperation::NonBlockingLockExclusive,
    };
    match retry_on_intr(|| flock(file, operation)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(path: &std::path::Path, mode: Mode) -> Option<Lock> {
        Lock::try_take(File::open(path).unwrap(), mode).unwrap()
    }

    #[test]
    fn shared_ones_go_together_and_one_alone_excludes_all() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (one, two) = (held(file.path(), Mode::Shared), held(file.path(), Mode::Shared));
        assert!(one.is_some() && two.is_some() && held(file.path(), Mode::Alone).is_none());
        drop((one, two));
        let alone = held(file.path(), Mode::Alone).unwrap();
        assert!(held(file.path(), Mode::Shared).is_none());
        let waited =
            |path| Lock::take(File::open(path).unwrap(), Mode::Shared, Duration::from_millis(10)).unwrap();
        assert!(waited(file.path()).is_none());
        drop(alone);
        assert!(waited(file.path()).is_some());
    }

    #[test]
    fn it_ends_when_dropped_though_the_open_file_lives_on_elsewhere() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let lock = held(file.path(), Mode::Alone).unwrap();
        let inherited = lock.file().try_clone().unwrap();
        drop(lock);
        assert!(held(file.path(), Mode::Alone).is_some());
        drop(inherited);
    }
}
