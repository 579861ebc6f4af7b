//! Calls of functions that make values, and of methods that change what was made. Most of them are over by the crash, so
//! they are kept by themselves. Of a call within another one it is told which that is, unless that is still under way at the
//! crash. In: calls as they begin. Out: calls as frames, oldest first.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use relapse_snapshot::{Argument, Frame, Generic, Location, TypeId};

use super::super::ptrace::Pid;
use super::given::Begin;
use crate::entries::WatchedFunction;
use crate::stack::Placed;

/// Calls of one function that are kept; of one of which more were seen, only the last ones are known.
const MOST_CALLS: usize = 256;

/// Parts of all arguments that are kept: they are kept once more for each crash.
const MOST_NODES: u64 = 1_000_000;

/// What is known of the generics of a call's function.
#[derive(Debug, Clone, Default)]
pub(super) struct OfTypes {
    /// As [`Frame::generics`].
    pub(super) generics: Vec<Generic>,
    /// As [`Frame::result`].
    pub(super) result: Option<TypeId>,
}

/// A call as it began.
struct Begun {
    /// How many of all calls began before it.
    order: u64,
    tid: Pid,
    cfa: u64,
    /// The call that it is part of, by order.
    within: Option<u64>,
    arguments: Vec<Argument>,
    begin: Begin,
    of_types: OfTypes,
    /// What it gave, once it is over and that was read.
    gave: Option<Argument>,
}

/// The calls of one function in one process.
struct Calls {
    function: WatchedFunction,
    begun: VecDeque<Begun>,
    /// Where in the order of all calls the last one was that is not kept.
    lost: Option<u64>,
}

/// The calls of all processes.
#[derive(Default)]
pub(in crate::tracer) struct Made {
    calls: HashMap<(Pid, usize), Calls>,
    /// Of each thread the calls that may be under way, the innermost last.
    open: HashMap<Pid, Vec<Open>>,
    /// Functions of which calls may begin that nobody sees, each with where in the order of all calls that began.
    lost: BTreeMap<usize, (u64, WatchedFunction)>,
    /// Processes that began with what was made in another one.
    forked: BTreeSet<Pid>,
    count: u64,
    nodes: u64,
}

/// A call that may be under way.
struct Open {
    order: u64,
    cfa: u64,
    declared: Option<Location>,
}

impl Made {
    /// Whether a call that begins at this CFA may be part of another one; then the stack has to tell.
    pub(super) fn may_be_within(&mut self, tid: Pid, cfa: u64) -> bool {
        let open = self.open.entry(tid).or_default();
        // Stacks grow downwards.
        open.retain(|outer| outer.cfa > cfa);
        !open.is_empty()
    }

    /// What the stack tells: which calls are under way. All callees of one caller have the same CFA, so the function has to
    /// be the same, too.
    pub(super) fn under_way(&mut self, tid: Pid, stack: &[Placed]) {
        let is_there = |open: &Open| {
            let at = |placed: &&Placed| placed.cfa == Some(open.cfa);
            let mut there = stack.iter().filter(at).filter_map(|placed| placed.frame.declared.as_ref());
            there.any(|declared| is_at(open.declared.as_ref(), declared))
        };
        if let Some(open) = self.open.get_mut(&tid) {
            open.retain(is_there);
        }
    }

    /// A call of the function of that index has begun.
    pub(super) fn begun(
        &mut self,
        process: Pid,
        (tid, cfa): (Pid, u64),
        (index, function): (usize, &WatchedFunction),
        begin: Begin,
        arguments: Vec<Argument>,
    ) {
        self.count += 1;
        let order = self.count;
        let open = self.open.entry(tid).or_default();
        let within = open.last().map(|outer| outer.order);
        open.push(Open { order, cfa, declared: function.declared.clone() });
        self.nodes += arguments.iter().map(|argument| argument.value.nodes()).sum::<u64>();
        if self.nodes > MOST_NODES {
            self.lose(index, function);
            return;
        }
        let new = || Calls { function: function.clone(), begun: VecDeque::new(), lost: None };
        let calls = self.calls.entry((process, index)).or_insert_with(new);
        if calls.begun.len() >= MOST_CALLS {
            calls.lost = calls.begun.pop_front().map(|call| call.order);
        }
        let of_types = OfTypes::default();
        calls.begun.push_back(Begun { order, tid, cfa, within, arguments, begin, of_types, gave: None });
    }

    /// The call that has just begun there is one of a function of these types.
    pub(super) fn is_of(&mut self, process: Pid, tid: Pid, cfa: u64, of_types: OfTypes) {
        let newest = self.count;
        // Where too much was kept already, it is none that is kept.
        if let Some(call) = self.last_at(process, tid, cfa).filter(|call| call.order == newest) {
            call.of_types = of_types;
        }
    }

