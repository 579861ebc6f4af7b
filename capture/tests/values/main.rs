//! Values read from a live program, compared with what the program itself prints of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod debug;
mod graphs;
mod readers;
mod recording;
mod trait_objects;
mod zoo_process;

use std::cell::RefCell;

use relapse_capture::image::UnitCache;
use relapse_capture::limits::Limits;
use relapse_capture::memory::Memory;
use relapse_capture::place::Place;
use relapse_capture::values::Reader;
use relapse_snapshot::{Data, Field, StdType, Trust, TypeId, TypeKind, TypeTable, Value};

use debug::debug;
use recording::Recorder;
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

/// Here type entries are referred to across units.
#[test]
fn builds_with_lto_and_dwarf_5_are_read_as_the_program_prints_them() {
    values_match_their_debug_text(&["-g", "-O", "-Clto=fat", "-Cdwarf-version=5"]);
}

/// Reads the variables of these names in one zoo.
fn read_all(zoo: &Zoo, names: &[&str]) -> (TypeTable, Vec<Value>) {
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let limits = Limits::default();
    let mut reader = Reader::new(&zoo.dwarf, &zoo.memory, &limits, &mut types, &mut units);
    let read = |name: &&str| reader.read(zoo.types[*name], &Place::Memory(zoo.shown[*name].0));
    let values = names.iter().map(read).collect();
    (types, values)
}

fn read_one(zoo: &Zoo, name: &str) -> (TypeTable, Value) {
    let (types, mut values) = read_all(zoo, &[name]);
    (types, values.remove(0))
}

fn fields(value: &Value) -> &[Field] {
    match &value.data {
        Data::Struct(fields) | Data::Variant { fields, .. } => fields,
        data => panic!("no fields: {data:?}"),
    }
}

fn target(value: &Value) -> Option<&Value> {
    match &value.data {
        Data::Pointer { to, .. } => to.as_deref(),
        data => panic!("no pointer: {data:?}"),
    }
}

#[test]
fn limits_cut_values_off_and_say_so() {
    let zoo = Zoo::start(&["-g"]);
    let names = ["z_long", "z_many", "z_huge", "z_many_keys", "z_many_sorted", "z_chain", "z_ring"];
    let (_, values) = read_all(&zoo, &names);
    for (name, value) in names.iter().zip(&values).take(6) {
        assert_eq!(value.worst_trust(), Trust::Truncated, "{name}");
    }
    assert!(matches!(&values[0].data, Data::Text { text, len: 3_000_000 } if text.len() == 1 << 20));
    assert!(matches!(&values[1].data, Data::Sequence { items, len: 20_000 } if items.len() == 4096));
    assert!(matches!(&values[2].data, Data::Bytes { bytes, len: 0x20_0000 } if bytes.len() == 1 << 20));
    assert!(matches!(&values[3].data, Data::Map { entries, len: 20_000 } if entries.len() == 4096));
    let Data::Map { entries, len: 20_000 } = &values[4].data else { panic!("no map") };
    let keys: Vec<_> = entries.iter().map(|(key, _)| key.data.clone()).collect();
    assert_eq!(keys, (0..4096).map(Data::Uint).collect::<Vec<_>>());
    assert!(
        (90_000..110_000).contains(&values[5].nodes()),
        "a list of 10⁶ nodes is read to the limit of nodes only"
    );
    assert!(
        values[6].nodes() < 12 && values[6].worst_trust() == Trust::AtCrash,
        "a ring is read once around"
    );
}

#[test]
fn a_large_array_in_place_is_read_whole() {
    let zoo = Zoo::start(&["-g"]);
    let (_, value) = read_one(&zoo, "z_in_place");
    assert_eq!(value.data, Data::Bytes { bytes: vec![1; 70_000], len: 70_000 });
    assert_eq!(value.trust, Trust::AtCrash);
}

