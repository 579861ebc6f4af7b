//! Where std's panics pass in a file: the addresses of its panic entries by symbol, which survive `strip =
//! "debuginfo"` and LTO. In: an ELF file; out: file addresses. Never a process.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use object::read::elf::ElfFile64;
use object::read::{ReadCache, ReadRef};
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol, SegmentFlags, SymbolKind};

use super::live::Mapping;
use super::ptrace::Pid;
use crate::image::DebugFolders;
use crate::image::debug_file::{self, Wanted};
use crate::panic::{Minor, Origin, minor_version};

/// What a breakpoint is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// `panic_with_hook` or, to 1.88, `rust_panic_with_hook`: a panic begins.
    PanicWithHook,
    /// `rust_panic`: the hook has run, the message is there.
    RustPanic,
    /// The dynamic linker has mapped or unmapped libraries.
    LibrariesChanged,
    /// A function whose arguments are read at its entry.
    Watched,
    /// `_Unwind_RaiseException`: a panic begins to unwind. All that is seen of one in a program without symbols.
    Raise,
}

/// Enough of a first instruction to know it, and the byte that an int3 replaces.
const CODE_LEN: usize = 16;
/// The flag of a segment that may be executed.
const PF_X: u32 = 1;
/// The function of the unwinder that a panic is given to (Itanium C++ ABI: Exception Handling, section 1.3).
const RAISE: &[u8] = b"_Unwind_RaiseException";
/// Symbols are counted before they are read: no program has more.
const SYMBOL_LIMIT: usize = 20_000_000;

/// A place in a file where a breakpoint belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryPoint {
    /// What it is there for.
    pub(crate) entry: Entry,
    /// Address as the file has it.
    pub(crate) svma: u64,
    /// The first bytes of its code.
    pub(crate) code: [u8; CODE_LEN],
}

/// A part of the file that is loaded executable. Linkers let segments share a page of the file: only those of the
/// same kind may be compared with a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Segment {
    svma: u64,
    offset: u64,
    size: u64,
}

/// How a panic shows in an image with a std of its own whose symbols are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// It imports the function that begins to unwind.
    Raises,
    /// Not at all: it is linked statically, or aborts.
    Never,
}

/// What the tracer needs to know of one file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    /// Where breakpoints belong.
    pub(crate) points: Vec<EntryPoint>,
    /// The version of the rustc that made it; `None`: not made by rustc, or stripped of that.
    pub(crate) minor: Option<Minor>,
    /// How the panics of an image show whose std has no symbols.
    pub(crate) hidden: Option<Hidden>,
    /// What the user should know of it.
    pub(crate) notes: Vec<String>,
    /// Ranges of std functions that make payloads, with the kind that each makes.
    origins: Vec<(u64, u64, Origin)>,
    segments: Vec<Segment>,
}

impl Image {
    /// What is added to the file's addresses where this mapping of it lies.
    pub(crate) fn bias(&self, mapping: &Mapping) -> Option<u64> {
        let segment = self.segments.iter().find(|s| {
            // A mapping begins at the page of its segment's first byte.
            mapping.offset <= s.offset && s.offset - mapping.offset < 0x1000
                || s.offset <= mapping.offset && mapping.offset - s.offset < s.size
        })?;
        Some(
            mapping
                .start
                .wrapping_sub(segment.svma.wrapping_sub(segment.offset).wrapping_add(mapping.offset)),
        )
    }

    /// Who called the panic entry, by the file address that it returns to.
    pub(crate) fn origin(&self, return_svma: u64) -> Origin {
        let found = self.origins.iter().find(|(start, end, _)| (*start..=*end).contains(&return_svma));
        found.map_or(Origin::Unknown, |(_, _, origin)| origin.clone())
    }
}

/// The files seen so far, each read once.
pub(crate) struct Images {
    known: HashMap<(String, i64, i64, u64), Rc<Image>>,
    debug_folders: DebugFolders,
}

impl Images {
    /// None yet. `debug_folders`: where the symbols of stripped ones may be.
    pub(crate) fn new(debug_folders: &DebugFolders) -> Images {
        Images { known: HashMap::new(), debug_folders: debug_folders.clone() }
    }

