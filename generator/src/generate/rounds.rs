//! Rounds of proving: the candidates of each test target are written, built together and run. A target that does not
//! build, or in which no test runs, is left, and its functions are called from elsewhere where that is possible.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use relapse_snapshot::{Build, Snapshot};

use super::Surroundings;
use crate::candidate::{Callable, Rejection};
use crate::compile::{CompileError, Progress, TestTarget};
use crate::features;
use crate::index::{CrateId, SourceIndex, TargetKind};
use crate::place::{HarnessTarget, has_harness};
use crate::project::Project;
use crate::prove::{Bench, Draft, Effort, NO_COMPILE, ProveError, together};
use crate::scratch::Scratch;

/// Names of tests, by file and inline module.
#[derive(Default)]
struct Names {
    taken: BTreeMap<(PathBuf, Vec<String>), BTreeSet<String>>,
    /// Those of the round before, by depth and function: a function keeps its name.
    given: BTreeMap<(usize, String), String>,
}

/// The crates in which no test can run, with the reason.
type Barred = BTreeMap<CrateId, String>;

/// What all rounds of proving share.
pub(super) struct Rounds {
    /// How much work they were.
    pub(super) effort: Effort,
    names: Names,
    barred: Barred,
    /// The functions whose test does not compile within their crate, by depth and function, with the reason: a crate may be
    /// another one under `cfg(test)`. They are called from outside where that is possible.
    outside: BTreeMap<(usize, String), String>,
    /// Whether every function is wanted, or the best one.
    all: bool,
}

impl Rounds {
    /// Before the first one.
    pub(super) fn new(all: bool) -> Rounds {
        let (effort, names, outside) = (Effort::default(), Names::default(), BTreeMap::new());
        Rounds { effort, names, barred: Barred::new(), outside, all }
    }

