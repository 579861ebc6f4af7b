//! A program that was compiled here and has stopped itself; it is killed and reaped when the test is over.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use relapse_capture::arch::Registers;
use relapse_capture::memory::{Memory, Unreadable};

/// Compiles `tests/programs/NAME.rs` as `FOLDER/src/NAME.rs`, from FOLDER, as cargo does.
pub(crate) fn compile(folder: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/programs/{name}.rs"));
    std::fs::create_dir_all(folder.join("src")).unwrap();
    let relative = format!("src/{name}.rs");
    std::fs::copy(source, folder.join(&relative)).unwrap();
    let output = Command::new("rustc")
        .current_dir(folder)
        .args(["--edition", "2024", "-o", name, &relative])
        .args(flags)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join(name)
}

/// A stopped and traced process.
pub(crate) struct Stopped {
    child: Child,
    memory: File,
}

impl Stopped {
    /// Starts a program and waits until it has stopped itself.
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Stopped {
        let child = Command::new(program).args(arguments).stdout(Stdio::null()).spawn().unwrap();
        let pid = child.id() as i32;
        let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
        let stopped = Stopped { child, memory };
        let begin = Instant::now();
        while stopped.state() != 'T' {
            assert!(begin.elapsed() < Duration::from_secs(30), "the program did not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
        // SAFETY: seizing our own child touches no memory of ours; its stop is awaited below.
        let seized = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, libc::PTRACE_O_EXITKILL) };
        assert_eq!(seized, 0, "{}", std::io::Error::last_os_error());
        let mut status = 0;
        // SAFETY: `status` outlives the call.
        assert_eq!(unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) }, pid);
        assert!(libc::WIFSTOPPED(status));
        stopped
    }

    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    pub(crate) fn registers(&self) -> Registers {
        // SAFETY: plain numbers, for which zero is a value.
        let mut user: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        // SAFETY: the child is stopped and `user` is as large as the kernel's structure.
        let got = unsafe { libc::ptrace(libc::PTRACE_GETREGS, self.pid(), 0, &raw mut user) };
        assert_eq!(got, 0, "{}", std::io::Error::last_os_error());
        Registers::from(user)
    }

    fn state(&self) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }
}

impl Memory for Stopped {
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), Unreadable> {
        let len = buffer.len();
        self.memory.read_exact_at(buffer, address).map_err(|_| Unreadable { address, len })
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        assert!(!Path::new(&format!("/proc/{}", self.pid())).exists(), "the program is still there");
    }
}
