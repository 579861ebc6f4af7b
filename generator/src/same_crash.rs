//! Whether a run of a test shows the crash that was captured: same kind of cause, same place, same message up
//! to numbers and quoted data. In: a snapshot and what was seen of a run; out: same, or what is different.

mod caller;
mod hang;
mod lines;

use std::path::Path;

use relapse_capture::roots::Roots;
use relapse_snapshot::{
    CauseKind, Frame, FrameKind, Location, Rules, Snapshot, bare_name, normalise_message,
};

pub use self::lines::LineMap;
use crate::paths::normalized;
use crate::verify::{Ending, Observation, ObservedDeath, ObservedPanic};

/// What a message says of a panic that it passes on, beside that one's own message: the payload's `Debug`, std's poisoned
/// locks and scopes, and the `JoinError` of tokio.
const PASSES_ON: [&str; 4] = ["Any { .. }", "PoisonError", "JoinError", "a scoped thread panicked"];
/// The functions that lead to a place in std, of which all must be there again.
const INNERMOST: usize = 2;
/// As much of a message is shown in a reason.
const SHOWN: usize = 160;

/// Whether a panic of that message passes another one on.
pub fn passes_on(message: &str) -> bool {
    PASSES_ON.iter().any(|words| message.contains(words))
}

/// The crash that a test must show.
#[derive(Debug, Clone)]
pub struct Crash {
    kind: CauseKind,
    signal: Option<String>,
    message: String,
    location: Option<Location>,
    /// The innermost functions that are not std's, innermost first.
    functions: Vec<Known>,
    /// The test's file, where the place of the crash is that of the call: a `#[track_caller]` function raises it.
    called_in: Option<String>,
    roots: Roots,
    lines: LineMap,
    rules: Rules,
}

/// A function that must be on the stack again.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    function: String,
    /// Its frame is the run of an async function or block.
    is_async: bool,
}

