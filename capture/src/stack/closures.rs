//! Where the closures are written that were met as values. A closure's type entry has its captures only; the entry
//! of its body, which has the same path, says where it stands and what it takes. That may lie in any unit: where it
//! was compiled. In: the type table and debug info. Out: the closures' places, in the table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gimli::{DebugInfoOffset, Dwarf, Unit, UnitOffset};
use relapse_snapshot::{ClosureText, FieldShape, TypeId, TypeKind, TypeTable};

use super::function::Function;
use super::{ImageState, Stacks};
use crate::image::{self, DebugInfo, DieRef, Slice, UnitCache};
use crate::memory::Memory;
use crate::values::Reader;

/// How rustc names a closure's type and its body, in the same namespace.
const TYPE: &str = "{closure_env#";
const BODY: &str = "{closure#";

/// Bytes of entries that are searched for the bodies of one program's closures.
const MOST_BYTES: usize = 512 << 20;

/// Closures that are looked for in one program.
const MOST_CLOSURES: usize = 1024;

/// What was found by the path of a closure's body; nothing: it is not there.
pub(super) type Bodies = HashMap<String, Option<Body>>;

/// The entry of a closure's body.
#[derive(Debug, Clone)]
pub(super) struct Body {
    file: String,
    line: u32,
    /// Names and types; a pattern has no name.
    parameters: Vec<(String, DieRef)>,
}

impl Stacks {
    /// Completes the closures of the type table, as far as these parts of debug info tell.
    pub(super) fn place_closures(&mut self, infos: &[DebugInfo], memory: &dyn Memory, types: &mut TypeTable) {
        let open: Vec<(TypeId, String)> = types
            .iter()
            .filter(|(_, shape)| matches!(shape.kind, TypeKind::Closure { written: None, .. }))
            .filter_map(|(id, shape)| Some((id, body_path(&shape.name)?)))
            .take(MOST_CLOSURES)
            .collect();
        if open.is_empty() {
            return;
        }
        let mut seen = BTreeSet::new();
        for info in infos.iter().filter(|info| seen.insert(info.number)) {
            let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(*info));
            let new: BTreeSet<&str> = open
                .iter()
                .map(|(_, path)| path.as_str())
                .filter(|p| !state.bodies.contains_key(*p))
                .collect();
            if !new.is_empty() {
                let found = search(info.dwarf, &mut state.units, &new);
                state.bodies.extend(new.into_iter().map(|path| (path.to_owned(), found.get(path).cloned())));
            }
            for (id, path) in &open {
                let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(*info));
                let Some(body) = state.bodies.get(path).cloned().flatten() else { continue };
                let mut reader = Reader::new(info.dwarf, memory, &self.limits, types, &mut state.units);
                let shape = |(name, ty): (String, DieRef)| FieldShape { name, ty: reader.shape(ty) };
                let mut parameters: Vec<FieldShape> = body.parameters.into_iter().map(shape).collect();
                // One without captures has itself for the first parameter, without a name.
                if parameters.first().is_some_and(|p| p.name.is_empty() && is_itself(types, p.ty, *id)) {
                    parameters.remove(0);
                }
                let at = self.location(&body.file, body.line);
                if let Some(TypeKind::Closure { captures, .. }) =
                    types.get(*id).map(|shape| shape.kind.clone())
                {
                    let written = Some(Box::new(ClosureText { at, parameters }));
                    types.fill(*id, TypeKind::Closure { captures, written });
                }
            }
        }
    }
}

/// Whether a type is that of the closure, or a reference to it.
fn is_itself(types: &TypeTable, ty: TypeId, closure: TypeId) -> bool {
    match types.get(ty).map(|shape| &shape.kind) {
        Some(TypeKind::Reference { to, .. }) => *to == closure,
        _ => ty == closure,
    }
}

/// The path of a closure's body by that of its type; std's own closures are of no use to anybody.
fn body_path(name: &str) -> Option<String> {
    let at = name.find(TYPE).filter(|at| !name[..*at].contains('<'))?;
    let krate = name.split("::").next()?;
    if ["std", "core", "alloc", "test"].contains(&krate) {
        return None;
    }
    Some(format!("{}{BODY}{}", &name[..at], &name[at + TYPE.len()..]))
}

