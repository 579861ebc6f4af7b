//! Where the lines of a file went when we edited it.

use std::collections::HashMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::edit::EditSet;
use crate::paths::normalized;

/// Maps lines of edited files back to the lines that they were.
#[derive(Debug, Clone, Default)]
pub struct LineMap {
    /// By file, as a snapshot names it: the old line of each new one, from 1; 0 where the line is ours.
    files: HashMap<String, Vec<u32>>,
    /// By file, the declarations of earlier regressions in it: first line and number of lines.
    earlier: HashMap<String, Vec<(u32, u32)>>,
}

/// More declarations of one file are not looked at: each doubles what a line may have been.
const MAX_EARLIER: usize = 8;

impl LineMap {
    /// The map of a set of edits.
    pub fn new(edits: &EditSet) -> Self {
        let mapped = edits.files.iter().filter_map(|edit| {
            let (before, after) = (edit.before.as_deref()?, edit.after.as_deref()?);
            let file = normalized(&edit.path).to_string_lossy().into_owned();
            Some((file, old_lines(before, after)))
        });
        Self { files: mapped.collect(), earlier: HashMap::new() }
    }

    /// The same where that file has declarations of earlier regressions: first line and number of lines of each. The
    /// crash may have been captured before they were put in.
    #[must_use]
    pub fn with_earlier(mut self, file: &str, declarations: Vec<(u32, u32)>) -> Self {
        self.earlier.insert(file.to_owned(), declarations);
        self
    }

    /// Whether what stands on line `now` may have stood on line `then` before some of the earlier regressions were
    /// declared above it, each with or without a blank line of its own.
    pub fn may_have_been(&self, file: &str, now: u32, then: u32) -> bool {
        let Some(distance) = now.checked_sub(then).filter(|distance| *distance > 0) else { return false };
        let above = self.earlier.get(file).into_iter().flatten().filter(|(first, _)| *first < now);
        let mut sums = vec![0];
        for (_, lines) in above.take(MAX_EARLIER) {
            let more: Vec<u32> = sums.iter().flat_map(|sum| [sum + lines, sum + lines + 1]).collect();
            sums.extend(more);
            sums.sort_unstable();
            sums.dedup();
        }
        sums.contains(&distance)
    }

    /// The line before the edits, of a line (from 1) after them; `None` where the line is ours. Files that were
    /// not edited keep their lines.
    pub fn before(&self, file: &str, line: u32) -> Option<u32> {
        let Some(old) = self.files.get(file) else { return Some(line) };
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        old.get(index).copied().filter(|line| *line > 0)
    }
}

fn old_lines(before: &[u8], after: &[u8]) -> Vec<u32> {
    let lines = |bytes: &'_ [u8]| bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (before, after) = (lines(before), lines(after));
    let mut old = vec![0; after.len()];
    for op in capture_diff_slices(Algorithm::Myers, &before, &after) {
        if let DiffOp::Equal { old_index, new_index, len } = op {
            for step in 0..len {
                old[new_index + step] = u32::try_from(old_index + step + 1).unwrap_or(u32::MAX);
            }
        }
    }
    old
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::FileEdit;

    fn map(before: &str, after: &str) -> LineMap {
        let edit = FileEdit {
            path: "src/./a.rs".into(),
            before: Some(before.as_bytes().to_vec()),
            after: Some(after.as_bytes().to_vec()),
        };
        LineMap::new(&EditSet { files: vec![edit] })
    }

    #[test]
    fn lines_below_an_insertion_are_followed() {
        let map = map(
            "mod a {\nfn f() {}\n}\nfn g() {}\n",
            "mod a {\nfn f() {}\n#[cfg(test)]\nmod r;\n}\nfn g() {}\n",
        );
        assert_eq!(map.before("src/a.rs", 2), Some(2));
        assert_eq!(map.before("src/a.rs", 3), None);
        assert_eq!(map.before("src/a.rs", 6), Some(4));
        assert_eq!(map.before("src/b.rs", 6), Some(6));
    }

    #[test]
    fn lines_below_earlier_regressions_may_have_been_further_up() {
        let map = LineMap::default().with_earlier("src/a.rs", vec![(10, 4), (40, 3)]);
        assert!(map.may_have_been("src/a.rs", 25, 20) && map.may_have_been("src/a.rs", 24, 20));
        assert!(map.may_have_been("src/a.rs", 58, 50) && map.may_have_been("src/a.rs", 54, 50));
        assert!(!map.may_have_been("src/a.rs", 26, 20) && !map.may_have_been("src/a.rs", 20, 25));
        assert!(!map.may_have_been("src/a.rs", 9, 5) && !map.may_have_been("src/b.rs", 25, 20));
    }

    #[test]
    fn lines_beyond_the_file_are_nobodys() {
        let map = map("a\n", "a\nb\n");
        assert_eq!(map.before("src/a.rs", 0), None);
        assert_eq!(map.before("src/a.rs", 900), None);
    }
}
