//! Values of known types in memory that holds anything. The types are those of `fixtures/values.rs`, built; only
//! its debug info is kept.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use gimli::{AttributeValue, constants};
use relapse_capture::image::{DieRef, Image, UnitCache};
use relapse_capture::limits::Limits;
use relapse_capture::memory::Memory;
use relapse_capture::place::Place;
use relapse_capture::values::Reader;
use relapse_snapshot::{Argument, Frame, TypeTable};

use crate::memory::{Input, Pieces};
use crate::snapshot::{self, WAYS};

thread_local! {
    // What was read of the types serves the next input, as it serves the next value in the program.
    static UNITS: RefCell<UnitCache> = RefCell::default();
    // An image is no thing for several threads; the program never unloads one, either.
    static FIXTURE: &'static Fixture = Box::leak(Box::new(Fixture::load()));
}

/// The debug info, and its types by the names of the variables that have them.
struct Fixture {
    image: Image,
    types: BTreeMap<String, DieRef>,
}

impl Fixture {
    fn load() -> Fixture {
        let file = zstd::decode_all(&include_bytes!("../fixtures/values.elf.zst")[..]);
        let file = file.expect("the fixture can be unpacked").leak();
        let image = Image::from_bytes(file, Path::new("fixture")).expect("the fixture is an ELF file");
        let types = variables(&image).expect("the fixture's debug info is whole");
        Fixture { image, types }
    }
}

/// The names of the variables; an input has the number of one.
pub fn names() -> Vec<String> {
    FIXTURE.with(|fixture| fixture.types.keys().cloned().collect())
}

/// An input of the target: the variable of this number lies at an address, with pieces of memory.
pub fn encode(number: usize, address: u64, pieces: &[u8]) -> Vec<u8> {
    [&[number as u8][..], &address.to_le_bytes(), pieces].concat()
}

/// Reads a value.
pub fn body(data: &[u8]) {
    let mut input = Input(data);
    let (number, address) = (input.number::<1>() as usize, input.number::<8>());
    read(number, address, &Pieces::read(input));
}

/// Reads a value, shows it, and writes it as an expression in one of the ways.
pub fn read(number: usize, address: u64, memory: &dyn Memory) {
    let fixture = FIXTURE.with(|fixture| *fixture);
    let Some(die) = fixture.types.values().nth(number % fixture.types.len()) else { return };
    let limits = Limits { depth: 24, elements: 256, bytes: 4096, nodes: 2000, frames: 8 };
    let mut types = TypeTable::default();
    let value = UNITS.with_borrow_mut(|units| {
        let mut reader = Reader::new(&fixture.image.dwarf, memory, &limits, &mut types, units);
        reader.read(*die, &Place::Memory(address))
    });
    // Each node has leaves of its own where it could not be read.
    assert!(value.nodes() <= limits.nodes * 2, "{} nodes", value.nodes());
    let argument = Argument { name: "value".to_owned(), value };
    let frame = Frame { arguments: vec![argument], ..Frame::default() };
    snapshot::show(&frame, &types);
    snapshot::write(&frame, &types, WAYS[address as usize % WAYS.len()]);
}

/// The type of every variable whose name starts with `z_`.
fn variables(image: &Image) -> Result<BTreeMap<String, DieRef>, gimli::Error> {
    let (mut found, mut headers) = (BTreeMap::new(), image.dwarf.units());
    while let Some(header) = headers.next()? {
        let Some(at) = header.debug_info_offset() else { continue };
        let unit = image.dwarf.unit(header)?;
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs()? {
            let (Some(name), Some(AttributeValue::UnitRef(ty))) =
                (entry.attr_value(constants::DW_AT_name), entry.attr_value(constants::DW_AT_type))
            else {
                continue;
            };
            let name = image.dwarf.attr_string(&unit, name)?.to_string_lossy().into_owned();
            if entry.tag() == constants::DW_TAG_variable && name.starts_with("z_") {
                found.insert(name, DieRef { unit: at, entry: ty });
            }
        }
    }
    Ok(found)
}
