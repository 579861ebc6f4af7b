//! A snapshot file as it lies in a store: listed, read and shown.

use relapse_snapshot::Store;

use crate::snapshot;

/// The id that the inputs have.
const ID: &str = "0123456789abcdef";

/// Puts the bytes where a snapshot's file would be, and reads them as `list` and `show` do.
pub fn body(data: &[u8]) {
    // A static one would be left behind: nothing drops it.
    let folder = tempfile::tempdir().expect("a folder for temporary files is there");
    let store = Store::open(folder.path()).expect("a store can be made in it");
    std::fs::write(store.path(ID), data).expect("the store can be written");
    let listing = store.list().expect("the store can be listed");
    assert_eq!(listing.snapshots.len() + listing.damaged.len(), 1);
    if let Ok(snapshot) = store.get(ID) {
        // What is read whole can be listed.
        assert_eq!(listing.snapshots.len(), 1);
        snapshot::exercise(snapshot);
    }
}
