//! From a snapshot to a verified regression test: source index, target choice, value to expression,
//! placement, scratch build, verification. What a crash *is* is not decided here.

pub mod edit;
pub mod names;
pub mod regression;
pub mod should_panic;
