//! A command under the tracer that has a limit on its time, and of which nothing is left afterwards. In: the command, how
//! it is set up, its time; out: how it ended, and whether that was because its time was over.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Command, Control, Ending, Recorder, Settings, Setup, TraceError, follow};

/// Ends a traced command from another thread: once switched, the tracer kills every process of it.
#[derive(Debug, Clone, Default)]
pub(super) struct KillSwitch(Arc<AtomicBool>);

impl KillSwitch {
    /// Asks for the end. The tracer looks at it at its next event: the caller kills the root process, too.
    pub(super) fn switch(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Runs a command under the tracer for so long at most. The second answer: whether it was ended.
pub(crate) fn trace_within(
    command: &Command,
    settings: &Settings,
    recorder: &mut dyn Recorder,
    setup: Setup,
    timeout: Duration,
) -> (Result<Ending, TraceError>, bool) {
    let kill_switch = KillSwitch::default();
    let (done, over) = mpsc::channel::<()>();
    let (started, root) = mpsc::channel::<OwnedFd>();
    let control = Control {
        setup,
        kill_rest: true,
        kill_switch: kill_switch.clone(),
        started: Some(Box::new(move |descriptor| drop(started.send(descriptor)))),
    };
    thread::scope(|scope| {
        let watcher = scope.spawn(move || watch(&root, &over, timeout, &kill_switch));
        let ending = follow(command, settings, recorder, control);
        drop(done);
        (ending, watcher.join().unwrap_or(false))
    })
}

/// Kills the root process when its time is over; the tracer, woken by that, kills the rest.
fn watch(
    root: &mpsc::Receiver<OwnedFd>,
    over: &mpsc::Receiver<()>,
    timeout: Duration,
    kill_switch: &KillSwitch,
) -> bool {
    // It could not be started.
    let Ok(root) = root.recv() else { return false };
    match over.recv_timeout(timeout) {
        Err(mpsc::RecvTimeoutError::Timeout) => {
            kill_switch.switch();
            // SAFETY: a system call on plain numbers; the descriptor is open.
            let killed = unsafe {
                libc::syscall(libc::SYS_pidfd_send_signal, root.as_raw_fd(), libc::SIGKILL, 0_usize, 0)
            };
            // It ended in this very moment: then it was in time.
            killed == 0
        }
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::process;
    use std::time::Instant;

    use super::*;
    use crate::panic::PanicLocation;
    use crate::roots::Roots;
    use crate::tracer::{Crash, Depth, Expectation};
    use relapse_snapshot::Frame;

    struct Nothing;

    impl Recorder for Nothing {
        fn crash(&mut self, _crash: Crash) {}
        fn repeated(&mut self, _place: &PanicLocation, _times: u64) {}
        fn expectation(&mut self, _test: &Frame) -> Expectation {
            Expectation::Unknown
        }
        fn note(&mut self, _text: String) {}
    }

    fn traced(words: &[&str], seconds: u64) -> (Result<Ending, TraceError>, bool) {
        let settings = Settings::new(Roots::default(), Depth::NAMES);
        let timeout = Duration::from_secs(seconds);
        trace_within(&Command::new(words), &settings, &mut Nothing, Setup::default(), timeout)
    }

    #[test]
    fn children_that_are_none_of_the_command_are_not_waited_for() {
        let mut other = process::Command::new("sleep").arg("60").spawn().unwrap();
        let start = Instant::now();
        let (ending, timed_out) = traced(&["sh", "-c", "sleep 50 & exit 3"], 40);
        let took = start.elapsed();
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!((ending.unwrap(), timed_out), (Ending::Exited(3), false));
        assert!(took < Duration::from_secs(30), "{took:?}");
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let (ending, timed_out) = traced(&["sleep", "60"], 1);
        assert_eq!((ending.unwrap(), timed_out), (Ending::Signaled(libc::SIGKILL), true));
    }

    /// From here on `pidfd_open` fails for this thread and what it starts, as a container may have it.
    fn forbid_descriptors_of_processes() {
        let line = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
        let mut lines = [
            line(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
            line(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, libc::SYS_pidfd_open as u32),
            line(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32),
            line(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
        ];
        let program = libc::sock_fprog { len: lines.len() as u16, filter: lines.as_mut_ptr() };
        // SAFETY: a live filter of the kernel's layout, for this thread alone.
        let done = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program)
        };
        assert_eq!(done, 0);
    }

    #[test]
    fn a_command_whose_time_cannot_be_limited_is_not_started() {
        // A thread of its own: what is forbidden stays so.
        let refused = thread::spawn(|| {
            forbid_descriptors_of_processes();
            let refused = traced(&["sleep", "60"], 1);
            assert!(!crate::tracer::ptrace::has_children());
            refused
        });
        let (ending, timed_out) = refused.join().unwrap();
        let Err(TraceError::Start { source, .. }) = ending else { panic!("{ending:?}") };
        assert!(source.to_string().contains("pidfd_open") && !timed_out, "{source}");
    }
}
