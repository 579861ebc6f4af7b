//! `cargo relapse clean`: removes scratch builds and what killed processes left behind. Snapshots stay.

use std::path::{Path, PathBuf};

use relapse_capture::temporary;
use relapse_generator::{edit, scratch};
use serde::Serialize;

use crate::arguments;
use crate::console::Console;
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// One line of `clean --json`: a file or folder, relative to the project's root.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
enum Line<'a> {
    /// It is gone.
    Removed(&'a Path),
    /// Another relapse process works in it: it was left alone.
    Busy(&'a Path),
}

pub(crate) fn clean(_args: &arguments::Clean, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover(&workspace, console)?;
    let mut removed = workspace.store().sweep()?;
    removed.extend(edit::sweep(&workspace.relapse_folder())?);
    let progress = console.progress("removing scratch builds");
    let cleaned = scratch::clean(&workspace.relapse_folder()).map_err(|error| {
        Failure::cannot_write("failed to remove scratch builds")
            .because(&error)
            .advise("check the folder's permissions")
    })?;
    drop(progress);
    removed.extend(cleaned.removed);
    let (temporary, stuck) = temporary::sweep();
    removed.extend(temporary);
    for (path, error) in stuck {
        console.warn(format_args!("failed to remove {}: {error}", path.display()));
    }
    let relative = |path: &PathBuf| path.strip_prefix(&workspace.root).unwrap_or(path).to_owned();
    for path in removed.iter().map(relative) {
        if console.is_json() {
            console.object(&Line::Removed(&path))?;
        } else {
            console.result(format_args!("removed {}", path.display()));
        }
    }
    for path in cleaned.busy.iter().map(relative) {
        if console.is_json() {
            console.object(&Line::Busy(&path))?;
        }
        console.warn(format_args!("{} was left alone: another relapse process works in it", path.display()));
    }
    console.say(match removed.len() {
        0 => "nothing to clean".to_owned(),
        1 => "removed 1 item; snapshots are kept".to_owned(),
        n => format!("removed {n} items; snapshots are kept"),
    });
    Ok(ExitCode::Done)
}
