//! What a pointer to a trait object points to: a value of the type that the vtable belongs to, alone or at the end
//! of a struct (`RefCell<dyn Tr>`), which then is that struct of the concrete type.

use std::rc::Rc;

use gimli::{DebugInfoOffset, UnitOffset};
use relapse_snapshot::{Trust, Value};

use super::graph::At;
use super::layout::{Entry, Form, Kind, Layout, Member};
use super::source::{Gap, Read};
use super::vtables::Concrete;
use super::{Reader, names};
use crate::image::DieRef;

/// Structs within structs whose last field is looked at.
const NESTED: u32 = 16;

impl Reader<'_> {
    /// The value behind a pointer of `target`, which is or ends with a trait object.
    pub(super) fn trait_object(&mut self, address: u64, target: Entry, vtable: u64, depth: u32) -> Value {
        match self.made_sized(target, vtable) {
            Ok(concrete) => self.follow_concrete(At::plain(address), target, &concrete, depth),
            Err(gap) => gap.into_value(self.type_id(target)),
        }
    }

    /// The same, where the type is known.
    pub(super) fn follow_concrete(
        &mut self,
        at: At,
        target: Entry,
        concrete: &Concrete,
        depth: u32,
    ) -> Value {
        let address = at.value;
        if !address.is_multiple_of(concrete.align) {
            let reason = format!("{address:#x} is not aligned to {} bytes", concrete.align);
            return Value::missing(self.type_id(target), Trust::Unreadable, reason);
        }
        self.within(concrete.info, |reader| reader.follow_sized(at, concrete.entry, depth))
    }

    /// The sized type that `target` is with this vtable.
    pub(super) fn made_sized(&mut self, target: Entry, vtable: u64) -> Read<Concrete> {
        let concrete = self.concrete(vtable)?;
        if target.form == Form::Itself && matches!(self.layout(target.die).kind, Kind::Dyn) {
            return Ok(concrete);
        }
        if concrete.info.number != self.here() {
            return Err(Gap::because("its concrete type is described in another part of the debug info"));
        }
        self.with_tail(target, &concrete, NESTED)
    }

    /// A struct that ends with a trait object, with the concrete type in its place. Its last field lies where its
    /// alignment lets it: the debug info of the unsized struct does not know that.
    fn with_tail(&mut self, target: Entry, tail: &Concrete, nested: u32) -> Read<Concrete> {
        let layout = self.layout(target.die);
        if target.form != Form::Itself || nested == 0 {
            return Err(Gap::because(format!("{} does not end with a trait object", layout.name)));
        }
        if matches!(layout.kind, Kind::Dyn) {
            return Ok(tail.clone());
        }
        let key = (target.die, tail.entry.die);
        if let Some(known) = self.units.entries.made_sized.get(&key) {
            return Ok(known.clone());
        }
        let Some(last) = last_member(&layout).cloned() else {
            return Err(Gap::because(format!("{} does not end with a trait object", layout.name)));
        };
        let inner = self.with_tail(last.entry, tail, nested - 1)?;
        let align = layout.align.unwrap_or(1).max(inner.align);
        let offset = last.offset.checked_next_multiple_of(inner.align);
        let end = offset.and_then(|offset| offset.checked_add(inner.size));
        let size = end.and_then(|end| end.checked_next_multiple_of(align));
        let (Some(offset), Some(size)) = (offset, size) else { return Err(Gap::because("implausible size")) };
        let sized =
            self.substituted(&layout, &last, &Member { entry: inner.entry, offset, ..last.clone() }, tail)?;
        let sized = Layout { size: Some(size), align: Some(align), ..sized };
        // No entry of the file describes it: it gets a place of its own beyond all of them.
        let entries = &mut self.units.entries;
        let entry = UnitOffset(entries.made_sized.len());
        let die = DieRef { unit: DebugInfoOffset(usize::MAX), entry };
        let concrete = Concrete { entry: Entry::of(die), size, align, ..tail.clone() };
        entries.layouts.insert(die, Rc::new(sized));
        entries.made_sized.insert(key, concrete.clone());
        Ok(concrete)
    }

    /// The layout with another last field, and with that field's type in place of the unsized one in its name and its
    /// type parameters.
    fn substituted(&mut self, layout: &Layout, old: &Member, new: &Member, tail: &Concrete) -> Read<Layout> {
        let mut sized = layout.clone();
        if let Kind::Record { members, .. } | Kind::Std { members, .. } = &mut sized.kind
            && let Some(last) = members.iter_mut().find(|member| *member == old)
        {
            *last = new.clone();
        }
        let replaced = self.made_concrete(old.entry, tail);
        for (name, _) in &replaced {
            let mut alike = 0;
            for param in &layout.params {
                alike += u32::from(self.layout(param.die).name == *name);
            }
            if alike > 1 {
                let reason = format!("{}: which of the two {name} is that of its last field", layout.name);
                return Err(Gap::because(reason));
            }
        }
        for param in &mut sized.params {
            let name = self.layout(param.die).name.clone();
            if let Some((_, by)) = replaced.iter().find(|(old, _)| *old == name) {
                *param = *by;
            }
        }
        let replaced: Vec<(String, String)> =
            replaced.into_iter().map(|(old, by)| (old, self.layout(by.die).name.clone())).collect();
        sized.name = names::with_arguments(&layout.name, |argument| {
            let bare = names::without_parentheses(argument);
            replaced
                .iter()
                .find(|(old, _)| names::without_parentheses(old) == bare)
                .map(|(_, by)| by.as_str())
        });
        Ok(sized)
    }

    /// The types that a field's unsized type ends with, itself first, each by its name with the sized type in its place. A
    /// type parameter that is none of them stays as it is, whether or not it has a size.
    fn made_concrete(&mut self, field: Entry, tail: &Concrete) -> Vec<(String, Entry)> {
        let (mut made, mut entry) = (Vec::new(), field);
        for _ in 0..NESTED {
            let layout = self.layout(entry.die);
            let sized = self.units.entries.made_sized.get(&(entry.die, tail.entry.die));
            let by = match (&layout.kind, sized) {
                (Kind::Dyn, _) => tail.entry,
                (_, Some(sized)) => sized.entry,
                (_, None) => break,
            };
            made.push((layout.name.clone(), by));
            let Some(last) = last_member(&layout) else { break };
            entry = last.entry;
        }
        made
    }
}

fn last_member(layout: &Layout) -> Option<&Member> {
    layout.members().iter().max_by_key(|member| member.offset)
}
