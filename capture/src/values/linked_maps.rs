//! Hash maps that keep their entries in the order in which they came (`hashlink`): a table of positions, and nodes that each
//! lead to the next one. A node may be a free one, so that its entry and its links are unions: those that are reached from
//! the guard, which has no entry, are in use.

use relapse_snapshot::{Data, Trust, Value};

use super::Reader;
use super::entries::Parser;
use super::fields::Part;
use super::layout::Layout;
use super::sequences::plausible;
use super::source::{Gap, Read, Source};

/// Wrappers around what may be uninitialised.
const WRAPPERS: u32 = 4;

impl Reader<'_> {
    /// `LinkedHashMap { map, values: Option<NonNull<Node>>, .. }`, `Node { entry: MaybeUninit<(K, V)>, links: Links }`.
    pub(super) fn linked_map(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let len = self.parts(layout, source, &["map", "table", "table", "items"])?;
        let len = self.word(len)?;
        let guard = self.some(layout.part(source, "values")?)?;
        let mut entries: Vec<(Value, Value)> = Vec::new();
        if let Some(guard) = guard.filter(|_| len > 0) {
            let of_node = self.target_of(guard.entry)?;
            plausible(len, self.size_of(of_node)?.max(1))?;
            let of_node = self.layout(of_node.die);
            let guard = self.address(guard)?;
            let mut node = self.next_node(&of_node, guard)?;
            while node != guard && (entries.len() as u64) < len.min(self.limits.elements) {
                if self.nodes_left == 0 || depth + 1 >= self.deepest() {
                    break;
                }
                let entry = of_node.part(Source::Memory(node), "entry")?;
                let pair = self.initialised(entry)?;
                let of_pair = self.layout(pair.entry.die);
                let (key, value) = (of_pair.part(pair.source, "0")?, of_pair.part(pair.source, "1")?);
                let key = self.decode(key.entry, key.source, depth + 1);
                entries.push((key, self.decode(value.entry, value.source, depth + 1)));
                node = self.next_node(&of_node, node)?;
            }
            // Otherwise the last ones were read, or the first ones, of a list that is not that of the table.
            if (entries.len() as u64 == len) != (node == guard) {
                return Err(Gap::because("a linked map whose nodes do not lead back"));
            }
        }
        let trust = if entries.len() as u64 == len { Trust::AtCrash } else { Trust::Truncated };
        Ok((Data::Map { entries, len }, trust))
    }

    fn next_node(&mut self, of_node: &Layout, node: u64) -> Read<u64> {
        let links = of_node.part(Source::Memory(node), "links")?;
        let links = self.member_of_union(links, "value")?;
        let next = self.layout(links.entry.die).part(links.source, "next")?;
        self.address(next)
    }

    /// What a `MaybeUninit` holds that is known to hold something.
    pub(super) fn initialised<'v>(&mut self, part: Part<'v>) -> Read<Part<'v>> {
        let mut part = self.member_of_union(part, "value")?;
        for _ in 0..WRAPPERS {
            let layout = self.layout(part.entry.die);
            let [only] = layout.members() else { break };
            if !layout.name.starts_with("core::mem::") {
                break;
            }
            part = Part { entry: only.entry, source: part.source.at(only.offset) };
        }
        Ok(part)
    }

    /// A field of a union that is known to be in use.
    fn member_of_union<'v>(&mut self, part: Part<'v>, name: &str) -> Read<Part<'v>> {
        let die = part.entry.die;
        let mut parser = Parser::new(self.dwarf, self.units);
        let unit = parser.units.unit(parser.dwarf, die.unit);
        let members = unit.and_then(|unit| parser.plain_members(die, &unit)).unwrap_or_default();
        let member = members.iter().find(|member| member.name == name);
        let member = member.ok_or_else(|| self.layout(die).no_field(name))?;
        Ok(Part { entry: member.entry, source: part.source.at(member.offset) })
    }
}
