//! Functions and pointers to them as values of real programs: which one it is, or that nothing tells it.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "stacks/target.rs"]
mod target;

use relapse_capture::image::{AddressSpace, ImageCache};
use relapse_capture::limits::Limits;
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_capture::stack::{Stacks, Want};
use relapse_snapshot::{Data, Frame, TypeTable, Value};

use target::{Stopped, compile};

/// What nothing tells.
const UNKNOWN: &str = "a function or a pointer to one: the debug info does not tell which";

/// Symbols that name their generic arguments.
const V0: &str = "-Csymbol-mangling-version=v0";

struct Seen {
    frames: Vec<Frame>,
    types: TypeTable,
}

impl Seen {
    fn of(flags: &[&str]) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let program = compile(folder.path(), "functions", flags);
        let stopped = Stopped::start(&program, &[]);
        let space = AddressSpace::of_process(stopped.pid(), &mut ImageCache::new()).unwrap();
        let (mut types, mut notes) = (TypeTable::default(), Vec::new());
        let package = PackageRoot { name: "functions".into(), folder: folder.path().into() };
        let roots = Roots { workspace: Some(folder.path().into()), packages: vec![package] };
        let mut stacks = Stacks::new(roots, Limits::default());
        let registers = stopped.registers();
        let frames = stacks.frames(&space, &registers, &stopped, Want::Values, &mut types, &mut notes);
        Seen { frames, types }
    }

    /// The arguments of the call of that function.
    fn arguments(&self, function: &str) -> Vec<&Value> {
        let of = |frame: &&Frame| frame.name.split('<').next() == Some(function);
        let frame = self.frames.iter().find(of).unwrap();
        frame.arguments.iter().map(|argument| &argument.value).collect()
    }

    /// A function by its name, and why others are none.
    fn text(&self, value: &Value) -> String {
        match &value.data {
            Data::Missing(reason) => reason.clone(),
            Data::Pointer { to: Some(to), .. } => self.text(to),
            Data::Pointer { to: None, .. } => "a bare address".to_owned(),
            _ => self.types.name(value.ty).to_owned(),
        }
    }

    fn texts(&self, function: &str) -> Vec<String> {
        self.arguments(function).into_iter().map(|value| self.text(value)).collect()
    }
}

fn children(value: &Value) -> Vec<&Value> {
    match &value.data {
        Data::Pointer { to: Some(to), .. } => children(to),
        Data::Cell { inner, .. } => vec![inner],
        Data::Struct(fields) => fields.iter().map(|field| &field.value).collect(),
        Data::Tuple(items) | Data::Sequence { items, .. } => items.iter().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn functions_of_one_signature_are_not_told_apart_by_their_entry() {
    let seen = Seen::of(&["-g", V0]);
    assert_eq!(seen.texts("both"), [UNKNOWN, UNKNOWN]);
    assert_eq!(seen.texts("twins"), ["{fn functions::double}", "{fn functions::double}"]);
}

#[test]
fn a_pointer_is_not_the_function_that_a_generic_beside_it_is() {
    let seen = Seen::of(&["-g", V0]);
    // Whether the two share an entry is the compiler's choice.
    let pointer = seen.texts("beside").pop().unwrap();
    assert!(pointer == UNKNOWN || pointer == "{fn functions::triple}", "{pointer}");
}

#[test]
fn constants_among_the_generics_do_not_shift_them() {
    let seen = Seen::of(&["-g", V0]);
    assert_eq!(seen.texts("pick")[0], "{fn functions::double}");
}

#[test]
fn a_functions_name_is_the_path_that_it_has() {
    let seen = Seen::of(&["-g"]);
    let rest = seen.arguments("pick")[1];
    let names: Vec<String> = children(rest)[1..].iter().map(|value| seen.text(value)).collect();
    assert_eq!(names, ["{fn functions::Scaled<T>::get}", "{fn functions::free::<u8>}"]);
}

#[test]
fn what_a_lazy_lock_will_run_is_read_where_it_is_a_pointer_only() {
    let seen = Seen::of(&["-g"]);
    let init = |value: &Value| seen.text(children(children(value)[0])[0]);
    assert_eq!(init(seen.arguments("pointers")[0]), "{fn functions::made}");
    assert_eq!(init(seen.arguments("lazy")[0]), "{fn() -> alloc::string::String}");
}
