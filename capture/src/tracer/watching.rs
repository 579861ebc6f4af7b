//! Reads arguments as the functions of one stack are entered, and gives them to the crash that follows.
//!
//! A record belongs to a thread, a function and a canonical frame address (CFA). Stacks grow downwards: a new
//! entry at the same or a higher address means that the calls recorded below have returned. What this costs is
//! bounded. A stop takes about 0.1 ms, a large value several ms, so a function that is entered too often, or
//! takes too long to read, is left alone (it *cools*) until a function further out is entered, each time with a
//! smaller allowance. Its records go with it, because calls that are not seen would reuse their addresses; where
//! calls of it are under way (a recursion), they stay until the outermost of them returns. A further run, where
//! nothing else helped, is patient: no function cools in it.
//!
//! The body of an async function is entered at every poll, and what it was given is there at the first one. Its records
//! belong to the state that it is resumed with (see [`polls`]).

mod given;
mod made;
mod polls;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use relapse_snapshot::{Argument, Data, Frame, Trust, TypeTable};

use self::given::Begin;
use self::made::{Made, OfTypes};
use self::polls::{Given, Polls};
use super::events::Tracer;
use super::ptrace::{self, Pid};
use super::stacks::Target;
use crate::entries::{WatchedFunction, WatchedStack};
use crate::memory::Memory;
use crate::stack::{EntryPlan, Extent, Moment, Placed};

/// Polls of one async function before it cools, first ones or not, for each entry of its allowance.
const POLLS: u64 = 4;
/// Functions that count as innermost ones: a crash is that of one of their calls among many.
const INNERMOST: usize = 3;
/// The least allowance of a function that was armed again.
const LEAST_ALLOWANCE: u64 = 8;

/// How an account tells of functions that were left alone.
pub(crate) const LEFT_ALONE: &str = "entered too often to read each";

/// How much of a run is spent on reading.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// Entries of one of the innermost functions that are read before it cools, the first time.
    innermost: u64,
    /// The same of the others.
    allowance: u64,
    /// The same of those that make values. They are armed once.
    makers: u64,
    /// What they may hold the program for, all together.
    makers_time: Duration,
    /// Time that one allowance may take, whatever its number.
    allowance_time: Duration,
    /// All stops of a run.
    most_stops: u64,
    /// All time that the program is held for reading.
    most_time: Duration,
}

/// About two seconds of stops.
const SHORT: Patience = Patience {
    innermost: 800,
    allowance: 300,
    makers: 2000,
    makers_time: Duration::from_secs(5),
    allowance_time: Duration::from_millis(1500),
    most_stops: 20_000,
    most_time: Duration::from_secs(20),
};
/// About half a minute of them. No function cools.
const LONG: Patience = Patience {
    innermost: u64::MAX,
    allowance: u64::MAX,
    makers: u64::MAX,
    makers_time: Duration::from_secs(15),
    allowance_time: Duration::MAX,
    most_stops: 300_000,
    most_time: Duration::from_secs(30),
};
/// Records of one thread: more are only those of a recursion, of which the middle goes.
const MOST_RECORDS: usize = 1024;

/// What a breakpoint of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// A stop on the way into a function.
    Entry(Stop),
    /// Where the body of this async function has its state, at every poll.
    Poll(usize),
    /// Where the outermost call of a cooled function returns to, with that call's thread and CFA.
    Return(usize, Pid, u64),
    /// Where calls of this function return to with what they give.
    Given(usize),
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
    /// The function that is entered here.
    fn entered(self) -> Option<usize> {
        match self {
            Point::Entry(stop) => Some(stop.function),
            Point::Poll(function) => Some(function),
            Point::Return(..) | Point::Given(_) => None,
        }
    }

    /// The function whose time a stop here is.
    fn of(self) -> Option<usize> {
        match self {
            Point::Given(index) => Some(index),
            other => other.entered(),
        }
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
    /// How many calls that make values had begun by then.
    made_before: u64,
    /// As it was entered.
    begin: Begin,
    /// What its function's generics were, where arguments were read.
    of_types: OfTypes,
}

