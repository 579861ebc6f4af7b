//! From a snapshot to a verified regression test: source index, target choice, value to expression,
//! placement, scratch build, verification. What a crash *is* is not decided here.

pub mod compile;
pub mod edit;
pub mod names;
pub mod outcome;
pub mod place;
pub mod regression;
pub mod remove;
pub mod render;
pub mod same_crash;
pub mod scratch;
pub mod sync;
pub mod verify;
