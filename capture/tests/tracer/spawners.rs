//! Which thread spawned the one that crashed: nothing on its stack says so.

use relapse_capture::tracer::Ending;
use relapse_snapshot::Thread;

use crate::fixture::{Marked, Told, follow, program};

/// The crashing thread of a program that ends well, and the others with it.
fn threads_of(source: &str) -> Vec<Thread> {
    let (command, mark) = Marked::command(&[], &program(source, &[]));
    let mut told = Told::default();
    assert_eq!(follow(&command, &mut told).unwrap(), Ending::Exited(0));
    assert_eq!(mark.left(), Vec::<String>::new());
    assert_eq!(told.crashes.len(), 1);
    told.crashes.remove(0).snapshot.threads
}

/// The names of a thread and of its spawner.
fn pair(thread: &Thread) -> (Option<&str>, Option<&str>) {
    let spawner = thread.spawned_by.as_ref().and_then(|spawner| spawner.name.as_deref());
    (thread.name.as_deref(), spawner)
}

#[test]
fn thread_that_spawned_another_one_is_named_whether_it_waits_or_has_ended() {
    let threads = threads_of(
        "use std::thread::Builder; fn named(name: &str) -> Builder { Builder::new().name(name.into()) } fn main() { \
         let boss = named(\"boss\").spawn(|| { named(\"idle\").spawn(|| {}).unwrap().join().unwrap(); \
         named(\"worker\").spawn(|| { std::thread::sleep(std::time::Duration::from_millis(100)); panic!(\"late\") }).unwrap() }); \
         assert!(boss.unwrap().join().unwrap().join().is_err()) }",
    );
    assert_eq!(pair(&threads[0]), (Some("worker"), Some("boss")));
    assert_eq!(threads.iter().skip(1).map(pair).collect::<Vec<_>>(), [(Some("main"), None)]);
}

#[test]
fn scoped_thread_has_its_spawner_among_the_threads() {
    let threads = threads_of(
        "use std::thread::{Builder, scope}; fn main() { let done = scope(|all| Builder::new().name(\"part\".into())\
         .spawn_scoped(all, || { std::thread::sleep(std::time::Duration::from_millis(100)); panic!(\"scoped\") })\
         .unwrap().join().is_err()); assert!(done) }",
    );
    assert_eq!(pair(&threads[0]), (Some("part"), Some("main")));
    let spawner = threads[0].spawned_by.as_ref().unwrap();
    let waiting = threads.iter().find(|thread| thread.tid == spawner.tid).unwrap();
    assert!(waiting.frames.iter().any(|frame| frame.name == "main"), "{waiting:?}");
}

#[test]
fn thread_without_a_name_and_one_of_many_are_told_apart() {
    let threads = threads_of(
        "fn main() { let all: Vec<_> = (0..40).map(|n| std::thread::spawn(move || if n == 33 { panic!(\"33\") })).collect(); \
         assert_eq!(all.into_iter().filter(|_| true).map(|t| t.join()).filter(Result::is_err).count(), 1) }",
    );
    assert_eq!(pair(&threads[0]).1, Some("main"));
}

#[test]
fn main_thread_of_a_child_process_was_spawned_by_none() {
    let threads = threads_of(
        "fn main() { if std::env::args().count() > 1 { panic!(\"child\") } std::thread::spawn(|| \
         std::process::Command::new(std::env::current_exe().unwrap()).arg(\"x\").status().unwrap()).join().unwrap(); }",
    );
    assert_eq!(pair(&threads[0]), (Some("main"), None));
}
