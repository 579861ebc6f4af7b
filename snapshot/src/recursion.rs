//! The recursions of a stack, by the names of its functions alone. In: names, innermost first. Out: which calls repeat, and
//! for a stack overflow which functions never came to an end. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::crash::{CauseKind, Frame, FrameKind, Snapshot};
use crate::display::short_function;

/// Functions of one round at most. A visitor over a few kinds of nodes has fewer; std's adapters between them count.
const LONGEST_ROUND: usize = 32;
/// Fewer rounds than this are no recursion: a function may call another of its name once or twice.
const FEWEST_ROUNDS: usize = 3;
/// Functions of a round that are named; a reader finds the others on the stack.
const NAMED: usize = 6;

/// Calls that follow each other in the same order over and over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repetition {
    /// All of its calls; the last round may be a part of one.
    pub calls: Range<usize>,
    /// Calls of one round.
    pub period: usize,
}

/// Finds what repeats, innermost first. Of several ways to see it the one that covers most is taken, with the shortest round.
pub fn repetitions<T: PartialEq>(names: &[T]) -> Vec<Repetition> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < names.len() {
        let rest = &names[at..];
        let longest = LONGEST_ROUND.min(rest.len() / FEWEST_ROUNDS);
        let covered = |period: usize| {
            period + rest.iter().zip(&rest[period..]).take_while(|(inner, outer)| inner == outer).count()
        };
        let lengths = (1..=longest).map(|period| (covered(period), period));
        let enough = lengths.filter(|(length, period)| *length >= period * FEWEST_ROUNDS);
        match enough.max_by_key(|(length, period)| (*length, LONGEST_ROUND - period)) {
            Some((length, period)) => {
                found.push(Repetition { calls: at..at + length, period });
                at += length;
            }
            None => at += 1,
        }
    }
    found
}

/// The recursion that a stack overflow came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endless {
    /// Its calls among the workspace's frames of the crashing thread, 0 being the innermost of these.
    pub calls: Range<usize>,
    /// The functions of one round in the order in which they call each other, the outermost one first; empty where the
    /// rounds differ, as in a walk over a tree of several kinds.
    pub round: Vec<String>,
    /// The function that is called most.
    pub most_called: String,
}

