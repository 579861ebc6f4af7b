//! Files loaded once: read, parsed, and leaked, so that what borrows from them needs no lifetime. Only what was rebuilt
//! meanwhile is given back, between two commands.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gimli::LittleEndian;
use object::read::elf::ProgramHeader;
use object::{Object, ObjectSection};

use super::debug_file::{self, DebugFolders, Found, Wanted};
use super::file::{self, Elf, Failure, Sections};
use super::loaded::{Bytes, Loaded};
use super::split::{self, Splits};
use super::{Image, ImageError, Mapping, Segment, Slice, UnwindSections};

/// The images that were loaded so far, each file once. A file that was rebuilt in place is another file.
#[derive(Default)]
pub struct ImageCache {
    images: HashMap<Identity, Loaded>,
    debug_folders: DebugFolders,
}

/// Device, inode, size, and modification time in nanoseconds.
#[derive(PartialEq, Eq, Hash)]
struct Identity(u64, u64, u64, i64, i64);

impl Identity {
    fn of(file: &Metadata) -> Identity {
        Identity(file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec())
    }
}

impl ImageCache {
    /// An empty cache.
    pub fn new() -> ImageCache {
        ImageCache::default()
    }

    /// An empty cache that looks for separate debug files in these folders, too.
    pub fn with_debug_folders(debug_folders: DebugFolders) -> ImageCache {
        ImageCache { debug_folders, ..ImageCache::default() }
    }

    /// The image of a file.
    pub fn load(&mut self, path: &Path) -> Result<&'static Image, ImageError> {
        let failed = |source| ImageError::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        self.image(&metadata, path, || Ok(Bytes::read(file::read(&file)?)))
    }

    /// The image of a file that a process has mapped.
    pub(super) fn load_mapped(
        &mut self,
        pid: i32,
        mapping: &Mapping<'_>,
    ) -> Result<&'static Image, ImageError> {
        let path = Path::new(mapping.path);
        let failed = |source| ImageError::Read { path: path.to_owned(), source };
        let way = mapping.find(pid).map_err(failed)?;
        self.image(&way.metadata, path, || {
            let file = mapping.open(&way)?;
            if mapping.is_executable_of(pid) {
                Ok(Bytes::mapped(file::map_executable(&file)?))
            } else {
                Ok(Bytes::read(file::read(&file)?))
            }
        })
    }

    fn image(
        &mut self,
        file: &Metadata,
        name: &Path,
        content: impl FnOnce() -> io::Result<Bytes>,
    ) -> Result<&'static Image, ImageError> {
        let identity = Identity::of(file);
        if let Some(loaded) = self.images.get(&identity) {
            return Ok(loaded.image());
        }
        let bytes = content().map_err(|source| ImageError::Read { path: name.to_owned(), source })?;
        let folders = Beside::Folders(&self.debug_folders);
        let loaded = Loaded::read(bytes, |bytes| parse(bytes, name, &folders))?;
        let image = loaded.image();
        self.images.insert(identity, loaded);
        Ok(image)
    }

    /// Gives back the images of files that are not at their paths any more, or are others now: a test's executable is built
    /// anew for each candidate.
    ///
    /// # Safety
    ///
    /// Nothing that was borrowed of an image of this cache is used from now on: stacks, address spaces, symbols.
    pub(crate) unsafe fn forget_rebuilt(&mut self) {
        let is_rebuilt = |identity: &Identity, loaded: &mut Loaded| {
            let now = fs::metadata(loaded.image().path());
            !now.is_ok_and(|now| Identity::of(&now) == *identity)
        };
        for (_, loaded) in self.images.extract_if(is_rebuilt) {
            // SAFETY: as the caller promises; the cache itself does not have it any more.
            unsafe { loaded.give_back() };
        }
    }

    /// How many images it has.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.images.len()
    }
}

/// The files that an image is made of.
#[derive(Default, Clone, Copy)]
pub struct Parts {
    /// The program or library.
    pub program: &'static [u8],
    /// Its package of split units.
    pub package: Option<&'static [u8]>,
    /// Its separate debug file.
    pub debug: Option<&'static [u8]>,
    /// The file that it shares parts of its debug info with.
    pub supplementary: Option<&'static [u8]>,
}

