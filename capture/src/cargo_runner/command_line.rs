//! What a cargo command line says of the build: subcommand, profile, target, features. In: words; out: data. It
//! is cargo's place to complain about wrong ones.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use relapse_snapshot::crash::Build;

/// Options of cargo and nextest that take a value as the next word. An option that is not listed takes none, at
/// worst its value is taken for a word of its own, which changes nothing here.
const WITH_VALUE: [&str; 34] = [
    "--config",
    "--color",
    "--manifest-path",
    "--lockfile-path",
    "--package",
    "--exclude",
    "--bin",
    "--example",
    "--test",
    "--bench",
    "--features",
    "--profile",
    "--cargo-profile",
    "--target",
    "--target-dir",
    "--jobs",
    "--message-format",
    "--build-jobs",
    "--test-threads",
    "--partition",
    "--filterset",
    "--filter-expr",
    "--cargo-message-format",
    "--artifact-dir",
    "--explain",
    "-Z",
    "-C",
    "-p",
    "-F",
    "-j",
    "-E",
    "-P",
    "--retries",
    "--config-file",
];

/// A cargo command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoCommand {
    /// The program: `cargo`, or a path to one.
    pub program: OsString,
    /// `+nightly`.
    pub toolchain: Option<String>,
    /// The subcommand as cargo names it in full: `run`, `test`, `bench`, `nextest` …
    pub subcommand: String,
    /// The profile whose settings hold for the programs that are run: `dev`, `release`, or a custom one.
    pub profile: String,
    /// The folder given by `-C`.
    pub folder: Option<PathBuf>,
    /// Values of `--config`.
    pub config: Vec<String>,
    /// What a snapshot keeps.
    pub build: Build,
}

impl CargoCommand {
    /// Reads a command line; `None` where the program is not cargo.
    pub fn parse(words: &[OsString]) -> Option<CargoCommand> {
        let program = words.first()?;
        let name = Path::new(program).file_name()?.to_str()?;
        if name != "cargo" && name != "cargo-nextest" {
            return None;
        }
        let mut command = CargoCommand {
            program: program.clone(),
            toolchain: None,
            subcommand: String::new(),
            profile: String::new(),
            folder: None,
            config: Vec::new(),
            build: Build::default(),
        };
        let texts: Vec<String> = words[1..].iter().flat_map(|word| single(&word.to_string_lossy())).collect();
        let mut profile = None;
        let mut words = texts.iter().map(String::as_str).take_while(|word| *word != "--").peekable();
        while let Some(word) = words.next() {
            if command.toolchain.is_none() && command.subcommand.is_empty() && word.starts_with('+') {
                command.toolchain = Some(word.to_owned());
                continue;
            }
            let (option, value) = match split(word) {
                Some((option, Some(value))) => (option, Some(value.to_owned())),
                Some((option, None)) if WITH_VALUE.contains(&option) => {
                    (option, words.next().map(str::to_owned))
                }
                Some((option, None)) => (option, None),
                None => {
                    if command.subcommand.is_empty() {
                        word.clone_into(&mut command.subcommand);
                    }
                    continue;
                }
            };
            command.option(option, value, &mut profile);
        }
        let full = match command.subcommand.as_str() {
            "r" => "run",
            "t" => "test",
            "b" => "build",
            other => other,
        };
        command.subcommand = full.to_string();
        command.profile = profile.unwrap_or_else(|| match command.subcommand.as_str() {
            "bench" => "release".to_owned(),
            _ => "dev".to_owned(),
        });
        command.build.profile.clone_from(&command.profile);
        Some(command)
    }