impl Known {
    fn of(frame: &Frame) -> Known {
        let is_async = frame.is_async || frame.name.starts_with("{async");
        Known { function: frame.function.clone(), is_async }
    }
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
        Self {
            kind: snapshot.cause.kind,
            signal: snapshot.cause.signal.clone(),
            message: normalise_message(&snapshot.cause.message),
            location: snapshot.location.clone(),
            functions: functions(snapshot, snapshot.frames()),
            called_in: None,
            roots,
            lines,
            rules: Rules::default(),
        }
    }

    /// The same with the rules of redaction that the snapshot was kept by. The default ones are on.
    #[must_use]
    pub fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// The same crash as a test shows it that calls the function of `target`, a frame of the snapshot: what called
    /// that function is not in the test. `file`: the test's.
    #[must_use]
    pub fn below(&self, snapshot: &Snapshot, target: &Frame, file: &Path) -> Self {
        let frames = snapshot.frames();
        let end =
            frames.iter().position(|frame| std::ptr::eq(frame, target)).map_or(frames.len(), |at| at + 1);
        let (below, above) = frames.split_at(end);
        let called_in = caller::is_blamed(snapshot.location.as_ref(), below, above)
            .then(|| normalized(file).to_string_lossy().into_owned());
        Self { functions: functions(snapshot, below), called_in, ..self.clone() }
    }

    /// Whether the crash ends the process, rather than unwinds a thread.
    pub fn is_death(&self) -> bool {
        matches!(self.kind, CauseKind::Signal | CauseKind::Abort | CauseKind::StackOverflow)
    }

    /// Whether it is no end at all: the program was still running when its time was over.
    pub fn is_hang(&self) -> bool {
        self.kind == CauseKind::Timeout
    }

    /// Compares a run with the crash; a test that passes does not show it.
    pub fn compare(&self, seen: &Observation) -> Sameness {
        match &seen.ending {
            Ending::Exited(0) => Sameness::Different(passed(seen)),
            _ => self.shown_in(seen),
        }
    }

    /// Compares a run with the crash whether the test passed or not: one with `#[should_panic]` passes.
    pub fn shown_in(&self, seen: &Observation) -> Sameness {
        match (&seen.ending, self.kind) {
            (_, CauseKind::Timeout) => hang::compare(&self.functions, seen),
            (Ending::TimedOut, _) => Sameness::Different(ended_as(seen)),
            (_, CauseKind::Panic) => self.compare_panics(seen),
            _ if self.is_death() => self.compare_death(seen),
            _ => Sameness::Different(ended_as(seen)),
        }
    }

    fn compare_panics(&self, seen: &Observation) -> Sameness {
        let mut first_reason = None;
        for (at, panic) in seen.panics.iter().enumerate() {
            let survived = || self.survived(panic, seen.panics.get(at + 1..).unwrap_or_default(), seen);
            match self.differs(panic).or_else(survived) {
                None => return Sameness::Same,
                Some(reason) => first_reason = first_reason.or(Some(reason)),
            }
        }
        Sameness::Different(first_reason.unwrap_or_else(|| format!("{} without a panic", ended_as(seen))))
    }

    /// That a panic was caught, and that its thread died of another one, which the first did not lead to: mended, it would
    /// leave the test as red as before. What panics while another one unwinds does so within the function that crashed.
    fn survived(&self, panic: &ObservedPanic, later: &[ObservedPanic], seen: &Observation) -> Option<String> {
        if panic.tid == 0 || !matches!(seen.ending, Ending::Exited(_)) || !seen.deaths.is_empty() {
            return None;
        }
        let last = later.iter().rev().find(|other| other.tid == panic.tid)?;
        let passes_on = passes_on(&last.message)
            || !panic.message.is_empty() && last.message.contains(panic.message.as_str())
            || self.functions.first().is_some_and(|known| is_on(known, &last.functions));
        let place = format!("{}:{}", last.location.file, last.location.line);
        (!passes_on)
            .then(|| format!("it is caught, and another panic follows: {} ({place})", short(&last.message)))
    }

    fn compare_death(&self, seen: &Observation) -> Sameness {
        let expected = match self.kind {
            CauseKind::Signal => self.signal.as_deref().unwrap_or("SIGSEGV"),
            // std ends a process whose stack overflowed by SIGABRT; without its handler it is the SIGSEGV.
            CauseKind::StackOverflow => "SIGABRT",
            _ => self.signal.as_deref().unwrap_or("SIGABRT"),
        };
        let overflow = self.kind == CauseKind::StackOverflow;
        let same_signal = |signal: &str| signal == expected || overflow && signal == "SIGSEGV";
        if seen.deaths.iter().any(|death| self.is_same_death(death, &same_signal)) {
            return Sameness::Same;
        }
        match (&seen.ending, seen.deaths.first()) {
            (Ending::Signaled(signal), None) if same_signal(signal) => Sameness::Same,
            (_, Some(death)) if same_signal(&death.signal) => {
                let function = self.functions.first().map_or("the same function", |known| &known.function);
                Sameness::Different(format!("the same signal, but not within {function}"))
            }
            _ => Sameness::Different(format!("{}, not by {expected}", ended_as(seen))),
        }
    }

    fn is_same_death(&self, death: &ObservedDeath, same_signal: &dyn Fn(&str) -> bool) -> bool {
        if death.kind != self.kind || !same_signal(&death.signal) {
            return false;
        }
        let mut known = self.functions.iter();
        let known_here = |known: &Known| is_on(known, &death.functions);
        match self.kind {
            _ if death.functions.is_empty() || self.functions.is_empty() => true,
            // Which function of a recursion meets the end of the stack is chance.
            CauseKind::StackOverflow => known.any(known_here),
            _ => known.next().is_none_or(known_here),
        }
    }

    /// What is different about a panic; `None` where nothing is.
    fn differs(&self, panic: &ObservedPanic) -> Option<String> {
        // As the snapshot would have it: normalised, in the lines before our own edits.
        let file = self.roots.normalise(&panic.location.file, None).0;
        let line = self.lines.before(&file, panic.location.line);
        let column = panic.location.column;
        let shown = format!("{file}:{}", line.unwrap_or(panic.location.line));
        // What looks like a secret may be prose, which the test says as it is.
        let redacted = self.rules.redact_text(&panic.message);
        if ![&panic.message, &redacted].iter().any(|message| normalise_message(message) == self.message) {
            return Some(format!("another panic: {} ({shown})", short(&redacted)));
        }
        let expected = self.location.as_ref()?;
        let same_column = expected.column == 0 || column == 0 || expected.column == column;
        let at_call = self.called_in.as_ref().is_some_and(|called_in| *called_in == file);
        let same_line = Some(expected.line) == line;
        let moved = line.is_some_and(|line| self.lines.may_have_been(&file, line, expected.line));
        if !at_call && (expected.file != file || !(same_line || moved) || !same_column) {
            return Some(format!("the same panic at another place: {shown}"));
        }
        // Many ways lead to one line of std, or to a call: the functions tell them apart.
        let missing = self.functions.iter().find(|known| !is_on(known, &panic.functions));
        // Any line of the test is one that may call: without functions nothing says that it did.
        if at_call && (panic.functions.is_empty() || self.functions.is_empty()) {
            return Some(format!("the same panic at another place: {shown}"));
        }
        match missing {
            Some(missing) if (at_call || !same_line || is_std(&file)) && !panic.functions.is_empty() => {
                Some(format!("the same panic at {shown}, but not within {}", missing.function))
            }
            _ => None,
        }
    }
}

