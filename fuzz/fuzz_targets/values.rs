//! The fuzz target of `relapse_fuzz::values`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(values);
