//! `cargo relapse run`: a user's command from start to end, its crashes kept in the store. In: the command's
//! words; out: what was kept, and how the command ended. Programs that cargo builds are reached through its runner
//! setting ([`crate::cargo_runner`]), anything else is traced directly, its children with it.

mod command;
mod input;
mod log;
mod passage;
mod recording;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use object::read::ReadCache;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection};
use relapse_snapshot::crash::Build;
use relapse_snapshot::store::{KeptInput, Store};
use relapse_snapshot::{Frame, Program};

pub use log::{Entry, KeptCrash};

use crate::cargo_runner::{
    CargoCommand, RunnerSettings, SETTINGS_VARIABLE, is_optimised, lists_tests, runner_environment,
    without_blanks,
};
use crate::entries::{WatchedStack, end_with_parent};
use crate::limits::Limits;
use crate::roots::Roots;
use crate::temporary;
use crate::tracer::{
    Command, Depth, Ending, Expectation, Recorder, Settings, Setup, TraceError, is_traced, trace_with,
    trace_within,
};
use input::{Relay, Spool};
pub(crate) use log::Log;
use passage::Passage;
use recording::Recording;

/// The name of each program that rustdoc makes of a documentation test.
const DOCTEST: &str = "rust_out";

/// What a run needs.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The command, as the user gave it.
    pub words: Vec<OsString>,
    /// The working folder.
    pub folder: PathBuf,
    /// Whose code lies where.
    pub roots: Roots,
    /// Where crashes are kept.
    pub store: Store,
    /// How far values and stacks are read.
    pub limits: Limits,
    /// Whether cargo's builds get the debug info that their profile lacks.
    pub debug_info: bool,
    /// Our own program, which cargo starts as its runner.
    pub program: PathBuf,
    /// Whether the user allows a second run of a program that cargo does not start.
    pub rerun: bool,
    /// How long a program may run, from its start.
    pub timeout: Option<Duration>,
    /// For a second run: the functions whose arguments are read at entry.
    pub watch: Option<WatchedStack>,
    /// Further variables for cargo alone: the programs that it starts do not see them.
    pub cargo_variables: Vec<(String, OsString)>,
}

/// What a run has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// The name of the run: the store knows its snapshots by it.
    pub run: String,
    /// The crashes that were kept, in order, each with the number of times that it happened.
    pub kept: Vec<KeptCrash>,
    /// What the user should know.
    pub notes: Vec<String>,
    /// How the command ended.
    pub ending: Ending,
}

/// What can go wrong with a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The command could not be started or traced.
    #[error(transparent)]
    Trace(#[from] TraceError),
    /// Something of our own could not be set up.
    #[error("failed to {action}")]
    Setup {
        /// What was tried.
        action: &'static str,
        /// The system's reason.
        source: io::Error,
    },
}

/// Decides whether a test is meant to panic, by the frame of its function.
pub type Expects<'a> = dyn FnMut(&Frame) -> Expectation + 'a;

/// Runs a user's command. To be called on the main thread, before any other is started: signals that are sent
/// to us are passed on to the command.
///
/// Under another tracer nothing can be traced: then the command takes our place, and this does not return.
pub fn run(options: &RunOptions, expects: &mut Expects<'_>) -> Result<RunReport, RunError> {
    let command = Command { folder: Some(options.folder.clone()), ..Command::new(&options.words) };
    if is_traced() {
        return Err(become_command(&command).into());
    }
    let setup = |action| move |source| RunError::Setup { action, source };
    // What an earlier run left that was killed. What cannot be removed is `clean`'s to tell.
    temporary::sweep();
    let scratch = temporary::Folder::create("run").map_err(setup("create a folder for temporary files"))?;
    let log = Log::create(&scratch.path().join("kept")).map_err(setup("create a temporary file"))?;
    let (input, start) = (command::input(), Instant::now());
    let spool = scratch.path().join("input");
    let piped = matches!(input, KeptInput::Pipe);
    if piped {
        Spool(&spool).create().map_err(setup("create a temporary file"))?;
    }
    let setting = piped.then(|| spool.clone());
    let Prepared { command, settings, cargo, mut notes } =
        prepare(command, options, setting, scratch.path(), &log)?;
    let ending = if cargo.is_some() {
        passage::pass_through(&command)?
    } else {
        let recording = Recording::new(options.store.clone(), settings.run.clone(), &log, expects);
        trace_command(&command, &settings, None, recording)?
    };
    let (mut kept, more) = log.read();
    if cargo.is_some() && ending == Ending::Exited(0) {
        withdraw_doctests(&mut kept, &options.store);
    }
    notes.extend(more);
    notes.dedup();
    if !kept.is_empty() {
        command::keep(options, &settings.run, input, &Spool(&spool), start.elapsed());
    }
    Ok(RunReport { run: settings.run, kept, notes, ending })
}