impl Endless {
    /// Finds it in a snapshot; `None` where the crash is another one, or one call alone took the stack.
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        if snapshot.cause.kind != CauseKind::StackOverflow {
            return None;
        }
        Self::among(snapshot.frames())
    }

    fn among(frames: &[Frame]) -> Option<Self> {
        let own = frames.iter().filter(|frame| frame.kind == FrameKind::Workspace);
        let names: Vec<&str> = own.map(|frame| frame.function.as_str()).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in &names {
            *counts.entry(name).or_default() += 1;
        }
        let (most_called, times) = counts.into_iter().max_by_key(|(_, times)| *times)?;
        if times < FEWEST_ROUNDS {
            return None;
        }
        // Of a deep stack the middle is left out: what repeats at its two ends is one recursion.
        let longest = repetitions(&names).into_iter().max_by_key(|found| found.calls.len());
        let longest = longest.filter(|found| found.calls.len() * 2 >= times);
        let mut round: Vec<&str> = longest.map_or_else(Vec::new, |Repetition { calls, period }| {
            names[calls.end - period..calls.end].iter().rev().copied().collect()
        });
        let is_of_it = |name: &&str| round.contains(name) || (round.is_empty() && *name == most_called);
        let (first, last) = (names.iter().position(is_of_it)?, names.iter().rposition(is_of_it)?);
        // What repeats longest may end in the middle of a round.
        let outermost = round.iter().position(|name| *name == names[last]).unwrap_or_default();
        round.rotate_left(outermost);
        Some(Self {
            calls: first..last + 1,
            round: round.into_iter().map(str::to_owned).collect(),
            most_called: most_called.to_owned(),
        })
    }

    /// `` `depth` calls itself ``, `` `even` → `odd` → `even` ``.
    pub fn words(&self) -> String {
        let short = |name: &str| format!("`{}`", short_function(name));
        match &self.round[..] {
            [] => format!("{} calls itself by way of others", short(&self.most_called)),
            [function] => format!("{} calls itself", short(function)),
            [first, ..] => {
                let mut names: Vec<String> = self.round.iter().take(NAMED).map(|name| short(name)).collect();
                if self.round.len() > NAMED {
                    names.push("…".to_owned());
                }
                names.push(short(first));
                names.join(" → ")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &str) -> Vec<(Range<usize>, usize)> {
        let names: Vec<char> = names.chars().collect();
        repetitions(&names).into_iter().map(|found| (found.calls, found.period)).collect()
    }

    fn stack(names: &[&str]) -> Vec<Frame> {
        let frame = |name: &&str| Frame {
            function: format!("demo::{name}"),
            kind: if name.starts_with("std") { FrameKind::Std } else { FrameKind::Workspace },
            ..Frame::default()
        };
        names.iter().map(frame).collect()
    }

    #[test]
    fn rounds_of_one_two_and_three_functions_are_found() {
        assert_eq!(found("aaaaaaz"), [(0..6, 1)]);
        assert_eq!(found("xababababz"), [(1..9, 2)]);
        assert_eq!(found("abcabcabcabz"), [(0..11, 3)], "the last round is a part of one");
        assert_eq!(found("aabaabaabz"), [(0..9, 3)], "a function that stands twice in a round");
    }

    #[test]
    fn the_longest_round_is_found_and_a_longer_one_is_not() {
        let round = |functions: usize| (0..functions).cycle().take(functions * 4).collect::<Vec<_>>();
        let all = Repetition { calls: 0..LONGEST_ROUND * 4, period: LONGEST_ROUND };
        assert_eq!(repetitions(&round(LONGEST_ROUND)), [all]);
        assert_eq!(repetitions(&round(LONGEST_ROUND + 1)), []);
    }

    #[test]
    fn few_calls_are_no_recursion() {
        assert_eq!(found(""), []);
        assert_eq!(found("aabbcz"), []);
        assert_eq!(found("ababz"), []);
    }

    #[test]
    fn two_recursions_are_two() {
        assert_eq!(found("aaaaxbcbcbcbc"), [(0..4, 1), (5..13, 2)]);
    }

    #[test]
    fn a_recursion_of_a_very_deep_stack_is_one() {
        let names: Vec<usize> = (0..400_000).map(|at| if at % 3 == 0 { 0 } else { at % 7 }).collect();
        assert_eq!(repetitions(&names), [Repetition { calls: 0..400_000, period: 21 }]);
    }

    #[test]
    fn a_function_that_calls_itself_is_named() {
        let endless = Endless::among(&stack(&["depth"; 5])).unwrap();
        assert_eq!((endless.calls.clone(), endless.words().as_str()), (0..5, "`depth` calls itself"));
        let frames = stack(&["depth", "std", "depth", "std", "depth", "main"]);
        let endless = Endless::among(&frames).unwrap();
        assert_eq!((endless.calls.clone(), endless.words().as_str()), (0..3, "`depth` calls itself"));
    }

    #[test]
    fn functions_that_call_each_other_are_named_in_the_order_of_their_calls() {
        // Innermost first: `even` is called by `main`, and calls `odd`.
        let endless = Endless::among(&stack(&["odd", "even", "odd", "even", "odd", "even", "main"])).unwrap();
        assert_eq!((endless.calls.clone(), endless.words().as_str()), (0..6, "`even` → `odd` → `even`"));
        let frames = stack(&["b", "a", "c", "b", "a", "c", "b", "a", "c", "b", "a", "main"]);
        let endless = Endless::among(&frames).unwrap();
        assert_eq!((endless.calls.clone(), endless.words().as_str()), (0..11, "`a` → `b` → `c` → `a`"));
    }

    #[test]
    fn both_ends_of_a_stack_without_its_middle_are_one_recursion() {
        let frames = stack(&["a", "c", "b", "a", "c", "b", "a", "c", "b", "b", "a", "c", "b", "a", "main"]);
        let endless = Endless::among(&frames).unwrap();
        assert_eq!((endless.calls.clone(), endless.words().as_str()), (0..14, "`a` → `b` → `c` → `a`"));
    }

    #[test]
    fn a_long_round_is_named_in_part() {
        let round: Vec<String> = (0..9).map(|at| format!("f{at}")).collect();
        let names: Vec<&str> = round.iter().rev().map(String::as_str).cycle().take(36).collect();
        let words = Endless::among(&stack(&names)).unwrap().words();
        assert_eq!(words, "`f0` → `f1` → `f2` → `f3` → `f4` → `f5` → … → `f0`");
    }

    #[test]
    fn a_walk_whose_rounds_differ_goes_by_its_busiest_function() {
        let frames = stack(&["w", "a", "w", "b", "c", "w", "c", "d", "w", "a", "b", "w", "main"]);
        let endless = Endless::among(&frames).unwrap();
        assert_eq!((endless.calls.clone(), endless.round.len()), (0..12, 0));
        assert_eq!(endless.words(), "`w` calls itself by way of others");
    }

    #[test]
    fn a_large_frame_is_no_recursion() {
        assert_eq!(Endless::among(&stack(&["fill", "load", "main"])), None);
        assert_eq!(Endless::among(&[]), None);
    }
}
