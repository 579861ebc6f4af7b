//! Runs tests that were built: each as often as its proof takes, those of several candidates at once. In: tests and
//! the crash that they are to show. Out: how often it came back, and what a call lacks for that.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;

use relapse_snapshot::Program;

use super::reads::random_files;
use super::{Bench, dependence, stack};
use crate::paths::{normalized, relative};
use crate::regression::Given;
use crate::same_crash::Crash;
use crate::verify::{ObserveError, Observer, ROUNDS, TestRun, Verification, verify};

/// Runs of a crash that does not come back each time, or that may not.
const CHANCES: u32 = 10;

/// A test, ready to run, and the crash that it is to show.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) run: TestRun,
    pub(super) crash: Crash,
    /// Whether its call was given nothing beside its arguments yet, so that what it lacks is worth a search.
    pub(super) bare: bool,
    /// Whether its functions read the clock or random numbers, or it is given a hash table, so that runs that are alike prove less.
    pub(super) by_chance: bool,
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
    program: &'a Program,
    /// What makes a test's stack as large as the crashed thread's.
    stack: Option<(String, String)>,
    /// The scratch copy's root.
    root: &'a Path,
    observer: &'a dyn Observer,
    /// Trials that run at the same time.
    at_once: usize,
}

impl<'a> Setting<'a> {
    pub(super) fn of(bench: &Bench<'a>) -> Setting<'a> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Setting {
            program: &bench.snapshot.program,
            stack: stack::variable(bench.snapshot),
            root: bench.scratch.root(),
            observer: bench.observer,
            // Two calls that may change the same file, or talk to the same server, would be in each other's way.
            at_once: if bench.observer.keeps_apart() { cores } else { 1 },
        }
    }

    /// Runs a test a number of times.
    fn verify(&self, run: &TestRun, crash: &Crash, rounds: u32) -> Result<Verification, ObserveError> {
        verify(self.observer, run, crash, rounds)
    }

    /// Runs each test as often as its proof takes; one that shows the crash at times as often as its rate takes.
    fn one(&self, trial: &Trial) -> Result<Tried, ObserveError> {
        let Trial { run, crash, bare, by_chance } = trial;
        let mut verification = self.verify(run, crash, 1)?;
        let mut runs = 0;
        // A test that overran its time would take as long again, and what was forbidden has its reason.
        let has_reason = verification.timed_out || verification.would_harm();
        if !verification.is_verified() && *bare && !has_reason {
            let stack = self.stack.clone().filter(|_| verification.overflowed);
            let lacks = self.seek(run, crash, stack, &mut runs)?;
            if lacks.is_some() {
                runs += verification.of;
                return Ok(Tried { verification, lacks, runs });
            }
        }
        for rounds in [ROUNDS, CHANCES] {
            let comes_and_goes = (1..verification.of).contains(&verification.reproduced);
            let by_chance = *by_chance || random_files(&verification.accesses).next().is_some();
            let may_go = by_chance && verification.is_verified();
            if !verification.timed_out && (rounds == ROUNDS || comes_and_goes || may_go) {
                let more = rounds.saturating_sub(verification.of);
                verification = verification.and(self.verify(run, crash, more)?);
            }
        }
        runs += verification.of;
        Ok(Tried { verification, lacks: None, runs })
    }

