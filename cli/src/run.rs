//! `cargo relapse run -- CMD…`: runs a command and keeps a snapshot of each crash; ends as the command ended.

pub(crate) mod expectation;
pub(crate) mod runner;

use std::collections::HashSet;

use relapse_capture::roots::Roots;
use relapse_capture::run::{KeptCrash, RunError, RunOptions, RunReport, run as run_command};
use relapse_capture::tracer::{Ending, TraceError};
use relapse_generator::scratch::roots_of;
use relapse_snapshot::display::{short_function, terminal_safe};

use crate::arguments;
use crate::console::{Console, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::list::{line, one_line, start_of};
use crate::settings::Settings;
use crate::workspace::Workspace;

/// Characters of a message in the summary.
const MESSAGE_COLUMNS: usize = 60;

pub(crate) fn run(args: &arguments::Run, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover_if_possible(&workspace, console);
    let settings = Settings::read(&workspace.root)?;
    let folder = std::env::current_dir()
        .map_err(|error| Failure::bad_input("failed to find the working folder").because(&error))?;
    let program = std::env::current_exe()
        .map_err(|error| Failure::missing("failed to find the path of relapse itself").because(&error))?;
    let roots = roots(&workspace);
    let mut expects = expectation::from_source(&roots);
    let options = RunOptions {
        words: args.command.clone(),
        folder,
        roots: roots.clone(),
        store: workspace.store().with_rules(settings.rules),
        limits: settings.limits,
        debug_info: settings.debug_info,
        program,
        rerun: args.rerun,
        timeout: args.timeout,
        watch: None,
        cargo_variables: Vec::new(),
    };
    let report = run_command(&options, &mut expects).map_err(|error| failure(&error))?;
    tell(&report, &workspace, console)?;
    Ok(exit_code(report.ending))
}

/// The folders of the project's code. Where cargo cannot tell, it will say so itself when it runs.
fn roots(workspace: &Workspace) -> Roots {
    if !workspace.is_cargo {
        return Roots::default();
    }
    let members = Roots { workspace: Some(workspace.root.clone()), packages: Vec::new() };
    workspace.metadata().map_or(members, |metadata| roots_of(&metadata))
}

fn tell(report: &RunReport, workspace: &Workspace, console: &mut Console) -> Result<(), Failure> {
    for note in &report.notes {
        console.warn(note);
    }
    let mut fingerprints = HashSet::new();
    let first: Vec<&KeptCrash> =
        report.kept.iter().filter(|crash| fingerprints.insert(crash.fingerprint.as_str())).collect();
    let store = workspace.store();
    for crash in &first {
        let origin = store.origin_of(&crash.id).ok().flatten();
        console.say(summary(crash, origin.as_deref(), workspace.is_cargo, console));
    }
    if console.is_json() && !report.kept.is_empty() {
        let listing = store.list()?;
        for summary in listing.snapshots.iter().filter(|s| report.kept.iter().any(|kept| kept.id == s.id)) {
            console.object(&line(summary))?;
        }
    }
    Ok(())
}

/// `relapse: panic in fill (src/lib.rs:634): byte index 5 is not … → snapshot 7c1e09b2, 3 times; next: …`.
/// `origin`: the snapshot whose crash it passes on.
fn summary(crash: &KeptCrash, origin: Option<&str>, is_cargo: bool, console: &Console) -> String {
    let id = crash.id.get(..8).unwrap_or(&crash.id);
    let kind = crash.signal.as_deref().unwrap_or(crash.kind.name());
    let function =
        crash.function.as_deref().map(|name| format!(" in {}", short_function(name))).unwrap_or_default();
    let place = crash.location.as_ref().map(|l| format!(" ({}:{})", l.file, l.line)).unwrap_or_default();
    let times = if crash.count > 1 { format!(", {} times", crash.count) } else { String::new() };
    let message = start_of(&one_line(&crash.message), MESSAGE_COLUMNS);
    let next = match origin {
        Some(origin) => format!("; it passes on the crash of {}", origin.get(..8).unwrap_or(origin)),
        // A test needs a workspace to stand in.
        None if is_cargo => format!("; next: cargo relapse gen {id}"),
        None => String::new(),
    };
    format!(
        "{} {}: {message} → snapshot {id}{times}{next}",
        console.paint_err(Style::Red, "relapse:"),
        terminal_safe(&one_line(&format!("{kind}{function}{place}"))),
    )
}

pub(super) fn exit_code(ending: Ending) -> ExitCode {
    match ending {
        Ending::Exited(status) => ExitCode::Status((status & 0xff) as u8),
        Ending::Signaled(signal) => ExitCode::Signal(signal),
    }
}

pub(super) fn failure(error: &RunError) -> Failure {
    match error {
        RunError::Trace(TraceError::Trace { .. }) => with_reason(Failure::missing(error.to_string()), error)
            .advise("run `cargo relapse doctor`: it says what forbids ptrace here"),
        RunError::Trace(TraceError::Start { .. }) => with_reason(Failure::missing(error.to_string()), error),
        RunError::Setup { .. } => with_reason(Failure::cannot_write(error.to_string()), error),
        _ => Failure::internal(error.to_string()),
    }
}

fn with_reason(failure: Failure, error: &dyn std::error::Error) -> Failure {
    match error.source() {
        Some(reason) => failure.because(reason),
        None => failure,
    }
}
