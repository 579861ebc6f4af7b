//! Iterators over hash tables, linked lists and heaps, and those that drain a collection: of a collection of what is
//! left. A table that is built again has another order, unless one entry is left: of that the value is suspect, and where
//! the order matters the entry that comes next is the only one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeShape, TypeTable, Value};

use super::super::Unwritable;
use super::super::seen_through::field;
use super::super::type_name::definition;
use super::super::writer::Writer;
use super::of::{Of, Rule, Written};

/// Structs within structs that std wraps such an iterator in, at most.
const DEEPEST: u32 = 8;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    if let Some(own) = definition.strip_prefix("std::collections::hash::") {
        return Some(match own {
            "map::Iter" => |w, of| w.of_table(of, StdType::HashMap, false, "iter()"),
            "map::IterMut" => |w, of| w.of_table(of, StdType::HashMap, true, "iter_mut()"),
            "map::IntoIter" => |w, of| w.of_table(of, StdType::HashMap, false, "into_iter()"),
            "map::Keys" => |w, of| w.of_table(of, StdType::HashMap, false, "keys()"),
            "map::Values" => |w, of| w.of_table(of, StdType::HashMap, false, "values()"),
            "map::ValuesMut" => |w, of| w.of_table(of, StdType::HashMap, true, "values_mut()"),
            "map::IntoKeys" => |w, of| w.of_table(of, StdType::HashMap, false, "into_keys()"),
            "map::IntoValues" => |w, of| w.of_table(of, StdType::HashMap, false, "into_values()"),
            "map::Drain" => |w, of| w.of_table(of, StdType::HashMap, true, "drain()"),
            "set::Iter" => |w, of| w.of_table(of, StdType::HashSet, false, "iter()"),
            "set::IntoIter" => |w, of| w.of_table(of, StdType::HashSet, false, "into_iter()"),
            "set::Drain" => |w, of| w.of_table(of, StdType::HashSet, true, "drain()"),
            _ => return None,
        });
    }
    Some(match definition {
        "alloc::collections::linked_list::Iter" => |w, of| w.of_list(of, of.value, false, "iter()"),
        "alloc::collections::linked_list::IterMut" => |w, of| w.of_list(of, of.value, true, "iter_mut()"),
        "alloc::collections::linked_list::IntoIter" => |w, of| {
            let list = of.operand(w, "list")?;
            Ok(quote!(#list.into_iter()))
        },
        "alloc::collections::binary_heap::Iter" => |w, of| w.of_heap(of, "iter", false, "iter()"),
        "alloc::collections::binary_heap::IntoIter" => |w, of| w.of_heap(of, "iter", false, "into_iter()"),
        "alloc::collections::binary_heap::Drain" => |w, of| {
            let inner = of.field(w, "iter")?;
            w.of_heap(Of { value: inner, ..of }, "iter", true, "drain()")
        },
        "alloc::vec::drain::Drain" => |w, of| {
            let left = of.field(w, "iter")?;
            let items = w.hoist_as("items", true, of.place.typed, |w, place| {
                let shape = w.shape(left.ty)?;
                w.vector(left, shape, None, place)
            })?;
            Ok(quote!(#items.drain(..)))
        },
        "alloc::string::Drain" => |w, of| {
            let chars = field(of.field(w, "iter")?, "iter").ok_or_else(|| w.mismatch(of.shape))?;
            let Data::Bytes { bytes, len } = &chars.data else { return Err(w.mismatch(of.shape)) };
            w.whole(bytes.len(), *len, "bytes")?;
            let text = String::from_utf8(bytes.clone()).map_err(|_| w.mismatch(of.shape))?;
            let text = w.text(&Value { data: Data::Text { text, len: *len }, ..chars.clone() })?;
            let owner = w.name("alloc::string::String")?;
            let text = w.hoist_as("text", true, false, |_, _| Ok(quote!(#owner::from(#text))))?;
            Ok(quote!(#text.drain(..)))
        },
        _ => return None,
    })
}

/// Whether one of these values goes over a hash table of which several entries are left.
pub(crate) fn go_over_tables<'v>(values: impl IntoIterator<Item = &'v Value>, types: &TypeTable) -> bool {
    values
        .into_iter()
        .flat_map(Value::all)
        .any(|value| has_several(value) && is_bucket_iterator(value, types))
}

/// Whether one of these values holds a map or set of std's own hasher with several entries: each process has them in an order
/// of its own.
pub(crate) fn have_chance_order<'v>(values: impl IntoIterator<Item = &'v Value>, types: &TypeTable) -> bool {
    let is_table = |value: &Value| {
        let name = types.name(value.ty);
        name.starts_with("std::collections::hash::") && name.contains("::RandomState")
    };
    values.into_iter().flat_map(Value::all).any(|value| has_several(value) && is_table(value))
}

fn has_several(value: &Value) -> bool {
    matches!(&value.data, Data::Map { len, .. } | Data::Sequence { len, .. } if *len > 1)
}

fn is_bucket_iterator(value: &Value, types: &TypeTable) -> bool {
    let path = definition(types.name(value.ty)).unwrap_or_default();
    path.starts_with("hashbrown::raw::") && path.ends_with("RawIter")
}

/// What hashbrown's iterator has left, somewhere within those of std.
fn buckets<'v>(writer: &Writer<'_>, value: &'v Value, depth: u32) -> Option<&'v Value> {
    if is_bucket_iterator(value, writer.types) {
        return Some(value);
    }
    let Data::Struct(fields) = &value.data else { return None };
    let depth = depth.checked_sub(1)?;
    fields.iter().find_map(|field| buckets(writer, &field.value, depth))
}

/// `iter()` as tokens.
fn call(method: &str) -> TokenStream {
    let method = Ident::new(method.trim_end_matches("()"), Span::call_site());
    quote!(#method())
}

impl Writer<'_> {
    fn params(&self, of: Of<'_>, count: usize) -> Result<Vec<TypeId>, Unwritable> {
        match &of.shape.kind {
            TypeKind::Struct { params, .. } if params.len() >= count => {
                Ok(params.iter().take(count).copied().collect())
            }
            _ => Err(self.mismatch(of.shape)),
        }
    }

    /// Of a map or set, whose buckets are pairs.
    fn of_table(&mut self, of: Of<'_>, std: StdType, mutable: bool, method: &str) -> Written {
        let left = buckets(self, of.value, DEEPEST).ok_or_else(|| self.mismatch(of.shape))?;
        let (items, len) = match &left.data {
            // They were read in the order in which they come.
            Data::Sequence { items, len } if self.scope.next_alone => {
                self.suspect |= *len > 1;
                (&items[..items.len().min(1)], (*len).min(1))
            }
            Data::Sequence { items, len } => (items.as_slice(), *len),
            Data::Missing(reason) => return Err(self.refuse(format!("could not be read: {reason}"))),
            _ => return Err(self.mismatch(of.shape)),
        };
        let pair = |item: &Value| match &item.data {
            Data::Tuple(pair) => match pair.as_slice() {
                [key, value] => Some((key.clone(), value.clone())),
                _ => None,
            },
            _ => None,
        };
        let entries: Option<Vec<(Value, Value)>> = items.iter().map(pair).collect();
        let entries = entries.ok_or_else(|| self.mismatch(of.shape))?;
        let (path, params, data) = if std == StdType::HashSet {
            let items = entries.into_iter().map(|(key, _)| key).collect();
            ("std::collections::hash::set::HashSet", self.params(of, 1)?, Data::Sequence { items, len })
        } else {
            ("std::collections::hash::map::HashMap", self.params(of, 2)?, Data::Map { entries, len })
        };
        // Which entry is the first depends on the hasher's keys, which are new in each process.
        self.suspect |= len > 1;
        let value = Value { data, ..left.clone() };
        let wanted = if std == StdType::HashSet { "set" } else { "map" };
        self.of_collection(of, (std, path, &params), &value, wanted, mutable, method)
    }

    /// Of a linked list.
    fn of_list(&mut self, of: Of<'_>, left: &Value, mutable: bool, method: &str) -> Written {
        let params = self.params(of, 1)?;
        let path = "alloc::collections::linked_list::LinkedList";
        self.of_collection(of, (StdType::LinkedList, path, &params), left, "list", mutable, method)
    }

    fn of_collection(
        &mut self,
        of: Of<'_>,
        (std, path, params): (StdType, &str, &[TypeId]),
        value: &Value,
        wanted: &str,
        mutable: bool,
        method: &str,
    ) -> Written {
        let arguments: Vec<&str> = params.iter().map(|param| self.types.name(*param)).collect();
        let name = format!("{path}<{}>", arguments.join(", "));
        let shape = TypeShape { name, size: None, kind: TypeKind::Std { std, params: params.to_vec() } };
        let call = call(method);
        if method.starts_with("into_") {
            let collection = self.collection(std, params, value, &shape, of.place)?;
            return Ok(quote!(#collection.#call));
        }
        let owner = self.hoist_as(wanted, mutable, of.place.typed, |w, place| {
            w.collection(std, params, value, &shape, place)
        })?;
        Ok(quote!(#owner.#call))
    }

    /// Of a heap, whose array need not be in order any more once its first items are taken; built again it is.
    fn of_heap(&mut self, of: Of<'_>, inner: &str, mutable: bool, method: &str) -> Written {
        let left = of.field(self, inner)?;
        let len = match &left.data {
            Data::Sequence { len, .. } | Data::Bytes { len, .. } => *len,
            Data::Missing(reason) => return Err(self.refuse(format!("could not be read: {reason}"))),
            _ => return Err(self.mismatch(of.shape)),
        };
        self.suspect |= len > 1;
        let name = self.name("alloc::collections::binary_heap::BinaryHeap")?;
        let write = |w: &mut Self, place| {
            let shape = w.shape(left.ty)?;
            let items = w.vector(left, shape, None, place)?;
            Ok(quote!(#name::from(#items)))
        };
        let call = call(method);
        if method.starts_with("into_") {
            let heap = write(self, of.place)?;
            return Ok(quote!(#heap.#call));
        }
        let owner = self.hoist_as("heap", mutable, of.place.typed, write)?;
        Ok(quote!(#owner.#call))
    }
}
