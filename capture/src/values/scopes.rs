//! The namespaces of one unit, so that an entry's full path is found without reading the unit again.

use gimli::{DwTag, Dwarf, Unit, UnitOffset, constants};

use crate::image::{self, Slice};

/// Nested namespaces by their extent in the unit, in the order of their start.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    scopes: Vec<Scope>,
}

#[derive(Debug)]
struct Scope {
    start: usize,
    /// The first offset after its last child; the unit's end while it is open.
    end: usize,
    parent: Option<usize>,
    name: String,
}

impl Scopes {
    /// One pass over the unit. A unit that is damaged half-way keeps the scopes found so far.
    pub(super) fn of(dwarf: &Dwarf<Slice>, unit: &Unit<Slice>) -> Scopes {
        let mut scopes = Scopes::default();
        let _ = scopes.collect(dwarf, unit);
        scopes
    }

    fn collect(&mut self, dwarf: &Dwarf<Slice>, unit: &Unit<Slice>) -> gimli::Result<()> {
        let mut entries = unit.entries_raw(None)?;
        let mut open: Vec<(isize, usize)> = Vec::new();
        while !entries.is_empty() {
            let (offset, depth) = (entries.next_offset().0, entries.next_depth());
            while let Some(&(_, index)) = open.last().filter(|(at, _)| *at >= depth) {
                self.scopes[index].end = offset;
                open.pop();
            }
            let Some(abbreviation) = entries.read_abbreviation()? else { continue };
            if !is_scope(abbreviation.tag()) || !abbreviation.has_children() {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let mut name = String::new();
            for specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(*specification)?;
                if attribute.name() == constants::DW_AT_name {
                    name = image::string(dwarf, unit, attribute.value())?.to_string_lossy().into_owned();
                }
            }
            let parent = open.last().map(|&(_, index)| index);
            open.push((depth, self.scopes.len()));
            self.scopes.push(Scope { start: offset, end: usize::MAX, parent, name });
        }
        Ok(())
    }

    /// The path of the namespaces around an entry, outermost first: `alloc::vec`; empty at the unit's top.
    pub(super) fn path(&self, entry: UnitOffset) -> String {
        let after = self.scopes.partition_point(|scope| scope.start < entry.0);
        let mut at = after.checked_sub(1);
        while let Some(scope) = at.map(|index| &self.scopes[index]) {
            if scope.end > entry.0 {
                break;
            }
            at = scope.parent;
        }
        let mut names = Vec::new();
        while let Some(scope) = at.map(|index| &self.scopes[index]) {
            names.push(scope.name.as_str());
            at = scope.parent;
        }
        names.reverse();
        names.join("::")
    }
}

fn is_scope(tag: DwTag) -> bool {
    tag == constants::DW_TAG_namespace
}
