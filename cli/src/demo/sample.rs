//! The bundled program of the demo: a reader of order files whose `fit` cuts a text inside a multi-byte character.
//! Embedded here, written to a folder, and mended there as its author would mend it.

use std::fs;
use std::path::Path;

use similar::TextDiff;

use crate::failure::Failure;

/// The crash: the file, the function, and the line of it that panics.
pub(super) const FILE: &str = "src/statement.rs";
pub(super) const FUNCTION: &str = "orders::statement::fit";
const PANICKING: &str = "&text[..width]";
/// The arguments of that function, and what the first of them holds in the crash.
pub(super) const ARGUMENTS: [&str; 2] = ["text", "width"];
pub(super) const TEXT: &str = "crème brûlée à la vanille";
/// What the panic says, in the words of every version of std.
pub(super) const MESSAGE: &str = "is not a char boundary; it is inside 'à'";

const BROKEN: &str = include_str!("../../sample/src/statement.rs");
const FIXED: &str = include_str!("../../sample/src/statement_fixed.rs");

// The manifest has another name in the package: cargo leaves folders with a Cargo.toml out of it.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("../../sample/manifest.toml")),
    ("orders.txt", include_str!("../../sample/orders.txt")),
    ("src/lib.rs", include_str!("../../sample/src/lib.rs")),
    ("src/line.rs", include_str!("../../sample/src/line.rs")),
    ("src/main.rs", include_str!("../../sample/src/main.rs")),
    (FILE, BROKEN),
];

/// The line that panics, counted from 1.
pub(super) fn line() -> u32 {
    let before = BROKEN.lines().take_while(|line| !line.contains(PANICKING)).count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

/// Writes the program into a folder.
pub(super) fn write(folder: &Path) -> Result<(), Failure> {
    for (path, text) in FILES {
        let path = folder.join(path);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| cannot_write(&path).because(&error))?;
    }
    Ok(())
}

/// Mends the bug; the change as a diff.
pub(super) fn fix(folder: &Path) -> Result<String, Failure> {
    let path = folder.join(FILE);
    fs::write(&path, FIXED).map_err(|error| cannot_write(&path).because(&error))?;
    let diff = TextDiff::from_lines(BROKEN, FIXED);
    Ok(diff.unified_diff().header(&format!("a/{FILE}"), &format!("b/{FILE}")).to_string())
}

fn cannot_write(path: &Path) -> Failure {
    Failure::cannot_write(format!("failed to write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fix_changes_the_line_that_panics() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        assert!(BROKEN.lines().nth(line() as usize - 1).unwrap().contains(PANICKING));
        assert!(fix(folder.path()).unwrap().contains(&format!("-    {PANICKING}\n")));
        assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), FIXED);
    }
}
