//! Executables and shared libraries as the reader needs them: sections, DWARF, symbols; and where a process
//! has them mapped. In: files. Out: borrowed data that lives as long as the program. Never reads a process.

mod cache;
mod data;
pub(crate) mod debug_file;
mod error;
mod file;
mod loaded;
mod mapping;
mod space;
mod split;
mod symbols;
mod units;

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gimli::Section;
use object::Object;

pub use cache::{ImageCache, Parts};
pub use debug_file::DebugFolders;
pub use error::ImageError;
pub(crate) use file::map_executable;
pub use mapping::{FileId, Mapping};
pub use space::{AddressSpace, Mapped};
pub use split::DebugInfo;
pub use symbols::Symbol;
pub(crate) use units::string;
pub use units::{UnitCache, UnitCaches};

use data::DataRanges;
use file::Elf;
use split::Splits;
use symbols::Symbols;

/// The reader that all DWARF of this crate is read through: sections live as long as the program, because images are loaded
/// once; only that of a file that was rebuilt is unloaded, when nothing borrows from it any more.
pub type Slice = gimli::EndianSlice<'static, gimli::LittleEndian>;

/// A DIE: unit and entry by their offsets in the `.debug_info` of one [`DebugInfo`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DieRef {
    /// Offset of the unit's header in `.debug_info`; those of a supplementary file come after its own.
    pub unit: gimli::DebugInfoOffset,
    /// Offset of the entry within the unit.
    pub entry: gimli::UnitOffset,
}

/// A loadable segment, in the file's own addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// First byte in the file.
    pub offset: u64,
    /// First address.
    pub address: u64,
    /// Bytes in memory.
    pub len: u64,
    /// Whether it holds code.
    pub executable: bool,
}

/// An ELF file for x86-64, loaded once and kept. All addresses are the file's own (without load bias).
pub struct Image {
    path: PathBuf,
    number: usize,
    build_id: Option<String>,
    segments: Vec<Segment>,
    /// Its DWARF sections, or those of its separate debug file; empty ones where it has none. Units of split
    /// debug info are elsewhere.
    pub dwarf: Arc<gimli::Dwarf<Slice>>,
    pub(crate) unwind: UnwindSections,
    comment: &'static [u8],
    object: Elf,
    /// The separate debug file.
    debug: Option<Elf>,
    splits: Splits,
    missing_debug_file: Option<String>,
    /// Why its debug info cannot be had, though it is there.
    damage: Option<String>,
    notes: Vec<String>,
    symbols: OnceCell<Symbols>,
    data_ranges: OnceCell<DataRanges>,
    context: OnceCell<Result<addr2line::Context<Slice>, gimli::Error>>,
    rustc: OnceCell<Option<String>>,
}

/// The sections that tell how to unwind.
pub(crate) struct UnwindSections {
    pub(crate) eh_frame_hdr: Option<gimli::ParsedEhFrameHdr<Slice>>,
    pub(crate) eh_frame: gimli::EhFrame<Slice>,
    pub(crate) eh_frame_address: u64,
    pub(crate) debug_frame: gimli::DebugFrame<Slice>,
    pub(crate) bases: gimli::BaseAddresses,
}

impl Image {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's bare name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// The separate debug file that it names and that is nowhere.
    pub(crate) fn missing_debug_file(&self) -> Option<&str> {
        self.missing_debug_file.as_deref()
    }

    /// What is wrong with its debug info, if that is why there are no functions and lines.
    pub(crate) fn damage(&self) -> Option<String> {
        let error = || self.index().as_ref().err().map(gimli::Error::to_string);
        self.damage.clone().or_else(error)
    }

    /// Debug files that were refused and sections that cannot be read, and why.
    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A number that no other image of this program has.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// GNU build id, lower-case hexadecimal.
    pub fn build_id(&self) -> Option<&str> {
        self.build_id.as_deref()
    }

    /// The segments that are loaded.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether an address is in the code that the kernel starts: all stacks end there, where a C library gives no
    /// unwind tables for it (musl).
    pub(crate) fn is_start(&self, address: u64) -> bool {
        const LONGEST: u64 = 256;
        address.wrapping_sub(self.object.entry()) < LONGEST
    }

    /// Whether it has any debug info for functions.
    pub fn has_debug_info(&self) -> bool {
        !self.dwarf.debug_info.reader().is_empty()
    }

    /// Whether it has a full symbol table (`.symtab`), rather than the dynamic one only.
    pub fn has_symbol_table(&self) -> bool {
        self.symbols().full
    }

