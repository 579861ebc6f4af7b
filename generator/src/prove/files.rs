//! The files that a call reads: which of them a test elsewhere would not find, and which can be brought along. In: what
//! a run was seen to do. Out: paths, and copies as data. Nothing is written here.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use relapse_snapshot::Rules;

use super::Bench;
use crate::paths::{normalized, relative};
use crate::regression::SideFile;
use crate::verify::{Access, Deed};

/// Larger files are not brought along, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// More files are not brought along.
pub(super) const MOST_FILES: usize = 8;
/// Git is asked about no more files.
const MOST_ASKED: usize = 256;
/// Folders of the machine, whose content no test brings along.
const OF_THE_MACHINE: [&str; 11] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/proc",
    "/sys",
    "/dev",
    "/nix/store",
    "/etc/ld.so.cache",
];

/// The files that a run has read and that a test elsewhere would not find.
pub(super) fn outside_reads(accesses: &[Access], bench: &Bench<'_>) -> BTreeSet<PathBuf> {
    let homes = ["CARGO_HOME", "RUSTUP_HOME"].map(std::env::var_os);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let default_homes = [".cargo", ".rustup"].map(|folder| home.as_ref().map(|home| home.join(folder)));
    let tools: Vec<PathBuf> =
        homes.into_iter().flatten().map(PathBuf::from).chain(default_homes.into_iter().flatten()).collect();
    let ordinary = |path: &PathBuf| {
        path.starts_with(bench.scratch.slot())
            || is_the_machines(path, bench.scratch.original_root(), &tools)
            || path
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with("relapse-sandbox-"))
    };
    let reads = accesses.iter().filter(|access| access.deed == Deed::Read);
    reads.filter_map(|access| access.path.clone()).filter(|path| !ordinary(path)).collect()
}

/// Files that a run looked for in the copy in vain and that the user has: the path in the copy, and the user's own.
pub(super) fn missed(accesses: &[Access], folder: &Path, bench: &Bench<'_>) -> Vec<(PathBuf, PathBuf)> {
    // What is named from the working folder was meant from that of the crash.
    let of_crash = bench.snapshot.program.working_folder.as_deref().map(|f| bench.original(Path::new(f)));
    let scratch = bench.scratch;
    let own = |path: &Path| {
        let by_folder = of_crash.as_ref().map(|of_crash| normalized(&of_crash.join(relative(folder, path))));
        let by_copy = scratch.relative(path).map(|path| bench.original(&path));
        by_folder.into_iter().chain(by_copy).find(|own| own != path && own.exists())
    };
    let missed = accesses.iter().filter(|access| access.deed == Deed::Missed);
    let missed = missed
        .filter_map(|access| access.path.as_ref())
        .filter(|path| path.starts_with(scratch.slot()) && !path.starts_with(scratch.target_folder()));
    missed.filter_map(|path| Some((path.clone(), own(path)?))).collect()
}

/// The files of the workspace that a run has read and that git ignores, relative to the root: where there is no git,
/// none.
pub(super) fn ignored_by_git(accesses: &[Access], bench: &Bench<'_>) -> Vec<PathBuf> {
    let (scratch, root) = (bench.scratch, bench.scratch.original_root());
    let own = |path: &Path| match scratch.relative(path) {
        None if path.starts_with(scratch.slot()) => None,
        None => path.strip_prefix(root).ok().map(Path::to_owned),
        within => within,
    };
    let reads = accesses.iter().filter(|access| access.deed == Deed::Read);
    let own: BTreeSet<PathBuf> = reads.filter_map(|access| own(access.path.as_ref()?)).collect();
    let mut own: Vec<PathBuf> =
        own.into_iter().filter(|path| root.join(path).is_file()).take(MOST_ASKED).collect();
    if own.is_empty() {
        return own;
    }
    let mut git = Command::new("git");
    git.current_dir(root).args(["-c", "core.quotePath=false", "check-ignore", "--"]).args(&own);
    let said = git.output().map(|output| output.stdout).unwrap_or_default();
    let said: BTreeSet<&[u8]> = said.split(|byte| *byte == b'\n').collect();
    own.retain(|path| said.contains(path.as_os_str().as_encoded_bytes()));
    own
}

