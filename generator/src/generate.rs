//! The whole way from a snapshot to a verified regression. In: a snapshot, a project, options. Out: what to
//! put into the user's tree, and an account of every function on the stack. Nothing of the user's is changed
//! here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use relapse_snapshot::{Build, Cause, CauseKind, Snapshot, Trust};

use crate::candidate::{Callable, Rejection, callables};
use crate::compile::{CompileError, Progress, TestTarget};
use crate::edit::EditSet;
use crate::features;
use crate::index::{CrateId, TargetKind};
use crate::place::{self, HarnessTarget, PlaceError, Placed, has_harness};
use crate::project::Project;
use crate::prove::{Bench, Draft, Effort, self_contained, together};
use crate::regression::Regression;
use crate::render::Templates;
use crate::scratch::{Scratch, ScratchError};
use crate::second_chance::{self, Lacking};
use crate::target::{Facts, Ranking};
use crate::verify::{Bounds, ObserveError, ROUNDS, Traced};

/// What went wrong on the way, other than that a candidate does not reproduce.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// The scratch copy could not be made or changed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
    /// Cargo did not build.
    #[error(transparent)]
    Compile(#[from] CompileError),
    /// A test could not be run.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// The test could not be put in place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The build failed where there is no room for one.
    #[error("failed to build in {}: {left_mib} MiB are free on its disk", folder.display())]
    DiskFull {
        /// The scratch copy's target folder.
        folder: PathBuf,
        /// What is left.
        left_mib: u64,
        /// What the build said.
        source: CompileError,
    },
}

impl GenerateError {
    /// Whether something of ours could not be written, which says nothing about the crash.
    pub fn cannot_write(&self) -> bool {
        match self {
            GenerateError::Scratch(_)
            | GenerateError::Compile(CompileError::Scratch(_))
            | GenerateError::DiskFull { .. } => true,
            GenerateError::Place(PlaceError::Edit(error)) => error.cannot_write(),
            _ => false,
        }
    }
}

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
    /// How to run it.
    pub test_target: TestTarget,
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
    fn second_chance(&mut self, snapshot: &Snapshot, why: Lacking) -> Option<Snapshot>;
}

/// Makes a regression of a snapshot.
pub fn generate(
    snapshot: &Snapshot,
    project: &Project,
    templates: &Templates,
    options: &Options,
    surroundings: &mut dyn Surroundings,
) -> Result<Generated, GenerateError> {
    let (callables, mut rejected) = callables(snapshot, &project.index);
    if callables.is_empty() {
        return Ok(failed(no_callable(snapshot, &rejected), rejected, Effort::default()));
    }
    let scratch = Scratch::create(&project.metadata, &project.relapse_folder)?;
    // A path of the workspace stands for its place in the copy, too.
    let mut permissions = options.bounds.permissions.clone();
    let copied = permissions.writable.iter().filter_map(|path| scratch.of_original(path));
    permissions.writable.extend(copied.filter(|path| path.exists()).collect::<Vec<_>>());
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
    };
    let (mut effort, mut names) = (Effort::default(), Names::default());
    let mut barred = Barred::new();
    let known = callables.clone();
    let all = options.every_frame || options.frame.is_some();
    let mut first =
        Round { effort: &mut effort, names: &mut names, barred: &mut barred, rejected: &mut rejected, all };
    let mut drafts = first.prove(callables, project, &bench, surroundings)?;
    // The same functions once more, with the values as they were given.
    let again = second_chance::lacking(&known, &drafts, options.frame, options.every_frame)
        .and_then(|why| surroundings.second_chance(snapshot, why));
    let second = again.as_ref().map(|snapshot| Bench { snapshot, ..bench.clone() });
    if let Some(bench) = &second {
        let name = |draft: &Draft<'_>| {
            ((draft.callable.depth, draft.callable.frame.function.clone()), draft.regression.name.clone())
        };
        names.given = drafts.iter().map(name).collect();
        let callables = second_chance::callables(bench.snapshot, &project.index, &drafts);
        let mut reasons = Vec::new();
        let mut round = Round {
            effort: &mut effort,
            names: &mut names,
            barred: &mut barred,
            rejected: &mut reasons,
            all,
        };
        let better = round.prove(callables, project, bench, surroundings)?;
        second_chance::join(&mut drafts, better, &mut rejected, reasons);
    }
    let proved_with = |draft: &Draft<'_>| {
        let of_second = |bench: &&Bench<'_>| {
            bench.snapshot.frames().iter().any(|frame| std::ptr::eq(frame, draft.callable.frame))
        };
        second.as_ref().filter(of_second).unwrap_or(&bench)
    };
    if drafts.iter().all(|draft| !draft.reproduces()) {
        count_chances(&mut drafts, &proved_with, &mut effort)?;
    }
    let (_, chosen) = order(&drafts, options);
    for index in chosen {
        let mut progress = |step: Progress<'_>| surroundings.progress(step);
        let draft = &drafts[index];
        if let Some(better) = self_contained(draft, proved_with(draft), &mut effort, &mut progress)? {
            drafts[index] = better;
        }
    }
    for draft in drafts.iter().filter(|draft| !draft.reproduces()) {
        rejected.push(draft.rejection(why_not(draft, proved_with(draft))));
    }
    choose(&drafts, &bench, project, options, rejected, effort)
}

