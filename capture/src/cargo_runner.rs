//! cargo's runner setting: how the programs that cargo builds come to run under our tracer, while cargo itself
//! does not. In: a cargo command line; out: the environment that makes cargo start us as its runner, and, in the
//! runner, what is to be done. The project's own runner is chained; variables of ours never reach the program.

pub mod cfg;
mod command_line;
pub mod config;
mod profile;

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

use relapse_snapshot::crash::Build;
use serde::{Deserialize, Serialize};

pub use command_line::CargoCommand;

use crate::limits::Limits;
use crate::roots::Roots;
use crate::tracer::Command;
use cfg::Cfg;
use config::Config;

/// The variable that brings the runner its settings, or names the file that has them.
pub const SETTINGS_VARIABLE: &str = "RELAPSE_RUNNER";
/// The kernel allows 128 KiB for a variable, its name included.
const LONGEST_VARIABLE: usize = 96 << 10;
/// The word that makes our program the runner: `cargo-relapse __runner TRIPLE EXE ARGUMENTS…`.
pub const RUNNER_WORD: &str = "__runner";

/// What the runner has to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunnerSettings {
    /// The `.relapse` folder.
    pub store: PathBuf,
    /// Whose code lies where.
    pub roots: Roots,
    /// The name of this run, which all its processes share.
    pub run: String,
    /// The command that the user gave.
    pub command: Vec<String>,
    /// The user's working folder.
    pub folder: PathBuf,
    /// How far values and stacks are read.
    pub limits: Limits,
    /// How cargo builds the programs; `None`: not known (a script runs cargo).
    pub build: Option<Build>,
    /// Where runners tell what they kept.
    pub log: PathBuf,
    /// Where runners put what their programs read of standard input, where that is a pipe.
    #[serde(default)]
    pub input: Option<PathBuf>,
    /// The project's own runners, by target triple.
    pub chained: Vec<(String, Vec<String>)>,
    /// Variables that were set for cargo's sake, and their values before.
    pub restore: Vec<(String, Option<OsString>)>,
    /// For a run of our own: the file with the [`crate::entries::WatchedStack`].
    #[serde(default)]
    pub watch: Option<PathBuf>,
    /// How long each program may run.
    #[serde(default)]
    pub timeout: Option<Duration>,
}

impl RunnerSettings {
    /// The settings that this process was started with.
    pub fn from_environment() -> Option<RunnerSettings> {
        let told = env::var_os(SETTINGS_VARIABLE)?;
        match told.to_str().filter(|told| told.starts_with('{')) {
            Some(text) => serde_json::from_str(text).ok(),
            None => serde_json::from_slice(&fs::read(told).ok()?).ok(),
        }
    }

