//! The lines of the files in which a crash may show: what this round's edits do to them, and what earlier regressions
//! did. Reads the file of the crash.

use std::path::{Component, Path};

use super::Bench;
use crate::edit::EditSet;
use crate::place::Source;
use crate::same_crash::LineMap;

/// The map for the crash of the bench's snapshot.
pub(super) fn line_map(applied: &EditSet, bench: &Bench<'_>) -> LineMap {
    let map = LineMap::new(applied);
    let Some(location) = &bench.snapshot.location else { return map };
    let file = Path::new(&location.file);
    if !file.components().all(|part| matches!(part, Component::Normal(_))) {
        return map;
    }
    let text = std::fs::read_to_string(bench.index.workspace_root().join(file)).unwrap_or_default();
    let declared = Source::parse(&text).map(|source| source.own_lines()).unwrap_or_default();
    map.with_earlier(&location.file, declared)
}
