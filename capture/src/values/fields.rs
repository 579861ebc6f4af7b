//! The way through std's private types, by field names. A field that is not there is said, never guessed.

use super::Reader;
use super::layout::{Entry, Form, Kind, Layout, Member};
use super::source::{Gap, Read, Source};

/// Wrappers that one number or pointer is looked for in.
const WRAPPERS: u32 = 8;

/// A part of a value: its type and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Part<'v> {
    pub(super) entry: Entry,
    pub(super) source: Source<'v>,
}

impl Layout {
    /// A field of a struct.
    pub(super) fn part<'v>(&self, source: Source<'v>, name: &str) -> Read<Part<'v>> {
        let member = self.member(name).ok_or_else(|| self.no_field(name))?;
        Ok(Part { entry: member.entry, source: source.at(member.offset) })
    }

    /// The gap of a layout that has no such field.
    pub(super) fn no_field(&self, name: &str) -> Gap {
        Gap::because(format!("the layout of {} is not known: it has no field `{name}`", self.name))
    }

    /// The n-th type parameter.
    pub(super) fn param(&self, index: usize) -> Read<Entry> {
        let param = self.params.get(index).copied();
        param.ok_or_else(|| Gap::because(format!("{} has no type parameter in the debug info", self.name)))
    }
}

impl Reader<'_> {
    /// A field of a field of … a struct.
    pub(super) fn parts<'v>(&mut self, layout: &Layout, source: Source<'v>, path: &[&str]) -> Read<Part<'v>> {
        let Some((first, rest)) = path.split_first() else { return Err(Gap::because("an empty path")) };
        let mut part = layout.part(source, first)?;
        for name in rest {
            let layout = self.layout(part.entry.die);
            part = layout.part(part.source, name)?;
        }
        Ok(part)
    }

    /// Goes into structs that hold one thing only (`Unique`, `NonNull`, `AtomicU32`, `Cell` …) down to it.
    pub(super) fn innermost<'v>(&mut self, mut part: Part<'v>) -> Part<'v> {
        for _ in 0..WRAPPERS {
            let layout = self.layout(part.entry.die);
            let mut sized = Vec::new();
            for member in layout.members() {
                if self.layout(member.entry.die).size != Some(0) {
                    sized.push(member);
                }
            }
            let [Member { entry, offset, .. }] = sized[..] else { break };
            part = Part { entry: *entry, source: part.source.at(*offset) };
        }
        part
    }

    /// The number in a part, wrapped or not.
    pub(super) fn number(&mut self, part: Part<'_>) -> Read<u128> {
        let inner = self.innermost(part);
        let layout = self.layout(inner.entry.die);
        if let (Kind::Integer { .. } | Kind::Bool, Some(size)) = (&layout.kind, layout.size) {
            return inner.source.number(self.memory, size);
        }
        let outer = self.layout(part.entry.die);
        Err(Gap::because(format!("the layout of {} is not known: no number in it", outer.name)))
    }

    /// A number of at most 64 bits.
    pub(super) fn word(&mut self, part: Part<'_>) -> Read<u64> {
        self.number(part).map(|number| number as u64)
    }

    /// What the field `len` says.
    pub(super) fn len_of(&mut self, layout: &Layout, source: Source<'_>) -> Read<u64> {
        let len = layout.part(source, "len")?;
        self.word(len)
    }

    /// The address in a pointer, wrapped or not.
    pub(super) fn address(&mut self, part: Part<'_>) -> Read<u64> {
        let inner = self.innermost(part);
        let layout = self.layout(inner.entry.die);
        if let Kind::Pointer { fat: None, .. } = layout.kind {
            return inner.source.number(self.memory, 8).map(|number| number as u64);
        }
        let outer = self.layout(part.entry.die);
        Err(Gap::because(format!("the layout of {} is not known: no pointer in it", outer.name)))
    }

    /// The size of a type's values.
    pub(super) fn size_of(&mut self, entry: Entry) -> Read<u64> {
        let layout = self.layout(entry.die);
        match (entry.form, layout.size) {
            (Form::Itself, Some(size)) => Ok(size),
            (Form::FunctionItem, _) => Ok(0),
            _ => Err(Gap::because(format!("the debug info has no size for {}", layout.name))),
        }
    }
}
