//! Regression tests put in place in real packages, then built, linted and run by cargo.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::*;
use crate::regression::{Header, SideFile};

const ROOT: &str = "[workspace]\nresolver = \"2\"\nmembers = [\"forms\", \"old\", \"bare\", \"new\"]\n";
const STRICT: &str = "#![deny(warnings, missing_docs, unreachable_pub)]\n#![forbid(unsafe_code)]\n";
const BOOM: &str = "pub(crate) fn boom(n: usize) -> u8 {\n    [7u8][n]\n}\n";
const PRIVATE: &str = "fn boom(n: usize) -> u8 {\n    [7u8][n]\n}\n";

/// A workspace with every form of module that a test can stand in.
fn workspace() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let package = |name: &str, edition: u16| {
        let text = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n");
        write(&format!("{name}/Cargo.toml"), &text);
    };
    write("Cargo.toml", ROOT);
    package("forms", 2021);
    write(
        "forms/src/lib.rs",
        &format!(
            "//! Forms.\n{STRICT}mod a;\nmod b;\n#[path = \"odd/place.rs\"]\nmod c;\nmod linked;\n\
             mod d {{\n    include!(\"part.rs\");\n}}\nmod outer {{\n    pub(crate) mod inner {{\n        \
             pub(crate) fn boom(n: usize) -> u8 {{\n            [7u8][n]\n        }}\n    }}\n}}\n\n{PRIVATE}\n\
             /// All.\npub fn all(n: usize) -> bool {{\n    boom(n) == a::boom(n)\n        \
             && a::child::boom(n) == b::boom(n)\n        && c::boom(n) == d::boom(n)\n        \
             && outer::inner::boom(n) == linked::far::boom(n)\n}}\n\n\
             #[cfg(test)]\nmod tests {{\n    #[test]\n    fn own() {{\n        assert!(super::all(0));\n    }}\n}}\n"
        ),
    );
    write("forms/src/a.rs", &format!("pub(crate) mod child;\n\n{BOOM}"));
    write("forms/src/a/child.rs", &format!("{BOOM}// the end"));
    write("forms/src/b/mod.rs", &BOOM.replace('\n', "\r\n"));
    write("forms/src/odd/place.rs", BOOM);
    write("forms/src/part.rs", BOOM);
    write("forms/src/linked/mod.rs", "pub(crate) mod far;\n");
    fs::remove_dir_all(root.path().join("forms/src/linked")).unwrap();
    write("elsewhere/deep/linked/mod.rs", "pub(crate) mod far;\n");
    write("elsewhere/deep/linked/far.rs", BOOM);
    std::os::unix::fs::symlink("../../elsewhere/deep/linked", root.path().join("forms/src/linked")).unwrap();
    let program = format!("//! Program.\n{STRICT}fn main() {{\n    boom(0);\n}}\n\n{PRIVATE}");
    for file in ["src/main.rs", "src/bin/x.rs", "src/bin/y/main.rs", "examples/e.rs"] {
        write(&format!("forms/{file}"), &program);
    }
    write(
        "forms/tests/t.rs",
        &format!("//! T.\n{STRICT}{PRIVATE}\n#[test]\nfn own() {{\n    boom(0);\n}}\n"),
    );
    package("old", 2015);
    write(
        "old/src/lib.rs",
        &format!("//! Old.\n{STRICT}mod a;\n\n/// All.\npub fn all() -> u8 {{\n    a::boom(0)\n}}\n"),
    );
    write("old/src/a.rs", BOOM);
    package("bare", 2018);
    let bare = "mod a;\n\n/// All.\npub fn all() -> u8 {\n    a::boom(0)\n}\n";
    write("bare/src/lib.rs", &format!("//! Bare.\n#![no_std]\n{STRICT}{bare}"));
    write("bare/src/a.rs", BOOM);
    package("new", 2024);
    write("new/src/lib.rs", &format!("//! New.\n{STRICT}\n/// Boom.\npub {PRIVATE}"));
    root
}

