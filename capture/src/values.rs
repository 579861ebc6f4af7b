//! Values of a crashed process, read by their DWARF type entries. In: an entry and a place. Out: a typed
//! tree with its trust. What the entries do not tell is never guessed; memory is hostile: every size is
//! bounded before it is read, every tree in depth and nodes.

mod array_iterators;
mod btree;
mod cells;
mod channels;
mod coroutines;
mod discriminants;
mod elsewhere;
mod entries;
mod fields;
mod foreign;
mod functions;
mod graph;
mod hash_iterators;
mod hashing;
mod io_errors;
mod iterators;
mod layout;
mod linked_maps;
mod names;
mod once;
mod optimised;
mod plain;
mod pointers;
mod readers;
mod records;
mod scopes;
mod sequences;
mod shapes;
mod source;
mod text_errors;
mod text_iterators;
mod trait_objects;
mod tree_iterators;
mod unions;
mod vtables;

use std::collections::HashMap;
use std::rc::Rc;

use relapse_snapshot::{Data, StdType, Trust, TypeId, TypeTable, Value};

use self::elsewhere::Elsewhere;
use self::entries::Parser;
use self::layout::{Entry, Form, Kind, Layout};
use self::source::{Gap, Read, Source};
use self::vtables::Concrete;
use crate::image::{DieRef, Slice, UnitCache};
use crate::limits::{Allowance, Limits};
use crate::memory::Memory;
use crate::place::Place;

pub(crate) use self::coroutines::Coroutine;
pub(crate) use self::entries::Entries;
pub(crate) use self::foreign::frees;
pub(crate) use self::functions::argument_in_symbol;

/// A part of a tree is never deeper than this, whatever the limits say: reading recurses.
const DEEPEST: u32 = 96;

/// Values up to this size are read from memory at once; larger ones part by part.
const AT_ONCE: u64 = 64 << 10;

/// One argument's strings may take this many times the limit of one string.
const STRINGS: u64 = 16;

/// Reads values of one image's types. Make one for each image and type table and keep it for all values:
/// what it has learned about types serves the next value.
///
/// Everything read is marked [`Trust::AtCrash`]; whoever knows better about the place (an argument at
/// function entry, a variable moved out of) changes the trust.
pub struct Reader<'a> {
    dwarf: &'a gimli::Dwarf<Slice>,
    memory: &'a dyn Memory,
    limits: &'a Limits,
    types: &'a mut TypeTable,
    units: &'a mut UnitCache,
    ids: HashMap<Entry, TypeId>,
    /// Nodes that the value that is being read may have.
    nodes: u64,
    /// What is left of the limits for it.
    nodes_left: u64,
    bytes_left: u64,
    /// What is kept beside the tree, and what was met.
    graph: graph::Graph,
    elsewhere: Option<Elsewhere<'a>>,
    /// What is known of vtables, by address.
    vtables: HashMap<u64, Read<Concrete>>,
}

