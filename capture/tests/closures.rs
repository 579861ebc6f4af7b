//! Closures as values of real programs: what they have captured, and where they are written.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "stacks/target.rs"]
mod target;

use relapse_capture::image::{AddressSpace, ImageCache};
use relapse_capture::limits::Limits;
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_capture::stack::{Stacks, Want};
use relapse_snapshot::{ClosureText, Data, TypeKind, TypeTable, Value};

use target::{Stopped, compile};

/// A captured field's name and what it points to, or is.
type Captured = Vec<(String, Data)>;

/// The closures that the program passes: what they have captured, and what is known of their text.
fn closures(flags: &[&str]) -> Vec<(Captured, Option<ClosureText>, Vec<String>)> {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "closures", flags);
    let stopped = Stopped::start(&program, &[]);
    let space = AddressSpace::of_process(stopped.pid(), &mut ImageCache::new()).unwrap();
    let (mut types, mut notes) = (TypeTable::default(), Vec::new());
    let package = PackageRoot { name: "closures".into(), folder: folder.path().into() };
    let roots = Roots { workspace: Some(folder.path().into()), packages: vec![package] };
    let mut stacks = Stacks::new(roots, Limits::default());
    let frames = stacks.frames(&space, &stopped.registers(), &stopped, Want::Values, &mut types, &mut notes);
    let stop = frames.iter().find(|frame| frame.name.starts_with("stop<")).unwrap();
    let closure = |value: &Value| {
        let mut value = value;
        loop {
            value = match &value.data {
                Data::Pointer { to: Some(to), .. } => to,
                Data::Sequence { items, .. } => &items[0],
                _ => break,
            };
        }
        let Data::Struct(fields) = &value.data else { panic!("{value:?}") };
        let captured = fields.iter().map(|field| {
            let data = match &field.value.data {
                Data::Pointer { to: Some(to), .. } => to.data.clone(),
                data => data.clone(),
            };
            (field.name.clone(), data)
        });
        let TypeKind::Closure { written, .. } = &types.get(value.ty).unwrap().kind else {
            panic!("{value:?}")
        };
        let written = written.as_deref().cloned();
        let parameters = written.iter().flat_map(|text| &text.parameters);
        let parameters = parameters.map(|p| format!("{}: {}", p.name, types.name(p.ty))).collect();
        (captured.collect(), written, parameters)
    };
    let mut values: Vec<&Value> = stop.arguments.iter().map(|argument| &argument.value).collect();
    let Some(Data::Pointer { to: Some(twins), .. }) = values.pop().map(|value| &value.data) else { panic!() };
    let Data::Tuple(twins) = &twins.data else { panic!("{twins:?}") };
    values.extend(twins);
    values.into_iter().map(closure).collect()
}

fn line_of(text: &str) -> u32 {
    let source = include_str!("programs/closures.rs");
    1 + source.lines().position(|line| line.contains(text)).unwrap() as u32
}

#[test]
fn a_closure_has_its_captures_and_the_place_of_its_text() {
    for units in ["-Ccodegen-units=1", "-Ccodegen-units=64", "-Cincremental=incremental"] {
        let closures = closures(&["-g", units]);
        let texts =
            ["let by_ref = |x", "let moved = move", "let parts = |", "let nothing = |", "let nested ="];
        for ((_, written, _), text) in closures.iter().zip(texts) {
            let at = &written.as_ref().unwrap().at;
            assert_eq!((at.file.as_str(), at.line), ("src/closures.rs", line_of(text)), "{units}");
        }
        let captured = |index: usize| -> Vec<(&str, &Data)> {
            closures[index].0.iter().map(|(name, data)| (name.as_str(), data)).collect()
        };
        assert_eq!(captured(0), [("_ref__base", &Data::Uint(5))]);
        assert_eq!(captured(1), [("seen", &Data::Bytes { bytes: vec![1], len: 1 })]);
        let text = Data::Text { text: "r".into(), len: 1 };
        assert_eq!(captured(2), [("_ref__pair__left", &Data::Uint(1)), ("_ref__pair__right", &text)]);
        assert_eq!(captured(3), []);
        assert_eq!(captured(4), [("n", &Data::Uint(1))]);
    }
}

#[test]
fn a_closures_parameters_are_known_by_name_and_type() {
    let parameters: Vec<Vec<String>> =
        closures(&["-g"]).into_iter().take(5).map(|(.., parameters)| parameters).collect();
    let shown: Vec<Vec<&str>> =
        parameters.iter().map(|list| list.iter().map(String::as_str).collect()).collect();
    // The closure itself, which comes first where it has captured nothing, is none; a pattern has no name.
    assert_eq!(
        shown,
        [vec!["x: u32", "text: &str"], vec!["x: u8"], vec![": (u32, u32)"], vec!["x: u32"], vec!["x: u32"]]
    );
}

/// Debug info gives two functions in two blocks of one the same path.
#[test]
fn a_closure_that_may_be_one_of_two_has_no_place() {
    for units in ["-Ccodegen-units=1", "-Ccodegen-units=64"] {
        let closures = closures(&["-g", units]);
        assert_eq!(closures.len(), 7);
        assert!(closures[5..].iter().all(|(_, written, _)| written.is_none()), "{:?}", &closures[5..]);
    }
}
