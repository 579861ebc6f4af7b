//! Regressions wired again after merges, moves and upgrades.
