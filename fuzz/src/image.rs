//! A program's files with some of their bytes changed, and a stack of it: frames, arguments, values, plans for the
//! functions' entries. The program is `fixtures/stack.rs`, built in several ways.

use std::path::Path;
use std::sync::OnceLock;

use object::{Object, ObjectSection};
use relapse_capture::arch::Registers;
use relapse_capture::image::{AddressSpace, Image, Mapped, Parts};
use relapse_capture::limits::Limits;
use relapse_capture::memory::Memory;
use relapse_capture::roots::Roots;
use relapse_capture::stack::{Extent, Moment, Stacks, Want};
use relapse_snapshot::TypeTable;

use crate::memory::{Input, Pieces};

/// General registers and `rip`, by their DWARF numbers.
pub const REGISTERS: usize = 17;
/// Changes of the file.
const MOST_PATCHES: u64 = 32;
/// In place of a number of changes: the input is a whole file.
const WHOLE_FILE: u64 = 0xff;
/// Functions of which plans are made.
const MOST_FUNCTIONS: usize = 3;
const SECTIONS: [&str; 33] = [
    ".debug_info",
    ".debug_abbrev",
    ".debug_loc",
    ".debug_ranges",
    ".debug_line",
    ".debug_str",
    ".debug_aranges",
    ".eh_frame",
    ".eh_frame_hdr",
    ".symtab",
    ".strtab",
    ".comment",
    ".note.gnu.build-id",
    // Those that DWARF 4 does not have come after them, so that old inputs change what they changed.
    ".debug_addr",
    ".debug_line_str",
    ".debug_loclists",
    ".debug_rnglists",
    ".debug_str_offsets",
    ".debug_cu_index",
    ".debug_tu_index",
    ".debug_info.dwo",
    ".debug_abbrev.dwo",
    ".debug_line.dwo",
    ".debug_loclists.dwo",
    ".debug_rnglists.dwo",
    ".debug_str.dwo",
    ".debug_str_offsets.dwo",
    ".gnu_debuglink",
    ".gnu_debugaltlink",
    ".debug_frame",
    ".debug_types",
    ".debug_loc.dwo",
    ".debug_types.dwo",
];

/// A program that inputs change: its files, and what is done with them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Program {
    /// DWARF 4.
    Plain,
    /// DWARF 5.
    Five,
    /// DWARF 5, and its units are in a package.
    Split,
}

impl Program {
    /// All of them.
    pub const ALL: [Program; 3] = [Program::Plain, Program::Five, Program::Split];

    /// Its name among the fixtures.
    pub fn name(self) -> &'static str {
        match self {
            Program::Plain => "stack",
            Program::Five => "stack-5",
            Program::Split => "stack-split",
        }
    }

    /// In place of a number of changes, which follows: it is this program that is changed.
    fn mark(self) -> Option<u8> {
        match self {
            Program::Plain => None,
            Program::Five => Some(0xfd),
            Program::Split => Some(0xfc),
        }
    }

    fn fixture(self) -> &'static Fixture {
        static FIXTURES: [OnceLock<Fixture>; 3] = [const { OnceLock::new() }; 3];
        FIXTURES[self as usize].get_or_init(|| Fixture::of(self))
    }

    /// Its unchanged files: the program, and its package.
    pub fn files(self) -> Vec<Vec<u8>> {
        let packed: &[&[u8]] = match self {
            Program::Plain => &[include_bytes!("../fixtures/stack.elf.zst")],
            Program::Five => &[include_bytes!("../fixtures/stack-5.elf.zst")],
            Program::Split => &[
                include_bytes!("../fixtures/stack-split.elf.zst"),
                include_bytes!("../fixtures/stack-split.dwp.zst"),
            ],
        };
        let unpack = |file: &&[u8]| zstd::decode_all(*file).expect("the fixture can be unpacked");
        packed.iter().map(unpack).collect()
    }
}

struct Fixture {
    files: Vec<Vec<u8>>,
    /// Where a change may be: each file's and its sections' headers, then its sections; the file's number, first byte
    /// and length.
    parts: Vec<(usize, usize, usize)>,
}

impl Fixture {
    fn of(program: Program) -> Fixture {
        const HEADER: usize = 64;
        let (files, mut parts) = (program.files(), Vec::new());
        for (number, file) in files.iter().enumerate() {
            let parsed = object::File::parse(&**file).expect("the fixture is an ELF file");
            let word = |at| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
            let (segments, sections) = (word(0x38) * 56, word(0x3c) * 64);
            parts.extend([(number, 0, HEADER + segments), (number, file.len() - sections, sections)]);
            let ranges = SECTIONS.iter().filter_map(|name| parsed.section_by_name(name)?.file_range());
            let ranges = ranges.filter(|(_, len)| *len > 0);
            parts.extend(ranges.map(|(start, len)| (number, start as usize, len as usize)));
        }
        Fixture { files, parts }
    }
}

/// An input of the target: no change, the registers and pieces of memory of a stopped process.
pub fn encode(program: Program, bias: u64, registers: [u64; REGISTERS], pieces: &[u8]) -> Vec<u8> {
    let mut input: Vec<u8> = program.mark().into_iter().chain([0]).collect();
    input.extend(bias.to_le_bytes());
    input.extend(registers.iter().flat_map(|register| register.to_le_bytes()));
    input.extend(pieces);
    input
}

