//! The Tera templates that every generated file comes from, embedded. No logic lives here; a project
//! overrides a template by a file of the same name in the folder that `relapse.toml` names.

/// A regression test. Values: `header` (lines of comment text), `imports` (lines of Rust), `name`, `body`
/// (Rust, indented), `should_panic` (a string literal, or nothing), `in_child` (whether the body calls a function of that
/// name, to run in a process of its own), `ends_process` (whether it ends that process), `speaks_over` (whether it writes where the test harness does), `variables` (pairs of string literals)
/// and `folder` (a string literal, or nothing), which that process is given; `async_attribute` (`#[tokio::test]`, where the
/// body awaits or must run within that runtime) and `is_async` (whether there is one), `block_on` (whether it calls a function
/// of that name, to run a future to its end).
pub const REGRESSION: &str = include_str!("regression.rs.tera");

/// The first lines of a folder's `mod.rs`. Values: `module` (comment text). The list follows it.
pub const MOD: &str = include_str!("mod.rs.tera");

/// A constructor of a type whose fields a test cannot see. Values: `about` and `wiring` (comment text), `body` (an
/// `impl` block).
pub const CONSTRUCTOR: &str = include_str!("constructor.rs.tera");

/// Every template: file name, text.
pub const TEMPLATES: &[(&str, &str)] =
    &[("regression.rs.tera", REGRESSION), ("mod.rs.tera", MOD), ("constructor.rs.tera", CONSTRUCTOR)];
