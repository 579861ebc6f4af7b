//! The crash that a regression was made for, from its header, or from the snapshot where the store still has it: what
//! of a run is the same crash. The source may have moved on since, so a place is a file here, not a line.

use relapse_capture::roots::Roots;
use relapse_generator::render::CrashLine;
use relapse_generator::same_crash::is_std;
use relapse_generator::verify::ObservedPanic;
use relapse_snapshot::{CauseKind, Snapshot, normalise_message};

use crate::header::Header;

/// The crash that a regression was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Normalised.
    message: String,
    /// Whether `message` is only how it starts.
    cut: bool,
    /// As a snapshot names it.
    file: String,
    /// The function that the test calls.
    target: String,
    /// The workspace's own function in which the crash is.
    within: String,
    signal: Option<String>,
    /// Whether the call kills its process.
    pub dies: bool,
    /// Whether the call does not end.
    pub hangs: bool,
    /// Whether the test is marked as a known open bug.
    pub open: bool,
}

impl Expected {
    /// From the header, which holds message and place; where the store still has the snapshot, from that.
    pub fn new(header: &Header, snapshot: Option<&Snapshot>, roots: &Roots) -> Self {
        let crash = &header.crash;
        let (text, cut) = match snapshot {
            Some(snapshot) => (snapshot.cause.message.as_str(), false),
            None => (crash.message.as_str(), crash.cut),
        };
        let mut message = comparable(text);
        if cut {
            // The cut may lie within a word, a number or a list.
            message.truncate(message.rfind(' ').unwrap_or(message.len()));
        }
        let overflow = snapshot.is_some_and(|snapshot| snapshot.cause.kind == CauseKind::StackOverflow);
        let signal = snapshot.and_then(|snapshot| snapshot.cause.signal.clone()).filter(|_| !overflow);
        let location = snapshot.and_then(|snapshot| snapshot.location.as_ref());
        Self {
            message,
            cut,
            file: location.map_or_else(|| file_of(header, roots), |location| location.file.clone()),
            target: crash.function.clone(),
            within: crash.within.as_ref().unwrap_or(&crash.function).clone(),
            signal,
            dies: crash.dies,
            hangs: crash.hangs,
            open: header.open,
        }
    }

    /// Whether a panic is this crash.
    pub fn is_shown_by(&self, panic: &ObservedPanic, roots: &Roots) -> bool {
        let same_message = self.has_message_of(panic);
        let file = roots.normalise(&panic.location.file, None).0;
        // What std raises has the place of its caller in the header, and many ways lead to one line of std.
        let same_place = if is_std(&file) {
            panic.functions.is_empty() || has(panic, &self.within)
        } else {
            file == self.file
        };
        same_message && same_place
    }

    /// Whether a panic at a place in the test itself is this crash: what a `#[track_caller]` function raises has the place
    /// of its call.
    pub fn is_shown_in_test_by(&self, panic: &ObservedPanic) -> bool {
        self.has_message_of(panic) && has(panic, &self.target)
    }

    fn has_message_of(&self, panic: &ObservedPanic) -> bool {
        let message = comparable(&panic.message);
        if self.cut { message.starts_with(&self.message) } else { message == self.message }
    }

    /// Whether a death by this signal is this crash.
    pub fn is_death_by(&self, signal: &str) -> bool {
        self.dies && self.signal.as_deref().is_none_or(|expected| expected == signal)
    }

    /// Whether a panic was raised before the call: the function that the test calls is not on its stack.
    pub fn is_before_call(&self, panic: &ObservedPanic) -> bool {
        !panic.functions.is_empty() && !has(panic, &self.target)
    }
}

/// The file of the crash as a snapshot names it: the header has it seen from the package, where it lies in there.
fn file_of(header: &Header, roots: &Roots) -> String {
    let CrashLine { file, .. } = &header.crash;
    let package = roots.packages.iter().find(|package| package.name == header.package);
    let inside = package.map(|package| package.folder.join(file)).filter(|path| path.is_file());
    inside.map_or_else(|| file.clone(), |path| roots.normalise(&path.to_string_lossy(), None).0)
}

/// Whether a function, as the header names it (`Grid::row`, `a closure of fill`), is on the stack of a panic.
fn has(panic: &ObservedPanic, function: &str) -> bool {
    let separates = |c: char| !(c.is_alphanumeric() || c == '_');
    let name = function.rsplit(separates).next().unwrap_or_default();
    panic.functions.iter().any(|path| path.split(separates).any(|part| part == name))
}

/// A message as the header has it: on one line, control characters escaped; then without what one run puts in.
fn comparable(message: &str) -> String {
    normalise_message(&relapse_generator::hostile::comment::one_line(message))
}
