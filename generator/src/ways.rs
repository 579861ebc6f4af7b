//! The ways that lead to a value of a type whose fields cannot be seen: how its own public functions begin one, and the
//! steps that each set a field of it, as far as their source tells. Data that the source index gives and expressions are
//! written by.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};

/// What plain code makes of a place: a field, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// Nothing is known of it.
    Unknown,
    /// A parameter, by its index.
    Argument(usize, Through),
    /// That number; of a `bool` 0 or 1.
    Number(i128),
    /// That float, as it is written.
    Float(f64),
    /// That character.
    Char(char),
    /// That text.
    Text(String),
    /// What holds nothing: `None`, `Vec::new()`, `PhantomData`.
    Blank,
    /// What the type's `Default` gives.
    Default,
    /// Flags of which none is set.
    NoFlags,
    /// A pointer that is null.
    Null,
    /// A cell, a free lock or an atomic with that in it.
    Cell(Box<Made>),
    /// `Some(…)`.
    Some(Box<Made>),
    /// A variant without fields.
    Variant(String),
    /// A struct, by its fields.
    Fields(BTreeMap<String, Made>),
}

/// What a parameter has become on its way into a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// It is the same.
    Itself,
    /// It is the same, and its parameter takes whatever can become it, so that it has to say its type.
    Open,
    /// A `&str` that was made a text that owns.
    Text,
    /// A `&[T]` that was made a `Vec<T>`.
    Slice,
}

/// A function that begins a value.
#[derive(Debug, Clone)]
pub struct Begin {
    /// `new`.
    pub function: Ident,
    /// How many parameters it has.
    pub parameters: usize,
    /// What it gives.
    pub makes: Made,
}

/// A method that sets a field of a value.
#[derive(Debug, Clone)]
pub struct Step {
    /// `width`.
    pub method: Ident,
    /// The field.
    pub field: String,
    /// What it makes of the field, or what it adds to it, of its one parameter.
    pub makes: Made,
    /// It changes the value where it is, and does not give it back.
    pub in_place: bool,
    /// It adds to what the field holds.
    pub appends: bool,
    /// It does so only where this field of what is added holds something.
    pub unless_empty: Option<Vec<String>>,
}

/// How a type's own functions build a value.
#[derive(Debug, Clone)]
pub struct Ways {
    /// The type.
    pub path: TokenStream,
    /// How a value begins; the one that a person would take comes first.
    pub begins: Vec<Begin>,
    /// What may follow.
    pub steps: Vec<Step>,
}
