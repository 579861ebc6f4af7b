//! Building candidates.

use std::fs;
use std::path::PathBuf;

use relapse_generator::compile::{CandidateFiles, CompileError, compile, compile_candidates};
use relapse_generator::edit::EditSet;

use crate::fixture::{Fixture, MANIFEST, lib, regressions};

#[test]
fn candidates_that_do_not_compile_are_dropped_and_the_rest_is_built() {
    let fixture = Fixture::library(
        "pub fn half(n: u32) -> u32 { n / 2 }\n\n#[macro_export]\nmacro_rules! wrong { () => { let _: u8 = \"\"; } }\n",
    );
    let scratch = fixture.scratch();
    let tests = [
        ("good", "half(4);"),
        ("mistyped", "half(\"4\");"),
        ("moved", "let a = String::new();\n    drop(a);\n    drop(a);"),
        ("by_macro", "crate::wrong!();"),
        ("unparsable", "let = ;"),
    ];
    let files = |(name, _): &(&str, &str)| CandidateFiles {
        files: vec![format!("regressions/lib/{name}.rs").into()],
    };
    let candidates: Vec<_> = tests.iter().map(files).collect();
    let mut edits_for = |kept: &[usize]| {
        regressions(&scratch, "", &kept.iter().map(|index| tests[*index]).collect::<Vec<_>>())
    };
    let build =
        compile_candidates(&scratch, &lib("demo"), &[], &candidates, &mut edits_for, &mut |_| {}).unwrap();
    assert_eq!(build.kept, [0]);
    assert_eq!(build.rejected.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(build.rejected[&1].code.as_deref(), Some("E0308"));
    assert_eq!(build.rejected[&1].line, 5);
    assert!(build.rejected[&2].message.contains("use of moved value"));
    // How many errors the compiler finds at a time is its own affair.
    assert!((2..=4).contains(&build.builds), "{}", build.builds);
    assert!(build.compiled.unwrap().executable.unwrap().is_file());
    scratch.reset(&build.applied).unwrap();
    assert!(!scratch.root().join("regressions").exists());
}

#[test]
fn an_error_in_a_shared_file_is_that_of_all_who_share_it() {
    let fixture = Fixture::library("pub fn half(n: u32) -> u32 { n / 2 }\n");
    let scratch = fixture.scratch();
    let tests = [("one", "half(1);"), ("two", "half(2);"), ("three", "half(3);")];
    let own = |name: &str| -> PathBuf { format!("regressions/lib/{name}.rs").into() };
    let candidates = [
        CandidateFiles { files: vec![own("one"), own("shared")] },
        CandidateFiles { files: vec![own("two")] },
        CandidateFiles { files: vec![own("three"), own("shared")] },
    ];
    let mut edits_for = |kept: &[usize]| {
        let mut files: Vec<_> = kept.iter().map(|index| tests[*index]).collect();
        if kept.contains(&0) || kept.contains(&2) {
            files.push(("shared", "half(\"\");"));
        }
        regressions(&scratch, "", &files)
    };
    let build =
        compile_candidates(&scratch, &lib("demo"), &[], &candidates, &mut edits_for, &mut |_| {}).unwrap();
    assert_eq!((build.kept.as_slice(), build.builds), (&[1][..], 2));
    assert_eq!(build.rejected.keys().copied().collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn no_candidate_left_is_a_result() {
    let fixture = Fixture::library("");
    let scratch = fixture.scratch();
    let candidates = [CandidateFiles { files: vec!["regressions/lib/a.rs".into()] }];
    let mut edits_for = |_: &[usize]| regressions(&scratch, "", &[("a", "missing();")]);
    let build =
        compile_candidates(&scratch, &lib("demo"), &[], &candidates, &mut edits_for, &mut |_| {}).unwrap();
    assert!(build.compiled.is_none());
    assert_eq!((build.rejected.len(), build.applied), (1, EditSet::default()));
}

#[test]
fn an_error_in_the_users_own_code_is_nobodys_fault() {
    let fixture = Fixture::library("pub fn f() -> u8 { \"\" }\n");
    let scratch = fixture.scratch();
    let candidates = [CandidateFiles { files: vec!["regressions/lib/a.rs".into()] }];
    let mut edits_for = |_: &[usize]| regressions(&scratch, "", &[("a", "f();")]);
    let error = compile_candidates(&scratch, &lib("demo"), &[], &candidates, &mut edits_for, &mut |_| {})
        .unwrap_err();
    assert!(
        matches!(&error, CompileError::Elsewhere { text } if text.contains("mismatched types")),
        "{error}"
    );
    assert!(!scratch.root().join("regressions").exists());
}

#[test]
fn the_configuration_of_the_workspace_holds_once() {
    let fixture = Fixture::new(
        "demo",
        &[
            ("demo/Cargo.toml", MANIFEST),
            ("demo/src/lib.rs", "#![deny(warnings)]\nfn unused() {}\n#[cfg(from_config)]\npub fn f() {}\n"),
            (
                "demo/.cargo/config.toml",
                "[build]\nrustflags = [\"--cap-lints\", \"warn\", \"--cfg\", \"from_config\"]\n[env]\nA_SETTING = \"x y\"\n",
            ),
        ],
    );
    let scratch = fixture.scratch();
    scratch.apply(&regressions(&scratch, "", &[("a", "f();")])).unwrap();
    let built = compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
    assert!(built.executable.is_some(), "{:?}", built.errors);
    assert!(built.warnings.iter().any(|warning| warning.message.contains("`unused` is never used")));
    let value = |name: &str| {
        let found = built.environment.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.to_str().unwrap().to_owned())
    };
    assert_eq!(value("A_SETTING").as_deref(), Some("x y"));
    assert_eq!(value("CARGO_MANIFEST_DIR").as_deref(), scratch.root().to_str());
    assert!(value("LD_LIBRARY_PATH").is_some_and(|path| path.contains("deps")));
    assert_eq!(value("RELAPSE_ENVIRONMENT_NOTE"), None);
    assert_eq!(built.package_folder, scratch.root());
}

#[test]
fn the_flags_and_the_profile_of_the_crashed_build_hold() {
    let fixture = Fixture::library("#[cfg(all(seen, not(debug_assertions)))]\npub fn f() {}\n");
    let scratch = fixture.scratch();
    scratch.apply(&regressions(&scratch, "", &[("a", "f();")])).unwrap();
    let mut target = lib("demo");
    let flags = [("RUSTFLAGS".to_owned(), Some("--cfg seen".to_owned()))];
    let debug = compile(&scratch.build_place(), &target, &flags, &mut |_| {}).unwrap();
    assert_eq!(debug.executable, None);
    assert_eq!(debug.errors[0].code.as_deref(), Some("E0425"));
    target.cargo_args.push("--release".to_owned());
    let release = compile(&scratch.build_place(), &target, &flags, &mut |_| {}).unwrap();
    let executable = release.executable.unwrap();
    assert!(executable.starts_with(scratch.target_folder().join("release")), "{}", executable.display());
}

#[test]
fn a_member_of_a_virtual_workspace_is_built_with_the_lock_as_it_is() {
    let fixture = Fixture::new(
        "ws",
        &[
            ("ws/Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"2\"\n"),
            ("ws/crates/demo/Cargo.toml", MANIFEST),
            ("ws/crates/demo/src/lib.rs", "mod a { pub fn f() {} }\n"),
        ],
    );
    let scratch = fixture.scratch();
    let lock = fs::read(fixture.root.join("Cargo.lock")).unwrap();
    scratch.apply(&regressions(&scratch, "crates/demo", &[("a", "a::f(1);")])).unwrap();
    let built = compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
    // rustc names it `crates/demo/src/../regressions/lib/a.rs`.
    assert_eq!(built.errors[0].file.as_deref(), Some("crates/demo/regressions/lib/a.rs".as_ref()));
    assert_eq!(fs::read(scratch.root().join("Cargo.lock")).unwrap(), lock);
    let manifest = scratch.root().join("crates/demo/Cargo.toml");
    fs::write(&manifest, format!("{MANIFEST}[dependencies]\nnew = {{ path = \"../new\" }}\n")).unwrap();
    let error = compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap_err();
    assert!(matches!(error, CompileError::Cargo { .. }), "{error}");
}

#[test]
fn thousands_of_messages_do_not_block() {
    let source: String = (0..3000).map(|n| format!("fn unused_{n}() {{}}\n")).collect();
    let fixture = Fixture::library(&source);
    let scratch = fixture.scratch();
    let built = compile(&scratch.build_place(), &lib("demo"), &[], &mut |_| {}).unwrap();
    assert_eq!(built.warnings.len(), 3000);
}

#[test]
fn a_target_that_is_not_there_is_cargos_to_tell() {
    let fixture = Fixture::library("");
    let scratch = fixture.scratch();
    let mut target = lib("demo");
    target.cargo_args = vec!["--test".to_owned(), "nowhere".to_owned()];
    let error = compile(&scratch.build_place(), &target, &[], &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("nowhere"), "{error}");
}
