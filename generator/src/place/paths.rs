//! Paths as text: without `.` and `..`, and relative to each other. The file system is not asked.

use std::path::{Component, Path, PathBuf};

/// The path without `.`, and with `..` taken away together with what it leaves.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// The way from the folder `from` to `to`, both absolute and normalized.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out() {
        assert_eq!(normalized(Path::new("a/./b/../c")), Path::new("a/c"));
        assert_eq!(normalized(Path::new("../a/../../b")), Path::new("../../b"));
        assert_eq!(normalized(Path::new("a/..")), Path::new(""));
    }

    #[test]
    fn the_way_goes_up_and_down() {
        assert_eq!(
            relative(Path::new("/w/p/src/a"), Path::new("/w/p/regressions/a/mod.rs")),
            Path::new("../../regressions/a/mod.rs")
        );
        assert_eq!(
            relative(Path::new("/w/p"), Path::new("/w/p/regressions/lib/mod.rs")),
            Path::new("regressions/lib/mod.rs")
        );
    }
}
