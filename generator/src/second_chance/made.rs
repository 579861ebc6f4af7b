//! Values that their fields do not tell how to build. A second run watches the functions that make such values, and a test
//! calls them with what they were given. In: functions of the stack that no test can call for now. Out: what is to be
//! watched, and the same functions with what was seen.

use std::collections::{BTreeSet, HashSet};

use relapse_snapshot::{Data, Made, Snapshot, TypeId, TypeKind, TypeTable, Value};

use super::numbers::callables_as_in;
use super::{Lacking, Maker, same};
use crate::candidate::{Call, Callable, Rejection, Style, Uncallable};
use crate::expression::{Literals, Scope, argument_with, definition};
use crate::index::{FunctionItem, LAST_RANK, NamesAt, Recorded, SourceIndex};
use crate::prove::Draft;
use crate::target::{Facts, Ranking};

/// Functions that are watched at most: each stop of theirs takes from the time that is left for the stack's own.
const MOST_MAKERS: usize = 64;
/// Parts between an argument and the part of it that cannot be written.
const MOST_STEPS: usize = 64;
/// Types that a generic type is made with.
const MOST_PARAMETERS: usize = 16;
/// How many ways to make a value are tried: each of the last calls that may have made it, with and without what is known of
/// its fields.
pub(crate) const MOST_TURNS: usize = 4;

/// What the values of the stack's functions were made by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Makers {
    /// The functions to watch.
    pub(crate) functions: Vec<Maker>,
    /// The best of the functions that take such a value, and why.
    pub(crate) wanted_by: Option<Lacking>,
}

