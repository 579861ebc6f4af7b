//! `cargo relapse review`: what fixed regressions return now, to be accepted with one key each. An accepted
//! outcome is locked by insta's own files.

use std::path::Path;

use relapse_generator::outcome::{
    Acceptance, Outcome, OutcomeError, Reviewable, State, accept, observe, survey,
};
use relapse_generator::scratch::Scratch;
use relapse_generator::sync::packages;
use relapse_generator::verify::Bounds;
use serde::Serialize;
use similar::TextDiff;

use crate::arguments;
use crate::bounds;
use crate::console::{Console, Key, Style};
use crate::edits;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::workspace::Workspace;

/// One line of `review --json`.
#[derive(Serialize)]
struct Line<'a> {
    regression: &'a str,
    file: &'a Path,
    /// `new`, `changed`, `same`, `nothing`, `open`, `known`, `unstable`, `not-shown`, `by-hand`, `invalid`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_before: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    accepted: bool,
}

/// How many regressions came to what.
#[derive(Default)]
struct Tally {
    accepted: usize,
    left: usize,
    changed: usize,
    open: usize,
    invalid: usize,
}

/// What a person decided.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Accept,
    Leave,
    Quit,
    /// Ctrl-C.
    Interrupt,
}

pub(crate) fn review(args: &arguments::Review, console: &mut Console) -> Result<ExitCode, Failure> {
    let workspace = Workspace::find()?;
    edits::recover(&workspace, console)?;
    let bounds = bounds::widened(Settings::read(&workspace.root)?.bounds, &args.sandbox)?;
    let metadata = workspace.metadata()?;
    let mut regressions = survey(&workspace.root, &packages(&metadata))?;
    for name in &args.names {
        if !regressions.iter().any(|regression| is_named(regression, name)) {
            return Err(Failure::bad_input(format!("failed to find a regression called {name}")));
        }
    }
    if !args.names.is_empty() {
        regressions.retain(|regression| args.names.iter().any(|name| is_named(regression, name)));
    }
    if regressions.is_empty() {
        console.say("no regressions to review");
        return Ok(ExitCode::Done);
    }
    bounds::warn_where_unguarded(console);
    let scratch = edits::scratch(&metadata, &workspace, console)?;
    let outcomes = outcomes(&regressions, &scratch, &workspace, &bounds, console)?;
    let mut tally = Tally::default();
    let mut deciding = true;
    for (regression, outcome) in regressions.iter().zip(&outcomes) {
        let text = match outcome {
            Some(Outcome::Returned(text)) if regression.is_new(text) => text,
            other => {
                report(regression, other.as_ref(), &mut tally, console)?;
                continue;
            }
        };
        let decision = match (args.accept, deciding && !console.is_json()) {
            (true, _) => Decision::Accept,
            (false, true) => ask(regression, text, console)?,
            (false, false) => Decision::Leave,
        };
        if decision == Decision::Interrupt {
            return Ok(ExitCode::Signal(libc::SIGINT));
        }
        deciding &= decision != Decision::Quit;
        let accepted = decision == Decision::Accept;
        if accepted {
            if let Err(failure) = lock(regression, text, &scratch, &workspace, &bounds, console) {
                console.warn(format_args!("nothing was changed for {}", regression.name));
                let reason = Some(failure.in_a_line());
                // What is wrong with this one is no matter of the others.
                let is_its_own = failure.code() == ExitCode::BadInput;
                let status = if is_its_own { "invalid" } else { status_of_new(regression) };
                write_line(regression, status, Some(text), reason, false, console)?;
                if !is_its_own {
                    return Err(failure);
                }
                console.failure(&failure);
                tally.invalid += 1;
                continue;
            }
            tally.accepted += 1;
        } else if matches!(regression.state, State::Accepted(_)) {
            tally.changed += 1;
        } else {
            tally.left += 1;
        }
        write_line(regression, status_of_new(regression), Some(text), None, accepted, console)?;
    }
    console.say(tally.sentence());
    Ok(tally.code())
}

/// Accepts an outcome: in the user's tree, and in the copy that the next one is tried in.
fn lock(
    regression: &Reviewable,
    outcome: &str,
    scratch: &Scratch,
    workspace: &Workspace,
    bounds: &Bounds,
    console: &mut Console,
) -> Result<(), Failure> {
    let progress = console.progress(&format!("locking the outcome of {}", regression.name));
    let locked = accept(scratch, &workspace.root, regression, outcome, bounds, &mut |step| {
        progress.now(&format!("building {} ({})", step.name, step.finished));
    });
    drop(progress);
    let Acceptance { edits, locked } = locked?;
    edits.apply(&workspace.root, &workspace.relapse_folder())?;
    scratch.apply(&edits)?;
    // The diff is for people; `--json` has a line of its own.
    edits::show(&edits, console);
    if !locked.is_empty() {
        console.say(format_args!("new in Cargo.lock: {}", locked.join(", ")));
    }
    Ok(())
}

fn is_named(regression: &Reviewable, name: &str) -> bool {
    regression.name == name || regression.file == Path::new(name)
}

