//! Reads arguments as the functions of one stack are entered, and gives them to the crash that follows.
//!
//! A record belongs to a thread, a function and a canonical frame address (CFA). Stacks grow downwards: a new
//! entry at the same or a higher address means that the calls recorded below have returned. What this costs is
//! bounded. A stop takes about 0.1 ms, a large value several ms, so a function that is entered too often, or
//! takes too long to read, is left alone (it *cools*) until a function further out is entered, each time with a
//! smaller allowance. Its records go with it, because calls that are not seen would reuse their addresses; where
//! calls of it are under way (a recursion), they stay until the outermost of them returns.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use relapse_snapshot::{Argument, Data, Frame, Trust, TypeTable};

use super::events::Tracer;
use super::ptrace::{self, Pid};
use super::stacks::Target;
use crate::entries::{WatchedFunction, WatchedStack};
use crate::memory::Memory;
use crate::stack::{EntryPlan, Moment};

/// Entries of one function that are read before it cools, the first time: of the innermost ones, where a crash is that
/// of a call among many, and of the others.
const ALLOWANCE_INNERMOST: u64 = 2500;
const INNERMOST: usize = 3;
const ALLOWANCE: u64 = 300;
/// The least allowance of a function that was armed again.
const LEAST_ALLOWANCE: u64 = 8;
/// Time that one allowance may take, whatever its number.
const ALLOWANCE_TIME: Duration = Duration::from_millis(1500);
/// All stops of a run: about two seconds of them.
const MOST_STOPS: u64 = 20_000;
/// All time that the program is held for reading.
const MOST_TIME: Duration = Duration::from_secs(20);
/// Records of one thread: more are only those of a recursion, of which the middle goes.
const MOST_RECORDS: usize = 1024;

/// What a breakpoint of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// A stop on the way into a function.
    Entry(Stop),
    /// Where the outermost call of a cooled function returns to, with that call's thread and CFA.
    Return(usize, Pid, u64),
}

/// A stop on the way into a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stop {
    function: usize,
    /// Which of its stops, by bit; bit 0 is the first instruction.
    bit: u32,
    /// All further stops.
    later: u32,
    /// What is read here; `None`: nothing.
    moment: Option<Moment>,
}

impl Point {
    fn is_of(self, function: usize) -> bool {
        matches!(self, Point::Entry(stop) if stop.function == function)
    }
}

/// The arguments of one call.
#[derive(Clone)]
struct Record {
    function: usize,
    cfa: u64,
    arguments: Vec<Argument>,
    /// The stops that its prologue has not come to yet: some arguments are not there.
    open: u32,
}

/// A watched function and what it has cost.
struct State {
    wanted: WatchedFunction,
    /// Entries since it was armed.
    entries: u64,
    spent: Duration,
    allowance: u64,
    armings: u64,
    cooled: bool,
    all_entries: u64,
}

/// All that is known of the watched functions.
pub(super) struct Watching {
    functions: Vec<State>,
    pub(super) types: TypeTable,
    records: HashMap<Pid, Vec<Record>>,
    targets: HashMap<Pid, Target>,
    /// How many files a process had mapped when its functions were last looked for.
    mapped: HashMap<Pid, usize>,
    stops: u64,
    held: Duration,
    given_up: bool,
}

impl Watching {
    pub(super) fn new(stack: &WatchedStack) -> Watching {
        let state = |(index, wanted): (usize, &WatchedFunction)| State {
            wanted: wanted.clone(),
            entries: 0,
            spent: Duration::ZERO,
            allowance: if index < INNERMOST { ALLOWANCE_INNERMOST } else { ALLOWANCE },
            armings: 0,
            cooled: false,
            all_entries: 0,
        };
        Watching {
            functions: stack.functions.iter().enumerate().map(state).collect(),
            types: TypeTable::default(),
            records: HashMap::new(),
            targets: HashMap::new(),
            mapped: HashMap::new(),
            stops: 0,
            held: Duration::ZERO,
            given_up: false,
        }
    }

    /// What it cost, for people.
    pub(super) fn account(&self) -> String {
        let entries: u64 = self.functions.iter().map(|state| state.all_entries).sum();
        let mut text = format!(
            "{entries} entries of {} functions read in {} ms",
            self.functions.len(),
            self.held.as_millis()
        );
        let cooled: Vec<&str> = self
            .functions
            .iter()
            .filter(|state| state.cooled || state.armings > 0)
            .map(|state| state.wanted.function.as_str())
            .collect();
        if !cooled.is_empty() {
            text = format!("{text}; entered too often to read each: {}", cooled.join(", "));
        }
        if self.given_up {
            text.push_str("; the limit on stops was met");
        }
        text
    }

    /// The threads and mappings of a process are others now.
    pub(super) fn process_changed(&mut self, process: Pid) {
        self.targets.remove(&process);
        self.mapped.remove(&process);
        self.records.remove(&process);
    }

    pub(super) fn thread_gone(&mut self, tid: Pid) {
        self.records.remove(&tid);
        self.targets.remove(&tid);
    }

