//! Records of runs: which snapshots of a run were kept for each fingerprint, and how often it was seen. One
//! small file a run, `runs/RUN.json`, under a lock of its own; counts shown are those of the records.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::commands::{self, COMMAND, INPUT};
use super::file::{parse, write_whole};
use super::lock;
use super::names;
use crate::crash::FORMAT;
use crate::error::SnapshotError;
use crate::lock::{Lock, Mode};

/// Records are small; a larger file is none.
const RECORD_MAX: u64 = 32 << 20;
const RECORD: &str = ".json";
const LOCK: &str = ".lock";

#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    fingerprints: BTreeMap<String, Seen>,
}

#[derive(Default, Serialize, Deserialize)]
struct Seen {
    /// The snapshots that were kept, first to last.
    ids: Vec<String>,
    /// How often the fingerprint was seen.
    count: u64,
}

/// The record of one run, locked for this process until it is dropped.
pub(super) struct Record {
    path: PathBuf,
    content: Content,
    _lock: Option<Lock>,
}

impl Record {
    pub(super) fn lock(folder: &Path, run: &str) -> Result<Record, SnapshotError> {
        check_name(run)?;
        let lock = lock::take_if_there_are_any(&folder.join(format!("{run}{LOCK}")), Mode::Alone)?;
        let path = folder.join(format!("{run}{RECORD}"));
        let content = match read(&path) {
            Ok(content) => content.unwrap_or_else(empty),
            // What a record held is lost; it starts anew, and at worst a few snapshots more are kept.
            Err(SnapshotError::Damaged { .. }) => empty(),
            Err(error) => return Err(error),
        };
        Ok(Record { path, content, _lock: lock })
    }

    /// Counts a fingerprint of which `max` snapshots or more are kept: the first one's id, and the new count.
    pub(super) fn count_if_full(
        &mut self,
        fingerprint: &str,
        max: usize,
        times: u64,
    ) -> Result<Option<(String, u64)>, SnapshotError> {
        let Some(seen) = self.content.fingerprints.get_mut(fingerprint) else { return Ok(None) };
        let Some(first) = seen.ids.first().filter(|_| seen.ids.len() >= max).cloned() else {
            return Ok(None);
        };
        seen.count = seen.count.saturating_add(times);
        let count = seen.count;
        self.write()?;
        Ok(Some((first, count)))
    }

    /// Notes a snapshot that was kept; returns the new count.
    pub(super) fn kept(&mut self, fingerprint: &str, id: &str) -> Result<u64, SnapshotError> {
        let seen = self.content.fingerprints.entry(fingerprint.to_owned()).or_default();
        seen.ids.push(id.to_owned());
        seen.count = seen.count.saturating_add(1);
        let count = seen.count;
        self.write()?;
        Ok(count)
    }

    fn write(&self) -> Result<(), SnapshotError> {
        let json = serde_json::to_vec(&self.content)
            .map_err(|error| SnapshotError::write("serialise", &self.path, error.into()))?;
        write_whole(&self.path, &json)
    }
}

/// Whether a name can be that of a run.
pub(super) fn check_name(run: &str) -> Result<(), SnapshotError> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if (1..=64).contains(&run.len()) && run.bytes().all(fits) {
        return Ok(());
    }
    Err(SnapshotError::BadRun { name: run.to_owned() })
}

fn empty() -> Content {
    Content { format: FORMAT, fingerprints: BTreeMap::new() }
}

/// The content of a record; `None` where it is not there.
fn read(path: &Path) -> Result<Option<Content>, SnapshotError> {
    let io_error = |source| SnapshotError::read("read", path, source);
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => return Err(SnapshotError::damaged(path, "it is not a file")),
        Ok(metadata) if metadata.len() <= RECORD_MAX => {}
        Ok(_) => return Err(SnapshotError::damaged(path, "it is too large for a record of a run")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error(source)),
    }
    match fs::read(path) {
        Ok(json) => parse(&json, path).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io_error(source)),
    }
}