    /// The file of a mapping. The main executable is reached through `/proc/PID/exe`, which serves after a
    /// rebuild has replaced it and in another mount namespace.
    pub(crate) fn of(&mut self, pid: Pid, mapping: &Mapping) -> Rc<Image> {
        let file = File::open(format!("/proc/{pid}/root{}", mapping.path.display()))
            .ok()
            .filter(|file| has_identity(file, mapping))
            .or_else(|| File::open(format!("/proc/{pid}/exe")).ok().filter(|f| has_identity(f, mapping)));
        let Some((file, data)) = file.and_then(|file| Some((file.metadata().ok()?, file))) else {
            return Rc::default();
        };
        let key = (mapping.identity.clone(), file.mtime(), file.mtime_nsec(), file.size());
        let read = || read(data, &mapping.path, &self.debug_folders).unwrap_or_default();
        let image = self.known.entry(key).or_insert_with(|| Rc::new(read()));
        Rc::clone(image)
    }
}

fn has_identity(file: &File, mapping: &Mapping) -> bool {
    // File systems with subvolumes show another device in `maps` than `stat` does: the inode has to do.
    let inode = mapping.identity.rsplit(':').next().and_then(|inode| inode.parse().ok());
    file.metadata().is_ok_and(|metadata| metadata.is_file() && Some(metadata.ino()) == inode)
}

fn read(file: File, path: &Path, debug_folders: &DebugFolders) -> Option<Image> {
    let cache = ReadCache::new(file);
    let elf: ElfFile64<'_, object::Endianness, _> = ElfFile64::parse(&cache).ok()?;
    let mut image = Image {
        segments: elf
            .segments()
            .filter(|s| matches!(s.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags.0 & PF_X != 0))
            .map(|s| Segment { svma: s.address(), offset: s.file_range().0, size: s.file_range().1 })
            .collect(),
        minor: comment_version(&elf),
        ..Image::default()
    };
    image.read_symbols(&elf, elf.symbols().chain(elf.dynamic_symbols()));
    if image.minor.is_some() && elf.symbols().next().is_none() {
        // Stripped: the other half may have been kept.
        let found = debug_file::find(path, &Wanted::by(&elf), debug_folders);
        let debug = found.file.and_then(|bytes| ElfFile64::<object::Endianness, _>::parse(bytes).ok());
        match debug {
            Some(debug) => image.read_symbols(&elf, debug.symbols()),
            None => image.without_symbols(&elf, path, &found.refused),
        }
    }
    Some(image)
}

impl Image {
    /// What can be done without any symbols.
    fn without_symbols<'d, R: ReadRef<'d>>(
        &mut self,
        elf: &ElfFile64<'d, object::Endianness, R>,
        path: &Path,
        refused: &[String],
    ) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        self.notes = refused.iter().map(|reason| format!("{name}: {reason}")).collect();
        let has_entry = self.points.iter().any(|point| point.entry == Entry::PanicWithHook);
        let imports = |wanted: fn(&[u8]) -> bool| {
            let mut symbols = elf.dynamic_symbols().take(SYMBOL_LIMIT);
            symbols.any(|s| s.is_undefined() && s.name_bytes().is_ok_and(wanted))
        };
        // Where std is a library of its own, that one has the panic entries.
        if has_entry || imports(is_of_std) {
            return;
        }
        if imports(|name| name == RAISE) {
            self.hidden = Some(Hidden::Raises);
        } else {
            self.hidden = Some(Hidden::Never);
            self.notes.push(format!(
                "{name} is stripped of its symbols, so its panics are not seen: set `strip = false` under its \
                 profile in Cargo.toml"
            ));
        }
    }

    /// Notes those of the symbols that matter; `elf` has the code.
    fn read_symbols<'d, R: ReadRef<'d>, S: ObjectSymbol<'d>>(
        &mut self,
        elf: &ElfFile64<'d, object::Endianness, R>,
        symbols: impl Iterator<Item = S>,
    ) {
        for symbol in symbols.take(SYMBOL_LIMIT) {
            if symbol.kind() != SymbolKind::Text || symbol.address() == 0 {
                continue;
            }
            let Ok(name) = symbol.name_bytes() else { continue };
            let Some(meaning) = meaning(name) else { continue };
            match meaning {
                Meaning::Entry(entry) => {
                    if self.points.iter().any(|point| point.svma == symbol.address()) {
                        continue;
                    }
                    if let Some(code) = code_at(elf, symbol.address()) {
                        self.points.push(EntryPoint { entry, svma: symbol.address(), code });
                    }
                }
                Meaning::Origin(origin) => {
                    let end = symbol.address().saturating_add(symbol.size());
                    self.origins.push((symbol.address(), end, origin));
                }
            }
        }
    }
}

