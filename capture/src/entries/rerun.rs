//! Runs a kept command again, away from the terminal and from the user's store, and finds the same crash.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use relapse_snapshot::store::{KeptCommand, KeptInput, Store, Summary};
use relapse_snapshot::{CauseKind, Endless, Frame, FrameKind, Rules, Snapshot};

use super::{Maker, WatchedStack, unoptimised};
use crate::cargo_runner::{CargoCommand, is_optimised};
use crate::limits::Limits;
use crate::roots::Roots;
use crate::run::{Expects, Log, Prepared, RunError, RunOptions, Work, prepare, trace_again};
use crate::stack::around_body;
use crate::temporary;
use crate::tracer::{Command, LEFT_ALONE, TraceError};

/// A program that has not crashed by then is ended; to this, three times what the first run took are added.
const SECONDS: u64 = 60;
const TIMES_FIRST: u64 = 3;
/// What cargo may take on top: it may have to build.
const CARGO_SECONDS: u64 = 300;
/// What reading each entry of a function that is entered often may take.
const PATIENT_SECONDS: u64 = 60;
/// How much longer a program may take without optimisation.
const TIMES_UNOPTIMISED: u64 = 10;

/// What a second run needs.
#[derive(Debug, Clone)]
pub struct RerunOptions {
    /// The command, as it was kept.
    pub command: KeptCommand,
    /// What it read of a pipe, where that was kept.
    pub piped: Option<Vec<u8>>,
    /// Whose code lies where.
    pub roots: Roots,
    /// Our own program, which cargo starts as its runner.
    pub program: PathBuf,
    /// What is a secret: a second run keeps as little of it as the first.
    pub rules: Rules,
    /// How far values and stacks are read.
    pub limits: Limits,
    /// Whether cargo's builds get the debug info that their profile lacks.
    pub debug_info: bool,
    /// A target folder that is not the user's, where the program of an optimised build may be built once more without
    /// optimisation. `None`: it is run as it is.
    pub target_folder: Option<PathBuf>,
    /// Functions that make values: see [`Snapshot::made`].
    pub makers: Vec<Maker>,
    /// Whether each entry is read, for half a minute of a run at most.
    pub patient: bool,
}

/// What a second run has shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Rerun {
    /// The same crash, with the values that the functions were given.
    Same {
        /// The crash; its name, time and command are those of the first one.
        snapshot: Box<Snapshot>,
        /// What it cost.
        notes: Vec<String>,
        /// Whether functions were left alone that are entered too often to read each entry.
        left_alone: bool,
    },
    /// Something else, in words for the user.
    Other {
        /// What.
        reason: String,
        /// What it cost.
        notes: Vec<String>,
    },
}

/// Runs the command of a crash again and reads the arguments of its functions as they are entered. An optimised program of
/// cargo's is first built without optimisation; where that one does not crash in the same way, it is run as it is.
///
/// To be called on a thread that has no child processes.
pub fn rerun(
    snapshot: &Snapshot,
    options: &RerunOptions,
    expects: &mut Expects<'_>,
) -> Result<Rerun, RunError> {
    let other = |reason: &str| Ok(Rerun::Other { reason: reason.to_owned(), notes: Vec::new() });
    if !options.command.folder.is_dir() {
        return other("the working folder of the first run is not there any more");
    }
    let words: Vec<OsString> = options.command.words.iter().map(OsString::from).collect();
    let mut before = Vec::new();
    if let Some((cargo, target_folder)) = unoptimised_build(options, &words) {
        let stack = WatchedStack::with_inlined(snapshot);
        let seconds = options.command.seconds.saturating_mul(TIMES_FIRST * TIMES_UNOPTIMISED);
        let unoptimised = Some((&cargo, target_folder));
        let again = |stack| Again { words: words.clone(), stack, seconds, unoptimised };
        match again(stack.clone()).run(snapshot, options, expects)? {
            Rerun::Same { snapshot: mut found, mut notes, mut left_alone } => {
                // Of calls that an optimiser has merged none was on the first stack. Now they are known.
                if let Some(whole) = stack.with_those_of(&found)
                    && let Ok(Rerun::Same { snapshot: better, notes: more, left_alone: more_left_alone }) =
                        again(whole).run(snapshot, options, expects)
                {
                    (found, notes, left_alone) = (better, more, more_left_alone);
                }
                notes.push("the project's own packages were built without optimisation for it".to_owned());
                return Ok(Rerun::Same { snapshot: found, notes, left_alone });
            }
            Rerun::Other { reason, notes } => {
                before.extend(notes);
                before.push(format!("without optimisation: {reason}"));
            }
        }
    }
    let (stack, seconds) = (WatchedStack::of(snapshot), options.command.seconds.saturating_mul(TIMES_FIRST));
    let mut seen = Again { words, stack, seconds, unoptimised: None }.run(snapshot, options, expects)?;
    let (Rerun::Same { notes, .. } | Rerun::Other { notes, .. }) = &mut seen;
    notes.splice(0..0, before);
    Ok(seen)
}

