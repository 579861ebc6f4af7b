//! What is left of an iterator over a tree that has given entries already: its ends are edges of leaves, and the way from
//! one to the other leads up by each node's parent. In: both ends and, but for ranges, how many entries are left.

use relapse_snapshot::{Data, Trust};

use super::Reader;
use super::btree::{HEIGHT, Node, Nodes, Walk};
use super::fields::Part;
use super::layout::{Kind, Layout};
use super::source::{Gap, Read, Source};

/// Between two entries of a tree: a node, its height above the leaves, and a place in it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Edge {
    node: u64,
    height: u64,
    index: u64,
}

/// Whether a struct is one of std's iterators over the entries of a tree.
pub(super) fn is_tree_iterator(name: &str) -> bool {
    let own = name.strip_prefix("alloc::collections::btree::map::");
    let known = ["Iter<", "IterMut<", "IntoIter<", "Range<", "RangeMut<"];
    own.is_some_and(|own| known.iter().any(|known| own.starts_with(known)))
}

impl Reader<'_> {
    /// Iterators over a whole tree have a `range` and a `length`, ranges only their ends, as `inner`.
    pub(super) fn tree_iterator(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        if layout.member("length").is_none() {
            return self.tree_range(layout, source, depth);
        }
        let len = layout.part(source, "length")?;
        let len = self.word(len)?;
        let mut walk = Walk::of(len, depth);
        if len == 0 {
            return Ok((walk.into_map(), Trust::AtCrash));
        }
        let front = self.parts(layout, source, &["range", "front"])?;
        let (node, height, index) = self.end(front)?;
        // Only where nothing is taken from the front does it begin at the root, which need not be a leaf.
        let (nodes, height, index) = match index {
            Some(index) => (self.nodes(layout, node, 1)?, 0, index),
            None => (self.nodes(layout, node, height)?, height, 0),
        };
        let start = Edge { node: self.address(node)?, height, index };
        let whole = self.forward(&nodes, &mut walk, start, None)?;
        let trust = if whole { Trust::AtCrash } else { Trust::Truncated };
        Ok((walk.into_map(), trust))
    }

    /// `Range { inner: LeafRange { front: Option<Handle>, back } }`: no number says how many lie between.
    fn tree_range(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<(Data, Trust)> {
        let mut walk = Walk::of(u64::MAX, depth);
        let mut ends = Vec::new();
        for name in ["front", "back"] {
            let end = self.parts(layout, source, &["inner", name])?;
            let Some(handle) = self.some(end)? else {
                walk.len = 0;
                return Ok((walk.into_map(), Trust::AtCrash));
            };
            ends.push(self.handle(handle)?);
        }
        let [(node, index), (last, end)] = ends[..] else { return Err(Gap::because("a range without ends")) };
        let nodes = self.nodes(layout, node, 1)?;
        let start = Edge { node: self.address(node)?, height: 0, index };
        let stop = Edge { node: self.address(last)?, height: 0, index: end };
        let whole = self.forward(&nodes, &mut walk, start, Some(stop))?;
        // Of one that was cut off nobody counts the rest.
        walk.len = walk.entries.len() as u64 + u64::from(!whole);
        let trust = if whole { Trust::AtCrash } else { Trust::Truncated };
        Ok((walk.into_map(), trust))
    }

    /// An end of `LazyLeafRange`: the root with its height, or an edge of a leaf.
    fn end<'v>(&mut self, end: Part<'v>) -> Read<(Part<'v>, u64, Option<u64>)> {
        let end = self.some(end)?.ok_or_else(|| Gap::because("entries of no tree"))?;
        let layout = self.layout(end.entry.die);
        let Kind::Enum { discriminant, variants } = &layout.kind else {
            return Err(Gap::because(format!("{} is no enum", layout.name)));
        };
        let variant = self.active_variant(*discriminant, variants, end.source)?;
        let inner = variant.members.first();
        let inner = inner.ok_or_else(|| Gap::because(format!("{} holds nothing", layout.name)))?;
        let inner = Part { entry: inner.entry, source: end.source.at(inner.offset) };
        if variant.name == "Edge" {
            let (node, index) = self.handle(inner)?;
            return Ok((node, 0, Some(index)));
        }
        let layout = self.layout(inner.entry.die);
        let height = layout.part(inner.source, "height")?;
        let height = self.word(height)?;
        if height > HEIGHT {
            return Err(Gap::because(format!("a tree of height {height}")));
        }
        Ok((layout.part(inner.source, "node")?, height, None))
    }

    /// `Handle { node: NodeRef { height, node }, idx }`: a leaf, and the edge's place in it.
    fn handle<'v>(&mut self, handle: Part<'v>) -> Read<(Part<'v>, u64)> {
        let layout = self.layout(handle.entry.die);
        let index = layout.part(handle.source, "idx")?;
        let index = self.word(index)?;
        Ok((self.parts(&layout, handle.source, &["node", "node"])?, index))
    }

    /// Reads entries from an edge on, until there are as many as are left or the other end is met (`true`), or a limit.
    fn forward(&mut self, nodes: &Nodes, walk: &mut Walk, start: Edge, stop: Option<Edge>) -> Read<bool> {
        let mut at = start;
        let mut node = self.node_of_tree(nodes, at.node, at.height)?;
        while (walk.entries.len() as u64) < walk.len {
            while at.height > 0 {
                at = Edge { node: node.edge(nodes, at.index), height: at.height - 1, index: 0 };
                node = self.node_of_tree(nodes, at.node, at.height)?;
            }
            if stop == Some(at) {
                return Ok(true);
            }
            while at.index >= node.len(nodes) {
                let (parent, index) = node.parent(nodes);
                if parent == 0 || at.height >= HEIGHT {
                    return Err(Gap::because("an iterator that has more entries left than its tree"));
                }
                at = Edge { node: parent, height: at.height + 1, index };
                node = self.node_of_tree(nodes, at.node, at.height)?;
            }
            if !self.entry(nodes, walk, (at.node, &node.bytes), at.index) {
                return Ok(false);
            }
            at.index += 1;
        }
        Ok(true)
    }

    fn node_of_tree(&mut self, nodes: &Nodes, address: u64, height: u64) -> Read<Node> {
        let node = self.node_bytes(nodes, address, height)?;
        if node.len(nodes) > nodes.capacity {
            return Err(Gap::because(format!("no node of a tree at {address:#x}")));
        }
        Ok(node)
    }
}
