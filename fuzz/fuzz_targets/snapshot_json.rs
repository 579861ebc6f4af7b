//! The fuzz target of `relapse_fuzz::snapshot_json`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(snapshot_json);
