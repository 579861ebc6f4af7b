//! The whole way from a snapshot to a verified regression. In: a snapshot, a project, options. Out: what to
//! put into the user's tree, and an account of every function on the stack. Nothing of the user's is changed
//! here.

mod choice;
mod doubt;
mod reasons;
mod rounds;

use std::collections::BTreeSet;

use relapse_snapshot::{CauseKind, Rules, Snapshot, Trust};

use self::choice::{choose, order};
use self::doubt::doubt;
use self::reasons::{no_callable, why_not};
use self::rounds::Rounds;
use crate::candidate::{Callable, Rejection, callables};
use crate::compile::{Progress, TestTarget, Variable};
use crate::edit::EditSet;
use crate::place::Placed;
use crate::project::Project;
use crate::prove::{Bench, Draft, Effort, ProveError, dev_build, self_contained};
use crate::render::{RunCommand, Templates};
use crate::scratch::Scratch;
use crate::second_chance::{self, Lacking, Request, SecondRun};
use crate::target::Facts;
use crate::verify::{Bounds, Traced, in_copy};

/// What the user asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Mark the test as a known open bug.
    pub open: bool,
    /// The test for another of the functions that reproduce: workspace frames from the innermost.
    pub frame: Option<usize>,
    /// A test for every function that reproduces: for measuring the choice.
    pub every_frame: bool,
    /// What a test may use, and what it may do.
    pub bounds: Bounds,
    /// What is a secret: no file that holds one is brought along.
    pub rules: Rules,
}

impl Proven {
    /// The command that runs its test, as its header has it.
    pub fn command(&self) -> RunCommand {
        RunCommand {
            variables: self.variables.clone(),
            package: self.test_target.package.clone(),
            cargo_args: self.test_target.cargo_args.clone(),
            test: self.placed.test.clone(),
        }
    }
}

/// What came of a snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// A regression reproduces the crash each time.
    Verified,
    /// A candidate was written but does not reproduce each time.
    Unverified,
    /// No candidate could be written.
    #[default]
    Failed,
}

/// A function that reproduces the crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reproducing {
    /// Its path.
    pub function: String,
    /// Workspace frames between it and the innermost one.
    pub frame: usize,
    /// What the choice went by.
    pub facts: Facts,
}

/// A regression as proven.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The function.
    pub target: Reproducing,
    /// How to build it.
    pub test_target: TestTarget,
    /// The variables of that build.
    pub variables: Vec<Variable>,
    /// Its place in the user's tree.
    pub placed: Placed,
    /// The worst trust of its values.
    pub trust: Trust,
    /// Value-tree nodes.
    pub nodes: u64,
}

/// The account of one snapshot.
#[derive(Debug, Clone, Default)]
pub struct Generated {
    /// What came of it.
    pub status: Status,
    /// Why it is not verified.
    pub reason: Option<String>,
    /// The regression, or the best candidate where it is unverified; more than one only with `every_frame`.
    pub regressions: Vec<Proven>,
    /// What to change in the user's tree; empty where it is not verified.
    pub edits: EditSet,
    /// Other functions that reproduce, best first.
    pub alternatives: Vec<Reproducing>,
    /// Functions of the stack that do not, with the reason.
    pub rejected: Vec<Rejection>,
    /// How much work it was.
    pub effort: Effort,
}

