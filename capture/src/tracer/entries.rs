//! Where std's panics pass in a file: the addresses of its panic entries by symbol, which survive `strip =
//! "debuginfo"` and LTO. In: an ELF file; out: file addresses. Never a process.

mod search;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use object::read::elf::{ElfFile64, SymbolTable};
use object::read::{ReadCache, ReadRef};
use object::{Endianness, Object, ObjectSegment, ObjectSymbol, SegmentFlags, elf};

use super::ptrace::Pid;
use crate::image::debug_file::{self, Wanted};
use crate::image::{DebugFolders, FileId, Mapping, Segment, map_executable};
use crate::panic::{Minor, Origin, minor_version};
use crate::program;

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
/// Symbols that are looked at one by one: no program has more.
const SYMBOL_LIMIT: usize = 20_000_000;

/// The dynamic linker's account for debuggers, `struct r_debug` of link.h, and its field `r_state` in there.
const LINKER_ACCOUNT: &[u8] = b"_r_debug";
const LINKER_STATE: u64 = 24;
/// `r_state` while libraries are about to be added: those that come are not there yet.
pub(crate) const RT_ADD: u32 = 1;

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

/// How a panic shows in an image with a std of its own whose symbols are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// It imports the function that begins to unwind.
    Raises,
    /// Not at all: it is linked statically, or aborts.
    Never,
}

/// What the tracer needs to know of one file: where panics pass in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PanicEntries {
    /// Where breakpoints belong.
    pub(crate) points: Vec<EntryPoint>,
    /// The version of the rustc that made it; `None`: not made by rustc, or stripped of that.
    pub(crate) minor: Option<Minor>,
    /// Of the dynamic linker: where it says whether it is about to change the list of libraries.
    pub(crate) linker_state: Option<u64>,
    /// How the panics of an image show whose std has no symbols.
    pub(crate) hidden: Option<Hidden>,
    /// What the user should know of it; told once, however many processes run it.
    pub(crate) notes: std::cell::RefCell<Vec<String>>,
    /// Ranges of std functions that make payloads, with the kind that each makes.
    origins: Vec<(u64, u64, Origin)>,
    segments: Vec<Segment>,
}

impl PanicEntries {
    /// What is added to the file's addresses where this mapping of it lies.
    pub(crate) fn bias(&self, mapping: &Mapping<'_>) -> Option<u64> {
        mapping.bias(&self.segments)
    }

    /// Who called the panic entry, by the file address that it returns to.
    pub(crate) fn origin(&self, return_svma: u64) -> Origin {
        let found = self.origins.iter().find(|(start, end, _)| (*start..=*end).contains(&return_svma));
        found.map_or(Origin::Unknown, |(_, _, origin)| origin.clone())
    }
}

/// The files seen so far, each read once.
pub(crate) struct Files {
    known: HashMap<(FileId, i64, i64, u64), Rc<PanicEntries>>,
    debug_folders: DebugFolders,
}

impl Files {
    /// None yet. `debug_folders`: where the symbols of stripped ones may be.
    pub(crate) fn new(debug_folders: &DebugFolders) -> Files {
        Files { known: HashMap::new(), debug_folders: debug_folders.clone() }
    }

    /// Those of the file of a mapping.
    pub(crate) fn entries(&mut self, pid: Pid, mapping: &Mapping<'_>) -> Rc<PanicEntries> {
        // Every process has the same few: their content is read once, and afterwards they are not even opened.
        let Ok(way) = mapping.find(pid) else { return Rc::default() };
        let file = &way.metadata;
        let key = (mapping.file, file.mtime(), file.mtime_nsec(), file.size());
        let (path, folders) = (Path::new(mapping.path), &self.debug_folders);
        let read = || {
            let file = mapping.open(&way).ok()?;
            // A library may be cut short by anybody: it is not mapped.
            if mapping.is_executable_of(pid) {
                read(&*map_executable(&file).ok()?, path, folders)
            } else {
                read(&ReadCache::new(file), path, folders)
            }
        };
        Rc::clone(self.known.entry(key).or_insert_with(|| Rc::new(read().unwrap_or_default())))
    }
}

