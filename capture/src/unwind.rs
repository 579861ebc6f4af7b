//! From the registers of a stopped thread to those of its callers: by unwind tables, and where there are none
//! by frame pointers. In: registers, images, memory. Out: frames of machine code, innermost first. Never
//! looks at debug info.

mod rules;
mod stack_memory;

use std::collections::{HashMap, HashSet, VecDeque};

use crate::arch::{
    CALLEE_SAVED, FRAME_POINTER, LONGEST_CALL, RETURN_ADDRESS, Registers, STACK_POINTER, ends_with_call,
};
use crate::image::{AddressSpace, Image};
use crate::location::FrameContext;
use crate::memory::Memory;

use rules::{Cfa, Rule, Rules};
use stack_memory::StackMemory;

/// Callers that are followed at most: a whole 8 MiB stack of the smallest frames that debug builds have.
const MOST_FRAMES: usize = 250_000;

/// One frame of machine code.
#[derive(Debug, Clone)]
pub(crate) struct PhysicalFrame {
    pub(crate) registers: Registers,
    /// The address to look up: within the call for callers, the exact one for the innermost frame and for
    /// what a signal interrupted.
    pub(crate) lookup: u64,
    pub(crate) cfa: Option<u64>,
}

/// How a walk ended up.
pub(crate) struct Walk {
    /// The frames, innermost first; where there are more than wanted, the innermost three quarters and the
    /// outermost quarter, because the first call of a recursion is worth as much as the last.
    pub(crate) frames: Vec<PhysicalFrame>,
    /// How many are left out, and at which index.
    pub(crate) left_out: Option<(usize, usize)>,
}

/// Unwinds stacks; keeps the parsed rules between them.
#[derive(Default)]
pub(crate) struct Unwinder {
    context: Box<gimli::UnwindContext<usize>>,
    rules: HashMap<(usize, u64), Option<Rules>>,
}

/// How a frame led to its caller.
enum Step {
    Caller { registers: Box<Registers>, signal: bool },
    Outermost,
}

impl Unwinder {
    /// All frames from those registers outwards.
    pub(crate) fn walk(
        &mut self,
        space: &AddressSpace,
        innermost: &Registers,
        memory: &dyn Memory,
        wanted: usize,
        notes: &mut Vec<String>,
    ) -> Walk {
        let memory = StackMemory::new(memory);
        let first = wanted - wanted / 4;
        let (mut head, mut tail) = (Vec::new(), VecDeque::new());
        let (mut seen, mut left_out, mut count) = (HashSet::new(), 0, 0);
        let (mut registers, mut exact) = (innermost.clone(), true);
        loop {
            let ip = registers.ip();
            let lookup = if exact { ip } else { ip.wrapping_sub(1) };
            let here = Here { space, registers: &registers, memory: &memory, lookup, exact };
            let (cfa, step) = self.step(&here, notes);
            let frame = PhysicalFrame { registers: registers.clone(), lookup, cfa };
            if head.len() < first {
                head.push(frame);
            } else {
                tail.push_back(frame);
                if tail.len() > wanted - first {
                    tail.pop_front();
                    left_out += 1;
                }
            }
            count += 1;
            let Step::Caller { registers: caller, signal } = step else { break };
            // A caller that was seen already means damaged tables or a damaged stack. The stack pointer need
            // not grow: signal handlers and segmented stacks run elsewhere.
            if !seen.insert((caller.ip(), caller.sp())) {
                notes.push("the stack repeats itself: it is damaged, or its unwind tables are".into());
                break;
            }
            if count >= MOST_FRAMES {
                notes.push(format!(
                    "the stack has more than {MOST_FRAMES} frames; its outermost part is left out"
                ));
                break;
            }
            (registers, exact) = (*caller, signal);
        }
        let at = head.len();
        head.extend(tail);
        Walk { frames: head, left_out: (left_out > 0).then_some((at, left_out)) }
    }

    /// The innermost frame alone.
    pub(crate) fn innermost(
        &mut self,
        space: &AddressSpace,
        registers: &Registers,
        memory: &dyn Memory,
    ) -> PhysicalFrame {
        let (memory, lookup) = (StackMemory::new(memory), registers.ip());
        let here = Here { space, registers, memory: &memory, lookup, exact: true };
        let (cfa, _) = self.step(&here, &mut Vec::new());
        PhysicalFrame { registers: registers.clone(), lookup, cfa }
    }

    fn step(&mut self, here: &Here<'_>, notes: &mut Vec<String>) -> (Option<u64>, Step) {
        let found = here.space.image_at(here.lookup);
        if let Some((image, bias)) = found
            && let Some(rules) = self.rules_at(image, here.lookup.wrapping_sub(bias))
        {
            let (cfa, step) = here.by_rules(rules, image, bias);
            return (cfa, step.unwrap_or_else(|| here.by_frame_pointer(notes)));
        }
        if here.exact && found.is_none() {
            // A call through a bad function pointer: nothing of the callee ran, so its return address is on top.
            return (None, here.by_return_address(notes));
        }
        (None, here.by_frame_pointer(notes))
    }

    fn rules_at(&mut self, image: &'static Image, address: u64) -> Option<&Rules> {
        // Recursion comes to the same few addresses; a walk over many different ones starts over.
        const MOST_RULES: usize = 10_000;
        if self.rules.len() > MOST_RULES {
            self.rules.clear();
        }
        let context = &mut self.context;
        self.rules
            .entry((image.number(), address))
            .or_insert_with(|| Rules::find(image, address, context))
            .as_ref()
    }
}

