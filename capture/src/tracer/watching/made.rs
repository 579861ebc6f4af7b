//! Calls of functions that make values, and of methods that change what was made. Most of them are over by the crash, so
//! they are kept by themselves. A call within another one of these is part of that one's work, so only the outer one is
//! told, unless that is still under way at the crash. In: calls as they begin. Out: calls as frames, oldest first.

use std::collections::{BTreeSet, HashMap, VecDeque};

use relapse_snapshot::{Argument, Frame};

use super::super::ptrace::Pid;
use crate::entries::WatchedFunction;
use crate::stack::Placed;

/// Calls of one function that are kept; of one of which more were seen, only the last ones are known.
const MOST_CALLS: usize = 256;

/// A call as it began.
struct Begun {
    /// How many of all calls began before it.
    order: u64,
    tid: Pid,
    cfa: u64,
    /// The call that it is part of, by order.
    within: Option<u64>,
    arguments: Vec<Argument>,
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
    /// Of each thread the calls that may be under way, the innermost last: order and CFA.
    open: HashMap<Pid, Vec<(u64, u64)>>,
    count: u64,
}

impl Made {
    /// Whether a call that begins at this CFA may be part of another one; then the stack has to tell.
    pub(super) fn may_be_within(&mut self, tid: Pid, cfa: u64) -> bool {
        let open = self.open.entry(tid).or_default();
        // Stacks grow downwards.
        open.retain(|(_, outer)| *outer > cfa);
        !open.is_empty()
    }

    /// What the stack tells: the CFAs of the calls that are under way.
    pub(super) fn under_way(&mut self, tid: Pid, cfas: &[u64]) {
        if let Some(open) = self.open.get_mut(&tid) {
            open.retain(|(_, outer)| cfas.contains(outer));
        }
    }

    /// A call of the function of that index has begun.
    pub(super) fn begun(
        &mut self,
        process: Pid,
        tid: Pid,
        (index, function): (usize, &WatchedFunction),
        cfa: u64,
        arguments: Vec<Argument>,
    ) {
        self.count += 1;
        let order = self.count;
        let open = self.open.entry(tid).or_default();
        let within = open.last().map(|(order, _)| *order);
        open.push((order, cfa));
        let calls = self.of(process, index, function);
        if calls.begun.len() >= MOST_CALLS {
            calls.lost = calls.begun.pop_front().map(|call| call.order);
        }
        calls.begun.push_back(Begun { order, tid, cfa, within, arguments });
    }

    /// From here on calls of a function may begin that nobody sees.
    pub(super) fn lose(&mut self, process: Pid, index: usize, function: &WatchedFunction) {
        self.count += 1;
        let order = self.count;
        self.of(process, index, function).lost = Some(order);
    }

    fn of(&mut self, process: Pid, index: usize, function: &WatchedFunction) -> &mut Calls {
        let new = || Calls { function: function.clone(), begun: VecDeque::new(), lost: None };
        self.calls.entry((process, index)).or_insert_with(new)
    }

    /// The calls of a process that were over when one of its threads had this stack, oldest first. Where calls of a
    /// function were not seen, a frame without arguments says so.
    pub(in crate::tracer) fn calls(&self, process: Pid, tid: Pid, stack: &[Placed]) -> Vec<Frame> {
        let own: Vec<&Calls> =
            self.calls.iter().filter(|((of, _), _)| *of == process).map(|(_, calls)| calls).collect();
        let cfas: BTreeSet<u64> = stack.iter().filter_map(|placed| placed.cfa).collect();
        // Of several calls with one CFA only the last one can be under way.
        let mut at: HashMap<u64, u64> = HashMap::new();
        for call in own.iter().flat_map(|calls| &calls.begun).filter(|call| call.tid == tid) {
            let last = at.entry(call.cfa).or_default();
            *last = call.order.max(*last);
        }
        let under_way: BTreeSet<u64> =
            at.into_iter().filter(|(cfa, _)| cfas.contains(cfa)).map(|(_, order)| order).collect();
        let parents: HashMap<u64, Option<u64>> =
            own.iter().flat_map(|calls| &calls.begun).map(|call| (call.order, call.within)).collect();
        // A call that is not kept any more was over long ago.
        let is_part = |call: &Begun| {
            let mut within = call.within;
            while let Some(order) = within {
                if !under_way.contains(&order) {
                    return true;
                }
                within = parents.get(&order).copied().flatten();
            }
            false
        };
        let mut told: Vec<(u64, Frame)> = Vec::new();
        for calls in own {
            let frame = |arguments| Frame {
                function: calls.function.function.clone(),
                name: calls.function.function.clone(),
                declared: calls.function.declared.clone(),
                arguments,
                ..Frame::default()
            };
            let over = calls.begun.iter().filter(|call| !under_way.contains(&call.order) && !is_part(call));
            told.extend(over.map(|call| (call.order, frame(call.arguments.clone()))));
            if let Some(order) = calls.lost {
                let arguments_missing = Some("calls of it were not seen: it is called too often".to_owned());
                told.push((order, Frame { arguments_missing, ..frame(Vec::new()) }));
            }
        }
        told.sort_by_key(|(order, _)| *order);
        told.into_iter().map(|(_, frame)| frame).collect()
    }

    pub(super) fn forget_process(&mut self, process: Pid) {
        self.calls.retain(|(of, _), _| *of != process);
    }

    pub(super) fn clear(&mut self) {
        self.calls.clear();
        self.open.clear();
    }
}
