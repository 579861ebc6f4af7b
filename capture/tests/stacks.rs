//! Stacks of real programs, compiled here by rustc and stopped by themselves; gdb is the witness.

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
            match value.trust {
                Trust::OptimizedOut => assert!(matches!(value.data, Data::Missing(_))),
                _ => {
                    assert_eq!(value.data, data, "{level}: {argument} of {frame}");
                    known += 1;
                }
            }
        }
        assert!(known >= 2, "{level}: {known}");
        assert!(text(value(&seen, "leaf<u16>", "label")).is_none_or(|label| label == "one"));
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
        file.ends_with(".rs").then_some(())?;
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
