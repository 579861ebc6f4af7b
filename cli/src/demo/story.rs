//! The demo's steps as they go: a heading, the commands with their output, and what was found in it. Keeps the
//! account that `--json` prints. Knows nothing of what the steps are.

use std::time::Instant;

use relapse_snapshot::display::terminal_safe;
use serde::Serialize;

use super::abridged::abridged;
use super::shell::{Ran, Shell};
use crate::console::{Console, Style};
use crate::edits::show_diff;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Lines of a failed command's output that are shown as its reason.
const REASON_LINES: usize = 30;

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// It gave what it should.
    Done,
    /// It could not be had here.
    Skipped,
    /// It did not give what it should.
    Failed,
}

/// The account of one step.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    #[serde(rename = "step")]
    name: &'static str,
    pub(super) status: Status,
    commands: Vec<String>,
    /// What was verified, or why it was not.
    pub(super) found: String,
    seconds: f64,
}

/// The demo as far as it has gone.
pub(super) struct Story<'a> {
    pub(super) console: &'a mut Console,
    shell: Shell,
    pub(super) steps: Vec<Step>,
}

impl<'a> Story<'a> {
    pub(super) fn new(console: &'a mut Console, shell: Shell) -> Story<'a> {
        Story { console, shell, steps: Vec::new() }
    }

    /// One step: the work says what was verified.
    pub(super) fn step<T>(
        &mut self,
        name: &'static str,
        title: &str,
        work: impl FnOnce(&mut Story<'a>) -> Result<(T, Verified), Failure>,
    ) -> Result<T, Failure> {
        let heading = format!("{}. {title}", self.steps.len() + 1);
        self.console.result(format_args!("\n{}", self.console.paint(Style::Bold, &heading)));
        let failed = Status::Failed;
        self.steps.push(Step {
            name,
            status: failed,
            commands: Vec::new(),
            found: String::new(),
            seconds: 0.0,
        });
        let started = Instant::now();
        let result = work(self);
        let (status, found) = match &result {
            Ok((_, Verified::Yes(found))) => (Status::Done, found.clone()),
            Ok((_, Verified::Skipped(why))) => (Status::Skipped, why.clone()),
            Err(failure) => (Status::Failed, failure.message.clone()),
        };
        let (style, label) = match status {
            Status::Done => (Style::Green, "verified:"),
            Status::Skipped => (Style::Yellow, "skipped:"),
            Status::Failed => (Style::Red, "failed:"),
        };
        let label = self.console.paint(style, label);
        self.console.result(format_args!("{label} {}", terminal_safe(&found)));
        if let Some(step) = self.steps.last_mut() {
            step.status = status;
            step.found = found;
            step.seconds = rounded(started);
        }
        result.map(|(value, _)| value).map_err(|mut failure| {
            failure.message = format!("the demo failed at its step `{name}`: {}", failure.message);
            failure
        })
    }

    /// Runs a command and shows it with its output, shortened to so many lines.
    pub(super) fn run(&mut self, line: &str, most: usize) -> Result<Ran, Failure> {
        self.console.result(self.console.paint(Style::Cyan, &format!("$ {line}")));
        if let Some(step) = self.steps.last_mut() {
            step.commands.push(line.to_owned());
        }
        let progress = self.console.progress(line);
        let ran = self.shell.run(line);
        drop(progress);
        let ran = ran?;
        let lines = abridged(&ran.output, most);
        if !lines.is_empty() {
            show_diff(&lines.join("\n"), self.console);
        }
        Ok(ran)
    }
}

/// What a step verified.
pub(super) enum Verified {
    /// In words.
    Yes(String),
    /// Not to be had here, and why.
    Skipped(String),
}

impl Ran {
    /// The command must have ended so.
    pub(super) fn expect_status(&self, status: i32) -> Result<(), Failure> {
        if self.status == Some(status) {
            return Ok(());
        }
        let ended = self.status.map_or_else(|| "a signal".to_owned(), |status| format!("status {status}"));
        Err(self.unexpected(&format!("`{}` ended with {ended}, not with status {status}", self.command)))
    }

    /// Something must hold of what the command gave.
    pub(super) fn expect(&self, holds: bool, what: &str) -> Result<(), Failure> {
        if holds { Ok(()) } else { Err(self.unexpected(what)) }
    }

    fn unexpected(&self, what: &str) -> Failure {
        // What relapse misses, it says itself; all else that is not as it should be is a defect.
        let missing = self.status == Some(i32::from(ExitCode::Missing.number()));
        let mut failure = if missing {
            Failure::missing(what).advise("run `cargo relapse doctor`: it says what is missing here")
        } else {
            Failure::internal(what)
        };
        let lines: Vec<&str> = self.output.lines().collect();
        failure
            .causes
            .extend(lines[lines.len().saturating_sub(REASON_LINES)..].iter().map(ToString::to_string));
        failure
    }
}

/// Seconds since then, to a tenth.
pub(super) fn rounded(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 10.0).round() / 10.0
}
