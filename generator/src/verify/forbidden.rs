//! What a call in the copy may do, and what the sandbox kept it from, by the user's own paths.

use std::path::Path;

use relapse_capture::sandbox::{Access, Deed, Permissions};

use crate::paths::normalized;
use crate::scratch::Scratch;

/// More than these are counted, not named.
const SAID: usize = 3;

/// What a program may say of itself, and its terminal: nobody keeps anything there.
const ITS_OWN: [&str; 5] = ["/proc/self", "/proc/thread-self", "/dev/tty", "/dev/pts", "/dev/ptmx"];

/// The permissions of a call in the copy: a path of the workspace stands for its place there, too.
pub(crate) fn in_copy(given: &Permissions, scratch: &Scratch) -> Permissions {
    let copied = given.writable.iter().filter_map(|path| scratch.of_original(path));
    let copied: Vec<_> = copied.filter(|path| path.exists()).collect();
    let mut permissions = given.clone();
    permissions.writable.extend(copied);
    permissions
}

/// The forbidden ones of what a test tried; paths in the copy become those of the user's tree.
pub(crate) fn forbidden(accesses: &[Access], scratch: &Scratch) -> Vec<Access> {
    let known = |access: &Access| {
        let in_copy = access.path.as_ref().and_then(|path| scratch.relative(path));
        let path = in_copy.map(|path| normalized(&scratch.original_root().join(path)));
        Access { path: path.or_else(|| access.path.clone()), ..access.clone() }
    };
    accesses.iter().filter(|access| access.forbidden).map(known).collect()
}

/// Whether something that the sandbox forbade would have changed what is the user's.
pub(crate) fn harms(access: &Access) -> bool {
    let changes = match access.deed {
        Deed::Write | Deed::Remove | Deed::Attributes => true,
        Deed::Network | Deed::Signal | Deed::Process | Deed::System => true,
        Deed::Read | Deed::Missed | Deed::Processes => false,
    };
    access.forbidden && changes && !access.path.as_deref().is_some_and(is_its_own)
}

/// Whether a file is nobody's: the program's own state, its terminal, or the counters that the runtime of
/// `-C instrument-coverage` leaves when a process ends, whatever was called in it.
fn is_its_own(path: &Path) -> bool {
    ITS_OWN.iter().any(|own| path.starts_with(own)) || path.extension().is_some_and(|end| end == "profraw")
}

/// Each in words, with the option that allows it. Empty where nothing was forbidden.
pub(crate) fn in_words(forbidden: &[Access]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for access in forbidden.iter().take(SAID) {
        let option = access.option().map(|option| format!(" (`{option}` allows it)")).unwrap_or_default();
        words.push(format!("the call {access}, which the sandbox forbids{option}"));
    }
    if forbidden.len() > SAID {
        words.push(format!("and {} other things that the sandbox forbids", forbidden.len() - SAID));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_on_what_is_the_programs_own_harms_nobody() {
        let tried = |deed, path: &str| Access { deed, path: Some(path.into()), forbidden: true };
        assert!(
            harms(&tried(Deed::Write, "/home/me/notes.txt")) && harms(&tried(Deed::Remove, "/dev/shm/a"))
        );
        assert!(harms(&Access { deed: Deed::Network, path: None, forbidden: true }));
        for path in ["/dev/tty", "/proc/self/comm", "/build/default_1_0.profraw"] {
            assert!(!harms(&tried(Deed::Write, path)), "{path}");
        }
        assert!(!harms(&tried(Deed::Read, "/etc/passwd")));
        assert!(!harms(&Access { forbidden: false, ..tried(Deed::Write, "/home/me/notes.txt") }));
    }
}
