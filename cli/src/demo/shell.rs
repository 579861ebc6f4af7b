//! Runs the demo's commands in the sample's folder, as a user's shell would: `cargo relapse …` is this very
//! program, `cargo …` the user's cargo. Variables that would give another story are left out.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use relapse_generator::project::cargo;

/// No command of the demo prints more; what does is ended by a closed pipe.
const MAX_OUTPUT_BYTES: u64 = 4 << 20;

/// Where the commands run.
pub(super) struct Shell {
    folder: PathBuf,
    relapse: PathBuf,
}

/// What a command came to.
#[derive(Debug)]
pub(super) struct Ran {
    /// As it was typed.
    pub(super) command: String,
    /// Its exit status; `None` where a signal ended it.
    pub(super) status: Option<i32>,
    /// What it printed, both streams as a terminal would show them.
    pub(super) output: String,
}

impl Shell {
    pub(super) fn new(folder: &Path) -> Result<Shell, Failure> {
        let relapse = std::env::current_exe()
            .map_err(|error| Failure::missing("failed to find the path of relapse itself").because(&error))?;
        Ok(Shell { folder: folder.to_owned(), relapse })
    }

    /// Runs a command, given as it is typed, and waits for it.
    pub(super) fn run(&self, line: &str) -> Result<Ran, Failure> {
        let words: Vec<&str> = line.split(' ').collect();
        let (program, arguments) = match words.as_slice() {
            ["cargo", "relapse", arguments @ ..] => (self.relapse.clone(), arguments),
            ["cargo", arguments @ ..] => (cargo(), arguments),
            _ => return Err(Failure::internal(format!("`{line}` is no command of the demo"))),
        };
        let failed =
            |error: &std::io::Error| Failure::missing(format!("failed to run `{line}`")).because(error);
        let (reader, writer) = std::io::pipe().map_err(|error| failed(&error))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folder).stdin(Stdio::null());
        command.stdout(writer.try_clone().map_err(|error| failed(&error))?).stderr(writer);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(disturbs) {
                command.env_remove(name);
            }
        }
        command.env("CARGO_TERM_COLOR", "never").env("CARGO_TERM_PROGRESS_WHEN", "never");
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        // Our own ends of the pipe are in it: the output ends when the child's does.
        drop(command);
        let mut output = Vec::new();
        let read = reader.take(MAX_OUTPUT_BYTES).read_to_end(&mut output);
        let status = child.wait().map_err(|error| failed(&error))?;
        read.map_err(|error| failed(&error))?;
        let output = String::from_utf8_lossy(&output).into_owned();
        Ok(Ran { command: line.to_owned(), status: status.code(), output })
    }
}

/// Whether a variable changes what is built, where it goes, what a crash prints, or how insta accepts: the user's
/// settings for this shell, or what `cargo run` sets for the program that it starts.
fn disturbs(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "CARGO_TARGET_DIR",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_CRATE_NAME",
        "RUSTFLAGS",
        "RUST_BACKTRACE",
        "RUST_LIB_BACKTRACE",
        "CI",
        "TF_BUILD",
    ];
    const STARTS: [&str; 9] = [
        "CARGO_BUILD_TARGET",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_PROFILE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_BIN_",
        "INSTA_",
        "RELAPSE_",
        "RUST_TEST_",
    ];
    let of_target =
        name.starts_with("CARGO_TARGET_") && ["_RUNNER", "_RUSTFLAGS"].iter().any(|end| name.ends_with(end));
    NAMES.contains(&name) || of_target || STARTS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_network_and_the_toolchain_stay() {
        for name in ["CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_HTTP_PROXY", "RUSTUP_TOOLCHAIN", "PATH"] {
            assert!(!disturbs(name), "{name}");
        }
        for name in ["CARGO_TARGET_DIR", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", "INSTA_UPDATE", "CI"]
        {
            assert!(disturbs(name), "{name}");
        }
    }

    #[test]
    fn output_is_in_the_order_of_both_streams() {
        let folder = tempfile::tempdir().unwrap();
        let ran = Shell::new(folder.path()).unwrap().run("cargo --version").unwrap();
        assert_eq!(ran.status, Some(0));
        assert!(ran.output.starts_with("cargo 1."), "{}", ran.output);
    }
}
