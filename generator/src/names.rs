//! How things are named at the place where a test will stand. Expressions are written through this trait, so
//! they need no source index of their own.

use proc_macro2::TokenStream;

/// Why something cannot be named or built from a place, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unnameable(pub String);

/// The names that are in scope at one place.
pub trait Names {
    /// The shortest path, from that place, to the item that is *defined* at `definition`: a path as DWARF
    /// has it, without generics (`alloc::vec::Vec`, `std::collections::hash::map::HashMap`,
    /// `uuid::timestamp::Timestamp`). The first segment is the crate's name. Enum variants are appended by
    /// the caller.
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable>;

    /// Whether a struct literal of the type at `definition` may be written there: every field of it
    /// visible, not `#[non_exhaustive]` of another crate.
    fn literal(&self, definition: &str) -> Result<(), Unnameable>;

    /// A function that builds the type at `definition` from all of its fields, in declaration order, where a
    /// literal may not be written: `Token::relapse_new`. `None` where there is none.
    fn constructor(&self, definition: &str) -> Option<TokenStream> {
        let _ = definition;
        None
    }

    /// Whether `definition` has a lifetime, type or const parameter list that an expression never needs to
    /// spell; reserved for expressions that must name a type in full (`Vec::<u8>::new()`).
    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable>;
}
