//! Frames as candidates: which function a frame is, whether a test can call it, and what its arguments are
//! written as. In: a snapshot and the source index. Out: candidates, and the reason of every rejection.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use relapse_snapshot::{
    Argument, Data, Frame, FrameKind, Snapshot, Trust, TypeId, TypeKind, TypeTable, Value,
};

use crate::expression::{
    Extent, Literals, Open, Scope, StandIns, Unwritable, WrittenArgument, argument_of_any_type, argument_with,
};
use crate::index::{CallPath, FunctionItem, Holds, ModuleId, NamesAt, Owner, PublicApi, SourceIndex};
use crate::names::Unnameable;
use crate::regression::ConstructorFile;
use crate::target::Facts;

/// A workspace frame of the crashing thread and the function that it is.
#[derive(Debug, Clone)]
pub struct Callable<'a> {
    /// The frame.
    pub frame: &'a Frame,
    /// Workspace frames between it and the innermost one.
    pub depth: usize,
    /// The function.
    pub function: &'a FunctionItem,
    /// The module in which its test stands: its own, or that of a test target outside of its library.
    pub home: ModuleId,
    /// What the choice of the target goes by.
    pub facts: Facts,
}

/// A frame that no test can be written for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The function's path.
    pub function: String,
    /// Its depth: see [`Callable::depth`].
    pub depth: usize,
    /// Why, in words for the user.
    pub reason: String,
    /// No test could ever call it, whatever the user does: a closure, a call within a recursion.
    pub inherent: bool,
}

/// Joins every workspace frame of the crashing thread to its function.
pub fn callables<'a>(snapshot: &'a Snapshot, index: &'a SourceIndex) -> (Vec<Callable<'a>>, Vec<Rejection>) {
    let workspace: Vec<&Frame> =
        snapshot.frames().iter().filter(|frame| frame.kind == FrameKind::Workspace).collect();
    let (mut callables, mut rejected) = (Vec::new(), Vec::new());
    let api = PublicApi::new(index);
    let mut blames_caller = false;
    let calls = calls_by_function(&workspace);
    for (depth, &frame) in workspace.iter().enumerate() {
        let joined = join(frame, index);
        blames_caller = match depth.checked_sub(1) {
            None => joined.as_ref().is_ok_and(|function| asserts_on_arguments(snapshot, frame, function)),
            Some(inner) => blames_caller && passes_on(frame, workspace[inner]),
        };
        match joined {
            Ok(_) if is_inner_recursion(depth, &calls[frame.function.as_str()]) => {
                let reason = "one of many calls of a recursion: its innermost and outermost ones are tried";
                rejected.push(Rejection {
                    function: frame.function.clone(),
                    depth,
                    reason: reason.to_owned(),
                    inherent: true,
                });
            }
            Ok(function) => {
                let facts = facts(snapshot, frame, depth, function, index, &api);
                let facts = Facts { asserts_on_arguments: blames_caller, ..facts };
                callables.push(Callable { frame, depth, function, home: function.module, facts });
            }
            Err(reason) => {
                // What debug info lacks can be had.
                let inherent = frame.declared.is_some() && frame.arguments_missing.is_none();
                rejected.push(Rejection { function: frame.function.clone(), depth, reason, inherent });
            }
        }
    }
    (callables, rejected)
}

/// Calls of one function at either end of a recursion that become candidates.
const RECURSION_ENDS: usize = 4;

/// The depths of each function's calls, innermost first.
fn calls_by_function<'f>(workspace: &[&'f Frame]) -> BTreeMap<&'f str, Vec<usize>> {
    let mut calls: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (depth, frame) in workspace.iter().enumerate() {
        calls.entry(&frame.function).or_default().push(depth);
    }
    calls
}

/// Whether a call is in the middle of a long recursion.
fn is_inner_recursion(depth: usize, calls: &[usize]) -> bool {
    let at = calls.iter().position(|call| *call == depth).unwrap_or_default();
    at >= RECURSION_ENDS && at + RECURSION_ENDS < calls.len()
}

