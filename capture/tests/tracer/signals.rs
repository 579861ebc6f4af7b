//! Signals reach the program as they would without a tracer.

use relapse_capture::observe::Ending;
use relapse_capture::tracer::Ending as TraceEnding;

use crate::fixture::{Marked, Told, follow, program, run};

const EXTERNS: &str = "extern \"C\" { fn signal(n: i32, f: usize) -> usize; fn raise(n: i32) -> i32; fn getpid() -> i32; \
                       fn kill(p: i32, n: i32) -> i32; fn fork() -> i32; fn waitpid(p: i32, s: *mut i32, o: i32) -> i32; fn setpgid(p: i32, g: i32) -> i32; \
                       } use std::sync::atomic::*; static N: AtomicI32 = AtomicI32::new(0); extern \"C\" fn count(_: i32) \
                       { N.fetch_add(1, Ordering::SeqCst); } ";

#[test]
fn handled_signals_reach_their_handler() {
    let observation = run(
        &format!(
            "{EXTERNS} fn main() {{ unsafe {{ signal(10, count as usize); signal(6, count as usize); \
             for _ in 0..50 {{ raise(10); }} raise(6); }} std::process::exit(N.load(Ordering::SeqCst)) }}"
        ),
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(51));
    assert!(observation.deaths.is_empty(), "a handled SIGABRT is no death");
}

#[test]
fn death_by_signal_passes_through() {
    for (number, name) in [(15, "SIGTERM"), (9, "SIGKILL"), (5, "SIGTRAP"), (10, "SIGUSR1")] {
        let observation =
            run(&format!("{EXTERNS} fn main() {{ unsafe {{ kill(getpid(), {number}); }} loop {{}} }}"), &[]);
        assert_eq!(observation.ending, Ending::Signaled(name.to_owned()));
    }
}

#[test]
fn stopped_program_stays_stopped_until_it_is_continued() {
    // The child stops itself; its parent sees that, continues it, and gets its status. The child has a group of
    // its own: in an orphaned one, as that of a job in the background may be, SIGTSTP stops nobody.
    let source = format!(
        "{EXTERNS} fn main() {{ unsafe {{ let p = fork(); if p == 0 {{ setpgid(0, 0); \
         for n in [19, 20] {{ raise(n); }} \
         std::process::exit(3) }} let mut s = 0; for n in [19, 20] {{ waitpid(p, &mut s, 2); \
         if s & 0xff != 0x7f || s >> 8 != n {{ std::process::exit(1) }} \
         std::thread::sleep(std::time::Duration::from_millis(50)); \
         let state = std::fs::read_to_string(format!(\"/proc/{{p}}/status\")).unwrap(); \
         if !state.contains(\"(stopped)\") && !state.contains(\"(tracing stop)\") {{ std::process::exit(2) }} \
         kill(p, 18); }} waitpid(p, &mut s, 0); std::process::exit(s >> 8) }} }}"
    );
    let (command, mark) = Marked::command(&[], &program(&source, &[]));
    assert_eq!(follow(&command, &mut Told::default()).unwrap(), TraceEnding::Exited(3));
    assert_eq!(mark.left(), Vec::<String>::new());
}

#[test]
fn signals_during_panics_are_not_lost() {
    let observation = run(
        &format!(
            "{EXTERNS} fn main() {{ std::panic::set_hook(Box::new(|_| {{}})); unsafe {{ signal(10, count as usize); }} \
             let t = std::thread::spawn(|| for _ in 0..200 {{ unsafe {{ kill(getpid(), 10); }} \
             std::thread::sleep(std::time::Duration::from_micros(200)); }}); \
             for i in 0..300 {{ let _ = std::panic::catch_unwind(|| panic!(\"{{i}}\")); }} t.join().unwrap(); \
             std::process::exit(if N.load(Ordering::SeqCst) > 0 {{ 0 }} else {{ 1 }}) }}"
        ),
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(0));
    assert_eq!(observation.panics.len(), 32);
}
