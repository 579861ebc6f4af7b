//! What the project's profiles and compiler flags do to debug info: which settings take values away.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::Check;
use super::cargo_config::{read, targets};

/// Flags in the environment, weakest last.
const FLAGS: [&str; 3] = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"];

/// The settings that take a frame's arguments away, of the manifest, of cargo's configuration, of the environment.
/// `mended`: relapse gives builds of its own the debug info that their profile lacks.
pub(super) fn checks(manifest: &Path, configs: &[(PathBuf, Table)], mended: bool) -> Vec<Check> {
    let own = read(manifest).map(|table| (manifest.to_owned(), table));
    let mut checks = Vec::new();
    for (path, table) in own.iter().chain(configs) {
        let Some(profiles) = table.get("profile").and_then(Value::as_table) else { continue };
        for (name, profile) in profiles {
            for (setting, value, fix) in profile.as_table().into_iter().flat_map(weak_settings) {
                let message =
                    format!("{}: profile.{name} has {setting} = {value}: {}", path.display(), loss(setting));
                let variable = variable(name, setting);
                let fix = format!("set {setting} = {fix}, or {variable}={} for a run", fix.trim_matches('"'));
                let mended = if mended { "; `run -- cargo …` does so by itself" } else { "" };
                checks.push(Check::note("debug info", message, format!("{fix}{mended}")));
            }
        }
    }
    for (name, value) in std::env::vars_os() {
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
        let settings = [("_DEBUG", "debug"), ("_STRIP", "strip"), ("_SPLIT_DEBUGINFO", "split-debuginfo")];
        let setting = settings.iter().find(|(ending, _)| name.ends_with(ending));
        let Some((_, setting)) = setting.filter(|_| name.starts_with("CARGO_PROFILE_")) else { continue };
        let table = Table::from_iter([((*setting).to_owned(), number_or_text(value))]);
        for (setting, ..) in weak_settings(&table) {
            let message = format!("{name}={value} is set: {}", loss(setting));
            checks.push(Check::note("debug info", message, format!("unset {name}")));
        }
    }
    for (place, words) in flags(configs, manifest.parent().unwrap_or(manifest)) {
        for (flag, setting) in weak_flags(&words) {
            let message = format!("{place} has {flag}: {}", loss(setting));
            checks.push(Check::note(
                "debug info",
                message,
                "take that flag out for a run: it outweighs the profile",
            ));
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok("debug info", "no profile and no flag takes debug info away"));
    }
    checks
}

/// The settings of a profile that cost arguments, each with what it is and what it should be.
fn weak_settings(profile: &Table) -> Vec<(&'static str, String, &'static str)> {
    let mut weak = Vec::new();
    if let Some(debug) = profile.get("debug")
        && !matches!(debug, Value::Boolean(true) | Value::Integer(2))
        && debug.as_str().is_none_or(|debug| !matches!(debug, "full" | "true" | "2"))
    {
        weak.push(("debug", debug.to_string(), "2"));
    }
    if let Some(strip) = profile.get("strip")
        && !matches!(strip, Value::Boolean(false))
        && strip.as_str().is_none_or(|strip| !matches!(strip, "none" | "false"))
    {
        weak.push(("strip", strip.to_string(), "\"none\""));
    }
    if let Some(split) = profile.get("split-debuginfo").and_then(Value::as_str)
        && split != "off"
    {
        weak.push(("split-debuginfo", format!("\"{split}\""), "\"off\""));
    }
    weak
}

fn loss(setting: &str) -> &'static str {
    match setting {
        "debug" => "frames have no argument values",
        "strip" => "a stripped program shows neither frames nor values",
        _ => "the values of a program that was moved away from its debug info are lost",
    }
}

fn variable(profile: &str, setting: &str) -> String {
    format!("CARGO_PROFILE_{profile}_{setting}").replace('-', "_").to_uppercase()
}

fn number_or_text(value: &str) -> Value {
    value.parse().map_or_else(|_| Value::String(value.to_owned()), Value::Integer)
}

/// The compiler's flags, each with the place that sets them.
fn flags(configs: &[(PathBuf, Table)], folder: &Path) -> Vec<(String, Vec<String>)> {
    let split = |text: &str| text.split([' ', '\u{1f}']).map(str::to_owned).collect();
    let mut flags: Vec<(String, Vec<String>)> = FLAGS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), split(&std::env::var(name).ok()?))))
        .collect();
    let words = |value: &Value| match value {
        Value::Array(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        value => split(value.as_str().unwrap_or_default()),
    };
    for (path, table) in configs {
        if let Some(value) = table.get("build").and_then(|build| build.get("rustflags")) {
            flags.push((format!("{}: build.rustflags", path.display()), words(value)));
        }
    }
    for (path, name, value) in targets(configs, "rustflags", folder) {
        flags.push((format!("{}: target.{name}.rustflags", path.display()), words(value)));
    }
    flags
}