/// Every test of a cargo that ends well has passed: a documentation test that ended by a panic was meant to.
fn withdraw_doctests(kept: &mut Vec<KeptCrash>, store: &Store) {
    // What cannot be removed stays, and is told of.
    kept.retain(|crash| !crash.ended_doctest || store.remove(&crash.id).is_err());
}

/// Whether the runner was given a documentation test: `/tmp/rustdoctestX/rust_out`.
fn is_doctest(arguments: &[OsString]) -> bool {
    let folder = |program: &Path| {
        let folder = program.parent().and_then(Path::file_name);
        program.ends_with(DOCTEST)
            && folder.is_some_and(|folder| folder.as_encoded_bytes().starts_with(b"rustdoctest"))
    };
    arguments.get(1).is_some_and(|program| folder(Path::new(program)))
}

/// A command that is ready to be started.
pub(crate) struct Prepared {
    pub(crate) command: Command,
    pub(crate) settings: RunnerSettings,
    pub(crate) cargo: Option<CargoCommand>,
    pub(crate) notes: Vec<String>,
}

/// Sets a command up so that the programs that cargo starts for it come to our runner. `spool`: where they put what
/// they read of a pipe.
pub(crate) fn prepare(
    mut command: Command,
    options: &RunOptions,
    spool: Option<PathBuf>,
    scratch: &Path,
    log: &Log,
) -> Result<Prepared, RunError> {
    let setup = |action| move |source| RunError::Setup { action, source };
    let cargo = CargoCommand::parse(&options.words);
    let mut notes = Vec::new();
    let mut settings = RunnerSettings {
        store: options.store.folder().to_owned(),
        roots: options.roots.clone(),
        run: relapse_snapshot::store::new_name(),
        command: options.words.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        folder: options.folder.clone(),
        limits: options.limits.clone(),
        build: cargo.as_ref().map(|cargo| build_of(cargo, options)),
        log: log.path().to_owned(),
        input: spool,
        chained: Vec::new(),
        restore: Vec::new(),
        watch: None,
        timeout: options.timeout,
    };
    // A program of the user's own sees its environment unchanged; scripts, make and the like may start cargo.
    if cargo.is_some() || !is_debug_program(&options.words) {
        let program = without_blanks(&options.program, scratch).map_err(setup("link our own program"))?;
        let root = options.roots.workspace.as_deref();
        let found = runner_environment(cargo.as_ref(), options.debug_info, &options.folder, root, &program);
        settings.chained = found.chained;
        let own = found.variables.into_iter().map(|(name, value)| (name, value.into()));
        let variables: Vec<(String, OsString)> = own.chain(options.cargo_variables.iter().cloned()).collect();
        settings.restore = variables.iter().map(|(name, _)| (name.clone(), std::env::var_os(name))).collect();
        notes = found.notes;
        for (name, value) in variables {
            command.set(name, value);
        }
        if let Some(stack) = &options.watch {
            let path = scratch.join("watch.json");
            let write = || std::fs::write(&path, serde_json::to_vec(stack)?);
            write().map_err(setup("write the functions to be watched"))?;
            settings.watch = Some(path);
        }
        let told = settings.told(&scratch.join("settings.json"));
        command.set(SETTINGS_VARIABLE, told.map_err(setup("write the runner's settings"))?);
    }
    Ok(Prepared { command, settings, cargo, notes })
}

/// What cargo's runner does: runs a program that cargo built, under the tracer. `arguments`: what follows the
/// runner's word; `store` is the one at
/// [`RunnerSettings::store`], with the project's rules of redaction.
///
/// Also returns what `run` cannot be told of, because it could not be written. Where there is nothing to trace, the
/// program takes our place, and this does not return.
pub fn run_as_runner(
    arguments: &[OsString],
    settings: &RunnerSettings,
    store: Store,
    expects: &mut Expects<'_>,
) -> Result<(Ending, Vec<String>), RunError> {
    let command = settings.command(arguments);
    if is_traced() || lists_tests(arguments) {
        return Err(become_command(&command).into());
    }
    let log = Log::open(&settings.log);
    let watch =
        settings.watch.as_deref().and_then(|path| serde_json::from_slice(&std::fs::read(path).ok()?).ok());
    if let Some(stack) = watch {
        // Where the second run is given up, nobody is left to end this one.
        end_with_parent();
        let work = Work {
            settings,
            build: settings.build_here(),
            store,
            log: &log,
            descriptors: <[_; 3]>::default(),
        };
        let ending = trace_again(&command, work, stack, expects)?;
        return Ok((ending, log.unwritten()));
    }
    let recording = Recording::new(store, settings.run.clone(), &log, expects);
    let recording = recording.of_doctest(is_doctest(arguments));
    let ending = trace_command(&command, settings, settings.build_here(), recording)?;
    Ok((ending, log.unwritten()))
}

