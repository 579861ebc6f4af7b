//! Runs the regressions of a workspace by plain cargo, on any toolchain, and tells fixed from open. In: the
//! workspace; out: one verdict for each test, in the words of the design. Generates nothing.

pub mod error;
pub mod expected;
pub mod find;
pub mod header;
pub mod judge;
pub mod junit;
pub mod verdict;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;
use relapse_capture::roots::Roots;
use relapse_generator::compile::{BuildPlace, Compiled, Diagnostic, Progress, TestTarget, Variable, compile};
use relapse_generator::hang;
use relapse_generator::verify::{self, Ended, Limits, Observer, TestRun};
use relapse_snapshot::Snapshot;

pub use error::ReplayError;
pub use expected::Expected;
pub use find::{Found, find};
pub use header::Header;
pub use verdict::{Replayed, Verdict, exit_code};

/// What a replay works with.
pub struct Replay<'a> {
    /// `cargo metadata` of the workspace (`--no-deps` is enough).
    pub metadata: &'a Metadata,
    /// The workspace's folders, for the paths in messages.
    pub roots: &'a Roots,
    /// Runs a test and says what happened.
    pub observer: &'a dyn Observer,
    /// What each test may use.
    pub limits: Limits,
    /// The snapshot with that id or start of one, where the store still has it.
    pub snapshot: &'a dyn Fn(&str) -> Option<Snapshot>,
}

/// A sign of life.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Cargo finished a crate.
    Building(Progress<'a>),
    /// A test was judged.
    Judged(&'a Replayed),
}

/// The tests that one build serves: target and variables.
type Build = (TestTarget, Vec<Variable>);

impl Replay<'_> {
    /// Replays every regression of the workspace, in the order of their files.
    pub fn run(&self, sink: &mut dyn FnMut(Step<'_>)) -> Result<Vec<Replayed>, ReplayError> {
        let mut replayed = Vec::new();
        let mut builds: BTreeMap<Build, Vec<(Found, Header)>> = BTreeMap::new();
        for found in find(self.metadata)? {
            match Header::read(&found.text) {
                Ok(header) => {
                    let target =
                        TestTarget { package: header.package.clone(), cargo_args: header.cargo_args.clone() };
                    builds.entry((target, header.variables.clone())).or_default().push((found, header));
                }
                Err(reason) => {
                    let invalid = Replayed::invalid(&found, None, reason.to_string());
                    sink(Step::Judged(&invalid));
                    replayed.push(invalid);
                }
            }
        }
        for ((target, variables), regressions) in builds {
            self.build_and_run(&target, &variables, &regressions, &mut replayed, sink);
        }
        replayed.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(replayed)
    }

    fn build_and_run(
        &self,
        target: &TestTarget,
        variables: &[Variable],
        regressions: &[(Found, Header)],
        replayed: &mut Vec<Replayed>,
        sink: &mut dyn FnMut(Step<'_>),
    ) {
        let root = self.metadata.workspace_root.clone().into_std_path_buf();
        let place = BuildPlace {
            tree: self.tree(&root),
            root,
            target_folder: None,
            locked: false,
            lean_debug_info: false,
        };
        let built = compile(&place, target, variables, &mut |progress| sink(Step::Building(progress)));
        let tests = match &built {
            Ok(Compiled { executable: Some(executable), package_folder, environment, .. }) => {
                list_tests(executable, package_folder, environment, &self.limits)
            }
            _ => Ok(Vec::new()),
        };
        for (found, header) in regressions {
            let result = match (&built, &tests) {
                (Err(error), _) => Replayed::invalid(found, Some(header), error.to_string()),
                (Ok(compiled), _) if compiled.executable.is_none() => {
                    Replayed::invalid(found, Some(header), why_not_built(found, &compiled.errors))
                }
                (Ok(_), Err(reason)) => Replayed::invalid(found, Some(header), reason.clone()),
                (Ok(_), Ok(tests)) if !tests.contains(&header.test) => {
                    let reason =
                        format!("{} is not in the build: `cargo relapse sync` declares it", header.test);
                    Replayed::invalid(found, Some(header), reason)
                }
                (Ok(compiled), Ok(_)) => self.run_one(found, header, compiled),
            };
            sink(Step::Judged(&result));
            replayed.push(result);
        }
    }

    fn run_one(&self, found: &Found, header: &Header, compiled: &Compiled) -> Replayed {
        let mut run = TestRun {
            executable: compiled.executable.clone().unwrap_or_default(),
            test: header.test.clone(),
            folder: compiled.package_folder.clone(),
            environment: compiled.environment.clone(),
            limits: self.limits.clone(),
            captured: false,
        };
        let snapshot = (self.snapshot)(&header.snapshot);
        let expected = Expected::new(header, snapshot.as_ref(), self.roots);
        if expected.hangs {
            // Such a test ends its call itself, and is given the time for that.
            run.limits.timeout = run.limits.timeout.max(hang::LONGEST * 2);
        }
        let started = std::time::Instant::now();
        let judgement = judge::judge(self.observer, &run, &expected, found, self.roots);
        match judgement {
            Ok(judgement) => Replayed::judged(found, header, judgement, started.elapsed()),
            Err(error) => Replayed::invalid(found, Some(header), error.to_string()),
        }
    }

    /// The folder that holds all workspace code.
    fn tree(&self, root: &Path) -> PathBuf {
        let folders = self.roots.packages.iter().map(|package| package.folder.as_path());
        folders.fold(root.to_owned(), |tree, folder| {
            tree.components().zip(folder.components()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
        })
    }
}

/// The tests that an executable has, by libtest's own list.
fn list_tests(
    executable: &Path,
    folder: &Path,
    environment: &[(OsString, OsString)],
    limits: &Limits,
) -> Result<Vec<String>, String> {
    // The list of a large crate is long.
    let limits = Limits { output_bytes: 64 << 20, ..limits.clone() };
    let arguments = ["--list", "--format", "terse"];
    let finished = verify::run(executable, &arguments, folder, environment, &limits, None);
    let finished = finished.map_err(|error| error.to_string())?;
    match finished.ended {
        Ended::ByItself(status) if status.success() => {
            let text = String::from_utf8_lossy(&finished.stdout);
            Ok(text.lines().filter_map(|line| line.strip_suffix(": test")).map(str::to_owned).collect())
        }
        Ended::ByItself(status) => Err(format!("the test executable cannot list its tests ({status})")),
        Ended::TimedOut => Err("the test executable does not list its tests in its time".to_owned()),
    }
}

/// Why there is no executable: this regression's own error, or the first one.
fn why_not_built(found: &Found, errors: &[Diagnostic]) -> String {
    let own = errors.iter().find(|error| error.primary_files.contains(&found.file));
    if let Some(own) = own {
        let code = own.code.as_ref().map(|code| format!("[{code}]")).unwrap_or_default();
        return format!("it does not build: error{code}: {} (line {})", own.message, own.line);
    }
    match errors.first() {
        Some(error) => {
            let file = error.file.as_ref().map(|file| format!(" ({}:{})", file.display(), error.line));
            format!("its crate does not build: {}{}", error.message, file.unwrap_or_default())
        }
        None => "its crate does not build".to_owned(),
    }
}