/// A watched function and what it has cost.
struct State {
    wanted: WatchedFunction,
    /// Entries since it was armed.
    entries: u64,
    /// Polls since then.
    polls: u64,
    spent: Duration,
    allowance: u64,
    armings: u64,
    cooled: bool,
    all_entries: u64,
}

impl State {
    fn has_used_up(&self, patience: Patience) -> bool {
        self.entries >= self.allowance
            || self.polls >= self.allowance.saturating_mul(POLLS)
            || self.spent >= patience.allowance_time
    }
}

/// All that is known of the watched functions.
pub(super) struct Watching {
    patience: Patience,
    functions: Vec<State>,
    pub(super) types: TypeTable,
    records: HashMap<Pid, Vec<Record>>,
    polls: Polls,
    /// The calls that made values.
    pub(super) made: Made,
    targets: HashMap<Pid, Target>,
    /// How many files a process had mapped when its functions were last looked for.
    mapped: HashMap<Pid, usize>,
    stops: u64,
    held: Duration,
    /// The part of it that reading the calls that make values took.
    held_by_makers: Duration,
    given_up: bool,
}

impl Watching {
    pub(super) fn new(stack: &WatchedStack) -> Watching {
        let patience = if stack.patient { LONG } else { SHORT };
        let state = |(index, wanted): (usize, &WatchedFunction)| State {
            wanted: wanted.clone(),
            entries: 0,
            polls: 0,
            spent: Duration::ZERO,
            allowance: match index {
                _ if wanted.makes => patience.makers,
                0..INNERMOST => patience.innermost,
                _ => patience.allowance,
            },
            armings: 0,
            cooled: false,
            all_entries: 0,
        };
        Watching {
            patience,
            functions: stack.functions.iter().enumerate().map(state).collect(),
            types: TypeTable::default(),
            records: HashMap::new(),
            polls: Polls::default(),
            made: Made::default(),
            targets: HashMap::new(),
            mapped: HashMap::new(),
            stops: 0,
            held: Duration::ZERO,
            held_by_makers: Duration::ZERO,
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
            text = format!("{text}; {LEFT_ALONE}: {}", cooled.join(", "));
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
        self.polls.forget_process(process);
        self.made.forget_process(process);
    }

    pub(super) fn thread_gone(&mut self, tid: Pid) {
        self.records.remove(&tid);
        self.targets.remove(&tid);
        self.made.forget_thread(tid);
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
            records.push(Record {
                function,
                cfa,
                arguments: Vec::new(),
                open: 0,
                made_before: 0,
                begin: Begin::default(),
                of_types: OfTypes::default(),
            });
        }
        let last = records.len() - 1;
        &mut records[last]
    }

    /// What was recorded of a frame's call, and how many calls that make values had begun by then.
    fn recorded(&self, process: Pid, tid: Pid, placed: &Placed) -> Option<(&[Argument], u64)> {
        let frame = &placed.frame;
        if frame.is_async {
            let function = self.functions.iter().position(|state| is_of(state, frame))?;
            let given = self.polls.get(process, function, placed.state?)?;
            return Some((&given.arguments, given.made_before));
        }
        let of_frame = |record: &&Record| {
            Some(record.cfa) == placed.cfa && is_of(&self.functions[record.function], frame)
        };
        let record = self.records.get(&tid)?.iter().rev().find(of_frame)?;
        Some((&record.arguments, record.made_before))
    }

    /// Puts the recorded arguments into the frames of a crash, where something was read. Gives the calls that made values.
    pub(super) fn fill(&self, process: Pid, tid: Pid, placed: &mut [Placed]) -> Vec<relapse_snapshot::Made> {
        let mut entered = vec![None; placed.len()];
        for (placed, entered) in placed.iter_mut().zip(&mut entered) {
            let known = self.recorded(process, tid, placed).filter(|_| !placed.frame.inlined);
            let Some((recorded, made_before)) = known else { continue };
            *entered = Some(made_before);
            let frame = &mut placed.frame;
            if frame.arguments.is_empty() {
                frame.arguments = recorded.to_vec();
                continue;
            }
            for (argument, given) in frame.arguments.iter_mut().zip(recorded) {
                if argument.name == given.name && argument.value.ty == given.value.ty && is_read(given) {
                    argument.value.clone_from(&given.value);
                }
            }
        }
        self.made.calls(process, tid, placed, &entered)
    }
}