/// The functions that may have made the values which keep the better functions of the stack from being called.
pub(crate) fn makers(
    callables: &[Callable<'_>],
    drafts: &[Draft<'_>],
    snapshot: &Snapshot,
    index: &SourceIndex,
    frame: Option<usize>,
    every: bool,
) -> Makers {
    let facts: Vec<Facts> = callables.iter().map(|callable| callable.facts.clone()).collect();
    let (mut makers, mut found) = (Makers::default(), Vec::new());
    for at in Ranking::default().order(&facts) {
        let callable = &callables[at];
        if frame.is_some_and(|frame| frame != callable.depth) {
            continue;
        }
        let own = drafts.iter().filter(|draft| draft.callable.depth == callable.depth);
        if let Some(draft) = own.clone().find(|draft| draft.reproduces()) {
            let is_chosen = !every || frame.is_some();
            if is_chosen && may_be_better(draft) {
                let own = functions_for(callable, snapshot, index);
                // A few lines are no reason for a run, but where there is one, it may tell how to do with fewer.
                if !own.is_empty() && is_unwieldy(draft) {
                    let why = if draft.is_long() { Lacking::Short } else { Lacking::Added };
                    makers.wanted_by.get_or_insert_with(|| why(callable.frame.function.clone()));
                }
                found.extend(own);
            }
            if every {
                continue;
            }
            break;
        }
        // What ran and did not show the crash may have been given less than was there to be read.
        let has_run = own.clone().any(|draft| draft.verification.is_some());
        if callable.facts.entry_point {
            continue;
        }
        if !has_run && !is_refused(callable, snapshot, index) {
            continue;
        }
        let own = functions_for(callable, snapshot, index);
        if !own.is_empty() {
            makers.wanted_by.get_or_insert_with(|| Lacking::Made(callable.frame.function.clone()));
        }
        found.extend(own);
    }
    // There is a limit: what makes a whole argument tells more than what made its parts, or changed them.
    found.sort_by_key(|(rank, _)| *rank);
    for (_, function) in found {
        if let Some(known) = makers.functions.iter_mut().find(|known| known.declared == function.declared) {
            known.gives |= function.gives;
        } else if makers.functions.len() < MOST_MAKERS {
            makers.functions.push(function);
        }
    }
    makers
}

/// Whether a run is made for a better test although this one reproduces.
fn is_unwieldy(draft: &Draft<'_>) -> bool {
    (draft.is_long() || draft.adds_constructors()) && !draft.callable.facts.entry_point
}

/// Whether a better test is sought where a run is made anyway. What a value was made by also shows the crash where the fix is
/// in what made it, which its fields do not.
fn may_be_better(draft: &Draft<'_>) -> bool {
    let is_by_fields = draft.callable.made.calls.is_empty();
    is_unwieldy(draft) || is_by_fields && draft.is_wordy() && !draft.callable.facts.entry_point
}

/// The frame whose test would be taken, but for which a better one is sought in a turn: workspace frames from the innermost.
/// `frame`: the only one that is wanted.
pub(crate) fn unwieldy(drafts: &[Draft<'_>], frame: Option<usize>, turn: usize) -> Option<usize> {
    let facts: Vec<Facts> = drafts.iter().map(|draft| draft.callable.facts.clone()).collect();
    let wanted = |draft: &&Draft<'_>| frame.is_none_or(|frame| frame == draft.callable.depth);
    let ranked = Ranking::default().order(&facts).into_iter().map(|at| &drafts[at]);
    let best = ranked.filter(wanted).find(|draft| draft.reproduces())?;
    // What is less likely to have made it is tried for a few lines no more.
    let is_it = if turn == 0 { may_be_better(best) } else { is_unwieldy(best) };
    is_it.then_some(best.callable.depth)
}

/// Whether a function cannot be called because of an argument.
fn is_refused(callable: &Callable<'_>, snapshot: &Snapshot, index: &SourceIndex) -> bool {
    let called = callable.call(&callable.function.name, Style::default(), &snapshot.types, index);
    matches!(called, Err(Uncallable::Argument(_)))
}

/// The functions that may have made an argument, or a part of it which holds what cannot be written; the better ones have
/// smaller numbers.
fn functions_for(callable: &Callable<'_>, snapshot: &Snapshot, index: &SourceIndex) -> Vec<(u8, Maker)> {
    let names = NamesAt::new(index, callable.home);
    let mut giving = HashSet::new();
    let mut found: Vec<(u8, &FunctionItem)> = Vec::new();
    for (argument, _) in callable.arguments() {
        let (name, value) = (&argument.name, &argument.value);
        let mut scope = Scope::new(&callable.function.name);
        let written = argument_with(name, value, &snapshot.types, &names, &mut scope, Literals::Suffixed);
        // Of what can be written, but does not show the crash, the whole may hold more than was read.
        let refused = written.err().map_or_else(|| name.clone(), |refused| refused.path);
        for ty in types_on_the_way(value, &refused, snapshot) {
            let Some(path) = definition(snapshot.types.name(ty)) else { continue };
            let makers = names.makers(&path);
            // The makers of what makers take are often the same few.
            let mut known = HashSet::new();
            let of_arguments = makers.iter().flat_map(|maker| names.makers_of_arguments(maker));
            found.extend(of_arguments.filter(|maker| known.insert(maker.id)).map(|maker| (2, maker)));
            found.extend(names.ranked_makers(&path));
            giving.extend(names.givers(&path).into_iter().map(|giver| giver.id));
            let of_givers = names.makers_of_givers(&path);
            found.extend(of_givers.into_iter().map(|maker| (LAST_RANK, maker)));
            found.extend(names.functions_on_parts(&path).into_iter().map(|function| (3, function)));
            // What a generic function made it of has no type of its own there: `Cutter::new(way)` of a `Cutter<Every>`.
            for ty in parameters(ty, &snapshot.types) {
                let path = definition(snapshot.types.name(ty));
                let makers = path.map(|path| names.makers(&path)).unwrap_or_default();
                found.extend(makers.into_iter().map(|maker| (2, maker)));
            }
        }
    }
    let watched = |maker: &FunctionItem| {
        let (function, declared) = (maker.name.clone(), index.declared(maker));
        Maker { function, declared, gives: giving.contains(&maker.id) }
    };
    found.into_iter().map(|(rank, maker)| (rank, watched(maker))).collect()
}

/// The structs and enums from an argument to the part of it at a path (`self.inner.0[3].text`), the argument's own first.
fn types_on_the_way(argument: &Value, path: &str, snapshot: &Snapshot) -> Vec<TypeId> {
    let mut steps = path.split(['.', '[', ']', ' ']).filter(|step| !step.is_empty()).skip(1);
    let mut found = Vec::new();
    let mut note = |ty: TypeId| {
        let kind = snapshot.types.get(ty).map(|shape| &shape.kind);
        if matches!(kind, Some(TypeKind::Struct { .. } | TypeKind::Enum { .. })) {
            found.push(ty);
        }
    };
    let mut value = argument;
    let mut step = steps.next();
    for _ in 0..MOST_STEPS {
        note(value.ty);
        let next = step.and_then(|step| part(value, step));
        match next {
            Some(next) => (value, step) = (next, steps.next()),
            // What a pointer leads to has no step of its own.
            None => match value.children().as_slice() {
                [only] => value = only,
                _ => {
                    // What an optimiser has left nothing of still has a type.
                    if let Some(TypeKind::Reference { to, .. }) =
                        snapshot.types.get(value.ty).map(|shape| &shape.kind)
                    {
                        note(*to);
                    }
                    break;
                }
            },
        }
    }
    found
}

/// The structs and enums that a generic type is made with, and those that these are made with.
fn parameters(ty: TypeId, types: &TypeTable) -> Vec<TypeId> {
    let mut open = vec![ty];
    let mut found = Vec::new();
    while let Some(ty) = open.pop().filter(|_| found.len() < MOST_PARAMETERS) {
        let Some(shape) = types.get(ty) else { continue };
        let (TypeKind::Struct { params, .. } | TypeKind::Enum { params, .. }) = &shape.kind else { continue };
        let new = params.iter().filter(|param| !found.contains(*param)).copied().collect::<Vec<_>>();
        open.extend(&new);
        found.extend(new);
    }
    found
}

/// The field or element of that name.
fn part<'v>(value: &'v Value, step: &str) -> Option<&'v Value> {
    match &value.data {
        Data::Struct(fields) | Data::Variant { fields, .. } => {
            fields.iter().find(|field| field.name == step).map(|field| &field.value)
        }
        Data::Tuple(items) | Data::Sequence { items, .. } => {
            step.parse().ok().and_then(|at: usize| items.get(at))
        }
        _ => None,
    }
}

/// The calls that may have made what a function was given: what came after it was entered was done by itself.
pub(super) fn made_before<'s>(callable: &Callable<'_>, snapshot: &'s Snapshot) -> &'s [Made] {
    let entered = callable.frame.made_before.unwrap_or(usize::MAX);
    &snapshot.made[..entered.min(snapshot.made.len())]
}

/// The functions of a second run's stack that can be called with values made anew. `first`: the snapshot that was kept as the
/// program crashed; `turn`: which of the calls that may have made a value is taken; `long`: the frame of [`unwieldy`];
/// `housed`: the function with a home in which its test can run; `tried`: the calls of earlier turns, by depth; `reasons`: of
/// those that still cannot be called.
pub(crate) fn callables<'a>(
    (first, snapshot): (&Snapshot, &'a Snapshot),
    index: &'a SourceIndex,
    drafts: &[Draft<'_>],
    (turn, long): (usize, Option<usize>),
    housed: &dyn Fn(&Callable<'a>) -> Option<Callable<'a>>,
    tried: &mut BTreeSet<(usize, String)>,
    reasons: &mut Vec<Rejection>,
) -> Vec<Callable<'a>> {
    if snapshot.made.is_empty() {
        return Vec::new();
    }
    let reproduces = |callable: &Callable<'_>| {
        let mut same = drafts.iter().filter(|d| d.callable.frame.function == callable.frame.function);
        same.any(Draft::reproduces)
    };
    let can_be_called = |callable: &Callable<'_>| {
        callable.call(&callable.function.name, Style::default(), &snapshot.types, index).is_ok()
    };
    // Where a test is there already, but a better one is sought: the last call that may have made a value, and the one before.
    let is_plain_turn = turn == 0 || turn == 2;
    let callables = callables_as_in(first, snapshot, index);
    let mut callables: Vec<Callable<'a>> = callables.iter().filter_map(housed).collect();
    if turn > 0 {
        // Each turn is a build: only what would be a better target is worth it.
        let facts: Vec<Facts> = callables.iter().map(|callable| callable.facts.clone()).collect();
        let order = Ranking::default().order(&facts);
        let better: BTreeSet<usize> = order
            .into_iter()
            .take_while(|at| !reproduces(&callables[*at]))
            .map(|at| callables[at].depth)
            .chain(long.filter(|_| is_plain_turn))
            .collect();
        callables.retain(|callable| better.contains(&callable.depth));
    }
    let with_made = |callable: Callable<'a>| {
        let first = can_be_called(&callable);
        let calls = made_before(&callable, snapshot);
        let types = Some(&snapshot.types);
        let made = callable.with_made(Recorded { calls, types, turn, first, ..Recorded::default() });
        // What can be written by itself is another call only where something of it is made anew.
        (!first || is_written_otherwise(&made, snapshot, index)).then_some(made)
    };
    let is_long = |callable: &Callable<'_>| is_plain_turn && long == Some(callable.depth);
    let is_open = |callable: &Callable<'_>| is_long(callable) || !reproduces(callable);
    let open = callables.into_iter().filter(|callable| !callable.facts.entry_point && is_open(callable));
    let mut made = Vec::new();
    for callable in open.filter_map(with_made) {
        match callable.call(&callable.function.name, Style::default(), &snapshot.types, index) {
            // Another turn may come to the same.
            Ok(call) if tried.insert((callable.depth, text_of(&call))) => made.push(callable),
            Ok(_) => {}
            Err(reason) if turn == 0 => reasons.push(callable.rejection(reason.to_string())),
            Err(_) => {}
        }
    }
    made
}

