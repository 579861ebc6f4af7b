//! `cfg(…)` conditions of cargo's configuration, read by cargo's own parser.

use std::str::FromStr;

pub use cargo_platform::Cfg;
use cargo_platform::CfgExpr;

/// Conditions nested deeper than this do not hold: cargo's parser calls itself for each level.
const DEPTH_LIMIT: usize = 128;

/// Whether a condition (without its `cfg(` and `)`) holds. One that cannot be parsed does not, as cargo refuses it.
pub fn matches(condition: &str, cfgs: &[Cfg]) -> bool {
    let deep = condition.bytes().filter(|byte| *byte == b'(').count() > DEPTH_LIMIT;
    !deep && CfgExpr::from_str(condition).is_ok_and(|condition| condition.matches(cfgs))
}

/// The lines of `rustc --print cfg`.
pub fn printed(text: &str) -> Vec<Cfg> {
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_evaluated() {
        let cfgs = printed("unix\ntarget_os=\"linux\"\n\ntarget_arch=\"x86_64\"\n");
        assert_eq!(cfgs.len(), 3);
        for (condition, holds) in [
            ("unix", true),
            ("windows", false),
            ("target_os = \"linux\"", true),
            ("all(unix, not(windows), any(target_arch = \"arm\", target_arch=\"x86_64\",))", true),
            ("any()", false),
            ("all()", true),
            ("not(", false),
            ("all(unix, target_os = \"macos\")", false),
            // No conditions.
            ("all(unix, not(wind ows))", false),
            ("not(unix) x, any(windows, target_os = \"l", false),
            ("not(windows, windows)", false),
            (&format!("{}unix{}", "all(".repeat(100_000), ")".repeat(100_000)), false),
        ] {
            assert_eq!(matches(condition, &cfgs), holds, "{condition}");
        }
    }
}
