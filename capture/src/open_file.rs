//! Files that a process has open, by way of `/proc/PID/fd`. In: a process and a descriptor. Out: the bytes and
//! the offset that is read next. Never: moves the process's own offset, or waits.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};

/// A regular file as a process has it open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenFile {
    /// The file's bytes from `start` on, as many as the limit allows.
    pub bytes: Vec<u8>,
    /// Offset of the first of them: 0, but where the file is larger than the limit.
    pub start: u64,
    /// The offset that the process reads next.
    pub position: u64,
    /// The file's length.
    pub len: u64,
}

/// Why nothing is known of an open file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoFile {
    /// A core file or a recording holds memory only.
    #[error("what was left in the open file was not kept")]
    NotKept,
    /// The process has no such descriptor.
    #[error("no file is open as descriptor {0}")]
    Closed(i32),
    /// What was read from it is gone, and what will come is not known.
    #[error("descriptor {descriptor} is {kind}: what was left to read is not known")]
    Stream {
        /// The descriptor.
        descriptor: i32,
        /// "a pipe", "a socket" …
        kind: &'static str,
    },
    /// It was opened to be written.
    #[error("the file of descriptor {0} is open for writing only")]
    WriteOnly(i32),
    /// The system did not let it be read.
    #[error("failed to read the file of descriptor {descriptor}")]
    Io {
        /// The descriptor.
        descriptor: i32,
        /// The system's own reason.
        source: io::Error,
    },
}

/// Reads a file that a stopped process has open. A file larger than `limit` is read from the process's offset on.
pub fn of_process(process: libc::pid_t, descriptor: i32, limit: u64) -> Result<OpenFile, NoFile> {
    let failed = |source| NoFile::Io { descriptor, source };
    let path = format!("/proc/{process}/fd/{descriptor}");
    let metadata = fs::metadata(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NoFile::Closed(descriptor),
        _ => failed(error),
    })?;
    // Opening anything else may wait, or take what belongs to the process.
    if !metadata.is_file() {
        return Err(NoFile::Stream { descriptor, kind: kind_of(metadata.file_type()) });
    }
    if metadata.len() == 0 && is_made_up(&path) {
        return Err(NoFile::Stream { descriptor, kind: "a file without a size, as those of /proc are" });
    }
    let info = fs::read_to_string(format!("/proc/{process}/fdinfo/{descriptor}")).map_err(failed)?;
    let number = |name: &str, radix| {
        let text = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        u64::from_str_radix(text.trim(), radix).ok()
    };
    if number("flags", 8).is_some_and(|flags| flags & libc::O_ACCMODE as u64 == libc::O_WRONLY as u64) {
        return Err(NoFile::WriteOnly(descriptor));
    }
    let position = number("pos", 10).unwrap_or(0);
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).map_err(failed)?;
    let len = metadata.len();
    let start = if len <= limit { 0 } else { position.min(len) };
    let bytes = read_at(&file, start, (len - start).min(limit)).map_err(failed)?;
    Ok(OpenFile { bytes, start, position, len })
}

/// Whether a file is of the kernel's making: it has no size, and its content comes to be as it is read.
fn is_made_up(path: &str) -> bool {
    const KINDS: [libc::c_long; 8] = [
        libc::PROC_SUPER_MAGIC,
        libc::SYSFS_MAGIC,
        libc::CGROUP_SUPER_MAGIC,
        libc::CGROUP2_SUPER_MAGIC,
        libc::DEBUGFS_MAGIC,
        libc::TRACEFS_MAGIC,
        libc::SECURITYFS_MAGIC,
        libc::SELINUX_MAGIC,
    ];
    let Ok(path) = CString::new(path) else { return false };
    // SAFETY: plain numbers, for which zero is a value.
    let mut found: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with NUL, and `found` is as large as the kernel's structure.
    let got = unsafe { libc::statfs(path.as_ptr(), &raw mut found) };
    got == 0 && KINDS.contains(&found.f_type)
}

/// Up to `len` bytes, fewer where the file ends before.
fn read_at(file: &File, start: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    let mut done = 0;
    while done < bytes.len() {
        match file.read_at(&mut bytes[done..], start + done as u64) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

fn kind_of(kind: fs::FileType) -> &'static str {
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() {
        "a terminal or device"
    } else if kind.is_dir() {
        "a folder"
    } else {
        "no regular file"
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};
    use std::os::fd::AsRawFd as _;

    use super::*;

    fn own(descriptor: i32, limit: u64) -> Result<OpenFile, NoFile> {
        of_process(std::process::id() as i32, descriptor, limit)
    }

    #[test]
    fn a_file_is_read_without_moving_its_offset() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"0123456789").unwrap();
        file.rewind().unwrap();
        file.read_exact(&mut [0; 4]).unwrap();
        let whole = OpenFile { bytes: b"0123456789".to_vec(), start: 0, position: 4, len: 10 };
        assert_eq!(own(file.as_raw_fd(), 10).unwrap(), whole);
        let rest = OpenFile { bytes: b"456".to_vec(), start: 4, position: 4, len: 10 };
        assert_eq!(own(file.as_raw_fd(), 3).unwrap(), rest);
        assert_eq!(file.stream_position().unwrap(), 4);
    }

    #[test]
    fn file_without_a_size_is_not_taken_for_an_empty_one() {
        let made_up = File::open("/proc/self/status").unwrap();
        let error = own(made_up.as_raw_fd(), 9).unwrap_err();
        assert!(error.to_string().contains("a file without a size"), "{error}");
        let empty = tempfile::tempfile().unwrap();
        let nothing = OpenFile { bytes: Vec::new(), start: 0, position: 0, len: 0 };
        assert_eq!(own(empty.as_raw_fd(), 9).unwrap(), nothing);
    }

    #[test]
    fn streams_and_written_files_are_left_alone() {
        let (reader, _writer) = io::pipe().unwrap();
        assert!(matches!(own(reader.as_raw_fd(), 9), Err(NoFile::Stream { kind: "a pipe", .. })));
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        assert!(matches!(own(log.as_raw_fd(), 9), Err(NoFile::WriteOnly(_))));
        assert!(matches!(own(99_999, 9), Err(NoFile::Closed(99_999))));
    }
}
