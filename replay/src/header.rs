//! The comment that begins a regression file, read back: what crashed, where, and the command that runs the
//! test. The file is anybody's to edit: only arguments that choose a build are taken from it.

use relapse_generator::compile::Variable;

/// Options of `cargo test` with a value, of a kind that chooses a build.
const WITH_VALUE: [&str; 7] = ["--bin", "--test", "--example", "--features", "--profile", "--target", "-F"];
/// Those without one.
const PLAIN: [&str; 5] = ["--lib", "--release", "-r", "--all-features", "--no-default-features"];
/// Variables of the build that may stand before `cargo`.
const VARIABLES: [&str; 1] = ["RUSTFLAGS"];

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The package, as `-p` takes it.
    pub package: String,
    /// Target and build options.
    pub cargo_args: Vec<String>,
    /// Variables of the build.
    pub variables: Vec<Variable>,
    /// libtest's full path of the test.
    pub test: String,
    /// The first digits of the snapshot's id.
    pub snapshot: String,
    /// The panic's message or the signal, on one line; cut where it ends in `…`.
    pub message: String,
    /// The file of the crash, as a snapshot names it.
    pub file: String,
    /// Its line.
    pub line: Option<u32>,
    /// Whether the call kills its process: the test runs it in a child.
    pub dies: bool,
    /// `#[should_panic]`: a bug that is known to be open.
    pub open: bool,
}

/// Why a header cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A newer tool wrote it.
    #[error("its header has version {0}, which this tool does not read")]
    Version(String),
    /// A line is missing or was changed.
    #[error("its header has no {0} line that can be read")]
    Line(&'static str),
    /// The command is none of ours.
    #[error("its `run it:` line has {0:?}, which is no option that chooses a build")]
    Argument(String),
}

/// Whether a file has a header of ours, of whichever version.
pub fn is_ours(text: &str) -> bool {
    comment(text).any(|line| wiring(line).is_some())
}

impl Header {
    /// Reads the header of a file that [`is_ours`].
    pub fn read(text: &str) -> Result<Self, HeaderError> {
        let (version, rest) = comment(text).find_map(wiring).ok_or(HeaderError::Line("`relapse 1:`"))?;
        if version != "1" {
            return Err(HeaderError::Version(version.to_owned()));
        }
        let snapshot = rest.strip_prefix("snapshot ").and_then(|rest| rest.split(',').next());
        let snapshot = snapshot.ok_or(HeaderError::Line("`relapse 1:`"))?.trim().to_owned();
        let command = comment(text).find_map(|line| line.strip_prefix("run it: "));
        let command = Command::read(command.ok_or(HeaderError::Line("`run it:`"))?)?;
        let first = comment(text).next().and_then(first_line).ok_or(HeaderError::Line("first"))?;
        let (file, line) = match first.place.rsplit_once(':') {
            Some((file, line)) if line.parse::<u32>().is_ok() => (file, line.parse().ok()),
            _ => (first.place, None),
        };
        Ok(Self {
            package: command.package,
            cargo_args: command.cargo_args,
            variables: command.variables,
            test: command.test,
            snapshot,
            message: first.message.to_owned(),
            file: file.to_owned(),
            line,
            dies: first.dies,
            open: text.lines().any(|line| line.trim_start().starts_with("#[should_panic")),
        })
    }
}

/// The comment lines at the top, without their `// `.
fn comment(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map_while(|line| line.strip_prefix("//")).map(|line| line.strip_prefix(' ').unwrap_or(line))
}

/// Version and content of `relapse 1: …`.
fn wiring(line: &str) -> Option<(&str, &str)> {
    let (version, rest) = line.strip_prefix("relapse ")?.split_once(": ")?;
    version.bytes().all(|byte| byte.is_ascii_digit()).then_some((version, rest))
}

struct FirstLine<'a> {
    dies: bool,
    message: &'a str,
    place: &'a str,
}

/// `` `fill` panics: MESSAGE (src/lib.rs:634, in WrapIterImpl::impl_next) ``.
fn first_line(line: &str) -> Option<FirstLine<'_>> {
    let at = |verb: &str| line.find(verb).map(|at| (at, at + verb.len()));
    let (panics, dies) = (at("` panics: "), at("` dies: "));
    // A message may hold the other word: the first one is the header's.
    let is_death = match (panics, dies) {
        (Some((panics, _)), Some((dies, _))) => dies < panics,
        (_, dies) => dies.is_some(),
    };
    let (_, start) = if is_death { dies } else { panics }?;
    let rest = line.get(start..)?.trim_end().strip_suffix(')')?;
    let (message, place) = rest.rsplit_once(" (")?;
    let place = place.split_once(", in ").map_or(place, |(place, _)| place);
    Some(FirstLine { dies: is_death, message, place })
}

struct Command {
    package: String,
    cargo_args: Vec<String>,
    variables: Vec<Variable>,
    test: String,
}

