//! A workspace as `gen` works on it: cargo's metadata with the features of the crashed build, the source index,
//! the folders.

use std::path::{Path, PathBuf};
use std::thread;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_snapshot::{Build, Program};
use toml_edit::DocumentMut;

use crate::edit::{self, EditError, EditSet, FileEdit};
use crate::expression::CrateRules;
use crate::features;
use crate::index::SourceIndex;

/// A workspace that was read.
pub struct Project {
    /// Cargo's metadata.
    pub metadata: Metadata,
    /// The source index.
    pub index: SourceIndex,
    /// The folders of its packages.
    pub roots: Roots,
    /// `.relapse` at its root.
    pub relapse_folder: PathBuf,
    /// The lock file that cargo would write, where the user's is missing or stale.
    pub(crate) lock: Option<FileEdit>,
}

/// Why a workspace cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Cargo cannot say what the workspace is.
    #[error(transparent)]
    Metadata(#[from] cargo_metadata::Error),
    /// The lock file cannot be as it was.
    #[error(transparent)]
    Lock(#[from] EditError),
}

impl Project {
    /// Reads the workspace around a folder, with the features that the crashed program was built with. `Cargo.lock`
    /// stays as it is.
    pub fn open(folder: &Path, program: Option<&Program>) -> Result<Project, ProjectError> {
        let build = program.and_then(|program| program.build.as_ref());
        let asked_for = || features::asked_for(program?, folder);
        // Two questions to cargo, each of which waits for the disk and for a process to start: both at once.
        let (locked, mut tree) = thread::scope(|scope| {
            let tree = scope.spawn(asked_for);
            (metadata(folder, build, &["--locked"]), tree.join().ok().flatten())
        });
        let (mut metadata, lock) = match locked {
            Ok(metadata) => (metadata, None),
            // Cargo writes the lock file that it lacks: not the user's.
            Err(_) => with_lock_put_back(folder, || {
                let metadata = metadata(folder, build, &[]);
                tree = tree.take().or_else(asked_for);
                metadata
            })?,
        };
        if let Some(tree) = tree {
            features::as_crashed(&mut metadata, &tree);
        }
        let index = SourceIndex::load(&metadata);
        let roots = roots(&metadata);
        let relapse_folder = metadata.workspace_root.as_std_path().join(".relapse");
        Ok(Project { metadata, index, roots, relapse_folder, lock })
    }

    /// The same with what an earlier look at the project has read of its dependencies.
    #[must_use]
    pub fn keeping(self, earlier: Option<&SourceIndex>) -> Project {
        match earlier {
            Some(earlier) => Project { index: self.index.keeping(earlier), ..self },
            None => self,
        }
    }

    /// The same with the project's own rules for how values are built.
    #[must_use]
    pub fn with_rules(self, rules: CrateRules) -> Project {
        Project { index: self.index.with_rules(rules), ..self }
    }

    /// The workspace's root.
    pub fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }
}

/// Cargo's metadata with the features of a build.
fn metadata(
    folder: &Path,
    build: Option<&Build>,
    options: &[&str],
) -> Result<Metadata, cargo_metadata::Error> {
    let mut plain = MetadataCommand::new();
    plain.cargo_path(cargo()).current_dir(folder);
    plain.other_options(options.iter().map(|&option| option.to_owned()).collect::<Vec<_>>());
    let Some(build) = build else { return plain.exec() };
    let mut command = plain.clone();
    if build.all_features {
        command.features(CargoOpt::AllFeatures);
    }
    if build.no_default_features {
        command.features(CargoOpt::NoDefaultFeatures);
    }
    if !build.features.is_empty() {
        command.features(CargoOpt::SomeFeatures(build.features.clone()));
    }
    // A feature that only one package has is unknown to the others: then cargo's defaults have to do.
    command.exec().or_else(|error| plain.exec().map_err(|_| error))
}

/// Asks cargo, and puts a `Cargo.lock` that it wrote back to what it was. Returns the change that was taken back.
fn with_lock_put_back(
    folder: &Path,
    ask: impl FnOnce() -> Result<Metadata, cargo_metadata::Error>,
) -> Result<(Metadata, Option<FileEdit>), ProjectError> {
    let path = PathBuf::from("Cargo.lock");
    let file = folder.join(&path);
    let before = edit::read_file(&file)?;
    let metadata = ask();
    let after = edit::read_file(&file)?;
    let written = (before != after).then_some(FileEdit { path, before, after });
    if let Some(FileEdit { path, before, after }) = written.clone() {
        let back = FileEdit { path, before: after, after: before };
        EditSet { files: vec![back] }.apply(folder, &folder.join(".relapse"))?;
    }
    Ok((metadata?, written))
}

/// The cargo that started us, or the one on the PATH.
pub fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A manifest or lock file, parsed; the error is what the parser says.
pub(crate) fn toml(text: &str) -> Result<DocumentMut, String> {
    text.parse::<DocumentMut>().map_err(|error| error.message().to_owned())
}

/// The workspace's members and path dependencies.
pub fn roots(metadata: &Metadata) -> Roots {
    let local = metadata.packages.iter().filter(|package| package.source.is_none());
    let packages = local.filter_map(|package| {
        let folder = package.manifest_path.parent()?.as_std_path().to_owned();
        Some(PackageRoot { name: package.name.to_string(), folder })
    });
    Roots { workspace: Some(metadata.workspace_root.as_std_path().to_owned()), packages: packages.collect() }
}
