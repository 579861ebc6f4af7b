//! The journal of an edit under way: old and new content of each file, on disk before the first change and
//! gone after the last. What a kill cut off is undone from it at the next start; a file that somebody changed
//! since is never touched.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use relapse_snapshot::lock::Mode;
use serde::{Deserialize, Serialize};

use super::files::{read_file, remove_empty_folders, sync_folder};
use super::lock;
use super::staged::{Token, remove_staged, restore};
use super::{EditError, EditSet};

/// The version of the journal's format that is written here.
const VERSION: u32 = 1;
/// A longer journal is not ours.
const MAX_JOURNAL_BYTES: u64 = 1 << 30;
/// The journal's name in its folder.
const FILE_NAME: &str = "edit.journal";
/// Its name until it is whole.
const NEW_NAME: &str = "edit.journal.new";

/// What [`recover`] found and did. Paths are relative to the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Restored to what they were before the interrupted edit.
    pub undone: Vec<PathBuf>,
    /// The edit was complete; these files hold it.
    pub finished: Vec<PathBuf>,
    /// Neither the old nor the new content: changed by somebody else since, and left alone.
    pub changed: Vec<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Journal {
    version: u32,
    token: Token,
    edits: EditSet,
}

/// Undoes what an interrupted [`EditSet::apply`] left half done. `Ok(None)`: nothing was left.
pub fn recover(root: &Path, journal_folder: &Path) -> Result<Option<Recovered>, EditError> {
    if journal(journal_folder).is_none() {
        return Ok(None);
    }
    let _lock = lock::take(journal_folder, Mode::Alone)?;
    recover_locked(root, journal_folder)
}

/// Removes what a kill left of a journal that was never whole: no file was touched for it. Returns its path, where
/// one was there.
pub fn sweep(journal_folder: &Path) -> Result<Option<PathBuf>, EditError> {
    let path = journal_folder.join(NEW_NAME);
    if fs::symlink_metadata(&path).is_err() {
        return Ok(None);
    }
    let _lock = lock::take(journal_folder, Mode::Alone)?;
    match fs::remove_file(&path) {
        Ok(()) => Ok(Some(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EditError::write(&path)(error)),
    }
}

/// The same, for a caller that holds the lock.
pub(super) fn recover_locked(root: &Path, folder: &Path) -> Result<Option<Recovered>, EditError> {
    let Some(Journal { token, edits, .. }) = read(folder)? else { return Ok(None) };
    remove_staged(root, &edits, &token)?;
    let mut recovered = Recovered::default();
    let mut done = Vec::new();
    let mut untouched = 0;
    for (at, edit) in edits.files.iter().enumerate() {
        let now = read_file(&root.join(&edit.path))?;
        if now == edit.after {
            done.push((at, edit));
        } else if now == edit.before {
            untouched += 1;
        } else {
            recovered.changed.push(edit.path.clone());
        }
    }
    if untouched == 0 {
        recovered.finished = done.iter().map(|(_, edit)| edit.path.clone()).collect();
    } else {
        for (at, edit) in done.iter().rev() {
            let path = root.join(&edit.path);
            restore(root, *at, edit, &token)?;
            if edit.before.is_none() {
                remove_empty_folders(root, &path);
            }
            recovered.undone.push(edit.path.clone());
        }
    }
    // A folder may have been made for a file that was never written.
    for edit in edits.files.iter().filter(|edit| edit.before.is_none()) {
        let path = root.join(&edit.path);
        if !path.exists() {
            remove_empty_folders(root, &path);
        }
    }
    remove(folder)?;
    Ok(Some(recovered))
}

/// The journal of an edit under way, or of one that was cut off.
pub fn journal(journal_folder: &Path) -> Option<PathBuf> {
    let path = journal_folder.join(FILE_NAME);
    fs::symlink_metadata(&path).is_ok().then_some(path)
}

/// Writes the journal; when this returns it is on the disk. The caller holds the lock.
pub(super) fn write(folder: &Path, edits: &EditSet) -> Result<Token, EditError> {
    let (path, new) = (folder.join(FILE_NAME), folder.join(NEW_NAME));
    let token = Token::new();
    let attempt = || -> io::Result<()> {
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        let journal = Journal { version: VERSION, token: token.clone(), edits: edits.clone() };
        let mut buffered = io::BufWriter::new(&mut file);
        serde_json::to_writer(&mut buffered, &journal)?;
        buffered.flush()?;
        drop(buffered);
        file.sync_all()?;
        fs::rename(&new, &path)?;
        sync_folder(folder)
    };
    match attempt() {
        Ok(()) => Ok(token),
        Err(error) => {
            // Of a full disk this is all that is left.
            let _ = fs::remove_file(&new);
            Err(EditError::write(&path)(error))
        }
    }
}

/// Removes the journal: from here on the edit is done, or was never begun.
pub(super) fn remove(folder: &Path) -> Result<(), EditError> {
    let path = folder.join(FILE_NAME);
    fs::remove_file(&path).and_then(|()| sync_folder(folder)).map_err(EditError::write(&path))
}

/// Reads the journal. One that others can read is not ours (it is written 0600): it may have come with a clone,
/// to write files in our name.
fn read(folder: &Path) -> Result<Option<Journal>, EditError> {
    let path = folder.join(FILE_NAME);
    let unusable = |reason: &str| EditError::Journal { path: path.clone(), reason: reason.to_owned() };
    let metadata = match fs::symlink_metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(EditError::read(&path)(error)),
    };
    if !metadata.is_file() || metadata.permissions().mode() & 0o077 != 0 {
        return Err(unusable("it was not written here (its mode is not 0600); remove it"));
    }
    if metadata.len() > MAX_JOURNAL_BYTES {
        return Err(unusable("it is too long; remove it"));
    }
    let bytes = fs::read(&path).map_err(EditError::read(&path))?;
    let journal: Journal =
        serde_json::from_slice(&bytes).map_err(|error| unusable(&format!("{error}; remove it")))?;
    if journal.version != VERSION {
        return Err(unusable(&format!("it has version {}, written by a newer relapse", journal.version)));
    }
    Ok(Some(journal))
}

