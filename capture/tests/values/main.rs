//! Values read from a live program, compared with what the program itself prints of them.

mod debug;
mod zoo_process;

use relapse_capture::image::UnitCache;
use relapse_capture::limits::Limits;
use relapse_capture::place::Place;
use relapse_capture::values::Reader;
use relapse_snapshot::{Trust, TypeTable};

use debug::debug;
use zoo_process::Zoo;

/// Every value that the zoo prints by `Debug` is read as it prints it.
fn values_match_their_debug_text(options: &[&str]) {
    let zoo = Zoo::start(options);
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let limits = Limits::default();
    let mut reader = Reader::new(&zoo.dwarf, &zoo.memory, &limits, &mut types, &mut units);
    let mut read = Vec::new();
    for (name, (address, text)) in zoo.shown.iter().filter(|(_, (_, text))| text != "-") {
        let die = zoo.types.get(name).unwrap_or_else(|| panic!("no variable {name}"));
        read.push((name, text, reader.read(*die, &Place::Memory(*address))));
    }
    let mut wrong = Vec::new();
    for (name, text, value) in &read {
        let seen = debug(&types, value);
        if seen != **text || value.worst_trust() != Trust::AtCrash {
            wrong.push(format!("{name}: {}\n   printed {text}\n   read    {seen}", types.name(value.ty)));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), read.len(), wrong.join("\n"));
    assert!(read.len() > 100);
}

#[test]
fn debug_builds_are_read_as_the_program_prints_them() {
    values_match_their_debug_text(&["-g"]);
}

#[test]
fn optimised_builds_are_read_as_the_program_prints_them() {
    values_match_their_debug_text(&["-g", "-O"]);
}
