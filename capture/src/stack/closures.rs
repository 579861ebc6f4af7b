//! Where the closures are written that were met as values. A closure's type entry has its captures only; the entry
//! of its body, which has the same path, says where it stands and what it takes. That may lie in any unit: where it
//! was compiled. In: the type table and debug info. Out: the closures' places, in the table.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use gimli::{DebugInfoOffset, Dwarf, Unit, UnitOffset};
use relapse_snapshot::{ClosureText, FieldShape, FrameKind, TypeId, TypeKind, TypeShape, TypeTable};

use super::function::Function;
use super::{ImageState, Stacks};
use crate::image::{self, DebugInfo, DieRef, Slice, UnitCache};
use crate::memory::Memory;
use crate::roots::Roots;
use crate::values::Reader;

/// How rustc names a closure's type and its body, in the same namespace.
const TYPE: &str = "{closure_env#";
const BODY: &str = "{closure#";

/// Bytes of entries that are searched for closures' bodies at one crash: the program stands still meanwhile.
const MOST_BYTES: usize = 16 << 20;

/// Closures that are looked for in one part of debug info at one crash.
const MOST_CLOSURES: usize = 1024;

/// What was found by the path of a closure's body, which is not searched for again.
pub(super) type Bodies = HashMap<String, Found>;

/// What the search for a path came to.
#[derive(Debug, Clone)]
pub(super) enum Found {
    /// There is none.
    Nothing,
    /// Bodies in several places, or perhaps: not all could be looked at.
    Unclear,
    /// All that have the path are one.
    One(Body),
}

/// The entry of a closure's body.
#[derive(Debug, Clone)]
pub(super) struct Body {
    file: String,
    line: u32,
    /// Names and types; a pattern has no name.
    parameters: Vec<(String, DieRef)>,
    /// Nothing where it gives `()`.
    result: Option<DieRef>,
}

impl Body {
    fn is_at(&self, other: &Body) -> bool {
        (&self.file, self.line) == (&other.file, other.line)
    }
}

/// The units that are searched, by the name of their crate.
#[derive(Debug, Default)]
pub(super) struct Crates {
    all: HashMap<String, Vec<DebugInfoOffset>>,
    /// Those of them that are the workspace's.
    ours: BTreeSet<String>,
}

