//! The variables of a process's environment that its program can ask for: their names are among the program's own
//! constants. All others are the user's business, and are not kept.

use std::fs;

use memchr::memmem;
use object::read::ReadRef;
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection};
use relapse_snapshot::Variable;

/// What belongs to the machine, the user's session, cargo or the test harness. A test that sets them would only hold
/// on this machine.
const NOT_KEPT: [&str; 26] = [
    "_",
    "PATH",
    "HOME",
    "PWD",
    "OLDPWD",
    "SHELL",
    "SHLVL",
    "USER",
    "LOGNAME",
    "HOSTNAME",
    "TERM",
    "COLUMNS",
    "LINES",
    "MAIL",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "DISPLAY",
    "TMPDIR",
    "TMP",
    "TEMP",
    "RUSTC",
    "RUSTFLAGS",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
    "RUST_RECURSION_COUNT",
];
/// The same, by how a name begins.
const NOT_KEPT_GROUPS: [&str; 12] = [
    "CARGO",
    "RUSTUP_",
    "RUST_TEST_",
    "NEXTEST",
    "RELAPSE_",
    "INSTA_",
    "LD_",
    "XDG_",
    "SSH_",
    "DBUS_",
    "LS_",
    "GNOME_",
];
/// Shorter names are part of too many texts.
const SHORTEST: usize = 2;
/// A longer value is data, not a setting, in bytes.
const LONGEST_VALUE: usize = 4096;
/// More variables are not kept.
const MOST: usize = 64;
/// The kernel allows longer ones; none is.
const ENVIRONMENT_LIMIT: usize = 1 << 20;
/// Constants are searched up to this size, in bytes.
const CONSTANTS_LIMIT: u64 = 64 << 20;

/// The variables that a live process of this program was started with, by name.
pub(super) fn of_process<'d, R: ReadRef<'d>>(pid: i32, elf: &ElfFile64<'d, Endianness, R>) -> Vec<Variable> {
    let mut block = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    block.truncate(ENVIRONMENT_LIMIT);
    let mut variables: Vec<Variable> = block.split(|byte| *byte == 0).filter_map(variable).collect();
    if variables.is_empty() {
        return variables;
    }
    let constants = constants(elf).unwrap_or_default();
    variables.retain(|variable| memmem::find(constants, variable.name.as_bytes()).is_some());
    variables.sort_by(|a, b| a.name.cmp(&b.name));
    variables.dedup_by(|a, b| a.name == b.name);
    variables.truncate(MOST);
    variables
}

/// `NAME=value`, where it may be kept.
fn variable(entry: &[u8]) -> Option<Variable> {
    let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
    let kept = name.len() >= SHORTEST
        && value.len() <= LONGEST_VALUE
        && !NOT_KEPT.contains(&name)
        && !NOT_KEPT_GROUPS.iter().any(|group| name.starts_with(group));
    kept.then(|| Variable { name: name.to_owned(), value: value.to_owned() })
}

/// The read-only data of a program.
fn constants<'d, R: ReadRef<'d>>(elf: &ElfFile64<'d, Endianness, R>) -> Option<&'d [u8]> {
    let section = elf.section_by_name(".rodata").filter(|section| section.size() <= CONSTANTS_LIMIT)?;
    section.data().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use relapse_snapshot::Program;

    #[test]
    fn only_variables_that_the_program_names_are_kept() {
        // This very test program, as a child that waits: it holds the first two names below.
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program)
            .args(["--exact", "program::environment::tests::waits_to_be_looked_at", "--ignored"])
            .env("ENVIRONMENT_TEST_MODE", "strict")
            .env("CARGO_TERM_QUIET", "true")
            .env(["NOT", "_IN_ANY_CONSTANT"].concat().to_lowercase(), "private")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The kernel shows the environment of a child that has not become the program yet as ours.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let kept = loop {
            let kept = super::super::of_process(child.id() as i32, &Program::default(), None).environment;
            let there = kept.iter().any(|variable| variable.name == "ENVIRONMENT_TEST_MODE");
            if there || std::time::Instant::now() > deadline {
                break kept;
            }
        };
        child.kill().unwrap();
        child.wait().unwrap();
        let of = |name: &str| kept.iter().find(|v| v.name == name).map(|v| v.value.as_str());
        assert_eq!(of("ENVIRONMENT_TEST_MODE"), Some("strict"));
        assert_eq!(of("CARGO_TERM_QUIET"), None);
        assert!(!kept.iter().any(|variable| variable.value == "private" || variable.name == "PATH"));
    }

    #[test]
    #[ignore = "the child of the test above"]
    fn waits_to_be_looked_at() {
        let _ = std::io::read_to_string(std::io::stdin());
    }
}
