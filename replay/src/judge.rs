//! From what was seen of a test to its verdict.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use relapse_capture::roots::Roots;
use relapse_generator::same_crash::short;
use relapse_generator::verify::{
    Ending, LEFT_EARLY, Observation, ObserveError, ObservedPanic, Observer, TestRun, left_early,
};

use crate::expected::Expected;
use crate::find::Found;
use crate::verdict::Verdict;

/// As much of a test's standard error is kept for a report.
const KEPT_STDERR: usize = 16 << 10;
/// The status of a test executable of which a test failed.
const TEST_FAILED: i32 = 101;
/// What libtest says of a test with `#[should_panic]` that returns.
const DID_NOT_PANIC: &str = "test did not panic as expected";

/// A verdict and what led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What was seen instead of a pass.
    pub reason: Option<String>,
    /// The end of the test's standard error.
    pub stderr: String,
}

/// Runs a regression's test and judges it.
pub fn judge(
    observer: &dyn Observer,
    run: &TestRun,
    expected: &Expected,
    found: &Found,
    roots: &Roots,
) -> Result<Judgement, ObserveError> {
    let case = Case { expected, found, roots };
    let mut seen = observer.observe(run)?;
    let failed = !matches!(seen.ending, Ending::Exited(0) | Ending::TimedOut);
    let is_unseen = seen.deaths.is_empty() && case.last_panic(&seen).is_none() && !case.returned(&seen);
    if expected.dies && failed && is_unseen {
        // Without ptrace the test only says that its child died. The child itself shows how. It may lack what the test
        // gives it, and a death that comes and goes may be gone: where it shows none, that says nothing.
        let alone = observer.observe(&run.clone().in_child())?;
        if deaths(&alone).next().is_some() || !alone.panics.is_empty() {
            seen = alone;
        }
    }
    let (verdict, reason) = if left_early(&seen, &run.limits) {
        (Verdict::Changed, Some(LEFT_EARLY.to_owned()))
    } else {
        case.verdict(&seen)
    };
    Ok(Judgement { verdict, reason, stderr: end_of(&seen.stderr) })
}

/// A regression of which a run is judged.
struct Case<'a> {
    expected: &'a Expected,
    found: &'a Found,
    roots: &'a Roots,
}

