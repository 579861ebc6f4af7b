//! Starts the program: a child that waits on a pipe until it is traced, then becomes the program. What the
//! program sees is what it would see without us: descriptors, signal mask, SIGPIPE, working folder.

use std::ffi::{CString, OsStr, OsString};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;

use super::ptrace::Pid;
use crate::sandbox::Sandbox;

/// A command to be traced.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The program, looked up in `PATH` where it has no slash, and its arguments.
    pub words: Vec<OsString>,
    /// The whole environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The working folder; `None`: ours.
    pub folder: Option<PathBuf>,
}

impl Command {
    /// A command with our own environment and working folder.
    pub fn new(words: impl IntoIterator<Item = impl Into<OsString>>) -> Command {
        let words = words.into_iter().map(Into::into).collect();
        Command { words, environment: std::env::vars_os().collect(), folder: None }
    }

    /// Sets a variable of the environment.
    pub fn set(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        let name = name.into();
        self.remove(&name);
        self.environment.push((name, value.into()));
    }

    /// Removes a variable of the environment.
    pub fn remove(&mut self, name: impl AsRef<OsStr>) {
        self.environment.retain(|(known, _)| known != name.as_ref());
    }
}

/// What the child sets up before it becomes the program.
#[derive(Debug, Default)]
pub(crate) struct Setup {
    /// Descriptors that become 0, 1 and 2; `None`: inherited.
    pub(crate) descriptors: [Option<OwnedFd>; 3],
    /// Resource limits.
    pub(crate) limits: Vec<(libc::__rlimit_resource_t, u64)>,
    /// Whether it runs in a session of its own, away from the terminal. It leads neither that nor its group, as what a
    /// shell or cargo starts leads no session: `setsid` succeeds in it.
    pub(crate) own_session: bool,
    /// What it is confined to.
    pub(crate) sandbox: Option<Arc<Sandbox>>,
    /// The signal mask of the program; `None`: the calling thread's.
    pub(crate) mask: Option<libc::sigset_t>,
}

/// The child, before it is let go.
pub(crate) struct Launched {
    /// Its process id.
    pub(crate) pid: Pid,
    /// Closing it ends the child; a byte lets it go.
    pub(crate) gate: PipeWriter,
    /// Where it tells the error number if it cannot become the program.
    errors: PipeReader,
}

impl Launched {
    /// Lets the child become the program.
    pub(crate) fn release(&self) -> io::Result<()> {
        (&self.gate).write_all(&[1])
    }

    /// Why the child could not become the program, once it has ended.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        let mut number = [0_u8; 4];
        (&self.errors).read_exact(&mut number).ok()?;
        Some(io::Error::from_raw_os_error(i32::from_le_bytes(number)))
    }
}

/// Everything that the child needs, made before the fork: after it nothing may allocate.
struct Prepared {
    candidates: Vec<CString>,
    words: Vec<CString>,
    environment: Vec<CString>,
    folder: Option<CString>,
}

fn text(bytes: impl Into<Vec<u8>>) -> io::Result<CString> {
    CString::new(bytes).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))
}

fn prepare(command: &Command) -> io::Result<Prepared> {
    let program = command.words.first().ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))?;
    let path = command.environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_bytes());
    let candidates = if program.as_bytes().contains(&b'/') {
        vec![text(program.as_bytes())?]
    } else {
        let folders = path.unwrap_or(b"/bin:/usr/bin").split(|b| *b == b':');
        let join = |folder: &[u8]| {
            let folder = if folder.is_empty() { b"." } else { folder };
            text([folder, b"/", program.as_bytes()].concat())
        };
        folders.map(join).collect::<io::Result<_>>()?
    };
    let assignment =
        |(name, value): &(OsString, OsString)| text([name.as_bytes(), b"=", value.as_bytes()].concat());
    Ok(Prepared {
        candidates,
        words: command.words.iter().map(|w| text(w.clone().into_vec())).collect::<io::Result<_>>()?,
        environment: command.environment.iter().map(assignment).collect::<io::Result<_>>()?,
        folder: command.folder.as_ref().map(|f| text(f.as_os_str().as_bytes())).transpose()?,
    })
}

