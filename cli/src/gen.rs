//! `cargo relapse gen`: snapshots → verified regressions. The whole flow on one screen: read the snapshot and the
//! project, generate, show the diff, change the tree.

mod again;

use std::cell::RefCell;
use std::collections::HashMap;

use relapse_capture::temporary;
use relapse_generator::candidate::Rejection;
use relapse_generator::edit::EditError;
use relapse_generator::generate::{Generated, Options, Status, generate};
use relapse_generator::index::SourceIndex;
use relapse_generator::project::Project;
use relapse_generator::render::Templates;
use relapse_generator::report::Report;
use relapse_generator::verify::Bounds;
use relapse_snapshot::consequence::passes_on;
use relapse_snapshot::display::terminal_safe;
use relapse_snapshot::{Snapshot, Store};

use crate::arguments;
use crate::bounds;
use crate::console::{Console, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::{Failure, chain};
use crate::list::{one_line, start_of};
use crate::settings::Settings;
use crate::workspace::Workspace;
use again::Again;

/// Most characters of a message that stand above what is made of it.
const MESSAGE_COLUMNS: usize = 160;

pub(crate) fn generate_tests(args: &arguments::Gen, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover(&workspace, console)?;
    workspace.must_be_cargo()?;
    let store = workspace.store();
    let settings = Settings::read(&workspace.root)?;
    let work = Work {
        templates: settings.templates()?,
        settings: &settings,
        workspace: &workspace,
        store: &store,
        bounds: bounds::widened(settings.bounds.clone(), &args.sandbox)?,
        read: RefCell::default(),
    };
    // What cannot be removed is in nobody's way; `clean` tells of it.
    temporary::sweep();
    bounds::warn_where_unguarded(console);
    let snapshots = wanted(args, &store, console)?;
    let mut known: HashMap<String, Report> = HashMap::new();
    let mut by_id: HashMap<String, Report> = HashMap::new();
    let (mut verified, of) = (0, snapshots.len());
    for snapshot in snapshots {
        // A crash that was seen several times needs one test only.
        let is_verified = |report: &&Report| report.status == "verified";
        let again = known.get(&snapshot.fingerprint).filter(is_verified);
        let origin = origin(&snapshot, &store);
        let of_origin = origin.as_ref().and_then(|origin| by_id.get(origin)).filter(is_verified);
        let report = match (again, of_origin) {
            (Some(report), _) | (None, Some(report)) => {
                let (id, first) = (short(&snapshot.id), short(&report.snapshot));
                let how = if again.is_some() { "is the same crash as" } else { "passes on the crash of" };
                console.say(format_args!("{id} {how} {first}: one test is enough"));
                report.for_snapshot(&snapshot.id)
            }
            (None, None) => {
                let report = one(args, &snapshot, &work, console)?;
                if let Some(origin) = origin {
                    let (id, first) = (short(&snapshot.id), short(&origin));
                    console.warn(format_args!(
                        "{id} passes on the crash of {first}: `cargo relapse gen {first}` makes a test of that"
                    ));
                }
                known.insert(snapshot.fingerprint.clone(), report.clone());
                report
            }
        };
        by_id.insert(snapshot.id.clone(), report.clone());
        verified += usize::from(report.status == "verified");
        console.object(&report)?;
    }
    console.say(format_args!("{verified} of {of} verified"));
    Ok(if verified == of { ExitCode::Done } else { ExitCode::Crash })
}

/// What all snapshots of one call share.
struct Work<'a> {
    templates: Templates,
    settings: &'a Settings,
    workspace: &'a Workspace,
    store: &'a Store,
    bounds: Bounds,
    /// What the last snapshot had read of the dependencies' sources: the same for the next one.
    read: RefCell<Option<SourceIndex>>,
}

fn one(
    args: &arguments::Gen,
    snapshot: &Snapshot,
    work: &Work<'_>,
    console: &mut Console,
) -> Result<Report, Failure> {
    let message = start_of(&one_line(&snapshot.cause.message), MESSAGE_COLUMNS);
    console.say(format_args!("{} {message}", short(&snapshot.id)));
    // What was proved was proved for the files as they were: where another process has changed one, it is proved anew.
    for _ in 1..edits::TRIES {
        match attempt(args, snapshot, work, console)? {
            Ok(report) => return Ok(report),
            Err(changed) => console.say(format_args!("{changed}: once more")),
        }
    }
    match attempt(args, snapshot, work, console)? {
        Ok(report) => Ok(report),
        Err(changed) => give_up(&snapshot.id, changed.into(), console),
    }
}