    /// What the crashed program had and a test has not: found by running the test with it. `None`: the crash does not
    /// come back with it either.
    /// `stack`: the variable of its stack, where that may be it.
    fn seek(
        &self,
        run: &TestRun,
        crash: &Crash,
        stack: Option<(String, String)>,
        runs: &mut u32,
    ) -> Result<Option<Given>, ObserveError> {
        // Another folder than one of the workspace is on this machine only.
        let folder =
            self.program.working_folder.as_deref().map(Path::new).filter(|folder| folder.is_relative());
        let folder = folder.map(|folder| normalized(&self.root.join(folder)));
        let folder = folder.filter(|folder| *folder != run.folder && folder.is_dir());
        let environment = self.program.environment.iter().map(|v| (v.name.clone(), v.value.clone()));
        let mut given = Given {
            variables: environment.chain(stack).collect(),
            folder: folder.map(|folder| relative(&run.folder, &folder)),
        };
        if given.is_empty() {
            return Ok(None);
        }
        let mut seen = |run: &TestRun, rounds: u32| -> Result<Verification, ObserveError> {
            let seen = self.verify(run, crash, rounds)?;
            *runs += seen.of;
            Ok(seen)
        };
        let mut shows = |given: &Given| -> Result<bool, ObserveError> {
            Ok(seen(&dependence::with(run, given), 1)?.is_verified())
        };
        if !shows(&given)? {
            return Ok(None);
        }
        let without_folder = Given { folder: None, ..given.clone() };
        if given.folder.is_some() && shows(&without_folder)? {
            given = without_folder;
        }
        for index in (0..given.variables.len()).rev() {
            let mut less = given.clone();
            less.variables.remove(index);
            if shows(&less)? {
                given = less;
            }
        }
        // Each step went by one run. A crash that comes and goes by itself shows it with and without.
        let is_the_reason = !given.is_empty()
            && seen(run, ROUNDS)?.reproduced == 0
            && seen(&dependence::with(run, &given), ROUNDS)?.is_verified();
        Ok(is_the_reason.then_some(given))
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use relapse_capture::roots::Roots;
    use relapse_snapshot::Snapshot;

    use super::*;
    use crate::same_crash::LineMap;
    use crate::same_crash::tests::panicked;
    use crate::verify::{Access, Deed, Ending, Limits, Observation, ObservedPanic, PanicLocation};

    /// What a run comes to.
    #[derive(Clone, Copy)]
    enum Run {
        Crashes,
        Passes,
        Hangs,
        WantsToWrite,
    }
    use Run::{Crashes, Hangs, Passes, WantsToWrite};

    /// Runs that come to this in turn, then to the last of it.
    struct Script(&'static [Run], AtomicUsize);

    impl Observer for Script {
        fn observe(&self, _: &TestRun) -> Result<Observation, ObserveError> {
            let at = self.1.fetch_add(1, Ordering::Relaxed).min(self.0.len() - 1);
            let location = PanicLocation { file: "src/lib.rs".to_owned(), line: 1, column: 1 };
            let panic = ObservedPanic {
                message: "gone".to_owned(),
                location,
                tid: 1,
                thread_name: None,
                functions: Vec::new(),
            };
            let (panics, ending) = match self.0[at] {
                Crashes => (vec![panic], Ending::Exited(101)),
                Passes => (Vec::new(), Ending::Exited(0)),
                Hangs => (Vec::new(), Ending::TimedOut),
                WantsToWrite => (Vec::new(), Ending::Exited(101)),
            };
            let forbidden = Access { deed: Deed::Write, path: Some("/etc/a".into()), forbidden: true };
            let accesses = if matches!(self.0[at], WantsToWrite) { vec![forbidden] } else { Vec::new() };
            let (stdout, stderr) = (Vec::new(), Vec::new());
            Ok(Observation { panics, deaths: Vec::new(), ending, stdout, stderr, accesses })
        }

        fn keeps_apart(&self) -> bool {
            false
        }
    }

    fn snapshot() -> Snapshot {
        let variable = relapse_snapshot::Variable { name: "DEMO".to_owned(), value: "1".to_owned() };
        let mut snapshot = panicked();
        snapshot.program.environment.push(variable);
        snapshot
    }

    /// What runs that come to this in turn prove.
    fn tried(script: &'static [Run], by_chance: bool) -> Tried {
        let (snapshot, observer) = (snapshot(), Script(script, AtomicUsize::new(0)));
        let setting = Setting {
            program: &snapshot.program,
            stack: None,
            root: Path::new("/"),
            observer: &observer,
            at_once: 1,
        };
        let run = TestRun {
            executable: PathBuf::new(),
            test: String::new(),
            folder: PathBuf::new(),
            environment: Vec::new(),
            limits: Limits::default(),
            captured: false,
        };
        let crash = Crash::new(&snapshot, Roots::default(), LineMap::default());
        setting.one(&Trial { run, crash, bare: true, by_chance }).unwrap()
    }

    #[test]
    fn a_crash_that_comes_and_goes_is_not_laid_to_the_environment() {
        // Without, with, without once more: then without it comes, too.
        let tried_so = tried(&[Passes, Crashes, Passes, Crashes, Passes], false);
        assert_eq!(tried_so.lacks, None);
        assert!(!tried_so.verification.is_verified());
        // Without it never comes, and with it not each time.
        let script = &[Passes, Crashes, Passes, Passes, Passes, Passes, Crashes, Passes, Crashes, Passes];
        assert_eq!(tried(script, false).lacks, None);
        let script = &[Passes, Crashes, Passes, Passes, Passes, Passes, Crashes, Crashes, Crashes, Passes];
        let lacks = tried(script, false).lacks.unwrap();
        assert_eq!(lacks.variables, [("DEMO".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn what_reads_the_clock_is_run_ten_times() {
        assert_eq!(tried(&[Crashes], false).verification.of, ROUNDS);
        assert_eq!(tried(&[Crashes], true).verification.of, CHANCES);
        assert_eq!(tried(&[Passes], true).verification.of, ROUNDS);
    }

    #[test]
    fn nothing_is_sought_where_the_reason_is_known() {
        assert_eq!(tried(&[Hangs], false).runs, 1);
        assert_eq!(tried(&[WantsToWrite], false).runs, ROUNDS);
        assert!(tried(&[Passes], false).runs > ROUNDS);
    }
}
