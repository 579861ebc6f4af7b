//! The shapes of the types that a snapshot's values have, as DWARF's type entries tell them.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::crash::Location;

/// Index of a type in a snapshot's [`TypeTable`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypeId(pub u32);

/// A type: its full name and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeShape {
    /// The full name as rustc writes it in DWARF, by *definition* paths, generics included:
    /// `alloc::vec::Vec<u8, alloc::alloc::Global>`, `&[uuid::Uuid]`, `(u8, &str)`.
    pub name: String,
    /// Size in bytes, where DWARF gives one.
    pub size: Option<u64>,
    /// What it is.
    pub kind: TypeKind,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeKind {
    /// `bool`.
    Bool,
    /// `char`.
    Char,
    /// A signed (`true`) or unsigned integer.
    Integer {
        /// Whether it is signed.
        signed: bool,
        /// Width in bits, 8 to 128.
        bits: u16,
    },
    /// A float of 32 or 64 bits (16 and 128 are kept as `Opaque`).
    Float {
        /// Width in bits.
        bits: u16,
    },
    /// `!`.
    Never,
    /// `str`.
    Str,
    /// A tuple; `()` has no fields.
    Tuple(Vec<TypeId>),
    /// `[T; N]`.
    Array {
        /// Element type.
        of: TypeId,
        /// Number of elements.
        len: u64,
    },
    /// `[T]`.
    Slice(TypeId),
    /// A struct without a special reading; tuple structs name their fields `0`, `1` …
    Struct {
        /// The fields, in declaration order.
        fields: Vec<FieldShape>,
        /// `struct P(u8)`; a unit struct has no fields and `false`.
        tuple: bool,
        /// Generic type arguments, in order.
        params: Vec<TypeId>,
    },
    /// An enum (`Option` and `Result` too).
    Enum {
        /// The variants, in declaration order.
        variants: Vec<VariantShape>,
        /// Generic type arguments, in order.
        params: Vec<TypeId>,
    },
    /// A union.
    Union,
    /// `&T` or `&mut T`.
    Reference {
        /// What it points to (`str`, a slice, a `dyn` or a sized type).
        to: TypeId,
        /// `&mut`.
        mutable: bool,
    },
    /// `*const T` or `*mut T`.
    RawPointer {
        /// What it points to.
        to: TypeId,
        /// `*mut`.
        mutable: bool,
    },
    /// A std type with a reading of its own.
    Std {
        /// Which one.
        std: StdType,
        /// Its type arguments in order, allocators and hashers left out (`Vec<T>`: T; `HashMap<K, V>`: K, V).
        params: Vec<TypeId>,
    },
    /// A function pointer.
    FunctionPointer,
    /// A function item or a closure, by name; a closure's captures are fields.
    Closure {
        /// Captured variables: `x`, by reference `_ref__x`, a field of one `x__field`.
        captures: Vec<FieldShape>,
        /// Where a closure is written, as far as its debug info tells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        written: Option<Box<ClosureText>>,
    },
    /// `dyn Trait`.
    Dyn,
    /// Known by name only (recursive placeholders never stay: they are filled in).
    Opaque,
}

/// std types that are read, and written, in a way of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is the std type of that name")]
pub enum StdType {
    String,
    Vec,
    VecDeque,
    Box,
    Rc,
    Arc,
    /// `alloc::rc::Weak` and `alloc::sync::Weak`; without a target where it cannot be upgraded.
    Weak,
    NonNull,
    HashMap,
    HashSet,
    BTreeMap,
    BTreeSet,
    Path,
    PathBuf,
    OsStr,
    OsString,
    Cell,
    RefCell,
    UnsafeCell,
    Mutex,
    RwLock,
    Duration,
    NonZero,
    LinkedList,
    /// `core::slice::Iter` and `IterMut`: the elements that are left, as a sequence.
    SliceIter,
    /// `alloc::vec::IntoIter`: the elements that are left, as a sequence.
    VecIntoIter,
    /// An open file, as a struct: `content` (bytes, from the offset `start` on) and `position` (the offset in the
    /// file that is read next); without fields where it is open for writing only.
    File,
    /// `std::io::BufReader`, as a struct: `buffer` (the bytes taken from `inner`, but not read yet), `inner`, and
    /// `capacity` (how many it takes at a time; older snapshots have none).
    BufReader,
}

