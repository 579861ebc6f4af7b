//! What a thread has read of programs and libraries, for the next command that it traces: a test is run several times, and
//! its executable stays the same. What was built anew since is given back: hundreds of programs of a large project are more
//! than there is memory for.

use std::cell::Cell;

use super::entries::Files;
use crate::image::{DebugFolders, ImageCache};

/// Files and images, each read once.
pub(super) struct Known {
    folders: DebugFolders,
    pub(super) files: Files,
    pub(super) images: ImageCache,
}

thread_local! {
    static KEPT: Cell<Option<Known>> = const { Cell::new(None) };
}

impl Known {
    /// What this thread knows; nothing yet, where it looked for debug files in other folders.
    pub(super) fn of_thread(folders: &DebugFolders) -> Known {
        let mut known = KEPT.take().filter(|kept| kept.folders == *folders).unwrap_or_else(|| Known {
            folders: folders.clone(),
            files: Files::new(folders),
            images: ImageCache::with_debug_folders(folders.clone()),
        });
        // SAFETY: what borrows from the images is the tracer that kept them, with its stacks and address spaces, which is gone
        // (`keep` takes what is left of it), and never another thread: an image is not `Sync`. What tracing gives, frames and
        // snapshots, owns its text.
        unsafe { known.images.forget_rebuilt() };
        known
    }

    /// Keeps what was read for the next command.
    pub(super) fn keep(folders: DebugFolders, files: Files, images: ImageCache) {
        KEPT.set(Some(Known { folders, files, images }));
    }
}
