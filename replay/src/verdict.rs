//! The verdicts of a replay, and what they come to.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::find::Found;
use crate::header::Header;
use crate::judge::Judgement;

/// What became of a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// No panic any more.
    Fixed,
    /// The same crash, marked open.
    Known,
    /// The same crash.
    Open,
    /// Another crash.
    Changed,
    /// No crash, but not the accepted outcome.
    OutcomeChanged,
    /// It no longer builds or parses.
    Invalid,
    /// It did not end in its time.
    Timeout,
}

impl Verdict {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Known => "known",
            Self::Open => "open",
            Self::Changed => "changed",
            Self::OutcomeChanged => "outcome-changed",
            Self::Invalid => "invalid",
            Self::Timeout => "timeout",
        }
    }
}

/// One regression and its verdict: one object of `replay --json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// Its file, relative to the workspace root.
    pub file: PathBuf,
    /// Its package.
    pub package: String,
    /// Target and build options of `cargo test`.
    pub cargo_args: Vec<String>,
    /// libtest's full path of the test; empty where the header cannot be read.
    pub test: String,
    /// The first digits of the snapshot's id.
    pub snapshot: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What was seen instead of a pass, or why there is nothing to see.
    pub reason: Option<String>,
    /// How long the test ran.
    pub seconds: f64,
    /// The end of what the test wrote on standard error.
    #[serde(skip)]
    pub stderr: String,
}

impl Replayed {
    pub(crate) fn invalid(found: &Found, header: Option<&Header>, reason: String) -> Self {
        let judgement = Judgement { verdict: Verdict::Invalid, reason: Some(reason), stderr: String::new() };
        Self::new(found, header, judgement, Duration::ZERO)
    }

    pub(crate) fn judged(found: &Found, header: &Header, judgement: Judgement, ran: Duration) -> Self {
        Self::new(found, Some(header), judgement, ran)
    }

    fn new(found: &Found, header: Option<&Header>, judgement: Judgement, ran: Duration) -> Self {
        Self {
            file: found.file.clone(),
            package: header.map_or(&found.package, |header| &header.package).clone(),
            cargo_args: header.map(|header| header.cargo_args.clone()).unwrap_or_default(),
            test: header.map(|header| header.test.clone()).unwrap_or_default(),
            snapshot: header.map(|header| header.snapshot.clone()).unwrap_or_default(),
            verdict: judgement.verdict,
            reason: judgement.reason,
            seconds: (ran.as_secs_f64() * 1000.0).round() / 1000.0,
            stderr: judgement.stderr,
        }
    }
}

/// The exit code of a replay: 2 where something is invalid or timed out, else 1 where something is open or
/// changed, else 0.
pub fn exit_code(replayed: &[Replayed]) -> u8 {
    let code = |verdict: Verdict| match verdict {
        Verdict::Fixed | Verdict::Known => 0,
        Verdict::Open | Verdict::Changed | Verdict::OutcomeChanged => 1,
        Verdict::Invalid | Verdict::Timeout => 2,
    };
    replayed.iter().map(|one| code(one.verdict)).max().unwrap_or(0)
}
