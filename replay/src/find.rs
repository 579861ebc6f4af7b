//! Finds the regression files of a workspace: `PACKAGE/regressions/**/*.rs` with a header of ours.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use cargo_metadata::Metadata;
use relapse_generator::scratch::roots_of;

use crate::error::ReplayError;
use crate::header::is_ours;

/// A regression file that is larger than this is not read (long data stands beside it).
const MAX_BYTES: u64 = 16 << 20;
/// Modules are not nested deeper than this.
const MAX_DEPTH: usize = 64;

/// A regression file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the workspace root.
    pub file: PathBuf,
    /// The package whose folder it is in.
    pub package: String,
    /// Its text.
    pub text: String,
}

/// All regression files, in the order of their paths. Files without our header are somebody else's.
pub fn find(metadata: &Metadata) -> Result<Vec<Found>, ReplayError> {
    let root = metadata.workspace_root.as_std_path();
    let mut found = Vec::new();
    for package in roots_of(metadata).packages {
        let mut open = vec![(package.folder.join("regressions"), 0)];
        while let Some((folder, depth)) = open.pop() {
            for path in entries(&folder)? {
                let is_link = path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
                if path.is_dir() && !is_link && depth < MAX_DEPTH {
                    open.push((path, depth + 1));
                } else if is_source(&path) {
                    let text = read(&path)?;
                    if is_ours(&text) {
                        found.push(Found {
                            file: relative(root, &path),
                            package: package.name.clone(),
                            text,
                        });
                    }
                }
            }
        }
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found.dedup_by(|a, b| a.file == b.file);
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let failed = |source| ReplayError::Read { path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(failed(error)),
    }
}

fn is_source(path: &Path) -> bool {
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    let is_list = path.file_name().is_some_and(|name| name == "mod.rs");
    is_rust
        && !is_list
        && fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() <= MAX_BYTES)
}

fn read(path: &Path) -> Result<String, ReplayError> {
    let bytes = fs::read(path).map_err(|source| ReplayError::Read { path: path.to_owned(), source })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// `path` as seen from the root, with `..` for a package outside of it.
fn relative(root: &Path, path: &Path) -> PathBuf {
    let shared = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}