/// The cargo command that builds an optimised program, where it can be built otherwise, and in which folder.
fn unoptimised_build<'o>(options: &'o RerunOptions, words: &[OsString]) -> Option<(CargoCommand, &'o Path)> {
    let target_folder = options.target_folder.as_deref().filter(|_| options.debug_info)?;
    let cargo = CargoCommand::parse(words)?;
    let root = options.roots.workspace.as_deref()?;
    let possible =
        unoptimised::is_possible(&cargo, words) && is_optimised(&cargo, &options.command.folder, Some(root));
    possible.then_some((cargo, target_folder))
}

/// One more run of a command.
struct Again<'a> {
    words: Vec<OsString>,
    stack: WatchedStack,
    /// What the program may take, less [`SECONDS`].
    seconds: u64,
    /// The command and the target folder, where cargo is to build without optimisation.
    unoptimised: Option<(&'a CargoCommand, &'a Path)>,
}

impl Again<'_> {
    fn run(
        self,
        snapshot: &Snapshot,
        options: &RerunOptions,
        expects: &mut Expects<'_>,
    ) -> Result<Rerun, RunError> {
        let other = |reason: &str| Ok(Rerun::Other { reason: reason.to_owned(), notes: Vec::new() });
        let more = if options.patient { PATIENT_SECONDS } else { 0 };
        let seconds = self.seconds.saturating_add(SECONDS + more);
        let stack = WatchedStack { seconds, patient: options.patient, ..self.stack }.making(&options.makers);
        if stack.functions.is_empty() {
            return other("no function of the project has an entry that could be watched");
        }
        let input = match input(options) {
            Ok(input) => input,
            Err(error) => {
                return other(&format!("the standard input of the first run cannot be had: {error}"));
            }
        };
        let setup = |action| move |source| RunError::Setup { action, source };
        let scratch =
            temporary::Folder::create("rerun").map_err(setup("create a folder for temporary files"))?;
        let log = Log::create(&scratch.path().join("kept")).map_err(setup("create a temporary file"))?;
        let store = Store::at(scratch.path().join(".relapse")).with_rules(options.rules.clone());
        let (mut words, mut cargo_variables) = (self.words, Vec::new());
        if let Some((cargo, target_folder)) = self.unoptimised {
            let file = scratch.path().join("unoptimised.toml");
            let text = unoptimised::configuration(cargo, &options.roots);
            fs::write(&file, text).map_err(setup("create a temporary file"))?;
            words = unoptimised::words(cargo, &words, &file);
            cargo_variables = unoptimised::variables(target_folder);
        }
        let run = RunOptions {
            words,
            folder: options.command.folder.clone(),
            roots: options.roots.clone(),
            store: store.clone(),
            program: options.program.clone(),
            limits: options.limits.clone(),
            debug_info: options.debug_info,
            rerun: false,
            timeout: None,
            watch: Some(stack.clone()),
            cargo_variables,
        };
        let command = Command { folder: Some(run.folder.clone()), ..Command::new(&run.words) };
        let Prepared { command, settings, cargo, .. } = prepare(command, &run, None, scratch.path(), &log)?;
        let timed_out = if cargo.is_some() {
            start(&command, input, Duration::from_secs(seconds.saturating_add(CARGO_SECONDS)))?
        } else {
            let silent = || Ok::<_, io::Error>(OwnedFd::from(File::options().write(true).open("/dev/null")?));
            let silent = || silent().map(Some).map_err(setup("open /dev/null"));
            let work = Work {
                settings: &settings,
                build: None,
                store: store.clone(),
                log: &log,
                descriptors: [Some(input), silent()?, silent()?],
            };
            trace_again(&command, work, stack, expects)?;
            false
        };
        let (kept, notes) = log.read();
        let found = same_crash(snapshot, &store, self.unoptimised.is_some());
        Ok(match found {
            Some(found) => {
                let left_alone = notes.iter().any(|note| note.contains(LEFT_ALONE));
                Rerun::Same { snapshot: Box::new(named_as(found, snapshot)), notes, left_alone }
            }
            None => Rerun::Other { reason: reason(options, timed_out, kept.is_empty()), notes },
        })
    }
}

