//! Deep and shared values: on the disk, shown, and without their secrets.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "support/snapshots.rs"]
mod support;

use relapse_snapshot::*;
use support::{record, snapshot, text, value};

fn pointer(address: u64, to: Value) -> Value {
    value(Data::Pointer { address, to: Some(Box::new(to)) })
}

fn elsewhere(address: u64) -> Value {
    value(Data::Elsewhere { address, len: None })
}

/// A list of so many nodes, each a part.
fn list(nodes: u64) -> Value {
    let node = |at: u64| {
        record(vec![("value", value(Data::Uint(at.into()))), ("next", pointer(at + 1, elsewhere(at + 1)))])
    };
    let parts = (1..nodes).map(|address| Part { address, value: node(address) });
    let end = Part { address: nodes, value: record(vec![("value", value(Data::Uint(0)))]) };
    let parts = parts.chain([end]).collect();
    value(Data::Graph { root: Box::new(pointer(0, node(0))), parts })
}

#[test]
fn a_very_deep_value_is_read_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join(".relapse")).unwrap();
    let deep = list(20_000);
    let kept = store.put(snapshot("boom", vec![("list", deep.clone())])).unwrap();
    let read = store.get(&kept.id).unwrap();
    assert_eq!(read, kept);
    assert_eq!(read.frames()[1].arguments[0].value, deep);
    assert_eq!(deep.worst_trust(), Trust::AtCrash);
}

#[test]
fn the_way_through_a_graph_is_found() {
    let deep = list(1_000);
    let targets = Targets::of(&deep);
    let (mut at, mut numbers) = (deep.root(), Vec::new());
    while let Some(node) = targets.resolve(at) {
        match &node.data {
            Data::Pointer { to: Some(to), .. } => at = to,
            Data::Struct(fields) => {
                numbers.push(fields[0].value.data.clone());
                match fields.get(1) {
                    Some(next) => at = &next.value,
                    None => break,
                }
            }
            data => panic!("{data:?}"),
        }
    }
    assert_eq!(numbers.len(), 1_001);
    assert_eq!(targets.resolve(&elsewhere(7_000)), None);
}

#[test]
fn a_value_that_leads_back_to_itself_is_shown_once() {
    let ring = pointer(8, record(vec![("id", value(Data::Uint(5))), ("next", pointer(8, elsewhere(8)))]));
    let kept = snapshot("boom", vec![("ring", ring)]);
    let shown = display::pretty(&kept.frames()[1].arguments[0].value, &kept.types, 80);
    assert!(shown.contains("id: 5") && shown.contains("<see above>"), "{shown}");
}

/// What a secret name refers to is a secret wherever it stands: in a part, or where it was met first under another name.
#[test]
fn secrets_are_found_by_reference() {
    let secret = || text("hunter2-S3cret");
    let in_part = value(Data::Graph {
        root: Box::new(record(vec![("password", pointer(16, elsewhere(16)))])),
        parts: vec![Part { address: 16, value: secret() }],
    });
    let met_before = record(vec![("text", pointer(24, secret())), ("password", pointer(24, elsewhere(24)))]);
    for argument in [in_part, met_before] {
        let mut kept = snapshot("boom", vec![("config", argument)]);
        redact(&mut kept, &Rules::default());
        let json = String::from_utf8(store::to_json(&kept).unwrap()).unwrap();
        assert!(!json.contains("hunter2"), "{json}");
        let once = kept.clone();
        assert_eq!((redact(&mut kept, &Rules::default()), kept), (0, once));
    }
}

