//! The few symbols of a table whose names may matter to us, without a look at all the other names: large programs
//! have a million of them. In: a symbol table; out: symbols. The names are searched as one text, and then only
//! offsets are compared.

use memchr::memmem::{Finder, find};
use memchr::{memchr, memrchr};
use object::read::elf::{ElfFile64, SectionHeader, Sym, SymbolTable};
use object::{Endianness, ReadRef, elf};

/// Names that are looked for as they stand.
const WORDS: [&str; 3] = ["rust_begin_unwind", "_dl_debug_state", "_Unwind_RaiseException"];
/// The word that all others have.
const COMMON: &str = "panic";
/// Parts of those names, in both manglings; a name with `panic` and none of these is another function's.
const PARTS: [&str; 4] = ["panic_with_hook", "rust_panic", "begin_panic", "4core9panicking"];
/// No program has more symbols.
const SYMBOL_LIMIT: usize = 20_000_000;

/// A function's symbol.
pub(super) struct Found<'d> {
    pub(super) name: &'d [u8],
    pub(super) address: u64,
    pub(super) size: u64,
}

/// The functions of a table whose names hold one of the words.
pub(super) fn functions<'d, R: ReadRef<'d>>(
    file: &ElfFile64<'d, Endianness, R>,
    table: &SymbolTable<'d, elf::FileHeader64<Endianness>, R>,
) -> Vec<Found<'d>> {
    let endian = file.endian();
    let strings = file.elf_section_table().section(table.string_section());
    let Some(strings) = strings.ok().and_then(|section| section.data(endian, file.data()).ok()) else {
        return Vec::new();
    };
    let names = names_with_words(strings);
    if names.is_empty() {
        return Vec::new();
    }
    let symbols = table.symbols().iter().take(SYMBOL_LIMIT);
    let functions = symbols.filter(|symbol| {
        matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_GNU_IFUNC) && symbol.st_value(endian) != 0
    });
    let named = functions.filter_map(|symbol| {
        let at = symbol.st_name(endian) as usize;
        // A name may be the tail of another one.
        let after = names.partition_point(|(start, _)| *start <= at);
        let (_, end) = names[..after].last().filter(|(_, end)| at < *end)?;
        Some(Found {
            name: &strings[at..*end],
            address: symbol.st_value(endian),
            size: symbol.st_size(endian),
        })
    });
    named.collect()
}

/// Where the names begin and end that hold one of the words, in their order.
fn names_with_words(strings: &[u8]) -> Vec<(usize, usize)> {
    let mut names = Vec::new();
    for word in WORDS {
        names.extend(Names::with(strings, word));
    }
    let is_ours = |&(start, end): &(usize, usize)| {
        PARTS.iter().any(|part| find(&strings[start..end], part.as_bytes()).is_some())
    };
    names.extend(Names::with(strings, COMMON).filter(is_ours));
    names.sort_unstable();
    names.dedup();
    names
}

/// The names that hold a word. Every byte is looked at a fixed number of times, whatever the table holds.
struct Names<'d> {
    strings: &'d [u8],
    word: Finder<'d>,
    /// The end of the last one.
    done: usize,
}

impl<'d> Names<'d> {
    fn with(strings: &'d [u8], word: &'d str) -> Names<'d> {
        Names { strings, word: Finder::new(word), done: 0 }
    }
}

impl Iterator for Names<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        let left = self.strings.get(self.done..)?;
        let at = self.word.find(left)?;
        let start = memrchr(0, &left[..at]).map_or(0, |zero| zero + 1);
        let end = memchr(0, &left[at..]).map_or(left.len(), |zero| at + zero);
        let found = (self.done + start, self.done + end);
        self.done = found.1;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::names_with_words;

    fn names(strings: &[u8]) -> Vec<&str> {
        let found = names_with_words(strings);
        found.into_iter().map(|(start, end)| std::str::from_utf8(&strings[start..end]).unwrap()).collect()
    }

    #[test]
    fn names_are_found_whole_and_once() {
        let strings =
            b"\0main\0_ZN3std9panicking20rust_panic_with_hook17h1E\0_ZN4core9panicking5panic17h2E\0\
            _RNvCs1_7___rustc10rust_panic\0_RNvCs1_7___rustc17rust_begin_unwind\0_dl_debug_state\0end\0";
        let all = [
            "_ZN3std9panicking20rust_panic_with_hook17h1E",
            "_ZN4core9panicking5panic17h2E",
            "_RNvCs1_7___rustc10rust_panic",
            "_RNvCs1_7___rustc17rust_begin_unwind",
            "_dl_debug_state",
        ];
        assert_eq!(names(strings), all);
    }

    #[test]
    fn other_names_with_panic_are_left_out() {
        assert!(names(b"\0_ZN3std5panic12catch_unwind17h3E\0panic\0").is_empty());
    }

    #[test]
    fn a_table_without_ends_is_one_name() {
        assert_eq!(names(&b"rust_panic".repeat(1000)).len(), 1);
        assert!(names(b"").is_empty());
    }
}
