//! The fuzz target of `relapse_fuzz::values`.
#![cfg_attr(fuzzing, no_main)]

relapse_fuzz::target!(values);
