//! The `.relapse` folder: whether it can be written, what lies in it, how much room there is.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use relapse_generator::edit::journal;

use super::Check;
use crate::workspace::Workspace;

/// With less than this no snapshot can be relied on to be written, in MiB.
const LEAST_MIB: u64 = 64;
/// A scratch build of a middling workspace.
const SCRATCH_MIB: u64 = 2048;

pub(super) fn checks(workspace: &Workspace) -> Vec<Check> {
    let folder = workspace.relapse_folder();
    let there = if folder.is_dir() { &folder } else { &workspace.root };
    let mut checks = vec![store(workspace)];
    checks.extend(writable(there));
    checks.push(disk(there, free_mib(there)));
    checks.extend(scratch(&folder));
    checks.extend(cut_off(&folder));
    checks
}

/// The folder of snapshots, and that git does not see it.
fn store(workspace: &Workspace) -> Check {
    let folder = workspace.relapse_folder();
    if !folder.exists() {
        return Check::ok("store", format!("{} will be made by the first snapshot", folder.display()));
    }
    let ignore = fs::read_to_string(folder.join(".gitignore")).unwrap_or_default();
    if !ignore.lines().any(|line| line.trim() == "*") {
        return Check::note(
            "store",
            format!("{} is not ignored by git, and snapshots may hold private data", folder.display()),
            format!("write a line `*` into {}", folder.join(".gitignore").display()),
        );
    }
    match workspace.store().list() {
        Ok(listing) if listing.damaged.is_empty() => {
            Check::ok("store", format!("{} snapshots in {}", listing.snapshots.len(), folder.display()))
        }
        Ok(listing) => Check::note(
            "store",
            format!("{} files in {} cannot be read", listing.damaged.len(), folder.display()),
            "`cargo relapse list` names them; `cargo relapse rm ID` removes them",
        ),
        Err(error) => Check::missing("store", error.to_string(), "make the folder readable and writable"),
    }
}

/// Tries it: rights, a read-only file system and a quota look different and come to the same.
fn writable(folder: &Path) -> Option<Check> {
    let error = tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder).err()?;
    let message = format!("nothing can be written in {}: {}", folder.display(), error.kind());
    Some(Check::missing("store", message, "make the folder writable: snapshots and tests are kept there"))
}

fn disk(folder: &Path, free_mib: Option<u64>) -> Check {
    let Some(free) = free_mib else {
        return Check::ok("disk", "how much is free cannot be told");
    };
    let found = format!("{free} MiB are free in {}", folder.display());
    match free {
        ..LEAST_MIB => {
            Check::missing("disk", found, "make room; `cargo relapse clean` removes scratch builds")
        }
        LEAST_MIB..SCRATCH_MIB => {
            let advice = "`gen` builds the workspace once more, in a folder of its own: make room for a second target folder";
            Check::note("disk", found, advice)
        }
        _ => Check::ok("disk", found),
    }
}

fn free_mib(folder: &Path) -> Option<u64> {
    let path = CString::new(folder.as_os_str().as_bytes()).ok()?;
    // SAFETY: statvfs is plain numbers, and is written to a structure that lives here.
    let stat = unsafe {
        let mut stat: libc::statvfs = std::mem::zeroed();
        (libc::statvfs(path.as_ptr(), &raw mut stat) == 0).then_some(stat)?
    };
    Some(stat.f_bavail.saturating_mul(stat.f_frsize) >> 20)
}

/// An edit of the source files that a kill has cut off, or that is being made just now: this command changes nothing.
fn cut_off(folder: &Path) -> Option<Check> {
    let journal = journal(folder)?;
    Some(Check::note(
        "edit",
        format!("an edit of source files is not finished: {}", journal.display()),
        "`cargo relapse list`, or any other command here, takes back what was cut off",
    ))
}

/// Scratch builds stay for the next `gen`, on purpose; they may be large.
fn scratch(folder: &Path) -> Option<Check> {
    let slots = fs::read_dir(folder.join("scratch")).ok()?.filter_map(Result::ok).count();
    let message = match slots {
        0 => return None,
        1 => "a scratch build is kept for the next `gen`".to_owned(),
        slots => format!("{slots} scratch builds are kept for the next `gen`"),
    };
    Some(Check::ok("scratch", format!("{message}; `cargo relapse clean` removes what is not in use")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    #[test]
    fn little_room_is_told() {
        let status = |free| disk(Path::new("x"), free).status;
        assert_eq!(status(Some(10)), Status::Missing);
        assert_eq!(status(Some(64)), Status::Note);
        assert_eq!(status(Some(1 << 20)), Status::Ok);
        assert_eq!(status(None), Status::Ok);
        assert!(free_mib(Path::new("/")).is_some());
        assert_eq!(free_mib(Path::new("/no/such/folder")), None);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(writable(folder.path()).is_none());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let check = writable(&folder.path().join("gone")).unwrap();
        assert_eq!(check.status, Status::Missing);
        assert!(check.message.contains("gone"), "{}", check.message);
    }
}
