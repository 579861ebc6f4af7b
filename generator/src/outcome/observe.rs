//! Runs the calls of regressions in a scratch copy, with a probe in each that leaves what it returned, and judges
//! whether that can be locked.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use relapse_capture::roots::Roots;

use super::call::{self, OUTCOME_VARIABLE};
use super::{Outcome, OutcomeError, Reviewable};
use crate::compile::{
    CandidateFiles, CompileError, Compiled, Diagnostic, Progress, TestTarget, Variable, compile_candidates,
};
use crate::edit::{EditSet, FileEdit, Tree};
use crate::scratch::{Scratch, free_mib};
use crate::verify::{
    Bounds, Ending, Observation, ObserveError, Observer as _, TestRun, Traced, forbidden, in_copy, in_words,
    run, sandbox,
};

/// An outcome must be the same in at least this many runs.
const ROUNDS: u32 = 3;
/// A quick call is run up to this often: two entries of a hash map come in the same order in every second run.
const MORE_ROUNDS: u32 = 12;
/// How long the additional runs may take together.
const MORE_TIME: Duration = Duration::from_secs(1);
/// A longer outcome is nothing that a person reviews.
const MAX_OUTCOME_BYTES: u64 = 256 << 10;
/// Hexadecimal digits from which on `0x…` is taken for an address.
const ADDRESS_DIGITS: usize = 9;

/// What the calls of these regressions come to, in their order. They are built together for each test target;
/// the scratch copy is afterwards as it was.
pub fn observe(
    scratch: &Scratch,
    root: &Path,
    regressions: &[&Reviewable],
    bounds: &Bounds,
    sink: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Outcome>, OutcomeError> {
    let mut outcomes: Vec<Option<Outcome>> = vec![None; regressions.len()];
    let mut targets: BTreeMap<(TestTarget, &[Variable]), Vec<usize>> = BTreeMap::new();
    for (index, regression) in regressions.iter().enumerate() {
        targets.entry((target(regression), &regression.run.variables)).or_default().push(index);
    }
    let tree = Tree::new(root);
    for ((target, variables), indices) in targets {
        let mut edits: Vec<FileEdit> = Vec::new();
        for &index in &indices {
            edits.push(probe(&tree, regressions[index])?);
        }
        let files: Vec<CandidateFiles> =
            edits.iter().map(|edit| CandidateFiles { files: vec![edit.path.clone()] }).collect();
        // One that the compiler rejects goes back to the test as it is, which builds.
        let mut edits_for =
            |kept: &[usize]| EditSet { files: kept.iter().map(|&index| edits[index].clone()).collect() };
        let build = match compile_candidates(scratch, &target, variables, &files, &mut edits_for, sink) {
            Ok(build) => build,
            Err(error) if error.cannot_write() || matches!(error, CompileError::Killed { .. }) => {
                return Err(error.into());
            }
            Err(error) => {
                if let Some(left_mib) = scratch.too_little_room() {
                    return Err(OutcomeError::DiskFull { folder: scratch.target_folder(), left_mib });
                }
                let reason = error.to_string();
                for &index in &indices {
                    outcomes[index] = Some(Outcome::Invalid(reason.clone()));
                }
                continue;
            }
        };
        for (&at, diagnostic) in &build.rejected {
            outcomes[indices[at]] = Some(rejected(diagnostic));
        }
        if let Some(compiled) = &build.compiled {
            for &at in &build.kept {
                let seen = see(compiled, regressions[indices[at]], scratch, bounds);
                outcomes[indices[at]] = match seen {
                    Ok(outcome) => Some(outcome),
                    Err(error) => {
                        scratch.reset(&build.applied)?;
                        return Err(error);
                    }
                };
            }
        }
        scratch.reset(&build.applied)?;
    }
    let missing = || Outcome::Invalid("it was not built".to_owned());
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect())
}

pub(super) fn target(regression: &Reviewable) -> TestTarget {
    TestTarget { package: regression.run.package.clone(), cargo_args: regression.run.cargo_args.clone() }
}

