//! What is set once: `OnceLock`, `LazyLock` and `Once`. Whether it is set stands in a number whose meaning std has
//! changed, so that the compiler's version has to tell it.

use relapse_snapshot::{Data, Field, Trust, Value};

use super::entries::Parser;
use super::fields::Part;
use super::layout::{Entry, Form, Kind, Layout};
use super::source::{Gap, Read, Source};
use super::{Reader, read};
use crate::image::rustc_in;
use crate::panic::minor_version;

/// The oldest release of Rust 1 whose numbers are known to be today's, from 3 (nothing yet) to 0 (set).
const KNOWN_SINCE: u16 = 95;

/// The size of a function pointer.
const POINTER: u64 = 8;

/// A `Once` counts its waiters, or knows that there are some, above this.
const STATE: u128 = 0b11;

/// What has come of a `Once`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Nothing,
    Poisoned,
    Running,
    Done,
}

/// Types that are set once.
#[derive(Clone, Copy)]
pub(super) enum SetOnce {
    Once,
    Lock,
    Lazy,
}

impl SetOnce {
    /// By its definition's path, with its arguments.
    pub(super) fn of(name: &str) -> Option<SetOnce> {
        let path = name.strip_prefix("std::sync::")?;
        Some(match path.split('<').next()? {
            "poison::once::Once" | "once::Once" => SetOnce::Once,
            "once_lock::OnceLock" => SetOnce::Lock,
            "lazy_lock::LazyLock" => SetOnce::Lazy,
            _ => return None,
        })
    }
}

impl Reader<'_> {
    /// As a struct: `Once` has a `state`, in words; an `OnceLock` its `value`, or nothing; a `LazyLock` its `value`, or
    /// the function that will make it, as `init`. A value is in the `UnsafeCell` that it is declared in.
    pub(super) fn set_once(
        &mut self,
        set: SetOnce,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let once = match set {
            SetOnce::Once => layout.part(source, "inner")?,
            SetOnce::Lock | SetOnce::Lazy => layout.part(source, "once")?,
        };
        let progress = self.progress(once)?;
        if progress == Progress::Running {
            return Err(Gap::because("what is set once was being set at that moment"));
        }
        let fields = match (set, progress) {
            (SetOnce::Once, _) => {
                let inner = self.decode(once.entry, once.source, depth + 1);
                let state = match progress {
                    Progress::Done => "done",
                    Progress::Poisoned => "poisoned",
                    _ => "new",
                };
                vec![Field { name: state.to_owned(), value: inner }]
            }
            (SetOnce::Lock, Progress::Done) => {
                let inside = self.inside(layout, source, "value", 0, depth)?;
                vec![Field { name: "value".to_owned(), ..inside }]
            }
            (SetOnce::Lazy, Progress::Done) => {
                let inside = self.inside(layout, source, "data", 0, depth)?;
                vec![Field { name: "value".to_owned(), ..inside }]
            }
            (SetOnce::Lazy, Progress::Nothing) => {
                vec![Field { name: "init".to_owned(), ..self.initialiser(layout, source, depth)? }]
            }
            (SetOnce::Lazy, _) => return Err(Gap::because("a LazyLock whose function panicked")),
            (SetOnce::Lock, _) => Vec::new(),
        };
        Ok(read(Data::Struct(fields)))
    }

    /// What is in an `UnsafeCell` of a union: a value of that type parameter, at its beginning as all of a union is.
    fn inside(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        field: &str,
        param: usize,
        depth: u32,
    ) -> Read<Field> {
        let cell = layout.part(source, field)?;
        let inner = self.decode(layout.param(param)?, cell.source, depth + 1);
        Ok(self.in_cell(cell, inner))
    }

    fn in_cell(&mut self, cell: Part<'_>, inner: Value) -> Field {
        let inner = Data::Cell { inner: Box::new(inner), state: 0, poisoned: false };
        let value = Value { ty: self.type_id(cell.entry), trust: Trust::AtCrash, data: inner };
        Field { name: String::new(), value }
    }

    /// The function that a `LazyLock` has not run yet. A function item is described as a pointer, but nothing is kept of
    /// it: the bytes there are nobody's. Which of the two it is, the size of the union's field tells.
    fn initialiser(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<Field> {
        let param = layout.param(1)?;
        if !matches!(self.layout(param.die).kind, Kind::Function) {
            return self.inside(layout, source, "data", 1, depth);
        }
        let cell = layout.part(source, "data")?;
        let inner = match self.size_in_union(layout, source)? {
            Some(POINTER) => self.decode(param, cell.source, depth + 1),
            Some(0) => self.decode(Entry { form: Form::FunctionItem, ..param }, cell.source, depth + 1),
            _ => self.either_function(param.die),
        };
        Ok(self.in_cell(cell, inner))
    }

    /// The size of the function in a `LazyLock`'s union, which is a `ManuallyDrop` of its own there.
    fn size_in_union(&mut self, layout: &Layout, source: Source<'_>) -> Read<Option<u64>> {
        let union = self.parts(layout, source, &["data", "value"])?.entry.die;
        let mut parser = Parser::new(self.dwarf, self.units);
        let unit = parser.units.unit(parser.dwarf, union.unit);
        let members = unit.and_then(|unit| parser.plain_members(union, &unit)).unwrap_or_default();
        let field = members.iter().find(|member| member.name == "f");
        let field = field.ok_or_else(|| self.layout(union).no_field("f"))?;
        Ok(self.layout(field.entry.die).size)
    }

    fn progress(&mut self, once: Part<'_>) -> Read<Progress> {
        let rustc = self.rustc_of(once.entry);
        let minor = rustc.as_deref().and_then(minor_version);
        if minor.is_none_or(|minor| minor < KNOWN_SINCE) {
            return Err(Gap::because(format!(
                "how {} says that a value is set is not known",
                rustc.as_deref().unwrap_or("this compiler")
            )));
        }
        let number = self.number(once)?;
        match number & STATE {
            0 => Ok(Progress::Done),
            1 => Ok(Progress::Running),
            2 => Ok(Progress::Poisoned),
            _ => Ok(Progress::Nothing),
        }
    }

    /// The compiler of the unit that has a type.
    fn rustc_of(&mut self, entry: Entry) -> Option<String> {
        let unit = self.units.unit(self.dwarf, entry.die.unit).ok()?;
        let root = unit.entry(unit.header.root_offset()).ok()?;
        let producer = self.dwarf.attr_string(&unit, root.attr_value(gimli::DW_AT_producer)?).ok()?;
        rustc_in(producer.slice())
    }
}

/// Whether a struct is one of these.
pub(super) fn set_once(layout: &Layout) -> Option<SetOnce> {
    if matches!(layout.kind, Kind::Record { .. }) { SetOnce::of(&layout.name) } else { None }
}
