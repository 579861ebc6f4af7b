//! The rules of one address (DWARF 5, section 6.4), found in `.eh_frame` by its binary search table, else in
//! `.eh_frame` or `.debug_frame` entry by entry.

use gimli::{
    CfaRule, EhFrame, Encoding, Expression, FrameDescriptionEntry, RegisterRule, Section, UnwindContext,
    UnwindExpression, UnwindSection,
};

use crate::image::{Image, Slice};

/// How to recover a caller's registers at one address.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub(super) cfa: Cfa,
    pub(super) registers: Vec<(u16, Rule)>,
    pub(super) return_address: u16,
    /// The frame is a signal's: its caller was interrupted, it did not call.
    pub(super) signal: bool,
    pub(super) encoding: Encoding,
    in_debug_frame: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Cfa {
    Register(u16, i64),
    Expression(UnwindExpression<usize>),
}

#[derive(Debug, Clone)]
pub(super) enum Rule {
    Undefined,
    Same,
    At(i64),
    Value(i64),
    Register(u16),
    Constant(u64),
    AtExpression(UnwindExpression<usize>),
    ValueExpression(UnwindExpression<usize>),
}

impl Rules {
    /// The rules at an address of the image; `None` where its tables say nothing of it.
    pub(super) fn find(image: &Image, address: u64, context: &mut UnwindContext<usize>) -> Option<Rules> {
        let sections = &image.unwind;
        let bases = &sections.bases;
        if let Some(fde) = by_table(image, address) {
            return Rules::read(&sections.eh_frame, &fde, address, bases, context, false);
        }
        let without_table = sections.eh_frame_hdr.as_ref().and_then(gimli::ParsedEhFrameHdr::table).is_none();
        if without_table
            && let Ok(fde) = sections.eh_frame.fde_for_address(bases, address, EhFrame::cie_from_offset)
        {
            return Rules::read(&sections.eh_frame, &fde, address, bases, context, false);
        }
        let frame = &sections.debug_frame;
        let fde = frame.fde_for_address(bases, address, gimli::DebugFrame::cie_from_offset).ok()?;
        Rules::read(frame, &fde, address, bases, context, true)
    }

    fn read<S: UnwindSection<Slice>>(
        section: &S,
        fde: &FrameDescriptionEntry<Slice>,
        address: u64,
        bases: &gimli::BaseAddresses,
        context: &mut UnwindContext<usize>,
        in_debug_frame: bool,
    ) -> Option<Rules> {
        let row = fde.unwind_info_for_address(section, bases, context, address).ok()?;
        let cfa = match row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => Cfa::Register(register.0, *offset),
            CfaRule::Expression(expression) => Cfa::Expression(*expression),
        };
        let registers = row.registers().map(|(register, rule)| (register.0, Rule::from(rule))).collect();
        Some(Rules {
            cfa,
            registers,
            return_address: fde.cie().return_address_register().0,
            signal: fde.is_signal_trampoline(),
            encoding: fde.cie().encoding(),
            in_debug_frame,
        })
    }

    /// The bytes of an expression in these rules.
    pub(super) fn expression(
        &self,
        image: &Image,
        expression: UnwindExpression<usize>,
    ) -> Option<Expression<Slice>> {
        if self.in_debug_frame {
            expression.get(&image.unwind.debug_frame).ok()
        } else {
            expression.get(&image.unwind.eh_frame).ok()
        }
    }
}

impl From<&RegisterRule<usize>> for Rule {
    fn from(rule: &RegisterRule<usize>) -> Rule {
        match rule {
            RegisterRule::Undefined | RegisterRule::Architectural => Rule::Undefined,
            RegisterRule::SameValue => Rule::Same,
            RegisterRule::Offset(offset) => Rule::At(*offset),
            RegisterRule::ValOffset(offset) => Rule::Value(*offset),
            RegisterRule::Register(register) => Rule::Register(register.0),
            RegisterRule::Constant(value) => Rule::Constant(*value),
            RegisterRule::Expression(expression) => Rule::AtExpression(*expression),
            RegisterRule::ValExpression(expression) => Rule::ValueExpression(*expression),
        }
    }
}

/// The entry that the search table names, if it covers the address.
fn by_table(image: &Image, address: u64) -> Option<FrameDescriptionEntry<Slice>> {
    let sections = &image.unwind;
    let table = sections.eh_frame_hdr.as_ref()?.table()?;
    let entry = table.lookup(address, &sections.bases).ok()?.direct().ok()?;
    // Not gimli's own look-up: it subtracts without a check, and a damaged table may point before the section.
    let offset = usize::try_from(entry.checked_sub(sections.eh_frame_address)?).ok()?;
    (offset < sections.eh_frame.reader().len()).then_some(())?;
    let fde = sections
        .eh_frame
        .fde_from_offset(&sections.bases, gimli::EhFrameOffset(offset), EhFrame::cie_from_offset)
        .ok()?;
    fde.contains(address).then_some(fde)
}
