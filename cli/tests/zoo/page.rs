//! `docs/values.md`: every function of the zoo with its type, its value and what the test builds it by.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::{env, fs};

use crate::area::{Area, TOOLCHAIN};
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

/// Two tests may write it at once, each its own part.
static WRITING: Mutex<()> = Mutex::new(());

/// The page begins as these areas have it, or is written so. `last` is left as it is.
pub(crate) fn check(areas: &[Area], last: &Area) {
    let mut begin = HEAD.to_owned();
    for area in areas {
        match section(area) {
            Some(section) => begin.push_str(&section),
            None => {
                println!("skipped: the crates of `{}` are not to be had offline", area.name);
                return;
            }
        }
    }
    check_part(last, |_, end| (begin, end));
}

/// The page ends as this area has it, or is written so.
pub(crate) fn check_last(last: &Area) {
    if let Some(end) = section(last) {
        check_part(last, |begin, _| (begin, end));
    }
}

/// `wanted` makes of the page's part before the section of `last`, and of the rest, what they are to be.
fn check_part(last: &Area, wanted: impl FnOnce(String, String) -> (String, String)) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/values.md");
    // A packaged crate has no documents beside it. Another compiler's `Debug` texts are no news.
    if !file.parent().is_some_and(Path::is_dir) || env::var_os(TOOLCHAIN).is_some() {
        return;
    }
    let _alone = WRITING.lock().unwrap();
    let found = fs::read_to_string(&file).unwrap_or_default();
    let at = found.find(&heading(last)).unwrap_or(found.len());
    let (begin, end) = wanted(found[..at].to_owned(), found[at..].to_owned());
    let page = begin + &end;
    if env::var_os("RELAPSE_WRITE_DOCS").is_some() {
        fs::write(&file, &page).unwrap();
        return;
    }
    let change = similar::TextDiff::from_lines(&found, &page);
    let change = change.unified_diff().context_radius(0).to_string();
    assert!(change.is_empty(), "docs/values.md is not current: RELAPSE_WRITE_DOCS=1 writes it\n{change}");
}

/// The head of the file is the heading.
fn heading(area: &Area) -> String {
    let head = area.source.lines().next().unwrap_or_default();
    format!("\n## {}\n", head.trim_start_matches("//!").trim().trim_end_matches('.'))
}

fn section(area: &Area) -> Option<String> {
    let told = area.told()?;
    let types: BTreeMap<String, String> = signature::all(area.source);
    let mut text = format!("{}\n| arguments | value | in the test |\n| --- | --- | --- |\n", heading(area));
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
