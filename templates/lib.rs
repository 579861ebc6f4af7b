//! The Tera templates that every generated file comes from, embedded. No logic lives here; a project
//! overrides a template by a file of the same name in the folder that `relapse.toml` names.

/// Every template: file name, text.
pub const TEMPLATES: &[(&str, &str)] = &[];
