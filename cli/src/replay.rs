//! `cargo relapse replay`: runs all regressions of the workspace and shows a verdict for each.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use relapse_generator::project::cargo;
use relapse_generator::scratch::roots_of;
use relapse_generator::verify::{Limits, Traced};
use relapse_replay::{Replay, ReplayError, Replayed, Step, Verdict, exit_code, junit};
use relapse_snapshot::display::terminal_safe;

use crate::arguments;
use crate::console::{Console, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// In the order of the tally.
const VERDICTS: [Verdict; 7] = [
    Verdict::Fixed,
    Verdict::Known,
    Verdict::Open,
    Verdict::Changed,
    Verdict::OutcomeChanged,
    Verdict::Invalid,
    Verdict::Timeout,
];

pub(crate) fn replay(args: &arguments::Replay, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    if !workspace.is_cargo {
        return Err(Failure::bad_input("failed to find a cargo workspace here")
            .advise("change to a folder of the workspace that has the regressions"));
    }
    edits::recover(&workspace, console)?;
    // What cannot be written is known before minutes of building.
    let report = args.junit.as_deref().map(create).transpose()?;
    let metadata = cargo_metadata::MetadataCommand::new()
        .cargo_path(cargo())
        .current_dir(&workspace.root)
        .no_deps()
        .exec()
        .map_err(|error| Failure::bad_input("failed to read the workspace's metadata").because(&error))?;
    let (store, roots) = (workspace.store(), roots_of(&metadata));
    let replay = Replay {
        metadata: &metadata,
        roots: &roots,
        observer: &Traced { roots: roots.clone(), sandbox: None },
        limits: Limits::default(),
        snapshot: &|id| store.get(id).ok(),
    };
    let progress = console.progress("looking for regressions");
    let replayed = replay.run(&mut |step| match step {
        Step::Building(built) => progress.now(&format!("building {} ({})", built.name, built.finished)),
        Step::Judged(one) => progress.now(&format!("{}: {}", one.verdict.word(), one.file.display())),
    });
    drop(progress);
    let unreadable =
        |error: ReplayError| Failure::bad_input("failed to look for regressions").because(&error);
    let replayed = replayed.map_err(unreadable)?;
    show(&replayed, console)?;
    if let (Some(mut report), Some(path)) = (report, &args.junit) {
        junit::write(&replayed, &mut report).map_err(|error| cannot_write(path).because(&error))?;
        report.flush().map_err(|error| cannot_write(path).because(&error))?;
    }
    Ok(match exit_code(&replayed) {
        0 => ExitCode::Done,
        1 => ExitCode::Crash,
        _ => ExitCode::Invalid,
    })
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path).map_err(|error| cannot_write(path).because(&error))?;
    Ok(BufWriter::new(file))
}

fn cannot_write(path: &Path) -> Failure {
    Failure::cannot_write(format!("failed to write {}", path.display()))
}

/// The table: verdict, file, what was seen.
fn show(replayed: &[Replayed], console: &mut Console) -> Result<(), Failure> {
    let width = replayed.iter().map(|one| one.verdict.word().len()).max().unwrap_or(0);
    for one in replayed {
        if console.is_json() {
            console.object(one)?;
            continue;
        }
        let word = console.paint(style(one.verdict), &format!("{:width$}", one.verdict.word()));
        console.result(format_args!("{word}  {}", terminal_safe(&one.file.display().to_string())));
        if let Some(reason) = &one.reason {
            let reason = terminal_safe(reason).replace('\n', "\n    ");
            console.result(format_args!("    {}", console.paint(Style::Dim, &reason)));
        }
    }
    console.say(tally(replayed));
    Ok(())
}

fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Fixed => Style::Green,
        Verdict::Known => Style::Dim,
        Verdict::Open | Verdict::Changed | Verdict::OutcomeChanged => Style::Red,
        Verdict::Invalid | Verdict::Timeout => Style::Yellow,
    }
}

/// `3 regressions: 1 fixed, 2 open`.
fn tally(replayed: &[Replayed]) -> String {
    let count = |verdict: Verdict| replayed.iter().filter(|one| one.verdict == verdict).count();
    let counts = VERDICTS.map(|verdict| (count(verdict), verdict.word()));
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match replayed.len() {
        0 => "no regressions in this workspace".to_owned(),
        1 => format!("1 regression: {}", counts.join(", ")),
        many => format!("{many} regressions: {}", counts.join(", ")),
    }
}
