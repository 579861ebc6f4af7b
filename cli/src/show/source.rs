//! Lines of the workspace's own files. The names come from a snapshot, so nothing outside of the root is read,
//! and nothing but plain files of a sensible size.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// The largest source file that is read, in bytes.
const FILE_MAX: u64 = 8 << 20;

pub(super) struct Sources {
    root: Option<PathBuf>,
    files: HashMap<String, Option<String>>,
}

impl Sources {
    pub(super) fn new(root: &Path) -> Sources {
        Sources { root: root.canonicalize().ok(), files: HashMap::new() }
    }

    /// A line of a file that is relative to the workspace root; lines count from 1.
    pub(super) fn line(&mut self, file: &str, line: u32) -> Option<&str> {
        if !self.files.contains_key(file) {
            let text = self.read(file);
            self.files.insert(file.to_owned(), text);
        }
        self.files.get(file)?.as_ref()?.lines().nth((line as usize).checked_sub(1)?)
    }

    fn read(&self, file: &str) -> Option<String> {
        let relative = Path::new(file);
        if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        let root = self.root.as_ref()?;
        let path = root.join(relative).canonicalize().ok()?;
        let metadata = path.metadata().ok()?;
        let fits = path.starts_with(root) && metadata.is_file() && metadata.len() <= FILE_MAX;
        fits.then(|| std::fs::read_to_string(path).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_within_the_root_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("src")).unwrap();
        std::fs::write(root.join("src/lib.rs"), "one\ntwo\n").unwrap();
        std::fs::write(folder.path().join("secret.rs"), "secret\n").unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret.rs"), root.join("link.rs")).unwrap();
        let mut sources = Sources::new(&root);
        assert_eq!(sources.line("src/lib.rs", 2), Some("two"));
        for (file, line) in
            [("src/lib.rs", 0), ("src/lib.rs", 9), ("../secret.rs", 1), ("link.rs", 1), ("src", 1)]
        {
            assert_eq!(sources.line(file, line), None, "{file}:{line}");
        }
        let absolute = folder.path().join("secret.rs");
        assert_eq!(sources.line(absolute.to_str().unwrap(), 1), None);
    }
}