#[test]
fn pointers_without_a_known_target_keep_their_address() {
    let zoo = Zoo::start(&["-g"]);
    let names = ["z_null", "z_wild"];
    let (_, values) = read_all(&zoo, &names);
    for (name, value) in names.iter().zip(&values) {
        assert_eq!((target(value), value.trust), (None, Trust::AtCrash), "{name}");
    }
    let (types, values) = read_all(&zoo, &["z_dyn", "z_box_dyn", "z_rc_dyn"]);
    for value in &values {
        assert_eq!(target(value).unwrap().trust, Trust::Unreadable, "the images are not at hand");
    }
    let TypeKind::Reference { to, mutable: false } = types.get(values[0].ty).unwrap().kind else { panic!() };
    assert_eq!((types.name(to), &types.get(to).unwrap().kind), ("dyn zoo::Speak", &TypeKind::Dyn));
    let (types, values) = read_all(&zoo, &["z_raw", "z_raw_slice", "z_exclusive"]);
    let targets: Vec<_> = values.iter().map(|value| debug(&types, target(value).unwrap())).collect();
    assert_eq!(targets, ["Pair(1, \"raw\")", "[1, 2]", "3"]);
}

#[test]
fn closures_and_function_items_are_told_from_pointers() {
    let zoo = Zoo::start(&["-g"]);
    let (types, values) = read_all(&zoo, &["z_closure", "z_item", "z_pointer"]);
    assert_eq!(debug(&types, &values[0]), "{closure_env#0} { q: 5, text: \"captured\" }");
    assert!(matches!(types.get(values[0].ty).unwrap().kind, TypeKind::Closure { .. }));
    let item = &fields(&values[1])[1].value;
    assert_eq!((types.name(item.ty), &item.data), ("{fn(u8) -> u8}", &Data::Struct(Vec::new())));
    let pointer = &fields(&values[2])[1].value;
    assert_eq!(types.get(pointer.ty).unwrap().kind, TypeKind::FunctionPointer);
    assert!(matches!(pointer.data, Data::Pointer { address: 1.., to: None }));
    assert_eq!(debug(&types, &fields(&values[2])[2].value), "2");
    let (types, values) = read_all(&zoo, &["z_marked", "z_marked_item"]);
    let kinds: Vec<_> =
        values.iter().map(|value| &types.get(fields(value)[1].value.ty).unwrap().kind).collect();
    assert_eq!(
        kinds,
        [&TypeKind::FunctionPointer, &TypeKind::Closure { captures: Vec::new(), written: None }]
    );
}

#[test]
fn structs_with_an_unsized_tail_are_read_to_their_length() {
    let zoo = Zoo::start(&["-g"]);
    let (types, values) = read_all(&zoo, &["z_unsized", "z_my_path", "z_c_str"]);
    let texts: Vec<_> = values.iter().map(|value| debug(&types, value)).collect();
    assert_eq!(
        texts,
        ["Unsized { first: 3, tail: [10, 20] }", "MyPath(\"mine\")", "CStr { inner: [99, 0] }"]
    );
    assert!(types.find("[u16]").is_some());
}

#[test]
fn locks_and_cells_tell_their_state() {
    let zoo = Zoo::start(&["-g"]);
    let (_, values) = read_all(&zoo, &["z_borrowed", "z_mutably"]);
    let states = values.iter().map(|value| match value.data {
        Data::Cell { state, .. } => state,
        _ => panic!("no cell"),
    });
    assert_eq!(states.collect::<Vec<_>>(), [1, -1]);
    let (_, arc) = read_one(&zoo, "z_poisoned");
    assert!(matches!(target(&arc).unwrap().data, Data::Cell { poisoned: true, state: 0, .. }));
}

#[test]
fn futures_and_other_odd_values_are_read() {
    let zoo = Zoo::start(&["-g"]);
    let (types, values) = read_all(&zoo, &["z_future", "z_not_utf8", "z_union", "z_heap", "z_unsafe_cell"]);
    let texts: Vec<_> = values.iter().map(|value| debug(&types, value)).collect();
    assert_eq!(
        texts,
        [
            "Unresumed { number: 5, text: \"later\" }",
            "[102, 255]",
            "Either { a: 1 }",
            "BinaryHeap { data: [2, 1] }",
            "4",
        ]
    );
}

