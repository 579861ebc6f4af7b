//! Keeps a run's crashes in the store, at most three of a fingerprint, and notes them in the run's log.

use std::collections::HashMap;

use relapse_snapshot::store::{Kept, Store};
use relapse_snapshot::{Cause, CauseKind, Frame, Location, Snapshot};

use super::DOCTEST;
use super::Expects;
use super::log::{Entry, KeptCrash, Log};
use crate::panic::PanicLocation;
use crate::tracer::{Crash, Expectation, Recorder};

/// Snapshots of one fingerprint that are kept of one run.
const SAME_LIMIT: usize = 3;

/// The recorder of a run.
pub(super) struct Recording<'a, 'b> {
    store: Store,
    run: String,
    log: &'a Log,
    expects: &'a mut Expects<'b>,
    /// Whether the program is a documentation test.
    doctest: bool,
    /// The fingerprint that was last seen at a place.
    places: HashMap<PanicLocation, String>,
    /// How many of a fingerprint were handed over.
    seen: HashMap<String, usize>,
}

impl<'a, 'b> Recording<'a, 'b> {
    pub(super) fn new(
        store: Store,
        run: String,
        log: &'a Log,
        expects: &'a mut Expects<'b>,
    ) -> Recording<'a, 'b> {
        Recording { store, run, log, expects, doctest: false, places: HashMap::new(), seen: HashMap::new() }
    }

    /// The same for a program that may be a documentation test.
    pub(super) fn of_doctest(mut self, doctest: bool) -> Self {
        self.doctest = doctest;
        self
    }

    /// Counts further crashes of a fingerprint that is kept; `None` where it is not.
    fn count(&self, fingerprint: &str, times: u64) -> Option<u64> {
        let count = self.store.count(fingerprint, &self.run, times).ok().flatten()?;
        self.log.add(Entry::Counted(fingerprint.to_owned(), count));
        Some(count)
    }

    /// A panic that nothing catches ends the test, and makes one pass that is meant to panic.
    fn kept(&self, snapshot: &Snapshot) -> KeptCrash {
        let ends = snapshot.cause.kind == CauseKind::Panic && snapshot.caught_by.is_empty();
        let ended_doctest = self.doctest && ends && snapshot.program.name == DOCTEST;
        KeptCrash { ended_doctest, ..snapshot.into() }
    }
}

impl Recorder for Recording<'_, '_> {
    fn wants(
        &mut self,
        cause: &Cause,
        place: Option<&PanicLocation>,
        location: Option<&Location>,
        frames: &[Frame],
    ) -> bool {
        let fingerprint = relapse_snapshot::fingerprint::fingerprint(cause, location, frames);
        let enough = self.seen.get(&fingerprint).is_some_and(|seen| *seen >= SAME_LIMIT);
        // Another process may have had its snapshots removed since: then it is captured once more.
        if !enough || self.count(&fingerprint, 1).is_none() {
            return true;
        }
        if let Some(place) = place {
            self.places.insert(place.clone(), fingerprint);
        }
        false
    }

    fn crash(&mut self, crash: Crash) {
        let mut snapshot = crash.snapshot;
        snapshot.fingerprint = relapse_snapshot::fingerprint::fingerprint(
            &snapshot.cause,
            snapshot.location.as_ref(),
            snapshot.frames(),
        );
        let fingerprint = snapshot.fingerprint.clone();
        *self.seen.entry(fingerprint.clone()).or_default() += 1;
        if let Some(place) = crash.place {
            self.places.insert(place, fingerprint.clone());
        }
        let entry = match self.store.put_or_count(snapshot, &self.run, SAME_LIMIT) {
            Ok(Kept::New(snapshot)) => Entry::Kept(self.kept(&snapshot)),
            Ok(Kept::Counted { count, .. }) => Entry::Counted(fingerprint, count),
            Ok(Kept::Uncounted(snapshot, reason)) => {
                self.log.add(Entry::Note(format!("a crash was kept, but not counted: {reason}")));
                Entry::Kept(self.kept(&snapshot))
            }
            Err(error) => Entry::Note(format!("a crash could not be kept: {}", chain(&error))),
        };
        self.log.add(entry);
    }

    fn repeated(&mut self, place: &PanicLocation, times: u64) {
        if let Some(fingerprint) = self.places.get(place) {
            self.count(fingerprint, times);
        }
    }

    fn expectation(&mut self, test: &Frame) -> Expectation {
        (self.expects)(test)
    }

    fn note(&mut self, text: String) {
        self.log.add(Entry::Note(text));
    }
}

/// An error with its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        text = format!("{text}: {reason}");
        source = reason.source();
    }
    text
}
