//! Builds one test target with the user's own cargo and toolchain. In: a folder to build in, the target's
//! arguments, the variables of the crashed build; out: the test executable with the environment that cargo
//! would run it in, or what the compiler says about which file. Never runs a test.

mod cargo;
mod diagnostic;
mod error;
mod lacking;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

pub use self::diagnostic::Diagnostic;
pub use self::error::CompileError;
pub use crate::build_place::BuildPlace;
use crate::edit::EditSet;
use crate::scratch::Scratch;

/// One test target of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestTarget {
    /// The package, as `cargo test -p` takes it.
    pub package: String,
    /// `--lib`, `--bin NAME`, `--test NAME` or `--example NAME`, then features, `--release` or `--profile`, and
    /// `--target`, as they were for the crash.
    pub cargo_args: Vec<String>,
}

/// A variable of the build: its value, or `None` where it must not be set.
pub type Variable = (String, Option<String>);

/// A sign of life while cargo builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The crate that was finished.
    pub name: &'a str,
    /// Whether it had been built before.
    pub fresh: bool,
    /// How many crates are finished.
    pub finished: u64,
}

/// What a build came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// The test executable; `None` where the compiler found errors.
    pub executable: Option<PathBuf>,
    /// The folder of the package: the working folder of its tests.
    pub package_folder: PathBuf,
    /// The whole environment that `cargo test` runs the executable in (library paths, `CARGO_*`, the `[env]` of
    /// the configuration).
    pub environment: Vec<(OsString, OsString)>,
    /// What the compiler rejects.
    pub errors: Vec<Diagnostic>,
    /// What it warns of.
    pub warnings: Vec<Diagnostic>,
}

/// The files that belong to one candidate, relative to the workspace root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CandidateFiles {
    /// Its test, and whatever else stands or falls with it.
    pub files: Vec<PathBuf>,
}

/// What the candidates of one test target came to. Their edits stay applied in the scratch copy.
#[derive(Debug, Clone)]
pub struct CandidateBuild {
    /// The build of those that are left; `None` where none is.
    pub compiled: Option<Compiled>,
    /// Indices of the candidates in it.
    pub kept: Vec<usize>,
    /// The others, each with the compiler's first words about it.
    pub rejected: BTreeMap<usize, Diagnostic>,
    /// The edits of those that are left, to be taken back with [`Scratch::reset`].
    pub applied: EditSet,
    /// How often cargo built.
    pub builds: u32,
}

/// Builds one test target. Errors of the compiler are in the result; an error of this function means that cargo
/// did not come as far as that.
pub fn compile(
    place: &BuildPlace,
    target: &TestTarget,
    variables: &[Variable],
    sink: &mut dyn FnMut(Progress<'_>),
) -> Result<Compiled, CompileError> {
    let run = cargo::test(place, target, variables, false, sink)?;
    if run.reached_the_compiler() || place.locked {
        return run.compiled(target);
    }
    // Without a lock file cargo asks the registry; where there is no network, what is on this machine may do.
    let offline = cargo::test(place, target, variables, true, sink)?;
    if offline.reached_the_compiler() { offline.compiled(target) } else { run.compiled(target) }
}

/// Builds candidates together. Those that the compiler rejects are dropped, the rest is built again, until it
/// builds. `edits_for` gives the edits that put a choice of candidates in place.
pub fn compile_candidates(
    scratch: &Scratch,
    target: &TestTarget,
    variables: &[Variable],
    candidates: &[CandidateFiles],
    edits_for: &mut dyn FnMut(&[usize]) -> EditSet,
    sink: &mut dyn FnMut(Progress<'_>),
) -> Result<CandidateBuild, CompileError> {
    let mut build = CandidateBuild {
        compiled: None,
        kept: (0..candidates.len()).collect(),
        rejected: BTreeMap::new(),
        applied: EditSet::default(),
        builds: 0,
    };
    while !build.kept.is_empty() {
        build.applied = edits_for(&build.kept);
        scratch.apply(&build.applied)?;
        build.builds += 1;
        let compiled = compile(&scratch.build_place(), target, variables, sink);
        let rejected = match &compiled {
            Ok(compiled) => blame(scratch, candidates, &build.kept, &compiled.errors),
            Err(_) => BTreeMap::new(),
        };
        match compiled {
            Ok(compiled) if compiled.errors.is_empty() => {
                build.compiled = Some(compiled);
                return Ok(build);
            }
            Ok(compiled) if rejected.is_empty() => {
                scratch.reset(&build.applied)?;
                return Err(CompileError::elsewhere(&target.package, &compiled.errors, scratch.skipped()));
            }
            Ok(_) => scratch.reset(&build.applied)?,
            Err(error) => {
                scratch.reset(&build.applied)?;
                return Err(error);
            }
        }
        build.kept.retain(|index| !rejected.contains_key(index));
        build.rejected.extend(rejected);
    }
    build.applied = EditSet::default();
    Ok(build)
}

/// Which of the candidates the errors are about: by the primary spans and the macro calls that they come from,
/// and where those name no candidate, by any other span.
fn blame(
    scratch: &Scratch,
    candidates: &[CandidateFiles],
    kept: &[usize],
    errors: &[Diagnostic],
) -> BTreeMap<usize, Diagnostic> {
    let owners = |file: &PathBuf| -> Option<Vec<usize>> {
        let is_owner = |index: &usize| {
            candidates[*index].files.iter().any(|own| {
                // The index may name a file through a link, the compiler names it as it found it.
                own == file
                    || scratch.at(own).is_ok_and(|own| scratch.relative(&own).is_some_and(|own| own == *file))
            })
        };
        let found: Vec<usize> = kept.iter().copied().filter(is_owner).collect();
        (!found.is_empty()).then_some(found)
    };
    let mut blamed = BTreeMap::new();
    for error in errors {
        let primary = error.primary_files.iter().find_map(owners);
        let found = primary.or_else(|| error.other_files.iter().find_map(owners));
        // A constructor that does not compile takes all candidates with it that call it.
        for index in found.into_iter().flatten() {
            blamed.entry(index).or_insert_with(|| error.clone());
        }
    }
    blamed
}
