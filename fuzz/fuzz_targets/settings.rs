//! The fuzz target of `relapse_fuzz::settings`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(settings);
