//! Why a verb could not do its work: what, on which item, why, and what to do next. Verdicts are no failures.

use std::error::Error;

use relapse_snapshot::SnapshotError;

use crate::exit_code::ExitCode;

/// A failure, printed by the console and turned into an exit status.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    /// What failed, on which item.
    pub(crate) message: String,
    /// Why, from the nearest cause to the root.
    pub(crate) causes: Vec<String>,
    /// What to do next.
    pub(crate) advice: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Usage,
    BadInput,
    Missing,
    Internal,
    CannotWrite,
}

impl Failure {
    /// The command line is wrong in a way that its definition cannot say (64).
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Usage, message)
    }

    /// An input file is missing, damaged or of another kind (65).
    pub(crate) fn bad_input(message: impl Into<String>) -> Failure {
        Failure::new(Kind::BadInput, message)
    }

    /// Something that is needed is missing (69).
    pub(crate) fn missing(message: impl Into<String>) -> Failure {
        Failure::new(Kind::Missing, message)
    }

    /// A defect of this program (70).
    pub(crate) fn internal(message: impl Into<String>) -> Failure {
        let advice = format!(
            "this is a defect of relapse; please report it at {}/issues",
            env!("CARGO_PKG_REPOSITORY")
        );
        Failure::new(Kind::Internal, message).advise(advice)
    }

    /// Output cannot be written (73).
    pub(crate) fn cannot_write(message: impl Into<String>) -> Failure {
        Failure::new(Kind::CannotWrite, message)
    }

    fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), causes: Vec::new(), advice: None }
    }

    /// Adds an error and what it was caused by.
    #[must_use]
    pub(crate) fn because(mut self, error: &dyn Error) -> Failure {
        self.causes.extend(chain(error));
        self
    }

    /// What and why, for where there is one line.
    pub(crate) fn in_a_line(&self) -> String {
        let parts = std::iter::once(self.message.as_str()).chain(self.causes.iter().map(String::as_str));
        parts.collect::<Vec<_>>().join(": ")
    }

    /// Says what to do next.
    #[must_use]
    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Failure {
        self.advice = Some(advice.into());
        self
    }

    /// The exit status that it comes to.
    pub(crate) fn code(&self) -> ExitCode {
        match self.kind {
            Kind::Usage => ExitCode::Usage,
            Kind::BadInput => ExitCode::BadInput,
            Kind::Missing => ExitCode::Missing,
            Kind::Internal => ExitCode::Internal,
            Kind::CannotWrite => ExitCode::CannotWrite,
        }
    }
}

/// What an error says, and what it was caused by. A cause whose words end those of the error above it is not repeated.
pub(crate) fn chain(error: &dyn Error) -> Vec<String> {
    let mut told = vec![error.to_string()];
    for cause in std::iter::successors(error.source(), |&error| error.source()).map(ToString::to_string) {
        if !told.iter().any(|above| above.ends_with(&cause)) {
            told.push(cause);
        }
    }
    told
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Failure {
        let kind = match &error {
            SnapshotError::Write { .. } | SnapshotError::Busy { .. } => Kind::CannotWrite,
            SnapshotError::BadRun { .. } => Kind::Internal,
            _ => Kind::BadInput,
        };
        // The store's messages say themselves what to do next.
        Failure { kind, message: error.to_string(), causes: chain(&error).split_off(1), advice: None }
    }
}
