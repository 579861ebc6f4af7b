//! The facts of a test's header, from its snapshot and target.

use relapse_snapshot::display::shell_words;
use relapse_snapshot::{CauseKind, Endless, Frame, FrameKind, Location, Program, Snapshot, Trust};

use crate::candidate::Callable;
use crate::compile::{TestTarget, Variable};
use crate::index::SourceIndex;
use crate::names::Callbacks;
use crate::regression::Header;
use crate::render::{RunCommand, deciding};

/// What names the test.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'a> {
    /// The test target.
    pub target: &'a TestTarget,
    /// libtest's path.
    pub test: &'a str,
}

/// The header of a candidate's test.
pub fn of(
    callable: &Callable<'_>,
    snapshot: &Snapshot,
    index: &SourceIndex,
    naming: Naming<'_>,
    trust: Trust,
) -> Header {
    let innermost = snapshot.innermost_workspace_frame();
    let endless = Endless::of(snapshot);
    let mut remarks: Vec<_> =
        endless.iter().map(|endless| format!("recursion: {}", endless.words())).collect();
    if trust == Trust::Redacted {
        remarks.push("a value that looked like a secret was replaced by one of the same shape".to_owned());
    }
    if callable.made.callbacks != Callbacks::AsWritten {
        remarks.push(
            "a callback of the program cannot be written here: the one in its place does nothing".to_owned(),
        );
    }
    if !callable.made.is_empty() {
        remarks.push("made by the calls that made it in the crashed program".to_owned());
    } else if trust == Trust::Suspect {
        remarks.push("some of these values may differ from what the call was given".to_owned());
    }
    if index.outside(callable.function.id.krate) == Some(callable.home) {
        remarks.push(
            "it could not be compiled or run among the library's own unit tests, so it stands outside of them"
                .to_owned(),
        );
    } else if callable.home != callable.function.module {
        remarks.push("it stands in a module that can name the types of its values".to_owned());
    }
    let run_it = RunCommand {
        variables: build_variables(&snapshot.program),
        package: naming.target.package.clone(),
        cargo_args: naming.target.cargo_args.clone(),
        test: naming.test.to_owned(),
    };
    Header {
        function: short_path(callable.frame),
        message: snapshot.cause.message.clone(),
        place: place(snapshot, index, callable),
        within: innermost
            .filter(|inner| callable.depth > 0 && inner.function != callable.frame.function)
            .map(short_path),
        date: snapshot.time.get(..10).unwrap_or(&snapshot.time).to_owned(),
        command: shell_words(&snapshot.program.command),
        build: build(snapshot),
        class: None,
        run_it: run_it.to_string(),
        snapshot: snapshot.id.clone(),
        target: callable.target_path(index),
        remarks,
    }
}

/// The variables that the crashed build had, as far as they decide how the code behaves.
pub fn build_variables(program: &Program) -> Vec<Variable> {
    let flags = program.build.as_ref().and_then(|build| build.rustflags.as_deref());
    flags.and_then(deciding).map(|flags| ("RUSTFLAGS".to_owned(), Some(flags))).into_iter().collect()
}

/// `Timestamp::to_unix` of a frame: its function and the type that it belongs to; `a closure of fill`.
pub fn short_path(frame: &Frame) -> String {
    let mut depth = 0;
    let plain: String = frame
        .function
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '<') - i32::from(*c == '>');
            depth == 0 && *c != '>'
        })
        .collect();
    let mut parts = plain.rsplit("::").filter(|part| !part.is_empty() && !part.starts_with('{'));
    let (last, owner) = (parts.next(), parts.next());
    // Neither a closure nor the body of an async function has a name of its own: its function's says more.
    let name = match frame.name.split('<').next().unwrap_or(&frame.name) {
        inner if inner.starts_with('{') => last.unwrap_or(inner),
        name => name,
    };
    let start = if frame.name.starts_with("{closure") { "a closure of " } else { "" };
    match owner {
        Some(owner) if owner.starts_with(|c: char| c.is_uppercase()) => format!("{start}{owner}::{name}"),
        _ => format!("{start}{name}"),
    }
}

/// `src/lib.rs:634`: the place of the crash, seen from the target's package where it lies in there; what std
/// raises is placed where the workspace called it.
fn place(snapshot: &Snapshot, index: &SourceIndex, callable: &Callable<'_>) -> String {
    let own = |location: &&Location| !location.file.starts_with("library/");
    let called_from =
        snapshot.frames().iter().find(|f| f.kind == FrameKind::Workspace).and_then(|f| f.location.as_ref());
    let Some(location) = snapshot.location.as_ref().filter(own).or(called_from) else {
        return match snapshot.cause.kind {
            CauseKind::Panic => "an unknown place".to_owned(),
            _ => "no panic".to_owned(),
        };
    };
    let folder = &index.package(callable.function.id.krate).relative_folder;
    let file = std::path::Path::new(&location.file);
    let file = file.strip_prefix(folder).unwrap_or(file);
    format!("{}:{}", file.display(), location.line)
}

/// `rustc 1.95.0 debug`.
fn build(snapshot: &Snapshot) -> String {
    let version = snapshot.program.rustc.as_deref().and_then(|text| {
        text.split_whitespace()
            .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
    });
    let profile = match snapshot.program.build.as_ref().map(|build| build.profile.as_str()) {
        None | Some("" | "dev" | "test") => "debug",
        Some("bench") => "release",
        Some(other) => other,
    };
    match version {
        Some(version) => format!("rustc {version} {profile}"),
        None => profile.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, name: &str) -> Frame {
        Frame {
            function: function.to_owned(),
            name: name.to_owned(),
            kind: FrameKind::Workspace,
            ..Frame::default()
        }
    }

    #[test]
    fn short_path_is_the_type_and_the_function() {
        assert_eq!(short_path(&frame("textwrap::fill", "fill<&str>")), "fill");
        assert_eq!(
            short_path(&frame("textwrap::WrapIterImpl::impl_next", "impl_next")),
            "WrapIterImpl::impl_next"
        );
        assert_eq!(short_path(&frame("demo::Grid<T>::row", "row<u8>")), "Grid::row");
        assert_eq!(short_path(&frame("<demo::Row as core::fmt::Display>::fmt", "fmt")), "fmt");
    }

    #[test]
    fn a_header_has_the_flags_that_decide_how_the_code_behaves() {
        let mut program = Program::default();
        assert_eq!(build_variables(&program), []);
        let rustflags = Some("-D warnings -C linker=clang --cfg a".to_owned());
        program.build = Some(relapse_snapshot::Build { rustflags, ..Default::default() });
        assert_eq!(build_variables(&program), [("RUSTFLAGS".to_owned(), Some("--cfg a".to_owned()))]);
    }

    #[test]
    fn a_closure_and_an_async_body_go_by_their_function() {
        assert_eq!(short_path(&frame("demo::pairs::{{closure}}", "{closure#0}")), "a closure of pairs");
        assert_eq!(
            short_path(&frame("demo::Grid<T>::row::{{closure}}", "{closure#1}<u8>")),
            "a closure of Grid::row"
        );
        assert_eq!(short_path(&frame("demo::fetch::{{closure}}", "{async_fn#0}")), "fetch");
    }
}
