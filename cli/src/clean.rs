//! `cargo relapse clean`: removes scratch builds and what killed processes left behind. Snapshots stay.

use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;

use crate::arguments;
use crate::console::Console;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// One line of `clean --json`: a file or folder, relative to the project's root.
#[derive(Serialize)]
struct Removed<'a> {
    removed: &'a Path,
}

pub(crate) fn clean(_args: &arguments::Clean, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    let mut removed = workspace.store().sweep()?;
    let scratch = workspace.scratch_folder();
    let progress = console.progress("removing scratch builds");
    match std::fs::remove_dir_all(&scratch) {
        Ok(()) => removed.push(scratch),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            let message = format!("failed to remove {}", scratch.display());
            return Err(Failure::cannot_write(message)
                .because(&error)
                .advise("end the relapse process that is using it, or check the folder's permissions"));
        }
    }
    drop(progress);
    for path in &removed {
        let path = path.strip_prefix(&workspace.root).unwrap_or(path);
        if console.is_json() {
            console.object(&Removed { removed: path })?;
        } else {
            console.result(format_args!("removed {}", path.display()));
        }
    }
    let count = removed.len();
    console.say(match count {
        0 => "nothing to clean".to_owned(),
        1 => "removed 1 item; snapshots are kept".to_owned(),
        n => format!("removed {n} items; snapshots are kept"),
    });
    Ok(ExitCode::Done)
}
