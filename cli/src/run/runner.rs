//! `cargo-relapse __runner TRIPLE EXE…`: what cargo starts in place of each program while `run` is at work.

use relapse_capture::cargo_runner::RunnerSettings;
use relapse_capture::run::{run_as_runner, run_plainly};

use super::{exit_code, expectation, failure};
use crate::arguments;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::workspace::Workspace;

pub(crate) fn runner(args: &arguments::Runner) -> Result<ExitCode, Failure> {
    let Some(settings) = RunnerSettings::from_environment() else {
        return Err(failure(&run_plainly(&args.command)));
    };
    let root = settings.store.parent().map_or_else(|| settings.folder.clone(), ToOwned::to_owned);
    // `run` has read the same file: the limits came with the settings, the rules are read here.
    let rules = Settings::read(&root)?.rules;
    let store = Workspace { root, is_cargo: settings.roots.workspace.is_some() }.store().with_rules(rules);
    let mut expects = expectation::from_source(&settings.roots);
    run_as_runner(&args.command, &settings, store, &mut expects)
        .map(exit_code)
        .map_err(|error| failure(&error))
}
