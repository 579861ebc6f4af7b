//! Errors that std makes of a text (`io::Error::new(kind, "text")`, `Box::<dyn Error>::from("text")`). They are of a type
//! of std's own, `struct StringError(String)`. Where a dev build takes the code from std as rustup ships it, their vtable
//! lies there, and no debug info describes it. In: the vtable's functions. Out: the type, put together.

use std::rc::Rc;

use gimli::{DebugInfoOffset, UnitOffset, constants};
use relapse_snapshot::StdType;

use super::Reader;
use super::entries::Parser;
use super::layout::{Entry, Kind, Layout, Member, Record};
use super::vtables::{Concrete, Header};
use crate::image::{self, DieRef, Image};

/// The type's name as debug info has it, but for the number of its impl, which differs from version to version.
const NAME: &str = "alloc::boxed::convert::from::StringError";
/// Entries that are looked at for the type of a `String`: the program stands still meanwhile.
const MOST_ENTRIES: u64 = 4 << 20;

impl Reader<'_> {
    /// The type of an error made of a text, where the vtable's functions are those of it. `bias` is the image's.
    pub(super) fn text_error(&mut self, image: &Image, bias: u64, header: &Header) -> Option<Concrete> {
        // One that a linker has merged with another type's says nothing.
        let is_own = |code: &u64| {
            let own = code.wrapping_sub(bias);
            let symbol = image.symbol_at(own).filter(|symbol| symbol.address == own);
            symbol.is_some_and(|symbol| is_of_text_error(&symbol.demangled())) && !image.is_shared(own)
        };
        if !header.functions.iter().any(is_own) {
            return None;
        }
        let info = self.elsewhere.as_ref()?.here;
        let text = Parser::new(self.dwarf, self.units).string()?;
        let layout = self.layout(text);
        let (size, align) = (header.size, header.align);
        if layout.size != Some(size) || layout.align.is_some_and(|of_text| of_text != align) {
            return None;
        }
        let entries = &mut self.units.entries;
        let key = (text, text);
        if let Some(known) = entries.made_sized.get(&key) {
            return Some(known.clone());
        }
        // No entry of the file describes it: it gets a place of its own beyond all of them.
        let die = DieRef { unit: DebugInfoOffset(usize::MAX), entry: UnitOffset(entries.made_sized.len()) };
        let only = Member { name: "0".to_owned(), entry: Entry::of(text), offset: 0 };
        let made = Layout {
            name: NAME.to_owned(),
            size: Some(size),
            align: Some(align),
            params: Vec::new(),
            kind: Kind::Record { members: vec![only], record: Record::TupleStruct },
        };
        let concrete = Concrete { info, entry: Entry::of(die), size, align };
        entries.layouts.insert(die, Rc::new(made));
        entries.made_sized.insert(key, concrete.clone());
        Some(concrete)
    }
}

/// Whether a function is a method of that type: only std can implement `From<String>` for a box of `dyn Error`.
fn is_of_text_error(function: &str) -> bool {
    let parts = [
        "alloc::boxed::Box<dyn core::error::Error",
        "core::convert::From<alloc::string::String>",
        "::from::StringError as core::",
    ];
    function.starts_with('<') && parts.iter().all(|part| function.contains(part))
}

impl Parser<'_> {
    /// The first entry that describes a `String`.
    fn string(&mut self) -> Option<DieRef> {
        if let Some(known) = self.units.entries.string.get() {
            return *known;
        }
        let found = self.find_string().unwrap_or_default();
        *self.units.entries.string.get_or_init(|| found)
    }

    fn find_string(&mut self) -> gimli::Result<Option<DieRef>> {
        let (mut headers, mut most) = (self.dwarf.units(), MOST_ENTRIES);
        while let Some(header) = headers.next()? {
            let Some(unit) = header.debug_info_offset() else { continue };
            // A unit that is damaged is left out.
            for entry in self.named_string(unit, &mut most).unwrap_or_default() {
                let die = DieRef { unit, entry };
                let layout = self.layout(die);
                let is_text = matches!(layout.kind, Kind::Std { std: StdType::String, .. });
                // Std as rustup ships it declares the type, and says no more of it.
                if is_text && layout.size.is_some() && !layout.members().is_empty() {
                    return Ok(Some(die));
                }
            }
            if most == 0 {
                break;
            }
        }
        Ok(None)
    }

    /// The structs of a unit that are called `String`.
    fn named_string(&mut self, unit: DebugInfoOffset, most: &mut u64) -> gimli::Result<Vec<UnitOffset>> {
        let unit = self.units.unit(self.dwarf, unit)?;
        let (mut entries, mut found) = (unit.entries_raw(None)?, Vec::new());
        while !entries.is_empty() && *most > 0 {
            *most -= 1;
            let offset = entries.next_offset();
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if abbreviation.tag() != constants::DW_TAG_structure_type {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(*specification)?;
                if attribute.name() == constants::DW_AT_name
                    && image::string(self.dwarf, &unit, attribute.value())?.slice() == b"String"
                {
                    found.push(offset);
                }
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_of_an_error_of_a_text_are_known_by_their_symbols() {
        let of = |mangled: &str| is_of_text_error(&format!("{:#}", rustc_demangle::demangle(mangled)));
        // Of today's scheme (std of rustc 1.95), and of the one before.
        assert!(of(concat!(
            "_RNvXs0_NvXsf_NtNtCslNYArtu3iFV_5alloc5boxed7convertINtBd_3BoxDNtNtCsgEmfK2I1SDS_4core5error5ErrorNtNt",
            "B12_6marker4SyncNtB1z_4SendEL_EINtNtB12_7convert4FromNtNtBf_6string6StringE4fromNtB5_11StringErrorNtNt",
            "B12_3fmt5Debug3fmt"
        )));
        assert!(of(concat!(
            "_ZN256_$LT$alloc..boxed..convert..$LT$impl$u20$core..convert..From$LT$alloc..string..String$GT$$u20$",
            "for$u20$alloc..boxed..Box$LT$dyn$u20$core..error..Error$u2b$core..marker..Sync$u2b$core..marker..Sen",
            "d$GT$$GT$..from..StringError$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE"
        )));
        assert!(!of("_ZN4core3ptr42drop_in_place$LT$alloc..string..String$GT$17h0123456789abcdefE"));
        assert!(!of(
            "_ZN59_$LT$a..from..StringError$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE"
        ));
    }
}
