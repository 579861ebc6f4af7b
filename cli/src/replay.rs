//! `cargo relapse replay`: runs all regressions of the workspace and shows a verdict for each.

use std::fs::Permissions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use relapse_generator::project::cargo;
use relapse_generator::scratch::roots_of;
use relapse_generator::verify::{Limits, Traced};
use relapse_replay::{Replay, ReplayError, Replayed, Step, Verdict, exit_code, junit};
use relapse_snapshot::display::terminal_safe;
use tempfile::NamedTempFile;

use crate::arguments;
use crate::console::{Console, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::workspace::{Workspace, unreadable};

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
    workspace.must_be_cargo()?;
    edits::recover(&workspace, console)?;
    // What cannot be written is known before minutes of building.
    let report = args.junit.as_deref().map(Report::create).transpose()?;
    let metadata = cargo_metadata::MetadataCommand::new()
        .cargo_path(cargo())
        .current_dir(&workspace.root)
        .no_deps()
        .exec()
        .map_err(|error| unreadable(&error))?;
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
    if let Some(report) = report {
        report.write(&replayed)?;
    }
    Ok(match exit_code(&replayed) {
        0 => ExitCode::Done,
        1 => ExitCode::Crash,
        _ => ExitCode::Invalid,
    })
}

/// A report that takes its file's place when it is whole: what was there stays until then.
struct Report<'a> {
    path: &'a Path,
    file: NamedTempFile,
}

impl Report<'_> {
    fn create(path: &Path) -> Result<Report<'_>, Failure> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // As `File::create` makes it: who may read it is the user's umask's business.
        let file = tempfile::Builder::new()
            .prefix(".relapse-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .map_err(|error| cannot_write(path).because(&error))?;
        Ok(Report { path, file })
    }

    fn write(self, replayed: &[Replayed]) -> Result<(), Failure> {
        let mut out = BufWriter::new(&self.file);
        junit::write(replayed, &mut out).map_err(|error| cannot_write(self.path).because(&error))?;
        out.flush().map_err(|error| cannot_write(self.path).because(&error))?;
        drop(out);
        // A pipe or a device is written to, a link is followed.
        let plain = std::fs::symlink_metadata(self.path).map_or(true, |there| there.is_file());
        let placed = if plain {
            self.file.persist(self.path).map(drop).map_err(|error| error.error)
        } else {
            std::fs::copy(self.file.path(), self.path).map(drop)
        };
        placed.map_err(|error| cannot_write(self.path).because(&error))
    }
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