/// File content in JSON: text where it is text, numbers where it is not.
pub(super) mod content {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Content<'a> {
        Text(std::borrow::Cow<'a, str>),
        Bytes(std::borrow::Cow<'a, [u8]>),
    }

    #[expect(clippy::ref_option, reason = "the signature that serde's `with` asks for")]
    pub(crate) fn serialize<S: Serializer>(value: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        value
            .as_deref()
            .map(|bytes| match std::str::from_utf8(bytes) {
                Ok(text) => Content::Text(text.into()),
                Err(_) => Content::Bytes(bytes.into()),
            })
            .serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        Ok(Option::<Content<'_>>::deserialize(from)?.map(|content| match content {
            Content::Text(text) => text.into_owned().into_bytes(),
            Content::Bytes(bytes) => bytes.into_owned(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::FileEdit;

    struct Fixture {
        root: tempfile::TempDir,
        edits: EditSet,
    }

    /// `src/lib.rs` changes, `regressions/lib/x.rs` and a binary side file are new.
    fn fixture() -> Fixture {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("src")).unwrap();
        fs::create_dir_all(root.path().join(".relapse")).unwrap();
        fs::write(root.path().join("src/lib.rs"), "old").unwrap();
        let edit = |path: &str, before: Option<&[u8]>, after: &[u8]| FileEdit {
            path: path.into(),
            before: before.map(<[u8]>::to_vec),
            after: Some(after.to_vec()),
        };
        let edits = EditSet {
            files: vec![
                edit("regressions/lib/x.rs", None, b"test"),
                edit("regressions/lib/x/data", None, b"\xff\0"),
                edit("src/lib.rs", Some(b"old"), b"new"),
            ],
        };
        Fixture { root, edits }
    }

    impl Fixture {
        fn journal(&self) -> PathBuf {
            self.root.path().join(".relapse")
        }

        /// The state after a kill: the journal and the first `done` files are written.
        fn killed_after(done: usize) -> Self {
            let fixture = fixture();
            write(&fixture.journal(), &fixture.edits).unwrap();
            for edit in &fixture.edits.files[..done] {
                let path = fixture.root.path().join(&edit.path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, edit.after.as_deref().unwrap()).unwrap();
            }
            fixture
        }

        fn read(&self, path: &str) -> Option<Vec<u8>> {
            fs::read(self.root.path().join(path)).ok()
        }
    }

    #[test]
    fn a_kill_at_any_file_is_undone() {
        for done in 0..3 {
            let fixture = Fixture::killed_after(done);
            let recovered = recover(fixture.root.path(), &fixture.journal()).unwrap().unwrap();
            assert_eq!(recovered.undone.len(), done);
            assert_eq!(recovered.changed, Vec::<PathBuf>::new());
            assert_eq!(fixture.read("src/lib.rs").unwrap(), b"old");
            assert!(!fixture.root.path().join("regressions").exists(), "{done}");
            assert_eq!(recover(fixture.root.path(), &fixture.journal()).unwrap(), None);
        }
    }

    #[test]
    fn a_folder_made_for_a_file_that_never_came_is_removed() {
        let fixture = Fixture::killed_after(0);
        fs::create_dir_all(fixture.root.path().join("regressions/lib")).unwrap();
        recover(fixture.root.path(), &fixture.journal()).unwrap().unwrap();
        assert!(!fixture.root.path().join("regressions").exists());
    }

    #[test]
    fn contents_that_were_not_in_their_place_yet_are_removed() {
        let fixture = Fixture::killed_after(1);
        let token = read(&fixture.journal()).unwrap().unwrap().token;
        let staged = |file: &str, at: usize| {
            fixture.root.path().join(file).with_file_name(format!(".relapse-{token}-{at}"))
        };
        fs::create_dir_all(fixture.root.path().join("regressions/lib/x")).unwrap();
        for (at, edit) in fixture.edits.files.iter().enumerate() {
            fs::write(staged(edit.path.to_str().unwrap(), at), "half").unwrap();
        }
        let foreign = fixture.root.path().join("src/.relapse-mine");
        fs::write(&foreign, "").unwrap();
        recover(fixture.root.path(), &fixture.journal()).unwrap().unwrap();
        assert!(!fixture.root.path().join("regressions").exists());
        assert!(!staged("src/lib.rs", 2).exists() && foreign.exists());
    }

    #[test]
    fn a_journal_that_was_never_whole_is_swept() {
        let fixture = Fixture::killed_after(0);
        fs::rename(fixture.journal().join(FILE_NAME), fixture.journal().join(NEW_NAME)).unwrap();
        assert_eq!(recover(fixture.root.path(), &fixture.journal()).unwrap(), None);
        assert_eq!(sweep(&fixture.journal()).unwrap(), Some(fixture.journal().join(NEW_NAME)));
        assert_eq!(sweep(&fixture.journal()).unwrap(), None);
    }

    #[test]
    fn a_token_that_would_lead_elsewhere_is_refused() {
        let fixture = Fixture::killed_after(1);
        let journal = fixture.journal().join(FILE_NAME);
        let token = read(&fixture.journal()).unwrap().unwrap().token.to_string();
        let text = fs::read_to_string(&journal).unwrap().replace(&token, "../../../../../x");
        fs::write(&journal, text).unwrap();
        let error = recover(fixture.root.path(), &fixture.journal()).unwrap_err();
        assert!(error.to_string().contains("token"), "{error}");
    }

    #[test]
    fn an_edit_that_was_complete_is_kept() {
        let fixture = Fixture::killed_after(3);
        let recovered = recover(fixture.root.path(), &fixture.journal()).unwrap().unwrap();
        assert_eq!(recovered.finished.len(), 3);
        assert_eq!(fixture.read("src/lib.rs").unwrap(), b"new");
        assert_eq!(recover(fixture.root.path(), &fixture.journal()).unwrap(), None);
    }

    #[test]
    fn what_the_user_changed_since_is_left_alone_and_named() {
        let fixture = Fixture::killed_after(2);
        fs::write(fixture.root.path().join("regressions/lib/x.rs"), "mine").unwrap();
        let recovered = recover(fixture.root.path(), &fixture.journal()).unwrap().unwrap();
        assert_eq!(recovered.changed, [PathBuf::from("regressions/lib/x.rs")]);
        assert_eq!(fixture.read("regressions/lib/x.rs").unwrap(), b"mine");
        assert_eq!(fixture.read("regressions/lib/x/data"), None);
    }

    #[test]
    fn a_journal_that_came_with_a_clone_is_refused() {
        let fixture = Fixture::killed_after(1);
        let journal = fixture.journal().join(FILE_NAME);
        fs::set_permissions(&journal, fs::Permissions::from_mode(0o644)).unwrap();
        let error = recover(fixture.root.path(), &fixture.journal()).unwrap_err();
        assert!(matches!(error, EditError::Journal { .. }), "{error}");
        assert_eq!(fixture.read("regressions/lib/x.rs").unwrap(), b"test");
    }

    #[test]
    fn a_damaged_journal_is_named_and_changes_nothing() {
        let fixture = Fixture::killed_after(1);
        let journal = fixture.journal().join(FILE_NAME);
        fs::write(&journal, "{\"version\":1,\"edits\":{\"fi").unwrap();
        let error = recover(fixture.root.path(), &fixture.journal()).unwrap_err();
        assert!(error.to_string().contains("edit.journal"), "{error}");
    }

    #[test]
    fn an_edit_first_undoes_what_an_earlier_one_left() {
        let fixture = Fixture::killed_after(2);
        fixture.edits.apply(fixture.root.path(), &fixture.journal()).unwrap();
        assert_eq!(fixture.read("src/lib.rs").unwrap(), b"new");
        assert!(!fixture.journal().join(FILE_NAME).exists());
    }
}
