//! DWARF expressions → places (DWARF 5, sections 2.5 and 2.6). In: an expression and one frame's registers.
//! Out: a [`Place`], or why there is none. Never reads values.

use gimli::{
    AttributeValue, Dwarf, Encoding, Evaluation, EvaluationResult, Expression, Operation, Piece, Unit, Value,
};

use crate::arch::{FRAME_POINTER, Registers, STACK_POINTER};
use crate::image::Slice;
use crate::memory::Memory;
use crate::place::Place;

/// Operations that one expression may take: none needs more than a few dozen.
const MOST_OPERATIONS: u32 = 10_000;
/// Bytes that the pieces of one value may come to.
const MOST_BYTES: u64 = 1 << 16;

/// Where a parameter can be read first, between its function's first instruction and the end of the prologue.
///
/// What holds for the body holds at its beginning. Of a location list, the place at the first instruction is the
/// best, if it is one in registers (there is no frame yet); then that at the end of the prologue; then the earliest
/// within it (without optimisation a register may be gone by its end).
pub(crate) fn entry_address(
    dwarf: &Dwarf<Slice>,
    unit: &Unit<Slice>,
    location: AttributeValue<Slice>,
    first: u64,
    prologue_end: u64,
) -> u64 {
    if is_for_the_body(location) {
        return prologue_end;
    }
    let Ok(Some(mut entries)) = dwarf.attr_locations(unit, location) else { return prologue_end };
    let (mut at_end, mut earliest) = (false, None::<u64>);
    while let Ok(Some(entry)) = entries.next() {
        let covers = |pc: u64| (entry.range.begin..entry.range.end).contains(&pc);
        if covers(first) && is_frameless(entry.data, unit.encoding()) {
            return first;
        }
        at_end |= covers(prologue_end);
        if (first.saturating_add(1)..prologue_end).contains(&entry.range.begin) {
            earliest = Some(earliest.map_or(entry.range.begin, |known| known.min(entry.range.begin)));
        }
    }
    if at_end { prologue_end } else { earliest.unwrap_or(prologue_end) }
}

/// Whether a location is one expression for the whole function. That means its body: it holds after the prologue.
pub(crate) fn is_for_the_body(location: AttributeValue<Slice>) -> bool {
    location.exprloc_value().is_some()
}

/// Whether an expression does without the stack and frame pointers.
fn is_frameless(expression: Expression<Slice>, encoding: Encoding) -> bool {
    let mut operations = expression.operations(encoding);
    while let Ok(Some(operation)) = operations.next() {
        let framed = match operation {
            Operation::FrameOffset { .. } => true,
            Operation::RegisterOffset { register, .. } => {
                [FRAME_POINTER, STACK_POINTER].contains(&register.0)
            }
            _ => false,
        };
        if framed {
            return false;
        }
    }
    true
}

/// Why a location comes to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LocationError {
    /// The expression is damaged.
    #[error("failed to evaluate its location: {0}")]
    Damaged(gimli::Error),
    /// It needs memory that cannot be read.
    #[error("failed to evaluate its location: memory at {0:#x} cannot be read")]
    Memory(u64),
    /// It needs something that is not supported.
    #[error("its location needs {0}")]
    Unsupported(&'static str),
    /// It needs a register or a value that was not kept.
    #[error("optimized out")]
    Lost,
    /// It holds for the function's body, which had not begun.
    #[error("the crash came before the function had stored its arguments")]
    Early,
}

impl From<gimli::Error> for LocationError {
    fn from(error: gimli::Error) -> LocationError {
        LocationError::Damaged(error)
    }
}

/// What expressions are evaluated in: one frame of one image.
pub(crate) struct FrameContext<'a> {
    pub(crate) registers: &'a Registers,
    pub(crate) memory: &'a dyn Memory,
    pub(crate) bias: u64,
    /// The canonical frame address, where it is known.
    pub(crate) cfa: Option<u64>,
    /// What `DW_AT_frame_base` of the function came to.
    pub(crate) frame_base: Option<u64>,
    /// For expressions of debug info; those of unwind tables have no unit.
    pub(crate) unit: Option<(&'a Dwarf<Slice>, &'a Unit<Slice>)>,
}