fn regression(package: &str, file: &str, module: &str, name: &str, body: &str) -> Regression {
    let edition = match package {
        "old" => 2015,
        "bare" => 2018,
        "new" => 2024,
        _ => 2021,
    };
    let path: Vec<String> = module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    Regression {
        name: name.into(),
        module: ModulePlace {
            package: package.into(),
            package_folder: package.into(),
            file: file.into(),
            inline: if module == "outer::inner" { path.clone() } else { Vec::new() },
            module_path: path,
            edition,
            no_std: package == "bare",
        },
        header: Header {
            function: "boom".into(),
            message: "index out of bounds: the len is 1 but the index is 3".into(),
            place: format!("{file}:2"),
            within: None,
            date: "2026-11-23".into(),
            command: "cargo run".into(),
            build: "rustc 1.95.0 debug".into(),
            class: None,
            run_it: format!("cargo test -p {package} regressions::{name}::{name} -- --exact"),
            snapshot: "7c1e09b2a0".into(),
            target: "crate::boom".into(),
            remarks: Vec::new(),
        },
        uses: Vec::new(),
        body: body.into(),
        left_out: Vec::new(),
        dies: false,
        panic_ends_process: false,
        speaks_over: false,
        executor: None,
        time_limit: None,
        given: crate::regression::Given::default(),
        should_panic: None,
        copied: None,
        side_files: Vec::new(),
        constructors: Vec::new(),
    }
}

fn cargo(root: &Path, args: &[&str]) -> Output {
    Command::new("cargo")
        .args(args)
        .current_dir(root)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .env("CARGO_NET_OFFLINE", "true")
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
}

fn all_text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn place(root: &Path, regressions: &[Regression]) -> Vec<Placed> {
    let placement = edits(regressions, root, &Templates::embedded()).unwrap();
    placement.edits.apply(root, &root.join(".relapse")).unwrap();
    placement.placed
}

/// One that fails in each form of module.
fn in_every_form() -> Vec<Regression> {
    let mut all = Vec::new();
    for (file, module) in [
        ("src/lib.rs", ""),
        ("src/a.rs", "a"),
        ("src/a/child.rs", "a::child"),
        ("src/b/mod.rs", "b"),
        ("src/odd/place.rs", "c"),
        ("src/part.rs", "d"),
        ("src/linked/far.rs", "linked::far"),
        ("src/lib.rs", "outer::inner"),
        ("src/main.rs", ""),
        ("src/bin/x.rs", ""),
        ("src/bin/y/main.rs", ""),
        ("tests/t.rs", ""),
        ("examples/e.rs", ""),
    ] {
        all.push(regression("forms", file, module, "boom_index", "let n = 3;\nboom(n);"));
    }
    all.push(regression("old", "src/a.rs", "a", "boom_index", "boom(3);"));
    let body = "let mut s = vec![7u8];\ns.push(boom(0));\nlet text = s.len().to_string();\nassert_eq!(text, String::from(\"2\"));\nboom(3);";
    all.push(regression("bare", "src/a.rs", "a", "boom_index", body));
    all.push(regression("new", "src/lib.rs", "", "boom_index", "boom(3);"));
    all
}

#[test]
fn a_test_is_found_and_fails_in_every_form_of_module() {
    let root = workspace();
    let root = root.path();
    let mut regressions = in_every_form();
    let mut data = regression(
        "forms",
        "src/a.rs",
        "a",
        "boom_page",
        "let page = include_str!(\"boom_page/page.txt\");\nboom(page.len() - 5);",
    );
    data.side_files = vec![SideFile { name: "page.txt".into(), bytes: b"hello".to_vec() }];
    let mut dies = regression("forms", "src/lib.rs", "", "boom_dies", "std::process::abort();");
    dies.dies = true;
    dies.left_out = vec!["use super::super::*;".into()];
    let mut open = regression("forms", "src/lib.rs", "outer::inner", "boom_open", "boom(3);");
    open.should_panic = Some("index out of bounds".into());
    let mut bare_dies =
        regression("bare", "src/a.rs", "a", "boom_dies", "if boom(0) == 7 {\n    std::process::abort();\n}");
    bare_dies.dies = true;
    regressions.extend([data, dies, open, bare_dies]);
    let placed = place(root, &regressions);

    let mut output = all_text(&cargo(root, &["test", "--workspace", "--no-fail-fast", "--locked"]));
    // Before the first build there is no lock file; cargo says so.
    if output.contains("--locked") {
        output = all_text(&cargo(root, &["test", "--workspace", "--no-fail-fast"]));
    }
    output += &all_text(&cargo(root, &["test", "-p", "forms", "--example", "e"]));
    assert!(!output.contains("warning"), "{output}");
    for placed in &placed {
        let verdict = match placed.name.as_str() {
            "boom_page" => "ok",
            "boom_open" => "- should panic ... ok",
            _ => "FAILED",
        };
        let line = format!("test {} ", placed.test);
        assert!(
            output.lines().any(|out| out.starts_with(&line) && out.ends_with(verdict)),
            "{line}\n{output}"
        );
    }
    assert_eq!(output.matches("... FAILED").count(), regressions.len() - 2, "{output}");
    assert!(output.contains("signal: 6 (SIGABRT)"), "{output}");
    for file in ["lib.rs", "a.rs"] {
        assert!(output.contains(&format!("panicked at forms/src/{file}:")), "{output}");
    }

    let clippy = cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    assert!(clippy.status.success(), "{}", all_text(&clippy));
    // Files that were clean before are clean afterwards; the two that were not are as they were but for us.
    let fmt = all_text(&cargo(root, &["fmt", "--all", "--", "--check", "-l"]));
    assert!(fmt.lines().all(|line| line.ends_with("forms/src/a/child.rs")), "{fmt}");
    assert!(fs::read_to_string(root.join("forms/src/b/mod.rs")).unwrap().ends_with("mod regressions;\r\n"));

    let again = edits(&regressions, root, &Templates::embedded()).unwrap();
    assert_eq!(again.edits, EditSet::default(), "{}", again.edits.diff());
    assert_eq!(again.placed, placed);
}

