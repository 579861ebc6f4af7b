//! Thin safe wrappers over `ptrace(2)` and `waitpid(2)`. Every call must come from the thread that seized.
//! A tracee can be killed at any moment, so `ESRCH` is an ordinary answer here and never an error of ours.

use std::io;
use std::ptr;

/// A process or thread id of the kernel.
pub(crate) type Pid = libc::pid_t;

/// The events that every tracee reports; children of every kind are seized with the set of the one that made them.
/// Exits are not among them, see [`report_exit`]: a stop for each thread that ends is a third of what following costs.
const OPTIONS: libc::c_int = libc::PTRACE_O_TRACEFORK
    | libc::PTRACE_O_TRACEVFORK
    | libc::PTRACE_O_TRACEVFORKDONE
    | libc::PTRACE_O_TRACECLONE
    | libc::PTRACE_O_TRACEEXEC
    | libc::PTRACE_O_EXITKILL;

fn request(request: libc::c_uint, pid: Pid, address: usize, data: usize) -> io::Result<libc::c_long> {
    // SAFETY: callers pass either plain numbers or pointers to live objects of the size that the request asks.
    let result = unsafe { libc::ptrace(request, pid, address, data) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// What a sandboxed command reports in addition: the system calls that its filter names.
const SANDBOXED: libc::c_int = libc::PTRACE_O_TRACESECCOMP | libc::PTRACE_O_TRACESYSGOOD;

/// All that a tracee reports; the kernel forgets what it was asked for before.
fn options(sandboxed: bool, exits: bool) -> usize {
    let calls = if sandboxed { SANDBOXED } else { 0 };
    let exits = if exits { libc::PTRACE_O_TRACEEXIT } else { 0 };
    (OPTIONS | calls | exits) as usize
}

/// Seizes a process. The kernel kills it when the tracer's thread ends before it is detached.
pub(crate) fn seize(pid: Pid, sandboxed: bool) -> io::Result<()> {
    request(libc::PTRACE_SEIZE, pid, 0, options(sandboxed, false)).map(drop)
}

/// Makes a stopped tracee report its exit while its memory is still there.
pub(crate) fn report_exit(pid: Pid, sandboxed: bool) -> bool {
    request(libc::PTRACE_SETOPTIONS, pid, 0, options(sandboxed, true)).is_ok()
}

/// Lets a stopped tracee run on, with `signal` delivered to it (0: none).
pub(crate) fn resume(pid: Pid, signal: i32) {
    // The one failure is a tracee that was killed meanwhile: its end is reported by `wait`.
    let _ = request(libc::PTRACE_CONT, pid, 0, signal as usize);
}

/// Lets a tracee that is stopped at the entry of a system call run on to that call's end, and stop there.
pub(crate) fn resume_to_result(pid: Pid) {
    let _ = request(libc::PTRACE_SYSCALL, pid, 0, 0);
}

/// Leaves a tracee in its group-stop, but lets it report SIGCONT.
pub(crate) fn listen(pid: Pid) {
    let _ = request(libc::PTRACE_LISTEN, pid, 0, 0);
}

/// Asks a running tracee to stop.
pub(crate) fn interrupt(pid: Pid) -> bool {
    request(libc::PTRACE_INTERRUPT, pid, 0, 0).is_ok()
}

/// Executes one instruction.
pub(crate) fn step(pid: Pid) -> bool {
    request(libc::PTRACE_SINGLESTEP, pid, 0, 0).is_ok()
}

/// Lets a stopped tracee go for good, with `signal` delivered to it (0: none).
pub(crate) fn detach(pid: Pid, signal: i32) {
    let _ = request(libc::PTRACE_DETACH, pid, 0, signal as usize);
}

/// The registers of a stopped tracee.
pub(crate) fn registers(pid: Pid) -> Option<libc::user_regs_struct> {
    // SAFETY: user_regs_struct is plain numbers.
    let mut registers: libc::user_regs_struct = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETREGS, pid, 0, ptr::from_mut(&mut registers) as usize).ok()?;
    Some(registers)
}

/// The vector registers of a stopped tracee.
pub(crate) fn vector_registers(pid: Pid) -> Option<libc::user_fpregs_struct> {
    // SAFETY: user_fpregs_struct is plain numbers.
    let mut registers: libc::user_fpregs_struct = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETFPREGS, pid, 0, ptr::from_mut(&mut registers) as usize).ok()?;
    Some(registers)
}

