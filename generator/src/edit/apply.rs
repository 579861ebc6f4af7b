//! Edits written to a tree: all files or none. First every new content is written beside the file that it is for,
//! where a full disk or a read-only folder shows; then each takes its file's place by a rename, which needs no room.
//! Modes and owners are kept and symbolic links are written through; in a scratch copy neither matters.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{
    hide_from_git, make_parent, read_file, real, remove_empty_folders, remove_if_there, replace, sync_folder,
};
use relapse_snapshot::lock::Mode;

use super::lock;
use super::staged::{Token, remove_staged, restore, stage, staged};
use super::{EditError, EditSet, FileEdit, journal};

impl EditSet {
    /// Writes the changes to the user's tree: all files or none. Each file must still be what its edit was made
    /// from. `journal_folder` (made where it is missing) holds the old content until the last file is written;
    /// after a kill, [`recover`](super::recover) takes it from there. One process at a time does this.
    pub fn apply(&self, root: &Path, journal_folder: &Path) -> Result<(), EditError> {
        if self.is_empty() {
            return Ok(());
        }
        fs::create_dir_all(journal_folder).map_err(EditError::write(journal_folder))?;
        hide_from_git(journal_folder)?;
        let _lock = lock::take(journal_folder, Mode::Alone)?;
        journal::recover_locked(root, journal_folder)?;
        for edit in &self.files {
            check(root, edit)?;
        }
        let token = journal::write(journal_folder, self)?;
        if let Err(cause) = stage(root, self, &token).and_then(|()| put_in_place(root, self, &token)) {
            undo(root, self, &token).map_err(|(path, source)| EditError::Undo {
                path,
                source,
                cause: Box::new(clone_reason(&cause)),
            })?;
            journal::remove(journal_folder)?;
            return Err(cause);
        }
        journal::remove(journal_folder)
    }

    /// Writes the changes to a scratch copy: no journal, no check of what was there. A linked file is replaced,
    /// never written through, so that the original cannot change.
    pub fn apply_plain(&self, root: &Path) -> Result<(), EditError> {
        for edit in &self.files {
            let path = root.join(&edit.path);
            match &edit.after {
                Some(content) => {
                    make_parent(&path)?;
                    replace(&path, content).map_err(EditError::write(&path))?;
                }
                None => remove_if_there(&path).map_err(EditError::write(&path))?,
            }
        }
        Ok(())
    }
}

fn check(root: &Path, edit: &FileEdit) -> Result<(), EditError> {
    let path = root.join(&edit.path);
    if let Ok(link) = fs::symlink_metadata(&path) {
        // A link to nothing would read as "no file" and then be replaced.
        let metadata = fs::metadata(&path).map_err(|_| EditError::NotAFile(edit.path.clone()))?;
        if !metadata.is_file() || (link.is_symlink() && edit.after.is_none()) {
            return Err(EditError::NotAFile(edit.path.clone()));
        }
        if metadata.permissions().readonly() {
            return Err(EditError::ReadOnly(edit.path.clone()));
        }
    }
    if read_file(&path)? == edit.before { Ok(()) } else { Err(EditError::Changed(edit.path.clone())) }
}

/// Gives each staged content its place and removes what is to be removed.
fn put_in_place(root: &Path, edits: &EditSet, token: &Token) -> Result<(), EditError> {
    let mut changed = BTreeSet::new();
    for (at, edit) in edits.files.iter().enumerate() {
        let path = root.join(&edit.path);
        // The journal and the staged contents were waited for meanwhile: somebody may have saved the file.
        check(root, edit)?;
        if edit.after.is_some() {
            fs::rename(staged(&path, at, token), real(&path)).map_err(EditError::write(&path))?;
            // The folders may be new, too.
            let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(root));
            changed.extend(folders.map(Path::to_owned));
            changed.extend(path.parent().map(Path::to_owned));
        } else {
            remove_if_there(&path).map_err(EditError::write(&path))?;
            remove_empty_folders(root, &path);
        }
    }
    for folder in changed.iter().filter(|folder| folder.is_dir()) {
        sync_folder(folder).map_err(EditError::write(folder))?;
    }
    Ok(())
}

