//! What a function has given back: its type as its debug info has it, at the place where it was put.

use relapse_snapshot::{TypeTable, Value};

use super::Stacks;
use super::function::Function;
use super::symbolication::{Active, look_up};
use super::trust;
use crate::image::{AddressSpace, DieRef, UnitCaches};
use crate::limits::Allowance;
use crate::memory::Memory;
use crate::place::Place;
use crate::values::Reader;

/// Larger results are in memory, never in registers: two of them are what the ABI has for one.
const IN_REGISTERS: u64 = 16;

impl Stacks {
    /// The value that the function which begins at `first` has put at an address; `None` where it came in registers, or
    /// debug info does not know the function.
    pub fn given_value(
        &mut self,
        space: &AddressSpace,
        memory: &dyn Memory,
        first: u64,
        at: u64,
        types: &mut TypeTable,
    ) -> Option<Value> {
        let (image, bias) = space.image_at(first)?;
        let Active { info, unit, found, .. } = look_up(image, first.wrapping_sub(bias));
        let die = DieRef { unit: unit?, entry: found.last()?.entry? };
        let mut units = self.images.take(info);
        let result = Function::read(info.dwarf, &mut units, die).result(info.dwarf, &mut units);
        let value = result.and_then(|ty| {
            let reader = Reader::new(info.dwarf, memory, &self.limits, types, &mut units);
            let mut reader = reader.among(space, info, &mut self.images);
            let shape = reader.shape(ty);
            let size = reader.types().get(shape).and_then(|shape| shape.size);
            let mut left = Allowance::of_call(&self.limits);
            size.filter(|size| *size > IN_REGISTERS)
                .map(|_| reader.read_within(ty, &Place::Memory(at), &mut left))
        });
        self.images.put(info, units);
        let mut value = value?;
        trust::given(&mut value);
        self.place_closures(&[info], memory, types);
        Some(value)
    }
}
