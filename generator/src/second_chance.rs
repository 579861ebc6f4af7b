//! When the values as they were given are worth a second run of the crashed command, and how what they prove
//! joins what is known. Pure: the run itself is made by others.

mod callbacks;
mod made;
mod numbers;

use std::path::Path;

use relapse_snapshot::{
    Argument, Data, FrameKind, Location, Snapshot, StdType, Trust, TypeKind, TypeTable, Value,
};
use syn::{FnArg, Pat};

use crate::candidate::{Callable, Rejection};
use crate::index::SourceIndex;
use crate::prove::Draft;
use crate::target::{Facts, Ranking};
use crate::verify::Verification;

pub(crate) use callbacks::callables as with_callbacks;
pub(crate) use made::{MOST_TURNS, callables as made_callables, makers, unwieldy, worth_it};

/// Why a second run is worth it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// No function reproduces the crash with the values that it had by then.
    Any,
    /// This function would be a better target than those that reproduce, if its values were the given ones.
    Better(String),
    /// The target reproduces, but with values that may have been changed since the call.
    Given(String),
    /// This function takes a value of which fields do not tell how to build it.
    Made(String),
    /// The target reproduces, but its test is long: how its values were made may say the same in a few lines.
    Short(String),
    /// The frame that was asked for is not on the stack of the optimised program.
    Inlined(usize),
    /// The target reproduces, but its test adds functions to the crate: how its values were made may do without.
    Added(String),
}

/// Whether a function that does not reproduce the crash might with the values that it was given.
pub(crate) fn would_help(draft: &Draft<'_>, snapshot: &Snapshot) -> bool {
    let (callable, own) = (&draft.callable, std::slice::from_ref(draft));
    may_differ(callable, is_optimised(snapshot)) && !has_other_reason(callable, own, snapshot)
}

/// A function that makes values, or changes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maker {
    /// Its path.
    pub function: String,
    /// Where it is declared.
    pub declared: Location,
    /// Whether what it gives is to be read: it may hold the value that is wanted.
    pub gives: bool,
}

/// What is asked of a second run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// Why it is worth it.
    pub why: Lacking,
    /// Whether the sandbox kept a function from changing what is the user's.
    pub would_harm: bool,
    /// A target folder of ours, where an optimised program may be built once more without optimisation.
    pub target_folder: &'a Path,
    /// Functions whose calls are to be kept since they make values.
    pub makers: Vec<Maker>,
    /// Whether each entry is to be read: a second run has left functions alone that are entered often.
    pub patient: bool,
}

/// Whether the program was optimised: then a second run may show functions and arguments that the first did not.
pub(crate) fn is_optimised(snapshot: &Snapshot) -> bool {
    let build = snapshot.program.build.as_ref();
    let by_name = |profile: &str| !["", "dev", "test", "debug"].contains(&profile);
    build.is_some_and(|build| build.optimised.unwrap_or_else(|| by_name(&build.profile)))
}