impl Command {
    /// `cargo test -p PACKAGE ARGS… TEST -- --exact`.
    fn read(text: &str) -> Result<Self, HeaderError> {
        let wrong = HeaderError::Line("`run it:`");
        let mut words = words(text).ok_or_else(|| wrong.clone())?.into_iter();
        let mut command = Self {
            package: String::new(),
            cargo_args: Vec::new(),
            variables: Vec::new(),
            test: String::new(),
        };
        let program = loop {
            let word = words.next().ok_or_else(|| wrong.clone())?;
            match word.split_once('=') {
                Some((name, value)) if VARIABLES.contains(&name) => {
                    command.variables.push((name.to_owned(), Some(value.to_owned())));
                }
                Some(_) => return Err(HeaderError::Argument(word)),
                None => break word,
            }
        };
        if program != "cargo" || words.next().as_deref() != Some("test") {
            return Err(wrong);
        }
        while let Some(word) = words.next() {
            let name = word.split_once('=').map_or(word.as_str(), |(name, _)| name);
            if word == "--" {
                break;
            } else if word == "-p" || word == "--package" {
                command.package = words.next().ok_or_else(|| wrong.clone())?;
            } else if PLAIN.contains(&word.as_str()) || (name != word && WITH_VALUE.contains(&name)) {
                command.cargo_args.push(word);
            } else if WITH_VALUE.contains(&word.as_str()) {
                let value = words.next().ok_or_else(|| wrong.clone())?;
                command.cargo_args.extend([word, value]);
            } else if word.starts_with('-') || !command.test.is_empty() {
                return Err(HeaderError::Argument(word));
            } else {
                command.test = word;
            }
        }
        let package_is_named = !command.package.is_empty() && !command.package.starts_with('-');
        if package_is_named && !command.test.is_empty() { Ok(command) } else { Err(wrong) }
    }
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

    const EXAMPLE: &str = "\
// `fill` panics: start byte index 97 (of `a`) is not a char boundary (src/lib.rs:634, in WrapIterImpl::impl_next)
// captured 2026-11-23 from `cargo run -- post.txt 86`, rustc 1.95.0 debug; class str/char-boundary
// run it: RUSTFLAGS='--cfg \"x y\"' cargo test -p textwrap --lib --features \"a b\" regressions::f::f -- --exact
// relapse 1: snapshot 7c1e09b2, target crate::fill, module src/lib.rs

use super::super::*;
";

    #[test]
    fn the_header_tells_how_to_run_the_test_and_what_to_expect() {
        let header = Header::read(EXAMPLE).unwrap();
        assert!(is_ours(EXAMPLE));
        assert_eq!(header.package, "textwrap");
        assert_eq!(header.cargo_args, ["--lib", "--features", "a b"]);
        assert_eq!(header.variables, [("RUSTFLAGS".to_owned(), Some("--cfg \"x y\"".to_owned()))]);
        assert_eq!(header.test, "regressions::f::f");
        assert_eq!(header.snapshot, "7c1e09b2");
        assert_eq!(header.message, "start byte index 97 (of `a`) is not a char boundary");
        assert_eq!((header.file.as_str(), header.line), ("src/lib.rs", Some(634)));
        assert!(!header.dies && !header.open);
    }

    #[test]
    fn a_death_and_an_open_bug_are_told_from_a_panic() {
        let dies = EXAMPLE.replace("` panics: start", "` dies: ` panics: start");
        assert!(Header::read(&dies).unwrap().dies);
        let open = format!("{EXAMPLE}\n#[test]\n#[should_panic(expected = \"x\")]\nfn f() {{}}\n");
        assert!(Header::read(&open).unwrap().open);
    }

    #[test]
    fn only_arguments_that_choose_a_build_are_taken() {
        for (argument, named) in [
            ("--config build.rustc-wrapper=x", "--config"),
            ("--manifest-path=/tmp/x", "--manifest-path=/tmp/x"),
            ("-Zunstable", "-Zunstable"),
            ("other_test", "regressions::f::f"),
        ] {
            let text = EXAMPLE.replace("--lib", argument);
            assert_eq!(Header::read(&text), Err(HeaderError::Argument(named.to_owned())), "{argument}");
        }
        let text = EXAMPLE.replace("RUSTFLAGS=", "RUSTC_WRAPPER=");
        assert!(matches!(Header::read(&text), Err(HeaderError::Argument(_))));
        for broken in [
            EXAMPLE.replace("a b\"", "a b"),
            EXAMPLE.replace("-p textwrap", "-p"),
            EXAMPLE.replace("run it", "run"),
        ] {
            assert!(Header::read(&broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn files_of_others_and_of_newer_tools_are_told_apart() {
        assert!(!is_ours("// a comment\nfn f() {}\n// relapse 1: snapshot 1, target a, module b\n"));
        let newer = EXAMPLE.replace("relapse 1:", "relapse 2:");
        assert!(is_ours(&newer));
        assert_eq!(Header::read(&newer), Err(HeaderError::Version("2".to_owned())));
        assert!(Header::read("// relapse 1: ").is_err());
    }
}
