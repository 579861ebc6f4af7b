//! What the last mirror of a slot knew to be equal: for each copy the stamps of the user's file and of itself. Where both
//! are as they were, neither needs to be read. In: a list in the slot; out: the next one. What cannot be read is nothing.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file that was changed this recently may be changed once more without another time.
const TICK: Duration = Duration::from_secs(2);

/// What tells a file from itself at another time. Nobody sets the time of a file's last change (`ctime`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn is_older(&self, seconds: i64) -> bool {
        self.changed.0 < seconds && self.modified.0 < seconds
    }
}

/// The files of a mirror.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    list: PathBuf,
    before: BTreeMap<String, (Stamp, Stamp)>,
    now: BTreeMap<String, (Stamp, Stamp)>,
}

impl Stamps {
    /// What a list says; nothing where there is none, or none of ours.
    pub(super) fn read(list: &Path) -> Stamps {
        let text = fs::read(list).unwrap_or_default();
        let before = serde_json::from_slice(&text).unwrap_or_default();
        Stamps { list: list.to_owned(), before, now: BTreeMap::new() }
    }

    /// Whether the user's file, of that metadata, and its copy are those that were equal.
    pub(super) fn knows(&self, from: &Metadata, to: &Path) -> bool {
        let known = to.to_str().and_then(|to| self.before.get(to));
        let present = || fs::symlink_metadata(to).ok().map(|to| (Stamp::of(from), Stamp::of(&to)));
        known.is_some() && known.copied() == present()
    }

    /// Notes that both are equal. `from` is the metadata from before it was read.
    pub(super) fn note(&mut self, from: &Metadata, to: &Path) {
        if let (Some(name), Ok(to)) = (to.to_str(), fs::symlink_metadata(to)) {
            self.now.insert(name.to_owned(), (Stamp::of(from), Stamp::of(&to)));
        }
    }

    /// Writes the list for the next mirror. Where that fails, everything is read once more.
    pub(super) fn write(mut self, at: SystemTime) {
        let at = at.checked_sub(TICK).and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let seconds = at.and_then(|at| i64::try_from(at.as_secs()).ok()).unwrap_or(0);
        self.now.retain(|_, (from, to)| from.is_older(seconds) && to.is_older(seconds));
        if let Ok(text) = serde_json::to_vec(&self.now) {
            let _ = fs::write(&self.list, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_its_copy_are_known_until_one_of_them_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (from, to, list) = (path("from"), path("to"), path("list"));
        let known = || Stamps::read(&list).knows(&fs::metadata(&from).unwrap(), &to);
        let note = |seconds: u64| {
            let mut stamps = Stamps::read(&list);
            stamps.note(&fs::metadata(&from).unwrap(), &to);
            stamps.write(SystemTime::now() + Duration::from_secs(seconds));
        };
        let change = |file: &Path| {
            // Longer than the time of a file is exact.
            std::thread::sleep(Duration::from_millis(20));
            fs::write(file, "b").unwrap();
        };
        fs::write(&from, "a").unwrap();
        fs::write(&to, "a").unwrap();
        assert!(!known(), "nobody knows it yet");
        note(0);
        assert!(!known(), "it may change within the same moment");
        note(10);
        assert!(known());
        change(&to);
        assert!(!known());
        note(10);
        assert!(known());
        change(&from);
        assert!(!known());
        fs::write(&list, "{").unwrap();
        assert!(!known());
    }
}
