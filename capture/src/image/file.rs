//! ELF files as bytes: mapped once, for as long as the program runs; their sections, decompressed where needed.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use gimli::LittleEndian;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection};

use super::Slice;

/// A mapped ELF file.
pub(super) type Elf = ElfFile64<'static, object::LittleEndian>;

/// Decompressed debug sections may be this large.
const LARGEST_SECTION: u64 = 4 << 30;

/// Maps an open file.
pub(super) fn map(file: &File) -> io::Result<&'static [u8]> {
    // SAFETY: the mapping is private and read-only. A file that another process cuts short while it is
    // mapped would end us with SIGBUS; linkers write to a new file and rename it.
    let bytes = unsafe { memmap2::Mmap::map(file) }?;
    Ok(Box::leak(Box::new(bytes)))
}

/// Opens and maps a file that another file names: a plain one, never a device or a pipe that would block.
pub(super) fn open(path: &Path) -> io::Result<&'static [u8]> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    map(&file)
}

/// The DWARF sections of a file; empty ones where it has none.
pub(super) fn dwarf(object: &Elf) -> gimli::Result<gimli::Dwarf<Slice>> {
    gimli::Dwarf::load(|id| Ok(Slice::new(section(object, id.name()), LittleEndian)))
}

/// The section of that name, or an empty one, as a reader.
pub(super) fn reader(object: &Elf, name: Option<&str>) -> Slice {
    Slice::new(name.map_or(&[], |name| section(object, name)), LittleEndian)
}

/// A section's bytes, decompressed where that is needed; empty where there is none or it is damaged.
pub(super) fn section(object: &Elf, name: &str) -> &'static [u8] {
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