fn status_of_new(regression: &Reviewable) -> &'static str {
    if matches!(regression.state, State::Accepted(_)) { "changed" } else { "new" }
}

/// What each call returns; `None` for those that have no outcome to look at.
fn outcomes(
    regressions: &[Reviewable],
    scratch: &Scratch,
    workspace: &Workspace,
    bounds: &Bounds,
    console: &mut Console,
) -> Result<Vec<Option<Outcome>>, OutcomeError> {
    let looked_at =
        |regression: &Reviewable| matches!(regression.state, State::NotAccepted | State::Accepted(_));
    let chosen: Vec<&Reviewable> = regressions.iter().filter(|regression| looked_at(regression)).collect();
    let progress = console.progress("building the regressions");
    let seen = observe(scratch, &workspace.root, &chosen, bounds, &mut |step| {
        progress.now(&format!("building {} ({})", step.name, step.finished));
    });
    drop(progress);
    let mut seen = seen?.into_iter();
    Ok(regressions.iter().map(|regression| looked_at(regression).then(|| seen.next()).flatten()).collect())
}

/// Shows an outcome, or how it changed, and waits for a key.
fn ask(regression: &Reviewable, outcome: &str, console: &mut Console) -> Result<Decision, Failure> {
    console
        .result(console.paint(Style::Bold, &format!("{} ({})", regression.name, regression.file.display())));
    match &regression.state {
        State::Accepted(Some(before)) => {
            let diff = TextDiff::from_lines(before.as_str(), outcome);
            edits::show_diff(&diff.unified_diff().header("accepted", "now").to_string(), console);
        }
        _ => console.result(indented(outcome)),
    }
    loop {
        match console.key("accept this outcome? (a accept, r reject, s skip, q quit)")? {
            Key::Letter('a' | 'y') => return Ok(Decision::Accept),
            Key::Letter('r' | 's' | 'n') => return Ok(Decision::Leave),
            Key::End | Key::Letter('q') => return Ok(Decision::Quit),
            Key::Interrupt => return Ok(Decision::Interrupt),
            Key::Letter(_) => {}
        }
    }
}

fn indented(text: &str) -> String {
    let text = relapse_snapshot::display::terminal_safe(text);
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// An outcome that leaves nothing to decide.
fn report(
    regression: &Reviewable,
    outcome: Option<&Outcome>,
    tally: &mut Tally,
    console: &mut Console,
) -> Result<(), Failure> {
    let (status, reason) = match (&regression.state, outcome) {
        (State::MarkedOpen, _) => ("known", None),
        (State::ByHand(why), _) => ("by-hand", Some(why.clone())),
        (_, Some(Outcome::Returned(_))) => ("same", None),
        (_, Some(Outcome::Nothing)) => ("nothing", Some("its call returns nothing".to_owned())),
        (_, Some(Outcome::Crashed(text))) => ("open", Some(text.clone())),
        (_, Some(Outcome::Differs { .. })) => {
            ("unstable", Some("its call returns something else each time".to_owned()))
        }
        (_, Some(Outcome::Address(_))) => ("unstable", Some("its outcome holds a memory address".to_owned())),
        (_, Some(Outcome::TooLong(bytes))) => {
            ("not-shown", Some(format!("its outcome is {bytes} bytes long")))
        }
        (_, Some(Outcome::NotDebug(text))) => ("not-shown", Some(text.clone())),
        (_, Some(Outcome::Invalid(text))) => ("invalid", Some(text.clone())),
        (_, None) => ("invalid", Some("it was not run".to_owned())),
    };
    match status {
        "open" => tally.open += 1,
        "invalid" => tally.invalid += 1,
        _ => {}
    }
    if !console.is_json() {
        let reason =
            reason.as_deref().map(|text| format!(": {}", text.lines().collect::<Vec<_>>().join(" ")));
        let text = format!("{} {status}{}", regression.name, reason.unwrap_or_default());
        console.result(relapse_snapshot::display::terminal_safe(&text));
    }
    write_line(regression, status, None, reason, false, console)
}

fn write_line(
    regression: &Reviewable,
    status: &'static str,
    outcome: Option<&str>,
    reason: Option<String>,
    accepted: bool,
    console: &mut Console,
) -> Result<(), Failure> {
    if !console.is_json() {
        return Ok(());
    }
    let accepted_before = match &regression.state {
        State::Accepted(before) => before.as_deref(),
        _ => None,
    };
    let line = Line {
        regression: &regression.name,
        file: &regression.file,
        status,
        outcome,
        accepted_before,
        reason,
        accepted,
    };
    console.object(&line)
}

impl Tally {
    fn sentence(&self) -> String {
        let parts = [
            (self.accepted, "accepted"),
            (self.left, "not accepted"),
            (self.changed, "changed and not accepted"),
            (self.open, "still open"),
            (self.invalid, "invalid"),
        ];
        let parts: Vec<String> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if parts.is_empty() { "nothing to decide".to_owned() } else { parts.join(", ") }
    }

    fn code(&self) -> ExitCode {
        if self.invalid > 0 {
            ExitCode::Invalid
        } else if self.open + self.changed > 0 {
            ExitCode::Crash
        } else {
            ExitCode::Done
        }
    }
}
