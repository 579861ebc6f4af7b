//! `cargo relapse sync`: wires every regression file of the workspace again, after a merge, a move or an upgrade.

use std::path::Path;

use relapse_generator::edit::{EditSet, between_edits};
use relapse_generator::outcome::{has_insta, restore_insta};
use relapse_generator::sync::{self, Synced};
use serde::Serialize;

use crate::arguments;
use crate::console::Console;
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::workspace::Workspace;

/// One line of `sync --json` for a regression that cannot be wired.
#[derive(Serialize)]
struct Unwired<'a> {
    file: &'a Path,
    unwired: &'a str,
}

/// A regression that cannot be wired is named and does not stop the others; `replay` calls it invalid.
pub(crate) fn sync(_args: &arguments::Sync, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover(&workspace, console)?;
    let metadata = workspace.metadata()?;
    let templates = Settings::read(&workspace.root)?.templates()?;
    let packages = sync::packages(&metadata);
    let (wired, synced) = edits::make_and_apply(&workspace, console, |console| {
        let progress = console.progress("looking for regressions");
        let read = || sync::sync(&workspace.root, &packages, &templates);
        let mut synced = between_edits(&workspace.root, &workspace.relapse_folder(), read)??;
        drop(progress);
        Ok((std::mem::take(&mut synced.edits), synced))
    })?;
    let Synced { regressions, unwired, need_insta, .. } = synced;
    let mut changed = wired.files.len();
    for package in &need_insta {
        let (restored, ()) = edits::make_and_apply(&workspace, console, |console| {
            if has_insta(&workspace.root, package)? {
                return Ok((EditSet::default(), ()));
            }
            let scratch = edits::scratch(&metadata, &workspace, console)?;
            Ok((restore_insta(&scratch, &workspace.root, package)?, ()))
        })?;
        changed += restored.files.len();
    }
    for one in &unwired {
        if console.is_json() {
            console.object(&Unwired { file: &one.file, unwired: &one.reason })?;
        }
        console.warn(format_args!("{} does not run: {}", one.file.display(), one.reason));
    }
    let lost = match unwired.len() {
        0 => String::new(),
        n => format!(", {n} cannot be wired"),
    };
    console.say(format_args!("{}, {changed} changed{lost}", counted(regressions)));
    Ok(ExitCode::Done)
}

fn counted(regressions: usize) -> String {
    match regressions {
        1 => "1 regression".to_owned(),
        n => format!("{n} regressions"),
    }
}
