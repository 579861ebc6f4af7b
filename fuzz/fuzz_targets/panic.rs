//! The fuzz target of `relapse_fuzz::panic`.
#![cfg_attr(fuzzing, no_main)]

relapse_fuzz::target!(panic);