impl Stacks {
    /// Completes the closures of the type table that the workspace's crates have, as far as these parts of debug info tell.
    /// Paths are not unique: two functions in two blocks of one may have the same, or a library and a program. What may be
    /// one of several stays open.
    pub(super) fn place_closures(&mut self, infos: &[DebugInfo], memory: &dyn Memory, types: &mut TypeTable) {
        let open: Vec<(TypeId, String)> = types
            .iter()
            .filter(|(_, shape)| matches!(shape.kind, TypeKind::Closure { written: None, .. }))
            .filter_map(|(id, shape)| Some((id, body_path(&shape.name)?)))
            .collect();
        if open.is_empty() {
            return;
        }
        let (mut seen, mut bytes_left) = (BTreeSet::new(), MOST_BYTES);
        let infos: Vec<DebugInfo> = infos.iter().copied().filter(|info| seen.insert(info.number)).collect();
        for info in &infos {
            let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(*info));
            let roots = &self.roots;
            let crates = state.crates.get_or_insert_with(|| Crates::of(info.dwarf, &mut state.units, roots));
            let is_new = |path: &&str| crates.has(crate_of(path)) && !state.bodies.contains_key(*path);
            let new = open.iter().map(|(_, path)| path.as_str()).filter(is_new);
            let new: BTreeSet<&str> = new.take(MOST_CLOSURES).collect();
            if !new.is_empty() {
                let found = crates.search(info.dwarf, &mut state.units, &new, &mut bytes_left);
                state.bodies.extend(found);
            }
        }
        for (id, path) in &open {
            let found = infos.iter().filter_map(|info| {
                let found = self.images.get(&info.number)?.bodies.get(path)?;
                (!matches!(found, Found::Nothing)).then_some((*info, found))
            });
            let found: Vec<(DebugInfo, &Found)> = found.collect();
            let Some((info, Found::One(body))) = found.first() else { continue };
            if !found.iter().all(|(_, other)| matches!(other, Found::One(other) if other.is_at(body))) {
                continue;
            }
            let (info, body) = (*info, body.clone());
            self.place_closure(info, *id, body, memory, types);
        }
    }

    fn place_closure(
        &mut self,
        info: DebugInfo,
        id: TypeId,
        body: Body,
        memory: &dyn Memory,
        types: &mut TypeTable,
    ) {
        let state = self.images.entry(info.number).or_insert_with(|| ImageState::of(info));
        let mut reader = Reader::new(info.dwarf, memory, &self.limits, types, &mut state.units);
        let shape = |(name, ty): (String, DieRef)| FieldShape { name, ty: reader.shape(ty) };
        let mut parameters: Vec<FieldShape> = body.parameters.into_iter().map(shape).collect();
        let gives = match body.result {
            Some(ty) => reader.shape(ty),
            None => types.intern(TypeShape {
                name: "()".into(),
                size: Some(0),
                kind: TypeKind::Tuple(Vec::new()),
            }),
        };
        // One without captures has itself for the first parameter, without a name.
        if parameters.first().is_some_and(|p| p.name.is_empty() && is_itself(types, p.ty, id)) {
            parameters.remove(0);
        }
        let at = self.location(&body.file, body.line);
        if let Some(TypeKind::Closure { captures, .. }) = types.get(id).map(|shape| shape.kind.clone()) {
            let written = Some(Box::new(ClosureText { at, parameters, gives: Some(gives) }));
            types.fill(id, TypeKind::Closure { captures, written });
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

/// The crate that a path begins with.
fn crate_of(path: &str) -> &str {
    path.split("::").next().unwrap_or_default()
}

impl Crates {
    fn of(dwarf: &Dwarf<Slice>, units: &mut UnitCache, roots: &Roots) -> Crates {
        let mut crates = Crates::default();
        let mut headers = dwarf.units();
        while let Ok(Some(header)) = headers.next() {
            let Some(offset) = header.debug_info_offset() else { continue };
            let Ok(unit) = units.unit(dwarf, offset) else { continue };
            let text = |text: Slice| text.to_string_lossy().into_owned();
            // `src/main.rs/@/demo.1f2e3d4c-cgu.0`
            let Some(name) = unit.name.map(text) else { continue };
            let Some((file, rest)) = name.split_once("/@/") else { continue };
            // An incremental build has a hash there, which says no crate: such units are looked at for all of them.
            let krate = rest.split_once('.').map_or("", |(krate, _)| krate);
            let folder = unit.comp_dir.map(text).unwrap_or_default();
            let file = Path::new(&folder).join(file);
            if roots.normalise(&file.to_string_lossy(), Some(&folder)).1 == FrameKind::Workspace {
                crates.ours.insert(krate.to_owned());
            } else if krate.is_empty() {
                continue;
            }
            crates.all.entry(krate.to_owned()).or_default().push(offset);
        }
        crates
    }

    /// Whether that may be a crate of the workspace.
    fn has(&self, krate: &str) -> bool {
        self.ours.contains(krate) || self.ours.contains("")
    }

    /// Finds bodies of the workspace's crates by their paths, in all units of these crates and in those of their namesakes.
    fn search(
        &self,
        dwarf: &Dwarf<Slice>,
        units: &mut UnitCache,
        wanted: &BTreeSet<&str>,
        bytes_left: &mut usize,
    ) -> Bodies {
        let mut found: Bodies = wanted.iter().map(|path| ((*path).to_owned(), Found::Nothing)).collect();
        // Crate by crate, so that the first are searched to their end where the bytes do not suffice for all. A generic
        // function's closures are where it was instantiated, in a crate that depends on its own.
        let own: BTreeSet<&str> = wanted.iter().map(|path| crate_of(path)).chain([""]).collect();
        let mut wanted = wanted.clone();
        let others = self.ours.iter().map(String::as_str).filter(|name| !own.contains(name));
        for name in own.iter().copied().chain(others) {
            if !own.contains(name) {
                // The rest of them, in their own crates, are known.
                wanted.retain(|path| matches!(found.get(*path), Some(Found::Nothing)));
            }
            if wanted.is_empty() {
                break;
            }
            let offsets = self.all.get(name).map_or(&[][..], Vec::as_slice);
            if !search_units(dwarf, units, offsets, &wanted, bytes_left, &mut found) {
                for path in
                    wanted.iter().filter(|path| !own.contains(name) || ["", crate_of(path)].contains(&name))
                {
                    found.insert((*path).to_owned(), Found::Unclear);
                }
            }
        }
        found
    }
}

/// Adds the bodies of some units. `false`: there were too many bytes of them.
fn search_units(
    dwarf: &Dwarf<Slice>,
    units: &mut UnitCache,
    offsets: &[DebugInfoOffset],
    wanted: &BTreeSet<&str>,
    bytes_left: &mut usize,
    found: &mut Bodies,
) -> bool {
    for offset in offsets {
        let Ok(unit) = units.unit(dwarf, *offset) else { continue };
        let Some(left) = bytes_left.checked_sub(unit.header.length_including_self()) else { return false };
        *bytes_left = left;
        for (path, entry) in bodies(dwarf, &unit, wanted).unwrap_or_default() {
            let new = body(dwarf, units, DieRef { unit: *offset, entry });
            let known = found.entry(path).or_insert(Found::Nothing);
            *known = match (&*known, new) {
                (Found::Nothing, Some(new)) => Found::One(new),
                (Found::One(known), Some(new)) if known.is_at(&new) => continue,
                _ => Found::Unclear,
            };
        }
    }
    true
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
    let function = Function::read(dwarf, units, die);
    let (file, line) = function.declared(dwarf)?;
    let result = function.result(dwarf, units);
    let unit = units.unit(dwarf, die.unit).ok()?;
    let parameters = parameters(dwarf, units, &unit, die.unit, die.entry).unwrap_or_default();
    Some(Body { file, line, parameters, result })
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
