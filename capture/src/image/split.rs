//! Split debug info: units that lie in files of their own, `.dwo` or packed into one `.dwp` (DWARF 5, section
//! 7.3.2, and the GNU form for DWARF 4). In: what a skeleton unit names. Out: [`DebugInfo`]. A file of another
//! build is never used.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use addr2line::{LookupContinuation, LookupResult, SplitDwarfLoad};
use gimli::{DebugInfoOffset, Dwarf, DwarfPackage, DwarfSections, DwoId, Unit};

use super::file::{self, Elf, Sections};
use super::{Image, Slice};

/// Images and split units of all caches.
static NUMBERS: AtomicUsize = AtomicUsize::new(0);

/// A number that nothing else has.
pub(super) fn next_number() -> usize {
    NUMBERS.fetch_add(1, Ordering::Relaxed)
}

/// Debug info whose entries refer to each other by offsets: an image's own, or one split unit of it. A
/// [`DieRef`](super::DieRef) belongs to one of these.
#[derive(Clone, Copy)]
pub struct DebugInfo {
    /// A number that no other one has.
    pub(crate) number: usize,
    /// Its sections.
    pub(crate) dwarf: &'static Dwarf<Slice>,
    /// For a split unit: the unit that stands for it in the image, which has its addresses and its lines.
    pub(crate) skeleton: Option<&'static Unit<Slice>>,
}

/// A split unit that was loaded.
struct Part {
    info: DebugInfo,
    dwarf: Arc<Dwarf<Slice>>,
}

/// What a file gave, or why it cannot be used; `None`: there is no such file.
type Loaded<T> = Option<Result<T, String>>;

/// The split units of one image that were asked for so far.
#[derive(Default)]
pub(super) struct Splits {
    /// Beside which they are looked for; `None`: nowhere.
    program: Option<PathBuf>,
    package: OnceCell<Loaded<DwarfPackage<Slice>>>,
    /// The `.dwo` files that were opened: link-time optimisation puts many units into one.
    files: RefCell<HashMap<PathBuf, Loaded<&'static DwarfSections<Slice>>>>,
    skeletons: OnceCell<HashMap<DwoId, DebugInfoOffset>>,
    /// Or why there is none.
    parts: RefCell<HashMap<DwoId, Result<&'static Part, String>>>,
}

/// An address's unit.
pub(crate) struct Located {
    /// Where its entries are.
    pub(crate) info: DebugInfo,
    /// Its offset there.
    pub(crate) unit: Option<DebugInfoOffset>,
}

impl Splits {
    pub(super) fn of(program: &Path) -> Splits {
        Splits { program: Some(program.to_owned()), ..Splits::default() }
    }

    /// Those of a package alone.
    pub(super) fn of_package(bytes: Option<&'static [u8]>) -> Splits {
        let package = bytes.map(load_package);
        Splits { package: OnceCell::from(package), ..Splits::default() }
    }

    /// The package of split units: beside the program, its name with `.dwp` at the end.
    fn package(&self) -> Option<&Result<DwarfPackage<Slice>, String>> {
        let load = || {
            let program = self.program.as_ref()?;
            let mut appended = program.clone().into_os_string();
            appended.push(".dwp");
            let paths = [PathBuf::from(appended), program.with_extension("dwp")];
            let bytes = paths.iter().filter(|path| *path != program).find_map(|path| file::open(path))?;
            Some(bytes.and_then(|bytes| load_package(bytes.leak())))
        };
        self.package.get_or_init(load).as_ref()
    }

