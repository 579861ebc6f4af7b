//! The index as data: what one crate's source holds, without any look-up.

use std::collections::HashMap;
use std::path::PathBuf;

use super::attributes::Attributes;
use super::cfg::Cfg;
use super::function::FunctionItem;
use super::ids::{CrateId, ItemId, ModuleId, Visibility};
use super::shown_flags::Flags;

/// How a module's text is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reached {
    /// The crate's root file.
    Root,
    /// `mod x;`, by name.
    File,
    /// `#[path = "…"] mod x;`.
    PathAttribute,
    /// `mod x { … }`.
    Inline,
}

/// A module.
#[derive(Debug, Clone)]
pub struct Module {
    /// Itself.
    pub id: ModuleId,
    /// Its name; empty for the root.
    pub name: String,
    /// The module around it.
    pub parent: Option<u32>,
    /// Names from the root to it; empty for the root.
    pub path: Vec<String>,
    /// From where it can be seen.
    pub visibility: Visibility,
    /// Its own condition (not that of the modules around it).
    pub cfg: Cfg,
    /// The file that holds its text, an index into [`CrateSource::files`].
    pub file: u32,
    /// Names of the inline modules within that file; empty for the file's own module.
    pub inline: Vec<String>,
    /// How it is reached.
    pub reached: Reached,
    /// It, or a module around it in the same file, stands within a macro's braces.
    pub in_macro: bool,
    /// `#[doc(hidden)]`.
    pub hidden: bool,
    /// Whether macros that were not understood may add items.
    pub opaque: bool,
    /// Line of `mod NAME`, in the file of the module around it; 0 for the root.
    pub line: u32,
    pub(super) entries: HashMap<String, Vec<Entry>>,
    pub(super) imports: Vec<Import>,
    pub(super) children: Vec<u32>,
}

impl Module {
    /// Whether a glob of it brings no name, but for that module.
    pub fn brings_nothing(&self, but: &str) -> bool {
        self.imports.is_empty() && self.entries.keys().all(|name| name == but)
    }
}

/// A name that a module declares.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) target: EntryTarget,
    pub(super) visibility: Visibility,
    pub(super) cfg: Cfg,
    pub(super) hidden: bool,
}

/// What a declared name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryTarget {
    Module(u32),
    Item(u32),
    Function(u32),
}

/// One leaf of a `use`, or an `extern crate`.
#[derive(Debug, Clone)]
pub(super) struct Import {
    /// Segments as written, `self` at the end taken off.
    pub(super) path: Vec<String>,
    /// `::a::b`.
    pub(super) absolute: bool,
    /// `extern crate`.
    pub(super) extern_crate: bool,
    /// `{self}`: only the module, type or trait of that name.
    pub(super) types_only: bool,
    /// The name it gives; `None` for a glob, `_` for an unnamed trait.
    pub(super) name: Option<String>,
    pub(super) visibility: Visibility,
    pub(super) cfg: Cfg,
    pub(super) hidden: bool,
}

/// What a type item is.
#[derive(Debug, Clone)]
pub enum ItemKind {
    /// A struct and its fields.
    Struct(FieldList),
    /// An enum and its variants.
    Enum(Vec<VariantItem>),
    /// A union and its fields.
    Union(FieldList),
    /// `type A = …;`.
    Alias(Box<syn::Type>),
    /// A trait, with those that it builds on.
    Trait(Vec<syn::Path>),
    /// `const`, and a `static` that nothing but its address tells from one.
    Const,
    /// `static`.
    Static {
        /// Whether a program can change it.
        state: bool,
    },
}

/// The form of a struct or variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `S`.
    Unit,
    /// `S(…)`.
    Tuple,
    /// `S { … }`.
    Named,
}

/// Fields of a struct, union or variant.
#[derive(Debug, Clone)]
pub struct FieldList {
    /// Their form.
    pub shape: Shape,
    /// The fields in order; in a tuple they are named `0`, `1` …
    pub fields: Vec<FieldItem>,
}

