//! One `cargo test` that builds everything and then, in place of the test, only notes the environment that the
//! test would have had. All that cargo writes is read while it runs, however much it is.

use std::collections::VecDeque;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use cargo_metadata::{Artifact, CompilerMessage, Message};
use relapse_capture::temporary::Note;

use super::diagnostic::{Diagnostic, Weight};
use super::error::CompileError;
use super::{BuildPlace, Compiled, Progress, TestTarget, Variable};

/// Where the stand-in for the test writes its environment.
const NOTE_VARIABLE: &str = "RELAPSE_ENVIRONMENT_NOTE";

/// The stand-in: cargo splits this at blanks, adds the executable and its arguments (which the shell takes for
/// `$0`, `$1` …), and so runs no test. A runner set in this way replaces the project's own.
const NOTE_RUNNER: &str = "sh -c cat</proc/self/environ>\"$RELAPSE_ENVIRONMENT_NOTE\"";

/// The hosts that relapse runs on: a runner for one of them is nothing to a build for another. Asking the compiler
/// which one it is takes as long as a small test.
const HOSTS: [&str; 2] = ["x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"];

/// How cargo, rustc and gcc report a process of their own that somebody killed, in practice the kernel for want of
/// memory. A compiler that dies by another signal may do so because of what it was given.
const KILLED: [&str; 3] =
    ["(signal: 9, SIGKILL: kill)", "failed: signal: 9 (SIGKILL)", "terminated with signal 9 "];

/// What is said where a disk is full. By the time that a build has failed there is room again: rustc has removed what
/// it had begun.
const FULL: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

/// What a shell sets on its own.
const SHELL_VARIABLES: [&str; 4] = ["_", "PWD", "OLDPWD", "SHLVL"];

/// As much of cargo's own words is kept for an error's text.
const KEPT_TEXT: usize = 8 << 10;

/// What one call of cargo came to.
#[derive(Debug, Default)]
pub(super) struct CargoRun {
    executable: Option<PathBuf>,
    package_folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
    errors: Vec<Diagnostic>,
    /// Errors without a place: they count where there are no others.
    bare_errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    built: bool,
    text: String,
    finished: u64,
}

