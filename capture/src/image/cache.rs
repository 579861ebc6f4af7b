//! Files loaded once: mapped, parsed, and leaked, so that what borrows from them needs no lifetime.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gimli::LittleEndian;
use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Object, ObjectSection};

use super::{Image, ImageError, Segment, Slice, UnwindSections};

/// Decompressed debug sections may be this large.
const LARGEST_SECTION: u64 = 4 << 30;

/// Images of all caches.
static LOADED: AtomicUsize = AtomicUsize::new(0);

/// The images that were loaded so far, each file once. A file that was rebuilt in place is another file.
#[derive(Default)]
pub struct ImageCache {
    images: HashMap<Identity, &'static Image>,
}

/// Device, inode, size, and modification time in nanoseconds.
#[derive(PartialEq, Eq, Hash)]
struct Identity(u64, u64, u64, i64, i64);

impl ImageCache {
    /// An empty cache.
    pub fn new() -> ImageCache {
        ImageCache::default()
    }

    /// The image of a file.
    pub fn load(&mut self, path: &Path) -> Result<&'static Image, ImageError> {
        self.load_from(path, path)
    }

    /// The image of a file that is called `name` but has to be opened in another way (`/proc/PID/exe`).
    pub(super) fn load_from(&mut self, open: &Path, name: &Path) -> Result<&'static Image, ImageError> {
        let failed = |source| ImageError::Read { path: name.to_owned(), source };
        let file = File::open(open).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        let identity = Identity(meta.dev(), meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec());
        if let Some(image) = self.images.get(&identity) {
            return Ok(image);
        }
        if !meta.is_file() {
            return Err(failed(std::io::ErrorKind::InvalidInput.into()));
        }
        // SAFETY: the mapping is private and read-only. A file that another process cuts short while it is
        // mapped would end us with SIGBUS; linkers write to a new file and rename it.
        let bytes = unsafe { memmap2::Mmap::map(&file) }.map_err(failed)?;
        let bytes: &'static [u8] = Box::leak(Box::new(bytes));
        let image = Box::leak(Box::new(parse(bytes, name)?));
        self.images.insert(identity, image);
        Ok(image)
    }
}

impl Image {
    /// The image in a file's bytes, which is called `name`.
    pub fn from_bytes(bytes: &'static [u8], name: &Path) -> Result<Image, ImageError> {
        parse(bytes, name)
    }
}

fn parse(bytes: &'static [u8], path: &Path) -> Result<Image, ImageError> {
    let format = |reason: &dyn std::fmt::Display| ImageError::Format {
        path: PathBuf::from(path),
        reason: reason.to_string(),
    };
    let object = ElfFile64::<object::LittleEndian>::parse(bytes).map_err(|error| format(&error))?;
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
    let load =
        |id: gimli::SectionId| Ok::<_, gimli::Error>(Slice::new(section(&object, id.name()), LittleEndian));
    let dwarf = gimli::Dwarf::load(load).map_err(|error| format(&error))?;
    let build_id = object.build_id().ok().flatten();
    Ok(Image {
        path: PathBuf::from(path),
        number: LOADED.fetch_add(1, Ordering::Relaxed),
        build_id: build_id.map(hexadecimal),
        segments: segments.collect(),
        dwarf: Arc::new(dwarf),
        unwind: unwind_sections(&object),
        comment: section(&object, ".comment"),
        object,
        symbols: OnceCell::new(),
        context: OnceCell::new(),
        rustc: OnceCell::new(),
    })
}

fn unwind_sections(object: &ElfFile64<'static, object::LittleEndian>) -> UnwindSections {
    let address = |name| object.section_by_name(name).map_or(0, |section| section.address());
    let eh_frame_address = address(".eh_frame");
    let bases = gimli::BaseAddresses::default()
        .set_eh_frame_hdr(address(".eh_frame_hdr"))
        .set_eh_frame(eh_frame_address)
        .set_text(address(".text"))
        .set_got(address(".got"));
    let hdr = gimli::EhFrameHdr::new(section(object, ".eh_frame_hdr"), LittleEndian);
    UnwindSections {
        eh_frame_hdr: hdr.parse(&bases, 8).ok(),
        eh_frame: gimli::EhFrame::new(section(object, ".eh_frame"), LittleEndian),
        eh_frame_address,
        debug_frame: gimli::DebugFrame::from(Slice::new(section(object, ".debug_frame"), LittleEndian)),
        bases,
    }
}

/// A section's bytes, decompressed where that is needed; empty where there is none or it is damaged.
fn section(object: &ElfFile64<'static, object::LittleEndian>, name: &str) -> &'static [u8] {
    let bytes = object.section_by_name(name).and_then(|section| {
        let compressed = section.compressed_data().ok()?;
        (compressed.uncompressed_size <= LARGEST_SECTION).then(|| compressed.decompress().ok())?
    });
    match bytes {
        Some(Cow::Borrowed(bytes)) => bytes,
        Some(Cow::Owned(bytes)) => bytes.leak(),
        None => &[],
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