/// A field.
#[derive(Debug, Clone)]
pub struct FieldItem {
    /// Its name.
    pub name: String,
    /// From where it can be seen.
    pub visibility: Visibility,
    /// Its type as written.
    pub ty: syn::Type,
    /// Its condition.
    pub cfg: Cfg,
    /// It has an attribute `default`: of another crate's derive, which gives it another value.
    pub default: bool,
    /// It has an attribute of serde's that may change what is read.
    pub serde: bool,
}

/// A variant of an enum.
#[derive(Debug, Clone)]
pub struct VariantItem {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: FieldList,
    /// `#[non_exhaustive]`.
    pub non_exhaustive: bool,
    /// It has an attribute of serde's that may change what is read.
    pub serde: bool,
    /// Its condition.
    pub cfg: Cfg,
}

/// A type, trait, constant or static.
#[derive(Debug, Clone)]
pub struct TypeItem {
    /// Itself.
    pub id: ItemId,
    /// Its name.
    pub name: String,
    /// The module that declares it.
    pub module: ModuleId,
    /// What it is.
    pub kind: ItemKind,
    /// From where it can be seen.
    pub visibility: Visibility,
    /// Its generic parameters.
    pub generics: syn::Generics,
    /// What its attributes say.
    pub attributes: Attributes,
    /// Its condition, that of macros around it included.
    pub cfg: Cfg,
    /// The file, an index into [`CrateSource::files`].
    pub file: u32,
    /// First line, attributes included.
    pub first_line: u32,
    /// Line of its name.
    pub line: u32,
}

/// An `impl` block.
#[derive(Debug, Clone)]
pub struct ImplItem {
    /// The module that it stands in.
    pub module: ModuleId,
    /// The type.
    pub self_type: syn::Type,
    /// The trait; `None` for an inherent one.
    pub trait_path: Option<syn::Path>,
    /// `impl !Trait for …`.
    pub negative: bool,
    /// Its generic parameters.
    pub generics: syn::Generics,
    /// Its condition.
    pub cfg: Cfg,
}

/// A macro's text that could not be read as items.
#[derive(Debug, Clone)]
pub struct OpaqueMacro {
    /// `bitflags`, `macro_rules! name` as `name`.
    pub name: String,
    /// Whether it is the definition (`macro_rules!`), not a use.
    pub definition: bool,
    /// The file, an index into [`CrateSource::files`].
    pub file: u32,
    /// First and last line.
    pub lines: (u32, u32),
    /// The structs that its text shows, with what is derived for them.
    pub(super) derives: Vec<(String, Vec<String>)>,
    /// The flags of each struct, where they are `bitflags`.
    pub(super) flags: Vec<(String, Flags)>,
}

/// Something of the source that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// What is wrong, in words for the user.
    pub reason: String,
}

/// All that one crate's source holds.
#[derive(Debug, Clone)]
pub struct CrateSource {
    /// Itself.
    pub id: CrateId,
    /// Source files, relative to the workspace root.
    pub files: Vec<PathBuf>,
    /// Modules; the root first.
    pub modules: Vec<Module>,
    /// Types, traits, constants, statics.
    pub items: Vec<TypeItem>,
    /// Functions and methods.
    pub functions: Vec<FunctionItem>,
    /// Impl blocks.
    pub impls: Vec<ImplItem>,
    /// Macros that were not understood.
    pub opaque_macros: Vec<OpaqueMacro>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// `#![no_std]`, also under a condition.
    pub no_std: bool,
}

impl CrateSource {
    /// Whether `inner` is `outer` or stands within it.
    pub(super) fn is_within(&self, inner: u32, outer: u32) -> bool {
        let mut at = Some(inner);
        while let Some(module) = at {
            if module == outer {
                return true;
            }
            // Parents come before their children, so this ends.
            at = self.modules.get(module as usize).and_then(|m| m.parent).filter(|&parent| parent < module);
        }
        false
    }

    /// The narrower of two visibilities.
    pub(super) fn narrower(&self, one: Visibility, other: Visibility) -> Visibility {
        match (one, other) {
            (Visibility::Public, v) | (v, Visibility::Public) => v,
            (Visibility::Within(a), Visibility::Within(b)) => {
                Visibility::Within(if self.is_within(b, a) { b } else { a })
            }
        }
    }
}
