//! How things are named at the place where a test will stand. Expressions are written through this trait, so
//! they need no source index of their own.

use std::ops::Range;
use std::rc::Rc;

use proc_macro2::{Ident, TokenStream};
use relapse_snapshot::{Argument, ClosureText, TypeTable, Value};

use crate::expression::CrateRules;
use crate::ways::{Made, Ways};

/// Why something cannot be named or built from a place, in words for the user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unnameable(pub String);

/// A field as it was read, as far as the choice of a constructor goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Its name.
    pub name: &'a str,
    /// It holds nothing: an empty collection or text, `None`, a type without fields.
    pub blank: bool,
    /// The number that it is; of a `bool` 0 or 1.
    pub number: Option<i128>,
}

/// How a type's own constructor builds a value.
#[derive(Debug, Clone)]
pub struct Constructed {
    /// `Binomial::new`.
    pub call: TokenStream,
    /// Of each argument, in order, the field that it is.
    pub arguments: Vec<usize>,
    /// What it gives has to be unwrapped.
    pub unwrapped: bool,
    /// The arguments have to say their types.
    pub typed: bool,
}

/// Which value's history is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    /// The addresses at which it may lie.
    pub within: Option<Range<u64>>,
    /// Only what happened before that call counts: it is what that was given.
    pub before: Option<usize>,
    /// The calls that have made other values of the argument.
    pub used: &'a [usize],
    /// The value, where it may be part of what a call gave.
    pub wanted: Option<Wanted<'a>>,
}

/// A value that is sought in what calls gave.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The value.
    pub value: &'a Value,
    /// The types of all values.
    pub types: &'a TypeTable,
}

/// A step from a value to a part of it, which takes it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The field of a struct, or of an enum's variant.
    Field {
        /// The type's definition: `demo::Message`.
        definition: String,
        /// The variant, where it is an enum.
        variant: Option<String>,
        /// Whether there are other variants.
        refutable: bool,
        /// The field's name; the number of one without.
        field: String,
        /// How many fields there are, where they have no names.
        tuple: Option<usize>,
    },
    /// The part of a tuple.
    Element {
        /// Which.
        at: usize,
        /// Of how many.
        of: usize,
    },
    /// The item of a `Vec`.
    Item(usize),
    /// What a `Box` holds.
    Boxed,
}

/// What a call gives its value in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapped {
    /// In nothing.
    No,
    /// In an `Option`.
    Option,
    /// In a `Result`.
    Result,
    /// In a `Result`, as what went wrong.
    Error,
    /// Within a value of another type, where the run has shown it.
    Within,
}

/// How a call takes the value that it is made on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceivedBy {
    /// It takes none.
    Nobody,
    /// `self`.
    Value,
    /// `&self`.
    Shared,
    /// `&mut self`.
    Exclusive,
}

/// A call that made or changed a value in the crashed program.
#[derive(Debug, Clone)]
pub struct MadeCall<'a> {
    /// Which of all calls it was.
    pub at: usize,
    /// `Regex::new`.
    pub path: TokenStream,
    /// `insert`, where a dot before it will do.
    pub method: Option<Ident>,
    /// `::<Clock>`, where nothing that it takes tells its generic arguments.
    pub turbofish: Option<TokenStream>,
    /// How it takes what it is made on.
    pub receiver: ReceivedBy,
    /// What the value is in that it gives.
    pub wrapped: Wrapped,
    /// The way to it from what it gives, where that is [`Wrapped::Within`].
    pub taken: Vec<Taken>,
    /// What it gives wants to be used.
    pub must_use: bool,
    /// Which of the arguments have to say their types, the receiver left out.
    pub typed: Vec<bool>,
    /// Which of the parameters say their types by themselves, the receiver left out: what is given there becomes that type, as an
    /// array becomes a slice.
    pub coerces: Vec<bool>,
    /// It is std's `from_str` of that type, which people call by `parse`.
    pub parses: Option<TokenStream>,
    /// What it was given, its receiver left out.
    pub arguments: &'a [Argument],
    /// What was called on the part of the value that it gave.
    pub further: Option<Further<'a>>,
    /// The part of the value that it lends, where no calls on that can be seen.
    pub lends: Option<Lent>,
}

/// A part of a value that a method lends to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// What it is lent in.
    pub wrapped: Wrapped,
    /// The name of its type, which may be the last part of that alone.
    pub type_name: String,
}

/// Calls on a part of a value to which a method gave access.
#[derive(Debug, Clone)]
pub struct Further<'a> {
    /// The name of the part's type.
    pub type_name: String,
    /// What the part was given in.
    pub wrapped: Wrapped,
    /// It is a reference, and no view by value.
    pub by_reference: bool,
    /// The calls, in order.
    pub calls: Vec<MadeCall<'a>>,
}

