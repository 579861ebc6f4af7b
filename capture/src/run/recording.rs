//! Keeps a run's crashes in the store, at most three of a fingerprint, and notes them in the run's log.

use std::collections::HashMap;

use relapse_snapshot::store::{Kept, Store};
use relapse_snapshot::{CauseKind, Frame, Snapshot};

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
}

impl<'a, 'b> Recording<'a, 'b> {
    pub(super) fn new(
        store: Store,
        run: String,
        log: &'a Log,
        expects: &'a mut Expects<'b>,
    ) -> Recording<'a, 'b> {
        Recording { store, run, log, expects, doctest: false, places: HashMap::new() }
    }

    /// The same for a program that may be a documentation test.
    pub(super) fn of_doctest(mut self, doctest: bool) -> Self {
        self.doctest = doctest;
        self
    }

    /// A panic that nothing catches ends the test, and makes one pass that is meant to panic.
    fn kept(&self, snapshot: &Snapshot) -> KeptCrash {
        let ends = snapshot.cause.kind == CauseKind::Panic && snapshot.caught_by.is_empty();
        let ended_doctest = self.doctest && ends && snapshot.program.name == DOCTEST;
        KeptCrash { ended_doctest, ..snapshot.into() }
    }
}

impl Recorder for Recording<'_, '_> {
    fn crash(&mut self, crash: Crash) {
        let mut snapshot = crash.snapshot;
        snapshot.fingerprint = relapse_snapshot::fingerprint::fingerprint(
            &snapshot.cause,
            snapshot.location.as_ref(),
            snapshot.frames(),
        );
        let fingerprint = snapshot.fingerprint.clone();
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
        let Some(fingerprint) = self.places.get(place) else { return };
        if let Ok(Some(count)) = self.store.count(fingerprint, &self.run, times) {
            self.log.add(Entry::Counted(fingerprint.clone(), count));
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
