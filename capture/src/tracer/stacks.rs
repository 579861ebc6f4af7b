//! A stopped thread's frames: the tracer's door to the unwinder and the reader of values. Keeps what was read of
//! images between crashes.

use std::collections::HashMap;

use relapse_snapshot::{Argument, Frame, Location, TypeTable, Value};

use super::live::LiveMemory;
use super::ptrace::Pid;
use crate::arch::Registers;
use crate::entries::WatchedFunction;
use crate::image::{AddressSpace, Image, ImageCache};
use crate::limits::Limits;
use crate::roots::Roots;
use crate::stack::{EntryPlan, Extent, Moment, Placed, Stacks, Want, around_body};

/// Copies of one generic function that are watched at most.
const MOST_COPIES: usize = 64;

/// The frames of threads, read one stack at a time.
pub(crate) struct StackReader {
    stacks: Stacks,
    images: ImageCache,
    /// By an image's number and a watched function's: each process of a command has the same few images.
    plans: HashMap<(usize, usize), Vec<EntryPlan>>,
}

/// Where a stack is read: a process, and what it has mapped at this moment.
pub(crate) struct Target {
    memory: LiveMemory,
    space: AddressSpace,
}

impl Target {
    /// Its memory.
    pub(crate) fn memory(&self) -> &LiveMemory {
        &self.memory
    }

    /// How many files are mapped.
    pub(super) fn images(&self) -> usize {
        self.space.images().len()
    }
}

impl StackReader {
    pub(crate) fn new(roots: &Roots, limits: Limits, images: ImageCache) -> StackReader {
        StackReader { stacks: Stacks::new(roots.clone(), limits), images, plans: HashMap::new() }
    }

    /// The images that were read.
    pub(super) fn into_images(self) -> ImageCache {
        self.images
    }

    /// A process as it is now, named by any of its living threads; `None`: it has just ended, or does not let its maps
    /// be read.
    pub(crate) fn target(&mut self, thread: Pid, memory: LiveMemory) -> Option<Target> {
        let space = AddressSpace::of_process(thread, &mut self.images).ok()?;
        Some(Target { memory, space })
    }

    /// The functions from these registers outwards, without arguments.
    pub(crate) fn names(&mut self, target: &Target, registers: &libc::user_regs_struct) -> Vec<Frame> {
        let (mut types, mut notes) = (TypeTable::default(), Vec::new());
        self.frames(target, registers, Want::NamesOnly, &mut types, &mut notes)
    }

    /// The frames from these registers outwards.
    pub(crate) fn frames(
        &mut self,
        target: &Target,
        registers: &libc::user_regs_struct,
        want: Want,
        types: &mut TypeTable,
        notes: &mut Vec<String>,
    ) -> Vec<Frame> {
        let placed = self.placed_frames(target, registers, want, types, notes);
        placed.into_iter().map(|placed| placed.frame).collect()
    }

    /// The frames, each with what tells its call from all others.
    pub(crate) fn placed_frames(
        &mut self,
        target: &Target,
        registers: &libc::user_regs_struct,
        want: Want,
        types: &mut TypeTable,
        notes: &mut Vec<String>,
    ) -> Vec<Placed> {
        notes.extend_from_slice(target.space.notes());
        let registers = Registers::from(*registers);
        self.stacks.placed_frames(&target.space, &registers, &target.memory, want, types, notes)
    }

    /// The functions from these registers outwards, each with what tells its call from all others.
    pub(super) fn placed_names(
        &mut self,
        target: &Target,
        registers: &libc::user_regs_struct,
    ) -> Vec<Placed> {
        let (mut types, mut notes) = (TypeTable::default(), Vec::new());
        self.placed_frames(target, registers, Want::NamesOnly, &mut types, &mut notes)
    }

    /// How a function's arguments are read in a process, for each copy that was compiled of it, with what is added
    /// to the addresses. `number` is that of the function among those that are watched.
    pub(super) fn entry_plans(
        &mut self,
        target: &Target,
        number: usize,
        wanted: &WatchedFunction,
    ) -> Vec<(EntryPlan, u64)> {
        let mut all = Vec::new();
        for mapped in target.space.images().iter().filter(|mapped| mapped.image.has_debug_info()) {
            let stacks = &mut self.stacks;
            let plans = self.plans.entry((mapped.image.number(), number));
            let plans = plans.or_insert_with(|| plans_in(stacks, mapped.image, wanted));
            all.extend(plans.iter().map(|plan| (plan.clone(), mapped.bias)));
        }
        all
    }

    /// The frame of the function at whose entry a thread is stopped, with its arguments.
    pub(super) fn entry_frame(
        &mut self,
        target: &Target,
        tid: Pid,
        registers: &libc::user_regs_struct,
        what: (Moment, Extent),
        types: &mut TypeTable,
    ) -> Option<Frame> {
        let registers = super::watching::all_registers(tid, registers);
        self.stacks.entry_frame(&target.space, &registers, &target.memory, what, types)
    }