    /// The call of a thread that returns with its CFA in the stack pointer, as it began.
    pub(super) fn returning(&self, process: Pid, tid: Pid, cfa: u64) -> Option<Begin> {
        self.calls_at(process, tid, cfa).max_by_key(|call| call.order).map(|call| call.begin)
    }

    fn calls_at(&self, process: Pid, tid: Pid, cfa: u64) -> impl Iterator<Item = &Begun> {
        let own = self.calls.iter().filter(move |((of, _), _)| *of == process);
        own.filter_map(move |(_, calls)| {
            calls.begun.iter().rev().find(|call| (call.tid, call.cfa) == (tid, cfa))
        })
    }

    /// That call has given this.
    pub(super) fn gave(&mut self, process: Pid, tid: Pid, cfa: u64, given: Argument) {
        self.nodes += given.value.nodes();
        if let Some(call) = self.last_at(process, tid, cfa) {
            call.gave = Some(given);
        }
    }

    fn last_at(&mut self, process: Pid, tid: Pid, cfa: u64) -> Option<&mut Begun> {
        let last = self.calls_at(process, tid, cfa).map(|call| call.order).max();
        let calls = self.calls.iter_mut().filter(|((of, _), _)| *of == process);
        let mut begun = calls.flat_map(|(_, calls)| &mut calls.begun);
        begun.find(|call| Some(call.order) == last)
    }

    /// From here on calls of a function may begin that nobody sees, in whatever process. That counts as one of the calls:
    /// what is entered before is told from what is entered after, even where no call is seen in between.
    pub(super) fn lose(&mut self, index: usize, function: &WatchedFunction) {
        if self.lost.contains_key(&index) {
            return;
        }
        self.count += 1;
        self.lost.insert(index, (self.count, function.clone()));
    }

    /// How many calls have begun, and how many functions were lost.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// A process begins as another one was: what that had made is not told of it.
    pub(in crate::tracer) fn forked(&mut self, child: Pid) {
        self.forked.insert(child);
    }

    /// The calls of a process that were over when one of its threads had this stack, oldest first. Where calls of a
    /// function were not seen, a frame without arguments says so. `entered`: of each frame, where that was seen, how many of
    /// all calls had begun as it was entered; the frame is told how many of those given here that are.
    pub(in crate::tracer) fn calls(
        &self,
        process: Pid,
        tid: Pid,
        stack: &mut [Placed],
        entered: &[Option<u64>],
    ) -> Vec<relapse_snapshot::Made> {
        if self.forked.contains(&process) {
            return Vec::new();
        }
        let own: Vec<&Calls> =
            self.calls.iter().filter(|((of, _), _)| *of == process).map(|(_, calls)| calls).collect();
        // Of several calls of a function with one CFA only the last one can be under way.
        let last_at = |calls: &Calls, cfa: u64| {
            let there = calls.begun.iter().rev().find(|call| (call.tid, call.cfa) == (tid, cfa));
            there.map(|call| call.order)
        };
        let under_way: BTreeSet<u64> = stack
            .iter()
            .filter_map(|placed| Some((placed.frame.declared.as_ref()?, placed.cfa?)))
            .flat_map(|(declared, cfa)| {
                let same = own.iter().filter(move |calls| is_at(calls.function.declared.as_ref(), declared));
                same.filter_map(move |calls| last_at(calls, cfa))
            })
            .collect();
        let parents: HashMap<u64, Option<u64>> =
            own.iter().flat_map(|calls| &calls.begun).map(|call| (call.order, call.within)).collect();
        // What is not kept any more is as good as nothing.
        let over_around = |call: &Begun| {
            let mut within = call.within;
            while let Some(order) = within.filter(|order| under_way.contains(order)) {
                within = parents.get(&order).copied().flatten();
            }
            within
        };
        let frame = |function: &WatchedFunction, arguments, gave: Option<&Argument>| Frame {
            function: function.function.clone(),
            name: function.function.clone(),
            declared: function.declared.clone(),
            arguments,
            gave: gave.cloned().map(Box::new),
            ..Frame::default()
        };
        let missing = |function: &WatchedFunction| {
            let arguments_missing = Some("calls of it were not seen: it is called too often".to_owned());
            Frame { arguments_missing, ..frame(function, Vec::new(), None) }
        };
        let mut told: Vec<(u64, Option<u64>, Frame)> = Vec::new();
        for calls in own {
            let over = calls.begun.iter().filter(|call| !under_way.contains(&call.order));
            told.extend(over.map(|call| {
                let frame = frame(&calls.function, call.arguments.clone(), call.gave.as_ref());
                let OfTypes { generics, result } = call.of_types.clone();
                (call.order, over_around(call), Frame { generics, result, ..frame })
            }));
            told.extend(calls.lost.map(|order| (order, None, missing(&calls.function))));
        }
        told.extend(self.lost.values().map(|(_, function)| (u64::MAX, None, missing(function))));
        told.sort_by_key(|(order, ..)| *order);
        // Calls of a function that was lost by then may have begun at any time, so nothing can be left out.
        let lost = self.lost.values().map(|(count, _)| *count).min().unwrap_or(u64::MAX);
        for (placed, entered) in stack.iter_mut().zip(entered) {
            let entered = entered.filter(|entered| *entered < lost);
            placed.frame.made_before =
                entered.map(|entered| told.partition_point(|(order, ..)| *order <= entered));
        }
        let at: HashMap<u64, usize> =
            told.iter().enumerate().map(|(index, (order, ..))| (*order, index)).collect();
        let made = |(_, within, call): (u64, Option<u64>, Frame)| {
            let within = within.and_then(|order| at.get(&order).copied());
            relapse_snapshot::Made { call, within }
        };
        told.into_iter().map(made).collect()
    }