/// The function that a frame is, or why a test cannot call it.
fn join<'a>(frame: &Frame, index: &'a SourceIndex) -> Result<&'a FunctionItem, String> {
    if frame.name.starts_with("{async") {
        return Err("an async function's frame holds its saved state, not its arguments".to_owned());
    }
    if frame.name.starts_with('{') {
        return Err("a closure has no name that a test could call".to_owned());
    }
    let Some(declared) = &frame.declared else {
        return Err("the debug info does not say where it is declared".to_owned());
    };
    let hint = crate_name(&frame.function);
    let mut found = index.function_at(&declared.file, declared.line, &frame.name, hint);
    if found.is_empty() {
        found = index.function_at(&declared.file, declared.line, &frame.name, "");
    }
    let Some(&function) = found.first() else {
        if let Some(problem) = index.problems().find(|problem| problem.file == Path::new(&declared.file)) {
            return Err(format!("failed to read {}: {}", declared.file, problem.reason));
        }
        return Err(match index.macro_at(&declared.file, declared.line, "") {
            Some(made) => format!("the macro `{}` makes it; its text does not read as a function", made.name),
            None => format!("no function `{}` stands at {}:{}", frame.name, declared.file, declared.line),
        });
    };
    if let Some(outer) = &function.nested_in {
        return Err(format!("it is nested in `{outer}` and cannot be named from elsewhere"));
    }
    if function.is_async() {
        return Err("an async function runs later than its call".to_owned());
    }
    if function.attributes.test {
        return Err("it is a test itself and shows the crash already".to_owned());
    }
    if index.function_holds(function) == Holds::No {
        return Err("a cfg leaves it out of test builds".to_owned());
    }
    if frame.arguments.len() != function.signature.inputs.len() {
        return Err(frame.arguments_missing.clone().unwrap_or_else(|| {
            let (has, takes) = (frame.arguments.len(), function.signature.inputs.len());
            format!("the debug info shows {has} of its {takes} arguments")
        }));
    }
    Ok(function)
}

/// The crate that a demangled path begins with: `uuid` of `<uuid::Uuid as core::fmt::Display>::fmt`.
fn crate_name(path: &str) -> &str {
    let start = path.trim_start_matches(['<', '&', '(', '[', '*']);
    let start = start.strip_prefix("mut ").or_else(|| start.strip_prefix("const ")).unwrap_or(start);
    let end = start.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(start.len());
    &start[..end]
}

fn facts(
    snapshot: &Snapshot,
    frame: &Frame,
    depth: usize,
    function: &FunctionItem,
    index: &SourceIndex,
    api: &PublicApi<'_>,
) -> Facts {
    let target = index.target(function.id.krate);
    let program = !target.kind.is_library();
    Facts {
        frame: depth,
        public: !program && api.is_public_api(function),
        program,
        plain_data: frame.arguments.iter().all(|a| is_plain(a.value.ty, &snapshot.types)),
        documents_panics: function.attributes.panics_docs.is_some(),
        track_caller: function.attributes.track_caller,
        asserts_on_arguments: false,
        is_unsafe: function.is_unsafe(),
        names_outside_file: frame
            .arguments
            .iter()
            .any(|a| names_file_outside(&a.value, index.workspace_root(), &snapshot.program.name)),
        entry_point: function.attributes.test
            || (program && function.name == "main" && index.module(function.module).path.is_empty()),
    }
}

/// Texts that are looked at, and the longest of them that may be a path.
const MOST_TEXTS: usize = 256;
const LONGEST_PATH: usize = 4096;

/// Whether a text in a value is the absolute path of a file that is there, but not within the workspace. The
/// program's own path, the first of its arguments, is none that it reads.
fn names_file_outside(value: &Value, workspace: &Path, program: &str) -> bool {
    let (mut open, mut looked_at) = (vec![value], 0);
    while let Some(value) = open.pop().filter(|_| looked_at < MOST_TEXTS) {
        if let Data::Text { text, .. } = &value.data {
            looked_at += 1;
            let path = Path::new(text);
            let is_path = text.len() <= LONGEST_PATH && path.is_absolute() && !path.starts_with(workspace);
            if is_path && path.file_name().is_some_and(|name| name != program) && path.is_file() {
                return true;
            }
        }
        open.extend(value.children());
    }
    false
}

/// Whether the innermost workspace frame panics by an assertion on nothing but its parameters.
fn asserts_on_arguments(snapshot: &Snapshot, frame: &Frame, function: &FunctionItem) -> bool {
    // The panic is raised in the function's own body where nothing of a dependency lies further in.
    let raised_here = snapshot
        .frames()
        .iter()
        .find(|f| matches!(f.kind, FrameKind::Workspace | FrameKind::Dependency))
        .is_some_and(|innermost| std::ptr::eq(innermost, frame));
    let line = frame.location.as_ref().map_or(0, |location| location.line);
    raised_here && function.asserts_on_arguments_at(line)
}

/// Whether a function merely passes its own arguments on to the one that it called: then what that one asserts
/// is the business of *its* caller, too.
fn passes_on(outer: &Frame, inner: &Frame) -> bool {
    let given = |passed: &Argument| outer.arguments.iter().any(|own| is_passed_on(&own.value, &passed.value));
    !inner.arguments.is_empty() && inner.arguments.iter().all(given)
}