/// The functions that lead to the crash, as far as they have to be there again.
fn functions(snapshot: &Snapshot, frames: &[Frame]) -> Vec<Known> {
    if snapshot.cause.kind == CauseKind::Timeout { hang::functions(frames) } else { innermost(frames) }
}

/// The innermost functions that are not std's.
fn innermost(frames: &[Frame]) -> Vec<Known> {
    let own =
        frames.iter().filter(|frame| matches!(frame.kind, FrameKind::Workspace | FrameKind::Dependency));
    own.take(INNERMOST).map(Known::of).collect()
}

/// Whether a path is that of a function's body: `demo::fetch::{{closure}}`, `demo::fetch::{closure#0}`.
fn is_body_of(path: &str, function: &str) -> bool {
    let last = path.strip_prefix(function).and_then(|rest| rest.strip_prefix("::"));
    last.is_some_and(|last| last.starts_with('{') && last.ends_with('}') && !last.contains("::"))
}

/// Whether a function is on a stack. Where a test is built with line tables alone, what an optimiser inlined has its bare
/// name there, and no path (`DW_AT_name` without `DW_AT_linkage_name`), and that of a body says no more than what it is the
/// body of. Where no debug info tells them, the body of an async function is a closure.
fn is_on(Known { function, is_async }: &Known, stack: &[String]) -> bool {
    let bare = bare_name(function);
    let is_bare = |on: &str| match on.strip_prefix('{') {
        Some(body) if body.starts_with("async_fn#") => *is_async && !bare.starts_with('{'),
        // It may be the whole work of a function that is known by its own name.
        Some(body) if body.starts_with("async_block#") => *is_async,
        Some(_) => bare.starts_with('{'),
        None => without_generics(on) == bare,
    };
    let is_same =
        |on: &String| on == function || is_body_of(on, function) || !on.contains("::") && is_bare(on);
    stack.iter().any(is_same)
}

fn without_generics(name: &str) -> &str {
    name.split('<').next().unwrap_or(name)
}

/// Whether a file, as a snapshot names it, is one of std.
pub fn is_std(file: &str) -> bool {
    file.starts_with("library/")
}

/// What is said of a test that passed.
pub const PASSED: &str = "the test passed";

fn passed(seen: &Observation) -> String {
    // What libtest says where no test has the name, such as one that a `cfg` leaves out.
    if seen.stdout.split(|byte| *byte == b'\n').any(|line| line == b"running 0 tests") {
        return "the test was not run: its executable has none of that name".to_owned();
    }
    match seen.panics.first() {
        Some(panic) => format!("the test passed in spite of a panic: {}", short(&panic.message)),
        None => PASSED.to_owned(),
    }
}

