//! The stack of the thread that crashed, where that is another one than a test has. In: a snapshot. Out: the variable that
//! gives a test's thread as much.

use relapse_snapshot::Snapshot;

use crate::regression::{Given, STACK_VARIABLE};

/// What a test's thread has where the variable is not set (std, `thread`, "Stack size").
const OF_A_TEST: u64 = 2 << 20;
/// A larger one is not asked for: where the memory is not to be had, no test of the file would run.
const LARGEST: u64 = 1 << 30;

/// The variable for a stack as large as the crashed thread's; `None`: a test's is, or nothing is known.
pub(super) fn variable(snapshot: &Snapshot) -> Option<(String, String)> {
    let size = snapshot.threads.first()?.stack_size?;
    (size != OF_A_TEST && size <= LARGEST).then(|| (STACK_VARIABLE.to_owned(), size.to_string()))
}

/// Whether nothing else is given.
pub(super) fn alone(given: &Given) -> bool {
    given.folder.is_none() && given.variables.iter().all(|(name, _)| name == STACK_VARIABLE)
}