/// The flags that cost arguments, each as it is written, with the setting of a profile that it amounts to.
fn weak_flags(words: &[String]) -> Vec<(String, &'static str)> {
    let mut weak = Vec::new();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        let (written, option) = match word.strip_prefix("-C") {
            Some("") => {
                let Some(option) = words.next() else { break };
                (format!("-C {option}"), option)
            }
            Some(option) => (word.to_owned(), option),
            None => match word.strip_prefix("--codegen=") {
                Some(option) => (word.to_owned(), option),
                None => continue,
            },
        };
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let setting = match (name, value) {
            ("debuginfo", "2" | "full") | ("strip", "none") | ("split-debuginfo", "off") => continue,
            ("debuginfo", _) => "debug",
            ("strip", _) => "strip",
            ("split-debuginfo", _) => "split-debuginfo",
            ("link-arg" | "link-args", value) if strips(value) => "strip",
            _ => continue,
        };
        weak.push((written, setting));
    }
    weak
}

/// Whether an argument of the linker throws symbols or debug info away.
fn strips(argument: &str) -> bool {
    let mut words = argument.split([' ', ',']);
    words.any(|word| matches!(word, "-s" | "-S" | "--strip-all" | "--strip-debug"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cost_arguments_are_found() {
        let weak = |text: &str| -> Vec<&'static str> {
            weak_settings(&text.parse::<Table>().unwrap()).into_iter().map(|(setting, ..)| setting).collect()
        };
        for text in [
            "",
            "debug = true",
            "debug = 2",
            "debug = \"full\"",
            "strip = \"none\"",
            "strip = false",
            "split-debuginfo = \"off\"",
        ] {
            assert!(weak(text).is_empty(), "{text}");
        }
        for text in ["debug = 0", "debug = false", "debug = 1", "debug = \"line-tables-only\""] {
            assert_eq!(weak(text), ["debug"], "{text}");
        }
        assert_eq!(weak("strip = true\nsplit-debuginfo = \"packed\""), ["strip", "split-debuginfo"]);
        assert_eq!(variable("my-dev", "split-debuginfo"), "CARGO_PROFILE_MY_DEV_SPLIT_DEBUGINFO");
    }

    #[test]
    fn flags_that_cost_arguments_are_found() {
        let weak = |text: &str| -> Vec<(String, &'static str)> {
            weak_flags(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())
        };
        for text in [
            "",
            "-C",
            "-Cdebuginfo=2 -C strip=none",
            "-C target-cpu=native -Dwarnings",
            "-Clink-arg=-fuse-ld=mold",
        ] {
            assert_eq!(weak(text), [], "{text}");
        }
        assert_eq!(weak("-Cdebuginfo=0 -C opt-level=3"), [("-Cdebuginfo=0".to_owned(), "debug")]);
        assert_eq!(weak("-Awarnings -C strip=symbols"), [("-C strip=symbols".to_owned(), "strip")]);
        assert_eq!(weak("--codegen=split-debuginfo=packed").len(), 1);
        assert_eq!(weak("-Clink-arg=-s -C link-args=-Wl,--strip-debug").len(), 2);
    }

    #[test]
    fn flags_of_the_configuration_are_read() {
        let text = "[build]\nrustflags = \"-C strip=symbols\"\n\
            [target.'cfg(unix)']\nrustflags = [\"-C\", \"debuginfo=1\"]\n\
            [target.'cfg(windows)']\nrustflags = [\"-Cstrip=symbols\"]\n\
            [target.wasm32-wasip1]\nrustflags = [\"-Cstrip=symbols\"]\n";
        let configs = [(PathBuf::from("c"), text.parse::<Table>().unwrap())];
        let found: Vec<_> = flags(&configs, Path::new("."))
            .into_iter()
            .filter(|(place, _)| place.starts_with("c: "))
            .collect();
        let weak: Vec<_> = found.iter().flat_map(|(_, words)| weak_flags(words)).collect();
        assert_eq!(weak, [("-C strip=symbols".to_owned(), "strip"), ("-C debuginfo=1".to_owned(), "debug")]);
    }
}
