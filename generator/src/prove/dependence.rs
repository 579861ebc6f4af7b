//! What a call depends on beside its arguments: variables of the environment, the working folder, files. In: a test
//! that was run, and what the crashed program had. Out: what the test must be given for the crash to come back, and
//! the files that it must bring along.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use relapse_snapshot::{FrameKind, Rules};

use super::trial::Setting;
use super::{Bench, Draft};
use crate::hostile::literal;
use crate::paths::{normalized, relative};
use crate::regression::{Given, SideFile};
use crate::same_crash::Crash;
use crate::verify::{Access, Deed, ObserveError, TestRun};

/// Larger files are not brought along, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// More files are not brought along.
const MOST_FILES: usize = 8;
/// Folders of the machine, whose content no test brings along.
const OF_THE_MACHINE: [&str; 11] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/proc",
    "/sys",
    "/dev",
    "/nix/store",
    "/etc/ld.so.cache",
];

/// What stands beside the arguments of a test.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// What its call is given.
    pub(crate) given: Given,
    /// Files that are named by another path than on the machine of the crash.
    pub(super) moved: Vec<Moved>,
    /// Files that it reads where they are.
    pub(super) elsewhere: Vec<PathBuf>,
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

/// What the crashed program had and a test has not: found by running the test with it. `None`: the crash does not
/// come back with it either.
pub(super) fn seek(
    run: &TestRun,
    crash: &Crash,
    setting: &Setting<'_>,
    runs: &mut u32,
) -> Result<Option<Given>, ObserveError> {
    let (program, root) = (setting.program, setting.root);
    // Another folder than one of the workspace is on this machine only.
    let folder = program.working_folder.as_deref().map(Path::new).filter(|folder| folder.is_relative());
    let folder = folder.map(|folder| normalized(&root.join(folder)));
    let folder = folder.filter(|folder| *folder != run.folder && folder.is_dir());
    let mut given = Given {
        variables: program.environment.iter().map(|v| (v.name.clone(), v.value.clone())).collect(),
        folder: folder.map(|folder| relative(&run.folder, &folder)),
    };
    if given.is_empty() {
        return Ok(None);
    }
    let mut shows = |given: &Given| -> Result<bool, ObserveError> {
        let seen = setting.verify(&with(run, given), crash, 1)?;
        *runs += seen.of;
        Ok(seen.is_verified())
    };
    if !shows(&given)? {
        return Ok(None);
    }
    let without_folder = Given { folder: None, ..given.clone() };
    if given.folder.is_some() && shows(&without_folder)? {
        given = without_folder;
    }
    for index in (0..given.variables.len()).rev() {
        let mut less = given.clone();
        less.variables.remove(index);
        if shows(&less)? {
            given = less;
        }
    }
    // The crash comes and goes by itself: nothing of this is the reason.
    Ok((!given.is_empty()).then_some(given))
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
    let accesses = draft.verification.as_ref().map_or(&[][..], |verification| &verification.accesses);
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
        } else if let Some(literal) = named.iter().find(whole)
            && let Some(copy) = copy_of(&path, &beside, bench.rules)
        {
            let folder = relative(&package, &bench.original(draft.file.parent()?));
            let below_package = format!("/{}/{}/{}", folder.display(), draft.regression.name, copy.name);
            beside.add(Moved { literal: (*literal).clone(), below_package, copy: Some(copy) });
        } else if !beside.elsewhere.contains(&path) {
            beside.elsewhere.push(path);
        }
    }
    (beside != draft.beside).then_some(beside)
}

impl Beside {
    fn add(&mut self, moved: Moved) {
        if !self.moved.iter().any(|known| known.literal == moved.literal) {
            self.moved.push(moved);
        }
    }

    /// The same with all files read where they are.
    pub(super) fn where_they_are(mut self) -> Beside {
        for moved in std::mem::take(&mut self.moved) {
            self.elsewhere.push(PathBuf::from(moved.literal));
        }
        self
    }

    /// Whether files are named by another path than before.
    pub(super) fn moves(&self) -> bool {
        !self.moved.is_empty()
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
    pub(super) fn remarks(&self) -> impl Iterator<Item = String> {
        self.elsewhere
            .iter()
            .map(|path| format!("it reads {}, which it does not bring along", path.display()))
    }
}

/// What the functions between a test's call and the crash read beside their arguments, in words; each once.
pub(super) fn reads(draft: &Draft<'_>, bench: &Bench<'_>) -> Vec<String> {
    let frames = bench.snapshot.frames();
    let end = frames.iter().position(|frame| std::ptr::eq(frame, draft.callable.frame));
    let frames = frames[..end.map_or(0, |end| end + 1)].iter().rev();
    let mut said = Vec::new();
    for frame in frames.filter(|frame| frame.kind == FrameKind::Workspace) {
        let Some(place) = &frame.location else { continue };
        let crate_name = frame.function.split("::").next().unwrap_or_default().trim_start_matches('<');
        for function in bench.index.enclosing(&place.file, place.line, crate_name).into_iter().take(1) {
            for reads in bench.index.reads(function) {
                let line = format!("{} {reads}", function.name);
                if !said.contains(&line) {
                    said.push(line);
                }
            }
        }
    }
    said
}

/// The files that a run has read and that a test elsewhere would not find.
fn outside_reads(accesses: &[Access], bench: &Bench<'_>) -> BTreeSet<PathBuf> {
    let homes = ["CARGO_HOME", "RUSTUP_HOME"].map(std::env::var_os);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let default_homes = [".cargo", ".rustup"].map(|folder| home.as_ref().map(|home| home.join(folder)));
    let tools: Vec<PathBuf> =
        homes.into_iter().flatten().map(PathBuf::from).chain(default_homes.into_iter().flatten()).collect();
    let ordinary = |path: &PathBuf| {
        OF_THE_MACHINE.iter().any(|folder| path.starts_with(folder))
            || path.starts_with(bench.scratch.slot())
            || tools.iter().any(|folder| path.starts_with(folder))
            || path
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with("relapse-sandbox-"))
    };
    let reads = accesses.iter().filter(|access| access.deed == Deed::Read);
    reads.filter_map(|access| access.path.clone()).filter(|path| !ordinary(path)).collect()
}

/// A file as data of the test, where it is small and holds no secret.
fn copy_of(path: &Path, beside: &Beside, rules: &Rules) -> Option<SideFile> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > LARGEST_FILE || beside.side_files().count() >= MOST_FILES {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    if rules.redact_text(&text) != text {
        return None;
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = path.file_name()?.to_string_lossy().chars().map(plain).collect();
    let name = name.trim_start_matches('.');
    let name = if name.is_empty() { "file" } else { name };
    let taken = |name: &str| beside.side_files().any(|file| file.name == name);
    let numbered = (2..).map(|number| format!("{number}_{name}"));
    let name = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name))?;
    Some(SideFile { name, bytes })
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
    fn a_file_with_a_secret_is_not_copied_be_it_one_by_the_project_s_own_rules() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yml");
        let is_copied = |content: &str, rules: &Rules| {
            std::fs::write(&path, content).unwrap();
            copy_of(&path, &Beside::default(), rules).is_some()
        };
        assert!(!is_copied("db:\n  password: hunter2\n", &Rules::default()));
        assert!(is_copied("id: corp_12ab\n", &Rules::default()));
        assert!(!is_copied("id: corp_12ab\n", &Rules::default().with_pattern("corp_*")));
    }
}