/// How a value came into its state.
#[derive(Debug, Clone)]
pub struct History<'a> {
    /// The name of its type.
    pub type_name: String,
    /// What made it, if it was built by a method.
    pub of: Option<Box<History<'a>>>,
    /// The call that made it.
    pub made: MadeCall<'a>,
    /// What happened to it since, in order.
    pub steps: Vec<MadeCall<'a>>,
}

/// Which closures have one in their place that does nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Callbacks {
    /// None.
    #[default]
    AsWritten,
    /// Those that cannot be written.
    WhereRefused,
    /// All of which it is known what they give.
    StandIns,
}

/// A place that a closure has captured, and what it has to become.
#[derive(Debug, Clone)]
pub struct CapturedPlace {
    /// The closure's field: `base`, `_ref__self__base`.
    pub field: String,
    /// The field is a reference to it.
    pub by_reference: bool,
    /// A variable for it.
    pub variable: String,
    /// The text has a `*` before it: the variable is a reference.
    pub dereferenced: bool,
    /// It is an argument by itself, and never given another value: where it was borrowed for that, its variable is a
    /// reference.
    pub handed_on: bool,
    /// It is the closure's own, and its text changes it.
    pub changed: bool,
    /// A format string names it, so that it can have no other name.
    pub in_format: bool,
    /// What stands for the variable in the closure's text.
    pub placeholder: Ident,
}

/// A closure's text as it means the same at the place of a test.
#[derive(Debug, Clone)]
pub struct RebuiltClosure {
    /// What it has captured, in the order of its fields.
    pub captures: Vec<CapturedPlace>,
    /// Its expression.
    pub closure: syn::ExprClosure,
}

/// What a `Default` gives that is written out.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenDefault {
    /// The value.
    pub makes: Made,
    /// Whether single fields may be taken from it: it has no `Drop` (E0509).
    pub takes_others: bool,
}

/// How much of a struct's value may be left to its `Default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defaults {
    /// It has none, or one of which nobody knows what it gives.
    Unknown,
    /// A derived one, which cannot be taken apart: the type has a destructor.
    Whole,
    /// A derived one: `S { a: 1, ..S::default() }`.
    Fields,
}

/// How a type with a derived `Deserialize` stands in a self-describing format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deserialized {
    /// Its fields by their names.
    Fields,
    /// As the one field that it has.
    Inner,
    /// Its fields in a list.
    List,
    /// As nothing.
    Nothing,
    /// A variant by its name, with its fields.
    Variants,
}

/// The names that are in scope at one place.
pub trait Names {
    /// The shortest path, from that place, to the item that is *defined* at `definition`: a path as DWARF
    /// has it, without generics (`alloc::vec::Vec`, `std::collections::hash::map::HashMap`,
    /// `uuid::timestamp::Timestamp`). The first segment is the crate's name. Enum variants are appended by
    /// the caller.
    fn path(&self, definition: &str) -> Result<TokenStream, Unnameable>;

    /// The same of a tuple struct's constructor: a name may lead to the type and not to that, where it was imported
    /// at a place that does not see the fields.
    fn tuple_constructor(&self, definition: &str) -> Result<TokenStream, Unnameable> {
        self.path(definition)
    }

    /// Whether a struct literal of the type at `definition` may be written there: every field of it
    /// visible, not `#[non_exhaustive]` of another crate. Of an enum: whether literals of its variants may be
    /// ([`Names::variant`] tells of a single one).
    fn literal(&self, definition: &str) -> Result<(), Unnameable>;

    /// Whether a literal of that variant of the enum at `definition` may be written there.
    fn variant(&self, definition: &str, _variant: &str) -> Result<(), Unnameable> {
        self.literal(definition)
    }

