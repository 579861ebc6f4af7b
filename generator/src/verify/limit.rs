//! Which limit ended a run, in words for the user. In: what was seen of a run, and its limits.

use super::{Ending, Limits, Observation};

/// How std begins its last words where it gets no memory.
const NO_MEMORY: &[u8] = b"memory allocation of ";

/// The limit that a run met, with the setting that widens it. `None`: it came to its end without one.
pub(super) fn met(seen: &Observation, limits: &Limits) -> Option<String> {
    let says = |words: &[u8]| seen.stderr.windows(words.len()).any(|part| part == words);
    match &seen.ending {
        Ending::TimedOut => {
            let seconds = limits.timeout.as_secs();
            Some(format!("the test did not end within {seconds} s (`seconds` of `[sandbox]`)"))
        }
        Ending::Signaled(signal) if signal == "SIGXFSZ" => {
            let bytes = limits.file_bytes?;
            Some(format!("the test wanted to write more than {} MiB to one file", bytes >> 20))
        }
        Ending::Signaled(signal) if signal == "SIGABRT" && says(NO_MEMORY) => {
            let bytes = limits.memory_bytes?;
            Some(format!("the test wanted more than {} MiB of memory (`memory` of `[sandbox]`)", bytes >> 20))
        }
        _ => None,
    }
}