    /// The memory of a process is another one now; `process` is its only thread, too.
    pub(super) fn forget_process(&mut self, process: Pid) {
        self.calls.retain(|(of, _), _| *of != process);
        self.open.remove(&process);
        self.forked.remove(&process);
    }

    pub(super) fn forget_thread(&mut self, tid: Pid) {
        self.open.remove(&tid);
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.open.clear();
    }
}

fn is_at(place: Option<&Location>, declared: &Location) -> bool {
    place.is_some_and(|place| (&place.file, place.line) == (&declared.file, declared.line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(line: u32) -> WatchedFunction {
        let declared = Some(Location { file: "src/lib.rs".to_owned(), line, column: 0 });
        WatchedFunction {
            function: format!("f{line}"),
            declared,
            is_async: false,
            makes: true,
            kept: true,
            gives: true,
        }
    }

    fn stack(frames: &[(u32, u64)]) -> Vec<Placed> {
        let frame = |line: u32| Frame { declared: function(line).declared, ..Frame::default() };
        frames
            .iter()
            .map(|(line, cfa)| Placed { frame: frame(*line), cfa: Some(*cfa), state: None })
            .collect()
    }

    /// Calls of functions by their line, each with its CFA; then the stack at the crash.
    fn told(calls: &[(u32, u64)], crash: &[(u32, u64)]) -> Vec<String> {
        let mut made = Made::default();
        for (line, cfa) in calls {
            made.may_be_within(1, *cfa);
            made.begun(1, (1, *cfa), (*line as usize, &function(*line)), Begin::default(), Vec::new());
        }
        let calls = made.calls(1, 1, &mut stack(crash), &[]);
        let name = |made: &relapse_snapshot::Made| match made.within {
            Some(at) => format!("{} in {}", made.call.function, calls[at].call.function),
            None => made.call.function.clone(),
        };
        calls.iter().map(name).collect()
    }

    #[test]
    fn a_call_is_told_with_the_types_of_its_function() {
        let mut made = Made::default();
        let of = |name: &str| OfTypes {
            generics: vec![Generic { name: name.to_owned(), ty: TypeId(7) }],
            result: Some(TypeId(8)),
        };
        for (line, name) in [(1, "T"), (2, "U")] {
            made.begun(1, (1, 900), (line as usize, &function(line)), Begin::default(), Vec::new());
            made.is_of(1, 1, 900, of(name));
        }
        let calls = made.calls(1, 1, &mut [], &[]);
        let told = |made: &relapse_snapshot::Made| (made.call.generics[0].name.clone(), made.call.result);
        let told: Vec<_> = calls.iter().map(told).collect();
        assert_eq!(told, [("T".to_owned(), Some(TypeId(8))), ("U".to_owned(), Some(TypeId(8)))]);
    }

    #[test]
    fn a_call_within_another_one_is_part_of_it() {
        assert_eq!(
            told(&[(1, 900), (2, 800), (3, 700), (4, 900)], &[]),
            ["f1", "f2 in f1", "f3 in f2", "f4"]
        );
    }

    #[test]
    fn a_call_that_is_under_way_has_not_made_anything_but_what_is_within_it_has() {
        let calls = [(1, 900), (2, 900), (3, 800), (4, 800)];
        assert_eq!(told(&calls, &[(4, 800), (2, 900)]), ["f1", "f3"]);
        // The frame of another function there is none of these.
        assert_eq!(told(&calls, &[(9, 900)]), ["f1", "f2", "f3 in f2", "f4 in f2"]);
    }

    #[test]
    fn what_the_stack_does_not_show_is_over() {
        let mut made = Made::default();
        made.begun(1, (1, 900), (1, &function(1)), Begin::default(), Vec::new());
        assert!(made.may_be_within(1, 800));
        // Another function of the same caller is under way, at the same CFA.
        made.under_way(1, &stack(&[(2, 800), (9, 900)]));
        made.begun(1, (1, 800), (2, &function(2)), Begin::default(), Vec::new());
        assert_eq!(made.calls(1, 1, &mut [], &[]).len(), 2);
        assert!(!made.may_be_within(2, 800));
        assert!(made.may_be_within(1, 700));
        made.under_way(1, &stack(&[(3, 700), (2, 800)]));
        made.begun(1, (1, 700), (3, &function(3)), Begin::default(), Vec::new());
        assert_eq!(made.calls(1, 1, &mut [], &[])[2].within, Some(1));
        made.forget_thread(1);
        assert!(!made.may_be_within(1, 700));
    }

    #[test]
    fn calls_that_are_not_kept_are_told_of_where_the_last_of_them_was() {
        let mut made = Made::default();
        let begin = |made: &mut Made| {
            made.may_be_within(1, 900);
            made.begun(1, (1, 900), (1, &function(1)), Begin::default(), Vec::new());
        };
        (0..=MOST_CALLS).for_each(|_| begin(&mut made));
        let missing = |made: &Made| -> Vec<usize> {
            let calls = made.calls(1, 1, &mut [], &[]);
            (0..calls.len()).filter(|at| calls[*at].call.arguments_missing.is_some()).collect()
        };
        assert_eq!(missing(&made), [0]);
        made.lose(1, &function(1));
        assert_eq!(missing(&made), [0, MOST_CALLS + 1], "from now on any may be");
        begin(&mut made);
        assert_eq!(missing(&made), [0, MOST_CALLS + 1]);
        made.forked(2);
        made.begun(2, (2, 900), (1, &function(1)), Begin::default(), Vec::new());
        assert!(made.calls(2, 2, &mut [], &[]).is_empty(), "it began with what was made before");
        made.forget_process(2);
        made.begun(2, (2, 900), (1, &function(1)), Begin::default(), Vec::new());
        assert_eq!(made.calls(2, 2, &mut [], &[]).len(), 2);
    }

    #[test]
    fn a_frame_is_told_what_was_over_as_it_was_entered() {
        let mut made = Made::default();
        let begin = |made: &mut Made, line: u32, cfa: u64| {
            made.may_be_within(1, cfa);
            made.begun(1, (1, cfa), (line as usize, &function(line)), Begin::default(), Vec::new());
            made.count()
        };
        begin(&mut made, 1, 900);
        // This one is under way at the crash.
        let outer = begin(&mut made, 2, 900);
        let inner = begin(&mut made, 3, 800);
        begin(&mut made, 4, 700);
        let mut frames = stack(&[(5, 600), (6, 700), (2, 900)]);
        made.calls(1, 1, &mut frames, &[None, Some(inner), Some(outer)]);
        let told = |frames: &[Placed]| -> Vec<Option<usize>> {
            frames.iter().map(|placed| placed.frame.made_before).collect()
        };
        assert_eq!(told(&frames), [None, Some(2), Some(1)]);
        // Of what is called from now on nobody knows when it was.
        made.lose(7, &function(7));
        let late = made.count();
        made.calls(1, 1, &mut frames, &[Some(late), Some(inner), Some(outer)]);
        assert_eq!(told(&frames), [None, Some(2), Some(1)]);
        made.lose(7, &function(7));
        assert_eq!(made.count(), late, "it was lost before");
    }

    #[test]
    fn what_a_call_gave_is_told_of_the_one_that_returned() {
        let mut made = Made::default();
        // Two functions of one caller have one CFA.
        made.begun(1, (1, 900), (1, &function(1)), Begin::default(), Vec::new());
        made.begun(1, (1, 900), (2, &function(2)), Begin::default(), Vec::new());
        assert_eq!(made.returning(1, 1, 900), Some(Begin::default()));
        assert_eq!(made.returning(1, 2, 900), None, "another thread");
        let ty = TypeId(0);
        let value = relapse_snapshot::Value::missing(ty, relapse_snapshot::Trust::Entry, "");
        made.gave(1, 1, 900, Argument { name: String::new(), value });
        let told = made.calls(1, 1, &mut [], &[]);
        assert_eq!(told.iter().map(|made| made.call.gave.is_some()).collect::<Vec<_>>(), [false, true]);
    }
}