/// What the way from a snapshot to a regression asks of its surroundings.
pub trait Surroundings {
    /// Something was built.
    fn progress(&mut self, step: Progress<'_>);
    /// The same crash with the values as the functions were given them, from a second run of its command; `None`
    /// where there is none.
    fn second_chance(&mut self, snapshot: &Snapshot, request: Request<'_>) -> Option<SecondRun>;
}

/// Makes a regression of a snapshot.
pub fn generate(
    snapshot: &Snapshot,
    project: &Project,
    templates: &Templates,
    options: &Options,
    surroundings: &mut dyn Surroundings,
) -> Result<Generated, ProveError> {
    let (callables, mut rejected) = callables(snapshot, &project.index);
    let optimised = second_chance::is_optimised(snapshot);
    if callables.is_empty() && (rejected.is_empty() || !optimised) {
        return Ok(failed(no_callable(snapshot, &rejected), rejected, Effort::default()));
    }
    let scratch = Scratch::create(&project.metadata, &project.relapse_folder)?;
    if let Some(lock) = &project.lock {
        scratch.apply(&EditSet { files: vec![lock.clone()] })?;
    }
    let permissions = in_copy(&options.bounds.permissions, &scratch);
    let observer = Traced { roots: scratch.roots(&project.roots), sandbox: Some(permissions) };
    let variables: Vec<_> = rustflags(snapshot).into_iter().collect();
    let bench = Bench {
        snapshot,
        index: &project.index,
        roots: &project.roots,
        scratch: &scratch,
        templates,
        variables: &variables,
        observer: &observer,
        limits: options.bounds.limits.clone(),
        lets_change: !options.bounds.permissions.writable.is_empty(),
        rules: &options.rules,
    };
    let known = callables.clone();
    let mut rounds = Rounds::new(options.every_frame || options.frame.is_some());
    let drafts = rounds.prove(callables, &[], project, &bench, &mut rejected, surroundings)?;
    // The same functions once more, with the values as they were given. Where no test can be built, these help nothing.
    let known: Vec<_> = known.iter().filter_map(|known| rounds.housed(known, &project.index)).collect();
    let would_harm = second_chance::would_harm(&drafts);
    // A program that hangs would do so again, until its time is over.
    let may_again = snapshot.cause.kind != CauseKind::Timeout;
    let target_folder = &scratch.target_folder();
    let every = options.every_frame || options.frame.is_some();
    let makers = second_chance::makers(&known, &drafts, snapshot, &project.index, options.frame, every);
    let again = second_chance::lacking(&known, &drafts, snapshot, options.frame, options.every_frame)
        .or(makers.wanted_by.clone())
        .filter(|_| may_again)
        .and_then(|why| {
            let makers = makers.functions.clone();
            let request = Request { why, would_harm, target_folder, makers, patient: false };
            surroundings.second_chance(snapshot, request)
        });
    let mut proved = Proved { first: snapshot, project, options, rounds, drafts, rejected };
    let second = again.as_ref().map(|run| Bench { snapshot: &run.snapshot, ..bench.clone() });
    if let Some(bench) = &second {
        proved.once_more(bench, surroundings)?;
    }
    // What is entered often is read each time only where nothing else helps.
    let third = again
        .as_ref()
        .filter(|again| second_chance::lacks_patience(again, snapshot, &project.index, &proved.drafts))
        .and_then(|_| {
            let would_harm = second_chance::would_harm(&proved.drafts);
            let makers = makers.functions.clone();
            let why = Lacking::Any;
            let request = Request { why, would_harm, target_folder, makers, patient: true };
            surroundings.second_chance(snapshot, request)
        });
    let third = third.as_ref().map(|run| Bench { snapshot: &run.snapshot, ..bench.clone() });
    if let Some(bench) = &third {
        proved.once_more(bench, surroundings)?;
    }
    let newest = third.as_ref().or(second.as_ref()).unwrap_or(&bench);
    proved.with_callbacks(newest, surroundings)?;
    let Proved { mut rounds, mut drafts, mut rejected, .. } = proved;
    let proved_with = |draft: &Draft<'_>| {
        let of_second = |bench: &&Bench<'_>| {
            bench.snapshot.frames().iter().any(|frame| std::ptr::eq(frame, draft.callable.frame))
        };
        [&third, &second].into_iter().flatten().find(of_second).unwrap_or(&bench)
    };
    let (_, chosen) = order(&drafts, options);
    for index in chosen {
        let mut progress = |step: Progress<'_>| surroundings.progress(step);
        let draft = &drafts[index];
        if let Some(better) = self_contained(draft, proved_with(draft), &mut rounds.effort, &mut progress)? {
            drafts[index] = better;
        }
        let draft = &drafts[index];
        if let Some(said) = dev_build(draft, proved_with(draft), &mut rounds.effort, &mut progress)? {
            drafts[index] = said;
        }
    }
    let rerun = again.is_none() && may_again && options.frame.is_none() && !options.every_frame;
    for draft in drafts.iter().filter(|draft| !draft.reproduces()) {
        let bench = proved_with(draft);
        let doubt = doubt(draft, bench.snapshot, rerun);
        let reasons = [Some(why_not(draft, bench)), doubt];
        rejected.push(draft.rejection(reasons.into_iter().flatten().collect::<Vec<_>>().join("; ")));
    }
    choose(&drafts, &bench, project, options, rejected, rounds.effort)
}

