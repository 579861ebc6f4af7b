//! What a panic says: its message and place as the default hook would print them, read from the arguments of
//! std's panic entry. Pure: registers, a rustc version and a [`Memory`] in, data out.

mod payload;

use std::path::Path;

pub use payload::{Origin, Payload};

use crate::memory::Memory;

/// A message longer than this is cut; nothing that a person reads is longer.
const MESSAGE_LIMIT: u64 = 256 << 10;
/// A source path longer than this is none.
const PATH_LIMIT: u64 = 4096;

/// `_Unwind_Exception::exception_class` of Rust's panics.
const EXCEPTION_CLASS: &[u8; 8] = b"MOZ\0RUST";
/// In an exception, after the unwinder's own part and std's mark: the payload as `Box<dyn Any>`.
const CAUSE_OFFSET: u64 = 40;
/// Bytes of the stack that are searched for the place of a panic: std's frames below it take a few hundred.
const SEARCHED_STACK: usize = 4096;

/// Minor version of rustc: 95 for 1.95.0.
pub type Minor = u16;

/// A place as compiled into the program: the file is what rustc was given, not yet a snapshot's path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PanicLocation {
    /// `src/main.rs`, `/home/…/.cargo/registry/src/…`, `/rustc/…/library/…`.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// The call of `panic_with_hook` (1.91 and newer) or `rust_panic_with_hook` (to 1.88), noted at its first
/// instruction. Its message may not be there yet: hooks ask for it, or nobody does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PanicCall {
    /// Address of the payload object.
    pub payload: u64,
    /// Address of its vtable as `dyn PanicPayload` (to 1.80 `dyn BoxMeUp`).
    pub vtable: u64,
    /// Where the panic was started.
    pub location: PanicLocation,
    /// Whether it may unwind; if not, the process ends with SIGABRT.
    pub can_unwind: bool,
    /// The shape of arguments and payloads.
    pub era: Era,
}

/// How std passes a panic on, by rustc version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Era {
    /// To 1.79: `message: Option<&Arguments>` before the location; a `String` is pointer, capacity, length.
    Rust175,
    /// 1.80: the same arguments; a `String` is capacity, pointer, length.
    Rust180,
    /// From 1.81: payload, vtable, location, `can_unwind`.
    Rust181,
}

impl Era {
    /// The era of a rustc version.
    pub fn of(minor: Minor) -> Era {
        match minor {
            ..80 => Era::Rust175,
            80 => Era::Rust180,
            81.. => Era::Rust181,
        }
    }
}

impl PanicCall {
    /// Reads the call from the integer arguments of the entry, in the order of the C calling convention.
    /// Without a version the location's own shape tells which register it came in.
    pub fn read(minor: Option<Minor>, arguments: [u64; 5], memory: &dyn Memory) -> Option<PanicCall> {
        let [payload, vtable, third, fourth, fifth] = arguments;
        let new = || {
            let location = PanicLocation::read(third, memory)?;
            Some(PanicCall { payload, vtable, location, can_unwind: fourth & 0xff != 0, era: Era::Rust181 })
        };
        let old = |era| {
            let location = PanicLocation::read(fourth, memory)?;
            Some(PanicCall { payload, vtable, location, can_unwind: fifth & 0xff != 0, era })
        };
        match minor.map(Era::of) {
            // The version is that of one of the image's objects: where it does not fit, the shape decides.
            Some(Era::Rust181) | None => new().or_else(|| old(Era::Rust180)),
            Some(era) => old(era).or_else(new),
        }
    }
}

impl PanicCall {
    /// The panic that an exception is raised for: its payload as the program will catch it, and as its place the
    /// first one that the stack refers to (`panic_with_hook` keeps it there); line 0 where there is none.
    pub fn raised(minor: Option<Minor>, exception: u64, sp: u64, memory: &dyn Memory) -> Option<PanicCall> {
        let mut class = [0; 8];
        memory.read(exception, &mut class).ok()?;
        (class == *EXCEPTION_CLASS).then_some(())?;
        let cause = exception.checked_add(CAUSE_OFFSET)?;
        let (payload, vtable) = (memory.read_u64(cause).ok()?, memory.read_u64(cause.checked_add(8)?).ok()?);
        let words =
            (0..SEARCHED_STACK as u64 / 8).map_while(|n| memory.read_u64(sp.checked_add(n * 8)?).ok());
        let pointers = words.filter(|word| *word != 0 && word.is_multiple_of(8));
        let mut places = pointers.filter_map(|word| PanicLocation::read(word, memory));
        let is_source =
            |file: &str| Path::new(file).extension().is_some_and(|e| e == "rs") && !file.contains('\n');
        let location = places.find(|place| is_source(&place.file));
        let nowhere = PanicLocation { file: String::new(), line: 0, column: 0 };
        let (location, era) = (location.unwrap_or(nowhere), minor.map_or(Era::Rust181, Era::of));
        Some(PanicCall { payload, vtable, location, can_unwind: true, era })
    }
}

impl PanicLocation {
    /// Reads a `core::panic::Location`: pointer and length of the file, line, column.
    pub fn read(address: u64, memory: &dyn Memory) -> Option<PanicLocation> {
        let mut bytes = [0; 24];
        memory.read(address, &mut bytes).ok()?;
        let word = |at: usize| bytes[at..at + 8].iter().rev().fold(0_u64, |n, b| n << 8 | u64::from(*b));
        let (pointer, len, place) = (word(0), word(8), word(16));
        if len == 0 || len > PATH_LIMIT {
            return None;
        }
        let (line, column) = (place as u32, (place >> 32) as u32);
        if line == 0 || column == 0 {
            return None;
        }
        let file = String::from_utf8(memory.read_vec(pointer, len as usize).ok()?).ok()?;
        // From 1.89 on the text is followed by a NUL, which the length does not count.
        (!file.contains('\0')).then_some(PanicLocation { file, line, column })
    }
}

/// The minor version in `rustc version 1.95.0 (59807616e 2026-04-14)`.
pub fn minor_version(producer: &str) -> Option<Minor> {
    let (_, version) = producer.split_once("rustc version 1.")?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}
