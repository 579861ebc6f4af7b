//! What a sandboxed command asks the kernel for: each system call that the sandbox's filter stops at is looked at,
//! and forbidden where Landlock does not do that itself. In: a stopped thread. Out: a verdict, and the list of
//! what was tried.

use std::collections::{BTreeSet, HashMap};
use std::ffi::CString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::events::Tracer;
use super::live::{self, LiveMemory};
use super::process::State;
use super::ptrace::{self, Pid};
use crate::memory::Memory;
use crate::roots::clean;
use crate::sandbox::{
    Access, Deed, IOPRIO_WHO_PROCESS, Kind, PRIO_PROCESS, PROCESSES, SYS_FILE_SETATTR, SYS_REMOVEXATTRAT,
    SYS_SETXATTRAT, Sandbox, kind,
};

/// More different deeds than this are not told.
const TOLD: usize = 1024;
/// The kernel's own limit of a path, in bytes.
const PATH_MAX: u64 = 4096;
/// The smallest piece of memory that is there or not, in bytes.
const PAGE: u64 = 4096;

/// What becomes of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It goes on.
    Pass,
    /// It goes on, and its result is wanted.
    PassAndTell,
    /// It fails with this error number.
    Fail(i32),
    /// It is answered with this result in place of the kernel.
    Answer(u64),
}

/// The watch over one sandboxed command.
pub(crate) struct Guard {
    writable: Vec<PathBuf>,
    network: bool,
    /// What a thread asked for, until the kernel has answered.
    asked: HashMap<Pid, Asked>,
    told: BTreeSet<Access>,
}

/// A call that the kernel decides on.
struct Asked {
    paths: Vec<PathBuf>,
    deed: Deed,
}

