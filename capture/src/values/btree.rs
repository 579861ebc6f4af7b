//! `BTreeMap` and `BTreeSet`: nodes by field names, in key order.
//!
//! A leaf has `parent`, `len`, `keys` and `vals`; an internal node is a leaf (`data`) with `edges` after it
//! (std, `collections/btree/node.rs`; the same from 1.75 to 1.97).

use relapse_snapshot::{Data, Trust, Value};

use super::layout::{Entry, Kind, Layout};
use super::source::{Gap, Read, Source, little_endian, read_memory};
use super::{Reader, fields::Part};

/// Higher trees cannot be: nodes have at least 6 edges.
pub(super) const HEIGHT: u64 = 26;

/// std's nodes have 11.
const MOST_KEYS: u64 = 64;

/// Larger nodes are not read.
const NODE: u64 = 4 << 20;

/// Where a node keeps what.
pub(super) struct Nodes {
    leaf_size: u64,
    internal_size: u64,
    len: (u64, u64),
    keys: u64,
    vals: u64,
    parent: u64,
    /// Offset and size of a node's place among its parent's edges.
    place: (u64, u64),
    pub(super) capacity: u64,
    key: (Entry, u64),
    val: (Entry, u64),
    /// Offset of the edges in an internal node.
    edges: u64,
}

/// What a walk has read so far.
pub(super) struct Walk {
    pub(super) entries: Vec<(Value, Option<Value>)>,
    pub(super) len: u64,
    depth: u32,
    values: bool,
}

/// A node that was read.
pub(super) struct Node {
    pub(super) bytes: Vec<u8>,
}

impl Node {
    fn number(&self, (offset, size): (u64, u64)) -> u64 {
        let (from, size) = (offset as usize, size as usize);
        let bytes = self.bytes.get(from..).and_then(|rest| rest.get(..size));
        bytes.map(little_endian).unwrap_or_default() as u64
    }

    pub(super) fn len(&self, nodes: &Nodes) -> u64 {
        self.number(nodes.len)
    }

    /// The address of the node below, of an internal one.
    pub(super) fn edge(&self, nodes: &Nodes, index: u64) -> u64 {
        self.number((nodes.edges.saturating_add(index.saturating_mul(8)), 8))
    }

    /// The address of the node above, 0 at the root, and the place among its edges.
    pub(super) fn parent(&self, nodes: &Nodes) -> (u64, u64) {
        (self.number((nodes.parent, 8)), self.number(nodes.place))
    }
}

impl Walk {
    /// Of entries with their values.
    pub(super) fn of(len: u64, depth: u32) -> Walk {
        Walk { entries: Vec::new(), len, depth, values: true }
    }

    /// The entries that were read, as a map.
    pub(super) fn into_map(self) -> Data {
        let pair = |(key, value): (Value, Option<Value>)| value.map(|value| (key, value));
        Data::Map { len: self.len, entries: self.entries.into_iter().filter_map(pair).collect() }
    }
}

