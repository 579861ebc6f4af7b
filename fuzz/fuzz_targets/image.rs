//! The fuzz target of `relapse_fuzz::image`.
#![cfg_attr(fuzzing, no_main)]

relapse_fuzz::target!(image);
