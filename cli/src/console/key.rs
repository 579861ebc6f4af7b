//! One key from the person at the terminal, without waiting for Enter; from a pipe, the first letter of a line.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::os::fd::AsRawFd as _;

/// The key, in lower case; `None` at the end of the input.
pub(super) fn read_key() -> io::Result<Option<char>> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let mut line = String::new();
        let read = stdin.lock().read_line(&mut line)?;
        return Ok((read > 0).then(|| line.trim().chars().next().unwrap_or('\n').to_ascii_lowercase()));
    }
    let raw = Raw::enter(stdin.as_raw_fd())?;
    let mut byte = [0];
    let read = stdin.lock().read(&mut byte)?;
    drop(raw);
    // Ctrl-D ends the input, as it does elsewhere.
    Ok((read > 0 && byte[0] != 4).then(|| char::from(byte[0]).to_ascii_lowercase()))
}

/// The terminal without line buffering and echo, until it is dropped. Ctrl-C still ends the program.
struct Raw {
    fd: i32,
    before: libc::termios,
}

impl Raw {
    fn enter(fd: i32) -> io::Result<Self> {
        // SAFETY: termios is plain data; tcgetattr fills it or fails, and both calls take an open descriptor.
        unsafe {
            let mut before: libc::termios = std::mem::zeroed();
            if libc::tcgetattr(fd, &raw mut before) != 0 {
                return Err(io::Error::last_os_error());
            }
            let mut raw = before;
            raw.c_lflag &= !(libc::ICANON | libc::ECHO);
            if libc::tcsetattr(fd, libc::TCSANOW, &raw const raw) != 0 {
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
