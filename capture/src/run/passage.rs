//! Being in the middle without being noticed: signals that are sent to us reach the command, those of the
//! terminal reach it anyway.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;
use std::thread::{self, JoinHandle};

use super::RunError;
use crate::tracer::{Command, Ending, Setup, TraceError, start_untraced};

/// Signals that people and service managers send to a program to tell it something.
const PASSED_ON: [i32; 6] =
    [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2];

/// From its beginning to its drop, signals sent to this process are the command's.
pub(super) struct Passage {
    before: libc::sigset_t,
    passed_on: libc::sigset_t,
    /// Closing it ends the forwarding.
    open: Option<OwnedFd>,
    closed: Option<OwnedFd>,
    forwarding: std::sync::Arc<std::sync::Mutex<Option<JoinHandle<()>>>>,
}

impl Passage {
    /// Blocks the signals, in this thread and those that it starts.
    pub(super) fn begin() -> Passage {
        // SAFETY: signal sets are plain bits, set up by sigemptyset; only valid signal numbers are added.
        let (before, passed_on) = unsafe {
            let mut passed_on: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut passed_on);
            for signal in PASSED_ON {
                libc::sigaddset(&raw mut passed_on, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const passed_on, &raw mut before);
            (before, passed_on)
        };
        let (closed, open) = io::pipe().map_or((None, None), |(r, w)| (Some(r.into()), Some(w.into())));
        Passage { before, passed_on, open, closed, forwarding: std::sync::Arc::default() }
    }

    /// The signal mask that the command is to have: ours from before.
    pub(super) fn mask(&self) -> libc::sigset_t {
        self.before
    }

    /// Passes signals on to a process, once it is there.
    pub(super) fn forwarding(&self) -> Box<dyn FnOnce(OwnedFd) + Send> {
        let closed = self.closed.as_ref().and_then(|end| end.try_clone().ok());
        let passed_on = self.passed_on;
        let slot = std::sync::Arc::clone(&self.forwarding);
        Box::new(move |process| {
            let Some(closed) = closed else { return };
            let handle = thread::spawn(move || forward(&process, &passed_on, &closed));
            if let Ok(mut slot) = slot.lock() {
                *slot = Some(handle);
            }
        })
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.open.take();
        let handle = self.forwarding.lock().ok().and_then(|mut slot| slot.take());
        if let Some(handle) = handle {
            let _ = handle.join();
        }
        // SAFETY: the set is the one that sigmask gave us.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}

fn forward(process: &OwnedFd, signals: &libc::sigset_t, closed: &OwnedFd) {
    // SAFETY: system calls on descriptors that are open and on live buffers of the size that is given.
    unsafe {
        let reader = libc::signalfd(-1, ptr::from_ref(signals), libc::SFD_CLOEXEC);
        if reader < 0 {
            return;
        }
        let reader = OwnedFd::from_raw_fd(reader);
        loop {
            let entry = |descriptor: &OwnedFd| libc::pollfd {
                fd: descriptor.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            };
            let mut entries = [entry(&reader), entry(closed)];
            if libc::poll(entries.as_mut_ptr(), 2, -1) < 0 {
                if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted {
                    continue;
                }
                return;
            }
            if entries[1].revents != 0 {
                return;
            }
            let mut info: libc::signalfd_siginfo = std::mem::zeroed();
            let size = size_of::<libc::signalfd_siginfo>();
            if libc::read(reader.as_raw_fd(), (&raw mut info).cast(), size) != size as isize {
                return;
            }
            // The kernel's own (code above 0) are the terminal's: it sends them to the whole foreground group,
            // which the command is in.
            if info.ssi_code <= 0 {
                let signal = info.ssi_signo as i32;
                libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), signal, 0_usize, 0);
            }
        }
    }
}

/// Runs a command that is not traced (cargo) to its end.
pub(super) fn pass_through(command: &Command) -> Result<Ending, RunError> {
    let passage = Passage::begin();
    let setup = Setup { mask: Some(passage.mask()), ..Setup::default() };
    let pid = start_untraced(command, &setup, passage.forwarding())?;
    loop {
        let mut status = 0;
        // SAFETY: our own child, and a valid place for its status.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        if waited == pid {
            return Ok(if libc::WIFSIGNALED(status) {
                Ending::Signaled(libc::WTERMSIG(status))
            } else {
                Ending::Exited(libc::WEXITSTATUS(status))
            });
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return Err(TraceError::Lost.into());
        }
    }
}
