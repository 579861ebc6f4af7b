//! `cargo relapse sync`: wires every regression file found in the workspace again. Changes no test.

use cargo_metadata::MetadataCommand;
use relapse_generator::edit;
use relapse_generator::render::Templates;
use relapse_generator::sync::{packages, sync as plan};
use serde_json::json;

use crate::arguments;
use crate::console::Console;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::{Workspace, cargo};

pub(crate) fn sync(_args: &arguments::Sync, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    let metadata = MetadataCommand::new()
        .cargo_path(cargo())
        .current_dir(&workspace.root)
        .no_deps()
        .exec()
        .map_err(|error| Failure::bad_input("failed to read the workspace").because(&error))?;
    recover(&workspace, console)?;
    let synced = plan(&workspace.root, &packages(&metadata), &Templates::embedded())
        .map_err(|error| Failure::bad_input("failed to read the regressions").because(&error))?;
    synced
        .edits
        .apply(&workspace.root, &workspace.relapse_folder())
        .map_err(|error| Failure::cannot_write("failed to wire the regressions").because(&error))?;
    for file in &synced.edits.files {
        console.object(&json!({ "file": file.path, "removed": file.after.is_none() }))?;
    }
    if !synced.edits.is_empty() {
        console.result(synced.edits.diff().trim_end());
    }
    for unwired in &synced.unwired {
        console.warn(format_args!("{}: {}", unwired.file.display(), unwired.reason));
    }
    let (found, changed) = (synced.regressions, synced.edits.files.len());
    console.say(format_args!(
        "{found} regressions, {changed} files changed, {} not wired",
        synced.unwired.len()
    ));
    // The contract has 2 for `gen`, `replay` and `review` only: what could not be wired is said, and `replay`
    // calls it invalid.
    Ok(ExitCode::Done)
}

/// Finishes or undoes what a killed command left half done.
pub(crate) fn recover(workspace: &Workspace, console: &mut Console) -> Result<(), Failure> {
    let recovered = edit::recover(&workspace.root, &workspace.relapse_folder())
        .map_err(|error| Failure::cannot_write("failed to undo an interrupted edit").because(&error))?;
    for path in recovered.iter().flat_map(|recovered| &recovered.undone) {
        console.warn(format_args!("an interrupted edit of {} was undone", path.display()));
    }
    Ok(())
}
