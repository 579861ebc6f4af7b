//! A function's debug info entry together with the entries that it refers to for what it does not say itself:
//! `DW_AT_abstract_origin` (of inlined and outlined code) and `DW_AT_specification` (of methods).

use std::path::PathBuf;
use std::rc::Rc;

use gimli::{AttributeValue, DebuggingInformationEntry, DwAt, Dwarf, Range, Unit};

use crate::image::{self, DieRef, Slice, UnitCache};

/// References that are followed: there are two in practice.
const MOST_LINKS: usize = 8;

/// One entry of the chain.
pub(super) struct Link {
    pub(super) die: DieRef,
    pub(super) unit: Rc<Unit<Slice>>,
    entry: DebuggingInformationEntry<Slice>,
    /// How the one before refers to it.
    pub(super) by: Option<DwAt>,
}

/// The chain of a function's entries, the concrete one first.
pub(super) struct Function {
    pub(super) links: Vec<Link>,
}

impl Function {
    /// Reads the chain that begins at `die`; what is damaged ends it.
    pub(super) fn read(dwarf: &Dwarf<Slice>, units: &mut UnitCache, die: DieRef) -> Function {
        let (mut links, mut next): (Vec<Link>, _) = (Vec::new(), Some((die, None)));
        while let Some((die, by)) = next.take() {
            let Ok(unit) = units.unit(dwarf, die.unit) else { break };
            let Ok(entry) = unit.entry(die.entry) else { break };
            for at in [gimli::DW_AT_abstract_origin, gimli::DW_AT_specification] {
                if let Some(reference) = entry.attr_value(at) {
                    next = units.target(dwarf, die.unit, reference).map(|die| (die, Some(at)));
                    break;
                }
            }
            links.push(Link { die, unit, entry, by });
            if links.len() >= MOST_LINKS {
                break;
            }
        }
        Function { links }
    }

    /// The first value of an attribute in the chain, and the link that has it.
    pub(super) fn attribute(&self, at: DwAt) -> Option<(AttributeValue<Slice>, &Link)> {
        self.links.iter().find_map(|link| Some((link.entry.attr_value(at)?, link)))
    }

    fn text(&self, dwarf: &Dwarf<Slice>, at: DwAt) -> Option<String> {
        let (value, link) = self.attribute(at)?;
        let text = image::string(dwarf, &link.unit, value).ok()?;
        Some(text.to_string_lossy().into_owned())
    }

    /// The bare name.
    pub(super) fn name(&self, dwarf: &Dwarf<Slice>) -> Option<String> {
        self.text(dwarf, gimli::DW_AT_name)
    }

    /// The full path, demangled, without hash.
    pub(super) fn path(&self, dwarf: &Dwarf<Slice>) -> Option<String> {
        let mangled = self
            .text(dwarf, gimli::DW_AT_linkage_name)
            .or_else(|| self.text(dwarf, gimli::DW_AT_MIPS_linkage_name))?;
        Some(format!("{:#}", rustc_demangle::demangle(&mangled)))
    }

    /// The type of its result.
    pub(super) fn result(&self, dwarf: &Dwarf<Slice>, units: &mut UnitCache) -> Option<DieRef> {
        let (reference, link) = self.attribute(gimli::DW_AT_type)?;
        units.target(dwarf, link.die.unit, reference)
    }

    /// Where its code lies, in its unit's own order.
    pub(super) fn ranges(&self, dwarf: &Dwarf<Slice>) -> Option<(&Unit<Slice>, Vec<Range>)> {
        let link = self.links.first()?;
        let (mut ranges, mut found) = (dwarf.die_ranges(&link.unit, &link.entry).ok()?, Vec::new());
        while let Ok(Some(range)) = ranges.next() {
            found.push(range);
        }
        Some((&link.unit, found))
    }

    /// File and line of the declaration.
    pub(super) fn declared(&self, dwarf: &Dwarf<Slice>) -> Option<(String, u32)> {
        let (line, link) = self.attribute(gimli::DW_AT_decl_line)?;
        let line = u32::try_from(line.udata_value()?).ok()?;
        let AttributeValue::FileIndex(file) = link.entry.attr_value(gimli::DW_AT_decl_file)? else {
            return None;
        };
        Some((file_path(dwarf, &link.unit, file)?, line))
    }
}

/// A file of a unit's line table, with the folder that it was compiled in.
fn file_path(dwarf: &Dwarf<Slice>, unit: &Unit<Slice>, index: u64) -> Option<String> {
    let header = unit.line_program.as_ref()?.header();
    let file = header.file(index)?;
    let text = |value| Some(image::string(dwarf, unit, value).ok()?.to_string_lossy().into_owned());
    let mut path =
        PathBuf::from(unit.comp_dir.map_or_else(String::new, |f| f.to_string_lossy().into_owned()));
    // Folder 0 is the unit's own: up to DWARF 4 by definition, from 5 by its first entry, which is the same.
    if file.directory_index() != 0
        && let Some(folder) = file.directory(header).and_then(text)
    {
        path.push(folder);
    }
    path.push(text(file.path_name())?);
    Some(path.to_string_lossy().into_owned())
}
