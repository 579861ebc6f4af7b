//! The bound on the depth of value trees. Everything that walks a tree by recursion (reading and writing JSON,
//! dropping, comparing, rendering) relies on it; here the walk is iterative, so any depth can be cut.

use crate::crash::Snapshot;
use crate::value::{Data, Trust, Value};

/// The deepest value tree that is kept, in nodes. What lies deeper is kept in parts beside the tree
/// ([`Data::Graph`]), none of which is deep in itself.
pub const MAX_DEPTH: usize = 512;

/// Cuts every value of a snapshot at [`MAX_DEPTH`]; what was below becomes `truncated`. Returns the number
/// of places that were cut.
pub fn limit_depth(snapshot: &mut Snapshot) -> usize {
    snapshot.arguments_mut().map(|argument| limit_value(&mut argument.value, MAX_DEPTH)).sum()
}

/// Cuts one value tree at `max` nodes of depth. Returns the number of places that were cut.
pub fn limit_value(value: &mut Value, max: usize) -> usize {
    let (mut cut, mut open) = (0, vec![(value, 1)]);
    while let Some((value, depth)) = open.pop() {
        if depth >= max && !value.children().is_empty() {
            let reason = format!("deeper than {max} levels");
            dismantle(std::mem::replace(&mut value.data, Data::Missing(reason)));
            value.trust = value.trust.max(Trust::Truncated);
            cut += 1;
        } else {
            open.extend(value.children_mut().into_iter().map(|child| (child, depth + 1)));
        }
    }
    cut
}

/// Drops a tree level by level: the derived drop would recurse once a level and could overflow the stack.
fn dismantle(data: Data) {
    let mut open = vec![data];
    while let Some(mut data) = open.pop() {
        match &mut data {
            Data::Tuple(items) | Data::Sequence { items, .. } => open.extend(items.drain(..).map(|v| v.data)),
            Data::Struct(fields) | Data::Variant { fields, .. } => {
                open.extend(fields.drain(..).map(|field| field.value.data));
            }
            Data::Pointer { to, .. } => open.extend(to.take().map(|v| v.data)),
            Data::Map { entries, .. } => open.extend(entries.drain(..).flat_map(|(k, v)| [k.data, v.data])),
            Data::Cell { inner, .. } => open.push(std::mem::replace(&mut inner.data, Data::Bool(false))),
            Data::Graph { root, parts } => {
                open.push(std::mem::replace(&mut root.data, Data::Bool(false)));
                open.extend(parts.drain(..).map(|part| part.value.data));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TypeId;

    fn chain(levels: usize) -> Value {
        let mut value = Value { ty: TypeId(0), trust: Trust::Entry, data: Data::Bool(true) };
        for level in 0..levels {
            let inner = Box::new(value);
            let data = if level % 2 == 0 {
                Data::Pointer { address: level as u64, to: Some(inner) }
            } else {
                Data::Cell { inner, state: 0, poisoned: false }
            };
            value = Value { ty: TypeId(0), trust: Trust::Entry, data };
        }
        value
    }

    #[test]
    fn a_very_deep_chain_is_cut_and_dropped_without_recursion() {
        let mut value = chain(1_000_000);
        assert_eq!(limit_value(&mut value, MAX_DEPTH), 1);
        assert_eq!(value.nodes(), MAX_DEPTH as u64);
        assert_eq!(value.worst_trust(), Trust::Truncated);
    }

    #[test]
    fn a_tree_within_the_bound_is_left_alone() {
        let mut value = chain(MAX_DEPTH - 1);
        let before = value.clone();
        assert_eq!(limit_value(&mut value, MAX_DEPTH), 0);
        assert_eq!(value, before);
    }
}
