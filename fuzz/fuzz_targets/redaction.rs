//! The fuzz target of `relapse_fuzz::redaction`.
#![cfg_attr(fuzzing, no_main)]

relapse_fuzz::target!(redaction);
