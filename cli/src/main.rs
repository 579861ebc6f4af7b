//! `cargo relapse`: turns a crash into a regression test. Here: from arguments to a verb to an exit status.
//! Each verb is a file; only `console` prints.

mod arguments;
mod bounds;
mod clean;
mod completions;
mod console;
mod demo;
mod doctor;
mod edits;
mod exit_code;
mod failure;
mod r#gen;
mod list;
mod man;
mod replay;
mod review;
mod rm;
mod run;
mod settings;
mod show;
mod sync;
mod workspace;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::Parser;
use clap::error::ErrorKind;

use arguments::{Arguments, Verb};
use console::Console;
use exit_code::ExitCode;
use failure::Failure;

fn main() -> std::process::ExitCode {
    let words = without_own_name(std::env::args_os().collect());
    let mut console = Console::new();
    let code = match Arguments::try_parse_from(words) {
        Ok(arguments) => {
            console.use_json(arguments.verb.json());
            run(&arguments.verb, &mut console)
        }
        Err(error) => usage(&error, &mut console),
    };
    console.finish(code).end()
}

/// `cargo relapse X` starts `cargo-relapse relapse X`: the second word is ours.
fn without_own_name(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.get(1).is_some_and(|word| word == "relapse") {
        words.remove(1);
    }
    words
}

/// Help and version are results; anything else that clap has to say is wrong usage.
fn usage(error: &clap::Error, console: &mut Console) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            console.styled_result(&error.render());
            ExitCode::Done
        }
        _ => {
            console.styled_problem(&error.render());
            ExitCode::Usage
        }
    }
}

fn run(verb: &Verb, console: &mut Console) -> ExitCode {
    // A defect of ours must not look like the verdict of a command.
    let result = catch_unwind(AssertUnwindSafe(|| dispatch(verb, console)))
        .unwrap_or_else(|_| Err(Failure::internal("relapse itself panicked (the message stands above)")));
    result.unwrap_or_else(|failure| {
        console.failure(&failure);
        failure.code()
    })
}

fn dispatch(verb: &Verb, console: &mut Console) -> Result<ExitCode, Failure> {
    match verb {
        Verb::Demo(args) => demo::demo(args, console),
        Verb::Run(args) => run::run(args, console),
        Verb::Runner(args) => run::runner::runner(args, console),
        Verb::Gen(args) => r#gen::generate_tests(args, console),
        Verb::Sync(args) => sync::sync(args, console),
        Verb::Replay(args) => replay::replay(args, console),
        // The store.
        Verb::List(args) => list::list(args, console),
        Verb::Show(args) => show::show(args, console),
        Verb::Rm(args) => rm::rm(args, console),
        Verb::Clean(args) => clean::clean(args, console),
        // The regressions.
        Verb::Review(args) => review::review(args, console),
        // The machine.
        Verb::Doctor(args) => doctor::doctor(args, console),
        // What comes with a program.
        Verb::Completions(args) => completions::completions(args, console),
        Verb::Man(args) => man::man(args, console),
    }
}
