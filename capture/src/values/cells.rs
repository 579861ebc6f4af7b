//! Cells, locks, `Duration` and `NonZero`.

use relapse_snapshot::{Data, Trust};

use super::layout::{Kind, Layout};
use super::plain::sign_extended;
use super::source::{Gap, Read, Source};
use super::{Reader, fields::Part, read};

impl Reader<'_> {
    /// `UnsafeCell<T> { value }` and `Cell<T> { value: UnsafeCell<T> }`.
    pub(super) fn cell(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<(Data, Trust)> {
        let inside = layout.part(source, "value")?;
        self.celled(layout, inside, 0, false, depth)
    }

    /// `RefCell<T> { borrow: Cell<isize>, value: UnsafeCell<T> }`.
    pub(super) fn ref_cell(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let borrow = layout.part(source, "borrow")?;
        let state = self.word(borrow)? as i64;
        let inside = layout.part(source, "value")?;
        self.celled(layout, inside, state, false, depth)
    }

    /// `Mutex<T>` and `RwLock<T>`: `{ inner, poison: Flag { failed }, data: UnsafeCell<T> }`.
    pub(super) fn lock(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<(Data, Trust)> {
        let inner = layout.part(source, "inner")?;
        let inner_layout = self.layout(inner.entry.die);
        // The futex lock of a `Mutex` is one number, that of an `RwLock` has `state` among others.
        let state = match inner_layout.part(inner.source, "state") {
            Ok(state) => self.number(state)?,
            Err(_) => self.number(inner)?,
        };
        let poison = self.parts(layout, source, &["poison", "failed"])?;
        let poisoned = self.number(poison)? != 0;
        let inside = layout.part(source, "data")?;
        self.celled(layout, inside, state as i64, poisoned, depth)
    }

    /// The value in a cell: of the cell's own type parameter, within `UnsafeCell`s.
    fn celled(
        &mut self,
        layout: &Layout,
        mut inside: Part<'_>,
        state: i64,
        poisoned: bool,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let name = self.layout(of.die).name.clone();
        loop {
            let layout = self.layout(inside.entry.die);
            if layout.name == name {
                break;
            }
            let unwrapped =
                matches!(&layout.kind, Kind::Std { std: relapse_snapshot::StdType::UnsafeCell, .. });
            if !unwrapped {
                return Err(Gap::because(format!("the layout of {} is not known in a cell", layout.name)));
            }
            inside = layout.part(inside.source, "value")?;
        }
        let inner = Box::new(self.decode(of, inside.source, depth + 1));
        Ok(read(Data::Cell { inner, state, poisoned }))
    }

    /// `Duration { secs: u64, nanos: Nanoseconds(u32) }`.
    pub(super) fn duration(&mut self, layout: &Layout, source: Source<'_>) -> Read<(Data, Trust)> {
        let secs = layout.part(source, "secs")?;
        let secs = self.word(secs)?;
        let nanos = layout.part(source, "nanos")?;
        let nanos = self.number(nanos)?;
        match u32::try_from(nanos) {
            Ok(nanos) if nanos < 1_000_000_000 => Ok(read(Data::Duration { secs, nanos })),
            _ => Err(Gap::because(format!("{nanos} nanoseconds within a second"))),
        }
    }

    /// `NonZero<T>`: the number in it (1.75: `NonZeroU32(u32)`; today there is a wrapper between).
    pub(super) fn non_zero(&mut self, layout: &Layout, source: Source<'_>) -> Read<(Data, Trust)> {
        let wrapped = layout.part(source, "0")?;
        let number = self.number(wrapped)?;
        let inner = self.innermost(wrapped);
        let inner = self.layout(inner.entry.die);
        match inner.kind {
            _ if number == 0 => Err(Gap::because("a NonZero that is zero")),
            Kind::Integer { signed: true } => {
                Ok(read(Data::Int(sign_extended(number, inner.size.unwrap_or(16)))))
            }
            _ => Ok(read(Data::Uint(number))),
        }
    }
}