/// What is lacking after a first round. `frame`: the only one that is wanted; `every`: all are wanted.
pub(crate) fn lacking(
    callables: &[Callable<'_>],
    drafts: &[Draft<'_>],
    snapshot: &Snapshot,
    frame: Option<usize>,
    every: bool,
) -> Option<Lacking> {
    let optimised = is_optimised(snapshot);
    if let Some(frame) = frame.filter(|frame| optimised && *frame >= numbers::functions(snapshot).len()) {
        return Some(Lacking::Inlined(frame));
    }
    let facts: Vec<Facts> = callables.iter().map(|callable| callable.facts.clone()).collect();
    let order = Ranking::default().order(&facts);
    let wanted = |callable: &Callable<'_>| frame.is_none_or(|frame| callable.depth == frame);
    let mut doubtful = None;
    for callable in order.into_iter().map(|index| &callables[index]).filter(|callable| wanted(callable)) {
        match drafts.iter().find(|d| d.callable.depth == callable.depth && d.reproduces()) {
            Some(draft) if is_doubtful(draft) => {
                doubtful.get_or_insert_with(|| Lacking::Given(callable.frame.function.clone()));
            }
            Some(_) => {}
            None if !may_differ(callable, optimised) || has_other_reason(callable, drafts, snapshot) => {
                continue;
            }
            None if drafts.iter().any(Draft::reproduces) => {
                return Some(Lacking::Better(callable.frame.function.clone()));
            }
            None => return Some(Lacking::Any),
        }
        if !every && drafts.iter().any(|d| d.callable.depth == callable.depth && d.reproduces()) {
            break;
        }
    }
    if !optimised || doubtful.is_some() {
        return doubtful;
    }
    // Of calls that were inlined and merged there is none on the stack.
    if drafts.iter().any(Draft::suffices) {
        hidden(callables, drafts, snapshot, frame)
    } else {
        Some(Lacking::Any)
    }
}

/// A function whose arguments an optimiser has left so little of that it is no candidate, further in than all that
/// reproduce.
fn hidden(
    callables: &[Callable<'_>],
    drafts: &[Draft<'_>],
    snapshot: &Snapshot,
    frame: Option<usize>,
) -> Option<Lacking> {
    let reproducing = drafts.iter().filter(|draft| draft.reproduces());
    let innermost = reproducing.map(|draft| draft.callable.depth).min();
    let workspace = snapshot.frames().iter().filter(|frame| frame.kind == FrameKind::Workspace);
    let mut found = workspace.enumerate().filter(|(depth, found)| {
        let wanted =
            frame.is_none_or(|frame| frame == *depth) && innermost.is_none_or(|known| *depth < known);
        wanted && !found.name.starts_with('{') && callables.iter().all(|known| known.depth != *depth)
    });
    let (_, found) = found.next()?;
    Some(match innermost {
        Some(_) => Lacking::Better(found.function.clone()),
        None => Lacking::Any,
    })
}

/// What a second run has shown.
#[derive(Debug, Clone)]
pub struct SecondRun {
    /// The same crash.
    pub snapshot: Snapshot,
    /// Whether it left functions alone that are entered too often to read each entry.
    pub left_alone: bool,
}

/// Whether a second run has read nothing of what a function of its stack was given, since it is entered too often, and no
/// test reproduces without it.
pub(crate) fn lacks_patience(
    second: &SecondRun,
    first: &Snapshot,
    index: &SourceIndex,
    drafts: &[Draft<'_>],
) -> bool {
    let SecondRun { snapshot: second, left_alone } = second;
    let callables = numbers::callables_as_in(first, second, index);
    let has_reason = |callable: &Callable<'_>| has_other_reason(callable, drafts, second);
    *left_alone
        && !drafts.iter().any(Draft::suffices)
        && callables.iter().any(|callable| {
            let unread = |argument: &Argument| argument.value.trust != Trust::Entry;
            may_differ(callable, false)
                && callable.frame.arguments.iter().all(unread)
                && !has_reason(callable)
        })
}

/// Whether a test that reproduces was made of values that the function may not have been given.
fn is_doubtful(draft: &Draft<'_>) -> bool {
    draft.trust > Trust::AtCrash
        && draft.trust != Trust::Redacted
        && may_differ(&draft.callable, false)
        && draft.callable.arguments().any(|(argument, is_mut)| {
            is_in_doubt(&argument.value) || is_mut && argument.value.trust == Trust::AtCrash
        })
}

/// Whether more of a value is in doubt than what cells at rest hold. These may have been written as well, but half of
/// all programs have a counter or a lock behind their receiver, and where a test reproduces with what is in them, a
/// second run would tell little for its time.
fn is_in_doubt(value: &Value) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        if value.trust > Trust::AtCrash {
            return true;
        }
        if !matches!(value.data, Data::Cell { state: 0, .. }) {
            open.extend(value.children());
        }
    }
    false
}

/// Whether a function's test was run, and what it came to has another reason than its values: the sandbox was in the way,
/// or a limit, or they are those that it was given.
fn has_other_reason(callable: &Callable<'_>, drafts: &[Draft<'_>], snapshot: &Snapshot) -> bool {
    let own = drafts.iter().filter(|draft| draft.callable.depth == callable.depth);
    own.filter_map(|draft| draft.verification.as_ref()).any(|seen| {
        seen.over_limit
            || seen.accesses.iter().any(|access| access.forbidden)
            || is_as_given(callable, snapshot)
    })
}

/// Whether nothing that a function was given can have changed since: what could is marked by its type, but for the
/// bindings that the source says to be `mut`, and for what the system keeps of an open file. Of an optimised program nobody
/// knows: debug info may name a place that holds another value by then.
fn is_as_given(callable: &Callable<'_>, snapshot: &Snapshot) -> bool {
    let mutable = callable.function.signature.inputs.iter().any(|input| match input {
        FnArg::Receiver(receiver) => receiver.mutability.is_some(),
        FnArg::Typed(typed) => !matches!(&*typed.pat, Pat::Ident(name) if name.mutability.is_none()),
    });
    !mutable
        && !is_optimised(snapshot)
        && callable.frame.arguments.iter().all(|argument| is_settled(&argument.value, &snapshot.types))
}

/// Whether no part of a value is in doubt, be it in a cell, and none stands for what the system keeps.
fn is_settled(value: &Value, types: &TypeTable) -> bool {
    let systems = types.get(value.ty).is_some_and(|shape| match &shape.kind {
        TypeKind::Std { std, .. } => matches!(std, StdType::File | StdType::BufReader),
        _ => shape.name.starts_with("std::"),
    });
    !systems
        && value.trust <= Trust::AtCrash
        && !matches!(value.data, Data::Missing(_))
        && value.children().into_iter().all(|child| is_settled(child, types))
}

/// Whether a function of the stack wanted to do what harms: the command would do it, and no sandbox is around that.
pub(crate) fn would_harm(drafts: &[Draft<'_>]) -> bool {
    drafts.iter().filter_map(|draft| draft.verification.as_ref()).any(Verification::would_harm)
}

/// Whether a function's arguments may have been others at its entry, and are there to be read. Of an `optimised` program
/// they can be had of what was inlined, too.
fn may_differ(callable: &Callable<'_>, optimised: bool) -> bool {
    let frame = callable.frame;
    (optimised || !frame.inlined)
        && !callable.facts.entry_point
        && !frame.arguments.is_empty()
        && frame.trust() != Trust::Entry
}

/// The functions of the second run's stack whose values are given ones, or which the first one did not show, but for those
/// that reproduce already with values beyond doubt.
pub(crate) fn callables<'a>(
    first: &Snapshot,
    snapshot: &'a Snapshot,
    index: &'a SourceIndex,
    drafts: &[Draft<'_>],
) -> Vec<Callable<'a>> {
    let known = |callable: &Callable<'_>| {
        let same = drafts.iter().filter(|d| d.callable.frame.function == callable.frame.function);
        same.into_iter().any(|d| d.reproduces() && !is_doubtful(d))
    };
    let given = |callable: &Callable<'_>| {
        callable.frame.arguments.iter().any(|argument| argument.value.trust == Trust::Entry)
    };
    let is_new =
        |callable: &Callable<'_>| drafts.iter().all(|d| d.callable.frame.function != callable.frame.function);
    let optimised = is_optimised(snapshot);
    let callables = numbers::callables_as_in(first, snapshot, index);
    let wanted = |callable: &Callable<'_>| given(callable) || optimised && is_new(callable);
    callables.into_iter().filter(|callable| wanted(callable) && !known(callable)).collect()
}