/// Whether what a function was called with is an argument of its caller. References are the same where they
/// point to the same place. A reference to an argument taken by value is that argument; a value made from a
/// reference is a new one, but for plain numbers.
fn is_passed_on(own: &Value, passed: &Value) -> bool {
    let scalar = |value: &Value| {
        matches!(value.data, Data::Bool(_) | Data::Char(_) | Data::Int(_) | Data::Uint(_) | Data::Float(_))
    };
    match (&own.data, &passed.data) {
        (Data::Missing(_), _) | (_, Data::Missing(_)) => false,
        (Data::Pointer { address: own, .. }, Data::Pointer { address: passed, .. }) => own == passed,
        (_, Data::Pointer { to: Some(to), .. }) => to.ty == own.ty && to.data == own.data,
        (Data::Pointer { to: Some(to), .. }, _) => {
            scalar(passed) && to.ty == passed.ty && to.data == passed.data
        }
        (own_data, passed_data) => own.ty == passed.ty && own_data == passed_data,
    }
}

/// Whether a type is made of std's types alone.
fn is_plain(ty: TypeId, types: &TypeTable) -> bool {
    let (mut open, mut seen) = (vec![ty], BTreeSet::new());
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        let Some(shape) = types.get(id) else { return false };
        match &shape.kind {
            TypeKind::Tuple(items) | TypeKind::Std { params: items, .. } => open.extend(items),
            TypeKind::Array { of, .. } | TypeKind::Slice(of) => open.push(*of),
            TypeKind::Reference { to, .. } => open.push(*to),
            TypeKind::Struct { params, .. } | TypeKind::Enum { params, .. } => {
                if !["core::", "alloc::", "std::"].iter().any(|root| shape.name.starts_with(root)) {
                    return false;
                }
                open.extend(params);
            }
            TypeKind::Bool
            | TypeKind::Char
            | TypeKind::Integer { .. }
            | TypeKind::Float { .. }
            | TypeKind::Never
            | TypeKind::Str => {}
            TypeKind::RawPointer { .. }
            | TypeKind::Union
            | TypeKind::FunctionPointer
            | TypeKind::Closure { .. }
            | TypeKind::Dyn
            | TypeKind::Opaque => return false,
        }
    }
    true
}

/// How much a test says of the types of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The call carries its generic arguments: for what cannot be inferred.
    pub full_path: bool,
    /// The arguments, by bit, whose variables carry their types.
    pub annotated: u64,
    /// All literals carry their types, and the call its generic arguments: where nothing less will do.
    pub explicit: bool,
    /// No type is imported, however often its path stands there.
    pub long_paths: bool,
    /// The result is dropped by `let _ =`: the compiler wants it used.
    pub drop_result: bool,
    /// Bytes stand in for a reader as a cursor, which can seek, also where no bound asks for it.
    pub seekable: bool,
}

impl Style {
    /// Lets an argument's variable say its type; `false` where it does already.
    pub fn annotate(&mut self, argument: usize) -> bool {
        let bit = u32::try_from(argument).ok().and_then(|shift| 1_u64.checked_shl(shift)).unwrap_or(0);
        let new = self.annotated & bit == 0 && bit != 0;
        self.annotated |= bit;
        new
    }

    /// How much an argument's literals say.
    fn literals(self, argument: usize) -> Literals {
        if self.explicit {
            return Literals::Suffixed;
        }
        let is_annotated =
            u32::try_from(argument).is_ok_and(|bit| self.annotated.checked_shr(bit).unwrap_or(0) & 1 == 1);
        if is_annotated { Literals::Annotated } else { Literals::Inferred }
    }
}

/// A call with all that stands before it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The arguments, in order.
    pub arguments: Vec<WrittenArgument>,
    /// The call.
    pub tokens: TokenStream,
    /// The constructors that the arguments are built by.
    pub constructors: Vec<ConstructorFile>,
}

