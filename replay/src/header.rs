//! The comment that begins a regression file, read back: what crashed, where, and the command that runs the
//! test. The file is anybody's to edit: only arguments that choose a build are taken from it.

use relapse_generator::compile::Variable;
use relapse_generator::render::{CrashLine, RunCommand, RunCommandError, Wiring};

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
    /// What crashed.
    pub crash: CrashLine,
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
    /// The command is missing or none of ours.
    #[error(transparent)]
    Command(#[from] RunCommandError),
}

/// Whether a file has a header of ours, of whichever version.
pub fn is_ours(text: &str) -> bool {
    Wiring::version(text).is_some()
}

impl Header {
    /// Reads the header of a file that [`is_ours`].
    pub fn read(text: &str) -> Result<Self, HeaderError> {
        let unreadable = HeaderError::Line("`relapse 1:`");
        let wiring = match (Wiring::read(text), Wiring::version(text)) {
            (Some(wiring), _) => wiring,
            (None, Some("1") | None) => return Err(unreadable),
            (None, Some(version)) => return Err(HeaderError::Version(version.to_owned())),
        };
        let command = RunCommand::read(text)?;
        let crash = CrashLine::read(text).ok_or(HeaderError::Line("first"))?;
        Ok(Self {
            package: command.package,
            cargo_args: command.cargo_args,
            variables: command.variables,
            test: command.test,
            snapshot: wiring.snapshot,
            crash,
            open: text.lines().any(|line| line.trim_start().starts_with("#[should_panic")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "\
// `fill` panics: start byte index 97 (of `a`) is not a char boundary (src/lib.rs:634, in WrapIterImpl::impl_next)
// captured 2026-11-23 from `cargo run -- post.txt 86`, rustc 1.95.0 debug; class str/char-boundary
// run it: RUSTFLAGS='--cfg a=\"b\"' cargo test -p textwrap --lib --features \"a b\" regressions::f::f -- --exact
// relapse 1: snapshot 7c1e09b2, target crate::fill, module src/lib.rs

use super::super::*;
";

    #[test]
    fn the_header_tells_how_to_run_the_test_and_what_to_expect() {
        let header = Header::read(EXAMPLE).unwrap();
        assert!(is_ours(EXAMPLE));
        assert_eq!(header.package, "textwrap");
        assert_eq!(header.cargo_args, ["--lib", "--features", "a b"]);
        assert_eq!(header.variables, [("RUSTFLAGS".to_owned(), Some("--cfg a=\"b\"".to_owned()))]);
        assert_eq!(header.test, "regressions::f::f");
        assert_eq!(header.snapshot, "7c1e09b2");
        assert_eq!(header.crash.message, "start byte index 97 (of `a`) is not a char boundary");
        assert_eq!((header.crash.file.as_str(), header.crash.line), ("src/lib.rs", Some(634)));
        assert!(!header.crash.dies && !header.open);
    }

    #[test]
    fn a_death_and_an_open_bug_are_told_from_a_panic() {
        let dies = EXAMPLE.replace("` panics: start", "` dies: ` panics: start");
        assert!(Header::read(&dies).unwrap().crash.dies);
        let open = format!("{EXAMPLE}\n#[test]\n#[should_panic(expected = \"x\")]\nfn f() {{}}\n");
        assert!(Header::read(&open).unwrap().open);
    }

    #[test]
    fn a_command_that_is_none_of_ours_is_named() {
        let text = EXAMPLE.replace("--lib", "--lib --bin '--config=x'");
        let error = Header::read(&text).unwrap_err();
        assert_eq!(
            error.to_string(),
            "its `run it:` line has \"--config=x\", which is no option that chooses a build"
        );
        assert!(Header::read(&EXAMPLE.replace("run it", "run")).is_err());
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
