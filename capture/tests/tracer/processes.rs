//! Children of every kind, and how commands end.

use std::time::{Duration, Instant};

use relapse_capture::observe::{Ending, Limits};
use relapse_capture::tracer::{Command, Ending as TraceEnding, TraceError};

use crate::fixture::{Marked, Told, follow, program, run, run_with};

#[test]
fn exit_status_passes_through() {
    let source = "fn main() { std::process::exit(std::env::args().nth(1).unwrap().parse().unwrap()) }";
    for status in [0, 1, 101, 255] {
        let (command, mark) = Marked::command(&[&status.to_string()], &program(source, &[]));
        assert_eq!(follow(&command, &mut Told::default()).unwrap(), TraceEnding::Exited(status));
        assert_eq!(mark.left(), Vec::<String>::new());
    }
}

#[test]
fn spawned_children_run_from_many_threads_and_their_panics_are_seen() {
    // posix_spawn (vfork) and, with pre_exec, fork.
    let observation = run(
        "use std::os::unix::process::CommandExt; use std::process::Command; fn main() { \
         if let Some(n) = std::env::args().nth(1) { panic!(\"child {n}\") } \
         let all: Vec<_> = (0..16).map(|i| std::thread::spawn(move || { let mut c = Command::new(std::env::current_exe()\
         .unwrap()); c.arg(i.to_string()); if i % 2 == 0 { unsafe { c.pre_exec(|| Ok(())); } } \
         c.status().unwrap().code() })).collect(); \
         let ok = all.into_iter().all(|t| t.join().unwrap() == Some(101)); std::process::exit(if ok { 0 } else { 9 }) }",
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(0));
    let mut seen: Vec<u32> = observation
        .panics
        .iter()
        .map(|p| p.message.strip_prefix("child ").unwrap().parse().unwrap())
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..16).collect::<Vec<_>>());
}

#[test]
fn panic_in_a_forked_child_is_seen() {
    let observation = run(
        "extern \"C\" { fn fork() -> i32; fn waitpid(p: i32, s: *mut i32, o: i32) -> i32; } fn main() { unsafe { \
         let p = fork(); if p == 0 { panic!(\"forked\") } let mut s = 0; waitpid(p, &mut s, 0); \
         std::process::exit(s >> 8) } }",
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(101));
    assert_eq!(observation.panics[0].message, "forked");
}

#[test]
fn program_started_by_a_shell_is_followed() {
    let inner = program("fn main() { panic!(\"deep\") }", &[]);
    let script = format!("{} ; exec {}", inner.display(), inner.display());
    let (mut command, mark) = Marked::command(&["-c", &script], std::path::Path::new("/bin/sh"));
    command.set("X", "y");
    let mut told = Told::default();
    assert_eq!(follow(&command, &mut told).unwrap(), TraceEnding::Exited(101));
    assert_eq!(told.crashes.len(), 2);
    assert_eq!(mark.left(), Vec::<String>::new());
}

#[test]
fn program_of_the_user_is_followed_whatever_its_name_and_the_toolchains_below_it_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("rustfmt");
    let source = "fn main() { let me = std::env::current_exe().unwrap(); if std::env::args().count() < 2 { \
                  std::process::Command::new(me).arg(\"below\").status().unwrap(); panic!(\"own\") } panic!(\"below\") }";
    std::fs::copy(program(source, &[]), &own).unwrap();
    let (command, mark) = Marked::command(&[], &own);
    let mut told = Told::default();
    assert_eq!(follow(&command, &mut told).unwrap(), TraceEnding::Exited(101));
    let messages: Vec<_> = told.crashes.iter().map(|crash| crash.snapshot.cause.message.as_str()).collect();
    assert_eq!(messages, ["own"]);
    assert_eq!(mark.left(), Vec::<String>::new());
}

#[test]
fn exec_by_another_thread_is_followed() {
    let observation = run(
        "use std::os::unix::process::CommandExt; fn main() { if std::env::args().count() > 1 { panic!(\"after\") } \
         for _ in 0..8 { std::thread::spawn(|| loop { std::thread::yield_now() }); } \
         std::thread::spawn(|| { std::process::Command::new(std::env::current_exe().unwrap()).arg(\"x\").exec(); }) \
         .join().unwrap(); }",
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(101));
    assert_eq!(observation.panics[0].message, "after");
}