#[test]
fn the_user_sees_three_lines_in_the_module_and_nothing_else() {
    let root = workspace();
    let placement = edits(
        &[regression("forms", "src/a/child.rs", "a::child", "boom_index", "boom(3);")],
        root.path(),
        &Templates::embedded(),
    )
    .unwrap();
    let changed: Vec<&Path> = placement.edits.files.iter().map(|file| file.path.as_path()).collect();
    let regressions = Path::new("forms/regressions/a/child");
    let expected =
        [Path::new("forms/src/a/child.rs"), &regressions.join("boom_index.rs"), &regressions.join("mod.rs")];
    assert_eq!(changed, expected);
    let source = String::from_utf8(placement.edits.files[0].after.clone().unwrap()).unwrap();
    let declaration =
        "// the end\n\n#[cfg(test)]\n#[path = \"../../regressions/a/child/mod.rs\"]\nmod regressions;";
    assert!(source.ends_with(declaration), "{source}");
    let list = String::from_utf8(placement.edits.files[2].after.clone().unwrap()).unwrap();
    assert!(list.ends_with(".\n\nmod boom_index;\n"), "{list}");
    assert_eq!(placement.placed[0].test, "a::child::regressions::boom_index::boom_index");
}

#[test]
fn the_same_test_of_another_snapshot_is_not_written_twice() {
    let root = workspace();
    let mut first = regression("forms", "src/a.rs", "a", "boom_index", "boom(3);");
    first.side_files.push(SideFile { name: "page.txt".into(), bytes: b"long".to_vec() });
    let placed = place(root.path(), std::slice::from_ref(&first));
    let mut again = first.clone();
    again.header.snapshot = "ffff0000".into();
    again.header.command = "cargo test".into();
    let second = edits(std::slice::from_ref(&again), root.path(), &Templates::embedded()).unwrap();
    assert!(second.edits.is_empty(), "{}", second.edits.diff());
    assert_eq!(second.placed, placed);
    again.side_files[0].bytes.push(b'!');
    assert_eq!(place(root.path(), &[again])[0].name, "boom_index_2");
}

#[test]
fn another_crash_of_the_same_name_gets_a_number() {
    let root = workspace();
    let first = regression("forms", "src/a.rs", "a", "boom_index", "boom(3);");
    place(root.path(), std::slice::from_ref(&first));
    let mut second = first.clone();
    second.header.snapshot = "ffff0000".into();
    second.body = "boom(4);".into();
    let third = Regression { body: "boom(5);".into(), ..second.clone() };
    let placed = place(root.path(), &[second, third]);
    assert_eq!(placed[0].name, "boom_index_2");
    assert_eq!(placed[1].name, "boom_index_3");
    assert!(placed[0].text.contains("regressions::boom_index_2::boom_index_2 -- --exact"));
    let list = fs::read_to_string(root.path().join("forms/regressions/a/mod.rs")).unwrap();
    assert!(list.ends_with("mod boom_index;\nmod boom_index_2;\nmod boom_index_3;\n"), "{list}");
    assert_eq!(place(root.path(), &[first])[0].name, "boom_index");
}

