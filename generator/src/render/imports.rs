//! The import lines of a test: the parent's names, std where the crate has none, what the candidate asks for;
//! without those that the compiler called unused.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::regression::{ConstructorFile, Regression};

/// What std's prelude has and `core`'s lacks: a word that asks for it, and its path. They are imported one by
/// one: with `use std::prelude::v1::*` rustc 1.95 calls the `panic` within `assert!` ambiguous.
const PRELUDE: &[(&str, &str)] = &[
    ("Box", "boxed::Box"),
    ("ToOwned", "borrow::ToOwned"),
    ("to_owned", "borrow::ToOwned"),
    ("String", "string::String"),
    ("ToString", "string::ToString"),
    ("to_string", "string::ToString"),
    ("Vec", "vec::Vec"),
];
/// The parent's names.
pub(crate) const PARENT: &str = "use super::super::*;";
/// Macros that only std has.
const MACROS: &[&str] = &["vec", "format", "print", "println", "eprint", "eprintln"];

/// The lines, in rustfmt's order; an empty one stands between `extern crate` and `use`.
pub(super) fn lines(regression: &Regression) -> Vec<String> {
    let kept: Vec<String> =
        all(regression).into_iter().filter(|line| !regression.left_out.contains(line)).collect();
    crates_first(kept)
}

/// The lines of a constructor's file: the names of its type's module, and what it asks for.
pub(super) fn lines_of(constructor: &ConstructorFile) -> Vec<String> {
    let own = constructor.uses.iter().cloned();
    crates_first([PARENT.to_owned()].into_iter().chain(own).collect())
}

/// An empty line stands between `extern crate` and `use`.
fn crates_first(lines: Vec<String>) -> Vec<String> {
    let (mut crates, uses): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.contains("extern crate "));
    if !crates.is_empty() && !uses.is_empty() {
        crates.push(String::new());
    }
    crates.extend(uses);
    crates
}

fn all(regression: &Regression) -> Vec<String> {
    let mut lines = vec![PARENT.to_owned()];
    if regression.module.no_std {
        let mut used = Vec::new();
        if let Ok(body) = regression.body.parse() {
            identifiers(body, &mut used);
        }
        if regression.in_child() {
            used.extend(["String", "format"].map(str::to_owned));
        }
        let std_lines: BTreeSet<String> =
            of_std(&used, regression.module.edition).map(|(_, line)| line).collect();
        let uses = |name: &str| used.iter().any(|other| other == name);
        let named = uses("std")
            || regression.in_child()
            || regression.blocks()
            || regression.uses.iter().any(|line| line.contains("std::"));
        if !std_lines.is_empty() || named {
            lines.push("extern crate std;".to_owned());
        }
        lines.extend(std_lines);
    }
    for line in &regression.uses {
        let line = line.trim();
        if !line.is_empty() && !lines.iter().any(|other| other == line) {
            lines.push(line.to_owned());
        }
    }
    lines
}

/// The names among these that std brings and `core` does not, each with the line that imports it.
fn of_std(used: &[String], edition: u16) -> impl Iterator<Item = (&'static str, String)> + use<'_> {
    // Since 2018 `std` is looked up where the `use` stands; in 2015 only from the crate's root.
    let here = if edition == 2015 { "self::" } else { "" };
    let is_used = |name: &str| used.iter().any(|other| other == name);
    let types = PRELUDE.iter().filter(move |(word, _)| is_used(word));
    let types = types.map(move |(word, path)| (*word, format!("use {here}std::{path};")));
    let is_used = |name: &str| used.iter().any(|other| other == name);
    let macros = MACROS.iter().filter(move |name| is_used(name));
    types.chain(macros.map(move |name| (*name, format!("use {here}std::{name};"))))
}

/// What code of a crate without std needs of it, as lines; `known`: the names that it has already.
pub(crate) fn std_for(code: &TokenStream, edition: u16, known: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut used = Vec::new();
    identifiers(code.clone(), &mut used);
    let missing = of_std(&used, edition).filter(|(name, _)| !known(name));
    let lines: BTreeSet<String> = missing.map(|(_, line)| line).collect();
    let named = used.iter().any(|name| name == "std") && !known("std");
    let own = (named || !lines.is_empty()).then(|| "extern crate std;".to_owned());
    own.into_iter().chain(lines).collect()
}

/// Every identifier of the tokens, each once.
fn identifiers(tokens: TokenStream, out: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => identifiers(group.stream(), out),
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                if !out.contains(&name) {
                    out.push(name);
                }
            }
            _ => {}
        }
    }
}

/// Leaves out the imports that stand on these lines (from 1) of `text`, as rendered: rustc's `unused_imports`
/// names them. Returns whether any was left out, so that rendering again makes a difference.
pub fn leave_out_lines(regression: &mut Regression, text: &str, lines: &[usize]) -> bool {
    let imports = all(regression);
    let before = regression.left_out.len();
    for line in lines {
        let Some(line) = line.checked_sub(1).and_then(|at| text.lines().nth(at)) else { continue };
        let line = line.trim();
        if imports.iter().any(|import| import == line) && !regression.left_out.iter().any(|out| out == line) {
            regression.left_out.push(line.to_owned());
        }
    }
    regression.left_out.len() > before
}
