//! The recursion over a value tree: scalars, tuples, structs, enums here; pointers, sequences and std types
//! in the files beside. Depth and size are bounded; every refusal names the part and the reason.

use std::borrow::Cow;
use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use relapse_snapshot::{Data, StdType, TypeId, TypeKind, TypeShape, TypeTable, Value};

use super::dynamic::principal;
use super::graph::{Graph, State, counted};
use super::lints::{Lint, Lints};
use super::raw_pointer::{Allocations, pointers};
use super::stand_in::StandIns;
use super::type_name::{definition, snake_case};
use super::{Scope, Unwritable};
use crate::hostile::{identifier, literal};
use crate::names::Names;
use crate::regression::SideFile;

/// Deepest nesting within one statement: twelve boxed nodes. What is below comes before it, in a variable.
const DEEP: usize = 24;

/// Deepest nesting that is written.
const MAX_DEPTH: usize = 100;

/// Most nodes that are written; a literal of more helps nobody.
const MAX_NODES: u64 = 200_000;
/// More parts than this do not get a variable of their own: each is a scope to rustc, which overflows its stack on
/// thousands of them.
pub(super) const MAX_LETS: usize = 1000;
/// More types than this are not looked through for a generic argument.
pub(super) const MAX_TYPES: usize = 64;

/// What the place of an expression allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// A temporary that is borrowed here lives as long as the `let` does (the reference's "extending"
    /// expressions: operands of `&`, fields of a braced struct, elements of tuples and arrays).
    pub(super) extended: bool,
    /// The expected type is known, so `&[1, 2]` becomes a slice.
    pub(super) coerces: bool,
    /// Literals must say their type.
    pub(super) typed: bool,
    /// The expression is an operand: `4..9` and sums need brackets.
    pub(super) operand: bool,
}

impl Place {
    /// Right of `let x =`.
    pub(super) fn binding(typed: bool) -> Place {
        Place { extended: true, coerces: false, typed, operand: false }
    }

    /// Within the brackets of a call or a macro.
    pub(super) fn within_call(self) -> Place {
        Place { extended: false, coerces: false, operand: false, ..self }
    }

    /// An element of a tuple or an array.
    pub(super) fn element(self) -> Place {
        Place { coerces: false, operand: false, ..self }
    }
}

/// Writes one argument.
pub(super) struct Writer<'a> {
    pub(super) types: &'a TypeTable,
    pub(super) names: &'a dyn Names,
    /// What is given in place of values that cannot be built again.
    pub(super) stand_ins: &'a StandIns,
    pub(super) scope: &'a mut Scope,
    /// Statements that must stand before the expression.
    pub(super) lets: Vec<TokenStream>,
    pub(super) side_files: Vec<SideFile>,
    /// Something was written in another state than it was found in.
    pub(super) suspect: bool,
    /// What the statement being written holds that clippy would have otherwise.
    pub(super) lints: Lints,
    /// What the value refers to elsewhere, and what leads back to itself.
    pub(super) graph: Graph<'a>,
    /// The argument's own variable, while no statement has taken it.
    pub(super) own: Option<Ident>,
    /// The depth at which the statement being written begins.
    pub(super) floor: usize,
    /// What stands behind raw pointers.
    pub(super) allocations: Allocations,
    /// How often each `Rc` and `Arc` of the argument occurs, by address.
    pub(super) owners: HashMap<u64, u32>,
    /// The same of what stands behind raw pointers.
    pub(super) pointers: HashMap<(u64, TypeId), u32>,
    /// Where the argument lies that is a reference.
    pub(super) root_place: Option<RootPlace>,
    /// The call whose argument is being written, of those that made values.
    pub(super) made_before: Option<usize>,
    /// The calls that have made values of this argument.
    pub(super) made_used: Vec<usize>,
    /// A rule of the project's own has refused a part: then no other way is taken.
    pub(super) refused_by_own_rule: bool,
    /// What is written stands in a function that gives the value.
    pub(super) gives_value: bool,
    /// Whether a function of a value's type may make it by calls: that serves where they cannot be made at the test's place.
    pub(super) calls_at_home: CallsAtHome,
    /// How many values were tried as the whole that a call made.
    pub(super) wholes: u32,
    path: String,
    /// The argument's own type.
    pub(super) root_type: TypeId,
    /// Length of the argument's own name, with which the path begins.
    root: usize,
    depth: usize,
    nodes: u64,
}

