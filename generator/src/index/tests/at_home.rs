//! Values whose parts only their type's module can name, given by a function that stands there: the compiler's,
//! clippy's and rustfmt's own word.

use proc_macro2::TokenStream;
use quote::quote;

use super::construct::{cargo, pleases_all, put};
use super::*;
use crate::edit::Tree;
use crate::names::{Names, Unnameable};
use crate::regression::Regression;
use crate::remove::remove;
use crate::render::Templates;
use crate::render::tests::example;
use crate::sync::{SyncPackage, sync};

const LIB: &str = "//! Demo.\n#![deny(warnings, missing_docs, unreachable_pub, private_interfaces)]\n\
                   #![allow(dead_code)]\n\nmod monotone;\nmod user;\n";

const MONOTONE: &str = r"use std::borrow::Cow;
use std::rc::Rc;

mod deep {
    pub(super) struct Inner {
        of: Own,
    }

    struct Own(u8);
}

#[derive(PartialEq)]
enum Side {
    Left,
    Right(u8),
}

struct Vertex {
    side: Side,
}

pub(crate) struct Builder {
    stack: Vec<Vertex>,
    deep: Vec<deep::Inner>,
}

pub(crate) struct Table<T> {
    rows: Vec<(T, Rc<Vertex>)>,
}

pub(crate) struct Text<'a, T> {
    text: Cow<'a, str>,
    of: Vec<(T, Side)>,
}

impl Builder {
    pub(crate) fn stack(&self) -> usize {
        self.stack.len()
    }
}
";

fn fixture(edition: &str, no_std: bool) -> Fixture {
    let manifest = format!(
        "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n[workspace]\n[dependencies]\n"
    );
    let (mut lib, mut monotone) = (LIB.to_owned(), MONOTONE.to_owned());
    if no_std {
        lib = lib
            .replace("#![allow", "#![no_std]\n#![allow")
            .replace("mod mono", "extern crate alloc;\n\nmod mono");
        monotone = monotone.replace("std::", "alloc::").replacen("\n\n", "\nuse alloc::vec::Vec;\n\n", 1);
    }
    let files = [
        ("Cargo.toml", manifest.as_str()),
        ("src/lib.rs", lib.as_str()),
        ("src/monotone.rs", monotone.as_str()),
        ("src/user.rs", "fn run() -> usize {\n    1\n}\n"),
    ];
    let fixture = Fixture::new(&files);
    cargo(&fixture, &["fmt"]);
    fixture
}

type Write<'w> = &'w dyn Fn(&dyn Names) -> Result<TokenStream, Unnameable>;

