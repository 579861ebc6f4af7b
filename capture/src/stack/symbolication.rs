//! An address → the calls that are active there, the inlined ones first; their names, places, and whose code
//! they are.

use relapse_snapshot::{Frame, FrameKind, Location, bare_name, last_segment};

use super::coroutine;
use super::function::Function;
use super::{Call, Entries, ImageState, Stacks};
use crate::image::{AddressSpace, DebugInfo, DieRef, Image};
use crate::unwind::PhysicalFrame;

/// Inlined calls at one address: rustc's own limit is far below.
const MOST_INLINED: usize = 256;
/// What a frame is called when nothing names it.
const NAMELESS: &str = "?";

/// One call at an address, as addr2line tells it.
pub(super) struct Found {
    pub(super) entry: Option<gimli::UnitOffset>,
    pub(super) place: Option<(String, Option<u32>, u32)>,
}

impl Stacks {
    /// The calls of one frame of machine code, innermost first; one at least.
    pub(super) fn calls(
        &mut self,
        space: &AddressSpace,
        index: usize,
        physical: &PhysicalFrame,
    ) -> Vec<Call> {
        let Some((image, bias)) = space.image_at(physical.lookup) else {
            let frame = Frame { function: NAMELESS.into(), name: NAMELESS.into(), ..Frame::default() };
            return vec![Call { frame, physical: index, entries: None, image: None, no_split: None }];
        };
        let address = physical.lookup.wrapping_sub(bias);
        let Active { info, unit, found, no_split } = look_up(image, address);
        let last = found.len().saturating_sub(1);
        let outermost = found.last().and_then(|call| call.entry);
        let mut calls: Vec<Call> = found
            .iter()
            .enumerate()
            .filter_map(|(at, call)| {
                let entries = Entries {
                    info,
                    function: DieRef { unit: unit?, entry: call.entry? },
                    outermost: DieRef { unit: unit?, entry: outermost? },
                };
                let mut frame = self.frame(info, entries.function, call, at < last);
                self.name_maker(image, info, entries.function, &mut frame);
                let (entries, image) = (Some(entries), Some((image, bias)));
                Some(Call { frame, physical: index, entries, image, no_split: None })
            })
            .collect();
        if calls.is_empty() {
            let frame = self.frame_by_symbol(image, address, found.first());
            let image = Some((image, bias));
            calls.push(Call { frame, physical: index, entries: None, image, no_split });
        }
        // C functions and entries that are there for their lines only have no linkage name; the symbol has it.
        for call in calls.iter_mut().filter(|call| call.frame.function.is_empty()) {
            let symbol = image.symbol_at(address).filter(|_| !call.frame.inlined);
            call.frame.function = symbol.map_or_else(|| call.frame.name.clone(), |symbol| symbol.demangled());
        }
        calls
    }