/// What is known of values that functions of their types would make by calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum CallsAtHome {
    /// Not asked for yet.
    #[default]
    Later,
    /// One was put off.
    PutOff,
    /// They may.
    Now,
}

/// The state of a writer before an attempt.
pub(super) struct Saved<'a> {
    lets: usize,
    side_files: usize,
    scope: Scope,
    graph: State<'a>,
    allocations: Allocations,
    own: Option<Ident>,
    path: usize,
    flags: (bool, Lints),
    counts: (usize, usize),
    made_used: usize,
    nodes: u64,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        types: &'a TypeTable,
        names: &'a dyn Names,
        stand_ins: &'a StandIns,
        scope: &'a mut Scope,
        root: &'a Value,
        path: String,
    ) -> Writer<'a> {
        let graph = Graph::of(root, types, scope);
        let (owners, pointers) = (owners(root, types), pointers(root, types));
        Writer {
            types,
            names,
            stand_ins,
            scope,
            lets: Vec::new(),
            side_files: Vec::new(),
            suspect: false,
            lints: Lints::default(),
            graph,
            own: None,
            floor: 0,
            allocations: Allocations::of(&pointers),
            owners,
            pointers,
            root_type: root.root().ty,
            root_place: place_of(root, types),
            made_before: None,
            made_used: Vec::new(),
            refused_by_own_rule: false,
            gives_value: false,
            calls_at_home: CallsAtHome::default(),
            wholes: 0,
            root: path.len(),
            path,
            depth: 0,
            nodes: 0,
        }
    }

    /// The way from the argument to the part being written.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn refuse(&self, reason: impl Into<String>) -> Unwritable {
        Unwritable { path: self.path.clone(), reason: reason.into() }
    }

    pub(super) fn mismatch(&self, shape: &TypeShape) -> Unwritable {
        self.refuse(format!("what was read does not fit its type {}", shape.name))
    }

    /// The shape of a type, which outlives the writer's own borrows.
    pub(super) fn shape(&self, ty: TypeId) -> Result<&'a TypeShape, Unwritable> {
        self.types.get(ty).ok_or_else(|| self.refuse("its type is missing from the snapshot"))
    }

    /// The shortest path to a definition.
    pub(super) fn name(&self, definition: &str) -> Result<TokenStream, Unwritable> {
        self.names.path(definition).map_err(|unnameable| self.refuse(unnameable.0))
    }

    pub(super) fn tuple_constructor(&self, definition: &str) -> Result<TokenStream, Unwritable> {
        self.names.tuple_constructor(definition).map_err(|unnameable| self.refuse(unnameable.0))
    }

    /// Writes a part of the value, so that refusals within name it.
    pub(super) fn part(
        &mut self,
        step: &str,
        value: &Value,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let length = self.path.len();
        self.path.push_str(step);
        let written = self.value(value, place);
        self.path.truncate(length);
        written
    }

    /// Writes something of a field, so that refusals within name it.
    pub(super) fn named<T>(&mut self, name: &str, write: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push('.');
        self.path.push_str(name);
        let written = write(self);
        self.path.truncate(length);
        written
    }

    /// Fails where only a part of a sequence or text was read.
    pub(super) fn whole(&self, read: usize, len: u64, unit: &str) -> Result<(), Unwritable> {
        if (read as u64) < len {
            return Err(self.refuse(format!(
                "longer than what was read: {read} of {len} {unit} (raise the limits in relapse.toml)"
            )));
        }
        Ok(())
    }

    /// The last name on the way to the part being written: a field's, or the argument's own.
    pub(super) fn stem(&self) -> &str {
        self.path.split(['.', '[', ']', ' ']).rfind(|step| identifier(step).is_some()).unwrap_or("value")
    }

    /// A variable for the part being written: by its field, or by its type where it has none.
    pub(super) fn part_variable(&self, ty: TypeId) -> String {
        let steps = self.path.get(self.root..).unwrap_or_default();
        let field = steps.split(['.', '[', ']', ' ']).rfind(|step| identifier(step).is_some());
        field.map_or_else(|| variable_of(self.types, ty), str::to_owned)
    }

    /// Whether the part being written is an element of a list.
    pub(super) fn is_element(&self) -> bool {
        self.path.ends_with(']')
    }

    /// A `let` statement. Takes the lint attribute that the expression needs.
    pub(super) fn let_statement(
        &mut self,
        variable: &Ident,
        mutable: bool,
        annotation: Option<TokenStream>,
        expression: &TokenStream,
    ) -> TokenStream {
        let mutable = mutable.then(|| quote!(mut));
        let annotation = annotation.map(|ty| quote!(: #ty));
        let lint = self.lint();
        quote!(#lint let #mutable #variable #annotation = #expression;)
    }

    /// Gives a value a variable of its own, before the statement being written.
    pub(super) fn hoist(
        &mut self,
        mutable: bool,
        ty: TypeId,
        typed: bool,
        write: impl FnOnce(&mut Self, Place) -> Result<TokenStream, Unwritable>,
    ) -> Result<Ident, Unwritable> {
        let wanted = self.part_variable(ty);
        self.hoist_as(&wanted, mutable, typed, write)
    }

    /// The same, by a name of one's choice.
    pub(super) fn hoist_as(
        &mut self,
        wanted: &str,
        mutable: bool,
        typed: bool,
        write: impl FnOnce(&mut Self, Place) -> Result<TokenStream, Unwritable>,
    ) -> Result<Ident, Unwritable> {
        if self.lets.len() >= MAX_LETS {
            return Err(self.refuse(format!("more than {MAX_LETS} parts need a variable of their own")));
        }
        let outer = std::mem::take(&mut self.lints);
        let floor = std::mem::replace(&mut self.floor, self.depth);
        let tokens = write(self, Place::binding(typed));
        self.floor = floor;
        let tokens = tokens?;
        let variable = self.scope.variable(wanted);
        let statement = self.let_statement(&variable, mutable, None, &tokens);
        self.lets.push(statement);
        self.lints = outer;
        Ok(variable)
    }

    /// Writes a value.
    pub(super) fn value(&mut self, value: &Value, place: Place) -> Result<TokenStream, Unwritable> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.refuse(format!("more than {MAX_NODES} parts")));
        }
        if self.depth >= MAX_DEPTH {
            return Err(self.refuse(format!("nested deeper than {MAX_DEPTH}")));
        }
        self.depth += 1;
        let written = self.woven(value, place);
        self.depth -= 1;
        written
    }

    /// Whether the value being written is the argument itself.
    pub(super) fn is_own(&self) -> bool {
        self.depth == 1 && self.path.len() == self.root
    }

    /// Whether a value is nested so deeply that it is read more easily from a variable of its own.
    pub(super) fn is_deep(&self, value: &Value) -> bool {
        self.depth >= self.floor + DEEP
            && self.lets.len() < MAX_LETS / 2
            && matches!(value.data, Data::Struct(_) | Data::Variant { .. })
            && value.children().iter().any(|child| !child.children().is_empty())
    }

    /// The lint attribute that the statement being written needs.
    pub(super) fn lint(&mut self) -> Option<TokenStream> {
        std::mem::take(&mut self.lints).attribute()
    }

    /// What an attempt may change, to take it back.
    pub(super) fn save(&self) -> Saved<'a> {
        Saved {
            lets: self.lets.len(),
            side_files: self.side_files.len(),
            scope: self.scope.clone(),
            graph: self.graph.state(),
            allocations: self.allocations.clone(),
            own: self.own.clone(),
            path: self.path.len(),
            flags: (self.suspect, self.lints),
            counts: (self.depth, self.floor),
            made_used: self.made_used.len(),
            nodes: self.nodes,
        }
    }

    /// Takes an attempt back with the nodes that it wrote: one of those that are not within each other, of which there are
    /// no more than parts.
    pub(super) fn restore_all(&mut self, saved: Saved<'a>) {
        let nodes = saved.nodes;
        self.restore(saved);
        self.nodes = nodes;
    }

    /// Takes an attempt back. The nodes stay counted: attempts within attempts can be far more than there are nodes.
    pub(super) fn restore(&mut self, saved: Saved<'a>) {
        self.lets.truncate(saved.lets);
        self.side_files.truncate(saved.side_files);
        *self.scope = saved.scope;
        self.graph.restore(saved.graph);
        self.allocations = saved.allocations;
        self.own = saved.own;
        self.path.truncate(saved.path);
        (self.suspect, self.lints) = saved.flags;
        (self.depth, self.floor) = saved.counts;
        self.made_used.truncate(saved.made_used);
    }

    pub(super) fn unwritable_kind(&self, shape: &TypeShape, kind: &TypeKind) -> Unwritable {
        let name = &shape.name;
        self.refuse(match kind {
            TypeKind::RawPointer { .. } => format!("a raw pointer ({name}): nothing says what it owns"),
            TypeKind::FunctionPointer => format!("a function pointer ({name})"),
            TypeKind::Closure { .. } => format!("a function ({name}): debug info does not say which"),
            TypeKind::Dyn => format!("a trait object ({name}), whose concrete type was not read"),
            TypeKind::Union => format!("a union ({name}): nothing says which field is in use"),
            TypeKind::Never => "a value of the type `!`".to_owned(),
            TypeKind::Opaque => format!("nothing is known of its type {name}"),
            TypeKind::Str | TypeKind::Slice(_) => format!("{name} without a pointer to it"),
            _ => return self.mismatch(shape),
        })
    }

    pub(super) fn integer(
        &self,
        shape: &TypeShape,
        signed: bool,
        bits: u16,
        data: &Data,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let (magnitude, negative) = match data {
            Data::Int(value) => (value.unsigned_abs(), *value < 0),
            Data::Uint(value) => (*value, false),
            _ => return Err(self.mismatch(shape)),
        };
        let by_shape;
        let name = if literal::primitive(&shape.name).is_some() {
            shape.name.as_str()
        } else {
            by_shape = format!("{}{bits}", if signed { 'i' } else { 'u' });
            &by_shape
        };
        literal::integer(magnitude, negative, name, place.typed).ok_or_else(|| self.mismatch(shape))
    }

    pub(super) fn float(
        &mut self,
        shape: &TypeShape,
        bits: u16,
        raw: u64,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let float = match bits {
            32 => literal::float32(raw as u32, place.typed),
            64 => literal::float64(raw, place.typed),
            _ => return Err(self.mismatch(shape)),
        };
        self.lints.allow(Lint::ApproxConstant, float.looks_like_constant);
        Ok(float.tokens)
    }

    pub(super) fn tuple(&mut self, items: &[Value], place: Place) -> Result<TokenStream, Unwritable> {
        let items = self.items(items, '.', place.element(), place.typed)?;
        Ok(match items.as_slice() {
            [one] => quote!((#one,)),
            items => quote!((#(#items),*)),
        })
    }

    /// The parts of a sequence (`[3]`) or tuple (`.3`). Only the first says its type where they share one.
    pub(super) fn items(
        &mut self,
        items: &[Value],
        step: char,
        place: Place,
        all_typed: bool,
    ) -> Result<Vec<TokenStream>, Unwritable> {
        if step == '[' {
            self.allow_single_range(items);
        }
        let mut written = Vec::with_capacity(items.len().min(MAX_NODES as usize));
        for (index, item) in items.iter().enumerate() {
            let path = if step == '.' { format!(".{index}") } else { format!("[{index}]") };
            let typed = place.typed && (all_typed || index == 0);
            let place = Place { typed, ..place };
            let place = if step == '[' && index > 0 { self.later_element(item, place) } else { place };
            written.push(self.part(&path, item, place)?);
        }
        Ok(written)
    }

    /// `::<u8, String>`, where every one of the types can be named.
    pub(super) fn turbofish(&self, params: &[TypeId]) -> Option<TokenStream> {
        let types: Vec<TokenStream> = params.iter().map(|ty| self.type_tokens(*ty)).collect::<Option<_>>()?;
        (!types.is_empty()).then(|| quote!(::<#(#types),*>))
    }

    /// A type in full; none where the test has another one in its place.
    pub(super) fn type_tokens(&self, ty: TypeId) -> Option<TokenStream> {
        if self.stand_ins.change(ty, self.types) {
            return None;
        }
        self.names.type_tokens(self.types.name(ty)).ok()
    }

    pub(super) fn function_item(
        &self,
        shape: &TypeShape,
        path: Option<String>,
        ty: TypeId,
    ) -> Result<TokenStream, Unwritable> {
        if let Some(path) = self.function_path(ty) {
            return path;
        }
        match path.filter(|path| !path.contains('{')) {
            Some(path) => self.name(&path),
            None => Err(self.unwritable_kind(shape, &shape.kind)),
        }
    }

    /// What a pointer points to. Readers may leave the pointer out for text and slices.
    pub(super) fn pointee<'v>(&self, value: &'v Value, to: TypeId) -> Result<Cow<'v, Value>, Unwritable> {
        match &value.data {
            Data::Pointer { to: Some(inner), .. } => Ok(Cow::Borrowed(&**inner)),
            Data::Pointer { to: None, .. }
                if self.types.get(to).is_some_and(|shape| shape.kind == TypeKind::FunctionPointer) =>
            {
                let name = self.types.name(to);
                Err(self.refuse(format!("a function ({name}): debug info does not say which")))
            }
            Data::Pointer { to: None, .. } => {
                Err(self.refuse(format!("what it points to ({}) was not read", self.types.name(to))))
            }
            Data::Missing(reason) => Err(self.refuse(format!("could not be read: {reason}"))),
            data => Ok(Cow::Owned(Value { ty: to, trust: value.trust, data: data.clone() })),
        }
    }

    /// Whether a variable can hold the type.
    pub(super) fn is_sized(&self, ty: TypeId) -> bool {
        let mut ty = ty;
        // Only the last field of a struct may have no size.
        for _ in 0..MAX_TYPES {
            match self.types.get(ty).map(|shape| &shape.kind) {
                Some(TypeKind::Struct { fields, .. }) if !fields.is_empty() => {
                    ty = fields.last().map_or(ty, |last| last.ty);
                }
                _ => break,
            }
        }
        !matches!(
            self.types.get(ty).map(|shape| &shape.kind),
            Some(
                TypeKind::Str
                    | TypeKind::Slice(_)
                    | TypeKind::Dyn
                    | TypeKind::Std { std: StdType::Path | StdType::OsStr, .. }
            )
        )
    }
}

/// Where what a reference leads to lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct RootPlace {
    pub(super) address: u64,
    /// In bytes.
    pub(super) size: u64,
    pub(super) mutable: bool,
}

fn place_of(root: &Value, types: &TypeTable) -> Option<RootPlace> {
    let Data::Pointer { address, .. } = root.data else { return None };
    let TypeKind::Reference { to, mutable } = types.get(root.ty)?.kind else { return None };
    Some(RootPlace { address, size: types.get(to)?.size.unwrap_or(1), mutable })
}

/// Whether an expression is that variable and nothing else.
pub(super) fn is_just(tokens: &TokenStream, variable: &Ident) -> bool {
    let mut trees = tokens.clone().into_iter();
    matches!((trees.next(), trees.next()), (Some(TokenTree::Ident(name)), None) if name == *variable)
}

pub(super) const OPTION: &str = "core::option::Option";
pub(super) const RESULT: &str = "core::result::Result";

/// How many parts of the value own each `Rc` and `Arc` in it, or refer to it by a `Weak`, by address.
pub(super) fn owners(root: &Value, types: &TypeTable) -> HashMap<u64, u32> {
    let mut seen: HashMap<u64, u32> = HashMap::new();
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        if let Some((address, _)) = counted(value, types) {
            *seen.entry(address).or_default() += 1;
        }
        open.extend(value.children());
    }
    seen
}

/// What a value of the type is called where it has no name of its own (`self`, the target of a nameless
/// reference): its type's name in snake case.
pub(super) fn variable_of(types: &TypeTable, ty: TypeId) -> String {
    let mut ty = ty;
    for _ in 0..8 {
        match types.get(ty).map(|shape| &shape.kind) {
            Some(TypeKind::Reference { to, .. }) => ty = *to,
            Some(TypeKind::Std {
                std: StdType::Box | StdType::Rc | StdType::Arc | StdType::Weak,
                params,
            }) if !params.is_empty() => {
                ty = params[0];
            }
            _ => break,
        }
    }
    match types.get(ty).map(|shape| &shape.kind) {
        Some(TypeKind::Str | TypeKind::Std { std: StdType::String, .. }) => "text".to_owned(),
        Some(TypeKind::Integer { .. } | TypeKind::Float { .. }) => "number".to_owned(),
        Some(
            TypeKind::Slice(_)
            | TypeKind::Array { .. }
            | TypeKind::Std { std: StdType::Vec | StdType::SliceIter | StdType::VecIntoIter, .. },
        ) => "items".to_owned(),
        Some(TypeKind::Std { std: StdType::File | StdType::BufReader, .. }) => "reader".to_owned(),
        _ => definition(principal(types.name(ty)).unwrap_or(types.name(ty)))
            .and_then(|path| path.rsplit("::").next().map(snake_case))
            .unwrap_or_else(|| "value".to_owned()),
    }
}