fn ended_as(seen: &Observation) -> String {
    match &seen.ending {
        Ending::Exited(0) => PASSED.to_owned(),
        Ending::Exited(status) => format!("the test failed with status {status}"),
        Ending::Signaled(signal) => format!("the test was ended by {signal}"),
        Ending::TimedOut => "the test did not end in its time".to_owned(),
    }
}

/// The first line of a message, as much of it as a reason shows.
pub fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    let mut short: String = line.chars().take(SHOWN).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
pub(crate) mod tests {
    use relapse_snapshot::{Cause, Program, TypeTable};

    use super::*;
    use crate::verify::PanicLocation;

    /// The snapshot of a panic, without any thread.
    pub(crate) fn panicked() -> Snapshot {
        Snapshot {
            format: 1,
            id: String::new(),
            time: String::new(),
            clock: None,
            cause: Cause { kind: CauseKind::Panic, message: "gone".to_owned(), signal: None },
            location: Some(Location { file: "src/lib.rs".to_owned(), line: 1, column: 1 }),
            caught_by: Vec::new(),
            threads: Vec::new(),
            made: Vec::new(),
            types: TypeTable::default(),
            program: Program::default(),
            fingerprint: String::new(),
            count: 1,
            notes: Vec::new(),
        }
    }

    fn body(function: &str) -> Known {
        Known { function: function.to_owned(), is_async: true }
    }

    #[test]
    fn function_that_was_inlined_is_known_by_its_bare_name() {
        let stack = ["swap_remove<alloc::string::String>", "close", "core::ops::function::call"];
        let stack: Vec<String> = stack.map(str::to_owned).to_vec();
        assert!(is_on(&body("demo::Book::close"), &stack));
        assert!(is_on(&body("<demo::Book as demo::Shut>::close"), &stack));
        assert!(is_on(&body("demo::Book::close::<u8, (a::B, c::D<e::F>)>"), &stack));
        assert!(!is_on(&body("demo::Book::open"), &stack));
        assert!(!is_on(&body("demo::Book::call"), &stack));
    }

    #[test]
    fn an_async_function_is_on_the_stack_by_either_name() {
        let stack = |function: &str| [function.to_owned()];
        assert!(is_on(&body("demo::fetch"), &stack("demo::fetch")));
        assert!(is_on(&body("demo::fetch"), &stack("demo::fetch::{{closure}}")));
        assert!(is_on(&body("demo::fetch::<u8>"), &stack("demo::fetch::<u8>::{closure#0}")));
        assert!(!is_on(&body("demo::fetch"), &stack("demo::fetch::{{closure}}::{{closure}}")));
        assert!(is_on(&body("demo::run::{{closure}}"), &stack("demo::run::{{closure}}")));
        assert!(!is_on(&body("demo::run::{{closure}}"), &stack("demo::run")));
        assert!(!is_on(&body("demo::fetch"), &stack("demo::fetched")));
    }

    #[test]
    fn a_body_that_was_inlined_has_no_path_at_all() {
        let stack = |function: &str| [function.to_owned()];
        assert!(is_on(&body("<demo::Memory as demo::Store>::get"), &stack("{async_fn#0}")));
        assert!(is_on(&body("demo::fetch::<u8>"), &stack("{async_fn#0}<u8>")));
        assert!(!is_on(&body("demo::fetch"), &stack("{closure#0}")));
        assert!(is_on(&body("demo::run::{{closure}}"), &stack("{async_block#0}")));
        assert!(is_on(&body("demo::run"), &stack("{async_block#0}")));
        let plain = Known { is_async: false, ..body("demo::run") };
        assert!(!is_on(&plain, &stack("{async_block#0}")) && !is_on(&plain, &stack("{async_fn#0}")));
        assert!(is_on(&body("demo::run::{closure#1}"), &stack("{closure#1}<u8>")));
        assert!(!is_on(&body("demo::run::{{closure}}"), &stack("{async_fn#0}")));
    }

