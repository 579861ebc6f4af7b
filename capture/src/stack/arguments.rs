//! The parameters of a call by its debug info entries: names, types, and where the values lie.

use gimli::{AttributeValue, DebuggingInformationEntry, Dwarf, UnitOffset};
use relapse_snapshot::{Argument, Frame, Generic, Trust, TypeId, TypeKind, TypeShape, TypeTable, Value};

use super::Entries;
use super::coroutine;
use super::entry::prologue_end;
use super::function::{Function, Link};
use super::state::State;
use super::trust;
use crate::image::{self, AddressSpace, DieRef, Slice, UnitCache, UnitCaches};
use crate::limits::{Allowance, Limits};
use crate::location::{self, FrameContext, LocationError};
use crate::memory::Memory;
use crate::place::Place;
use crate::unwind::PhysicalFrame;
use crate::values::{Reader, argument_in_symbol};

/// Parameters of one function: C++ and generated code stay below.
pub(super) const MOST_PARAMETERS: usize = 256;

/// When a call's arguments are read, and which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// All, while the call is under way.
    Crash,
    /// As the body of an async function runs for the first time: all, from its state.
    FirstPoll,
    /// As the call begins: those that can be read first where it is now, on its way from the function's first
    /// instruction to the end of its prologue (addresses of the image).
    Entry {
        /// The first instruction.
        first: u64,
        /// The end of the prologue.
        prologue_end: u64,
    },
}

/// How much of a call's arguments is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All.
    All,
    /// All but what a receiver is: only where it lies.
    NotReceiver,
}

/// Where one call's arguments are read from.
pub(super) struct Source<'a> {
    pub(super) dwarf: &'a Dwarf<Slice>,
    pub(super) bias: u64,
    pub(super) physical: &'a PhysicalFrame,
    pub(super) memory: &'a dyn Memory,
    pub(super) limits: &'a Limits,
    pub(super) entries: Entries,
    pub(super) moment: Moment,
    pub(super) extent: Extent,
    pub(super) space: &'a AddressSpace,
}

/// One `DW_TAG_formal_parameter`, or the two that make one: of the inlined call and of its origin. In an async
/// function a `DW_TAG_variable`.
pub(super) struct Parameter {
    pub(super) entry: UnitOffset,
    pub(super) name: Option<String>,
    pub(super) ty: Option<DieRef>,
    pub(super) origin: Option<DieRef>,
    pub(super) location: Option<AttributeValue<Slice>>,
    pub(super) constant: Option<AttributeValue<Slice>>,
    /// Of an async function: where its body has moved the argument.
    pub(super) in_body: Option<AttributeValue<Slice>>,
}

impl Parameter {
    /// What one entry says by itself.
    pub(super) fn read(
        dwarf: &Dwarf<Slice>,
        link: &Link,
        units: &mut UnitCache,
        entry: &DebuggingInformationEntry<Slice>,
    ) -> Parameter {
        let text = entry.attr_value(gimli::DW_AT_name);
        let text = text.and_then(|value| image::string(dwarf, &link.unit, value).ok());
        let mut to = |at| units.target(dwarf, link.die.unit, entry.attr_value(at)?);
        Parameter {
            entry: entry.offset(),
            name: text.map(|text| text.to_string_lossy().into_owned()),
            ty: to(gimli::DW_AT_type),
            origin: to(gimli::DW_AT_abstract_origin),
            location: entry.attr_value(gimli::DW_AT_location),
            constant: entry.attr_value(gimli::DW_AT_const_value),
            in_body: None,
        }
    }

    /// Where it can be read first. What has no place at all is as well looked for at once.
    pub(super) fn entry_address(
        &self,
        dwarf: &Dwarf<Slice>,
        unit: &gimli::Unit<Slice>,
        first: u64,
        prologue_end: u64,
    ) -> u64 {
        match self.location {
            Some(location) => location::entry_address(dwarf, unit, location, first, prologue_end),
            None => first,
        }
    }
}

