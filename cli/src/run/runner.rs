//! `cargo-relapse __runner TRIPLE EXE…`: what cargo starts in place of each program while `run` is at work.

use relapse_capture::cargo_runner::RunnerSettings;
use relapse_capture::run::{run_as_runner, run_plainly};
use relapse_snapshot::Store;

use super::{exit_code, expectation, failure};
use crate::arguments;
use crate::console::Console;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::settings::Settings;

pub(crate) fn runner(args: &arguments::Runner, console: &mut Console) -> Result<ExitCode, Failure> {
    let Some(settings) = RunnerSettings::from_environment() else {
        return Err(failure(&run_plainly(&args.command)));
    };
    // `run` has read the same file: the limits came with the settings, the rules are read here. The store need
    // not be the project's: that of a second run is a temporary one.
    let root = settings.roots.workspace.as_ref().unwrap_or(&settings.folder);
    let store = Store::at(&settings.store).with_rules(Settings::read(root)?.rules);
    let mut expects = expectation::from_source(&settings.roots);
    let (ending, unsaid) =
        run_as_runner(&args.command, &settings, store, &mut expects).map_err(|error| failure(&error))?;
    for text in unsaid {
        console.warn(text);
    }
    Ok(exit_code(ending))
}
