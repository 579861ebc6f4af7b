//! What a list shows of each snapshot, read without its values; long texts are cut.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;

use super::file::{parse, unpacked};
use crate::consequence::Link;
use crate::crash::{Cause, FrameKind, Location, Spawner, called_at};
use crate::error::SnapshotError;

/// The snapshots of a store.
#[derive(Debug, Default)]
pub struct Listing {
    /// Oldest first.
    pub snapshots: Vec<Summary>,
    /// The files that could not be read, and why.
    pub damaged: Vec<(PathBuf, SnapshotError)>,
}

/// One snapshot, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: String,
    /// When: RFC 3339, UTC, whole seconds.
    pub time: String,
    /// When its file was written, which orders those of one second.
    pub written: SystemTime,
    /// What ended it.
    pub cause: Cause,
    /// Where.
    pub location: Option<Location>,
    /// Where the workspace called into std, where std itself names the place of the crash.
    pub called_at: Option<Location>,
    /// The function of the innermost workspace frame.
    pub function: Option<String>,
    /// The package of the innermost workspace frame.
    pub package: Option<String>,
    /// Stable identity of the crash.
    pub fingerprint: String,
    /// How often this fingerprint was seen in its run.
    pub count: u64,
    /// The command that the user gave.
    pub command: Vec<String>,
    /// File name of the executable.
    pub program: String,
    /// The kernel's id of the crashed thread; 0 where none is known.
    pub tid: u32,
    /// That of the thread which spawned it, where it is known.
    pub spawned_by: Option<u32>,
}

impl Summary {
    /// What orders the snapshots of a store, oldest first.
    pub(super) fn moment(&self) -> (&str, SystemTime, &str) {
        (&self.time, self.written, &self.id)
    }

    /// What tells whether it passes another crash on.
    pub(super) fn link(&self) -> Link<'_> {
        Link { cause: &self.cause, program: &self.program, tid: self.tid, spawned_by: self.spawned_by }
    }
}

/// The fields of a snapshot's file that a summary needs; serde_json passes over the others.
#[derive(Deserialize)]
struct Skim {
    id: String,
    time: String,
    cause: Cause,
    location: Option<Location>,
    threads: Vec<SkimThread>,
    fingerprint: String,
    count: u64,
    program: SkimProgram,
}

#[derive(Deserialize)]
struct SkimThread {
    tid: u32,
    #[serde(default)]
    spawned_by: Option<Spawner>,
    frames: Vec<SkimFrame>,
}

#[derive(Deserialize)]
struct SkimFrame {
    function: String,
    kind: FrameKind,
    location: Option<Location>,
    package: Option<String>,
}

#[derive(Deserialize)]
struct SkimProgram {
    name: String,
    command: Vec<String>,
}

/// Longer texts are cut, in bytes: a file of a few kilobytes may hold 256 MiB of one, and all files are listed at once.
const TEXT_MAX: usize = 4 << 10;

/// The beginning of a text, in memory of its own.
fn start_of(text: &str) -> String {
    if text.len() <= TEXT_MAX {
        return text.to_owned();
    }
    let end = (0..=TEXT_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// The first words of a command.
fn first_words(words: &[String]) -> Vec<String> {
    let mut left = TEXT_MAX;
    let mut fits = |word: &&String| {
        let fits = left > 0;
        left = left.saturating_sub(word.len() + 1);
        fits
    };
    let mut first: Vec<String> =
        words.iter().take_while(|word| fits(word)).map(|word| start_of(word)).collect();
    if first.len() < words.len() {
        first.push("…".to_owned());
    }
    first
}

fn short_place(place: &Location) -> Location {
    Location { file: start_of(&place.file), line: place.line, column: place.column }
}

/// Reads one file in short.
pub(super) fn summary(path: &Path, id: &str) -> Result<Summary, SnapshotError> {
    let skim: Skim = parse(&unpacked(path)?, path)?;
    if skim.id != id {
        return Err(SnapshotError::damaged(path, "it holds a snapshot of another name"));
    }
    let written = fs::metadata(path).and_then(|metadata| metadata.modified());
    let thread = skim.threads.into_iter().next();
    let (tid, spawned_by, frames) = thread.map_or((0, None, Vec::new()), |thread| {
        (thread.tid, thread.spawned_by.map(|spawner| spawner.tid), thread.frames)
    });
    let places = frames.iter().map(|frame| (frame.kind, frame.location.as_ref()));
    let called_at = skim.location.as_ref().and_then(|place| called_at(place, places)).cloned();
    let frame = frames.into_iter().find(|frame| frame.kind == FrameKind::Workspace);
    let (function, package) = frame.map_or((None, None), |frame| (Some(frame.function), frame.package));
    Ok(Summary {
        id: skim.id,
        time: start_of(&skim.time),
        written: written.unwrap_or(SystemTime::UNIX_EPOCH),
        cause: Cause {
            message: start_of(&skim.cause.message),
            signal: skim.cause.signal.as_deref().map(start_of),
            ..skim.cause
        },
        location: skim.location.as_ref().map(short_place),
        called_at: called_at.as_ref().map(short_place),
        function: function.as_deref().map(start_of),
        package: package.as_deref().map(start_of),
        fingerprint: start_of(&skim.fingerprint),
        count: skim.count,
        command: first_words(&skim.program.command),
        program: start_of(&skim.program.name),
        tid,
        spawned_by,
    })
}
