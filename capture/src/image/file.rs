//! ELF files as bytes, for as long as the program runs; their sections, decompressed where needed. Never maps a file
//! that may be cut short meanwhile.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use gimli::{LittleEndian, SectionId};
use memmap2::Mmap;
use object::read::elf::ElfFile64;
use object::{CompressionFormat, Object, ObjectSection};

use super::Slice;

/// An ELF file that is kept.
pub(super) type Elf = ElfFile64<'static, object::LittleEndian>;

/// The decompressed sections of a file may be this large together.
const LARGEST_DECOMPRESSED: u64 = 4 << 30;
/// A compressed section may become this many times larger; those of debug info become three or four times.
const MOST_PACKED: u64 = 1000;
/// Larger files are not read.
const LARGEST_READ: u64 = 2 << 30;

/// Maps the executable of a running process, which the kernel lets nobody write to (`ETXTBSY`); linkers write a new
/// file in its place. Any other file is [read](read): to touch a page that is no more in the file is SIGBUS.
pub(crate) fn map_executable(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is private and read-only, and the file keeps its length as long as the process runs.
    unsafe { Mmap::map(file) }
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

/// The sections of one file, decompressed where that is needed, within a bound over all of them.
pub(super) struct Sections<'a> {
    object: &'a Elf,
    /// Bytes that may still be decompressed.
    left: Cell<u64>,
    failures: RefCell<Vec<Failure>>,
}

/// A section that is there and cannot be had.
pub(super) struct Failure {
    pub(super) section: String,
    pub(super) reason: String,
}

impl<'a> Sections<'a> {
    pub(super) fn of(object: &'a Elf) -> Sections<'a> {
        Sections { object, left: Cell::new(LARGEST_DECOMPRESSED), failures: RefCell::default() }
    }

    /// The file.
    pub(super) fn object(&self) -> &'a Elf {
        self.object
    }

    /// A section's bytes; empty where there is none or it is damaged.
    pub(super) fn get(&self, name: &str) -> &'static [u8] {
        let Some(section) = self.object.section_by_name(name) else { return &[] };
        self.content(&section).unwrap_or_else(|reason| {
            self.failures.borrow_mut().push(Failure { section: name.to_owned(), reason });
            &[]
        })
    }

    fn content(&self, section: &impl ObjectSection<'static>) -> Result<&'static [u8], String> {
        let compressed = section.compressed_data().map_err(|error| error.to_string())?;
        if compressed.format == CompressionFormat::None {
            return Ok(compressed.data);
        }
        let size = compressed.uncompressed_size;
        let left = self.left.get().checked_sub(size);
        // Damaged or hostile: nothing that a compiler writes is packed like that.
        let left = left.filter(|_| size / MOST_PACKED <= compressed.data.len() as u64);
        self.left.set(left.ok_or_else(|| format!("it would be {size} bytes large"))?);
        match compressed.decompress().map_err(|error| error.to_string())? {
            Cow::Borrowed(bytes) => Ok(bytes),
            Cow::Owned(bytes) => Ok(bytes.leak()),
        }
    }

    /// The section of that name, or an empty one, as a reader.
    pub(super) fn reader(&self, name: Option<&str>) -> Slice {
        Slice::new(name.map_or(&[], |name| self.get(name)), LittleEndian)
    }

    /// The DWARF sections; empty ones where there are none.
    pub(super) fn dwarf(&self) -> gimli::Result<gimli::Dwarf<Slice>> {
        gimli::Dwarf::load(|id| {
            // The units say the same of their addresses, and one damaged header in there would cost all lines.
            Ok(if id == SectionId::DebugAranges { Slice::default() } else { self.reader(Some(id.name())) })
        })
    }

    /// The sections of those that were asked for that cannot be had.
    pub(super) fn failures(self) -> Vec<Failure> {
        self.failures.into_inner()
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "its section {} cannot be read: {}", self.section, self.reason)
    }
}
