//! Executables and shared libraries as the reader needs them: sections, DWARF, symbols.

mod units;

pub use units::UnitCache;

/// The reader that all DWARF of this crate is read through: sections live as long as the program, because
/// images are mapped once and never unloaded.
pub type Slice = gimli::EndianSlice<'static, gimli::LittleEndian>;

/// A DIE: unit and entry by their offsets in `.debug_info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DieRef {
    /// Offset of the unit's header in `.debug_info`.
    pub unit: gimli::DebugInfoOffset,
    /// Offset of the entry within the unit.
    pub entry: gimli::UnitOffset,
}