/// What a test of a call says.
fn text_of(call: &Call) -> String {
    let lets = call.arguments.iter().flat_map(|argument| &argument.lets);
    lets.chain([&call.tokens]).map(ToString::to_string).collect()
}

/// Of the tests of values that were made anew those that are worth it: the others of functions that have a test already are
/// no shorter than that, nor do without functions that it adds to the crate.
pub(crate) fn worth_it<'a>(made: Vec<Draft<'a>>, drafts: &[Draft<'_>], turn: usize) -> Vec<Draft<'a>> {
    let is_worth_it = |new: &Draft<'_>| {
        let mut earlier = drafts.iter().filter(|old| same(&old.callable, &new.callable));
        earlier.all(|old| {
            let is_tidier = old.adds_constructors() && !new.adds_constructors() && !new.is_long();
            let (new_lines, old_lines) = (new.lines_of_body(), old.lines_of_body());
            // Calls that are less likely to have made it have to say it much shorter.
            let is_likeliest = turn == 0 && old.callable.made.calls.is_empty();
            let is_shorter =
                if is_likeliest { new_lines < old_lines } else { new_lines * 3 <= old_lines * 2 };
            !old.reproduces() || !new.reproduces() || is_tidier || is_shorter
        })
    };
    made.into_iter().filter(is_worth_it).collect()
}

/// Whether the calls of a run change how a function is called.
pub(super) fn is_written_otherwise(
    callable: &Callable<'_>,
    snapshot: &Snapshot,
    index: &SourceIndex,
) -> bool {
    let written = |callable: &Callable<'_>| {
        let call = callable.call(&callable.function.name, Style::default(), &snapshot.types, index).ok()?;
        let lets = call.arguments.iter().flat_map(|argument| &argument.lets);
        Some((lets.map(ToString::to_string).collect::<Vec<_>>(), call.tokens.to_string()))
    };
    let plain = callable.clone().with_made(Recorded::default());
    written(callable).is_some_and(|made| Some(made) != written(&plain))
}
