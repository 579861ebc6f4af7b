//! The numbers of the functions of a stack. A second run of an optimised program is built without optimisation, so that its
//! stack has functions that were inlined before: a function keeps the number that it had (`gen --frame N`), and takes the
//! place of its first test. In: the functions of both stacks. Out: the functions of the second one with these numbers.

use std::collections::HashMap;

use relapse_snapshot::{FrameKind, Snapshot};

use crate::candidate::{self, Callable};
use crate::index::SourceIndex;

/// The functions of the second stack. `first`: the snapshot that was kept as the program crashed.
pub(super) fn callables_as_in<'a>(
    first: &Snapshot,
    second: &'a Snapshot,
    index: &'a SourceIndex,
) -> Vec<Callable<'a>> {
    let (mut callables, _) = candidate::callables(second, index);
    let numbers = numbers(&functions(first), &functions(second));
    for callable in &mut callables {
        callable.depth = numbers.get(callable.depth).copied().unwrap_or(callable.depth);
    }
    callables
}

/// The functions of the workspace on a snapshot's stack, innermost first: those that have a number.
pub(super) fn functions(snapshot: &Snapshot) -> Vec<&str> {
    let workspace = snapshot.frames().iter().filter(|frame| frame.kind == FrameKind::Workspace);
    workspace.map(|frame| frame.function.as_str()).collect()
}

/// The number of each function of the second stack, innermost first. Calls of one function are counted from the outermost;
/// what the first stack does not have is numbered behind it.
fn numbers(first: &[&str], second: &[&str]) -> Vec<usize> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut numbers: Vec<usize> = Vec::with_capacity(second.len());
    for (depth, function) in second.iter().enumerate().rev() {
        let nth = seen.entry(function).or_default();
        let mut same = first.iter().enumerate().rev().filter(|(_, other)| *other == function);
        numbers.push(same.nth(*nth).map_or(first.len() + depth, |(number, _)| number));
        *nth += 1;
    }
    numbers.reverse();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_keeps_its_number_among_those_that_were_inlined() {
        assert_eq!(numbers(&["step", "main"], &["get", "near", "step", "main"]), [2, 3, 0, 1]);
        assert_eq!(numbers(&["walk", "walk", "main"], &["walk", "walk", "walk", "main"]), [3, 0, 1, 2]);
        assert_eq!(numbers(&["a", "b"], &["a", "b"]), [0, 1]);
        assert_eq!(numbers(&["a"], &[]), [0_usize; 0]);
    }
}
