//! The table in docs/builds.md has a row for each case, and no other, and says of the values what the case asserts.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_case_is_a_row_of_the_table() {
    let output = Command::new(std::env::current_exe().unwrap()).arg("--list").output().unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let cases = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let cases: BTreeSet<&str> = cases
        .filter(|name| !name.starts_with("table::"))
        .filter_map(|name| name.split("::").last())
        .collect();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/builds.md");
    let docs = fs::read_to_string(docs).unwrap();
    // A row's first cell ends with its case's name.
    let rows = docs.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(": case `"));
    let rows: Vec<(&str, &str)> = rows.filter_map(|(_, rest)| rest.split_once('`')).collect();
    for (case, cells) in &rows {
        let values = cells.split('|').nth(2).unwrap().trim();
        if case.ends_with("read_whole") {
            assert!(["7 of 7", "all"].contains(&values), "{case}: {values}");
        } else if case.ends_with("right_or_missing") {
            assert!(
                ["at least 3 of 7", "as without", "right or missing"].contains(&values),
                "{case}: {values}"
            );
        }
    }
    let rows: BTreeSet<&str> = rows.into_iter().map(|(case, _)| case).collect();
    let cases: Vec<_> = cases.into_iter().collect();
    assert_eq!(rows.into_iter().collect::<Vec<_>>(), cases);
}
