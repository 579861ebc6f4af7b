//! Edits of the user's tree: shown as a diff, applied all or none; what an earlier run left half done is undone
//! first. In: edits as data. Out: files, and lines on the console.

use std::path::Path;

use cargo_metadata::Metadata;
use relapse_generator::compile::CompileError;
use relapse_generator::edit::{self, EditError, EditSet};
use relapse_generator::outcome::OutcomeError;
use relapse_generator::place::PlaceError;
use relapse_generator::project::ProjectError;
use relapse_generator::remove::RemoveError;
use relapse_generator::scratch::{Scratch, ScratchError};
use relapse_snapshot::display::terminal_safe;
use serde::Serialize;

use crate::console::{Console, Style};
use crate::failure::Failure;
use crate::workspace::{Workspace, unreadable};

/// One line of JSON: a file, relative to the workspace root.
#[derive(Serialize)]
struct Changed<'a> {
    file: &'a Path,
    change: &'static str,
}

/// Edits are made this often for files that another process changes meanwhile.
pub(crate) const TRIES: u32 = 4;

/// Applies the edits that `make` finds for the tree as it is, and shows them. Where another process changed one of
/// the files in between, they are made anew. Returns what `make` says beside them.
pub(crate) fn make_and_apply<T>(
    workspace: &Workspace,
    console: &mut Console,
    mut make: impl FnMut(&mut Console) -> Result<(EditSet, T), Failure>,
) -> Result<(EditSet, T), Failure> {
    let mut tries = 1;
    let (edits, made) = loop {
        let (edits, made) = make(console)?;
        match edits.apply(&workspace.root, &workspace.relapse_folder()) {
            Ok(()) => break (edits, made),
            Err(EditError::Changed(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
        }
    };
    for file in &edits.files {
        let change = match (&file.before, &file.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        };
        if console.is_json() {
            console.object(&Changed { file: &file.path, change })?;
        }
    }
    show(&edits, console);
    Ok((edits, made))
}

/// Most lines that are shown of a file: thousands of captured values are read with an editor.
const MOST_LINES: usize = 200;

/// Shows edits to people.
pub(crate) fn show(edits: &EditSet, console: &mut Console) {
    if console.is_json() {
        return;
    }
    for file in &edits.files {
        let diff = file.diff();
        let (start, more) = cut(&diff);
        show_diff(start, console);
        if more > 0 {
            let place = terminal_safe(&file.path.to_string_lossy());
            let note = format!("… {more} lines more in {place}");
            console.result(console.paint(Style::Dim, &note));
        }
    }
}

/// The start of a long text, and how many lines more it has; a text that is not long is shown whole.
pub(crate) fn cut(text: &str) -> (&str, usize) {
    let lines = text.lines().count();
    if lines <= MOST_LINES {
        return (text, 0);
    }
    let shown = MOST_LINES / 2;
    let end = text.match_indices('\n').nth(shown - 1).map_or(text.len(), |(at, _)| at);
    (text.get(..end).unwrap_or(text), lines - shown)
}

/// A diff in the usual colours.
pub(crate) fn show_diff(diff: &str, console: &mut Console) {
    for line in diff.lines() {
        let line = &terminal_safe(line);
        let style = match line.as_bytes().first() {
            _ if line.starts_with("--- ") || line.starts_with("+++ ") => Style::Bold,
            Some(b'+') => Style::Green,
            Some(b'-') => Style::Red,
            Some(b'@') => Style::Cyan,
            _ => {
                console.result(line);
                continue;
            }
        };
        console.result(console.paint(style, line));
    }
}

/// Takes back what an earlier run, cut off by a kill, left half done. Before anything reads the tree, cargo too: of a
/// manifest with only half of an edit it would make a lock file that nobody asked for.
pub(crate) fn recover(workspace: &Workspace, console: &mut Console) -> Result<(), Failure> {
    let Some(recovered) = edit::recover(&workspace.root, &workspace.relapse_folder())? else { return Ok(()) };
    for file in &recovered.undone {
        console.warn(format_args!("took back an unfinished edit of {}", file.display()));
    }
    for file in &recovered.changed {
        console.warn(format_args!(
            "an edit of {} was cut off, and the file was changed since: it is left as it is, look at it",
            file.display()
        ));
    }
    Ok(())
}

/// The same for verbs that must do their work all the same: they only read, or run the user's command.
pub(crate) fn recover_if_possible(workspace: &Workspace, console: &mut Console) {
    if let Err(failure) = recover(workspace, console) {
        console.warn(format_args!("an edit that was cut off is not taken back yet: {}", failure.message));
    }
}

/// A scratch copy of the workspace.
pub(crate) fn scratch(
    metadata: &Metadata,
    workspace: &Workspace,
    console: &mut Console,
) -> Result<Scratch, Failure> {
    let progress = console.progress("copying the workspace");
    let scratch = Scratch::create(metadata, &workspace.relapse_folder())?;
    drop(progress);
    Ok(scratch)
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Failure {
        match error {
            _ if error.cannot_write() => Failure::cannot_write(error.to_string()),
            EditError::Changed(_) => Failure::bad_input(error.to_string()).advise("run the command again"),
            EditError::Conflict(_) => Failure::internal(error.to_string()),
            _ => Failure::bad_input(error.to_string()),
        }
    }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Failure {
        match error {
            ProjectError::Metadata(error) => unreadable(&error),
            ProjectError::Lock(error) => error.into(),
        }
    }
}

impl From<PlaceError> for Failure {
    fn from(error: PlaceError) -> Failure {
        match error {
            PlaceError::Edit(error) => error.into(),
            error => Failure::bad_input(error.to_string()),
        }
    }
}

impl From<RemoveError> for Failure {
    fn from(error: RemoveError) -> Failure {
        match error {
            RemoveError::Place(error) => error.into(),
            error => Failure::bad_input(error.to_string()),
        }
    }
}

impl From<ScratchError> for Failure {
    fn from(error: ScratchError) -> Failure {
        Failure::cannot_write("failed to work in a scratch copy").because(&error)
    }
}

impl From<OutcomeError> for Failure {
    fn from(error: OutcomeError) -> Failure {
        match error {
            OutcomeError::Edit(error) => error.into(),
            OutcomeError::Scratch(error) => error.into(),
            error @ OutcomeError::DiskFull { .. } => Failure::cannot_write(error.to_string()),
            OutcomeError::Dependency(error) => Failure::missing("failed to lock an outcome")
                .because(&error)
                .advise("add insta to the package's dev-dependencies by hand, then review again"),
            OutcomeError::Compile(error) if error.cannot_write() => {
                Failure::cannot_write("failed to review outcomes").because(&error)
            }
            OutcomeError::Compile(error @ CompileError::Killed { .. }) => {
                Failure::missing("failed to review outcomes").because(&error).advise("run the command again")
            }
            error => Failure::bad_input("failed to review outcomes").because(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_at_a_line() {
        let text = |lines: usize| "+é\n".repeat(lines);
        assert_eq!(cut(&text(MOST_LINES)), (text(MOST_LINES).as_str(), 0));
        let long = text(MOST_LINES + 50);
        let (start, more) = cut(&long);
        assert_eq!(start.lines().count() + more, MOST_LINES + 50);
        assert!(start.ends_with('é'));
        assert_eq!(cut(""), ("", 0));
    }
}
