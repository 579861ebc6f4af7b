//! Why there is no regression, in words for the user: what was seen, what was forbidden, what a crash may depend on.

use relapse_snapshot::{CauseKind, Snapshot};

use super::Options;
use crate::candidate::Rejection;
use crate::prove::{Bench, Draft};
use crate::verify::{harms, in_words};

/// Why a test does not show the crash each time: what was seen, what the sandbox kept it from, what its functions
/// read beside their arguments.
pub(super) fn why_not(draft: &Draft<'_>, bench: &Bench<'_>) -> String {
    const SAID: usize = 3;
    let Some(verification) = &draft.verification else { return "the test was not run".to_owned() };
    if verification.is_verified() {
        let harm: Vec<_> = draft.forbidden(bench).into_iter().filter(harms).collect();
        let words = in_words(&harm).join("; ");
        return format!("the crash came back, but {words}: a test of it would do so each time that it runs");
    }
    let mut reason = verification.reason.clone().unwrap_or_else(|| "no reason was seen".to_owned());
    let forbidden = in_words(&draft.forbidden(bench));
    for words in &forbidden {
        reason += &format!("; {words}");
    }
    for missing in draft.missing(bench).iter().take(SAID) {
        reason += &format!("; {missing}");
    }
    if verification.reproduced > 0 && bench.lets_change {
        reason += "; what one run is allowed to change, the next one finds changed";
    } else if verification.reproduced > 0 && forbidden.is_empty() && !verification.over_limit {
        reason += "; a crash that comes and goes depends on time or on the order of threads";
    }
    for reads in draft.reads(bench).iter().take(SAID) {
        reason += &format!("; {reads}");
    }
    reason
}

/// Why no function reproduces the crash: of the best one, or of the one that was asked for.
pub(super) fn not_reproduced(draft: &Draft<'_>, rejected: &[Rejection], options: &Options) -> String {
    if let Some(frame) = options.frame.filter(|frame| *frame != draft.callable.depth) {
        return match rejected.iter().find(|rejection| rejection.depth == frame) {
            Some(rejection) => format!("frame {frame}, {}: {}", rejection.function, rejection.reason),
            None => format!("there is no frame {frame}: the stack has fewer functions of the workspace"),
        };
    }
    // That `main` does not crash in a test says nothing of the crash; what keeps the others from it does.
    let others = || rejected.iter().filter(|rejection| rejection.depth != draft.callable.depth);
    if draft.callable.facts.entry_point && options.frame.is_none() && others().next().is_some() {
        let telling = others().find(|rejection| !rejection.inherent).or_else(|| others().next());
        return telling.map_or_else(String::new, |other| {
            let (main, function) = (&draft.callable.frame.function, &other.function);
            format!("{function}: {} ({main} alone can be called, and does not crash in a test)", other.reason)
        });
    }
    let Some(verification) = &draft.verification else { return "the test was not run".to_owned() };
    let own = rejected.iter().find(|rejection| rejection.depth == draft.callable.depth);
    let why = own.map_or("no reason was seen", |rejection| rejection.reason.as_str());
    let (function, of) = (&draft.callable.frame.function, verification.of);
    if verification.is_verified() {
        return format!("{function}: {why}");
    }
    format!("the crash came back in {} of {of} runs of {function}: {why}", verification.reproduced)
}

/// Why there is no candidate at all.
pub(super) fn no_callable(snapshot: &Snapshot, rejected: &[Rejection]) -> String {
    if snapshot.cause.kind != CauseKind::Panic && snapshot.frames().is_empty() {
        return "the stack of the crash could not be read".to_owned();
    }
    match rejected.first() {
        None => match snapshot.notes.first() {
            Some(note) => format!("no function of the workspace is on the stack ({note})"),
            None => "no function of the workspace is on the stack".to_owned(),
        },
        Some(first) if rejected.len() == 1 => format!("{}: {}", first.function, first.reason),
        Some(first) => format!(
            "none of {} functions can be called from a test; the innermost, {}: {}",
            rejected.len(),
            first.function,
            first.reason
        ),
    }
}
