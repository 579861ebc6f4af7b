//! Standard input that is a pipe: what a program reads of it is kept for a second run. The program gets a pipe of
//! ours, into which the bytes are *doubled* (`tee`); from the user's pipe is taken only what the program has taken
//! from ours. So whoever reads after it (`while read line; do prog; done`, `(prog; cat)`) finds what it left.
//! Never: a terminal, a file, a socket, or a pipe that is more than a plain blocking one.

use std::fs::{self, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use relapse_snapshot::store::INPUT_MAX;

/// How long to wait between two looks at a program that has read a part of what it was given: at first, at most.
const WAITS: [Duration; 2] = [Duration::from_micros(50), Duration::from_millis(10)];
/// The smallest pipe: one page, one buffer. It is full as long as anything is in it.
const SMALLEST: libc::c_int = 4096;
const SHARED: &str = "standard input was read by another program, too: not kept";
const TOO_LONG: &str = "standard input was longer than 16 MiB: not kept";
const _: () = assert!(INPUT_MAX == 16 << 20);

/// Whether our standard input is a pipe that can be passed through without a difference.
pub(super) fn is_plain_pipe() -> bool {
    let pipe = fs::metadata("/proc/self/fd/0").is_ok_and(|metadata| metadata.file_type().is_fifo());
    // SAFETY: a system call on plain numbers.
    let flags = unsafe { libc::fcntl(0, libc::F_GETFL) };
    // What these mean would have to be passed on, too: both ways, without waiting, in packets.
    pipe && flags >= 0 && flags & (libc::O_ACCMODE | libc::O_NONBLOCK | libc::O_DIRECT) == libc::O_RDONLY
}

/// What the processes of a run have read of their standard input, one after the other: a private file of the run.
pub(super) struct Spool<'a>(pub(super) &'a Path);

impl Spool<'_> {
    pub(super) fn create(&self) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.0).map(drop)
    }

    /// Adds what one process has read.
    fn add(&self, bytes: &[u8]) {
        let opened = OpenOptions::new().append(true).open(self.0);
        if let Err(error) = opened.and_then(|mut file| file.write_all(bytes)) {
            self.lose(&format!("standard input could not be kept: {error}"));
        }
    }

    /// Notes why something is missing.
    fn lose(&self, reason: &str) {
        // Where not even this can be written, a second run goes another way than the first one, and says so.
        let _ = fs::write(self.lost(), reason);
    }

    fn lost(&self) -> PathBuf {
        self.0.with_extension("lost")
    }

    /// All that was read, or why it is not known.
    pub(super) fn read(&self) -> Result<Vec<u8>, String> {
        if let Ok(reason) = fs::read_to_string(self.lost()) {
            return Err(reason);
        }
        match fs::read(self.0) {
            Ok(bytes) if bytes.len() as u64 <= INPUT_MAX => Ok(bytes),
            Ok(_) => Err(TOO_LONG.to_owned()),
            Err(error) => Err(format!("standard input could not be kept: {error}")),
        }
    }
}

/// A program's standard input while it runs.
pub(super) struct Relay<'a> {
    spool: Spool<'a>,
    stop: PipeWriter,
    thread: JoinHandle<Taken>,
}

impl<'a> Relay<'a> {
    /// Begins to pass our standard input on; returns what is to be the program's. What is there already reaches
    /// that pipe before this returns. `None`: the program is to have ours.
    pub(super) fn begin(spool: &'a Path) -> Option<(Relay<'a>, OwnedFd)> {
        if !is_plain_pipe() {
            return None;
        }
        let source = io::stdin().as_fd().try_clone_to_owned().ok()?;
        let (reader, sink) = io::pipe().ok()?;
        let (stopped, stop) = io::pipe().ok()?;
        let spare = io::pipe().ok()?;
        let (ready, is_ready) = mpsc::channel();
        let pump = Pump { source, sink, stopped, spare, taken: Taken::default() };
        let thread = thread::Builder::new().spawn(move || pump.run(&ready)).ok()?;
        let _ = is_ready.recv();
        Some((Relay { spool: Spool(spool), stop, thread }, reader.into()))
    }

    /// The program has ended: notes what it has read.
    pub(super) fn end(self) {
        drop(self.stop);
        match self.thread.join() {
            Ok(Taken { lost: None, bytes }) => self.spool.add(&bytes),
            Ok(Taken { lost: Some(reason), .. }) => self.spool.lose(reason),
            Err(_) => self.spool.lose("standard input could not be kept"),
        }
    }
}

/// What was taken from the source, as long as it is known wholly.
#[derive(Default)]
struct Taken {
    bytes: Vec<u8>,
    lost: Option<&'static str>,
}

struct Pump {
    source: OwnedFd,
    sink: PipeWriter,
    /// At its end when the program has ended.
    stopped: PipeReader,
    spare: (PipeReader, PipeWriter),
    taken: Taken,
}

/// How a wait has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Woken {
    /// By what was waited for.
    Ready,
    /// The program has ended, or has closed its input.
    Over,
    /// By time.
    Late,
}