/// Changes the files and reads the stack.
pub fn body(data: &[u8]) {
    let mut input = Input(data);
    let mut patches = input.number::<1>();
    if patches == WHOLE_FILE {
        return read(vec![input.0.to_vec()], 0, [0; REGISTERS], &Pieces::read(Input(&[])));
    }
    let marked = |program: &Program| program.mark().is_some_and(|mark| u64::from(mark) == patches);
    let program = Program::ALL.into_iter().find(marked).unwrap_or(Program::Plain);
    if program != Program::Plain {
        patches = input.number::<1>();
    }
    let fixture = program.fixture();
    let mut files = fixture.files.clone();
    for _ in 0..patches % MOST_PATCHES {
        let (part, at) = (input.number::<1>() as usize, input.number::<2>() as usize);
        let (file, start, len) = fixture.parts[part % fixture.parts.len()];
        let count = input.number::<1>() as usize % 8 + 1;
        for (index, byte) in input.take(count).iter().enumerate() {
            files[file][start + (at + index) % len] = *byte;
        }
    }
    let bias = input.number::<8>();
    let registers = std::array::from_fn(|_| input.number::<8>());
    read(files, bias, registers, &Pieces::read(input));
}

/// Reads a stack by a program's file, and by its package where there is one.
pub fn read(files: Vec<Vec<u8>>, bias: u64, registers: [u64; REGISTERS], memory: &dyn Memory) {
    let files: Vec<*mut [u8]> = files.into_iter().map(|file| &raw mut *file.leak()).collect();
    // SAFETY: they are freed below, when nothing uses them any more.
    let bytes = |number: usize| files.get(number).map(|file| unsafe { &**file });
    let parts = Parts { program: bytes(0).unwrap_or_default(), package: bytes(1), ..Parts::default() };
    if let Ok(image) = Image::from_parts(&parts, Path::new("fixture")) {
        let image = Box::into_raw(Box::new(image));
        // SAFETY: it was just made, and nothing that is used keeps it beyond `look`.
        look(unsafe { &*image }, bias, registers, memory);
        // SAFETY: it comes from a box, and is in use no more.
        drop(unsafe { Box::from_raw(image) });
    }
    for file in files {
        // SAFETY: the same; a program keeps its images for good, a fuzzer's memory would not do for that.
        drop(unsafe { Box::from_raw(file) });
    }
}

fn look(image: &'static Image, bias: u64, registers: [u64; REGISTERS], memory: &dyn Memory) {
    let _ = (image.rustc_version(), image.build_id(), image.has_symbol_table());
    let functions = image.find_symbols("", |name| !name.is_empty());
    let end = image.segments().iter().map(|s| s.address.saturating_add(s.len)).max().unwrap_or(0);
    let range = bias..bias.wrapping_add(end);
    let space = AddressSpace::of_images([Mapped { image, bias, range }]);
    let limits = Limits { depth: 16, elements: 64, bytes: 4096, nodes: 2000, frames: 64 };
    let mut stacks = Stacks::new(Roots::default(), limits.clone());
    let (mut types, mut notes) = (TypeTable::default(), Vec::new());
    let mut at = Registers::unknown();
    for (number, value) in registers.into_iter().enumerate() {
        at.set(number as u16, value);
    }
    let frames = stacks.frames(&space, &at, memory, Want::Values, &mut types, &mut notes);
    assert!(frames.len() <= limits.frames as usize);
    for argument in frames.iter().flat_map(|frame| &frame.arguments) {
        assert!(argument.value.nodes() <= limits.nodes * 2);
    }
    for symbol in functions.iter().take(MOST_FUNCTIONS) {
        let plan = stacks.entry_plan(image, symbol);
        let Some(plan) = plan else { continue };
        at.set(16, bias.wrapping_add(*plan.stops.last().unwrap_or(&plan.first)));
        let moment = Moment::Entry { first: plan.first, prologue_end: plan.prologue_end };
        for extent in [Extent::All, Extent::NotReceiver] {
            let _ = stacks.entry_frame(&space, &at, memory, (moment, extent), &mut types);
        }
    }
}

#[cfg(test)]
mod tests {
    use relapse_capture::memory::Unreadable;

    use super::*;

    #[test]
    fn every_program_has_the_arguments_of_its_functions() {
        struct Nothing;
        impl Memory for Nothing {
            fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
                Err(Unreadable { address, len: buffer.len() })
            }
        }
        for program in Program::ALL {
            let files: Vec<&'static [u8]> = program.files().into_iter().map(|file| &*file.leak()).collect();
            let parts = Parts { program: files[0], package: files.get(1).copied(), ..Parts::default() };
            let image = Image::from_parts(&parts, Path::new("fixture")).expect("it is an ELF file");
            let image: &'static Image = Box::leak(Box::new(image));
            let symbols = image.find_symbols("innermost", |name| name == "stack::innermost");
            let mut at = Registers::unknown();
            at.set(16, symbols[0].address + 1);
            let space = AddressSpace::of_images([Mapped { image, bias: 0, range: 0..u64::MAX }]);
            let mut stacks = Stacks::new(Roots::default(), Limits::default());
            let (mut types, mut notes) = (TypeTable::default(), Vec::new());
            let frames = stacks.frames(&space, &at, &Nothing, Want::Values, &mut types, &mut notes);
            let names: Vec<&str> = frames[0].arguments.iter().map(|argument| &*argument.name).collect();
            assert_eq!(names, ["row", "index", "kind"], "{program:?}: {notes:?}");
        }
    }
}
