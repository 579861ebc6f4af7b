//! Values that are shared, lead back to themselves, or are very deep. The tree of an argument is cut where it gets
//! too deep to recurse: what is below is read from a queue, as parts beside the tree. A place that was met before is
//! referred to. In all of that an address stands for what lies there ([`Data::Elsewhere`]).

use std::collections::{HashMap, HashSet, VecDeque};

use relapse_snapshot::graph::Place;
use relapse_snapshot::{Data, Part, Trust, Value};

use super::layout::{Entry, Form, Kind};
use super::source::Source;
use super::{DEEPEST, Reader};
use crate::image::DebugInfo;

/// What a pointer leads to is read as a part of its own from this depth on, so that parts begin at pointers.
const PART: u32 = 64;
/// Any other value is from this depth on, where it is known where it lies.
const LAST: u32 = DEEPEST - 16;
/// A shared value of more nodes than this is kept once; smaller ones are easier to read where they belong.
const REPEATED: u64 = 64;

/// Where a pointer leads to.
#[derive(Clone, Copy)]
pub(super) struct At {
    /// The address that the pointer holds.
    pub(super) held: u64,
    /// The address of the value: behind the counters of an `Rc`.
    pub(super) value: u64,
}

impl At {
    /// A pointer to the value itself.
    pub(super) fn plain(address: u64) -> At {
        At { held: address, value: address }
    }
}

/// What was met in one argument.
#[derive(Default)]
pub(super) struct Graph {
    /// The depth at which the part begins that is being read.
    pub(super) base: u32,
    /// The pointers that are being followed.
    followed: HashSet<Place>,
    /// Nodes of what pointers led to.
    met: HashMap<Place, u64>,
    /// The same places in the order in which they were met.
    in_order: Vec<Place>,
    queued: HashSet<Place>,
    queue: VecDeque<Pending>,
}

/// How far the reading had come: what was met and put off by then.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    met: usize,
    queued: usize,
}

impl Graph {
    /// Where the reading stands.
    pub(super) fn mark(&self) -> Mark {
        Mark { met: self.in_order.len(), queued: self.queue.len() }
    }

    /// Takes back what came since: it lay in a value that is not kept, so that a reference to it would lead to nothing.
    pub(super) fn forget(&mut self, since: Mark) {
        for place in self.in_order.drain(since.met..) {
            self.met.remove(&place);
        }
        for pending in self.queue.drain(since.queued..) {
            self.queued.remove(&pending.place);
        }
    }

    fn meet(&mut self, place: Place, nodes: u64) {
        if self.met.insert(place, nodes).is_none() {
            self.in_order.push(place);
        }
    }
}

/// A value that is still to be read.
struct Pending {
    place: Place,
    entry: Entry,
    address: u64,
    len: Option<u64>,
    depth: u32,
    /// The debug info of the entry, where there are several.
    info: Option<DebugInfo>,
}

impl Reader<'_> {
    /// What a pointer leads to, or that it is elsewhere.
    pub(super) fn pointee(&mut self, at: At, target: Entry, len: Option<u64>, depth: u32) -> Value {
        let place = (at.held, self.type_id(target), len);
        let graph = &self.graph;
        // In a part everything that was met before is referred to: this is how a long cycle ends.
        let is_met = graph.met.get(&place).is_some_and(|nodes| graph.base > 0 || *nodes > REPEATED);
        let is_known = is_met || graph.followed.contains(&place) || graph.queued.contains(&place);
        // Of a struct that ends with a slice the length does not show in what was read: nothing could tell two of them
        // apart that begin at one address.
        let is_referable = len.is_none() || matches!(target.form, Form::Str | Form::Slice);
        if is_known && is_referable {
            return self.kept_elsewhere(place, depth);
        }
        if is_referable && depth >= self.graph.base.saturating_add(PART) && depth < self.limits.depth {
            return self.later(Pending {
                place,
                entry: target,
                address: at.value,
                len,
                depth,
                info: self.info(),
            });
        }
        self.graph.followed.insert(place);
        let before = self.nodes_left;
        let value = match len {
            Some(len) => self.unsized_value(target, at.value, len, depth),
            None => self.decode(target, Source::Memory(at.value), depth),
        };
        self.graph.followed.remove(&place);
        if !matches!(value.data, Data::Missing(_)) {
            self.graph.meet(place, before - self.nodes_left);
        }
        value
    }

    /// A value that lies too deep to be read in its place, though no pointer leads to it: elements of elements.
    pub(super) fn far_below(&mut self, entry: Entry, source: Source<'_>, depth: u32) -> Option<Value> {
        if depth < self.graph.base.saturating_add(LAST) || depth >= self.limits.depth {
            return None;
        }
        let address = source.address()?;
        let layout = self.layout(entry.die);
        let has_parts = matches!(layout.kind, Kind::Record { .. } | Kind::Enum { .. });
        if entry.form != Form::Itself || !has_parts || layout.size == Some(0) {
            return None;
        }
        let place = (address, self.type_id(entry), None);
        if self.graph.queued.contains(&place) {
            return Some(self.kept_elsewhere(place, depth));
        }
        Some(self.later(Pending { place, entry, address, len: None, depth, info: self.info() }))
    }

    fn later(&mut self, pending: Pending) -> Value {
        let (place, depth) = (pending.place, pending.depth);
        let value = self.kept_elsewhere(place, depth);
        if matches!(value.data, Data::Elsewhere { .. }) {
            self.graph.queued.insert(place);
            self.graph.queue.push_back(pending);
        }
        value
    }

    fn kept_elsewhere(&mut self, (address, ty, len): Place, depth: u32) -> Value {
        match self.spend(depth) {
            Some(limit) => Value::missing(ty, Trust::Truncated, limit),
            None => super::value(ty, Data::Elsewhere { address, len }),
        }
    }

    /// Reads what is in the queue, which it may lengthen, as far as the limits allow.
    pub(super) fn with_parts(&mut self, root: Value) -> Value {
        let mut parts = Vec::new();
        while let Some(pending) = self.graph.queue.pop_front() {
            self.graph.base = pending.depth;
            self.graph.followed.insert(pending.place);
            let value = match pending.info {
                Some(info) => self.within(info, |reader| reader.read_pending(&pending)),
                None => self.read_pending(&pending),
            };
            self.graph.followed.remove(&pending.place);
            parts.push(Part { address: pending.place.0, value });
        }
        if parts.is_empty() {
            return root;
        }
        let (ty, trust) = (root.ty, root.trust);
        Value { ty, trust, data: Data::Graph { root: Box::new(root), parts } }
    }

    fn read_pending(&mut self, pending: &Pending) -> Value {
        match pending.len {
            Some(len) => self.unsized_value(pending.entry, pending.address, len, pending.depth),
            None => self.decode(pending.entry, Source::Memory(pending.address), pending.depth),
        }
    }

    /// The debug info that is read now.
    fn info(&self) -> Option<DebugInfo> {
        self.elsewhere.as_ref().map(|elsewhere| elsewhere.here)
    }
}