#[test]
fn shared_library_with_its_own_std_is_watched() {
    let library = program(
        "#[no_mangle] pub extern \"C-unwind\" fn boom(n: u32) { let _ = std::panic::catch_unwind(|| { if n > 0 { \
         panic!(\"library {n}\") } }); }",
        &["--crate-type", "cdylib"],
    );
    let source = "extern \"C\" { fn dlopen(p: *const i8, f: i32) -> *mut u8; fn dlsym(h: *mut u8, n: *const i8) -> *mut u8; } \
                  fn main() { let p = std::ffi::CString::new(std::env::args().nth(1).unwrap()).unwrap(); unsafe { \
                  let h = dlopen(p.as_ptr() as _, 2); assert!(!h.is_null()); let f: extern \"C\" fn(u32) = \
                  std::mem::transmute(dlsym(h, c\"boom\".as_ptr() as _)); f(4) } }";
    let path = library.to_string_lossy().into_owned();
    let observation = run_with(source, &["-l", "dl"], &[&path], &Limits::default());
    assert_eq!(observation.ending, Ending::Exited(0));
    assert_eq!(observation.panics[0].message, "library 4");
}

#[test]
fn library_that_is_closed_and_loaded_again_is_watched_again() {
    let library = program(
        "#[no_mangle] pub extern \"C-unwind\" fn boom(n: u32) { let _ = std::panic::catch_unwind(|| \
         panic!(\"round {n}\")); }",
        &["--crate-type", "cdylib"],
    );
    // A library stays as long as a thread has destructors of it to run: it panics on one that ends.
    let source = "extern \"C\" { fn dlopen(p: *const i8, f: i32) -> *mut u8; fn dlclose(h: *mut u8) -> i32; \
                  fn dlsym(h: *mut u8, n: *const i8) -> *mut u8; } fn main() { \
                  let name = std::env::args().nth(1).unwrap(); \
                  let p = std::ffi::CString::new(name.clone()).unwrap(); for n in 0..3 { unsafe { \
                  let h = dlopen(p.as_ptr() as _, 2); assert!(!h.is_null()); let f: extern \"C\" fn(u32) = \
                  std::mem::transmute(dlsym(h, c\"boom\".as_ptr() as _)); \
                  std::thread::spawn(move || f(n)).join().unwrap(); dlclose(h); } \
                  let maps = std::fs::read_to_string(\"/proc/self/maps\").unwrap(); \
                  if maps.contains(&name) { std::process::exit(9) } } }";
    let path = library.to_string_lossy().into_owned();
    let observation = run_with(source, &["-l", "dl"], &[&path], &Limits::default());
    assert_eq!(observation.ending, Ending::Exited(0));
    let messages: Vec<_> = observation.panics.iter().map(|panic| panic.message.as_str()).collect();
    assert_eq!(messages, ["round 0", "round 1", "round 2"]);
}

#[test]
fn std_as_a_shared_library_is_watched() {
    let observation = run("fn main() { panic!(\"dynamic\") }", &["-C", "prefer-dynamic", "-C", "rpath"]);
    assert_eq!(observation.panics[0].message, "dynamic");
}

