//! Whether a run of a test shows the crash that was captured: same kind of cause, same place, same message up
//! to numbers and quoted data. In: a snapshot and what was seen of a run; out: same, or what is different.

mod lines;

use relapse_capture::roots::Roots;
use relapse_snapshot::{CauseKind, FrameKind, Location, Snapshot, normalise_message};

pub use self::lines::LineMap;
use crate::verify::{Ending, Observation, ObservedPanic};

/// The functions that lead to a place in std, of which all must be there again.
const INNERMOST: usize = 2;
/// As much of a message is shown in a reason.
const SHOWN: usize = 160;

/// The crash that a test must show.
#[derive(Debug, Clone)]
pub struct Crash {
    kind: CauseKind,
    signal: Option<String>,
    message: String,
    location: Option<Location>,
    /// The innermost functions that are not std's, innermost first.
    functions: Vec<String>,
    roots: Roots,
    lines: LineMap,
}

/// The result of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sameness {
    /// The same crash.
    Same,
    /// Not: what was seen instead, in words for the user.
    Different(String),
}

impl Crash {
    /// The crash of a snapshot. `roots` are the folders that the test is built in, `lines` what our own edits
    /// do to the files.
    pub fn new(snapshot: &Snapshot, roots: Roots, lines: LineMap) -> Self {
        let own = snapshot.frames().iter();
        let own = own.filter(|frame| matches!(frame.kind, FrameKind::Workspace | FrameKind::Dependency));
        Self {
            kind: snapshot.cause.kind,
            signal: snapshot.cause.signal.clone(),
            message: normalise_message(&snapshot.cause.message),
            location: snapshot.location.clone(),
            functions: own.take(INNERMOST).map(|frame| frame.function.clone()).collect(),
            roots,
            lines,
        }
    }

    /// Compares a run with the crash.
    pub fn compare(&self, seen: &Observation) -> Sameness {
        let different = |reason: String| Sameness::Different(reason);
        match (&seen.ending, self.kind) {
            (Ending::TimedOut, CauseKind::Timeout) => return Sameness::Same,
            (Ending::TimedOut, _) => return different("the test did not end in its time".to_owned()),
            (Ending::Exited(0), _) => return different(passed(seen)),
            _ => {}
        }
        match self.kind {
            CauseKind::Panic => self.compare_panics(seen),
            CauseKind::Signal | CauseKind::Abort | CauseKind::StackOverflow => self.compare_death(seen),
            CauseKind::Timeout | CauseKind::Trigger => different(format!("the test {}", ended(seen))),
        }
    }

    fn compare_panics(&self, seen: &Observation) -> Sameness {
        let mut first_reason = None;
        for panic in &seen.panics {
            match self.differs(panic) {
                None => return Sameness::Same,
                Some(reason) => first_reason = first_reason.or(Some(reason)),
            }
        }
        Sameness::Different(
            first_reason.unwrap_or_else(|| format!("the test {} without a panic", ended(seen))),
        )
    }

    /// A death by signal: of the test itself. A test whose call runs in a child is observed as that child.
    fn compare_death(&self, seen: &Observation) -> Sameness {
        let expected = match self.kind {
            CauseKind::Signal => self.signal.as_deref().unwrap_or("SIGSEGV"),
            // std ends a process whose stack overflowed by SIGABRT; without its handler it is the SIGSEGV.
            CauseKind::StackOverflow => "SIGABRT",
            _ => self.signal.as_deref().unwrap_or("SIGABRT"),
        };
        match &seen.ending {
            Ending::Signal(signal) if signal == expected => Sameness::Same,
            Ending::Signal(signal) if self.kind == CauseKind::StackOverflow && signal == "SIGSEGV" => {
                Sameness::Same
            }
            _ => Sameness::Different(format!("the test {}, not by {expected}", ended(seen))),
        }
    }

    /// What is different about a panic; `None` where nothing is.
    fn differs(&self, panic: &ObservedPanic) -> Option<String> {
        let place = self.place_of(panic);
        let shown = place
            .as_ref()
            .map_or_else(|| "an unknown place".to_owned(), |p| format!("{}:{}", p.file, p.line));
        if normalise_message(&panic.message) != self.message {
            return Some(format!("another panic: {} ({shown})", short(&panic.message)));
        }
        let (Some(expected), Some(place)) = (&self.location, &place) else { return None };
        let same_column = expected.column == 0 || place.column == 0 || expected.column == place.column;
        if expected.file != place.file || expected.line != place.line || !same_column {
            return Some(format!("the same panic at another place: {shown}"));
        }
        // Many ways lead to one line of std: the caller tells them apart.
        let missing = self.functions.iter().find(|function| !panic.functions.contains(function));
        match missing {
            Some(missing) if is_std(&place.file) && !panic.functions.is_empty() => {
                Some(format!("the same panic at {shown}, but not within {missing}"))
            }
            _ => None,
        }
    }

    /// The place of a panic as the snapshot would have it: normalised, in the lines before our own edits.
    fn place_of(&self, panic: &ObservedPanic) -> Option<Location> {
        let (raw, line, column) = panic.location.as_ref()?;
        let file = self.roots.normalise(raw, None).0;
        let line = self.lines.before(&file, *line).unwrap_or(0);
        Some(Location { file, line, column: *column })
    }
}

fn is_std(file: &str) -> bool {
    file.starts_with("library/")
}

fn passed(seen: &Observation) -> String {
    match seen.panics.first() {
        Some(panic) => format!("the test passed in spite of a panic: {}", short(&panic.message)),
        None => "the test passed".to_owned(),
    }
}

fn ended(seen: &Observation) -> String {
    match &seen.ending {
        Ending::Exited(0) => "passed".to_owned(),
        Ending::Exited(status) => format!("failed with status {status}"),
        Ending::Signal(signal) => format!("was ended by {signal}"),
        Ending::TimedOut => "did not end in its time".to_owned(),
    }
}

/// The first line of a message, at most [`SHOWN`] characters of it.
fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(SHOWN).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}
