//! Whether tests can run in a target at all, from its package's Cargo.toml (cargo metadata does not tell).

use toml_edit::{DocumentMut, Item};

/// A target of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HarnessTarget<'a> {
    /// The library, or the proc-macro.
    Lib,
    /// `[[bin]]` of this name.
    Bin(&'a str),
    /// `[[test]]` of this name.
    Test(&'a str),
    /// `[[example]]` of this name.
    Example(&'a str),
}

/// `false` where the target says `harness = false`: no `#[test]` runs there. (`test = false` is no hindrance:
/// `--lib`, `--bin NAME` and so on run it nevertheless.)
pub fn has_harness(manifest: &str, target: HarnessTarget<'_>) -> bool {
    let Ok(document) = manifest.parse::<DocumentMut>() else { return true };
    let (table, name) = match target {
        HarnessTarget::Lib => {
            return document.get("lib").and_then(|lib| lib.get("harness")).and_then(Item::as_bool)
                != Some(false);
        }
        HarnessTarget::Bin(name) => ("bin", name),
        HarnessTarget::Test(name) => ("test", name),
        HarnessTarget::Example(name) => ("example", name),
    };
    let Some(tables) = document.get(table).and_then(Item::as_array_of_tables) else { return true };
    let Some(found) = tables.iter().find(|table| table.get("name").and_then(Item::as_str) == Some(name))
    else {
        return true;
    };
    found.get("harness").and_then(Item::as_bool) != Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_without_harness_is_known() {
        let manifest =
            "[lib]\ntest = false\n[[test]]\nname = \"a\"\nharness = false\n[[bin]]\nname = \"a\"\n";
        assert!(has_harness(manifest, HarnessTarget::Lib));
        assert!(!has_harness(manifest, HarnessTarget::Test("a")));
        assert!(has_harness(manifest, HarnessTarget::Test("b")));
        assert!(has_harness(manifest, HarnessTarget::Bin("a")));
        assert!(!has_harness("[lib]\nharness = false", HarnessTarget::Lib));
        assert!(has_harness("no toml [", HarnessTarget::Lib));
    }
}
