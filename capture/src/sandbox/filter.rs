//! The system calls that a sandbox looks at, by kind, as filters for seccomp. Everything else passes.

use std::collections::BTreeMap;

use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// What a system call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Opens a file; Landlock decides.
    Open,
    /// Makes a file, folder or link; Landlock decides.
    Make,
    /// Removes or renames; Landlock decides.
    Remove,
    /// Changes what Landlock does not guard: rights, owner, times, extended attributes, and, in old kernels, a
    /// length.
    Attributes,
    /// Makes a socket.
    Network,
    /// Sends a signal.
    Signal,
    /// Concerns the machine, other processes' memory, or ways around this filter.
    System,
}

/// Each system call with its kind.
const CALLS: &[(Kind, &[libc::c_long])] = &[
    (Kind::Open, &[libc::SYS_open, libc::SYS_openat, libc::SYS_openat2, libc::SYS_creat]),
    (
        Kind::Make,
        &[
            libc::SYS_mkdir,
            libc::SYS_mkdirat,
            libc::SYS_mknod,
            libc::SYS_mknodat,
            libc::SYS_link,
            libc::SYS_linkat,
            libc::SYS_symlink,
            libc::SYS_symlinkat,
        ],
    ),
    (
        Kind::Remove,
        &[
            libc::SYS_unlink,
            libc::SYS_unlinkat,
            libc::SYS_rmdir,
            libc::SYS_rename,
            libc::SYS_renameat,
            libc::SYS_renameat2,
        ],
    ),
    (
        Kind::Attributes,
        &[
            libc::SYS_truncate,
            libc::SYS_chmod,
            libc::SYS_fchmod,
            libc::SYS_fchmodat,
            libc::SYS_fchmodat2,
            libc::SYS_chown,
            libc::SYS_fchown,
            libc::SYS_lchown,
            libc::SYS_fchownat,
            libc::SYS_utime,
            libc::SYS_utimes,
            libc::SYS_futimesat,
            libc::SYS_utimensat,
            libc::SYS_setxattr,
            libc::SYS_lsetxattr,
            libc::SYS_fsetxattr,
            libc::SYS_removexattr,
            libc::SYS_lremovexattr,
            libc::SYS_fremovexattr,
        ],
    ),
    (Kind::Network, &[libc::SYS_socket]),
    (
        Kind::Signal,
        &[
            libc::SYS_kill,
            libc::SYS_tkill,
            libc::SYS_tgkill,
            libc::SYS_rt_sigqueueinfo,
            libc::SYS_rt_tgsigqueueinfo,
            libc::SYS_pidfd_send_signal,
        ],
    ),
    (
        Kind::System,
        &[
            // Makes sockets and changes files past any filter.
            libc::SYS_io_uring_setup,
            libc::SYS_mount,
            libc::SYS_umount2,
            libc::SYS_pivot_root,
            libc::SYS_chroot,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_reboot,
            libc::SYS_kexec_load,
            libc::SYS_kexec_file_load,
            libc::SYS_init_module,
            libc::SYS_finit_module,
            libc::SYS_delete_module,
            libc::SYS_swapon,
            libc::SYS_swapoff,
            libc::SYS_sethostname,
            libc::SYS_setdomainname,
            libc::SYS_settimeofday,
            libc::SYS_clock_settime,
            libc::SYS_adjtimex,
            libc::SYS_clock_adjtime,
            libc::SYS_acct,
            libc::SYS_quotactl,
            libc::SYS_iopl,
            libc::SYS_ioperm,
            libc::SYS_vhangup,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_ptrace,
            libc::SYS_process_vm_writev,
            libc::SYS_process_madvise,
            libc::SYS_add_key,
            libc::SYS_request_key,
            libc::SYS_keyctl,
            // What outlives the process.
            libc::SYS_shmget,
            libc::SYS_semget,
            libc::SYS_msgget,
            libc::SYS_mq_open,
            libc::SYS_mq_unlink,
        ],
    ),
];

/// The kind of a system call; `None`: it is not looked at.
pub(crate) fn kind(number: libc::c_long) -> Option<Kind> {
    CALLS.iter().find(|(_, calls)| calls.contains(&number)).map(|(kind, _)| *kind)
}

/// Stops at all of them, for a tracer that decides; without one they fail.
pub(super) fn watching() -> Result<BpfProgram, seccompiler::Error> {
    program(SeccompAction::Trace(0), |_| true)
}

/// Forbids what Landlock does not guard, where there is no tracer. Signals are left to Landlock: a filter cannot
/// tell a process's own children from others.
pub(super) fn forbidding(network: bool) -> Result<BpfProgram, seccompiler::Error> {
    program(SeccompAction::Errno(libc::EACCES as u32), |kind| match kind {
        Kind::Attributes | Kind::System => true,
        Kind::Network => !network,
        Kind::Open | Kind::Make | Kind::Remove | Kind::Signal => false,
    })
}

fn program(action: SeccompAction, wanted: impl Fn(Kind) -> bool) -> Result<BpfProgram, seccompiler::Error> {
    let wanted = CALLS.iter().filter(|(kind, _)| wanted(*kind));
    let calls: BTreeMap<i64, _> =
        wanted.flat_map(|(_, calls)| calls.iter()).map(|number| (*number, Vec::new())).collect();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, action, TargetArch::x86_64)?;
    Ok(BpfProgram::try_from(filter)?)
}