impl Source<'_> {
    /// Fills in the generics and arguments of a frame; `left` is what may still be read, `others` are the caches of all
    /// other debug info.
    pub(super) fn read(
        &self,
        frame: &mut Frame,
        units: &mut UnitCache,
        types: &mut TypeTable,
        left: &mut Allowance,
        others: &mut dyn UnitCaches,
    ) {
        let function = Function::read(self.dwarf, units, self.entries.function);
        let generics = self.generics(&function, units);
        let parameters = if frame.is_async {
            coroutine::parameters(self.dwarf, &function, units)
        } else {
            self.parameters(&function, units)
        };
        let result = function.result(self.dwarf, units);
        if generics.is_empty() && parameters.is_empty() && result.is_none() {
            return;
        }
        let pc = self.physical.lookup.wrapping_sub(self.bias);
        let frame_base = self.frame_base(units, pc);
        let in_prologue = self.is_in_prologue(units, pc);
        let Some(unit) = function.links.first().map(|link| &link.unit) else { return };
        let context = self.context_in(unit, frame_base);
        let state = if self.moment == Moment::FirstPoll { self.unresumed_state(units) } else { None };
        let reader = Reader::new(self.dwarf, self.memory, self.limits, types, units);
        let mut reader = reader.among(self.space, self.entries.info, others);
        let symbol = function.path(self.dwarf);
        let all: Vec<DieRef> = generics.iter().map(|(_, ty)| *ty).collect();
        let in_symbol = |ty: DieRef| {
            // All functions of one signature have the same entry: of several generics that have it, the symbol has to say
            // the same.
            let of = |index: usize| argument_in_symbol(symbol.as_deref()?, index, all.len());
            let mut said = (0..all.len()).filter(|index| all[*index] == ty).map(of);
            let first = said.next()?;
            Some(first.filter(|_| said.all(|other| other == first)))
        };
        frame.generics =
            generics.into_iter().map(|(name, ty)| Generic { name, ty: reader.shape(ty) }).collect();
        frame.result = result.map(|ty| reader.shape(ty));
        let made = |result: &TypeId| reader.types().name(*result).contains(['<', '[']);
        frame.result = frame.result.filter(made);
        let mut untyped = Vec::new();
        for parameter in parameters {
            let wanted = match self.moment {
                Moment::Crash | Moment::FirstPoll => true,
                Moment::Entry { first, prologue_end } => {
                    parameter.entry_address(self.dwarf, unit, first, prologue_end) == pc
                }
            };
            let place_at = |location: AttributeValue<Slice>| {
                if in_prologue && location::is_for_the_body(location) {
                    return Err(LocationError::Early);
                }
                context.place(location, pc)
            };
            let mut place = match (parameter.location, parameter.constant) {
                _ if !wanted => Ok(Place::OptimizedOut),
                _ if self.moment == Moment::FirstPoll => {
                    let of = |state: &State| state.argument(&parameter, unit);
                    Ok(state.as_ref().map_or(Place::OptimizedOut, of))
                }
                (Some(location), _) => place_at(location),
                (None, Some(constant)) => Ok(constant_place(constant)),
                (None, None) => Ok(Place::OptimizedOut),
            };
            let in_body = parameter
                .in_body
                .filter(|at| self.moment == Moment::Crash && !coroutine::is_on_the_stack(*at, unit));
            if let (Some(ty), Some(in_body)) = (parameter.ty, in_body) {
                // What was captured stays as it was given. Only what owns memory is gone from there: its owner is
                // the body's variable.
                let shape = reader.shape(ty);
                let is_moved = trust::is_owner(reader.types(), shape);
                if is_moved || !is_somewhere(&place) {
                    let moved = place_at(in_body);
                    place = if is_somewhere(&moved) { moved } else { place };
                }
            }
            let name = parameter.name.unwrap_or_default();
            match parameter.ty {
                Some(ty) => {
                    let mut little = Allowance { nodes: 1, bytes: 0 };
                    let by_place = self.extent == Extent::NotReceiver && name == "self";
                    let left = if by_place { &mut little } else { &mut *left };
                    let function = in_symbol(ty).and_then(|said| {
                        let read = |reader: &mut Reader<'_>| value(reader, ty, place.clone(), left);
                        reader.generic_function(ty, said, read)
                    });
                    let value = function.unwrap_or_else(|| value(&mut reader, ty, place, left));
                    frame.arguments.push(Argument { name, value });
                }
                None => untyped.push((frame.arguments.len() + untyped.len(), name)),
            }
        }
        for (at, name) in untyped {
            let value = Value::missing(unknown(types), Trust::Unreadable, "no type is given");
            frame.arguments.insert(at, Argument { name, value });
        }
        for argument in &mut frame.arguments {
            match self.moment {
                Moment::Crash => trust::mark(&mut argument.value, types),
                Moment::Entry { .. } | Moment::FirstPoll => trust::given(&mut argument.value),
            }
        }
    }

    /// For each parameter, where it can be read first.
    pub(super) fn entry_addresses(&self, units: &mut UnitCache, first: u64, prologue_end: u64) -> Vec<u64> {
        let function = Function::read(self.dwarf, units, self.entries.function);
        let parameters = self.parameters(&function, units);
        let Some(link) = function.links.first() else { return Vec::new() };
        let address = |p: &Parameter| p.entry_address(self.dwarf, &link.unit, first, prologue_end);
        parameters.iter().map(address).collect()
    }

    /// Whether the thread was stopped before the function had made its frame: a stack overflow is mostly met there.
    /// A caller never is: it has called.
    fn is_in_prologue(&self, units: &mut UnitCache, pc: u64) -> bool {
        if self.moment != Moment::Crash || self.physical.lookup != self.physical.registers.ip() {
            return false;
        }
        let function = Function::read(self.dwarf, units, self.entries.outermost);
        let Some((unit, ranges)) = function.ranges(self.dwarf) else { return false };
        // The prologue is in the first of several ranges: the others are its cold parts.
        let Some(range) = ranges.first().filter(|range| (range.begin..range.end).contains(&pc)) else {
            return false;
        };
        prologue_end(unit, range.begin, range.end).is_some_and(|end| pc < end)
    }

    /// The frame, for the expressions of a unit.
    pub(super) fn context_in<'s>(
        &'s self,
        unit: &'s gimli::Unit<Slice>,
        frame_base: Option<u64>,
    ) -> FrameContext<'s> {
        FrameContext { frame_base, unit: Some((self.dwarf, unit)), ..self.context() }
    }

    fn context(&self) -> FrameContext<'_> {
        FrameContext {
            registers: &self.physical.registers,
            memory: self.memory,
            bias: self.bias,
            cfa: self.physical.cfa,
            frame_base: None,
            unit: None,
        }
    }

    /// The frame base of the function that the machine code belongs to.
    pub(super) fn frame_base(&self, units: &mut UnitCache, pc: u64) -> Option<u64> {
        let function = Function::read(self.dwarf, units, self.entries.outermost);
        let (location, link) = function.attribute(gimli::DW_AT_frame_base)?;
        let context = FrameContext { unit: Some((self.dwarf, &link.unit)), ..self.context() };
        context.frame_base(location, pc)
    }

    /// In declaration order: the origin's, where there is one, each with the location that the concrete entry
    /// has for it (those that are not used have none), else the concrete entry's own.
    pub(super) fn parameters(&self, function: &Function, units: &mut UnitCache) -> Vec<Parameter> {
        let Some(first) = function.links.first() else { return Vec::new() };
        let mut concrete = self.children(first, units);
        let origin = function.links.get(1).filter(|link| link.by == Some(gimli::DW_AT_abstract_origin));
        let Some(origin) = origin else { return concrete };
        let mut parameters = self.children(origin, units);
        for parameter in &mut parameters {
            let die = DieRef { unit: origin.die.unit, entry: parameter.entry };
            if let Some(at) = concrete.iter().position(|other| other.origin == Some(die)) {
                let found = concrete.swap_remove(at);
                (parameter.location, parameter.constant) = (found.location, found.constant);
            }
        }
        if parameters.is_empty() { concrete } else { parameters }
    }

    fn children(&self, link: &Link, units: &mut UnitCache) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        let Ok(mut tree) = link.unit.entries_tree(Some(link.die.entry)) else { return parameters };
        let Ok(root) = tree.root() else { return parameters };
        let mut children = root.children();
        while let Ok(Some(child)) = children.next() {
            let entry = child.entry();
            if entry.tag() != gimli::DW_TAG_formal_parameter {
                continue;
            }
            parameters.push(Parameter::read(self.dwarf, link, units, entry));
            if parameters.len() >= MOST_PARAMETERS {
                break;
            }
        }
        parameters
    }

    /// Names and types of the generic parameters, from the first entry of the chain that has any.
    fn generics(&self, function: &Function, units: &mut UnitCache) -> Vec<(String, DieRef)> {
        for link in &function.links {
            let mut found = Vec::new();
            let Ok(mut tree) = link.unit.entries_tree(Some(link.die.entry)) else { continue };
            let Ok(root) = tree.root() else { continue };
            let mut children = root.children();
            while let Ok(Some(child)) = children.next() {
                let entry = child.entry();
                if entry.tag() != gimli::DW_TAG_template_type_parameter || found.len() >= MOST_PARAMETERS {
                    continue;
                }
                let name = entry.attr_value(gimli::DW_AT_name);
                let name = name.and_then(|value| image::string(self.dwarf, &link.unit, value).ok());
                let ty = entry.attr_value(gimli::DW_AT_type);
                let ty = ty.and_then(|value| units.target(self.dwarf, link.die.unit, value));
                if let (Some(name), Some(ty)) = (name, ty) {
                    found.push((name.to_string_lossy().into_owned(), ty));
                }
            }
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }
}

