//! The state of an async function, which each run of its body is given: where it lies, and what it holds before the
//! first run. In: a frame of the body. The state is pinned, so its address tells it from all others while it lives.

use gimli::{AttributeValue, Operation, Unit};

use super::arguments::{Parameter, Source};
use super::function::Function;
use crate::image::{Slice, UnitCache};
use crate::place::Place;
use crate::values::Coroutine;

/// A state in memory.
pub(super) struct State {
    pub(super) address: u64,
    layout: Coroutine,
}

impl State {
    /// Where an argument lies before the first run.
    pub(super) fn argument(&self, parameter: &Parameter, unit: &Unit<Slice>) -> Place {
        let by_name = || self.layout.captured(parameter.name.as_deref()?);
        let offset = parameter.location.and_then(|at| offset_in_state(at, unit)).or_else(by_name);
        offset.map_or(Place::OptimizedOut, |offset| Place::Memory(self.address.wrapping_add(offset)))
    }
}

/// What is added to the address of the state in a location, which takes that from a slot of the frame: one that the body
/// has not filled yet where it begins.
fn offset_in_state(location: AttributeValue<Slice>, unit: &Unit<Slice>) -> Option<u64> {
    let mut operations = location.exprloc_value()?.operations(unit.encoding());
    let mut next = || operations.next().ok().flatten();
    let (Operation::FrameOffset { .. }, Operation::Deref { space: false, .. }) = (next()?, next()?) else {
        return None;
    };
    match next() {
        None => Some(0),
        Some(Operation::PlusConstant { value }) if next().is_none() => Some(value),
        Some(_) => None,
    }
}

impl Source<'_> {
    /// The state that the body was resumed with; `None`: it is not there (any more).
    pub(super) fn state(&self, units: &mut UnitCache) -> Option<State> {
        let function = Function::read(self.dwarf, units, self.entries.function);
        let (parameter, layout) = self.resumed_with(&function, units)?;
        let pc = self.physical.lookup.wrapping_sub(self.bias);
        let frame_base = self.frame_base(units, pc);
        let unit = &function.links.first()?.unit;
        let place = self.context_in(unit, frame_base).place(parameter.location?, pc).ok()?;
        let address = match place {
            Place::Memory(address) => self.memory.read_u64(address).ok()?,
            Place::Bytes(bytes) => {
                let bytes: Vec<u8> = bytes.into_iter().collect::<Option<_>>()?;
                u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)
            }
            Place::OptimizedOut => return None,
        };
        Some(State { address, layout })
    }

    /// The state, where its body begins for the first time.
    pub(super) fn unresumed_state(&self, units: &mut UnitCache) -> Option<State> {
        self.state(units).filter(|state| state.layout.is_unresumed(self.memory, state.address))
    }

    /// Where the state can be read first, as the body is resumed.
    pub(super) fn state_address(&self, units: &mut UnitCache, first: u64, prologue_end: u64) -> Option<u64> {
        let function = Function::read(self.dwarf, units, self.entries.function);
        let (parameter, _) = self.resumed_with(&function, units)?;
        let unit = &function.links.first()?.unit;
        Some(parameter.entry_address(self.dwarf, unit, first, prologue_end))
    }

    /// The one parameter in the sense of debug info: a pinned reference to the state, without a name.
    fn resumed_with(&self, function: &Function, units: &mut UnitCache) -> Option<(Parameter, Coroutine)> {
        let parameters = self.parameters(function, units);
        parameters.into_iter().find_map(|parameter| {
            let layout = Coroutine::behind(parameter.ty?, self.dwarf, units)?;
            Some((parameter, layout))
        })
    }
}
