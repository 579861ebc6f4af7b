//! Equal stand-ins: what a test gives a function for a reader, sink or hasher of std that nobody can build again. Only
//! where the function takes any type there (`R: Read`), so that bytes do as well as an open file. In: the types
//! that stand for generic parameters, with their bounds. Out: which of them are replaced, and by what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use relapse_snapshot::{Data, StdType, Trust, TypeId, TypeKind, TypeTable, Value};

use super::type_name::definition;

mod connections;

/// Types and layers that are looked into for what they are made of.
const MOST_TYPES: usize = 256;

/// A type that stands for a generic parameter of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The type.
    pub ty: TypeId,
    /// What has to be met there.
    pub asks: Asks,
}

/// What a type has to meet where another one may stand in for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asks {
    /// The last names of the traits that it is bounded by, as far as they are known.
    pub bounds: BTreeSet<String>,
    /// What the traits among them that are not std's are implemented for.
    pub implementors: Option<Implementors>,
}

/// What a trait is implemented for, as far as its source shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Implementors {
    /// Whatever meets the bounds of an `impl<T: …> Trait for T`.
    pub all: bool,
    /// `Cursor`.
    pub cursor: Option<Over>,
    /// `&[u8]`.
    pub bytes: bool,
    /// `BufReader<R>`.
    pub buffered: bool,
}

impl Implementors {
    /// What two traits both are implemented for.
    #[must_use]
    pub fn and(self, other: Implementors) -> Implementors {
        let cursor = match (self.cursor, other.cursor) {
            (Some(Over::Any), over) | (over, Some(Over::Any)) => over,
            (one, other) => one.filter(|_| one == other),
        };
        Implementors {
            all: self.all && other.all,
            cursor,
            bytes: self.bytes && other.bytes,
            buffered: self.buffered && other.buffered,
        }
    }
}

/// What a cursor goes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Anything that holds bytes.
    Any,
    /// `&[u8]`.
    Slice,
    /// `Vec<u8>`.
    Vec,
}

/// What stands in for a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StandIn {
    /// `&[u8]`: what was left to read.
    Bytes,
    /// `Cursor<&[u8; N]>`: all of it, at the position that was reached.
    Cursor,
    /// `Cursor<&[u8]>`: the same, where no array will do.
    Slice,
    /// `Cursor<Vec<u8>>`: the same, and it can be written.
    Buffer,
    /// `Cursor<Vec<u8>>` for a connection: with what was buffered of it, for nobody knows what it would have given next.
    Connection,
    /// `Vec<u8>`: takes what is written.
    Sink,
    /// `String`: takes what is formatted.
    Text,
    /// `DefaultHasher`: takes what is hashed.
    Hasher,
}

/// How far the replacing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    /// Never `&[u8]`, for bounds that the source does not show.
    pub seekable: bool,
    /// Every type that is only written to is replaced, the program's own too.
    pub all_sinks: bool,
    /// `Write` is that of `std::fmt`.
    pub formats: bool,
}

/// Bounds that all stand-ins meet.
const MARKERS: &[&str] = &["Sized", "Send", "Sync", "Unpin", "UnwindSafe", "RefUnwindSafe"];

/// The types that are replaced in one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandIns(HashMap<TypeId, StandIn>);

impl StandIns {
    /// Chooses what stands in for which of the open types.
    pub fn new(open: &[Open], extent: Extent, types: &TypeTable) -> StandIns {
        StandIns::keeping(&BTreeSet::new(), open, extent, types)
    }

