//! The project's own rustfmt, on text. Only text that was clean before is formatted after an edit, so that a
//! diff never holds more than the edit.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// `text` as rustfmt leaves it with the settings that hold in `folder`; `None` where rustfmt is missing, finds no
/// Rust, or is told to skip it.
pub(crate) fn formatted(text: &str, folder: &Path, edition: u16) -> Option<String> {
    // A test's folder may not exist yet; its settings come from the nearest one that does.
    let folder = folder.ancestors().find(|folder| folder.is_dir())?;
    let mut child = Command::new("rustfmt")
        .arg("--edition")
        .arg(edition.to_string())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    let mut stdout = child.stdout.take()?;
    let mut out = String::new();
    // rustfmt reads all of its input before it writes, yet nothing here depends on that.
    let read = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(text.as_bytes()));
        stdout.read_to_string(&mut out)
    });
    let status = child.wait().ok()?;
    (read.is_ok() && status.success() && !out.is_empty()).then_some(out)
}

/// `after` formatted, where `before` was as rustfmt leaves it; else `after` as it is.
pub(crate) fn kept_clean(before: &str, after: String, folder: &Path, edition: u16) -> String {
    if formatted(before, folder, edition).as_deref() == Some(before) {
        formatted(&after, folder, edition).unwrap_or(after)
    } else {
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clean_text_is_formatted() {
        let folder = tempfile::tempdir().unwrap();
        let after = "fn a() {}\nfn  b() {}\n";
        assert_eq!(kept_clean("fn a() {}\n", after.into(), folder.path(), 2021), "fn a() {}\nfn b() {}\n");
        assert_eq!(kept_clean("fn  a() {}\n", after.into(), folder.path(), 2021), after);
        assert_eq!(formatted("fn a( {", folder.path(), 2021), None);
    }

    #[test]
    fn the_settings_are_those_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rustfmt.toml"), "hard_tabs = true\n").unwrap();
        let text = formatted("fn a() {\n    b();\n}\n", &folder.path().join("not/there"), 2015).unwrap();
        assert_eq!(text, "fn a() {\n\tb();\n}\n");
    }
}