impl<'a> Reader<'a> {
    /// A reader of the types of `dwarf`, whose units `units` caches.
    pub fn new(
        dwarf: &'a gimli::Dwarf<Slice>,
        memory: &'a dyn Memory,
        limits: &'a Limits,
        types: &'a mut TypeTable,
        units: &'a mut UnitCache,
    ) -> Reader<'a> {
        Reader {
            dwarf,
            memory,
            limits,
            types,
            units,
            ids: HashMap::new(),
            nodes: 0,
            nodes_left: 0,
            bytes_left: 0,
            graph: graph::Graph::default(),
            elsewhere: None,
            vtables: HashMap::new(),
        }
    }

    /// The types that were met so far.
    pub fn types(&self) -> &TypeTable {
        self.types
    }

    /// The shape of the type at `die`, entered into the type table with all types that it is made of.
    pub fn shape(&mut self, die: DieRef) -> TypeId {
        self.type_id(Entry::of(die))
    }

    /// The same for a generic argument, with its text in the generic item's name: rustc describes `str` and
    /// `[T]` by the entry of their element, so that only the text tells them apart.
    pub fn shape_of_argument(&mut self, die: DieRef, text: &str) -> TypeId {
        self.type_id(names::meant(die, text))
    }

    /// The value of the type at `die` that lies at `place`, within the limits of one argument.
    pub fn read(&mut self, die: DieRef, place: &Place) -> Value {
        self.read_within(die, place, &mut Allowance { nodes: u64::MAX, bytes: u64::MAX })
    }

    /// The same within what is left for the whole stack, too, which is less by it afterwards.
    pub(crate) fn read_within(&mut self, die: DieRef, place: &Place, left: &mut Allowance) -> Value {
        self.nodes = self.limits.nodes.min(left.nodes);
        let bytes = self.limits.bytes.saturating_mul(STRINGS).min(left.bytes);
        (self.nodes_left, self.bytes_left) = (self.nodes, bytes);
        let value = self.read_argument(die, place);
        left.nodes -= self.nodes - self.nodes_left;
        left.bytes -= bytes - self.bytes_left;
        value
    }

    fn read_argument(&mut self, die: DieRef, place: &Place) -> Value {
        self.graph = graph::Graph::default();
        let root = self.read_root(die, place);
        self.with_parts(root)
    }

    fn read_root(&mut self, die: DieRef, place: &Place) -> Value {
        let entry = Entry::of(die);
        match place {
            Place::Memory(address) => self.decode(entry, Source::Memory(*address), 0),
            Place::Bytes(place) => {
                let bytes: Vec<u8> = place.iter().map(|byte| byte.unwrap_or(0)).collect();
                let known: Vec<bool> = place.iter().map(Option::is_some).collect();
                self.decode(entry, Source::Bytes { bytes: &bytes, known: Some(&known), from: None }, 0)
            }
            // A type without size has one value only, wherever it is not kept.
            Place::OptimizedOut if self.layout(die).size == Some(0) => self.decode(entry, Source::EMPTY, 0),
            Place::OptimizedOut => Gap::OptimizedOut.into_value(self.type_id(entry)),
        }
    }

    fn layout(&mut self, die: DieRef) -> Rc<Layout> {
        Parser::new(self.dwarf, self.units).layout(die)
    }

    /// The depth at which nothing below is read.
    fn deepest(&self) -> u32 {
        self.limits.depth.min(self.graph.base.saturating_add(DEEPEST))
    }

    /// One node of the tree, and what is below it.
    fn decode(&mut self, entry: Entry, source: Source<'_>, depth: u32) -> Value {
        let ty = self.type_id(entry);
        if let Some(elsewhere) = self.far_below(entry, source, depth) {
            return elsewhere;
        }
        if let Some(limit) = self.spend(depth) {
            return Value::missing(ty, Trust::Truncated, limit);
        }
        let mark = self.graph.mark();
        match entry.form {
            Form::Itself => {}
            Form::FunctionItem => return value(ty, Data::Struct(Vec::new())),
            Form::Str | Form::Slice => {
                return Value::missing(
                    ty,
                    Trust::Unreadable,
                    "a value without a size was met without its length",
                );
            }
        }
        let layout = self.layout(entry.die);
        let mut buffer = Vec::new();
        let read = match self.at_hand(source, layout.size, &mut buffer) {
            Ok(source) if matches!(layout.kind, Kind::Union) => {
                self.union(entry.die, &layout, source, depth).map(read)
            }
            Ok(source) => self.decode_kind(&layout, source, depth),
            Err(gap) => Err(gap),
        };
        self.kept(ty, mark, read)
    }

    /// A node with its data; without it nothing that was read for it since the mark is kept.
    fn kept(&mut self, ty: TypeId, mark: graph::Mark, read: Read<(Data, Trust)>) -> Value {
        match read {
            Ok((data, trust)) => Value { ty, trust, data },
            Err(gap) => {
                self.graph.forget(mark);
                gap.into_value(ty)
            }
        }
    }

    /// Takes a node from the budget, or tells which limit is met.
    fn spend(&mut self, depth: u32) -> Option<String> {
        if depth >= self.deepest() {
            return Some(if depth >= self.limits.depth {
                format!("deeper than {} levels", self.limits.depth)
            } else {
                // Nobody set this limit: within a part there was no place at which another one could begin.
                format!("deeper than {DEEPEST} levels in its part of the argument")
            });
        }
        if self.nodes_left == 0 {
            return Some(format!("more than {} values", self.nodes));
        }
        self.nodes_left -= 1;
        None
    }

    /// Reads a value's bytes at once where that is possible. Where only its beginning can be read, its parts
    /// are read one by one, so that a page that is missing costs only what lies on it.
    fn at_hand<'v>(
        &self,
        source: Source<'v>,
        size: Option<u64>,
        buffer: &'v mut Vec<u8>,
    ) -> Read<Source<'v>> {
        let (Source::Memory(address), Some(size @ 1..)) = (source, size) else { return Ok(source) };
        if size > AT_ONCE {
            return Ok(source);
        }
        match source.fetch(self.memory, size) {
            Ok(bytes) => {
                *buffer = bytes.into_owned();
                Ok(Source::Bytes { bytes: buffer, known: None, from: Some(address) })
            }
            Err(gap) => source.fetch(self.memory, 1).map(|_| source).map_err(|_| gap),
        }
    }

    fn decode_kind(&mut self, layout: &Layout, source: Source<'_>, depth: u32) -> Read<(Data, Trust)> {
        if let Some(set) = once::set_once(layout) {
            return self.set_once(set, layout, source, depth);
        }
        if io_errors::is_io_error(layout) {
            return self.io_error(layout, source, depth);
        }
        if let Some(receives) = channels::end_of_channel(layout) {
            return self.channel(receives, layout, source, depth);
        }
        match &layout.kind {
            Kind::Record { .. } if tree_iterators::is_tree_iterator(&layout.name) => {
                self.tree_iterator(layout, source, depth)
            }
            Kind::Record { .. } if discriminants::is_discriminant(layout) => {
                self.discriminant(layout, source)
            }
            Kind::Record { .. } if iterators::is_list_iterator(layout) => {
                self.linked_list(layout, source, depth)
            }
            Kind::Record { .. } if hash_iterators::is_bucket_iterator(layout) => {
                self.bucket_iterator(layout, source, depth)
            }
            Kind::Record { .. } if array_iterators::is_array_iterator(layout) => {
                self.array_into_iter(layout, source, depth)
            }
            Kind::Record { members, .. } if text_iterators::is_char_indices(layout) => {
                self.char_indices(layout, members, source, depth)
            }
            Kind::Record { members, record } => match self.foreign(layout, source, depth) {
                Some(of_crate) => of_crate,
                None => Ok(read(self.record(members, *record, source, depth))),
            },
            Kind::Enum { discriminant, variants } => {
                Ok(read(self.variant(*discriminant, variants, source, depth)?))
            }
            Kind::Array { of, len } => self.elements(*of, source, *len, depth),
            Kind::Pointer { class, target, fat } => {
                self.pointer(*class, *target, *fat, source, depth).map(read)
            }
            Kind::Function => {
                let address = source.number(self.memory, 8)? as u64;
                if address == 0 {
                    return Err(Gap::because("a function pointer that is null"));
                }
                Ok(read(self.function_pointer(address)))
            }
            Kind::Std { std, .. } => self.std(*std, layout, source, depth),
            Kind::Dyn => Err(Gap::because("a trait object without its pointer")),
            Kind::Opaque { reason } => Err(Gap::because(reason.as_str())),
            _ => self.scalar(layout, source).map(read),
        }
    }

    fn std(&mut self, std: StdType, layout: &Layout, source: Source<'_>, depth: u32) -> Read<(Data, Trust)> {
        match std {
            StdType::String => self.string(layout, source),
            StdType::Vec => self.vec(layout, source, depth),
            StdType::VecDeque => self.deque(layout, source, depth),
            StdType::PathBuf | StdType::OsString => self.os_string(layout, source),
            StdType::Rc | StdType::Arc | StdType::Weak => {
                self.counted(std == StdType::Weak, layout, source, depth)
            }
            StdType::NonNull => self.non_null(layout, source, depth),
            StdType::HashMap => self.hash_map(layout, source, depth),
            StdType::HashSet => self.hash_set(layout, source, depth),
            StdType::BTreeMap => self.btree_map(layout, source, depth),
            StdType::BTreeSet => self.btree_set(layout, source, depth),
            StdType::Cell | StdType::UnsafeCell => self.cell(layout, source, depth),
            StdType::RefCell => self.ref_cell(layout, source, depth),
            StdType::Mutex | StdType::RwLock => self.lock(layout, source, depth),
            StdType::Duration => self.duration(layout, source),
            StdType::NonZero => self.non_zero(layout, source),
            StdType::LinkedList => self.linked_list(layout, source, depth),
            StdType::SliceIter => self.slice_iter(layout, source, depth),
            StdType::VecIntoIter => self.vec_into_iter(layout, source, depth),
            StdType::File => self.file(layout, source),
            StdType::BufReader => self.buf_reader(layout, source, depth),
            StdType::Path | StdType::OsStr => Err(Gap::because("a path was met without its length")),
            StdType::Box => Err(Gap::because("a box that is no pointer")),
        }
    }
}

/// The full name of the type at `die`, by definition path: `alloc::vec::Vec<u8, alloc::alloc::Global>`.
pub fn full_type_name(dwarf: &gimli::Dwarf<Slice>, units: &mut UnitCache, die: DieRef) -> String {
    Parser::new(dwarf, units).layout(die).name.clone()
}

/// A node that was read.
fn value(ty: TypeId, data: Data) -> Value {
    Value { ty, trust: Trust::AtCrash, data }
}

/// The data of a node that was read.
fn read(data: Data) -> (Data, Trust) {
    (data, Trust::AtCrash)
}
