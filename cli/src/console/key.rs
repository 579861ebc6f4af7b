//! One key from the person at the terminal, without waiting for Enter; from a pipe, the first letter of a line.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd as _, FromRawFd as _, RawFd};

/// What Ctrl-C and Ctrl-D send to a program that reads keys itself.
const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;

/// What a person typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// A letter, in lower case.
    Letter(char),
    /// The end of the input.
    End,
    /// Ctrl-C.
    Interrupt,
}

pub(super) fn read_key() -> io::Result<Key> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return read_terminal(stdin.as_raw_fd());
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line)?;
    let letter = line.trim().chars().next().unwrap_or('\n').to_ascii_lowercase();
    Ok(if read > 0 { Key::Letter(letter) } else { Key::End })
}

/// What comes in several bytes at once (an arrow, a letter with an accent, a paste) is none of the keys.
fn read_terminal(terminal: RawFd) -> io::Result<Key> {
    let _raw = Raw::enter(terminal)?;
    // SAFETY: the descriptor is open while the caller has it, and it is not closed here.
    let mut input = ManuallyDrop::new(unsafe { File::from_raw_fd(terminal) });
    let mut bytes = [0; 16];
    loop {
        match input.read(&mut bytes)? {
            0 => return Ok(Key::End),
            1 => {}
            _ => continue,
        }
        return Ok(match bytes[0] {
            CTRL_C => Key::Interrupt,
            CTRL_D => Key::End,
            byte => Key::Letter(char::from(byte).to_ascii_lowercase()),
        });
    }
}

/// The terminal without line buffering, echo and signals, until it is dropped. Ctrl-C is a key meanwhile: as a signal
/// it would leave the terminal so. What was typed before the question is no answer to it, and is thrown away.
struct Raw {
    fd: RawFd,
    before: libc::termios,
}

impl Raw {
    fn enter(fd: RawFd) -> io::Result<Self> {
        // SAFETY: termios is plain data; tcgetattr fills it or fails, and both calls take an open descriptor.
        unsafe {
            let mut before: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(fd, &raw mut before) != 0 {
                return Err(io::Error::last_os_error());
            }
            let mut raw = before;
            raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG);
            if libc::tcsetattr(fd, libc::TCSAFLUSH, &raw const raw) != 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self { fd, before })
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the settings are those that the terminal had.
        unsafe { libc::tcsetattr(self.fd, libc::TCSANOW, &raw const self.before) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::thread;
    use std::time::Duration;

    use super::*;

    const LOCAL: libc::tcflag_t = libc::ICANON | libc::ECHO | libc::ISIG;

    fn local_flags(fd: RawFd) -> libc::tcflag_t {
        // SAFETY: termios is plain data, which tcgetattr fills.
        unsafe {
            let mut settings: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(fd, &raw mut settings), 0);
            settings.c_lflag & LOCAL
        }
    }

    /// What is read where these bursts are typed at the question, and `early` before it.
    fn typed(early: &[u8], bursts: &[&[u8]]) -> Key {
        let (mut master, mut slave) = (0, 0);
        let null = std::ptr::null_mut();
        // SAFETY: openpty writes two descriptors; name, settings and size may be missing.
        assert_eq!(
            unsafe { libc::openpty(&raw mut master, &raw mut slave, null, null.cast(), null.cast()) },
            0
        );
        // SAFETY: both are open, and nobody else's.
        let (mut keyboard, terminal) = unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) };
        keyboard.write_all(early).unwrap();
        let before = local_flags(slave);
        let key = thread::scope(|scope| {
            let read = scope.spawn(|| read_terminal(slave));
            while local_flags(slave) != 0 {
                thread::yield_now();
            }
            // What comes while the last burst was not yet read is one with it: it is typed until it is taken.
            let (last, first) = bursts.split_last().unwrap();
            for burst in first {
                keyboard.write_all(burst).unwrap();
                thread::sleep(Duration::from_millis(50));
            }
            while !read.is_finished() {
                keyboard.write_all(last).unwrap();
                thread::sleep(Duration::from_millis(50));
            }
            read.join().unwrap().unwrap()
        });
        assert_eq!(local_flags(slave), before, "the terminal is as it was");
        drop(terminal);
        key
    }

    #[test]
    fn an_arrow_and_what_was_typed_before_the_question_are_no_answer() {
        assert_eq!(typed(b"a\n", &[b"\x1b[A", b"R"]), Key::Letter('r'));
    }

    #[test]
    fn ctrl_c_is_an_interrupt_that_leaves_the_terminal_as_it_was() {
        assert_eq!(typed(b"", &[b"\x03"]), Key::Interrupt);
        assert_eq!(typed(b"", &[b"\x04"]), Key::End);
    }
}
