//! What a call in the copy may do, and what the sandbox kept it from, by the user's own paths.

use relapse_capture::sandbox::{Access, Permissions};

use crate::paths::normalized;
use crate::scratch::Scratch;

/// More than these are counted, not named.
const SAID: usize = 3;

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
