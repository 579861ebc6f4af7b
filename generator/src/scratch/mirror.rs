//! Makes the tree of a scratch copy equal to the user's, by content. A file that is equal already is not
//! touched, so its time stays older than cargo's last build of it, and one that the last mirror knew to be equal is not
//! even read; whatever else stands there is removed: edits of an owner that was killed, files that tests wrote.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, DirEntry, File, Metadata, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::error::ScratchError;
use super::layout::{Layout, Source, names_between};
use super::stamps::Stamps;
use super::{LEAST_MIB, free_mib, manifest};
use crate::paths::normalized;

/// Folders that no build reads: version control, our own files, another ecosystem's packages.
const LEFT_OUT: [&str; 6] = [".git", ".hg", ".svn", ".jj", ".relapse", "node_modules"];

/// How a `CACHEDIR.TAG` starts (bford.info/cachedir); cargo puts one into each of its target folders.
const CACHE_TAG: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55";

/// A file of at least so many bytes is copied only where there is room for a build beside it.
const LARGE: u64 = 1 << 20;

/// Copies what differs. `list` has what was equal the last time. Returns the files that could not be read, relative to the workspace root where they lie
/// in it.
pub(super) fn mirror(layout: &Layout, list: &Path) -> Result<Vec<PathBuf>, ScratchError> {
    let mut mirror = Mirror { layout, skipped: Vec::new(), stamps: Stamps::read(list) };
    for (folder, mut names) in names_between(layout) {
        make_folder(&folder)?;
        let mut linked = Vec::new();
        if let Some(beside) = layout.beside(&folder) {
            // Cargo reads the configuration of the folders above the copy anyway.
            let others = mirror.wanted_names(&beside).into_iter().filter(|name| name != ".cargo");
            let others = others.filter(|name| !names.contains(name));
            linked.extend(others.map(|name| (beside.join(&name), folder.join(&name))));
        }
        names.extend(linked.iter().filter_map(|(original, _)| original.file_name()).map(OsString::from));
        remove_others(&folder, &names)?;
        linked.iter().try_for_each(|(original, link)| lead_to(original, link))?;
    }
    for source in layout.sources() {
        mirror.source(source)?;
    }
    mirror.stamps.write(SystemTime::now());
    Ok(mirror.skipped)
}

struct Mirror<'a> {
    layout: &'a Layout,
    skipped: Vec<PathBuf>,
    stamps: Stamps,
}

impl Mirror<'_> {
    fn source(&mut self, source: &Source) -> Result<(), ScratchError> {
        if source.file {
            let Ok(metadata) = fs::metadata(&source.from) else {
                self.skip(&source.from);
                return Ok(());
            };
            return self.file(&source.from, &metadata, &source.to);
        }
        let mut open = vec![(source.from.clone(), source.to.clone())];
        while let Some((from, to)) = open.pop() {
            make_folder(&to)?;
            let names = self.wanted_names(&from);
            remove_others(&to, &names)?;
            for name in names {
                let (from, to) = (from.join(&name), to.join(&name));
                let Ok(metadata) = from.symlink_metadata() else { continue };
                if metadata.is_symlink() {
                    self.link(&from, &to)?;
                } else if metadata.is_dir() {
                    open.push((from, to));
                } else if metadata.is_file() {
                    self.file(&from, &metadata, &to)?;
                }
            }
        }
        Ok(())
    }

    fn wanted_names(&mut self, folder: &Path) -> BTreeSet<OsString> {
        let Ok(entries) = fs::read_dir(folder) else {
            self.skip(folder);
            return BTreeSet::new();
        };
        let wanted = |entry: &DirEntry| {
            let (name, path) = (entry.file_name(), entry.path());
            // A link may lead to a folder.
            let may_be_folder = entry.file_type().is_ok_and(|kind| !kind.is_file());
            let left_out = LEFT_OUT.iter().any(|out| name == *out) || self.layout.never_copied(&path);
            !(left_out || may_be_folder && is_cache(&path))
        };
        let entries = entries.filter_map(Result::ok).filter(wanted);
        let mut names: BTreeSet<_> = entries.map(|entry| entry.file_name()).collect();
        if folder == self.layout.original_root() {
            // Where the user has none, the one that cargo wrote here earlier stays, and with it the versions.
            names.insert("Cargo.lock".into());
        }
        names
    }

    /// Makes the copy of a file, of that metadata, equal to it.
    fn file(&mut self, from: &Path, metadata: &Metadata, to: &Path) -> Result<(), ScratchError> {
        if self.stamps.knows(metadata, to) {
            self.stamps.note(metadata, to);
            return Ok(());
        }
        let Ok(opened) = File::open(from) else {
            self.skip(from);
            return Ok(());
        };
        // What is read-only for the user may be edited here, and must be removable.
        let mode = metadata.permissions().mode() & 0o777 | 0o600;
        if from.file_name().is_some_and(|name| name == "Cargo.toml") {
            let content = fs::read(from).map_err(ScratchError::io("read", from))?;
            let content = manifest::for_copy(from, &content, self.layout);
            if !equal(&content[..], to) {
                clear(to)?;
                fs::write(to, &content).map_err(ScratchError::io("write", to))?;
            }
            return set_mode(to, mode);
        }
        let same_length = fs::symlink_metadata(to).is_ok_and(|copy| copy.len() == metadata.len());
        if !same_length || !equal(opened, to) {
            clear(to)?;
            // A copy, never a hard link: a test may write to it.
            let copied = room_for(metadata.len(), to).and_then(|()| fs::copy(from, to));
            if let Err(error) = copied {
                // The first half of it would fill the disk for all others, too.
                clear(to)?;
                return Err(ScratchError::io("copy", from)(error));
            }
        }
        set_mode(to, mode)?;
        self.stamps.note(metadata, to);
        Ok(())
    }

    /// A link within the copied folders stays one; one that leads out of them leads to the same file as the
    /// user's (edits refuse to go through it).
    fn link(&self, from: &Path, to: &Path) -> Result<(), ScratchError> {
        let text = fs::read_link(from).map_err(ScratchError::io("read", from))?;
        let folder = from.parent().unwrap_or(from);
        let named = normalized(&folder.join(&text));
        let target = match self.layout.in_tree(&named) {
            Some(_) if text.is_relative() => text,
            Some(copied) => copied,
            None => named,
        };
        lead_to(&target, to)
    }

    fn skip(&mut self, path: &Path) {
        let relative = path.strip_prefix(self.layout.original_root()).unwrap_or(path);
        self.skipped.push(relative.to_owned());
    }
}