    /// The debug info of a `.dwo` file; `None`: there is no such file.
    fn file(&self, path: &Path) -> Loaded<&'static DwarfSections<Slice>> {
        let load = || {
            Some(file::open(path)?.and_then(|bytes| {
                let sections = load_dwo(bytes.leak(), |sections| {
                    DwarfSections::load(|id| Ok(sections.reader(id.dwo_name())))
                });
                sections.map(|sections| &*Box::leak(Box::new(sections)))
            }))
        };
        self.files.borrow_mut().entry(path.to_owned()).or_insert_with(load).clone()
    }

    /// Loads a split unit: from the package, else from its own file.
    fn load(&self, image: &Image, wanted: &SplitDwarfLoad<Slice>) -> Result<&'static Part, String> {
        let package = self.package().and_then(|package| package.as_ref().ok());
        let packed = package.and_then(|package| package.find_cu(wanted.dwo_id, &image.dwarf).ok()?);
        let mut dwarf = match packed {
            Some(dwarf) => dwarf,
            None => self.load_file(&image.dwarf, wanted)?,
        };
        // Lines stay in the image, and so do their strings.
        dwarf.debug_line_str = image.dwarf.debug_line_str;
        let offset = self.skeletons.get_or_init(|| skeletons(&image.dwarf)).get(&wanted.dwo_id).copied();
        let header = offset.and_then(|offset| image.dwarf.unit_header(offset).ok());
        let skeleton = header.and_then(|header| image.dwarf.unit(header).ok());
        let skeleton: &'static Unit<Slice> =
            Box::leak(Box::new(skeleton.ok_or("its skeleton unit is damaged")?));
        let dwarf = Arc::new(dwarf);
        let kept: &'static Arc<Dwarf<Slice>> = Box::leak(Box::new(Arc::clone(&dwarf)));
        let info = DebugInfo { number: next_number(), dwarf: kept, skeleton: Some(skeleton) };
        Ok(Box::leak(Box::new(Part { info, dwarf })))
    }

    /// The `.dwo` file: where it was written, or, in a tree that was moved, beside the program.
    fn load_file(
        &self,
        parent: &Dwarf<Slice>,
        wanted: &SplitDwarfLoad<Slice>,
    ) -> Result<Dwarf<Slice>, String> {
        let named = |text: Option<Slice>| text.map(|text| text.to_string_lossy().into_owned());
        let path = named(wanted.path).ok_or("its skeleton unit names no file")?;
        let name = Path::new(&path).file_name().unwrap_or_default().to_owned();
        let written = PathBuf::from(named(wanted.comp_dir).unwrap_or_default()).join(&path);
        let own = self.program.as_ref().and_then(|program| program.parent());
        let places = own.map(|own| [written, own.join(&name), own.join("deps").join(&name)]);
        let mut reason = match self.package() {
            Some(Ok(_)) => "the .dwp file beside the program is of another build".to_owned(),
            Some(Err(error)) => format!("the .dwp file beside the program cannot be used: {error}"),
            None => format!("{} is not there, nor a .dwp file beside the program", name.to_string_lossy()),
        };
        for place in places.iter().flatten().filter(|place| place.is_absolute()) {
            let Some(sections) = self.file(place) else { continue };
            let found = sections.map(|sections| dwo(sections, parent, wanted.dwo_id));
            let why_not = match found {
                Ok(Some(dwarf)) => return Ok(dwarf),
                Ok(None) => "is of another build".to_owned(),
                Err(error) => format!("cannot be used: {error}"),
            };
            reason = format!("{} {why_not}", name.to_string_lossy());
        }
        Err(reason)
    }
}

fn load_package(bytes: &'static [u8]) -> Result<DwarfPackage<Slice>, String> {
    load_dwo(bytes, |sections| DwarfPackage::load(|id| Ok(sections.reader(id.dwo_name())), Slice::default()))
}

/// What `load` makes of the sections of a file with split units; or what is wrong with it.
fn load_dwo<T>(bytes: &'static [u8], load: impl FnOnce(&Sections) -> gimli::Result<T>) -> Result<T, String> {
    let object = Elf::parse(bytes).map_err(|error| error.to_string())?;
    let sections = Sections::of(&object);
    let loaded = load(&sections).map_err(|error| error.to_string())?;
    sections.failures().first().map_or(Ok(loaded), |failure| Err(failure.to_string()))
}

/// The unit of that id in a `.dwo` file: alone, since a file that link-time optimisation made has several.
fn dwo(sections: &DwarfSections<Slice>, parent: &Dwarf<Slice>, id: DwoId) -> Option<Dwarf<Slice>> {
    let mut dwarf = sections.borrow(|section| *section);
    dwarf.make_dwo(parent);
    let mut units = dwarf.units();
    while let Some(header) = units.next().ok()? {
        let (start, len) = (header.debug_info_offset()?.0, header.length_including_self());
        if dwarf.unit(header).ok().and_then(|unit| unit.dwo_id) == Some(id) {
            let whole = gimli::Section::reader(&dwarf.debug_info).slice();
            let own = whole.get(start..start.checked_add(len)?)?;
            dwarf.debug_info = gimli::DebugInfo::new(own, gimli::LittleEndian);
            return Some(dwarf);
        }
    }
    None
}