/// What the rounds have come to so far.
struct Proved<'p, 'a> {
    /// The snapshot that was kept as the program crashed.
    first: &'p Snapshot,
    project: &'a Project,
    options: &'p Options,
    rounds: Rounds,
    drafts: Vec<Draft<'a>>,
    rejected: Vec<Rejection>,
}

impl<'a> Proved<'_, 'a> {
    /// Proves the functions once more with the values that a further run has read, and takes what is better.
    fn once_more(
        &mut self,
        bench: &Bench<'a>,
        surroundings: &mut dyn Surroundings,
    ) -> Result<(), ProveError> {
        let Proved { first, project, options, rounds, drafts, rejected } = self;
        let (snapshot, index) = (bench.snapshot, &project.index);
        rounds.begin_anew(drafts);
        let callables = second_chance::callables(first, snapshot, index, drafts);
        let mut reasons = Vec::new();
        let better = rounds.prove(callables, drafts, project, bench, &mut reasons, surroundings)?;
        second_chance::join(drafts, better, rejected, reasons);
        let mut tried = BTreeSet::new();
        for turn in 0..second_chance::MOST_TURNS {
            let long = second_chance::unwieldy(drafts, options.frame, turn).filter(|_| !options.every_frame);
            let housed = |callable: &Callable<'a>| rounds.housed(callable, index);
            let (snapshots, mut reasons) = ((*first, snapshot), Vec::new());
            let callables = second_chance::made_callables(
                snapshots,
                index,
                drafts,
                (turn, long),
                &housed,
                &mut tried,
                &mut reasons,
            );
            if callables.is_empty() {
                second_chance::join(drafts, Vec::new(), rejected, reasons);
                continue;
            }
            let better = rounds.prove(callables, drafts, project, bench, &mut reasons, surroundings)?;
            let better = second_chance::worth_it(better, drafts, turn);
            second_chance::join(drafts, better, rejected, reasons);
        }
        Ok(())
    }

    /// Proves functions with callbacks that do nothing, where nothing else tells of the crash.
    fn with_callbacks(
        &mut self,
        bench: &Bench<'a>,
        surroundings: &mut dyn Surroundings,
    ) -> Result<(), ProveError> {
        let Proved { first, project, options, rounds, drafts, rejected } = self;
        // A test that did not compile within its crate for its callback may do so without that.
        rounds.begin_anew(drafts);
        let housed = |callable: &Callable<'a>| rounds.housed(callable, &project.index);
        let (snapshot, index) = (bench.snapshot, &project.index);
        let callables = second_chance::with_callbacks(first, snapshot, index, drafts, options.frame, &housed);
        if callables.is_empty() {
            return Ok(());
        }
        // Why they cannot be called as they were is known.
        let found = rounds.prove(callables, drafts, project, bench, &mut Vec::new(), surroundings)?;
        let found = found.into_iter().filter(Draft::reproduces).collect();
        second_chance::join(drafts, found, rejected, Vec::new());
        Ok(())
    }
}

/// `RUSTFLAGS` as the crash was built with, where the command had it in its environment.
fn rustflags(snapshot: &Snapshot) -> Option<(String, Option<String>)> {
    let flags = snapshot.program.build.as_ref()?.rustflags.clone()?;
    Some(("RUSTFLAGS".to_owned(), Some(flags)))
}

fn failed(reason: String, rejected: Vec<Rejection>, effort: Effort) -> Generated {
    Generated { reason: Some(reason), rejected, effort, ..Generated::default() }
}
