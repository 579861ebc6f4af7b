//! The fuzz target of `relapse_fuzz::redaction`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(redaction);
