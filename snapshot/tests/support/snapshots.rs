//! Snapshots to test with.
#![allow(
    clippy::unwrap_used,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses a part"
)]

use relapse_snapshot::crash::FORMAT;
use relapse_snapshot::*;

pub fn shape(types: &mut TypeTable, name: &str, kind: TypeKind) -> TypeId {
    types.intern(TypeShape { name: name.into(), size: None, kind })
}

pub fn value(data: Data) -> Value {
    Value { ty: TypeId(0), trust: Trust::AtCrash, data }
}

pub fn text(text: &str) -> Value {
    value(Data::Text { text: text.into(), len: text.len() as u64 })
}

pub fn record(fields: Vec<(&str, Value)>) -> Value {
    let fields = fields.into_iter().map(|(name, value)| Field { name: name.into(), value }).collect();
    value(Data::Struct(fields))
}

pub fn frame(function: &str, kind: FrameKind, arguments: Vec<(&str, Value)>) -> Frame {
    Frame {
        function: function.into(),
        name: function.rsplit("::").next().unwrap().into(),
        kind,
        package: (kind == FrameKind::Workspace).then(|| "demo".into()),
        location: Some(Location { file: "src/lib.rs".into(), line: 12, column: 5 }),
        declared: None,
        inlined: false,
        is_async: false,
        generics: vec![],
        result: None,
        arguments: arguments.into_iter().map(|(name, value)| Argument { name: name.into(), value }).collect(),
        arguments_missing: None,
        made_before: None,
        gave: None,
    }
}

pub fn snapshot(message: &str, arguments: Vec<(&str, Value)>) -> Snapshot {
    let mut types = TypeTable::default();
    shape(&mut types, "u8", TypeKind::Integer { signed: false, bits: 8 });
    Snapshot {
        format: FORMAT,
        id: String::new(),
        time: String::new(),
        clock: None,
        cause: Cause { kind: CauseKind::Panic, message: message.into(), signal: None },
        location: Some(Location { file: "src/lib.rs".into(), line: 12, column: 5 }),
        caught_by: vec![],
        threads: vec![Thread {
            tid: 1,
            name: Some("main".into()),
            spawned_by: None,
            stack_size: None,
            frames: vec![
                frame("core::panicking::panic_fmt", FrameKind::Std, vec![]),
                frame("demo::parse", FrameKind::Workspace, arguments),
                frame("demo::main", FrameKind::Workspace, vec![]),
            ],
        }],
        made: Vec::new(),
        types,
        program: Program {
            name: "demo".into(),
            command: vec!["cargo".into(), "run".into(), "--".into(), "x y".into()],
            ..Program::default()
        },
        fingerprint: String::new(),
        count: 1,
        notes: vec![],
    }
}