/// A key that stands in a part, or was met before, names its value as any other: straight or by further pointers.
#[test]
fn names_are_found_by_reference() {
    let entry = |key| value(Data::Map { entries: vec![(key, text("hunter2-S3cret"))], len: 1 });
    let pair = |key| value(Data::Tuple(vec![key, text("hunter2-S3cret")]));
    let in_parts = |root| {
        let parts = vec![
            Part { address: 8, value: pointer(16, elsewhere(16)) },
            Part { address: 16, value: text("password") },
        ];
        value(Data::Graph { root: Box::new(root), parts })
    };
    let met_before =
        record(vec![("entry", entry(pointer(24, elsewhere(24)))), ("text", pointer(24, text("password")))]);
    let straight = in_parts(entry(pointer(16, elsewhere(16))));
    let by_another = in_parts(pair(pointer(8, pointer(16, elsewhere(16)))));
    for argument in [straight, by_another, met_before] {
        let mut kept = snapshot("boom", vec![("config", argument)]);
        redact(&mut kept, &Rules::default());
        let json = String::from_utf8(store::to_json(&kept).unwrap()).unwrap();
        assert!(!json.contains("hunter2") && json.contains("password"), "{json}");
        let once = kept.clone();
        assert_eq!((redact(&mut kept, &Rules::default()), kept), (0, once));
    }
    // Keys that lead back to themselves name nothing.
    let ring = entry(pointer(32, pointer(32, elsewhere(32))));
    redact(&mut snapshot("boom", vec![("config", ring)]), &Rules::default());
}

/// Each place of a long list is found to be secret by the one before it, the first of all by its name. The time is that
/// of a few walks, not of one for each of them, of which this would take hours.
#[test]
fn secrets_far_down_a_list_are_found_at_once() {
    let Data::Graph { root, mut parts } = list(50_000).data else { unreachable!() };
    // The other way round each of them would be found by a walk of its own.
    parts.reverse();
    for part in &mut parts {
        let Data::Struct(fields) = &mut part.value.data else { unreachable!() };
        fields[0].value = text("hunter2-S3cret");
    }
    let argument = value(Data::Graph { root: Box::new(record(vec![("password", *root)])), parts });
    let mut kept = snapshot("boom", vec![("config", argument)]);
    assert!(redact(&mut kept, &Rules::default()) >= 50_000);
    let json = String::from_utf8(store::to_json(&kept).unwrap()).unwrap();
    assert!(!json.contains("hunter2"));
}

/// A slice of a length of its own is another value than the one that begins there, too.
#[test]
fn slices_are_found_by_their_length() {
    let slice = |len| value(Data::Sequence { items: vec![value(Data::Uint(1)); len as usize], len });
    let of_len = |len| value(Data::Elsewhere { address: 8, len: Some(len) });
    let held = record(vec![("all", pointer(8, slice(3))), ("head", pointer(8, slice(2)))]);
    let root = Box::new(record(vec![("held", held), ("again", of_len(2))]));
    let unread = Value::missing(TypeId(9), Trust::Unreadable, "gone");
    let argument = value(Data::Graph { root, parts: vec![Part { address: 8, value: unread.clone() }] });
    let targets = Targets::of(&argument);
    assert_eq!(targets.resolve(&of_len(2)), Some(&slice(2)));
    assert_eq!(targets.resolve(&of_len(3)), Some(&slice(3)));
    assert_eq!(targets.resolve(&of_len(1)), None);
    assert_eq!(targets.get((8, TypeId(9), Some(5))), Some(&unread));
    let json = serde_json::to_string(&[of_len(2), elsewhere(8)]).unwrap();
    assert!(json.contains(r#"{"elsewhere":{"address":8,"len":2}}"#), "{json}");
    assert!(json.contains(r#"{"elsewhere":{"address":8}}"#), "{json}");
    assert_eq!(serde_json::from_str::<Vec<Value>>(&json).unwrap(), [of_len(2), elsewhere(8)]);
}

#[test]
fn snapshots_without_graphs_are_read_as_before() {
    let old = r#"{"ty":0,"trust":"entry","data":{"pointer":{"address":5,"to":null}}}"#;
    let read: Value = serde_json::from_str(old).unwrap();
    assert_eq!(read.data, Data::Pointer { address: 5, to: None });
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