    /// A panic that has the place of its caller: in the test, each line may be that.
    #[test]
    fn a_panic_in_the_test_is_the_same_only_within_the_functions_that_led_to_it() {
        let snapshot = panicked();
        let plain = Crash::new(&snapshot, Roots::default(), LineMap::default());
        let called_in = Some("src/regressions/gone.rs".to_owned());
        let crash = Crash { called_in, functions: vec![body("demo::take")], ..plain };
        let panic = |functions: &[&str]| ObservedPanic {
            tid: 1,
            thread_name: None,
            message: "gone".to_owned(),
            location: PanicLocation { file: "src/regressions/gone.rs".to_owned(), line: 9, column: 5 },
            functions: functions.iter().map(|function| (*function).to_owned()).collect(),
        };
        assert_eq!(crash.differs(&panic(&["demo::take", "demo::test"])), None);
        assert!(crash.differs(&panic(&["demo::test"])).unwrap().contains("not within demo::take"));
        assert!(crash.differs(&panic(&[])).unwrap().contains("at another place"));
        let of_any = Crash { functions: Vec::new(), ..crash };
        assert!(of_any.differs(&panic(&["demo::test"])).unwrap().contains("at another place"));
    }

    #[test]
    fn a_panic_that_the_test_outlives_is_not_what_it_fails_by() {
        let crash = Crash::new(&panicked(), Roots::default(), LineMap::default());
        let panic = |message: &str, tid: u32| ObservedPanic {
            tid,
            thread_name: None,
            message: message.to_owned(),
            location: PanicLocation { file: "src/lib.rs".to_owned(), line: 1, column: 1 },
            functions: Vec::new(),
        };
        let seen = |panics: &[(&str, u32)], ending| Observation {
            panics: panics.iter().map(|(message, tid)| panic(message, *tid)).collect(),
            deaths: Vec::new(),
            ending,
            stdout: Vec::new(),
            stderr: Vec::new(),
            accesses: Vec::new(),
        };
        let failed = |panics: &[(&str, u32)]| crash.compare(&seen(panics, Ending::Exited(101)));
        assert_eq!(failed(&[("gone", 7)]), Sameness::Same);
        let Sameness::Different(why) = failed(&[("gone", 7), ("other", 7)]) else { panic!("the same") };
        assert!(why.starts_with("it is caught, and another panic follows: other (src/lib.rs:1)"), "{why}");
        // It comes again, is passed on, or ends a thread that another one waits for.
        assert_eq!(failed(&[("gone", 7), ("other", 7), ("gone", 7)]), Sameness::Same);
        assert_eq!(failed(&[("gone", 7), ("a worker failed: gone", 7)]), Sameness::Same);
        let unwrapped = "called `Result::unwrap()` on an `Err` value: Any { .. }";
        assert_eq!(failed(&[("gone", 7), (unwrapped, 7)]), Sameness::Same);
        assert_eq!(failed(&[("gone", 8), ("other", 7)]), Sameness::Same);
        let unwinding = seen(&[("gone", 7), ("other", 7)], Ending::Signaled("SIGABRT".to_owned()));
        assert_eq!(crash.shown_in(&unwinding), Sameness::Same);
        let death =
            ObservedDeath { kind: CauseKind::Abort, signal: "SIGABRT".to_owned(), functions: Vec::new() };
        let of_a_child =
            Observation { deaths: vec![death], ..seen(&[("gone", 7), ("other", 7)], Ending::Exited(101)) };
        assert_eq!(crash.compare(&of_a_child), Sameness::Same);
        // A guard that fails while the first one unwinds.
        let mut guard = seen(&[("gone", 7), ("other", 7)], Ending::Exited(101));
        guard.panics.iter_mut().for_each(|panic| panic.functions = vec!["demo::take".to_owned()]);
        let within = Crash { functions: vec![body("demo::take")], ..crash.clone() };
        assert_eq!(within.compare(&guard), Sameness::Same);
        guard.panics[1].functions.clear();
        assert!(matches!(within.compare(&guard), Sameness::Different(_)));
    }
}
