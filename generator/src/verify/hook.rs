//! Observes a test by what it prints: the default panic hook's lines and libtest's status. For machines where
//! ptrace is not permitted. A program with a panic hook of its own shows no panics here.

use std::os::unix::process::ExitStatusExt;

use relapse_capture::sandbox::Permissions;
use relapse_capture::signal;

use super::process::{self, Ended};
use super::{Ending, Observation, ObserveError, ObservedPanic, Observer, PanicLocation, TestRun};

/// More functions than this are a recursion.
const MAX_FUNCTIONS: usize = 512;

/// Reads what the default hook prints.
#[derive(Debug, Clone, Default)]
pub struct HookReader {
    /// What a test may do; `None`: it is not confined.
    pub sandbox: Option<Permissions>,
}

impl Observer for HookReader {
    fn observe(&self, run: &TestRun) -> Result<Observation, ObserveError> {
        let mut run = run.clone();
        // The stack tells where a message ends, and who called std. Errors that note their own backtrace would
        // print it within the message: not those.
        run.set("RUST_BACKTRACE", "1");
        run.set("RUST_LIB_BACKTRACE", "0");
        let sandbox = super::sandbox(self.sandbox.as_ref(), &mut run.environment)?;
        let TestRun { executable, folder, environment, limits, .. } = &run;
        let finished =
            process::run(executable, &run.arguments(), folder, environment, limits, sandbox.as_ref())?;
        let ending = match finished.ended {
            Ended::TimedOut => Ending::TimedOut,
            Ended::ByItself(status) => match status.signal() {
                Some(number) => Ending::Signaled(signal::name(number)),
                None => Ending::Exited(status.code().unwrap_or(-1)),
            },
        };
        let panics = read_panics(&String::from_utf8_lossy(&finished.stderr), run.limits.panics);
        Ok(Observation {
            panics,
            deaths: Vec::new(),
            ending,
            stdout: finished.stdout,
            stderr: finished.stderr,
            accesses: Vec::new(),
        })
    }

    fn keeps_apart(&self) -> bool {
        super::keeps_apart(self.sandbox.as_ref())
    }
}

/// The panics in the default hook's output, as rustc 1.73 and newer print it:
/// `thread 'NAME' (TID) panicked at FILE:LINE:COLUMN:`, the message, `stack backtrace:`, the frames, notes.
pub(crate) fn read_panics(text: &str, limit: usize) -> Vec<ObservedPanic> {
    let mut panics: Vec<ObservedPanic> = Vec::new();
    let mut part = Part::Outside;
    for line in text.lines() {
        if let Some((thread_name, location)) = head(line) {
            if panics.len() == limit {
                break;
            }
            panics.push(ObservedPanic {
                message: String::new(),
                location,
                tid: 0,
                thread_name,
                functions: Vec::new(),
            });
            part = Part::Message { first: true };
            continue;
        }
        let Some(panic) = panics.last_mut() else { continue };
        part = match part {
            Part::Message { .. } if line == "stack backtrace:" => Part::Frames,
            Part::Message { .. } if line.starts_with("note: run with `RUST_BACKTRACE=") => Part::Outside,
            Part::Message { first } => {
                if !first {
                    panic.message.push('\n');
                }
                panic.message.push_str(line);
                Part::Message { first: false }
            }
            Part::Frames => match frame(line) {
                Some(function) => {
                    if panic.functions.len() < MAX_FUNCTIONS {
                        panic.functions.push(function.to_owned());
                    }
                    Part::Frames
                }
                None if line.trim_start().starts_with("at ") => Part::Frames,
                None => Part::Outside,
            },
            Part::Outside => Part::Outside,
        };
    }
    panics
}

#[derive(Clone, Copy)]
enum Part {
    Outside,
    Message { first: bool },
    Frames,
}

/// The thread and the place in a panic's first line.
fn head(line: &str) -> Option<(Option<String>, PanicLocation)> {
    // A test's own output without a line end may stand before it.
    let (_, rest) = line.split_once("thread '")?;
    let (thread, place) = rest.split_once(" panicked at ")?;
    let mut parts = place.strip_suffix(':')?.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    let file = parts.next()?.to_owned();
    let name = thread.rsplit_once('\'').map(|(name, _)| name.to_owned()).filter(|name| name != "<unnamed>");
    Some((name, PanicLocation { file, line, column }))
}

/// The function in a line such as `   4: demo::price`.
fn frame(line: &str) -> Option<&str> {
    let (number, function) = line.trim_start().split_once(": ")?;
    number.parse::<u32>().ok()?;
    Some(function.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_several_lines_ends_at_the_stack() {
        let text = "warming up\nthread 'regressions::a::a' (4711) panicked at src/../src/lib.rs:12:5:\n\
            assertion `left == right` failed\n  left: 1\n right: 2\nstack backtrace:\n   0: __rustc::rust_begin_unwind\n\
            \x20            at /rustc/abc/library/std/src/panicking.rs:689:5\n   1: demo::price\n\
            note: Some details are omitted\n   7: not a frame any more\n";
        let panics = read_panics(text, 64);
        assert_eq!(panics.len(), 1);
        assert_eq!(panics[0].message, "assertion `left == right` failed\n  left: 1\n right: 2");
        let location = &panics[0].location;
        assert_eq!((location.file.as_str(), location.line, location.column), ("src/../src/lib.rs", 12, 5));
        assert_eq!(panics[0].thread_name.as_deref(), Some("regressions::a::a"));
        assert_eq!(panics[0].functions, ["__rustc::rust_begin_unwind", "demo::price"]);
    }

    #[test]
    fn panics_of_several_threads_are_kept_apart() {
        let text = "thread 'a' panicked at src/a.rs:1:2:\none\nnote: run with `RUST_BACKTRACE=1` environment\n\
            half a linethread '<unnamed>' panicked at src/b.rs:3:4:\n\ntwo\nstack backtrace:\n";
        let panics = read_panics(text, 64);
        let messages: Vec<&str> = panics.iter().map(|panic| panic.message.as_str()).collect();
        assert_eq!(messages, ["one", "\ntwo"]);
    }

    #[test]
    fn hostile_output_is_read_without_harm() {
        for text in
            ["thread '", "thread 'x' panicked at :", "thread 'x' panicked at a:1:99999999999:", "\0\n\n"]
        {
            assert_eq!(read_panics(text, 64), []);
        }
        assert_eq!(read_panics(&"thread 'x' panicked at a:1:1:\n".repeat(5000), 64).len(), 64);
    }
}
