//! What a thread has read of programs and libraries, for the next command that it traces: a test is run several times, and
//! its executable stays the same. Nothing that was read of an image is ever given back, so it must not be read anew.

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
        KEPT.take().filter(|kept| kept.folders == *folders).unwrap_or_else(|| Known {
            folders: folders.clone(),
            files: Files::new(folders),
            images: ImageCache::with_debug_folders(folders.clone()),
        })
    }

    /// Keeps what was read for the next command.
    pub(super) fn keep(folders: DebugFolders, files: Files, images: ImageCache) {
        KEPT.set(Some(Known { folders, files, images }));
    }
}
