//! Edits as a unified diff for people's eyes. Control characters and bidirectional marks are shown escaped, so
//! no content can play with the terminal.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use similar::TextDiff;

use super::{EditSet, FileEdit};
use crate::hostile::comment::escape_invisible;

/// Diffing stops looking for the smallest difference after this long.
const DIFF_LIMIT: Duration = Duration::from_secs(2);
/// A file of data that is longer, in bytes, is named with its sizes, as a binary one.
const SHOWN_DATA: usize = 4 << 10;

impl EditSet {
    /// The changes as one unified diff; a file that is not text is named with its sizes.
    pub fn diff(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            file.write_diff(&mut out);
        }
        out
    }
}

impl FileEdit {
    /// The change of this file as a unified diff.
    pub fn diff(&self) -> String {
        let mut out = String::new();
        self.write_diff(&mut out);
        out
    }

    fn write_diff(&self, out: &mut String) {
        let name = escape_invisible(&slashed(&self.path));
        let size = |content: Option<&[u8]>| content.map_or(0, <[u8]>::len);
        let sizes = (size(self.before.as_deref()), size(self.after.as_deref()));
        let is_long = !is_read(&self.path) && sizes.0.max(sizes.1) > SHOWN_DATA;
        let texts = text(self.before.as_deref()).zip(text(self.after.as_deref()));
        let Some((before, after)) = texts.filter(|_| !is_long) else {
            let what = if texts.is_some() { "Data" } else { "Binary" };
            let _ = writeln!(out, "{what} file {name}: {} -> {} bytes", sizes.0, sizes.1);
            return;
        };
        let old = if self.before.is_some() { format!("a/{name}") } else { "/dev/null".to_owned() };
        let new = if self.after.is_some() { format!("b/{name}") } else { "/dev/null".to_owned() };
        let diff = TextDiff::configure().timeout(DIFF_LIMIT).diff_lines(before, after);
        let unified = diff.unified_diff().header(&old, &new).to_string();
        for line in unified.lines() {
            out.push_str(&escape_invisible(line));
            out.push('\n');
        }
    }
}

/// The content as text; `None` where it is binary.
fn text(content: Option<&[u8]>) -> Option<&str> {
    let content = content.unwrap_or_default();
    if content.contains(&0) { None } else { std::str::from_utf8(content).ok() }
}

/// Whether a file is written to be read: source, a manifest, an outcome. All else is data.
fn is_read(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["rs", "toml", "lock", "snap"].iter().any(|read| end == *read))
}

/// A path with forward slashes, for reading.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(path: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> EditSet {
        EditSet {
            files: vec![FileEdit {
                path: path.into(),
                before: before.map(<[u8]>::to_vec),
                after: after.map(<[u8]>::to_vec),
            }],
        }
    }

    #[test]
    fn a_new_file_comes_from_dev_null() {
        let diff = set("regressions/lib/x.rs", None, Some(b"a\nb\n")).diff();
        assert_eq!(diff, "--- /dev/null\n+++ b/regressions/lib/x.rs\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    }

    #[test]
    fn a_changed_file_shows_context() {
        let diff = set("src/lib.rs", Some(b"a\nb\n"), Some(b"a\nb\nc\n")).diff();
        assert_eq!(diff, "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,2 +1,3 @@\n a\n b\n+c\n");
    }

    #[test]
    fn terminal_escapes_are_shown_not_sent() {
        let diff = set("a\u{1b}[2J.rs", None, Some("\u{1b}]0;x\u{7} \u{202e}\n".as_bytes())).diff();
        assert!(!diff.contains('\u{1b}') && !diff.contains('\u{202e}') && diff.contains("\\u{1b}"), "{diff}");
    }

    #[test]
    fn long_data_is_counted_and_long_source_is_shown() {
        let long = vec![b'a'; 1 << 20];
        let diff = set("regressions/lib/x/text.txt", None, Some(&long)).diff();
        assert_eq!(diff, "Data file regressions/lib/x/text.txt: 0 -> 1048576 bytes\n");
        assert!(set("src/lib.rs", None, Some(&long)).diff().contains("+aaa"));
        assert!(set("text.txt", None, Some(&long[..4096])).diff().contains("+aaa"));
    }

    #[test]
    fn bytes_that_are_no_text_are_counted() {
        let diff = set("seed", None, Some(b"\0\xff")).diff();
        assert_eq!(diff, "Binary file seed: 0 -> 2 bytes\n");
    }
}
