//! The fuzz target of `relapse_fuzz::snapshot_file`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(snapshot_file);
