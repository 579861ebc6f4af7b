//! Proves candidates: writes them into a scratch copy together, builds them once a test target (again only to
//! drop or reword what the compiler rejects), and runs each. In: candidates and a snapshot. Out: which of them
//! reproduce, and why the others do not.

mod dependence;
mod dev_build;
mod error;
mod files;
mod lines;
mod own_path;
mod proved;
mod reads;
mod stack;
mod trial;
mod wording;

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use relapse_capture::roots::Roots;
use relapse_snapshot::{CauseKind, Rules, Snapshot, Trust};

pub use self::dev_build::dev_build;
pub use self::error::ProveError;
use crate::candidate::{Callable, Rejection, Style};
use crate::compile::{CandidateFiles, Compiled, Progress, TestTarget, Variable, compile_candidates};
use crate::edit::EditSet;
use crate::executor::Executor;
use crate::expression::{
    Moments, go_over_tables, have_chance_order, have_moments_apart, have_one_thing, have_parts,
};
use crate::hang;
use crate::header::{self, Naming};
use crate::index::{Copied, NamesAt, OUTSIDE_NAME, SourceIndex};
use crate::paths::normalized;
use crate::place;
use crate::regression::Regression;
use crate::render::{PARENT, Templates};
use crate::same_crash::Crash;
use crate::scratch::Scratch;
use crate::verify::{Access, Limits, Observer, TestRun, Verification, forbidden};
use dependence::Beside;
use trial::{Setting, Trial};

/// A test of more lines than a screen shows is long.
const LONG: usize = 40;
/// For a body of so many lines nothing shorter is sought.
const SHORT: usize = 8;

/// More rounds of rewording than this never helped.
const MAX_ROUNDS: u32 = 8;

/// How the reason begins that a candidate has which the compiler rejects.
pub const NO_COMPILE: &str = "the test does not compile: ";

/// What proving needs besides the candidates.
#[derive(Clone)]
pub struct Bench<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The source index.
    pub index: &'a SourceIndex,
    /// The folders of the user's tree.
    pub roots: &'a Roots,
    /// The scratch copy.
    pub scratch: &'a Scratch,
    /// The templates.
    pub templates: &'a Templates,
    /// Environment of the builds: `RUSTFLAGS` of the crash.
    pub variables: &'a [Variable],
    /// Runs tests.
    pub observer: &'a dyn Observer,
    /// What a test may use.
    pub limits: Limits,
    /// Whether a test may change files of the user's.
    pub lets_change: bool,
    /// What is a secret.
    pub rules: &'a Rules,
}

impl Bench<'_> {
    /// A path of the workspace, relative to its root, in the user's tree.
    fn original(&self, relative: &Path) -> PathBuf {
        normalized(&self.scratch.original_root().join(relative))
    }
}

/// A candidate as a test, with what became of it.
#[derive(Clone)]
pub struct Draft<'a> {
    /// The function.
    pub callable: Callable<'a>,
    /// The test target that it is built in.
    pub target: TestTarget,
    /// How it is worded.
    pub style: Style,
    /// Import lines that the compiler called unused.
    left_out: Vec<String>,
    /// What it is given beside its arguments.
    beside: Beside,
    /// What its runs have shown, as lines of its header.
    remarks: Vec<String>,
    /// The variable of each argument.
    variables: Vec<Option<String>>,
    /// The test.
    pub regression: Regression,
    /// The worst trust of its values.
    pub trust: Trust,
    /// Its nodes.
    pub nodes: u64,
    /// Where it stands in the scratch copy.
    file: PathBuf,
    /// libtest's path of it there.
    test: String,
    /// Its text in the scratch copy, formatted.
    pub text: String,
    /// The working folder of its runs.
    folder: PathBuf,
    /// How often the crash came back.
    pub verification: Option<Verification>,
}

/// How much work it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Builds by cargo.
    pub builds: u32,
    /// Runs of tests.
    pub runs: u32,
}