/// A program that cargo wants run by a runner that has lost its settings (an environment that was cleared on the
/// way) just runs. Does not return where that works.
pub fn run_plainly(arguments: &[OsString]) -> RunError {
    let words = arguments.split_first().map_or(arguments, |(_, words)| words);
    become_command(&Command::new(words)).into()
}

/// What a second run is told of.
pub(crate) struct Work<'a> {
    pub(crate) settings: &'a RunnerSettings,
    pub(crate) build: Option<Build>,
    pub(crate) store: Store,
    pub(crate) log: &'a Log,
    pub(crate) descriptors: [Option<OwnedFd>; 3],
}

/// Runs a program under the tracer for the sake of its entry values: with a limit on time, and without leaving
/// anything behind.
pub(crate) fn trace_again(
    command: &Command,
    work: Work<'_>,
    stack: WatchedStack,
    expects: &mut Expects<'_>,
) -> Result<Ending, RunError> {
    let timeout = Duration::from_secs(stack.seconds.max(1));
    let depth = Depth { other_threads: false, ..Depth::FULL };
    let mut trace_settings = Settings::new(work.settings.roots.clone(), depth);
    trace_settings.limits = work.settings.limits.clone();
    trace_settings.program =
        Program { command: work.settings.command.clone(), build: work.build, ..Program::default() };
    trace_settings.folder = Some(work.settings.folder.clone());
    trace_settings.watch = Some(stack);
    let mut recording = Recording::new(work.store, work.settings.run.clone(), work.log, expects);
    let setup = Setup { descriptors: work.descriptors, ..Setup::default() };
    let (ending, timed_out) = trace_within(command, &trace_settings, &mut recording, setup, timeout);
    if timed_out {
        recording.note(format!("the second run was ended after {} s", timeout.as_secs()));
    }
    Ok(ending?)
}

fn trace_command(
    command: &Command,
    settings: &RunnerSettings,
    build: Option<Build>,
    mut recording: Recording<'_, '_>,
) -> Result<Ending, RunError> {
    let mut trace_settings = Settings::new(settings.roots.clone(), Depth::FULL);
    trace_settings.limits = settings.limits.clone();
    trace_settings.program = Program { command: settings.command.clone(), build, ..Program::default() };
    trace_settings.folder = Some(settings.folder.clone());
    trace_settings.timeout = settings.timeout;
    let passage = Passage::begin();
    let (relay, input) = settings.input.as_deref().and_then(Relay::begin).unzip();
    let setup = Setup { mask: Some(passage.mask()), descriptors: [input, None, None], ..Setup::default() };
    let ending = trace_with(command, &trace_settings, &mut recording, setup, passage.forwarding());
    if let Some(relay) = relay {
        relay.end();
    }
    Ok(ending?)
}

/// Replaces this process by the command; returns only if that fails.
fn become_command(command: &Command) -> TraceError {
    let Some((program, arguments)) = command.words.split_first() else {
        return TraceError::Start { program: String::new(), source: io::ErrorKind::NotFound.into() };
    };
    let mut new = process::Command::new(program);
    new.args(arguments).env_clear().envs(command.environment.iter().map(|(name, value)| (name, value)));
    if let Some(folder) = &command.folder {
        new.current_dir(folder);
    }
    TraceError::Start { program: program.to_string_lossy().into_owned(), source: new.exec() }
}

fn build_of(command: &CargoCommand, options: &RunOptions) -> Build {
    let rustflags = std::env::var("RUSTFLAGS").ok().filter(|flags| !flags.is_empty());
    let target = command.build.target.clone().or_else(|| std::env::var("CARGO_BUILD_TARGET").ok());
    let optimised = is_optimised(command, &options.folder, options.roots.workspace.as_deref());
    Build { rustflags, target, optimised: Some(optimised), ..command.build.clone() }
}

/// Whether the command is a program with debug info: a program under development, which is what is to be
/// watched, and not a tool that starts it.
fn is_debug_program(words: &[OsString]) -> bool {
    let open = || {
        let program = words.first()?;
        if program.as_encoded_bytes().contains(&b'/') {
            return File::open(program).ok();
        }
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find_map(|folder| File::open(folder.join(program)).ok())
    };
    open().is_some_and(has_debug_info)
}

/// Whether a program is one under development.
pub(crate) fn has_debug_info(file: File) -> bool {
    let cache = ReadCache::new(file);
    ElfFile64::<object::Endianness, _>::parse(&cache)
        .is_ok_and(|elf| elf.section_by_name(".debug_info").is_some_and(|section| section.size() > 0))
}
