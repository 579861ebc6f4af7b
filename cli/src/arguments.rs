//! The command line: every verb, its options and the help that a person can learn from.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

mod duration;

const ABOUT: &str = "Turn a crash into a regression test";

const LONG_ABOUT: &str = "\
Turn a crash into a regression test.

relapse watches a Rust program, keeps a snapshot of each panic or fatal signal with the argument values of \
every frame, and writes a small test that fails with exactly that crash until the bug is fixed. No source \
is changed to capture, and no nightly toolchain is needed.";

const AFTER_HELP: &str = "\
The usual way:
  cargo relapse demo                            see it all on a small bundled program
  cargo relapse run -- cargo run -- input.txt   run your program; a crash becomes a snapshot
  cargo relapse show latest                     look at it: message, frames, argument values
  cargo relapse gen latest                      write the test, proved to fail with that crash

ID is any unique beginning of a snapshot's id, or `latest`.
With --json stdout holds one JSON object a line and nothing else (`run` shares it with the command).

Exit status:
  0   done, nothing new
  1   a crash is new, open or changed, or not every snapshot is verified
  2   a regression is invalid or timed out
  64  wrong usage
  65  an input is missing or damaged
  69  something needed is missing (`cargo relapse doctor` says what)
  70  a defect of relapse itself
  73  output cannot be written";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "cargo-relapse",
    bin_name = "cargo relapse",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = AFTER_HELP,
    max_term_width = 100
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs that exist.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Demo(Demo),
    Run(Run),
    #[command(name = "__runner", hide = true)]
    Runner(Runner),
    Gen(Gen),
    Sync(Sync),
    Replay(Replay),
    List(List),
    Show(Show),
    Rm(Rm),
    Review(Review),
    Clean(Clean),
    Doctor(Doctor),
    Completions(Completions),
    Man(Man),
}

impl Verb {
    /// Whether stdout is for JSON.
    pub(crate) fn json(&self) -> bool {
        match self {
            Verb::Demo(args) => args.json,
            Verb::Run(args) => args.json,
            Verb::Runner(_) => false,
            Verb::Gen(args) => args.json,
            Verb::Sync(args) => args.json,
            Verb::Replay(args) => args.json,
            Verb::List(args) => args.json,
            Verb::Show(args) => args.json,
            Verb::Rm(args) => args.json,
            Verb::Review(args) => args.json,
            Verb::Clean(args) => args.json,
            Verb::Doctor(args) => args.json,
            Verb::Completions(_) | Verb::Man(_) => false,
        }
    }
}

/// List the snapshots of crashes, oldest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse list
  cargo relapse list --json | jq -r 'select(.cause.kind == \"panic\") | .id'")]
pub(crate) struct List {
    /// Print one JSON object a snapshot
    #[arg(long)]
    pub(crate) json: bool,
}

/// Show a crash: message, frames with their source lines, argument values and how far to trust them
#[derive(Debug, Args)]
#[command(after_help = "\
Trust, shown behind an argument's type where it is not simply as it stood at the crash:
  entry          as the function received it
  suspect        may have been moved out of or reassigned by then
  truncated      cut off by a limit on depth, elements or bytes
  redacted       looked like a secret; replaced by a value of the same shape
  optimized-out  the compiler kept it nowhere
  unreadable     memory or a layout that cannot be read

Examples:
  cargo relapse show latest
  cargo relapse show 7c1e --all-frames")]