impl Guard {
    /// The watch for a sandbox.
    pub(crate) fn new(sandbox: &Sandbox) -> Guard {
        let permissions = sandbox.permissions();
        let writable = permissions.writable.iter().map(PathBuf::as_path).chain([sandbox.folder()]);
        Guard {
            writable: writable.map(|path| path.canonicalize().unwrap_or_else(|_| path.to_owned())).collect(),
            network: permissions.network,
            asked: HashMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// What the command tried, each once.
    pub(crate) fn told(&self) -> Vec<Access> {
        self.told.iter().cloned().collect()
    }

    /// A thread is about to make a system call. `is_ours` tells whether a process or thread belongs to the command.
    fn asked(
        &mut self,
        tid: Pid,
        registers: &libc::user_regs_struct,
        is_ours: impl Fn(Pid) -> bool,
    ) -> Verdict {
        let number = registers.orig_rax as libc::c_long;
        let Some(kind) = kind(number) else { return Verdict::Pass };
        let call = Call { tid, number, registers };
        match kind {
            Kind::Open => {
                let deed = if call.opens_for_writing() { Deed::Write } else { Deed::Read };
                self.ask(tid, deed, call.paths())
            }
            Kind::Make => self.ask(tid, Deed::Write, call.paths()),
            Kind::Remove => self.ask(tid, Deed::Remove, call.paths()),
            Kind::Attributes => {
                let paths = call.paths();
                match paths.iter().find(|path| !self.may_change(path)) {
                    None if !paths.is_empty() => Verdict::Pass,
                    // What it leads to, which the name may hide.
                    outside => {
                        let path = outside.map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
                        self.forbid(Deed::Attributes, path, libc::EACCES)
                    }
                }
            }
            Kind::Network if self.network => Verdict::Pass,
            Kind::Network => self.forbid(Deed::Network, None, libc::EACCES),
            Kind::Signal => match call.asks_for() {
                Some(whom) => Verdict::Answer(is_there(whom)),
                None if call.signals_only(&is_ours) => Verdict::Pass,
                None => self.forbid(Deed::Signal, None, libc::EPERM),
            },
            Kind::Process if call.concerns_only(&is_ours) => Verdict::Pass,
            Kind::Process => self.forbid(Deed::Process, None, libc::EPERM),
            // Programs that can do without it ask and go on: not told.
            Kind::System if number == libc::SYS_io_uring_setup => Verdict::Fail(libc::ENOSYS),
            Kind::System => self.forbid(Deed::System, None, libc::EPERM),
        }
    }

    /// The kernel has answered what was asked before.
    fn answered(&mut self, tid: Pid, result: i64) {
        let Some(Asked { paths, deed }) = self.asked.remove(&tid) else { return };
        let refused = [-libc::EACCES, -libc::EPERM, -libc::EROFS, -libc::EXDEV];
        let refused = refused.iter().any(|error| i64::from(*error) == result);
        for path in paths {
            match deed {
                Deed::Read if result == -i64::from(libc::ENOENT) => {
                    self.tell(Deed::Missed, Some(path), false);
                }
                Deed::Read if result >= 0 => self.tell(Deed::Read, Some(path), false),
                Deed::Read => {}
                // What we may not do either was not forbidden by the sandbox.
                _ if refused
                    && (!self.may_change(&path) || self.is_permitted_itself(&path))
                    && may_write(&path) =>
                {
                    self.tell(deed, Some(as_the_user_has_it(tid, path)), true);
                }
                _ => {}
            }
        }
    }

    /// Whether the command has too many processes; told once.
    fn too_many(&mut self, processes: usize) -> bool {
        let too_many = processes > PROCESSES;
        if too_many {
            self.tell(Deed::Processes, None, true);
        }
        too_many
    }

    fn ask(&mut self, tid: Pid, deed: Deed, paths: Vec<PathBuf>) -> Verdict {
        self.asked.insert(tid, Asked { paths, deed });
        Verdict::PassAndTell
    }

    fn forbid(&mut self, deed: Deed, path: Option<PathBuf>, error: i32) -> Verdict {
        self.tell(deed, path, true);
        Verdict::Fail(error)
    }

    fn tell(&mut self, deed: Deed, path: Option<PathBuf>, forbidden: bool) {
        let path = path.map(|path| clean(&path));
        if self.told.len() < TOLD || forbidden && self.told.len() < 2 * TOLD {
            self.told.insert(Access { deed, path, forbidden });
        }
    }

    /// Whether a path is one of those that the command may change, rather than below it: what is refused there is an
    /// entry of its folder.
    fn is_permitted_itself(&self, path: &Path) -> bool {
        self.writable.contains(&by_its_name(path))
    }

    /// Whether a path lies in what the command may change, by its own name and by what a link leads to.
    fn may_change(&self, path: &Path) -> bool {
        let named = by_its_name(path);
        let meant = path.canonicalize().unwrap_or_else(|_| named.clone());
        [named, meant].iter().all(|path| self.writable.iter().any(|folder| path.starts_with(folder)))
    }
}

impl Tracer<'_> {
    /// A sandboxed thread is about to make a system call that the sandbox looks at.
    pub(super) fn at_watched_call(&mut self, tid: Pid) {
        let (Some(guard), Some(registers)) = (&mut self.guard, ptrace::registers(tid)) else {
            return self.resume(tid, 0);
        };
        let known = |pid| self.threads.contains_key(&pid) || self.processes.contains_key(&pid);
        match guard.asked(tid, &registers, |pid| is_descendant(pid, known)) {
            Verdict::Pass => self.resume(tid, 0),
            Verdict::PassAndTell => {
                self.set_state(tid, State::Running);
                ptrace::resume_to_result(tid);
            }
            Verdict::Fail(error) => self.answer(tid, registers, failure(error)),
            Verdict::Answer(result) => self.answer(tid, registers, result),
        }
    }

    /// Gives a system call that is not made this result.
    fn answer(&mut self, tid: Pid, mut registers: libc::user_regs_struct, result: u64) {
        // A call of number -1 is skipped, and this is its result.
        registers.orig_rax = u64::MAX;
        registers.rax = result;
        ptrace::set_registers(tid, &registers);
        self.resume(tid, 0);
    }

    /// Ends a sandboxed command that starts more processes than it may.
    pub(super) fn bound_processes(&mut self) {
        let living = self.processes.len();
        if self.guard.as_mut().is_some_and(|guard| guard.too_many(living)) {
            self.kill_switch.switch();
        }
    }

    /// The kernel has answered a system call that was looked at.
    pub(super) fn at_result(&mut self, tid: Pid) {
        if let (Some(guard), Some(registers)) = (&mut self.guard, ptrace::registers(tid)) {
            guard.answered(tid, registers.rax as i64);
        }
        self.resume(tid, 0);
    }
}

/// A path by way of a thread's own folder in /proc as what it leads to, or by the name that each program has for itself.
fn as_the_user_has_it(tid: Pid, path: PathBuf) -> PathBuf {
    let Ok(rest) = path.strip_prefix(format!("/proc/{tid}")) else { return path };
    match path.canonicalize() {
        Ok(meant) if !meant.starts_with("/proc") => meant,
        _ => Path::new("/proc/self").join(rest),
    }
}

/// A path without links on the way to it; it may be one itself.
fn by_its_name(path: &Path) -> PathBuf {
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// What `kill` without a signal returns for a process or a group, as the program would see it without a sandbox: whether
/// a lock's owner lives. Landlock says of all strangers that they may not be asked.
fn is_there(whom: Pid) -> u64 {
    // SAFETY: no signal is sent.
    if unsafe { libc::kill(whom, 0) } == 0 {
        return 0;
    }
    failure(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::ESRCH))
}

/// Whether this process may change a file, or make it where it is not there.
fn may_write(path: &Path) -> bool {
    let there = if path.symlink_metadata().is_ok() { Some(path) } else { path.parent() };
    let Some(Ok(name)) = there.map(|path| CString::new(path.as_os_str().as_bytes())) else { return false };
    // SAFETY: a path that ends with a zero.
    unsafe { libc::access(name.as_ptr(), libc::W_OK) == 0 }
}

/// A system call at its entry: x86-64 passes the arguments in rdi, rsi, rdx, r10, r8, r9.
struct Call<'a> {
    tid: Pid,
    number: libc::c_long,
    registers: &'a libc::user_regs_struct,
}

