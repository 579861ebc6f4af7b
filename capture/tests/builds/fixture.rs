//! The program of the matrix, built in a folder of its own, and what is seen of its crash. A process that is left
//! over fails the test.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command as StdCommand;
use std::sync::atomic::{AtomicU64, Ordering};

use relapse_capture::image::DebugFolders;
use relapse_capture::panic::PanicLocation;
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_capture::tracer::{Command, Crash, Depth, Ending, Expectation, Recorder, Settings, trace};
use relapse_snapshot::Frame;

static MARKS: AtomicU64 = AtomicU64::new(0);

/// A folder with the program's source, in which it is built.
pub(crate) struct Build {
    folder: tempfile::TempDir,
    debug_folders: Vec<PathBuf>,
}

/// What a run of the program told.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) crashes: Vec<Crash>,
    pub(crate) notes: Vec<String>,
    pub(crate) ending: Option<Ending>,
}

impl Build {
    /// The source alone.
    pub(crate) fn new() -> Build {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
        for name in ["orders.rs", "orders_loader.rs", "deaths.rs"] {
            fs::copy(programs.join(name), folder.path().join("src").join(name)).unwrap();
        }
        Build { folder, debug_folders: Vec::new() }
    }

    /// The program, built with full debug info and these further options of rustc, the last of which counts.
    pub(crate) fn with(options: &[&str]) -> Build {
        let build = Build::new();
        build.rustc("orders", options);
        build
    }

    /// Where it is built.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program.
    pub(crate) fn program(&self) -> PathBuf {
        self.folder().join("orders")
    }

    /// Compiles `src/NAME.rs` in the folder, from there, as cargo does.
    pub(crate) fn rustc(&self, name: &str, options: &[&str]) {
        let given = |option: &str| options.iter().any(|o| o.starts_with(option));
        let mut words = vec!["--edition", "2024", "-Awarnings"];
        if !given("-Cdebuginfo") {
            words.push("-Cdebuginfo=2");
        }
        words.extend(options);
        let source = format!("src/{name}.rs");
        words.push(&source);
        self.run("rustc", &words);
    }

    /// Whether rustc and its linker can do this; the case is skipped where they cannot.
    pub(crate) fn try_rustc(&self, options: &[&str]) -> bool {
        let own = ["--edition", "2024", "-Awarnings", "-Cdebuginfo=2", "src/orders.rs"];
        self.try_run("rustc", &[&own, options].concat())
    }

    /// Runs a tool in the folder.
    pub(crate) fn run(&self, tool: &str, words: &[&str]) {
        let output = StdCommand::new(tool).current_dir(self.folder()).args(words).output().unwrap();
        assert!(output.status.success(), "{tool} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs a tool in the folder that may not be able to do this.
    pub(crate) fn try_run(&self, tool: &str, words: &[&str]) -> bool {
        let output = StdCommand::new(tool).current_dir(self.folder()).args(words).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// Moves a file within the folder.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let to = self.folder().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(self.folder().join(from), to).unwrap();
    }

    /// The files of the folder with that ending.
    pub(crate) fn files(&self, ending: &str) -> Vec<String> {
        let names = fs::read_dir(self.folder()).unwrap().flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(ending)).collect()
    }

    /// Splits the debug info of the program, or of a library of its name, off into `orders.debug`, and leaves it without
    /// any symbols.
    pub(crate) fn split_off_debug_file(&self, of: &str) {
        self.run("objcopy", &["--only-keep-debug", of, "orders.debug"]);
        self.run("objcopy", &["--strip-all", of]);
    }

    /// Debug files are looked for in this folder, too.
    pub(crate) fn debug_folder(&mut self, name: &str) -> PathBuf {
        let folder = self.folder().join(name);
        fs::create_dir_all(&folder).unwrap();
        self.debug_folders.push(folder.clone());
        folder
    }

    /// The program's build id.
    pub(crate) fn build_id(&self) -> String {
        let output = StdCommand::new("readelf").args(["-n", "orders"]).current_dir(self.folder()).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        text.split("Build ID: ").nth(1).unwrap().lines().next().unwrap().trim().to_owned()
    }

    /// Runs the program under the tracer.
    pub(crate) fn see(&self) -> Seen {
        self.see_command(&[self.program()], &[])
    }

    /// Runs a command under the tracer, with these variables of its environment.
    pub(crate) fn see_command(&self, words: &[PathBuf], variables: &[(&str, &Path)]) -> Seen {
        let mut command = Command::new(words.iter().map(|word| word.as_os_str().to_owned()));
        let mark = format!("{}-{}", std::process::id(), MARKS.fetch_add(1, Ordering::SeqCst));
        command.set("RELAPSE_TEST_MARK", &mark);
        command.set("RUST_BACKTRACE", "0");
        for (name, value) in variables {
            command.set(name, value);
        }
        let package = PackageRoot { name: "orders".into(), folder: self.folder().to_owned() };
        let roots = Roots { workspace: Some(self.folder().to_owned()), packages: vec![package] };
        let mut settings = Settings::new(roots, Depth::FULL);
        settings.debug_folders = DebugFolders(self.debug_folders.clone());
        let mut seen = Seen::default();
        let ending = std::thread::scope(|scope| {
            // A thread of its own: the tracer waits for all children of its thread.
            scope.spawn(|| trace(&command, &settings, &mut seen)).join().unwrap()
        });
        seen.ending = Some(ending.unwrap());
        assert_eq!(left(&mark), Vec::<String>::new(), "processes were left");
        seen
    }
}

/// Processes that have this mark in their environment.
fn left(mark: &str) -> Vec<String> {
    let mark = format!("RELAPSE_TEST_MARK={mark}");
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let marked = entries.filter(|entry| {
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|line| line == mark.as_bytes())
    });
    marked.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

impl Recorder for Seen {
    fn crash(&mut self, crash: Crash) {
        self.crashes.push(crash);
    }

    fn repeated(&mut self, _place: &PanicLocation, _times: u64) {}

    fn expectation(&mut self, _test: &Frame) -> Expectation {
        Expectation::NoPanic
    }

    fn note(&mut self, text: String) {
        self.notes.push(text);
    }
}

/// Whether the programs that a case needs are here, each with the package that brings it; if one is not, says so.
pub(crate) fn here(needed: &[(&str, &str)]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for (program, package) in needed {
        if !folders.iter().any(|folder| folder.join(program).is_file()) {
            skip(&format!("{program} is not here (package {package})"));
            return false;
        }
    }
    true
}

/// Says that this case is skipped, past the capture of test output.
pub(crate) fn skip(reason: &str) {
    let case = std::thread::current().name().unwrap_or_default().to_owned();
    let line = format!("skipped: {case}: {reason}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}
