//! `cargo relapse`.
fn main() {}
