//! One small program, built in every way that cargo and rustc know: what is seen of its crash. Each case is a row of
//! docs/builds.md.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod deaths;
mod dwarf;
mod expected;
mod fixture;
mod libraries;
mod linking;
mod optimised;
mod separate;
mod split;
mod strip;
mod table;