impl Case<'_> {
    fn verdict(&self, seen: &Observation) -> (Verdict, Option<String>) {
        let Self { expected, roots, .. } = self;
        match &seen.ending {
            Ending::TimedOut => return (Verdict::Timeout, Some("it did not end in its time".to_owned())),
            Ending::Exited(0) if !expected.open => return (Verdict::Fixed, None),
            Ending::Exited(TEST_FAILED) if expected.open && self.returned(seen) => {
                let reason = "it does not panic any more: take `#[should_panic]` away";
                return (Verdict::Fixed, Some(reason.to_owned()));
            }
            _ => {}
        }
        // `#[should_panic]` passes as long as the bug is there.
        let passed = seen.ending == Ending::Exited(0);
        let same = if passed { Verdict::Known } else { Verdict::Open };
        if expected.hangs
            && let Some(panic) = seen.panics.iter().find(|panic| self.tells_hang(panic))
        {
            return (same, Some(panic.message.clone()));
        }
        let deaths = || deaths(seen).map(|signal| (signal, format!("it was ended by {signal}")));
        if let Some((_, reason)) = deaths().find(|(signal, _)| expected.is_death_by(signal)) {
            return (same, Some(reason));
        }
        let is_shown_by = |panic: &&ObservedPanic| {
            expected.is_shown_by(panic, roots)
                || self.is_in_test(panic) && expected.is_shown_in_test_by(panic)
        };
        if let Some(panic) = seen.panics.iter().find(is_shown_by) {
            return (same, Some(self.shown(panic)));
        }
        if let Some((_, reason)) = deaths().next() {
            return (Verdict::Changed, Some(reason));
        }
        match self.last_panic(seen) {
            // Its child's death is all that such a test expects; without ptrace there is no more to see.
            _ if passed && expected.dies => (Verdict::Known, None),
            Some(panic) if passed => (Verdict::Changed, Some(self.shown(panic))),
            None if passed => (Verdict::Known, None),
            Some(panic) if self.is_assertion(panic) => (Verdict::OutcomeChanged, Some(self.shown(panic))),
            Some(panic) if self.is_in_test(panic) && expected.is_before_call(panic) => {
                (Verdict::Invalid, Some(format!("the test's own arguments panic: {}", self.shown(panic))))
            }
            Some(panic) => (Verdict::Changed, Some(self.shown(panic))),
            None => (Verdict::Changed, Some(self.without_panic(seen))),
        }
    }

    /// The last panic, without that of a test which tells that its child failed.
    fn last_panic<'a>(&self, seen: &'a Observation) -> Option<&'a ObservedPanic> {
        seen.panics.iter().rev().find(|panic| !self.is_of_child(panic))
    }

    /// Whether a test with `#[should_panic]` failed because it returned. Of a child, which is such a test too, only the
    /// status is known; a panic or a death of it would have been seen.
    fn returned(&self, seen: &Observation) -> bool {
        let says_so = String::from_utf8_lossy(&seen.stdout).contains(DID_NOT_PANIC);
        let status = ExitStatus::from_raw(TEST_FAILED << 8).to_string();
        let of_child = seen.panics.last().filter(|panic| panic.message.starts_with(&status));
        says_so || of_child.is_some() && self.last_panic(seen).is_none() && deaths(seen).next().is_none()
    }

    /// Why a test failed that shows no panic of its own.
    fn without_panic(&self, seen: &Observation) -> String {
        match (seen.panics.last(), &seen.ending) {
            (Some(panic), _) => format!("its child failed: {}", self.shown(panic)),
            (None, Ending::Exited(status)) if *status != TEST_FAILED => {
                format!("it ended with status {status}, without a panic that could be seen")
            }
            (None, _) => "it failed without a panic that could be seen".to_owned(),
        }
    }

    fn file_of(&self, panic: &ObservedPanic) -> String {
        self.roots.normalise(&panic.location.file, None).0
    }

    fn is_in_test(&self, panic: &ObservedPanic) -> bool {
        self.found.file.to_str() == Some(self.file_of(panic).as_str())
    }

    /// Whether a panic is raised by what runs the call in a child, at the end of the test's file.
    fn is_of_child(&self, panic: &ObservedPanic) -> bool {
        let mut lines = self.found.text.lines().zip(1..);
        let begins = lines.find(|(line, _)| line.starts_with("fn in_child(")).map(|(_, number)| number);
        begins.is_some_and(|begins: u32| panic.location.line > begins) && self.is_in_test(panic)
    }

    /// Whether a test tells that it ended its child, which had not come to an end by itself.
    fn tells_hang(&self, panic: &ObservedPanic) -> bool {
        self.is_of_child(panic) && panic.message.starts_with("still running after ")
    }

    /// Whether it is the test's own assertion that failed: in its file, or in insta, which panics on its behalf.
    fn is_assertion(&self, panic: &ObservedPanic) -> bool {
        let at = (panic.location.line as usize).saturating_sub(1);
        let line = self.found.text.lines().nth(at).map_or("", str::trim_start);
        let starts = |text: &str| text.starts_with("assert") || text.starts_with("snapshot assertion");
        let is_own = self.is_in_test(panic) && (starts(&panic.message) || starts(line));
        is_own || self.file_of(panic).starts_with("insta-")
    }

    fn shown(&self, panic: &ObservedPanic) -> String {
        format!("{} ({}:{})", short(&panic.message), self.file_of(panic), panic.location.line)
    }
}

/// The signals that ended the test or its child.
fn deaths(seen: &Observation) -> impl Iterator<Item = &str> {
    let ending = match &seen.ending {
        Ending::Signaled(signal) => Some(signal.as_str()),
        _ => None,
    };
    seen.deaths.iter().map(|death| death.signal.as_str()).chain(ending)
}

fn end_of(stderr: &[u8]) -> String {
    let start = stderr.len().saturating_sub(KEPT_STDERR);
    String::from_utf8_lossy(&stderr[start..]).into_owned()
}

#[cfg(test)]
mod tests;