/// Builds a test target.
pub(super) fn test(
    place: &BuildPlace,
    target: &TestTarget,
    variables: &[Variable],
    offline: bool,
    sink: &mut dyn FnMut(Progress<'_>),
) -> Result<CargoRun, CompileError> {
    let mut triples: Vec<String> = named_triples(&target.cargo_args).map(str::to_owned).collect();
    triples.extend(env::var("CARGO_BUILD_TARGET").ok());
    triples.extend(HOSTS.map(str::to_owned));
    let mut run = call(place, target, variables, offline, &triples, sink)?;
    if run.built && run.environment.is_empty() {
        // `build.target` of the configuration: the triple is in the executable's path. Else it is another host.
        let parts = run.executable.as_deref().map(Path::components);
        let parts = parts.into_iter().flatten().filter_map(|part| part.as_os_str().to_str());
        let in_path = parts.filter(|part| part.matches('-').count() >= 2).map(str::to_owned);
        let mut others: Vec<String> = in_path.chain(host_triple(&place.root)?).collect();
        others.retain(|triple| !triples.contains(triple));
        if !others.is_empty() {
            run = call(place, target, variables, offline, &others, sink)?;
        }
    }
    Ok(run)
}

impl CargoRun {
    /// Whether there is anything more to say than that cargo gave up early.
    pub(super) fn reached_the_compiler(&self) -> bool {
        self.built || !self.errors.is_empty() || !self.bare_errors.is_empty() || self.finished > 0
    }

    /// The first line of cargo's and of the linker's words that has one of these in it.
    fn says(&self, words: &[&str]) -> Option<&str> {
        let texts = self.bare_errors.iter().map(|error| error.rendered.as_str()).chain([self.text.as_str()]);
        texts.flat_map(str::lines).find(|line| words.iter().any(|words| line.contains(words)))
    }

    /// The result for the caller.
    pub(super) fn compiled(mut self, target: &TestTarget) -> Result<Compiled, CompileError> {
        if self.errors.is_empty() {
            self.errors = self.bare_errors;
        }
        let package = || target.package.clone();
        if !self.built && self.errors.is_empty() {
            return Err(CompileError::Cargo { package: package(), text: self.text });
        }
        if self.built && self.executable.is_none() {
            return Err(CompileError::NoExecutable {
                package: package(),
                arguments: target.cargo_args.join(" "),
            });
        }
        if self.built && self.environment.is_empty() {
            self.environment = env::vars_os().collect();
        }
        Ok(Compiled {
            executable: self.executable.filter(|_| self.built),
            package_folder: self.package_folder,
            environment: self.environment,
            errors: if self.built { Vec::new() } else { self.errors },
            warnings: self.warnings,
        })
    }

    fn hear(&mut self, line: &[u8], place: &BuildPlace, sink: &mut dyn FnMut(Progress<'_>)) {
        match serde_json::from_slice::<Message>(line) {
            Ok(Message::CompilerArtifact(artifact)) => self.artifact(artifact, sink),
            Ok(Message::CompilerMessage(message)) => self.message(&message, place),
            Ok(Message::BuildFinished(finished)) => self.built = finished.success,
            // A macro that expands a hundred times over nests too deeply to be read.
            Err(_) if line.starts_with(b"{\"reason\":\"compiler-message\"") => {
                let text = "a message of the compiler could not be read".to_owned();
                self.bare_errors.push(Diagnostic::bare(text));
            }
            _ => {}
        }
    }

    fn artifact(&mut self, artifact: Artifact, sink: &mut dyn FnMut(Progress<'_>)) {
        self.finished += 1;
        sink(Progress { name: &artifact.target.name, fresh: artifact.fresh, finished: self.finished });
        if artifact.profile.test
            && let Some(executable) = artifact.executable
        {
            self.package_folder =
                artifact.manifest_path.parent().map(|p| p.as_std_path().to_owned()).unwrap_or_default();
            self.executable = Some(executable.into_std_path_buf());
        }
    }

    fn message(&mut self, message: &CompilerMessage, place: &BuildPlace) {
        match Diagnostic::read(&message.message, place) {
            Some((Weight::Error, found)) if found.has_place(&message.message) => self.errors.push(found),
            Some((Weight::Error, found)) => self.bare_errors.push(found),
            Some((Weight::Warning, found)) => self.warnings.push(found),
            None => {}
        }
    }
}

fn call(
    place: &BuildPlace,
    target: &TestTarget,
    variables: &[Variable],
    offline: bool,
    triples: &[String],
    sink: &mut dyn FnMut(Progress<'_>),
) -> Result<CargoRun, CompileError> {
    let start =
        |source| CompileError::Start { program: "cargo".to_owned(), folder: place.root.clone(), source };
    let note = Note::create().map_err(CompileError::temporary)?;
    let mut command = command(place, target, variables, offline);
    let runners: Vec<String> = triples.iter().map(|triple| runner_variable(triple)).collect();
    command.envs(runners.iter().map(|runner| (runner, NOTE_RUNNER))).env(NOTE_VARIABLE, note.path());
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(start)?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let words = thread::spawn(move || stderr.map(last_words).unwrap_or_default());
    let mut run = CargoRun::default();
    let mut lines = stdout.map(BufReader::new);
    let mut line = Vec::new();
    while let Some(lines) = &mut lines {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(start)? == 0 {
            break;
        }
        run.hear(&line, place, sink);
    }
    let status = child.wait().map_err(start)?;
    if let Some(signal) = status.signal() {
        return Err(CompileError::Killed { package: target.package.clone(), what: "cargo", signal });
    }
    run.text = words.join().unwrap_or_default();
    if !run.built && run.says(&KILLED).is_some() {
        let what = "a compiler or linker that cargo started (memory may have run out)";
        return Err(CompileError::Killed { package: target.package.clone(), what, signal: libc::SIGKILL });
    }
    if let Some(words) = run.says(&FULL).filter(|_| !run.built) {
        return Err(CompileError::NoRoom { package: target.package.clone(), words: words.trim().to_owned() });
    }
    run.environment = read_note(note.path(), &runners);
    Ok(run)
}

fn command(place: &BuildPlace, target: &TestTarget, variables: &[Variable], offline: bool) -> Command {
    let mut command = Command::new(crate::project::cargo());
    command.current_dir(&place.root).args(["test", "-p", &target.package]).args(&target.cargo_args);
    command.args(["--message-format", "json"]);
    if let Some(folder) = &place.target_folder {
        command.arg("--target-dir").arg(folder);
        // From cargo 1.91 the intermediate files have a setting of their own.
        command.env("CARGO_BUILD_BUILD_DIR", folder).env("CARGO_TARGET_DIR", folder);
    }
    if place.locked {
        command.arg("--locked");
    }
    if offline {
        command.arg("--offline");
    }
    // Should the runner not hold for this target, the tests are listed, not run.
    command.args(["--", "--list"]);
    command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
    if place.lean_debug_info {
        for profile in profiles(&target.cargo_args) {
            command.env(format!("CARGO_PROFILE_{profile}_DEBUG"), "line-tables-only");
            command.env(format!("CARGO_PROFILE_{profile}_STRIP"), "none");
        }
    }
    for (name, value) in variables {
        if name == "RUSTFLAGS" {
            // It would win over the flags of the crashed build.
            command.env_remove("CARGO_ENCODED_RUSTFLAGS");
        }
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// The profiles that a `cargo test` with these arguments builds by, as cargo's variables spell them.
fn profiles(cargo_args: &[String]) -> Vec<String> {
    let named = value_of(cargo_args, "--profile").next();
    let release = cargo_args.iter().any(|arg| arg == "--release" || arg == "-r");
    match named {
        Some("dev" | "test") => vec!["DEV".to_owned(), "TEST".to_owned()],
        Some(name) => vec![name.to_uppercase().replace('-', "_")],
        None if release => vec!["RELEASE".to_owned()],
        None => vec!["DEV".to_owned(), "TEST".to_owned()],
    }
}

fn named_triples(cargo_args: &[String]) -> impl Iterator<Item = &str> {
    value_of(cargo_args, "--target")
}

/// The values of an option, as `--name VALUE` and as `--name=VALUE`.
fn value_of<'a>(arguments: &'a [String], name: &'a str) -> impl Iterator<Item = &'a str> {
    arguments.iter().enumerate().filter_map(move |(index, argument)| {
        let rest = argument.strip_prefix(name)?;
        if rest.is_empty() { arguments.get(index + 1).map(String::as_str) } else { rest.strip_prefix('=') }
    })
}

fn runner_variable(triple: &str) -> String {
    format!("CARGO_TARGET_{}_RUNNER", triple.to_uppercase().replace(['-', '.'], "_"))
}

/// The host's triple, as the compiler that holds in a folder says it.
fn host_triple(folder: &Path) -> Result<Option<String>, CompileError> {
    let program = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&program).arg("-vV").current_dir(folder).stdin(Stdio::null()).output();
    let output = output.map_err(|source| CompileError::Start {
        program: program.to_string_lossy().into_owned(),
        folder: folder.to_owned(),
        source,
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned))
}

/// The end of a stream, read to its end.
fn last_words(mut stream: impl Read) -> String {
    let mut kept = VecDeque::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => kept.extend(&buffer[..len]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
        let surplus = kept.len().saturating_sub(KEPT_TEXT);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(kept.make_contiguous()).trim().to_owned()
}

/// The environment that the stand-in noted; without what it has from being a stand-in.
fn read_note(path: &Path, runners: &[String]) -> Vec<(OsString, OsString)> {
    let note = fs::read(path).unwrap_or_default();
    let ours = |name: &OsStr| {
        name == NOTE_VARIABLE
            || SHELL_VARIABLES.iter().any(|shell| name == *shell)
            || runners.iter().any(|runner| name == runner.as_str())
    };
    let mut found: Vec<(OsString, OsString)> = note
        .split(|byte| *byte == 0)
        .filter_map(|entry| {
            let equals = entry.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
            let (name, value) = (&entry[..equals], &entry[equals + 1..]);
            Some((OsString::from_vec(name.to_vec()), OsStr::from_bytes(value).to_owned()))
        })
        .filter(|(name, _)| !ours(name))
        .collect();
    if !found.is_empty() {
        let own = env::vars_os().filter(|(name, _)| name != NOTE_VARIABLE && ours(name));
        found.extend(own);
    }
    found
}
