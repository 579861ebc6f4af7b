//! What only the images of the process tell: the types behind vtables, and the functions at addresses.

use std::collections::HashMap;

use relapse_capture::image::{AddressSpace, ImageCache, UnitCache};
use relapse_capture::limits::Limits;
use relapse_capture::memory::Memory;
use relapse_capture::place::Place;
use relapse_capture::values::Reader;
use relapse_snapshot::{Data, Trust, TypeKind, TypeTable, Value};

use super::debug::debug;
use super::recording::Recorder;
use super::zoo_process::Zoo;
use super::{fields, random, target};

/// Reads with the images of the program at hand.
fn with_images<T>(zoo: &Zoo, memory: &dyn Memory, read: impl FnOnce(&mut Reader<'_>) -> T) -> (TypeTable, T) {
    let space = AddressSpace::of_process(zoo.process(), &mut ImageCache::new()).unwrap();
    let image = space.images().iter().find(|mapped| mapped.image.has_debug_info()).unwrap().image;
    let (mut types, mut units, limits) = (TypeTable::default(), UnitCache::new(), Limits::default());
    let mut others: HashMap<usize, UnitCache> = HashMap::new();
    let reader = Reader::new(&image.dwarf, memory, &limits, &mut types, &mut units);
    let result = read(&mut reader.among(&space, image.debug_info(), &mut others));
    (types, result)
}

fn read_all(zoo: &Zoo, names: &[&str]) -> (TypeTable, Vec<Value>) {
    with_images(zoo, &zoo.memory, |reader| {
        names.iter().map(|name| reader.read(zoo.types[*name], &Place::Memory(zoo.shown[*name].0))).collect()
    })
}

fn trait_objects_match_their_debug_text(options: &[&str]) {
    let zoo = Zoo::start_program("objects.rs", options);
    let shown: Vec<_> = zoo.shown.iter().filter(|(_, (_, text))| text != "-").collect();
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    let (types, values) = read_all(&zoo, &names);
    let mut wrong = Vec::new();
    for ((name, (_, text)), value) in shown.iter().zip(&values) {
        let seen = debug(&types, value);
        // A text made an error has a name, which its `Debug` does not say.
        let seen = seen.strip_prefix("StringError(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(&seen);
        if seen != *text || value.worst_trust() != Trust::AtCrash {
            wrong.push(format!("{name}: {}\n   printed {text}\n   read    {seen}", types.name(value.ty)));
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(values.len() >= 12);
}

#[test]
fn trait_objects_are_read_as_the_program_prints_them() {
    trait_objects_match_their_debug_text(&["-g"]);
}

#[test]
fn trait_objects_of_optimised_builds_are_read_as_the_program_prints_them() {
    trait_objects_match_their_debug_text(&["-g", "-O"]);
    trait_objects_match_their_debug_text(&["-g", "-O", "-Clto=fat", "-Cdwarf-version=5"]);
}

#[test]
fn trait_objects_have_their_concrete_types() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let (types, values) = read_all(&zoo, &["z_reference", "z_cell", "z_mutex", "z_raw", "z_pin"]);
    let name = |value: &Value| types.name(target(value).unwrap().ty).to_owned();
    assert_eq!(name(&values[0]), "objects::Circle");
    assert_eq!(name(&values[1]), "core::cell::RefCell<objects::Wide>");
    assert!(name(&values[2]).ends_with("::Mutex<objects::Circle>"), "{}", name(&values[2]));
    assert_eq!(name(&values[3]), "objects::Circle");
    assert_eq!(name(&fields(&values[4])[0].value), "objects::Circle");
}

#[test]
fn only_the_parameter_of_the_tail_becomes_concrete() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let (types, values) = read_all(&zoo, &["z_tailed", "z_two_alike"]);
    let tailed = target(&values[0]).unwrap();
    assert_eq!(types.name(tailed.ty), "objects::Tailed<dyn objects::Mark, objects::Circle>");
    let TypeKind::Struct { params, .. } = &types.get(tailed.ty).unwrap().kind else { panic!("{tailed:?}") };
    let params: Vec<&str> = params.iter().map(|param| types.name(*param)).collect();
    assert_eq!(params, ["dyn objects::Mark", "objects::Circle"]);
    assert_eq!(debug(&types, &fields(tailed)[1].value), "Circle { r: 21 }");
    let Data::Missing(reason) = &target(&values[1]).unwrap().data else { panic!("{:?}", values[1]) };
    assert!(reason.contains("which of the two dyn objects::Shape"), "{reason}");
}

/// rustc gives equal vtables one address, and debug info it to one of them.
#[test]
fn types_that_share_a_vtable_are_not_told_apart() {
    let zoo = Zoo::start_program("objects.rs", &["-g", "-Ccodegen-units=1"]);
    let (types, values) = read_all(&zoo, &["z_first", "z_second", "z_third"]);
    for value in &values[..2] {
        let Data::Missing(reason) = &target(value).unwrap().data else { panic!("it was read: {value:?}") };
        assert!(reason.starts_with("several types share its vtable: objects::"), "{reason}");
        assert_eq!(value.worst_trust(), Trust::Unreadable);
    }
    assert_eq!(debug(&types, &values[2]), "Third(3)");
}

#[test]
fn what_is_no_vtable_is_not_read_as_one() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let (die, address) = (zoo.types["z_reference"], zoo.shown["z_reference"].0);
    let pointer = zoo.memory.read_u64(address).unwrap();
    let vtable = zoo.memory.read_u64(address + 8).unwrap();
    let reasons = [(8, "there is no image at 0x8"), (vtable + 1, "there is no vtable at"), (vtable + 24, "")];
    for (wrong, expected) in reasons {
        let bytes = [pointer.to_le_bytes(), wrong.to_le_bytes()].concat();
        let place = Place::Bytes(bytes.into_iter().map(Some).collect());
        let (_, value) = with_images(&zoo, &zoo.memory, |reader| reader.read(die, &place));
        let Data::Missing(reason) = &target(&value).unwrap().data else { panic!("it was read: {value:?}") };
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[test]
fn function_pointers_lead_to_their_functions() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let (types, values) = read_all(&zoo, &["z_triple", "z_widened", "z_in_c", "z_of_trait"]);
    let names: Vec<_> = values.iter().map(|value| types.name(target(value).unwrap().ty)).collect();
    let expected = [
        "{fn objects::triple}",
        "{fn objects::widened::<u32>}",
        "{fn objects::in_c}",
        "{fn <objects::Circle as objects::Shape>::area}",
    ];
    assert_eq!(names, expected);
    assert!(values.iter().all(|value| value.worst_trust() == Trust::AtCrash));
}

/// An optimiser makes one of equal functions, which has one name.
#[test]
fn functions_that_may_have_been_merged_are_suspect() {
    for options in [&["-g", "-O"][..], &["-g", "-O", "-Clto=fat", "-Cdwarf-version=5"]] {
        let zoo = Zoo::start_program("objects.rs", options);
        let (_, values) = read_all(&zoo, &["z_equal", "z_alike"]);
        assert_eq!(values[0].data, values[1].data, "they are one function");
        for value in &values {
            assert_eq!(target(value).unwrap().trust, Trust::Suspect, "{options:?}");
        }
    }
}

/// Linkers merge equal functions as well, which keep their symbols.
#[test]
fn functions_that_share_an_address_have_no_name() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let (_, values) = read_all(&zoo, &["z_shared"]);
    assert!(matches!(values[0].data, Data::Pointer { to: None, address } if address != 0));
}

#[test]
fn unions_are_read_where_any_field_is_right() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let (_, values) = read_all(&zoo, &["z_numbers", "z_part", "z_flag"]);
    let [only] = fields(&values[0]) else { panic!("{:?}", values[0]) };
    assert_eq!((only.name.as_str(), &only.value.data), ("int", &Data::Uint(0x3fc0_0000)));
    for value in &values[1..] {
        assert_eq!(value.data, Data::Missing("a union: nothing says which field is in use".to_owned()));
    }
}

