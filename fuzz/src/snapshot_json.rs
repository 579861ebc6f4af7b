//! The JSON of a snapshot: what is in its file once that is decompressed.

use std::path::Path;

use relapse_snapshot::store::from_json;

use crate::snapshot;

/// Parses the JSON, and does with the snapshot what the program does.
pub fn body(data: &[u8]) {
    if let Ok(snapshot) = from_json(data, Path::new("input")) {
        snapshot::exercise(snapshot);
    }
}
