//! The tracer against real programs, compiled here by rustc: what they say themselves is the truth.

mod fixture;
mod panics;
mod processes;
mod signals;
