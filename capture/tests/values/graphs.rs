//! Shared, cyclic and very deep values.

use std::collections::HashSet;

use relapse_capture::memory::Unreadable;
use relapse_snapshot::{Targets, TypeId};

use super::*;

fn zoo() -> Zoo {
    Zoo::start_program("graphs_zoo.rs", &["-g"])
}

/// The deepest that a value is nested in itself.
fn depth(value: &Value) -> usize {
    let (mut deepest, mut open) = (0, vec![(value, 1)]);
    while let Some((value, depth)) = open.pop() {
        deepest = deepest.max(depth);
        open.extend(value.children().into_iter().map(|child| (child, depth + 1)));
    }
    deepest
}

/// The numbers met on the way through a value, each place once, and how many places are not to be had.
fn numbers(value: &Value) -> (Vec<u128>, usize) {
    let targets = Targets::of(value);
    let (mut found, mut missing, mut seen) = (Vec::new(), 0, HashSet::<(u64, TypeId, Option<u64>)>::new());
    let mut open = vec![value.root()];
    while let Some(value) = open.pop() {
        match value.data {
            Data::Uint(number) => found.push(number),
            Data::Missing(_) => missing += 1,
            Data::Elsewhere { address, len } if seen.insert((address, value.ty, len)) => {
                open.push(targets.resolve(value).expect("what is elsewhere is kept"));
            }
            _ => {
                if let Data::Pointer { address, to: Some(to) } = &value.data
                    && !matches!(to.data, Data::Elsewhere { .. })
                {
                    seen.insert((*address, to.ty, None));
                }
                open.extend(value.children().into_iter().rev());
            }
        }
    }
    (found, missing)
}

#[test]
fn lists_of_a_million_nodes_are_read_up_to_the_limit_and_say_so() {
    let zoo = zoo();
    let (_, values) = read_all(&zoo, &["z_boxes", "z_cons"]);
    for value in values {
        let (found, missing) = numbers(&value);
        assert!(found.len() > 20_000, "{}", found.len());
        assert!(found.iter().copied().eq(0..found.len() as u128));
        assert_eq!((missing, value.worst_trust()), (1, Trust::Truncated));
        assert!(depth(&value) < 110 && value.nodes() < 110_000);
    }
}

#[test]
fn the_depth_limit_is_kept_in_parts_too() {
    let zoo = zoo();
    let limits = Limits { depth: 300, ..Limits::default() };
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let mut reader = Reader::new(&zoo.dwarf, &zoo.memory, &limits, &mut types, &mut units);
    let value = reader.read(zoo.types["z_boxes"], &Place::Memory(zoo.shown["z_boxes"].0));
    let (found, missing) = numbers(&value);
    assert!(found.len().abs_diff(300 / 3) < 3, "{}", found.len());
    assert_eq!((missing > 0, value.worst_trust()), (true, Trust::Truncated));
}

/// Reasons that are given in a value.
fn reasons(value: &Value) -> Vec<&str> {
    let (mut reasons, mut open) = (Vec::new(), vec![value]);
    while let Some(value) = open.pop() {
        if let Data::Missing(reason) = &value.data {
            reasons.push(reason.as_str());
        }
        open.extend(value.children());
    }
    reasons
}

/// A limit that somebody set is told from the one that a part has.
#[test]
fn limits_on_depth_are_told_as_what_they_are() {
    let zoo = zoo();
    let (_, value) = read_one(&zoo, "z_cells");
    assert_eq!(value.worst_trust(), Trust::Truncated, "{:?}", reasons(&value));
    assert_eq!(reasons(&value), ["deeper than 96 levels in its part of the argument"; 2]);
    let limits = Limits { depth: 90, ..Limits::default() };
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let mut reader = Reader::new(&zoo.dwarf, &zoo.memory, &limits, &mut types, &mut units);
    let value = reader.read(zoo.types["z_cells"], &Place::Memory(zoo.shown["z_cells"].0));
    assert_eq!(reasons(&value), ["deeper than 90 levels"; 2]);
}

#[test]
fn deep_values_within_the_limits_are_read_whole() {
    let zoo = zoo();
    let names = ["z_whole", "z_tree", "z_nest", "z_map"];
    let (_, values) = read_all(&zoo, &names);
    for (name, value) in names.iter().zip(&values) {
        let (found, missing) = numbers(value);
        assert_eq!((missing, value.worst_trust()), (0, Trust::AtCrash), "{name}");
        assert!(depth(value) < 110, "{name}: {}", depth(value));
        let distinct: HashSet<u128> = found.iter().copied().collect();
        assert!(distinct.len() >= 1_999, "{name}: {}", distinct.len());
    }
    assert_eq!(numbers(&values[0]).0, (0..2_000).collect::<Vec<_>>());
    assert_eq!(numbers(&values[1]).0.len(), 3_001);
}

#[test]
fn cycles_lead_back_to_where_they_began() {
    let zoo = zoo();
    let names = ["z_self", "z_ring", "z_long_ring", "z_parent", "z_child"];
    let (_, values) = read_all(&zoo, &names);
    for (name, value) in names.iter().zip(&values) {
        assert_eq!(value.worst_trust(), Trust::AtCrash, "{name}");
        assert_eq!(numbers(value).1, 0, "{name}");
    }
    assert_eq!(numbers(&values[1]).0, [0, 1, 2]);
    assert_eq!(numbers(&values[2]).0, (0..500).collect::<Vec<_>>());
    let Data::Pointer { address, .. } = values[0].data else { panic!("no pointer") };
    let mut open = vec![&values[0]];
    let mut back = None;
    while let Some(value) = open.pop() {
        if let Data::Elsewhere { address, .. } = value.data {
            back = Some(address);
        }
        open.extend(value.children());
    }
    assert_eq!(back, Some(address));
}