#[test]
fn shapes_have_full_names_and_what_dwarf_leaves_to_the_name() {
    let zoo = Zoo::start(&["-g"]);
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let limits = Limits::default();
    let mut reader = Reader::new(&zoo.dwarf, &zoo.memory, &limits, &mut types, &mut units);
    let mut shape = |name: &str| reader.shape(zoo.types[name]);
    let (cows, rc_str, rc_path, points) =
        (shape("z_cows"), shape("z_rc_str"), shape("z_rc_path"), shape("z_points"));
    let (map, nested, list, generic) =
        (shape("z_map"), shape("z_nested"), shape("z_list"), shape("z_generic"));
    let nonzero = shape("z_nonzero");

    assert_eq!(types.name(cows), "[alloc::borrow::Cow<str>; 2]");
    let TypeKind::Array { of: cow, len: 2 } = types.get(cows).unwrap().kind else { panic!() };
    let TypeKind::Enum { params, variants } = &types.get(cow).unwrap().kind else { panic!() };
    assert_eq!(types.get(params[0]).unwrap().kind, TypeKind::Str);
    assert_eq!(
        variants.iter().map(|v| (v.name.as_str(), v.tuple)).collect::<Vec<_>>(),
        [("Borrowed", true), ("Owned", true)]
    );
    let std = |id: TypeId| match &types.get(id).unwrap().kind {
        TypeKind::Std { std, params } => (*std, params.iter().map(|id| types.name(*id)).collect::<Vec<_>>()),
        kind => panic!("{kind:?}"),
    };
    assert_eq!(std(rc_str), (StdType::Rc, vec!["str"]));
    assert_eq!(std(rc_path), (StdType::Rc, vec!["std::path::Path"]));
    assert_eq!(std(map), (StdType::HashMap, vec!["alloc::string::String", "u32"]));
    assert_eq!(std(nonzero), (StdType::NonZero, vec!["u32"]));
    assert_eq!(types.name(nested), "[[u8; 2]; 3]");

    let TypeKind::Array { of: point, .. } = types.get(points).unwrap().kind else { panic!() };
    assert_eq!(types.name(point), "zoo::inner::deep::Point");
    let TypeKind::Struct { fields, tuple: false, .. } = &types.get(point).unwrap().kind else { panic!() };
    let fields: Vec<_> = fields.iter().map(|f| (f.name.as_str(), types.name(f.ty))).collect();
    assert_eq!(fields, [("y", "i16"), ("x", "i32")], "fields are in declaration order");

    let TypeKind::Struct { fields, .. } = &types.get(list).unwrap().kind else { panic!() };
    let TypeKind::Enum { params, .. } = &types.get(fields[1].ty).unwrap().kind else { panic!() };
    assert_eq!(std(params[0]), (StdType::Box, vec!["zoo::List"]), "recursive types are filled in");
    assert_eq!(types.name(generic), "zoo::Generic<u16, 3>");
}

#[test]
fn missing_pieces_cost_only_their_own_fields() {
    let zoo = Zoo::start(&["-g"]);
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let limits = Limits::default();
    let (die, address) = (zoo.types["z_pair"], zoo.shown["z_pair"].0);
    let bytes = zoo.memory.read_vec(address, 32).unwrap();
    let mut reader = Reader::new(&zoo.dwarf, &zoo.memory, &limits, &mut types, &mut units);

    let whole: Vec<_> = bytes.iter().copied().map(Some).collect();
    let value = reader.read(die, &Place::Bytes(whole.clone()));
    let number = whole.iter().position(|byte| *byte == Some(200)).unwrap();
    let mut partly = whole.clone();
    partly[number] = None;
    let partly = reader.read(die, &Place::Bytes(partly));
    let short = reader.read(die, &Place::Bytes(whole[..8].to_vec()));
    let nowhere = reader.read(die, &Place::OptimizedOut);
    let unit = reader.read(zoo.types["z_unit_struct"], &Place::OptimizedOut);
    let unreadable = reader.read(die, &Place::Memory(8));

    assert_eq!(debug(&types, &value), "Pair(200, \"pair\")");
    assert_eq!(debug(&types, &partly), "Pair(<OptimizedOut: optimized out>, \"pair\")");
    assert!(fields(&short).iter().all(|field| field.value.trust == Trust::OptimizedOut));
    assert_eq!(nowhere.trust, Trust::OptimizedOut);
    assert_eq!((unit.trust, unit.data), (Trust::AtCrash, Data::Struct(Vec::new())));
    assert_eq!(unreadable.trust, Trust::Unreadable);
}