fn reason(options: &RerunOptions, timed_out: bool, no_crash: bool) -> String {
    let seen = match (timed_out, no_crash) {
        (true, true) => "the second run did not end in its time",
        (_, true) => "the second run did not crash",
        (_, false) => "the second run crashed in another way",
    };
    match &options.command.input {
        KeptInput::NotKept(why) => format!("{seen} ({why})"),
        _ => seen.to_owned(),
    }
}

/// Of the crashes of the second run the one of the same fingerprint, best one whose stack is the same, too. Else one of
/// the same cause and place whose stack has all functions of the first one's, in their order: what reads the clock may have
/// gone another way between the same functions, since a watched program is slower. Of a recursion without an end it is chance
/// which of its calls met the end of the stack.
fn same_crash(first: &Snapshot, store: &Store, unoptimised: bool) -> Option<Snapshot> {
    let listing = store.list().ok()?;
    let is_same = |summary: &&Summary| {
        summary.fingerprint == first.fingerprint
            || (&summary.cause, &summary.location) == (&first.cause, &first.location)
            || (summary.cause.kind, first.cause.kind) == (CauseKind::StackOverflow, CauseKind::StackOverflow)
    };
    let same = listing.snapshots.iter().filter(is_same);
    let mut same: Vec<Snapshot> = same.filter_map(|summary| store.get(&summary.id).ok()).collect();
    let own = recursion(first);
    let is_it = |other: &Snapshot| match &own {
        Some(own) => recursion(other).is_some_and(|other| other == *own),
        None => has_functions_of(other, first),
    };
    same.retain(|other| other.fingerprint == first.fingerprint || is_it(other));
    let by_fingerprint = || same.iter().position(|other| other.fingerprint == first.fingerprint);
    let alike = same.iter().position(|other| own_functions(other) == own_functions(first));
    let best = alike.or_else(by_fingerprint).unwrap_or(0);
    let found = (best < same.len()).then(|| same.swap_remove(best))?;
    // What an optimiser has merged is what the second run is to show.
    let detours = !unoptimised && found.fingerprint != first.fingerprint;
    Some(if detours { without_detours(found, first) } else { found })
}

/// The functions that never came to an end, where a recursion overflowed the stack.
fn recursion(snapshot: &Snapshot) -> Option<BTreeSet<&str>> {
    let endless = Endless::of(snapshot)?;
    let functions = own_functions(snapshot);
    Some(functions.get(endless.calls)?.iter().copied().collect())
}

/// The snapshot without those of the project's functions that are on no stack of the first one: they have no part in the
/// crash that is to come back.
fn without_detours(mut found: Snapshot, first: &Snapshot) -> Snapshot {
    let known: Vec<String> = own_functions(first).into_iter().map(str::to_owned).collect();
    if let Some(thread) = found.threads.first_mut() {
        let is_known = |frame: &Frame| known.iter().any(|name| name == own_name(frame));
        thread.frames.retain(|frame| frame.kind != FrameKind::Workspace || is_known(frame));
    }
    found
}

fn own_functions(snapshot: &Snapshot) -> Vec<&str> {
    let own = snapshot.frames().iter().filter(|frame| frame.kind == FrameKind::Workspace);
    own.map(own_name).collect()
}

