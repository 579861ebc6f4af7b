//! The compiler's own word: every name that is given for every module of a crate is compiled there.

use super::*;
use crate::names::Names;

const LIB: &str = r#"
#![allow(dead_code, unused_imports)]
use std::collections::HashMap;
pub mod shapes {
    use std::fmt::{self, Debug as Shows};
    mod round { pub struct Circle(pub u8); pub(crate) struct Arc; pub(super) enum Kind { A } struct Own; }
    pub use self::round::Circle as Round;
    pub(crate) use self::round::*;
    pub mod edges { use super::round::Kind; pub struct Line { pub a: u8, b: u8 } pub struct Vec; }
    pub type Alias = u8;
    pub trait Area { fn area(&self) -> u8; }
}
mod text { use self::shapes_glob::*; mod shapes_glob { pub use ROOTshapes::edges::*; } pub struct String; pub struct Option; }
mod std_like { pub mod std { pub struct X; } pub struct Box; pub mod core {} }
mod only { #[cfg(test)] pub struct InTest; #[cfg(not(test))] pub struct NoTest; pub struct r#type; }
mod r#gen { pub struct InGen; }
mod alias { use std::vec::Vec as List; use ROOTshapes::Round as Ring; pub struct A; }
"#;

const WANTED: [&str; 27] = [
    "demo::shapes::round::Circle",
    "demo::shapes::round::Arc",
    "demo::shapes::round::Kind",
    "demo::shapes::round::Own",
    "demo::shapes::edges::Line",
    "demo::shapes::edges::Vec",
    "demo::shapes::Alias",
    "demo::text::String",
    "demo::text::Option",
    "demo::std_like::std::X",
    "demo::std_like::Box",
    "demo::only::InTest",
    "demo::only::NoTest",
    "demo::only::type",
    "demo::gen::InGen",
    "demo::alias::A",
    "alloc::string::String",
    "alloc::vec::Vec<u8, alloc::alloc::Global>",
    "alloc::boxed::Box<u8, alloc::alloc::Global>",
    "core::option::Option<alloc::string::String>",
    "std::collections::hash::map::HashMap<u8, demo::shapes::edges::Line, std::hash::random::RandomState>",
    "core::fmt::Error",
    "&dyn core::fmt::Debug",
    "&(dyn core::fmt::Debug + core::marker::Send)",
    "alloc::sync::Arc<demo::shapes::round::Circle, alloc::alloc::Global>",
    "(core::num::nonzero::NonZero<u32>)",
    "fn(&[core::time::Duration; 2]) -> core::ops::range::Range<usize>",
];

fn prove(edition: &str) {
    let manifest = format!("[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"{edition}\"\n");
    let lib = LIB.replace("ROOT", if edition == "2015" { "" } else { "crate::" });
    let fixture = Fixture::new(&[("Cargo.toml", &manifest), ("src/lib.rs", &lib)]);
    let mut text = lib.clone();
    let (mut named, mut refused) = (0, 0);
    for module in &fixture.lib().modules {
        let names = NamesAt::new(&fixture.index, module.id);
        let mut probe = "#[cfg(test)] mod regressions { mod probe { use super::super::*;\n".to_owned();
        for (index, wanted) in WANTED.iter().enumerate() {
            match names.type_tokens(wanted) {
                Ok(tokens) => {
                    named += 1;
                    probe += &format!("fn f{index}(_: ::std::option::Option<&{tokens}>) {{}}\n");
                }
                Err(_) => refused += 1,
            }
        }
        probe += "} }\n";
        // Into the module's braces: the n-th `mod NAME {` of that name.
        match module.path.last() {
            None => text += &probe,
            Some(name) => {
                let heads = [format!("mod {name} {{"), format!("mod r#{name} {{")];
                let at = heads.iter().find_map(|head| Some(text.find(head)? + head.len())).unwrap();
                text.insert_str(at, &probe);
            }
        }
    }
    std::fs::write(fixture.path().join("src/lib.rs"), &text).unwrap();
    let done = std::process::Command::new(crate::project::cargo())
        .args(["check", "--tests", "--offline", "--quiet"])
        .current_dir(fixture.path())
        .env("CARGO_TARGET_DIR", fixture.path().join("target"))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{complaint}\n{text}");
    // What is refused is private somewhere; most names must be given.
    assert!(named > refused * 6, "{named} named, {refused} refused");
}

#[test]
fn names_compile_in_edition_2015() {
    prove("2015");
}

#[test]
fn names_compile_in_edition_2018() {
    prove("2018");
}

#[test]
fn names_compile_in_edition_2024() {
    prove("2024");
}
