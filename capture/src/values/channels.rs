//! Ends of channels, std's and those of `crossbeam-channel`, which std took them from: what waits in one, and whether the
//! other end is still there. In: a sender or a receiver. Out: a struct of these, in place of the fields. What the types
//! beneath have other fields than are known here is unreadable.

use relapse_snapshot::{Data, Field, StdType, Trust, TypeId, TypeKind, TypeShape, Value};

use super::Reader;
use super::fields::Part;
use super::layout::{Entry, Form, Kind, Layout};
use super::sequences::{plausible, sequence};
use super::source::{Gap, Read, Source};

/// Structs around the enum of the kinds of channels.
const WRAPPERS: u32 = 4;

/// The lowest bit of a place in a list is a mark.
const SHIFT: u32 = 1;
/// Places in a block of a list; the last one leads to the next block.
const LAP: u64 = 32;
/// A slot of a list whose message is written.
const WRITTEN: u64 = 1;

/// What a channel keeps its messages in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flavor {
    Array,
    List,
    Zero,
}

/// Messages that were read, and how many there are.
struct Queue {
    items: Vec<Value>,
    len: u64,
    capacity: Option<u64>,
}

/// Whether a struct is an end of a channel, and whether that is the receiver.
pub(super) fn end_of_channel(layout: &Layout) -> Option<bool> {
    if !matches!(layout.kind, Kind::Record { .. }) {
        return None;
    }
    match layout.name.split('<').next().unwrap_or_default() {
        "std::sync::mpsc::Sender" | "std::sync::mpsc::SyncSender" | "crossbeam_channel::channel::Sender" => {
            Some(false)
        }
        "std::sync::mpsc::Receiver" | "crossbeam_channel::channel::Receiver" => Some(true),
        _ => None,
    }
}

