//! The arguments of a function at its entry: where the thread has to be stopped for them, and what they are
//! there. In: an image and an address, or a thread that is stopped. Never sets a breakpoint itself.

use gimli::Unit;
use relapse_snapshot::{Argument, Frame, Location, TypeTable};

use super::arguments::{Extent, Moment, Source};
use super::symbolication::{Active, look_up};
use super::{Entries, ImageState, Stacks};
use crate::arch::Registers;
use crate::image::{AddressSpace, DieRef, Image, Slice, Symbol, UnitCaches};
use crate::limits::Allowance;
use crate::memory::{Memory, NoMemory};
use crate::unwind::PhysicalFrame;

/// Code of a function whose symbol gives no size is looked at so far.
const UNKNOWN_SIZE: u64 = 4096;

/// Where a thread has to be stopped to read all arguments of a function, in the image's own addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPlan {
    /// Where the function is declared.
    pub declared: Option<Location>,
    /// The first instruction.
    pub first: u64,
    /// The end of the prologue.
    pub prologue_end: u64,
    /// Where arguments are read, in order; none where it takes none.
    pub stops: Vec<u64>,
    /// Whether it is the body of an async function, which is entered at every poll: only at the first one its state
    /// holds what it was given.
    pub polled: bool,
}

impl Stacks {
    /// Plans the reading of a function's arguments; `None` where debug info does not know it.
    pub fn entry_plan(&mut self, image: &'static Image, symbol: &Symbol) -> Option<EntryPlan> {
        let Active { info, unit, found, .. } = look_up(image, symbol.address);
        let (call, unit) = (found.last()?, unit?);
        let die = DieRef { unit, entry: call.entry? };
        let mut frame = self.frame(info, die, call, false);
        self.name_maker(image, info, die, &mut frame);
        let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(info));
        let size = if symbol.size == 0 { UNKNOWN_SIZE } else { symbol.size };
        let lines = state.units.unit(info.dwarf, unit).ok()?;
        let first = symbol.address;
        let prologue_end = prologue_end(&lines, first, first.saturating_add(size)).unwrap_or(first);
        let registers = Registers::unknown();
        let physical = PhysicalFrame { registers, lookup: first, cfa: None };
        let source = Source {
            dwarf: info.dwarf,
            bias: 0,
            physical: &physical,
            memory: &NoMemory,
            limits: &self.limits,
            entries: Entries { info, function: die, outermost: die },
            moment: Moment::Crash,
            extent: Extent::All,
            space: &AddressSpace::default(),
        };
        let mut stops = if frame.is_async {
            Vec::from_iter(source.state_address(&mut state.units, first, prologue_end))
        } else {
            source.entry_addresses(&mut state.units, first, prologue_end)
        };
        stops.sort_unstable();
        stops.dedup();
        let (declared, polled) = (frame.declared, frame.is_async);
        Some(EntryPlan { declared, first, prologue_end, stops, polled })
    }

    /// The frame of the function at whose entry a thread is stopped, with its generics, and its arguments but for those that
    /// are read at another moment; `None` where it cannot be told.
    pub fn entry_frame(
        &mut self,
        space: &AddressSpace,
        registers: &Registers,
        memory: &dyn Memory,
        what: (Moment, Extent),
        types: &mut TypeTable,
    ) -> Option<Frame> {
        self.entry(space, registers, memory, what, types).map(|(frame, _)| frame)
    }

    /// The arguments of the async function whose body is about to run for the first time, and where its state lies;
    /// `None`: it has run before.
    pub fn first_poll_arguments(
        &mut self,
        space: &AddressSpace,
        registers: &Registers,
        memory: &dyn Memory,
        types: &mut TypeTable,
    ) -> Option<(Vec<Argument>, u64)> {
        let (frame, state) = self.entry(space, registers, memory, (Moment::FirstPoll, Extent::All), types)?;
        Some((frame.arguments, state?))
    }

    fn entry(
        &mut self,
        space: &AddressSpace,
        registers: &Registers,
        memory: &dyn Memory,
        (moment, extent): (Moment, Extent),
        types: &mut TypeTable,
    ) -> Option<(Frame, Option<u64>)> {
        let physical = self.unwinder.innermost(space, registers, memory);
        let call = self.calls(space, 0, &physical).pop()?;
        let (entries, (_, bias)) = (call.entries?, call.image?);
        let info = entries.info;
        let mut units = self.images.take(info);
        let source = Source {
            dwarf: info.dwarf,
            bias,
            physical: &physical,
            memory,
            limits: &self.limits,
            entries,
            moment,
            extent,
            space,
        };
        let state = if moment == Moment::FirstPoll { source.unresumed_state(&mut units) } else { None };
        let polled = state.map(|state| state.address);
        let mut frame = Frame { arguments: Vec::new(), ..call.frame };
        let mut left = Allowance::of_call(&self.limits);
        let is_read = moment != Moment::FirstPoll || polled.is_some();
        if is_read {
            source.read(&mut frame, &mut units, types, &mut left, &mut self.images);
        }
        self.images.put(info, units);
        if !is_read {
            return None;
        }
        if let Some(maker) = self.known_maker(info, entries.function) {
            maker.arrange(&mut frame.arguments);
        }
        self.place_closures(&[info], memory, types);
        Some((frame, polled))
    }

    /// The canonical frame address of a thread's innermost frame.
    pub fn innermost_cfa(
        &mut self,
        space: &AddressSpace,
        registers: &Registers,
        memory: &dyn Memory,
    ) -> Option<u64> {
        self.unwinder.innermost(space, registers, memory).cfa
    }
}

/// Where the line table says that a function's prologue ends (`prologue_end`, DWARF 5, section 6.2.2); without
/// such a mark, its second line: compilers begin a new one for the body. What has no line is the compiler's own, such as
/// the loop that touches each page of a large frame, and the arguments are stored behind it.
pub(super) fn prologue_end(unit: &Unit<Slice>, first: u64, end: u64) -> Option<u64> {
    let mut rows = unit.line_program.clone()?.rows();
    let (mut marked, mut second) = (None::<u64>, None::<u64>);
    while let Ok(Some((_, row))) = rows.next_row() {
        let address = row.address();
        if row.end_sequence() || !(first..end).contains(&address) {
            continue;
        }
        if row.prologue_end() {
            marked = Some(marked.map_or(address, |known| known.min(address)));
        }
        if address > first && row.line().is_some() {
            second = Some(second.map_or(address, |known| known.min(address)));
        }
    }
    marked.or(second)
}