/// A function's name. One that is known by its block in one build may be known by its own name in another.
fn own_name(frame: &Frame) -> &str {
    let is_block = frame.name.starts_with("{async_block");
    is_block.then(|| around_body(&frame.function)).flatten().unwrap_or(&frame.function)
}

/// Whether the project's functions on the stack of a crash of an optimised program are all on another one, in their order:
/// an optimiser may have merged code of several inlined calls, and then none of these is on the stack.
fn has_functions_of(unoptimised: &Snapshot, first: &Snapshot) -> bool {
    let mut all = own_functions(unoptimised).into_iter();
    own_functions(first).into_iter().all(|function| all.any(|other| other == function))
}

/// The second run stands for the first one.
fn named_as(mut found: Snapshot, first: &Snapshot) -> Snapshot {
    found.id.clone_from(&first.id);
    found.time.clone_from(&first.time);
    found.count = first.count;
    found.program.command.clone_from(&first.program.command);
    found
}

fn input(options: &RerunOptions) -> io::Result<OwnedFd> {
    match &options.command.input {
        KeptInput::File { path, offset, len } => {
            let mut file = File::open(path)?;
            if file.metadata()?.len() != *len {
                return Err(io::Error::other(format!("{} has changed", shown(path))));
            }
            file.seek(SeekFrom::Start(*offset))?;
            Ok(file.into())
        }
        KeptInput::Pipe => {
            let bytes = options.piped.clone().ok_or_else(|| io::Error::other("it is not there any more"))?;
            let (reader, mut writer) = io::pipe()?;
            // It ends with the program that reads, however much of it that reads.
            thread::Builder::new().spawn(move || writer.write_all(&bytes))?;
            Ok(reader.into())
        }
        KeptInput::Empty | KeptInput::NotKept(_) => File::open("/dev/null").map(Into::into),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// From here on this process is killed when the thread that started it ends, however that comes.
pub(crate) fn end_with_parent() {
    // SAFETY: takes numbers only.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
}

/// Runs cargo, which starts our runner. Whether its time was over.
fn start(command: &Command, input: OwnedFd, patience: Duration) -> Result<bool, RunError> {
    let name = command.words.first().map_or_else(String::new, |w| w.to_string_lossy().into_owned());
    let failed = |source| TraceError::Start { program: name.clone(), source };
    let Some((program, arguments)) = command.words.split_first() else {
        return Err(failed(io::ErrorKind::NotFound.into()).into());
    };
    let mut new = process::Command::new(program);
    new.args(arguments).env_clear().envs(command.environment.iter().map(|(name, value)| (name, value)));
    new.stdin(input).stdout(process::Stdio::null()).stderr(process::Stdio::null());
    if let Some(folder) = &command.folder {
        new.current_dir(folder);
    }
    // SAFETY: only system calls, which allocate nothing.
    unsafe {
        new.pre_exec(|| {
            // A session of its own: away from the terminal, where a process in the background that reads is stopped; and
            // a process group, to be ended as one.
            libc::setsid();
            end_with_parent();
            Ok(())
        });
    }
    let mut child = new.spawn().map_err(failed)?;
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(_)) => return Ok(false),
            Ok(None) if start.elapsed() < patience => thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                // Compilers, too. Programs under the tracer have a shorter limit of their own, and end with their tracer,
                // which ends with its cargo.
                // SAFETY: kill touches no memory; the group is the child's own, which is not reaped yet.
                unsafe { libc::kill(-child.id().cast_signed(), libc::SIGKILL) };
                let _ = child.wait();
                return Ok(true);
            }
            Err(source) => return Err(failed(source).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_processes_of_a_second_run_end_with_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("process");
        let script = format!("sleep 50 & echo $! > {}; wait", file.display());
        let command = Command::new(["sh", "-c", script.as_str()]);
        let input = File::open("/dev/null").unwrap();
        assert!(start(&command, input.into(), Duration::from_secs(2)).unwrap());
        let process = fs::read_to_string(file).unwrap();
        let state = || fs::read_to_string(format!("/proc/{}/stat", process.trim()));
        // Whoever is its parent now may not have waited for it yet.
        let is_over = || state().map_or(true, |text| text.contains(") Z "));
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_over() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        assert!(is_over());
    }
}