/// Runs of a crash that does not come back each time, for its rate.
const CHANCES: u32 = 10;

/// Runs the tests more often where none shows the crash each time: one that comes and goes is worth showing, with
/// its rate.
fn count_chances<'b>(
    drafts: &mut [Draft<'_>],
    bench: &dyn Fn(&Draft<'_>) -> &'b Bench<'b>,
    effort: &mut Effort,
) -> Result<(), GenerateError> {
    for draft in drafts {
        let bench = bench(draft);
        // A test that overran its time would take as long again.
        if !draft.verification.as_ref().is_some_and(|v| v.timed_out) {
            draft.run_until(ROUNDS, bench, effort)?;
        }
        if draft.verification.as_ref().is_some_and(|v| v.reproduced > 0) {
            draft.run_until(CHANCES, bench, effort)?;
        }
    }
    Ok(())
}

/// Why a test does not show the crash each time: what was seen, what the sandbox kept it from, what its functions
/// read beside their arguments.
fn why_not(draft: &Draft<'_>, bench: &Bench<'_>) -> String {
    const SAID: usize = 3;
    let Some(verification) = &draft.verification else { return "the test was not run".to_owned() };
    let mut reason = verification.reason.clone().unwrap_or_else(|| "no reason was seen".to_owned());
    let forbidden = draft.forbidden(bench);
    for access in forbidden.iter().take(SAID) {
        reason += &format!("; the call {access}, which the sandbox forbids");
        if let Some(option) = access.option() {
            reason += &format!(" (`{option}` allows it)");
        }
    }
    if forbidden.len() > SAID {
        reason += &format!("; and {} other things that the sandbox forbids", forbidden.len() - SAID);
    }
    if verification.reproduced > 0 {
        reason += "; a crash that comes and goes depends on time or on the order of threads";
    }
    for reads in draft.reads(bench).iter().take(SAID) {
        reason += &format!("; {reads}");
    }
    reason
}

/// The drafts in the order of the choice, and those of them that are taken.
fn order(drafts: &[Draft<'_>], options: &Options) -> (Vec<usize>, Vec<usize>) {
    let facts: Vec<Facts> = drafts.iter().map(|draft| draft.callable.facts.clone()).collect();
    let mut order = Ranking::default().order(&facts);
    if let Some(frame) = options.frame {
        order.sort_by_key(|&index| drafts[index].callable.depth != frame);
    }
    let mut chosen = Vec::new();
    for &index in &order {
        let wanted = options.frame.is_none_or(|frame| drafts[index].callable.depth == frame);
        let enough = !chosen.is_empty() && !options.every_frame;
        if !enough && wanted && drafts[index].reproduces() {
            chosen.push(index);
        }
    }
    (order, chosen)
}

/// Names of tests, by file and inline module.
#[derive(Default)]
struct Names {
    taken: BTreeMap<(PathBuf, Vec<String>), BTreeSet<String>>,
    /// Those of the round before, by depth and function: a function keeps its name.
    given: BTreeMap<(usize, String), String>,
}

/// The crates in which no test can run, with the reason.
type Barred = BTreeMap<CrateId, String>;

/// One round of proving, and what all rounds share.
struct Round<'r> {
    effort: &'r mut Effort,
    names: &'r mut Names,
    barred: &'r mut Barred,
    rejected: &'r mut Vec<Rejection>,
    /// Whether every function is wanted, or the best one.
    all: bool,
}

impl Round<'_> {
    /// Builds and runs a test of each function. A target that has entry points alone (`main`, a test) is a last resort:
    /// it is not built where another function reproduces the crash.
    fn prove<'a>(
        &mut self,
        callables: Vec<Callable<'a>>,
        project: &Project,
        bench: &Bench<'_>,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Vec<Draft<'a>>, GenerateError> {
        let mut drafts = Vec::new();
        let mut open = callables;
        while !open.is_empty() {
            let callables = self.within_reach(std::mem::take(&mut open), project);
            for group in drafts_by_target(callables, project, bench, self.names, self.rejected) {
                let last_resort = group.iter().all(|draft| draft.callable.facts.entry_point);
                if last_resort && !self.all && drafts.iter().any(Draft::reproduces) {
                    self.rejected.extend(group.iter().map(|draft| draft.rejection(NOT_TRIED.to_owned())));
                    continue;
                }
                let own: Vec<Callable<'a>> = group.iter().map(|draft| draft.callable.clone()).collect();
                let mut progress = |step: Progress<'_>| surroundings.progress(step);
                match together(group, bench, self.effort, self.rejected, &mut progress) {
                    Ok(built) => drafts.extend(built),
                    // One target that does not build as a test must not take the others' candidates with it, nor
                    // its own: some can be called from outside.
                    Err(GenerateError::Compile(CompileError::Scratch(error))) => return Err(error.into()),
                    Err(error @ GenerateError::Compile(CompileError::Killed { .. })) => return Err(error),
                    Err(GenerateError::Compile(error)) => {
                        let error = room_for(error, bench.scratch)?;
                        self.barred
                            .extend(own.iter().map(|callable| (callable.home.krate, with_causes(&error))));
                        open.extend(own);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(drafts)
    }

    /// The functions with the homes in which their tests can run; those that have none are rejected.
    fn within_reach<'a>(&mut self, callables: Vec<Callable<'a>>, project: &Project) -> Vec<Callable<'a>> {
        let mut kept = Vec::new();
        for callable in callables {
            let krate = callable.home.krate;
            if !self.barred.contains_key(&krate)
                && let Err(reason) = harness(krate, project)
            {
                self.barred.insert(krate, reason);
            }
            let Some(reason) = self.barred.get(&krate) else {
                kept.push(callable);
                continue;
            };
            let outside = callable.from_outside(&project.index).filter(|_| !callable.is_outside());
            match outside.filter(|outside| !self.barred.contains_key(&outside.home.krate)) {
                Some(outside) => kept.push(outside),
                None => self.rejected.push(callable.rejection(reason.clone())),
            }
        }
        kept
    }
}

/// Why an entry point has no test where others have one.
const NOT_TRIED: &str = "an entry point, which is not tried where another function reproduces the crash";

/// A build's error, where it is not the disk's.
fn room_for(error: CompileError, scratch: &Scratch) -> Result<CompileError, GenerateError> {
    match scratch.too_little_room() {
        Some(left_mib) => {
            let folder = scratch.target_folder();
            Err(GenerateError::DiskFull { folder, left_mib, source: error })
        }
        None => Ok(error),
    }
}

/// An error in one line with what caused it.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.ends_with(&cause) { text } else { format!("{text}: {cause}") }
    })
}

