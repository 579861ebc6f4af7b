//! The module tree: files, `#[path]`, `include!`, macros, conditions, places.

use super::*;

#[test]
fn modules_are_found_by_every_way_that_rustc_knows() {
    let fixture = Fixture::library(
        r#"
        mod plain;
        mod folder;
        #[path = "odd/name.rs"] mod by_path;
        mod inline { mod deep; #[path = "other.rs"] pub mod told; }
        #[cfg_attr(unix, path = "sys_unix.rs")] #[cfg_attr(windows, path = "sys_windows.rs")] mod sys;
        include!("included.rs");
        cfg_if::cfg_if! { if #[cfg(unix)] { mod yes; } else { mod no; } }
        macro_rules! cfg_extra { ($($item:item)*) => { $( #[cfg(feature = "extra")] $item )* } }
        cfg_extra! { pub fn extra() {} mod wrapped; }
        mod missing;
        "#,
        &[
            ("src/plain.rs", "pub mod child;"),
            ("src/plain/child.rs", "#[path = \"beside.rs\"] mod beside; pub fn f() {}"),
            ("src/plain/beside.rs", "mod next;"),
            ("src/plain/next.rs", ""),
            ("src/folder/mod.rs", "mod child;"),
            ("src/folder/child.rs", ""),
            ("src/odd/name.rs", "mod sibling;"),
            ("src/odd/sibling.rs", ""),
            ("src/inline/deep.rs", "pub fn g() {}"),
            ("src/inline/other.rs", ""),
            ("src/sys_unix.rs", "pub fn page() {}"),
            ("src/included.rs", "fn from_include() {} mod beside_included;"),
            ("src/beside_included.rs", ""),
            ("src/yes.rs", ""),
            ("src/no.rs", ""),
            ("src/wrapped.rs", "fn h() {}"),
        ],
    );
    let source = fixture.lib();
    let file = |path: &str| {
        let module = fixture.index.module(fixture.module(path));
        source.files[module.file as usize].to_string_lossy().into_owned()
    };
    assert_eq!(file("plain::child"), "src/plain/child.rs");
    assert_eq!(file("plain::child::beside::next"), "src/plain/next.rs");
    assert_eq!(file("folder::child"), "src/folder/child.rs");
    assert_eq!(file("by_path::sibling"), "src/odd/sibling.rs");
    assert_eq!(file("inline"), "src/lib.rs");
    assert_eq!(file("inline::deep"), "src/inline/deep.rs");
    assert_eq!(file("inline::told"), "src/inline/other.rs");
    assert_eq!(file("sys"), "src/sys_unix.rs");
    assert_eq!(file("beside_included"), "src/beside_included.rs");
    assert_eq!(fixture.index.module_holds(fixture.module("yes"), true), Holds::Yes);
    assert_eq!(fixture.index.module_holds(fixture.module("no"), true), Holds::No);
    assert_eq!(fixture.index.module_holds(fixture.module("wrapped"), true), Holds::No);
    assert_eq!(fixture.index.module(fixture.module("by_path")).reached, Reached::PathAttribute);
    let extra = source.functions.iter().find(|f| f.name == "extra").unwrap();
    assert_eq!(fixture.index.function_holds(extra), Holds::No);
    let included = source.functions.iter().find(|f| f.name == "from_include").unwrap();
    assert_eq!((included.file.as_str(), included.module), ("src/included.rs", fixture.module("")));
    let problems: Vec<&str> = source.problems.iter().map(|p| p.reason.as_str()).collect();
    assert_eq!(problems, ["module `missing` has no file"]);
}

#[test]
fn an_item_that_the_parser_does_not_know_hides_no_other() {
    let fixture = Fixture::library(
        "mod old;",
        &[("src/old.rs", "pub fn before() {}\ntype F = u8 is 1..;\npub fn after() {}")],
    );
    let names: Vec<&str> = fixture.lib().functions.iter().map(|function| function.name.as_str()).collect();
    assert_eq!(names, ["before", "after"]);
    let [problem] = fixture.lib().problems.as_slice() else { panic!("{:?}", fixture.lib().problems) };
    assert!(problem.reason.starts_with("failed to parse, line 2: "), "{}", problem.reason);
    assert!(problem.reason.ends_with("left out is what begins at line 2"), "{}", problem.reason);
}

#[test]
fn broken_and_cyclic_files_are_problems_and_the_rest_is_read() {
    let fixture = Fixture::library(
        "mod broken; #[path = \"lib.rs\"] mod again; pub fn fine() {}",
        &[("src/broken.rs", "fn (")],
    );
    assert_eq!(fixture.lib().problems.len(), 2);
    assert_eq!(fixture.lib().functions.len(), 1);
}

#[test]
fn a_place_names_file_inline_chain_and_crate_facts() {
    let fixture = Fixture::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/demo\"]\nresolver = \"2\"\n"),
        ("crates/demo/Cargo.toml", "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2018\"\n"),
        ("crates/demo/src/lib.rs", "#![cfg_attr(not(test), no_std)]\n#![cfg_attr(docsrs, no_std)] mod a;"),
        ("crates/demo/src/a.rs", "pub mod b { pub mod c { pub fn f() {} } }"),
    ]);
    let place = fixture.index.place(fixture.module("a::b::c"));
    assert_eq!(place.package_folder, Path::new("crates/demo"));
    assert_eq!(place.file, Path::new("src/a.rs"));
    assert_eq!(place.inline, ["b", "c"]);
    assert_eq!(place.module_path, ["a", "b", "c"]);
    assert_eq!((place.edition, place.no_std), (2018, false));
}

#[test]
fn types_carry_fields_derives_and_conditions() {
    let fixture = Fixture::library(
        r#"
        /// A point.
        #[derive(Debug, serde::Serialize)]
        #[non_exhaustive]
        pub struct P<T = u8> { pub x: T, pub(crate) y: u8, z: u8 }
        pub enum E { A, B(u8), #[non_exhaustive] C { f: u8 } }
        "#,
        &[],
    );
    let [p, e] = &fixture.lib().items[..] else { panic!("two items") };
    assert_eq!(p.attributes.derives, ["Debug", "Serialize"]);
    assert!(p.attributes.non_exhaustive);
    let ItemKind::Struct(fields) = &p.kind else { panic!("a struct") };
    assert_eq!(fields.fields[0].visibility, Visibility::Public);
    assert_eq!(fields.fields[2].visibility, Visibility::Within(0));
    let ItemKind::Enum(variants) = &e.kind else { panic!("an enum") };
    assert_eq!(variants[1].fields.fields[0].visibility, Visibility::Public);
    assert!(variants[2].non_exhaustive);
}
