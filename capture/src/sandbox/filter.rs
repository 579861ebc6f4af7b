//! The system calls that a sandbox looks at, by kind, as filters for seccomp. Everything else passes.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

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
    /// Makes a socket that reaches others.
    Network,
    /// Sends a signal.
    Signal,
    /// Changes the limits or the priority of a process, by its number.
    Process,
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
            SYS_SETXATTRAT,
            SYS_REMOVEXATTRAT,
            SYS_FILE_SETATTR,
            libc::SYS_ioctl,
        ],
    ),
    (Kind::Network, &[libc::SYS_socket, libc::SYS_socketpair]),
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
        Kind::Process,
        &[
            libc::SYS_prlimit64,
            libc::SYS_setpriority,
            libc::SYS_ioprio_set,
            libc::SYS_sched_setparam,
            libc::SYS_sched_setscheduler,
            libc::SYS_sched_setattr,
            libc::SYS_sched_setaffinity,
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
            libc::SYS_pidfd_getfd,
            libc::SYS_quotactl_fd,
            libc::SYS_mount_setattr,
            libc::SYS_move_mount,
            libc::SYS_open_tree,
            libc::SYS_fsopen,
            libc::SYS_fsmount,
            libc::SYS_fspick,
            // What outlives the process, and is reached by its number.
            libc::SYS_shmget,
            libc::SYS_shmat,
            libc::SYS_shmctl,
            libc::SYS_semget,
            libc::SYS_semop,
            libc::SYS_semtimedop,
            libc::SYS_semctl,
            libc::SYS_msgget,
            libc::SYS_msgsnd,
            libc::SYS_msgrcv,
            libc::SYS_msgctl,
            libc::SYS_mq_open,
            libc::SYS_mq_unlink,
        ],
    ),
];

/// Newer than the libc crate knows: Linux 6.13 and 6.17, `arch/x86/entry/syscalls/syscall_64.tbl`.
pub(crate) const SYS_SETXATTRAT: libc::c_long = 463;
pub(crate) const SYS_REMOVEXATTRAT: libc::c_long = 466;
pub(crate) const SYS_FILE_SETATTR: libc::c_long = 469;

/// The requests of `ioctl` that change a file's attributes: `FS_IOC_SETFLAGS`, `FS_IOC_FSSETXATTR` (`linux/fs.h`). Others
/// are not stopped at.
const REQUESTS: [u64; 2] = [0x4008_6602, 0x401c_5820];

/// Marks a system call of the x32 ABI, which has the same numbers but for these. Kernels that have it can be met; programs
/// of it, hardly: all that is looked at is forbidden there.
const X32: libc::c_long = 0x4000_0000;
/// `ioctl`, `ptrace`, `rt_sigqueueinfo`, `rt_tgsigqueueinfo`, `process_vm_writev`: `syscall_64.tbl`, from 512 on.
const X32_ONLY: [libc::c_long; 5] = [514, 521, 524, 536, 540];

/// The kind of a system call; `None`: it is not looked at.
pub(crate) fn kind(number: libc::c_long) -> Option<Kind> {
    if number & X32 != 0 {
        return Some(Kind::System);
    }
    CALLS.iter().find(|(_, calls)| calls.contains(&number)).map(|(kind, _)| *kind)
}

/// Stops at all of them, for a tracer that decides; without one they fail.
pub(super) fn watching() -> Result<BpfProgram, seccompiler::Error> {
    program(SeccompAction::Trace(0), |_, number| match number {
        libc::SYS_ioctl => requests(),
        libc::SYS_socketpair => datagrams(),
        _ => Ok(ALWAYS),
    })
}

/// Forbids what Landlock does not guard, where there is no tracer. `scoped`: Landlock keeps signals within the sandbox,
/// as it does from its version 6 on; else those that name a process are forbidden, its own children's too: a filter cannot
/// tell them from others.
pub(super) fn forbidding(network: bool, scoped: bool) -> Result<BpfProgram, seccompiler::Error> {
    program(SeccompAction::Errno(libc::EACCES as u32), |kind, number| match (kind, number) {
        (_, libc::SYS_ioctl) => requests(),
        (Kind::Attributes | Kind::System, _) => Ok(ALWAYS),
        (Kind::Network, _) if network => Ok(NEVER),
        (Kind::Network, libc::SYS_socketpair) => datagrams(),
        (Kind::Network, _) => Ok(ALWAYS),
        // A process, a group or a user, then which one.
        (Kind::Process, libc::SYS_setpriority) => unless(&[(0, PRIO_PROCESS), (1, SELF)]),
        (Kind::Process, libc::SYS_ioprio_set) => unless(&[(0, IOPRIO_WHO_PROCESS), (1, SELF)]),
        (Kind::Process, _) => unless(&[(0, SELF)]),
        (Kind::Signal, libc::SYS_kill) if !scoped => unless(&[(0, SELF)]),
        (Kind::Signal, libc::SYS_rt_sigqueueinfo | libc::SYS_pidfd_send_signal) if !scoped => Ok(ALWAYS),
        (Kind::Open | Kind::Make | Kind::Remove | Kind::Signal, _) => Ok(NEVER),
    })
}

/// When a call is stopped at: where one of these rules holds, or always where there is none; `None`: never.
type Rules = Option<Vec<SeccompRule>>;
const ALWAYS: Rules = Some(Vec::new());
const NEVER: Rules = None;

/// What stands for the calling process, or its group, where a number is asked for.
const SELF: u64 = 0;
/// `sys/resource.h` and `linux/ioprio.h`: the number is a process's.
pub(crate) const PRIO_PROCESS: u64 = 0;
pub(crate) const IOPRIO_WHO_PROCESS: u64 = 1;

/// Unless all of these arguments, by their place, have these values.
fn unless(arguments: &[(u8, u64)]) -> Result<Rules, seccompiler::Error> {
    arguments
        .iter()
        .map(|(place, value)| rule(*place, SeccompCmpOp::Ne, *value))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn requests() -> Result<Rules, seccompiler::Error> {
    REQUESTS.iter().map(|request| rule(1, SeccompCmpOp::Eq, *request)).collect::<Result<_, _>>().map(Some)
}

/// Each half of a pair of datagram sockets can send to any socket that has a path; those of the other types reach each
/// other alone. For a pair, `SOCK_RAW` is another name of `SOCK_DGRAM` (`unix_create` in `net/unix/af_unix.c`).
fn datagrams() -> Result<Rules, seccompiler::Error> {
    const TYPE: u64 = 0xf;
    [libc::SOCK_DGRAM, libc::SOCK_RAW]
        .iter()
        .map(|of| rule(1, SeccompCmpOp::MaskedEq(TYPE), *of as u64))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The kernel takes these arguments as 32 bits.
fn rule(place: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::Error> {
    let condition = SeccompCondition::new(place, SeccompCmpArgLen::Dword, operator, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

fn program(
    action: SeccompAction,
    rules: impl Fn(Kind, libc::c_long) -> Result<Rules, seccompiler::Error>,
) -> Result<BpfProgram, seccompiler::Error> {
    let mut calls = BTreeMap::new();
    for (kind, numbers) in CALLS {
        for number in *numbers {
            if let Some(rules) = rules(*kind, *number)? {
                calls.insert(*number, rules);
                calls.insert(*number | X32, Vec::new());
            }
        }
    }
    calls.extend(X32_ONLY.iter().map(|number| (*number | X32, Vec::new())));
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, action, TargetArch::x86_64)?;
    Ok(BpfProgram::try_from(filter)?)
}
