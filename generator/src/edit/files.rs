//! Single files and folders of a tree: read, removed, replaced. What a path names may be a link, or not there.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::EditError;

/// The mode of a new file, before the process's umask.
pub(super) const NEW_FILE_MODE: u32 = 0o666;

/// A file's content; `None` where there is none.
pub(crate) fn read_file(path: &Path) -> Result<Option<Vec<u8>>, EditError> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(EditError::read(path)(error)),
    }
}

/// Removes folders that became empty, from the file's own upwards; never the root, nor anything outside it.
pub(super) fn remove_empty_folders(root: &Path, file: &Path) {
    let mut folder = file.parent();
    while let Some(path) = folder {
        if path == root || !path.starts_with(root) {
            return;
        }
        // `remove_dir` refuses a folder that holds anything, which is where this ends.
        match fs::remove_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return,
            _ => folder = path.parent(),
        }
    }
}

/// Flushes a folder's entries to the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The file that a path means: links are written through.
pub(super) fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn make_parent(path: &Path) -> Result<(), EditError> {
    path.parent().map_or(Ok(()), |parent| fs::create_dir_all(parent).map_err(EditError::write(parent)))
}

/// Replaces a file of a scratch copy.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".relapse-")
        .permissions(fs::Permissions::from_mode(NEW_FILE_MODE))
        .tempfile_in(folder)?;
    file.write_all(content)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// `.relapse/` is nobody's source, whoever of us writes the first file to it. An empty file is one whose writer was
/// killed.
pub(crate) fn hide_from_git(relapse_folder: &Path) -> Result<(), EditError> {
    let path = relapse_folder.join(".gitignore");
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0) {
        return Ok(());
    }
    fs::write(&path, b"*\n").map_err(EditError::write(&path))
}

pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(())
        }
        result => result,
    }
}
