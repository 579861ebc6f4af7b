//! Types with private fields, built from another module: the compiler's, clippy's and rustfmt's own word.

use std::process::Command;

use super::*;
use crate::edit::Tree;
use crate::names::Names;
use crate::place;
use crate::regression::{ConstructorFile, Regression};
use crate::remove::remove;
use crate::render::Templates;
use crate::render::tests::example;
use crate::sync::{SyncPackage, sync};

const LIB: &str = r"//! Demo.
#![deny(warnings, missing_docs, unreachable_pub)]
#![forbid(unsafe_code)]
#![allow(dead_code)]

mod shapes;
mod user;

const LEN: usize = 2;

struct Limit(u8);

mod inline {
    pub(crate) struct Inside(u8);

    pub(crate) struct Grüße(u8);

    pub(crate) struct Größe {
        höhe: u8,
    }
}
";

const SHAPES: &str = r"use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

pub(crate) mod inner;

pub(crate) trait Shape {
    type Of;
}

impl Shape for u8 {
    type Of = u16;
}

#[derive(Debug, PartialEq)]
pub(crate) struct Years(Option<self::Set>);

#[derive(Debug, PartialEq)]
pub(crate) struct Set {
    items: BTreeMap<u8, Kind>,
    size: [u8; super::LEN],
}

#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    One,
    Of(Box<Years>),
}

pub(crate) struct Limited {
    limit: super::Limit,
    r#type: u8,
}

pub(crate) struct Wrapper<'a, S: Debug + ?Sized = str>
where
    S: PartialEq,
{
    text: &'a S,
    width: usize,
    mark: PhantomData<S>,
}

pub(crate) struct Held<T: ?Sized + Debug> {
    count: u8,
    value: T,
}

pub(crate) struct Grid<const N: usize>([u8; N], Years, u8);

pub(crate) struct Assoc<T: self::Shape> {
    of: <T as self::Shape>::Of,
    all: Vec<<T as Shape>::Of>,
}

pub(crate) struct Called<'a> {
    call: Box<dyn Fn(&str) -> bool + 'a>,
}

pub(crate) struct Many {
    a: u8,
    b: u8,
    c: u8,
    d: u8,
    e: u8,
    f: u8,
    g: u8,
    h: u8,
    #[cfg(windows)]
    i: u8,
}

pub(crate) struct Probed {
    size: u8,
    #[cfg(test)]
    skip: bool,
    #[cfg(test)]
    seen: Vec<u8>,
}