    /// Before the round of a further run, with other values: the functions of these drafts keep the names of their tests; what
    /// did not compile within its crate may do so now.
    pub(super) fn begin_anew(&mut self, drafts: &[Draft<'_>]) {
        self.outside.clear();
        let function = |draft: &Draft<'_>| (draft.callable.depth, draft.callable.frame.function.clone());
        self.names.given = drafts.iter().map(|d| (function(d), d.regression.name.clone())).collect();
    }

    /// Builds and runs a test of each function. A target that has entry points alone (`main`, a test) is a last resort:
    /// it is not built where another function reproduces the crash. Nor is what `earlier` rounds have proved, word for word.
    pub(super) fn prove<'a>(
        &mut self,
        callables: Vec<Callable<'a>>,
        earlier: &[Draft<'a>],
        project: &Project,
        bench: &Bench<'_>,
        rejected: &mut Vec<Rejection>,
        surroundings: &mut dyn Surroundings,
    ) -> Result<Vec<Draft<'a>>, ProveError> {
        let mut drafts = Vec::new();
        let mut open = callables;
        while !open.is_empty() {
            let callables = self.within_reach(std::mem::take(&mut open), project, rejected);
            for group in drafts_by_target(callables, project, bench, &mut self.names, rejected) {
                let group: Vec<Draft<'a>> = group
                    .into_iter()
                    .filter_map(|draft| match draft.proved_by(earlier, bench) {
                        Some(proved) => {
                            drafts.push(proved);
                            None
                        }
                        None => Some(draft),
                    })
                    .collect();
                let last_resort = group.iter().all(|draft| draft.callable.facts.entry_point);
                if last_resort && !self.all && drafts.iter().any(Draft::suffices) {
                    rejected.extend(group.iter().map(|draft| draft.rejection(NOT_TRIED.to_owned())));
                    continue;
                }
                let own: Vec<Callable<'a>> = group.iter().map(|draft| draft.callable.clone()).collect();
                let mut progress = |step: Progress<'_>| surroundings.progress(step);
                let mut reasons = Vec::new();
                let built = together(group, bench, &mut self.effort, &mut reasons, &mut progress);
                open.extend(self.called_from_outside(&own, &mut reasons, project));
                rejected.extend(reasons);
                match built {
                    Ok(built) => drafts.extend(built),
                    // One target that does not build as a test must not take the others' candidates with it, nor
                    // its own: some can be called from outside.
                    Err(error @ ProveError::Compile(CompileError::Killed { .. })) => return Err(error),
                    Err(error @ ProveError::Compile(_)) if error.cannot_write() => return Err(error),
                    Err(ProveError::Compile(error)) => {
                        let error = room_for(error, bench.scratch)?;
                        self.barred
                            .extend(own.iter().map(|callable| (callable.home.krate, with_causes(&error))));
                        open.extend(own);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        for rejection in rejected {
            if let Some(within) = self.outside.get(&(rejection.depth, rejection.function.clone()))
                && !rejection.reason.starts_with(within)
            {
                rejection.reason = format!("{within}; from outside: {}", rejection.reason);
            }
        }
        Ok(drafts)
    }

    /// Takes out the rejections of functions whose test does not compile within their crate and can be written outside of it;
    /// these functions.
    fn called_from_outside<'a>(
        &mut self,
        own: &[Callable<'a>],
        reasons: &mut Vec<Rejection>,
        project: &Project,
    ) -> Vec<Callable<'a>> {
        let mut outside = Vec::new();
        reasons.retain(|rejection| {
            let is_same = |callable: &&Callable<'a>| {
                callable.depth == rejection.depth && callable.frame.function == rejection.function
            };
            let callable = own.iter().find(is_same).filter(|_| rejection.reason.starts_with(NO_COMPILE));
            let within = callable.filter(|callable| !callable.is_outside());
            match within.filter(|callable| callable.from_outside(&project.index).is_some()) {
                Some(callable) => {
                    let key = (callable.depth, callable.frame.function.clone());
                    self.outside.insert(key, rejection.reason.clone());
                    outside.push(callable.clone());
                    false
                }
                None => true,
            }
        });
        outside
    }

    /// The functions with the homes in which their tests can run; those that have none are rejected.
    fn within_reach<'a>(
        &mut self,
        callables: Vec<Callable<'a>>,
        project: &Project,
        rejected: &mut Vec<Rejection>,
    ) -> Vec<Callable<'a>> {
        let mut kept = Vec::new();
        for callable in callables {
            let krate = callable.home.krate;
            if !self.barred.contains_key(&krate)
                && let Err(reason) = harness(krate, project)
            {
                self.barred.insert(krate, reason);
            }
            let outside = || callable.from_outside(&project.index).map(|callable| callable.home.krate);
            let barred = self.barred.get(&krate).or_else(|| self.barred.get(&outside()?));
            match (self.housed(&callable, &project.index), barred) {
                (Some(housed), _) => kept.push(housed),
                (None, reason) => rejected.push(callable.rejection(reason.cloned().unwrap_or_default())),
            }
        }
        kept
    }

    /// The function with a home in which its test can run, as far as is known: its own, or one outside of its library.
    pub(super) fn housed<'a>(&self, callable: &Callable<'a>, index: &SourceIndex) -> Option<Callable<'a>> {
        let open = |callable: &Callable<'_>| !self.barred.contains_key(&callable.home.krate);
        let outside = || callable.from_outside(index).filter(|_| !callable.is_outside());
        let key = (callable.depth, callable.frame.function.clone());
        let stays = callable.is_outside() || !self.outside.contains_key(&key);
        if stays && open(callable) { Some(callable.clone()) } else { outside().filter(open) }
    }
}

/// Why an entry point has no test where others have one.
const NOT_TRIED: &str = "an entry point, which is not tried where another function reproduces the crash";

/// A build's error, where it is not the disk's.
fn room_for(error: CompileError, scratch: &Scratch) -> Result<CompileError, ProveError> {
    match scratch.too_little_room() {
        Some(left_mib) => {
            let folder = scratch.target_folder();
            Err(ProveError::DiskFull { folder, left_mib, source: error })
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
        let callable = callable.where_types_are_known(&bench.snapshot.types, bench.index);
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