fn vertex(names: &dyn Names) -> Result<TokenStream, Unnameable> {
    let (vertex, side) = (names.path("demo::monotone::Vertex")?, names.path("demo::monotone::Side")?);
    names.literal("demo::monotone::Vertex")?;
    Ok(quote!(#vertex { side: #side::Right(3) }))
}

/// The value of a `Builder`; its innermost part is given by a function of its own.
fn builder(names: &dyn Names) -> Result<TokenStream, Unnameable> {
    let vertex = vertex(names)?;
    let builder = names.path("demo::monotone::Builder")?;
    let mut inner = |names: &dyn Names| {
        let (inner, own) =
            (names.path("demo::monotone::deep::Inner")?, names.path("demo::monotone::deep::Own")?);
        Ok(quote!(#inner { of: #own(7) }))
    };
    assert!(inner(names).is_err());
    let inner = names.given_at_home("demo::monotone::deep::Inner", &mut inner).unwrap()?;
    Ok(quote!(#builder { stack: vec![#vertex], deep: vec![#inner] }))
}

fn table(names: &dyn Names) -> Result<TokenStream, Unnameable> {
    let vertex = vertex(names)?;
    Ok(quote!(let vertex = Rc::new(#vertex); Table { rows: vec![(Some(1), vertex.clone()), (None, vertex)] }))
}

fn text(names: &dyn Names) -> Result<TokenStream, Unnameable> {
    vertex(names)?;
    Ok(quote!(Text { text: Cow::Borrowed("a"), of: vec![(Cow::Borrowed("b"), Side::Left)] }))
}

/// A test in `user` that is given these values.
fn test_of(fixture: &Fixture, name: &str, values: &[(&str, Write<'_>)]) -> Regression {
    let names = NamesAt::new(&fixture.index, fixture.module("user"));
    let mut regression = example();
    name.clone_into(&mut regression.name);
    regression.module = fixture.index.place(fixture.module("user"));
    regression.header.target = format!("crate::user::{name}");
    regression.left_out = vec!["use super::super::*;".to_owned()];
    let mut body = TokenStream::new();
    for (ty, write) in values {
        let mut write = |names: &dyn Names| write(names);
        let call = names.given_at_home(ty, &mut write).unwrap().unwrap();
        body.extend(quote!(let _ = #call;));
    }
    regression.constructors = names.constructors(&body);
    regression.body = crate::expression::format(&body);
    regression
}

const BUILDER: (&str, Write<'_>) = ("demo::monotone::Builder", &builder);
const TABLE: (&str, Write<'_>) = ("demo::monotone::Table<core::option::Option<u8>>", &table);
const TEXT: (&str, Write<'_>) = ("demo::monotone::Text<alloc::borrow::Cow<str>>", &text);

fn prove(edition: &str, no_std: bool) {
    let fixture = fixture(edition, no_std);
    let placement = put(&fixture, &[test_of(&fixture, "given", &[BUILDER, TABLE, TEXT])]);
    assert_eq!(placement.placed[0].constructors.len(), 4);
    pleases_all(&fixture);
}

#[test]
fn values_of_private_types_are_given_in_edition_2015() {
    prove("2015", false);
}

#[test]
fn values_of_private_types_are_given_in_edition_2024() {
    prove("2024", false);
}

#[test]
fn values_of_private_types_are_given_without_std() {
    prove("2021", true);
}

#[test]
fn a_function_that_gives_a_value_reads_as_a_test_does() {
    let fixture = fixture("2021", false);
    let long = |names: &dyn Names| {
        let vertex = vertex(names)?;
        let map = names.path("alloc::collections::btree::map::BTreeMap")?;
        Ok(quote!(
            let maps = [#map::from([(1, 2)]), #map::from([(3, 4)]), #map::new()];
            assert!(maps.len() == 3);
            Builder { stack: vec![#vertex], deep: Vec::new() }
        ))
    };
    put(&fixture, &[test_of(&fixture, "given", &[("demo::monotone::Builder", &long)])]);
    let tree = Tree::new(fixture.path());
    let files = tree.walk(Path::new("regressions/monotone")).unwrap();
    let file = files.iter().find(|file| file.to_string_lossy().ends_with("_builder.rs")).unwrap();
    let text = tree.read_text(file).unwrap().unwrap();
    let function = file.file_stem().unwrap().to_str().unwrap().strip_suffix("_builder").unwrap();
    assert_eq!(
        text,
        format!(
            "// A `Builder` of a regression elsewhere: only this module can name the types within it.\n\
             // relapse constructor 1: crate::monotone::Builder::{function}, module src/monotone.rs\n\n\
             use super::super::*;\nuse std::collections::BTreeMap;\n\n\
             impl Builder {{\n    pub(crate) fn {function}() -> Self {{\n        \
             let maps = [\n            BTreeMap::from([(1, 2)]),\n            BTreeMap::from([(3, 4)]),\n            \
             BTreeMap::new(),\n        ];\n        assert!(maps.len() == 3);\n        Builder {{\n            \
             stack: vec![Vertex {{\n                side: Side::Right(3),\n            }}],\n            \
             deep: Vec::new(),\n        }}\n    }}\n}}\n"
        )
    );
    cargo(&fixture, &["test", "--offline"]);
}

#[test]
fn a_function_that_gives_a_value_goes_with_its_test() {
    let fixture = fixture("2021", false);
    let files = || {
        let tree = Tree::new(fixture.path());
        let mut files = tree.walk(Path::new("src")).unwrap();
        files.extend(tree.walk(Path::new("regressions")).unwrap());
        files.into_iter().map(|file| (file.clone(), tree.read(&file).unwrap())).collect::<Vec<_>>()
    };
    let before = files();
    put(&fixture, &[test_of(&fixture, "first", &[BUILDER, TABLE])]);
    put(&fixture, &[test_of(&fixture, "second", &[TABLE])]);
    let given = |files: &[(PathBuf, Option<Vec<u8>>)]| {
        let names = files.iter().filter_map(|(file, _)| file.file_name()?.to_str());
        names
            .filter(|name| name.starts_with("relapse_"))
            .map(|name| name[17..].to_owned())
            .collect::<Vec<_>>()
    };
    // The value that both have is there once.
    assert_eq!(given(&files()), ["inner.rs", "builder.rs", "table.rs"]);
    let (_, text) =
        files().into_iter().find(|(file, _)| file.ends_with("regressions/monotone/mod.rs")).unwrap();
    assert_eq!(String::from_utf8(text.unwrap()).unwrap().matches("mod relapse_").count(), 2);
    let roots = vec!["src/lib.rs".into()];
    let package = SyncPackage { name: "demo".into(), folder: "".into(), edition: 2021, roots };
    let packages = [package];
    let synced = sync(fixture.path(), &packages, &Templates::embedded()).unwrap();
    assert!(synced.edits.is_empty(), "{}", synced.edits.diff());
    assert_eq!((synced.regressions, synced.unwired.len()), (2, 0));
    let rm = |name: &str| {
        let removal = remove(name, fixture.path(), &packages, &Templates::embedded()).unwrap();
        removal.edits.apply(fixture.path(), &fixture.path().join(".relapse")).unwrap();
    };
    rm("first");
    assert_eq!(given(&files()), ["table.rs"]);
    cargo(&fixture, &["test", "--offline"]);
    rm("second");
    assert!(files() == before);
}

#[test]
fn where_nothing_more_can_be_named_nothing_is_tried() {
    let fixture = fixture("2021", false);
    let mut never = |_: &dyn Names| panic!("tried");
    // Its own module, one within it, and what cannot be named here itself.
    for (module, ty) in [
        ("monotone", "demo::monotone::Builder"),
        ("monotone::deep", "demo::monotone::Builder"),
        ("user", "demo::monotone::Vertex"),
        ("user", "demo::monotone::deep::Inner"),
        ("user", "alloc::vec::Vec<u8>"),
        ("user", "&demo::monotone::Builder"),
    ] {
        let names = NamesAt::new(&fixture.index, fixture.module(module));
        assert!(names.given_at_home(ty, &mut never).is_none(), "{module} {ty}");
        let names = NamesAt::alone(&fixture.index, fixture.module("user"));
        assert!(names.given_at_home("demo::monotone::Builder", &mut never).is_none());
    }
    // Tries are counted, those within others too.
    let names = NamesAt::new(&fixture.index, fixture.module("user"));
    let mut tries = 0;
    for _ in 0..100 {
        let mut refused = |names: &dyn Names| {
            tries += 1;
            names.path("demo::monotone::deep::Own")
        };
        if let Some(given) = names.given_at_home("demo::monotone::Builder", &mut refused) {
            given.unwrap_err();
        }
    }
    assert_eq!(tries, 64);
}

#[test]
fn an_expression_may_not_have_a_private_type() {
    let fixture = fixture("2021", false);
    let names = NamesAt::new(&fixture.index, fixture.module("user"));
    // Not even an empty list of it: the compiler says "type `Vertex` is private".
    let refused = names.constructor("demo::monotone::Builder", &["stack", "deep"]).unwrap_err().0;
    assert!(refused.ends_with("has the type `Vertex` in it, which is private to its module"), "{refused}");
    let home = |ty: &str| names.home_of_private(ty).map(|id| fixture.index.module(id).path.join("::"));
    assert_eq!(home("demo::monotone::Vertex").as_deref(), Some("monotone"));
    assert_eq!(home("demo::monotone::deep::Own").as_deref(), Some("monotone::deep"));
    assert_eq!(home("demo::monotone::Builder"), None);
    assert_eq!(home("u8"), None);
}
