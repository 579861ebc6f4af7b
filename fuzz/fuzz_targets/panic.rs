//! The fuzz target of `relapse_fuzz::panic`.
#![cfg_attr(feature = "libfuzzer", no_main)]

relapse_fuzz::target!(panic);
