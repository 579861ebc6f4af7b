//! How the index tells things apart: crates, modules, types and functions by number, names without `r#`, and from where
//! a thing can be seen.

/// A crate: a target of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrateId(pub u32);

/// A module of a crate; 0 is the crate's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId {
    /// The crate.
    pub krate: CrateId,
    /// Its index in the crate.
    pub module: u32,
}

/// A type, trait, constant or static of a crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemId {
    /// The crate.
    pub krate: CrateId,
    /// Its index in the crate.
    pub item: u32,
}

/// A function of a crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId {
    /// The crate.
    pub krate: CrateId,
    /// Its index in the crate.
    pub function: u32,
}

/// From where something can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// `pub`, and what has no visibility of its own (variants, trait items).
    Public,
    /// This module and those within it: private items, `pub(crate)`, `pub(super)`, `pub(in …)`.
    Within(u32),
}

/// An identifier without `r#`: as DWARF and file names have it.
pub(super) fn plain(ident: &syn::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map_or_else(|| text.clone(), str::to_owned)
}
