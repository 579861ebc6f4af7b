//! Threads that trace one command after the other. A tracer needs a thread of its own, as it waits for all children of its
//! thread, and what it has read of programs stays with the thread.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

type Job = Box<dyn FnOnce() + Send>;

/// Those that have nothing to do.
static IDLE: Mutex<Vec<mpsc::Sender<Job>>> = Mutex::new(Vec::new());

/// What a job gives that is done by one of the threads; `None`: it panicked, and the thread is no more.
pub(super) fn done_by_one<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let worker = idle().pop().unwrap_or_else(start);
    let (done, result) = mpsc::channel();
    worker.send(Box::new(move || drop(done.send(job())))).ok()?;
    let result = result.recv().ok()?;
    idle().push(worker);
    Some(result)
}

fn start() -> mpsc::Sender<Job> {
    let (worker, jobs) = mpsc::channel::<Job>();
    // It ends with the process, or with its last job.
    thread::spawn(move || jobs.into_iter().for_each(|job| job()));
    worker
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_after_the_other_is_done_by_one_thread_and_a_panic_ends_it() {
        let thread = || done_by_one(|| thread::current().id());
        assert_eq!(thread(), thread());
        assert_eq!(done_by_one(|| assert!(thread::current().name().is_some())), None);
        assert!(thread().is_some());
    }
}
