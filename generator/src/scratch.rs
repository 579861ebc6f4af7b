//! A copy of the workspace that candidates are built in, so that the user's tree stays as it is until a
//! regression is verified. In: cargo's metadata and the `.relapse` folder; out: folders below
//! `.relapse/scratch/SLOT/`. Never writes outside of them, never through a link that leads out.
//!
//! A slot is owned by the process that holds the lock on its `lock` file. Its tree and its target folder stay
//! when the owner ends, so the next `gen` only copies what changed and cargo only rebuilds that.

mod error;
mod layout;
mod manifest;
mod mirror;
mod stamps;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_snapshot::lock::{Lock, Mode};
use rustix::fs::StatVfsMountFlags;

pub use self::error::ScratchError;
use self::layout::Layout;
pub(crate) use self::layout::relative_within;
pub use self::layout::roots_of;
use crate::build_place::BuildPlace;
use crate::edit::{EditSet, between_edits, hide_from_git};
use crate::paths::normalized;

/// More processes than this do not generate in one workspace at once.
const SLOTS: u32 = 64;
/// Less than this is no room for a build.
const LEAST_MIB: u64 = 64;

/// A copy of the workspace, owned until it is dropped. Its files stay for the next owner.
#[derive(Debug)]
pub struct Scratch {
    slot: PathBuf,
    layout: Layout,
    locked: bool,
    skipped: Vec<PathBuf>,
    /// Held, not read: it goes with this process, by a kill too.
    _lock: Lock,
}

/// What [`clean`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Slots that were removed.
    pub removed: Vec<PathBuf>,
    /// Slots that a living process owns; they were left alone.
    pub busy: Vec<PathBuf>,
}

impl Scratch {
    /// Copies the workspace of `metadata` into a free slot of `relapse_folder` (absolute, usually `.relapse` at
    /// the workspace root). Files that an earlier owner left are brought up to date, edits that it left are
    /// taken back, and only files whose content differs get a new time, so cargo's own freshness holds.
    pub fn create(metadata: &Metadata, relapse_folder: &Path) -> Result<Self, ScratchError> {
        let (slot, lock) = take_slot(relapse_folder)?;
        let layout = Layout::plan(metadata, relapse_folder, &slot.join("tree"));
        // A copy of one half of an edit would not build.
        let copy = || mirror::mirror(&layout, &slot.join("mirrored.json"));
        let skipped = between_edits(layout.original_root(), relapse_folder, copy)??;
        // One that cargo could not resolve the workspace by is brought up to date in the copy.
        let locked = metadata.resolve.is_some() && layout.original_root().join("Cargo.lock").is_file();
        Ok(Self { slot, layout, locked, skipped, _lock: lock })
    }

    /// The copy of the workspace root.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// The folder that holds the copy and all that is built of it.
    pub fn slot(&self) -> &Path {
        &self.slot
    }

    /// The folder of the user's workspace.
    pub fn original_root(&self) -> &Path {
        self.layout.original_root()
    }

    /// The slot's own target folder.
    pub fn target_folder(&self) -> PathBuf {
        self.slot.join("target")
    }

    /// What is free on the disk of the copy, in MiB, where that is too little for a build: then its failure says
    /// nothing about what was to be built.
    pub fn too_little_room(&self) -> Option<u64> {
        free_mib(&self.slot).filter(|left| *left < LEAST_MIB)
    }

    /// Where and how cargo builds the copy. Where the workspace has a `Cargo.lock` that is up to date, it
    /// holds; else cargo writes one in the copy only.
    pub fn build_place(&self) -> BuildPlace {
        BuildPlace {
            root: self.root().to_owned(),
            tree: self.layout.tree().to_owned(),
            target_folder: Some(self.target_folder()),
            locked: self.locked,
            lean_debug_info: true,
        }
    }

    /// Source files that could not be read and so are missing in the copy (relative to the workspace root).
    pub fn skipped(&self) -> &[PathBuf] {
        &self.skipped
    }

    /// The place in the copy of a path relative to the workspace root (with `..` for path dependencies outside
    /// it).
    pub fn at(&self, relative: &Path) -> Result<PathBuf, ScratchError> {
        let path = normalized(&self.root().join(relative));
        if relative.is_relative() && path.starts_with(self.layout.tree()) {
            Ok(path)
        } else {
            Err(ScratchError::Outside { path: relative.to_owned() })
        }
    }

    /// The reverse of [`Scratch::at`]: a path in the copy, as any program names it, relative to the root.
    /// `None` for a path that is not in the copy.
    pub fn relative(&self, path: &Path) -> Option<PathBuf> {
        relative_within(self.layout.tree(), self.root(), path)
    }

    /// The place in the copy of an absolute path of the user's tree.
    pub fn of_original(&self, path: &Path) -> Option<PathBuf> {
        self.layout.in_tree(path)
    }

    /// The folders of the copy, for the paths that its programs print.
    pub fn roots(&self, original: &Roots) -> Roots {
        let packages = original.packages.iter().map(|package| PackageRoot {
            name: package.name.clone(),
            folder: self.of_original(&package.folder).unwrap_or_else(|| package.folder.clone()),
        });
        Roots { workspace: Some(self.root().to_owned()), packages: packages.collect() }
    }