/// Whether a place was found.
fn is_somewhere(place: &Result<Place, LocationError>) -> bool {
    !matches!(place, Err(_) | Ok(Place::OptimizedOut))
}

/// A value, of which `left` is less by what it took.
fn value(
    reader: &mut Reader<'_>,
    ty: DieRef,
    place: Result<Place, LocationError>,
    left: &mut Allowance,
) -> Value {
    match place {
        _ if left.nodes == 0 => {
            let reason = "the stack's other arguments took up the limit on nodes";
            Value::missing(reader.shape(ty), Trust::Truncated, reason)
        }
        Ok(place) => reader.read_within(ty, &place, left),
        Err(LocationError::Lost) => reader.read_within(ty, &Place::OptimizedOut, left),
        Err(error) => Value::missing(reader.shape(ty), Trust::Unreadable, error.to_string()),
    }
}

/// `DW_AT_const_value`: an argument that is the same in all that is left of the calls.
fn constant_place(constant: AttributeValue<Slice>) -> Place {
    let bytes = match constant {
        AttributeValue::Block(block) => block.slice().to_vec(),
        AttributeValue::Data1(n) => vec![n],
        AttributeValue::Data2(n) => n.to_le_bytes().to_vec(),
        AttributeValue::Data4(n) => n.to_le_bytes().to_vec(),
        AttributeValue::Data8(n) | AttributeValue::Udata(n) => n.to_le_bytes().to_vec(),
        AttributeValue::Sdata(n) => i128::from(n).to_le_bytes().to_vec(),
        _ => return Place::OptimizedOut,
    };
    Place::Bytes(bytes.into_iter().map(Some).collect())
}

fn unknown(types: &mut TypeTable) -> TypeId {
    types.intern(TypeShape { name: "?".into(), size: None, kind: TypeKind::Opaque })
}