impl<'a> Draft<'a> {
    /// Writes a candidate for the first time.
    pub fn new(
        callable: Callable<'a>,
        target: TestTarget,
        name: &str,
        bench: &Bench<'_>,
    ) -> Result<Draft<'a>, Rejection> {
        let style = Style::default();
        let left_out = left_out_at(&callable, bench.index);
        let mut beside = Beside::default();
        if bench.snapshot.cause.kind == CauseKind::StackOverflow {
            beside.given.variables.extend(stack::variable(bench.snapshot));
        }
        let made = write(&callable, &target, name, style, &left_out, &beside, bench);
        let Written { regression, trust, nodes, variables } =
            made.map_err(|reason| callable.rejection(reason))?;
        Ok(Draft {
            callable,
            target,
            style,
            left_out,
            beside,
            remarks: Vec::new(),
            variables,
            regression,
            trust,
            nodes,
            file: PathBuf::new(),
            test: String::new(),
            text: String::new(),
            folder: PathBuf::new(),
            verification: None,
        })
    }

    /// Whether the crash came back each time so far, in runs that wanted to change nothing of the user's: a test is
    /// run without a sandbox.
    pub fn reproduces(&self) -> bool {
        self.verification.as_ref().is_some_and(|seen| seen.is_verified() && !seen.would_harm())
    }

    /// Whether a run showed the crash and ended the process in which `cargo test` runs all tests.
    fn ends_harness(&self) -> bool {
        !self.regression.in_child() && self.verification.as_ref().is_some_and(|seen| seen.killed)
    }

    /// Whether a run showed the crash, and wrote where `cargo test` says what comes of the tests.
    fn speaks_over_harness(&self) -> bool {
        !self.regression.in_child() && self.verification.as_ref().is_some_and(|seen| seen.speaks_over)
    }

    /// Whether it reproduces the crash by a function that is no last resort: others need not be sought.
    pub fn suffices(&self) -> bool {
        self.reproduces() && !self.callable.facts.last_resort()
    }

    /// Whether its text, as far as it is its own, is more than a reader takes in at once.
    pub(crate) fn is_long(&self) -> bool {
        // What stands behind the test is the same for all, or a copy of the program's.
        self.text.lines().take_while(|line| *line != "}").count() >= LONG
    }

    /// Whether its values may be said in fewer lines.
    pub(crate) fn is_wordy(&self) -> bool {
        self.lines_of_body() > SHORT
    }

    /// Lines of the test's own function.
    pub(crate) fn lines_of_body(&self) -> usize {
        let is_before = |line: &&str| !line.starts_with("fn ") && !line.starts_with("async fn ");
        self.text.lines().skip_while(is_before).skip(1).take_while(|line| *line != "}").count()
    }

    /// Whether functions are added to the crate for it, since none of its own sets what nobody else can see.
    pub(crate) fn adds_constructors(&self) -> bool {
        !self.regression.constructors.is_empty()
    }

    /// What the sandbox kept the test from, as the user knows it.
    pub fn forbidden(&self, bench: &Bench<'_>) -> Vec<Access> {
        forbidden(self.accesses(), bench.scratch)
    }

    /// What its runs tried, as far as they were watched.
    fn accesses(&self) -> &[Access] {
        self.verification.as_ref().map_or(&[], |verification| &verification.accesses)
    }

    /// Files that its runs looked for and that only the user's own tree has, in words.
    pub fn missing(&self, bench: &Bench<'_>) -> Vec<String> {
        dependence::missing(self, bench)
    }

    /// What the functions that its call leads to read beside their arguments, in words.
    pub fn reads(&self, bench: &Bench<'_>) -> Vec<String> {
        reads::reads(self, bench)
    }

    /// Whether texts that it is given lie within others, or references lead to one thing, and are written each by itself: a
    /// place in an input is often told by its address.
    fn takes_parts(&self, bench: &Bench<'_>) -> bool {
        let values: Vec<_> = self.callable.arguments().map(|(argument, _)| &argument.value).collect();
        let types = &bench.snapshot.types;
        !self.style.parts && (have_parts(values.iter().copied(), types) || have_one_thing(&values, types))
    }

    /// Whether it is given moments that were not those at which its test runs.
    fn takes_moments(&self, bench: &Bench<'_>) -> bool {
        let arguments = self.callable.arguments();
        let arguments: Vec<_> =
            arguments.map(|(argument, _)| (argument.name.as_str(), &argument.value)).collect();
        let made = self.callable.made.calls.iter().flat_map(|made| &made.call.arguments);
        let Snapshot { types, clock, .. } = bench.snapshot;
        self.style.moments == Moments::Now && have_moments_apart(&arguments, made, types, *clock)
    }

    /// Whether it goes over hash tables of which several entries are left: which of them comes next is chance.
    fn goes_over_tables(&self, bench: &Bench<'_>) -> bool {
        let values = self.callable.arguments().map(|(argument, _)| &argument.value);
        !self.style.next_alone && go_over_tables(values, &bench.snapshot.types)
    }

    /// Whether runs that are alike may be chance: its functions read the clock and the like, or what it is given lies in another
    /// order in each process.
    fn goes_by_chance(&self, bench: &Bench<'_>) -> bool {
        let values = self.callable.arguments().map(|(argument, _)| &argument.value);
        let by_order = self.goes_over_tables(bench) || have_chance_order(values, &bench.snapshot.types);
        by_order || reads::goes_by_chance(self, bench)
    }

    /// Writes it anew after a change of style; `false` where that cannot be done.
    fn rewrite(&mut self, bench: &Bench<'_>) -> bool {
        let name = self.regression.name.clone();
        let made =
            write(&self.callable, &self.target, &name, self.style, &self.left_out, &self.beside, bench);
        match made {
            Ok(written) => {
                self.regression = written.regression;
                self.regression.header.remarks.extend(self.remarks.iter().cloned());
                self.trust = written.trust;
                self.nodes = written.nodes;
                self.variables = written.variables;
                true
            }
            Err(_) => false,
        }
    }
}

