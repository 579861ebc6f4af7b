//! The fuzz target of `relapse_fuzz::source`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(source);
