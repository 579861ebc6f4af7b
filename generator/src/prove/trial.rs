//! Runs tests that were built: each as often as its proof takes, those of several candidates at once. In: tests and
//! the crash that they are to show. Out: how often it came back, and what a call lacks for that.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use relapse_snapshot::Program;

use super::{Bench, dependence};
use crate::regression::Given;
use crate::same_crash::Crash;
use crate::verify::{ObserveError, Observer, ROUNDS, TestRun, Verification, verify};

/// Runs of a crash that does not come back each time.
const CHANCES: u32 = 10;

/// A test, ready to run, and the crash that it is to show.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) run: TestRun,
    pub(super) crash: Crash,
    /// Whether its call was given nothing beside its arguments yet, so that what it lacks is worth a search.
    pub(super) bare: bool,
}

/// What a trial came to.
pub(super) struct Tried {
    pub(super) verification: Verification,
    /// What its call must be given for the crash to come back: it was not run any further.
    pub(super) lacks: Option<Given>,
    /// Runs, those of the search included.
    pub(super) runs: u32,
}

/// What all trials share: what a test can be given, and who runs it.
pub(super) struct Setting<'a> {
    /// The crashed program.
    pub(super) program: &'a Program,
    /// The scratch copy's root.
    pub(super) root: &'a Path,
    observer: &'a dyn Observer,
    /// Trials that run at the same time.
    at_once: usize,
}

impl<'a> Setting<'a> {
    pub(super) fn of(bench: &Bench<'a>) -> Setting<'a> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Setting {
            program: &bench.snapshot.program,
            root: bench.scratch.root(),
            observer: bench.observer,
            // Two calls that may change the same file, or talk to the same server, would be in each other's way.
            at_once: if bench.observer.keeps_apart() { cores } else { 1 },
        }
    }

    /// Runs a test a number of times.
    pub(super) fn verify(
        &self,
        run: &TestRun,
        crash: &Crash,
        rounds: u32,
    ) -> Result<Verification, ObserveError> {
        verify(self.observer, run, crash, rounds)
    }

    /// Runs each test as often as its proof takes; one that shows the crash at times as often as its rate takes.
    fn one(&self, trial: &Trial) -> Result<Tried, ObserveError> {
        let Trial { run, crash, bare } = trial;
        let mut verification = self.verify(run, crash, 1)?;
        let mut runs = 0;
        if !verification.is_verified() && *bare {
            let lacks = dependence::seek(run, crash, self, &mut runs)?;
            if lacks.is_some() {
                runs += verification.of;
                return Ok(Tried { verification, lacks, runs });
            }
        }
        for rounds in [ROUNDS, CHANCES] {
            let comes_and_goes = (1..verification.of).contains(&verification.reproduced);
            // A test that overran its time would take as long again.
            if !verification.timed_out && (rounds == ROUNDS || comes_and_goes) {
                let more = rounds.saturating_sub(verification.of);
                verification = verification.and(self.verify(run, crash, more)?);
            }
        }
        runs += verification.of;
        Ok(Tried { verification, lacks: None, runs })
    }

    /// Runs all tests, and gives what they came to in their order.
    pub(super) fn all(&self, trials: &[Trial]) -> Result<Vec<Tried>, ObserveError> {
        let open = Mutex::new(trials.iter().enumerate());
        let next = || open.lock().unwrap_or_else(PoisonError::into_inner).next();
        let work = || std::iter::from_fn(next).map(|(index, trial)| (index, self.one(trial))).collect();
        let mut tried: Vec<(usize, Result<Tried, ObserveError>)> = thread::scope(|scope| {
            let others: Vec<_> = (1..self.at_once.min(trials.len())).map(|_| scope.spawn(work)).collect();
            let mut tried: Vec<_> = work();
            for other in others {
                match other.join() {
                    Ok(more) => tried.extend(more),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            tried
        });
        tried.sort_by_key(|(index, _)| *index);
        tried.into_iter().map(|(_, tried)| tried).collect()
    }
}
