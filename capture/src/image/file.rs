//! ELF files as bytes, for as long as the program runs; their sections, decompressed where needed. Never maps a file
//! that may be cut short meanwhile.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use gimli::LittleEndian;
use object::read::elf::ElfFile64;
use object::{Object, ObjectSection};

use super::Slice;

/// An ELF file that is kept.
pub(super) type Elf = ElfFile64<'static, object::LittleEndian>;

/// Decompressed debug sections may be this large.
const LARGEST_SECTION: u64 = 4 << 30;
/// Larger files are not read.
const LARGEST_READ: u64 = 2 << 30;

/// Maps the executable of a running process, which the kernel lets nobody write to (`ETXTBSY`); linkers write a new
/// file in its place. Any other file is [read](read): to touch a page that is no more in the file is SIGBUS.
pub(super) fn map_executable(file: &File) -> io::Result<&'static [u8]> {
    // SAFETY: the mapping is private and read-only, and the file keeps its length as long as the process runs.
    let bytes = unsafe { memmap2::Mmap::map(file) }?;
    Ok(Box::leak(Box::new(bytes)))
}

/// The bytes of a file that anybody may rewrite: rustc writes `.dwo` and `.dwp` files anew in their place, and `cp`
/// does so to a library that is loaded.
pub(super) fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let before = file.metadata()?;
    if !before.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no plain file"));
    }
    if before.len() > LARGEST_READ {
        let reason = format!("it is larger than {} GiB", LARGEST_READ >> 30);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(before.len()).map_err(io::Error::other)?)?;
    file.by_ref().take(before.len()).read_to_end(&mut bytes)?;
    let after = file.metadata()?;
    let state = |of: &std::fs::Metadata| (of.len(), of.mtime(), of.mtime_nsec());
    if state(&before) != state(&after) || bytes.len() as u64 != before.len() {
        return Err(io::Error::other("it was written to meanwhile"));
    }
    Ok(bytes)
}

/// Opens and reads a file that another file names: a plain one, never a device or a pipe that would block. `None`:
/// there is none; `Err`: why it cannot be read.
pub(super) fn open(path: &Path) -> Option<Result<Vec<u8>, String>> {
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    match file.and_then(|file| read(&file)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        bytes => Some(bytes.map_err(|error| error.to_string())),
    }
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