    /// The symbols whose raw (mangled) name holds `part` and whose demangled name `wanted` accepts.
    ///
    /// Rust's manglings keep identifiers readable, so that `part` spares the demangling of most symbols; an
    /// empty one lets all through. Both `.symtab` and, after it, `.dynsym` are searched; a function that is in
    /// both comes once.
    pub fn find_symbols(&self, part: &str, wanted: impl Fn(&str) -> bool) -> Vec<Symbol> {
        self.symbols().find(part, wanted)
    }

    /// The function symbol that covers an address.
    pub fn symbol_at(&self, address: u64) -> Option<Symbol> {
        self.symbols().at(address)
    }

    /// Whether several functions of different names begin at an address: a linker or a compiler has merged them.
    pub(crate) fn is_shared(&self, address: u64) -> bool {
        self.symbols().is_shared(address)
    }

    fn symbols(&self) -> &Symbols {
        self.symbols.get_or_init(|| Symbols::read(self.debug.as_ref(), &self.object))
    }

    /// Address → functions and lines. Built on first use: unit headers only, the rest when it is asked for.
    /// `None` where there is no debug info or it is damaged.
    pub fn context(&self) -> Option<&addr2line::Context<Slice>> {
        self.index().as_ref().ok().filter(|_| self.has_debug_info())
    }

    fn index(&self) -> &Result<addr2line::Context<Slice>, gimli::Error> {
        self.context.get_or_init(|| addr2line::Context::from_arc_dwarf(Arc::clone(&self.dwarf)))
    }

    /// `rustc version 1.95.0 (59807616e 2026-04-14)`: who compiled the program (not std, which may come from
    /// another build of the same version): the first of its own units that says so, else `.comment`.
    pub fn rustc_version(&self) -> Option<&str> {
        self.rustc.get_or_init(|| self.producer().or_else(|| rustc_in(self.comment))).as_deref()
    }

    fn producer(&self) -> Option<String> {
        // Units come in link order, the program's own first; a C library has no Rust unit at all.
        const UNITS: usize = 256;
        let (mut units, mut seen, mut std) = (self.dwarf.units(), 0, None);
        while let Some(header) = units.next().ok().flatten().filter(|_| seen < UNITS) {
            seen += 1;
            let Ok(unit) = self.dwarf.unit(header) else { continue };
            let Ok(root) = unit.entry(unit.header.root_offset()) else { continue };
            let text = |at| self.dwarf.attr_string(&unit, root.attr_value(at)?).ok();
            let Some(version) = text(gimli::DW_AT_producer).and_then(|text| rustc_in(text.slice())) else {
                continue;
            };
            let folder = unit.comp_dir.map_or(&b""[..], |folder| folder.slice());
            if !folder.starts_with(b"/rustc/") {
                return Some(version);
            }
            std.get_or_insert(version);
        }
        std
    }
}

/// `rustc version …)` or `rustc version …` up to the end of a string.
pub(crate) fn rustc_in(text: &[u8]) -> Option<String> {
    const WORDS: &[u8] = b"rustc version ";
    const LONGEST: usize = 200;
    let at = text.windows(WORDS.len()).position(|window| window == WORDS)?;
    let rest = &text[at..text.len().min(at + LONGEST)];
    let rest = rest.split(|&b| b == 0).next().unwrap_or(rest);
    let version = String::from_utf8_lossy(rest);
    // The producer is `clang LLVM (rustc version 1.95.0 (59807616e 2026-04-14))`.
    let mut open = 0;
    let end = version.char_indices().find(|&(_, c)| {
        open += i32::from(c == '(') - i32::from(c == ')');
        open < 0
    });
    Some(version[..end.map_or(version.len(), |(at, _)| at)].trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::rustc_in;

    #[test]
    fn rustc_versions_are_found_in_producers_and_comments() {
        let version = Some("rustc version 1.95.0 (59807616e 2026-04-14)".to_owned());
        assert_eq!(rustc_in(b"clang LLVM (rustc version 1.95.0 (59807616e 2026-04-14))"), version);
        assert_eq!(rustc_in(b"GCC: 12\0rustc version 1.95.0 (59807616e 2026-04-14)\0Linker"), version);
        assert_eq!(
            rustc_in(b"clang LLVM (rustc version 1.76.0-dev)"),
            Some("rustc version 1.76.0-dev".into())
        );
        assert_eq!(rustc_in(b"GNU C17"), None);
    }
}
