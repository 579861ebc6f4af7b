//! What a thread waits for, where std's own functions on its stack say so. In: its frames and registers in a system call;
//! out: the thing, and which one where that can be read. Who holds a lock is written nowhere, and not guessed at.

use relapse_snapshot::{Frame, FrameKind};

use super::ptrace::Pid;

/// What a thread waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    what: &'static str,
    /// A lock's address.
    pub(super) lock: Option<u64>,
    /// The thread whose end it waits for.
    pub(super) joined: Option<Pid>,
}

/// What std's functions wait for, by a part of their names. The outermost one counts: a barrier waits by a condition
/// variable, a channel by parking its thread.
const WORDS: [(&str, &str); 8] = [
    ("sync::barrier::Barrier", "a Barrier"),
    ("::recv", "a message of a channel"),
    ("::send", "room in a channel"),
    ("thread::scoped::scope", "the threads of a scope"),
    ("Condvar", "a Condvar"),
    ("sync::once", "a Once that another thread runs"),
    ("once_lock", "a Once that another thread runs"),
    ("thread::park", "another thread to unpark it"),
];

/// What the thread waits for; `None`: it does not, or in no way of std.
pub(super) fn of(frames: &[Frame], registers: &libc::user_regs_struct) -> Option<Wait> {
    // The command without its flags: private, and by which clock.
    let command = registers.rsi as i32 & libc::FUTEX_CMD_MASK;
    let is_wait = command == libc::FUTEX_WAIT || command == libc::FUTEX_WAIT_BITSET;
    if registers.orig_rax as i64 != libc::SYS_futex || !is_wait {
        return None;
    }
    let is_own = |frame: &&Frame| matches!(frame.kind, FrameKind::Workspace | FrameKind::Dependency);
    let inner = frames.iter().take_while(|frame| !is_own(frame)).map(|frame| frame.function.as_str());
    let inner: Vec<&str> = inner.collect();
    let has = |parts: &[&str]| inner.iter().any(|function| parts.iter().all(|part| function.contains(part)));
    let lock = |what, address| Some(Wait { what, lock: Some(address), joined: None });
    if has(&["Mutex", "::lock_contended"]) {
        return lock("Mutex", registers.rdi);
    }
    if has(&["RwLock", "::read_contended"]) {
        return lock("RwLock", registers.rdi);
    }
    if has(&["RwLock", "::write_contended"]) {
        // A writer waits at the second word of the lock, readers at the first.
        return lock("RwLock", registers.rdi.wrapping_sub(4));
    }
    if has(&["JoinHandle", "::join"]) || has(&["JoinInner", "::join"]) || has(&["thread", "Thread::join"]) {
        // The C library waits until the kernel clears the thread's number.
        return Some(Wait { what: "another thread's end", lock: None, joined: Some(registers.rdx as Pid) });
    }
    let word = |function: &&str| {
        let is_std = function.contains("std::");
        WORDS.iter().find(|(part, _)| is_std && function.contains(part)).map(|(_, what)| *what)
    };
    let what = inner.iter().rev().find_map(word)?;
    Some(Wait { what, lock: None, joined: None })
}

impl Wait {
    /// In words. `number`: the lock's; `joined`: the name of the thread that is waited for.
    pub(super) fn words(&self, number: Option<usize>, joined: Option<&str>) -> String {
        match (number, joined) {
            (Some(number), _) => format!("lock {number} ({})", self.what),
            (None, Some(joined)) => format!("the end of {joined}"),
            (None, None) => self.what.to_owned(),
        }
    }
}

/// A thread, as notes name it. Threads without a name of their own have the program's: the number tells them apart.
pub(super) fn shown(name: Option<String>, tid: Pid) -> String {
    match name {
        Some(name) if name == "main" => "thread \"main\"".to_owned(),
        Some(name) => format!("thread {name:?} ({tid})"),
        None => format!("thread {tid}"),
    }
}

