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

#[test]
fn snapshots_without_graphs_are_read_as_before() {
    let old = r#"{"ty":0,"trust":"entry","data":{"pointer":{"address":5,"to":null}}}"#;
    let read: Value = serde_json::from_str(old).unwrap();
    assert_eq!(read.data, Data::Pointer { address: 5, to: None });
    assert_eq!(serde_json::to_string(&read).unwrap(), old);
}
