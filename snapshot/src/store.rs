//! The store of snapshots in `.relapse/`: `snapshots/ID.json.zst`, private files, written atomically, by many
//! processes at once. What is written has been redacted and cut to a bounded depth; what is damaged is
//! reported and skipped, and never stops the others from being read.
//!
//! Locks (advisory, `flock`): every writer holds `lock` shared while it has a temporary file open, `sweep`
//! takes it alone, so leftovers are told from work in progress. A run's record has a lock of its own.

mod commands;
mod file;
mod listing;
mod lock;
mod runs;

use std::collections::HashSet;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::consequence;
use crate::crash::{FORMAT, Snapshot};
use crate::error::SnapshotError;
use crate::fingerprint::fingerprint;
use crate::lock::{Lock, Mode};
use crate::redact::{Rules, redact, redact_words};

pub use commands::{INPUT_MAX, KeptCommand, KeptInput};
pub use file::{SIZE_MAX, from_json, to_json};
pub use listing::{Listing, Summary};

/// How temporary files begin; nothing else in the store does.
const TEMPORARY: &str = ".tmp-";
const ENDING: &str = ".json.zst";
/// What its `.gitignore` holds, unless the user has other plans.
const IGNORE: &[u8] = b"# Snapshots may hold private data.\n*\n";

/// The store in one `.relapse/` folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    rules: Rules,
}

/// What became of a snapshot that was given to [`Store::put_or_count`].
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// It was written.
    New(Box<Snapshot>),
    /// Enough of its fingerprint are kept of this run already; it was only counted.
    Counted {
        /// The snapshot that was kept first.
        id: String,
        /// How often the fingerprint was seen in this run, this time included.
        count: u64,
    },
    /// It was written, but it could not be noted that it belongs to this run, with the reason.
    Uncounted(Box<Snapshot>, String),
}

impl Store {
    /// The store in `folder` (a `.relapse/`), without touching the disk: a folder that is not there is an
    /// empty store.
    pub fn at(folder: impl Into<PathBuf>) -> Store {
        Store { folder: folder.into(), rules: Rules::default() }
    }