    /// The recorded call of a function at a CFA; calls below are over.
    fn record(&mut self, tid: Pid, function: usize, cfa: u64) -> &mut Record {
        let records = self.records.entry(tid).or_default();
        while records
            .last()
            .is_some_and(|last| last.cfa < cfa || last.cfa == cfa && last.function != function)
        {
            records.pop();
        }
        if records.last().is_none_or(|last| last.cfa != cfa) {
            if records.len() >= MOST_RECORDS {
                records.remove(MOST_RECORDS / 2);
            }
            records.push(Record { function, cfa, arguments: Vec::new(), open: 0 });
        }
        let last = records.len() - 1;
        &mut records[last]
    }

    /// Puts the recorded arguments into the frames of a crash, where something was read.
    pub(super) fn fill(&self, tid: Pid, placed: &mut [(Frame, Option<u64>)]) {
        let Some(records) = self.records.get(&tid) else { return };
        for (frame, cfa) in placed.iter_mut().filter(|(frame, _)| !frame.inlined) {
            let of_frame = |record: &&Record| {
                Some(record.cfa) == *cfa && self.functions[record.function].wanted.function == frame.function
            };
            let Some(record) = records.iter().rev().find(of_frame) else { continue };
            if frame.arguments.is_empty() {
                frame.arguments.clone_from(&record.arguments);
                continue;
            }
            for (argument, given) in frame.arguments.iter_mut().zip(&record.arguments) {
                if argument.name == given.name && argument.value.ty == given.value.ty && is_read(given) {
                    argument.value.clone_from(&given.value);
                }
            }
        }
    }
}

fn is_read(argument: &Argument) -> bool {
    !matches!(argument.value.data, Data::Missing(_)) && argument.value.trust < Trust::OptimizedOut
}

