//! What the pages say is there: the files and headings that they name, the verbs and flags, the exit codes.
#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The repository. A packaged crate has no documents beside it: then there is nothing to test.
fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages at the root, those of docs/ and that of the fuzz targets, with their texts.
fn documents() -> Vec<(PathBuf, String)> {
    let root = repository();
    let pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "fuzz/README.md"];
    let mut files = pages.map(|page| root.join(page)).to_vec();
    let pages = fs::read_dir(root.join("docs")).into_iter().flatten().filter_map(Result::ok);
    files.extend(pages.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "md")));
    files.retain(|path| path.is_file());
    files.sort();
    files.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

fn help(verb: &str) -> Option<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-relapse"));
    let output = command.args([verb, "--help"]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// What stands between backticks, and the indented and fenced lines.
fn code(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let (mut fenced, mut prose) = (false, String::new());
    for line in text.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            found.push(line.trim().to_owned());
        } else {
            prose.push_str(line);
            prose.push(' ');
        }
    }
    found.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    found
}

/// The headings as GitHub makes anchors of them.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    headings.map(|heading| {
        let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    })
}

#[test]
fn links_lead_to_files_and_headings() {
    for (path, text) in documents() {
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            let found =
                anchor.is_empty() || anchors(&fs::read_to_string(target).unwrap()).any(|a| a == anchor);
            assert!(found, "{}: {link}", path.display());
        }
    }
}

#[test]
fn paths_of_this_repository_exist() {
    let root = repository();
    let folders = [
        ".ci/",
        "capture/",
        "ci/",
        "cli/",
        "docs/",
        "fuzz/",
        "generator/",
        "replay/",
        "snapshot/",
        "templates/",
    ];
    for (path, text) in documents() {
        let words = code(&text);
        let words = words.iter().flat_map(|code| code.split_whitespace());
        for word in words.filter(|word| folders.iter().any(|folder| word.starts_with(folder))) {
            assert!(root.join(word).exists(), "{}: {word}", path.display());
        }
    }
}

#[test]
fn verbs_and_flags_exist() {
    let mut helps: BTreeMap<String, Option<String>> = BTreeMap::new();
    let verbs = [
        "demo",
        "run",
        "gen",
        "sync",
        "replay",
        "list",
        "show",
        "rm",
        "review",
        "clean",
        "doctor",
        "completions",
        "man",
    ];
    let mut seen = 0;
    for (path, text) in documents() {
        for line in code(&text) {
            let line = line.trim_start_matches("$ ");
            let line = line.split(" #").next().unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            let words = match words.as_slice() {
                ["cargo", "relapse", rest @ ..]
                | ["cargo", "run", "--release", "-p", "cargo-relapse", "--", rest @ ..] => rest,
                [verb, rest @ ..]
                    if verbs.contains(verb) && rest.iter().any(|word| word.starts_with("--")) =>
                {
                    &words
                }
                _ => continue,
            };
            let Some((verb, rest)) = words.split_first() else { continue };
            if verb.chars().all(|c| c.is_uppercase() || c == '…') {
                continue;
            }
            let help = helps.entry((*verb).to_owned()).or_insert_with(|| help(verb));
            let help = help.as_deref().unwrap_or_else(|| panic!("{}: no verb {verb}", path.display()));
            for flag in rest.iter().take_while(|word| **word != "--").filter(|word| word.starts_with("--")) {
                seen += 1;
                assert!(
                    help.contains(&format!("{flag}\n")) || help.contains(&format!("{flag} ")),
                    "{line}: {flag}"
                );
            }
        }
    }
    assert!(documents().is_empty() || seen > 5, "{seen} flags were found");
}

#[test]
fn readme_begins_with_the_two_commands_and_is_short() {
    let Some((_, text)) = documents().into_iter().find(|(path, _)| path.ends_with("README.md")) else {
        return;
    };
    let first_screen = text.lines().take(24).collect::<Vec<_>>().join("\n");
    for command in ["cargo run --release -p cargo-relapse -- demo", "bash ci/test.sh"] {
        assert!(first_screen.contains(command), "{command}");
    }
    assert!(text.lines().count() <= 120);
}

#[test]
fn every_exit_code_of_the_help_has_its_line() {
    let Some((_, text)) = documents().into_iter().find(|(path, _)| path.ends_with("exit-codes.md")) else {
        return;
    };
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-relapse")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let codes = help.split("Exit status:").nth(1).unwrap();
    let codes: Vec<&str> = codes
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| word.chars().all(|c| c.is_ascii_digit()))
        .collect();
    assert_eq!(codes.len(), 8, "{codes:?}");
    for code in codes {
        assert!(text.contains(&format!("| {code} |")), "{code}");
    }
}

#[test]
fn no_folder_of_a_machine_is_named() {
    for (path, text) in documents() {
        for folder in ["/work", "/root", "/home/", "/tmp/"] {
            assert!(!text.contains(folder), "{}: {folder}", path.display());
        }
    }
}