#[test]
fn two_modules_never_share_a_folder() {
    let root = workspace();
    // The unit-test module `src/tests/t.rs` would mirror to where `tests/t.rs` does.
    fs::create_dir_all(root.path().join("forms/src/tests")).unwrap();
    fs::write(root.path().join("forms/src/tests/t.rs"), BOOM).unwrap();
    let placed = place(
        root.path(),
        &[
            regression("forms", "tests/t.rs", "", "boom_index", "boom(3);"),
            regression("forms", "src/tests/t.rs", "tests::t", "boom_index", "boom(3);"),
            regression("forms", "src/a.rs", "a", "child", "boom(3);"),
            regression("forms", "src/a/child.rs", "a::child", "boom_index", "boom(3);"),
            regression("forms", "src/a.rs", "a", "child_2", "boom(4);"),
        ],
    );
    let files: Vec<&str> = placed.iter().map(|placed| placed.file.to_str().unwrap()).collect();
    assert_eq!(
        files,
        [
            "forms/regressions/tests/t/boom_index.rs",
            "forms/regressions/tests/t_2/boom_index.rs",
            "forms/regressions/a/child.rs",
            "forms/regressions/a/child_2/boom_index.rs",
            "forms/regressions/a/child_2_2.rs",
        ]
    );
}

#[test]
fn a_module_of_the_users_own_called_regressions_is_left_alone() {
    let root = workspace();
    let file = root.path().join("forms/src/a.rs");
    fs::write(&file, format!("mod regressions {{}}\n{BOOM}")).unwrap();
    let one = regression("forms", "src/a.rs", "a", "boom_index", "boom(3);");
    let placed = place(root.path(), std::slice::from_ref(&one));
    assert_eq!(placed[0].test, "a::relapse_regressions::boom_index::boom_index");
    assert_eq!(test_path(&one.module, "x", root.path()).unwrap(), "a::relapse_regressions::x::x");
    fs::write(&file, format!("mod regressions {{}}\nmod relapse_regressions {{}}\n{BOOM}")).unwrap();
    let error = edits(&[one], root.path(), &Templates::embedded()).unwrap_err();
    assert!(matches!(error, PlaceError::NamesTaken(_)), "{error}");
}

#[test]
fn what_cannot_be_placed_says_why() {
    let root = workspace();
    let error = |regression: Regression| {
        edits(&[regression], root.path(), &Templates::embedded()).unwrap_err().to_string()
    };
    assert!(
        error(regression("forms", "src/none.rs", "none", "x", "boom(3);"))
            .contains("no source file forms/src/none.rs")
    );
    let mut inline = regression("forms", "src/lib.rs", "outer::inner", "x", "boom(3);");
    inline.module.inline = vec!["made_by_macro".into()];
    assert!(error(inline).contains("no module made_by_macro"));
    assert!(error(regression("forms", "src/a.rs", "a", "../x", "boom(3);")).contains("no name of a test"));
    let mut side = regression("forms", "src/a.rs", "a", "x", "boom(3);");
    side.side_files = vec![SideFile { name: "../../lib.rs".into(), bytes: Vec::new() }];
    assert!(error(side).contains("no file name"));
    let mut twice = regression("forms", "src/a.rs", "a", "x", "boom(3);");
    twice.side_files = vec![SideFile { name: "text.txt".into(), bytes: Vec::new() }; 2];
    assert!(error(twice).contains("two files of one test have the name \"text.txt\""));
    assert!(error(regression("forms", "/etc/passwd", "", "x", "boom(3);")).contains("failed to"));
}

#[test]
fn syntax_newer_than_the_parser_is_no_hindrance() {
    let root = workspace();
    let file = root.path().join("forms/src/a.rs");
    fs::write(&file, "fn f() { let x = ~~~; }\n").unwrap();
    let one = regression("forms", "src/a.rs", "a", "boom_index", "boom(3);");
    place(root.path(), std::slice::from_ref(&one));
    let text = fs::read_to_string(&file).unwrap();
    assert!(
        text.ends_with("\n\n#[cfg(test)]\n#[path = \"../regressions/a/mod.rs\"]\nmod regressions;\n"),
        "{text}"
    );
    assert!(edits(&[one], root.path(), &Templates::embedded()).unwrap().edits.is_empty());
}
