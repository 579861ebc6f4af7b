//! The programs that are needed or wished: cargo, rustc, linker, rustfmt, nextest, insta. A debugger is not.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use relapse_generator::project::cargo;

use super::Check;

/// The oldest rustc whose panics are understood.
const OLDEST_RUSTC: (u32, u32) = (1, 75);

/// `folder` is where the project is: it may ask for a toolchain of its own. `own_linker`: its settings name one.
pub(super) fn checks(folder: &Path, own_linker: bool) -> Vec<Check> {
    let cargo = cargo();
    let ask = |program: &OsStr, words: &[&str]| version_of(program, words, folder);
    let format = std::env::var_os("RUSTFMT").unwrap_or_else(|| "rustfmt".into());
    vec![
        needed("cargo", ask(cargo.as_os_str(), &["--version"])),
        needed("rustc", ask("rustc".as_ref(), &["--version"])),
        linker(ask("cc".as_ref(), &["--version"]), own_linker),
        rustfmt(ask(&format, &["--version"])),
        optional(
            "nextest",
            ask(cargo.as_os_str(), &["nextest", "--version"]),
            "cargo-nextest is not installed, and needed for nothing but `cargo relapse run -- cargo nextest run`",
        ),
        optional(
            "insta",
            ask(cargo.as_os_str(), &["insta", "--version"]),
            "cargo-insta is not installed; `cargo relapse review` accepts outcomes without it",
        ),
        optional(
            "debugger",
            ask("gdb".as_ref(), &["--version"]).map(|found| format!("none is needed; here is {found}")),
            "none is needed",
        ),
    ]
}

/// The first line of what a program says of its version; else why not.
fn version_of(program: &OsStr, words: &[&str], folder: &Path) -> Result<String, String> {
    let name = program.to_string_lossy();
    let output = Command::new(program).args(words).current_dir(folder).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("failed to start {name}: {error}"))?;
    let first = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).trim().lines().next().unwrap_or_default().trim().to_owned()
    };
    if output.status.success() {
        return Ok(first(&output.stdout));
    }
    Err(format!("`{name} {}` fails: {}", words.join(" "), first(&output.stderr)))
}

fn needed(name: &'static str, found: Result<String, String>) -> Check {
    let found = match found {
        Ok(found) => found,
        Err(reason) => {
            let advice = "install Rust (https://rustup.rs), put it on the PATH, or repair the toolchain (`rustup show`)";
            return Check::missing(name, reason, advice);
        }
    };
    match version(&found) {
        Some(version) if version < OLDEST_RUSTC => {
            let (major, minor) = OLDEST_RUSTC;
            let advice = format!("programs built by {major}.{minor} and newer are understood");
            Check::note(name, found, advice)
        }
        _ => Check::ok(name, found),
    }
}

/// rustc links by `cc`, unless it is told otherwise.
fn linker(found: Result<String, String>, own: bool) -> Check {
    match found {
        Ok(found) => Check::ok("linker", found),
        Err(_) if own => Check::ok("linker", "the project's settings name one"),
        Err(reason) => Check::missing(
            "linker",
            reason,
            "install a C compiler, by which rustc links (Debian: `apt-get install gcc`)",
        ),
    }
}

fn rustfmt(found: Result<String, String>) -> Check {
    match found {
        Ok(found) => Check::ok("rustfmt", found),
        Err(reason) => {
            let advice = "run `rustup component add rustfmt`: until then generated tests are laid out without the project's own style";
            Check::note("rustfmt", reason, advice)
        }
    }
}

fn optional(name: &'static str, found: Result<String, String>, otherwise: &str) -> Check {
    Check::ok(name, found.unwrap_or_else(|_| otherwise.to_owned()))
}

/// `(1, 95)` of `rustc 1.95.0 (…)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_whitespace().nth(1)?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert_eq!(version("rustc 1.75.0-nightly"), Some((1, 75)));
        assert_eq!(version("rustc"), None);
    }

    #[test]
    fn what_is_old_or_gone_is_told_apart_from_what_is_wished() {
        assert_eq!(needed("rustc", Ok("rustc 1.74.1 (x)".into())).status, Status::Note);
        assert_eq!(needed("rustc", Err("gone".into())).status, Status::Missing);
        assert_eq!(linker(Err("gone".into()), false).status, Status::Missing);
        assert_eq!(linker(Err("gone".into()), true).status, Status::Ok);
        assert_eq!(rustfmt(Err("gone".into())).status, Status::Note);
        assert_eq!(optional("nextest", Err("gone".into()), "not here").message, "not here");
    }

    #[test]
    fn a_program_that_is_not_there_or_fails_is_named() {
        let ask = |program: &str| version_of(program.as_ref(), &["--version"], Path::new("/"));
        assert!(ask("no-such-program-of-relapse").unwrap_err().contains("no-such-program-of-relapse"));
        assert!(ask("false").unwrap_err().contains("`false --version` fails"));
        assert!(ask("rustc").unwrap().starts_with("rustc 1."));
    }
}
