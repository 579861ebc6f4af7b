//! A live process by way of `/proc`: its memory, its mapped files, its thread and program names. Reads only,
//! but for the bytes of breakpoints.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::ptrace::Pid;
use crate::memory::{Memory, Unreadable};
use crate::open_file::{self, NoFile, OpenFile};

/// The memory of a stopped process.
pub(crate) struct LiveMemory {
    file: File,
    process: Pid,
}

impl LiveMemory {
    /// Opens it; after an exec it has to be opened anew.
    pub(crate) fn open(pid: Pid) -> io::Result<LiveMemory> {
        let path = format!("/proc/{pid}/mem");
        File::options().read(true).write(true).open(path).map(|file| LiveMemory { file, process: pid })
    }

    /// Writes through page protections, text included.
    pub(crate) fn write(&self, address: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, address)
    }
}

impl Memory for LiveMemory {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        self.file.read_exact_at(buffer, address).map_err(|_| Unreadable { address, len: buffer.len() })
    }

    fn open_file(&self, descriptor: i32, limit: u64) -> Result<OpenFile, NoFile> {
        open_file::of_process(self.process, descriptor, limit)
    }
}

/// A file mapped executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// First address.
    pub(crate) start: u64,
    /// The address after the last one.
    pub(crate) end: u64,
    /// Offset of the first byte in the file.
    pub(crate) offset: u64,
    /// Device and inode as `maps` writes them.
    pub(crate) identity: String,
    /// The file's path as the process sees it.
    pub(crate) path: PathBuf,
}

/// The files that a process has mapped executable.
pub(crate) fn executable_mappings(pid: Pid) -> Vec<Mapping> {
    let Ok(maps) = fs::read(format!("/proc/{pid}/maps")) else { return Vec::new() };
    String::from_utf8_lossy(&maps).lines().filter_map(mapping).collect()
}

fn mapping(line: &str) -> Option<Mapping> {
    let mut rest = line;
    let mut field = || {
        let (head, tail) = rest.trim_start().split_once(' ')?;
        rest = tail;
        Some(head)
    };
    let (range, flags, offset, device, inode) = (field()?, field()?, field()?, field()?, field()?);
    let path = rest.trim_start();
    if !flags.contains('x') || !path.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(Mapping {
        start: number(start)?,
        end: number(end)?,
        offset: number(offset)?,
        identity: format!("{device}:{inode}"),
        // The kernel writes a newline in a path as \012; such a library is not found, which loses its panics only.
        path: PathBuf::from(path.strip_suffix(" (deleted)").unwrap_or(path)),
    })
}

/// A field of `/proc/PID/status`.
pub(crate) fn status_field(pid: Pid, field: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().to_owned())
}

/// Whether a signal would end the process: it is neither caught nor ignored. Faults of the processor cannot be
/// ignored, so for them an `ignored` bit does not count.
pub(crate) fn signal_is_deadly(pid: Pid, signal: i32, forced: bool) -> bool {
    let set = |field| {
        let bits = status_field(pid, field).and_then(|bits| u64::from_str_radix(&bits, 16).ok()).unwrap_or(0);
        bits >> (signal - 1) & 1 == 1
    };
    !set("SigCgt") && (forced || !set("SigIgn"))
}

/// The name of a thread, as its program set it.
pub(crate) fn thread_name(pid: Pid, tid: Pid) -> Option<String> {
    let name = fs::read(format!("/proc/{pid}/task/{tid}/comm")).ok()?;
    let name = String::from_utf8_lossy(&name).trim_end_matches('\n').to_owned();
    (!name.is_empty()).then_some(name)
}
