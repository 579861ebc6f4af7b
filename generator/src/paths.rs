//! Paths as text: without `.` and `..`, and relative to each other. The file system is not asked.

use std::path::{Component, Path, PathBuf};

/// The path without `.`, and with `..` taken away together with what it leaves, as cargo does it with the paths
/// of manifests: what rustc writes for `#[path = "../x.rs"]` and what a person would write are then the same.
pub(crate) fn normalized(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            // There is nothing above the root.
            Component::ParentDir if out.has_root() => {}
            part => out.push(part),
        }
    }
    out
}

/// The way from the folder `from` to `to`, both absolute or both relative to the same folder.
pub(crate) fn relative(from: &Path, to: &Path) -> PathBuf {
    let (from, to) = (normalized(from), normalized(to));
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out() {
        for (path, plain) in
            [("a/./b/../c", "a/c"), ("../a/../../b", "../../b"), ("a/..", ""), ("/../a", "/a")]
        {
            assert_eq!(normalized(Path::new(path)), Path::new(plain));
        }
    }

    #[test]
    fn the_way_goes_up_and_down() {
        for (from, to, way) in [
            ("/w/p/src/a", "/w/p/regressions/a/mod.rs", "../../regressions/a/mod.rs"),
            ("/w/p", "/w/p/regressions/lib/mod.rs", "regressions/lib/mod.rs"),
            ("/w/a", "/w/b/src/../x.rs", "../b/x.rs"),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), Path::new(way));
        }
    }
}