    fn option(&mut self, option: &str, value: Option<String>, profile: &mut Option<String>) {
        let features = |text: String| {
            let names = text.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned);
            names.collect::<Vec<_>>()
        };
        let nextest = self.subcommand == "nextest";
        match (option, value) {
            ("--release" | "-r", _) => *profile = Some("release".to_owned()),
            // nextest has profiles of its own by that name.
            ("--cargo-profile", Some(name)) => *profile = Some(base_profile(&name)),
            ("--profile", Some(name)) if !nextest => *profile = Some(base_profile(&name)),
            ("--target", Some(target)) => self.build.target = Some(target),
            ("--features" | "-F", Some(names)) => self.build.features.extend(features(names)),
            ("--all-features", _) => self.build.all_features = true,
            ("--no-default-features", _) => self.build.no_default_features = true,
            ("-C", Some(folder)) => self.folder = Some(PathBuf::from(folder)),
            ("--config", Some(setting)) => self.config.push(setting),
            _ => {}
        }
    }
}

/// `test` is `dev`, `bench` is `release` for a program's debug info, unless the manifest sets them apart.
fn base_profile(name: &str) -> String {
    match name {
        "test" | "debug" => "dev".to_owned(),
        "bench" => "release".to_owned(),
        other => other.to_owned(),
    }
}

/// `-qr` is `-q -r`; the first letter of a group that takes a value has the rest of it: `-qFa` is `-q -Fa`. Any other word
/// as it is.
fn single(word: &str) -> Vec<String> {
    let Some(group) = word.strip_prefix('-').filter(|group| !group.is_empty() && !group.starts_with('-'))
    else {
        return vec![word.to_owned()];
    };
    let (mut options, mut letters) = (Vec::new(), group.chars());
    while let Some(letter) = letters.next() {
        let option = format!("-{letter}");
        if WITH_VALUE.contains(&option.as_str()) {
            options.push(option + letters.as_str());
            break;
        }
        options.push(option);
    }
    options
}

/// An option and the value joined to it: `--features=a`, `-Fa`; `None` for any other word.
fn split(word: &str) -> Option<(&str, Option<&str>)> {
    if word.starts_with("--") {
        return Some(word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value))));
    }
    let short = word.strip_prefix('-').filter(|rest| !rest.is_empty())?;
    let first = short.chars().next()?;
    let (option, rest) = word.split_at(1 + first.len_utf8());
    let joined = WITH_VALUE.contains(&option) && !rest.is_empty();
    Some(if joined { (option, Some(rest.strip_prefix('=').unwrap_or(rest))) } else { (word, None) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> CargoCommand {
        let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
        CargoCommand::parse(&words).unwrap()
    }

    #[test]
    fn build_facts_are_those_of_the_command_line() {
        let command = parse(
            "cargo +1.80 --config a.b='c' test -p x --features a,b -Fc --no-default-features --release",
        );
        assert_eq!(command.toolchain.as_deref(), Some("+1.80"));
        assert_eq!((command.subcommand.as_str(), command.profile.as_str()), ("test", "release"));
        assert_eq!(command.config, ["a.b='c'"]);
        assert_eq!(command.build.features, ["a", "b", "c"]);
        assert!(command.build.no_default_features && !command.build.all_features);
    }

    #[test]
    fn short_options_may_stand_together() {
        assert_eq!(parse("cargo run -qr").profile, "release");
        let command = parse("cargo test -vrFa,b -qp x -- -r");
        assert_eq!(command.profile, "release");
        assert_eq!(command.build.features, ["a", "b"]);
        assert_eq!(parse("cargo run -p r -pr -F=a").profile, "dev");
    }

    #[test]
    fn words_after_two_dashes_are_the_programs() {
        let command = parse("/usr/bin/cargo r -- --release --target x");
        assert_eq!((command.subcommand.as_str(), command.profile.as_str()), ("run", "dev"));
        assert_eq!(command.build.target, None);
    }

    #[test]
    fn profile_of_nextest_is_its_cargo_profile() {
        assert_eq!(parse("cargo nextest run --profile ci --cargo-profile fast").profile, "fast");
        assert_eq!(parse("cargo test --profile=test").profile, "dev");
        assert_eq!(parse("cargo bench").profile, "release");
    }

    #[test]
    fn other_programs_are_no_cargo() {
        assert_eq!(CargoCommand::parse(&["./cargo-thing".into()]), None);
        assert_eq!(CargoCommand::parse(&[]), None);
    }
}