/// Whether a crash of this kind ends the process that it happens in: the test then runs its call in a child.
fn kills_its_process(kind: CauseKind) -> bool {
    matches!(kind, CauseKind::Signal | CauseKind::Abort | CauseKind::StackOverflow)
}

/// Import lines that bring nothing: the names of a parent that is empty.
fn left_out_at(callable: &Callable<'_>, index: &SourceIndex) -> Vec<String> {
    let empty = callable.is_outside() && index.module(callable.home).brings_nothing(OUTSIDE_NAME);
    if empty { vec![PARENT.to_owned()] } else { Vec::new() }
}

/// A candidate's test.
struct Written {
    regression: Regression,
    trust: Trust,
    nodes: u64,
    variables: Vec<Option<String>>,
}

/// Writes a candidate's test.
fn write(
    callable: &Callable<'_>,
    target: &TestTarget,
    name: &str,
    style: Style,
    left_out: &[String],
    beside: &Beside,
    bench: &Bench<'_>,
) -> Result<Written, String> {
    let call = callable
        .call(name, style, &bench.snapshot.types, bench.index)
        .map_err(|uncallable| uncallable.to_string())?;
    let module = bench.index.place(callable.home);
    let test = place::test_path(&module, name, bench.scratch.root()).map_err(|error| error.to_string())?;
    let naming = Naming { target, test: &test };
    let dies = kills_its_process(bench.snapshot.cause.kind);
    let time_limit = bench.snapshot.cause.time_limit().map(hang::limit);
    let panic_ends_process = beside.panic_ends_process;
    let speaks_over = beside.speaks_over;
    let in_child =
        dies || panic_ends_process || speaks_over || time_limit.is_some() || !beside.given.is_empty();
    let of_package =
        || Executor::of(bench.index.package(callable.home.krate), |index| bench.index.packages().get(index));
    let is_async = callable.frame.is_async;
    let executor = beside.runtime.map(Executor::Runtime).or_else(|| is_async.then(of_package));
    let awaited = executor.filter(|_| is_async).map(|executor| executor.waits_for(&call.tokens, in_child));
    let end = awaited.unwrap_or_else(|| call.tokens.clone());
    let (before, end) = match beside.runtime {
        Some(runtime) => {
            let lets: Vec<_> = call.arguments.iter().flat_map(|argument| argument.lets.clone()).collect();
            let by_attribute = !in_child && Executor::Runtime(runtime).attribute().is_some();
            runtime.holds(&end, &lets, by_attribute)
        }
        None => (TokenStream::new(), end),
    };
    let drop_result = style.drop_result || call.drops_result;
    let body = crate::expression::body(&call.arguments, &end, drop_result);
    let tokens = own_path::by_name(beside.renamed(quote!(#before #body)), &bench.snapshot.program);
    let names = NamesAt::new(bench.index, callable.home);
    // In edition 2015 a `use` begins at the crate's root, other paths do not.
    let may = |path: &str, name: &str| {
        !style.long_paths && (module.edition > 2015 || path.starts_with("crate::")) && names.is_free(name)
    };
    let (tokens, mut uses) = crate::expression::import_repeated(tokens, &may);
    uses.extend(call.copied.iter().flat_map(|copied| copied.uses.iter().cloned()));
    let trust = call.arguments.iter().map(|a| a.trust).max().unwrap_or(Trust::Entry);
    let nodes = call.arguments.iter().map(|a| a.nodes).sum();
    let variables = call.arguments.iter().map(|a| a.variable.as_ref().map(ToString::to_string)).collect();
    let mut header = header::of(callable, bench.snapshot, bench.index, naming, trust);
    header.remarks.extend(reads::remarks(callable, bench));
    header.remarks.extend(beside.remarks());
    let regression = Regression {
        name: name.to_owned(),
        module,
        header,
        uses,
        body: crate::expression::format(&tokens),
        left_out: left_out.to_vec(),
        dies,
        panic_ends_process,
        speaks_over,
        executor,
        time_limit,
        given: beside.given.clone(),
        should_panic: None,
        side_files: call
            .arguments
            .into_iter()
            .flat_map(|a| a.side_files)
            .chain(beside.side_files())
            .collect(),
        constructors: call.constructors,
        copied: call.copied.map(|copied| Copied {
            text: if style.allows_unused { copied.allowing.clone() } else { copied.text },
            ..copied
        }),
    };
    Ok(Written { regression, trust, nodes, variables })
}

/// Builds the drafts of one test target together and runs each once. Those that the compiler rejects go to
/// `rejected`.
pub fn together<'a>(
    drafts: Vec<Draft<'a>>,
    bench: &Bench<'_>,
    effort: &mut Effort,
    rejected: &mut Vec<Rejection>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Draft<'a>>, ProveError> {
    let mut drafts = drafts;
    let Some(target) = drafts.first().map(|draft| draft.target.clone()) else { return Ok(drafts) };
    for round in 1.. {
        let mut files = Vec::new();
        drafts = placeable(drafts, bench, rejected, &mut files);
        if drafts.is_empty() {
            return Ok(drafts);
        }
        let regressions: Vec<Regression> = drafts.iter().map(|draft| draft.regression.clone()).collect();
        let mut not_placed = None;
        let mut edits_for = |kept: &[usize]| {
            let kept: Vec<Regression> = kept.iter().map(|&i| regressions[i].clone()).collect();
            match place::edits(&kept, bench.scratch.root(), bench.templates) {
                Ok(placement) => placement.edits,
                Err(error) => {
                    not_placed = Some(error);
                    EditSet::default()
                }
            }
        };
        let built =
            compile_candidates(bench.scratch, &target, bench.variables, &files, &mut edits_for, progress)?;
        effort.builds += built.builds;
        // What was built then has no test in it.
        if let Some(error) = not_placed {
            bench.scratch.reset(&built.applied)?;
            return Err(error.into());
        }
        let again = round < MAX_ROUNDS
            && wording::reword(&mut drafts, &built.rejected, built.compiled.as_ref(), bench);
        if again {
            bench.scratch.reset(&built.applied)?;
            continue;
        }
        for (&index, error) in &built.rejected {
            rejected.push(drafts[index].rejection(format!("{NO_COMPILE}{}", error.message)));
        }
        let lines = lines::line_map(&built.applied, bench);
        let crash = Crash::new(bench.snapshot, bench.scratch.roots(bench.roots), lines)
            .with_rules(bench.rules.clone());
        let mut ready = Vec::new();
        let mut trials = Vec::new();
        for (index, mut draft) in drafts.into_iter().enumerate() {
            let compiled = built.compiled.as_ref().filter(|_| built.kept.contains(&index));
            if let Some(run) = compiled.and_then(|compiled| test_run(compiled, &draft, bench)) {
                let crash = crash.below(bench.snapshot, draft.callable.frame, &draft.file);
                draft.folder.clone_from(&run.folder);
                let given = &draft.beside.given;
                let bare = if draft.regression.dies { stack::alone(given) } else { given.is_empty() };
                let by_chance = draft.goes_by_chance(bench);
                trials.push(Trial { run, crash, bare, by_chance });
                ready.push(draft);
            }
        }
        // All runs now: a later build of this target replaces the executable.
        let mut kept = Vec::new();
        let mut again = Vec::new();
        let tried = Setting::of(bench).all(&trials)?;
        let others = tried.iter().any(|tried| tried.lacks.is_none() && tried.verification.is_verified());
        for (mut draft, tried) in ready.into_iter().zip(tried) {
            effort.runs += tried.runs;
            match tried.lacks {
                Some(given) => {
                    draft.beside.give(given);
                    again.push(draft);
                }
                None => {
                    draft.verification = Some(tried.verification);
                    let shown = draft.verification.as_ref().is_some_and(Verification::is_verified);
                    if draft.ends_harness() || shown && draft.speaks_over_harness() {
                        draft.beside.panic_ends_process = draft.ends_harness();
                        draft.beside.speaks_over = draft.speaks_over_harness();
                        again.push(Draft { verification: None, ..draft });
                        continue;
                    }
                    let missed = dependence::bring_missed(&draft, bench);
                    match missed
                        .or_else(|| dependence::within_runtime(&draft, others, bench))
                        .filter(|_| !shown)
                    {
                        Some(beside) => again.push(Draft { beside, verification: None, ..draft }),
                        None if !shown && draft.takes_moments(bench) => {
                            let moments = Moments::Apart(bench.snapshot.clock);
                            let style = Style { moments, ..draft.style };
                            again.push(Draft { style, verification: None, ..draft });
                        }
                        None if !shown && draft.goes_over_tables(bench) => {
                            let style = Style { next_alone: true, ..draft.style };
                            again.push(Draft { style, verification: None, ..draft });
                        }
                        None if !shown && !others && draft.takes_parts(bench) => {
                            let style = Style { parts: true, ..draft.style };
                            again.push(Draft { style, verification: None, ..draft });
                        }
                        None => kept.push(draft),
                    }
                }
            }
        }
        bench.scratch.reset(&built.applied)?;
        again.retain_mut(|draft| draft.rewrite(bench));
        if !again.is_empty() {
            kept.extend(together(again, bench, effort, rejected, progress)?);
        }
        return Ok(kept);
    }
    Ok(drafts)
}

/// Places all drafts in a row, to learn their files, texts and names: what a test is called where another has its
/// name must be what is run. Drops those that cannot be placed.
fn placeable<'a>(
    mut drafts: Vec<Draft<'a>>,
    bench: &Bench<'_>,
    rejected: &mut Vec<Rejection>,
    files: &mut Vec<CandidateFiles>,
) -> Vec<Draft<'a>> {
    let edits = |drafts: &[&Draft<'a>]| {
        let regressions: Vec<Regression> = drafts.iter().map(|draft| draft.regression.clone()).collect();
        place::edits(&regressions, bench.scratch.root(), bench.templates)
    };
    let mut placement = edits(&drafts.iter().collect::<Vec<_>>());
    if placement.is_err() {
        // One that has no place must not take the others' with it.
        drafts.retain(|draft| match edits(&[draft]) {
            Ok(_) => true,
            Err(error) => {
                rejected.push(draft.rejection(error.to_string()));
                false
            }
        });
        placement = edits(&drafts.iter().collect::<Vec<_>>());
    }
    let placed = match placement {
        Ok(placement) => placement.placed,
        Err(error) => {
            rejected.extend(drafts.iter().map(|draft| draft.rejection(error.to_string())));
            return Vec::new();
        }
    };
    for (draft, placed) in drafts.iter_mut().zip(placed) {
        let own = [placed.file.clone()].into_iter().chain(placed.constructors);
        files.push(CandidateFiles { files: own.collect() });
        draft.regression = place::renamed(&draft.regression, &placed.name);
        draft.file = placed.file;
        draft.text = placed.text;
        draft.test = placed.test;
    }
    drafts
}