/// Where the files beside an image's own come from.
enum Beside<'a> {
    Folders(&'a DebugFolders),
    Parts(&'a Parts),
}

impl Image {
    /// The image in a file's bytes, which is called `name`. No other file is opened.
    pub fn from_bytes(program: &'static [u8], name: &Path) -> Result<Image, ImageError> {
        Image::from_parts(&Parts { program, ..Parts::default() }, name)
    }

    /// The image in the bytes of its files, whatever they say of each other. No file is opened.
    pub fn from_parts(parts: &Parts, name: &Path) -> Result<Image, ImageError> {
        parse(parts.program, name, &Beside::Parts(parts))
    }
}

fn parse(bytes: &'static [u8], path: &Path, beside: &Beside<'_>) -> Result<Image, ImageError> {
    let format = |reason: &dyn std::fmt::Display| ImageError::Format {
        path: PathBuf::from(path),
        reason: reason.to_string(),
    };
    let object = Elf::parse(bytes).map_err(|error| format(&error))?;
    if object.architecture() != object::Architecture::X86_64 {
        return Err(format(&"it is for another processor"));
    }
    let segments = object.elf_program_headers().iter().filter_map(|header| {
        let endian = object.endian();
        (header.p_type(endian) == object::elf::PT_LOAD).then(|| Segment {
            offset: header.p_offset(endian),
            address: header.p_vaddr(endian),
            len: header.p_memsz(endian),
            executable: header.p_flags(endian).0 & object::elf::PF_X.0 != 0,
        })
    });
    let (debug_file, found) = match beside {
        Beside::Folders(folders) => kept(separate_debug_file(&object, path, folders)),
        Beside::Parts(parts) => (parts.debug, Found::default()),
    };
    let debug = debug_file.and_then(|bytes| Elf::parse(bytes).ok());
    let (holder, place) = debug.as_ref().map_or((&object, path), |debug| (debug, found.path.as_path()));
    let (own, debugs) = (Sections::of(&object), debug.as_ref().map(Sections::of));
    let sections = debugs.as_ref().unwrap_or(&own);
    let mut dwarf = sections.dwarf().map_err(|error| format(&error))?;
    let (supplementary, shared) = match beside {
        Beside::Folders(folders) => kept(debug_file::supplementary(holder, place, folders)),
        Beside::Parts(parts) => (parts.supplementary, Found::default()),
    };
    let mut notes = [found.refused, shared.refused].concat();
    if let Some(shared) = supplementary.and_then(|bytes| Elf::parse(bytes).ok()) {
        let sections = Sections::of(&shared);
        dwarf.set_sup(sections.dwarf().map_err(|error| format(&error))?);
        notes.extend(sections.failures().iter().map(Failure::to_string));
    }
    let (unwind, comment) = (unwind_sections(&own, sections), own.get(".comment"));
    let failures = own.failures().into_iter().chain(debugs.into_iter().flat_map(Sections::failures));
    // Without that one nothing is left, which each frame says.
    let (damage, others): (Vec<_>, Vec<_>) = failures.partition(|failure| failure.section == ".debug_info");
    notes.extend(others.iter().map(Failure::to_string));
    let build_id = object.build_id().ok().flatten();
    Ok(Image {
        path: PathBuf::from(path),
        number: split::next_number(),
        build_id: build_id.map(debug_file::hexadecimal),
        segments: segments.collect(),
        unwind,
        comment,
        splits: match beside {
            Beside::Folders(_) => Splits::of(path),
            Beside::Parts(parts) => Splits::of_package(parts.package),
        },
        missing_debug_file: found.missing,
        damage: damage.first().map(Failure::to_string),
        notes,
        dwarf: Arc::new(dwarf),
        object,
        debug,
        symbols: OnceCell::new(),
        data_ranges: OnceCell::new(),
        context: OnceCell::new(),
        rustc: OnceCell::new(),
    })
}

/// The bytes of a file that was found, for good, and what else is known of it.
fn kept(mut found: Found) -> (Option<&'static [u8]>, Found) {
    (found.file.take().map(|bytes| &*bytes.leak()), found)
}

/// The file that has the debug info of a program that rustc made and that has none itself.
fn separate_debug_file(object: &Elf, path: &Path, folders: &DebugFolders) -> Found {
    let has_own = object.section_by_name(".debug_info").is_some_and(|section| section.size() > 0);
    if has_own || super::rustc_in(Sections::of(object).get(".comment")).is_none() {
        return Found::default();
    }
    debug_file::find(path, &Wanted::by(object), folders)
}

/// `debug`: those of the separate debug file, where there is one.
fn unwind_sections(own: &Sections<'_>, debug: &Sections<'_>) -> UnwindSections {
    let address = |name| own.object().section_by_name(name).map_or(0, |section| section.address());
    let eh_frame_address = address(".eh_frame");
    let bases = gimli::BaseAddresses::default()
        .set_eh_frame_hdr(address(".eh_frame_hdr"))
        .set_eh_frame(eh_frame_address)
        .set_text(address(".text"))
        .set_got(address(".got"));
    let table = own.get(".eh_frame_hdr");
    // gimli multiplies the number of rows that a damaged table claims without a check.
    let is_sound = |hdr: &gimli::ParsedEhFrameHdr<Slice>| {
        let rows = hdr.table().and_then(|rows| rows.iter(&bases).size_hint().1);
        rows.is_none_or(|rows| rows <= table.len())
    };
    let hdr = gimli::EhFrameHdr::new(table, LittleEndian).parse(&bases, 8).ok().filter(is_sound);
    UnwindSections {
        eh_frame_hdr: hdr,
        eh_frame: gimli::EhFrame::new(own.get(".eh_frame"), LittleEndian),
        eh_frame_address,
        debug_frame: gimli::DebugFrame::from(debug.reader(Some(".debug_frame"))),
        bases,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rebuilt_is_given_back_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let program = std::env::current_exe().unwrap();
        let [kept, rebuilt] = ["kept", "rebuilt"].map(|name| folder.path().join(name));
        let mut cache = ImageCache::new();
        for path in [&kept, &rebuilt] {
            fs::copy(&program, path).unwrap();
            assert!(cache.load(path).unwrap().symbol_at(0).is_none());
        }
        let first = cache.load(&kept).unwrap().number();
        // SAFETY: nothing that was borrowed is used again.
        unsafe { cache.forget_rebuilt() };
        assert_eq!(cache.len(), 2);
        fs::remove_file(&rebuilt).unwrap();
        fs::copy(&program, &rebuilt).unwrap();
        // SAFETY: the same.
        unsafe { cache.forget_rebuilt() };
        assert_eq!(cache.len(), 1);
        assert_eq!(cache.load(&kept).unwrap().number(), first);
        assert_ne!(cache.load(&rebuilt).unwrap().number(), first);
    }
}
