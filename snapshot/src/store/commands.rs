//! Commands that can be run again: `runs/RUN.command`, private, beside the run's record. Kept only where nothing
//! in the words looks like a secret, because they are kept as they are.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::{parse, write_whole};
use crate::crash::FORMAT;
use crate::error::SnapshotError;

/// How the files end.
pub(super) const COMMAND: &str = ".command";
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

/// The command of a run; `None` where none was kept.
pub(super) fn read(folder: &Path, run: &str) -> Result<Option<KeptCommand>, SnapshotError> {
    let path = folder.join(format!("{run}{COMMAND}"));
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() && metadata.len() <= COMMAND_MAX => {}
        Ok(_) => return Err(SnapshotError::damaged(path, "it is too large for a command")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SnapshotError::read("read", path, source)),
    }
    let json = fs::read(&path).map_err(|source| SnapshotError::read("read", &path, source))?;
    parse(&json, &path).map(Some)
}
