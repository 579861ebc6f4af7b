//! Values as typed trees: what was read, and how far it can be trusted.
//!
//! A [`Value`] holds data only; its type is an index into the snapshot's [`TypeTable`](crate::TypeTable).

use serde::{Deserialize, Serialize};

use crate::types::TypeId;

/// How far a value can be taken for what the function was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// As the function received it.
    Entry,
    /// As it stood at the crash; nothing says that it was changed since entry.
    AtCrash,
    /// The place may have been moved out of or reassigned by then.
    Suspect,
    /// Cut off by a limit on depth, elements or bytes.
    Truncated,
    /// Replaced by a value of the same shape, because it looked like a secret.
    Redacted,
    /// The compiler keeps it nowhere.
    OptimizedOut,
    /// Memory that cannot be read, or a layout that the reader does not know.
    Unreadable,
}

impl Trust {
    /// The word of the contract, as it stands in JSON too.
    pub fn name(self) -> &'static str {
        match self {
            Trust::Entry => "entry",
            Trust::AtCrash => "at-crash",
            Trust::Suspect => "suspect",
            Trust::Truncated => "truncated",
            Trust::Redacted => "redacted",
            Trust::OptimizedOut => "optimized-out",
            Trust::Unreadable => "unreadable",
        }
    }
}

/// One value of a crashed process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// Its type, in the snapshot's type table.
    pub ty: TypeId,
    /// How far this node can be trusted. A tree's trust is the worst of its nodes: [`Value::worst_trust`].
    pub trust: Trust,
    /// What was read.
    pub data: Data,
}

/// The data of a [`Value`]. Which type it belongs to (`Vec` or array, `Box` or `&`) is told by the type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Data {
    /// Nothing was read; the text says why (trust is `optimized-out`, `unreadable` or `truncated`).
    Missing(String),
    /// `bool`.
    Bool(bool),
    /// `char`.
    Char(char),
    /// A signed integer of up to 128 bits; also signed `NonZero*` (the number itself).
    Int(i128),
    /// An unsigned integer of up to 128 bits; also unsigned `NonZero*`.
    Uint(u128),
    /// `f32` (bits in the low half) or `f64`, by bits; which one is told by the type.
    Float(u64),
    /// `str` and `String` (valid UTF-8), `Path`, `OsStr` and their owners when they are UTF-8.
    /// `len` is the length in bytes in the process; `text` is shorter where it was truncated.
    Text {
        /// The text as read.
        text: String,
        /// Length in bytes in the process.
        len: u64,
    },
    /// A sequence of `u8` (array, slice, `Vec<u8>` …), or text that is not UTF-8.
    Bytes {
        /// The bytes as read, as lower-case hexadecimal on disk.
        #[serde(with = "hex")]
        bytes: Vec<u8>,
        /// Length in bytes in the process.
        len: u64,
    },
    /// A tuple; `()` is the empty one.
    Tuple(Vec<Value>),
    /// A struct; tuple structs name their fields `0`, `1` …
    Struct(Vec<Field>),
    /// An enum's variant (`Option` and `Result` too); tuple variants name their fields `0`, `1` …
    Variant {
        /// The variant's name.
        name: String,
        /// Its fields.
        fields: Vec<Field>,
    },
    /// A reference, raw pointer, `Box`, `Rc`, `Arc`, `Weak`, `NonNull`, function pointer.
    Pointer {
        /// The address that it holds, which tells shared values apart from equal ones.
        address: u64,
        /// What it points to; `None` for a raw pointer that is null or points to an opaque thing, and for a `Weak` that
        /// cannot be upgraded.
        to: Option<Box<Value>>,
    },
    /// Array, slice, `Vec`, `VecDeque`, `LinkedList`, `HashSet`, `BTreeSet`; of an iterator over a slice or a `Vec`
    /// what is left.
    Sequence {
        /// The elements as read, in iteration order.
        items: Vec<Value>,
        /// The number of elements in the process.
        len: u64,
    },
    /// `HashMap`, `BTreeMap`.
    Map {
        /// The entries as read, in iteration order.
        entries: Vec<(Value, Value)>,
        /// The number of entries in the process.
        len: u64,
    },
    /// `Cell`, `RefCell`, `Mutex`, `RwLock`, `OnceCell`, `UnsafeCell`: what is inside.
    Cell {
        /// The value inside.
        inner: Box<Value>,
        /// `RefCell`: the borrow flag (-1 and below: mutably borrowed); locks: 0 free, else the raw state.
        state: i64,
        /// Locks: whether it is poisoned.
        poisoned: bool,
    },
    /// What this place holds is read elsewhere in the same argument: it was met before (shared values, cycles), or it
    /// lies too deep to be kept in its place. [`Targets`](crate::graph::Targets) finds it.
    Elsewhere {
        /// Where the value lies; behind a pointer the address that the pointer holds.
        address: u64,
        /// Its length, where the pointer holds that too (`str`, slices; none in snapshots of before): at one address there are slices of one type
        /// with several lengths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        len: Option<u64>,
    },
    /// A tree that is too deep to be kept as one: only ever a whole argument. No part is deep in itself.
    Graph {
        /// The argument itself, with `Elsewhere` where it goes on in a part.
        root: Box<Value>,
        /// The values that lie deeper, in the order in which they were met.
        parts: Vec<Part>,
    },
    /// `Duration`.
    Duration {
        /// Whole seconds.
        secs: u64,
        /// Nanoseconds within the second.
        nanos: u32,
    },
}

