//! How the program ends. The numbers are a contract: scripts and CI rely on them.

/// What a verb came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitCode {
    /// Done, nothing new.
    Done,
    /// A crash is new, open or changed, or not every snapshot is verified (`gen`, `replay`, `review` only).
    Crash,
    /// A regression or corpus entry is invalid or timed out (`gen`, `replay`, `review` only); wins over `Crash`.
    Invalid,
    /// The command line is wrong.
    Usage,
    /// An input file is missing, damaged or of another kind.
    BadInput,
    /// Something that is needed is missing.
    Missing,
    /// A defect of this program.
    Internal,
    /// Output cannot be written.
    CannotWrite,
    /// The status of the command that `run` ran.
    Status(u8),
    /// The signal that the command of `run` died by.
    Signal(i32),
}

impl ExitCode {
    /// The status that the process ends with; a death by signal counts as a shell counts it.
    pub(crate) fn number(self) -> u8 {
        match self {
            ExitCode::Done => 0,
            ExitCode::Crash => 1,
            ExitCode::Invalid => 2,
            ExitCode::Usage => 64,
            ExitCode::BadInput => 65,
            ExitCode::Missing => 69,
            ExitCode::Internal => 70,
            ExitCode::CannotWrite => 73,
            ExitCode::Status(status) => status,
            ExitCode::Signal(signal) => 128u8.wrapping_add(signal as u8),
        }
    }

    /// Ends as the code says: for a signal, by that signal.
    pub(crate) fn end(self) -> std::process::ExitCode {
        if let ExitCode::Signal(signal) = self {
            die_by(signal);
        }
        std::process::ExitCode::from(self.number())
    }
}

/// Dies by a signal, without a core file of our own. Returns only where the signal does not kill.
fn die_by(signal: i32) {
    let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain system calls on values that live here; this is the last thing that the process does.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        libc::signal(signal, libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        libc::raise(signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_contract() {
        use ExitCode::*;
        let numbers =
            [Done, Crash, Invalid, Usage, BadInput, Missing, Internal, CannotWrite].map(ExitCode::number);
        assert_eq!(numbers, [0, 1, 2, 64, 65, 69, 70, 73]);
        assert_eq!([Status(7), Signal(11)].map(ExitCode::number), [7, 139]);
    }
}
