//! The tracer against real programs, compiled here by rustc: what they say themselves is the truth.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

mod entries;
mod fixture;
mod panics;
mod processes;
mod sandbox;
mod signals;
