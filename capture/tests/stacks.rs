//! Stacks of real programs, compiled here by rustc and stopped by themselves; gdb is the witness.

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "stacks/target.rs"]
mod target;

use std::path::Path;
use std::process::Command;

use relapse_capture::image::{AddressSpace, ImageCache};
use relapse_capture::limits::Limits;
use relapse_capture::roots::{PackageRoot, Roots};
use relapse_capture::stack::{Stacks, Want};
use relapse_snapshot::{Data, Frame, FrameKind, Trust, TypeTable, Value};

use target::{Stopped, compile};

fn roots(folder: &Path) -> Roots {
    let package = PackageRoot { name: "deep".into(), folder: folder.into() };
    Roots { workspace: Some(folder.into()), packages: vec![package] }
}

struct Seen {
    frames: Vec<Frame>,
    types: TypeTable,
    notes: Vec<String>,
}

fn see(folder: &Path, program: &Path, arguments: &[&str], limits: Limits, want: Want) -> Seen {
    let stopped = Stopped::start(program, arguments);
    let space = AddressSpace::of_process(stopped.pid(), &mut ImageCache::new()).unwrap();
    let (mut types, mut notes) = (TypeTable::default(), Vec::new());
    let registers = stopped.registers();
    let mut stacks = Stacks::new(roots(folder), limits);
    let frames = stacks.frames(&space, &registers, &stopped, want, &mut types, &mut notes);
    Seen { frames, types, notes }
}

fn deep(flags: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "deep", flags);
    (folder, program)
}

fn rough(mode: &str, flags: &[&str]) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "rough", flags);
    see(folder.path(), &program, &[mode], Limits::default(), Want::Values)
}

fn ours(frames: &[Frame]) -> Vec<(&str, u32, bool)> {
    let ours = frames.iter().filter(|frame| frame.kind == FrameKind::Workspace);
    ours.map(|f| (f.name.as_str(), f.location.as_ref().map_or(0, |at| at.line), f.inlined)).collect()
}

