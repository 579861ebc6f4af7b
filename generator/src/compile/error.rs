//! What can go wrong with a build, apart from what the compiler says about a candidate.

use std::io;
use std::path::PathBuf;

use super::diagnostic::Diagnostic;
use super::lacking;
use crate::scratch::ScratchError;

/// How many of the compiler's messages an error shows.
const SHOWN: usize = 3;

/// An error of a build.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// Cargo or rustc could not be started or heard.
    #[error("failed to run {program} in {folder}")]
    Start {
        /// `cargo`.
        program: String,
        /// Where.
        folder: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// Nothing can be written where temporary files go: that says nothing about what was to be built, either.
    #[error("failed to make a temporary file in {}: {source}", folder.display())]
    Temporary {
        /// The folder for temporary files.
        folder: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// Cargo or a compiler was ended by a signal: that says nothing about what was to be built.
    #[error("failed to build {package}: {what} was ended by {}", relapse_capture::signal::name(*signal))]
    Killed {
        /// The package.
        package: String,
        /// What was ended.
        what: &'static str,
        /// The signal's number.
        signal: i32,
    },
    /// The disk was full, or what the user may have of it: that says nothing about what was to be built either.
    #[error("failed to build {package}, for want of room on a disk: {words}")]
    NoRoom {
        /// The package.
        package: String,
        /// What was said of it.
        words: String,
    },
    /// Cargo gave up before it called the compiler (manifest, lock file, registry).
    #[error("failed to build {package}: {text}")]
    Cargo {
        /// The package.
        package: String,
        /// The end of what cargo said.
        text: String,
    },
    /// The compiler rejects something that is no candidate.
    #[error("failed to build the workspace's own code: {text}")]
    Elsewhere {
        /// The compiler's first messages, as it prints them.
        text: String,
    },
    /// Everything was built, but there is no such test executable (`harness = false` has one that runs no test).
    #[error("failed to find a test executable of {package} with {arguments}")]
    NoExecutable {
        /// The package.
        package: String,
        /// The arguments that name the target.
        arguments: String,
    },
    /// The scratch copy could not be changed.
    #[error(transparent)]
    Scratch(#[from] ScratchError),
}

impl CompileError {
    /// For `map_err`: no temporary file or folder could be made.
    pub(crate) fn temporary(source: io::Error) -> Self {
        Self::Temporary { folder: std::env::temp_dir(), source }
    }

    /// Whether something of ours could not be written.
    pub fn cannot_write(&self) -> bool {
        match self {
            Self::Temporary { .. } | Self::NoRoom { .. } => true,
            Self::Scratch(error) => error.cannot_write(),
            _ => false,
        }
    }

    /// The error for diagnostics that belong to no candidate of the package. `skipped`: the files that could not be copied,
    /// which may be what lacks.
    pub fn elsewhere(package: &str, errors: &[Diagnostic], skipped: &[PathBuf]) -> Self {
        let mut texts: Vec<String> = lacking::advice(package, errors).into_iter().collect();
        texts.extend(errors.iter().take(SHOWN).map(|error| error.rendered.trim_end().to_owned()));
        if let Some((first, more)) = skipped.split_first() {
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            texts.push(format!("not in the copy, as it cannot be read: {}{more}", first.display()));
        }
        Self::Elsewhere { text: texts.join("\n\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_could_not_be_copied_are_named_where_the_build_fails() {
        let missing = Diagnostic::bare("couldn't read `src/key.bin`\n".to_owned());
        let text = |skipped: &[PathBuf]| {
            CompileError::elsewhere("keys", std::slice::from_ref(&missing), skipped).to_string()
        };
        assert!(text(&[]).ends_with("couldn't read `src/key.bin`"));
        let named = text(&["src/key.bin".into(), "b".into()]);
        let end = "\n\nnot in the copy, as it cannot be read: src/key.bin and 1 more";
        assert!(named.ends_with(end), "{named}");
    }
}
