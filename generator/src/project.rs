//! A workspace as `gen` works on it: cargo's metadata with the features of the crashed build, the source index,
//! the folders.

use std::path::{Path, PathBuf};
use std::thread;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_snapshot::Program;
use toml_edit::DocumentMut;

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
}

/// Cargo cannot say what the workspace is.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the workspace around {folder}")]
pub struct ProjectError {
    /// Where it was looked for.
    folder: PathBuf,
    /// Cargo's reason.
    source: cargo_metadata::Error,
}

impl Project {
    /// Reads the workspace around a folder, with the features that the crashed program was built with.
    pub fn open(folder: &Path, program: Option<&Program>) -> Result<Project, ProjectError> {
        let mut command = MetadataCommand::new();
        command.current_dir(folder);
        if let Some(build) = program.and_then(|program| program.build.as_ref()) {
            if build.all_features {
                command.features(CargoOpt::AllFeatures);
            }
            if build.no_default_features {
                command.features(CargoOpt::NoDefaultFeatures);
            }
            if !build.features.is_empty() {
                command.features(CargoOpt::SomeFeatures(build.features.clone()));
            }
        }
        let asked_for = || features::asked_for(program?, folder);
        // Two questions to cargo, each of which waits for the disk and for a process to start: both at once.
        let (metadata, tree) = thread::scope(|scope| {
            let tree = scope.spawn(asked_for);
            // A feature that only one package has is unknown to the others: then cargo's defaults have to do.
            let metadata = command
                .exec()
                .or_else(|error| MetadataCommand::new().current_dir(folder).exec().map_err(|_| error));
            (metadata, tree.join().ok().flatten())
        });
        let mut metadata = metadata.map_err(|source| ProjectError { folder: folder.to_owned(), source })?;
        // The lock file, which `cargo tree` must not write, may be there only now.
        if let Some(tree) = tree.or_else(asked_for) {
            features::as_crashed(&mut metadata, &tree);
        }
        let index = SourceIndex::load(&metadata);
        let roots = roots(&metadata);
        let relapse_folder = metadata.workspace_root.as_std_path().join(".relapse");
        Ok(Project { metadata, index, roots, relapse_folder })
    }

    /// The workspace's root.
    pub fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }
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