    pub(super) fn frame(&mut self, info: DebugInfo, function: DieRef, call: &Found, inlined: bool) -> Frame {
        let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(info));
        let function = Function::read(info.dwarf, &mut state.units, function);
        let path = function.path(info.dwarf);
        let name = function.name(info.dwarf);
        let declared = function.declared(info.dwarf);
        let mut frame = Frame { inlined, ..Frame::default() };
        frame.location = call.place.as_ref().and_then(|(file, line, column)| {
            Some(Location { file: self.path(file).0, line: (*line)?, column: *column })
        });
        // A macro of another crate may lend a line; the function itself is where it is declared.
        let file = declared.as_ref().map(|(file, _)| file).or(call.place.as_ref().map(|(file, ..)| file));
        if let Some(file) = file {
            (_, frame.kind, frame.package) = self.path(file);
        }
        if let Some((file, line)) = declared {
            frame.declared = Some(self.location(&file, line));
        }
        // The body of an async function is a function of its own to the compiler, not to anybody else.
        if let (Some(body), Some(path)) = (&name, &path)
            && let Some(own) = coroutine::own_path(body, path)
        {
            frame.name = bare_name(own).to_owned() + coroutine::own_generics(body);
            (frame.function, frame.is_async) = (own.to_owned(), true);
            return frame;
        }
        frame.name = name
            .or_else(|| path.as_deref().map(|path| last_segment(path).to_owned()))
            .unwrap_or_else(|| NAMELESS.into());
        frame.function = path.unwrap_or_default();
        frame
    }

    fn frame_by_symbol(&mut self, image: &Image, address: u64, found: Option<&Found>) -> Frame {
        let mut frame = Frame::default();
        let symbol = image.symbol_at(address);
        let rust = symbol.is_some_and(|symbol| rustc_demangle::try_demangle(symbol.name).is_ok());
        frame.function = symbol.map_or_else(|| NAMELESS.to_owned(), |symbol| symbol.demangled());
        frame.name = if rust { last_segment(&frame.function) } else { &frame.function }.to_owned();
        if let Some((file, line, column)) = found.and_then(|call| call.place.clone()) {
            let (file, kind, package) = self.path(&file);
            (frame.kind, frame.package) = (kind, package);
            frame.location = line.map(|line| Location { file, line, column });
        } else if rust {
            (frame.kind, frame.package) = self.by_crate(&frame.function);
        } else if is_start_code(image, &frame.function) {
            frame.kind = FrameKind::Std;
        }
        frame
    }

    /// Whose a function is, by the crate that its path begins with.
    fn by_crate(&self, function: &str) -> (FrameKind, Option<String>) {
        const STD: [&str; 7] = ["std", "core", "alloc", "test", "panic_unwind", "__rustc", "rustc_demangle"];
        let start = function.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let krate = start.split("::").next().unwrap_or_default();
        if STD.contains(&krate) {
            return (FrameKind::Std, None);
        }
        let ours = self.roots.packages.iter().find(|package| package.name.replace('-', "_") == krate);
        match ours {
            Some(package) => (FrameKind::Workspace, Some(package.name.clone())),
            None => (FrameKind::Unknown, None),
        }
    }

    /// A line of a file that debug info names.
    pub(super) fn location(&mut self, file: &str, line: u32) -> Location {
        Location { file: self.path(file).0, line, column: 0 }
    }

    fn path(&mut self, raw: &str) -> (String, FrameKind, Option<String>) {
        if let Some(known) = self.paths.get(raw) {
            return known.clone();
        }
        let normalised = self.roots.normalise(raw, None);
        self.paths.insert(raw.to_owned(), normalised.clone());
        normalised
    }
}

/// What is active at an address.
pub(super) struct Active {
    pub(super) info: DebugInfo,
    pub(super) unit: Option<gimli::DebugInfoOffset>,
    pub(super) found: Vec<Found>,
    /// Why the unit's split debug info could not be had.
    pub(super) no_split: Option<String>,
}

pub(super) fn look_up(image: &'static Image, address: u64) -> Active {
    let info = image.debug_info();
    let mut active = Active { info, unit: None, found: Vec::new(), no_split: None };
    let Some(context) = image.context() else { return active };
    let unit = image.resolve(context.find_dwarf_and_unit(address));
    match unit.map(|unit| image.locate(&unit)) {
        Some(Ok(located)) => (active.info, active.unit) = (located.info, located.unit),
        Some(Err(reason)) => active.no_split = Some(reason),
        None => {}
    }
    let Ok(mut frames) = image.resolve(context.find_frames(address)) else { return active };
    while let Ok(Some(frame)) = frames.next() {
        let place =
            frame.location.and_then(|at| Some((at.file?.to_owned(), at.line, at.column.unwrap_or(0))));
        active.found.push(Found { entry: frame.dw_die_offset, place });
        if active.found.len() >= MOST_INLINED {
            break;
        }
    }
    active
}

/// What runs before `main`, the C `main` that rustc makes, and its `__rust_try` around it.
fn is_start_code(image: &Image, function: &str) -> bool {
    const FUNCTIONS: [&str; 6] = [
        "_start",
        "main",
        "__libc_start_main",
        "__libc_start_main_impl",
        "__libc_start_call_main",
        "_start_c",
    ];
    const LIBRARIES: [&str; 7] = ["libc.", "libc-", "ld-", "libpthread", "libgcc_s", "libm.", "linux-vdso"];
    let name = image.name();
    function.starts_with("__rust_")
        || FUNCTIONS.contains(&function)
        || LIBRARIES.iter().any(|library| name.starts_with(library))
}
