//! Which settings a cargo profile lacks for values to be read, as environment variables of cargo. What is right
//! already is not set: each setting changes cargo's fingerprint of the build and would rebuild everything.

use toml::{Table, Value};

use super::config::Config;

/// A variable of cargo's environment.
pub(crate) type Variable = (String, String);

/// Profiles inherit from each other no deeper than this.
const DEPTH_LIMIT: usize = 16;

/// The variables that give a profile full debug info. `environment` looks up a variable that is set already.
pub(crate) fn debug_info_variables(
    profile: &str,
    tests: bool,
    manifest: Option<&Table>,
    config: &Config,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<Variable> {
    let source = Source { manifest, config, environment };
    let mut variables = source.lacking(profile);
    // `cargo test` builds tests by `test`, and `cargo bench` by `bench`, which inherit unless set apart.
    let apart = match profile {
        "dev" => "test",
        _ => "bench",
    };
    if tests && ["debug", "strip"].iter().any(|key| source.own(apart, key).is_some()) {
        variables.extend(source.lacking(apart));
    }
    variables
}

/// Whether a profile has code optimised. `environment` looks up a variable that is set already.
pub(crate) fn is_optimised(
    profile: &str,
    manifest: Option<&Table>,
    config: &Config,
    environment: &dyn Fn(&str) -> Option<String>,
) -> bool {
    let source = Source { manifest, config, environment };
    match source.effective(profile, "opt-level") {
        Some(level) => level != Value::Integer(0) && level.as_str() != Some("0"),
        None => !source.is_of_dev(profile),
    }
}

struct Source<'a> {
    manifest: Option<&'a Table>,
    config: &'a Config,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

fn variable_name(profile: &str, key: &str) -> String {
    format!("CARGO_PROFILE_{profile}_{key}").replace('-', "_").to_uppercase()
}

impl Source<'_> {
    /// What a profile sets itself: environment before configuration before manifest.
    fn own(&self, profile: &str, key: &str) -> Option<Value> {
        let from_manifest = || self.manifest?.get("profile")?.get(profile)?.get(key).cloned();
        (self.environment)(&variable_name(profile, key))
            .map(|text| match text.parse() {
                Ok(number) => Value::Integer(number),
                Err(_) => Value::String(text),
            })
            .or_else(|| self.config.profile(profile, key).cloned())
            .or_else(from_manifest)
    }

    /// What holds for a profile.
    fn effective(&self, profile: &str, key: &str) -> Option<Value> {
        let mut profile = profile.to_owned();
        for _ in 0..DEPTH_LIMIT {
            if let Some(value) = self.own(&profile, key) {
                return Some(value);
            }
            profile = match (profile.as_str(), self.own(&profile, "inherits")) {
                ("dev" | "release", _) => return None,
                ("test", _) => "dev".to_owned(),
                ("bench", _) => "release".to_owned(),
                (_, Some(Value::String(parent))) => parent,
                _ => return None,
            };
        }
        None
    }

    fn is_of_dev(&self, profile: &str) -> bool {
        let mut profile = profile.to_owned();
        for _ in 0..DEPTH_LIMIT {
            match (profile.as_str(), self.own(&profile, "inherits")) {
                ("dev" | "test", _) => return true,
                (_, Some(Value::String(parent))) => profile = parent,
                _ => return false,
            }
        }
        false
    }

    fn lacking(&self, profile: &str) -> Vec<Variable> {
        let mut variables = Vec::new();
        let mut set = |key: &str, value: &str| {
            variables.push((variable_name(profile, key), value.to_owned()));
        };
        let full = match self.effective(profile, "debug") {
            Some(Value::Boolean(on)) => on,
            Some(Value::Integer(level)) => level == 2,
            Some(Value::String(name)) => ["full", "true", "2"].contains(&name.as_str()),
            Some(_) => false,
            None => self.is_of_dev(profile),
        };
        if !full {
            set("debug", "2");
        }
        // Where nothing says otherwise, cargo strips nothing that has debug info.
        let strip = self.effective(profile, "strip");
        let stripped = strip.is_some_and(|value| match value {
            Value::Boolean(on) => on,
            Value::String(name) => !["none", "false"].contains(&name.as_str()),
            _ => false,
        });
        if stripped {
            set("strip", "none");
        }
        // Split debug info is read where it is: `split-debuginfo` is left alone.
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn variables(profile: &str, manifest: &str) -> Vec<String> {
        let manifest: Table = manifest.parse().unwrap();
        let config = Config::read(Path::new("/nonexistent"), None);
        let found = debug_info_variables(profile, true, Some(&manifest), &config, &|_| None);
        found.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn profile_with_full_debug_info_is_left_alone() {
        assert!(variables("dev", "").is_empty());
        assert!(variables("dev", "[profile.dev]\ndebug = 'full'\n").is_empty());
        assert!(variables("release", "[profile.release]\ndebug = true\n").is_empty());
        assert!(variables("dev", "[profile.dev]\nsplit-debuginfo = 'packed'\n").is_empty());
        assert!(variables("fast", "[profile.fast]\ninherits = 'dev'\n").is_empty());
    }

    #[test]
    fn lacking_settings_are_supplied() {
        assert_eq!(variables("release", ""), ["CARGO_PROFILE_RELEASE_DEBUG=2"]);
        assert_eq!(
            variables("release", "[profile.release]\nstrip = true\n"),
            ["CARGO_PROFILE_RELEASE_DEBUG=2", "CARGO_PROFILE_RELEASE_STRIP=none"]
        );
        assert_eq!(
            variables("dev", "[profile.dev]\ndebug = 'line-tables-only'\nsplit-debuginfo = 'unpacked'\n"),
            ["CARGO_PROFILE_DEV_DEBUG=2"]
        );
        assert_eq!(
            variables("my-fast", "[profile.my-fast]\ninherits = 'release'\n"),
            ["CARGO_PROFILE_MY_FAST_DEBUG=2"]
        );
        assert_eq!(variables("dev", "[profile.test]\ndebug = 0\n"), ["CARGO_PROFILE_TEST_DEBUG=2"]);
    }

    #[test]
    fn optimised_profile_is_known_by_its_level() {
        let optimised = |profile: &str, manifest: &str| {
            let config = Config::read(Path::new("/nonexistent"), None);
            is_optimised(profile, Some(&manifest.parse().unwrap()), &config, &|_| None)
        };
        assert!(optimised("release", "") && optimised("fast", "[profile.fast]\ninherits = 'release'\n"));
        assert!(optimised("dev", "[profile.dev]\nopt-level = 's'\n"));
        assert!(!optimised("dev", "") && !optimised("release", "[profile.release]\nopt-level = 0\n"));
        assert!(!optimised("fast", "[profile.fast]\ninherits = 'dev'\n"));
    }

    #[test]
    fn environment_wins_over_the_manifest() {
        let config = Config::read(Path::new("/nonexistent"), None);
        let manifest: Table = "[profile.dev]\ndebug = 0\n".parse().unwrap();
        let set = |name: &str| (name == "CARGO_PROFILE_DEV_DEBUG").then(|| "2".to_owned());
        assert!(debug_info_variables("dev", true, Some(&manifest), &config, &set).is_empty());
    }
}
