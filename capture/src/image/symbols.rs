//! The symbol tables of an image, sorted by address.

use std::collections::HashSet;

use object::{Object, ObjectSymbol, SymbolKind};

use super::file::Elf;

/// A symbol that is defined in its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// The raw (mangled) name.
    pub name: &'static str,
    /// Address without load bias.
    pub address: u64,
    /// Size in bytes; 0 where the table gives none.
    pub size: u64,
    /// Whether it is code.
    pub function: bool,
}

impl Symbol {
    /// The name as a person writes it, without hash.
    pub fn demangled(&self) -> String {
        format!("{:#}", rustc_demangle::demangle(self.name))
    }
}

/// All symbols of an image, by address; at the same address those of `.symtab` first.
pub(super) struct Symbols {
    by_address: Vec<Symbol>,
    pub(super) full: bool,
}

impl Symbols {
    /// `debug`: the separate debug file.
    pub(super) fn read(debug: Option<&Elf>, object: &Elf) -> Symbols {
        let static_symbols = || debug.into_iter().chain([object]).flat_map(Object::symbols);
        let full = static_symbols().next().is_some();
        let (mut by_address, mut seen) = (Vec::new(), HashSet::new());
        for symbol in static_symbols().chain(object.dynamic_symbols()) {
            let Ok(name) = symbol.name() else { continue };
            let address = symbol.address();
            if !symbol.is_definition() || name.is_empty() || address == 0 || !seen.insert((address, name)) {
                continue;
            }
            let function = symbol.kind() == SymbolKind::Text;
            by_address.push(Symbol { name, address, size: symbol.size(), function });
        }
        by_address.sort_by_key(|symbol| symbol.address);
        Symbols { by_address, full }
    }

    pub(super) fn find(&self, part: &str, wanted: impl Fn(&str) -> bool) -> Vec<Symbol> {
        let named = self.by_address.iter().filter(|symbol| symbol.name.contains(part));
        named.filter(|symbol| wanted(&symbol.demangled())).copied().collect()
    }

    /// The last function at or before the address that reaches over it; one without a size reaches as far as
    /// the next symbol.
    pub(super) fn at(&self, address: u64) -> Option<Symbol> {
        // Few symbols nest: a handful of labels inside a function at most.
        const LABELS: usize = 16;
        let after = self.by_address.partition_point(|symbol| symbol.address <= address);
        let functions = self.by_address[..after].iter().rev().filter(|symbol| symbol.function);
        functions
            .take(LABELS)
            .find(|symbol| symbol.size == 0 || address - symbol.address < symbol.size)
            .copied()
    }
}