    /// Makes the changes in the copy; none of them where one leads out of it.
    pub fn apply(&self, edits: &EditSet) -> Result<(), ScratchError> {
        edits.files.iter().try_for_each(|edit| self.writable(&edit.path).map(|_| ()))?;
        edits.files.iter().try_for_each(|edit| self.put(&edit.path, edit.after.as_deref()))
    }

    /// Takes the changes back.
    pub fn reset(&self, edits: &EditSet) -> Result<(), ScratchError> {
        edits.files.iter().try_for_each(|edit| self.put(&edit.path, edit.before.as_deref()))
    }

    fn put(&self, relative: &Path, content: Option<&[u8]>) -> Result<(), ScratchError> {
        let path = self.writable(relative)?;
        let Some(content) = content else { return self.remove(&path) };
        let content = manifest::for_copy(&path, content, &self.layout);
        if fs::read(&path).is_ok_and(|present| present == *content) {
            return Ok(());
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(ScratchError::io("create", folder))?;
        }
        fs::write(&path, &content).map_err(ScratchError::io("write", &path))
    }

    /// Removes a file and the folders that it leaves empty.
    fn remove(&self, path: &Path) -> Result<(), ScratchError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ScratchError::io("remove", path)(error));
            }
            _ => {}
        }
        let mut folder = path.parent();
        while let Some(empty) = folder.filter(|f| f.starts_with(self.root()) && *f != self.root()) {
            if fs::remove_dir(empty).is_err() {
                break;
            }
            folder = empty.parent();
        }
        Ok(())
    }

    /// The place in the copy of a path that is to be written. A link in the copy may lead to the user's files:
    /// nothing is written through it.
    fn writable(&self, relative: &Path) -> Result<PathBuf, ScratchError> {
        let path = self.at(relative)?;
        let existing = path.ancestors().find(|p| p.symlink_metadata().is_ok()).unwrap_or(&path);
        let real = existing.canonicalize().map_err(ScratchError::io("find", existing))?;
        let tree = self.layout.tree();
        let tree = tree.canonicalize().map_err(ScratchError::io("find", tree))?;
        if real.starts_with(&tree) {
            Ok(path)
        } else {
            Err(ScratchError::Outside { path: relative.to_owned() })
        }
    }
}

/// What is free on the disk of a folder, in MiB; 0 where nothing may be written there, or no file be made.
pub(crate) fn free_mib(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let writable = !disk.f_flag.contains(StatVfsMountFlags::RDONLY);
    // A file system that counts no files says 0 of 0.
    let has_files = disk.f_files == 0 || disk.f_favail > 0;
    Some(if writable && has_files { disk.f_bavail.saturating_mul(disk.f_frsize) >> 20 } else { 0 })
}

/// Removes every slot whose owner does not live any more, its target folder included.
pub fn clean(relapse_folder: &Path) -> Result<Cleaned, ScratchError> {
    let folder = relapse_folder.join("scratch");
    let mut cleaned = Cleaned::default();
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(cleaned),
        Err(error) => return Err(ScratchError::io("read", &folder)(error)),
    };
    for entry in entries {
        let slot = entry.map_err(ScratchError::io("read", &folder))?.path();
        if !slot.is_dir() {
            continue;
        }
        let Some(_lock) = try_lock(&slot)? else {
            cleaned.busy.push(slot);
            continue;
        };
        // Out of the way first: with the lock file gone, another process would begin a new slot in its midst.
        let aside = folder.join(format!("removed-{}", relapse_snapshot::store::new_name()));
        fs::rename(&slot, &aside).map_err(ScratchError::io("remove", &slot))?;
        fs::remove_dir_all(&aside).map_err(ScratchError::io("remove", &aside))?;
        cleaned.removed.push(slot);
    }
    // Goes where nothing is left in it.
    let _ = fs::remove_dir(&folder);
    cleaned.removed.sort();
    cleaned.busy.sort();
    Ok(cleaned)
}

/// The first slot that nobody owns.
fn take_slot(relapse_folder: &Path) -> Result<(PathBuf, Lock), ScratchError> {
    let scratch = relapse_folder.join("scratch");
    fs::create_dir_all(&scratch).map_err(ScratchError::io("create", &scratch))?;
    hide_from_git(relapse_folder)?;
    for number in 0..SLOTS {
        let slot = scratch.join(number.to_string());
        if let Some(lock) = try_lock(&slot)? {
            return Ok((slot, lock));
        }
    }
    Err(ScratchError::Busy { folder: scratch })
}

/// The lock of a slot, where no living process holds it. The slot is made where it does not exist.
fn try_lock(slot: &Path) -> Result<Option<Lock>, ScratchError> {
    let path = slot.join("lock");
    // `clean` of another process may remove the slot between two of these steps: then once more.
    for _ in 0..8 {
        fs::create_dir_all(slot).map_err(ScratchError::io("create", slot))?;
        let file = match OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(ScratchError::io("open", &path)(error)),
        };
        let Some(lock) = Lock::try_take(file, Mode::Alone).map_err(ScratchError::io("lock", &path))? else {
            return Ok(None);
        };
        let held = lock.file().metadata().map_err(ScratchError::io("read", &path))?;
        if fs::metadata(&path).is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino())) {
            return Ok(Some(lock));
        }
    }
    Ok(None)
}
