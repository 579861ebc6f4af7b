//! The fuzz target of `relapse_fuzz::cargo_config`.
#![cfg_attr(fuzzing, no_main)]

relapse_fuzz::target!(cargo_config);
