//! Small programs, compiled once each, and runs of them that prove that no process is left.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as StdCommand;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use relapse_capture::observe::{Limits, Observation, observe};
use relapse_capture::panic::PanicLocation;
use relapse_capture::roots::Roots;
use relapse_capture::sandbox::{Permissions, Sandbox};
use relapse_capture::tracer::{
    Command, Crash, Depth, Ending, Expectation, Recorder, Settings, TraceError, trace,
};
use relapse_snapshot::Frame;

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
static BUILT: LazyLock<Mutex<HashMap<String, PathBuf>>> = LazyLock::new(Mutex::default);
static MARKS: AtomicU64 = AtomicU64::new(0);

/// Compiles a program with debug info and these further options of rustc.
pub(crate) fn program(source: &str, options: &[&str]) -> PathBuf {
    let mut built = BUILT.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = format!("{options:?}{source}");
    let number = built.len();
    built
        .entry(key)
        .or_insert_with(|| {
            // The folder of a static is never dropped: it goes with the target folder.
            let file = FOLDER.path().join(format!("p{number}.rs"));
            let out = FOLDER.path().join(format!("p{number}"));
            fs::write(&file, source).unwrap();
            let status = StdCommand::new("rustc")
                .current_dir(FOLDER.path())
                .args(["-g", "-Awarnings", "-o"])
                .arg(&out)
                .args(if options.contains(&"--edition") { &[][..] } else { &["--edition", "2021"] })
                .args(options)
                .arg(file.file_name().unwrap())
                .status()
                .unwrap();
            assert!(status.success());
            out
        })
        .clone()
}

/// A command with a mark in its environment that all its children inherit.
pub(crate) struct Marked(String);

impl Marked {
    pub(crate) fn command(words: &[&str], program: &Path) -> (Command, Marked) {
        let all = std::iter::once(program.as_os_str().to_owned()).chain(words.iter().map(Into::into));
        let mut command = Command::new(all);
        let mark = format!("{}-{}", std::process::id(), MARKS.fetch_add(1, Ordering::SeqCst));
        command.set("RELAPSE_TEST_MARK", &mark);
        command.set("RUST_BACKTRACE", "0");
        (command, Marked(format!("RELAPSE_TEST_MARK={mark}")))
    }

    /// Processes of that mark.
    pub(crate) fn left(&self) -> Vec<String> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries
            .filter(|entry| {
                let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
                environment.split(|b| *b == 0).any(|line| line == self.0.as_bytes())
            })
            .map(|entry| {
                let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
                format!("{} {line}", entry.file_name().to_string_lossy())
            })
            .collect()
    }
}

/// Observes a program.
pub(crate) fn run(source: &str, options: &[&str]) -> Observation {
    run_with(source, options, &[], &Limits::default())
}

pub(crate) fn run_with(source: &str, options: &[&str], words: &[&str], limits: &Limits) -> Observation {
    let (command, mark) = Marked::command(words, &program(source, options));
    let observation = observe(&command, &Roots::default(), limits, None).unwrap();
    assert_eq!(mark.left(), Vec::<String>::new(), "processes were left");
    observation
}

/// Observes a program in a sandbox, with its standard output.
pub(crate) fn run_confined(source: &str, words: &[&str], permissions: &Permissions) -> (Observation, String) {
    let sandbox = Arc::new(Sandbox::new(permissions).unwrap());
    let (mut command, mark) = Marked::command(words, &program(source, &[]));
    sandbox.set_variables(&mut command.environment);
    let folder = sandbox.folder().to_owned();
    let observation = observe(&command, &Roots::default(), &Limits::default(), Some(sandbox)).unwrap();
    assert_eq!(mark.left(), Vec::<String>::new(), "processes were left");
    assert!(!folder.exists(), "the sandbox's folder was left");
    let output = String::from_utf8_lossy(&observation.stdout).into_owned();
    (observation, output)
}

/// Everything that a recorder was told.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) crashes: Vec<Crash>,
    pub(crate) repeated: Vec<(PanicLocation, u64)>,
    pub(crate) notes: Vec<String>,
    pub(crate) expected: Option<Expectation>,
}

impl Recorder for Told {
    fn crash(&mut self, crash: Crash) {
        self.crashes.push(crash);
    }

    fn repeated(&mut self, place: &PanicLocation, times: u64) {
        self.repeated.push((place.clone(), times));
    }

    fn expectation(&mut self, _test: &Frame) -> Expectation {
        self.expected.clone().unwrap_or(Expectation::Unknown)
    }

    fn note(&mut self, text: String) {
        self.notes.push(text);
    }
}

/// Traces a program on a thread of its own, as a user's run.
pub(crate) fn follow(command: &Command, told: &mut Told) -> Result<Ending, TraceError> {
    std::thread::scope(|scope| {
        scope.spawn(|| trace(command, &Settings::new(Roots::default(), Depth::FULL), told)).join().unwrap()
    })
}