/// Where a closure's text stands, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosureText {
    /// The line where it begins; its column is not known.
    pub at: Location,
    /// Its parameters, in order; one that is a pattern has no name.
    pub parameters: Vec<FieldShape>,
    /// What it gives; older snapshots do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives: Option<TypeId>,
}

/// A field of a struct, variant or closure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldShape {
    /// Its name; `0`, `1` … in tuple structs and variants.
    pub name: String,
    /// Its type.
    pub ty: TypeId,
}

/// A variant of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantShape {
    /// Its name.
    pub name: String,
    /// Its fields; tuple variants name them `0`, `1` …
    pub fields: Vec<FieldShape>,
    /// `V(u8)`; a unit variant has no fields and `false`.
    pub tuple: bool,
}

/// The types of one snapshot, each once (by full name).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeTable {
    shapes: Vec<TypeShape>,
    by_name: HashMap<String, TypeId>,
}

/// On disk a table is the list of its shapes; the index by name is made anew when it is read.
impl Serialize for TypeTable {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.shapes.serialize(to)
    }
}

impl<'de> Deserialize<'de> for TypeTable {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let shapes = Vec::<TypeShape>::deserialize(from)?;
        let mut by_name = HashMap::new();
        for (index, shape) in shapes.iter().enumerate() {
            by_name.entry(shape.name.clone()).or_insert(TypeId(index as u32));
        }
        Ok(TypeTable { shapes, by_name })
    }
}

impl TypeTable {
    /// The shape of a type; `None` for an id that is not of this table (a damaged file).
    pub fn get(&self, id: TypeId) -> Option<&TypeShape> {
        self.shapes.get(id.0 as usize)
    }

    /// The full name of a type, `?` for an id that is not of this table.
    pub fn name(&self, id: TypeId) -> &str {
        self.get(id).map_or("?", |shape| &shape.name)
    }

    /// Adds a type, or finds the one of the same full name that is there already.
    pub fn intern(&mut self, shape: TypeShape) -> TypeId {
        if let Some(&id) = self.by_name.get(&shape.name) {
            return id;
        }
        let id = TypeId(self.shapes.len() as u32);
        self.by_name.insert(shape.name.clone(), id);
        self.shapes.push(shape);
        id
    }

    /// The type of that full name, while the table is being built.
    pub fn find(&self, name: &str) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// Replaces a type's kind: how a recursive type, interned as `Opaque` first, gets its fields.
    pub fn fill(&mut self, id: TypeId, kind: TypeKind) {
        if let Some(shape) = self.shapes.get_mut(id.0 as usize) {
            shape.kind = kind;
        }
    }

    /// All types, by index.
    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &TypeShape)> {
        self.shapes.iter().enumerate().map(|(index, shape)| (TypeId(index as u32), shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_of_before_its_place_was_kept_can_be_read() {
        let old = r#"{"closure":{"captures":[{"name":"x","ty":3}]}}"#;
        let captures = vec![FieldShape { name: "x".to_owned(), ty: TypeId(3) }];
        let kind: TypeKind = serde_json::from_str(old).unwrap();
        assert_eq!(kind, TypeKind::Closure { captures, written: None });
        assert_eq!(serde_json::to_string(&kind).unwrap(), old);
    }

    #[test]
    fn the_place_of_a_closure_is_kept() {
        let at = Location { file: "src/lib.rs".to_owned(), line: 7, column: 0 };
        let parameters = vec![FieldShape { name: "x".to_owned(), ty: TypeId(1) }];
        let written = Some(Box::new(ClosureText { at, parameters, gives: None }));
        let kind = TypeKind::Closure { captures: Vec::new(), written };
        let text = serde_json::to_string(&kind).unwrap();
        assert_eq!(serde_json::from_str::<TypeKind>(&text).unwrap(), kind);
    }
}
