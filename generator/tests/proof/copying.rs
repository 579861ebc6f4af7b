//! The scratch copy.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use relapse_generator::compile::compile;
use relapse_generator::edit::{EditSet, FileEdit};
use relapse_generator::scratch::{Scratch, clean};

use crate::fixture::{Fixture, MANIFEST, lib, write};

fn edit(path: &str, before: Option<&str>, after: Option<&str>) -> EditSet {
    let bytes = |text: &str| text.as_bytes().to_vec();
    let file = FileEdit { path: path.into(), before: before.map(bytes), after: after.map(bytes) };
    EditSet { files: vec![file] }
}

#[test]
fn version_control_build_output_and_read_configuration_are_left_out() {
    let fixture = Fixture::library("");
    let root = &fixture.root;
    write(&root.join(".git/config"), "");
    write(&root.join("elsewhere/CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55\n");
    write(&root.join("target/debug/x"), "");
    write(&root.join("src/target/mod.rs"), "");
    write(&root.join(".cargo/config.toml"), "");
    write(&root.join(".cargo/audit.toml"), "");
    write(&root.join("nested/.cargo/config.toml"), "");
    write(&root.join(".hidden/data"), "");
    let scratch = fixture.scratch();
    let there = |path: &str| scratch.root().join(path).exists();
    for path in
        ["Cargo.toml", "src/target/mod.rs", ".cargo/audit.toml", "nested/.cargo/config.toml", ".hidden/data"]
    {
        assert!(there(path), "{path}");
    }
    for path in [".git", "elsewhere", "target", ".cargo/config.toml", ".relapse"] {
        assert!(!there(path), "{path}");
    }
    assert!(fs::read_to_string(fixture.relapse().join(".gitignore")).unwrap().contains('*'));
}

#[test]
fn read_only_files_can_be_edited_in_the_copy() {
    let fixture = Fixture::library("// one\n");
    let source = fixture.root.join("src/lib.rs");
    fs::set_permissions(&source, fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(fixture.root.join("src"), fs::Permissions::from_mode(0o555)).unwrap();
    let scratch = fixture.scratch();
    let copy = scratch.root().join("src/lib.rs");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o644);
    scratch.apply(&edit("src/lib.rs", Some("// one\n"), Some("// two\n"))).unwrap();
    assert_eq!(fs::read_to_string(&copy).unwrap(), "// two\n");
    assert_eq!(fs::read_to_string(&source).unwrap(), "// one\n");
    fs::set_permissions(fixture.root.join("src"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn links_stay_links_and_nothing_is_written_through_one_that_leads_out() {
    let fixture = Fixture::library("");
    let outside = fixture.folder.path().join("outside");
    write(&outside.join("a.rs"), "user's");
    symlink("src", fixture.root.join("inside")).unwrap();
    symlink("../outside", fixture.root.join("out")).unwrap();
    symlink(fixture.root.join("src/lib.rs"), fixture.root.join("absolute.rs")).unwrap();
    let scratch = fixture.scratch();
    let target = |name: &str| fs::read_link(scratch.root().join(name)).unwrap();
    assert_eq!(target("inside"), Path::new("src"));
    assert_eq!(target("out"), outside);
    assert_eq!(target("absolute.rs"), scratch.root().join("src/lib.rs"));
    for path in ["out/a.rs", "out/new/b.rs", "../../../../x.rs", "/tmp/x.rs"] {
        let error = scratch.apply(&edit(path, None, Some("ours"))).unwrap_err();
        assert!(error.to_string().contains("outside of the copied packages"), "{path}: {error}");
    }
    assert_eq!(fs::read_to_string(outside.join("a.rs")).unwrap(), "user's");
    assert!(!outside.join("new").exists());
    // All of a change or nothing of it.
    let mut both = edit("src/lib.rs", Some(""), Some("ours"));
    both.files.extend(edit("out/a.rs", None, Some("ours")).files);
    scratch.apply(&both).unwrap_err();
    assert_eq!(fs::read_to_string(scratch.root().join("src/lib.rs")).unwrap(), "");
}

#[test]
fn edits_are_taken_back_whole() {
    let fixture = Fixture::library("// one\n");
    let scratch = fixture.scratch();
    let mut edits = edit("src/lib.rs", Some("// one\n"), Some("// two\n"));
    edits.files.extend(edit("regressions/lib/a.rs", None, Some("new")).files);
    scratch.apply(&edits).unwrap();
    assert!(scratch.root().join("regressions/lib/a.rs").is_file());
    scratch.reset(&edits).unwrap();
    assert!(!scratch.root().join("regressions").exists());
    assert_eq!(fs::read_to_string(scratch.root().join("src/lib.rs")).unwrap(), "// one\n");
}

#[test]
fn what_a_killed_owner_left_is_gone_in_the_next_copy() {
    let fixture = Fixture::library("// one\n");
    let scratch = fixture.scratch();
    scratch.apply(&edit("src/lib.rs", Some("// one\n"), Some("// two\n"))).unwrap();
    write(&scratch.root().join("written-by-a-test.txt"), "x");
    let root = scratch.root().to_owned();
    drop(scratch);
    let scratch = fixture.scratch();
    assert_eq!(scratch.root(), root);
    assert_eq!(fs::read_to_string(root.join("src/lib.rs")).unwrap(), "// one\n");
    assert!(!root.join("written-by-a-test.txt").exists());
}

#[test]
fn two_owners_at_once_have_folders_of_their_own() {
    let fixture = Fixture::library("");
    let (one, two) = (fixture.scratch(), fixture.scratch());
    assert_ne!(one.root(), two.root());
    assert_ne!(one.target_folder(), two.target_folder());
    drop(two);
    let cleaned = clean(&fixture.relapse()).unwrap();
    assert_eq!((cleaned.busy.len(), cleaned.removed.len()), (1, 1));
    assert!(one.root().join("Cargo.toml").is_file());
    drop(one);
    assert_eq!(clean(&fixture.relapse()).unwrap().removed.len(), 1);
    assert_eq!(clean(&fixture.root.join("nowhere")).unwrap(), clean(&fixture.relapse()).unwrap());
}

/// `app` (the workspace), beside it `other/crates/dep`, a member of a virtual workspace that it inherits from.
fn neighbours(dependency: &str) -> Fixture {
    let app = "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
    Fixture::new(
        "app",
        &[
            ("app/Cargo.toml", &format!("{app}[dependencies]\ndep = {{ path = \"{dependency}\" }}\n")),
            ("app/src/lib.rs", "pub fn f() -> u8 { dep::g() }\n"),
            (
                "other/Cargo.toml",
                "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"1.2.3\"\n",
            ),
            (
                "other/crates/dep/Cargo.toml",
                "[package]\nname = \"dep\"\nversion.workspace = true\nedition = \"2021\"\n",
            ),
            ("other/crates/dep/src/lib.rs", "pub fn g() -> u8 { 1 }\n"),
            ("other/unrelated/huge.bin", "x"),
        ],
    )
}

#[test]
fn a_path_dependency_outside_the_root_is_copied_with_what_it_inherits() {
    let fixture = neighbours("../other/crates/dep");
    let scratch = fixture.scratch();
    let dep = Path::new("../other/crates/dep/src/lib.rs");
    let copy = scratch.at(dep).unwrap();
    assert!(copy.starts_with(fixture.relapse()));
    assert_eq!(scratch.relative(&copy), Some(dep.to_owned()));
    assert!(!scratch.at(Path::new("../other/unrelated")).unwrap().exists());
    let broken = edit("../other/crates/dep/src/lib.rs", None, Some("pub fn g() -> u8 { \"\" }\n"));
    scratch.apply(&broken).unwrap();
    let built = compile(&scratch.build_place(), &lib("app"), &[], &mut |_| {}).unwrap();
    assert_eq!(built.errors[0].file.as_deref(), Some(dep));
}

#[test]
fn what_a_repository_has_beside_the_workspace_is_there_as_links() {
    let library = "pub const SHAPE: &str = include_str!(\"../../../proto/shape.proto\");\n";
    let fixture = Fixture::new(
        "repo/code/rust",
        &[
            ("repo/.git/HEAD", ""),
            ("repo/.cargo/config.toml", ""),
            ("repo/proto/shape.proto", "message Shape {}"),
            ("repo/code/rust/Cargo.toml", MANIFEST),
            ("repo/code/rust/src/lib.rs", library),
            ("repo/code/notes.txt", ""),
            ("other/x.txt", ""),
        ],
    );
    let scratch = fixture.scratch();
    let built = compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
    assert!(built.executable.is_some(), "{:?}", built.errors);
    let beside = |path: &str| scratch.root().join("..").join(path);
    let repository = fixture.folder.path().join("repo");
    assert_eq!(fs::read_link(beside("../proto")).unwrap(), repository.join("proto"));
    assert_eq!(fs::read_link(beside("notes.txt")).unwrap(), repository.join("code/notes.txt"));
    assert!(!scratch.root().is_symlink() && !beside("../code").is_symlink());
    assert!(!beside("../.git").exists() && !beside("../.cargo").exists() && !beside("../../other").exists());
    let error = scratch.apply(&edit("../../proto/shape.proto", None, Some("ours"))).unwrap_err();
    assert!(error.to_string().contains("outside of the copied packages"), "{error}");
    assert_eq!(fs::read_to_string(repository.join("proto/shape.proto")).unwrap(), "message Shape {}");
    // What goes away there goes away here.
    drop(scratch);
    fs::remove_file(repository.join("code/notes.txt")).unwrap();
    let scratch = fixture.scratch();
    assert!(!scratch.root().join("../notes.txt").is_symlink());
}

#[test]
fn an_absolute_path_to_a_copied_package_leads_to_its_copy() {
    let fixture = neighbours("../other/crates/dep");
    let manifest = fs::read_to_string(fixture.root.join("Cargo.toml")).unwrap();
    let absolute = fixture.folder.path().join("other/crates/dep");
    let absolute = manifest.replace("../other/crates/dep", absolute.to_str().unwrap());
    write(&fixture.root.join("Cargo.toml"), &absolute);
    let scratch = fixture.scratch();
    let copy = fs::read_to_string(scratch.root().join("Cargo.toml")).unwrap();
    let expected = scratch.at(Path::new("../other/crates/dep")).unwrap();
    assert_eq!(copy, manifest.replace("../other/crates/dep", expected.to_str().unwrap()));
}

#[test]
fn an_unchanged_copy_is_fresh_for_cargo_and_a_changed_one_is_not() {
    let fixture = Fixture::library("pub fn f() {}\n");
    let built = |scratch: &Scratch| {
        let mut fresh = Vec::new();
        compile(&scratch.build_place(), &lib("demo"), &[], &mut |p| fresh.push(p.fresh)).unwrap();
        fresh
    };
    let scratch = fixture.scratch();
    assert_eq!(built(&scratch), [false]);
    drop(scratch);
    let scratch = fixture.scratch();
    assert_eq!(built(&scratch), [true]);
    let edits = edit("src/lib.rs", Some("pub fn f() {}\n"), Some("pub fn g() {}\n"));
    scratch.apply(&edits).unwrap();
    assert_eq!(built(&scratch), [false]);
    drop(scratch);
    assert_eq!(built(&fixture.scratch()), [false]);
}

#[test]
fn a_missing_lock_file_is_made_in_the_copy_only() {
    let fixture = Fixture::library("");
    let metadata = fixture.metadata();
    let lock = fixture.root.join("Cargo.lock");
    fs::remove_file(&lock).unwrap();
    let scratch = Scratch::create(&metadata, &fixture.relapse()).unwrap();
    compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
    assert!(!lock.exists());
    assert!(scratch.root().join("Cargo.lock").is_file());
}

#[test]
fn a_workspace_within_an_outside_package_is_copied_once() {
    let inner = format!("{MANIFEST}[workspace]\n[dependencies]\nouter = {{ path = \"..\" }}\n");
    let fixture = Fixture::new(
        "outer/demo",
        &[
            ("outer/Cargo.toml", "[package]\nname = \"outer\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
            ("outer/src/lib.rs", ""),
            ("outer/.cargo/config.toml", "[build]\nrustflags = [\"--cap-lints\", \"warn\"]\n"),
            ("outer/demo/Cargo.toml", &inner),
            ("outer/demo/src/lib.rs", ""),
        ],
    );
    let scratch = fixture.scratch();
    assert_eq!(scratch.relative(scratch.root()), Some(PathBuf::new()));
    compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
}
