//! `cfg(…)` conditions of cargo's configuration, evaluated against what `rustc --print cfg` tells.

/// A condition that holds: `unix`, or `target_os` with `linux`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cfg(String, Option<String>);

/// Conditions nested deeper than this do not hold.
const DEPTH_LIMIT: usize = 32;

impl Cfg {
    /// A line of `rustc --print cfg`.
    pub fn parse(line: &str) -> Cfg {
        match line.split_once('=') {
            Some((name, value)) => {
                Cfg(name.trim().to_owned(), Some(value.trim().trim_matches('"').to_owned()))
            }
            None => Cfg(line.trim().to_owned(), None),
        }
    }
}

/// Whether a condition (without its `cfg(` and `)`) holds. One that cannot be parsed does not.
pub fn matches(condition: &str, cfgs: &[Cfg]) -> bool {
    evaluate(condition, cfgs, 0).unwrap_or(false)
}

fn evaluate(condition: &str, cfgs: &[Cfg], depth: usize) -> Option<bool> {
    let condition = condition.trim();
    if depth > DEPTH_LIMIT {
        return None;
    }
    for operator in ["all", "any", "not"] {
        let inner = condition.strip_prefix(operator).map(str::trim_start);
        let Some(inner) = inner.and_then(|rest| rest.strip_prefix('(')?.strip_suffix(')')) else { continue };
        let mut results = parts(inner).into_iter().map(|part| evaluate(part, cfgs, depth + 1));
        return match operator {
            "all" => results.try_fold(true, |all, result| Some(all & result?)),
            "any" => results.try_fold(false, |any, result| Some(any | result?)),
            _ => results.next()?.map(|result| !result),
        };
    }
    match condition {
        "true" => Some(true),
        "false" | "" => Some(false),
        _ => Some(cfgs.contains(&Cfg::parse(condition))),
    }
}

/// The parts of a list, split at the commas that are in no inner list and no text.
fn parts(list: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start, mut parts) = (0_i32, false, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&list[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_evaluated() {
        let cfgs = ["unix", "target_os=\"linux\"", "target_arch=\"x86_64\""].map(Cfg::parse);
        for (condition, holds) in [
            ("unix", true),
            ("windows", false),
            ("target_os = \"linux\"", true),
            ("all(unix, not(windows), any(target_arch = \"arm\", target_arch=\"x86_64\",))", true),
            ("any()", false),
            ("all()", true),
            ("not(", false),
            ("all(unix, target_os = \"macos\")", false),
        ] {
            assert_eq!(matches(condition, &cfgs), holds, "{condition}");
        }
    }
}
