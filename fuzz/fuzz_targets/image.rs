//! The fuzz target of `relapse_fuzz::image`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(image);