impl Tracer<'_> {
    /// Sets breakpoints at the entries of the watched functions in the images that a process has mapped now.
    /// `thread`: any living one of it.
    pub(super) fn watch_process(&mut self, process_id: Pid, thread: Pid) {
        let Some(mut watching) = self.watching.take() else { return };
        watching.targets.remove(&process_id);
        if !watching.given_up
            && let Some(target) = self.stacks.target(thread, self.memory(process_id))
        {
            let mapped = target.images();
            let new = watching.mapped.insert(process_id, mapped) != Some(mapped);
            let of = if new { watching.functions.len() } else { 0 };
            for index in 0..of {
                let armed = !watching.functions[index].cooled;
                let wanted = &watching.functions[index].wanted;
                for (plan, bias) in self.stacks.entry_plans(&target, index, wanted) {
                    let Some(process) = self.processes.get_mut(&process_id) else { break };
                    for (address, stop) in stops(index, &plan) {
                        process.watch(thread, address.wrapping_add(bias), Point::Entry(stop), armed);
                    }
                }
            }
            watching.targets.insert(process_id, target);
        }
        self.watching = Some(watching);
    }

    /// A thread is at a breakpoint of ours.
    pub(super) fn at_watched(&mut self, tid: Pid, address: u64, registers: &libc::user_regs_struct) {
        let process_id = self.process_of(tid);
        let point = self.processes.get(&process_id).and_then(|process| process.watched(address));
        let (Some(point), Some(mut watching)) = (point, self.watching.take()) else { return };
        let start = Instant::now();
        if !watching.targets.contains_key(&process_id)
            && let Some(target) = self.stacks.target(tid, self.memory(process_id))
        {
            watching.targets.insert(process_id, target);
        }
        watching.stops += 1;
        if let Some(target) = watching.targets.remove(&process_id) {
            self.reach(&mut watching, &target, point, tid, (address, registers));
            let spent = start.elapsed();
            watching.held += spent;
            if let Point::Entry(stop) = point {
                let state = &mut watching.functions[stop.function];
                state.spent += spent;
                if state.entries >= state.allowance || state.spent >= ALLOWANCE_TIME {
                    self.cool(&mut watching, &target, stop.function, tid, registers);
                }
            }
            watching.targets.insert(process_id, target);
        }
        if watching.stops >= MOST_STOPS || watching.held >= MOST_TIME {
            watching.given_up = true;
            watching.records.clear();
            for (pid, process) in &mut self.processes {
                process.unwatch(*pid, |_| true);
            }
        }
        self.watching = Some(watching);
    }

    fn reach(
        &mut self,
        watching: &mut Watching,
        target: &Target,
        point: Point,
        tid: Pid,
        (address, registers): (u64, &libc::user_regs_struct),
    ) {
        match point {
            Point::Entry(stop) => self.enter(watching, target, stop, tid, registers),
            Point::Return(index, of, cfa) => {
                if of == tid && registers.rsp >= cfa {
                    let process = self.process_of(tid);
                    if let Some(process_state) = self.processes.get_mut(&process) {
                        process_state.unwatch(tid, |at| at == address);
                    }
                    if let Some(records) = watching.records.get_mut(&tid) {
                        records.retain(|record| record.function != index);
                    }
                }
            }
        }
    }

    fn enter(
        &mut self,
        watching: &mut Watching,
        target: &Target,
        stop: Stop,
        tid: Pid,
        registers: &libc::user_regs_struct,
    ) {
        let index = stop.function;
        let is_first = stop.bit == 1;
        let cfa = if is_first {
            // Nothing of the function has run: its return address is on top (System V psABI, 3.2.2).
            registers.rsp.wrapping_add(8)
        } else {
            let Some(cfa) = self.stacks.innermost_cfa(target, registers) else { return };
            // The end of the prologue may be the head of a loop, too: only the first time counts.
            let last = watching.records.get(&tid).and_then(|records| records.last());
            let is_open = last.is_some_and(|r| r.function == index && r.cfa == cfa && r.open & stop.bit != 0);
            if !is_open {
                watching.functions[index].entries += 1;
                return;
            }
            cfa
        };
        if is_first {
            watching.functions[index].entries += 1;
            watching.functions[index].all_entries += 1;
            self.arm_inner(watching, tid, index);
            let record = watching.record(tid, index, cfa);
            record.arguments = Vec::new();
            record.open = stop.later;
        } else {
            watching.record(tid, index, cfa).open &= !stop.bit;
        }
        let Some(moment) = stop.moment else { return };
        let types = &mut watching.types;
        let Some(read) = self.stacks.entry_arguments(target, tid, registers, moment, types) else { return };
        let record = watching.record(tid, index, cfa);
        if record.arguments.is_empty() {
            record.arguments = read;
            return;
        }
        for (known, new) in record.arguments.iter_mut().zip(read) {
            if !is_read(known) {
                *known = new;
            }
        }
    }

    /// A function further out is entered: those that it leads to are looked at once more.
    fn arm_inner(&mut self, watching: &mut Watching, tid: Pid, outer: usize) {
        if watching.given_up {
            return;
        }
        let process_id = self.process_of(tid);
        for index in 0..outer {
            let state = &mut watching.functions[index];
            if !state.cooled {
                continue;
            }
            state.cooled = false;
            state.armings += 1;
            state.allowance = (ALLOWANCE / (state.armings + 1)).max(LEAST_ALLOWANCE);
            (state.entries, state.spent) = (0, Duration::ZERO);
            let Some(process) = self.processes.get_mut(&process_id) else { return };
            process.arm(tid, |point| point.is_of(index));
        }
    }

    /// Leaves a function alone.
    fn cool(
        &mut self,
        watching: &mut Watching,
        target: &Target,
        index: usize,
        tid: Pid,
        registers: &libc::user_regs_struct,
    ) {
        watching.functions[index].cooled = true;
        let name = watching.functions[index].wanted.function.clone();
        let process_id = self.process_of(tid);
        // Which of its calls are under way on this thread, the outermost last. Before the end of the prologue the
        // unwinder is right, too: unwind tables hold for every instruction.
        let placed = self.stacks.placed_names(target, registers);
        let under_way: Vec<u64> = placed
            .iter()
            .filter(|(frame, _)| !frame.inlined && frame.function == name)
            .filter_map(|(_, cfa)| *cfa)
            .collect();
        let outermost = under_way.last().copied();
        for (thread, records) in &mut watching.records {
            let keeps = |r: &Record| r.function != index || *thread == tid && under_way.contains(&r.cfa);
            records.retain(keeps);
        }
        let Some(process) = self.processes.get_mut(&process_id) else { return };
        process.disarm_watched(tid, |point| point.is_of(index));
        // The return address lies just below the CFA (System V psABI, figure 3.3).
        let Some(cfa) = outermost else { return };
        let back = target.memory().read_u64(cfa.wrapping_sub(8));
        let watched = back.is_ok_and(|back| process.watch(tid, back, Point::Return(index, tid, cfa), true));
        if !watched && let Some(records) = watching.records.get_mut(&tid) {
            records.retain(|record| record.function != index);
        }
    }
}

/// The stops of a plan, by their addresses in the image. The first instruction is always one: it tells a new call
/// from a loop.
fn stops(function: usize, plan: &EntryPlan) -> Vec<(u64, Stop)> {
    const MOST_STOPS_OF_ONE: usize = 16;
    let moment = Moment::Entry { first: plan.first, prologue_end: plan.prologue_end };
    let later: Vec<u64> =
        plan.stops.iter().copied().filter(|stop| *stop > plan.first).take(MOST_STOPS_OF_ONE).collect();
    let bits = |index: usize| 2_u32 << index;
    let all = (0..later.len()).map(bits).fold(0, |all, bit| all | bit);
    let at_first = plan.stops.contains(&plan.first).then_some(moment);
    let first = Stop { function, bit: 1, later: all, moment: at_first };
    let further = later.into_iter().enumerate();
    let further =
        further.map(|(index, at)| (at, Stop { function, bit: bits(index), later: 0, moment: Some(moment) }));
    std::iter::once((plan.first, first)).chain(further).collect()
}

/// The vector registers hold floats that are passed by value.
pub(super) fn all_registers(tid: Pid, registers: &libc::user_regs_struct) -> crate::arch::Registers {
    let general = crate::arch::Registers::from(*registers);
    match ptrace::vector_registers(tid) {
        Some(vectors) => general.with_vectors(&vectors),
        None => general,
    }
}