/// Whether it is one function of the stack.
fn same(one: &Callable<'_>, other: &Callable<'_>) -> bool {
    one.depth == other.depth && one.frame.function == other.frame.function
}

/// Takes the second round's tests in place of the first round's of the same functions; of two reasons the second
/// round's is the one that counts.
pub(crate) fn join<'a>(
    drafts: &mut Vec<Draft<'a>>,
    second: Vec<Draft<'a>>,
    rejected: &mut Vec<Rejection>,
    reasons: Vec<Rejection>,
) {
    drafts.retain(|first| {
        second.iter().all(|draft| !same(&first.callable, &draft.callable) || !draft.reproduces())
    });
    let mut second: Vec<Draft<'a>> = second
        .into_iter()
        .filter(|new| !drafts.iter().any(|old| same(&old.callable, &new.callable)))
        .collect();
    rejected.retain(|old| {
        let again = |new: &Rejection| new.depth == old.depth && new.function == old.function;
        let drafted =
            |new: &Draft<'_>| new.callable.depth == old.depth && new.callable.frame.function == old.function;
        !reasons.iter().any(again) && !second.iter().any(drafted)
    });
    for reason in reasons {
        let known = |draft: &Draft<'_>| {
            draft.callable.depth == reason.depth && draft.callable.frame.function == reason.function
        };
        if !drafts.iter().any(known) {
            rejected.push(reason);
        }
    }
    drafts.append(&mut second);
}
