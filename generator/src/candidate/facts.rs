//! What the choice of the target goes by, as one frame and its values show it.

use std::collections::BTreeSet;
use std::path::Path;

use relapse_snapshot::{
    Argument, Data, Frame, FrameKind, Snapshot, TypeId, TypeKind, TypeTable, Value, bare_name,
};

use crate::index::{FunctionItem, PublicApi, Returns, SourceIndex};
use crate::target::Facts;

pub(super) fn facts(
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
        recursion: None,
        public: !program && api.is_public_api(function),
        called_from_outside: false,
        given_by_program: false,
        program,
        plain_data: frame.arguments.iter().all(|a| is_plain(a.value.ty, &snapshot.types)),
        documents_panics: function.attributes.panics_docs.is_some(),
        track_caller: function.attributes.track_caller,
        asserts_on_arguments: false,
        forwards_operator: forwards_operator(snapshot, frame),
        is_unsafe: function.is_unsafe(),
        names_outside_file: frame
            .arguments
            .iter()
            .any(|a| names_file_outside(&a.value, index.workspace_root(), &snapshot.program.name)),
        entry_point: function.attributes.test
            || (program && function.name == "main" && index.module(function.module).path.is_empty()),
        never_returns: function.returns == Returns::Never,
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
pub(super) fn asserts_on_arguments(snapshot: &Snapshot, frame: &Frame, function: &FunctionItem) -> bool {
    // The panic is raised in the function's own body where nothing of a dependency lies further in.
    let raised_here = snapshot
        .frames()
        .iter()
        .find(|f| matches!(f.kind, FrameKind::Workspace | FrameKind::Dependency))
        .is_some_and(|innermost| std::ptr::eq(innermost, frame));
    let line = frame.location.as_ref().map_or(0, |location| location.line);
    raised_here && function.asserts_on_arguments_at(line)
}

/// Whether a function is an operator of std's (`Add::add`) and has called, right from its body, the same one of a type of
/// std; and nothing of the workspace that this one has called is at fault (`Clone` of an operand).
fn forwards_operator(snapshot: &Snapshot, frame: &Frame) -> bool {
    let Some(operator) = operator(&frame.function) else { return false };
    let frames = snapshot.frames();
    let further_in = frames.iter().position(|known| std::ptr::eq(known, frame)).map(|at| &frames[..at]);
    let Some([within @ .., called]) = further_in else { return false };
    called.kind == FrameKind::Std
        && self::operator(&called.function) == Some(operator)
        && within.iter().all(|inner| inner.kind != FrameKind::Workspace)
}

/// The families of operators that promise no more than the type that they are of. Which index is right is what a container
/// says itself, and what is behind a pointer is found by whoever wrote that one.
const OPERATORS: [&str; 2] = ["core::ops::arith::", "core::ops::bit::"];

/// The operator that a function implements, as trait and method, without the trait's parameters:
/// `<a::Instant as core::ops::arith::Add<core::time::Duration>>::add` is `core::ops::arith::Add` and `add`.
fn operator(function: &str) -> Option<(&str, &str)> {
    let at = function.find(" as core::ops::")?;
    let implemented = &function[at + " as ".len()..];
    let path = &implemented[..implemented.find(['<', '>'])?];
    let (_, method) = implemented.rsplit_once(">::")?;
    OPERATORS.iter().any(|family| path.starts_with(family)).then_some((path, method))
}

/// Whether a function merely passes its own arguments on to the one that it called: then what that one asserts
/// is the business of *its* caller, too. Where the values do not tell, since some are missing, its text does: `forwards` are
/// the names of the functions that it hands its arguments on to.
pub(super) fn passes_on(outer: &Frame, inner: &Frame, forwards: Option<&BTreeSet<String>>) -> bool {
    let given = |passed: &Argument| outer.arguments.iter().any(|own| is_passed_on(&own.value, &passed.value));
    if inner.arguments.is_empty() {
        return false;
    }
    let is_missing = |argument: &Argument| matches!(argument.value.data, Data::Missing(_));
    let by_value = inner.arguments.iter().all(given);
    let unknown = || [outer, inner].into_iter().flat_map(|frame| &frame.arguments).any(is_missing);
    let by_text = || forwards.is_some_and(|names| names.contains(bare_name(&inner.function)));
    by_value || unknown() && by_text()
}

/// Whether what a function was called with is an argument of its caller. References are the same where they
/// point to the same place. A reference to an argument taken by value is that argument; a value made from a
/// reference is a new one, but for plain numbers.
fn is_passed_on(own: &Value, passed: &Value) -> bool {
    let scalar = |value: &Value| {
        matches!(value.data, Data::Bool(_) | Data::Char(_) | Data::Int(_) | Data::Uint(_) | Data::Float(_))
    };
    let (own, passed) = (own.root(), passed.root());
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

#[cfg(test)]
mod tests {
    use relapse_snapshot::Trust;

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
    fn what_an_optimiser_left_nothing_of_is_passed_on_where_the_text_says_so() {
        let frame = |function: &str, data: Data| Frame {
            function: function.to_owned(),
            arguments: vec![Argument { name: "n".to_owned(), value: value(data) }],
            ..Frame::default()
        };
        let missing = || Data::Missing("optimized out".to_owned());
        let inner = frame("demo::check::<u8>", missing());
        let outer = frame("demo::next", Data::Uint(5));
        let names = |name: &str| BTreeSet::from([name.to_owned()]);
        assert!(passes_on(&outer, &inner, Some(&names("check"))));
        assert!(!passes_on(&outer, &inner, Some(&names("other"))) && !passes_on(&outer, &inner, None));
        // Values say more than the text.
        let inner = frame("demo::check::<u8>", Data::Uint(6));
        assert!(!passes_on(&outer, &inner, Some(&names("check"))));
    }

    #[test]
    fn an_operator_of_a_wrapper_is_stds_own() {
        let add = |of: &str, kind| Frame {
            function: format!("<{of} as core::ops::arith::Add<core::time::Duration>>::add"),
            kind,
            ..Frame::default()
        };
        let within = |frames: Vec<Frame>, at: usize| {
            let mut snapshot = crate::same_crash::tests::panicked();
            snapshot.threads.push(relapse_snapshot::Thread {
                tid: 1,
                name: None,
                spawned_by: None,
                stack_size: None,
                frames,
            });
            forwards_operator(&snapshot, &snapshot.frames()[at])
        };
        let on = |inner: Frame| within(vec![inner, add("demo::Moment", FrameKind::Workspace)], 1);
        assert!(on(add("std::time::Instant", FrameKind::Std)));
        assert!(!on(add("demo::Inner", FrameKind::Workspace)), "it may be at fault");
        let other = |function: &str| Frame {
            function: function.to_owned(),
            kind: FrameKind::Std,
            ..Frame::default()
        };
        assert!(
            !on(other("<alloc::vec::Vec<T,A> as core::ops::index::Index<I>>::index")),
            "another operator"
        );
        assert!(!on(other("core::option::unwrap_failed")));
        let in_it = |kind| {
            let frames = vec![
                Frame { kind, ..other("demo::Inner::cut") },
                add("core::num::wrapping::Wrapping<demo::Inner>", FrameKind::Std),
                add("demo::Moment", FrameKind::Workspace),
            ];
            within(frames, 2)
        };
        assert!(in_it(FrameKind::Std));
        assert!(!in_it(FrameKind::Workspace), "what std calls there may be at fault");
        let index = |of: &str, kind| Frame {
            function: format!("<{of} as core::ops::index::Index<usize>>::index"),
            kind,
            ..Frame::default()
        };
        let frames =
            vec![index("alloc::vec::Vec<u8>", FrameKind::Std), index("demo::Row", FrameKind::Workspace)];
        assert!(!within(frames, 1), "which index is right is the container's to say");
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
}