/// Writes the candidates of each test target; a name stands for one test only.
fn drafts_by_target<'a>(
    callables: Vec<Callable<'a>>,
    project: &Project,
    bench: &Bench<'_>,
    names: &mut Names,
    rejected: &mut Vec<Rejection>,
) -> Vec<Vec<Draft<'a>>> {
    let mut groups: Vec<(TestTarget, Vec<Draft<'a>>)> = Vec::new();
    for callable in callables {
        let target = test_target(&callable, bench.snapshot, project);
        let module = bench.index.place(callable.home);
        let taken = names.taken.entry((module.package_folder.join(&module.file), module.inline)).or_default();
        let stem = crate::hostile::test_name(&callable.function.name, &bench.snapshot.cause.message);
        let known = names.given.get(&(callable.depth, callable.frame.function.clone()));
        let name = known.cloned().unwrap_or_else(|| {
            let numbered = (2..).map(|number| format!("{stem}_{number}"));
            let mut free = std::iter::once(stem.clone()).chain(numbered).filter(|name| !taken.contains(name));
            free.next().unwrap_or_default()
        });
        taken.insert(name.clone());
        match Draft::new(callable, target, &name, bench) {
            Ok(draft) => match groups.iter_mut().find(|(target, _)| *target == draft.target) {
                Some((_, group)) => group.push(draft),
                None => groups.push((draft.target.clone(), vec![draft])),
            },
            Err(rejection) => {
                if known.is_none() {
                    taken.remove(&name);
                }
                rejected.push(rejection);
            }
        }
    }
    // Those that may not be needed come last.
    groups.sort_by_key(|(_, group)| group.iter().all(|draft| draft.callable.facts.entry_point));
    groups.into_iter().map(|(_, group)| group).collect()
}

