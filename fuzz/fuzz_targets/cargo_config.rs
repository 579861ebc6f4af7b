//! The fuzz target of `relapse_fuzz::cargo_config`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(cargo_config);