/// Whether an imported name is one of std's own functions, mangled in either way.
fn is_of_std(name: &[u8]) -> bool {
    let path = std::str::from_utf8(name).ok().and_then(|name| rustc_demangle::try_demangle(name).ok());
    path.is_some_and(|path| format!("{path:#}").starts_with("std::"))
}

enum Meaning {
    Entry(Entry),
    Origin(Origin),
}

/// What a symbol is to us. Demangled only where its raw form may match: programs have millions of symbols.
fn meaning(name: &[u8]) -> Option<Meaning> {
    if name == b"_dl_debug_state" {
        return Some(Meaning::Entry(Entry::LibrariesChanged));
    }
    if name == RAISE {
        return Some(Meaning::Entry(Entry::Raise));
    }
    let has = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    if !has(b"panic") && !has(b"rust_begin_unwind") {
        return None;
    }
    let text = std::str::from_utf8(name).ok()?;
    let path = format!("{:#}", rustc_demangle::demangle(text));
    Some(match path.as_str() {
        "std::panicking::panic_with_hook" | "std::panicking::rust_panic_with_hook" => {
            Meaning::Entry(Entry::PanicWithHook)
        }
        "rust_panic" | "__rustc::rust_panic" => Meaning::Entry(Entry::RustPanic),
        "rust_begin_unwind" | "__rustc::rust_begin_unwind" => Meaning::Origin(Origin::Core),
        path if path.starts_with("std::panicking::begin_panic_handler") => Meaning::Origin(Origin::Core),
        path if path.starts_with("std::panicking::begin_panic::<") => {
            Meaning::Origin(Origin::Value(generic_argument(path)))
        }
        path if path.starts_with("std::panicking::begin_panic") => Meaning::Origin(Origin::Value(None)),
        path if path.starts_with("core::panicking::") => Meaning::Origin(Origin::Core),
        _ => return None,
    })
}

/// `&str` in `std::panicking::begin_panic::<&str>::{closure#0}` or `begin_panic<&str>`.
pub(crate) fn generic_argument(path: &str) -> Option<String> {
    let (_, rest) = path.split_once('<')?;
    let mut depth = 1_u32;
    let end = rest.char_indices().find_map(|(at, c)| {
        match c {
            '<' => depth += 1,
            // `->` in a function pointer's type closes nothing.
            '>' if !rest[..at].ends_with('-') => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })?;
    Some(rest[..end].to_owned())
}

fn code_at<'d, R: ReadRef<'d>>(
    elf: &ElfFile64<'d, object::Endianness, R>,
    svma: u64,
) -> Option<[u8; CODE_LEN]> {
    let bytes = elf
        .segments()
        .find_map(|segment| segment.data_range(svma, CODE_LEN as u64).ok().flatten())
        // A function shorter than that may end its segment.
        .or_else(|| elf.segments().find_map(|segment| segment.data_range(svma, 1).ok().flatten()))?;
    let mut code = [0xf4; CODE_LEN];
    code[..bytes.len()].copy_from_slice(bytes);
    Some(code)
}

fn comment_version<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, object::Endianness, R>) -> Option<Minor> {
    minor_version(&comment(elf)?)
}

/// The compiler named by `.comment`: `rustc version 1.95.0 (59807616e 2026-04-14)`.
pub(crate) fn comment<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, object::Endianness, R>) -> Option<String> {
    const LIMIT: u64 = 64 << 10;
    let section = elf.section_by_name(".comment")?;
    let data = section.data_range(section.address(), section.size().min(LIMIT)).ok()??;
    let text = String::from_utf8_lossy(data);
    text.split('\0').find(|entry| entry.starts_with("rustc version")).map(str::to_owned)
}
