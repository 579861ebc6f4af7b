//! The proof of a candidate, on small workspaces that the tests write: copy, build, run, compare.

#![allow(
    clippy::unwrap_used,
    clippy::format_collect,
    reason = "a fixture that cannot be written fails its test"
)]

#[path = "proof/building.rs"]
mod building;
#[path = "proof/copying.rs"]
mod copying;
#[path = "proof/fixture.rs"]
mod fixture;
#[path = "proof/running.rs"]
mod running;
