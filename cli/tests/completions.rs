//! What comes with a program: scripts for shells, pages of the manual.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may fail so, and says what it skips")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

fn relapse(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-relapse")).args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Whether a shell is here; the tests of one that is not are skipped, and say so.
fn is_here(shell: &str) -> bool {
    let here = Command::new(shell).arg("--version").output().is_ok_and(|output| output.status.success());
    if !here {
        println!("skipped: {shell} is not here");
    }
    here
}

/// What a shell prints that reads a script from its standard input.
fn said(shell: &str, options: &[&str], script: &str) -> String {
    let mut command = Command::new(shell);
    command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_shell_gets_a_script_without_hidden_verbs() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = relapse(&["completions", shell]);
        for part in ["replay", "all-frames"] {
            assert!(script.contains(part), "{shell}: {part}");
        }
        assert!(!script.contains("__runner"), "{shell}");
    }
}

#[test]
fn bash_completes_verbs_and_options_of_both_names() {
    if !is_here("bash") {
        return;
    }
    let script = relapse(&["completions", "bash"]);
    let words = r#"
        try() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            local by=$(complete -p "$1" | sed 's/.*-F \([^ ]*\).*/\1/')
            "$by" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            echo "$*: ${COMPREPLY[*]}"
        }
        try cargo-relapse re
        try cargo relapse re
        try cargo relapse rm --re
        try cargo relapse rm --regression --js
        try cargo bu
    "#;
    let both = "cargo-relapse re: replay review\ncargo relapse re: replay review\n\
        cargo relapse rm --re: --regression\ncargo relapse rm --regression --js: --json\n";
    let bash = |before: &str| said("bash", &["--norc"], &format!("{before}\n{script}\n{words}"));
    assert_eq!(bash(""), format!("{both}cargo bu: \n"));
    // Whatever completed cargo goes on to.
    let cargo = "_mine() { COMPREPLY=(\"build\" \"after $3\"); }; complete -F _mine cargo";
    assert_eq!(bash(cargo), format!("{both}cargo bu: build after cargo\n"));
}

#[test]
fn fish_completes_verbs_and_options_of_both_names() {
    if !is_here("fish") {
        return;
    }
    let script = relapse(&["completions", "fish"]);
    let ask = ["cargo-relapse re", "cargo relapse re", "cargo relapse rm --re"];
    let ask: Vec<String> =
        ask.iter().map(|line| format!("complete -C '{line}' | string split -f1 \\t")).collect();
    let text = said("fish", &["--no-config"], &format!("{script}\n{}\n", ask.join("\n")));
    assert_eq!(text, "replay\nreview\nreplay\nreview\n--regression\n");
}

#[test]
fn zsh_finds_the_function_under_the_name_that_its_completion_of_cargo_calls() {
    if !is_here("zsh") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("_cargo-relapse"), relapse(&["completions", "zsh"])).unwrap();
    let script = format!(
        "fpath=({0} $fpath); autoload -Uz compinit; compinit -u -d {0}/dump\n\
         print $_comps[cargo-relapse]; autoload +X _cargo-relapse; print $+functions[_cargo-relapse]\n",
        folder.path().display()
    );
    assert_eq!(said("zsh", &["-f"], &script), "_cargo-relapse\n1\n");
}

#[test]
fn the_manual_has_a_page_for_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man/man1");
    relapse(&["man", "--out", pages.to_str().unwrap()]);
    let main = fs::read_to_string(pages.join("cargo-relapse.1")).unwrap();
    assert_eq!(relapse(&["man"]).trim_end(), main.trim_end());
    assert!(main.contains("Exit status:") && !main.contains("__runner"));
    let names: Vec<String> = fs::read_dir(&pages)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let help = relapse(&["--help"]);
    let verbs =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let verbs: Vec<&str> = verbs.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    for verb in verbs.into_iter().filter(|verb| !verb.is_empty() && *verb != "help") {
        assert!(names.contains(&format!("cargo-relapse-{verb}.1")), "{verb}: {names:?}");
        assert!(main.contains(&format!("cargo\\-relapse\\-{}(1)", verb.replace('-', "\\-"))), "{verb}");
        assert!(relapse(&["man", verb]).contains(".SH SYNOPSIS"));
    }
    well_formed(&pages);
}

/// groff has nothing to complain of, where it is here.
fn well_formed(pages: &Path) {
    if !is_here("groff") {
        return;
    }
    for entry in fs::read_dir(pages).unwrap() {
        let mut groff = Command::new("groff");
        let output = groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(entry.unwrap().path()).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn an_unknown_verb_or_a_folder_that_cannot_be_is_told() {
    let status = |words: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-relapse")).args(words).output().unwrap();
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{words:?}");
        output.status.code()
    };
    assert_eq!(status(&["man", "lists"]), Some(64));
    assert_eq!(status(&["man", "--out", "/dev/null/man1"]), Some(73));
    assert_eq!(status(&["completions", "tcsh"]), Some(64));
}