    /// The store in `folder` (a `.relapse/`), which is created where it is not there, with a `.gitignore` of
    /// its own.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Store, SnapshotError> {
        let store = Store::at(folder);
        store.prepare()?;
        Ok(store)
    }

    /// The same store with other rules of redaction. The default ones are on.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Store {
        self.rules = rules;
        self
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of a snapshot, whether it is there or not. `id` is a whole one.
    pub fn path(&self, id: &str) -> PathBuf {
        self.snapshots().join(format!("{id}{ENDING}"))
    }

    /// Writes a snapshot and returns it as it was written: with a new id, redacted, cut to
    /// [`MAX_DEPTH`](crate::depth::MAX_DEPTH); its time and fingerprint are filled in where they are empty.
    pub fn put(&self, snapshot: Snapshot) -> Result<Snapshot, SnapshotError> {
        self.prepare()?;
        let _lock = self.shared_lock()?;
        self.write(self.ready(snapshot))
    }

    /// Writes a snapshot unless `max` of its fingerprint are kept of this run already; then it is counted.
    /// `run` is a name that all processes of one run share (see [`new_name`]).
    pub fn put_or_count(&self, snapshot: Snapshot, run: &str, max: usize) -> Result<Kept, SnapshotError> {
        runs::check_name(run)?;
        self.prepare()?;
        let snapshot = self.ready(snapshot);
        let locked = self.shared_lock().and_then(|lock| Ok((lock, runs::Record::lock(&self.runs(), run)?)));
        let (_lock, mut record) = match locked {
            Ok(locked) => locked,
            // Trouble with a lock does not cost the snapshot.
            Err(error) => return Ok(Kept::Uncounted(Box::new(self.write(snapshot)?), with_causes(&error))),
        };
        if let Some((id, count)) = record.count_if_full(&snapshot.fingerprint, max, 1)? {
            return Ok(Kept::Counted { id, count });
        }
        let mut snapshot = self.write(snapshot)?;
        match record.kept(&snapshot.fingerprint, &snapshot.id) {
            Ok(count) => snapshot.count = count,
            // The snapshot is on the disk all the same.
            Err(error) => return Ok(Kept::Uncounted(Box::new(snapshot), with_causes(&error))),
        }
        Ok(Kept::New(Box::new(snapshot)))
    }

    /// Counts further crashes of a fingerprint that is kept of this run already, without their snapshots: for
    /// programs that panic by the thousand. Returns the new count; `None` where none is kept.
    pub fn count(&self, fingerprint: &str, run: &str, times: u64) -> Result<Option<u64>, SnapshotError> {
        self.prepare()?;
        let _lock = self.shared_lock()?;
        let mut record = runs::Record::lock(&self.runs(), run)?;
        Ok(record.count_if_full(fingerprint, 1, times)?.map(|(_, count)| count))
    }

    /// Keeps the command of a run, so that it can be run again; `false` where it is not kept, because it may hold
    /// a secret.
    pub fn keep_command(&self, run: &str, command: &KeptCommand) -> Result<bool, SnapshotError> {
        let mut words = command.words.clone();
        if redact_words(&mut words, &self.rules) > 0 {
            return Ok(false);
        }
        self.prepare()?;
        let _lock = self.shared_lock()?;
        runs::check_name(run)?;
        commands::write(&self.runs(), run, command).map(|()| true)
    }

    /// Keeps what a run's command has read of a pipe; `false` where it is not kept, because it may hold a secret.
    pub fn keep_input(&self, run: &str, input: &[u8]) -> Result<bool, SnapshotError> {
        let text = String::from_utf8_lossy(input);
        if self.rules.redact_text(&text) != text {
            return Ok(false);
        }
        self.prepare()?;
        let _lock = self.shared_lock()?;
        runs::check_name(run)?;
        commands::write_input(&self.runs(), run, input).map(|()| true)
    }

    /// What the command has read of a pipe whose run the snapshot of this whole id comes from; `None` where it
    /// was not kept.
    pub fn input_of(&self, id: &str) -> Result<Option<Vec<u8>>, SnapshotError> {
        match runs::run_of(&self.runs(), id)? {
            Some(run) => commands::read_input(&self.runs(), &run),
            None => Ok(None),
        }
    }

    /// The command whose run the snapshot of this whole id comes from; `None` where it was not kept.
    pub fn command_of(&self, id: &str) -> Result<Option<KeptCommand>, SnapshotError> {
        match runs::run_of(&self.runs(), id)? {
            Some(run) => commands::read(&self.runs(), &run),
            None => Ok(None),
        }
    }

    /// All snapshots, oldest first, and the files that could not be read.
    pub fn list(&self) -> Result<Listing, SnapshotError> {
        let mut listing = Listing::default();
        let counts = runs::counts(&self.runs(), &mut listing.damaged)?;
        for id in self.ids()? {
            let path = self.path(&id);
            match listing::summary(&path, &id) {
                Ok(mut summary) => {
                    summary.count = counts.get(&id).copied().unwrap_or(summary.count);
                    listing.snapshots.push(summary);
                }
                // Removed by another process since the folder was read.
                Err(SnapshotError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                Err(error) => listing.damaged.push((path, error)),
            }
        }
        listing.snapshots.sort_by(|a, b| a.moment().cmp(&b.moment()));
        Ok(listing)
    }

    /// The snapshot of the same run that the crash of this whole id passes on (a lock that it has poisoned, a thread that is
    /// joined: see [`consequence`](crate::consequence)); `None` where it stands for itself.
    pub fn origin_of(&self, id: &str) -> Result<Option<String>, SnapshotError> {
        let own = listing::summary(&self.path(id), id)?;
        if !consequence::passes_on(&own.cause.message) {
            return Ok(None);
        }
        let others = runs::ids_of_run_of(&self.runs(), id)?.into_iter().filter(|other| other != id);
        // One that was removed or damaged tells nothing.
        let others = others.filter_map(|other| listing::summary(&self.path(&other), &other).ok());
        let mut crashes: Vec<Summary> = others.chain([own]).collect();
        crashes.sort_by(|a, b| a.moment().cmp(&b.moment()));
        let links: Vec<_> = crashes.iter().map(Summary::link).collect();
        let at = crashes.iter().position(|crash| crash.id == id);
        let origin = at.and_then(|at| consequence::origin(&links, at));
        Ok(origin.map(|origin| crashes[origin].id.clone()))
    }

    /// The id that `name` means: a unique prefix of one, or `latest`.
    pub fn resolve(&self, name: &str) -> Result<String, SnapshotError> {
        if name == "latest" {
            let latest = self.list()?.snapshots.pop();
            return latest.map(|s| s.id).ok_or(SnapshotError::Empty { folder: self.folder.clone() });
        }
        let prefix = name.to_ascii_lowercase();
        let mut found: Vec<String> = self.ids()?.into_iter().filter(|id| id.starts_with(&prefix)).collect();
        match found.len() {
            1 if !prefix.is_empty() => Ok(found.remove(0)),
            0 | 1 => Err(SnapshotError::NotFound { name: name.to_owned(), folder: self.folder.clone() }),
            _ => {
                found.truncate(8);
                Err(SnapshotError::Ambiguous { prefix: name.to_owned(), candidates: found })
            }
        }
    }

    /// The snapshot that `name` means: a unique prefix of its id, or `latest`.
    pub fn get(&self, name: &str) -> Result<Snapshot, SnapshotError> {
        let id = self.resolve(name)?;
        let mut snapshot = file::read(&self.path(&id))?;
        if snapshot.id != id {
            return Err(SnapshotError::damaged(self.path(&id), "it holds a snapshot of another name"));
        }
        if let Some(count) = runs::counts(&self.runs(), &mut Vec::new())?.get(&id) {
            snapshot.count = *count;
        }
        Ok(snapshot)
    }

    /// Removes the snapshot that `name` means (a damaged one too) and returns its id.
    pub fn remove(&self, name: &str) -> Result<String, SnapshotError> {
        let id = self.resolve(name)?;
        let path = self.path(&id);
        fs::remove_file(&path).map_err(|source| SnapshotError::write("remove", path, source))?;
        let _lock = self.shared_lock()?;
        runs::forget(&self.runs(), &id)?;
        Ok(id)
    }

    /// Removes what killed writers left behind: temporary files, and records of runs of which no snapshot is
    /// left. Waits for writers that are at work. Returns what was removed.
    pub fn sweep(&self) -> Result<Vec<PathBuf>, SnapshotError> {
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let _lock = lock::take(&self.lock_file(), Mode::Alone)?;
        let mut leftovers = Vec::new();
        for folder in [self.folder.clone(), self.snapshots(), self.runs()] {
            let names = names(&folder)?;
            leftovers.extend(names.into_iter().filter(|n| n.starts_with(TEMPORARY)).map(|n| folder.join(n)));
        }
        let ids: HashSet<String> = self.ids()?.into_iter().collect();
        leftovers.extend(runs::leftovers(&self.runs(), &ids)?);
        for path in &leftovers {
            match fs::remove_file(path) {
                Err(source) if source.kind() != ErrorKind::NotFound => {
                    return Err(SnapshotError::write("remove", path, source));
                }
                _ => {}
            }
        }
        Ok(leftovers)
    }

    /// What must hold before a snapshot may be written.
    fn ready(&self, mut snapshot: Snapshot) -> Snapshot {
        crate::depth::limit_depth(&mut snapshot);
        redact(&mut snapshot, &self.rules);
        snapshot.format = FORMAT;
        if snapshot.time.is_empty() {
            snapshot.time = now();
        }
        if snapshot.fingerprint.is_empty() {
            snapshot.fingerprint =
                fingerprint(&snapshot.cause, snapshot.location.as_ref(), snapshot.frames());
        }
        snapshot.count = snapshot.count.max(1);
        snapshot
    }

    /// Writes under a new id; the caller holds the shared lock. A crash whose values are too large is kept without.
    fn write(&self, mut snapshot: Snapshot) -> Result<Snapshot, SnapshotError> {
        let mut whole = true;
        loop {
            snapshot.id = new_name();
            match file::write_new(&self.path(&snapshot.id), &snapshot) {
                Ok(true) => return Ok(snapshot),
                Ok(false) => {}
                Err(SnapshotError::TooLarge { limit_mib, .. }) if whole => {
                    drop_values(&mut snapshot, limit_mib);
                    whole = false;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn ids(&self) -> Result<Vec<String>, SnapshotError> {
        let mut ids: Vec<String> = names(&self.snapshots())?
            .into_iter()
            .filter_map(|name| name.strip_suffix(ENDING).map(str::to_owned))
            .filter(|id| id.len() == 16 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            .collect();
        ids.sort();
        Ok(ids)
    }

    fn prepare(&self) -> Result<(), SnapshotError> {
        for folder in [self.folder.clone(), self.snapshots(), self.runs()] {
            create_private_folder(&folder)?;
        }
        let ignore = self.folder.join(".gitignore");
        if fs::read(&ignore)
            .map_or_else(|error| error.kind() == ErrorKind::NotFound, |content| is_cut(&content))
        {
            // It is written through a temporary file, which a sweep must not take for a leftover.
            let _lock = self.shared_lock()?;
            file::write_lasting(&ignore, IGNORE)?;
        }
        Ok(())
    }

    fn snapshots(&self) -> PathBuf {
        self.folder.join("snapshots")
    }

    fn runs(&self) -> PathBuf {
        self.folder.join("runs")
    }

    /// Held by whoever writes, so that no sweep takes a temporary file away.
    fn shared_lock(&self) -> Result<Option<Lock>, SnapshotError> {
        lock::take_if_there_are_any(&self.lock_file(), Mode::Shared)
    }

    fn lock_file(&self) -> PathBuf {
        self.folder.join("lock")
    }
}

/// A new name of 16 hexadecimal digits, for a snapshot or a run: random, and different for each time, process
/// and call.
pub fn new_name() -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    // RandomState's keys come from the system; the first digits must differ soon, so time is hashed as well.
    let hash = RandomState::new().hash_one((SystemTime::now(), std::process::id(), call));
    format!("{hash:016x}")
}

/// The time as snapshots have it: RFC 3339, UTC, whole seconds.
pub fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Takes the arguments out of a snapshot, and says so.
fn drop_values(snapshot: &mut Snapshot, limit_mib: u64) {
    let reason = format!(
        "the values of this crash are larger than the {limit_mib} MiB that a snapshot may hold, so they are left out: \
         lower `[limits]` in relapse.toml"
    );
    for frame in snapshot.frames_mut() {
        if !frame.arguments.is_empty() {
            frame.arguments = Vec::new();
            frame.arguments_missing = Some(reason.clone());
        }
    }
    snapshot.notes.push(reason);
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Whether a `.gitignore` is one of ours that did not reach the disk whole: cut, or zeros.
fn is_cut(ignore: &[u8]) -> bool {
    (IGNORE.starts_with(ignore) && ignore.len() < IGNORE.len()) || ignore.iter().all(|b| *b == 0)
}

fn create_private_folder(folder: &Path) -> Result<(), SnapshotError> {
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {
            if metadata.permissions().mode() & 0o077 != 0 {
                // Not ours to change where it belongs to someone else; the files are private anyhow.
                let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
            }
            Ok(())
        }
        _ => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| SnapshotError::write("create", folder, source)),
    }
}

/// The names in a folder that are UTF-8 (the store writes no others); none where the folder is not there.
fn names(folder: &Path) -> Result<Vec<String>, SnapshotError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(SnapshotError::read("list", folder, source)),
    };
    entries
        .filter_map(|entry| entry.map(|entry| entry.file_name().into_string().ok()).transpose())
        .collect::<Result<_, _>>()
        .map_err(|source| SnapshotError::read("list", folder, source))
}