    /// The same, where these types stay what they are, over what stands in for their parts.
    pub fn keeping(kept: &BTreeSet<TypeId>, open: &[Open], extent: Extent, types: &TypeTable) -> StandIns {
        let mut chosen = HashMap::new();
        // What takes a type in several places has to meet what all of them ask for.
        let mut asked: BTreeMap<TypeId, Asks> = BTreeMap::new();
        for open in open {
            let asks = asked.entry(open.ty).or_default();
            asks.bounds.extend(open.asks.bounds.iter().cloned());
            asks.implementors = match (asks.implementors, open.asks.implementors) {
                (Some(one), Some(other)) => Some(one.and(other)),
                (one, other) => one.or(other),
            };
        }
        let mut queue: Vec<(TypeId, Asks)> = asked.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some((ty, asks)) = queue.pop() {
            if !seen.insert(ty) || seen.len() > MOST_TYPES {
                continue;
            }
            if kept.contains(&ty) {
                let has = |name: &str| asks.bounds.contains(name);
                let (read, seek) = (has("Read") || has("BufRead"), has("Seek"));
                let within = [("Read", read), ("Seek", seek)].into_iter().filter(|(_, asked)| *asked);
                let bounds = within.map(|(name, _)| name.to_owned()).collect();
                let within = Asks { bounds, ..Asks::default() };
                queue.extend(parts(ty, types).into_iter().map(|part| (part, within.clone())));
                continue;
            }
            if let Some(stand_in) = stand_in(ty, &asks, extent, types) {
                chosen.insert(ty, stand_in);
                chosen.extend(connections::within(ty, types).map(|ty| (ty, StandIn::Connection)));
                continue;
            }
            match types.get(ty).map(|shape| &shape.kind) {
                // A mutable reference reads and writes as its target does.
                Some(TypeKind::Reference { to, mutable: true }) => queue.push((*to, asks)),
                Some(TypeKind::Std { std: StdType::Box, params }) => {
                    queue.extend(params.iter().map(|param| (*param, asks.clone())));
                }
                Some(
                    TypeKind::Std { params, .. }
                    | TypeKind::Struct { params, .. }
                    | TypeKind::Enum { params, .. },
                ) => queue.extend(params.iter().map(|param| (*param, Asks::default()))),
                _ => {}
            }
        }
        StandIns(chosen)
    }

    /// What stands in for a type.
    pub fn of(&self, ty: TypeId) -> Option<StandIn> {
        self.0.get(&ty).copied()
    }

    /// Whether any type is replaced by bytes that take what is written.
    pub fn has_sink(&self) -> bool {
        self.0.values().any(|stand_in| *stand_in == StandIn::Sink)
    }

    /// Whether any type is replaced by `&[u8]`, which cannot seek.
    pub fn has_bytes(&self) -> bool {
        self.0.values().any(|stand_in| *stand_in == StandIn::Bytes)
    }

    /// Whether a type is replaced, or made of one that is.
    pub fn change(&self, ty: TypeId, types: &TypeTable) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (mut open, mut seen) = (vec![ty], BTreeSet::new());
        while let Some(id) = open.pop() {
            if self.0.contains_key(&id) {
                return true;
            }
            if seen.insert(id) && seen.len() <= MOST_TYPES {
                open.extend(parts(id, types));
            }
        }
        false
    }

    /// How far what is written of a value can be trusted: what a sink held does not matter, and what was not read
    /// is no part of it, or it could not be written.
    pub fn trust(&self, value: &Value) -> Trust {
        let (mut worst, mut open) = (Trust::Entry, vec![value]);
        while let Some(value) = open.pop() {
            if matches!(self.of(value.ty), Some(StandIn::Sink | StandIn::Text | StandIn::Hasher)) {
                continue;
            }
            // What it would have given is not known, which matters where the function reads of it.
            if self.of(value.ty) == Some(StandIn::Connection) {
                worst = worst.max(Trust::Suspect);
                continue;
            }
            if !matches!(value.data, Data::Missing(_)) {
                worst = worst.max(value.trust);
            }
            open.extend(value.children());
        }
        worst
    }
}

