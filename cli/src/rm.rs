//! `cargo relapse rm`: removes snapshots from the store, or a regression with its edits.

mod regression;

use serde::Serialize;

use crate::arguments;
use crate::console::Console;
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// One line of `rm --json`.
#[derive(Serialize)]
struct Removed<'a> {
    removed: &'a str,
}

pub(crate) fn rm(args: &arguments::Rm, console: &mut Console) -> Result<ExitCode, Failure> {
    if !args.regressions.is_empty() {
        return regression::regressions(&args.regressions, console);
    }
    let workspace = Workspace::find()?;
    edits::recover_if_possible(&workspace, console);
    let store = workspace.store();
    // All names are resolved before anything is removed: a wrong one removes nothing.
    let mut ids = args.ids.iter().map(|name| store.resolve(name)).collect::<Result<Vec<_>, _>>()?;
    ids.sort();
    ids.dedup();
    for id in &ids {
        store.remove(id)?;
        if console.is_json() {
            console.object(&Removed { removed: id })?;
        } else {
            console.result(format_args!("removed {id}"));
        }
    }
    console.say(format_args!("removed {} snapshot{}", ids.len(), if ids.len() == 1 { "" } else { "s" }));
    Ok(ExitCode::Done)
}