/// An error where a large file would take the room that a build needs.
fn room_for(len: u64, to: &Path) -> io::Result<()> {
    let left = to.parent().filter(|_| len >= LARGE).and_then(free_mib);
    match left {
        Some(left) if left < (len >> 20).saturating_add(LEAST_MIB) => {
            Err(io::Error::new(io::ErrorKind::StorageFull, format!("{left} MiB are free for the copy")))
        }
        _ => Ok(()),
    }
}

/// Makes sure that a link to `target` stands at `path`.
fn lead_to(target: &Path, path: &Path) -> Result<(), ScratchError> {
    if fs::read_link(path).is_ok_and(|present| present == target) {
        return Ok(());
    }
    clear(path)?;
    symlink(target, path).map_err(ScratchError::io("create", path))
}

/// Whether a folder says of itself that it can be made anew.
fn is_cache(folder: &Path) -> bool {
    let mut start = vec![0; CACHE_TAG.len()];
    let tag = File::open(folder.join("CACHEDIR.TAG"));
    tag.and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == CACHE_TAG
}

/// Whether a plain file of that content stands at `path`.
fn equal(mut content: impl Read, path: &Path) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    let Some(mut present) = is_file.then(|| File::open(path).ok()).flatten() else { return false };
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let lengths = (fill(&mut content, &mut left), fill(&mut present, &mut right));
        let (Ok(a), Ok(b)) = lengths else { return false };
        if left[..a] != right[..b] {
            return false;
        }
        if a == 0 {
            return true;
        }
    }
}

/// Reads until the buffer is full or the end is met.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match from.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), ScratchError> {
    let present = fs::metadata(path).map_err(ScratchError::io("read", path))?.permissions().mode() & 0o777;
    if present == mode {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(ScratchError::io("write", path))
}

/// Makes sure that `path` is a real folder that we may write to.
fn make_folder(path: &Path) -> Result<(), ScratchError> {
    if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
        clear(path)?;
    }
    fs::create_dir_all(path).map_err(ScratchError::io("create", path))?;
    let mode = fs::metadata(path).map_err(ScratchError::io("read", path))?.permissions().mode();
    set_mode(path, mode & 0o777 | 0o700)
}

fn remove_others(folder: &Path, names: &BTreeSet<OsString>) -> Result<(), ScratchError> {
    for entry in fs::read_dir(folder).map_err(ScratchError::io("read", folder))? {
        let entry = entry.map_err(ScratchError::io("read", folder))?;
        if !names.contains(&entry.file_name()) {
            clear(&entry.path())?;
        }
    }
    Ok(())
}

/// Removes whatever stands at a path of the copy; links are removed, not followed.
fn clear(path: &Path) -> Result<(), ScratchError> {
    let removed = match path.symlink_metadata() {
        Err(_) => Ok(()),
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    removed.map_err(ScratchError::io("remove", path))
}