pub(crate) struct Key(u32, #[cfg(test)] bool);

#[allow(non_snake_case, clippy::type_complexity)]
pub(crate) struct Odd {
    someX: BTreeMap<String, Vec<Option<Result<BTreeMap<u8, Vec<String>>, Box<(u8, Option<Vec<u8>>)>>>>>,
}
";

const INNER: &str = "pub(crate) struct Open {\n    half: Option<Half>,\n}\n\n\
                     pub(in crate::shapes) struct Half(u8);\n\nstruct Own(u8);\n";

/// A definition, its fields as they were read, what a test passes.
const BUILT: [(&str, &[&str], &str); 15] = [
    ("shapes::Years", &["0"], "None"),
    ("shapes::Set", &["items", "size"], "Default::default(), [1, 2]"),
    ("shapes::Limited", &["limit", "type"], "crate::Limit(1), 2"),
    ("shapes::Wrapper", &["text", "width", "mark"], "\"ab\", 3, std::marker::PhantomData::<str>"),
    ("shapes::Held", &["count", "value"], "1, 2u16"),
    ("shapes::Grid", &["0", "1", "2"], "[1, 2, 3], crate::shapes::Years::relapse_new(None), 4"),
    ("shapes::Called", &["call"], "Box::new(|text| text.is_empty())"),
    ("shapes::Many", &["a", "b", "c", "d", "e", "f", "g", "h"], "1, 2, 3, 4, 5, 6, 7, 8"),
    ("shapes::Odd", &["someX"], "Default::default()"),
    ("inline::Inside", &["0"], "5"),
    ("inline::Grüße", &["0"], "6"),
    ("inline::Größe", &["höhe"], "7"),
    ("shapes::Assoc", &["of", "all"], ""),
    ("shapes::inner::Open", &["half"], ""),
    ("shapes::inner::Half", &["0"], ""),
];

fn fixture(edition: &str, no_std: bool) -> Fixture {
    let manifest = format!(
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n[workspace]\n[dependencies]\n"
    );
    let mut files = [
        ("Cargo.toml", manifest),
        ("src/lib.rs", LIB.to_owned()),
        ("src/shapes.rs", SHAPES.to_owned()),
        ("src/shapes/inner.rs", INNER.to_owned()),
        ("src/user.rs", "fn run() -> usize {\n    crate::LEN\n}\n".to_owned()),
    ];
    if no_std {
        files[1].1 = files[1]
            .1
            .replace("#![allow", "#![no_std]\n#![allow")
            .replace("mod shapes;", "extern crate alloc;\n\nmod shapes;");
        let imports = "use alloc::boxed::Box;\nuse alloc::collections::BTreeMap;\nuse alloc::string::String;\n\
                       use alloc::vec::Vec;\nuse core::fmt::Debug;\nuse core::marker::PhantomData;\n";
        let (_, rest) = SHAPES.split_once("\n\n").unwrap();
        files[2].1 = format!("{imports}\n{rest}");
    }
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let fixture = Fixture::new(&files);
    cargo(&fixture, &["fmt"]);
    fixture
}

/// The constructor of a type as a test in `module` calls it.
fn built(
    fixture: &Fixture,
    module: &str,
    definition: &str,
    fields: &[&str],
) -> Result<(String, ConstructorFile), String> {
    let names = NamesAt::new(&fixture.index, fixture.module(module));
    let call = names.constructor(&format!("demo::{definition}"), fields).map_err(|error| error.0)?;
    let [file] = &names.constructors(&call)[..] else { panic!("one constructor") };
    Ok((call.to_string().replace(' ', ""), file.clone()))
}

/// A test in `module` that builds each of these types.
fn test_of(fixture: &Fixture, module: &str, name: &str, types: &[(&str, &[&str], &str)]) -> Regression {
    let mut regression = example();
    name.clone_into(&mut regression.name);
    regression.module = fixture.index.place(fixture.module(module));
    regression.header.target = format!("crate::{module}::{name}");
    regression.left_out = vec!["use super::super::*;".to_owned()];
    regression.body = String::new();
    for (definition, fields, values) in types {
        let (call, file) = built(fixture, module, definition, fields).unwrap();
        regression.body.extend(["let _ = ", &call, "(", values, ");\n"]);
        regression.constructors.push(file);
    }
    regression
}

pub(super) fn put(fixture: &Fixture, regressions: &[Regression]) -> place::Placement {
    let placement = place::edits(regressions, fixture.path(), &Templates::embedded()).unwrap();
    placement.edits.apply(fixture.path(), &fixture.path().join(".relapse")).unwrap();
    placement
}

/// The compiler's, clippy's and rustfmt's own word on what was put there, and that of the tests.
pub(super) fn pleases_all(fixture: &Fixture) {
    cargo(fixture, &["fmt", "--check"]);
    cargo(fixture, &["test", "--offline"]);
    cargo(fixture, &["clippy", "--offline", "--all-targets", "--", "-D", "warnings"]);
}

pub(super) fn cargo(fixture: &Fixture, args: &[&str]) {
    let done = Command::new("cargo")
        .args(args)
        .current_dir(fixture.path())
        .env("CARGO_TARGET_DIR", fixture.path().join("target"))
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "cargo {args:?}: {said}");
}

