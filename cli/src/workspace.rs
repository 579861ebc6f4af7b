//! Where the project is: the workspace root, or the working folder where there is no workspace; and the
//! `.relapse/` folder in it.

use std::error::Error;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{Metadata, MetadataCommand};
use relapse_generator::project::cargo;
use relapse_snapshot::Store;

use crate::failure::Failure;

/// The project that a command works on.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    /// The workspace root, or the working folder.
    pub(crate) root: PathBuf,
    /// Whether it is a cargo workspace (or a single package).
    pub(crate) is_cargo: bool,
}

impl Workspace {
    /// The project of the working folder.
    pub(crate) fn find() -> Result<Workspace, Failure> {
        let folder = std::env::current_dir()
            .map_err(|error| Failure::bad_input("failed to find the working folder").because(&error))?;
        Workspace::of(&folder)
    }

    /// The project that a folder is in. Cargo is asked only where there is a manifest.
    fn of(folder: &Path) -> Result<Workspace, Failure> {
        if !folder.ancestors().any(|folder| folder.join("Cargo.toml").is_file()) {
            return Ok(Workspace { root: folder.to_owned(), is_cargo: false });
        }
        let cargo = cargo();
        let output = Command::new(&cargo)
            .args(["locate-project", "--workspace", "--message-format", "plain"])
            .current_dir(folder)
            .output()
            .map_err(|error| {
                let failure =
                    Failure::missing(format!("failed to start {}", cargo.display())).because(&error);
                if error.kind() == ErrorKind::NotFound {
                    failure.advise("install Rust (https://rustup.rs) or put cargo on the PATH")
                } else {
                    failure
                }
            })?;
        let manifest = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        match Path::new(&manifest).parent() {
            Some(root) if output.status.success() && root.is_dir() => {
                Ok(Workspace { root: root.to_owned(), is_cargo: true })
            }
            _ => {
                let said = String::from_utf8_lossy(&output.stderr);
                let mut failure =
                    Failure::bad_input(format!("failed to find the workspace of {}", folder.display()))
                        .advise("make `cargo locate-project --workspace` work here first");
                failure
                    .causes
                    .extend(said.lines().map(|line| line.trim().to_owned()).filter(|l| !l.is_empty()));
                Err(failure)
            }
        }
    }

    /// For verbs whose work is a cargo workspace.
    pub(crate) fn must_be_cargo(&self) -> Result<(), Failure> {
        if self.is_cargo {
            return Ok(());
        }
        Err(Failure::bad_input("failed to find a cargo workspace here")
            .advise("change to a folder of the workspace that has the regressions"))
    }

    /// What cargo says of the workspace: of all its packages, or, where the lock file is missing or stale or a package
    /// was never downloaded, of its members. Never writes a lock file, as plain `cargo metadata` does.
    pub(crate) fn metadata(&self) -> Result<Metadata, Failure> {
        self.must_be_cargo()?;
        let ask = |option: &str| {
            let mut command = MetadataCommand::new();
            command.cargo_path(cargo()).current_dir(&self.root).other_options([option.to_owned()]);
            command.exec()
        };
        // The whole graph has path dependencies of path dependencies; the members name those of their own.
        ask("--frozen").or_else(|_| ask("--no-deps")).map_err(|error| unreadable(&error))
    }

    /// `.relapse/`, whether it is there or not.
    pub(crate) fn relapse_folder(&self) -> PathBuf {
        self.root.join(".relapse")
    }

    /// The store of snapshots, which need not be there.
    pub(crate) fn store(&self) -> Store {
        Store::at(self.relapse_folder())
    }
}

/// Cargo cannot say what a workspace is.
pub(crate) fn unreadable(error: &dyn Error) -> Failure {
    Failure::bad_input("failed to read the workspace")
        .because(error)
        .advise("make `cargo metadata` work here first")
}