/// The runs that have a record; a file of another name is none of ours.
fn records(folder: &Path) -> Result<Vec<String>, SnapshotError> {
    let names = names(folder)?;
    let runs = names.iter().filter_map(|name| name.strip_suffix(RECORD));
    Ok(runs.filter(|run| check_name(run).is_ok()).map(str::to_owned).collect())
}

/// How often the fingerprint of each snapshot was seen in its run. Damaged records are added to `damaged`.
pub(super) fn counts(
    folder: &Path,
    damaged: &mut Vec<(PathBuf, SnapshotError)>,
) -> Result<HashMap<String, u64>, SnapshotError> {
    let mut counts = HashMap::new();
    for run in records(folder)? {
        let path = folder.join(format!("{run}{RECORD}"));
        match read(&path) {
            Ok(content) => {
                for seen in content.into_iter().flat_map(|content| content.fingerprints.into_values()) {
                    counts.extend(seen.ids.into_iter().map(|id| (id, seen.count)));
                }
            }
            Err(error) => damaged.push((path, error)),
        }
    }
    Ok(counts)
}

/// The run that kept a snapshot.
pub(super) fn run_of(folder: &Path, id: &str) -> Result<Option<String>, SnapshotError> {
    Ok(with_run_of(folder, id)?.map(|(run, _)| run))
}

/// The snapshots that were kept of a snapshot's run, its own among them, in no order.
pub(super) fn ids_of_run_of(folder: &Path, id: &str) -> Result<Vec<String>, SnapshotError> {
    let content = with_run_of(folder, id)?.map(|(_, content)| content);
    Ok(content
        .into_iter()
        .flat_map(|content| content.fingerprints.into_values())
        .flat_map(|seen| seen.ids)
        .collect())
}

fn with_run_of(folder: &Path, id: &str) -> Result<Option<(String, Content)>, SnapshotError> {
    for run in records(folder)? {
        if let Ok(Some(content)) = read(&folder.join(format!("{run}{RECORD}")))
            && content.fingerprints.values().flat_map(|seen| &seen.ids).any(|other| other == id)
        {
            return Ok(Some((run, content)));
        }
    }
    Ok(None)
}

/// Takes a removed snapshot out of the record that it is in. The run's command goes with its last one.
pub(super) fn forget(folder: &Path, id: &str) -> Result<(), SnapshotError> {
    for run in records(folder)? {
        let mut record = Record::lock(folder, &run)?;
        let kept = |seen: &Seen| seen.ids.iter().any(|other| other == id);
        if !record.content.fingerprints.values().any(kept) {
            continue;
        }
        for seen in record.content.fingerprints.values_mut() {
            seen.ids.retain(|other| other != id);
        }
        record.write()?;
        if record.content.fingerprints.values().all(|seen| seen.ids.is_empty()) {
            commands::remove(folder, &run)?;
        }
        return Ok(());
    }
    Ok(())
}

/// Records and commands of which no snapshot is left, and locks without a record. Only under the store's lock held alone.
pub(super) fn leftovers(folder: &Path, ids: &HashSet<String>) -> Result<Vec<PathBuf>, SnapshotError> {
    let mut live = HashSet::new();
    for run in records(folder)? {
        let is_live = match read(&folder.join(format!("{run}{RECORD}"))) {
            Ok(None) => false,
            Ok(Some(content)) => {
                content.fingerprints.values().flat_map(|seen| &seen.ids).any(|id| ids.contains(id))
            }
            // It holds nothing of use.
            Err(SnapshotError::Damaged { .. }) => false,
            // A newer version wrote it, or it cannot be read just now.
            Err(_) => true,
        };
        if is_live {
            live.insert(run);
        }
    }
    let is_leftover = |name: &String| {
        let run = [RECORD, LOCK, COMMAND, INPUT].iter().find_map(|ending| name.strip_suffix(ending));
        run.is_some_and(|run| check_name(run).is_ok() && !live.contains(run))
    };
    let paths = names(folder)?.into_iter().filter(is_leftover).map(|name| folder.join(name));
    Ok(paths.filter(|path| !path.is_dir()).collect())
}