/// Forks the child. It blocks until it is released.
pub(crate) fn launch(command: &Command, setup: &Setup) -> io::Result<Launched> {
    let prepared = prepare(command)?;
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts.iter().map(|t| t.as_ptr()).chain([ptr::null()]).collect()
    };
    let (words, environment) = (pointers(&prepared.words), pointers(&prepared.environment));
    // A script without `#!` is the shell's, as execvp has it.
    let shell = c"/bin/sh";
    let mut shell_words = vec![shell.as_ptr(), ptr::null()];
    shell_words.extend(words.iter().skip(1));
    let (gate_reader, gate) = io::pipe()?;
    let (errors, error_writer) = io::pipe()?;
    let descriptors = setup.descriptors.each_ref().map(|d| d.as_ref().map(AsRawFd::as_raw_fd));
    // SAFETY: the child calls only async-signal-safe functions on memory prepared above, then execs or exits.
    unsafe {
        let pid = if setup.own_session { fork_into_session()? } else { libc::fork() };
        if pid < 0 {
            return Err(io::Error::last_os_error());
        }
        if pid == 0 {
            libc::close(gate.as_raw_fd());
            let number = become_program(&Child {
                gate: gate_reader.as_raw_fd(),
                descriptors,
                setup,
                folder: prepared.folder.as_ref(),
                candidates: &prepared.candidates,
                words: &words,
                shell_words: &raw mut shell_words,
                environment: &environment,
            });
            let bytes = number.to_le_bytes();
            libc::write(error_writer.as_raw_fd(), bytes.as_ptr().cast(), bytes.len());
            libc::_exit(127);
        }
        Ok(Launched { pid, gate, errors })
    }
}

/// Forks a child into a new session that it does not lead: a process between them makes the session, and us the parent of
/// the child, and is gone when this returns. The result is `fork`'s.
///
/// # Safety
/// As with `fork`, the child may only make async-signal-safe calls.
unsafe fn fork_into_session() -> io::Result<Pid> {
    let (pids, pid_writer) = io::pipe()?;
    // SAFETY: between fork and its end the process between makes plain system calls on numbers and on its own stack.
    unsafe {
        let leader = libc::fork();
        if leader < 0 {
            return Err(io::Error::last_os_error());
        }
        if leader == 0 {
            libc::setsid();
            let flags = (libc::CLONE_PARENT | libc::SIGCHLD) as libc::c_ulong;
            let pid = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) as Pid;
            if pid == 0 {
                return Ok(0);
            }
            let bytes = pid.to_le_bytes();
            libc::write(pid_writer.as_raw_fd(), bytes.as_ptr().cast(), bytes.len());
            libc::_exit(0);
        }
        drop(pid_writer);
        while libc::waitpid(leader, ptr::null_mut(), 0) < 0
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
    let mut bytes = [0; size_of::<Pid>()];
    (&pids).read_exact(&mut bytes)?;
    match Pid::from_le_bytes(bytes) {
        pid if pid > 0 => Ok(pid),
        _ => Err(io::Error::from_raw_os_error(libc::EAGAIN)),
    }
}

struct Child<'a> {
    gate: RawFd,
    descriptors: [Option<RawFd>; 3],
    setup: &'a Setup,
    folder: Option<&'a CString>,
    candidates: &'a [CString],
    words: &'a [*const libc::c_char],
    shell_words: *mut Vec<*const libc::c_char>,
    environment: &'a [*const libc::c_char],
}

/// The child's way to exec; returns the error number of what failed.
///
/// # Safety
/// Only for a freshly forked child: allocates nothing and takes no locks.
unsafe fn become_program(child: &Child<'_>) -> i32 {
    let errno = || io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL);
    // SAFETY: plain system calls on memory of the caller.
    unsafe {
        let mut byte = 0_u8;
        loop {
            match libc::read(child.gate, (&raw mut byte).cast(), 1) {
                1 => break,
                -1 if errno() == libc::EINTR => {}
                _ => libc::_exit(127),
            }
        }
        for (to, from) in child.descriptors.iter().enumerate() {
            if let Some(from) = *from
                && libc::dup2(from, to as RawFd) < 0
            {
                return errno();
            }
        }
        for (resource, limit) in &child.setup.limits {
            let limit = libc::rlimit { rlim_cur: *limit, rlim_max: *limit };
            // A lower hard limit is in force already: as good.
            let _ = libc::setrlimit(*resource, &raw const limit);
        }
        if let Some(folder) = child.folder
            && libc::chdir(folder.as_ptr()) != 0
        {
            return errno();
        }
        // Rust programs, we too, ignore SIGPIPE; what they start does not expect that (as in std's Command).
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        if let Some(mask) = &child.setup.mask {
            libc::sigprocmask(libc::SIG_SETMASK, &raw const *mask, ptr::null_mut());
        }
        // Last, so that nothing of the above is looked at. A tracer stands by: it has seized this process.
        if let Some(sandbox) = &child.setup.sandbox
            && let Err(error) = sandbox.enter(true)
        {
            return error.raw_os_error().unwrap_or(libc::EINVAL);
        }
        let mut denied = false;
        for candidate in child.candidates {
            libc::execve(candidate.as_ptr(), child.words.as_ptr(), child.environment.as_ptr());
            match errno() {
                libc::ENOEXEC => {
                    (&mut *child.shell_words)[1] = candidate.as_ptr();
                    libc::execve(
                        c"/bin/sh".as_ptr(),
                        (*child.shell_words).as_ptr(),
                        child.environment.as_ptr(),
                    );
                    return errno();
                }
                libc::EACCES => denied = true,
                libc::ENOENT | libc::ENOTDIR | libc::ESTALE => {}
                other => return other,
            }
        }
        if denied { libc::EACCES } else { libc::ENOENT }
    }
}
