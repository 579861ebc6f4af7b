//! The functions of an image's symbol tables, found by address and by name. Names are read for what is asked only:
//! large programs have a million symbols.

use std::cell::OnceCell;

use memchr::memmem::Finder;
use object::LittleEndian;
use object::elf::{STT_FUNC, STT_GNU_IFUNC, Sym64};
use object::read::StringTable;
use object::read::elf::Sym;

use super::file::Elf;

/// Few symbols nest or are at one address: a handful of labels inside a function at most.
const LABELS: usize = 16;

/// A function's symbol that is defined in its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// The raw (mangled) name.
    pub name: &'static str,
    /// Address without load bias.
    pub address: u64,
    /// Size in bytes; 0 where the table gives none.
    pub size: u64,
}

impl Symbol {
    /// The name as a person writes it, without hash.
    pub fn demangled(&self) -> String {
        format!("{:#}", rustc_demangle::demangle(self.name))
    }
}

/// One table of the file.
struct Table {
    symbols: &'static [Sym64<LittleEndian>],
    strings: StringTable<'static>,
}

impl Table {
    fn symbol(&self, raw: &'static Sym64<LittleEndian>) -> Option<Symbol> {
        let name = std::str::from_utf8(raw.name(LittleEndian, self.strings).ok()?).ok()?;
        let (address, size) = (raw.st_value(LittleEndian), raw.st_size(LittleEndian));
        (!name.is_empty()).then_some(Symbol { name, address, size })
    }
}

/// Whether it is a function that is defined here.
fn is_function(raw: &Sym64<LittleEndian>) -> bool {
    matches!(raw.st_type(), STT_FUNC | STT_GNU_IFUNC)
        && raw.st_value(LittleEndian) != 0
        && !raw.is_undefined(LittleEndian)
}

/// The tables of an image: those of `.symtab`, the separate debug file's first, then `.dynsym`.
pub(super) struct Symbols {
    tables: Vec<Table>,
    pub(super) full: bool,
    /// Addresses, sorted, each with the number of its symbol, counted over all tables; at the same address in the
    /// order of the tables.
    by_address: OnceCell<Vec<(u64, u32)>>,
}

impl Symbols {
    /// `debug`: the separate debug file.
    pub(super) fn read(debug: Option<&Elf>, object: &Elf) -> Symbols {
        let mut tables: Vec<Table> = debug
            .into_iter()
            .chain([object])
            .map(Elf::elf_symbol_table)
            .chain([object.elf_dynamic_symbol_table()])
            .map(|table| Table { symbols: table.symbols(), strings: table.strings() })
            .collect();
        let dynamic = tables.len() - 1;
        // The first symbol of a table is none.
        let full = tables[..dynamic].iter().any(|table| table.symbols.len() > 1);
        tables.retain(|table| !table.symbols.is_empty());
        Symbols { tables, full, by_address: OnceCell::new() }
    }

    pub(super) fn find(&self, part: &str, wanted: impl Fn(&str) -> bool) -> Vec<Symbol> {
        let part = Finder::new(part);
        let mut found: Vec<Symbol> = Vec::new();
        for table in &self.tables {
            let functions = table.symbols.iter().filter(|raw| is_function(raw));
            let functions = functions.filter_map(|raw| table.symbol(raw));
            for symbol in functions.filter(|symbol| part.find(symbol.name.as_bytes()).is_some()) {
                let known = |other: &Symbol| (other.address, other.name) == (symbol.address, symbol.name);
                if wanted(&symbol.demangled()) && !found.iter().any(known) {
                    found.push(symbol);
                }
            }
        }
        found.sort_by_key(|symbol| symbol.address);
        found
    }

    /// The last function at or before the address that reaches over it; one without a size reaches as far as
    /// the next symbol.
    pub(super) fn at(&self, address: u64) -> Option<Symbol> {
        let by_address = self.by_address.get_or_init(|| self.sorted());
        let after = by_address.partition_point(|(at, _)| *at <= address);
        let symbols = by_address[..after].iter().rev().filter_map(|(_, number)| self.numbered(*number));
        symbols.take(LABELS).find(|symbol| symbol.size == 0 || address - symbol.address < symbol.size)
    }

    /// Whether functions of different names begin at the address. Names are compared with their hashes: without them, the
    /// instances of one generic function are alike.
    pub(super) fn is_shared(&self, address: u64) -> bool {
        let by_address = self.by_address.get_or_init(|| self.sorted());
        let from = by_address.partition_point(|(at, _)| *at < address);
        let here = by_address[from..].iter().take_while(|(at, _)| *at == address).take(LABELS);
        let mut names = here.filter_map(|(_, number)| Some(self.numbered(*number)?.name));
        names.next().is_some_and(|first| names.any(|other| other != first))
    }

    fn sorted(&self) -> Vec<(u64, u32)> {
        let raw = self.tables.iter().flat_map(|table| table.symbols);
        let functions = (0_u32..).zip(raw).filter(|(_, raw)| is_function(raw));
        // Room that is not used is never touched; growing would copy all of it several times.
        let most = self.tables.iter().map(|table| table.symbols.len()).sum();
        let mut all: Vec<(u64, u32)> = Vec::with_capacity(most);
        all.extend(functions.map(|(number, raw)| (raw.st_value(LittleEndian), number)));
        all.sort_unstable();
        all
    }

    fn numbered(&self, number: u32) -> Option<Symbol> {
        let mut number = number as usize;
        for table in &self.tables {
            if let Some(raw) = table.symbols.get(number) {
                return table.symbol(raw);
            }
            number -= table.symbols.len();
        }
        None
    }
}
