//! The folder of a sandbox: made in the system's folder for temporary files, gone with the sandbox. One that a
//! killed process left is told by its lock, which nobody holds any more.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::SandboxError;

/// How the folders are called.
const PREFIX: &str = "relapse-sandbox-";
/// The file that is locked while the folder is in use. Beside what the command may see, so that it cannot be
/// removed by it.
const LOCK: &str = "lock";

/// A folder with a place for temporary files and a home.
#[derive(Debug)]
pub(super) struct Folder {
    open: PathBuf,
    /// Held, not read.
    _lock: File,
    folder: TempDir,
}

impl Folder {
    pub(super) fn create() -> Result<Folder, SandboxError> {
        let parent = std::env::temp_dir();
        let failed = |source| SandboxError::Folder { folder: parent.clone(), source };
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent).map_err(failed)?;
        let lock = File::create(folder.path().join(LOCK)).map_err(failed)?;
        if !take(&lock) {
            return Err(failed(io::Error::last_os_error()));
        }
        // Without links, as the kernel will name what is in it.
        let open = folder.path().canonicalize().map_err(failed)?.join("open");
        for part in ["tmp", "home"] {
            fs::create_dir_all(open.join(part)).map_err(failed)?;
        }
        Ok(Folder { open, _lock: lock, folder })
    }

    /// What may be written to.
    pub(super) fn path(&self) -> &Path {
        &self.open
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.open.join("tmp")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.open.join("home")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A command may have taken rights away from folders of its own.
        make_writable(self.folder.path(), 0);
    }
}

/// Gives folders back the right to be emptied. Deeper ones than this are left to `sweep`.
fn make_writable(folder: &Path, depth: u32) {
    use std::os::unix::fs::PermissionsExt;
    const DEEPEST: u32 = 64;
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|_| depth < DEEPEST) {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // One that cannot be changed cannot be emptied either: `sweep` names it.
            let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
            make_writable(&entry.path(), depth + 1);
        }
    }
}

fn take(lock: &File) -> bool {
    // SAFETY: flock takes an open descriptor and touches no memory of ours.
    unsafe { libc::flock(lock.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) == 0 }
}

/// Removes the folders of sandboxes whose process does not live any more. Returns what was removed, and what could
/// not be.
pub fn sweep() -> (Vec<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    // SAFETY: takes nothing, returns a number.
    let user = unsafe { libc::geteuid() };
    for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == user);
        if !ours {
            continue;
        }
        let path = entry.path();
        // One without a lock file is being made this very moment, or was cut off then.
        let free = match File::open(path.join(LOCK)) {
            Ok(lock) => take(&lock),
            Err(_) => is_old(&path),
        };
        if free {
            make_writable(&path, 0);
            match fs::remove_dir_all(&path) {
                Ok(()) => removed.push(path),
                Err(error) => failed.push((path, error)),
            }
        }
    }
    (removed, failed)
}

fn is_old(path: &Path) -> bool {
    const LONG: std::time::Duration = std::time::Duration::from_secs(60);
    let age = fs::metadata(path).and_then(|meta| meta.modified()).map(|time| time.elapsed());
    matches!(age, Ok(Ok(age)) if age > LONG)
}