    /// What the variable says: themselves, which needs no room on a disk, or the path of a new file that only we can read,
    /// where they are too long for a variable: the command's words and the workspace's packages are among them.
    pub fn told(&self, path: &Path) -> io::Result<OsString> {
        let text = serde_json::to_string(self)?;
        if text.len() <= LONGEST_VARIABLE {
            return Ok(text.into());
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        Ok(path.into())
    }

    /// The command that the runner is to run, with the environment that the program would have without us.
    /// `arguments`: what follows [`RUNNER_WORD`].
    pub fn command(&self, arguments: &[OsString]) -> Command {
        let (triple, words) =
            arguments.split_first().map_or((None, arguments), |(t, words)| (Some(t), words));
        let chained = triple
            .and_then(|triple| self.chained.iter().find(|(known, _)| OsStr::new(known) == triple.as_os_str()))
            .map(|(_, words)| words.as_slice())
            .unwrap_or_default();
        let mut command = Command::new(chained.iter().map(OsString::from).chain(words.iter().cloned()));
        command.remove(SETTINGS_VARIABLE);
        for (name, value) in &self.restore {
            match value {
                Some(value) => command.set(name, value),
                None => command.remove(name),
            }
        }
        command
    }

    /// The build, as this runner's environment tells it.
    pub fn build_here(&self) -> Option<Build> {
        let package = env::var("CARGO_PKG_NAME").ok();
        self.build.clone().map(|build| Build { package, ..build })
    }
}

/// nextest asks each test binary for its tests twice: nothing to be traced there.
pub fn lists_tests(arguments: &[OsString]) -> bool {
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    has("--list") && has("--format") && has("terse")
}

/// What makes cargo start us as its runner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerEnvironment {
    /// Variables to be set for cargo, [`SETTINGS_VARIABLE`] not among them.
    pub variables: Vec<(String, String)>,
    /// The project's own runners, by target triple.
    pub chained: Vec<(String, Vec<String>)>,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Finds what has to be set for a cargo command that is started in `folder`. `workspace` is the workspace's root;
/// `program` is how our own program is reached (without blanks).
///
/// For a command that is not cargo but may start it, `command` is `None`: then profiles are left as they are, as
/// they are without `debug_info`.
pub fn runner_environment(
    command: Option<&CargoCommand>,
    debug_info: bool,
    folder: &Path,
    workspace: Option<&Path>,
    program: &str,
) -> RunnerEnvironment {
    let inside = command.and_then(|command| command.folder.as_ref());
    let folder = inside.map_or_else(|| folder.to_owned(), |inside| folder.join(inside));
    let config = Config::read(&folder, cargo_home().as_deref());
    let mut notes = Vec::new();
    let mut triples: Vec<String> = Vec::new();
    triples.extend(host(command, &folder));
    let named = command.and_then(|command| command.build.target.clone());
    match named.or_else(|| env::var("CARGO_BUILD_TARGET").ok()) {
        Some(target) => triples.push(triple_of(&target)),
        None => triples.extend(config.build_targets().iter().map(|target| triple_of(target))),
    }
    triples.dedup();
    let (mut variables, mut chained) = (Vec::new(), Vec::new());
    for triple in triples {
        let name = format!("CARGO_TARGET_{}_RUNNER", triple.replace(['-', '.'], "_").to_uppercase());
        let own = env::var_os(&name).and_then(|text| config::runner_of_text(&text, &folder));
        let own = own.or_else(|| config.runner(&triple, || target_cfgs(&triple, &folder)));
        variables.push((name, format!("{program} {RUNNER_WORD} {triple}")));
        chained.extend(own.map(|words| (triple, words)));
    }
    if command.is_some_and(|command| {
        // Not a file's path, which may have that word in it.
        let sets_runner =
            |setting: &String| setting.split_once('=').is_some_and(|(key, _)| key.contains("runner"));
        command.subcommand != "nextest" && command.config.iter().any(sets_runner)
    }) {
        notes.push(
            "the runner given by `--config` takes the place of relapse: nothing is captured".to_owned(),
        );
    }
    if let Some(command) = command.filter(|_| debug_info) {
        let manifest = manifest_of(workspace);
        let tests = ["test", "bench", "nextest"].contains(&command.subcommand.as_str());
        variables.extend(profile::debug_info_variables(
            &command.profile,
            tests,
            manifest.as_ref(),
            &config,
            &|name| env::var(name).ok(),
        ));
    }
    RunnerEnvironment { variables, chained, notes }
}

/// Whether the profile of a cargo command that is started in `folder` has its code optimised.
pub fn is_optimised(command: &CargoCommand, folder: &Path, workspace: Option<&Path>) -> bool {
    let inside = command.folder.as_ref();
    let folder = inside.map_or_else(|| folder.to_owned(), |inside| folder.join(inside));
    let config = Config::read(&folder, cargo_home().as_deref());
    let manifest = manifest_of(workspace);
    profile::is_optimised(&command.profile, manifest.as_ref(), &config, &|name| env::var(name).ok())
}

/// The workspace's manifest, which has its profiles.
fn manifest_of(workspace: Option<&Path>) -> Option<toml::Table> {
    let text = fs::read_to_string(workspace?.join("Cargo.toml")).ok()?;
    text.parse().ok()
}

/// A path to `program` without blanks, at which cargo would split it: through a link in `scratch` where needed.
pub fn without_blanks(program: &Path, scratch: &Path) -> io::Result<String> {
    let fits =
        |path: &Path| path.to_str().filter(|text| !text.contains(char::is_whitespace)).map(str::to_owned);
    if let Some(text) = fits(program) {
        return Ok(text);
    }
    let link = scratch.join("cargo-relapse");
    symlink(program, &link)?;
    fits(&link).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the folder for temporary files has a blank in its path")
    })
}

fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))
}

/// A target given as the path of a specification is named by its file.
fn triple_of(target: &str) -> String {
    match target.strip_suffix(".json") {
        Some(path) => path.rsplit('/').next().unwrap_or(path).to_owned(),
        None => target.to_owned(),
    }
}

/// The host's triple, as the very cargo that will run tells it.
fn host(command: Option<&CargoCommand>, folder: &Path) -> Option<String> {
    let cargo =
        command.filter(|command| Path::new(&command.program).file_name() == Some(OsStr::new("cargo")));
    let mut version = process::Command::new(cargo.map_or(OsStr::new("cargo"), |command| &command.program));
    version.args(command.and_then(|command| command.toolchain.as_ref())).arg("-vV").current_dir(folder);
    let output = version.stderr(process::Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(|host| host.trim().to_owned())
}

fn target_cfgs(triple: &str, folder: &Path) -> Vec<Cfg> {
    let mut rustc = process::Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--print", "cfg", "--target", triple]).current_dir(folder).stderr(process::Stdio::null());
    let output = rustc.output().map(|output| output.stdout).unwrap_or_default();
    cfg::printed(&String::from_utf8_lossy(&output))
}
