//! A thread's stack as a snapshot keeps it: from registers to named frames, inlined ones included, with the
//! arguments that debug info finds. This file is the flow; each step has a file of its own. Never stops or
//! changes a process.

mod arguments;
mod closures;
mod coroutine;
mod entry;
mod function;
mod gaps;
mod given;
mod maker;
mod order;
mod state;
mod symbolication;
mod trust;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::rc::Rc;

use relapse_snapshot::{Frame, FrameKind, TypeTable};

use crate::arch::Registers;
use crate::image::{AddressSpace, DebugInfo, DieRef, Image, UnitCache, UnitCaches};
use crate::limits::{Allowance, Limits};
use crate::memory::Memory;
use crate::roots::Roots;
use crate::unwind::{PhysicalFrame, Unwinder};

pub use arguments::{Extent, Moment};
pub(crate) use coroutine::around_body;
pub use entry::EntryPlan;

/// What is wanted of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// Everything: for the thread that crashed.
    Values,
    /// Functions and lines only, no generics and no arguments (and no word on why): for the other threads.
    NamesOnly,
}

/// Reads stacks. Keep one for a whole run: it remembers what it has parsed.
pub struct Stacks {
    roots: Roots,
    limits: Limits,
    unwinder: Unwinder,
    /// By the number of the debug info.
    images: HashMap<usize, ImageState>,
    paths: HashMap<String, (String, FrameKind, Option<String>)>,
    /// What was found of each async block, by the number of the debug info and the block's entry.
    makers: HashMap<(usize, DieRef), Option<Rc<maker::Maker>>>,
}

/// What is kept of an image's debug info, or of one split unit of it.
#[derive(Default)]
struct ImageState {
    units: UnitCache,
    /// Whether a crate has types and variables, or line tables only.
    detailed: HashMap<gaps::Crate, bool>,
    /// The bodies of the closures that were looked for, by their paths.
    bodies: closures::Bodies,
    /// The units that these are looked for in.
    crates: Option<closures::Crates>,
}

impl ImageState {
    fn of(info: DebugInfo) -> ImageState {
        ImageState { units: UnitCache::of(info), ..ImageState::default() }
    }
}

impl<S: BuildHasher> UnitCaches for HashMap<usize, ImageState, S> {
    fn take(&mut self, info: DebugInfo) -> UnitCache {
        let state = self.entry(info.number).or_insert_with(|| ImageState::of(info));
        std::mem::replace(&mut state.units, UnitCache::of(info))
    }

    fn put(&mut self, info: DebugInfo, units: UnitCache) {
        self.entry(info.number).or_insert_with(|| ImageState::of(info)).units = units;
    }
}

/// A frame, and what tells its call from all others of that function.
pub(crate) struct Placed {
    pub(crate) frame: Frame,
    /// The canonical frame address, where that is known. Inlined calls have that of the function that they were inlined
    /// into.
    pub(crate) cfa: Option<u64>,
    /// Of an async function: where its state lies.
    pub(crate) state: Option<u64>,
}

/// A call: one entry of the stack as the source has it.
struct Call {
    frame: Frame,
    /// Index of its frame of machine code.
    physical: usize,
    entries: Option<Entries>,
    image: Option<(&'static Image, u64)>,
    /// Why the split unit of its code could not be had.
    no_split: Option<String>,
}

/// The debug info entries of a call.
#[derive(Clone, Copy)]
struct Entries {
    /// What they are in.
    info: DebugInfo,
    /// `DW_TAG_subprogram` or `DW_TAG_inlined_subroutine`.
    function: DieRef,
    /// The subprogram that the machine code belongs to, whose frame base holds.
    outermost: DieRef,
}

impl Stacks {
    /// A reader for the programs of one workspace.
    pub fn new(roots: Roots, limits: Limits) -> Stacks {
        let (images, paths, makers) = (HashMap::new(), HashMap::new(), HashMap::new());
        Stacks { roots, limits, unwinder: Unwinder::default(), images, paths, makers }
    }

    /// The frames of a stopped thread, innermost first. What could not be had is said in `notes`, each thing
    /// once.
    pub fn frames(
        &mut self,
        space: &AddressSpace,
        registers: &Registers,
        memory: &dyn Memory,
        want: Want,
        types: &mut TypeTable,
        notes: &mut Vec<String>,
    ) -> Vec<Frame> {
        let placed = self.placed_frames(space, registers, memory, want, types, notes);
        placed.into_iter().map(|placed| placed.frame).collect()
    }

