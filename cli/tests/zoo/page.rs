//! `docs/values.md`: every function of the zoo with its type, its value and what the test builds it by.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use crate::area::Area;
use crate::signature;

const HEAD: &str = "\
# Values

What relapse reads from a crashed process and writes into a test, and how: each line is a function of the *zoo of values*,
which crashes with a known value. Its test was generated, built and run, and prints the same `Debug` text as the crash
did. This page is written by the tests, which fail where it is not current (`cli/tests/zoo.rs` says how to write it anew);
what has no test is in [limits.md](limits.md).
";

/// Characters of a cell, at most.
const WIDEST: usize = 140;

/// The page is as the zoo has it, or is written so.
pub(crate) fn check(areas: &[Area]) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/values.md");
    // A packaged crate has no documents beside it.
    if !file.parent().is_some_and(Path::is_dir) {
        return;
    }
    let mut page = HEAD.to_owned();
    for area in areas {
        match section(area) {
            Some(section) => page.push_str(&section),
            None => {
                println!("skipped: the crates of `{}` are not to be had offline", area.name);
                return;
            }
        }
    }
    if env::var_os("RELAPSE_WRITE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let change = similar::TextDiff::from_lines(&found, &page);
    let change = change.unified_diff().context_radius(0).to_string();
    assert!(change.is_empty(), "docs/values.md is not current: RELAPSE_WRITE_DOCS=1 writes it\n{change}");
}

/// The head of the file is the heading.
fn section(area: &Area) -> Option<String> {
    let told = area.told()?;
    let head = area.source.lines().next().unwrap_or_default();
    let head = head.trim_start_matches("//!").trim().trim_end_matches('.');
    let types: BTreeMap<String, String> = signature::all(area.source);
    let mut text = format!("\n## {head}\n\n| arguments | value | in the test |\n| --- | --- | --- |\n");
    for (name, animal) in told.animals.iter().filter(|(_, animal)| animal.is_right()) {
        let arguments = types.get(name).map_or("", String::as_str);
        let value = animal.crash.as_deref().unwrap_or_default();
        let cells = [arguments, value, &signature::lets(&animal.file)].map(cell);
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    Some(text)
}

/// Code in a table: no bar ends its cell, and no backtick its code.
fn cell(text: &str) -> String {
    let mut kept: String = text.chars().take(WIDEST).collect();
    if kept.len() < text.len() {
        kept.push('…');
    }
    let kept = kept.replace('|', "\\|");
    if kept.is_empty() {
        return String::new();
    }
    if kept.contains('`') { format!("`` {kept} ``") } else { format!("`{kept}`") }
}