/// Sets the registers of a stopped tracee.
pub(crate) fn set_registers(pid: Pid, registers: &libc::user_regs_struct) -> bool {
    request(libc::PTRACE_SETREGS, pid, 0, ptr::from_ref(registers) as usize).is_ok()
}

/// What is known of the signal that a tracee is stopped at: its code and fault address.
pub(crate) fn signal_info(pid: Pid) -> Option<(i32, u64)> {
    // SAFETY: siginfo_t is plain bytes.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    request(libc::PTRACE_GETSIGINFO, pid, 0, ptr::from_mut(&mut info) as usize).ok()?;
    // SAFETY: si_addr only reads bytes of the union, all of which are initialised.
    Some((info.si_code, unsafe { info.si_addr() } as u64))
}

/// The message of an event stop: a new thread's id, the former id of a thread that called exec, an exit status.
pub(crate) fn event_message(pid: Pid) -> Option<u64> {
    let mut message: libc::c_ulong = 0;
    request(libc::PTRACE_GETEVENTMSG, pid, 0, ptr::from_mut(&mut message) as usize).ok()?;
    Some(message)
}

/// What a wait told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It ended with this status.
    Exited(i32),
    /// It was ended by this signal.
    Killed(i32),
    /// It is about to receive this signal.
    Signal(i32),
    /// It is at the end of a system call ([`resume_to_result`]).
    Result,
    /// It reached a `PTRACE_EVENT_…`; for `PTRACE_EVENT_STOP` the signal tells a group-stop from an interrupt.
    Event(i32, i32),
}

fn change(status: libc::c_int) -> Option<Change> {
    if libc::WIFEXITED(status) {
        return Some(Change::Exited(libc::WEXITSTATUS(status)));
    }
    if libc::WIFSIGNALED(status) {
        return Some(Change::Killed(libc::WTERMSIG(status)));
    }
    if !libc::WIFSTOPPED(status) {
        return None;
    }
    let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
    // With PTRACE_O_TRACESYSGOOD the seventh bit tells a system call from a signal.
    const SYSTEM_CALL: i32 = libc::SIGTRAP | 0x80;
    if signal == SYSTEM_CALL {
        return Some(Change::Result);
    }
    Some(if event == 0 { Change::Signal(signal) } else { Change::Event(event, signal) })
}

/// Waits for any tracee of *this thread* (`__WNOTHREAD`): other threads of this program may have children, and
/// tracers, of their own. `None`: nothing is left to wait for.
pub(crate) fn wait_any() -> Option<(Pid, Change)> {
    any(0)
}

/// Looks whether any tracee of this thread has something to report.
pub(crate) fn poll_any() -> Option<(Pid, Change)> {
    any(libc::WNOHANG)
}

fn any(flags: libc::c_int) -> Option<(Pid, Change)> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is a valid place for a status.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL | libc::__WNOTHREAD | flags) };
        if pid > 0 {
            if let Some(change) = change(status) {
                return Some((pid, change));
            }
        } else if pid == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return None;
        }
    }
}

/// Whether this thread has any child or tracee, also one that has ended and is not waited for yet.
pub(crate) fn has_children() -> bool {
    let flags = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT | libc::__WALL | libc::__WNOTHREAD;
    // SAFETY: all zeroes is a valid siginfo_t, and a place of ours.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_ALL, 0, &raw mut info, flags) == 0
    }
}

/// Waits for one tracee. `None`: it is none any more.
pub(crate) fn wait_one(pid: Pid) -> Option<Change> {
    loop {
        let mut status = 0;
        // SAFETY: `status` is a valid place for a status.
        if unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL | libc::__WNOTHREAD) } == pid {
            if let Some(change) = change(status) {
                return Some(change);
            }
        } else if io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return None;
        }
    }
}

/// Looks whether one tracee has something to report.
pub(crate) fn poll_one(pid: Pid) -> io::Result<Option<Change>> {
    let mut status = 0;
    // SAFETY: `status` is a valid place for a status.
    match unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL | libc::__WNOTHREAD | libc::WNOHANG) } {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(change(status)),
    }
}