/// Everything that a test in another module can build, built there, without a word of compiler and linters.
fn prove(edition: &str, no_std: bool) {
    let fixture = fixture(edition, no_std);
    let mut types: Vec<(&str, &[&str], &str)> = BUILT.iter().copied().filter(|t| !t.2.is_empty()).collect();
    types.push(("shapes::Assoc", &["of", "all"], "ASSOC"));
    let mut user = test_of(&fixture, "user", "builds", &types);
    // The associated type does not tell the parameter.
    user.body = user.body.replace(
        "let _ = crate::shapes::Assoc::relapse_new(ASSOC)",
        "let _: crate::shapes::Assoc<u8> = crate::shapes::Assoc::relapse_new(1, Default::default())",
    );
    let halves: [(&str, &[&str], &str); 2] = [
        ("shapes::inner::Open", &["half"], "Some(inner::Half::relapse_new(1))"),
        ("shapes::inner::Half", &["0"], "2"),
    ];
    let mut near = test_of(&fixture, "shapes", "near", &halves);
    near.left_out.clear();
    let placement = put(&fixture, &[user, near]);
    assert_eq!(placement.placed[0].constructors.len(), types.len());
    pleases_all(&fixture);
}

#[test]
fn private_fields_are_built_in_edition_2015() {
    prove("2015", false);
}

#[test]
fn private_fields_are_built_in_edition_2021_without_std() {
    prove("2021", true);
}

#[test]
fn private_fields_are_built_in_edition_2024() {
    prove("2024", false);
}

#[test]
fn a_constructor_is_written_as_a_person_would() {
    let fixture = fixture("2021", false);
    put(&fixture, &[test_of(&fixture, "user", "builds", &BUILT[..4])]);
    let read = |path: &str| std::fs::read_to_string(fixture.path().join(path)).unwrap();
    assert_eq!(
        read("regressions/shapes/relapse_new_years.rs"),
        "// Builds `Years` from its fields, for the regressions of modules that cannot see them.\n\
         // relapse constructor 1: crate::shapes::Years, module src/shapes.rs\n\n\
         use super::super::*;\n\n\
         impl Years {\n    pub(crate) fn relapse_new(value: Option<super::super::Set>) -> Self {\n        \
         Self(value)\n    }\n}\n"
    );
    assert!(read("regressions/shapes/relapse_new_wrapper.rs").ends_with(
        "impl<'a, S: Debug + ?Sized> Wrapper<'a, S>\nwhere\n    S: PartialEq,\n{\n    \
         pub(crate) fn relapse_new(text: &'a S, width: usize, mark: PhantomData<S>) -> Self {\n        \
         Self { text, width, mark }\n    }\n}\n"
    ));
    put(
        &fixture,
        &[test_of(&fixture, "user", "more", &BUILT[7..9]), test_of(&fixture, "shapes", "near", &BUILT[13..])],
    );
    for (name, lint) in [
        ("shapes/relapse_new_many", "clippy::too_many_arguments"),
        ("shapes/relapse_new_odd", "clippy::type_complexity, non_snake_case"),
        ("shapes/inner/relapse_new_open", "private_interfaces"),
    ] {
        let text = read(&format!("regressions/{name}.rs"));
        assert!(text.contains(&format!("#[allow({lint})]\n")), "{text}");
    }
    assert!(!read("regressions/shapes/inner/relapse_new_half.rs").contains("allow"));
    assert!(read("regressions/user/builds.rs").contains("crate::shapes::Years::relapse_new(None);"));
}

/// The crashed program had no such field, and each literal of a test build has to give it something.
#[test]
fn a_field_of_test_builds_is_given_what_its_type_says_is_nothing() {
    let fixture = fixture("2021", false);
    put(&fixture, &[test_of(&fixture, "user", "builds", &[("shapes::Probed", &["size"], "3")])]);
    let path = fixture.path().join("regressions/shapes/relapse_new_probed.rs");
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains("relapse_new(size: u8) -> Self {"), "{text}");
    assert!(text.contains("skip: false,\n            seen: Default::default(),\n"), "{text}");
    let given = |read: &[&str]| {
        let names = NamesAt::new(&fixture.index, fixture.module("shapes"));
        let fields = names.test_fields("demo::shapes::Probed", read);
        fields.iter().map(|(field, value)| format!("{field}: {value}")).collect::<Vec<_>>()
    };
    assert_eq!(given(&["size"]), ["skip: false", "seen: Default :: default ()"]);
    assert_eq!(given(&["size", "skip"]), ["seen: Default :: default ()"]);
    pleases_all(&fixture);
}

