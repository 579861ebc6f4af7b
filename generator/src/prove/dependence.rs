//! What a call depends on beside its arguments: variables of the environment, the working folder, files. In: a test
//! that was run, and what the crashed program had. Out: what the test must be given for the crash to come back, and
//! the files that it must bring along.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;

use super::files::{MOST_FILES, copy_of, ignored_by_git, missed, outside_reads};
use super::{Bench, Draft};
use crate::executor::Runtime;
use crate::hostile::literal;
use crate::paths::{normalized, relative};
use crate::regression::{Given, SideFile};
use crate::same_crash::PASSED;
use crate::verify::TestRun;

/// More files are counted, not named.
const MOST_REMARKS: usize = 8;

/// What stands beside the arguments of a test.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// What its call is given.
    pub(crate) given: Given,
    /// Whether its panic was seen to end the process, so that it needs one of its own.
    pub(super) panic_ends_process: bool,
    /// Whether what it writes was seen in the lines of the test harness.
    pub(super) speaks_over: bool,
    /// The runtime within which everything of the test is, where it does not show the crash without.
    pub(super) runtime: Option<Runtime>,
    /// Files that are named by another path than on the machine of the crash.
    pub(super) moved: Vec<Moved>,
    /// Files that it reads where they are.
    pub(super) elsewhere: Vec<PathBuf>,
    /// Files of the workspace that it reads and that git ignores, relative to the root.
    ignored: Vec<PathBuf>,
}

/// A literal of the test that names a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moved {
    /// What the literal says.
    literal: String,
    /// What comes after the package's folder.
    below_package: String,
    /// The file's content, where it is a copy.
    copy: Option<SideFile>,
}

/// The run with what the call is given.
pub(super) fn with(run: &TestRun, given: &Given) -> TestRun {
    let mut run = run.clone();
    if let Some(folder) = &given.folder {
        run.folder = normalized(&run.folder.join(folder));
    }
    for (name, value) in &given.variables {
        run.environment.retain(|(known, _)| known != name.as_str());
        run.environment.push((name.into(), value.into()));
    }
    run
}

/// What a draft has to bring along, by what its run has read. `None`: nothing changes.
pub(super) fn bring_along(draft: &Draft<'_>, bench: &Bench<'_>) -> Option<Beside> {
    let accesses = draft.accesses();
    let mut literals = Vec::new();
    strings(draft.regression.body.parse().ok()?, &mut literals);
    let package = bench.original(&draft.regression.module.package_folder);
    let here = &draft.folder;
    let mut beside = draft.beside.clone();
    for path in outside_reads(accesses, bench) {
        let names = |literal: &&String| {
            let named = normalized(&here.join(literal.as_str()));
            !literal.is_empty()
                && (named == path || named.is_absolute() && literal.len() > 1 && path.starts_with(&named))
        };
        let named: BTreeSet<&String> = literals.iter().filter(names).collect();
        let whole = |literal: &&&String| normalized(&here.join(literal.as_str())) == path;
        if path.starts_with(bench.original(Path::new(""))) && !named.is_empty() {
            for literal in named {
                let way = relative(&package, &normalized(&here.join(literal)));
                beside.add(Moved {
                    literal: literal.clone(),
                    below_package: format!("/{}", way.display()),
                    copy: None,
                });
            }
        } else {
            let copied =
                named.iter().find(whole).is_some_and(|named| beside.copy(named, &path, draft, bench));
            if !copied && !beside.elsewhere.contains(&path) {
                beside.elsewhere.push(path);
            }
        }
    }
    beside.ignored = ignored_by_git(accesses, bench);
    (beside != draft.beside).then_some(beside)
}

/// What a draft that does not show the crash has to bring along: files that its arguments name from the working folder
/// and that are not in the copy. `None`: there are none.
pub(super) fn bring_missed(draft: &Draft<'_>, bench: &Bench<'_>) -> Option<Beside> {
    let missed = missed(draft.accesses(), &draft.folder, bench);
    if missed.is_empty() {
        return None;
    }
    let mut literals = Vec::new();
    strings(draft.regression.body.parse().ok()?, &mut literals);
    let mut beside = draft.beside.clone();
    for literal in literals.iter().filter(|literal| !literal.is_empty()) {
        let named = normalized(&draft.folder.join(literal));
        if let Some((_, own)) = missed.iter().find(|(path, _)| *path == named) {
            beside.copy(literal, own, draft, bench);
        }
    }
    beside.moves(&draft.beside).then_some(beside)
}

/// What stands beside the arguments of a test that did not show the crash outside of the runtime in which the program ran
/// the function. `None`: it ran in none, or the test has had it. `others`: whether other tests show the crash; then one that
/// passes is left so.
pub(super) fn within_runtime(draft: &Draft<'_>, others: bool, bench: &Bench<'_>) -> Option<Beside> {
    let passed = draft.verification.as_ref()?.reason.as_deref() == Some(PASSED);
    if passed && others {
        return None;
    }
    let runtime = Runtime::next(draft.beside.runtime, &draft.callable, bench.snapshot, bench.index)?;
    Some(Beside { runtime: Some(runtime), ..draft.beside.clone() })
}

/// Files that a draft's run looked for and that are not in the copy, in words.
pub(super) fn missing(draft: &Draft<'_>, bench: &Bench<'_>) -> Vec<String> {
    let missed = missed(draft.accesses(), &draft.folder, bench);
    missed
        .into_iter()
        .map(|(_, own)| format!("it looked for {}, which is not in the copy of the workspace", own.display()))
        .collect()
}

