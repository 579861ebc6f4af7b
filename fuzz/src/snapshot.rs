//! What the program does with a snapshot that it has read: redaction, fingerprint, display, and the expressions
//! that a test is written from.

use std::path::Path;

use quote::quote;
use relapse_generator::expression::{Literals, Scope, argument_with, body, format};
use relapse_generator::hostile;
use relapse_snapshot::display::{line, pretty, shell_words, short_function, short_type, terminal_safe};
use relapse_snapshot::store::{from_json, to_json};
use relapse_snapshot::{Frame, Rules, Snapshot, TypeTable, fingerprint, redact};

use crate::names::Everything;

/// Does all of it.
pub(crate) fn exercise(mut snapshot: Snapshot) {
    let json = to_json(&snapshot).expect("what was read can be written");
    let again = from_json(&json, Path::new("written")).expect("what was written can be read");
    assert_eq!(to_json(&again).expect("it can be written again"), json);

    for frame in snapshot.frames() {
        show(frame, &snapshot.types);
        for way in WAYS {
            write(frame, &snapshot.types, way);
        }
    }
    let _ = (snapshot.called_at(), snapshot.innermost_workspace_frame().map(Frame::trust));
    let _ = shell_words(&snapshot.program.command);
    name(&snapshot.cause.message);
    let _ = fingerprint(&snapshot.cause, snapshot.location.as_ref(), snapshot.frames());

    relapse_snapshot::depth::limit_depth(&mut snapshot);
    redact(&mut snapshot, &Rules::default());
    assert_eq!(redact(&mut snapshot, &Rules::default()), 0, "a second redaction changes something");
}

pub(crate) fn show(frame: &Frame, types: &TypeTable) {
    let _ = (short_function(&frame.function), relapse_generator::header::short_path(frame));
    name(&frame.function);
    for argument in &frame.arguments {
        let _ = (short_type(types.name(argument.value.ty)), argument.value.worst_trust());
        for width in [0, 40, 120] {
            let shown = pretty(&argument.value, types, width) + &line(&argument.value, types, width);
            assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
        }
    }
}

/// Names and comments that are made of a text.
fn name(text: &str) {
    let plain = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    assert!(plain(&hostile::file_name(text)) && plain(&hostile::test_name(text, text)));
    assert!(!hostile::comment::one_line(text).contains(['\n', '\r']));
    let _ = terminal_safe(text);
}

/// The ways to write expressions: what literals say of their types, and whether a struct's may be written.
pub(crate) const WAYS: [(Literals, bool); 6] = [
    (Literals::Inferred, true),
    (Literals::Annotated, true),
    (Literals::Suffixed, true),
    (Literals::Inferred, false),
    (Literals::Annotated, false),
    (Literals::Suffixed, false),
];

/// Every argument as an expression; what comes out is Rust.
pub(crate) fn write(frame: &Frame, types: &TypeTable, (how, literals): (Literals, bool)) {
    let (names, mut scope) = (Everything { literals }, Scope::new("case"));
    let written: Vec<_> = frame
        .arguments
        .iter()
        .filter_map(|argument| {
            argument_with(&argument.name, &argument.value, types, &names, &mut scope, how).ok()
        })
        .collect();
    let pass = written.iter().map(|written| &written.pass);
    let tokens = body(&written, &quote!(call(#(#pass),*)), true);
    assert!(syn::parse2::<syn::Block>(quote!({ #tokens })).is_ok(), "{tokens}");
    let text = format(&tokens);
    assert!(syn::parse_str::<syn::Block>(&format!("{{\n{text}\n}}")).is_ok(), "{text}");
}