fn parts(ty: TypeId, types: &TypeTable) -> Vec<TypeId> {
    match types.get(ty).map(|shape| &shape.kind) {
        Some(TypeKind::Tuple(items)) => items.clone(),
        Some(
            TypeKind::Std { params, .. } | TypeKind::Struct { params, .. } | TypeKind::Enum { params, .. },
        ) => params.clone(),
        Some(TypeKind::Array { of: to, .. } | TypeKind::Slice(to)) => vec![*to],
        Some(TypeKind::Reference { to, .. } | TypeKind::RawPointer { to, .. }) => vec![*to],
        _ => Vec::new(),
    }
}

fn stand_in(ty: TypeId, asks: &Asks, extent: Extent, types: &TypeTable) -> Option<StandIn> {
    let shape = types.get(ty)?;
    let bounds = &asks.bounds;
    let has = |name: &str| bounds.contains(name);
    let reads = has("Read") || has("BufRead");
    if let TypeKind::Reference { to, mutable: false } = &shape.kind {
        // `&File` reads, `&&[u8]` does not: the reference itself is replaced.
        let is_file = matches!(types.get(*to)?.kind, TypeKind::Std { std: StdType::File, .. });
        return if is_file { stand_in(*to, asks, extent, types) } else { None };
    }
    if extent.all_sinks && has("Write") && only(bounds, &["Write"]) {
        return Some(if extent.formats { StandIn::Text } else { StandIn::Sink });
    }
    if extent.all_sinks && has("Hasher") && only(bounds, &["Hasher"]) {
        return Some(StandIn::Hasher);
    }
    let path = definition(&shape.name)?;
    if connections::is_one(&path) {
        return connections::takes_cursor(asks).then_some(StandIn::Connection);
    }
    let sink = match &*path {
        "std::io::stdio::Stdout"
        | "std::io::stdio::StdoutLock"
        | "std::io::stdio::Stderr"
        | "std::io::stdio::StderrLock"
        | "std::io::buffered::bufwriter::BufWriter"
        | "std::io::buffered::linewriter::LineWriter" => true,
        "std::fs::File" => has("Write") && !reads,
        _ => false,
    };
    let reader = matches!(
        &*path,
        "std::fs::File"
            | "std::io::buffered::bufreader::BufReader"
            | "std::io::stdio::Stdin"
            | "std::io::stdio::StdinLock"
    );
    let wrapped =
        matches!(&*path, "std::io::Take" | "std::io::Chain" | "std::io::util::Take" | "std::io::util::Chain")
            && parts(ty, types)
                .iter()
                .any(|part| stand_in(*part, &Asks::default(), Extent::default(), types).is_some());
    if sink {
        return Some(if has("Seek") { StandIn::Buffer } else { StandIn::Sink });
    }
    if !(reader || wrapped) {
        return None;
    }
    if let Some(known) = asks.implementors
        && let Some(stand_in) = by_implementors(known, has("Write"))
    {
        return Some(stand_in);
    }
    if asks.implementors.is_some_and(|known| known.buffered) && path.ends_with("::BufReader") {
        // What it reads from is replaced.
        return None;
    }
    Some(if has("Write") {
        StandIn::Buffer
    } else if !extent.seekable && reads && only(bounds, &["Read", "BufRead"]) {
        StandIn::Bytes
    } else {
        StandIn::Cursor
    })
}

/// What stands in where a trait that is not std's is implemented for few types; `None` where the source does not tell.
fn by_implementors(known: Implementors, writes: bool) -> Option<StandIn> {
    match known.cursor {
        Some(Over::Vec) => Some(StandIn::Buffer),
        Some(Over::Any) if writes => Some(StandIn::Buffer),
        Some(Over::Any) => Some(StandIn::Cursor),
        Some(Over::Slice) => Some(StandIn::Slice),
        None => known.bytes.then_some(StandIn::Bytes),
    }
}

/// Whether these are the only bounds, markers aside.
fn only(bounds: &BTreeSet<String>, known: &[&str]) -> bool {
    bounds.iter().map(String::as_str).all(|bound| known.contains(&bound) || MARKERS.contains(&bound))
}