impl Reader<'_> {
    /// As a struct: the `channel`'s address, which tells ends of one from those of another; how many `senders` and
    /// `receivers` it has; of a bounded one its `capacity`; and what is `queued`, in a cell, since other threads change
    /// it. Std's sender of an unbounded one never meets what it has sent: there that is not read. That of
    /// `crossbeam-channel` can ask how many messages wait.
    pub(super) fn channel(
        &mut self,
        receives: bool,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let (flavor, counter) = self.flavor(layout, source)?;
        let pointer = self.layout(counter.entry.die).part(counter.source, "counter")?;
        let (address, target) = (self.address(pointer)?, self.target_of(pointer.entry)?);
        let shared = self.layout(target.die);
        let at = Source::Memory(address);
        let (senders, receivers) = (shared.part(at, "senders")?, shared.part(at, "receivers")?);
        let (senders, receivers) = (self.word(senders)?, self.word(receivers)?);
        let own = if receives { receivers } else { senders };
        if own == 0 || senders > i64::MAX as u64 || receivers > i64::MAX as u64 {
            return Err(Gap::because(format!("a channel of {senders} senders and {receivers} receivers")));
        }
        let channel = shared.part(at, "chan")?;
        let meets = receives || !layout.name.starts_with("std::");
        let queue = match flavor {
            Flavor::Zero => Queue { items: Vec::new(), len: 0, capacity: Some(0) },
            Flavor::List if !meets => Queue { items: Vec::new(), len: 0, capacity: None },
            Flavor::List => self.listed(of, channel, depth)?,
            Flavor::Array => self.in_array(of, channel, depth)?,
        };
        let count = self.types.intern(TypeShape {
            name: "usize".to_owned(),
            size: Some(8),
            kind: TypeKind::Integer { signed: false, bits: 64 },
        });
        let number = |name: &str, number: u64| Field {
            name: name.to_owned(),
            value: super::value(count, Data::Uint(u128::from(number))),
        };
        let mut fields =
            vec![number("channel", address), number("senders", senders), number("receivers", receivers)];
        fields.extend(queue.capacity.map(|capacity| number("capacity", capacity)));
        if queue.capacity.is_some_and(|capacity| capacity > 0) || meets {
            fields.push(self.queued(of, queue));
        }
        Ok((Data::Struct(fields), Trust::AtCrash))
    }

    fn queued(&mut self, of: Entry, queue: Queue) -> Field {
        let items = self.type_id(Entry { die: of.die, form: Form::Slice });
        let name = format!("core::cell::UnsafeCell<{}>", self.types.name(items));
        let kind = TypeKind::Std { std: StdType::UnsafeCell, params: vec![items] };
        let cell: TypeId = self.types.intern(TypeShape { name, size: None, kind });
        let (data, trust) = sequence(queue.items, queue.len);
        let inner = Box::new(Value { ty: items, trust, data });
        let data = Data::Cell { inner, state: 0, poisoned: false };
        Field { name: "queued".to_owned(), value: super::value(cell, data) }
    }

    /// `Sender { inner: mpmc::Sender { flavor: Array(..) | List(..) | Zero(..) } }`: which it is, and the counted pointer
    /// to it.
    fn flavor<'v>(&mut self, layout: &Layout, source: Source<'v>) -> Read<(Flavor, Part<'v>)> {
        let (mut layout, mut source) = (layout.clone(), source);
        for _ in 0..WRAPPERS {
            if layout.member("flavor").is_some() {
                break;
            }
            let inner = layout.part(source, "inner")?;
            (layout, source) = ((*self.layout(inner.entry.die)).clone(), inner.source);
        }
        let flavor = layout.part(source, "flavor")?;
        let flavors = self.layout(flavor.entry.die);
        let Kind::Enum { discriminant, variants } = &flavors.kind else {
            return Err(Gap::because(format!("{} is no enum", flavors.name)));
        };
        let variant = self.active_variant(*discriminant, variants, flavor.source)?;
        let kind = match variant.name.as_str() {
            "Array" => Flavor::Array,
            "List" => Flavor::List,
            "Zero" => Flavor::Zero,
            other => {
                return Err(Gap::because(format!("a channel of the kind {other}, which nobody sends to")));
            }
        };
        let inner = variant.members.first();
        let inner = inner.ok_or_else(|| Gap::because(format!("{} holds nothing", flavors.name)))?;
        Ok((kind, Part { entry: inner.entry, source: flavor.source.at(inner.offset) }))
    }

    /// `list::Channel { head: Position { index, block }, tail, .. }`, blocks of slots that each lead to the next one.
    fn listed(&mut self, of: Entry, channel: Part<'_>, depth: u32) -> Read<Queue> {
        let layout = self.layout(channel.entry.die);
        let head = self.parts(&layout, channel.source, &["head", "value", "index"])?;
        let tail = self.parts(&layout, channel.source, &["tail", "value", "index"])?;
        let block = self.parts(&layout, channel.source, &["head", "value", "block"])?;
        let (mut head, tail) = (self.word(head)? >> SHIFT, self.word(tail)? >> SHIFT);
        // The last place of each lap holds no message.
        let before = |place: u64| (place / LAP) * (LAP - 1) + (place % LAP).min(LAP - 1);
        let Some(len) = before(tail).checked_sub(before(head)) else {
            return Err(Gap::because(format!("messages from {head} to {tail}")));
        };
        plausible(len, self.size_of(of)?.max(1))?;
        let of_block = self.target_of(block.entry)?;
        let of_block = self.layout(of_block.die);
        let mut address = self.address(block)?;
        let mut items = Vec::new();
        while head != tail && address != 0 && (items.len() as u64) < len && self.may_take(&items, depth) {
            let at = Source::Memory(address);
            if head % LAP == LAP - 1 {
                let next = of_block.part(at, "next")?;
                address = self.address(next)?;
                head += 1;
                continue;
            }
            let slots = of_block.part(at, "slots")?;
            let Some(slot) = self.slot(slots, head % LAP)? else { break };
            let of_slot = self.layout(slot.entry.die);
            let state = of_slot.part(slot.source, "state")?;
            if self.word(state)? & WRITTEN == 0 {
                break;
            }
            let message = of_slot.part(slot.source, "msg")?;
            items.push(self.decode(of, message.source, depth + 1));
            head += 1;
        }
        Ok(Queue { items, len, capacity: None })
    }

    fn slot<'v>(&mut self, slots: Part<'v>, index: u64) -> Read<Option<Part<'v>>> {
        let Kind::Array { of, len } = self.layout(slots.entry.die).kind else {
            return Err(Gap::because("the slots of a channel are no array"));
        };
        let size = self.size_of(of)?;
        Ok((index < len).then(|| Part { entry: of, source: slots.source.at(index.wrapping_mul(size)) }))
    }

    /// `array::Channel { head, tail, buffer: Box<[Slot]>, cap, one_lap, mark_bit, .. }`: the places are an index below the
    /// mark, and the number of the lap above it. A slot whose stamp is one more than its place holds a message.
    fn in_array(&mut self, of: Entry, channel: Part<'_>, depth: u32) -> Read<Queue> {
        let layout = self.layout(channel.entry.die);
        let head = self.parts(&layout, channel.source, &["head", "value"])?;
        let tail = self.parts(&layout, channel.source, &["tail", "value"])?;
        let (head, tail) = (self.word(head)?, self.word(tail)?);
        let mut number = |name: &str| {
            let part = layout.part(channel.source, name)?;
            self.word(part)
        };
        let (capacity, lap, mark) = (number("cap")?, number("one_lap")?, number("mark_bit")?);
        if !mark.is_power_of_two() || Some(lap) != mark.checked_mul(2) || capacity == 0 || capacity >= mark {
            return Err(Gap::because(format!("a channel of {capacity} places, and a mark of {mark:#x}")));
        }
        let (first, end) = (head & (mark - 1), tail & (mark - 1));
        let len = match first.cmp(&end) {
            std::cmp::Ordering::Less => end - first,
            std::cmp::Ordering::Greater => capacity.saturating_sub(first).saturating_add(end),
            std::cmp::Ordering::Equal if tail & !mark == head => 0,
            std::cmp::Ordering::Equal => capacity,
        };
        if first >= capacity || end >= capacity || len > capacity {
            return Err(Gap::because(format!("messages from {first} to {end} of {capacity}")));
        }
        let (slots, slot) = self.buffer_of(layout.part(channel.source, "buffer")?)?;
        let (size, of_slot) = (self.size_of(slot)?, self.layout(slot.die));
        plausible(capacity, size)?;
        let mut items = Vec::new();
        for index in 0..len {
            if !self.may_take(&items, depth) {
                break;
            }
            let (place, stamp) = match first + index {
                place if place < capacity => (place, head.wrapping_add(index)),
                place => (place - capacity, (head & !(lap - 1)).wrapping_add(lap + place - capacity)),
            };
            let at = Source::Memory(slots.wrapping_add(place.wrapping_mul(size)));
            let found = of_slot.part(at, "stamp")?;
            if self.word(found)? != stamp.wrapping_add(1) {
                break;
            }
            let message = of_slot.part(at, "msg")?;
            items.push(self.decode(of, message.source, depth + 1));
        }
        Ok(Queue { items, len, capacity: Some(capacity) })
    }

    /// Where the slots begin, and what one is: a boxed slice, in older releases a bare pointer.
    fn buffer_of(&mut self, buffer: Part<'_>) -> Read<(u64, Entry)> {
        let layout = self.layout(buffer.entry.die);
        let Kind::Pointer { target: Some(target), fat, .. } = layout.kind else {
            return Err(Gap::because(format!("{} is no pointer", layout.name)));
        };
        let at = buffer.source.at(fat.map_or(0, |fat| fat.address));
        Ok((at.number(self.memory, 8)? as u64, Entry::of(target.die)))
    }

    fn may_take(&self, items: &[Value], depth: u32) -> bool {
        (items.len() as u64) < self.limits.elements && self.nodes_left > 0 && depth + 1 < self.deepest()
    }
}