#[test]
fn a_debug_program_has_all_its_frames_with_lines_and_kinds() {
    let (folder, program) = deep(&["-g"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    assert_eq!(
        ours(&seen.frames),
        [
            ("leaf<u16>", 35, false),
            ("inlined", 28, true),
            ("visit", 21, false),
            ("{closure#0}", 46, false),
            ("recurse", 47, false),
            ("recurse", 43, false),
            ("recurse", 43, false),
            ("recurse", 43, false),
            ("main", 53, false),
        ]
    );
    let visit = seen.frames.iter().find(|frame| frame.name == "visit").unwrap();
    assert_eq!(visit.function, "<deep::Row as deep::Visit>::visit");
    assert_eq!(visit.package.as_deref(), Some("deep"));
    assert_eq!(visit.location.as_ref().unwrap().file, "src/deep.rs");
    assert_eq!(visit.declared.as_ref().unwrap().line, 19);
    let outermost = seen.frames.last().unwrap();
    assert_eq!((outermost.function.as_str(), outermost.kind), ("_start", FrameKind::Std));
    let start = seen.frames.iter().find(|frame| frame.name.starts_with("lang_start<")).unwrap();
    assert_eq!(start.kind, FrameKind::Std);
    assert!(start.location.as_ref().unwrap().file.starts_with("library/std/src/rt.rs"), "{start:?}");
    assert_eq!(seen.notes, Vec::<String>::new());
}

#[test]
fn arguments_have_names_types_and_generics_in_order() {
    for flags in [&["-g"][..], &["-g", "-O"]] {
        let (folder, program) = deep(flags);
        let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
        let frame = |name: &str| seen.frames.iter().find(|frame| frame.name == name).unwrap();
        let arguments = |name: &str| {
            let named = frame(name).arguments.iter();
            named.map(|a| format!("{}: {}", a.name, seen.types.name(a.value.ty))).collect::<Vec<_>>()
        };
        assert_eq!(arguments("leaf<u16>"), ["small: u16", "half: f64", "count: u32", "label: &str"]);
        assert_eq!(arguments("visit"), ["self: &mut deep::Row", "depth: u32", "label: &str"]);
        assert_eq!(arguments("inlined"), ["count: u32", "label: &str"]);
        let generics = &frame("leaf<u16>").generics;
        assert_eq!(generics.len(), 1);
        assert_eq!((generics[0].name.as_str(), seen.types.name(generics[0].ty)), ("T", "u16"));
    }
}

#[test]
fn an_async_function_has_its_name_and_the_arguments_that_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "awaits", &["-g"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    let frames: Vec<&Frame> = seen.frames.iter().filter(|frame| frame.is_async).collect();
    let functions: Vec<_> = frames.iter().map(|f| (f.function.as_str(), f.name.as_str())).collect();
    assert_eq!(
        functions,
        [("<awaits::Memory as awaits::Store>::get", "get"), ("awaits::generic", "generic<u16>")]
    );
    let names = |frame: &Frame| frame.arguments.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(frames[0]), ["self", "at", "unit"]);
    assert_eq!(names(frames[1]), ["name", "given", "__arg2", "early"]);
    // A later variable of the same name is none of the parameter's business.
    assert_eq!(frames[0].arguments[1].value.data, Data::Uint(1));
    let Data::Pointer { to: Some(unit), .. } = &frames[0].arguments[2].value.data else { panic!() };
    assert_eq!(unit.data, Data::Text { text: "ada!".into(), len: 4 });
    // Not live across the awaits, so that the body's own variable is gone.
    assert_eq!(frames[1].arguments[3].value.data, Data::Uint(9));
    assert_eq!(frames[1].arguments[1].value.data, Data::Uint(7));
    // It was moved out of, and what it owned is freed or another's.
    assert!(frames[1].arguments[0].value.trust >= Trust::Suspect);
    assert_eq!(frames[1].generics.len(), 1);
}

#[test]
fn parameters_that_are_patterns_have_no_name_and_keep_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "patterns", &["-g"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    let method = seen.frames.iter().find(|frame| frame.name == "method").unwrap();
    let arguments = method.arguments.iter().map(|a| (a.name.as_str(), seen.types.name(a.value.ty)));
    let arguments: Vec<_> = arguments.collect();
    assert!(arguments[0].1.starts_with("alloc::boxed::Box<patterns::Pair"), "{arguments:?}");
    let rest = [
        ("", "(u8, u16)"),
        ("", "u32"),
        ("", "[u8; 2]"),
        ("", "&u8"),
        ("", "patterns::Pair"),
        ("last", "u32"),
    ];
    assert_eq!(arguments[1..], rest);
    assert_eq!(method.arguments[6].value.data, Data::Uint(8));
    assert_eq!(method.arguments_missing, None);
}

#[test]
fn an_inlined_call_without_parameters_left_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let program = compile(folder.path(), "patterns", &["-g", "-O"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    let closure =
        seen.frames.iter().find(|frame| frame.inlined && frame.name.starts_with("{closure")).unwrap();
    let missing = closure.arguments_missing.as_deref();
    assert_eq!(closure.arguments.is_empty(), missing.is_some_and(|reason| reason.contains("inlined")));
    let main = seen.frames.iter().find(|frame| frame.function == "patterns::main").unwrap();
    assert_eq!(main.arguments_missing, None);
    assert_eq!(seen.notes.len(), 1, "{:?}", seen.notes);
    assert!(seen.notes[0].contains("built with optimisation"), "{:?}", seen.notes);
}

#[test]
fn only_names_are_read_when_only_names_are_wanted() {
    let (folder, program) = deep(&["-g"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::NamesOnly);
    assert_eq!(ours(&seen.frames).len(), 9);
    assert!(seen.frames.iter().all(|frame| frame.arguments.is_empty() && frame.generics.is_empty()));
    assert_eq!(seen.types.iter().count(), 0);
}

#[test]
fn line_tables_only_gives_names_and_says_which_setting_helps() {
    let (folder, program) = deep(&["-C", "debuginfo=line-tables-only"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    assert_eq!(ours(&seen.frames).len(), 9);
    let leaf = seen.frames.iter().find(|frame| frame.name.starts_with("leaf")).unwrap();
    let reason = leaf.arguments_missing.as_deref().unwrap();
    assert!(reason.contains("`debug = true` under `[profile.dev]`"), "{reason}");
    assert_eq!(seen.notes.len(), 1, "{:?}", seen.notes);
}

#[test]
fn limited_debug_info_says_which_setting_helps() {
    let (folder, program) = deep(&["-C", "debuginfo=1"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    let leaf = seen.frames.iter().find(|frame| frame.name.starts_with("leaf")).unwrap();
    assert!(leaf.arguments_missing.as_deref().unwrap().contains("debug = true"));
}

#[test]
fn without_debug_info_symbols_name_the_frames() {
    let (folder, program) = deep(&["-C", "debuginfo=0"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    let visit = seen.frames.iter().find(|frame| frame.name == "visit").unwrap();
    assert_eq!(visit.function, "<deep::Row as deep::Visit>::visit");
    assert_eq!((visit.kind, visit.package.as_deref()), (FrameKind::Workspace, Some("deep")));
    assert!(visit.arguments_missing.is_some());
    assert!(seen.notes.iter().any(|note| note.contains("without debug info")), "{:?}", seen.notes);
}

#[test]
fn a_stripped_program_still_unwinds_and_says_that_it_is_stripped() {
    let (folder, whole) = deep(&["-C", "debuginfo=2"]);
    let full = see(folder.path(), &whole, &[], Limits::default(), Want::NamesOnly);
    let (folder, program) = deep(&["-C", "strip=symbols"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    let physical = full.frames.iter().filter(|frame| !frame.inlined).count();
    assert_eq!(seen.frames.len(), physical);
    assert!(seen.notes.iter().any(|note| note.contains("strip = false")), "{:?}", seen.notes);
}

#[test]
fn a_deep_stack_keeps_both_ends() {
    let (folder, program) = deep(&["-g"]);
    let limits = Limits { frames: 128, ..Limits::default() };
    let seen = see(folder.path(), &program, &["20000"], limits, Want::Values);
    assert_eq!(seen.frames.len(), 128);
    assert!(seen.frames.iter().any(|frame| frame.name == "leaf<u16>"));
    assert!(seen.frames.iter().any(|frame| frame.function == "deep::main"));
    assert!(seen.notes.iter().any(|note| note.contains("in its middle are left out")), "{:?}", seen.notes);
}

#[test]
fn the_rustc_version_and_build_id_come_from_the_image() {
    let (_folder, program) = deep(&["-g", "-C", "link-arg=-Wl,--build-id=0x0102ff"]);
    let image = ImageCache::new().load(&program).unwrap();
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    assert_eq!(image.rustc_version().unwrap().replace("rustc version", "rustc"), version.trim());
    assert_eq!(image.build_id(), Some("0102ff"));
    let found = image.find_symbols("recurse", |name| name == "deep::recurse");
    assert_eq!(found.len(), 1);
    assert_eq!(image.symbol_at(found[0].address + 3), Some(found[0]));
}

fn value<'a>(seen: &'a Seen, frame: &str, argument: &str) -> &'a Value {
    let frame = seen.frames.iter().find(|found| found.name == frame).unwrap();
    &frame.arguments.iter().find(|found| found.name == argument).unwrap().value
}

fn text(value: &Value) -> Option<&str> {
    match &value.data {
        Data::Pointer { to: Some(to), .. } => text(to),
        Data::Text { text, .. } => Some(text),
        _ => None,
    }
}

#[test]
fn a_debug_program_has_all_its_values_with_their_trust() {
    let (folder, program) = deep(&["-g"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    assert_eq!(value(&seen, "leaf<u16>", "small").data, Data::Uint(7));
    assert_eq!(value(&seen, "leaf<u16>", "half").data, Data::Float(0.5_f64.to_bits()));
    assert_eq!(value(&seen, "inlined", "count").data, Data::Uint(42));
    assert_eq!(value(&seen, "inlined", "count").trust, Trust::AtCrash);
    assert_eq!(text(value(&seen, "visit", "label")), Some("one"));
    let receiver = value(&seen, "visit", "self");
    assert_eq!(receiver.trust, Trust::AtCrash);
    let Data::Pointer { to: Some(row), .. } = &receiver.data else { panic!("{receiver:?}") };
    assert_eq!(row.trust, Trust::Suspect);
    let Data::Struct(fields) = &row.data else { panic!("{row:?}") };
    let Data::Sequence { len, .. } = fields[0].value.data else { panic!("{row:?}") };
    assert_eq!(len, 4);
    assert_eq!(value(&seen, "recurse", "row").trust, Trust::Suspect);
    assert_eq!(value(&seen, "recurse", "left").data, Data::Uint(0));
    let outer = seen.frames.iter().rfind(|frame| frame.name == "recurse").unwrap();
    assert_eq!(outer.arguments[0].value.data, Data::Uint(3));
    let Data::Pointer { to: Some(map), .. } = &value(&seen, "recurse", "map").data else { panic!() };
    assert!(matches!(map.data, Data::Map { len: 1, .. }), "{map:?}");
}

#[test]
fn an_optimised_program_has_right_values_or_none() {
    for level in ["-Copt-level=1", "-Copt-level=2", "-Copt-level=3", "-Copt-level=s"] {
        let (folder, program) = deep(&["-g", level]);
        let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
        let right = [
            ("leaf<u16>", "small", Data::Uint(7)),
            ("leaf<u16>", "half", Data::Float(0.5_f64.to_bits())),
            ("leaf<u16>", "count", Data::Uint(42)),
            ("inlined", "count", Data::Uint(42)),
            ("visit", "depth", Data::Uint(42)),
            ("{closure#0}", "add", Data::Uint(2)),
        ];
        let mut known = 0;
        for (frame, argument, data) in right {
            let value = value(&seen, frame, argument);
            if value.trust == Trust::OptimizedOut {
                assert!(matches!(value.data, Data::Missing(_)));
            } else {
                assert_eq!(value.data, data, "{level}: {argument} of {frame}");
                known += 1;
            }
        }
        assert!(known >= 2, "{level}: {known}");
        assert!(text(value(&seen, "leaf<u16>", "label")).is_none_or(|label| label == "one"));
    }
}

#[test]
fn what_a_signal_interrupted_has_its_exact_line() {
    for flags in [&["-g"][..], &["-g", "-O"]] {
        let seen = rough("signal", flags);
        let names = ours(&seen.frames);
        assert_eq!(names, [("handler", 19, false), ("faulty", 25, false), ("main", 58, false)], "{flags:?}");
        let of_unwinding = seen.notes.iter().filter(|note| !note.contains("built with optimisation"));
        assert_eq!(of_unwinding.count(), 0, "{:?}", seen.notes);
    }
    let seen = rough("signal", &["-g"]);
    assert_eq!(value(&seen, "faulty", "number").data, Data::Uint(77));
}

#[test]
fn a_call_of_a_null_pointer_is_unwound_by_its_return_address() {
    let seen = rough("null", &["-g"]);
    let names: Vec<&str> = ours(&seen.frames).iter().map(|frame| frame.0).collect();
    assert_eq!(names, ["handler", "jump", "main"]);
    assert_eq!(value(&seen, "jump", "number").data, Data::Uint(78));
    assert!(seen.notes.iter().any(|note| note.contains("without code")), "{:?}", seen.notes);
}

#[test]
fn code_without_unwind_tables_is_passed_by_frame_pointers() {
    let seen = rough("bare", &["-g"]);
    let names: Vec<&str> = ours(&seen.frames).iter().map(|frame| frame.0).collect();
    assert_eq!(names, ["called_back", "around", "main"]);
    assert_eq!(value(&seen, "around", "number").data, Data::Uint(79));
    assert!(
        seen.notes.iter().any(|note| note.ends_with("by frame pointers; some may be missing")),
        "{:?}",
        seen.notes
    );
}

#[test]
fn word_that_no_call_left_is_no_caller() {
    let seen = rough("stale", &["-g"]);
    let names: Vec<&str> = ours(&seen.frames).iter().map(|frame| frame.0).collect();
    assert_eq!(names, ["called_back"]);
    assert!(seen.notes.iter().any(|note| note.contains("the stack ends in rough")), "{:?}", seen.notes);
}

#[test]
fn without_eh_frame_tables_debug_frame_serves() {
    let flags = ["-g", "-Cpanic=abort", "-Cforce-unwind-tables=no"];
    let seen = rough("plain", &flags);
    let names: Vec<&str> = ours(&seen.frames).iter().map(|frame| frame.0).collect();
    assert_eq!(names, ["called_back", "plain", "main"]);
    assert_eq!(value(&seen, "plain", "number").data, Data::Uint(80));
}

#[test]
fn entries_of_other_units_are_followed_after_link_time_optimisation() {
    let (folder, program) = deep(&["-g", "-O", "-Clto=fat", "-Ccodegen-units=8"]);
    let seen = see(folder.path(), &program, &[], Limits::default(), Want::Values);
    assert_eq!(ours(&seen.frames)[0].0, "leaf<u16>");
    assert_eq!(seen.frames.iter().find(|f| f.name == "inlined").unwrap().arguments.len(), 2);
}

#[test]
fn a_program_that_was_deleted_meanwhile_is_read_all_the_same() {
    let (folder, program) = deep(&["-g"]);
    let stopped = Stopped::start(&program, &[]);
    std::fs::remove_file(&program).unwrap();
    let space = AddressSpace::of_process(stopped.pid(), &mut ImageCache::new()).unwrap();
    let (mut types, mut notes) = (TypeTable::default(), Vec::new());
    let mut stacks = Stacks::new(roots(folder.path()), Limits::default());
    let registers = stopped.registers();
    let frames = stacks.frames(&space, &registers, &stopped, Want::NamesOnly, &mut types, &mut notes);
    assert_eq!(ours(&frames).len(), 9);
    assert!(space.images().iter().any(|mapped| mapped.image.name() == "deep"));
}

#[test]
fn damaged_registers_and_images_harm_nothing() {
    let (folder, program) = deep(&["-g", "-O"]);
    let stopped = Stopped::start(&program, &[]);
    let space = AddressSpace::of_process(stopped.pid(), &mut ImageCache::new()).unwrap();
    let mut stacks = Stacks::new(roots(folder.path()), Limits::default());
    for wrong in [0, 1, u64::MAX, u64::MAX - 7, 1 << 63] {
        for number in [6, 7, 16] {
            let mut registers = stopped.registers();
            registers.set(number, wrong);
            let (mut types, mut notes) = (TypeTable::default(), Vec::new());
            stacks.frames(&space, &registers, &stopped, Want::Values, &mut types, &mut notes);
        }
    }
    // Every byte of the debug info, in turn, is a chance to run astray: a sample of them here.
    let whole = std::fs::read(&program).unwrap();
    for seed in 0..40_usize {
        let mut bytes = whole.clone();
        for step in 0..2000_usize {
            let at = (seed * 7919 + step * 104_729) % (bytes.len() - 0x400) + 0x400;
            bytes[at] ^= (seed + step) as u8 | 1;
        }
        let damaged = folder.path().join(format!("damaged-{seed}"));
        std::fs::write(&damaged, &bytes).unwrap();
        let files = space.images().iter().map(|mapped| {
            let ours = mapped.image.path() == program;
            let path = if ours { damaged.clone() } else { mapped.image.path().to_owned() };
            (path, mapped.bias, mapped.range.clone())
        });
        let space = AddressSpace::of_files(files.collect(), &mut ImageCache::new());
        let (mut types, mut notes) = (TypeTable::default(), Vec::new());
        stacks.frames(&space, &stopped.registers(), &stopped, Want::Values, &mut types, &mut notes);
    }
}

/// Functions and lines as gdb has them, for frames with a known line.
fn by_gdb(program: &Path) -> Option<Vec<(String, u32)>> {
    let output = Command::new("gdb")
        .args(["-batch", "-nx", "-ex", "handle SIGSTOP stop nopass", "-ex", "run"])
        .args(["-ex", "bt -frame-arguments none -frame-info location"])
        .arg(program)
        .env("DEBUGINFOD_URLS", "")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let frames = text.lines().filter(|line| line.starts_with('#')).filter_map(|line| {
        let (_, place) = line.rsplit_once(" at ")?;
        let (file, line) = place.rsplit_once(':')?;
        // gdb looks for the C library's debug info elsewhere.
        (Path::new(file).extension()? == "rs").then_some(())?;
        Some((file.rsplit('/').next()?.to_owned(), line.parse().ok()?))
    });
    let frames: Vec<_> = frames.collect();
    (!frames.is_empty()).then_some(frames)
}

#[test]
fn frames_and_lines_are_those_of_gdb() {
    for flags in
        [&["-g"][..], &["-g", "-O"], &["-g", "-C", "opt-level=1"], &["-g", "-C", "force-frame-pointers=yes"]]
    {
        let (folder, program) = deep(flags);
        let Some(witness) = by_gdb(&program) else {
            eprintln!("skipped: gdb is not here or cannot run programs");
            return;
        };
        let seen = see(folder.path(), &program, &[], Limits::default(), Want::NamesOnly);
        let lines = seen.frames.iter().filter_map(|frame| {
            let at = frame.location.as_ref()?;
            Some((at.file.rsplit('/').next()?.to_owned(), at.line))
        });
        assert_eq!(lines.collect::<Vec<_>>(), witness, "{flags:?}");
    }
}
