//! A live process by way of `/proc`: its memory, its mappings, its thread and program names. Reads only,
//! but for the bytes of breakpoints.

use std::cell::OnceCell;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use super::ptrace::Pid;
use crate::memory::{Memory, Unreadable};
use crate::open_file::{self, NoFile, OpenFile};

/// Files of processes' memory that are kept open at most: descriptors are needed for other things, too.
const MOST_KEPT: RawFd = 512;

/// The memory of a stopped process. After an exec it has to be taken anew.
pub(crate) struct LiveMemory {
    process: Pid,
    /// `/proc/PID/mem`, for writing, and for pages that the process itself may not read: the one that is kept, or
    /// opened where it is needed.
    file: OnceCell<Option<Rc<File>>>,
}

impl LiveMemory {
    /// The memory of a process or, by the number of one of its threads, of that thread's.
    pub(crate) fn of(process: Pid) -> LiveMemory {
        LiveMemory { process, file: OnceCell::new() }
    }

    /// The same, by a file that was opened before.
    pub(crate) fn with_file(process: Pid, kept: Option<Rc<File>>) -> LiveMemory {
        LiveMemory { process, file: kept.map_or_else(OnceCell::new, |kept| OnceCell::from(Some(kept))) }
    }

    /// The file of a process's memory, to be kept: it serves also when it could not be opened any more, because the
    /// process has made itself unreadable (`PR_SET_DUMPABLE`) or its main thread has ended. `None`: not now either,
    /// or so many are kept already.
    pub(crate) fn file_to_keep(process: Pid) -> Option<Rc<File>> {
        open(process).filter(|file| file.as_raw_fd() < MOST_KEPT).map(Rc::new)
    }

    fn file(&self) -> Option<&File> {
        self.file.get_or_init(|| open(self.process).map(Rc::new)).as_deref()
    }

    /// Writes through page protections, text included.
    pub(crate) fn write(&self, address: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.file().ok_or(io::ErrorKind::NotFound)?;
        file.write_all_at(bytes, address)
    }

    /// Writes to what the process itself may write to, a stack: mostly without a file.
    pub(crate) fn write_data(&self, address: u64, bytes: &[u8]) -> io::Result<()> {
        let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
        // SAFETY: the kernel reads our live bytes, no more than their length; the other address is the process's and is
        // checked there.
        let written =
            unsafe { libc::process_vm_writev(self.process, &raw const local, 1, &raw const remote, 1, 0) };
        if usize::try_from(written) == Ok(bytes.len()) { Ok(()) } else { self.write(address, bytes) }
    }

    /// Without a file: one system call.
    fn read_directly(&self, address: u64, buffer: &mut [u8]) -> bool {
        let local = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: buffer.len() };
        // SAFETY: the kernel writes to our live buffer, no more than its length; the other address is the process's
        // and is checked there.
        let read =
            unsafe { libc::process_vm_readv(self.process, &raw const local, 1, &raw const remote, 1, 0) };
        usize::try_from(read) == Ok(buffer.len())
    }
}

impl Memory for LiveMemory {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        if self.read_directly(address, buffer)
            || self.file().is_some_and(|file| file.read_exact_at(buffer, address).is_ok())
        {
            return Ok(());
        }
        Err(Unreadable { address, len: buffer.len() })
    }

    fn open_file(&self, descriptor: i32, limit: u64) -> Result<OpenFile, NoFile> {
        open_file::of_process(self.process, descriptor, limit)
    }
}

fn open(process: Pid) -> Option<File> {
    File::options().read(true).write(true).open(format!("/proc/{process}/mem")).ok()
}

/// What a process has mapped, as `/proc/PID/maps` says it.
pub(crate) fn maps(pid: Pid) -> String {
    let maps = read_at_once(&format!("/proc/{pid}/maps")).unwrap_or_default();
    String::from_utf8(maps).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// A file of `/proc`, which tells no size. Read in large parts: each read makes the kernel write them anew.
pub(crate) fn read_at_once(path: &str) -> Option<Vec<u8>> {
    const PART: usize = 16 << 10;
    let mut file = File::open(path).ok()?;
    let (mut text, mut len) = (vec![0; PART], 0);
    loop {
        match file.read(&mut text[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        text.resize(text.len().max(len + PART / 2), 0);
    }
    text.truncate(len);
    Some(text)
}

/// `/proc/PID/status`.
pub(crate) fn status(pid: Pid) -> Option<String> {
    read_at_once(&format!("/proc/{pid}/status")).map(|text| String::from_utf8_lossy(&text).into_owned())
}

/// Whether a thread is one of this process.
pub(crate) fn is_thread_of(tid: Pid, process: Pid) -> bool {
    // SAFETY: a system call on numbers; signal 0 only asks.
    unsafe { libc::syscall(libc::SYS_tgkill, process, tid, 0) == 0 }
}

/// A field of `/proc/PID/status`.
pub(crate) fn status_field(pid: Pid, field: &str) -> Option<String> {
    field_of(&status(pid)?, field)
}

/// A field of a status that was read.
pub(crate) fn field_of(status: &str, field: &str) -> Option<String> {
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// Whether a signal would end the process: it is neither caught nor ignored. Faults of the processor cannot be
/// ignored, so for them an `ignored` bit does not count.
pub(crate) fn signal_is_deadly(pid: Pid, signal: i32, forced: bool) -> bool {
    let status = status(pid).unwrap_or_default();
    let set = |field| {
        let bits = field_of(&status, field).and_then(|bits| u64::from_str_radix(&bits, 16).ok()).unwrap_or(0);
        bits >> (signal - 1) & 1 == 1
    };
    !set("SigCgt") && (forced || !set("SigIgn"))
}

/// A thread's name as its program knows it: the main one has the program's name for the kernel, but `main` for std.
pub(crate) fn name_of(pid: Pid, tid: Pid) -> Option<String> {
    if tid == pid { Some("main".to_owned()) } else { thread_name(pid, tid) }
}

/// The name of a thread, as its program set it.
fn thread_name(pid: Pid, tid: Pid) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/task/{tid}/comm")).ok()?;
    let name = String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned();
    (!name.is_empty()).then_some(name)
}