/// Whether a watched function is the one of a frame.
fn is_of(state: &State, frame: &Frame) -> bool {
    state.wanted.is_async == frame.is_async && state.wanted.function == frame.function
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
                    for (address, point) in points(index, &plan) {
                        process.watch(thread, address.wrapping_add(bias), point, armed);
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
        let of_maker = point.of().is_some_and(|index| watching.functions[index].wanted.makes);
        watching.stops += u64::from(!of_maker);
        if let Some(target) = watching.targets.remove(&process_id) {
            self.reach(&mut watching, &target, point, tid, (address, registers));
            let spent = start.elapsed();
            *(if of_maker { &mut watching.held_by_makers } else { &mut watching.held }) += spent;
            if let Some(function) = point.of() {
                let state = &mut watching.functions[function];
                state.spent += spent;
                if state.has_used_up(watching.patience) {
                    self.cool(&mut watching, &target, function, tid, registers);
                }
            }
            watching.targets.insert(process_id, target);
        }
        if of_maker && watching.held_by_makers >= watching.patience.makers_time {
            self.leave_makers(&mut watching);
        }
        if watching.stops >= watching.patience.most_stops || watching.held >= watching.patience.most_time {
            watching.given_up = true;
            watching.records.clear();
            watching.polls.clear();
            watching.made.clear();
            for (pid, process) in &mut self.processes {
                process.unwatch(*pid, |_| true);
            }
        }
        self.watching = Some(watching);
    }

    /// Leaves all functions alone that are watched for what they make.
    fn leave_makers(&mut self, watching: &mut Watching) {
        let mut makers = BTreeSet::new();
        for (index, state) in watching.functions.iter_mut().enumerate().filter(|(_, s)| s.wanted.makes) {
            state.cooled = true;
            watching.made.lose(index, &state.wanted);
            makers.insert(index);
        }
        for (pid, process) in &mut self.processes {
            process.disarm_watched(*pid, |point| point.of().is_some_and(|index| makers.contains(&index)));
        }
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
            Point::Poll(function) => self.poll(watching, target, function, tid, registers),
            Point::Given(_) => self.given(watching, target, tid, registers),
            Point::Return(index, of, cfa) => {
                if of == tid && registers.rsp >= cfa {
                    let process = self.process_of(tid);
                    if let Some(process_state) = self.processes.get_mut(&process) {
                        process_state.unwatch(tid, |at| at == address);
                    }
                    if let Some(records) = watching.records.get_mut(&tid) {
                        records.retain(|record| record.function != index);
                    }
                    watching.polls.forget(index, None);
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
            let Some(cfa) = self.stacks.innermost_cfa(target, registers) else {
                if watching.functions[index].wanted.kept {
                    watching.made.lose(index, &watching.functions[index].wanted);
                }
                return;
            };
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
            let made_before = watching.made.count();
            let record = watching.record(tid, index, cfa);
            (record.arguments, record.open, record.made_before) = (Vec::new(), stop.later, made_before);
            (record.begin, record.of_types) = (Begin::of(registers), OfTypes::default());
        } else {
            watching.record(tid, index, cfa).open &= !stop.bit;
        }
        if let Some(moment) = stop.moment {
            let types = &mut watching.types;
            let extent =
                if watching.functions[index].wanted.makes { Extent::NotReceiver } else { Extent::All };
            let read = self.stacks.entry_frame(target, tid, registers, (moment, extent), types);
            let record = watching.record(tid, index, cfa);
            let read = read.map(|frame| {
                record.of_types = OfTypes { generics: frame.generics, result: frame.result };
                frame.arguments
            });
            match read {
                Some(read) if record.arguments.is_empty() => record.arguments = read,
                read => {
                    for (known, new) in record.arguments.iter_mut().zip(read.unwrap_or_default()) {
                        if !is_read(known) {
                            *known = new;
                        }
                    }
                }
            }
        }
        if watching.functions[index].wanted.kept {
            self.note_made(watching, target, index, tid, registers, cfa);
        }
    }

    /// A function that makes values is entered, or has come to where its arguments are.
    fn note_made(
        &mut self,
        watching: &mut Watching,
        target: &Target,
        index: usize,
        tid: Pid,
        registers: &libc::user_regs_struct,
        cfa: u64,
    ) {
        let Record { arguments, open, begin, of_types, .. } = watching.record(tid, index, cfa).clone();
        if open != 0 {
            return;
        }
        if watching.made.may_be_within(tid, cfa) {
            let placed = self.stacks.placed_names(target, registers);
            watching.made.under_way(tid, &placed);
        }
        let wanted = &watching.functions[index].wanted;
        let process = self.process_of(tid);
        watching.made.begun(process, (tid, cfa), (index, wanted), begin, arguments);
        watching.made.is_of(process, tid, cfa, of_types);
        if wanted.gives && !watching.functions[index].cooled {
            self.await_given(target, index, tid, cfa);
        }
    }

    /// The body of an async function begins, or goes on.
    fn poll(
        &mut self,
        watching: &mut Watching,
        target: &Target,
        index: usize,
        tid: Pid,
        registers: &libc::user_regs_struct,
    ) {
        watching.functions[index].polls += 1;
        let types = &mut watching.types;
        let read = self.stacks.first_poll_arguments(target, tid, registers, types);
        let Some((arguments, state)) = read else { return };
        watching.functions[index].entries += 1;
        watching.functions[index].all_entries += 1;
        self.arm_inner(watching, tid, index);
        let process = self.process_of(tid);
        let given = Given { arguments, made_before: watching.made.count() };
        watching.polls.insert(process, index, state, given);
    }

    /// A function further out is entered: those that it leads to are looked at once more.
    fn arm_inner(&mut self, watching: &mut Watching, tid: Pid, outer: usize) {
        if watching.given_up || watching.functions[outer].wanted.makes {
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
            state.allowance = (watching.patience.allowance / (state.armings + 1)).max(LEAST_ALLOWANCE);
            (state.entries, state.polls, state.spent) = (0, 0, Duration::ZERO);
            let Some(process) = self.processes.get_mut(&process_id) else { return };
            process.arm(tid, |point| point.entered() == Some(index));
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
        if watching.functions[index].wanted.kept {
            watching.made.lose(index, &watching.functions[index].wanted);
        }
        let process_id = self.process_of(tid);
        // Which of its calls are under way on this thread, the outermost last. Before the end of the prologue the
        // unwinder is right, too: unwind tables hold for every instruction.
        let placed = self.stacks.placed_names(target, registers);
        let cooled = &watching.functions[index];
        let of_it: Vec<&Placed> =
            placed.iter().filter(|placed| !placed.frame.inlined && is_of(cooled, &placed.frame)).collect();
        let under_way: Vec<u64> = of_it.iter().filter_map(|placed| placed.cfa).collect();
        let outermost = under_way.last().copied();
        // A state further in may go and leave its place to another one before the outermost poll is over.
        let outermost_state = of_it.last().and_then(|placed| placed.state);
        watching.polls.forget(index, outermost_state.map(|state| (process_id, state)));
        for (thread, records) in &mut watching.records {
            let keeps = |r: &Record| r.function != index || *thread == tid && under_way.contains(&r.cfa);
            records.retain(keeps);
        }
        let Some(process) = self.processes.get_mut(&process_id) else { return };
        process.disarm_watched(tid, |point| point.of() == Some(index));
        // The return address lies just below the CFA (System V psABI, figure 3.3).
        let Some(cfa) = outermost else { return };
        let back = target.memory().read_u64(cfa.wrapping_sub(8));
        let watched = back.is_ok_and(|back| process.watch(tid, back, Point::Return(index, tid, cfa), true));
        if !watched {
            watching.polls.forget(index, None);
            if let Some(records) = watching.records.get_mut(&tid) {
                records.retain(|record| record.function != index);
            }
        }
    }
}

/// The points of a plan, by their addresses in the image.
fn points(function: usize, plan: &EntryPlan) -> Vec<(u64, Point)> {
    if plan.polled {
        return plan.stops.iter().map(|at| (*at, Point::Poll(function))).collect();
    }
    stops(function, plan).into_iter().map(|(at, stop)| (at, Point::Entry(stop))).collect()
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
