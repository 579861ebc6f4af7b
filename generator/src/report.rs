//! The account of a snapshot as `gen --json` prints it: one object, fields as the contract has them.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::candidate::Rejection;
use crate::generate::{Generated, Proven, Reproducing, Status};
use crate::target::{Facts, Ranking};

/// One line of `gen --json`.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The snapshot's id.
    pub snapshot: String,
    /// `verified`, `unverified`, `failed`.
    pub status: &'static str,
    /// Why it is not verified.
    pub reason: Option<String>,
    /// Path of the function that the test calls.
    pub function: Option<String>,
    /// Workspace frames between the target and the innermost one.
    pub frame: Option<usize>,
    /// `cargo test -p`.
    pub package: Option<String>,
    /// The words after it.
    pub cargo_args: Vec<String>,
    /// libtest's path.
    pub test: Option<String>,
    /// The test's file, relative to the workspace root.
    pub file: Option<String>,
    /// The worst trust of the values.
    pub trust: Option<Value>,
    /// Builds by cargo.
    pub builds: u32,
    /// Runs of tests.
    pub runs: u32,
    /// Nodes of the value trees before and after shrinking.
    pub shrunk: Option<Shrunk>,
    /// Other functions that reproduce.
    pub alternatives: Vec<Alternative>,
    /// Functions that do not.
    pub rejected: Vec<Rejected>,
    /// With `--every-frame`: the test of every function that reproduces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Measured>,
}

/// Value-tree nodes.
#[derive(Debug, Clone, Serialize)]
pub struct Shrunk {
    /// As captured.
    pub from: u64,
    /// As written.
    pub to: u64,
}

/// Another function that reproduces.
#[derive(Debug, Clone, Serialize)]
pub struct Alternative {
    /// Its path.
    pub function: String,
    /// What `--frame` takes.
    pub frame: usize,
}

/// A function that does not reproduce.
#[derive(Debug, Clone, Serialize)]
pub struct Rejected {
    /// Its path.
    pub function: String,
    /// Why.
    pub reason: String,
}

/// A function's test and how each ranking places it.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// The function's path.
    pub function: String,
    /// Workspace frames between it and the innermost one.
    pub frame: usize,
    /// `cargo test -p`.
    pub package: String,
    /// The words after it.
    pub cargo_args: Vec<String>,
    /// libtest's path.
    pub test: String,
    /// The test's file.
    pub file: String,
    /// What the choice went by.
    pub facts: Facts,
    /// Its place in each ranking, from 0.
    pub ranks: serde_json::Map<String, Value>,
}

impl Report {
    /// The account of what was made of a snapshot.
    pub fn new(snapshot: &str, made: &Generated, every_frame: bool) -> Report {
        let first = made.regressions.first();
        Report {
            snapshot: snapshot.to_owned(),
            status: match made.status {
                Status::Verified => "verified",
                Status::Unverified => "unverified",
                Status::Failed => "failed",
            },
            reason: made.reason.clone(),
            function: first.map(|proven| proven.target.function.clone()),
            frame: first.map(|proven| proven.target.frame),
            package: first.map(|proven| proven.test_target.package.clone()),
            cargo_args: first.map(|proven| proven.test_target.cargo_args.clone()).unwrap_or_default(),
            test: first.map(|proven| proven.placed.test.clone()),
            file: first.map(|proven| proven.placed.file.display().to_string()),
            trust: first.and_then(|proven| serde_json::to_value(proven.trust).ok()),
            builds: made.effort.builds,
            runs: made.effort.runs,
            shrunk: first.map(|proven| Shrunk { from: proven.nodes, to: proven.nodes }),
            alternatives: made.alternatives.iter().map(Alternative::of).collect(),
            rejected: rejected(&made.rejected),
            candidates: if every_frame { measured(&made.regressions) } else { Vec::new() },
        }
    }

    /// The same account for another snapshot of the same crash: no work of its own.
    #[must_use]
    pub fn for_snapshot(&self, snapshot: &str) -> Report {
        Report { snapshot: snapshot.to_owned(), builds: 0, runs: 0, candidates: Vec::new(), ..self.clone() }
    }

    /// The account of a snapshot on which the way broke off.
    pub fn broken(snapshot: &str, reason: String) -> Report {
        let made = Generated { status: Status::Failed, reason: Some(reason), ..Generated::default() };
        Report::new(snapshot, &made, false)
    }
}

/// The functions that do not reproduce, each once for a reason: a recursion has many calls of one function.
fn rejected(rejections: &[Rejection]) -> Vec<Rejected> {
    let mut seen = BTreeSet::new();
    let first = rejections.iter().filter(|r| seen.insert((r.function.as_str(), r.reason.as_str())));
    first.map(|r| Rejected { function: r.function.clone(), reason: r.reason.clone() }).collect()
}

impl Alternative {
    fn of(reproducing: &Reproducing) -> Alternative {
        Alternative { function: reproducing.function.clone(), frame: reproducing.frame }
    }
}

fn measured(proven: &[Proven]) -> Vec<Measured> {
    let facts: Vec<Facts> = proven.iter().map(|p| p.target.facts.clone()).collect();
    let rankings = [
        ("innermost", Ranking::Innermost),
        ("outermost", Ranking::Outermost),
        ("public", Ranking::Public),
        ("contract-breaking", Ranking::ContractBreaking),
        ("plain contract", Ranking::PlainContract),
    ];
    let rank_of = |ranking: Ranking, index: usize| ranking.order(&facts).iter().position(|&i| i == index);
    let one = |(index, proven): (usize, &Proven)| Measured {
        function: proven.target.function.clone(),
        frame: proven.target.frame,
        package: proven.test_target.package.clone(),
        cargo_args: proven.test_target.cargo_args.clone(),
        test: proven.placed.test.clone(),
        file: proven.placed.file.display().to_string(),
        facts: proven.target.facts.clone(),
        ranks: rankings.iter().map(|(name, r)| ((*name).to_owned(), rank_of(*r, index).into())).collect(),
    };
    proven.iter().enumerate().map(one).collect()
}
