//! cargo's own files and words: `.cargo/config.toml` with its runners and `cfg(…)` conditions, command lines.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use relapse_capture::cargo_runner::CargoCommand;
use relapse_capture::cargo_runner::cfg::{matches, printed};
use relapse_capture::cargo_runner::config::{Config, runner_of_text};

const TRIPLE: &str = "x86_64-unknown-linux-gnu";

/// Reads a text as a configuration, as a condition and as a command line.
pub fn body(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let cfgs = || printed("unix\ntarget_os=\"linux\"\ntarget_arch=\"x86_64\"");
    let config = Config::of_text(&text, Path::new("/project"));
    if let Some(words) = config.runner(TRIPLE, cfgs) {
        assert!(!words.is_empty());
    }
    let _ = (config.build_targets(), config.profile("dev", "debug"));
    assert!(!matches(&format!("not({text})"), &cfgs()) || !matches(&text, &cfgs()));
    assert!(
        runner_of_text(OsStr::new(text.as_ref()), Path::new("/project"))
            .is_none_or(|words| !words.is_empty())
    );
    let words: Vec<OsString> =
        ["cargo"].into_iter().chain(text.split_whitespace()).map(OsString::from).collect();
    let _ = CargoCommand::parse(&words);
}
