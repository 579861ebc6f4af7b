//! Versions of a crate for which a rule is: `>=0.3.38`, `>=1, <1.4.2`. In: a rule's text, a package's version. Out:
//! whether it is one of them. What follows a `-` or `+` in a version is not looked at.

/// Bounds, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Versions(Vec<(Bound, [u64; 3])>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtLeast,
    Below,
}

impl Versions {
    pub(super) fn read(text: &str) -> Result<Versions, String> {
        let bound = |part: &str| {
            let part = part.trim();
            let (bound, rest) = match (part.strip_prefix(">="), part.strip_prefix('<')) {
                (Some(rest), _) => (Bound::AtLeast, rest),
                (None, Some(rest)) => (Bound::Below, rest),
                (None, None) => return Err(format!("a bound is `>=1.2.3` or `<1.2.3`, not `{part}`")),
            };
            let version = numbers(rest.trim()).ok_or_else(|| format!("`{}` is no version", rest.trim()))?;
            Ok((bound, version))
        };
        text.split(',').map(bound).collect::<Result<Vec<_>, _>>().map(Versions)
    }

    pub(super) fn hold(&self, version: &str) -> bool {
        let Some(version) = numbers(version) else { return false };
        self.0.iter().all(|(bound, of)| match bound {
            Bound::AtLeast => version >= *of,
            Bound::Below => version < *of,
        })
    }
}

fn numbers(version: &str) -> Option<[u64; 3]> {
    let plain = version.split(['-', '+']).next().unwrap_or_default();
    let mut found = [0; 3];
    for (index, part) in plain.split('.').enumerate() {
        *found.get_mut(index)? = part.parse().ok()?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bounds_must_hold() {
        let versions = Versions::read(">=0.3.29, <0.3.38").unwrap();
        for (version, holds) in [
            ("0.3.28", false),
            ("0.3.29", true),
            ("0.3.37+x", true),
            ("0.3.38", false),
            ("0.3.38-rc.1", false),
            ("1", false),
        ] {
            assert_eq!(versions.hold(version), holds, "{version}");
        }
        for wrong in ["", "0.3", "=1.0.0", ">=a", ">=1.2.3.4", "<1,"] {
            assert!(Versions::read(wrong).is_err(), "{wrong}");
        }
    }
}
