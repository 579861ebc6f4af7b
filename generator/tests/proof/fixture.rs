//! A workspace in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, MetadataCommand};
use relapse_generator::compile::TestTarget;
use relapse_generator::edit::{EditSet, FileEdit};
use relapse_generator::scratch::Scratch;

pub(crate) struct Fixture {
    /// Holds the workspace, and whatever lies beside it.
    pub(crate) folder: tempfile::TempDir,
    /// The workspace root.
    pub(crate) root: PathBuf,
}

impl Fixture {
    /// Writes files into a fresh folder; `root` is the workspace root in it.
    pub(crate) fn new(root: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            write(&folder.path().join(path), content);
        }
        let root = folder.path().join(root);
        Self { folder, root }
    }

    /// A single package `demo` with that library.
    pub(crate) fn library(source: &str) -> Self {
        Self::new("demo", &[("demo/Cargo.toml", MANIFEST), ("demo/src/lib.rs", source)])
    }

    pub(crate) fn metadata(&self) -> Metadata {
        MetadataCommand::new().current_dir(&self.root).exec().unwrap()
    }

    pub(crate) fn relapse(&self) -> PathBuf {
        self.root.join(".relapse")
    }

    pub(crate) fn scratch(&self) -> Scratch {
        Scratch::create(&self.metadata(), &self.relapse()).unwrap()
    }
}

pub(crate) const MANIFEST: &str = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

pub(crate) fn write(path: &Path, content: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(crate) fn lib(package: &str) -> TestTarget {
    TestTarget { package: package.to_owned(), cargo_args: vec!["--lib".to_owned()] }
}

/// The edits that put tests into `PACKAGE/regressions/lib/` and declare them at the end of the library.
pub(crate) fn regressions(scratch: &Scratch, package: &str, tests: &[(&str, &str)]) -> EditSet {
    let folder = PathBuf::from(package);
    let library = folder.join("src/lib.rs");
    let before = fs::read(scratch.at(&library).unwrap()).unwrap();
    let declaration = "\n#[cfg(test)]\n#[path = \"../regressions/lib/mod.rs\"]\nmod regressions;\n";
    let after = [&before[..], declaration.as_bytes()].concat();
    let list: String = tests.iter().map(|(name, _)| format!("mod {name};\n")).collect();
    let new = |path: PathBuf, text: &str| FileEdit { path, before: None, after: Some(text.into()) };
    let mut files = vec![
        FileEdit { path: library, before: Some(before), after: Some(after) },
        new(folder.join("regressions/lib/mod.rs"), &list),
    ];
    for (name, body) in tests {
        let text = format!("use super::super::*;\n\n#[test]\nfn {name}() {{\n    {body}\n}}\n");
        files.push(new(folder.join(format!("regressions/lib/{name}.rs")), &text));
    }
    EditSet { files }
}