/// Why no test runs in a crate, if none does.
fn harness(krate: CrateId, project: &Project) -> Result<(), String> {
    let (target, package) = (project.index.target(krate), project.index.package(krate));
    let harness = match target.kind {
        TargetKind::Library | TargetKind::ProcMacro => HarnessTarget::Lib,
        TargetKind::Binary => HarnessTarget::Bin(&target.name),
        TargetKind::Example => HarnessTarget::Example(&target.name),
        TargetKind::Test => HarnessTarget::Test(&target.name),
        TargetKind::Bench => return Err("a benchmark has no tests".to_owned()),
    };
    let manifest = std::fs::read_to_string(package.folder.join("Cargo.toml")).unwrap_or_default();
    if has_harness(&manifest, harness) {
        Ok(())
    } else {
        Err(format!("`{}` has `harness = false`: no test runs there", target.name))
    }
}

/// The test target of a function, with the features, profile and target triple of the crash.
fn test_target(callable: &Callable<'_>, snapshot: &Snapshot, project: &Project) -> TestTarget {
    let krate = callable.home.krate;
    let (target, package) = (project.index.target(krate), project.index.package(krate));
    let named = |option: &str| vec![option.to_owned(), target.name.clone()];
    let mut cargo_args = match target.kind {
        TargetKind::Library | TargetKind::ProcMacro => vec!["--lib".to_owned()],
        TargetKind::Binary => named("--bin"),
        TargetKind::Example => named("--example"),
        TargetKind::Test => named("--test"),
        TargetKind::Bench => named("--bench"),
    };
    if let Some(found) = project.metadata.packages.iter().find(|p| {
        p.name.as_str() == package.name
            && p.manifest_path.parent().is_some_and(|f| f.as_std_path() == package.folder)
    }) {
        cargo_args.extend(features::arguments(&project.metadata, found));
    }
    if let Some(build) = &snapshot.program.build {
        cargo_args.extend(profile_arguments(build));
    }
    TestTarget { package: package.name.clone(), cargo_args }
}

fn profile_arguments(build: &Build) -> Vec<String> {
    let mut arguments = match build.profile.as_str() {
        "" | "dev" | "test" | "debug" => Vec::new(),
        "release" | "bench" => vec!["--release".to_owned()],
        other => vec!["--profile".to_owned(), other.to_owned()],
    };
    if let Some(triple) = &build.target {
        arguments.extend(["--target".to_owned(), triple.clone()]);
    }
    arguments
}

/// `RUSTFLAGS` as the crash was built with, where the command had it in its environment.
fn rustflags(snapshot: &Snapshot) -> Option<(String, Option<String>)> {
    let flags = snapshot.program.build.as_ref()?.rustflags.clone()?;
    Some(("RUSTFLAGS".to_owned(), Some(flags)))
}