pub(crate) struct Show {
    /// The snapshot: a unique beginning of its id, or `latest`
    #[arg(default_value = "latest")]
    pub(crate) id: String,
    /// Show std's frames too
    #[arg(long)]
    pub(crate) all_frames: bool,
    /// Print the whole snapshot as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Remove snapshots, or a regression test with every edit made for it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse rm 7c1e
  cargo relapse rm latest
  cargo relapse rm --regression fill_char_boundary")]
pub(crate) struct Rm {
    /// The snapshots: unique beginnings of their ids, or `latest`
    #[arg(required_unless_present = "regressions", value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// Take a regression and every edit made for it back: its name, or its file (may be repeated)
    #[arg(long = "regression", value_name = "NAME", conflicts_with = "ids")]
    pub(crate) regressions: Vec<String>,
    /// Print one JSON object for each thing that was removed
    #[arg(long)]
    pub(crate) json: bool,
}

/// Remove scratch builds and what killed processes left behind; snapshots and tests stay
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse clean")]
pub(crate) struct Clean {
    /// Print one JSON object for each thing that was removed, or is in use
    #[arg(long)]
    pub(crate) json: bool,
}

/// Check the machine and the project, and say what to do where something is missing
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with status 0 where relapse can work, with 69 where something needed is missing.

Examples:
  cargo relapse doctor
  cargo relapse doctor --json | jq -r 'select(.status != \"ok\") | .advice'")]
pub(crate) struct Doctor {
    /// Print one JSON object a check
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run a command and keep a snapshot of each crash
///
/// The command's input, output, signals and exit status pass through unchanged. Programs that cargo builds and
/// starts are reached through cargo's runner; a runner that the project has itself is kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse run -- cargo run -- input.txt
  cargo relapse run -- cargo test
  cargo relapse run -- cargo nextest run
  cargo relapse run --timeout 30s -- cargo test    a test that hangs is a crash, too
  cargo relapse run -- ./target/debug/server --port 8080")]
pub(crate) struct Run {
    /// Let `gen` run this program once more where that tells what its functions were given (commands of cargo
    /// and nextest need no leave)
    #[arg(long)]
    pub(crate) rerun: bool,
    /// End a program that runs longer than this, and keep a snapshot of where its threads stood: `30s`, `500ms`,
    /// `2m`, a bare number of seconds. Builds and the shells around a program have no limit
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
    /// Print one JSON object a snapshot on stdout, among what the command itself prints
    #[arg(long)]
    pub(crate) json: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub(crate) command: Vec<OsString>,
}

/// What cargo starts in place of each program while `run` is at work
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Runner {
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,
}

/// What a function may do while it is tried
#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Let the crashed functions write to PATH and below while they are tried: they run in a sandbox where everything
    /// can be read and nothing be changed
    #[arg(long, value_name = "PATH")]
    pub(crate) allow_write: Vec<PathBuf>,
    /// Let the crashed functions use the network while they are tried
    #[arg(long)]
    pub(crate) allow_net: bool,
}

/// Write a regression test for a crash, and prove that it fails with that crash
///
/// Candidates for the functions on the stack are built in a scratch copy and run; the one that reproduces the
/// crash three times out of three is put in place, shown as a diff.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse gen                 the latest crash, or the one that it passes on
  cargo relapse gen 7c1e --frame 1  a test of the caller instead
  cargo relapse gen --all --open    every crash, as known open bugs: green until they are fixed")]
pub(crate) struct Gen {
    /// The snapshots: unique beginnings of their ids, or `latest`
    #[arg(value_name = "ID", conflicts_with_all = ["latest", "all"])]
    pub(crate) ids: Vec<String>,
    /// The latest snapshot, even where it only passes another crash on
    #[arg(long, conflicts_with = "all")]
    pub(crate) latest: bool,
    /// Every snapshot
    #[arg(long)]
    pub(crate) all: bool,
    /// Keep the captured values whole (as they are now in any case)
    #[arg(long)]
    pub(crate) no_shrink: bool,
    /// Run the crashed command once more where that tells what its functions were given, also one that cargo
    /// does not start
    #[arg(long, conflicts_with = "no_rerun")]
    pub(crate) rerun: bool,
    /// Never run the crashed command again (commands of cargo and nextest are, where it helps)
    #[arg(long)]
    pub(crate) no_rerun: bool,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
    /// Mark the bug as known and open: `#[should_panic]`, red as soon as it is fixed
    #[arg(long)]
    pub(crate) open: bool,
    /// Take the function that is N workspace frames out from the innermost one (0)
    #[arg(long, value_name = "N")]
    pub(crate) frame: Option<usize>,
    /// Write a test for every function that reproduces: for measuring the choice of the target
    #[arg(long, hide = true)]
    pub(crate) every_frame: bool,
    /// Print one JSON object a snapshot
    #[arg(long)]
    pub(crate) json: bool,
}

/// Re-wire the regression files that stand in the workspace, after a merge or a move
///
/// Module declarations and dev-dependencies are written anew from the files; no test is changed, and a second
/// call changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse sync            after `git merge`, or after a module was moved")]
pub(crate) struct Sync {
    /// Print one JSON object a file that was changed
    #[arg(long)]
    pub(crate) json: bool,
}

/// Run all regressions and tell the fixed from the open
#[derive(Debug, Args)]
#[command(after_help = "\
Verdicts: fixed (no panic), open (same crash), known (the same, marked open), changed (another
crash), outcome-changed, invalid (no longer builds), timeout.

Examples:
  cargo relapse replay
  cargo relapse replay --junit target/relapse.xml")]
pub(crate) struct Replay {
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Print one JSON object a regression
    #[arg(long)]
    pub(crate) json: bool,
}

/// Look at what fixed regressions return now, and accept it with one key
///
/// An accepted outcome becomes an insta assertion with its `.snap`; `cargo insta` works on it from then on.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse review                       one key for each outcome
  cargo relapse review fill_char_boundary
  cargo relapse review --accept              all of them, unseen")]
pub(crate) struct Review {
    /// The regressions to look at; all where none is named
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Accept every outcome without asking
    #[arg(long)]
    pub(crate) accept: bool,
    #[command(flatten)]
    pub(crate) sandbox: Sandbox,
    /// Print one JSON object an outcome; accepts nothing unless --accept is given
    #[arg(long)]
    pub(crate) json: bool,
}

/// See the whole story on a small bundled program, in a temporary folder
///
/// Crash, snapshot, test, failing run, fix, passing run, accepted outcome: each command is really run, and what
/// it gives is checked, in less than a minute. The last step needs the crate insta; where it is not to be had, that step is skipped.
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with status 0 where every step gave what it should, with 69 where something needed is missing.

Examples:
  cargo relapse demo
  cargo relapse demo --keep     keep the folder, to look around in it")]
pub(crate) struct Demo {
    /// Keep the folder
    #[arg(long)]
    pub(crate) keep: bool,
    /// Print one JSON object with the result of each step
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print a script by which a shell completes verbs and options
///
/// It serves `cargo-relapse`; in bash, zsh and fish `cargo relapse` as well, beside whatever completes cargo.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse completions bash > ~/.bash_completion.d/cargo-relapse     sourced from ~/.bashrc
  cargo relapse completions zsh > ~/.zfunc/_cargo-relapse
  cargo relapse completions fish > ~/.config/fish/conf.d/cargo-relapse.fish")]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print a page of the manual, or write all of them to a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo relapse man | man -l -
  cargo relapse man gen | man -l -
  cargo relapse man --out ~/.local/share/man/man1     then: man cargo-relapse-gen")]
pub(crate) struct Man {
    /// The verb whose page is printed; the program's own where none is named
    #[arg(value_name = "VERB", conflicts_with = "out")]
    pub(crate) verb: Option<String>,
    /// Write the page of the program and one for each verb to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::*;