/// Takes back the edits, however many of them were made.
fn undo(root: &Path, edits: &EditSet, token: &Token) -> Result<(), (PathBuf, io::Error)> {
    let reason = |error: EditError| match error {
        EditError::Read { path, source } | EditError::Write { path, source } => (path, source),
        other => (PathBuf::new(), io::Error::other(other)),
    };
    remove_staged(root, edits, token).map_err(reason)?;
    for (at, edit) in edits.files.iter().enumerate().rev() {
        let path = root.join(&edit.path);
        // What is neither ours nor what was there somebody has written since.
        let now = read_file(&path).map_err(reason)?;
        if now == edit.after && now != edit.before {
            restore(root, at, edit, token).map_err(reason)?;
        }
        if edit.before.is_none() {
            remove_empty_folders(root, &path);
        }
    }
    Ok(())
}

/// The cause once more, for [`EditError::Undo`] (an `io::Error` cannot be cloned).
fn clone_reason(cause: &EditError) -> EditError {
    match cause {
        EditError::Write { path, source } => {
            EditError::Write { path: path.clone(), source: io::Error::new(source.kind(), source.to_string()) }
        }
        EditError::Read { path, source } => {
            EditError::Read { path: path.clone(), source: io::Error::new(source.kind(), source.to_string()) }
        }
        other => EditError::Journal { path: PathBuf::new(), reason: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn edit(path: &str, before: Option<&str>, after: Option<&str>) -> FileEdit {
        FileEdit {
            path: path.into(),
            before: before.map(|text| text.as_bytes().to_vec()),
            after: after.map(|text| text.as_bytes().to_vec()),
        }
    }

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("src")).unwrap();
        fs::write(root.path().join("src/lib.rs"), "old").unwrap();
        root
    }

    fn apply(root: &Path, files: Vec<FileEdit>) -> Result<(), EditError> {
        EditSet { files }.apply(root, &root.join(".relapse"))
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn edits_are_written_and_leave_no_other_file() {
        let root = tree();
        let lib = root.path().join("src/lib.rs");
        fs::set_permissions(&lib, fs::Permissions::from_mode(0o640)).unwrap();
        let files =
            vec![edit("src/lib.rs", Some("old"), Some("new")), edit("regressions/lib/x.rs", None, Some("t"))];
        apply(root.path(), files).unwrap();
        assert_eq!(fs::read(&lib).unwrap(), b"new");
        assert_eq!(fs::metadata(&lib).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(names(&root.path().join("src")), ["lib.rs"]);
        assert_eq!(names(&root.path().join("regressions/lib")), ["x.rs"]);
        assert_eq!(names(&root.path().join(".relapse")), [".gitignore", "edit.lock"]);
        let lock = fs::metadata(root.path().join(".relapse/edit.lock")).unwrap();
        assert_eq!(lock.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_changed_meanwhile_stops_everything() {
        let root = tree();
        let files =
            vec![edit("regressions/x.rs", None, Some("t")), edit("src/lib.rs", Some("older"), Some("new"))];
        assert!(matches!(apply(root.path(), files), Err(EditError::Changed(_))));
        assert_eq!(names(root.path()), [".relapse", "src"]);
    }

    #[test]
    fn a_write_that_fails_takes_the_earlier_ones_back() {
        let root = tree();
        // `src/lib.rs` is a file, so nothing can be made below it.
        let files = vec![
            edit("regressions/lib/x.rs", None, Some("t")),
            edit("src/lib.rs", Some("old"), Some("new")),
            edit("src/lib.rs/y", None, Some("t")),
        ];
        assert!(matches!(apply(root.path(), files), Err(EditError::Write { .. })));
        assert_eq!(fs::read(root.path().join("src/lib.rs")).unwrap(), b"old");
        assert_eq!(names(root.path()), [".relapse", "src"]);
        assert_eq!(names(&root.path().join(".relapse")), [".gitignore", "edit.lock"]);
    }

    #[test]
    fn a_failure_after_the_first_file_is_in_its_place_takes_it_back() {
        let root = tree();
        fs::create_dir(root.path().join("full")).unwrap();
        fs::write(root.path().join("full/kept"), "").unwrap();
        let set = EditSet {
            files: vec![
                edit("regressions/lib/x.rs", None, Some("t")),
                edit("src/lib.rs", Some("old"), Some("new")),
                // A folder with something in it.
                edit("full", None, Some("t")),
            ],
        };
        let token = journal::write(root.path(), &set).unwrap();
        stage(root.path(), &set, &token).unwrap();
        assert_eq!(fs::read(root.path().join("src/lib.rs")).unwrap(), b"old", "nothing is in its place yet");
        assert!(matches!(put_in_place(root.path(), &set, &token), Err(EditError::NotAFile(_))));
        assert_eq!(fs::read(root.path().join("src/lib.rs")).unwrap(), b"new");
        // What stands there is a folder, which cannot be read as a file: the rest is taken back all the same.
        let set = EditSet { files: set.files[..2].to_vec() };
        undo(root.path(), &set, &token).unwrap();
        assert_eq!(fs::read(root.path().join("src/lib.rs")).unwrap(), b"old");
        assert_eq!(names(&root.path().join("src")), ["lib.rs"]);
        assert!(!root.path().join("regressions").exists());
    }

    #[test]
    fn what_an_editor_saves_in_the_middle_of_an_edit_stays() {
        let root = tree();
        let lib = root.path().join("src/lib.rs");
        let files =
            vec![edit("regressions/lib/x.rs", None, Some("t")), edit("src/lib.rs", Some("old"), Some("new"))];
        let set = EditSet { files };
        let token = journal::write(root.path(), &set).unwrap();
        stage(root.path(), &set, &token).unwrap();
        fs::write(&lib, "saved").unwrap();
        assert!(matches!(put_in_place(root.path(), &set, &token), Err(EditError::Changed(_))));
        undo(root.path(), &set, &token).unwrap();
        assert_eq!(fs::read(&lib).unwrap(), b"saved");
        assert!(!root.path().join("regressions").exists());
        assert_eq!(names(&root.path().join("src")), ["lib.rs"]);
    }

    #[test]
    fn a_read_only_file_is_refused() {
        let root = tree();
        let lib = root.path().join("src/lib.rs");
        fs::set_permissions(&lib, fs::Permissions::from_mode(0o444)).unwrap();
        let error = apply(root.path(), vec![edit("src/lib.rs", Some("old"), Some("new"))]).unwrap_err();
        assert_eq!(error.to_string(), "failed to edit src/lib.rs: it is read-only");
    }

    #[test]
    fn a_linked_file_is_written_through() {
        let root = tree();
        fs::write(root.path().join("real.rs"), "old").unwrap();
        std::os::unix::fs::symlink("../real.rs", root.path().join("src/a.rs")).unwrap();
        apply(root.path(), vec![edit("src/a.rs", Some("old"), Some("new"))]).unwrap();
        assert_eq!(fs::read(root.path().join("real.rs")).unwrap(), b"new");
        assert!(fs::symlink_metadata(root.path().join("src/a.rs")).unwrap().is_symlink());
    }

    #[test]
    fn a_scratch_copy_made_of_links_does_not_change_the_original() {
        let root = tree();
        let scratch = tempfile::tempdir_in(root.path()).unwrap();
        fs::create_dir(scratch.path().join("src")).unwrap();
        fs::hard_link(root.path().join("src/lib.rs"), scratch.path().join("src/lib.rs")).unwrap();
        let set = EditSet { files: vec![edit("src/lib.rs", Some("old"), Some("new"))] };
        set.apply_plain(scratch.path()).unwrap();
        assert_eq!(fs::read(scratch.path().join("src/lib.rs")).unwrap(), b"new");
        assert_eq!(fs::read(root.path().join("src/lib.rs")).unwrap(), b"old");
    }

    #[test]
    fn a_removed_file_takes_its_empty_folders_along() {
        let root = tree();
        let file = root.path().join("regressions/a/x.rs");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "t").unwrap();
        apply(root.path(), vec![edit("regressions/a/x.rs", Some("t"), None)]).unwrap();
        assert_eq!(names(root.path()), [".relapse", "src"]);
    }

    #[test]
    fn two_processes_that_edit_at_once_do_not_mix() {
        let root = tree();
        let path = root.path();
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = ["one", "two"]
                .map(|text| {
                    scope.spawn(move || {
                        let other = format!("regressions/{text}.rs");
                        let files =
                            vec![edit(&other, None, Some(text)), edit("src/lib.rs", Some("old"), Some(text))];
                        apply(path, files).is_ok()
                    })
                })
                .into_iter()
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(results.iter().filter(|&&done| done).count(), 1);
        let winner = fs::read_to_string(path.join("src/lib.rs")).unwrap();
        assert_eq!(names(&path.join("regressions")), [format!("{winner}.rs")]);
    }
}