fn probe(tree: &Tree, regression: &Reviewable) -> Result<FileEdit, OutcomeError> {
    let text = tree.read_text(&regression.file)?.unwrap_or_default();
    let after = call::probing(&text, &regression.name)
        .map_err(|source| OutcomeError::Call { file: regression.file.clone(), source })?;
    let (before, after) = (Some(text.into_bytes()), Some(after.into_bytes()));
    Ok(FileEdit { path: regression.file.clone(), before, after })
}

fn rejected(diagnostic: &Diagnostic) -> Outcome {
    // E0277: a trait bound is not met; here the only bound that the probe adds is `Debug`.
    if diagnostic.code.as_deref() == Some("E0277") && diagnostic.message.contains("Debug") {
        Outcome::NotDebug(diagnostic.message.clone())
    } else {
        Outcome::Invalid(diagnostic.message.clone())
    }
}

/// Runs one test until its outcome is sure.
fn see(
    compiled: &Compiled,
    regression: &Reviewable,
    scratch: &Scratch,
    bounds: &Bounds,
) -> Result<Outcome, OutcomeError> {
    let Some(test) = find_test(compiled, regression, bounds)? else {
        return Ok(Outcome::Invalid("its test is not found: run `cargo relapse sync`".to_owned()));
    };
    let folder = relapse_capture::temporary::Folder::create("outcome").map_err(CompileError::temporary)?;
    let mut bounds = bounds.clone();
    bounds.permissions.writable.push(folder.path().to_owned());
    let started = Instant::now();
    let mut first: Option<String> = None;
    for round in 0..MORE_ROUNDS {
        if round >= ROUNDS && started.elapsed() > MORE_TIME {
            break;
        }
        let file = folder.path().join(round.to_string());
        let environment = [(OUTCOME_VARIABLE, file.as_os_str())];
        let seen = run_test(compiled, &test, &environment, scratch, &bounds)?;
        let forbidden = in_words(&forbidden(&seen.accesses, scratch));
        let text = match left(&seen, &file) {
            // With a sandbox around it the call may return something else than without: that is no outcome.
            Ok(_) | Err(Outcome::Crashed(_)) if !forbidden.is_empty() => {
                return Ok(Outcome::Invalid(forbidden.join("; ")));
            }
            Ok(text) => text,
            // It may have failed because it could not leave its outcome.
            Err(_) if free_mib(folder.path()) == Some(0) => {
                return Err(OutcomeError::DiskFull { folder: folder.path().to_owned(), left_mib: 0 });
            }
            Err(outcome) => return Ok(outcome),
        };
        match &first {
            None => first = Some(text),
            Some(one) if *one != text => return Ok(Outcome::Differs { one: one.clone(), other: text }),
            Some(_) => {}
        }
    }
    let text = first.unwrap_or_default();
    Ok(if text == "()" {
        Outcome::Nothing
    } else if has_address(&text) {
        Outcome::Address(text)
    } else {
        Outcome::Returned(text)
    })
}

/// What a finished run left behind.
fn left(seen: &Observation, file: &Path) -> Result<String, Outcome> {
    match seen.ending {
        Ending::TimedOut => return Err(Outcome::Invalid("it did not end within its time".to_owned())),
        Ending::Exited(0) => {}
        _ => return Err(Outcome::Crashed(first_lines(seen))),
    }
    let Ok(metadata) = fs::metadata(file) else {
        return Err(Outcome::Invalid("its call did not return".to_owned()));
    };
    if metadata.len() > MAX_OUTCOME_BYTES {
        return Err(Outcome::TooLong(metadata.len()));
    }
    fs::read_to_string(file).map_err(|error| Outcome::Invalid(error.to_string()))
}

/// The panic's own lines of what a test printed: where its call ran in a child, those of the child's panic, which the
/// test tells after how the child ended.
pub(super) fn first_lines(seen: &Observation) -> String {
    let text = String::from_utf8_lossy(&seen.stderr).into_owned() + &String::from_utf8_lossy(&seen.stdout);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("note: ")).collect();
    let panics = || (0..lines.len()).filter(|&at| lines[at].contains("panicked at"));
    let tells_of_a_child = |at: usize| {
        lines
            .get(at + 1)
            .is_some_and(|said| said.starts_with("exit status: ") || said.starts_with("signal: "))
    };
    let from = panics().find(|&at| !tells_of_a_child(at)).or_else(|| panics().next());
    let lines: Vec<&str> = lines.into_iter().skip(from.unwrap_or(usize::MAX)).take(3).collect();
    if lines.is_empty() { "it failed without a panic".to_owned() } else { lines.join("\n") }
}