impl Call {
    fn new(arguments: Vec<WrittenArgument>, tokens: TokenStream, names: &NamesAt<'_>) -> Call {
        let lets: TokenStream = arguments.iter().flat_map(|argument| argument.lets.iter().cloned()).collect();
        let constructors = names.constructors(&quote!(#lets #tokens));
        Call { arguments, tokens, constructors }
    }
}

/// `book.price(depth)`, `fill(s, width)`, `parse::<u8>(s)`; an unsafe function's in an `unsafe` block, which is its
/// own contract.
fn call_tokens(
    path: &CallPath,
    arguments: &[WrittenArgument],
    scope: &Scope,
    explicit: bool,
    is_unsafe: bool,
) -> TokenStream {
    let passes: Vec<&TokenStream> = arguments.iter().map(|argument| &argument.pass).collect();
    let is_local = |name: &str| scope.has(name);
    let receiver = arguments.first().and_then(|argument| argument.variable.as_ref());
    let call = match (&path.full, &path.method, receiver) {
        (Some(full), _, _) if explicit => {
            let full = path.beside(full, is_local);
            quote!(#full(#(#passes),*))
        }
        (_, Some(method), Some(receiver)) => {
            let rest = &passes[1..];
            quote!(#receiver.#method(#(#rest),*))
        }
        _ => {
            let plain = path.beside(&path.path, is_local);
            quote!(#plain(#(#passes),*))
        }
    };
    if is_unsafe { quote!(unsafe { #call }) } else { call }
}

/// Why a call cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// An argument cannot be written.
    #[error(transparent)]
    Argument(#[from] Unwritable),
    /// The function cannot be named.
    #[error(transparent)]
    Name(#[from] Unnameable),
}

impl Callable<'_> {
    /// Writes the call as it stands in a test in its home.
    pub fn call(
        &self,
        test: &str,
        style: Style,
        types: &TypeTable,
        index: &SourceIndex,
    ) -> Result<Call, Uncallable> {
        let narrow = self.stand_ins(Extent { seekable: style.seekable, all_sinks: false }, types);
        let refused = match self.call_with(&narrow, test, style, types, index) {
            Err(Uncallable::Argument(refused)) => refused,
            made => return made,
        };
        // What cannot be written, but is only written to, has an equal.
        let wide = self.stand_ins(Extent { seekable: style.seekable, all_sinks: true }, types);
        let again = (wide != narrow).then(|| self.call_with(&wide, test, style, types, index).ok());
        again.flatten().ok_or(Uncallable::Argument(refused))
    }

    fn call_with(
        &self,
        stand_ins: &StandIns,
        test: &str,
        style: Style,
        types: &TypeTable,
        index: &SourceIndex,
    ) -> Result<Call, Uncallable> {
        let names = NamesAt::new(index, self.home);
        // What stands in for a type is left to inference.
        let kept = self.frame.generics.iter().filter(|generic| !stand_ins.change(generic.ty, types));
        let generics: Vec<(&str, &str)> = kept.map(|g| (g.name.as_str(), types.name(g.ty))).collect();
        let path = names.callable(self.function, &generics)?;
        let mut scope = Scope::new(test);
        if let Some(format) = self.format_string() {
            return self.formatting(format, types, &names, &mut scope);
        }
        let mut arguments = Vec::new();
        for (index, argument) in self.frame.arguments.iter().enumerate() {
            let (name, value) = (&argument.name, &argument.value);
            let literals = style.literals(index);
            let written = argument_of_any_type(name, value, types, &names, &mut scope, literals, stand_ins)?;
            arguments.push(written);
        }
        let full = style.explicit || style.full_path;
        let tokens = call_tokens(&path, &arguments, &scope, full, self.function.is_unsafe());
        Ok(Call::new(arguments, tokens, &names))
    }

    /// What the call is given for readers and sinks that nobody can build again: its generic parameters take
    /// any type.
    pub fn stand_ins(&self, extent: Extent, types: &TypeTable) -> StandIns {
        let open: Vec<Open> = self
            .frame
            .generics
            .iter()
            .map(|generic| Open { ty: generic.ty, bounds: self.function.bounds_of(&generic.name) })
            .collect();
        StandIns::new(&open, extent, types)
    }

    /// The format string that calls a `fmt` of std's traits; nobody makes a `Formatter` by hand.
    fn format_string(&self) -> Option<&'static str> {
        let Owner::TraitImpl { trait_path, .. } = &self.function.owner else { return None };
        if self.function.name != "fmt" || self.frame.arguments.len() != 2 {
            return None;
        }
        Some(match trait_path.segments.last()?.ident.to_string().as_str() {
            "Display" => "{}",
            "Debug" => "{:?}",
            "LowerHex" => "{:x}",
            "UpperHex" => "{:X}",
            "Octal" => "{:o}",
            "Binary" => "{:b}",
            "LowerExp" => "{:e}",
            "UpperExp" => "{:E}",
            "Pointer" => "{:p}",
            _ => return None,
        })
    }

    /// `format!("{}", duration)`: width, precision and flags of the crash are not kept, the proof tells whether
    /// they mattered.
    fn formatting(
        &self,
        format: &str,
        types: &TypeTable,
        names: &NamesAt<'_>,
        scope: &mut Scope,
    ) -> Result<Call, Uncallable> {
        let receiver = &self.frame.arguments[0];
        let written = argument_with("self", &receiver.value, types, names, scope, Literals::Suffixed)?;
        let pass = match &written.variable {
            Some(variable) => quote!(#variable),
            None => written.pass.clone(),
        };
        let literal = crate::hostile::literal::string(format);
        let tokens = quote!(format!(#literal, #pass));
        Ok(Call::new(vec![written], tokens, names))
    }

    /// The worst trust of the arguments.
    pub fn trust(&self) -> Trust {
        self.frame.trust()
    }

    /// The rejection of this function.
    pub fn rejection(&self, reason: String) -> Rejection {
        Rejection { function: self.frame.function.clone(), depth: self.depth, reason, inherent: false }
    }

    /// The same function, called from outside of its library; `None` where that cannot be.
    pub fn from_outside(&self, index: &SourceIndex) -> Option<Self> {
        let home = index.outside(self.function.id.krate).filter(|_| self.facts.public)?;
        Some(Self { home, ..self.clone() })
    }

    /// Whether its test stands outside of its crate.
    pub fn is_outside(&self) -> bool {
        self.home.krate != self.function.id.krate
    }

    /// The function's path as a reader would name it: `crate::fill`, `crate::book::Book::price`; from outside
    /// `textwrap::fill`.
    pub fn target_path(&self, index: &SourceIndex) -> String {
        let krate = if self.is_outside() {
            index.target(self.function.id.krate).crate_name.clone()
        } else {
            "crate".to_owned()
        };
        let mut parts = vec![krate];
        parts.extend(index.module(self.function.module).path.iter().cloned());
        match &self.function.owner {
            Owner::Module => {}
            Owner::Inherent { self_type, .. } | Owner::TraitImpl { self_type, .. } => {
                if let syn::Type::Path(path) = &**self_type
                    && let Some(last) = path.path.segments.last()
                {
                    parts.push(last.ident.to_string());
                }
            }
            Owner::Trait { name, .. } => parts.push(name.clone()),
        }
        parts.push(self.function.name.clone());
        parts.join("::")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(data: Data) -> Value {
        Value { ty: TypeId(0), trust: Trust::AtCrash, data }
    }

    fn reference(address: u64, to: Value) -> Value {
        value(Data::Pointer { address, to: Some(Box::new(to)) })
    }

    #[test]
    fn a_reference_is_passed_on_where_it_points_to_the_same_place() {
        let zero = || value(Data::Sequence { items: Vec::new(), len: 0 });
        assert!(is_passed_on(&reference(16, zero()), &reference(16, zero())));
        assert!(!is_passed_on(&reference(16, zero()), &reference(32, zero())), "equal, but another one");
    }

    #[test]
    fn a_value_made_from_a_reference_is_a_new_one() {
        let zero = || value(Data::Sequence { items: Vec::new(), len: 0 });
        assert!(is_passed_on(&zero(), &reference(16, zero())));
        assert!(!is_passed_on(&reference(16, zero()), &zero()));
        assert!(is_passed_on(&reference(16, value(Data::Uint(5))), &value(Data::Uint(5))));
        assert!(!is_passed_on(&value(Data::Uint(5)), &value(Data::Uint(6))));
    }

    #[test]
    fn a_file_outside_of_the_workspace_is_seen_wherever_it_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("orders.txt");
        std::fs::write(&file, "x").unwrap();
        let text = |text: &str| value(Data::Text { text: text.to_owned(), len: text.len() as u64 });
        let words = |last: &Path| {
            let items = vec![text("tool"), text(last.to_str().unwrap())];
            value(Data::Sequence { items, len: 2 })
        };
        assert!(names_file_outside(&words(&file), Path::new("/work"), "tool"));
        assert!(!names_file_outside(&words(&file), folder.path(), "tool"), "it is in the workspace");
        assert!(!names_file_outside(&words(&file), Path::new("/work"), "orders.txt"), "the program itself");
        assert!(!names_file_outside(&words(folder.path()), Path::new("/work"), "tool"), "a folder");
        assert!(!names_file_outside(&words(Path::new("orders.txt")), Path::new("/work"), "tool"));
    }

    #[test]
    fn crate_name_is_the_first_name_of_the_path() {
        assert_eq!(crate_name("uuid::Uuid::get"), "uuid");
        assert_eq!(crate_name("<uuid::Uuid as core::fmt::Display>::fmt"), "uuid");
        assert_eq!(crate_name("<&mut demo::R as std::io::Read>::read"), "demo");
        assert_eq!(crate_name(""), "");
    }
}
