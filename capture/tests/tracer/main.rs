//! The tracer against real programs, compiled here by rustc: what they say themselves is the truth.

mod entries;
mod fixture;
mod panics;
mod processes;
mod signals;
