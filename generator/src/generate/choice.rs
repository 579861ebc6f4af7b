//! Which of the functions that reproduce a crash gets the test, and what is shown where none does. In: drafts that were
//! proved. Out: the account of a snapshot, with what to put into the user's tree.

use relapse_snapshot::{Cause, CauseKind};

use super::reasons::{no_callable, not_reproduced};
use super::{Generated, Options, Proven, Reproducing, Status, failed};
use crate::candidate::Rejection;
use crate::edit::{EditSet, between_edits};
use crate::place;
use crate::project::Project;
use crate::prove::{Bench, Draft, Effort, ProveError};
use crate::regression::Regression;
use crate::target::{Facts, Ranking};

/// The drafts in the order of the choice, and those of them that are taken.
pub(super) fn order(drafts: &[Draft<'_>], options: &Options) -> (Vec<usize>, Vec<usize>) {
    let facts: Vec<Facts> = drafts.iter().map(|draft| draft.callable.facts.clone()).collect();
    let mut order = Ranking::default().order(&facts);
    if let Some(frame) = options.frame {
        order.sort_by_key(|&index| drafts[index].callable.depth != frame);
    }
    let mut chosen = Vec::new();
    for &index in &order {
        let wanted = options.frame.is_none_or(|frame| drafts[index].callable.depth == frame);
        let enough = !chosen.is_empty() && !options.every_frame;
        if !enough && wanted && drafts[index].reproduces() {
            chosen.push(index);
        }
    }
    (order, chosen)
}

/// Takes the best of the drafts that reproduce each time, and puts it in place.
pub(super) fn choose(
    drafts: &[Draft<'_>],
    bench: &Bench<'_>,
    project: &Project,
    options: &Options,
    mut rejected: Vec<Rejection>,
    effort: Effort,
) -> Result<Generated, ProveError> {
    let (order, chosen) = order(drafts, options);
    let alternatives = order
        .iter()
        .filter(|index| drafts[**index].reproduces() && chosen.first() != Some(index))
        .map(|&index| reproducing(&drafts[index]))
        .collect();
    rejected.sort_by_key(|rejection| rejection.depth);
    let (status, reason, shown) = if chosen.is_empty() {
        // Of those that are alike the first in order; `max_by_key` takes the last.
        let best = order.iter().rev().copied().max_by_key(|&i| {
            let reproduced = drafts[i].verification.as_ref().map_or(0, |v| v.reproduced);
            (reproduced, !drafts[i].callable.facts.entry_point)
        });
        match best {
            None => return Ok(failed(no_callable(bench.snapshot, &rejected), rejected, effort)),
            Some(best) => {
                let reason = not_reproduced(&drafts[best], &rejected, options);
                // What was not asked for, and a `main` that does not crash, are no proposals.
                let callable = &drafts[best].callable;
                let asked = options.frame.is_none_or(|frame| callable.depth == frame);
                let shown = if asked && !callable.facts.entry_point { vec![best] } else { Vec::new() };
                (Status::Unverified, Some(reason), shown)
            }
        }
    } else {
        (Status::Verified, None, chosen)
    };
    // The proof needs a test that fails; marked as open it passes while the bug is there.
    let should_panic = options.open.then(|| expected_text(&bench.snapshot.cause));
    let marked = |index: &usize| {
        let draft = &drafts[*index];
        let marked = Regression { should_panic: should_panic.clone(), ..draft.regression.clone() };
        // Other candidates of the same name are not put in place: the one that is needs no number.
        let stem = crate::hostile::test_name(&draft.callable.function.name, &bench.snapshot.cause.message);
        if options.every_frame { marked } else { place::renamed(&marked, &stem) }
    };
    let regressions: Vec<_> = shown.iter().map(marked).collect();
    let place = || place::edits(&regressions, project.root(), bench.templates);
    let placement =
        between_edits(project.root(), &project.relapse_folder, place).map_err(place::PlaceError::from)??;
    let proven = shown.iter().zip(placement.placed).map(|(&index, placed)| Proven {
        target: reproducing(&drafts[index]),
        test_target: drafts[index].target.clone(),
        variables: crate::header::build_variables(&bench.snapshot.program),
        placed,
        trust: drafts[index].trust,
        nodes: drafts[index].nodes,
    });
    Ok(Generated {
        regressions: proven.collect(),
        edits: if status == Status::Verified { placement.edits } else { EditSet::default() },
        status,
        reason,
        alternatives,
        rejected,
        effort,
    })
}

/// What `#[should_panic(expected = …)]` asks for: the longest part of the message that holds no number and no
/// quoted data, since those change with the input.
fn expected_text(cause: &Cause) -> String {
    if cause.time_limit().is_some() {
        return "still running after".to_owned();
    }
    if cause.kind != CauseKind::Panic {
        return "signal".to_owned();
    }
    let first = cause.message.lines().next().unwrap_or_default();
    let varies = |c: char| c.is_ascii_digit() || matches!(c, '`' | '"' | '\'');
    let longest = first.split(varies).map(str::trim).max_by_key(|part| part.len()).unwrap_or_default();
    longest.to_owned()
}

fn reproducing(draft: &Draft<'_>) -> Reproducing {
    Reproducing {
        function: draft.callable.frame.function.clone(),
        frame: draft.callable.depth,
        facts: draft.callable.facts.clone(),
    }
}