/// Whether a file belongs to the machine or its tools. A workspace may stand among these: `/usr/src/app`.
fn is_the_machines(path: &Path, root: &Path, tools: &[PathBuf]) -> bool {
    let is_there = |folder: &Path| path.starts_with(folder);
    !is_there(root)
        && OF_THE_MACHINE.iter().map(Path::new).chain(tools.iter().map(PathBuf::as_path)).any(is_there)
}

/// A file as data of the test, where it is small and holds no secret; `taken`: the names of the other files there.
pub(super) fn copy_of(path: &Path, taken: &BTreeSet<String>, rules: &Rules) -> Option<SideFile> {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_file() || meta.len() > LARGEST_FILE {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    let text = decoded(&bytes);
    if rules.redact_text(&text) != text {
        return None;
    }
    let name = data_name(path.file_name()?.to_string_lossy().as_ref());
    let numbered = (2..).map(|number| format!("{number}_{name}"));
    let name = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(name))?;
    Some(SideFile { name, bytes })
}

/// The text of a file, to look for secrets: UTF-16 where its mark says so.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    let of_units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => of_units(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => of_units(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes),
    }
}

/// What a file is called as data of a test. Beside `NAME.rs` a `NAME/mod.rs` would be taken for the module, and with a
/// manifest in it the folder for a package.
fn data_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).collect();
    match name.trim_start_matches('.') {
        "" => "file".to_owned(),
        name @ ("mod.rs" | "Cargo.toml") => format!("{name}.txt"),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_secret_is_not_copied_be_it_one_by_the_project_s_own_rules() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.yml");
        let is_copied = |content: &str, rules: &Rules| {
            // The same as UTF-16.
            let wide: Vec<u8> = content.encode_utf16().flat_map(u16::to_le_bytes).collect();
            std::fs::write(&path, [&b"\xff\xfe"[..], &wide].concat()).unwrap();
            let is_wide_copied = copy_of(&path, &BTreeSet::new(), rules).is_some();
            std::fs::write(&path, content).unwrap();
            assert_eq!(copy_of(&path, &BTreeSet::new(), rules).is_some(), is_wide_copied, "{content}");
            copy_of(&path, &BTreeSet::new(), rules).is_some()
        };
        assert!(!is_copied("db:\n  password: hunter2\n", &Rules::default()));
        assert!(is_copied("id: corp_12ab\n", &Rules::default()));
        assert!(!is_copied("id: corp_12ab\n", &Rules::default().with_pattern("corp_*")));
    }

    #[test]
    fn a_copied_file_has_a_name_of_its_own_that_is_no_module_s() {
        let folder = tempfile::tempdir().unwrap();
        let copied = |name: &str, taken: &[&str]| {
            std::fs::write(folder.path().join(name), "x").unwrap();
            let taken = taken.iter().map(|&name| name.to_owned()).collect();
            copy_of(&folder.path().join(name), &taken, &Rules::default()).unwrap().name
        };
        assert_eq!(copied("text.txt", &[]), "text.txt");
        assert_eq!(copied("text.txt", &["text.txt", "2_text.txt"]), "3_text.txt");
        assert_eq!(copied("mod.rs", &[]), "mod.rs.txt");
        assert_eq!(copied("Cargo.toml", &["mod.rs.txt"]), "Cargo.toml.txt");
        assert_eq!(copied(".a b", &[]), "a_b");
    }

    #[test]
    fn a_workspace_among_the_folders_of_the_machine_is_a_workspace() {
        let tools = [PathBuf::from("/usr/local/cargo")];
        let machines = |path: &str| is_the_machines(Path::new(path), Path::new("/usr/src/app"), &tools);
        assert!(!machines("/usr/src/app/data/sizes.txt"));
        assert!(machines("/usr/share/zoneinfo/UTC") && machines("/usr/local/cargo/config.toml"));
        assert!(!machines("/data/sizes.txt"));
    }
}