/// A named field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Its name; `0`, `1` … in tuple structs and variants.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A value that is kept beside the tree that it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The address by which [`Data::Elsewhere`] refers to it.
    pub address: u64,
    /// The value.
    pub value: Value,
}

impl Value {
    /// The value itself: of a graph its root.
    pub fn root(&self) -> &Value {
        match &self.data {
            Data::Graph { root, .. } => root,
            _ => self,
        }
    }

    /// A value of which nothing could be read.
    pub fn missing(ty: TypeId, trust: Trust, reason: impl Into<String>) -> Value {
        Value { ty, trust, data: Data::Missing(reason.into()) }
    }

    /// The nodes directly below this one.
    pub fn children(&self) -> Vec<&Value> {
        match &self.data {
            Data::Tuple(items) | Data::Sequence { items, .. } => items.iter().collect(),
            Data::Struct(fields) | Data::Variant { fields, .. } => fields.iter().map(|f| &f.value).collect(),
            Data::Pointer { to, .. } => to.iter().map(|v| &**v).collect(),
            Data::Map { entries, .. } => entries.iter().flat_map(|(k, v)| [k, v]).collect(),
            Data::Cell { inner, .. } => vec![inner],
            Data::Graph { root, parts } => {
                std::iter::once(&**root).chain(parts.iter().map(|part| &part.value)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The nodes directly below this one, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Value> {
        match &mut self.data {
            Data::Tuple(items) | Data::Sequence { items, .. } => items.iter_mut().collect(),
            Data::Struct(fields) | Data::Variant { fields, .. } => {
                fields.iter_mut().map(|f| &mut f.value).collect()
            }
            Data::Pointer { to, .. } => to.iter_mut().map(|v| &mut **v).collect(),
            Data::Map { entries, .. } => entries.iter_mut().flat_map(|(k, v)| [k, v]).collect(),
            Data::Cell { inner, .. } => vec![inner],
            Data::Graph { root, parts } => {
                std::iter::once(&mut **root).chain(parts.iter_mut().map(|part| &mut part.value)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// All nodes of this tree, itself first, the others in no order.
    pub fn all(&self) -> impl Iterator<Item = &Value> {
        let mut open = vec![self];
        std::iter::from_fn(move || {
            let value = open.pop()?;
            open.extend(value.children());
            Some(value)
        })
    }

    /// The number of nodes of this tree, itself included.
    pub fn nodes(&self) -> u64 {
        self.all().count() as u64
    }

    /// The worst trust of any node of this tree.
    pub fn worst_trust(&self) -> Trust {
        self.all().map(|value| value.trust).max().unwrap_or(self.trust)
    }
}

/// Bytes as lower-case hexadecimal text.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        let digits = b"0123456789abcdef";
        let text: String = bytes
            .iter()
            .flat_map(|b| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]])
            .map(char::from)
            .collect();
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        if !text.len().is_multiple_of(2) {
            return Err(D::Error::custom("an odd number of hexadecimal digits"));
        }
        let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
        text.as_bytes()
            .chunks_exact(2)
            .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(|| D::Error::custom("not a hexadecimal digit"))
    }
}