#[test]
fn missing_program_is_an_error_of_its_own() {
    let error = follow(&Command::new(["/nonexistent/x"]), &mut Told::default()).unwrap_err();
    assert!(
        matches!(error, TraceError::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    );
}

#[test]
fn grandchild_that_outlives_the_command_runs_on_untraced() {
    // It panics, caught, after the command has ended (which is when it is told to go on): a breakpoint left behind
    // would kill it.
    let source = "fn main() { let file = std::env::args().nth(1).unwrap(); if std::env::args().count() > 2 { \
                  let go = format!(\"{file}.go\"); \
                  for _ in 0..6000 { if std::path::Path::new(&go).exists() { break } \
                  std::thread::sleep(std::time::Duration::from_millis(10)) } \
                  let _ = std::panic::catch_unwind(|| panic!()); std::fs::write(file, b\"ok\").unwrap(); return } \
                  std::process::Command::new(std::env::current_exe().unwrap()).args([file.as_str(), \"child\"]).spawn().unwrap(); \
                  std::thread::sleep(std::time::Duration::from_millis(100)); }";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("written");
    let (command, mark) = Marked::command(&[&file.to_string_lossy()], &program(source, &[]));
    assert_eq!(follow(&command, &mut Told::default()).unwrap(), TraceEnding::Exited(0));
    assert!(!file.exists());
    std::fs::write(folder.path().join("written.go"), "").unwrap();
    for _ in 0..3000 {
        std::thread::sleep(Duration::from_millis(20));
        if mark.left().is_empty() {
            break;
        }
    }
    assert_eq!(mark.left(), Vec::<String>::new());
    assert_eq!(std::fs::read(file).unwrap(), b"ok");
}

/// Runs a program that starts itself anew as a daemon, and ends; returns whether the daemon came to its own end.
fn outlives(daemon: &str) -> bool {
    let source = format!(
        "extern \"C\" {{ fn syscall(n: i64, s: i64) -> i64; fn raise(s: i32) -> i32; }} \
         fn caught() {{ let _ = std::panic::catch_unwind(|| panic!()); }} \
         fn nap(ms: u64) {{ std::thread::sleep(std::time::Duration::from_millis(ms)) }} \
         fn done() {{ std::fs::write(std::env::args().nth(1).unwrap(), b\"ok\").unwrap(); }} \
         fn main() {{ if std::env::args().count() > 2 {{ \
         std::panic::set_hook(Box::new(|_| ())); {daemon} }} else {{ \
         std::process::Command::new(std::env::current_exe().unwrap()).arg(std::env::args().nth(1).unwrap())\
         .arg(\"child\").spawn().unwrap(); nap(150); }} }}"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("written");
    let (command, mark) = Marked::command(&[&file.to_string_lossy()], &program(&source, &[]));
    assert_eq!(follow(&command, &mut Told::default()).unwrap(), TraceEnding::Exited(0));
    for _ in 0..3000 {
        // A process whose main thread has ended shows no environment, but it does write.
        let left = mark.left();
        if left.is_empty() && file.exists() {
            break;
        }
        for pid in left.iter().filter_map(|line| line.split(' ').next()?.parse().ok()) {
            // SAFETY: kill touches no memory; a process of this mark is a test's own.
            unsafe { libc::kill(pid, libc::SIGCONT) };
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(mark.left(), Vec::<String>::new());
    std::thread::sleep(Duration::from_millis(20));
    std::fs::read(file).is_ok_and(|text| text == b"ok")
}

#[test]
fn daemon_that_starts_threads_and_children_without_end_outlives_the_command() {
    let busy = "let begin = std::time::Instant::now(); while begin.elapsed().as_millis() < 500 { \
                let all: Vec<_> = (0..4).map(|i| std::thread::spawn(move || { caught(); \
                if i == 0 { std::process::Command::new(\"true\").status().unwrap(); } })).collect(); \
                for t in all { t.join().unwrap() } } done()";
    for _ in 0..5 {
        assert!(outlives(busy));
    }
}

#[test]
fn daemon_whose_main_thread_has_ended_outlives_the_command() {
    assert!(outlives("std::thread::spawn(|| { nap(500); caught(); done() }); unsafe { syscall(60, 0) };"));
}

#[test]
fn daemon_that_is_stopped_outlives_the_command() {
    assert!(outlives("unsafe { raise(19) }; caught(); done()"));
}

#[test]
fn timeout_ends_the_whole_tree() {
    let limits = Limits { timeout: Duration::from_secs(2), ..Limits::default() };
    let source = "fn main() { if std::env::args().count() < 4 { let mut c = std::process::Command::new(std::env::current_exe()\
                  .unwrap()); c.args(std::env::args().skip(1)).arg(\"x\").spawn().unwrap(); } \
                  println!(\"up\"); loop { std::thread::sleep(std::time::Duration::from_secs(9)) } }";
    let observation = run_with(source, &[], &[], &limits);
    assert_eq!(observation.ending, Ending::TimedOut);
    assert_eq!(observation.stdout, b"up\n".repeat(observation.stdout.len() / 3));
    assert!(!observation.stdout.is_empty());
}

#[test]
fn observed_command_leaves_no_daemon() {
    let observation = run(
        "fn main() { std::process::Command::new(\"setsid\").args([\"sleep\", \"60\"]).spawn().unwrap(); \
         std::thread::sleep(std::time::Duration::from_millis(100)); }",
        &[],
    );
    assert_eq!(observation.ending, Ending::Exited(0));
}

#[test]
fn child_with_the_name_of_a_toolchain_program_is_ended_with_an_observed_command() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    // It keeps standard output open.
    let source = "fn main() { let Some(cargo) = std::env::args().nth(1) else { \
                  return std::thread::sleep(std::time::Duration::from_secs(50)) }; \
                  std::fs::copy(std::env::current_exe().unwrap(), &cargo).unwrap(); \
                  std::process::Command::new(cargo).spawn().unwrap(); println!(\"up\"); }";
    let start = Instant::now();
    let observation = run_with(source, &[], &[&cargo.to_string_lossy()], &Limits::default());
    assert_eq!((observation.ending, observation.stdout), (Ending::Exited(0), b"up\n".to_vec()));
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn memory_limit_holds() {
    let limits = Limits { memory_bytes: Some(256 << 20), ..Limits::default() };
    let observation = run_with(
        "fn main() { let v = vec![1_u8; 1 << 30]; std::process::exit(v[5] as i32) }",
        &[],
        &[],
        &limits,
    );
    assert_eq!(observation.ending, Ending::Signaled("SIGABRT".to_owned()));
}

#[test]
fn output_is_bounded() {
    let limits = Limits { output_bytes: 1000, ..Limits::default() };
    let observation =
        run_with("fn main() { for _ in 0..100_000 { println!(\"0123456789\") } }", &[], &[], &limits);
    assert_eq!(observation.stdout.len(), 1000);
    assert_eq!(observation.ending, Ending::Exited(0));
}
