//! From what was seen of a test to its verdict. The source may have moved on since the crash, so a place is a
//! file here, not a line.

use relapse_capture::roots::Roots;
use relapse_generator::verify::{Ending, Observation, ObserveError, ObservedPanic, Observer, TestRun};
use relapse_snapshot::{CauseKind, Snapshot, normalise_message};

use crate::find::Found;
use crate::header::Header;
use crate::verdict::Verdict;

/// As much of a test's standard error is kept for a report.
const KEPT_STDERR: usize = 16 << 10;
/// As much of a message is shown in a reason.
const SHOWN: usize = 160;

/// The crash that a regression was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Normalised.
    message: String,
    /// Whether `message` is only how it starts.
    cut: bool,
    file: String,
    signal: Option<String>,
    dies: bool,
    open: bool,
}

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

impl Expected {
    /// From the header, which holds message and place; where the store still has the snapshot, from that.
    pub fn new(header: &Header, snapshot: Option<&Snapshot>) -> Self {
        let (text, cut) = match (snapshot, header.message.strip_suffix('…')) {
            (Some(snapshot), _) => (snapshot.cause.message.as_str(), false),
            (None, Some(start)) => (start, true),
            (None, None) => (header.message.as_str(), false),
        };
        let mut message = comparable(text);
        if cut {
            // The cut may lie within a number or a quotation.
            let whole = message.rfind([' ', '`', '"', '\'']).unwrap_or(0);
            message.truncate(whole);
        }
        let overflow = snapshot.is_some_and(|snapshot| snapshot.cause.kind == CauseKind::StackOverflow);
        let signal = snapshot.and_then(|snapshot| snapshot.cause.signal.clone()).filter(|_| !overflow);
        let file =
            snapshot.and_then(|snapshot| snapshot.location.as_ref()).map(|location| location.file.clone());
        Self {
            message,
            cut,
            file: file.unwrap_or_else(|| header.file.clone()),
            signal,
            dies: header.dies,
            open: header.open,
        }
    }

    fn is_shown_by(&self, panic: &ObservedPanic, roots: &Roots) -> bool {
        let message = comparable(&panic.message);
        let same_message =
            if self.cut { message.starts_with(&self.message) } else { message == self.message };
        same_message && roots.normalise(&panic.location.file, None).0 == self.file
    }
}

/// Runs a regression's test once and judges it.
pub fn judge(
    observer: &dyn Observer,
    run: &TestRun,
    expected: &Expected,
    found: &Found,
    roots: &Roots,
) -> Result<Judgement, ObserveError> {
    let seen = observer.observe(run)?;
    let failed = !matches!(seen.ending, Ending::Exited(0) | Ending::TimedOut);
    // The test only says that its child died. The child itself shows how.
    let seen = if expected.dies && failed { observer.observe(&run.clone().in_child())? } else { seen };
    let (verdict, reason) = verdict(&seen, expected, found, roots);
    Ok(Judgement { verdict, reason, stderr: end_of(&seen.stderr) })
}

fn verdict(
    seen: &Observation,
    expected: &Expected,
    found: &Found,
    roots: &Roots,
) -> (Verdict, Option<String>) {
    let same = seen.panics.iter().any(|panic| expected.is_shown_by(panic, roots));
    match &seen.ending {
        Ending::TimedOut => (Verdict::Timeout, Some("it did not end in its time".to_owned())),
        // `#[should_panic]` passes as long as the bug is there.
        Ending::Exited(0) if expected.open => match seen.panics.last() {
            Some(panic) if !same => (Verdict::Changed, Some(shown(panic, roots))),
            last => (Verdict::Known, last.map(|panic| shown(panic, roots))),
        },
        Ending::Exited(0) => (Verdict::Fixed, None),
        Ending::Exited(_) if expected.open && seen.panics.is_empty() => {
            (Verdict::Fixed, Some("it does not panic any more: take `#[should_panic]` away".to_owned()))
        }
        Ending::Signaled(signal) if expected.dies => match &expected.signal {
            Some(other) if other != signal => (Verdict::Changed, Some(format!("it was ended by {signal}"))),
            _ => (Verdict::Open, Some(format!("it was ended by {signal}"))),
        },
        Ending::Signaled(signal) if !same => (Verdict::Changed, Some(format!("it was ended by {signal}"))),
        _ if same => {
            let panic = seen.panics.iter().find(|panic| expected.is_shown_by(panic, roots));
            (Verdict::Open, panic.map(|panic| shown(panic, roots)))
        }
        _ => match seen.panics.last() {
            Some(panic) if is_assertion(panic, found, roots) => {
                (Verdict::OutcomeChanged, Some(shown(panic, roots)))
            }
            Some(panic) => (Verdict::Changed, Some(shown(panic, roots))),
            None => (Verdict::Changed, Some("it failed without a panic that could be seen".to_owned())),
        },
    }
}

/// Whether it is the test's own assertion that failed: in its file, or in insta, which panics on its behalf.
fn is_assertion(panic: &ObservedPanic, found: &Found, roots: &Roots) -> bool {
    let file = roots.normalise(&panic.location.file, None).0;
    found.file.to_str() == Some(file.as_str()) || file.starts_with("insta-")
}

fn shown(panic: &ObservedPanic, roots: &Roots) -> String {
    let line = panic.message.lines().next().unwrap_or_default();
    let mut text: String = line.chars().take(SHOWN).collect();
    if text.len() < line.len() {
        text.push('…');
    }
    format!("{text} ({}:{})", roots.normalise(&panic.location.file, None).0, panic.location.line)
}