impl FrameContext<'_> {
    /// The place that `DW_AT_location` names at an address of the image (without load bias).
    pub(crate) fn place(&self, location: AttributeValue<Slice>, pc: u64) -> Result<Place, LocationError> {
        let Some((dwarf, unit)) = self.unit else { return Err(LocationError::Lost) };
        if let Some(expression) = location.exprloc_value() {
            return self.place_of(expression, unit.encoding());
        }
        let Some(mut entries) = dwarf.attr_locations(unit, location)? else {
            return Err(LocationError::Lost);
        };
        while let Some(entry) = entries.next()? {
            if (entry.range.begin..entry.range.end).contains(&pc) {
                return self.place_of(entry.data, unit.encoding());
            }
        }
        Ok(Place::OptimizedOut)
    }

    /// The address that `DW_AT_frame_base` comes to: a register's *content*, or an address.
    pub(crate) fn frame_base(&self, location: AttributeValue<Slice>, pc: u64) -> Option<u64> {
        match self.place(location, pc).ok()? {
            Place::Memory(address) => Some(address),
            Place::Bytes(bytes) => {
                let bytes: Option<Vec<u8>> = bytes.into_iter().collect();
                Some(u64::from_le_bytes(bytes?.try_into().ok()?))
            }
            Place::OptimizedOut => None,
        }
    }

    /// An expression of an unwind table: an address or a value. `start` is on the stack at first.
    pub(crate) fn address(
        &self,
        expression: Expression<Slice>,
        encoding: Encoding,
        start: Option<u64>,
    ) -> Result<u64, LocationError> {
        let mut evaluation = expression.evaluation(encoding);
        if let Some(start) = start {
            evaluation.set_initial_value(start);
        }
        match self.run(evaluation)?.as_slice() {
            [Piece { location: gimli::Location::Address { address }, .. }] => Ok(*address),
            [Piece { location: gimli::Location::Register { register }, .. }] => self.register(*register),
            [Piece { location: gimli::Location::Value { value }, .. }] => Ok(value.to_u64(!0)?),
            _ => Err(LocationError::Unsupported("pieces where an address is wanted")),
        }
    }

    fn place_of(&self, expression: Expression<Slice>, encoding: Encoding) -> Result<Place, LocationError> {
        if expression.0.is_empty() {
            return Ok(Place::OptimizedOut);
        }
        match self.run(expression.evaluation(encoding)) {
            Ok(pieces) => self.join(&pieces),
            Err(LocationError::Lost) => Ok(Place::OptimizedOut),
            Err(error) => Err(error),
        }
    }

    /// One piece is a place of its own; several become bytes, those of no piece unknown.
    fn join(&self, pieces: &[Piece<Slice>]) -> Result<Place, LocationError> {
        if let [Piece { size_in_bits: None, location: gimli::Location::Address { address }, .. }] = pieces {
            return Ok(Place::Memory(*address));
        }
        let mut bytes = Vec::new();
        for piece in pieces {
            let size = match piece.size_in_bits {
                Some(bits) if bits % 8 != 0 || piece.bit_offset.unwrap_or(0) % 8 != 0 => {
                    return Err(LocationError::Unsupported("pieces that are not whole bytes"));
                }
                Some(bits) => Some(bits / 8),
                None => None,
            };
            if bytes.len() as u64 + size.unwrap_or(0) > MOST_BYTES {
                return Err(LocationError::Unsupported("very large pieces"));
            }
            let skip = (piece.bit_offset.unwrap_or(0) / 8) as usize;
            let content = self.piece(&piece.location, size, skip)?;
            let len = size.map_or(content.len(), |size| size as usize);
            bytes.extend(content.into_iter().chain(std::iter::repeat(None)).take(len));
        }
        if bytes.iter().all(Option::is_none) {
            return Ok(Place::OptimizedOut);
        }
        Ok(Place::Bytes(bytes))
    }

    fn piece(
        &self,
        location: &gimli::Location<Slice>,
        size: Option<u64>,
        skip: usize,
    ) -> Result<Vec<Option<u8>>, LocationError> {
        let known = |bytes: &[u8]| bytes.iter().skip(skip).copied().map(Some).collect();
        Ok(match location {
            gimli::Location::Empty | gimli::Location::ImplicitPointer { .. } => Vec::new(),
            gimli::Location::Register { register } => match self.register(*register) {
                Ok(value) => known(&value.to_le_bytes()),
                Err(_) => Vec::new(),
            },
            gimli::Location::Address { address } => {
                // Only sized pieces come here: a single whole one is a place in memory.
                let address = address.wrapping_add(skip as u64);
                let bytes = self
                    .memory
                    .read_vec(address, size.unwrap_or(0) as usize)
                    .map_err(|_| LocationError::Memory(address))?;
                bytes.into_iter().map(Some).collect()
            }
            gimli::Location::Value { value } => known(&value_bytes(*value)),
            gimli::Location::Bytes { value } => known(&value.slice()[..value.len().min(MOST_BYTES as usize)]),
        })
    }

    fn register(&self, register: gimli::Register) -> Result<u64, LocationError> {
        self.registers.get(register.0).ok_or(LocationError::Lost)
    }

    fn run(&self, mut evaluation: Evaluation<Slice>) -> Result<Vec<Piece<Slice>>, LocationError> {
        evaluation.set_max_iterations(MOST_OPERATIONS);
        let mut result = evaluation.evaluate()?;
        loop {
            result = match result {
                EvaluationResult::Complete => return Ok(evaluation.result()),
                EvaluationResult::RequiresMemory { address, size, space: None, base_type } => {
                    let mut bytes = [0; 8];
                    let wanted = bytes.get_mut(..usize::from(size)).ok_or(LocationError::Lost)?;
                    self.memory.read(address, wanted).map_err(|_| LocationError::Memory(address))?;
                    let value = Value::from_u64(self.base_type(base_type)?, u64::from_le_bytes(bytes))?;
                    evaluation.resume_with_memory(value)?
                }
                EvaluationResult::RequiresRegister { register, base_type } => {
                    let value = Value::from_u64(self.base_type(base_type)?, self.register(register)?)?;
                    evaluation.resume_with_register(value)?
                }
                EvaluationResult::RequiresFrameBase => {
                    evaluation.resume_with_frame_base(self.frame_base.ok_or(LocationError::Lost)?)?
                }
                EvaluationResult::RequiresCallFrameCfa => {
                    evaluation.resume_with_call_frame_cfa(self.cfa.ok_or(LocationError::Lost)?)?
                }
                EvaluationResult::RequiresRelocatedAddress(address) => {
                    evaluation.resume_with_relocated_address(address.wrapping_add(self.bias))?
                }
                EvaluationResult::RequiresIndexedAddress { index, relocate } => {
                    let (dwarf, unit) = self.unit.ok_or(LocationError::Lost)?;
                    let address = dwarf.address(unit, index)?;
                    let bias = if relocate { self.bias } else { 0 };
                    evaluation.resume_with_indexed_address(address.wrapping_add(bias))?
                }
                EvaluationResult::RequiresBaseType(offset) => {
                    let ty = self.base_type(offset)?;
                    evaluation.resume_with_base_type(ty)?
                }
                // What the caller gave is known only where it says so in call site entries; rustc writes none.
                EvaluationResult::RequiresEntryValue(_) | EvaluationResult::RequiresParameterRef(_) => {
                    return Err(LocationError::Lost);
                }
                EvaluationResult::RequiresTls(_) => {
                    return Err(LocationError::Unsupported("thread-local storage"));
                }
                EvaluationResult::RequiresAtLocation(_) => {
                    return Err(LocationError::Unsupported("another entry's location"));
                }
                _ => return Err(LocationError::Unsupported("memory that is not the program's own")),
            };
        }
    }

    /// The type of a typed operation; entry 0 stands for an untyped address.
    fn base_type(&self, offset: gimli::UnitOffset) -> Result<gimli::ValueType, LocationError> {
        if offset.0 == 0 {
            return Ok(gimli::ValueType::Generic);
        }
        let (_, unit) = self.unit.ok_or(LocationError::Lost)?;
        gimli::ValueType::from_entry(&unit.entry(offset)?)?.ok_or(LocationError::Unsupported("a wide number"))
    }
}

fn value_bytes(value: Value) -> Vec<u8> {
    match value {
        Value::Generic(n) | Value::U64(n) => n.to_le_bytes().to_vec(),
        Value::I8(n) => n.to_le_bytes().to_vec(),
        Value::U8(n) => n.to_le_bytes().to_vec(),
        Value::I16(n) => n.to_le_bytes().to_vec(),
        Value::U16(n) => n.to_le_bytes().to_vec(),
        Value::I32(n) => n.to_le_bytes().to_vec(),
        Value::U32(n) => n.to_le_bytes().to_vec(),
        Value::I64(n) => n.to_le_bytes().to_vec(),
        Value::F32(n) => n.to_le_bytes().to_vec(),
        Value::F64(n) => n.to_le_bytes().to_vec(),
    }
}
