//! A program's file with some of its bytes changed, and a stack of it: frames, arguments, values, plans for the
//! functions' entries. The file is `fixtures/stack.rs`, built.

use std::path::Path;
use std::sync::OnceLock;

use object::{Object, ObjectSection};
use relapse_capture::arch::Registers;
use relapse_capture::image::{AddressSpace, Image, Mapped};
use relapse_capture::limits::Limits;
use relapse_capture::memory::Memory;
use relapse_capture::roots::Roots;
use relapse_capture::stack::{Moment, Stacks, Want};
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
const SECTIONS: [&str; 13] = [
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
];

struct Fixture {
    file: Vec<u8>,
    /// Where a change may be: the file's and the sections' headers, then the sections; first byte and length.
    parts: Vec<(usize, usize)>,
}

fn fixture() -> &'static Fixture {
    static FIXTURE: OnceLock<Fixture> = OnceLock::new();
    FIXTURE.get_or_init(|| {
        let file = file();
        let parsed = object::File::parse(&*file).expect("the fixture is an ELF file");
        let sections = SECTIONS.iter().filter_map(|name| parsed.section_by_name(name)?.file_range());
        let mut parts = vec![(0, 0x2a8), (file.len() - 41 * 64, 41 * 64)];
        parts.extend(sections.map(|(start, len)| (start as usize, len as usize)));
        drop(parsed);
        Fixture { file, parts }
    })
}

/// The unchanged file.
pub fn file() -> Vec<u8> {
    zstd::decode_all(&include_bytes!("../fixtures/stack.elf.zst")[..]).expect("the fixture can be unpacked")
}

/// An input of the target: no change, the registers and pieces of memory of a stopped process.
pub fn encode(bias: u64, registers: [u64; REGISTERS], pieces: &[u8]) -> Vec<u8> {
    let mut input = vec![0];
    input.extend(bias.to_le_bytes());
    input.extend(registers.iter().flat_map(|register| register.to_le_bytes()));
    input.extend(pieces);
    input
}

/// Changes the file and reads the stack.
pub fn body(data: &[u8]) {
    let mut input = Input(data);
    let patches = input.number::<1>();
    if patches == WHOLE_FILE {
        return read(input.0.to_vec(), 0, [0; REGISTERS], &Pieces::read(Input(&[])));
    }
    let (fixture, mut file) = (fixture(), Vec::new());
    file.extend_from_slice(&fixture.file);
    for _ in 0..patches % MOST_PATCHES {
        let (part, at) = (input.number::<1>() as usize, input.number::<2>() as usize);
        let (start, len) = fixture.parts[part % fixture.parts.len()];
        let count = input.number::<1>() as usize % 8 + 1;
        for (index, byte) in input.take(count).iter().enumerate() {
            file[start + (at + index) % len] = *byte;
        }
    }
    let bias = input.number::<8>();
    let registers = std::array::from_fn(|_| input.number::<8>());
    read(file, bias, registers, &Pieces::read(input));
}

/// Reads a stack by a file.
pub fn read(file: Vec<u8>, bias: u64, registers: [u64; REGISTERS], memory: &dyn Memory) {
    let bytes: &'static mut [u8] = file.leak();
    let at = &raw mut *bytes;
    if let Ok(image) = Image::from_bytes(bytes, Path::new("fixture")) {
        let image = Box::into_raw(Box::new(image));
        // SAFETY: it was just made, and nothing keeps it beyond `look`.
        look(unsafe { &*image }, bias, registers, memory);
        // SAFETY: it comes from a box, and is in use no more.
        drop(unsafe { Box::from_raw(image) });
    }
    // SAFETY: the same; a program keeps its images for good, a fuzzer's memory would not do for that.
    drop(unsafe { Box::from_raw(at) });
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
        let _ = stacks.entry_arguments(&space, &at, memory, moment, &mut types);
    }
}