impl Pump {
    fn run(mut self, ready: &mpsc::Sender<()>) -> Taken {
        // The first look does not wait: a program that asks at once finds what it would find without us.
        let mut patience = Some(Duration::ZERO);
        loop {
            let woken = self.wait((self.source.as_fd(), libc::POLLIN), patience.take());
            let doubled = if woken == Woken::Ready { self.double() } else { Ok(None) };
            let _ = ready.send(());
            match doubled {
                _ if woken == Woken::Over => return self.taken,
                Ok(None) => {}
                Ok(Some(0)) => return self.taken,
                Ok(Some(count)) => {
                    let (left, over) = self.wait_until_read();
                    self.take(count.saturating_sub(left));
                    if over {
                        return self.taken;
                    }
                }
                // It reads no more, or its pipe is out of order: then the program finds the input's end too early.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return self.taken,
                Err(_) => {
                    self.lose("standard input could not be kept");
                    return self.taken;
                }
            }
        }
    }

    /// Doubles what is in the source into the empty sink. 0: the source is at its end; `None`: nothing was there.
    fn double(&self) -> io::Result<Option<usize>> {
        // As large as the user's own, so that one read gets as much. Where that is denied, it gets less.
        // SAFETY: system calls on plain numbers and open descriptors.
        let count = unsafe {
            let size = libc::fcntl(self.source.as_raw_fd(), libc::F_GETPIPE_SZ);
            for pipe in [self.sink.as_raw_fd(), self.spare.1.as_raw_fd()] {
                libc::fcntl(pipe, libc::F_SETPIPE_SZ, size);
            }
            let size = usize::try_from(size).unwrap_or(SMALLEST as usize);
            libc::tee(self.source.as_raw_fd(), self.sink.as_raw_fd(), size, libc::SPLICE_F_NONBLOCK)
        };
        match usize::try_from(count) {
            Ok(count) => Ok(Some(count)),
            Err(_) => match io::Error::last_os_error() {
                error if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                    Ok(None)
                }
                error => Err(error),
            },
        }
    }

    /// Waits until the program has read all that is in the sink, or reads no more: how much is left, and whether
    /// nothing more is to be read.
    fn wait_until_read(&self) -> (usize, bool) {
        let mut wait = WAITS[0];
        let mut left = self.left();
        loop {
            // SAFETY: a system call on plain numbers. It is refused as long as more than one buffer is in use.
            let one = unsafe { libc::fcntl(self.sink.as_raw_fd(), libc::F_SETPIPE_SZ, SMALLEST) } >= 0;
            let woken = if one {
                self.wait((self.sink.as_fd(), libc::POLLOUT), None)
            } else {
                self.wait((self.sink.as_fd(), 0), Some(wait))
            };
            match woken {
                Woken::Over => return (self.left(), true),
                Woken::Ready if one => return (self.left(), false),
                _ => {}
            }
            let now = self.left();
            wait = if now < left { WAITS[0] } else { WAITS[1].min(wait * 2) };
            left = now;
        }
    }

    /// Bytes in the sink that nobody has read.
    fn left(&self) -> usize {
        let mut count: libc::c_int = 0;
        // SAFETY: a system call on an open descriptor and a live number.
        unsafe { libc::ioctl(self.sink.as_raw_fd(), libc::FIONREAD, &raw mut count) };
        usize::try_from(count).unwrap_or_default()
    }

    /// Takes what the program has read out of the source.
    fn take(&mut self, mut count: usize) {
        while count > 0 {
            // SAFETY: a system call on open descriptors, without offsets.
            let moved = unsafe {
                libc::splice(
                    self.source.as_raw_fd(),
                    ptr::null_mut(),
                    self.spare.1.as_raw_fd(),
                    ptr::null_mut(),
                    count,
                    libc::SPLICE_F_NONBLOCK,
                )
            };
            let moved = match usize::try_from(moved) {
                Ok(moved) if moved > 0 => moved,
                Err(_) if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => continue,
                // It is gone: somebody else has read it.
                _ => return self.lose(SHARED),
            };
            count = count.saturating_sub(moved);
            let mut bytes = vec![0; moved];
            if self.spare.0.read_exact(&mut bytes).is_err() {
                return self.lose(SHARED);
            }
            if self.taken.bytes.len().saturating_add(moved) as u64 > INPUT_MAX {
                self.lose(TOO_LONG);
            } else if self.taken.lost.is_none() {
                self.taken.bytes.extend(bytes);
            }
        }
    }

    fn lose(&mut self, reason: &'static str) {
        self.taken.lost.get_or_insert(reason);
        self.taken.bytes = Vec::new();
    }

    /// Waits for one descriptor; the end of the program, and of its input, are always waited for.
    fn wait(&self, on: (BorrowedFd<'_>, libc::c_short), patience: Option<Duration>) -> Woken {
        let entry = |fd: RawFd, events| libc::pollfd { fd, events, revents: 0 };
        let mut entries = [
            entry(on.0.as_raw_fd(), on.1),
            entry(self.sink.as_raw_fd(), 0),
            entry(self.stopped.as_raw_fd(), libc::POLLIN),
        ];
        let time = patience.map(|patience| libc::timespec {
            tv_sec: patience.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(patience.subsec_nanos()),
        });
        let time = time.as_ref().map_or(ptr::null(), ptr::from_ref);
        // SAFETY: a system call on a live array of the length given, and a live time or none.
        let count = unsafe { libc::ppoll(entries.as_mut_ptr(), 3, time, ptr::null()) };
        match count {
            ..0 => Woken::Late,
            _ if entries[1].revents != 0 || entries[2].revents != 0 => Woken::Over,
            0 => Woken::Late,
            _ => Woken::Ready,
        }
    }
}