    /// The type's own function that builds it from these fields, which have been read in this order, where a
    /// literal may not be written.
    fn own_constructor(&self, _definition: &str, _fields: &[Seen<'_>]) -> Option<Constructed> {
        None
    }

    /// How the type's own functions build a value of the struct at `definition`, step by step, where a literal may not be
    /// written.
    fn ways(&self, _definition: &str) -> Option<Rc<Ways>> {
        None
    }

    /// How a type that derives serde's `Deserialize`, without attributes that change its form, stands in a self-describing
    /// format.
    fn deserialized(&self, _definition: &str) -> Option<Deserialized> {
        None
    }

    /// A function that builds the struct at `definition` from all of its fields where a literal may not be
    /// written: `Token::relapse_new`. `fields` are those that were read, in declaration order.
    fn constructor(&self, definition: &str, _fields: &[&str]) -> Result<TokenStream, Unnameable> {
        self.literal(definition)?;
        Err(Unnameable(format!("`{definition}` has no constructor")))
    }

    /// The fields of the struct at `definition` that only test builds have, and that are not among those that were read,
    /// with what a literal gives them.
    fn test_fields(&self, _definition: &str, _fields: &[&str]) -> Vec<(Ident, TokenStream)> {
        Vec::new()
    }

    /// The call of a function of the type with that full name which gives a value that cannot be written here, since only
    /// the type's own module can name its parts: `write` writes it with the names of that module. Nothing where that is
    /// no help.
    fn given_at_home(
        &self,
        _full_name: &str,
        _write: &mut dyn FnMut(&dyn Names) -> Result<TokenStream, Unnameable>,
    ) -> Option<Result<TokenStream, Unnameable>> {
        None
    }

    /// Whether calls are known that made values: see [`Names::made`].
    fn knows_calls(&self) -> bool {
        false
    }

    /// How a value of the struct or enum at `definition` came into its state, where the calls were seen, or why they cannot be
    /// named.
    fn made(&self, _definition: &str, _asked: &Asked<'_>) -> Option<Result<History<'_>, Unnameable>> {
        None
    }

    /// Whether an argument is made by its calls although it can be written.
    fn made_first(&self) -> bool {
        false
    }

    /// Whether a value of which calls made a part is made by the call that made it as a whole.
    fn makes_wholes(&self) -> bool {
        false
    }

    /// Whether what is known of the fields is to be put into what was made so.
    fn made_with_fields(&self) -> bool {
        false
    }

    /// The text of the closure whose type has that name and which has captured these fields.
    fn closure(
        &self,
        name: &str,
        _text: &ClosureText,
        _captures: &[&str],
    ) -> Result<RebuiltClosure, Unnameable> {
        Err(Unnameable(format!("the source of the closure `{name}` is not known")))
    }

    /// Which closures may have one in their place that does nothing.
    fn callbacks(&self) -> Callbacks {
        Callbacks::default()
    }

    /// What is known of the `Default` of the struct at `definition`.
    fn defaults(&self, _definition: &str) -> Defaults {
        Defaults::Unknown
    }

    /// What a `Default` of the struct at `definition` gives that is written out, as far as its source is plain.
    fn written_default(&self, _definition: &str) -> Option<WrittenDefault> {
        None
    }

    /// Whether the type at `definition` is known to be `Copy` where its arguments are.
    fn is_copy(&self, _definition: &str) -> bool {
        false
    }

    /// Whether the type at `definition` is known to derive `Clone`.
    fn derives_clone(&self, _definition: &str) -> bool {
        false
    }

    /// Whether the type at `definition` has an associated function of that name that may be called there and
    /// is not deprecated, as far as its source tells.
    fn has_function(&self, _definition: &str, _function: &str) -> bool {
        true
    }

    /// The project's own rules for how values are built.
    fn rules(&self) -> Option<&CrateRules> {
        None
    }

    /// The version of the crate in which the item at `definition` is defined.
    fn version(&self, _definition: &str) -> Option<String> {
        None
    }

    /// The oldest release of Rust 1 with which the package at the place builds, as its `rust-version` says: 85.
    fn oldest_rust(&self) -> Option<u16> {
        None
    }

    /// The flags of the type at `definition`, which a macro made, with their bits, as far as they are known.
    fn flags(&self, _definition: &str) -> Vec<(String, u128)> {
        Vec::new()
    }

    /// Whether the type at `definition` is made by a macro, not a derive, of that name.
    fn is_made_by(&self, _definition: &str, _macro_name: &str) -> bool {
        false
    }

    /// A type in full, as it stands after a colon (`let x: Vec<u8>`), from its full name in DWARF
    /// (`alloc::vec::Vec<u8, alloc::alloc::Global>`): allocators and std's own hashers are left out. In an
    /// expression it goes into angle brackets: `<Vec<u8>>::new()`.
    fn type_tokens(&self, full_name: &str) -> Result<TokenStream, Unnameable>;

    /// Whether the struct at `definition`, or this variant of it, is declared with braces or parentheses although it has
    /// no field: `struct S {}`, `struct S();`, which a bare name does not build.
    fn is_braced(&self, _definition: &str, _variant: Option<&str>) -> bool {
        false
    }

    /// Whether a bare name of std's prelude that is no type (`Some`, `None`, `Ok`, `Err`, `drop`) means there
    /// what it means everywhere.
    fn means_prelude(&self, _name: &str) -> bool {
        true
    }
}
