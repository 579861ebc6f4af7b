//! An accepted outcome as edits: the assertion in the test, insta's own `.snap`, and insta itself where the
//! package does not have it. Everything is tried in the scratch copy first: insta writes the file, and the test
//! passes with it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dependency::{self, Present, REQUIREMENTS};
use super::observe::{find_test, first_lines, run_test, target};
use super::{DependencyError, OutcomeError, Reviewable, State, call, content, is_snapshot_of};
use crate::compile::{Progress, compile};
use crate::edit::{EditSet, FileEdit, Tree};
use crate::place::kept_clean;
use crate::scratch::Scratch;
use crate::verify::{Bounds, Ending};

/// An outcome, ready to be locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Everything that changes in the user's tree.
    pub edits: EditSet,
    /// What comes into the lock file: `insta 1.44.3`.
    pub locked: Vec<String>,
}

/// Finds what locks `outcome` (as [`observe`](super::observe()) saw it) as the accepted one of a regression.
pub fn accept(
    scratch: &Scratch,
    root: &Path,
    regression: &Reviewable,
    outcome: &str,
    bounds: &Bounds,
    sink: &mut dyn FnMut(Progress<'_>),
) -> Result<Acceptance, OutcomeError> {
    let mut tree = Tree::new(root);
    let text = tree.read_text(&regression.file)?.unwrap_or_default();
    let asserting = call::asserting(&text, &regression.name, regression.edition)
        .map_err(|source| OutcomeError::Call { file: regression.file.clone(), source })?;
    let folder = root.join(regression.file.parent().unwrap_or(Path::new("")));
    let asserting = kept_clean(&text, asserting, &folder, regression.edition);
    tree.write(&regression.file, Some(asserting.into_bytes()))?;
    let locked = add_insta(scratch, &mut tree, &regression.package_folder)?;
    let edits = tree.edits().clone();
    scratch.apply(&edits)?;
    let snapshot = lock_outcome(scratch, regression, outcome, bounds, sink);
    scratch.reset(&edits)?;
    let (path, content) = snapshot?;
    for stale in tree.walk(&regression.file.with_file_name("snapshots"))? {
        if is_snapshot_of(&stale, &regression.name) && stale != path {
            tree.write(&stale, None)?;
        }
    }
    tree.write(&path, Some(content))?;
    Ok(Acceptance { edits: tree.into_edits(), locked })
}

/// Lets insta write the snapshot in the scratch copy, checks it, and proves that the test passes with it.
fn lock_outcome(
    scratch: &Scratch,
    regression: &Reviewable,
    outcome: &str,
    bounds: &Bounds,
    sink: &mut dyn FnMut(Progress<'_>),
) -> Result<(PathBuf, Vec<u8>), OutcomeError> {
    let failed = |reason: String| OutcomeError::NotLocked { name: regression.name.clone(), reason };
    let full = || match scratch.too_little_room() {
        Some(left_mib) => Err(OutcomeError::DiskFull { folder: scratch.target_folder(), left_mib }),
        None => Ok(()),
    };
    let compiled = compile(&scratch.build_place(), &target(regression), &regression.run.variables, sink);
    if compiled.as_ref().map_or(true, |compiled| !compiled.errors.is_empty()) {
        full()?;
    }
    let compiled = compiled?;
    if let Some(error) = compiled.errors.first() {
        return Err(failed(format!("with the assertion it does not build: {}", error.message)));
    }
    let test =
        find_test(&compiled, regression, bounds)?.ok_or_else(|| failed("its test is not found".into()))?;
    let folder = regression.file.with_file_name("snapshots");
    let snapshots = || -> Result<Vec<PathBuf>, OutcomeError> {
        let found = Tree::new(scratch.root()).walk(&folder)?;
        Ok(found.into_iter().filter(|file| is_snapshot_of(file, &regression.name)).collect())
    };
    // One that is accepted already would only be compared with.
    let earlier: Vec<FileEdit> = snapshots()?
        .into_iter()
        .map(|path| FileEdit { before: fs::read(scratch.root().join(&path)).ok(), path, after: None })
        .collect();
    let earlier = EditSet { files: earlier };
    scratch.apply(&earlier)?;
    let written = (|| {
        let seen = insta_run(scratch, &compiled, &test, "always", bounds)?;
        let mut found = snapshots()?;
        let (Some(path), true) = (found.pop(), found.is_empty()) else {
            return Err(failed(format!("insta wrote no snapshot{seen}")));
        };
        let bytes = fs::read(scratch.root().join(&path)).map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8_lossy(&bytes);
        if content(&text).map(str::trim) != Some(outcome.trim()) {
            let _ = fs::remove_file(scratch.root().join(&path));
            return Err(failed("it returned something else this time".into()));
        }
        let seen = insta_run(scratch, &compiled, &test, "no", bounds)?;
        let _ = fs::remove_file(scratch.root().join(&path));
        if seen.is_empty() {
            Ok((path, bytes))
        } else {
            Err(failed(format!("the test fails with its snapshot{seen}")))
        }
    })();
    scratch.reset(&earlier)?;
    written
}

/// Runs the test with one of insta's modes; empty where it passes, else how it ended.
fn insta_run(
    scratch: &Scratch,
    compiled: &crate::compile::Compiled,
    test: &str,
    mode: &str,
    bounds: &Bounds,
) -> Result<String, OutcomeError> {
    let variables = [
        ("INSTA_UPDATE", OsStr::new(mode)),
        ("INSTA_FORCE_PASS", OsStr::new("0")),
        ("INSTA_WORKSPACE_ROOT", scratch.root().as_os_str()),
    ];
    // insta writes beside the test, in the copy.
    let mut bounds = bounds.clone();
    bounds.permissions.writable.push(scratch.root().to_owned());
    let seen = run_test(compiled, test, &variables, scratch, &bounds)?;
    Ok(match seen.ending {
        Ending::Exited(0) => String::new(),
        Ending::Exited(status) => format!(" (exit status {status}: {})", first_lines(&seen)),
        Ending::Signaled(name) => format!(" ({name})"),
        Ending::TimedOut => " (it did not end within its time)".to_owned(),
    })
}

/// Adds insta to a package where it is missing, by the first requirement that moves no locked version. Returns
/// what comes into the lock file.
fn add_insta(scratch: &Scratch, tree: &mut Tree, package_folder: &Path) -> Result<Vec<String>, OutcomeError> {
    let manifest_path = package_folder.join("Cargo.toml");
    let manifest = tree.read_text(&manifest_path)?.unwrap_or_default();
    let broken =
        |reason: String| DependencyError::Manifest { file: manifest_path.display().to_string(), reason };
    if dependency::present(&manifest).map_err(broken)? == Present::Yes {
        return Ok(Vec::new());
    }
    let root_manifest = tree.read_text(Path::new("Cargo.toml"))?.unwrap_or_default();
    let requirements: Vec<Option<&str>> = if dependency::in_workspace(&root_manifest) {
        vec![None]
    } else {
        REQUIREMENTS.iter().map(|requirement| Some(*requirement)).collect()
    };
    let lock_path = Path::new("Cargo.lock");
    let lock = tree.read_text(lock_path)?;
    let mut reasons: Vec<String> = Vec::new();
    for requirement in requirements {
        let with = dependency::with_insta(&manifest, requirement).map_err(broken)?;
        let edit = FileEdit {
            path: manifest_path.clone(),
            before: Some(manifest.clone().into_bytes()),
            after: Some(with.clone().into_bytes()),
        };
        match resolved(scratch, edit, lock.as_deref())? {
            Ok((new_lock, change)) if change.lost.is_empty() => {
                tree.write(&manifest_path, Some(with.into_bytes()))?;
                if lock.is_some() {
                    tree.write(lock_path, Some(new_lock.into_bytes()))?;
                }
                return Ok(change.added);
            }
            Ok((_, change)) => {
                let moved = change.lost.join(", ");
                reasons
                    .push(format!("insta {} would move {moved}", requirement.unwrap_or("of the workspace")));
            }
            Err(reason) => reasons.push(reason),
        }
    }
    reasons.dedup();
    Err(DependencyError::NotAdded(reasons.join("; ")).into())
}

/// The edits that bring insta back to a package whose tests need it (after a merge, say); none where it is there.
pub fn restore_insta(scratch: &Scratch, root: &Path, package_folder: &Path) -> Result<EditSet, OutcomeError> {
    let mut tree = Tree::new(root);
    add_insta(scratch, &mut tree, package_folder)?;
    Ok(tree.into_edits())
}

/// Whether a package has insta among its dependencies, whoever added it.
pub fn has_insta(root: &Path, package_folder: &Path) -> Result<bool, OutcomeError> {
    let manifest = Tree::new(root).read_text(&package_folder.join("Cargo.toml"))?.unwrap_or_default();
    Ok(dependency::present(&manifest).is_ok_and(|present| present == Present::Yes))
}

/// These edits, and those that take insta out of a package again, where it was added for accepted outcomes: the line
/// in its manifest, and the lock entries that nothing else needs. Nothing is added where it is the user's own.
pub fn drop_insta(
    scratch: &Scratch,
    root: &Path,
    package_folder: &Path,
    edits: EditSet,
) -> Result<EditSet, OutcomeError> {
    let on_disk = Tree::new(root);
    let mut tree = Tree::edited(root, edits);
    let manifest_path = package_folder.join("Cargo.toml");
    let manifest = tree.read_text(&manifest_path)?.unwrap_or_default();
    let broken =
        |reason: String| DependencyError::Manifest { file: manifest_path.display().to_string(), reason };
    let Some(without) = dependency::without_insta(&manifest).map_err(broken)? else {
        return Ok(tree.into_edits());
    };
    if let Some(before) = tree.read_text(Path::new("Cargo.lock"))? {
        let edit = FileEdit {
            path: manifest_path.clone(),
            before: on_disk.read(&manifest_path)?,
            after: Some(without.clone().into_bytes()),
        };
        match resolved(scratch, edit, Some(&before))? {
            Ok((after, change)) if change.added.is_empty() => {
                tree.write(Path::new("Cargo.lock"), Some(after.into_bytes()))?;
            }
            Ok((_, change)) => {
                let moved = change.added.join(", ");
                return Err(DependencyError::NotTakenOut(format!("that would bring {moved}")).into());
            }
            Err(reason) => return Err(DependencyError::NotTakenOut(reason).into()),
        }
    }
    tree.write(&manifest_path, Some(without.into_bytes()))?;
    Ok(tree.into_edits())
}

type Resolved = Result<(String, dependency::LockChange), String>;

/// Lets cargo resolve the workspace in the scratch copy with another manifest. The copy is afterwards as it was.
fn resolved(scratch: &Scratch, manifest: FileEdit, lock: Option<&str>) -> Result<Resolved, OutcomeError> {
    let lock_bytes = lock.map(|lock| lock.as_bytes().to_vec());
    let edits = EditSet { files: vec![manifest] };
    let lock_file = scratch.root().join("Cargo.lock");
    scratch.apply(&edits)?;
    // What is on this machine may do; cargo asks the registry only where it does not.
    let answer = cargo_metadata(scratch.root(), true).or_else(|_| cargo_metadata(scratch.root(), false));
    let after = fs::read_to_string(&lock_file).unwrap_or_default();
    scratch.reset(&edits)?;
    let restore = FileEdit { path: "Cargo.lock".into(), before: None, after: lock_bytes };
    scratch.apply(&EditSet { files: vec![restore] })?;
    Ok(answer.and_then(|()| {
        let before = lock.unwrap_or_default();
        let change = dependency::compare(before, &after)?;
        // Without a lock file every version is free: nothing can be moved.
        let after = if lock.is_some() { dependency::in_format_of(before, &after) } else { after };
        Ok((after, change))
    }))
}

/// `cargo metadata`, which brings the lock file up to date with as few changes as it can.
fn cargo_metadata(root: &Path, offline: bool) -> Result<(), String> {
    let mut command = Command::new(crate::project::cargo());
    command.args(["metadata", "--format-version", "1"]).current_dir(root);
    if offline {
        command.arg("--offline");
    }
    let output = command.output().map_err(|error| format!("failed to run cargo: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let line =
        stderr.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("cargo metadata failed");
    Err(line.to_owned())
}

/// Whether an outcome is the accepted one.
impl Reviewable {
    /// Whether a person has something to decide: an outcome that was never accepted, or one that changed.
    pub fn is_new(&self, outcome: &str) -> bool {
        match &self.state {
            State::NotAccepted => true,
            State::Accepted(accepted) => accepted.as_deref().map(str::trim) != Some(outcome.trim()),
            State::MarkedOpen | State::ByHand(_) => false,
        }
    }
}