/// Where the units are that stand for split ones.
fn skeletons(dwarf: &Dwarf<Slice>) -> HashMap<DwoId, DebugInfoOffset> {
    let (mut found, mut units) = (HashMap::new(), dwarf.units());
    while let Ok(Some(header)) = units.next() {
        let id = match header.type_() {
            gimli::UnitType::Skeleton(id) => Some(id),
            // DWARF 4 has it in the root entry.
            gimli::UnitType::Compilation if header.version() < 5 => {
                dwarf.unit(header).ok().and_then(|unit| unit.dwo_id)
            }
            _ => None,
        };
        if let (Some(id), Some(offset)) = (id, header.debug_info_offset()) {
            found.insert(id, offset);
        }
    }
    found
}

impl Image {
    /// The image's own debug info, without that of split units.
    pub fn debug_info(&'static self) -> DebugInfo {
        DebugInfo { number: self.number, dwarf: &self.dwarf, skeleton: None }
    }

    /// Where the unit at an offset of the image's own debug info has its entries: in a split unit, which is loaded for
    /// it, or there; `Err`: why they cannot be had.
    pub(super) fn locate_unit(&'static self, offset: DebugInfoOffset) -> Result<Located, String> {
        let failed = |error: gimli::Error| error.to_string();
        let unit = self.dwarf.unit(self.dwarf.unit_header(offset).map_err(failed)?).map_err(failed)?;
        let Some(dwo_id) = unit.dwo_id else {
            return Ok(Located { info: self.debug_info(), unit: Some(offset) });
        };
        let path = unit.dwo_name().map_err(failed)?;
        let path = path.map(|name| self.dwarf.attr_string(&unit, name)).transpose().map_err(failed)?;
        let wanted =
            SplitDwarfLoad { dwo_id, comp_dir: unit.comp_dir, path, parent: Arc::clone(&self.dwarf) };
        let Some(part) = self.part(&wanted) else {
            let parts = self.splits.parts.borrow();
            let reason = parts.get(&dwo_id).and_then(|part| part.as_ref().err());
            return Err(reason.cloned().unwrap_or_else(|| "its split unit is not there".to_owned()));
        };
        let header = part.dwarf.units().next().map_err(failed)?;
        Ok(Located { info: part.info, unit: header.and_then(|header| header.debug_info_offset()) })
    }

    /// The split units that were loaded so far.
    pub(crate) fn split_units(&self) -> Vec<DebugInfo> {
        let parts = self.splits.parts.borrow();
        parts.values().filter_map(|part| Some(part.as_ref().ok()?.info)).collect()
    }

    /// Carries a look-up out, loading the split units that it asks for.
    pub(crate) fn resolve<L: LookupContinuation<Buf = Slice>>(&self, look_up: LookupResult<L>) -> L::Output {
        let mut look_up = look_up;
        loop {
            look_up = match look_up {
                LookupResult::Output(output) => return output,
                LookupResult::Load { load, continuation } => {
                    continuation.resume(self.part(&load).map(|part| Arc::clone(&part.dwarf)))
                }
            };
        }
    }

    fn part(&self, wanted: &SplitDwarfLoad<Slice>) -> Option<&'static Part> {
        if let Some(known) = self.splits.parts.borrow().get(&wanted.dwo_id) {
            return known.as_ref().ok().copied();
        }
        let part = self.splits.load(self, wanted);
        let found = part.as_ref().ok().copied();
        self.splits.parts.borrow_mut().insert(wanted.dwo_id, part);
        found
    }

    /// Where the unit that a look-up came to has its entries; `Err`: why a split unit is not there.
    pub(crate) fn locate(&'static self, unit: &gimli::UnitRef<'_, Slice>) -> Result<Located, String> {
        let offset = unit.header.debug_info_offset();
        let Some(id) = unit.dwo_id else { return Ok(Located { info: self.debug_info(), unit: offset }) };
        match self.splits.parts.borrow().get(&id) {
            Some(Ok(part)) => Ok(Located { info: part.info, unit: offset }),
            Some(Err(reason)) => Err(reason.clone()),
            None => Ok(Located { info: self.debug_info(), unit: offset }),
        }
    }
}