#[test]
fn older_layouts_are_read_and_unknown_ones_are_named() {
    let old = Zoo::start_program("old_alloc.rs", &["-g", "--crate-name", "alloc"]);
    let (types, values) = read_all(&old, &["z_vec", "z_string", "z_rc"]);
    let texts: Vec<_> = values.iter().map(|value| debug(&types, value)).collect();
    assert_eq!(texts, ["[1, 2]", "\"old\"", "7"]);
    assert_eq!(types.name(values[0].ty), "alloc::vec::Vec<u32, alloc::alloc::Global>");
    let (types, deque) = read_one(&old, "z_deque");
    let name = "alloc::collections::vec_deque::VecDeque<u8>";
    let reason = format!("<Unreadable: the layout of {name} is not known: it has no field `head`>");
    assert_eq!(debug(&types, &deque), reason);
}

#[test]
fn elements_in_room_of_a_fixed_size_are_those_that_are_there() {
    let room = Zoo::start_program("fixed_room.rs", &["-g", "--crate-name", "heapless"]);
    let (types, values) = read_all(&room, &["z_texts", "z_empty", "z_broken"]);
    let texts: Vec<_> = values.iter().map(|value| debug(&types, value)).collect();
    assert_eq!(texts[..2], ["[\"a\", \"b\"]", "[]"]);
    assert!(texts[2].starts_with("<Unreadable: 3 elements in ["), "{}", texts[2]);
}

/// The same numbers every time (xorshift).
fn random() -> impl FnMut() -> u64 {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    }
}

/// A process may hold anything: whatever its bytes are, reading ends soon and without a panic.
#[test]
fn hostile_memory_neither_panics_nor_hangs() {
    survives_hostile_memory(&Zoo::start(&["-g"]), 4_000);
}

fn survives_hostile_memory(zoo: &Zoo, rounds: u32) {
    let recorder = Recorder::new(&zoo.memory);
    let limits = Limits { nodes: 3_000, bytes: 1 << 16, ..Limits::default() };
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let places: Vec<_> = zoo.shown.iter().map(|(name, (address, _))| (zoo.types[name], *address)).collect();
    let mut reader = Reader::new(&zoo.dwarf, &recorder, &limits, &mut types, &mut units);
    for (die, address) in &places {
        reader.read(*die, &Place::Memory(*address));
    }
    let recording = recorder.into_recording();
    let mut random = random();
    let mut memory = recording.clone();
    for round in 0..rounds {
        if round % 40 == 0 {
            memory = recording.clone();
        }
        let (die, address) = places[random() as usize % places.len()];
        for _ in 0..=random() % 4 {
            let at =
                if random().is_multiple_of(2) { address + random() % 64 } else { memory.nth(random() >> 1) };
            if random().is_multiple_of(3) {
                let pointer = memory.nth(random() >> 1) & !7;
                pointer.to_le_bytes().iter().zip(at & !7..).for_each(|(byte, at)| memory.write(at, *byte));
            } else {
                memory.write(at, [0, 0xff, 0x80, random() as u8][random() as usize % 4]);
            }
        }
        let mut reader = Reader::new(&zoo.dwarf, &memory, &limits, &mut types, &mut units);
        let value = reader.read(die, &Place::Memory(address));
        assert!(value.nodes() <= 2 * limits.nodes + 1, "the tree has {} nodes", value.nodes());
    }
}

/// Debug info comes from files that may be damaged, or made to do harm.
#[test]
fn damaged_debug_info_neither_panics_nor_hangs() {
    let zoo = Zoo::start(&["-g"]);
    let limits = Limits { nodes: 3_000, bytes: 1 << 16, ..Limits::default() };
    let random = RefCell::new(random());
    for round in 0..24 {
        let dwarf = zoo.damaged(|section, bytes| {
            let mut random = random.borrow_mut();
            if section == ".debug_info" || (section == ".debug_abbrev" && round % 4 == 0) {
                for _ in 0..=bytes.len() / [400, 4_000, 40_000, 400_000][round / 4 % 4] {
                    let at = random() as usize % bytes.len();
                    bytes[at] = [0, 0xff, random() as u8][random() as usize % 3];
                }
            }
        });
        let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
        let mut reader = Reader::new(&dwarf, &zoo.memory, &limits, &mut types, &mut units);
        for (name, (address, _)) in &zoo.shown {
            let value = reader.read(zoo.types[name], &Place::Memory(*address));
            assert!(value.nodes() <= 2 * limits.nodes + 1, "the tree has {} nodes", value.nodes());
        }
    }
}
