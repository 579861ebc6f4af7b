//! Functions that take a callback of the program which no test can hold: its text names what only the program has. They are
//! called with one that does nothing, after all others and only where none of these reproduces the crash in the crate that
//! crashed. In: the newest run's stack. Out: what becomes callable so.

use relapse_snapshot::{FrameKind, Snapshot};

use crate::candidate::{Callable, Style, Uncallable};
use crate::index::{Recorded, SourceIndex};
use crate::names::Callbacks;
use crate::prove::Draft;

use super::made::{is_written_otherwise, made_before};
use super::numbers::callables_as_in;
use super::same;

/// Those functions; `housed`: the function with a home in which its test can run.
pub(crate) fn callables<'a>(
    first: &Snapshot,
    snapshot: &'a Snapshot,
    index: &'a SourceIndex,
    drafts: &[Draft<'_>],
    frame: Option<usize>,
    housed: &dyn Fn(&Callable<'a>) -> Option<Callable<'a>>,
) -> Vec<Callable<'a>> {
    let callables = callables_as_in(first, snapshot, index);
    let crashed = snapshot.frames().iter().find(|frame| frame.kind == FrameKind::Workspace);
    let crashed = crashed.and_then(|frame| frame.package.as_deref());
    let is_told = drafts.iter().any(|draft| {
        let package = draft.callable.frame.package.as_deref();
        draft.suffices() && (package == crashed || frame.is_some())
    });
    if is_told {
        return Vec::new();
    }
    let call = |callable: &Callable<'_>| {
        callable.call(&callable.function.name, Style::default(), &snapshot.types, index)
    };
    let with_callbacks = |callable: Callable<'a>| {
        let calls = made_before(&callable, snapshot);
        let ways = |callbacks| {
            // What the calls that made its other values tell is needed only where fields do not.
            let ways = [&snapshot.made[..0], calls];
            let types = Some(&snapshot.types);
            let ways = ways.map(|calls| Recorded { calls, types, callbacks, ..Recorded::default() });
            ways.map(|made| callable.clone().with_made(made))
                .into_iter()
                .find(|callable| call(callable).is_ok())
        };
        if matches!(call(&callable), Err(Uncallable::Argument(_))) {
            return ways(Callbacks::WhereRefused);
        }
        // A closure may name what a copy of the program's types does not have: then its test did not build.
        let was_built = |draft: &Draft<'_>| same(&draft.callable, &callable) && draft.verification.is_some();
        let is_open = !drafts.iter().any(was_built);
        let without = is_open.then(|| ways(Callbacks::StandIns)).flatten();
        without.filter(|callable| is_written_otherwise(callable, snapshot, index))
    };
    let is_wanted = |callable: &Callable<'_>| {
        !callable.facts.entry_point && frame.is_none_or(|frame| frame == callable.depth)
    };
    let housed = callables.iter().filter(|callable| is_wanted(callable)).filter_map(housed);
    housed.filter_map(with_callbacks).collect()
}
