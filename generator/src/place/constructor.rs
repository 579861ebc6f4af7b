//! The files of constructors: where one stands, which of a package are called, and which are left over once a test
//! is gone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use super::{PlaceError, Site, declare, home, update_list};
use crate::edit::{EditError, Owner, Tree};
use crate::expression::snake_case;
use crate::hostile::file_name;
use crate::index::{CONSTRUCTOR, CONSTRUCTOR_STEM as STEM};
use crate::regression::ConstructorFile;
use crate::render::{Templates, Wiring, module_text, render_constructor};

/// Puts a constructor into the `regressions` of its type's module; one that is there already is the same, unless
/// the type changed. Returns its file, relative to the root.
pub(super) fn place_constructor(
    tree: &mut Tree,
    constructor: &ConstructorFile,
    templates: &Templates,
) -> Result<PathBuf, PlaceError> {
    let module = &constructor.module;
    let hint = Some(constructor.type_name.as_str());
    let folder = home(tree, module, hint)?;
    declare(tree, &Site::of(module, hint), &folder)?;
    let file = free_file(tree, constructor, &folder)?;
    let text = render_constructor(constructor, templates)?;
    tree.write_source(&file, text, Owner::Us, module.edition)?;
    update_list(tree, &folder, &module_text(&module.file, &module.inline), module.edition, templates)?;
    Ok(file)
}

/// `relapse_new_years.rs`, with a number behind where that is another type's or a person's own.
fn free_file(tree: &Tree, constructor: &ConstructorFile, folder: &Path) -> Result<PathBuf, PlaceError> {
    // A module with a file of its own has a name in ASCII (E0754).
    let function = constructor.value.as_deref().unwrap_or(CONSTRUCTOR);
    let stem = file_name(&format!("{function}_{}", snake_case(&constructor.type_name)));
    let target = constructor.target();
    let mut name = stem.clone();
    let mut number = 1;
    loop {
        let file = folder.join(format!("{name}.rs"));
        let free = match tree.read(&file)? {
            None => !tree.exists(&folder.join(&name))?,
            Some(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                // After a move the path is another one; the name within the module is what counts.
                Wiring::read_constructor(&text).is_some_and(|wiring| last(&wiring.target) == last(&target))
            }
        };
        if free {
            return Ok(file);
        }
        number += 1;
        name = format!("{stem}_{number}");
    }
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// The constructors below a package's `regressions/` that no test there calls any more.
pub(crate) fn uncalled(tree: &Tree, package_folder: &Path) -> Result<Vec<PathBuf>, EditError> {
    let mut constructors: Vec<Made> = Vec::new();
    let mut called = BTreeSet::new();
    for file in tree.walk(&package_folder.join("regressions"))? {
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let Some(text) = tree.read_text(&file)? else { continue };
        match Wiring::read_constructor(&text) {
            Some(wiring) => {
                let mut calls_too = BTreeSet::new();
                calls(&text, &mut calls_too);
                constructors.push(Made { file, name: last(&wiring.target).to_owned(), calls: calls_too });
            }
            // What cannot be read may call any of them.
            None if !calls(&text, &mut called) && text.contains(STEM) => return Ok(Vec::new()),
            None => {}
        }
    }
    // A type that a test knows by another name (`use … as …`) may be any of them.
    if called.iter().any(|name| !is_value(name) && !constructors.iter().any(|made| made.name == *name)) {
        return Ok(Vec::new());
    }
    // What gives a value may call others for its parts.
    while let Some(at) = constructors.iter().position(|made| called.contains(&made.name)) {
        called.extend(constructors.swap_remove(at).calls);
    }
    constructors.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(constructors.into_iter().map(|made| made.file).collect())
}

/// A constructor that is there.
struct Made {
    file: PathBuf,
    /// Its type's name, or its own where it gives one value.
    name: String,
    /// What it calls itself.
    calls: BTreeSet<String>,
}

/// Whether a function gives one value: `relapse_5d41c0de`.
fn is_value(name: &str) -> bool {
    name.strip_prefix(STEM).is_some_and(|digits| {
        digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// Adds the names before `::relapse_new`, and those of functions that give one value; `false` where the text is no Rust.
fn calls(text: &str, called: &mut BTreeSet<String>) -> bool {
    let Ok(tokens) = text.parse::<TokenStream>() else { return false };
    let mut open = vec![tokens];
    while let Some(stream) = open.pop() {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        for (at, token) in tokens.iter().enumerate() {
            let is_declared = || matches!(at.checked_sub(1).map(|at| &tokens[at]), Some(TokenTree::Ident(word)) if word == "fn");
            match token {
                TokenTree::Group(group) => open.push(group.stream()),
                TokenTree::Ident(_) if is_declared() => {}
                TokenTree::Ident(ident) if ident == CONSTRUCTOR => {
                    // `Years`, `:`, `:`; anything else is a form that only a person writes.
                    let before = at.checked_sub(3).and_then(|at| tokens.get(at));
                    let name = match before {
                        Some(TokenTree::Ident(ident)) => ident.to_string(),
                        _ => String::new(),
                    };
                    called.insert(name.strip_prefix("r#").unwrap_or(&name).to_owned());
                }
                TokenTree::Ident(ident) if is_value(&ident.to_string()) => {
                    called.insert(ident.to_string());
                }
                _ => {}
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mut called = BTreeSet::new();
        assert!(calls(text, &mut called));
        called.into_iter().collect()
    }

    #[test]
    fn the_type_before_the_function_is_called_wherever_it_stands() {
        let text = "fn t() { f(a::Years::relapse_new(1), vec![Kind::relapse_new()]) } // Other::relapse_new";
        assert_eq!(names(text), ["Kind", "Years"]);
        assert_eq!(names("fn t() { <Years<u8>>::relapse_new(1) }"), [""]);
        assert!(!calls("fn t() { (", &mut BTreeSet::new()));
    }
}
