//! What following a program costs at the least: a tracer that is told of every thread, process and exec, and does
//! nothing but let them go on. `follower COMMAND…` ends with the command's own status. Linux on x86-64.

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::os::unix::ffi::OsStringExt;
use std::ptr::{null, null_mut};

unsafe extern "C" {
    fn fork() -> c_int;
    fn raise(signal: c_int) -> c_int;
    fn execvp(file: *const c_char, words: *const *const c_char) -> c_int;
    fn ptrace(request: c_long, pid: c_int, address: *mut c_void, data: *mut c_void) -> c_long;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn kill(pid: c_int, signal: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

const CONT: c_long = 7;
const SEIZE: c_long = 0x4206;
const LISTEN: c_long = 0x4208;
/// FORK, VFORK, CLONE, EXEC, and the end with the tracer: the least that a tracer asks for which follows children.
const OPTIONS: usize = 2 | 4 | 8 | 16 | 0x0010_0000;
const EVENT_STOP: c_int = 128;
const WUNTRACED: c_int = 2;
const WALL: c_int = 0x4000_0000;
const SIGCONT: c_int = 18;
const SIGSTOP: c_int = 19;

fn main() {
    let words: Vec<CString> =
        std::env::args_os().skip(1).filter_map(|word| CString::new(word.into_vec()).ok()).collect();
    let pointers: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).chain([null()]).collect();
    if words.is_empty() {
        std::process::exit(64);
    }
    // SAFETY: the child calls nothing but raise, execvp and _exit on memory made before the fork; every other call takes
    // plain numbers or the address of a live integer.
    unsafe {
        let root = fork();
        if root == 0 {
            raise(SIGSTOP);
            execvp(pointers[0], pointers.as_ptr());
            _exit(127);
        }
        let mut status = 0;
        waitpid(root, &mut status, WUNTRACED);
        if ptrace(SEIZE, root, null_mut(), OPTIONS as *mut c_void) != 0 {
            std::process::exit(69);
        }
        kill(root, SIGCONT);
        loop {
            let pid = waitpid(-1, &mut status, WALL);
            if pid < 0 {
                std::process::exit(70);
            }
            let (ended, signal, event) = (status & 0x7f, status >> 8 & 0xff, status >> 16);
            if ended != 0x7f {
                if pid == root {
                    std::process::exit(if ended == 0 { signal } else { 128 + ended });
                }
                continue;
            }
            let stopping = event == EVENT_STOP && matches!(signal, 19..=22);
            let pass_on = if event == 0 { signal as usize } else { 0 };
            let request = if stopping { LISTEN } else { CONT };
            ptrace(request, pid, null_mut(), pass_on as *mut c_void);
        }
    }
}