fn read<'d>(bytes: impl ReadRef<'d>, path: &Path, debug_folders: &DebugFolders) -> Option<PanicEntries> {
    let elf = ElfFile64::<Endianness, _>::parse(bytes).ok()?;
    let mut image = PanicEntries {
        segments: elf
            .segments()
            .filter(|s| matches!(s.flags(), SegmentFlags::Elf { p_flags, .. } if p_flags.0 & PF_X != 0))
            .map(|s| {
                let (offset, len) = s.file_range();
                Segment { offset, address: s.address(), len, executable: true }
            })
            .collect(),
        minor: comment_version(&elf),
        ..PanicEntries::default()
    };
    image.read_symbols(&elf, &elf, elf.elf_symbol_table());
    image.read_symbols(&elf, &elf, elf.elf_dynamic_symbol_table());
    if image.points.iter().any(|point| point.entry == Entry::LibrariesChanged) {
        let found = elf.dynamic_symbols().find(|symbol| symbol.name_bytes() == Ok(LINKER_ACCOUNT));
        image.linker_state = found.map(|symbol| symbol.address().wrapping_add(LINKER_STATE));
    }
    if image.minor.is_some() && elf.elf_symbol_table().is_empty() {
        // Stripped: the other half may have been kept.
        let found = debug_file::find(path, &Wanted::by(&elf), debug_folders);
        let debug = found.file.as_deref().and_then(|bytes| ElfFile64::<Endianness>::parse(bytes).ok());
        match debug {
            Some(debug) => image.read_symbols(&elf, &debug, debug.elf_symbol_table()),
            None => image.without_symbols(&elf, path, &found.refused),
        }
    }
    Some(image)
}

impl PanicEntries {
    /// What can be done without any symbols.
    fn without_symbols<'d, R: ReadRef<'d>>(
        &mut self,
        elf: &ElfFile64<'d, Endianness, R>,
        path: &Path,
        refused: &[String],
    ) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let notes = self.notes.get_mut();
        notes.extend(refused.iter().map(|reason| format!("{name}: {reason}")));
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
            self.notes.get_mut().push(format!(
                "{name} is stripped of its symbols, so its panics are not seen: set `strip = false` under its \
                 profile in Cargo.toml"
            ));
        }
    }

    /// Notes those of the symbols that matter; `elf` has the code, `file` the table.
    fn read_symbols<'c, 'd, C: ReadRef<'c>, R: ReadRef<'d>>(
        &mut self,
        elf: &ElfFile64<'c, Endianness, C>,
        file: &ElfFile64<'d, Endianness, R>,
        table: &SymbolTable<'d, elf::FileHeader64<Endianness>, R>,
    ) {
        for symbol in search::functions(file, table) {
            let Some(meaning) = meaning(symbol.name) else { continue };
            match meaning {
                Meaning::Entry(entry) => {
                    if self.points.iter().any(|point| point.svma == symbol.address) {
                        continue;
                    }
                    if let Some(code) = code_at(elf, symbol.address) {
                        self.points.push(EntryPoint { entry, svma: symbol.address, code });
                    }
                }
                Meaning::Origin(origin) => {
                    let end = symbol.address.saturating_add(symbol.size);
                    self.origins.push((symbol.address, end, origin));
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

/// What a symbol of those that were [searched](search) is to us.
fn meaning(name: &[u8]) -> Option<Meaning> {
    if name == b"_dl_debug_state" {
        return Some(Meaning::Entry(Entry::LibrariesChanged));
    }
    if name == RAISE {
        return Some(Meaning::Entry(Entry::Raise));
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

fn code_at<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, Endianness, R>, svma: u64) -> Option<[u8; CODE_LEN]> {
    let bytes = elf.segments().find_map(|segment| {
        let (offset, len) = segment.file_range();
        let within = svma.checked_sub(segment.address()).filter(|within| *within < len)?;
        // Not by the segment's own bytes, which would all be read. A short function may end its segment.
        elf.data().read_bytes_at(offset.checked_add(within)?, (len - within).min(CODE_LEN as u64)).ok()
    })?;
    let mut code = [0xf4; CODE_LEN];
    code[..bytes.len()].copy_from_slice(bytes);
    Some(code)
}

fn comment_version<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, Endianness, R>) -> Option<Minor> {
    minor_version(&program::comment(elf)?)
}