/// Takes the best of the drafts that reproduce each time, and puts it in place.
fn choose(
    drafts: &[Draft<'_>],
    bench: &Bench<'_>,
    project: &Project,
    options: &Options,
    mut rejected: Vec<Rejection>,
    effort: Effort,
) -> Result<Generated, GenerateError> {
    let (order, chosen) = order(drafts, options);
    let alternatives = order
        .iter()
        .filter(|index| drafts[**index].reproduces() && chosen.first() != Some(index))
        .map(|&index| reproducing(&drafts[index]))
        .collect();
    rejected.sort_by_key(|rejection| rejection.depth);
    let (status, reason, shown) = if chosen.is_empty() {
        // Of those that are alike the first in order; `max_by_key` takes the last.
        let best = order.iter().rev().copied().max_by_key(|&i| {
            let reproduced = drafts[i].verification.as_ref().map_or(0, |v| v.reproduced);
            (reproduced, !drafts[i].callable.facts.entry_point)
        });
        match best {
            None => return Ok(failed(no_callable(bench.snapshot, &rejected), rejected, effort)),
            Some(best) => {
                let reason = not_reproduced(&drafts[best], &rejected, options);
                // What was not asked for, and a `main` that does not crash, are no proposals.
                let callable = &drafts[best].callable;
                let asked = options.frame.is_none_or(|frame| callable.depth == frame);
                let shown = if asked && !callable.facts.entry_point { vec![best] } else { Vec::new() };
                (Status::Unverified, Some(reason), shown)
            }
        }
    } else {
        (Status::Verified, None, chosen)
    };
    // The proof needs a test that fails; marked as open it passes while the bug is there.
    let should_panic = options.open.then(|| expected_text(&bench.snapshot.cause));
    let marked = |index: &usize| {
        let draft = &drafts[*index];
        let marked = Regression { should_panic: should_panic.clone(), ..draft.regression.clone() };
        // Other candidates of the same name are not put in place: the one that is needs no number.
        let stem = crate::hostile::test_name(&draft.callable.function.name, &bench.snapshot.cause.message);
        if options.every_frame { marked } else { place::renamed(&marked, &stem) }
    };
    let regressions: Vec<_> = shown.iter().map(marked).collect();
    let placement = place::edits(&regressions, project.root(), bench.templates)?;
    let proven = shown.iter().zip(placement.placed).map(|(&index, placed)| Proven {
        target: reproducing(&drafts[index]),
        test_target: drafts[index].target.clone(),
        placed,
        trust: drafts[index].trust,
        nodes: drafts[index].nodes,
    });
    Ok(Generated {
        regressions: proven.collect(),
        edits: if status == Status::Verified { placement.edits } else { EditSet::default() },
        status,
        reason,
        alternatives,
        rejected,
        effort,
    })
}

/// What `#[should_panic(expected = …)]` asks for: the longest part of the message that holds no number and no
/// quoted data, since those change with the input.
fn expected_text(cause: &Cause) -> String {
    if cause.kind != CauseKind::Panic {
        return "signal".to_owned();
    }
    let first = cause.message.lines().next().unwrap_or_default();
    let varies = |c: char| c.is_ascii_digit() || matches!(c, '`' | '"' | '\'');
    let longest = first.split(varies).map(str::trim).max_by_key(|part| part.len()).unwrap_or_default();
    longest.to_owned()
}

fn reproducing(draft: &Draft<'_>) -> Reproducing {
    Reproducing {
        function: draft.callable.frame.function.clone(),
        frame: draft.callable.depth,
        facts: draft.callable.facts.clone(),
    }
}

fn not_reproduced(draft: &Draft<'_>, rejected: &[Rejection], options: &Options) -> String {
    if let Some(frame) = options.frame.filter(|frame| *frame != draft.callable.depth) {
        return match rejected.iter().find(|rejection| rejection.depth == frame) {
            Some(rejection) => format!("frame {frame}, {}: {}", rejection.function, rejection.reason),
            None => format!("there is no frame {frame}: the stack has fewer functions of the workspace"),
        };
    }
    // That `main` does not crash in a test says nothing of the crash; what keeps the others from it does.
    let others = || rejected.iter().filter(|rejection| rejection.depth != draft.callable.depth);
    if draft.callable.facts.entry_point && options.frame.is_none() && others().next().is_some() {
        let telling = others().find(|rejection| !rejection.inherent).or_else(|| others().next());
        return telling.map_or_else(String::new, |other| {
            let (main, function) = (&draft.callable.frame.function, &other.function);
            format!("{function}: {} ({main} alone can be called, and does not crash in a test)", other.reason)
        });
    }
    let Some(verification) = &draft.verification else { return "the test was not run".to_owned() };
    let own = rejected.iter().find(|rejection| rejection.depth == draft.callable.depth);
    let why = own.map_or("no reason was seen", |rejection| rejection.reason.as_str());
    let (function, of) = (&draft.callable.frame.function, verification.of);
    format!("the crash came back in {} of {of} runs of {function}: {why}", verification.reproduced)
}

fn failed(reason: String, rejected: Vec<Rejection>, effort: Effort) -> Generated {
    Generated { reason: Some(reason), rejected, effort, ..Generated::default() }
}

/// Why there is no candidate at all.
fn no_callable(snapshot: &Snapshot, rejected: &[Rejection]) -> String {
    if snapshot.cause.kind != CauseKind::Panic && snapshot.frames().is_empty() {
        return "the stack of the crash could not be read".to_owned();
    }
    match rejected.first() {
        None => match snapshot.notes.first() {
            Some(note) => format!("no function of the workspace is on the stack ({note})"),
            None => "no function of the workspace is on the stack".to_owned(),
        },
        Some(first) if rejected.len() == 1 => format!("{}: {}", first.function, first.reason),
        Some(first) => format!(
            "none of {} functions can be called from a test; the innermost, {}: {}",
            rejected.len(),
            first.function,
            first.reason
        ),
    }
}
