//! The tracer against real programs, compiled here by rustc: what they say themselves is the truth.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail so, and says what it skips")]

mod deep_stacks;
mod entries;
mod fixture;
mod panics;
mod processes;
mod reach;
mod rewritten;
mod sandbox;
mod signals;
mod spawners;
