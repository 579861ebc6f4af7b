//! Tests of the index against real cargo and real crates. Fixtures are written into temporary folders.

use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use super::*;

mod asks;
mod at_home;
mod calls;
mod closures;
mod constants;
mod construct;
mod copied;
mod defaults;
mod held;
mod histories;
mod joins;
mod made;
mod makers;
mod naming;
mod own_constructors;
mod passed;
mod proof;
mod registry;
mod tree;
mod turbofish;
mod ways;

/// A workspace in a temporary folder, and its index.
pub(crate) struct Fixture {
    pub(crate) index: SourceIndex,
    folder: tempfile::TempDir,
}

impl Fixture {
    /// Writes the files (path, content) and loads the index of the workspace at `Cargo.toml`.
    pub(crate) fn new(files: &[(&str, &str)]) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        let metadata = MetadataCommand::new()
            .manifest_path(folder.path().join("Cargo.toml"))
            .other_options(["--offline".to_owned()])
            .exec()
            .unwrap();
        Fixture { index: SourceIndex::load(&metadata), folder }
    }

    /// A package named `demo`, edition 2021, without dependencies, from its `src/lib.rs` and other files.
    pub(crate) fn library(lib: &str, others: &[(&str, &str)]) -> Fixture {
        let manifest =
            "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[features]\nextra = []\n";
        let mut files = vec![("Cargo.toml", manifest), ("src/lib.rs", lib)];
        files.extend(others);
        Fixture::new(&files)
    }

    pub(crate) fn krate(&self, crate_name: &str, kind: TargetKind) -> CrateId {
        let found = self.index.targets().find(|(_, t)| t.crate_name == crate_name && t.kind == kind);
        found.unwrap().0
    }

    /// A library `demo` of these files, and a package `user` that depends on it.
    pub(crate) fn with_user(files: &[(&str, &str)]) -> Fixture {
        let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
        let user = "[package]\nname = \"user\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\
                    [dependencies]\ndemo = { path = \"../demo\" }\n";
        let around = [
            ("Cargo.toml", "[workspace]\nresolver = \"2\"\nmembers = [\"demo\", \"user\"]\n"),
            ("demo/Cargo.toml", manifest),
            ("user/Cargo.toml", user),
            ("user/src/lib.rs", ""),
        ];
        Fixture::new(&[&around[..], files].concat())
    }

    pub(crate) fn lib(&self) -> &CrateSource {
        self.index.source(self.krate("demo", TargetKind::Library))
    }

    pub(crate) fn module(&self, path: &str) -> ModuleId {
        let wanted: Vec<&str> = path.split("::").filter(|p| !p.is_empty()).collect();
        self.lib().modules.iter().find(|m| m.path == wanted).unwrap().id
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// The newest crate of that name in cargo's registry folder, where there is one.
pub(crate) fn registry_crate(name: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")))?;
    let registries = std::fs::read_dir(home.join("registry/src")).ok()?;
    let crates =
        registries.flatten().flat_map(|r| std::fs::read_dir(r.path()).into_iter().flatten().flatten());
    let mut found: Vec<PathBuf> = crates
        .map(|entry| entry.path())
        .filter(|path| {
            let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            file_name.strip_prefix(name).is_some_and(|rest| {
                rest.strip_prefix('-').is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
            })
        })
        .collect();
    found.sort();
    found.pop()
}

/// The index of one registry crate, without its dependencies.
pub(crate) fn registry_index(name: &str) -> Option<SourceIndex> {
    let folder = registry_crate(name)?;
    let metadata = MetadataCommand::new()
        .manifest_path(folder.join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec();
    Some(SourceIndex::load(&metadata.ok()?))
}
