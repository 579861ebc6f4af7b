//! What a regression's call returns once the crash is gone: seen in a scratch copy, judged, and, when a person
//! accepts it, locked as insta's own snapshot. In: regressions in their files and a scratch copy. Out: outcomes
//! and edits. The user's tree is only read.

mod accept;
mod call;
mod dependency;
mod error;
mod observe;

use std::path::{Path, PathBuf};

use crate::edit::{EditError, Tree};
use crate::render::{RunCommand, Wiring};
use crate::sync::SyncPackage;

pub use accept::{Acceptance, accept, drop_insta, has_insta, restore_insta};
pub use call::CallError;
pub use dependency::DependencyError;
pub use error::OutcomeError;
pub use observe::observe;

/// A regression, as review sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewable {
    /// Its name.
    pub name: String,
    /// Its file, relative to the workspace root.
    pub file: PathBuf,
    /// Its package's folder, relative to the workspace root.
    pub package_folder: PathBuf,
    /// The edition of its package.
    pub edition: u16,
    /// The command that runs it, from its header; empty where that cannot be read.
    pub run: RunCommand,
    /// How far it is.
    pub state: State,
}

/// How far a regression is on its way to a locked outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It only says that nothing panics.
    NotAccepted,
    /// Its outcome is compared with an accepted one; `None` where the `.snap` is missing.
    Accepted(Option<String>),
    /// `#[should_panic]`: a known open bug has no outcome.
    MarkedOpen,
    /// A person has changed it beyond what can be edited or run; why.
    ByHand(String),
}

/// What a regression's call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It returned this (`{:#?}`), each time.
    Returned(String),
    /// It returns nothing (`()`): there is nothing to lock.
    Nothing,
    /// The crash is still there (or another one); the panic's first lines.
    Crashed(String),
    /// Two runs returned different things.
    Differs {
        /// One of them.
        one: String,
        /// Another.
        other: String,
    },
    /// It holds what looks like a memory address.
    Address(String),
    /// It is too long for a snapshot that a person reads; how many bytes.
    TooLong(u64),
    /// It cannot be shown: it is not `Debug`; the compiler's words.
    NotDebug(String),
    /// The test is not built or not found, or it took too long; why.
    Invalid(String),
}

/// The regressions below `root`, sorted by file. Files without relapse's header are a person's own and left out.
pub fn survey(root: &Path, packages: &[SyncPackage]) -> Result<Vec<Reviewable>, EditError> {
    let tree = Tree::new(root);
    let mut found = Vec::new();
    for package in packages {
        for file in tree.walk(&package.folder.join("regressions"))? {
            let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if name == "mod" || file.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let Some(text) = tree.read_text(&file)? else { continue };
            if Wiring::read(&text).is_none() {
                continue;
            }
            let run = RunCommand::read(&text);
            let state = match (&run, call::find(&text, &name)) {
                (Err(error), _) => State::ByHand(error.to_string()),
                (_, Ok(call)) if call.should_panic => State::MarkedOpen,
                (_, Ok(call)) if call.asserts => State::Accepted(accepted(&tree, &file, &name)?),
                (_, Ok(_)) => State::NotAccepted,
                (_, Err(error)) => State::ByHand(error.to_string()),
            };
            let run = run.unwrap_or_default();
            let package_folder = package.folder.clone();
            found.push(Reviewable { name, file, package_folder, edition: package.edition, run, state });
        }
    }
    found.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(found)
}

/// The accepted snapshot of a regression: what follows the head of its `.snap`.
fn accepted(tree: &Tree, file: &Path, name: &str) -> Result<Option<String>, EditError> {
    for snapshot in tree.walk(&file.with_file_name("snapshots"))? {
        if is_snapshot_of(&snapshot, name) {
            return Ok(tree.read_text(&snapshot)?.as_deref().and_then(content).map(str::to_owned));
        }
    }
    Ok(None)
}

/// `CRATE__a__regressions__NAME__FUNCTION.snap`.
fn is_snapshot_of(file: &Path, name: &str) -> bool {
    let file = file.file_name().and_then(|file| file.to_str()).unwrap_or_default();
    file.strip_suffix(".snap").is_some_and(|stem| stem.contains(&format!("regressions__{name}__")))
}

/// What follows the head of a `.snap`, without the last newline.
fn content(snapshot: &str) -> Option<&str> {
    let (_, content) = snapshot.strip_prefix("---\n")?.split_once("\n---\n")?;
    Some(content.strip_suffix('\n').unwrap_or(content))
}

#[cfg(test)]
mod tests;
