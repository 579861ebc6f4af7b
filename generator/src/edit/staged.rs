//! New content beside the files that it is for, until it takes their place: named so that what a kill left is found
//! again. Modes and owners are kept.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::files::{NEW_FILE_MODE, make_parent, real, remove_if_there, sync_folder};
use super::{EditError, EditSet, FileEdit};

/// What the temporary files of one edit are called by: 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Token(String);

impl Token {
    /// One that no other edit has.
    pub(super) fn new() -> Token {
        Token(relapse_snapshot::store::new_name())
    }
}

impl TryFrom<String> for Token {
    type Error = &'static str;

    /// It becomes a part of paths: nothing else may stand in it.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if fits { Ok(Self(text)) } else { Err("its token is not one of ours") }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Writes all new content, none of it in its place yet.
pub(super) fn stage(root: &Path, edits: &EditSet, token: &Token) -> Result<(), EditError> {
    for (at, edit) in edits.files.iter().enumerate() {
        let Some(content) = &edit.after else { continue };
        let path = root.join(&edit.path);
        make_parent(&path)?;
        write_staged(&staged(&path, at, token), &path, content).map_err(EditError::write(&path))?;
    }
    Ok(())
}

/// Gives a file the content from before its edit. What is unfinished stands under the name that [`remove_staged`]
/// removes.
pub(super) fn restore(root: &Path, at: usize, edit: &FileEdit, token: &Token) -> Result<(), EditError> {
    let path = root.join(&edit.path);
    let Some(content) = &edit.before else {
        return remove_if_there(&path).map_err(EditError::write(&path));
    };
    make_parent(&path)?;
    let staged = staged(&path, at, token);
    let put = || -> io::Result<()> {
        write_staged(&staged, &path, content)?;
        fs::rename(&staged, real(&path))?;
        staged.parent().map_or(Ok(()), sync_folder)
    };
    put().map_err(EditError::write(&path))
}

/// Removes what an edit that was cut off has left beside its files.
pub(super) fn remove_staged(root: &Path, edits: &EditSet, token: &Token) -> Result<(), EditError> {
    for (at, edit) in edits.files.iter().enumerate() {
        let path = root.join(&edit.path);
        remove_if_there(&staged(&path, at, token)).map_err(EditError::write(&path))?;
    }
    Ok(())
}

/// Where the content of a file stands until it takes the file's place: in the same folder, so that a rename does it.
pub(super) fn staged(path: &Path, at: usize, token: &Token) -> PathBuf {
    real(path).with_file_name(format!(".relapse-{token}-{at}"))
}

/// Writes content that is to replace `path`, with the mode and, as far as the system lets us, the owner of that.
pub(super) fn write_staged(staged: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    // Of an attempt that was cut off, or that failed.
    remove_if_there(staged)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(NEW_FILE_MODE).open(staged)?;
    file.write_all(content)?;
    if let Ok(known) = fs::metadata(path) {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (known.uid(), known.gid()) {
            // Only root may give a file away. Who may write the folder may replace the file all the same.
            let _ = fchown(&file, Some(known.uid()), Some(known.gid()));
        }
        file.set_permissions(known.permissions())?;
    }
    file.sync_all()
}
