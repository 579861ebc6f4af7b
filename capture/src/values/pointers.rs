//! References, raw pointers, boxes, and counted pointers.

use relapse_snapshot::{Data, Trust, Value};

use super::fields::Part;
use super::graph::At;
use super::layout::{Entry, Fat, Form, Kind, Layout};
use super::names::PointerClass;
use super::sequences::Encoding;
use super::source::{Gap, Read, Source};
use super::{Reader, read};

/// What `Weak::new()` holds.
const DANGLING: u64 = u64::MAX;

impl Reader<'_> {
    /// A pointer and what it points to.
    pub(super) fn pointer(
        &mut self,
        class: PointerClass,
        target: Option<Entry>,
        fat: Option<Fat>,
        source: Source<'_>,
        depth: u32,
    ) -> Read<Data> {
        let at = fat.map_or(0, |fat| fat.address);
        let address = source.at(at).number(self.memory, 8)? as u64;
        let raw = matches!(class, PointerClass::Raw { .. });
        let Some(target) = target else { return Ok(Data::Pointer { address, to: None }) };
        if address == 0 {
            return if raw {
                Ok(Data::Pointer { address, to: None })
            } else {
                Err(Gap::because("a reference or box that is null"))
            };
        }
        let len = match fat {
            Some(Fat { length: Some(at), .. }) => Some(source.at(at).number(self.memory, 8)? as u64),
            _ => None,
        };
        let to = match fat {
            Some(Fat { vtable: Some(at), .. }) => {
                let vtable = source.at(at).number(self.memory, 8)? as u64;
                Some(self.trait_object(address, target, vtable, depth))
            }
            _ => self.follow(At::plain(address), target, len, depth, raw),
        };
        // A raw pointer may dangle; that is nothing to distrust.
        let dangles = raw && to.as_ref().is_some_and(|to| to.trust == Trust::Unreadable);
        Ok(Data::Pointer { address, to: to.filter(|_| !dangles).map(Box::new) })
    }

    /// What lies at an address; `None` where it cannot be told (trait objects, functions, opaque types).
    fn follow(&mut self, at: At, target: Entry, len: Option<u64>, depth: u32, raw: bool) -> Option<Value> {
        let address = at.value;
        let layout = self.layout(target.die);
        if target.form == Form::Itself
            && matches!(layout.kind, Kind::Dyn | Kind::Opaque { .. } | Kind::Function)
        {
            return None;
        }
        if !raw && let Some(align) = layout.align.filter(|align| !address.is_multiple_of(*align)) {
            let ty = self.type_id(target);
            let reason = format!("{address:#x} is not aligned to {align} bytes");
            return Some(Value::missing(ty, Trust::Unreadable, reason));
        }
        Some(self.follow_known(at, target, len, depth))
    }

    /// What lies at an address, of a sized type that is known.
    pub(super) fn follow_sized(&mut self, at: At, target: Entry, depth: u32) -> Value {
        self.follow_known(at, target, None, depth)
    }

    fn follow_known(&mut self, at: At, target: Entry, len: Option<u64>, depth: u32) -> Value {
        let layout = self.layout(target.die);
        if target.form == Form::Itself && layout.size == Some(0) && len.is_none() {
            return self.decode(target, Source::Memory(at.value), depth + 1);
        }
        self.pointee(at, target, len, depth + 1)
    }

    /// A value whose length its pointer holds: `str`, a slice, or a struct that ends with one.
    pub(super) fn unsized_value(&mut self, entry: Entry, address: u64, len: u64, depth: u32) -> Value {
        let ty = self.type_id(entry);
        if let Some(limit) = self.spend(depth) {
            return Value::missing(ty, Trust::Truncated, limit);
        }
        let mark = self.graph.mark();
        let layout = self.layout(entry.die);
        let result = match (entry.form, &layout.kind) {
            (Form::Str, _) => self.text(address, len, Encoding::Utf8),
            (Form::Slice, _) => self.elements(Entry::of(entry.die), Source::Memory(address), len, depth),
            // `Path` and `OsStr` are their bytes (`sys::os_str::bytes::Slice`) on all platforms but Windows.
            (
                Form::Itself,
                Kind::Std { std: relapse_snapshot::StdType::Path | relapse_snapshot::StdType::OsStr, .. },
            ) => self.text(address, len, Encoding::Os),
            (Form::Itself, Kind::Record { members, .. }) => {
                Ok(read(Data::Struct(self.unsized_record(members, address, len, depth))))
            }
            _ => Err(Gap::because(format!(
                "the debug info does not tell where the length of {} counts",
                layout.name
            ))),
        };
        self.kept(ty, mark, result)
    }

    /// `NonNull<T>`: the raw pointer in it.
    pub(super) fn non_null(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let pointer = layout.part(source, "pointer")?;
        let layout = self.layout(pointer.entry.die);
        let Kind::Pointer { class, target, fat } = layout.kind else {
            return Err(Gap::because(format!("{} is no pointer", layout.name)));
        };
        let data = self.pointer(class, target, fat, pointer.source, depth)?;
        if matches!(data, Data::Pointer { address: 0, .. }) {
            return Err(Gap::because("a NonNull that is null"));
        }
        Ok(read(data))
    }

    /// `Rc<T>`, `Arc<T>` and their `Weak<T>`: a pointer to `{ strong, weak, value }` (`data` in an `Arc`).
    pub(super) fn counted(
        &mut self,
        is_weak: bool,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let pointer = self.parts(layout, source, &["ptr", "pointer"])?;
        let pointer_layout = self.layout(pointer.entry.die);
        let Kind::Pointer { target: Some(target), fat, .. } = pointer_layout.kind else {
            return Err(Gap::because(format!(
                "the layout of {} is not known: `ptr` is no pointer",
                layout.name
            )));
        };
        let at = fat.map_or(0, |fat| fat.address);
        let address = pointer.source.at(at).number(self.memory, 8)? as u64;
        if is_weak && address == DANGLING {
            return Ok(read(Data::Pointer { address, to: None }));
        }
        let shared = self.layout(target.die);
        let strong = shared.part(Source::Memory(address), "strong")?;
        let count = self.word(strong)?;
        if count > i64::MAX as u64 {
            return Err(Gap::because(format!("a reference count of {count}")));
        }
        let Part { source: Source::Memory(inside), .. } = (match shared.part(Source::Memory(address), "value")
        {
            Ok(part) => part,
            Err(_) => shared.part(Source::Memory(address), "data")?,
        }) else {
            return Err(Gap::because("a shared value that is not in memory"));
        };
        let len = match fat {
            Some(Fat { vtable: Some(_), .. }) if is_weak && count == 0 => None,
            Some(Fat { vtable: Some(at), .. }) => {
                let vtable = pointer.source.at(at).number(self.memory, 8)? as u64;
                let to = match self.made_sized(of, vtable) {
                    // The count before it moves the value to where its alignment lets it lie.
                    Ok(concrete) => {
                        let inside = inside.checked_next_multiple_of(concrete.align).unwrap_or(inside);
                        let at = At { held: address, value: inside };
                        self.follow_concrete(at, of, &concrete, depth)
                    }
                    Err(gap) => gap.into_value(self.type_id(of)),
                };
                let trust = if count == 0 { Trust::Suspect } else { Trust::AtCrash };
                return Ok((Data::Pointer { address, to: Some(Box::new(to)) }, trust));
            }
            Some(Fat { length: Some(at), .. }) => Some(pointer.source.at(at).number(self.memory, 8)? as u64),
            _ => None,
        };
        if is_weak && count == 0 {
            // What it pointed to was dropped: there is nothing to be had, and nothing to distrust.
            return Ok(read(Data::Pointer { address, to: None }));
        }
        let at = At { held: address, value: inside };
        let to = self.follow(at, of, len, depth, false).map(Box::new);
        if is_weak && to.is_none() {
            return Err(Gap::because("a `Weak` of something that could not be read"));
        }
        // With a count of 0 the value is dropped already, or about to be.
        let trust = if count == 0 { Trust::Suspect } else { Trust::AtCrash };
        Ok((Data::Pointer { address, to }, trust))
    }
}