impl Beside {
    /// Gives the call this, too.
    pub(super) fn give(&mut self, more: Given) {
        let new = |(name, _): &(String, String)| !self.given.variables.iter().any(|(known, _)| known == name);
        let new: Vec<_> = more.variables.into_iter().filter(new).collect();
        self.given.variables.extend(new);
        self.given.folder = more.folder.or(self.given.folder.take());
    }

    /// Brings a file along as data of the test; whether that can be done.
    fn copy(&mut self, literal: &str, path: &Path, draft: &Draft<'_>, bench: &Bench<'_>) -> bool {
        let (package, name) = (&draft.regression.module.package_folder, &draft.regression.name);
        let Some(folder) = draft.file.parent().filter(|_| self.side_files().count() < MOST_FILES) else {
            return false;
        };
        let of_values = draft.regression.side_files.iter().cloned();
        let taken = of_values.chain(self.side_files()).map(|file| file.name).collect();
        let Some(copy) = copy_of(path, &taken, bench.rules) else { return false };
        let below_package = format!("/{}/{name}/{}", relative(package, folder).display(), copy.name);
        self.add(Moved { literal: literal.to_owned(), below_package, copy: Some(copy) });
        true
    }

    fn add(&mut self, moved: Moved) {
        if !self.moved.iter().any(|known| known.literal == moved.literal) {
            self.moved.push(moved);
        }
    }

    /// The same with the files that were not brought along before read where they are.
    pub(super) fn where_they_are(mut self, before: &Beside) -> Beside {
        for moved in self.moved.split_off(before.moved.len()) {
            self.elsewhere.push(PathBuf::from(moved.literal));
        }
        self
    }

    /// Whether more files than before are named by another path.
    pub(super) fn moves(&self, before: &Beside) -> bool {
        self.moved.len() > before.moved.len()
    }

    /// The test's statements, with the files named where they will be.
    pub(super) fn renamed(&self, tokens: TokenStream) -> TokenStream {
        if self.moved.is_empty() {
            return tokens;
        }
        tokens.into_iter().flat_map(|token| self.renamed_token(token)).collect()
    }

    fn renamed_token(&self, token: TokenTree) -> TokenStream {
        match token {
            TokenTree::Group(group) => {
                let mut renamed = Group::new(group.delimiter(), self.renamed(group.stream()));
                renamed.set_span(group.span());
                TokenTree::Group(renamed).into()
            }
            TokenTree::Literal(found) => {
                let text = text_of(&found);
                let moved = self.moved.iter().find(|moved| Some(&moved.literal) == text.as_ref());
                moved.map_or_else(
                    || TokenTree::Literal(found).into(),
                    |moved| {
                        let below = literal::string(&moved.below_package);
                        quote!(concat!(env!("CARGO_MANIFEST_DIR"), #below))
                    },
                )
            }
            other => other.into(),
        }
    }

    /// The copies of files.
    pub(super) fn side_files(&self) -> impl Iterator<Item = SideFile> {
        self.moved.iter().filter_map(|moved| moved.copy.clone())
    }

    /// Lines for the test's header.
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut elsewhere: Vec<&PathBuf> = self.elsewhere.iter().collect();
        elsewhere.sort();
        // What lies in a folder that is named comes with it.
        elsewhere.dedup_by(|below, folder| below.starts_with(folder.as_path()));
        let elsewhere = remarks_of(&elsewhere, "which it does not bring along");
        let ignored: Vec<&PathBuf> = self.ignored.iter().collect();
        let runtime =
            self.runtime.map(|_| "it runs within tokio's runtime, as the crashed program ran it".to_owned());
        elsewhere
            .into_iter()
            .chain(remarks_of(&ignored, "which git ignores: a fresh clone lacks it"))
            .chain(runtime)
            .collect()
    }
}

/// A line for each file that a test reads, for a bounded number of them.
fn remarks_of(paths: &[&PathBuf], what_of_it: &str) -> Vec<String> {
    let named = paths.iter().take(MOST_REMARKS);
    let mut lines: Vec<String> =
        named.map(|path| format!("it reads {}, {what_of_it}", path.display())).collect();
    if paths.len() > MOST_REMARKS {
        lines.push(format!("and {} more files, {what_of_it}", paths.len() - MOST_REMARKS));
    }
    lines
}

/// The texts of the string literals in a test.
fn strings(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => strings(group.stream(), found),
            TokenTree::Literal(literal) => found.extend(text_of(&literal)),
            _ => {}
        }
    }
}

fn text_of(literal: &proc_macro2::Literal) -> Option<String> {
    match syn::Lit::new(literal.clone()) {
        syn::Lit::Str(text) => Some(text.value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_a_folder_for_all_that_is_read_in_it_and_eight_files_at_most() {
        let lines = |paths: Vec<String>| {
            let elsewhere = paths.into_iter().map(PathBuf::from).collect();
            Beside { elsewhere, ..Beside::default() }.remarks()
        };
        let below = (0..300).map(|number| format!("/data/in/{number}")).chain(["/data/in".to_owned()]);
        assert_eq!(lines(below.collect()), ["it reads /data/in, which it does not bring along"]);
        let many = lines((0..300).map(|number| format!("/data/{number}")).collect());
        assert_eq!(many.len(), MOST_REMARKS + 1);
        assert_eq!(many[MOST_REMARKS], "and 292 more files, which it does not bring along");
    }
}