    #[test]
    fn every_definition_is_sound() {
        Arguments::command().debug_assert();
        for define in [
            Run::augment_args,
            Runner::augment_args,
            Gen::augment_args,
            Sync::augment_args,
            Replay::augment_args,
            Review::augment_args,
            Demo::augment_args,
        ] {
            define(Command::new("verb")).debug_assert();
        }
    }

    #[test]
    fn every_verb_has_examples_and_no_line_that_a_terminal_wraps() {
        for verb in Arguments::command().get_subcommands().filter(|verb| !verb.is_hide_set()) {
            let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("Examples:"), "{}", verb.get_name());
            let width = after.lines().map(|line| line.chars().count()).max();
            assert!(width <= Some(100), "{}: {width:?}", verb.get_name());
        }
    }

    #[test]
    fn run_takes_the_rest_of_the_line_as_the_command() {
        let command = |words: &[&str]| -> Vec<String> {
            let words = ["run"].iter().chain(words);
            let matches = Run::augment_args(Command::new("run")).try_get_matches_from(words).unwrap();
            let words = matches.get_many::<OsString>("command").unwrap();
            words.map(|word| word.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(command(&["--", "cargo", "test", "--", "--json"]), ["cargo", "test", "--", "--json"]);
        assert_eq!(command(&["--json", "cargo", "run", "--release"]), ["cargo", "run", "--release"]);
        assert_eq!(command(&["--", "-x"]), ["-x"]);
    }
}