impl Call<'_> {
    fn opens_for_writing(&self) -> bool {
        let flags = match self.number {
            libc::SYS_creat => return true,
            libc::SYS_open => self.registers.rsi,
            libc::SYS_openat => self.registers.rdx,
            // `struct open_how` begins with the flags.
            _ => self.memory().read_u64(self.registers.rdx).unwrap_or(0),
        };
        let writing = libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
        flags as i32 & writing != 0
    }

    /// The files that it names, absolute.
    fn paths(&self) -> Vec<PathBuf> {
        let r = self.registers;
        let here = libc::AT_FDCWD as u64;
        let named: &[(u64, u64)] = match self.number {
            libc::SYS_openat
            | libc::SYS_openat2
            | libc::SYS_mkdirat
            | libc::SYS_mknodat
            | libc::SYS_unlinkat
            | libc::SYS_fchmodat
            | libc::SYS_fchmodat2
            | libc::SYS_fchownat
            | libc::SYS_futimesat
            | libc::SYS_utimensat
            | SYS_SETXATTRAT
            | SYS_REMOVEXATTRAT
            | SYS_FILE_SETATTR => &[(r.rdi, r.rsi)],
            libc::SYS_rename => &[(here, r.rdi), (here, r.rsi)],
            libc::SYS_renameat | libc::SYS_renameat2 => &[(r.rdi, r.rsi), (r.rdx, r.r10)],
            // Only the new name is made.
            libc::SYS_link | libc::SYS_symlink => &[(here, r.rsi)],
            libc::SYS_linkat => &[(r.rdx, r.r10)],
            libc::SYS_symlinkat => &[(r.rsi, r.rdx)],
            libc::SYS_fchmod
            | libc::SYS_fchown
            | libc::SYS_fsetxattr
            | libc::SYS_fremovexattr
            | libc::SYS_ioctl => &[(r.rdi, 0)],
            _ => &[(here, r.rdi)],
        };
        named.iter().filter_map(|(folder, name)| self.path(*folder as i32, *name)).collect()
    }

    /// A path given as a folder's descriptor and an address; address 0, or an empty path: the descriptor itself. It is
    /// as the program wrote it, `..` and all, which leads elsewhere behind a link; what stands for the process itself
    /// is not ours.
    fn path(&self, folder: i32, address: u64) -> Option<PathBuf> {
        let name = if address == 0 { Vec::new() } else { self.text(address)? };
        let name = PathBuf::from(std::ffi::OsString::from_vec(name));
        if name.is_absolute() {
            return Some(self.own(name));
        }
        let folder = match folder {
            libc::AT_FDCWD => format!("/proc/{}/cwd", self.tid),
            descriptor => format!("/proc/{}/fd/{descriptor}", self.tid),
        };
        Some(std::fs::read_link(folder).ok()?.join(name))
    }

    /// A path by way of the calling process's own folder in /proc, named by its number.
    fn own(&self, path: PathBuf) -> PathBuf {
        let thread = format!("/proc/{}", self.tid);
        let ways = [
            ("/proc/self", thread.clone()),
            ("/proc/thread-self", thread.clone()),
            ("/dev/fd", format!("{thread}/fd")),
            ("/dev/stdin", format!("{thread}/fd/0")),
            ("/dev/stdout", format!("{thread}/fd/1")),
            ("/dev/stderr", format!("{thread}/fd/2")),
        ];
        let rest = |way: &str| path.strip_prefix(way).ok().map(Path::to_owned);
        match ways.iter().find_map(|(way, own)| Some((own, rest(way)?))) {
            // Joined, an empty path would leave a slash at the end.
            Some((own, rest)) if rest.as_os_str().is_empty() => own.into(),
            Some((own, rest)) => Path::new(own).join(rest),
            None => path,
        }
    }

    fn text(&self, address: u64) -> Option<Vec<u8>> {
        let memory = self.memory();
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < PATH_MAX {
            let at = address.checked_add(bytes.len() as u64)?;
            // Up to the end of the page: the next one may not be there.
            let chunk = memory.read_vec(at, (PAGE - at % PAGE).min(256) as usize).ok()?;
            if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
                bytes.extend(&chunk[..end]);
                return Some(bytes);
            }
            bytes.extend(chunk);
        }
        None
    }

    fn memory(&self) -> LiveMemory {
        LiveMemory::of(self.tid)
    }

    /// Whether it changes the limits or the priority of the command's own processes only, or asks for them.
    fn concerns_only(&self, is_ours: impl Fn(Pid) -> bool) -> bool {
        let r = self.registers;
        let whose = match self.number {
            // Without new limits it only asks.
            libc::SYS_prlimit64 if r.rdx == 0 => return true,
            libc::SYS_setpriority if r.rdi as u32 == PRIO_PROCESS as u32 => r.rsi,
            libc::SYS_ioprio_set if r.rdi as u32 == IOPRIO_WHO_PROCESS as u32 => r.rsi,
            libc::SYS_setpriority | libc::SYS_ioprio_set => return false,
            _ => r.rdi,
        } as Pid;
        whose == 0 || is_ours(whose)
    }

    /// The process or group that it asks for, without a signal. `None`: it sends one, or to whom is not told by a number.
    fn asks_for(&self) -> Option<Pid> {
        let (to, signal) = (self.registers.rdi as Pid, self.registers.rsi as i32);
        (self.number == libc::SYS_kill && signal == 0 && to != 0 && to != -1).then_some(to)
    }

    /// Whether it sends a signal to the command's own processes only.
    fn signals_only(&self, is_ours: impl Fn(Pid) -> bool) -> bool {
        let r = self.registers;
        let signal = match self.number {
            libc::SYS_tgkill | libc::SYS_rt_tgsigqueueinfo => r.rdx,
            _ => r.rsi,
        };
        let to = match self.number {
            libc::SYS_pidfd_send_signal => {
                let information = format!("/proc/{}/fdinfo/{}", self.tid, r.rdi as i32);
                let text = std::fs::read_to_string(information).unwrap_or_default();
                text.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse().ok()).unwrap_or(-1)
            }
            _ => r.rdi as Pid,
        };
        // The group's first process may be none of the command's, which joins a session that was made for it.
        // SAFETY: getpgid touches no memory.
        let own_group = to < -1 && unsafe { libc::getpgid(self.tid) } == -to;
        // Signal 0 only asks whether it is there; 0 is the command's own process group, -1 everybody.
        signal == 0 || to == 0 || own_group || to != -1 && is_ours(to.saturating_abs())
    }
}

/// The error number of a system call that fails, as the kernel returns it.
fn failure(error: i32) -> u64 {
    i64::from(-error) as u64
}

/// Whether a process number is one of the command's, which the tracer may not have met yet.
fn is_descendant(pid: Pid, known: impl Fn(Pid) -> bool) -> bool {
    const LONGEST: usize = 64;
    let mut next = Some(pid);
    for _ in 0..LONGEST {
        let Some(current) = next else { return false };
        if known(current) {
            return true;
        }
        next = live::status_field(current, "PPid").and_then(|text| text.parse().ok()).filter(|pid| *pid > 1);
    }
    false
}
