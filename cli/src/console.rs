//! The only place that prints. Results go to stdout; progress, problems and the tally to stderr. With `--json`
//! stdout holds one JSON object a line and nothing else. Colour follows `NO_COLOR` and the terminal.

mod key;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::builder::StyledStr;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use relapse_snapshot::display::terminal_safe;
use serde::Serialize;

use crate::exit_code::ExitCode;
use crate::failure::Failure;

pub(crate) use key::Key;

/// Columns where stdout is no terminal.
const COLUMNS: usize = 100;

/// How a piece of text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// What a line is about.
    Bold,
    /// What matters less.
    Dim,
    /// A crash, a failure.
    Red,
    /// A warning, a doubtful value.
    Yellow,
    /// Something that is well.
    Green,
    /// A place in the source.
    Cyan,
}

/// The terminal, or what stands in for it.
pub(crate) struct Console {
    json: bool,
    colour_out: bool,
    colour_err: bool,
    columns: usize,
    write_error: Option<io::Error>,
}

impl Console {
    pub(crate) fn new() -> Console {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Console {
            json: false,
            colour_out: wanted && io::stdout().is_terminal(),
            colour_err: wanted && io::stderr().is_terminal(),
            columns: terminal_columns().unwrap_or(COLUMNS),
            write_error: None,
        }
    }

    /// Keeps stdout for JSON.
    pub(crate) fn use_json(&mut self, json: bool) {
        self.json = json;
    }

    /// Whether results are wanted as JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// The columns of the terminal.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// A text as it is to look on stdout.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        painted(self.colour_out, style, text)
    }

    /// A text as it is to look on stderr.
    pub(crate) fn paint_err(&self, style: Style, text: &str) -> String {
        painted(self.colour_err, style, text)
    }

    /// A result for people: on stdout, unless that is kept for JSON.
    pub(crate) fn result(&mut self, text: impl Display) {
        if self.json { err(&text) } else { self.out(&text) }
    }

    /// A result for programs: one line on stdout. Only with `--json`.
    pub(crate) fn object(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string(object)
            .map_err(|error| Failure::internal("failed to write a result as JSON").because(&error))?;
        self.json_line(json.as_bytes());
        Ok(())
    }

    /// A result for programs that is JSON already.
    pub(crate) fn json_line(&mut self, json: &[u8]) {
        if self.json {
            let mut out = io::stdout().lock();
            let written = out.write_all(json).and_then(|()| out.write_all(b"\n"));
            self.note_error(written);
        }
    }

    /// Progress, a tally: a line on stderr.
    #[expect(clippy::unused_self, reason = "whoever prints holds the console")]
    pub(crate) fn say(&mut self, text: impl Display) {
        err(&text);
    }

    /// Something that is wrong but stops nothing.
    pub(crate) fn warn(&mut self, text: impl Display) {
        let label = painted(self.colour_err, Style::Yellow, "warning:");
        err(&format_args!("{label} {}", terminal_safe(&text.to_string())));
    }

    /// Why the program stops.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        let label = painted(self.colour_err, Style::Red, "error:");
        err(&format_args!("{label} {}", terminal_safe(&failure.message)));
        for cause in &failure.causes {
            err(&format_args!("  because: {}", terminal_safe(cause)));
        }
        if let Some(advice) = &failure.advice {
            let label = painted(self.colour_err, Style::Bold, "next:");
            err(&format_args!("  {label} {}", terminal_safe(advice)));
        }
    }

    /// Help and version, as clap styles them.
    pub(crate) fn styled_result(&mut self, text: &StyledStr) {
        let text = if self.colour_out { text.ansi().to_string() } else { text.to_string() };
        self.out(&text.trim_end());
    }

    /// What clap finds wrong.
    pub(crate) fn styled_problem(&mut self, text: &StyledStr) {
        let text = if self.colour_err { text.ansi().to_string() } else { text.to_string() };
        err(&text.trim_end());
    }

    /// A sign of life for what takes longer than a moment: on a terminal a spinner that goes away when it is
    /// dropped, elsewhere nothing.
    pub(crate) fn progress(&self, what: &str) -> Progress {
        let target =
            if self.colour_err { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target)
            .with_style(ProgressStyle::default_spinner())
            .with_message(terminal_safe(what));
        bar.enable_steady_tick(Duration::from_millis(120));
        Progress { bar }
    }

    /// Asks on stderr and waits for a key.
    pub(crate) fn key(&mut self, question: &str) -> Result<Key, Failure> {
        self.say(painted(self.colour_err, Style::Bold, question));
        key::read_key().map_err(|error| Failure::bad_input("failed to read a key").because(&error))
    }

    /// The code to end with: results that could not be written count.
    pub(crate) fn finish(mut self, code: ExitCode) -> ExitCode {
        let flushed = io::stdout().flush();
        self.note_error(flushed);
        let Some(error) = self.write_error.take() else { return code };
        self.failure(&Failure::cannot_write("failed to write to stdout").because(&error));
        // What a command found outweighs that it could not be written.
        if code == ExitCode::Done { ExitCode::CannotWrite } else { code }
    }

    fn out(&mut self, text: &dyn Display) {
        let written = writeln!(io::stdout().lock(), "{text}");
        self.note_error(written);
    }

    fn note_error(&mut self, written: io::Result<()>) {
        if let Err(error) = written {
            // Who closes the pipe (`| head`) has seen enough.
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.write_error.get_or_insert(error);
            }
        }
    }
}

/// A sign of life; see [`Console::progress`].
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Says what is being done now.
    pub(crate) fn now(&self, what: &str) {
        self.bar.set_message(terminal_safe(what));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn err(text: &dyn Display) {
    // There is nowhere left to say that stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn painted(colour: bool, style: Style, text: &str) -> String {
    if !colour || text.is_empty() {
        return text.to_owned();
    }
    let code = match style {
        Style::Bold => "1",
        Style::Dim => "2",
        Style::Red => "1;31",
        Style::Yellow => "33",
        Style::Green => "32",
        Style::Cyan => "36",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

fn terminal_columns() -> Option<usize> {
    // SAFETY: the ioctl fills the structure that is given, and fails where stdout is no terminal.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        (libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &raw mut size) == 0).then_some(size)?
    };
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}