/// One frame that is being unwound.
struct Here<'a> {
    space: &'a AddressSpace,
    registers: &'a Registers,
    memory: &'a StackMemory<'a>,
    lookup: u64,
    exact: bool,
}

impl Here<'_> {
    /// `None` in place of a step: the rules cannot be applied.
    fn by_rules(&self, rules: &Rules, image: &Image, bias: u64) -> (Option<u64>, Option<Step>) {
        let context = FrameContext {
            registers: self.registers,
            memory: self.memory,
            bias,
            cfa: None,
            frame_base: None,
            unit: None,
        };
        let cfa = match &rules.cfa {
            Cfa::Register(register, offset) => {
                self.registers.get(*register).map(|base| base.wrapping_add_signed(*offset))
            }
            Cfa::Expression(bytes) => {
                rules.expression(image, *bytes).and_then(|e| context.address(e, rules.encoding, None).ok())
            }
        };
        let Some(cfa) = cfa else { return (None, None) };
        let mut caller = Registers::unknown();
        for number in CALLEE_SAVED {
            if let Some(value) = self.registers.get(number) {
                caller.set(number, value);
            }
        }
        caller.set(STACK_POINTER, cfa);
        let mut outermost = false;
        for (number, rule) in &rules.registers {
            let value = match rule {
                Rule::Undefined => None,
                Rule::Same => self.registers.get(*number),
                Rule::At(offset) => self.memory.word(cfa.wrapping_add_signed(*offset)),
                Rule::Value(offset) => Some(cfa.wrapping_add_signed(*offset)),
                Rule::Register(other) => self.registers.get(*other),
                Rule::Constant(value) => Some(*value),
                Rule::AtExpression(bytes) | Rule::ValueExpression(bytes) => rules
                    .expression(image, *bytes)
                    .and_then(|e| context.address(e, rules.encoding, Some(cfa)).ok())
                    .and_then(|at| match rule {
                        Rule::AtExpression(_) => self.memory.word(at),
                        _ => Some(at),
                    }),
            };
            outermost |= *number == rules.return_address && matches!(rule, Rule::Undefined);
            match value {
                Some(value) if *number == rules.return_address => caller.set(RETURN_ADDRESS, value),
                Some(value) => caller.set(*number, value),
                None => caller.forget(*number),
            }
        }
        let step = match caller.get(RETURN_ADDRESS) {
            _ if outermost => Step::Outermost,
            Some(0) => Step::Outermost,
            Some(_) => Step::Caller { registers: Box::new(caller), signal: rules.signal },
            None => return (Some(cfa), None),
        };
        (Some(cfa), Some(step))
    }

    /// `rbp` points to the caller's `rbp`, above which the return address lies. Only taken where the result is
    /// an address in code, further up the stack.
    fn by_frame_pointer(&self, notes: &mut Vec<String>) -> Step {
        let image = self.space.image_at(self.lookup);
        let name = image.map_or_else(|| "code that is in no file".to_owned(), |(image, _)| image.name());
        let step = self.registers.get(FRAME_POINTER).and_then(|base| {
            (base % 8 == 0 && base >= self.registers.sp()).then_some(())?;
            let (up, back) = (self.memory.word(base)?, self.memory.word(base.checked_add(8)?)?);
            self.caller_at(base.checked_add(16)?, back, Some(up))
        });
        if let Some(step) = step {
            once(
                notes,
                format!(
                    "no unwind tables for a part of {name}: callers found by frame pointers; some may be missing"
                ),
            );
            return step;
        }
        let at_start = image.is_some_and(|(image, bias)| image.is_start(self.lookup.wrapping_sub(bias)));
        if self.lookup > 1 && !at_start {
            once(notes, format!("the stack ends in {name}, which has no unwind tables there"));
        }
        Step::Outermost
    }

    fn by_return_address(&self, notes: &mut Vec<String>) -> Step {
        let sp = self.registers.sp();
        let frame_pointer = self.registers.get(FRAME_POINTER);
        let step =
            self.memory.word(sp).and_then(|back| self.caller_at(sp.checked_add(8)?, back, frame_pointer));
        let Some(step) = step else { return self.by_frame_pointer(notes) };
        once(notes, "the thread jumped to an address without code; its caller is on the stack".into());
        step
    }

    /// A word that is no return address may point into code, too: there has to be a call before it.
    fn caller_at(&self, sp: u64, back: u64, frame_pointer: Option<u64>) -> Option<Step> {
        self.space.is_code(back.wrapping_sub(1)).then_some(())?;
        let mut before = [0; LONGEST_CALL];
        let read = self.memory.read(back.wrapping_sub(LONGEST_CALL as u64), &mut before);
        // A core file or a recording may hold no code.
        (read.is_err() || ends_with_call(before)).then_some(())?;
        let mut caller = Registers::unknown();
        caller.set(RETURN_ADDRESS, back);
        caller.set(STACK_POINTER, sp);
        if let Some(value) = frame_pointer {
            caller.set(FRAME_POINTER, value);
        }
        Some(Step::Caller { registers: Box::new(caller), signal: false })
    }
}

fn once(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}