/// Builds and runs the draft once more with the files that it reads brought along, or said. `None`: it depends on
/// none.
pub fn self_contained<'a>(
    draft: &Draft<'a>,
    bench: &Bench<'_>,
    effort: &mut Effort,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<Draft<'a>>, ProveError> {
    let Some(mut beside) = dependence::bring_along(draft, bench) else { return Ok(None) };
    let mut changed = draft.clone();
    if beside.moves(&draft.beside) {
        changed.beside = beside.clone();
        changed.verification = None;
        let built = if changed.rewrite(bench) {
            match together(vec![changed], bench, effort, &mut Vec::new(), progress) {
                Err(error) if error.cannot_write() => return Err(error),
                // The test as it was is proved.
                built => built.unwrap_or_default(),
            }
        } else {
            Vec::new()
        };
        match built.into_iter().next() {
            Some(built) if built.reproduces() => return Ok(Some(built)),
            _ => beside = beside.where_they_are(&draft.beside),
        }
        changed = draft.clone();
    }
    changed.beside = beside;
    Ok(changed.rewrite(bench).then_some(changed))
}

/// The run of a draft's test. What the crashed program had in its environment is not inherited: elsewhere nobody
/// would set it.
fn test_run(compiled: &Compiled, draft: &Draft<'_>, bench: &Bench<'_>) -> Option<TestRun> {
    let captured = &bench.snapshot.program.environment;
    let inherited = compiled.environment.iter();
    let mut run = TestRun {
        executable: compiled.executable.clone()?,
        test: draft.test.clone(),
        folder: compiled.package_folder.clone(),
        environment: inherited
            .filter(|(name, _)| !captured.iter().any(|variable| name == variable.name.as_str()))
            .cloned()
            .collect(),
        limits: bench.limits.clone(),
        captured: false,
    };
    if let Some(limit) = draft.regression.time_limit {
        run.limits = hang::limits(&run.limits, limit);
    }
    // A death is watched in the child itself, which its parent would give this.
    let given = &draft.regression.given;
    Some(if draft.regression.dies || draft.regression.time_limit.is_some() {
        dependence::with(&run, given)
    } else {
        run
    })
}

impl Draft<'_> {
    /// The rejection of this candidate.
    pub fn rejection(&self, reason: String) -> Rejection {
        self.callable.rejection(reason)
    }
}
