//! A type entry, read once: its full name, size, and where its parts lie.

use relapse_snapshot::StdType;

use super::names::PointerClass;
use crate::image::DieRef;

/// A type as the reader uses it: an entry, and how it is meant. rustc describes `str` and `[T]` by the entry
/// of their element, so the entry alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) die: DieRef,
    pub(crate) form: Form,
}

/// How an entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    /// The type that it describes.
    Itself,
    /// `str`, described by `u8`.
    Str,
    /// `[T]`, described by `T`.
    Slice,
    /// A function item (no size), described by a function pointer.
    FunctionItem,
}

impl Entry {
    /// The type that the entry describes.
    pub(crate) fn of(die: DieRef) -> Entry {
        Entry { die, form: Form::Itself }
    }
}

/// A type entry's content.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Full name, by definition path.
    pub(crate) name: String,
    /// Size in bytes.
    pub(crate) size: Option<u64>,
    /// Alignment in bytes, where the entry has one.
    pub(crate) align: Option<u64>,
    /// The type parameters, in order.
    pub(crate) params: Vec<Entry>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a type entry describes.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Unit,
    Never,
    Bool,
    Char,
    Integer { signed: bool },
    Float,
    Record { members: Vec<Member>, record: Record },
    Std { std: StdType, members: Vec<Member> },
    Enum { discriminant: Option<Discriminant>, variants: Vec<Variant> },
    Names { values: Vec<(u128, String)> },
    Array { of: Entry, len: u64 },
    Pointer { class: PointerClass, target: Option<Entry>, fat: Option<Fat> },
    Function,
    Union,
    Dyn,
    Opaque { reason: String },
}

/// The flavours of structs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    Named,
    TupleStruct,
    Tuple,
    Closure,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) entry: Entry,
    pub(crate) offset: u64,
}

/// Where an enum keeps its discriminant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Discriminant {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// A variant of an enum.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// The discriminants (inclusive ranges, cut to the discriminant's size) that stand for it; empty: all
    /// that no other variant has.
    pub(crate) discriminants: Vec<(u128, u128)>,
    pub(crate) members: Vec<Member>,
}

/// Where a fat pointer keeps its halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fat {
    pub(crate) address: u64,
    /// The length in elements.
    pub(crate) length: Option<u64>,
    /// A trait object's vtable.
    pub(crate) vtable: Option<u64>,
}

impl Layout {
    /// The fields of a struct or of a std type.
    pub(crate) fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Record { members, .. } | Kind::Std { members, .. } => members,
            _ => &[],
        }
    }

    /// The field of that name.
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members().iter().find(|member| member.name == name)
    }
}

/// The std type of a definition path (its generic arguments cut off), with the number of type arguments that
/// matter: allocators and hashers do not. Paths are those of rustc 1.75 to 1.97.
pub(super) fn std_type(path: &str) -> Option<(StdType, usize)> {
    Some(match path {
        "alloc::string::String" => (StdType::String, 0),
        "alloc::vec::Vec" => (StdType::Vec, 1),
        "alloc::collections::vec_deque::VecDeque" => (StdType::VecDeque, 1),
        "alloc::rc::Rc" => (StdType::Rc, 1),
        "alloc::sync::Arc" => (StdType::Arc, 1),
        "alloc::rc::Weak" | "alloc::sync::Weak" => (StdType::Weak, 1),
        "core::ptr::non_null::NonNull" => (StdType::NonNull, 1),
        "std::collections::hash::map::HashMap" => (StdType::HashMap, 2),
        "std::collections::hash::set::HashSet" => (StdType::HashSet, 1),
        "alloc::collections::btree::map::BTreeMap" => (StdType::BTreeMap, 2),
        "alloc::collections::btree::set::BTreeSet" => (StdType::BTreeSet, 1),
        "std::path::Path" => (StdType::Path, 0),
        "std::path::PathBuf" => (StdType::PathBuf, 0),
        "std::ffi::os_str::OsStr" => (StdType::OsStr, 0),
        "std::ffi::os_str::OsString" => (StdType::OsString, 0),
        "core::cell::Cell" => (StdType::Cell, 1),
        "core::cell::RefCell" => (StdType::RefCell, 1),
        "core::cell::UnsafeCell" => (StdType::UnsafeCell, 1),
        "std::sync::poison::mutex::Mutex" | "std::sync::mutex::Mutex" => (StdType::Mutex, 1),
        "std::sync::poison::rwlock::RwLock" | "std::sync::rwlock::RwLock" => (StdType::RwLock, 1),
        "core::time::Duration" => (StdType::Duration, 0),
        "core::num::nonzero::NonZero" => (StdType::NonZero, 1),
        "alloc::collections::linked_list::LinkedList" => (StdType::LinkedList, 1),
        "core::slice::iter::Iter" | "core::slice::iter::IterMut" => (StdType::SliceIter, 1),
        "alloc::vec::into_iter::IntoIter" => (StdType::VecIntoIter, 1),
        // Standard input without its buffer is a file whose descriptor is known.
        "std::fs::File" | "std::io::stdio::StdinRaw" => (StdType::File, 0),
        "std::io::buffered::bufreader::BufReader" => (StdType::BufReader, 1),
        _ => {
            let number = path.strip_prefix("core::num::nonzero::NonZero")?;
            matches!(number.as_bytes().first(), Some(b'I' | b'U')).then_some((StdType::NonZero, 0))?
        }
    })
}