impl Reader<'_> {
    /// `BTreeMap<K, V> { root: Option<NodeRef { height, node }>, length }`.
    pub(super) fn btree_map(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let (walk, trust) = self.tree(layout, source, depth, true)?;
        Ok((walk.into_map(), trust))
    }

    /// `BTreeSet<T> { map: BTreeMap<T, SetValZST> }`.
    pub(super) fn btree_set(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let map = layout.part(source, "map")?;
        let layout = self.layout(map.entry.die);
        let (walk, trust) = self.tree(&layout, map.source, depth, false)?;
        let items = walk.entries.into_iter().map(|(key, _)| key).collect();
        Ok((Data::Sequence { items, len: walk.len }, trust))
    }

    fn tree(&mut self, layout: &Layout, source: Source<'_>, depth: u32, values: bool) -> Read<(Walk, Trust)> {
        let len = layout.part(source, "length")?;
        let len = self.word(len)?;
        let walk = Walk { entries: Vec::new(), len, depth, values };
        let root = layout.part(source, "root")?;
        let Some(root) = self.some(root)? else {
            let trust = if len == 0 { Trust::AtCrash } else { Trust::Suspect };
            return Ok((walk, trust));
        };
        self.tree_from(layout, root, walk)
    }

    /// The whole tree below a `NodeRef { height, node }`, of a type that has the key's and the value's as its arguments.
    fn tree_from(&mut self, layout: &Layout, root: Part<'_>, mut walk: Walk) -> Read<(Walk, Trust)> {
        let len = walk.len;
        let root_layout = self.layout(root.entry.die);
        let height = root_layout.part(root.source, "height")?;
        let height = self.word(height)?;
        if height > HEIGHT {
            return Err(Gap::because(format!("a tree of height {height}")));
        }
        let node = root_layout.part(root.source, "node")?;
        let nodes = self.nodes(layout, node, height)?;
        let address = self.address(node)?;
        let whole = self.visit(&nodes, &mut walk, address, height, None)?;
        let trust = match (whole, walk.entries.len() as u64) {
            (true, count) if count == len => Trust::AtCrash,
            (false, count) if count <= len => Trust::Truncated,
            _ => Trust::Suspect,
        };
        Ok((walk, trust))
    }

    /// What an `Option` holds.
    pub(super) fn some<'v>(&mut self, option: Part<'v>) -> Read<Option<Part<'v>>> {
        let layout = self.layout(option.entry.die);
        let Kind::Enum { discriminant, variants } = &layout.kind else {
            return Err(Gap::because(format!("{} is no enum", layout.name)));
        };
        let variant = self.active_variant(*discriminant, variants, option.source)?;
        let inside = variant.members.first();
        Ok(inside.map(|member| Part { entry: member.entry, source: option.source.at(member.offset) }))
    }

    /// Learns the layout of the nodes from the entries of `LeafNode` and `InternalNode`.
    pub(super) fn nodes(&mut self, map: &Layout, node: Part<'_>, height: u64) -> Read<Nodes> {
        let leaf = self.target_of(node.entry)?;
        let leaf_layout = self.layout(leaf.die);
        let offset = |name: &str| {
            leaf_layout
                .member(name)
                .map(|member| (member.entry, member.offset))
                .ok_or_else(|| leaf_layout.no_field(name))
        };
        let (len, keys, vals, parent) = (offset("len")?, offset("keys")?, offset("vals")?, offset("parent")?);
        let place = offset("parent_idx")?;
        let Kind::Array { len: capacity @ 1..=MOST_KEYS, .. } = self.layout(keys.0.die).kind else {
            return Err(Gap::because("the keys of a tree's node are no array of a few"));
        };
        let (key, val) = (map.param(0)?, map.param(1)?);
        let (edges, internal_size) = if height == 0 { (0, 0) } else { self.edges(parent.0)? };
        Ok(Nodes {
            leaf_size: self.size_of(leaf)?,
            len: (len.1, self.size_of(len.0)?),
            keys: keys.1,
            vals: vals.1,
            parent: parent.1,
            place: (place.1, self.size_of(place.0)?),
            capacity,
            key: (key, self.size_of(key)?),
            val: (val, self.size_of(val)?),
            edges,
            internal_size,
        })
    }

    /// Offset of the edges in `InternalNode`, and its size; only a leaf's `parent: Option<NonNull<_>>` leads
    /// to its entry.
    fn edges(&mut self, parent: Entry) -> Read<(u64, u64)> {
        let layout = self.layout(parent.die);
        let Kind::Enum { variants, .. } = &layout.kind else {
            return Err(Gap::because(format!("{} is no enum", layout.name)));
        };
        let Some(inside) = variants.iter().find_map(|variant| variant.members.first()) else {
            return Err(Gap::because(format!("{} holds nothing", layout.name)));
        };
        let internal = self.target_of(inside.entry)?;
        let size = self.size_of(internal)?;
        let internal = self.layout(internal.die);
        let edges = internal.member("edges").map(|member| member.offset);
        edges.map(|edges| (edges, size)).ok_or_else(|| internal.no_field("edges"))
    }

    /// What a pointer in wrappers points to.
    pub(super) fn target_of(&mut self, entry: Entry) -> Read<Entry> {
        let inner = self.innermost(Part { entry, source: Source::EMPTY });
        let layout = self.layout(inner.entry.die);
        match layout.kind {
            Kind::Pointer { target: Some(target), fat: None, .. } => Ok(target),
            _ => Err(Gap::because(format!("{} is no pointer", layout.name))),
        }
    }

    /// The bytes of a node.
    pub(super) fn node_bytes(&mut self, nodes: &Nodes, address: u64, height: u64) -> Read<Node> {
        let size = if height == 0 { nodes.leaf_size } else { nodes.internal_size };
        if size > NODE {
            return Err(Gap::because(format!("a tree's node of {size} bytes")));
        }
        Ok(Node { bytes: read_memory(self.memory, address, size as usize)? })
    }

    /// Reads a node and those below it, in order, until a limit is met (`false`).
    fn visit(
        &mut self,
        nodes: &Nodes,
        walk: &mut Walk,
        address: u64,
        height: u64,
        parent: Option<u64>,
    ) -> Read<bool> {
        let node = self.node_bytes(nodes, address, height)?;
        let len = node.len(nodes);
        if len > nodes.capacity || parent.is_some_and(|parent| node.parent(nodes).0 != parent) {
            return Err(Gap::because(format!("no node of a tree at {address:#x}")));
        }
        for index in 0..=len {
            if height > 0 {
                let edge = node.edge(nodes, index);
                if !self.visit(nodes, walk, edge, height - 1, Some(address))? {
                    return Ok(false);
                }
            }
            if index < len && !self.entry(nodes, walk, (address, &node.bytes), index) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn entry(
        &mut self,
        nodes: &Nodes,
        walk: &mut Walk,
        (address, node): (u64, &[u8]),
        index: u64,
    ) -> bool {
        let count = walk.entries.len() as u64;
        if count >= self.limits.elements || self.nodes_left == 0 || walk.depth + 1 >= self.deepest() {
            return false;
        }
        let node = Source::Bytes { bytes: node, known: None, from: Some(address) };
        let key = self.decode(
            nodes.key.0,
            node.at(nodes.keys.saturating_add(index.saturating_mul(nodes.key.1))),
            walk.depth + 1,
        );
        let value = walk.values.then(|| {
            self.decode(
                nodes.val.0,
                node.at(nodes.vals.saturating_add(index.saturating_mul(nodes.val.1))),
                walk.depth + 1,
            )
        });
        walk.entries.push((key, value));
        // More entries than the map has: this is no tree.
        count < walk.len
    }
}
