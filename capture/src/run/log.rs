//! What the processes of one run have kept: a private file that each of them appends to, one JSON object a line.
//! Only for the summary at the end; the snapshots themselves are in the store.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use relapse_snapshot::{CauseKind, Frame, FrameKind, Location, Snapshot};
use serde::{Deserialize, Serialize};

/// A message is cut to so many characters here.
const MESSAGE_LIMIT: usize = 300;

/// A crash that is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptCrash {
    /// The snapshot.
    pub id: String,
    /// What the crash is known by.
    pub fingerprint: String,
    /// What ended the program or its thread.
    pub kind: CauseKind,
    /// The message, cut.
    pub message: String,
    /// The signal's name.
    pub signal: Option<String>,
    /// Where, as people look for it: the workspace's line, where std names one of its own.
    pub location: Option<Location>,
    /// The innermost function of the workspace, else the innermost one that is not std's.
    pub function: Option<String>,
    /// Whether it ended a documentation test that is a program of its own.
    #[serde(default)]
    pub ended_doctest: bool,
    /// How often the fingerprint was seen in this run. The same for all snapshots of a fingerprint.
    pub count: u64,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// A snapshot was kept.
    Kept(KeptCrash),
    /// A crash of this fingerprint was only counted; so often now.
    Counted(String, u64),
    /// Something that the user should know.
    Note(String),
}

impl From<&Snapshot> for KeptCrash {
    fn from(snapshot: &Snapshot) -> KeptCrash {
        let frame = telling_frame(snapshot.frames());
        KeptCrash {
            id: snapshot.id.clone(),
            fingerprint: snapshot.fingerprint.clone(),
            kind: snapshot.cause.kind,
            message: snapshot.cause.message.chars().take(MESSAGE_LIMIT).collect(),
            signal: snapshot.cause.signal.clone(),
            location: snapshot.called_at().or(snapshot.location.as_ref()).cloned(),
            function: frame.map(|frame| frame.function.clone()),
            ended_doctest: false,
            count: snapshot.count,
        }
    }
}

/// The frame that a crash is known by: the workspace's innermost. Outside of a workspace the innermost that is not std's,
/// since the innermost of a panic are those of the panic machinery.
fn telling_frame(frames: &[Frame]) -> Option<&Frame> {
    let workspace = frames.iter().find(|frame| frame.kind == FrameKind::Workspace);
    workspace.or_else(|| frames.iter().find(|frame| frame.kind != FrameKind::Std)).or_else(|| frames.first())
}

/// The log of one run.
pub(crate) struct Log {
    path: PathBuf,
    /// What could not be written there, on a full disk.
    unwritten: RefCell<Vec<Entry>>,
}

impl Log {
    /// A new log.
    pub(crate) fn create(path: &Path) -> io::Result<Log> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Log::open(path))
    }

    /// The log of a run that is under way.
    pub(crate) fn open(path: &Path) -> Log {
        Log { path: path.to_owned(), unwritten: RefCell::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a line. One that cannot be written is not worth ending the program for: it is kept for
    /// [`Log::unwritten`].
    pub(crate) fn add(&self, entry: Entry) {
        let write = || -> io::Result<()> {
            // A line that another process could not finish ends here.
            let line = [b"\n", serde_json::to_vec(&entry)?.as_slice(), b"\n"].concat();
            // One write of a file opened to append: lines of several processes do not mix.
            OpenOptions::new().append(true).open(&self.path)?.write_all(&line)
        };
        if write().is_err() {
            self.unwritten.borrow_mut().push(entry);
        }
    }

    /// What this process could not write, in words.
    pub(crate) fn unwritten(&self) -> Vec<String> {
        let word = |entry: Entry| match entry {
            Entry::Kept(crash) => Some(format!("snapshot {} was kept: {}", crash.id, crash.message)),
            Entry::Note(note) => Some(note),
            Entry::Counted(..) => None,
        };
        let mut words: Vec<String> = self.unwritten.take().into_iter().filter_map(word).collect();
        words.dedup();
        words
    }

    /// What was kept, with the last counts, and the notes, each once.
    pub(crate) fn read(&self) -> (Vec<KeptCrash>, Vec<String>) {
        let (mut kept, mut notes): (Vec<KeptCrash>, Vec<String>) = (Vec::new(), Vec::new());
        let mut counts: Vec<(String, u64)> = Vec::new();
        let text = std::fs::read(&self.path).unwrap_or_default();
        let written = text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
        for entry in written.chain(self.unwritten.take()) {
            match entry {
                Entry::Kept(crash) => {
                    counts.push((crash.fingerprint.clone(), crash.count));
                    kept.push(crash);
                }
                Entry::Counted(fingerprint, count) => counts.push((fingerprint, count)),
                Entry::Note(note) if !notes.contains(&note) => notes.push(note),
                Entry::Note(_) => {}
            }
        }
        for crash in &mut kept {
            let same = counts.iter().filter(|(fingerprint, _)| *fingerprint == crash.fingerprint);
            crash.count = same.map(|(_, count)| *count).max().unwrap_or(crash.count);
        }
        (kept, notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_of_a_workspace_a_panic_is_named_by_the_function_that_panicked() {
        let frame = |function: &str, kind| Frame { function: function.to_owned(), kind, ..Frame::default() };
        let std = frame("std::panicking::panic_with_hook", FrameKind::Std);
        let named = |frames: &[Frame]| telling_frame(frames).map(|frame| frame.function.clone());
        let own = frame("ep::main", FrameKind::Dependency);
        assert_eq!(named(&[std.clone(), own.clone()]).as_deref(), Some("ep::main"));
        let inner = frame("ep::inner", FrameKind::Workspace);
        assert_eq!(named(&[std.clone(), own, inner]).as_deref(), Some("ep::inner"));
        assert_eq!(named(&[std]).as_deref(), Some("std::panicking::panic_with_hook"));
    }
}
