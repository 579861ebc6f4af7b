//! What the functions of a test read beside their arguments, as far as their text and what a run was seen to do tell.
//! In: a candidate, or the run of its test. Out: facts, and words for the user.

use std::path::Path;

use relapse_snapshot::{Frame, FrameKind};

use super::{Bench, Draft};
use crate::candidate::Callable;
use crate::index::{FunctionItem, Reads, SourceIndex};
use crate::verify::{Access, Deed};

/// Files that hold another content each time.
const RANDOM_FILES: [&str; 2] = ["/dev/urandom", "/dev/random"];

/// What the functions between a test's call and the crash read beside their arguments, in words; each once.
pub(super) fn reads(draft: &Draft<'_>, bench: &Bench<'_>) -> Vec<String> {
    let mut said = Vec::new();
    for (function, reads) in all_reads(&draft.callable, bench) {
        said.push(format!("{} {reads}", function.name));
    }
    said.extend(
        random_files(draft.accesses())
            .map(|path| format!("the call reads random numbers of {}", path.display())),
    );
    each_once(said)
}

/// Lines for a test's header: what may be another thing in each run of it, though the crash came back each time.
pub(super) fn remarks(callable: &Callable<'_>, bench: &Bench<'_>) -> Vec<String> {
    let found = all_reads(callable, bench).into_iter();
    each_once(
        found
            .filter(|(function, reads)| reads.differs() || bench.index.is_state(function, reads))
            .map(|(function, reads)| format!("{} {reads}", function.name))
            .collect(),
    )
}

/// Whether one of these functions goes by chance: three runs that are alike may be chance, too.
pub(super) fn goes_by_chance(draft: &Draft<'_>, bench: &Bench<'_>) -> bool {
    all_reads(&draft.callable, bench).iter().any(|(_, reads)| reads.is_chance())
}

/// The sources of random numbers that a run has read.
pub(super) fn random_files(accesses: &[Access]) -> impl Iterator<Item = &Path> {
    let read = accesses.iter().filter(|access| access.deed == Deed::Read);
    read.filter_map(|access| access.path.as_deref())
        .filter(|path| RANDOM_FILES.iter().any(|random| *path == Path::new(random)))
}

fn each_once(lines: Vec<String>) -> Vec<String> {
    let mut once = Vec::new();
    for line in lines {
        if !once.contains(&line) {
            once.push(line);
        }
    }
    once
}

/// The functions between a test's call and the crash, outermost first, each with what it reads; then those of their
/// crate that they call.
fn all_reads<'a>(callable: &Callable<'_>, bench: &Bench<'a>) -> Vec<(&'a FunctionItem, &'a Reads)> {
    let frames = bench.snapshot.frames();
    let end = frames.iter().position(|frame| std::ptr::eq(frame, callable.frame));
    let frames = frames[..end.map_or(0, |end| end + 1)].iter().rev();
    let frames = frames.filter(|frame| frame.kind == FrameKind::Workspace);
    let functions: Vec<&FunctionItem> = frames.filter_map(|frame| function_of(frame, bench.index)).collect();
    let called = functions.iter().flat_map(|function| bench.index.called(function));
    let all = functions.iter().copied().chain(called);
    all.flat_map(|function| bench.index.reads(function).into_iter().map(move |reads| (function, reads)))
        .collect()
}

/// The function whose text a frame executes, that around it for a closure. Within a macro of the crate the line is
/// that of the macro's definition, where no function stands, or another one.
fn function_of<'a>(frame: &Frame, index: &'a SourceIndex) -> Option<&'a FunctionItem> {
    let crate_name = frame.function.split("::").next().unwrap_or_default().trim_start_matches('<');
    let plain = |part: &&str| !part.is_empty() && !part.starts_with(['{', '<']);
    let name = frame.function.rsplit("::").find(plain).unwrap_or(&frame.function);
    let name = name.split('<').next().unwrap_or(name);
    let around = frame
        .location
        .as_ref()
        .and_then(|place| index.enclosing(&place.file, place.line, crate_name).into_iter().next());
    let declared = || {
        let declared = frame.declared.as_ref()?;
        index.function_at(&declared.file, declared.line, name, crate_name).into_iter().next()
    };
    around.filter(|function| function.name == name).or_else(declared).or(around)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_random_numbers_that_was_read_is_seen() {
        let access = |deed, path: &str| Access { deed, path: Some(path.into()), forbidden: false };
        let accesses = [
            access(Deed::Read, "/dev/urandom"),
            access(Deed::Missed, "/dev/random"),
            access(Deed::Read, "/data/random"),
        ];
        assert_eq!(random_files(&accesses).collect::<Vec<_>>(), [Path::new("/dev/urandom")]);
    }
}
