//! How the state of a coroutine is laid out. In: the type that its body is resumed with. Out: where its discriminant
//! lies, and what it holds before it has run. Never reads a process.

use std::rc::Rc;

use gimli::Dwarf;

use super::entries::Parser;
use super::layout::{Discriminant, Kind, Layout};
use crate::image::{DieRef, Slice, UnitCache};
use crate::memory::Memory;

/// How rustc calls the variant of a coroutine that has not run yet.
const UNRESUMED: &str = "Unresumed";

/// The state of a coroutine, as far as it concerns its first run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coroutine {
    discriminant: Discriminant,
    unresumed: u128,
    /// What it has captured: names and offsets.
    captured: Vec<(String, u64)>,
}

impl Coroutine {
    /// The state that `pin` refers to, which is the type of a pinned reference to a coroutine; `None`: it is another type.
    pub(crate) fn behind(pin: DieRef, dwarf: &Dwarf<Slice>, units: &mut UnitCache) -> Option<Coroutine> {
        let mut parser = Parser::new(dwarf, units);
        let pin = parser.layout(pin);
        let [pointer] = pin.members() else { return None };
        let pointer: Rc<Layout> = parser.layout(pointer.entry.die);
        let Kind::Pointer { target: Some(target), fat: None, .. } = &pointer.kind else { return None };
        let state = parser.layout(target.die);
        let Kind::Enum { discriminant: Some(discriminant), variants } = &state.kind else { return None };
        let variant = variants.iter().find(|variant| variant.name == UNRESUMED)?;
        let [(unresumed, _)] = variant.discriminants[..] else { return None };
        let captured = variant.members.iter().map(|member| (member.name.clone(), member.offset)).collect();
        Some(Coroutine { discriminant: *discriminant, unresumed, captured })
    }

    /// Whether the coroutine at this address has not run yet.
    pub(crate) fn is_unresumed(&self, memory: &dyn Memory, address: u64) -> bool {
        let mut bytes = [0; 16];
        let wanted = usize::try_from(self.discriminant.size).ok().and_then(|size| bytes.get_mut(..size));
        let at = address.wrapping_add(self.discriminant.offset);
        wanted.is_some_and(|wanted| memory.read(at, wanted).is_ok())
            && u128::from_le_bytes(bytes) == self.unresumed
    }

    /// Where what it has captured under this name lies before it runs, from its beginning. rustc describes one alone of
    /// several that are called `_`.
    pub(crate) fn captured(&self, name: &str) -> Option<u64> {
        let found = self.captured.iter().find(|(known, _)| known == name && known != "_");
        found.map(|(_, offset)| *offset)
    }
}