/// Whatever lies where a number may be is one.
#[test]
fn a_maybe_uninit_is_read_where_any_bytes_would_do() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let (_, values) = read_all(&zoo, &["z_uninit", "z_uninit_bool"]);
    let [only] = fields(&values[0]) else { panic!("{:?}", values[0]) };
    let Data::Sequence { items, .. } = &only.value.data else { panic!("{only:?}") };
    let numbers: Vec<&Data> = items.iter().map(|item| &item.data).collect();
    assert_eq!((only.name.as_str(), numbers), ("value", vec![&Data::Uint(7), &Data::Uint(8)]));
    assert!(matches!(&values[1].data, Data::Missing(reason) if reason.contains("MaybeUninit")));
}

#[test]
fn hostile_vtables_neither_panic_nor_hang() {
    let zoo = Zoo::start_program("objects.rs", &["-g"]);
    let recorder = Recorder::new(&zoo.memory);
    let places: Vec<_> = zoo.shown.iter().map(|(name, (address, _))| (zoo.types[name], *address)).collect();
    with_images(&zoo, &recorder, |reader| {
        for (die, address) in &places {
            reader.read(*die, &Place::Memory(*address));
        }
    });
    let recording = recorder.into_recording();
    let mut random = random();
    for _ in 0..60 {
        let mut memory = recording.clone();
        for _ in 0..20 {
            let at = memory.nth(random() >> 1) & !7;
            let word = if random().is_multiple_of(2) {
                memory.nth(random() >> 1)
            } else {
                random() >> (random() % 64)
            };
            word.to_le_bytes().iter().zip(at..).for_each(|(byte, at)| memory.write(at, *byte));
        }
        with_images(&zoo, &memory, |reader| {
            for (die, address) in &places {
                reader.read(*die, &Place::Memory(*address));
            }
        });
    }
}
