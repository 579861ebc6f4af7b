//! Whether a crash shows only in the build that it was seen in: the test is built once more as a dev build has the
//! project's own code, and run there. In: a test that reproduces an optimised program's crash. Out: a line for its header.
//!
//! Dependencies stay as they are built already: to build them again would take minutes, and code that an optimiser treats
//! otherwise, or that checks for overflow in a dev build alone, is mostly one's own.

use super::{Bench, Draft, ProveError, together};
use crate::compile::{Progress, TestTarget};
use crate::prove::Effort;
use crate::second_chance::is_optimised;

/// What of a profile is set as a dev build has it (the Cargo Book, "Profiles", default profiles). The other settings that
/// differ cannot be had for single packages, or make no difference to what code does.
const DEV: [&str; 3] = ["opt-level=0", "debug-assertions=true", "overflow-checks=true"];

/// Builds and runs the test of a crash of an optimised program as a dev build would have it, and where the crash does not
/// come back there, gives the test with that in its header. `None`: there is nothing to say.
pub fn dev_build<'a>(
    draft: &Draft<'a>,
    bench: &Bench<'_>,
    effort: &mut Effort,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Option<Draft<'a>>, ProveError> {
    let Some(profile) = profile(&draft.target).filter(|_| is_optimised(bench.snapshot)) else {
        return Ok(None);
    };
    let own = bench.roots.packages.iter().map(|package| package.name.as_str());
    let target = as_dev(&draft.target, profile, own);
    let asked = Draft { target, verification: None, ..draft.clone() };
    let built = match together(vec![asked], bench, effort, &mut Vec::new(), progress) {
        Err(error) if error.cannot_write() => return Err(error),
        // The test as it was is proved, and stays.
        built => built.unwrap_or_default(),
    };
    let seen = built.first().and_then(|built| built.verification.as_ref());
    let Some(reason) =
        seen.filter(|seen| seen.reproduced == 0 && !seen.over_limit).and_then(|seen| seen.reason.as_deref())
    else {
        return Ok(None);
    };
    // It does crash there, in a function that only one of the builds has as one of its own.
    if reason.starts_with("the same") {
        return Ok(None);
    }
    let reason = bench.rules.redact_text(reason);
    let builds =
        if profile == "release" { "release builds".to_owned() } else { format!("`{profile}` builds") };
    let mut changed = draft.clone();
    changed.remarks.push(format!("only in {builds}; in a dev build of the same code {reason}"));
    Ok(changed.rewrite(bench).then_some(changed))
}

/// The profile that a test is built with; none for `dev`, whatever that is set to: it is what the project's dev builds are.
fn profile(target: &TestTarget) -> Option<&str> {
    let mut words = target.cargo_args.iter();
    match words.find(|word| ["--release", "--profile"].contains(&word.as_str()))?.as_str() {
        "--release" => Some("release"),
        _ => words.next().map(String::as_str),
    }
}

/// The test target with these packages built as a dev build has them.
fn as_dev<'p>(target: &TestTarget, profile: &str, packages: impl Iterator<Item = &'p str>) -> TestTarget {
    let mut cargo_args = target.cargo_args.clone();
    for package in packages {
        for setting in DEV {
            cargo_args.push("--config".to_owned());
            cargo_args.push(format!("profile.{profile}.package.{package:?}.{setting}"));
        }
    }
    TestTarget { cargo_args, ..target.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_that_of_the_test_s_own_build() {
        let of = |args: &[&str]| {
            let cargo_args = args.iter().map(|arg| (*arg).to_owned()).collect();
            profile(&TestTarget { package: "a".to_owned(), cargo_args }).map(str::to_owned)
        };
        assert_eq!(of(&["--lib", "--features", "x", "--release"]).as_deref(), Some("release"));
        assert_eq!(of(&["--bin", "a", "--profile", "fast", "--target", "t"]).as_deref(), Some("fast"));
        assert_eq!(of(&["--lib"]), None);
    }

    #[test]
    fn only_these_packages_are_built_as_a_dev_build_has_them() {
        let target = TestTarget { package: "a-b".to_owned(), cargo_args: vec!["--lib".to_owned()] };
        let args = as_dev(&target, "fast", ["a-b"].into_iter()).cargo_args.join(" ");
        assert_eq!(
            args,
            "--lib --config profile.fast.package.\"a-b\".opt-level=0 \
             --config profile.fast.package.\"a-b\".debug-assertions=true \
             --config profile.fast.package.\"a-b\".overflow-checks=true"
        );
    }
}