#[test]
fn values_shared_over_and_over_are_read_once() {
    let zoo = zoo();
    let (_, value) = read_one(&zoo, "z_diamonds");
    assert_eq!(value.worst_trust(), Trust::AtCrash);
    assert!(value.nodes() < 2_000, "{}", value.nodes());
}

/// At one address there are slices and texts of several lengths, in the tree and in its parts.
#[test]
fn slices_that_begin_at_one_address_are_told_apart() {
    let zoo = zoo();
    let (_, value) = read_one(&zoo, "z_heads");
    assert_eq!(value.worst_trust(), Trust::AtCrash);
    assert!(matches!(value.data, Data::Variant { .. } | Data::Graph { .. }));
    let targets = Targets::of(&value);
    let lengths = |field: &Field| {
        let to = target(&field.value).and_then(|to| targets.resolve(to));
        match &to.expect("what is elsewhere is kept").data {
            Data::Sequence { items, len } => (items.len() as u64, *len),
            Data::Text { text, len } => (text.len() as u64, *len),
            data => panic!("{data:?}"),
        }
    };
    let (mut levels, mut open) = (0, vec![&value]);
    while let Some(value) = open.pop() {
        match &value.data {
            Data::Struct(fields) if fields[0].name == "all" => {
                levels += 1;
                let lengths: Vec<_> = fields[..6].iter().map(lengths).collect();
                assert_eq!(lengths, [100, 2, 0, 100, 100, 3].map(|len| (len, len)));
            }
            _ => {}
        }
        open.extend(value.children());
    }
    assert_eq!(levels, 60);
    assert!(value.nodes() < 5_000, "what is shared is kept once: {}", value.nodes());
}

/// The memory of a process, of which some cannot be read.
struct Holed<'a> {
    memory: &'a dyn Memory,
    hole: std::ops::Range<u64>,
}

impl Memory for Holed<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let end = address + buffer.len() as u64;
        if address < self.hole.end && end > self.hole.start {
            return Err(Unreadable { address, len: buffer.len() });
        }
        self.memory.read(address, buffer)
    }
}

/// A list whose last element is lost is lost whole, with all that was met in it. What comes behind it is read by itself
/// then: nothing refers to what is gone.
#[test]
fn nothing_refers_into_a_value_that_was_dropped() {
    let zoo = zoo();
    let (_, whole) = read_one(&zoo, "z_behind");
    assert_eq!(whole.worst_trust(), Trust::AtCrash);
    let Data::Uint(start) = fields(whole.root())[1].value.data else { panic!("no address") };
    let Data::Uint(size) = fields(whole.root())[2].value.data else { panic!("no size") };
    let end = (start + size) as u64;
    let memory = Holed { memory: &zoo.memory, hole: end - 8..end };
    let (mut types, mut units) = (TypeTable::default(), UnitCache::new());
    let limits = Limits::default();
    let mut reader = Reader::new(&zoo.dwarf, &memory, &limits, &mut types, &mut units);
    let value = reader.read(zoo.types["z_behind"], &Place::Memory(zoo.shown["z_behind"].0));
    let [items, _, _, behind @ ..] = fields(value.root()) else { panic!("no fields") };
    assert!(matches!(items.value.data, Data::Missing(_)), "{items:?}");
    assert!(behind.iter().all(|field| target(&field.value).is_some()));
    let (found, missing) = numbers(&value);
    // What is deep leads to the list once more, which was met by then.
    assert_eq!((found.len(), missing), (2 + 50 + 100, 1));
}

/// A slice that holds itself leads back; a shorter one that begins there does not.
#[test]
fn a_slice_within_itself_is_a_cycle_only_with_its_length() {
    let zoo = zoo();
    let (_, value) = read_one(&zoo, "z_inward");
    assert_eq!(value.worst_trust(), Trust::AtCrash);
    let targets = Targets::of(&value);
    let Data::Sequence { items, .. } = &target(&value).unwrap().data else { panic!("no slice") };
    let own: Vec<_> = items
        .iter()
        .map(|item| {
            let Data::Cell { inner, .. } = &fields(item)[1].value.data else { panic!("no cell") };
            let to = target(inner).unwrap();
            match (&to.data, &targets.resolve(to).unwrap().data) {
                (data, Data::Sequence { items, len }) => {
                    assert_eq!(items.len() as u64, *len);
                    (*len, matches!(data, Data::Elsewhere { .. }))
                }
                (_, data) => panic!("{data:?}"),
            }
        })
        .collect();
    assert_eq!(own, [(0, false), (1, false), (3, true)]);
}

#[test]
fn weak_pointers_tell_whether_they_can_be_upgraded() {
    let zoo = zoo();
    let names = ["z_live", "z_new", "z_dead", "z_sync"];
    let (types, values) = read_all(&zoo, &names);
    for (name, value) in names.iter().zip(&values) {
        assert_eq!(value.worst_trust(), Trust::AtCrash, "{name}");
    }
    assert_eq!(fields(target(&values[0]).unwrap())[0].name, "name");
    assert_eq!((target(&values[1]), target(&values[2])), (None, None));
    let Data::Tuple(sync) = &values[3].data else { panic!("no tuple") };
    let sync: Vec<_> = sync.iter().map(|weak| target(weak).map(|to| debug(&types, to))).collect();
    assert_eq!(sync, [Some("8".to_owned()), None, None]);
    let kind = &types.get(values[1].ty).unwrap().kind;
    assert!(matches!(kind, TypeKind::Std { std: StdType::Weak, params } if params.len() == 1));
}
