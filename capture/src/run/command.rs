//! What is kept of a run so that it can be made again: the words, the working folder, standard input. Privately,
//! and only where a crash was kept.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::time::Duration;

use relapse_snapshot::store::{KeptCommand, KeptInput};

use super::RunOptions;
use super::input::{Spool, is_plain_pipe};

/// A larger standard input is not kept.
const INPUT_LIMIT: u64 = 1 << 20;

/// Standard input as it is before the command reads any of it. Of a pipe, the bytes are still to come.
pub(super) fn input() -> KeptInput {
    if is_plain_pipe() {
        return KeptInput::Pipe;
    }
    let Ok(metadata) = fs::metadata("/proc/self/fd/0") else { return KeptInput::Empty };
    let kind = metadata.file_type();
    if kind.is_fifo() || kind.is_socket() {
        return KeptInput::NotKept(
            "standard input was a pipe for both ways, or one that does not wait: not kept".to_owned(),
        );
    }
    if !kind.is_file() {
        // A terminal, `/dev/null`.
        return KeptInput::Empty;
    }
    if metadata.len() > INPUT_LIMIT {
        let reason = format!("standard input was a file of more than {} MiB: not kept", INPUT_LIMIT >> 20);
        return KeptInput::NotKept(reason);
    }
    // SAFETY: a system call on plain numbers, which moves nothing.
    let offset = unsafe { libc::lseek(0, 0, libc::SEEK_CUR) };
    let path = fs::read_link("/proc/self/fd/0");
    match (path, u64::try_from(offset)) {
        (Ok(path), Ok(offset)) => KeptInput::File { path, offset, len: metadata.len() },
        (Err(error), _) => not_read(&error),
        (_, Err(_)) => not_read(&io::Error::last_os_error()),
    }
}

fn not_read(error: &io::Error) -> KeptInput {
    KeptInput::NotKept(format!("standard input could not be kept: {error}"))
}

/// Keeps a command. It serves a second run only: one that cannot be kept is not worth a failure.
pub(super) fn keep(options: &RunOptions, run: &str, input: KeptInput, spool: &Spool<'_>, took: Duration) {
    let words: Option<Vec<String>> =
        options.words.iter().map(|word| Some(word.to_str()?.to_owned())).collect();
    let Some(words) = words else { return };
    let input = match input {
        KeptInput::Pipe => keep_input(options, run, spool),
        other => other,
    };
    let command = KeptCommand::new(words, options.folder.clone(), input, options.rerun, took.as_secs());
    let _ = options.store.keep_command(run, &command);
}

/// Keeps what was read of a pipe.
fn keep_input(options: &RunOptions, run: &str, spool: &Spool<'_>) -> KeptInput {
    let kept = spool.read().and_then(|bytes| {
        let kept = options.store.keep_input(run, &bytes);
        kept.map_err(|error| format!("standard input could not be kept: {error}"))
    });
    match kept {
        Ok(true) => KeptInput::Pipe,
        Ok(false) => KeptInput::NotKept("standard input holds what looks like a secret: not kept".to_owned()),
        Err(reason) => KeptInput::NotKept(reason),
    }
}