    /// The frames, each with what tells its call from all others.
    pub(crate) fn placed_frames(
        &mut self,
        space: &AddressSpace,
        registers: &Registers,
        memory: &dyn Memory,
        want: Want,
        types: &mut TypeTable,
        notes: &mut Vec<String>,
    ) -> Vec<Placed> {
        let wanted = (self.limits.frames as usize).max(1);
        let walk = self.unwinder.walk(space, registers, memory, wanted, notes);
        let mut calls = Vec::new();
        for (index, physical) in walk.frames.iter().enumerate() {
            calls.extend(self.calls(space, index, physical));
        }
        self.keep(&mut calls, wanted, walk.left_out, notes);
        if want == Want::Values {
            self.read_arguments(&mut calls, &walk.frames, memory, space, types);
            self.name_gaps(&mut calls, notes);
        }
        let placed = |call: Call| {
            let physical = &walk.frames[call.physical];
            Placed {
                cfa: physical.cfa,
                state: self.state_of(&call, physical, memory, space),
                frame: call.frame,
            }
        };
        calls.into_iter().map(placed).collect()
    }

    /// Where the state of an async function lies that is run in a call.
    fn state_of(
        &mut self,
        call: &Call,
        physical: &PhysicalFrame,
        memory: &dyn Memory,
        space: &AddressSpace,
    ) -> Option<u64> {
        let (entries, (_, bias)) = (call.entries.filter(|_| call.frame.is_async)?, call.image?);
        let info = entries.info;
        let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(info));
        let (dwarf, limits, moment) = (info.dwarf, &self.limits, Moment::Crash);
        let extent = Extent::All;
        let source =
            arguments::Source { dwarf, bias, physical, memory, limits, entries, moment, extent, space };
        source.state(&mut state.units).map(|state| state.address)
    }

    /// Cuts a stack to the limit: its middle goes, see [`crate::unwind::Walk`].
    fn keep(
        &self,
        calls: &mut Vec<Call>,
        wanted: usize,
        left_out: Option<(usize, usize)>,
        notes: &mut Vec<String>,
    ) {
        let mut gone = left_out.map_or(0, |(_, count)| count);
        if calls.len() > wanted {
            // The gap that the walk left lies among those that go: each physical frame is one call or more.
            let first = wanted - wanted / 4;
            let at = left_out.map_or(first, |(index, _)| {
                calls.iter().position(|call| call.physical >= index).unwrap_or(first).min(first)
            });
            let excess = calls.len() - wanted;
            calls.drain(at..at + excess);
            gone += excess;
        }
        if gone > 0 {
            notes.push(format!(
                "the stack is deeper than {} frames: {gone} in its middle are left out",
                self.limits.frames
            ));
        }
    }

    fn read_arguments(
        &mut self,
        calls: &mut [Call],
        physical: &[PhysicalFrame],
        memory: &dyn Memory,
        space: &AddressSpace,
        types: &mut TypeTable,
    ) {
        let mut left = Allowance::of_stack(&self.limits);
        for index in order::by_worth(calls) {
            let call = &mut calls[index];
            let (Some(entries), Some((_, bias))) = (call.entries, call.image) else { continue };
            let info = entries.info;
            let mut units = self.images.take(info);
            let source = arguments::Source {
                dwarf: info.dwarf,
                bias,
                physical: &physical[call.physical],
                memory,
                limits: &self.limits,
                entries,
                moment: Moment::Crash,
                extent: Extent::All,
                space,
            };
            source.read(&mut call.frame, &mut units, types, &mut left, &mut self.images);
            self.images.put(info, units);
            if let Some(maker) = self.known_maker(info, entries.function) {
                maker.arrange(&mut calls[index].frame.arguments);
            }
        }
        let infos: Vec<DebugInfo> = calls.iter().filter_map(|call| Some(call.entries?.info)).collect();
        self.place_closures(&infos, memory, types);
    }

    fn name_gaps(&mut self, calls: &mut [Call], notes: &mut Vec<String>) {
        let mut named = HashSet::new();
        for call in &mut *calls {
            let Some((image, _)) = call.image else { continue };
            for note in image.notes() {
                once(notes, format!("{}: {note}", image.name()));
            }
            let info = call.entries.map_or_else(|| image.debug_info(), |entries| entries.info);
            let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(info));
            let Some(gap) = gaps::gap(call, image, state) else { continue };
            let reason = gap.reason(image);
            // A note is for what can be mended.
            if gap.is_mendable() && named.insert((image.number(), gap)) {
                once(notes, format!("{}: {reason}", image.name()));
            }
            call.frame.arguments_missing = Some(reason);
        }
        for note in gaps::optimised(calls) {
            once(notes, note);
        }
    }
}

fn once(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}
