//! Moments of a clock that no other process shares, and layouts of memory.

use quote::quote;
use relapse_snapshot::Data;

use super::super::moments::INSTANT;
use super::super::seen_through::core_of;
use super::super::writer::Writer;
use super::bracketed;
use super::of::{Of, Rule, Written};

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// The rule for a definition, where there is one.
pub(super) fn rule(definition: &str) -> Option<Rule> {
    Some(match definition {
        INSTANT => instant,
        "core::alloc::layout::Layout" => layout,
        _ => return None,
    })
}

/// The clock starts anew with each boot, and no number of it means anything to another process: of what it is compared
/// with the test can only be told by its proof. Where that asks for it, they are as far apart as they were.
fn instant(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let name = writer.name_of(of.shape)?;
    writer.suspect = true;
    let Some((now, distance)) = writer.scope.since_base(of.value) else { return Ok(quote!(#name::now())) };
    if distance == 0 {
        return Ok(quote!(#now));
    }
    let length = distance.unsigned_abs();
    let secs = u64::try_from(length / NANOS_PER_SECOND).map_err(|_| writer.mismatch(of.shape))?;
    let duration = writer.name("core::time::Duration")?;
    let duration = writer.duration_of(&duration, secs, (length % NANOS_PER_SECOND) as u32)?;
    Ok(bracketed(if distance < 0 { quote!(#now - #duration) } else { quote!(#now + #duration) }, of.place))
}

/// `Layout { size, align }`, whose alignment is an enum that has a variant for each power of two: `_Align1Shl2`.
fn layout(writer: &mut Writer<'_>, of: Of<'_>) -> Written {
    let mismatch = || writer.mismatch(of.shape);
    let Data::Variant { name, .. } = &core_of(of.field(writer, "align")?).data else {
        return Err(mismatch());
    };
    let shift = name.strip_prefix("_Align1Shl").and_then(|shift| shift.parse::<u32>().ok());
    let align = shift.and_then(|shift| 1_i128.checked_shl(shift)).ok_or_else(mismatch)?;
    let size = of.count(writer, of.number(writer, "size")?, "usize")?;
    let align = of.count(writer, align, "usize")?;
    let name = writer.name_of(of.shape)?;
    Ok(quote!(#name::from_size_align(#size, #align).unwrap()))
}
