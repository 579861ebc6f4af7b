//! Folders and files of ours in the system's folder for temporary files. Each is locked by its owner for as long as
//! that lives, so what a killed one left behind is told from what is in use, and removed by [`sweep`].

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use relapse_snapshot::lock::{Lock, Mode};
use tempfile::{NamedTempFile, TempDir};

/// How names begin; the rest is random. Nothing else is ever removed.
const KINDS: [&str; 6] = [
    "relapse-run-",
    "relapse-rerun-",
    "relapse-note-",
    "relapse-outcome-",
    "relapse-demo-",
    "relapse-sandbox-",
];

/// A private folder that goes when this is dropped.
#[derive(Debug)]
pub struct Folder {
    folder: TempDir,
    /// Held, not read.
    _lock: Lock,
}

impl Folder {
    /// A new folder. `kind` is one of `run`, `rerun`, `outcome`, `demo`, `sandbox`; a folder of another kind is never swept.
    pub fn create(kind: &str) -> io::Result<Folder> {
        Folder::create_in(&std::env::temp_dir(), kind)
    }

    fn create_in(parent: &Path, kind: &str) -> io::Result<Folder> {
        loop {
            let folder = tempfile::Builder::new().prefix(&prefix(kind)).tempdir_in(parent)?;
            // A sweep may come between the two: then once more.
            match File::open(folder.path()) {
                Ok(opened) => {
                    if let Some(lock) = ours_alone(opened, folder.path()) {
                        return Ok(Folder { folder, _lock: lock });
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves it where it is, for good.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

/// A private file that goes when this is dropped.
#[derive(Debug)]
pub struct Note {
    file: NamedTempFile,
    /// Held, not read.
    _lock: Lock,
}

impl Note {
    /// A new, empty file.
    pub fn create() -> io::Result<Note> {
        loop {
            let file = tempfile::Builder::new().prefix(&prefix("note")).tempfile()?;
            // A sweep may come between the two: then once more.
            if let Some(lock) = ours_alone(file.as_file().try_clone()?, file.path()) {
                return Ok(Note { file, _lock: lock });
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

/// Removes what killed processes of this user left. Returns what was removed, and what could not be. A folder that
/// a living process was told of (cargo goes on where only `run` was killed) stays until that has ended.
pub fn sweep() -> (Vec<PathBuf>, Vec<(PathBuf, io::Error)>) {
    sweep_in(&std::env::temp_dir())
}

fn sweep_in(parent: &Path) -> (Vec<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let (mut removed, mut failed) = (Vec::new(), Vec::new());
    let mut told: Option<Vec<Vec<u8>>> = None;
    // SAFETY: takes nothing, returns a number.
    let user = unsafe { libc::geteuid() };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !is_ours(&name) {
            continue;
        }
        let Ok(metadata) = entry.metadata() else { continue };
        let kind = metadata.is_dir() || metadata.is_file();
        if !kind || metadata.uid() != user {
            continue;
        }
        let path = entry.path();
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(&path);
        let Some(_lock) = opened.ok().and_then(|opened| ours_alone(opened, &path)) else { continue };
        if is_told(&name, told.get_or_insert_with(environments)) {
            continue;
        }
        let gone = if metadata.is_dir() {
            make_removable(&path);
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match gone {
            Ok(()) => removed.push(path),
            Err(error) => failed.push((path, error)),
        }
    }
    removed.sort();
    (removed, failed)
}

/// Gives the folders in a folder back the right to be emptied, which a program may have taken from its own.
pub(crate) fn make_removable(folder: &Path) {
    make_removable_to(folder, 64);
}

/// As deep as this; what lies deeper cannot be removed, and is told.
fn make_removable_to(folder: &Path, depth: u32) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if depth > 0 && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // Where that fails, the removal fails, and is told.
            let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
            make_removable_to(&entry.path(), depth - 1);
        }
    }
}

fn prefix(kind: &str) -> String {
    format!("relapse-{kind}-")
}

fn is_ours(name: &OsStr) -> bool {
    KINDS.iter().any(|kind| name.as_bytes().starts_with(kind.as_bytes()))
}

/// Takes the lock of what stands at `path`; `None` where somebody else has it, or has removed it meanwhile.
fn ours_alone(opened: File, path: &Path) -> Option<Lock> {
    let lock = Lock::try_take(opened, Mode::Alone).ok()??;
    let (held, named) = (lock.file().metadata().ok()?, fs::symlink_metadata(path).ok()?);
    ((held.dev(), held.ino()) == (named.dev(), named.ino())).then_some(lock)
}

/// The environments of all living processes that we may read.
fn environments() -> Vec<Vec<u8>> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter(|entry| entry.file_name().as_bytes().iter().all(u8::is_ascii_digit));
    ids.filter_map(|entry| fs::read(entry.path().join("environ")).ok()).collect()
}

fn is_told(name: &OsStr, environments: &[Vec<u8>]) -> bool {
    let name = name.as_bytes();
    environments.iter().any(|text| text.windows(name.len()).any(|part| part == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As after a kill: nobody holds the lock, nobody removed the folder.
    fn left(parent: &Path) -> PathBuf {
        let left = Folder::create_in(parent, "rerun").unwrap().keep();
        fs::write(left.join("kept"), "").unwrap();
        left
    }

    #[test]
    fn what_is_in_use_stays_and_what_a_kill_left_goes() {
        let parent = tempfile::tempdir().unwrap();
        let used = Folder::create_in(parent.path(), "run").unwrap();
        let kept = Folder::create_in(parent.path(), "kept-demo").unwrap().keep();
        let left = left(parent.path());
        let (removed, failed) = sweep_in(parent.path());
        assert!(removed == [left] && failed.is_empty(), "{removed:?} {failed:?}");
        assert!(used.path().is_dir() && kept.is_dir());
    }

    #[test]
    fn a_folder_that_a_living_process_was_told_of_stays_until_that_ends() {
        let parent = tempfile::tempdir().unwrap();
        let left = left(parent.path());
        let mut sleep = std::process::Command::new("sleep");
        let mut told = sleep.arg("60").env("SETTINGS", left.join("kept")).spawn().unwrap();
        // The child has its environment once it has become the program.
        while !is_told(left.file_name().unwrap(), &environments()) {
            std::thread::yield_now();
        }
        sweep_in(parent.path());
        let stayed = left.is_dir();
        told.kill().unwrap();
        told.wait().unwrap();
        assert!(stayed);
        sweep_in(parent.path());
        assert!(!left.exists());
    }

    #[test]
    fn a_link_is_neither_followed_nor_removed() {
        let (parent, real) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let link = parent.path().join("relapse-run-link");
        std::os::unix::fs::symlink(real.path(), &link).unwrap();
        assert_eq!(sweep_in(parent.path()).0, <[PathBuf; 0]>::default());
        assert!(real.path().is_dir() && fs::symlink_metadata(&link).is_ok());
    }
}
