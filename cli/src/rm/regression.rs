//! `cargo relapse rm --regression NAME`: takes a test and every edit made for it back.

use relapse_generator::edit::between_edits;
use relapse_generator::outcome::{OutcomeError, drop_insta, has_insta};
use relapse_generator::remove::remove;
use relapse_generator::sync::packages;

use crate::console::Console;
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::workspace::Workspace;

pub(super) fn regressions(names: &[String], console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover(&workspace, console)?;
    let metadata = workspace.metadata()?;
    let templates = Settings::read(&workspace.root)?.templates()?;
    let packages = packages(&metadata);
    for name in names {
        let (_, file) = edits::make_and_apply(&workspace, console, |console| {
            let read = || remove(name, &workspace.root, &packages, &templates);
            let removal = between_edits(&workspace.root, &workspace.relapse_folder(), read)??;
            let mut changes = removal.edits;
            if removal.last_with_insta && has_insta(&workspace.root, &removal.package_folder)? {
                let scratch = edits::scratch(&metadata, &workspace, console)?;
                match drop_insta(&scratch, &workspace.root, &removal.package_folder, changes.clone()) {
                    Ok(with_insta) => changes = with_insta,
                    Err(OutcomeError::Dependency(reason)) => console.warn(reason),
                    Err(error) => return Err(error.into()),
                }
            }
            Ok((changes, removal.file))
        })?;
        console.say(format_args!("removed the regression {}", file.display()));
    }
    Ok(ExitCode::Done)
}
