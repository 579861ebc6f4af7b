//! The fuzz target of `relapse_fuzz::settings`.
#![cfg_attr(fuzzing, no_main)]

relapse_fuzz::target!(settings);
