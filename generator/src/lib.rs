//! From a snapshot to a verified regression test: source index, target choice, value to expression,
//! placement, scratch build, verification. What a crash *is* is not decided here.

mod build_place;
pub mod candidate;
pub mod compile;
pub mod edit;
pub mod executor;
pub mod expression;
pub mod features;
pub mod generate;
pub mod hang;
pub mod header;
pub mod hostile;
pub mod index;
pub mod names;
pub mod outcome;
pub mod paths;
pub mod place;
pub mod project;
pub mod prove;
pub mod regression;
pub mod remove;
pub mod render;
pub mod report;
pub mod same_crash;
pub mod scratch;
pub mod second_chance;
pub mod should_panic;
pub mod sync;
pub mod target;
mod tolerant;
pub mod verify;
pub mod ways;
