//! `cargo relapse gen`: snapshots → verified regressions. The whole flow on one screen: read the snapshot and the
//! project, generate, show the diff, change the tree.

use std::collections::HashMap;

use relapse_generator::generate::{Generated, Options, Status, generate};
use relapse_generator::project::Project;
use relapse_generator::render::Templates;
use relapse_generator::report::Report;
use relapse_generator::verify::Limits;
use relapse_snapshot::display::terminal_safe;
use relapse_snapshot::{Snapshot, Store};

use crate::arguments;
use crate::console::{Console, Style};
use crate::edits::{recover, show_diff};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::workspace::Workspace;

pub(crate) fn generate_tests(args: &arguments::Gen, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    let store = workspace.store();
    let templates = Settings::read(&workspace.root)?.templates()?;
    recover(&workspace, console)?;
    let snapshots = wanted(args, &store, console)?;
    let mut known: HashMap<String, Report> = HashMap::new();
    let (mut verified, of) = (0, snapshots.len());
    for snapshot in snapshots {
        // A crash that was seen several times needs one test only.
        let again = known.get(&snapshot.fingerprint).filter(|report| report.status == "verified");
        let report = match again {
            Some(report) => report.for_snapshot(&snapshot.id),
            None => one(args, &snapshot, &workspace, &templates, console)?,
        };
        verified += usize::from(report.status == "verified");
        console.object(&report)?;
        known.insert(snapshot.fingerprint.clone(), report);
    }
    console.say(format_args!("{verified} of {of} verified"));
    Ok(if verified == of { ExitCode::Done } else { ExitCode::Crash })
}

fn one(
    args: &arguments::Gen,
    snapshot: &Snapshot,
    workspace: &Workspace,
    templates: &Templates,
    console: &mut Console,
) -> Result<Report, Failure> {
    let root = &workspace.root;
    console.say(terminal_safe(&format!("{} {}", short(&snapshot.id), first_line(&snapshot.cause.message))));
    let project = Project::open(root, snapshot.program.build.as_ref())
        .map_err(|error| Failure::missing("failed to read the workspace").because(&error))?;
    let options = Options {
        open: args.open,
        frame: args.frame,
        every_frame: args.every_frame,
        limits: Limits::default(),
    };
    let progress = console.progress("building the candidates");
    let made = generate(snapshot, &project, templates, &options, &mut |step| {
        progress.now(&format!("building the candidates: {} ({} done)", step.name, step.finished));
    });
    drop(progress);
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            let failure = Failure::missing("failed to prove a test").because(&error);
            console.warn(format_args!("{}: {}", failure.message, failure.causes.join(": ")));
            return Ok(Report::broken(&snapshot.id, failure.causes.join(": ")));
        }
    };
    show(&made, console);
    made.edits
        .apply(root, &workspace.relapse_folder())
        .map_err(|error| Failure::cannot_write("failed to put the test in place").because(&error))?;
    Ok(Report::new(&snapshot.id, &made, args.every_frame))
}

/// What was made, for people: the diff of the user's tree, or the candidate and why it is not put in place.
fn show(made: &Generated, console: &mut Console) {
    match made.status {
        Status::Verified => {
            if !console.is_json() {
                show_diff(&made.edits.diff(), console);
            }
            for proven in &made.regressions {
                let (package, args) = (&proven.test_target.package, proven.test_target.cargo_args.join(" "));
                let test = &proven.placed.test;
                let label = console.paint(Style::Green, "verified");
                console.say(format_args!("{label}: cargo test -p {package} {args} {test} -- --exact"));
            }
        }
        Status::Unverified => {
            for proven in &made.regressions {
                console.result(proven.placed.text.trim_end());
            }
            console.warn(format_args!("not put in place: {}", made.reason.as_deref().unwrap_or_default()));
        }
        Status::Failed => console.warn(made.reason.as_deref().unwrap_or_default()),
    }
    for other in &made.alternatives {
        console.say(format_args!("  --frame {}: {} reproduces it, too", other.frame, other.function));
    }
    for rejected in &made.rejected {
        console.say(format_args!("  not {}: {}", rejected.function, rejected.reason));
    }
}

/// The snapshots that were asked for, oldest first.
fn wanted(args: &arguments::Gen, store: &Store, console: &mut Console) -> Result<Vec<Snapshot>, Failure> {
    if !args.ids.is_empty() {
        return args.ids.iter().map(|id| Ok(store.get(id)?)).collect();
    }
    if !args.all {
        return Ok(vec![store.get("latest")?]);
    }
    let listing = store.list()?;
    for (path, reason) in &listing.damaged {
        console.warn(format_args!("skipped {}: {reason}", path.display()));
    }
    listing.snapshots.iter().map(|summary| Ok(store.get(&summary.id)?)).collect()
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
