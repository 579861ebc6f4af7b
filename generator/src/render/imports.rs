//! The import lines of a test: the parent's names, std where the crate has none, what the candidate asks for;
//! without those that the compiler called unused.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};

use crate::regression::Regression;

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
    let (mut crates, uses): (Vec<_>, Vec<_>) =
        kept.into_iter().partition(|line| line.contains("extern crate "));
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
        // Since 2018 `std` is looked up where the `use` stands; in 2015 only from the crate's root.
        let here = if regression.module.edition == 2015 { "self::" } else { "" };
        let uses = |name: &str| used.iter().any(|other| other == name);
        let mut std_lines = BTreeSet::new();
        std_lines.extend(
            PRELUDE.iter().filter(|(word, _)| uses(word)).map(|(_, path)| format!("use {here}std::{path};")),
        );
        let macros = MACROS.iter().filter(|name| uses(name));
        std_lines.extend(macros.map(|name| format!("use {here}std::{name};")));
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
