//! Values printed as their own `Debug` would print them, so that the zoo's output is the yardstick.

use relapse_snapshot::{Data, Field, StdType, TypeKind, TypeTable, Value};

pub(crate) fn debug(types: &TypeTable, value: &Value) -> String {
    let shape = types.get(value.ty).unwrap();
    match &value.data {
        Data::Missing(reason) => format!("<{:?}: {reason}>", value.trust),
        Data::Bool(value) => format!("{value:?}"),
        Data::Char(value) => format!("{value:?}"),
        Data::Int(value) => value.to_string(),
        Data::Uint(value) => value.to_string(),
        Data::Float(bits) => match shape.kind {
            TypeKind::Float { bits: 32 } => format!("{:?}", f32::from_bits(*bits as u32)),
            _ => format!("{:?}", f64::from_bits(*bits)),
        },
        Data::Text { text, .. } => format!("{text:?}"),
        Data::Bytes { bytes, .. } => format!("{bytes:?}"),
        Data::Tuple(items) if items.len() == 1 => format!("({},)", debug(types, &items[0])),
        Data::Tuple(items) => format!("({})", list(types, items)),
        Data::Struct(fields) => structure(types, &shape.name, fields),
        Data::Variant { name, fields } if shape.name.starts_with("alloc::borrow::Cow<") => {
            let _ = name;
            debug(types, &fields[0].value)
        }
        Data::Variant { name, fields } => named(types, name, fields),
        Data::Pointer { to, address } => match to {
            Some(to) => debug(types, to),
            None => format!("{address:#x}"),
        },
        Data::Sequence { items, .. } => match &shape.kind {
            TypeKind::Std { std: StdType::HashSet | StdType::BTreeSet, .. } => {
                format!("{{{}}}", list(types, items))
            }
            _ => format!("[{}]", list(types, items)),
        },
        Data::Map { entries, .. } => {
            let entry = |(k, v): &(Value, Value)| format!("{}: {}", debug(types, k), debug(types, v));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Data::Cell { inner, poisoned, .. } => {
            let inner = debug(types, inner);
            match &shape.kind {
                TypeKind::Std { std: StdType::Cell, .. } => format!("Cell {{ value: {inner} }}"),
                TypeKind::Std { std: StdType::RefCell, .. } => format!("RefCell {{ value: {inner} }}"),
                TypeKind::Std { std: StdType::Mutex, .. } => {
                    format!("Mutex {{ data: {inner}, poisoned: {poisoned}, .. }}")
                }
                TypeKind::Std { std: StdType::RwLock, .. } => {
                    format!("RwLock {{ data: {inner}, poisoned: {poisoned}, .. }}")
                }
                _ => inner,
            }
        }
        Data::Elsewhere { address, .. } => format!("<elsewhere: {address:#x}>"),
        Data::Graph { root, .. } => debug(types, root),
        Data::Duration { secs, nanos } => format!("{:?}", std::time::Duration::new(*secs, *nanos)),
    }
}

fn list(types: &TypeTable, items: &[Value]) -> String {
    items.iter().map(|item| debug(types, item)).collect::<Vec<_>>().join(", ")
}

fn structure(types: &TypeTable, name: &str, fields: &[Field]) -> String {
    let field = |name: &str| debug(types, &fields.iter().find(|f| f.name == name).unwrap().value);
    let plain = name.split('<').next().unwrap();
    match plain {
        "core::ops::range::Range" => format!("{}..{}", field("start"), field("end")),
        "core::ops::range::RangeInclusive" => format!("{}..={}", field("start"), field("end")),
        "core::ops::range::RangeFrom" => format!("{}..", field("start")),
        "core::marker::PhantomData" => name["core::marker::".len()..].to_owned(),
        "core::num::wrapping::Wrapping" => field("0"),
        "core::cell::once::OnceCell" => field("inner").replacen("Some", "OnceCell", 1),
        _ => named(types, plain.rsplit("::").next().unwrap(), fields),
    }
}

fn named(types: &TypeTable, name: &str, fields: &[Field]) -> String {
    if fields.is_empty() {
        return name.to_owned();
    }
    if fields.iter().all(|f| f.name.bytes().all(|b| b.is_ascii_digit())) {
        let values = fields.iter().map(|f| debug(types, &f.value)).collect::<Vec<_>>();
        return format!("{name}({})", values.join(", "));
    }
    let values = fields.iter().map(|f| format!("{}: {}", f.name, debug(types, &f.value))).collect::<Vec<_>>();
    format!("{name} {{ {} }}", values.join(", "))
}
