//! Processes that are hard to reach while they run: their main thread has ended, they let nobody read them, or they were
//! forked as breakpoints went.

use relapse_capture::observe::Ending;
use relapse_capture::tracer::Ending as TraceEnding;

use crate::fixture::{Marked, Told, follow, program, run};

const CAUGHT: &str = "fn caught() { assert!(std::panic::catch_unwind(|| panic!(\"caught\")).is_err()) } ";

#[test]
fn a_panic_is_seen_after_the_main_thread_has_ended() {
    let observation = run(
        &format!(
            "{CAUGHT} extern \"C\" {{ fn syscall(n: i64, s: i64) -> i64; fn gettid() -> i32; }} fn main() {{ \
             let main = unsafe {{ gettid() }}; std::thread::spawn(move || {{ \
             let status = format!(\"/proc/{{main}}/status\"); \
             while !std::fs::read_to_string(&status).unwrap().contains(\"zombie\") {{}} \
             caught(); std::process::exit(3) }}); unsafe {{ syscall(60, 0); }} }}"
        ),
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(3));
    assert_eq!(observation.panics.len(), 1);
    assert_eq!(observation.panics[0].message, "caught");
    assert!(observation.panics[0].functions.iter().any(|name| name.ends_with("::caught")));
}

/// Takes the rights to look into every process from the calling thread and from what it starts. Other threads keep them.
fn give_up_rights() {
    const CAP_SYS_PTRACE: u32 = 19;
    const CAP_SYS_ADMIN: u32 = 21;
    const CAP_PERFMON: u32 = 38;
    #[repr(C)]
    struct Header(u32, i32);
    let header = Header(0x2008_0522, 0);
    // Effective, permitted, inheritable: the lower halves, then the upper ones.
    let mut sets = [0_u32; 6];
    // SAFETY: live structs of the kernel's layout; `prctl` takes numbers only. They change this thread alone. Where it may
    // not change them (it is not root's), it has none of these rights.
    unsafe {
        libc::syscall(libc::SYS_capget, &raw const header, sets.as_mut_ptr());
        for right in [CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_PERFMON] {
            libc::prctl(libc::PR_CAPBSET_DROP, right, 0, 0, 0);
            for set in &mut sets[right as usize / 32 * 3..][..3] {
                *set &= !(1 << (right % 32));
            }
        }
        libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr());
    }
}

#[test]
fn a_process_that_lets_nobody_read_it_runs_on_after_a_caught_panic() {
    let source = format!(
        "{CAUGHT} extern \"C\" {{ fn prctl(n: i32, v: u64) -> i32; }} \
         fn main() {{ caught(); unsafe {{ prctl(4, 0); }} caught(); std::process::exit(3) }}"
    );
    let (command, mark) = Marked::command(&[], &program(&source, &[]));
    let mut told = Told::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            give_up_rights();
            assert_eq!(follow(&command, &mut told).unwrap(), TraceEnding::Exited(3));
        });
    });
    assert_eq!(told.crashes.len(), 1, "the first one");
    assert_eq!(told.notes.len(), 1);
    assert!(told.notes[0].ends_with("the process lets nobody read its maps"), "{}", told.notes[0]);
    assert_eq!(mark.left(), Vec::<String>::new());
}

#[test]
fn children_that_are_forked_while_breakpoints_are_removed_go_on() {
    // The panics are more than are looked at; the children panic, too.
    let observation = run(
        "extern \"C\" { fn fork() -> i32; fn waitpid(p: i32, s: *mut i32, o: i32) -> i32; fn _exit(s: i32) -> !; } \
         use std::sync::atomic::{AtomicBool, Ordering}; static OVER: AtomicBool = AtomicBool::new(false); \
         fn caught() { let _ = std::panic::catch_unwind(|| std::panic::panic_any(7)); } fn main() { \
         std::panic::set_hook(Box::new(|_| ())); \
         let all: Vec<_> = (0..6).map(|_| std::thread::spawn(|| { let mut good = true; \
         while !OVER.load(Ordering::SeqCst) { unsafe { let child = fork(); if child == 0 { caught(); _exit(3) } \
         let mut s = 0; waitpid(child, &mut s, 0); good &= s == 3 << 8 } } good })).collect(); \
         for _ in 0..4200 { caught() } OVER.store(true, Ordering::SeqCst); \
         for thread in all { assert!(thread.join().unwrap()) } }",
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(0));
}
