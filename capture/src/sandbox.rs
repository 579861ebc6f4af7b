//! What a command that we run for ourselves may do: read everything, write below a temporary folder of its own,
//! nothing on the network, no signals to strangers. In: permissions. Out: a sandbox that a child process enters
//! before it becomes the program. Never part of a user's own run.
//!
//! Landlock (the kernel's) holds files; seccomp-bpf holds what Landlock does not know: sockets, attributes of
//! files, signals, the machine's own settings. The values of a crash are hostile, the code is the user's own.

mod access;
mod filter;
mod folder;

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, Scope,
};
use seccompiler::BpfProgram;

pub use self::access::{Access, Deed};
pub(crate) use self::filter::{
    IOPRIO_WHO_PROCESS, Kind, PRIO_PROCESS, SYS_FILE_SETATTR, SYS_REMOVEXATTRAT, SYS_SETXATTRAT, kind,
};
use self::folder::Folder;

/// The newest rules that were tried; an older kernel gets those of them that it knows.
const NEWEST: ABI = ABI::V8;
/// The first version of Landlock that keeps signals within a sandbox.
const SCOPED: u32 = 6;
/// Devices that hold nothing.
const HARMLESS: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];
/// Where programs look for the user's own folders beside `HOME`.
const USER_FOLDERS: [&str; 5] =
    ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"];
/// Programs that one command may have at once.
pub const PROCESSES: usize = 256;

/// What a command may do beyond reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Files and folders that it may change, with all below them.
    pub writable: Vec<PathBuf>,
    /// Whether it may use the network.
    pub network: bool,
}

/// A sandbox could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The folder of its own.
    #[error("failed to make a temporary folder in {}", folder.display())]
    Folder {
        /// Where.
        folder: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A path that it may change.
    #[error("failed to open {}, which may be written to", path.display())]
    Writable {
        /// The path.
        path: PathBuf,
        /// The reason.
        source: landlock::PathFdError,
    },
    /// Landlock's rules.
    #[error("failed to make the rules of Landlock")]
    Rules(#[from] landlock::RulesetError),
    /// The filter of system calls.
    #[error("failed to make the filter of system calls")]
    Filter(#[from] seccompiler::Error),
}

/// A sandbox for one run of one command.
#[derive(Debug)]
pub struct Sandbox {
    folder: Folder,
    permissions: Permissions,
    /// `None`: the kernel has no Landlock.
    rules: Option<OwnedFd>,
    traced: BpfProgram,
    untraced: BpfProgram,
}

/// The version of the kernel's Landlock; `None` where it has none or it is switched off.
pub fn landlock_version() -> Option<u32> {
    // SAFETY: with this flag (1, `LANDLOCK_CREATE_RULESET_VERSION`) the call reads nothing and makes nothing.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, 1_u32) };
    u32::try_from(version).ok().filter(|version| *version > 0)
}

impl Sandbox {
    /// A sandbox with an empty folder of its own.
    pub fn new(permissions: &Permissions) -> Result<Sandbox, SandboxError> {
        let folder = Folder::create()?;
        let rules = rules(&folder, permissions)?;
        Ok(Sandbox {
            folder,
            rules,
            traced: filter::watching()?,
            untraced: filter::forbidding(permissions.network, landlock_version() >= Some(SCOPED))?,
            permissions: permissions.clone(),
        })
    }

    /// The folder that the command may write to.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Lets temporary files and what belongs to the user's home go to the folder. Rust's toolchain is still
    /// found where it was.
    pub fn set_variables(&self, environment: &mut Vec<(OsString, OsString)>) {
        let home = environment.iter().find(|(name, _)| name == "HOME").map(|(_, value)| value.clone());
        let mut set = |name: &str, value: &OsStr| {
            environment.retain(|(known, _)| known != name);
            environment.push((name.into(), value.to_owned()));
        };
        set("TMPDIR", self.folder.temporary().as_os_str());
        set("HOME", self.folder.home().as_os_str());
        environment.retain(|(name, _)| !USER_FOLDERS.iter().any(|known| name == known));
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let before = home.as_ref().map(|home| Path::new(home).join(folder)).filter(|path| path.is_dir());
            if let Some(before) = before.filter(|_| !environment.iter().any(|(known, _)| known == name)) {
                environment.push((name.into(), before.into()));
            }
        }
    }

    /// What the command may do.
    pub(crate) fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// Confines the calling process, and all that it starts, for good. `traced`: a tracer stands by that looks at
    /// what the filter lets pass to it; without one those calls fail.
    ///
    /// # Safety
    /// None of it allocates or locks, so it can be called between fork and exec.
    pub unsafe fn enter(&self, traced: bool) -> io::Result<()> {
        // SAFETY: system calls on numbers, and on a program that lives as long as `self`.
        unsafe {
            close_others_at_exec();
            if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 {
                return Err(io::Error::last_os_error());
            }
            if let Some(rules) = &self.rules
                && libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0_u32) != 0
            {
                return Err(io::Error::last_os_error());
            }
        }
        let program = if traced { &self.traced } else { &self.untraced };
        seccompiler::apply_filter(program).map_err(|_| io::Error::last_os_error())
    }
}

/// Lets go of all files but the first three once a program begins: what our own caller had open is neither the
/// command's nor Landlock's business, and a number may come from a crash.
///
/// # Safety
/// It only marks descriptors; those that this process needs until then stay open.
unsafe fn close_others_at_exec() {
    const FIRST: libc::c_uint = 3;
    // SAFETY: system calls on numbers.
    unsafe {
        let flags = libc::CLOSE_RANGE_CLOEXEC as libc::c_uint;
        if libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, flags) == 0 {
            return;
        }
        // Before Linux 5.11: one by one.
        let mut limit: libc::rlimit = std::mem::zeroed();
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        for descriptor in FIRST..limit.rlim_cur.min(1 << 20) as libc::c_uint {
            libc::fcntl(descriptor as libc::c_int, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// Landlock's rules: reading is not touched, writing only below these paths.
fn rules(folder: &Folder, permissions: &Permissions) -> Result<Option<OwnedFd>, SandboxError> {
    let all = AccessFs::from_write(NEWEST);
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::BestEffort).handle_access(all)?;
    // A device may be made nowhere: what it leads to lies in no folder.
    let write = all & !(AccessFs::MakeBlock | AccessFs::MakeChar);
    ruleset = ruleset.scope(Scope::Signal)?;
    if !permissions.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST))?.scope(Scope::AbstractUnixSocket)?;
    }
    let mut created = ruleset.create()?;
    for device in HARMLESS {
        if let Ok(descriptor) = PathFd::new(device) {
            created = created.add_rule(PathBeneath::new(descriptor, write & AccessFs::from_file(NEWEST)))?;
        }
    }
    // A run before this one may have removed what it was allowed to.
    let writable = permissions.writable.iter().map(PathBuf::as_path).filter(|path| path.exists());
    for path in std::iter::once(folder.path()).chain(writable) {
        let descriptor =
            PathFd::new(path).map_err(|source| SandboxError::Writable { path: path.to_owned(), source })?;
        let access = if path.is_dir() { write } else { write & AccessFs::from_file(NEWEST) };
        created = created.add_rule(PathBeneath::new(descriptor, access))?;
    }
    Ok(created.into())
}
