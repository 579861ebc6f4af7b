//! From a snapshot to a verified regression test: source index, target choice, value to expression,
//! placement, scratch build, verification. What a crash *is* is not decided here.

pub mod edit;
pub mod names;
pub mod place;
pub mod regression;
pub mod remove;
pub mod render;
pub mod sync;
