//! One process edits at a time, and no copy is made meanwhile: an advisory lock on a file beside the journal. It
//! ends with its process, so a kill leaves nothing behind.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use relapse_snapshot::lock::{Lock, Mode};

use super::{EditError, journal, recover};

/// A stopped process may hold the lock for ever; nobody waits for it longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads a tree while no process is in the middle of an edit: of two files one would be read as before it and one as
/// after, and who does not change a file is not told that it changed. An edit that was cut off is taken back first.
/// `folder` has the lock and the journal; without it nobody edits.
pub fn between_edits<T>(root: &Path, folder: &Path, read: impl FnOnce() -> T) -> Result<T, EditError> {
    if !folder.is_dir() {
        return Ok(read());
    }
    loop {
        let lock = take(folder, Mode::Shared)?;
        if journal(folder).is_none() {
            return Ok(read());
        }
        drop(lock);
        recover(root, folder)?;
    }
}

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

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;
    use crate::edit::{EditSet, FileEdit};

    #[test]
    fn a_tree_is_not_read_in_the_middle_of_an_edit() {
        let folder = tempfile::tempdir().unwrap();
        let editing = take(folder.path(), Mode::Alone).unwrap();
        let path = folder.path().to_owned();
        let (sender, read) = mpsc::channel();
        let reader = thread::spawn(move || between_edits(&path, &path, || sender.send(())).unwrap());
        assert!(read.recv_timeout(Duration::from_millis(200)).is_err(), "the edit is not over");
        drop(editing);
        read.recv_timeout(PATIENCE).unwrap();
        reader.join().unwrap().unwrap();
        between_edits(folder.path(), &folder.path().join("nowhere"), || ()).unwrap();
    }

    #[test]
    fn an_edit_that_was_cut_off_is_taken_back_before_the_tree_is_read() {
        let root = tempfile::tempdir().unwrap();
        let edit = |path: &str| FileEdit { path: path.into(), before: None, after: Some(b"half".to_vec()) };
        let both = EditSet { files: vec![edit("a.rs"), edit("b.rs")] };
        journal::write(root.path(), &both).unwrap();
        std::fs::write(root.path().join("a.rs"), "half").unwrap();
        let there = between_edits(root.path(), root.path(), || root.path().join("a.rs").exists()).unwrap();
        assert!(!there && journal(root.path()).is_none());
    }
}
