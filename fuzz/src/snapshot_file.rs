//! A snapshot file as it lies in a store: listed, read and shown.

use std::path::PathBuf;
use std::sync::OnceLock;

use relapse_snapshot::Store;

use crate::snapshot;

/// The id that the inputs have.
const ID: &str = "0123456789abcdef";

/// Puts the bytes where a snapshot's file would be, and reads them as `list` and `show` do.
pub fn body(data: &[u8]) {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    // One for each process: fuzzers and tests run side by side.
    let folder = FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("relapse-fuzz-{}", std::process::id()));
        Store::open(&folder).expect("a store can be made in the folder for temporary files");
        folder
    });
    let store = Store::at(folder);
    std::fs::write(store.path(ID), data).expect("the store can be written");
    let listing = store.list().expect("the store can be listed");
    assert_eq!(listing.snapshots.len() + listing.damaged.len(), 1);
    if let Ok(snapshot) = store.get(ID) {
        // What is read whole can be listed.
        assert_eq!(listing.snapshots.len(), 1);
        snapshot::exercise(snapshot);
    }
}