/// libtest's path of a regression: what its header says, or, where its module moved, what the executable lists.
pub(super) fn find_test(
    compiled: &Compiled,
    regression: &Reviewable,
    bounds: &Bounds,
) -> Result<Option<String>, OutcomeError> {
    let Some(executable) = &compiled.executable else { return Ok(None) };
    let arguments = ["--list", "--format=terse"];
    // With `harness = false` this is the user's own `main`, which need not know these words.
    let mut environment = compiled.environment.clone();
    let sandbox = sandbox(Some(&bounds.permissions), &mut environment).map_err(ObserveError::from)?;
    let (folder, limits) = (&compiled.package_folder, &bounds.limits);
    let finished = run(executable, &arguments, folder, &environment, limits, sandbox.as_ref())?;
    let text = String::from_utf8_lossy(&finished.stdout).into_owned();
    let tests: Vec<&str> = text.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    if tests.contains(&regression.run.test.as_str()) {
        return Ok(Some(regression.run.test.clone()));
    }
    let end = format!("regressions::{0}::{0}", regression.name);
    Ok(tests.into_iter().find(|test| test.ends_with(&end)).map(str::to_owned))
}

/// Runs one test alone in a sandbox, with additional variables.
pub(super) fn run_test(
    compiled: &Compiled,
    test: &str,
    variables: &[(&str, &std::ffi::OsStr)],
    scratch: &Scratch,
    bounds: &Bounds,
) -> Result<Observation, OutcomeError> {
    let mut environment: Vec<(OsString, OsString)> = compiled
        .environment
        .iter()
        .filter(|(name, _)| !variables.iter().any(|(other, _)| name == other))
        .cloned()
        .collect();
    environment.extend(variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    let run = TestRun {
        executable: compiled.executable.clone().unwrap_or_default(),
        test: test.to_owned(),
        folder: compiled.package_folder.clone(),
        environment,
        limits: bounds.limits.clone(),
        captured: false,
    };
    let observer = Traced { roots: Roots::default(), sandbox: Some(in_copy(&bounds.permissions, scratch)) };
    Ok(observer.observe(&run)?)
}

/// Whether a text holds `0x` and enough digits for an address of this machine.
fn has_address(text: &str) -> bool {
    text.match_indices("0x").any(|(at, _)| {
        let digits = text[at + 2..].bytes().take_while(u8::is_ascii_hexdigit).count();
        (ADDRESS_DIGITS..=16).contains(&digits)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_call_in_a_child_the_panic_is_told_and_not_how_the_child_ended() {
        let lines = |stderr: &str| {
            let stderr = stderr.as_bytes().to_vec();
            first_lines(&Observation {
                panics: Vec::new(),
                deaths: Vec::new(),
                ending: Ending::Exited(101),
                stdout: Vec::new(),
                stderr,
                accesses: Vec::new(),
            })
        };
        let child = "thread 't' panicked at src/lib.rs:3:5:\nindex out of bounds\nnote: run with it\n";
        assert_eq!(lines(child), child.lines().take(2).collect::<Vec<_>>().join("\n"));
        let parent = "thread 't' panicked at regressions/lib/t.rs:39:5:\nexit status: 101\n\n";
        assert_eq!(lines(&format!("{parent}{child}")), lines(child));
        let killed = "thread 't' panicked at regressions/lib/t.rs:39:5:\nsignal: 11 (SIGSEGV)\n";
        assert_eq!(lines(killed), killed.trim_end());
        assert_eq!(lines("x"), "it failed without a panic");
    }

    #[test]
    fn addresses_are_told_from_numbers() {
        assert!(has_address("Foo(0x00007ffd12345678)") && has_address("p: 0x55d0c0ffee0"));
        assert!(!has_address("0xdeadbeef") && !has_address("10x20") && !has_address("0x"));
    }
}