#[test]
fn what_cannot_be_built_says_why() {
    let fixture = fixture("2021", false);
    let why = |definition: &str, fields: &[&str]| built(&fixture, "user", definition, fields).unwrap_err();
    assert_eq!(
        why("shapes::inner::Own", &["0"]),
        "`shapes::inner::Own` is private to `crate::shapes::inner`"
    );
    assert_eq!(
        why("shapes::Years", &["0", "1"]),
        "`demo::shapes::Years` has private fields, and the source has other fields than were read"
    );
    assert!(why("shapes::Kind", &[]).contains("it is no struct"));
    assert_eq!(
        why("shapes::Key", &["0"]),
        "`demo::shapes::Key` has private fields, and what its fields of test builds are given is not known"
    );
    let names = NamesAt::new(&fixture.index, fixture.module("user"));
    assert_eq!(
        names.constructor("alloc::vec::Vec", &["buf", "len"]).unwrap_err().0,
        "the fields of `std::vec::Vec` are private"
    );
}

#[test]
fn a_shared_constructor_goes_with_the_last_test_that_calls_it() {
    let fixture = fixture("2021", false);
    let files = || {
        let tree = Tree::new(fixture.path());
        let mut files = tree.walk(Path::new("src")).unwrap();
        files.extend(tree.walk(Path::new("regressions")).unwrap());
        files.into_iter().map(|file| (file.clone(), tree.read(&file).unwrap())).collect::<Vec<_>>()
    };
    let before = files();
    let first = test_of(&fixture, "user", "first", &BUILT[..2]);
    let second = test_of(&fixture, "user", "second", &BUILT[..1]);
    put(&fixture, &[first]);
    put(&fixture, &[second]);
    let package = SyncPackage {
        name: "demo".into(),
        folder: "".into(),
        edition: 2021,
        roots: vec!["src/lib.rs".into()],
    };
    let packages = [package];
    let synced = sync(fixture.path(), &packages, &Templates::embedded()).unwrap();
    assert!(synced.edits.is_empty(), "{}", synced.edits.diff());
    assert_eq!((synced.regressions, synced.unwired.len()), (2, 0));

    let rm = |name: &str| {
        let removal = remove(name, fixture.path(), &packages, &Templates::embedded());
        let removal = removal.map_err(|error| error.to_string())?;
        removal.edits.apply(fixture.path(), &fixture.path().join(".relapse")).unwrap();
        Ok::<(), String>(())
    };
    assert!(rm("relapse_new_years").unwrap_err().contains("no package of the workspace has it"));
    rm("first").unwrap();
    let left = Tree::new(fixture.path()).walk(Path::new("regressions/shapes")).unwrap();
    assert_eq!(
        left,
        [Path::new("regressions/shapes/mod.rs"), Path::new("regressions/shapes/relapse_new_years.rs")]
    );
    cargo(&fixture, &["test", "--offline"]);
    rm("second").unwrap();
    assert!(files() == before);
}

#[test]
fn sync_wires_the_constructors_of_a_module_that_moved() {
    let fixture = fixture("2021", false);
    put(&fixture, &[test_of(&fixture, "user", "first", &BUILT[..1])]);
    let path = |path: &str| fixture.path().join(path);
    std::fs::rename(path("src/shapes.rs"), path("src/shapes/mod.rs")).unwrap();
    let package = SyncPackage {
        name: "demo".into(),
        folder: "".into(),
        edition: 2021,
        roots: vec!["src/lib.rs".into()],
    };
    let synced = sync(fixture.path(), &[package], &Templates::embedded()).unwrap();
    assert_eq!(synced.unwired, []);
    synced.edits.apply(fixture.path(), &path(".relapse")).unwrap();
    cargo(&fixture, &["test", "--offline"]);
}
