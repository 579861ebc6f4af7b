//! Commands that can be run again: `runs/RUN.command`, private, beside the run's record, and `runs/RUN.input`,
//! what the command read of a pipe. Each is kept only where nothing in it looks like a secret, because it is kept
//! as it is.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::{parse, write_lasting, write_whole};
use crate::crash::FORMAT;
use crate::error::SnapshotError;

/// How the files end.
pub(super) const COMMAND: &str = ".command";
/// How the files with their piped standard input end.
pub(super) const INPUT: &str = ".input";
/// A longer standard input of a pipe is not kept, in bytes.
pub const INPUT_MAX: u64 = 16 << 20;
/// The system allows no longer command lines, by much.
const COMMAND_MAX: u64 = 4 << 20;

/// What is needed to run a command again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCommand {
    format: u32,
    /// Its words, as the user gave them.
    pub words: Vec<String>,
    /// The working folder.
    pub folder: PathBuf,
    /// Standard input.
    pub input: KeptInput,
    /// Whether the user allowed another run although cargo does not start it.
    pub rerun: bool,
    /// How long it took, in whole seconds.
    pub seconds: u64,
}

/// What is known of a command's standard input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeptInput {
    /// A terminal or nothing: nothing is read from it.
    Empty,
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Where reading began.
        offset: u64,
        /// How long it is.
        len: u64,
    },
    /// A pipe: what was read of it is kept beside the command, see [`Store::input_of`](super::Store::input_of).
    Pipe,
    /// Not kept, with the reason.
    NotKept(String),
}

impl KeptCommand {
    /// A command to be kept.
    pub fn new(
        words: Vec<String>,
        folder: PathBuf,
        input: KeptInput,
        rerun: bool,
        seconds: u64,
    ) -> KeptCommand {
        KeptCommand { format: FORMAT, words, folder, input, rerun, seconds }
    }
}

pub(super) fn write(folder: &Path, run: &str, command: &KeptCommand) -> Result<(), SnapshotError> {
    let path = folder.join(format!("{run}{COMMAND}"));
    let json = serde_json::to_vec(command)
        .map_err(|error| SnapshotError::write("serialise", &path, error.into()))?;
    write_whole(&path, &json)
}

/// Writes what a run's command has read of a pipe.
pub(super) fn write_input(folder: &Path, run: &str, input: &[u8]) -> Result<(), SnapshotError> {
    // Cut, it would be read as a shorter input.
    write_lasting(&folder.join(format!("{run}{INPUT}")), input)
}

/// What a run's command has read of a pipe; `None` where it was not kept.
pub(super) fn read_input(folder: &Path, run: &str) -> Result<Option<Vec<u8>>, SnapshotError> {
    let path = folder.join(format!("{run}{INPUT}"));
    bounded(&path, INPUT_MAX, "it is too large for a standard input")
}

/// Removes a run's command with its input.
pub(super) fn remove(folder: &Path, run: &str) -> Result<(), SnapshotError> {
    for ending in [INPUT, COMMAND] {
        let path = folder.join(format!("{run}{ending}"));
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(SnapshotError::write("remove", path, source));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The command of a run; `None` where none was kept.
pub(super) fn read(folder: &Path, run: &str) -> Result<Option<KeptCommand>, SnapshotError> {
    let path = folder.join(format!("{run}{COMMAND}"));
    match bounded(&path, COMMAND_MAX, "it is too large for a command")? {
        Some(json) => parse(&json, &path).map(Some),
        None => Ok(None),
    }
}

/// The content of a file of at most `max` bytes; `None` where it is not there.
fn bounded(path: &Path, max: u64, too_large: &str) -> Result<Option<Vec<u8>>, SnapshotError> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(SnapshotError::damaged(path, "it is not a file")),
        Ok(metadata) if metadata.len() <= max => {}
        Ok(_) => return Err(SnapshotError::damaged(path, too_large)),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SnapshotError::read("read", path, source)),
    }
    fs::read(path).map(Some).map_err(|source| SnapshotError::read("read", path, source))
}
