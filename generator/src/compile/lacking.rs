//! What the user can do where a package's own tests do not build. Published and vendored sources often lack what their unit
//! tests take: dev-dependencies that were left out of the manifest, or a feature. In: what the compiler says. Out: words.

use std::collections::BTreeSet;

use super::diagnostic::Diagnostic;

/// More names of a kind than this tell nothing new.
const MAX_NAMES: usize = 12;

/// Before and after the name of a crate that the manifest does not have, in rustc's own words since 1.75. An unknown path in
/// an expression may be a module's as well, so that these are said of imports only, or by what names crates alone.
const CRATES: [(&str, &str); 6] = [
    ("use of unresolved module or unlinked crate `", "`"),
    ("maybe a missing crate `", "`"),
    ("use of undeclared crate or module `", "`"),
    ("no external crate `", "`"),
    ("can't find crate for `", "`"),
    ("use `cargo add ", "`"),
];
const FEATURES: [(&str, &str); 1] = [("the item is gated behind the `", "` feature")];

/// What to do so that the package's tests build, as far as the compiler's words tell it.
pub(super) fn advice(package: &str, errors: &[Diagnostic]) -> Option<String> {
    let is_import = |error: &Diagnostic| matches!(error.code.as_deref(), Some("E0432" | "E0433" | "E0463"));
    let crates = names(errors.iter().filter(|error| is_import(error)), &CRATES, is_crate);
    let features = names(errors.iter(), &FEATURES, is_feature);
    let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(" ");
    let quoted = |names: &BTreeSet<String>| format!("`{}`", Vec::from_iter(names.clone()).join("`, `"));
    let mut does = Vec::new();
    if !crates.is_empty() {
        does.push(format!(
            "its tests use crates that its Cargo.toml does not name: `cargo add --dev -p {package} {}`",
            list(&crates)
        ));
    }
    if !features.is_empty() {
        let (s, them) = if features.len() > 1 { ("s", "them") } else { ("", "it") };
        let features = quoted(&features);
        does.push(format!(
            "its tests need the feature{s} {features}, and the crashed program was built without {them}"
        ));
    }
    (!does.is_empty()).then(|| does.join("; "))
}

fn names<'d>(
    errors: impl Iterator<Item = &'d Diagnostic>,
    marks: &[(&str, &str)],
    is_name: fn(&str) -> bool,
) -> BTreeSet<String> {
    let of_error = |error: &'d Diagnostic| {
        marks.iter().filter_map(|(before, after)| {
            let (_, rest) = error.rendered.split_once(before)?;
            let (name, _) = rest.split_once(after)?;
            Some(name)
        })
    };
    errors.flat_map(of_error).filter(|name| is_name(name)).map(str::to_owned).take(MAX_NAMES).collect()
}

/// A crate's name. Words such as `core` and `self` are none that a manifest could bring.
fn is_crate(name: &str) -> bool {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    let own = ["crate", "self", "super", "std", "core", "alloc", "test", "proc_macro"].contains(&name);
    plain && !own && !name.is_empty() && name.starts_with(|first: char| first.is_ascii_lowercase())
}

fn is_feature(name: &str) -> bool {
    !name.is_empty() && !name.contains(|char: char| char.is_whitespace() || char == '`')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: Option<&str>, rendered: &str) -> Diagnostic {
        Diagnostic { code: code.map(str::to_owned), ..Diagnostic::bare(rendered.to_owned()) }
    }

    #[test]
    fn crates_that_the_manifest_lacks_are_to_be_added() {
        let errors = [
            error(
                Some("E0432"),
                "error[E0432]: unresolved import `approx`\n79 | use approx::assert_relative_eq;\n   |     ^^^^^^ use of unresolved module or unlinked crate `approx`\n   = help: if you wanted to use a crate named `approx`, use `cargo add approx` to add it\n",
            ),
            error(Some("E0463"), "error[E0463]: can't find crate for `float_cmp`\n"),
            error(
                Some("E0432"),
                "error[E0432]: unresolved import `lyon_extra`\n ^^^ no external crate `lyon_extra`\n",
            ),
            error(Some("E0432"), "error[E0432]: unresolved import `a`\n ^^^ maybe a missing crate `a`?\n"),
        ];
        assert_eq!(
            advice("hyperfine", &errors).as_deref(),
            Some(
                "its tests use crates that its Cargo.toml does not name: `cargo add --dev -p hyperfine a approx float_cmp lyon_extra`"
            )
        );
    }

    #[test]
    fn features_are_named() {
        let gated = "error[E0432]: unresolved import `crate::multi`\n --- the item is gated behind the `rt-multi` feature\n";
        let errors = [error(Some("E0432"), gated)];
        let words = advice("tokio", &errors).unwrap();
        assert_eq!(
            words,
            "its tests need the feature `rt-multi`, and the crashed program was built without it"
        );
    }

    #[test]
    fn what_is_no_name_of_a_crate_is_not_taken_for_one() {
        let nothing =
            |code: &str, words: &str| assert_eq!(advice("a", &[error(Some(code), words)]), None, "{words}");
        nothing("E0308", "error[E0308]: mismatched types\n");
        nothing("E0433", "use of unresolved module or unlinked crate `Vec`");
        nothing("E0432", "use of unresolved module or unlinked crate `a b; rm`");
        nothing("E0308", "use of unresolved module or unlinked crate `approx`");
    }
}