/// Where a thread stands: ` in demo::deadlock (src/lib.rs:31)`; nothing where only std is on its stack.
pub(super) fn place(frames: &[Frame]) -> String {
    let of = |kind| frames.iter().find(move |frame| frame.kind == kind);
    let Some(frame) = of(FrameKind::Workspace).or_else(|| of(FrameKind::Dependency)) else {
        return String::new();
    };
    let at = frame.location.as_ref().map(|at| format!(" ({}:{})", at.file, at.line)).unwrap_or_default();
    format!(" in {}{at}", frame.function)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn futex(command: i32, address: u64, value: u64) -> libc::user_regs_struct {
        // SAFETY: plain numbers.
        let zero: libc::user_regs_struct = unsafe { std::mem::zeroed() };
        let (orig_rax, rsi) = (libc::SYS_futex as u64, command as u64);
        libc::user_regs_struct { orig_rax, rdi: address, rsi, rdx: value, ..zero }
    }

    fn stack(std: &[&str]) -> Vec<Frame> {
        let frame =
            |function: &&str, kind| Frame { function: (*function).to_owned(), kind, ..Frame::default() };
        let inner = std.iter().map(|function| frame(function, FrameKind::Std));
        inner
            .chain([frame(&"demo::own", FrameKind::Workspace), frame(&"std::thread::park", FrameKind::Std)])
            .collect()
    }

    #[test]
    fn what_is_waited_for_is_named_by_std_s_functions() {
        const WAIT: i32 = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
        let wait = |functions: &[&str]| {
            let wait = of(&stack(functions), &futex(WAIT, 0x1004, 77))?;
            Some((wait.words(wait.lock.map(|_| 1), None), wait.lock, wait.joined))
        };
        let said = |text: &str| Some((text.to_owned(), None, None));
        let lock = |text: &str, address| Some((text.to_owned(), Some(address), None));
        let syscall = "std::sys::pal::unix::futex::futex_wait";
        let mutex = "std::sys::sync::mutex::futex::Mutex::lock_contended";
        assert_eq!(
            wait(&[syscall, mutex, "std::sync::poison::mutex::Mutex<T>::lock"]),
            lock("lock 1 (Mutex)", 0x1004)
        );
        let rwlock = |how: &str| format!("std::sys::sync::rwlock::futex::RwLock::{how}_contended");
        assert_eq!(wait(&[syscall, &rwlock("read")]), lock("lock 1 (RwLock)", 0x1004));
        assert_eq!(wait(&[syscall, &rwlock("write")]), lock("lock 1 (RwLock)", 0x1000));
        assert_eq!(
            wait(&["syscall", "std::thread::JoinHandle<T>::join"]),
            Some(("another thread's end".to_owned(), None, Some(77)))
        );
        let condvar = "std::sys::sync::condvar::futex::Condvar::wait";
        assert_eq!(wait(&[syscall, condvar]), said("a Condvar"));
        assert_eq!(wait(&[syscall, condvar, "std::sync::barrier::Barrier::wait"]), said("a Barrier"));
        assert_eq!(
            wait(&[syscall, "std::thread::park", "std::sync::mpsc::Receiver<T>::recv"]),
            said("a message of a channel")
        );
        // A function of the project's own that has such a name, and one that std's frames do not explain.
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&["syscall"]), None);
    }

    #[test]
    fn a_thread_that_wakes_others_or_is_in_another_call_waits_for_nothing() {
        let frames = stack(&["std::sys::sync::mutex::futex::Mutex::lock_contended"]);
        assert_eq!(of(&frames, &futex(libc::FUTEX_WAKE, 0x1000, 1)), None);
        let other = libc::user_regs_struct { orig_rax: u64::MAX, ..futex(libc::FUTEX_WAIT, 0x1000, 1) };
        assert_eq!(of(&frames, &other), None);
    }
}