/// Finds bodies by their paths: first in the units of the crates that they belong to, then in those that may have
/// compiled a generic one.
fn search(dwarf: &Dwarf<Slice>, units: &mut UnitCache, wanted: &BTreeSet<&str>) -> BTreeMap<String, Body> {
    let (mut own, mut others) = (Vec::new(), Vec::new());
    let mut headers = dwarf.units();
    while let Ok(Some(header)) = headers.next() {
        let Some(offset) = header.debug_info_offset() else { continue };
        let Ok(unit) = units.unit(dwarf, offset) else { continue };
        let name = unit.name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        // `src/main.rs/@/demo.1f2e3d4c-cgu.0`
        let krate = name.rsplit_once("/@/").and_then(|(_, rest)| rest.split('.').next()).unwrap_or_default();
        if wanted.iter().any(|path| path.split("::").next() == Some(krate)) {
            own.push(offset);
        } else if !name.starts_with("/rustc/") {
            others.push(offset);
        }
    }
    let (mut found, mut bytes) = (BTreeMap::new(), 0_usize);
    for offset in own.into_iter().chain(others) {
        let Ok(unit) = units.unit(dwarf, offset) else { continue };
        bytes = bytes.saturating_add(unit.header.length_including_self());
        if found.len() == wanted.len() || bytes > MOST_BYTES {
            break;
        }
        for (path, entry) in bodies(dwarf, &unit, wanted).unwrap_or_default() {
            if let Some(body) = body(dwarf, units, DieRef { unit: offset, entry }) {
                found.entry(path).or_insert(body);
            }
        }
    }
    found
}

/// The entries of one unit that have these paths. One pass; only the names of namespaces and functions are read.
fn bodies(
    dwarf: &Dwarf<Slice>,
    unit: &Unit<Slice>,
    wanted: &BTreeSet<&str>,
) -> gimli::Result<Vec<(String, UnitOffset)>> {
    let mut entries = unit.entries_raw(None)?;
    let (mut scopes, mut found): (Vec<(isize, String)>, Vec<_>) = (Vec::new(), Vec::new());
    while !entries.is_empty() {
        let (offset, depth) = (entries.next_offset(), entries.next_depth());
        while scopes.last().is_some_and(|(at, _)| *at >= depth) {
            scopes.pop();
        }
        let Some(abbreviation) = entries.read_abbreviation()? else { continue };
        let tag = abbreviation.tag();
        if !matches!(tag, gimli::DW_TAG_namespace | gimli::DW_TAG_subprogram) {
            entries.skip_attributes(abbreviation.attributes())?;
            continue;
        }
        let mut name = None;
        for specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(*specification)?;
            if attribute.name() == gimli::DW_AT_name {
                name = Some(image::string(dwarf, unit, attribute.value())?);
            }
        }
        let Some(name) = name else { continue };
        if tag == gimli::DW_TAG_namespace {
            if abbreviation.has_children() {
                scopes.push((depth, name.to_string_lossy().into_owned()));
            }
        } else if name.slice().starts_with(BODY.as_bytes()) {
            let mut path: Vec<&str> = scopes.iter().map(|(_, scope)| scope.as_str()).collect();
            let name = name.to_string_lossy();
            path.push(&name);
            let path = path.join("::");
            if wanted.contains(path.as_str()) {
                found.push((path, offset));
            }
        }
    }
    Ok(found)
}

/// What the entry of a body says.
fn body(dwarf: &Dwarf<Slice>, units: &mut UnitCache, die: DieRef) -> Option<Body> {
    let (file, line) = Function::read(dwarf, units, die).declared(dwarf)?;
    let unit = units.unit(dwarf, die.unit).ok()?;
    let parameters = parameters(dwarf, units, &unit, die.unit, die.entry).unwrap_or_default();
    Some(Body { file, line, parameters })
}

fn parameters(
    dwarf: &Dwarf<Slice>,
    units: &mut UnitCache,
    unit: &Unit<Slice>,
    offset: DebugInfoOffset,
    entry: UnitOffset,
) -> gimli::Result<Vec<(String, DieRef)>> {
    let mut tree = unit.entries_tree(Some(entry))?;
    let mut children = tree.root()?.children();
    let mut found = Vec::new();
    while let Some(child) = children.next()? {
        let child = child.entry();
        if child.tag() != gimli::DW_TAG_formal_parameter || found.len() >= super::arguments::MOST_PARAMETERS {
            continue;
        }
        let name = child.attr_value(gimli::DW_AT_name);
        let name = name.and_then(|value| image::string(dwarf, unit, value).ok());
        let name = name.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let Some(reference) = child.attr_value(gimli::DW_AT_type) else { continue };
        if let Some(ty) = units.target(dwarf, offset, reference) {
            found.push((name, ty));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closures_type_names_its_body() {
        for (name, body) in [
            ("demo::main::{closure_env#3}", Some("demo::main::{closure#3}")),
            ("demo::main::{closure#9}::{closure_env#0}", Some("demo::main::{closure#9}::{closure#0}")),
            (
                "demo::run::{closure_env#0}<demo::main::{closure_env#1}>",
                Some("demo::run::{closure#0}<demo::main::{closure_env#1}>"),
            ),
            ("std::rt::lang_start::{closure_env#0}<()>", None),
            ("alloc::boxed::Box<demo::main::{closure_env#3}>", None),
            ("{fn(u8) -> u8}", None),
        ] {
            assert_eq!(body_path(name).as_deref(), body, "{name}");
        }
    }
}
