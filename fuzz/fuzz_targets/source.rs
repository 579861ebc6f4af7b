//! The fuzz target of `relapse_fuzz::source`.
#![cfg_attr(fuzzing, no_main)]

relapse_fuzz::target!(source);
