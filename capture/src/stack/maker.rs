//! The function whose whole work is an async block: `fn get(&self, at: usize) -> Pin<Box<dyn Future>> { Box::pin(async
//! move { … }) }`, which attributes make of async functions, too. To anybody but the compiler it is an async function, so the
//! run of its block stands for it. In: a block's frame. Out: the function, where the block has captured all that it was
//! given as it was given; else nothing.

use std::rc::Rc;

use gimli::Dwarf;
use relapse_snapshot::{Argument, Frame, FrameKind, bare_name};

use super::arguments::{Extent, Moment, Parameter, Source};
use super::coroutine;
use super::function::Function;
use super::symbolication::{Active, look_up};
use super::{Entries, ImageState, Stacks};
use crate::arch::Registers;
use crate::image::{AddressSpace, DebugInfo, DieRef, Image, Slice, UnitCache};
use crate::memory::NoMemory;
use crate::unwind::PhysicalFrame;
use crate::values::full_type_name;

/// How rustc names the body of an async block.
const BODY: &str = "{async_block";
/// What the result of such a function is: the block itself, or a box that forgets its type.
const RESULTS: [&str; 2] = ["{async_block_env#", "dyn core::future::future::Future"];
/// Copies of one generic function that are looked at.
const MOST_COPIES: usize = 8;

/// A function that makes a future of an async block.
pub(super) struct Maker {
    function: String,
    name: String,
    declared: Option<(String, u32)>,
    /// The names of its parameters, in order.
    parameters: Vec<String>,
}

impl Maker {
    /// Puts what a block has captured into the function's order; what it made itself is no argument.
    pub(super) fn arrange(&self, arguments: &mut Vec<Argument>) {
        let place = |argument: &Argument| self.parameters.iter().position(|name| *name == argument.name);
        arguments.retain(|argument| place(argument).is_some());
        arguments.sort_by_key(place);
    }
}

impl Stacks {
    /// Makes the frame of an async block that of the function that it is the work of.
    pub(super) fn name_maker(
        &mut self,
        image: &'static Image,
        info: DebugInfo,
        block: DieRef,
        frame: &mut Frame,
    ) {
        if let Some(maker) = self.maker(image, info, block, frame) {
            frame.is_async = true;
            (frame.function, frame.name) = (maker.function.clone(), maker.name.clone());
            if let Some((file, line)) = &maker.declared {
                frame.declared = Some(self.location(file, *line));
            }
        }
    }

    /// The function that a frame's block is the work of, as [`Stacks::name_maker`] has found it.
    pub(super) fn known_maker(&self, info: DebugInfo, block: DieRef) -> Option<Rc<Maker>> {
        self.makers.get(&(info.number, block)).cloned().flatten()
    }

    fn maker(
        &mut self,
        image: &'static Image,
        info: DebugInfo,
        block: DieRef,
        frame: &Frame,
    ) -> Option<Rc<Maker>> {
        // No test calls a dependency's functions.
        if !frame.name.starts_with(BODY) || frame.kind != FrameKind::Workspace {
            return None;
        }
        if let Some(known) = self.makers.get(&(info.number, block)) {
            return known.clone();
        }
        let found = self.find_maker(image, info, block, frame).map(Rc::new);
        self.makers.insert((info.number, block), found.clone());
        found
    }

    fn find_maker(
        &mut self,
        image: &'static Image,
        info: DebugInfo,
        block: DieRef,
        frame: &Frame,
    ) -> Option<Maker> {
        let path = coroutine::around_body(&frame.function)?;
        let name = bare_name(path);
        if coroutine::around_body(path).is_some() || name.is_empty() {
            return None;
        }
        let generics = coroutine::own_generics(&frame.name).to_owned();
        let symbols = image.find_symbols(name, |symbol| symbol == path);
        symbols.iter().take(MOST_COPIES).find_map(|symbol| {
            let Active { info: other, unit, found, .. } = look_up(image, symbol.address);
            let function = DieRef { unit: unit?, entry: found.last()?.entry? };
            let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(info));
            let units = &mut state.units;
            if other.number != info.number {
                return None;
            }
            let registers = Registers::unknown();
            let physical = PhysicalFrame { registers, lookup: symbol.address, cfa: None };
            let source = Source {
                dwarf: info.dwarf,
                bias: 0,
                physical: &physical,
                memory: &NoMemory,
                limits: &self.limits,
                entries: Entries { info, function, outermost: function },
                moment: Moment::Crash,
                extent: Extent::All,
                space: &AddressSpace::default(),
            };
            let entry = Function::read(info.dwarf, units, function);
            let given = named(source.parameters(&entry, units), info.dwarf, units)?;
            let captured = Function::read(info.dwarf, units, block);
            let captured = coroutine::parameters(info.dwarf, &captured, units);
            let captured = named(captured, info.dwarf, units)?;
            let result = entry.result(info.dwarf, units)?;
            let result = full_type_name(info.dwarf, units, result);
            // A variable of the same name is not what the function was given.
            let is_made = |name: &String| coroutine::has_variable(info.dwarf, &entry, units, name);
            if !RESULTS.iter().any(|part| result.contains(part))
                || !given.iter().all(|parameter| captured.contains(parameter))
                || given.iter().map(|(name, _)| name).any(is_made)
            {
                return None;
            }
            Some(Maker {
                function: path.to_owned(),
                name: format!("{name}{generics}"),
                declared: entry.declared(info.dwarf),
                parameters: given.into_iter().map(|(name, _)| name).collect(),
            })
        })
    }
}

/// Names and types; `None` where one has none.
fn named(
    parameters: Vec<Parameter>,
    dwarf: &Dwarf<Slice>,
    units: &mut UnitCache,
) -> Option<Vec<(String, String)>> {
    let named = |parameter: Parameter| Some((parameter.name?, full_type_name(dwarf, units, parameter.ty?)));
    parameters.into_iter().map(named).collect()
}