/// The inner error: a file was changed while the test was proved.
fn attempt(
    args: &arguments::Gen,
    snapshot: &Snapshot,
    work: &Work<'_>,
    console: &mut Console,
) -> Result<Result<Report, EditError>, Failure> {
    let root = &work.workspace.root;
    let project = Project::open(root, Some(&snapshot.program))?;
    let project = project.with_rules(work.settings.crate_rules.clone());
    let project = project.keeping(work.read.borrow().as_ref());
    let options = Options {
        open: args.open,
        frame: args.frame,
        every_frame: args.every_frame,
        bounds: work.bounds.clone(),
        rules: work.settings.rules.clone(),
    };
    let made = {
        let mut surroundings = Again::new(args, work.store, &project.roots, work.settings, console);
        generate(snapshot, &project, &work.templates, &options, &mut surroundings)
    };
    work.read.replace(Some(project.index));
    let made = match made {
        Ok(made) => made,
        Err(error) if error.cannot_write() => {
            let failure = Failure::cannot_write("failed to prove a test").because(&error);
            return give_up(&snapshot.id, failure, console).map(Ok);
        }
        Err(error) => {
            let reason = chain(&error).join(": ");
            console.warn(format_args!("failed to prove a test: {reason}"));
            return Ok(Ok(Report::broken(&snapshot.id, reason)));
        }
    };
    match made.edits.apply(root, &work.workspace.relapse_folder()) {
        Ok(()) => {}
        Err(error @ EditError::Changed(_)) => return Ok(Err(error)),
        Err(error) => return give_up(&snapshot.id, error.into(), console).map(Ok),
    }
    show(&made, console);
    Ok(Ok(Report::new(&snapshot.id, &made, args.every_frame)))
}

/// Gives the account of a snapshot whose test could not be written, and ends there: the next one would fare alike.
fn give_up(snapshot: &str, failure: Failure, console: &mut Console) -> Result<Report, Failure> {
    console.object(&Report::broken(snapshot, failure.in_a_line()))?;
    Err(failure)
}

/// What was made, for people: the diff of the user's tree, or the candidate and why it is not put in place.
fn show(made: &Generated, console: &mut Console) {
    match made.status {
        Status::Verified => {
            edits::show(&made.edits, console);
            if made.edits.is_empty() {
                let files = made.regressions.iter().map(|proven| proven.placed.file.display().to_string());
                let files = terminal_safe(&files.collect::<Vec<_>>().join(", "));
                console.say(format_args!("the test is there already: {files}"));
            }
            for proven in &made.regressions {
                let label = console.paint_err(Style::Green, "verified");
                let command = proven.command().to_string();
                console.say(format_args!("{label}: {}", terminal_safe(&command)));
                if !proven.target.facts.breaks_contract() {
                    console.warn("no function that promises not to panic reproduces the crash: where the fix is in a caller, this test never passes");
                }
            }
        }
        Status::Unverified => {
            for proven in &made.regressions {
                let (start, more) = edits::cut(proven.placed.text.trim_end());
                console.result(start);
                if more > 0 {
                    console.result(format_args!("… {more} lines more"));
                }
            }
            console.warn(format_args!("not put in place: {}", made.reason.as_deref().unwrap_or_default()));
        }
        Status::Failed => console.warn(made.reason.as_deref().unwrap_or_default()),
    }
    for other in &made.alternatives {
        console.say(format_args!("  --frame {}: {} reproduces it, too", other.frame, other.function));
    }
    let said = made.reason.as_deref().unwrap_or_default();
    for (functions, reason) in by_reason(&made.rejected) {
        // What the compiler says takes a screen.
        let reason = if reason.contains('\n') && said.contains(reason) { "the same" } else { reason };
        console.say(terminal_safe(&format!("  not {}: {reason}", counted(&functions))));
    }
}

/// The snapshots that were asked for, oldest first.
fn wanted(args: &arguments::Gen, store: &Store, console: &mut Console) -> Result<Vec<Snapshot>, Failure> {
    if !args.ids.is_empty() {
        return args.ids.iter().map(|id| Ok(store.get(id)?)).collect();
    }
    if !args.all {
        let latest = store.get("latest")?;
        // What came last may only pass on what has crashed.
        let origin = if args.latest { None } else { origin(&latest, store) };
        let Some(origin) = origin.and_then(|id| store.get(&id).ok()) else { return Ok(vec![latest]) };
        let (id, first) = (short(&latest.id), short(&origin.id));
        console.say(format_args!("the latest crash, {id}, passes on that of {first}, which is taken"));
        return Ok(vec![origin]);
    }
    let listing = store.list()?;
    for (_, error) in &listing.damaged {
        console.warn(error);
    }
    listing.snapshots.iter().map(|summary| Ok(store.get(&summary.id)?)).collect()
}

/// The crash that another one passes on. Where a file of its run cannot be read, it stands for itself.
fn origin(snapshot: &Snapshot, store: &Store) -> Option<String> {
    // Most stand for themselves, by what is known of them already.
    let origin = || store.origin_of(&snapshot.id).ok().flatten();
    passes_on(&snapshot.cause.message).then(origin).flatten()
}

/// The functions that were refused, together where the reason is one: a build that fails refuses all of them.
fn by_reason(rejected: &[Rejection]) -> Vec<(Vec<&str>, &str)> {
    let mut grouped: Vec<(Vec<&str>, &str)> = Vec::new();
    for Rejection { function, reason, .. } in rejected {
        match grouped.iter_mut().find(|(_, other)| other == reason) {
            Some((functions, _)) => functions.push(function),
            None => grouped.push((vec![function], reason)),
        }
    }
    grouped
}

/// Names, each once: a recursion has thousands of calls of one function.
fn counted(names: &[&str]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let said = counts.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        count => format!("{name} ({count} calls)"),
    });
    said.collect::<Vec<_>>().join(", ")
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_a_recursion_are_counted() {
        assert_eq!(counted(&["a::f", "a::g", "a::f", "a::f"]), "a::f (3 calls), a::g");
    }
}
