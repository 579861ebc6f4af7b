//! The line of a test's header that says how to run it: written here, and read back by `review` and `replay`. The file
//! is anybody's to edit: only arguments that choose a build are taken from it.

use std::fmt;

use relapse_snapshot::display::shell_words;

use super::header::comment;
use super::rust_flags::undeciding;
use crate::compile::Variable;

/// How the line begins.
const LABEL: &str = "run it: ";
/// Options of `cargo test` with a value, of a kind that chooses a build.
const WITH_VALUE: [&str; 7] = ["--bin", "--test", "--example", "--features", "--profile", "--target", "-F"];
/// Those without one.
const PLAIN: [&str; 5] = ["--lib", "--release", "-r", "--all-features", "--no-default-features"];
/// The variable of the build that may stand before `cargo`.
const VARIABLE: &str = "RUSTFLAGS";

/// `cargo test -p PACKAGE CARGO_ARGS… TEST -- --exact`, with the variables of the build before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunCommand {
    /// Variables of the build.
    pub variables: Vec<Variable>,
    /// The package, as `-p` takes it.
    pub package: String,
    /// What names the test target, its features and its profile.
    pub cargo_args: Vec<String>,
    /// libtest's path.
    pub test: String,
}

/// Why a header's command cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunCommandError {
    /// It is missing or was changed.
    #[error("its header has no `run it:` line that can be read")]
    Unreadable,
    /// It says more than which build to make.
    #[error("its `run it:` line has {0:?}, which is no option that chooses a build")]
    Argument(String),
}

impl fmt::Display for RunCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quoted = |word: &String| shell_words(std::slice::from_ref(word));
        for (name, value) in &self.variables {
            if let Some(value) = value {
                write!(f, "{name}={} ", quoted(value))?;
            }
        }
        write!(f, "cargo test -p {}", quoted(&self.package))?;
        for word in self.cargo_args.iter().chain([&self.test]) {
            write!(f, " {}", quoted(word))?;
        }
        f.write_str(" -- --exact")
    }
}

impl RunCommand {
    /// Finds the line in a test's text.
    pub fn read(text: &str) -> Result<Self, RunCommandError> {
        let line = comment(text).find_map(|line| line.strip_prefix(LABEL));
        Self::of(words(line.ok_or(RunCommandError::Unreadable)?).ok_or(RunCommandError::Unreadable)?)
    }

    /// The header's line, without its `// `.
    pub(super) fn line(command: &str) -> String {
        format!("{LABEL}{command}")
    }

    fn of(words: Vec<String>) -> Result<Self, RunCommandError> {
        let mut words = words.into_iter();
        let mut command = Self::default();
        let program = loop {
            let word = words.next().ok_or(RunCommandError::Unreadable)?;
            match word.split_once('=') {
                Some((VARIABLE, value)) => match undeciding(value) {
                    Some(flag) => return Err(RunCommandError::Argument(flag)),
                    None => command.variables.push((VARIABLE.to_owned(), Some(value.to_owned()))),
                },
                Some(_) => return Err(RunCommandError::Argument(word)),
                None => break word,
            }
        };
        if program != "cargo" || words.next().as_deref() != Some("test") {
            return Err(RunCommandError::Unreadable);
        }
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            } else if word == "-p" || word == "--package" {
                command.package = value(&word, words.next())?;
            } else if PLAIN.contains(&word.as_str()) {
                command.cargo_args.push(word);
            } else if let Some((name, given)) = word.split_once('=')
                && WITH_VALUE.contains(&name)
            {
                value(name, Some(given.to_owned()))?;
                command.cargo_args.push(word);
            } else if WITH_VALUE.contains(&word.as_str()) {
                let value = value(&word, words.next())?;
                command.cargo_args.extend([word, value]);
            } else if word.starts_with('-') || !command.test.is_empty() {
                return Err(RunCommandError::Argument(word));
            } else {
                command.test = word;
            }
        }
        let complete = !command.package.is_empty() && !command.test.is_empty();
        if complete { Ok(command) } else { Err(RunCommandError::Unreadable) }
    }
}

/// The value of an option. Where a value may be left out, as that of `--bin`, cargo would take one with a dash for
/// another option. A target that is a file names the programs that build for it.
fn value(option: &str, word: Option<String>) -> Result<String, RunCommandError> {
    let word = word.ok_or(RunCommandError::Unreadable)?;
    let is_file = option == "--target" && word.contains(['/', '.']);
    if word.starts_with('-') || is_file { Err(RunCommandError::Argument(word)) } else { Ok(word) }
}

/// Splits a command as a shell does: blanks, single and double quotes, backslashes. `None` where a quote stays
/// open.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            (' ' | '\t', None) => words.extend(word.take()),
            ('\'' | '"', None) => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (char, Some(open)) if char == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(chars.next()?),
            (plain, _) => word.get_or_insert_default().push(plain),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "// `f` panics\n// run it: cargo test -p p --lib --features \"a b\" r::f::f -- --exact\n\nfn f() {}\n";

    #[test]
    fn the_command_that_runs_a_test_is_read_as_it_was_written() {
        let command = RunCommand {
            variables: vec![("RUSTFLAGS".into(), Some("--cfg a='b' -C target-cpu=native".into()))],
            package: "p".into(),
            cargo_args: ["--bin", "a b", "--features", "x,y", "--target", "x86_64-unknown-linux-musl"]
                .map(str::to_owned)
                .into(),
            test: "a::regressions::x::x".into(),
        };
        let line = command.to_string();
        assert!(
            line.starts_with(r"RUSTFLAGS='--cfg a='\''b'\'' -C target-cpu=native' cargo test -p p "),
            "{line}"
        );
        assert_eq!(RunCommand::read(&format!("// {}\n", RunCommand::line(&line))), Ok(command));
    }

    #[test]
    fn only_arguments_that_choose_a_build_are_taken() {
        for (argument, named) in [
            ("--config build.rustc-wrapper=x", "--config"),
            ("--manifest-path=/tmp/x", "--manifest-path=/tmp/x"),
            ("-Zunstable", "-Zunstable"),
            ("other_test", "r::f::f"),
            (
                r#"--bin demo --bin '--config=build.rustc-wrapper="/tmp/evil.sh"'"#,
                "--config=build.rustc-wrapper=\"/tmp/evil.sh\"",
            ),
            ("--features --config=x", "--config=x"),
            ("--bin=--config=x", "--config=x"),
            ("-p --config=x", "--config=x"),
            ("--target ../evil.json", "../evil.json"),
        ] {
            let text = EXAMPLE.replace("--lib", argument);
            assert_eq!(RunCommand::read(&text), Err(RunCommandError::Argument(named.into())), "{argument}");
        }
        for variable in ["RUSTC_WRAPPER=x", "RUSTFLAGS='--cfg a -C linker=/tmp/evil.sh'"] {
            let text = EXAMPLE.replace("cargo", &format!("{variable} cargo"));
            assert!(matches!(RunCommand::read(&text), Err(RunCommandError::Argument(_))), "{variable}");
        }
        assert_eq!(RunCommand::read(EXAMPLE).unwrap().cargo_args, ["--lib", "--features", "a b"]);
    }

    #[test]
    fn a_command_that_was_broken_is_not_read() {
        for broken in [
            EXAMPLE.replace("a b\"", "a b"),
            EXAMPLE.replace("-p p", "-p"),
            EXAMPLE.replace("run it", "run"),
            EXAMPLE.replace(" r::f::f", ""),
            format!("fn x() {{}}\n{EXAMPLE}"),
        ] {
            assert!(RunCommand::read(&broken).is_err(), "{broken}");
        }
    }
}