    /// The arguments of the async function whose body is about to run for the first time, and where its state lies.
    pub(super) fn first_poll_arguments(
        &mut self,
        target: &Target,
        tid: Pid,
        registers: &libc::user_regs_struct,
        types: &mut TypeTable,
    ) -> Option<(Vec<Argument>, u64)> {
        let registers = super::watching::all_registers(tid, registers);
        self.stacks.first_poll_arguments(&target.space, &registers, &target.memory, types)
    }

    /// What a function gave that begins at an address and has put it into memory.
    pub(super) fn given_value(
        &mut self,
        target: &Target,
        first: u64,
        at: u64,
        types: &mut TypeTable,
    ) -> Option<Value> {
        self.stacks.given_value(&target.space, &target.memory, first, at, types)
    }

    /// The canonical frame address of the innermost frame.
    pub(super) fn innermost_cfa(
        &mut self,
        target: &Target,
        registers: &libc::user_regs_struct,
    ) -> Option<u64> {
        self.stacks.innermost_cfa(&target.space, &Registers::from(*registers), &target.memory)
    }
}

/// The plans for the copies of a function in one image.
fn plans_in(stacks: &mut Stacks, image: &'static Image, wanted: &WatchedFunction) -> Vec<EntryPlan> {
    // The last name of the path is in every mangled form of it.
    let part = last_identifier(&wanted.function);
    let is_own = |name: &str| {
        if wanted.makes {
            // Its type's arguments stand in the name, too; where it is declared tells the rest.
            without_arguments(name).rsplit("::").next() == Some(&part)
        } else if wanted.is_async {
            around_body(name) == Some(&wanted.function)
        } else {
            name == wanted.function
        }
    };
    let symbols = image.find_symbols(&part, is_own);
    let plans = symbols.iter().filter_map(|symbol| stacks.entry_plan(image, symbol));
    // Of a call on the stack there is nothing to read then; that a value was made so is news all the same.
    let plans = plans.filter(|plan| wanted.makes || !plan.stops.is_empty());
    let plans = plans.filter(|plan| plan.polled == wanted.is_async).take(MOST_COPIES);
    let file = |place: &Option<Location>| place.as_ref().map(|place| place.file.clone());
    let is_wanted = |plan: &EntryPlan| {
        if wanted.makes {
            let place = |place: &Option<Location>| place.as_ref().map(|at| (at.file.clone(), at.line));
            return plan.declared.is_some() && place(&plan.declared) == place(&wanted.declared);
        }
        plan.declared.is_none() || wanted.declared.is_none() || file(&plan.declared) == file(&wanted.declared)
    };
    plans.filter(is_wanted).collect()
}

/// `Vec::new` for `Vec::<u8>::new` and `Vec::new::<u8>`; what stands before a name in angle brackets goes, too.
fn without_arguments(path: &str) -> String {
    let (mut depth, mut last, mut kept) = (0_u32, ' ', String::with_capacity(path.len()));
    for c in path.chars() {
        match c {
            '<' => depth += 1,
            // `->` in a function pointer's type closes nothing.
            '>' if last != '-' => depth = depth.saturating_sub(1),
            c if depth == 0 => kept.push(c),
            _ => {}
        }
        last = c;
    }
    kept.truncate(kept.trim_end_matches("::").len());
    kept
}

/// `price` of `<shop::Book as shop::Priced>::price::<u8>`: the newer mangling has letters for the arguments; the whole of a
/// path without any.
fn last_identifier(path: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let bare = without_arguments(path);
    bare.rsplit(|c: char| !is_name(c)).find(|name| !name.is_empty()).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_function_is_searched_by_its_own_name_not_by_that_of_an_argument() {
        for (path, name) in [
            ("shop::price", "price"),
            ("<shop::Book as shop::Priced>::price", "price"),
            ("shop::price::<shop::Book, u8>", "price"),
            ("shop::<impl shop::Priced for u8>::price::<fn(u8) -> u8>", "price"),
            ("<shop::Shelf<u8>>::price", "price"),
            ("<u8>", "<u8>"),
        ] {
            assert_eq!(last_identifier(path), name, "{path}");
        }
    }

    #[test]
    fn a_function_is_searched_once_however_many_processes_run_it() {
        let mut reader = StackReader::new(&Roots::default(), Limits::default(), ImageCache::new());
        let target =
            reader.target(std::process::id() as Pid, LiveMemory::of(std::process::id() as Pid)).unwrap();
        let function = "core::fmt::write".to_owned();
        let wanted = WatchedFunction {
            function,
            declared: None,
            is_async: false,
            makes: false,
            kept: false,
            gives: false,
        };
        let mut search = || {
            let start = Instant::now();
            (reader.entry_plans(&target, 0, &wanted), start.elapsed())
        };
        let (plans, first) = search();
        let again = (0..5).map(|_| search()).inspect(|(known, _)| assert_eq!(*known, plans));
        let again = again.map(|(_, time)| time).min().unwrap_or(Duration::MAX);
        // A look at all symbols of this program takes milliseconds.
        assert!(again * 10 < first, "{first:?}, then {again:?}");
    }
}