/// A message as the header has it: on one line, control characters escaped; then without what one run puts in.
fn comparable(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let escape =
        |char: char| if char.is_control() { char.escape_unicode().collect() } else { char.to_string() };
    normalise_message(&line.chars().map(escape).collect::<String>())
}

fn end_of(stderr: &[u8]) -> String {
    let start = stderr.len().saturating_sub(KEPT_STDERR);
    String::from_utf8_lossy(&stderr[start..]).into_owned()
}

#[cfg(test)]
mod tests {
    use relapse_capture::roots::PackageRoot;
    use relapse_generator::verify::PanicLocation;

    use super::*;

    fn header(message: &str) -> Header {
        Header {
            package: "demo".into(),
            cargo_args: Vec::new(),
            variables: Vec::new(),
            test: "regressions::a::a".into(),
            snapshot: "1".into(),
            message: message.into(),
            file: "src/lib.rs".into(),
            line: Some(3),
            dies: false,
            open: false,
        }
    }

    fn roots() -> Roots {
        let package = PackageRoot { name: "demo".into(), folder: "/w".into() };
        Roots { workspace: Some("/w".into()), packages: vec![package] }
    }

    fn seen(ending: Ending, panics: &[(&str, &str)]) -> Observation {
        let panic = |(message, file): &(&str, &str)| ObservedPanic {
            message: (*message).to_owned(),
            location: PanicLocation { file: (*file).to_owned(), line: 9, column: 1 },
            tid: 1,
            thread_name: None,
            functions: Vec::new(),
        };
        Observation {
            panics: panics.iter().map(panic).collect(),
            deaths: Vec::new(),
            ending,
            stdout: Vec::new(),
            stderr: Vec::new(),
            accesses: Vec::new(),
        }
    }

    fn judged(header: &Header, ending: Ending, panics: &[(&str, &str)]) -> Verdict {
        let found =
            Found { file: "regressions/lib/a.rs".into(), package: "demo".into(), text: String::new() };
        verdict(&seen(ending, panics), &Expected::new(header, None), &found, &roots()).0
    }

    #[test]
    fn the_same_panic_in_the_same_file_is_open() {
        let index = header("index out of bounds: the len is 3 but the index is 17");
        let text = "index out of bounds: the len is 0 but the index is 4";
        assert_eq!(judged(&index, Ending::Exited(101), &[(text, "src/lib.rs")]), Verdict::Open);
        assert_eq!(judged(&index, Ending::Exited(101), &[(text, "/w/src/../src/lib.rs")]), Verdict::Open);
        assert_eq!(judged(&index, Ending::Exited(101), &[(text, "src/b.rs")]), Verdict::Changed);
        assert_eq!(judged(&index, Ending::Exited(101), &[("other", "src/lib.rs")]), Verdict::Changed);
        assert_eq!(judged(&index, Ending::Exited(0), &[]), Verdict::Fixed);
        assert_eq!(judged(&index, Ending::TimedOut, &[]), Verdict::Timeout);
        assert_eq!(judged(&index, Ending::Signaled("SIGSEGV".into()), &[]), Verdict::Changed);
        assert_eq!(judged(&index, Ending::Exited(101), &[]), Verdict::Changed);
    }

    #[test]
    fn a_message_that_the_header_cut_is_compared_as_far_as_it_goes() {
        let cut = header("called `Result::unwrap()` on an `Err` value: ParseIntError { ki…");
        let text = "called `Result::unwrap()` on an `Err` value: ParseIntError { kind: Empty }";
        assert_eq!(judged(&cut, Ending::Exited(101), &[(text, "src/lib.rs")]), Verdict::Open);
        let other = "called `Option::unwrap()` on a `None` value";
        assert_eq!(judged(&cut, Ending::Exited(101), &[(other, "src/lib.rs")]), Verdict::Changed);
        let lines = header("assertion `left == right` failed left: 1 right: 2");
        let text = "assertion `left == right` failed\n  left: 1\n right: 2";
        assert_eq!(judged(&lines, Ending::Exited(101), &[(text, "src/lib.rs")]), Verdict::Open);
    }

    #[test]
    fn an_assertion_of_the_test_is_about_its_outcome() {
        let any = header("x");
        for file in ["src/../regressions/lib/a.rs", "/c/registry/src/index-1/insta-1.44.3/src/runtime.rs"] {
            let verdict = judged(&any, Ending::Exited(101), &[("snapshot assertion failed", file)]);
            assert_eq!(verdict, Verdict::OutcomeChanged, "{file}");
        }
    }

    #[test]
    fn a_bug_that_is_marked_open_is_known_until_it_is_fixed() {
        let mut open = header("overflow");
        open.open = true;
        assert_eq!(judged(&open, Ending::Exited(0), &[("overflow", "src/lib.rs")]), Verdict::Known);
        assert_eq!(judged(&open, Ending::Exited(101), &[]), Verdict::Fixed);
        assert_eq!(judged(&open, Ending::Exited(101), &[("else", "src/lib.rs")]), Verdict::Changed);
    }

    #[test]
    fn a_death_is_open_as_long_as_the_process_dies() {
        let mut dies = header("SIGSEGV");
        dies.dies = true;
        assert_eq!(judged(&dies, Ending::Signaled("SIGSEGV".into()), &[]), Verdict::Open);
        assert_eq!(judged(&dies, Ending::Exited(101), &[("other", "src/lib.rs")]), Verdict::Changed);
        assert_eq!(judged(&dies, Ending::Exited(0), &[]), Verdict::Fixed);
    }
}
