//! Whether a test is meant to panic, as its source says it.

use std::fs;
use std::path::{Path, PathBuf};

use relapse_capture::roots::Roots;
use relapse_capture::tracer::Expectation;
use relapse_generator::should_panic::{ShouldPanic, doctest_should_panic, should_panic};
use relapse_snapshot::Frame;

/// A larger source file is not read for this.
const LARGEST_SOURCE: u64 = 16 << 20;
/// Folders are searched to this depth for the source of a documentation test.
const DEEPEST: usize = 32;

/// Reads the function of a test at the place where it is declared, a documentation test at the place that its name
/// says.
pub(crate) fn from_source(roots: &Roots) -> impl FnMut(&Frame) -> Expectation + use<> {
    let root = roots.workspace.clone();
    move |test| {
        let answer = || {
            let root = root.as_ref()?;
            match (test.function.rsplit_once("::_doctest_main_"), test.declared.as_ref()) {
                (Some((_, place)), _) => of_doctest(root, place),
                (None, declared) => should_panic(&text(&root.join(&declared?.file))?, declared?.line),
            }
        };
        match answer() {
            Some(ShouldPanic::Yes(expected)) => Expectation::Panic(expected),
            Some(ShouldPanic::No) => Expectation::NoPanic,
            None => Expectation::Unknown,
        }
    }
}

fn text(path: &Path) -> Option<String> {
    if fs::metadata(path).ok()?.len() > LARGEST_SOURCE {
        return None;
    }
    fs::read_to_string(path).ok()
}

/// `place`: `src_lib_rs_13_0`, the file (relative to the workspace, all but letters and digits replaced), the line, and
/// a number.
fn of_doctest(root: &Path, place: &str) -> Option<ShouldPanic> {
    let (place, _) = place.rsplit_once('_')?;
    let (file, line) = place.rsplit_once('_')?;
    let line = line.parse().ok()?;
    let mut files = Vec::new();
    files_named(root, file, DEEPEST, &mut files);
    // Several files may go by that name (`a-b.rs`, `a/b.rs`): they must agree.
    let mut answers = files.iter().map(|file| doctest_should_panic(&text(file)?, line));
    let first = answers.next()??;
    answers.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// The files below a folder whose path is `name` once everything but letters and digits is replaced.
fn files_named(folder: &Path, name: &str, depth: usize, found: &mut Vec<PathBuf>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let entry_name = entry.file_name();
        let Some(entry_name) = entry_name.to_str() else { continue };
        let plain = entry_name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let Some(rest) = name.strip_prefix(&plain) else { continue };
        match rest.strip_prefix('_') {
            _ if rest.is_empty() => found.push(entry.path()),
            Some(rest) => files_named(&entry.path(), rest, depth, found),
            None => {}
        }
    }
}
